//! What clients ask the catalogs on their own: the literal statements, and the columns that PostgreSQL answers.
//!
//! The recordings of this project are in `tests/clients/sql/`. A folder with more, in the same form, may be named by
//! `LAKEGATE_CLIENT_STATEMENTS`; without it that part does not run and says so.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array, Int32Array, Int64Array,
    ListBuilder, RecordBatch, StringArray, StringBuilder, TimestampMicrosecondArray,
};
use lakegate_tests::wire::{Client, message};
use lakegate_tests::{Lake, TestServer};

/// One recorded statement.
struct Recording {
    name: String,
    sql: String,
    /// The text and the parameter types of Parse, where the client used the extended protocol with parameters.
    parsed: Option<(String, Vec<u32>)>,
    /// It makes or changes something, which this server refuses.
    writes: bool,
    /// `name:oid, name:oid`, as PostgreSQL told them; `None` when it answered with an error.
    columns: Option<String>,
}

fn recordings(text: &str) -> Vec<Recording> {
    text.split("-- name: ")
        .skip(1)
        .map(|part| {
            let (name, rest) = part.split_once('\n').unwrap();
            let header = |key: &str| rest.lines().find_map(|line| line.strip_prefix(key)).map(str::trim);
            let columns = header("-- columns(name:oid):").map(str::to_owned).or_else(|| {
                // With formats the list is `name:oid:format`.
                let list = header("-- columns(name:oid:fmt): ")?;
                let bare = list.split(", ").map(|column| column.rsplit_once(':').map_or(column, |(bare, _)| bare));
                Some(bare.collect::<Vec<_>>().join(", "))
            });
            let tag = header("-- pg15: ").unwrap_or_default();
            let failed = tag.starts_with("ERROR");
            let writes = ["CREATE ", "INSERT ", "UPDATE ", "DELETE ", "DROP ", "ALTER "].iter();
            let writes = writes.clone().any(|verb| tag.starts_with(verb));
            let parsed = header("-- raw: ").map(|text| {
                let wire = header("-- wire: ").unwrap_or_default();
                let types = wire.split_once("ptypes=[").and_then(|(_, rest)| rest.split_once(']'));
                let types = types.map_or(Vec::new(), |(list, _)| {
                    list.split(", ").filter(|oid| !oid.is_empty()).map(|oid| oid.parse().unwrap()).collect()
                });
                (text.to_owned(), types)
            });
            let told = ["-- source:", "-- wire:", "-- columns(", "-- pg15:", "-- raw:"];
            let is_sql = |line: &&str| !told.iter().any(|prefix| line.starts_with(prefix));
            let sql = rest.lines().filter(is_sql).collect::<Vec<_>>().join("\n");
            let columns = (!failed).then(|| columns.unwrap_or_default());
            Recording { name: name.to_owned(), sql, parsed, writes, columns }
        })
        .collect()
}

/// Puts the ids of the server under test in the place of the recorded ones.
async fn with_ids(client: &mut Client, sql: &str) -> Option<String> {
    let mut text = sql.to_owned();
    while let Some(start) = text.find("@oid:") {
        let end = start + 1 + text[start + 1..].find('@')?;
        let name = &text[start + 5..end];
        let ask = match name.split_once(':') {
            Some(("schema", schema)) => format!("SELECT oid FROM pg_namespace WHERE nspname = '{schema}'"),
            Some(("db", _)) => "SELECT oid FROM pg_database WHERE datname = current_database()".to_owned(),
            Some(_) => return None,
            None => format!("SELECT '{name}'::regclass::oid"),
        };
        let id = client.query(&ask).await.text()?;
        text.replace_range(start..=end, &id);
    }
    Some(text)
}

