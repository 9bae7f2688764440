// node-postgres: simple and extended protocol, named statements, cursors, pools, cancel.
import assert from "node:assert/strict";
import pg from "pg";
import Cursor from "pg-cursor";

const ENDLESS = "SELECT count(*) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b WHERE a % 7 = b % 11";

// The SQL type, the value that is sent, and what the driver makes of the answer.
const VALUES = [
  ["int2", -32768, -32768], ["int4", 2147483647, 2147483647], ["int8", "-9223372036854775808", "-9223372036854775808"],
  ["float4", 0.5, 0.5], ["float8", 0.1, 0.1], ["numeric", "12345678901234567890.1230", "12345678901234567890.1230"],
  ["text", "it's \"quoted\" \\ naïve 😀\n", "it's \"quoted\" \\ naïve 😀\n"], ["text", "", ""],
  ["bool", true, true], ["bool", false, false],
  ["timestamptz", new Date("2024-02-29T13:14:15.123Z"), new Date("2024-02-29T13:14:15.123Z")],
  ["bytea", Buffer.from([0, 1, 255]), Buffer.from([0, 1, 255])],
  ["uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"],
  ["int4[]", [1, 2, 3], [1, 2, 3]], ["text[]", ["a", "b c", "", 'd"e', null], ["a", "b c", "", 'd"e', null]],
  ["int4", null, null], ["text", null, null], ["timestamptz", null, null],
];

let passed = 0;
let failed = 0;

async function check(name, run) {
  const client = new pg.Client();
  client.on("error", () => {});
  try {
    await client.connect();
    await run(client);
    passed += 1;
  } catch (error) {
    failed += 1;
    console.log(`FAILED: ${name}\n${error.stack}`);
  } finally {
    await client.end().catch(() => {});
  }
}

async function failsWith(state, promise) {
  await assert.rejects(promise, (error) => {
    assert.equal(error.code, state, error.message);
    return true;
  });
}

async function one(client, text, values) {
  const result = await client.query({ text, values, rowMode: "array" });
  return result.rows[0][0];
}

await check("values", async (client) => {
  for (const [type, sent, expected] of VALUES) {
    assert.deepEqual(await one(client, `SELECT $1::${type}`, [sent]), expected);
  }
  const interval = await one(client, "SELECT $1::interval", ["3 days 04:05:06.5"]);
  assert.deepEqual({ ...interval }, { days: 3, hours: 4, minutes: 5, seconds: 6, milliseconds: 500 });
  assert.equal((await client.query("SELECT $1::date AS day", ["2024-02-29"])).rows[0].day.getDate(), 29);
});

await check("values in binary", async (client) => {
  // The driver reads binary values through UTF-8 and so loses bytes above 127: it gets values without such.
  const values = [["int2", 77], ["int4", 5], ["float4", 0.5], ["text", "plain"], ["bool", true]];
  for (const [type, sent] of values) {
    const result = await client.query({ text: `SELECT $1::${type} AS v`, values: [sent], binary: true });
    assert.equal(result.rows[0].v, sent);
  }
});

await check("inferred parameters", async (client) => {
  const result = await client.query("SELECT x FROM generate_series(1, 5) t(x) WHERE x > $1 AND x = ANY($2)", [2, [1, 3, 5]]);
  assert.deepEqual(result.rows, [{ x: 3 }, { x: 5 }]);
});

await check("named statements", async (client) => {
  for (let number = 0; number < 20; number += 1) {
    const result = await client.query({ name: "twice", text: "SELECT $1::int4 * 2 AS twice", values: [number] });
    assert.equal(result.rows[0].twice, number * 2);
    assert.deepEqual(result.fields.map((field) => [field.name, field.dataTypeID]), [["twice", 23]]);
  }
});

await check("several statements", async (client) => {
  const results = await client.query("SET TimeZone TO 'UTC'; SELECT 1 AS a; SELECT 2 AS b");
  assert.deepEqual(results.map((result) => result.command), ["SET", "SELECT", "SELECT"]);
  assert.deepEqual(results[2].rows, [{ b: 2 }]);
  assert.equal((await client.query("-- ping")).rows.length, 0);
});

await check("cursor", async (client) => {
  const cursor = client.query(new Cursor("SELECT x FROM generate_series(1, $1::int4) t(x)", [100000]));
  let total = 0;
  for (let rows = await cursor.read(7000); rows.length > 0; rows = await cursor.read(7000)) {
    total += rows.reduce((sum, row) => sum + row.x, 0);
  }
  assert.equal(total, 5000050000);
  await cursor.close();
  const early = client.query(new Cursor("SELECT x FROM generate_series(1, 1000000) t(x)"));
  assert.equal((await early.read(10)).length, 10);
  await early.close();
  assert.equal(await one(client, "SELECT 1"), 1);
});

await check("many rows", async (client) => {
  const result = await client.query("SELECT x, x::text AS t FROM generate_series(1, 100000) t(x)");
  assert.equal(result.rowCount, 100000);
  assert.deepEqual(result.rows.at(-1), { x: 100000, t: "100000" });
});

await check("errors", async (client) => {
  for (const [sql, state] of [["SELECT 1/0", "22012"], ["SELECT nope", "42703"], ["SELEC 1", "42601"], ["SELECT * FROM nope", "42P01"]]) {
    await failsWith(state, client.query(sql));
    await failsWith(state, client.query({ text: sql, values: [], name: `n${state}` }));
    assert.equal(await one(client, "SELECT 1"), 1);
  }
  await failsWith("22P02", client.query("SELECT $1::int4", ["x"]));
});

await check("transactions", async (client) => {
  await client.query("BEGIN");
  await failsWith("22012", client.query("SELECT 1/0"));
  await failsWith("25P02", client.query("SELECT 1"));
  await client.query("ROLLBACK");
  await client.query("BEGIN");
  await client.query("SAVEPOINT a");
  await failsWith("22012", client.query("SELECT 1/0"));
  await client.query("ROLLBACK TO SAVEPOINT a");
  assert.equal(await one(client, "SELECT 1"), 1);
  await client.query("COMMIT");
});

await check("cancel", async (client) => {
  const refused = failsWith("57014", client.query(ENDLESS));
  await new Promise((resolve) => setTimeout(resolve, 500));
  // The driver's own cancel: a connection of its own that sends CancelRequest with the other's key.
  const other = new pg.Client();
  other.connection.on("error", () => {});
  other.cancel(client, client._activeQuery);
  await refused;
  assert.equal(await one(client, "SELECT 1"), 1);
});

await check("statement_timeout", async (client) => {
  await client.query("SET statement_timeout = 300");
  await failsWith("57014", client.query(ENDLESS));
  await client.query("RESET statement_timeout");
  assert.equal(await one(client, "SELECT 1"), 1);
});

await check("pool", async () => {
  const pool = new pg.Pool({ max: 4 });
  const numbers = await Promise.all(Array.from({ length: 50 }, (_, number) => pool.query("SELECT $1::int4 AS n", [number])));
  assert.deepEqual(numbers.map((result) => result.rows[0].n), Array.from({ length: 50 }, (_, number) => number));
  await pool.end();
});

console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
