//! What statements ask for beside one refresh that they wait for: those of the views below, one by a job, or what would be made.

use super::Place;
use super::jobs::becomes;
use crate::write::{refused, rows};

/// The notices of a statement that succeeds, each up to the colon behind the view's name.
async fn told(place: &mut Place, sql: &str) -> Vec<String> {
    let answer = crate::write::ok(&mut place.client, sql).await;
    answer.notices.into_iter().map(|notice| notice.message).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_views_below_are_refreshed_first() {
    let mut place = Place::new(&[("s/t/a.csv", "k,v\na,1\n")]).await;
    place.view("z", "", "SELECT k, v FROM s.t").await;
    place.ok("CREATE VIEW plain AS WITH q AS (SELECT v FROM z) SELECT v + 1 AS v FROM q").await;
    place.view("b", "", "SELECT sum(v)::bigint AS v FROM plain").await;
    place.view("other", "", "SELECT v FROM s.t").await;
    place.view("a", "", "SELECT v, (SELECT count(*) FROM z) AS n FROM b").await;
    place.lake.write("s/t/b.csv", "k,v\nb,20\n");
    assert_eq!(told(&mut place, "REFRESH MATERIALIZED VIEW a").await.len(), 1);
    assert_eq!(rows(&mut place.client, "SELECT v, n FROM a").await, ["2|1"]);
    let order =
        |told: &[String]| told.iter().map(|told| told.split(':').next().unwrap().to_owned()).collect::<Vec<_>>();
    let notices = told(&mut place, "REFRESH MATERIALIZED VIEW a CASCADE").await;
    assert_eq!(order(&notices), [r#""public"."z""#, r#""public"."b""#, r#""public"."a""#], "{notices:?}");
    assert!(notices[0].starts_with(r#""public"."z": incremental (A): +1 ~0 -0 objects"#), "{notices:?}");
    assert_eq!(rows(&mut place.client, "SELECT v, n FROM a").await, ["23|2"]);
    assert_eq!(rows(&mut place.client, "SELECT v FROM other").await, ["1"]);
    // One without rows gets them.
    place.ok("REFRESH MATERIALIZED VIEW z WITH NO DATA").await;
    assert!(refused(&mut place.client, "REFRESH MATERIALIZED VIEW a").await.starts_with("55000"));
    let notices = told(&mut place, "REFRESH MATERIALIZED VIEW a FULL CASCADE").await;
    assert_eq!(order(&notices), [r#""public"."z""#, r#""public"."b""#, r#""public"."a""#], "{notices:?}");
    assert_eq!(rows(&mut place.client, "SELECT v, n FROM a").await, ["23|2"]);
    assert_eq!(told(&mut place, "REFRESH MATERIALIZED VIEW z CASCADE").await, ["no change: every file is as it was"]);
    let message = "0A000 CASCADE is not supported with WITH NO DATA";
    assert_eq!(refused(&mut place.client, "REFRESH MATERIALIZED VIEW a WITH NO DATA CASCADE").await, message);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_view_below_that_fails_is_named_and_ends_it() {
    let mut place = Place::new(&[("s/t/a.csv", "k,v\na,1\n")]).await;
    place.view("below", "", "SELECT k, 10 / v AS v FROM s.t").await;
    place.view("above", "", "SELECT v FROM below").await;
    place.lake.write("s/t/a.csv", "k,v\na,0\n");
    let fault = place.client.query("REFRESH MATERIALIZED VIEW above CASCADE").await.fault.unwrap();
    assert_eq!((fault.state.as_str(), fault.message.as_str()), ("22012", "division by zero"));
    assert_eq!(fault.detail.as_deref(), Some(r#"It is of materialized view "public"."below", which comes first."#));
    assert_eq!(rows(&mut place.client, "SELECT v FROM above").await, ["10"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_that_nobody_waits_for_is_done_by_a_job() {
    let mut place = Place::new(&[("s/t/a.csv", "k,v\na,1\n")]).await;
    place.view("below", "", "SELECT v FROM s.t").await;
    place.view("above", "suspended = true", "SELECT sum(v)::bigint AS v FROM below").await;
    place.lake.write("s/t/b.csv", "k,v\nb,20\n");
    let notices = told(&mut place, "REFRESH MATERIALIZED VIEW above CASCADE ASYNC").await;
    let message =
        r#"a job will refresh "public"."below", "public"."above"; system.matview_refreshes tells what it did"#;
    assert_eq!(notices, [message]);
    becomes(&mut place, "SELECT v FROM above", "21").await;
    let by = "SELECT DISTINCT asked_by FROM system.matview_refreshes";
    assert_eq!(rows(&mut place.client, by).await, ["lakegate"]);
    place.lake.write("s/t/b.csv", "k,v\nb,x\n");
    place.ok("REFRESH MATERIALIZED VIEW below FULL ASYNC").await;
    let failed = "SELECT count(*) FROM system.matview_refreshes WHERE name = 'below' AND outcome = 'failed'";
    becomes(&mut place, failed, "1").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_would_be_made_is_told_and_not_made() {
    let mut place = Place::new(&[("s/t/a.csv", "day,k,v\n2026-01-01,a,1\n"), ("s/u.csv", "k,w\na,2.5\n")]).await;
    let explained = async |place: &mut Place, sql: &str| rows(&mut place.client, &format!("EXPLAIN {sql}")).await;
    let sql = "CREATE MATERIALIZED VIEW m (d, n) WITH (partition_by = 'd', refresh = 'on_change') AS
               SELECT day, count(DISTINCT k) FROM s.t GROUP BY day WITH NO DATA";
    let expected = [
        r#"Create Materialized View "public"."m": incremental (P)"#,
        "  Columns: d date, n bigint",
        "  Partition By: d",
        "  Refresh: on_change",
        "  Read: 23 bytes",
        "    s.t: 1 files, 23 bytes",
        "  Partitions: by s.t.day",
    ];
    assert_eq!(explained(&mut place, sql).await, expected);
    let sql = "CREATE MATERIALIZED VIEW IF NOT EXISTS s.n AS SELECT k, w FROM s.t JOIN s.u USING (k)";
    let expected = [
        r#"Create Materialized View "s"."n": incremental (A)"#,
        "  Columns: k text, w double precision",
        "  Refresh: manual",
        "  Read: 33 bytes",
        "    s.t: 1 files, 23 bytes",
        "    s.u: 1 files, 10 bytes",
        "  Rows: by files of s.t",
    ];
    assert_eq!(explained(&mut place, sql).await, expected);
    let lines = explained(&mut place, "CREATE MATERIALIZED VIEW m AS SELECT max(v) AS v FROM s.t").await;
    assert_eq!(lines.last().unwrap(), "  Rows: of all files, since it aggregates, and there is no partition_by");
    for (sql, state) in [
        ("EXPLAIN CREATE MATERIALIZED VIEW m AS SELECT random() AS r FROM s.t", "42P17"),
        (
            "EXPLAIN CREATE MATERIALIZED VIEW m WITH (refresh_policy = 'incremental') AS SELECT max(v) AS v FROM s.t",
            "42P17",
        ),
        ("EXPLAIN CREATE MATERIALIZED VIEW m WITH (on_stale = 'x') AS SELECT v FROM s.t", "22023"),
        ("EXPLAIN CREATE MATERIALIZED VIEW s.t AS SELECT v FROM s.t", "42P07"),
        ("EXPLAIN ANALYZE CREATE MATERIALIZED VIEW m AS SELECT v FROM s.t", "0A000"),
    ] {
        assert!(refused(&mut place.client, sql).await.starts_with(state), "{sql}");
    }
    assert_eq!(rows(&mut place.client, "SELECT count(*) FROM pg_matviews").await, ["0"]);
    assert!(!place.lake.keys().iter().any(|key| key.contains("_delta_log")));
}

/// The lease of a server that is gone, which another waits for.
fn lease(place: &Place, is_released: bool) {
    let spoken =
        format!(r#"{{"holder":"another","process":"another","mark":"another","beat":0,"is_released":{is_released}}}"#);
    place.lake.write("_lakegate/matviews/public/m/lease/00000000000000000100.json", spoken);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn how_far_a_refresh_is_can_be_seen_while_it_runs() {
    let mut place = Place::new(&[("s/t/a.csv", "k,v\na,1\n")]).await;
    place.view("m", "", "SELECT k, v FROM s.t").await;
    let progress = "SELECT count(*) FROM system.matview_progress";
    assert_eq!(rows(&mut place.client, progress).await, ["0"]);
    place.lake.write("s/t/b.csv", "k,v\nb,20\n");
    lease(&place, false);
    let mut waiting = place.server.wire().await;
    let refreshing = tokio::spawn(async move { waiting.query("REFRESH MATERIALIZED VIEW m").await.state().to_owned() });
    let seen =
        "SELECT schema, name, epoch, phase, files_done, rows_written, started_at <= now() FROM system.matview_progress";
    becomes(&mut place, seen, "public|m|NULL|waiting for another server|0|0|t").await;
    lease(&place, true);
    assert_eq!(refreshing.await.unwrap(), "00000");
    assert_eq!(rows(&mut place.client, progress).await, ["0"]);
    assert_eq!(rows(&mut place.client, "SELECT epoch FROM system.matview_status").await, ["101"]);
}
