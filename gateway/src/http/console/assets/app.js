// The page of the console. What it shows is asked in SQL, in the session of who has logged in; what comes back goes into the
// page as text, never as markup.
"use strict";

(() => {
  const PAGES = "Lakegate console, pages";
  const main = document.getElementById("main");
  let me = null, leave = () => {};

  // ---- building

  const el = (tag, attributes, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else if (value === true) node.setAttribute(name, "");
      else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
    }
    node.append(...children.flat().filter(child => child !== null && child !== undefined));
    return node;
  };

  const show = (...children) => main.replaceChildren(...children.flat().filter(child => child));

  // ---- asking

  class Failure extends Error {
    constructor(report) { super(report.message); this.report = report; }
  }

  const literal = text => "'" + text.replaceAll("'", "''") + "'";
  const ident = name => '"' + name.replaceAll('"', '""') + '"';

  // Runs a text, and tells of every line as it comes.
  const run = async (sql, { rowsMax = 1000, application = PAGES, signal, tell }) => {
    const answer = await fetch("api/query", {
      method: "POST", signal, credentials: "same-origin",
      headers: { "content-type": "application/json", "x-csrf-token": me ? me.token : "" },
      body: JSON.stringify({ sql, rows_max: rowsMax, application_name: application }),
    });
    if (!answer.ok) {
      const told = await answer.json().catch(() => null);
      if (answer.status === 401) { me = null; login(); }
      throw new Failure(told ? told.error : { message: `the server answered ${answer.status}` });
    }
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      const lines = (rest + value).split("\n");
      rest = lines.pop();
      for (const line of lines) {
        const told = JSON.parse(line);
        if (told.error) throw new Failure(told.error);
        tell(told);
      }
    }
  };

  // All rows of one query, as objects by the names of columns.
  const ask = async (sql, rowsMax = 5000) => {
    let columns = [];
    const rows = [];
    await run(sql, { rowsMax, tell: told => {
      if (told.columns) columns = told.columns;
      for (const row of told.rows || []) rows.push(row);
    } });
    return { columns, rows, objects: rows.map(row => Object.fromEntries(columns.map((c, at) => [c.name, row[at]]))) };
  };

  // ---- showing

  const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];
  const bytes = text => {
    if (text === null) return "";
    let size = Number(text), unit = 0;
    while (size >= 1024 && unit < UNITS.length - 1) { size /= 1024; unit++; }
    return (unit ? size.toFixed(1) : size) + " " + UNITS[unit];
  };
  const moment = text => text === null ? "" : text.replace(/\.\d+/, "");
  const count = text => text === null ? "" : Number(text).toLocaleString("en");

  // A table of objects: `[title, value of an object, class]` for each column.
  const grid = (columns, objects, empty = "None.") => {
    if (!objects.length) return el("p", { class: "soft" }, empty);
    const cell = (value, style) => el("td", { class: style }, value instanceof Node ? value : String(value ?? ""));
    return el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "rows" }, el("table", {},
      el("thead", {}, el("tr", {}, columns.map(([title, , style]) => el("th", { scope: "col", class: style }, title)))),
      el("tbody", {}, objects.map(row => el("tr", {}, columns.map(([, value, style]) => cell(value(row), style)))))));
  };

  // A result as it came.
  const result = (columns, rows) => el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "result" },
    el("table", { class: "result" },
      el("thead", {}, el("tr", {}, columns.map(column => el("th", { scope: "col",
        class: Chart.NUMBERS.has(column.type) ? "number" : null }, column.name, " ",
      el("span", { class: "type" }, column.type))))),
      el("tbody", {}, rows.map(row => el("tr", {}, row.map((value, at) => value === null
        ? el("td", { class: "null" }, "NULL")
        : el("td", { class: Chart.NUMBERS.has(columns[at].type) ? "number" : null }, value)))))));

  const fault = (error, sql) => {
    const report = error.report || { message: error.message };
    const line = (name, text) => text ? el("p", {}, el("span", { class: "soft" }, name), " ", text) : null;
    const parts = [el("p", { class: "bad" }, `ERROR: ${report.message}`, report.sqlstate ? ` (${report.sqlstate})` : ""),
      line("DETAIL:", report.detail), line("HINT:", report.hint), line("CONTEXT:", report.context)];
    if (report.position && sql) {
      const before = [...sql].slice(0, report.position - 1).join(""), start = before.lastIndexOf("\n") + 1;
      const text = sql.slice(start).split("\n")[0], place = [...before.slice(start)].length;
      parts.push(el("pre", {}, `LINE ${before.split("\n").length}: ${text}\n`
        + " ".repeat(`LINE ${before.split("\n").length}: `.length + place) + "^"));
    }
    return el("div", { class: "fault", role: "alert" }, parts);
  };

  // Puts what is found into a page, and a failure beside it.
  const section = (title, find) => {
    const place = el("div", {}, el("p", { class: "soft" }, "…"));
    find().then(found => place.replaceChildren(...[found].flat()), error => place.replaceChildren(fault(error)));
    return [el("h2", {}, title), place];
  };

  const of = (schema, name) => `schema = ${literal(schema)} AND name = ${literal(name)}`;
  const link = (page, row, schema = row.schema, name = row.name) =>
    el("a", { href: `#/${page}/${encodeURIComponent(schema)}/${encodeURIComponent(name)}` }, `${schema}.${name}`);

  // ---- pages

  const tables = () => show(el("h1", {}, "Tables"), section("Relations of the lake", async () => {
    const { objects } = await ask(`SELECT t.schema, t.name, t.kind, t.format, t.rows, t.files, t.bytes, t.newest_at, f.lag,
      s.skipped FROM system.tables t LEFT JOIN system.freshness f ON f.schema = t.schema AND f.name = t.name
      LEFT JOIN (SELECT schema, "table" AS name, count(*) AS skipped FROM system.skipped_files GROUP BY 1, 2) s
      ON s.schema = t.schema AND s.name = t.name ORDER BY 1, 2`);
    return grid([["Table", row => link(row.kind === "table" ? "table" : "view", row)], ["Kind", row => row.kind],
      ["Format", row => row.format], ["Rows", row => count(row.rows), "number"],
      ["Files", row => row.format === null ? "" : count(row.files), "number"],
      ["Size", row => row.format === null ? "" : bytes(row.bytes), "number"],
      ["Newest object", row => moment(row.newest_at), "time"], ["Lag", row => moment(row.lag), "time"],
      ["Skipped", row => row.skipped === null ? "" : el("span", { class: "bad" }, row.skipped), "number"]], objects,
    "The lake has no table.");
  }), section("Skipped files", skipped("true")), section("Sources", async () => {
    const { objects } = await ask("SELECT * FROM system.sources ORDER BY source");
    return grid([["Source", row => row.source, "code"], ["Listed at", row => moment(row.listed_at), "time"],
      ["Writable", row => row.writable], ["Write test", row => row.write_test]], objects);
  }));

  const skipped = condition => async () => {
    const { objects } = await ask(`SELECT * FROM system.skipped_files WHERE ${condition} ORDER BY source, key LIMIT 500`);
    return grid([["File", row => row.key, "code"], ["Table", row => row.table === null ? "" : `${row.schema}.${row.table}`],
      ["Reason", row => row.reason], ["Source", row => row.source, "code"]], objects);
  };

  const columnsOf = (schema, name) => async () => {
    const { objects } = await ask(`SELECT column_name, data_type, is_nullable, column_default FROM information_schema.columns
      WHERE table_schema = ${literal(schema)} AND table_name = ${literal(name)} ORDER BY ordinal_position`);
    return grid([["Column", row => row.column_name, "code"], ["Type", row => row.data_type],
      ["Nullable", row => row.is_nullable]], objects);
  };

  const preview = (schema, name) => async () => {
    const { columns, rows } = await ask(`SELECT * FROM ${ident(schema)}.${ident(name)} LIMIT 50`, 50);
    return rows.length ? result(columns, rows) : el("p", { class: "soft" }, "No rows.");
  };

  const editorFor = (schema, name) => el("p", {}, el("a", {
    href: "#/sql/" + encodeURIComponent(`SELECT * FROM ${ident(schema)}.${ident(name)} LIMIT 100`) }, "Open in the editor"));

  const table = (schema, name) => show(el("h1", {}, `${schema}.${name}`), editorFor(schema, name),
    section("Columns", columnsOf(schema, name)), section("Preview", preview(schema, name)),
    section("Files", async () => {
      const { objects } = await ask(`SELECT key, bytes, modified_at, rows, partitions FROM system.objects
        WHERE schema = ${literal(schema)} AND "table" = ${literal(name)} ORDER BY modified_at DESC, key LIMIT 500`);
      return [grid([["Key", row => row.key, "code"], ["Size", row => bytes(row.bytes), "number"],
        ["Rows", row => count(row.rows), "number"], ["Modified at", row => moment(row.modified_at), "time"],
        ["Partitions", row => row.partitions]], objects),
      objects.length === 500 ? el("p", { class: "soft" }, "The newest 500 files are shown.") : null].filter(Boolean);
    }),
    section("Skipped files", skipped(`schema = ${literal(schema)} AND "table" = ${literal(name)}`)),
    section("How its text is read", async () => {
      const { objects } = await ask(`SELECT * FROM system.csv_dialect WHERE ${of(schema, name)} ORDER BY key, column_name LIMIT 1000`);
      return grid([["File", row => row.key, "code"], ["Column", row => row.column_name, "code"],
        ["Property", row => row.property], ["Value", row => row.value, "code"], ["From", row => row.origin],
        ["Counter-example", row => row.counter_example, "code"]], objects, "It is no CSV, or was not opened yet.");
    }),
    section("Changes of its columns", async () => {
      const { objects } = await ask(`SELECT * FROM system.schema_drift WHERE ${of(schema, name)} ORDER BY modified_at DESC LIMIT 200`);
      return grid([["File", row => row.key, "code"], ["Column", row => row.column_name, "code"], ["Change", row => row.change],
        ["Before", row => row.before], ["Now", row => row.now]], objects);
    }));

  const views = () => show(el("h1", {}, "Views"), section("Materialized views", async () => {
    const { objects } = await ask("SELECT * FROM system.matview_status ORDER BY schema, name");
    return grid([["View", row => link("view", row)], ["State", state], ["Refresh", row => row.refresh],
      ["Class", row => row.class], ["Why all of it", row => row.full_reason], ["Staleness", row => moment(row.staleness), "time"],
      ["Last success", row => moment(row.last_success), "time"], ["Failures", row => row.failures === "0" ? "" : row.failures, "number"],
      ["Last error", row => row.last_error]], objects);
  }), section("Refreshes that run", progress("true")), section("Views", async () => {
    const { objects } = await ask("SELECT schema, name FROM system.tables WHERE kind = 'view' ORDER BY 1, 2");
    return grid([["View", row => link("view", row)]], objects);
  }));

  const state = row => row.running_since !== null ? el("span", { class: "good" }, "refreshing")
    : row.is_suspended === "t" ? el("span", { class: "warn" }, "suspended")
      : row.failures !== "0" ? el("span", { class: "bad" }, "failing")
        : row.is_populated === "t" ? el("span", { class: "good" }, "good") : el("span", { class: "warn" }, "not populated");

  const progress = condition => async () => {
    const { objects } = await ask(`SELECT * FROM system.matview_progress WHERE ${condition} ORDER BY started_at`);
    return grid([["View", row => `${row.schema}.${row.name}`], ["Phase", row => row.phase],
      ["Files", row => `${row.files_done ?? 0} of ${row.files_total ?? "?"}`, "number"],
      ["Read", row => bytes(row.bytes_read), "number"], ["Rows", row => count(row.rows_written), "number"],
      ["Since", row => moment(row.started_at), "time"]], objects);
  };

  const view = (schema, name) => {
    const told = el("span", { class: "soft", role: "status" });
    const refresh = async () => {
      told.textContent = "…";
      try {
        await ask(`REFRESH MATERIALIZED VIEW ${ident(schema)}.${ident(name)} ASYNC`);
        told.textContent = "The refresh was asked for.";
      } catch (error) { told.replaceChildren(fault(error)); }
    };
    const known = `${literal(schema)} AND `;
    show(el("h1", {}, `${schema}.${name}`), editorFor(schema, name), section("Status", async () => {
      const { columns, rows } = await ask(`SELECT * FROM system.matview_status WHERE ${of(schema, name)}`);
      if (!rows.length) return el("p", { class: "soft" }, "It is a view: its query runs whenever it is asked.");
      const facts = columns.flatMap((column, at) => rows[0][at] === null ? [] : [el("dt", {}, column.name), el("dd", {}, rows[0][at])]);
      return [el("dl", {}, facts), el("div", { class: "row" },
        el("button", { type: "button", onclick: refresh }, "Refresh now"), told)];
    }), section("Refreshes that run", progress(of(schema, name))), section("Definition", async () => {
      const { rows } = await ask(`SELECT definition FROM pg_matviews WHERE schemaname = ${known} matviewname = ${literal(name)}
        UNION ALL SELECT definition FROM pg_views WHERE schemaname = ${known} viewname = ${literal(name)}`);
      return rows.length ? el("pre", {}, rows[0][0]) : el("p", { class: "soft" }, "None.");
    }), section("Columns", columnsOf(schema, name)), section("Preview", preview(schema, name)), section("History", async () => {
      const { objects } = await ask(`SELECT * FROM system.matview_refreshes WHERE ${of(schema, name)} ORDER BY started_at DESC LIMIT 200`);
      return grid([["Began", row => moment(row.started_at), "time"], ["Ended", row => moment(row.ended_at), "time"],
        ["Outcome", row => el("span", { class: row.outcome === "failed" ? "bad" : null }, row.outcome)],
        ["Class", row => row.class], ["Reason", row => row.reason], ["Rows", row => count(row.rows_written), "number"],
        ["Read", row => bytes(row.bytes_read), "number"], ["Asked by", row => row.asked_by], ["Version", row => row.version, "number"]],
      objects);
    }), section("What its rows are made of", async () => {
      const { objects } = await ask(`SELECT * FROM system.matview_lineage WHERE ${of(schema, name)} ORDER BY source_table, key LIMIT 1000`);
      return grid([["Table", row => row.source_table], ["Object", row => row.key, "code"], ["Version", row => row.version, "code"],
        ["Size", row => bytes(row.bytes), "number"], ["Listed at", row => moment(row.listed_at), "time"]], objects);
    }));
  };

  const queries = () => {
    const place = el("div", {}), told = el("p", { class: "soft", role: "status" });
    const own = el("input", { type: "checkbox", id: "own" }), live = el("input", { type: "checkbox", id: "live", checked: true });
    const signal = async (row, how) => {
      try {
        const { rows } = await ask(`SELECT pg_${how}_backend(${Number(row.pid)})`);
        told.textContent = rows[0][0] === "t" ? `Session ${row.pid} was told to ${how}.` : `Session ${row.pid} is gone.`;
      } catch (error) { told.replaceChildren(fault(error)); }
      load();
    };
    const end = (how, title) => row => el("button", { type: "button", class: how, "aria-label": `${title} ${row.pid}`,
      onclick: () => signal(row, how) }, title);
    const isRunning = row => row.ended_at === null;
    const load = async () => {
      const { objects } = await ask(`SELECT * FROM system.queries WHERE ${own.checked ? "true" : `application_name <> ${literal(PAGES)}`}
        ORDER BY ended_at IS NULL DESC, id DESC LIMIT 200`);
      const sessions = await ask("SELECT * FROM pg_stat_activity ORDER BY backend_start LIMIT 500");
      const text = row => row.query === null ? el("span", { class: "soft" }, "of another role") : row.query;
      const common = [["Role", row => row.role], ["Protocol", row => row.protocol], ["Program", row => row.application_name],
        ["Query", text, "code"]];
      place.replaceChildren(el("h2", {}, "Running"), grid([["", end("cancel", "Cancel")], ["State", row => row.state], ...common,
        ["Since", row => moment(row.started_at), "time"], ["Time", row => row.duration, "number"], ["Rows", row => count(row.rows), "number"],
        ["Read", row => bytes(row.bytes_read), "number"]], objects.filter(isRunning)),
      el("h2", {}, "Recent"), grid([["State", row => el("span", { class: row.state === "failed" ? "bad" : null },
        row.state, row.state === "failed" ? ` ${row.sqlstate}` : "")], ...common, ["Ended at", row => moment(row.ended_at), "time"],
      ["Time", row => row.duration, "number"], ["Rows", row => count(row.rows), "number"],
      ["Read", row => bytes(row.bytes_read), "number"], ["Sent", row => bytes(row.bytes_sent), "number"],
      ["Files", row => `${row.files_scanned} of ${Number(row.files_scanned) + Number(row.files_pruned)}`, "number"],
      ["From cache", row => count(row.cache_hits), "number"]], objects.filter(row => !isRunning(row))),
      el("h2", {}, "Sessions"), grid([["", end("terminate", "End")], ["Role", row => row.usename],
        ["Program", row => row.application_name], ["Address", row => row.client_addr], ["State", row => row.state],
        ["Waits for", row => row.wait_event], ["Query", row => row.query, "code"], ["Since", row => moment(row.backend_start), "time"]],
      sessions.objects.filter(row => own.checked || row.application_name !== PAGES)));
    };
    const look = () => load().catch(error => place.replaceChildren(fault(error)));
    own.addEventListener("change", look);
    const timer = setInterval(() => { if (live.checked && !document.hidden && !place.contains(document.activeElement)) look(); }, 2000);
    leave = () => clearInterval(timer);
    show(el("h1", {}, "Queries"), el("div", { class: "row" }, el("label", {}, live, " Look every two seconds"),
      el("label", {}, own, " Those of this page as well"), el("button", { type: "button", onclick: look }, "Look now")), told, place);
    look();
  };

  const sql = given => {
    const text = el("textarea", { id: "sql", spellcheck: "false", autocapitalize: "off", "aria-label": "SQL" });
    text.value = given || sessionStorage.getItem("sql") || "SELECT schema, name, kind, rows FROM system.tables ORDER BY 1, 2";
    const limit = el("select", { id: "limit" }, [100, 1000, 10000, 100000].map(rows =>
      el("option", { value: rows, selected: rows === 1000 }, count(rows))));
    const start = el("button", { type: "button", class: "main", id: "run" }, "Run");
    const cancel = el("button", { type: "button", id: "cancel", disabled: true }, "Cancel");
    const status = el("span", { class: "soft", role: "status", id: "status" }), place = el("div", { id: "results" });
    let running = null;
    const go = async () => {
      if (running) return;
      const asked = text.value;
      sessionStorage.setItem("sql", asked);
      running = new AbortController();
      start.disabled = true; cancel.disabled = false;
      status.textContent = "Running…";
      place.replaceChildren();
      const began = performance.now();
      let columns = null, rows = [];
      const tell = told => {
        if (told.columns) { columns = told.columns; rows = []; }
        for (const row of told.rows || []) rows.push(row);
        if (told.rows) status.textContent = `Running… ${count(rows.length)} rows`;
        if (told.done) {
          place.append(...results(asked, columns, rows, told.done));
          status.textContent = `${told.done.tag} in ${told.done.seconds.toFixed(3)} s`;
          columns = null;
        }
      };
      try {
        await run(asked, { rowsMax: Number(limit.value), application: "Lakegate console", signal: running.signal, tell });
        if (!place.childNodes.length) status.textContent = "Nothing to run.";
      } catch (error) {
        if (running.signal.aborted) status.textContent = `Cancelled after ${((performance.now() - began) / 1000).toFixed(1)} s`;
        else {
          status.textContent = "Failed";
          place.append(fault(error, asked));
          const position = error.report && error.report.position;
          if (position) {
            const at = [...asked].slice(0, position - 1).join("").length;
            text.focus(); text.setSelectionRange(at, at + 1);
          }
        }
      }
      running = null;
      start.disabled = false; cancel.disabled = true;
    };
    const stop = () => { if (running) running.abort(); };
    start.addEventListener("click", go);
    cancel.addEventListener("click", stop);
    text.addEventListener("keydown", event => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); go(); }
      if (event.key === "Escape") stop();
    });
    leave = stop;
    show(el("h1", {}, "SQL"), text, el("div", { class: "row" }, start, cancel, el("label", {}, "Rows shown ", limit), status,
      el("span", { class: "soft" }, "Ctrl+Enter runs, Escape cancels")), place);
    text.focus();
  };

  const results = (asked, columns, rows, done) => {
    const notices = done.notices.map(notice => el("p", { class: "warn" }, notice));
    if (!columns) return [...notices, el("p", {}, done.tag)];
    const note = done.truncated ? el("p", { class: "warn", id: "note" }, `The first ${count(done.rows)} rows are shown; a download has all.`) : null;
    const download = format => el("button", { type: "button", class: "download-" + format, onclick: () => save(asked, format) },
      format === "csv" ? "CSV" : "Parquet");
    return [...notices, note, chart(columns, rows), el("div", { class: "row" }, el("span", { class: "soft" }, "Download"),
      download("csv"), download("parquet")), result(columns, rows)].filter(Boolean);
  };

  const chart = (columns, rows) => {
    const plan = rows.length > 1 ? Chart.plan(columns) : null;
    if (!plan) return null;
    const place = el("div", {});
    const draw = () => {
      const drawn = Chart.draw(columns, rows, plan);
      place.replaceChildren(drawn || el("p", { class: "soft" }, "There is nothing to draw."));
    };
    const choose = (name, set, chosen, options) => {
      const select = el("select", {}, options.map(([value, title]) => el("option", { value, selected: value === chosen }, title)));
      select.addEventListener("change", () => { set(select.value); draw(); });
      return el("label", {}, name + " ", select);
    };
    const all = columns.map((column, at) => [at, column.name]);
    const numbers = all.filter(([at]) => Chart.NUMBERS.has(columns[at].type));
    draw();
    return el("details", { open: true }, el("summary", {}, "Chart"), el("div", { class: "row" },
      choose("As", kind => { plan.kind = kind; }, plan.kind, [["line", "lines"], ["bar", "bars"]]),
      choose("over", at => { plan.x = Number(at); }, plan.x, all),
      choose("of", at => { plan.ys = at === "all" ? numbers.map(([place]) => place).filter(place => place !== plan.x).slice(0, 6) : [Number(at)]; },
        "all", [["all", "all numbers"], ...numbers])), place);
  };

  // The browser writes what comes to its disk: a form does that, a script could only hold all of it.
  const save = (asked, format) => {
    const field = (name, value) => el("input", { type: "hidden", name, value });
    const form = el("form", { method: "post", action: "api/download", hidden: true },
      field("sql", asked), field("format", format), field("token", me.token));
    document.body.append(form);
    form.submit();
    form.remove();
  };

  // ---- login and routes

  const login = (trusts = false) => {
    leave(); leave = () => {};
    document.getElementById("nav").hidden = true;
    document.getElementById("who").hidden = true;
    const told = el("div", {}), user = el("input", { id: "login-user", name: "user", autocomplete: "username", required: true });
    const password = el("input", { id: "login-password", name: "password", type: "password", autocomplete: "current-password" });
    const enter = async event => {
      event.preventDefault();
      told.replaceChildren();
      const answer = await fetch("api/login", { method: "POST", credentials: "same-origin",
        headers: { "content-type": "application/json" }, body: JSON.stringify({ user: user.value, password: password.value }) });
      const body = await answer.json().catch(() => null);
      if (!answer.ok) { told.replaceChildren(fault(new Failure(body ? body.error : { message: "the login failed" }))); return; }
      me = body;
      entered();
    };
    show(el("form", { class: "login", onsubmit: enter }, el("h1", {}, "Lakegate"),
      el("label", {}, "User", user), trusts ? el("p", { class: "soft" }, "This server trusts this machine: any name will do.")
        : el("label", {}, "Password", password), told, el("button", { class: "main" }, "Log in")));
    user.focus();
  };

  const entered = () => {
    document.getElementById("nav").hidden = false;
    document.getElementById("who").hidden = false;
    document.getElementById("user").textContent = `${me.user} at ${me.database}`;
    route();
  };

  const ROUTES = { tables, table, views, view, queries, sql };

  const route = () => {
    if (!me) return;
    leave(); leave = () => {};
    const [page, ...rest] = location.hash.replace(/^#\/?/, "").split("/").map(decodeURIComponent);
    const name = Object.hasOwn(ROUTES, page) ? page : "tables";
    for (const anchor of document.querySelectorAll("#nav a")) {
      const of = anchor.getAttribute("href").slice(2);
      const isHere = of === name || (of === "tables" && name === "table") || (of === "views" && name === "view");
      if (isHere) anchor.setAttribute("aria-current", "page"); else anchor.removeAttribute("aria-current");
    }
    ROUTES[name](...rest);
  };

  addEventListener("hashchange", route);
  document.getElementById("logout").addEventListener("click", async () => {
    await fetch("api/logout", { method: "POST", credentials: "same-origin", headers: { "x-csrf-token": me ? me.token : "" } });
    location.reload();
  });
  fetch("api/me", { credentials: "same-origin" }).then(async answer => {
    const body = await answer.json();
    if (answer.ok) { me = body; entered(); } else login(body.trusts);
  }, () => show(el("p", { class: "bad" }, "The server does not answer.")));
})();
