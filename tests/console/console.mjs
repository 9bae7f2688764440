// The console in a headless browser: what a person does, and what the browser thinks of the page.
// Usage: node console.mjs CHROMIUM URL USER PASSWORD [FOLDER for screenshots]
import { chromium } from "playwright-core";
import { readFile } from "node:fs/promises";

const [program, url, user, password, pictures] = process.argv.slice(2);
let passed = 0, failed = 0;
const check = (what, is, detail = "") => {
  if (is) passed++;
  else { failed++; console.log(`FAILED: ${what} ${detail}`); }
};

const browser = await chromium.launch({ executablePath: program, args: ["--no-sandbox"] });
const context = await browser.newContext({ viewport: { width: 1100, height: 760 }, acceptDownloads: true, colorScheme: "light" });
const page = await context.newPage();
const complaints = [];
let expected401 = 0;
page.on("console", message => {
  if (message.type() !== "error" && message.type() !== "warning") return;
  // A browser tells of every answer that is an error; the page asks who it is before anybody has logged in.
  if (/status of (400|401)/.test(message.text())) { expected401++; return; }
  complaints.push(message.text());
});
page.on("pageerror", error => complaints.push(String(error)));
page.on("dialog", dialog => { complaints.push(`a script ran: ${dialog.message()}`); dialog.dismiss(); });
page.on("request", request => { if (!request.url().startsWith(url) && !request.url().startsWith("data:")) complaints.push(`a request to ${request.url()}`); });

const rowsOf = selector => page.locator(`${selector} tbody tr`).count();
// All sections of a page have their answer.
const settled = () => page.waitForFunction(() => document.querySelector("h2")
  && [...document.querySelectorAll("h2")].every(title => title.nextElementSibling.textContent !== "…"));
const run = async sql => {
  await page.fill("#sql", sql);
  await page.keyboard.press("Control+Enter");
  await page.waitForFunction(() => !document.getElementById("run").disabled, null, { timeout: 60000 });
};

// Login: a wrong password, then the right one.
await page.goto(`${url}/console/`);
await page.waitForSelector("form.login");
if (password) {
  await page.fill("#login-user", user);
  await page.fill("#login-password", "not the password");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".fault");
  check("a wrong password is told", (await page.textContent(".fault")).includes("28P01"));
  await page.fill("#login-password", password);
} else {
  await page.fill("#login-user", user);
}
await page.keyboard.press("Enter");
await page.waitForSelector("#nav:not([hidden])");
const cookies = await context.cookies();
check("the cookie is for no script", cookies.every(cookie => cookie.httpOnly && cookie.sameSite === "Strict"));
check("no script reads the cookie", await page.evaluate(() => document.cookie) === "");

// Tables, and one of them.
await settled();
const names = await page.locator("table").first().locator("tbody tr td:first-child").allTextContents();
check("the tables are listed", names.includes("weather.observations") && names.includes("weather.nyc_airports_hourly_2013"), names.join());
if (pictures) await page.screenshot({ path: `${pictures}/console-tables.png` });
await page.click("td >> text=weather.nyc_airports_hourly_2013");
await page.waitForSelector("table.result");
check("a table has a page", (await page.textContent("h1")) === "weather.nyc_airports_hourly_2013");
await settled();
const text = await page.textContent("main");
for (const part of ["Columns", "Preview", "Files", "Skipped files", "How its text is read"]) check(`the page tells of ${part}`, text.includes(part));
check("no section has failed", await page.locator(".fault").count() === 0, await page.locator(".fault").allTextContents().then(String));

// Views and queries.
for (const [link, title] of [["Views", "Views"], ["Queries", "Queries"]]) {
  await page.click(`#nav >> text=${link}`);
  await page.waitForFunction(title => document.querySelector("h1")?.textContent === title, title);
  await settled();
  check(`${title} has no failure`, await page.locator(".fault").count() === 0, await page.locator(".fault").allTextContents().then(String));
}

// The editor: a query, its chart, its error.
await page.click("#nav >> text=SQL");
await page.waitForSelector("#sql");
await run("SELECT time_bucket('1 day', observation_at) AS day, avg(temperature) AS temperature, max(temperature) AS warmest "
  + "FROM weather.observations GROUP BY 1 ORDER BY 1");