/// Runs the recordings, those of one client on one connection, and tells which answer with other columns.
async fn differences(server: &TestServer, text: &str) -> (usize, Vec<String>) {
    let mut wrong = Vec::new();
    let mut count = 0;
    let mut section = String::new();
    let mut client = server.wire().await;
    let mut met = HashMap::new();
    for recording in recordings(text) {
        let Some(expected) = &recording.columns else { continue };
        let of = recording.name.rsplit_once(" #").map_or(recording.name.as_str(), |(section, _)| section);
        if of != section {
            section = of.to_owned();
            client = server.wire().await;
        }
        let Some(sql) = with_ids(&mut client, &recording.sql).await else { continue };
        count += 1;
        if ["DECLARE", "SAVEPOINT"].iter().any(|verb| sql.starts_with(verb)) {
            // Some recorders left the BEGIN before it out; in a block it is a warning.
            client.query("BEGIN").await;
        }
        client.send(&message::query(&sql)).await;
        let told = Told::of(&client.until_ready().await);
        if let Some(known) = known(&recording.name) {
            let differs = told.against(&recording, expected).is_some();
            *met.entry(known).or_insert(false) |= differs;
            if told.fault.is_some() {
                client.query("ROLLBACK").await;
            }
            continue;
        }
        if let (None, Some((text, types))) = (&told.fault, &recording.parsed)
            && let Some(text) = with_ids(&mut client, text).await
        {
            let parts = [message::parse("", &text, types), message::describe(b'S', ""), message::sync()];
            client.send(&parts.concat()).await;
            let parsed = Told::of(&client.until_ready().await);
            wrong.extend(parsed.against(&recording, expected).map(|text| format!("parsed: {text}")));
        }
        wrong.extend(told.against(&recording, expected));
        if told.fault.is_some() {
            client.query("ROLLBACK").await;
        }
    }
    let stale = met.into_iter().filter(|(_, differs)| !differs);
    wrong.extend(stale.map(|(known, _)| format!("{known}: it differs no more, so take it off the list")));
    (count, wrong)
}

/// The entry of the list of what is known that a recording belongs to.
fn known(name: &str) -> Option<&'static str> {
    KNOWN.iter().map(|(known, _)| *known).find(|known| match known.contains('#') {
        true => name == *known,
        false => name.starts_with(known),
    })
}

/// What the server told of a statement.
struct Told {
    columns: String,
    fault: Option<message::Fault>,
}

impl Told {
    fn of(messages: &[message::Message]) -> Self {
        let columns = messages.iter().find(|message| message.tag == b'T').map_or(Vec::new(), message::Message::columns);
        let columns: Vec<String> =
            columns.into_iter().map(|column| format!("{}:{}", column.name, column.oid)).collect();
        let fault = messages.iter().find(|message| message.tag == b'E').and_then(message::Message::fault);
        Self { columns: columns.join(", "), fault }
    }

    /// How that differs from PostgreSQL's columns, if it does.
    fn against(&self, recording: &Recording, expected: &str) -> Option<String> {
        match &self.fault {
            Some(fault) if recording.writes && ["0A000", "25006", "42501", "42809"].contains(&fault.state.as_str()) => {
                None
            }
            Some(fault) => Some(format!("{}: {} {}", recording.name, fault.state, fault.message)),
            None if self.columns == expected => None,
            None => Some(format!("{}\n  PostgreSQL: {expected}\n  Lakegate:   {}", recording.name, self.columns)),
        }
    }
}

const V16: &str = "PostgreSQL 16 has other columns than 15";
const NEWER: &str = "it is for PostgreSQL 17 or 18";
const PSQL: &str = "psql's own command, which PostgreSQL refuses too";
const WRITES: &str = "the lake is read-only";
const FIXTURE: &str = "the lake of the test has no such type or object";
const ROW_TYPE: &str = "the id of a table's row type is the server's own";
const RECORDING: &str = "the recording holds the columns of another statement";

