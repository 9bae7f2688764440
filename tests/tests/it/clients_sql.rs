//! What clients ask the catalogs on their own: the literal statements, and the columns that PostgreSQL answers.
//!
//! The recordings of this project are in `tests/clients/sql/`. A folder with more, in the same form, may be named by
//! `LAKEGATE_CLIENT_STATEMENTS`; without it that part does not run and says so.

use std::path::Path;

use lakegate_tests::wire::{Client, message};
use lakegate_tests::{Lake, TestServer};

/// One recorded statement.
struct Recording {
    name: String,
    sql: String,
    /// `name:oid, name:oid`, as PostgreSQL told them; `None` when it answered with an error.
    columns: Option<String>,
}

fn recordings(text: &str) -> Vec<Recording> {
    text.split("-- name: ")
        .skip(1)
        .map(|part| {
            let (name, rest) = part.split_once('\n').unwrap();
            let header = |key: &str| rest.lines().find_map(|line| line.strip_prefix(key)).map(str::trim);
            let columns = header("-- columns(name:oid): ").map(str::to_owned).or_else(|| {
                // With formats the list is `name:oid:format`.
                let list = header("-- columns(name:oid:fmt): ")?;
                let bare = list.split(", ").map(|column| column.rsplit_once(':').map_or(column, |(bare, _)| bare));
                Some(bare.collect::<Vec<_>>().join(", "))
            });
            let failed = header("-- pg15: ").is_some_and(|tag| tag.starts_with("ERROR"));
            let told = ["-- source:", "-- wire:", "-- columns(", "-- pg15:"];
            let is_sql = |line: &&str| !told.iter().any(|prefix| line.starts_with(prefix));
            let sql = rest.lines().filter(is_sql).collect::<Vec<_>>().join("\n");
            let columns = (!failed).then(|| columns.unwrap_or_default());
            Recording { name: name.to_owned(), sql, columns }
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

async fn differences(server: &TestServer, text: &str) -> (usize, Vec<String>) {
    let mut wrong = Vec::new();
    let mut count = 0;
    for recording in recordings(text) {
        let Some(expected) = recording.columns else { continue };
        let mut client = server.wire().await;
        let Some(sql) = with_ids(&mut client, &recording.sql).await else { continue };
        count += 1;
        let known = KNOWN.iter().any(|(name, _)| recording.name.starts_with(name));
        client.send(&message::query(&sql)).await;
        let messages = client.until_ready().await;
        let told = messages.iter().find(|message| message.tag == b'T').map_or(Vec::new(), message::Message::columns);
        let told: Vec<String> = told.into_iter().map(|column| format!("{}:{}", column.name, column.oid)).collect();
        if let Some(fault) = messages.iter().find(|message| message.tag == b'E').and_then(message::Message::fault) {
            wrong.push(format!("{}: {} {}", recording.name, fault.state, fault.message));
        } else if known {
            assert_ne!(told.join(", "), expected, "it differs no more, so take it off the list: {}", recording.name);
        } else if told.join(", ") != expected {
            wrong.push(format!("{}\n  PostgreSQL: {expected}\n  Lakegate:   {}", recording.name, told.join(", ")));
        }
    }
    (count, wrong)
}

/// Recordings whose column types differ still; the list may only shrink.
const KNOWN: &[(&str, &str)] = &[("psql / \\du #1", "ARRAY(subquery of names) is text[] instead of name[]")];

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn further_recordings_get_the_columns_they_ask_for() {
    let Some(folder) = std::env::var_os("LAKEGATE_CLIENT_STATEMENTS") else {
        println!("NOT RUN: further recordings: LAKEGATE_CLIENT_STATEMENTS names no folder");
        return;
    };
    let lake = Lake::sample();
    let observations = std::fs::read(lake.path().join("weather/observations/part-0.parquet")).unwrap();
    lake.write("public/weather.parquet", &observations);
    let view = ("views/weather_v.sql", "CREATE VIEW weather_v AS SELECT time, temp FROM public.weather;\n");
    let server = TestServer::with_sql(&lake, &[view]).await;
    for name in ["grafana.sql", "psql.sql"] {
        let text = std::fs::read_to_string(Path::new(&folder).join(name)).unwrap();
        let (count, wrong) = differences(&server, &text).await;
        assert!(count > 0);
        assert_none(count, &wrong);
    }
}