check("the query ran", /^SELECT \d+ in /.test(await page.textContent("#status")), await page.textContent("#status"));
check("it has rows", await rowsOf("table.result") > 1);
check("it has a chart with a line for each number", await page.locator("svg.chart path.line").count() === 2);
const drawn = await page.locator("svg.chart path.line").first().getAttribute("d");
check("the line has points", (drawn.match(/[ML]/g) || []).length > 1 && !drawn.includes("NaN"), drawn);
if (pictures) await page.screenshot({ path: `${pictures}/console-sql.png` });
await page.selectOption("details select >> nth=0", "bar");
check("it is drawn as bars too", await page.locator("svg.chart rect title").count() > 1);

await run("SELECT 1 +\n  nothing FROM weather.observations");
check("an error tells its SQLSTATE and its place", /42703[\s\S]*LINE 2[\s\S]*\^/.test(await page.textContent(".fault")), await page.textContent(".fault"));
await run("SELECT '<script>alert(1)</script><img src=x onerror=alert(2)>' AS \"<script>alert(3)</script>\"");
check("markup is text", (await page.textContent("table.result")).includes("<script>alert(1)</script><img")
  && await page.locator("table.result script, table.result img").count() === 0);
await run("SELECT * FROM \"<img src=x onerror=alert(4)>\"");
check("markup in an error is text", (await page.textContent(".fault")).includes("<img src=x") && await page.locator(".fault img").count() === 0);
await page.selectOption("#limit", "100");
await run("SELECT * FROM generate_series(1, 500)");
check("more rows than are shown are noted", (await page.textContent("#note")).includes("100 rows") && await rowsOf("table.result") === 100);

// Downloads have all rows.
const save = async format => {
  const [download] = await Promise.all([page.waitForEvent("download"), page.click(`.download-${format}`)]);
  return readFile(await download.path());
};
const csv = (await save("csv")).toString();
check("the CSV has every row", csv === "generate_series\n" + Array.from({ length: 500 }, (_, at) => at + 1 + "\n").join(""), csv.slice(0, 60));
const parquet = await save("parquet");
check("the Parquet file is one", parquet.subarray(0, 4).toString() === "PAR1" && parquet.subarray(-4).toString() === "PAR1");

// Cancel: by the button, and from the page of queries.
const endless = "SELECT count(*) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b WHERE a % 7 = b % 11";
await page.fill("#sql", endless);
await page.click("#run");
await page.waitForSelector("#cancel:not([disabled])");
const other = await context.newPage();
await other.goto(`${url}/console/#/queries`);
const button = other.locator("button.cancel").first();
await button.waitFor();
await page.click("#cancel");
await page.waitForFunction(() => document.getElementById("status").textContent.startsWith("Cancelled"));
await other.waitForFunction(() => !document.querySelector("button.cancel"), null, { timeout: 30000 });
check("a query that was left does not run on", true);
await page.click("#run");
await button.waitFor({ timeout: 30000 });
await button.click();
await page.waitForSelector(".fault", { timeout: 30000 });
check("a query is cancelled from the page of queries", (await page.textContent(".fault")).includes("57014"));
await other.close();

// With the keyboard alone, and in the dark.
await page.emulateMedia({ colorScheme: "dark" });
const dark = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
check("it is dark in the dark", dark === "rgb(20, 24, 29)", dark);
await page.goto(`${url}/console/#/tables`);
await page.reload();
await page.waitForSelector("table tbody tr");
await page.keyboard.press("Tab");
check("the first key leads to the content", await page.evaluate(() => document.activeElement.className) === "skip");
for (let presses = 0; presses < 10 && await page.evaluate(() => document.activeElement.getAttribute("href")) !== "#/sql"; presses++) await page.keyboard.press("Tab");
await page.keyboard.press("Enter");
await page.waitForSelector("#sql");
check("the editor is reached without a mouse", true);

await page.click("#logout");
await page.waitForSelector("form.login");
check("after the logout there is a login", (await context.cookies()).length === 0);
check("the browser has nothing to complain of", complaints.length === 0, complaints.join(" | "));
await browser.close();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
