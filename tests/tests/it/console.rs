//! The console over HTTP: who gets in, what a page may ask, and that rows come as over any other protocol.

use bytes::Bytes;
use lakegate_tests::http::{Answer, Browser};
use lakegate_tests::{Lake, TestServer, server};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use tokio::io::AsyncReadExt;

use crate::authentication::{PASSWORD, with_roles, with_roles_and};
use crate::cancel::ENDLESS;

async fn browser(server: &TestServer) -> Browser {
    Browser::login(server.server.http_addr(), "ann", "").await
}

/// The SQLSTATE of an answer that is an error.
fn state(answer: &Answer) -> String {
    answer.json()["error"]["sqlstate"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_is_guarded_and_holds_no_script_of_its_own() {
    let server = TestServer::start(&Lake::default()).await;
    let browser = Browser::new(server.server.http_addr());
    for path in ["/console/", "/console/app.js", "/console/chart.js", "/console/app.css", "/console/api/me"] {
        let answer = browser.get(path).await;
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self';") && !policy.contains("unsafe"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        assert_eq!(answer.header("x-frame-options"), Some("DENY"), "{path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
    }
    let page = browser.get("/console/").await.text();
    assert!(!page.contains("<script>") && !page.contains("style=") && !page.contains("://"), "{page}");
    for script in ["/console/app.js", "/console/chart.js"] {
        let text = browser.get(script).await.text();
        for door in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "https://"] {
            assert!(!text.contains(door), "{script} has {door}");
        }
    }
    let answer = browser.get("/console").await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("/console/")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_right_password_opens_and_a_wrong_one_does_not() {
    let server = with_roles(&Lake::sample()).await;
    let stranger = Browser::new(server.server.http_addr());
    for (user, password) in [("reader", "wrong"), ("nobody", PASSWORD), ("reader", "")] {
        let answer = stranger.enter(user, password).await;
        assert_eq!((answer.status, state(&answer).as_str()), (401, "28P01"), "{user}");
        assert_eq!(answer.header("set-cookie"), None);
    }
    assert_eq!(stranger.get("/console/api/me").await.status, 401);
    let answer = stranger.query("SELECT 1").await;
    assert_eq!((answer.status, state(&answer).as_str()), (401, "28000"));
    let answer = stranger.enter("reader", PASSWORD).await;
    let cookie = answer.header("set-cookie").unwrap();
    assert!(cookie.contains("; HttpOnly; SameSite=Strict") && cookie.contains("; Path=/console;"), "{cookie}");
    let reader = Browser::login(stranger.addr, "reader", PASSWORD).await;
    let me = reader.get("/console/api/me").await.json();
    assert_eq!((me["user"].as_str(), me["superuser"].as_bool()), (Some("reader"), Some(false)));
    let text = |text: &str| Some(text.to_owned());
    let answer = reader.query("SELECT current_user, current_setting('is_superuser')").await;
    assert_eq!(answer.rows(), [[text("reader"), text("off")]]);
    let forged = Browser { cookie: reader.cookie.clone().map(|cookie| cookie + "x"), ..Browser::new(reader.addr) };
    assert_eq!(forged.get("/console/api/me").await.status, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_of_the_page_is_refused() {
    let server = TestServer::start(&Lake::default()).await;
    let browser = browser(&server).await;
    let (body, token) = (Browser::asked("SELECT 1", 10), browser.token.clone());
    for (why, headers) in [
        ("without a token", vec![]),
        ("with a wrong token", vec![("x-csrf-token", "AAAAAAAAAAAAAAAAAAAAAA")]),
        ("of another site", vec![("x-csrf-token", token.as_str()), ("origin", "https://evil.example")]),
        ("of no site", vec![("x-csrf-token", token.as_str()), ("origin", "null")]),
    ] {
        let answer = browser.post("/console/api/query", &headers, &body).await;
        assert_eq!((answer.status, state(&answer).as_str()), (403, "42501"), "{why}");
    }
    let origin = format!("http://{}", browser.addr);
    let headers = [("x-csrf-token", token.as_str()), ("origin", origin.as_str())];
    assert_eq!(browser.post("/console/api/query", &headers, &body).await.status, 200);
    // A form of another site cannot send JSON.
    let form = [("content-type", "text/plain")];
    let answer = browser.post("/console/api/login", &form, "{\"user\":\"ann\"}").await;
    assert_eq!((answer.status, state(&answer).as_str()), (403, "42501"));
    // A name of another site that leads to this machine.
    let answer = browser.post("/console/api/query", &[("x-csrf-token", &token), ("host", "evil.example")], &body).await;
    assert_eq!(answer.status, 421);
    let answer = Browser::new(browser.addr).post("/console/api/logout", &[], "").await;
    assert_eq!(answer.status, 401);
    let answer = browser.post("/console/api/logout", &[("x-csrf-token", &token)], "").await;
    assert_eq!((answer.status, answer.header("set-cookie").unwrap().contains("Max-Age=0")), (204, true));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_console_that_is_off_is_not_there() {
    let lake = Lake::default();
    let mut config = server::config(&lake);
    config.http.console = Some(false);
    let server = TestServer::with(config).await;
    for path in ["/console", "/console/", "/console/api/me"] {
        assert_eq!(Browser::new(server.server.http_addr()).get(path).await.status, 404);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cookie_is_secure_where_a_proxy_ends_tls() {
    let server = with_roles_and(&Lake::default(), |config| config.http.behind_tls = true).await;
    let browser = Browser::new(server.server.http_addr());
    let body = format!("{{\"user\":\"reader\",\"password\":\"{PASSWORD}\"}}");
    let json = ("content-type", "application/json");
    let plain = browser.post("/console/api/login", &[json], &body).await;
    assert!(!plain.header("set-cookie").unwrap().contains("Secure"));
    let proxied = browser.post("/console/api/login", &[json, ("x-forwarded-proto", "https")], &body).await;
    assert!(proxied.header("set-cookie").unwrap().ends_with("; Secure"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_are_the_texts_of_the_other_protocol() {
    let server = TestServer::start(&Lake::sample()).await;
    let browser = browser(&server).await;
    let mut wire = server.wire().await;
    for sql in [
        "SELECT * FROM weather.observations ORDER BY n LIMIT 20",
        "SELECT * FROM weather.stations ORDER BY 1",
        "SELECT 'pg_class'::regclass, '12.5'::money, '10:00:00+02'::timetz, ARRAY['x', NULL, '<script>'], NULL, ''",
        "SELECT 1.50::numeric(10, 2), interval '1 mon 2 days', '{\"a\": 1}'::jsonb, 'NaN'::float8, true, '\\x00ff'::bytea",
        "SHOW TimeZone",
    ] {
        let answer = browser.query(sql).await;
        assert_eq!(answer.status, 200, "{sql}: {}", answer.text());
        assert_eq!(answer.rows(), wire.query(sql).await.texts(), "{sql}");
    }
    let answer = browser.query("SELECT 1 AS n, 'x' AS \"<b>\", now() AS t").await;
    let columns = &answer.lines()[0]["columns"];
    let expected = serde_json::json!([
        { "name": "n", "type": "int4" }, { "name": "<b>", "type": "text" }, { "name": "t", "type": "timestamptz" },
    ]);
    assert_eq!(*columns, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_gets_the_rows_that_it_wants() {
    let server = TestServer::start(&Lake::default()).await;
    let browser = browser(&server).await;
    let sql = "SELECT * FROM generate_series(1, 5000)";
    for (wanted, rows, truncated) in [(10, 10, true), (5000, 5000, false), (6000, 5000, false), (0, 0, true)] {
        let answer = browser.query_at_most(sql, wanted).await;
        assert_eq!(answer.rows().len(), rows);
        let done = &answer.lines().pop().unwrap()["done"];
        assert_eq!((done["truncated"].as_bool(), done["rows"].as_u64()), (Some(truncated), Some(rows as u64)));
    }
    let told = "SELECT count(*) FROM system.queries WHERE query LIKE '%(1, 5000)' AND protocol = 'http' AND state = 'succeeded'";
    assert_eq!(server.value(told).await, "4", "who wants no more rows is no failure");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statements_of_a_text_run_one_after_the_other() {
    let server = TestServer::start(&Lake::default()).await;
    let browser = browser(&server).await;
    let answer =
        browser.query("SET TimeZone = 'Asia/Tokyo'; SHOW TimeZone; BEGIN; SELECT 2; SELECT 1 / 0; SELECT 3").await;
    let lines = answer.lines();
    let tags: Vec<_> = lines.iter().filter_map(|line| line["done"]["tag"].as_str()).collect();
    assert_eq!(tags, ["SET", "SHOW", "BEGIN", "SELECT 1"]);
    assert_eq!(answer.rows(), [[Some("Asia/Tokyo".to_owned())], [Some("2".to_owned())]]);
    assert_eq!(lines.last().unwrap()["error"]["sqlstate"], "22012");
    // The next request has a session of its own.
    assert_eq!(browser.query("SHOW TimeZone").await.rows(), [[Some("UTC".to_owned())]]);
    assert_eq!(browser.query("-- nothing").await.text(), "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn errors_are_postgresqls_and_stay_texts() {
    let server = TestServer::start(&Lake::default()).await;
    let browser = browser(&server).await;
    let answer = browser.query("SELECT '<script>alert(1)</script>' FROM \"<script>\"").await;
    let error = answer.json()["error"].clone();
    assert_eq!((answer.status, answer.header("content-type")), (400, Some("application/json")));
    assert_eq!(error["sqlstate"], "42P01");
    assert_eq!(error["message"], "relation \"<script>\" does not exist");
    assert_eq!(error["position"], 41);
    for (sql, state_wanted) in [("SELEC 1", "42601"), ("SELECT $1", "42P02"), ("COPY (SELECT 1) TO STDOUT", "0A000")] {
        assert_eq!(state(&browser.query(sql).await), state_wanted, "{sql}");
    }
    let answer = browser.post("/console/api/query", &[("x-csrf-token", &browser.token)], "{").await;
    assert_eq!((answer.status, state(&answer).as_str()), (400, "08P01"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_is_cancelled_by_a_button_or_by_leaving() {
    let server = TestServer::start(&Lake::default()).await;
    let browser = browser(&server).await;
    let running = "SELECT pid FROM system.queries WHERE state = 'running' AND query LIKE 'SELECT count%b.b%' AND protocol = 'http'";
    let endless =
        ENDLESS.replace("generate_series(1, 1000000) b", "generate_series(1, 1000000) b(b)").replace("b %", "b.b %");
    for by_button in [true, false] {
        let mut stream = browser.begin(&endless).await;
        let pid = loop {
            if let Some(pid) = server.column(running).await.pop() {
                break pid;
            }
        };
        if by_button {
            let answer = browser.query(&format!("SELECT pg_cancel_backend({pid})")).await;
            assert_eq!(answer.rows(), [[Some("t".to_owned())]]);
            let mut told = String::new();
            stream.read_to_string(&mut told).await.unwrap();
            assert!(told.contains("57014"), "{told}");
        } else {
            drop(stream);
        }
        while !server.column(running).await.is_empty() {}
        let sessions = format!("SELECT count(*) FROM pg_stat_activity WHERE pid = {pid}");
        while server.value(&sessions).await != "0" {}
    }
    let ended = "SELECT DISTINCT state || sqlstate FROM system.queries WHERE query LIKE 'SELECT count%b.b%' AND protocol = 'http'";
    assert_eq!(server.column(ended).await, ["canceled57014"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_download_has_every_row() {
    let server = TestServer::start(&Lake::sample()).await;
    let browser = browser(&server).await;
    let sql = "SELECT n, station, time, CASE WHEN n % 3 = 0 THEN 'a, \"b\"' WHEN n % 3 = 1 THEN '' END AS c FROM weather.observations ORDER BY n";
    let answer = browser.download(sql, "csv").await;
    assert_eq!(answer.header("content-disposition"), Some("attachment; filename=\"query.csv\""));
    let client = server.client().await;
    let copied = client.copy_out(format!("COPY ({sql}) TO STDOUT WITH (FORMAT csv, HEADER)").as_str()).await.unwrap();
    let copied: Vec<Bytes> = futures::TryStreamExt::try_collect(copied).await.unwrap();
    assert_eq!(answer.text(), String::from_utf8(copied.concat()).unwrap());
    let answer = browser.download("SELECT * FROM generate_series(1, 300000) AS t(n)", "parquet").await;
    assert!(answer.is_whole);
    let reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(answer.body)).unwrap();
    assert_eq!(reader.metadata().file_metadata().num_rows(), 300_000);
    assert_eq!(reader.schema().field(0).name(), "n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_download_that_fails_is_no_file() {
    let server = TestServer::start(&Lake::default()).await;
    let browser = browser(&server).await;
    for (sql, format, state_wanted) in [
        ("SELECT * FROM nowhere", "csv", "42P01"),
        ("SELECT 1; SELECT 2", "csv", "42601"),
        ("SELECT 1", "xlsx", "22023"),
        ("SET TimeZone = 'UTC'", "csv", "0A000"),
        ("SHOW TimeZone", "parquet", "0A000"),
        ("SELECT 1 AS a, 2 AS a", "parquet", "42701"),
    ] {
        let answer = browser.download(sql, format).await;
        assert_eq!(state(&answer), state_wanted, "{sql}");
        assert_eq!(answer.header("content-disposition"), None);
    }
    let sql = "SELECT 1000000 / (a - 900000) AS x FROM generate_series(1, 1000000) AS t(a)";
    for format in ["csv", "parquet"] {
        let answer = browser.download(sql, format).await;
        assert!(answer.status != 200 || !answer.is_whole, "a broken download looks whole");
    }
    let other = Browser { token: "AAAA".to_owned(), ..browser };
    assert_eq!(other.download("SELECT 1", "csv").await.status, 403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_has_as_many_sessions_as_it_may() {
    let server = with_roles(&Lake::default()).await;
    let reader = Browser::login(server.server.http_addr(), "reader", PASSWORD).await;
    let mut streams = Vec::new();
    for _ in 0..3 {
        streams.push(reader.begin(ENDLESS).await);
    }
    let admin = Browser::login(reader.addr, "admin", PASSWORD).await;
    let running = "SELECT count(*) FROM system.queries WHERE state = 'running' AND role = 'reader'";
    while admin.query(running).await.rows() != [[Some("3".to_owned())]] {}
    let answer = reader.query("SELECT 1").await;
    assert_eq!((answer.status, state(&answer).as_str()), (503, "53300"));
    drop(streams);
    while reader.query("SELECT 1").await.status != 200 {}
}