/// Recordings that are answered otherwise, by the beginnings of their names, and why; the list may only shrink.
const KNOWN: &[(&str, &str)] = &[
    ("adbc_postgresql / adbc ingest #3", WRITES),
    ("asyncpg / asyncpg connect+fetch+introspect #7", ROW_TYPE),
    ("dbeaver / PostgreDataSource.loadDatabases", V16),
    ("dbeaver / PostgreDatabase.collations", V16),
    ("dbeaver / PostgreSchema columns of table", V16),
    ("dbeaver / PostgreSchema constraints", V16),
    ("dbeaver / startup 18", V16),
    ("dbeaver / startup 8", V16),
    ("grafana / variable query __text/__value", FIXTURE),
    // The table that the statement before it would have made.
    ("pandas / pandas read_sql_table/read_sql via psycopg2 #29", WRITES),
    ("pgcli / pgcli pgspecial", PSQL),
    ("pgjdbc / pgjdbc batch insert #2", WRITES),
    ("pgjdbc / pgjdbc unknown type (composite)", ROW_TYPE),
    ("pgjdbc / pgjdbc updatable cursor", RECORDING),
    ("psql / \\sf f #1", FIXTURE),
    ("psql-srv16 / \\dO", V16),
    ("psql-srv16 / \\l", V16),
    ("psql-srv17 / \\dO", NEWER),
    ("psql-srv17 / \\l", NEWER),
    ("psql-srv18 / \\d weather #1", NEWER),
    ("psql-srv18 / \\dRp", NEWER),
    ("datagrip / data #2", FIXTURE),
    ("datagrip / schema #5", V16),
    ("debezium / start #3", V16),
    ("drizzle / introspect #5", V16),
    ("duckdb / tables #1", V16),
    ("duckdb / snapshot #2", "snapshots cannot be exported"),
    ("pg_dump / schema #53", V16),
    ("pgadmin4 / properties #2", V16),
    ("rails / schema #8", "advisory locks are missing"),
];

