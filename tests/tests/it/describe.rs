//! Names and types of result columns: clients decide by them (`tests/slt/columns.txt`, recorded from PostgreSQL).

use lakegate_tests::wire::message;
use lakegate_tests::{Lake, TestServer};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn columns_have_the_names_and_types_of_postgres() {
    let text = include_str!("../../slt/columns.txt");
    let server = TestServer::start(&Lake::default()).await;
    let mut client = server.wire().await;
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let mut wrong = Vec::new();
    for pair in lines.chunks(2) {
        let [sql, expected] = pair else { panic!("a statement without its columns") };
        client.send(&[message::parse("", sql, &[]), message::describe(b'S', ""), message::sync()].concat()).await;
        let messages = client.until_ready().await;
        let told = match messages.iter().find(|message| b"TE".contains(&message.tag)) {
            Some(found) if found.tag == b'T' => {
                let columns = found.columns().into_iter().map(|column| format!("{}:{}", column.name, column.oid));
                columns.collect::<Vec<_>>().join(", ")
            }
            found => format!("{:?}", found.and_then(message::Message::fault)),
        };
        if told != expected.trim() {
            wrong.push(format!("{sql}\n  PostgreSQL: {}\n  Lakegate:   {told}", expected.trim()));
        }
    }
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n"));
}

/// The origin of each column, as `relation.column`, or `-`; what PostgreSQL 15 tells of the same statements.
const ORIGINS: &[(&str, &str)] = &[
    ("SELECT * FROM weather", "weather.time weather.temp weather.station"),
    (
        "SELECT temp AS t, temp + 1, w.time, 1 FROM weather w WHERE station = 'a' ORDER BY time LIMIT 1",
        "weather.temp - weather.time -",
    ),
    ("SELECT station, max(temp) FROM weather GROUP BY station", "weather.station -"),
    ("SELECT DISTINCT station FROM weather", "weather.station"),
    (
        "SELECT b.temp, a.n, c.t FROM (SELECT station, count(*) AS n FROM weather GROUP BY 1) a JOIN weather b USING (station), weather_v c",
        "weather.temp - weather_v.t",
    ),
    ("WITH w AS (SELECT temp FROM weather) SELECT temp, row_number() OVER () FROM w", "weather.temp -"),
    ("SELECT x.t FROM weather_v x", "weather_v.t"),
    ("SELECT temp FROM weather UNION ALL SELECT temp FROM weather", "-"),
    ("SELECT temp::text, (SELECT 1), $1::int FROM weather", "- - -"),
    ("SELECT relname, oid FROM pg_class", "pg_class.relname pg_class.oid"),
    ("SELECT 1 AS one", "-"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn columns_tell_the_relation_that_they_are_of() {
    let lake = Lake::default();
    lake.write("public/weather.csv", "time,temp,station\n2024-01-01,1.5,a\n");
    let view = ("views/weather_v.sql", "CREATE VIEW weather_v AS SELECT time, temp AS t FROM public.weather;\n");
    let server = TestServer::with_sql(&lake, &[view]).await;
    let (mut client, names) = (server.wire().await, server.client().await);
    for (sql, expected) in ORIGINS {
        client.send(&[message::parse("", sql, &[]), message::describe(b'S', ""), message::sync()].concat()).await;
        let messages = client.until_ready().await;
        let columns = messages.iter().find(|message| message.tag == b'T').map(message::Message::columns).unwrap();
        let mut told = Vec::new();
        for column in columns {
            let query = "SELECT relname || '.' || attname FROM pg_attribute JOIN pg_class c ON c.oid = attrelid WHERE c.oid = $1 AND attnum = $2";
            let found = names.query_opt(query, &[&column.table, &column.number]).await.unwrap();
            told.push(found.map_or_else(|| "-".to_owned(), |row| row.get::<_, String>(0)));
        }
        assert_eq!(told.join(" "), *expected, "{sql}");
    }
}
