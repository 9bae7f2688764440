//! Rows as values: structs of files, and rows of tables with the types that the catalogs tell of them.

use lakegate_tests::wire::message;
use lakegate_tests::{Lake, TestServer};

const EVENTS: &str = r#"{"id":1,"user":{"name":"ann","tags":["a","b c"]},"items":[{"sku":"x","qty":2}]}
{"id":2,"user":{"name":null,"tags":null},"items":[]}
{"id":3}
"#;

async fn server() -> TestServer {
    let lake = Lake::default();
    lake.write("public/events.ndjson", EVENTS);
    TestServer::start(&lake).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_struct_of_a_file_is_a_row() {
    let server = server().await;
    let check = |sql: &'static str, expected: &'static [&'static str]| {
        let server = &server;
        async move { assert_eq!(server.column(sql).await, expected, "{sql}") }
    };
    check(r#"SELECT coalesce("user"::text, '-') FROM events ORDER BY id"#, &["(ann,\"{a,\"\"b c\"\"}\")", "(,)", "-"])
        .await;
    check(r#"SELECT coalesce((e."user").name, '-') FROM events e ORDER BY id"#, &["ann", "-", "-"]).await;
    check(r#"SELECT "user" IS NULL FROM events ORDER BY id"#, &["f", "t", "t"]).await;
    check(r#"SELECT "user" IS NOT NULL FROM events ORDER BY id"#, &["t", "f", "f"]).await;
    check(
        "SELECT row_to_json(e) FROM events e ORDER BY id",
        &[
            r#"{"id":1,"user":{"name":"ann","tags":["a","b c"]},"items":[{"sku":"x","qty":2}]}"#,
            r#"{"id":2,"user":{"name":null,"tags":null},"items":[]}"#,
            r#"{"id":3,"user":null,"items":null}"#,
        ],
    )
    .await;
    check("SELECT to_json(items) -> 0 ->> 'sku' FROM events WHERE id = 1", &["x"]).await;
    check("SELECT (i).sku FROM events, unnest(items) i", &["x"]).await;
    check(r#"SELECT a.id FROM events a JOIN events b ON a."user" = b."user" ORDER BY 1"#, &["1", "2"]).await;
    assert_eq!(server.state(r#"SELECT max("user") FROM events"#).await, "42883");
    assert_eq!(server.state(r#"SELECT "user"::json FROM events"#).await, "42846");
    let mut client = server.wire().await;
    let answer = client.extended(r#"SELECT "user", items FROM events WHERE id = 1"#, 1).await;
    let columns: Vec<_> = answer.columns.iter().map(|column| column.oid).collect();
    assert_eq!(columns, [2249, 2287]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_row_of_a_table_has_the_type_that_pg_type_tells() {
    let server = server().await;
    let mut client = server.wire().await;
    let messages = {
        client
            .send(
                &[message::parse("", "SELECT e FROM events e", &[]), message::describe(b'S', ""), message::sync()]
                    .concat(),
            )
            .await;
        client.until_ready().await
    };
    let told = messages.iter().find(|message| message.tag == b'T').unwrap().columns();
    let known = "SELECT t.oid FROM pg_type t JOIN pg_class c ON c.reltype = t.oid AND t.typrelid = c.oid
        WHERE c.relname = 'events' AND t.typtype = 'c' AND t.oid::regtype::text = 'events'";
    assert_eq!(server.value(known).await, told[0].oid.to_string());
    assert_eq!(told[0].name, "e");
}