fn assert_none(count: usize, wrong: &[String]) {
    assert!(wrong.is_empty(), "{} of {count} statements differ\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn psql_gets_the_columns_it_asks_for() {
    let server = TestServer::start(&Lake::sample()).await;
    let (count, wrong) = differences(&server, include_str!("../../clients/sql/psql.sql")).await;
    assert!(count >= 25);
    assert_none(count, &wrong);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn grafana_gets_the_columns_it_asks_for() {
    let server = TestServer::start(&Lake::sample()).await;
    let (count, wrong) = differences(&server, include_str!("../../clients/sql/grafana.sql")).await;
    assert!(count >= 10);
    assert_none(count, &wrong);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_query_builder_of_grafana_lists_tables_and_columns() {
    let server = TestServer::start(&Lake::sample()).await;
    let recordings = recordings(include_str!("../../clients/sql/grafana.sql"));
    let find = |name: &str| &recordings.iter().find(|it| it.name.contains(name)).unwrap().sql;
    let tables = server.column(find("tables, those")).await;
    for table in ["shop.orders", "weather.observations", "weather.stations"] {
        assert!(tables.iter().any(|listed| listed == table), "{tables:?}");
    }
    let mut client = server.wire().await;
    let columns = client.query(find("columns of a table")).await.texts();
    let expected =
        [["\"time\"", "timestamp with time zone"], ["station", "text"], ["temp", "double precision"], ["n", "bigint"]];
    assert_eq!(columns, expected.map(|row| row.map(|text| Some(text.to_owned()))));
}

/// The recordings beside `psql.sql` and `grafana.sql`, made by `record_statements.py`.
const RECORDED: &[(&str, &str)] = &[
    ("beekeeper.sql", include_str!("../../clients/sql/beekeeper.sql")),
    ("bi.sql", include_str!("../../clients/sql/bi.sql")),
    ("datagrip.sql", include_str!("../../clients/sql/datagrip.sql")),
    ("duckdb.sql", include_str!("../../clients/sql/duckdb.sql")),
    ("hasura.sql", include_str!("../../clients/sql/hasura.sql")),
    ("metabase.sql", include_str!("../../clients/sql/metabase.sql")),
    ("npgsql.sql", include_str!("../../clients/sql/npgsql.sql")),
    ("orm.sql", include_str!("../../clients/sql/orm.sql")),
    ("pg_dump.sql", include_str!("../../clients/sql/pg_dump.sql")),
    ("pgadmin4.sql", include_str!("../../clients/sql/pgadmin4.sql")),
    ("postgres_fdw.sql", include_str!("../../clients/sql/postgres_fdw.sql")),
    ("psqlodbc.sql", include_str!("../../clients/sql/psqlodbc.sql")),
    ("schema_tools.sql", include_str!("../../clients/sql/schema_tools.sql")),
];

/// A server with the relations of the recordings' fixture.
async fn fixture(lake: &Lake) -> TestServer {
    lake.write("public/weather.parquet", weather());
    lake.write("lake/stations.csv", "station,name,lat\nS1,Paris,48.82\n");
    let view = ("views/weather_v.sql", "CREATE VIEW weather_v AS SELECT time, temp FROM public.weather;\n");
    TestServer::with_sql(lake, &[view]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_get_the_columns_they_ask_for() {
    let server = fixture(&Lake::sample()).await;
    let mut all = Vec::new();
    for (name, text) in RECORDED {
        let (count, wrong) = differences(&server, text).await;
        assert!(count > 5, "{name}");
        if !wrong.is_empty() {
            all.push(format!("== {name}: {} of {count} differ\n{}", wrong.len(), wrong.join("\n")));
        }
    }
    assert!(all.is_empty(), "{}", all.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn further_recordings_get_the_columns_they_ask_for() {
    let Some(folder) = std::env::var_os("LAKEGATE_CLIENT_STATEMENTS") else {
        println!("NOT RUN: further recordings: LAKEGATE_CLIENT_STATEMENTS names no folder");
        return;
    };
    let server = fixture(&Lake::sample()).await;
    let mut all = Vec::new();
    for name in FILES {
        let text = std::fs::read_to_string(Path::new(&folder).join(name)).unwrap();
        let (count, wrong) = differences(&server, &text).await;
        assert!(count > 0);
        if !wrong.is_empty() {
            all.push(format!("== {name}: {} of {count} differ\n{}", wrong.len(), wrong.join("\n")));
        }
    }
    assert!(all.is_empty(), "{}", all.join("\n"));
}

/// The recordings that are run; the list may only grow.
const FILES: &[&str] = &[
    "adbc_postgresql.sql",
    "asyncpg.sql",
    "dbeaver.sql",
    "grafana.sql",
    "node_postgres.sql",
    "pandas.sql",
    "pg8000.sql",
    "pgcli.sql",
    "pgjdbc.sql",
    "pgx_libpq.sql",
    "psql.sql",
    "psycopg2.sql",
    "psycopg3.sql",
    "sqlalchemy.sql",
];

/// The table that the recordings ask for.
fn weather() -> Vec<u8> {
    let hours = 1..=50_i64;
    let start = 1_767_225_600_000_000_i64;
    let times = TimestampMicrosecondArray::from_iter_values(hours.clone().map(|hour| start + hour * 3_600_000_000));
    let stations = StringArray::from_iter_values(hours.clone().map(|hour| format!("S{}", hour % 3)));
    let pressures = Decimal128Array::from_value(101_325, 50).with_precision_and_scale(10, 2).unwrap();
    let mut tags = ListBuilder::new(StringBuilder::new());
    hours.clone().for_each(|_| tags.append_value([Some("a"), Some("b")]));
    let columns: [(&str, ArrayRef); 10] = [
        ("time", Arc::new(times.with_timezone("UTC"))),
        ("station", Arc::new(stations)),
        ("temp", Arc::new(hours.clone().map(|hour| Some(hour as f64 * 0.5)).collect::<Float64Array>())),
        ("humidity", Arc::new(Float32Array::from_value(50.0, 50))),
        ("pressure", Arc::new(pressures)),
        ("n", Arc::new(Int32Array::from_iter_values(1..=50))),
        ("big", Arc::new(Int64Array::from_iter_values(hours))),
        ("ok", Arc::new(BooleanArray::from(vec![true; 50]))),
        ("day", Arc::new(Date32Array::from_value(20_454, 50))),
        ("tags", Arc::new(tags.finish())),
    ];
    lakegate_tests::lake::parquet(&RecordBatch::try_from_iter(columns).unwrap())
}
