//! Views that are older than whoever asks accepts: each view and each session says what is answered then, it is decided when a
//! statement runs, and what one server has refreshed is fresh on all.

use std::time::Duration;

use lakegate_tests::{TestServer, flight};

use super::Place;
use crate::write::{ok, refused, rows};

const TOO_OLD: &str = "55000 materialized view \"m\" is older than is accepted";

async fn with_two_rows(options: &str) -> Place {
    let mut place = Place::new(&[("s/t/a.csv", "k,v\na,1\n")]).await;
    place.view("m", options, "SELECT k, v FROM s.t").await;
    place.lake.write("s/t/b.csv", "k,v\nb,20\n");
    place.server.refresh().await;
    place
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_view_that_is_too_old_is_served_refused_or_computed() {
    let mut place = with_two_rows("max_staleness = '0 s'").await;
    assert_eq!(rows(&mut place.client, "SELECT k, v FROM m").await, ["a|1"], "serve is the default");
    place.ok("CREATE VIEW over AS SELECT k FROM m WHERE v > 5").await;
    place.ok("ALTER MATERIALIZED VIEW m SET (on_stale = 'error')").await;
    let answer = place.client.query("SELECT k FROM over").await;
    let fault = answer.fault.unwrap();
    assert_eq!(format!("{} {}", fault.state, fault.message), TOO_OLD);
    let detail = fault.detail.unwrap();
    assert!(
        detail.starts_with("Its rows are of ") && detail.ends_with(" seconds ago; 0 seconds are accepted."),
        "{detail}"
    );
    assert_eq!(fault.hint.unwrap(), "Use the REFRESH MATERIALIZED VIEW command.");
    // The catalogs tell its columns all the same, and other views are made of its rows as they are.
    let columns = "SELECT column_name FROM information_schema.columns WHERE table_name IN ('m', 'over') ORDER BY 1";
    assert_eq!(rows(&mut place.client, columns).await, ["k", "k", "v"]);
    place.ok("CREATE MATERIALIZED VIEW above AS SELECT k FROM m").await;
    assert_eq!(rows(&mut place.client, "SELECT k FROM above").await, ["a"]);
    place.ok("ALTER MATERIALIZED VIEW m SET (on_stale = 'base')").await;
    assert_eq!(rows(&mut place.client, "SELECT k, v FROM m ORDER BY k").await, ["a|1", "b|20"]);
    for (sql, expected) in [
        ("SELECT count(*) FROM m", "2"),
        ("SELECT k FROM m WHERE v BETWEEN 5 AND 50", "b"),
        ("SELECT v FROM m WHERE upper(k) = 'B'", "20"),
        ("SELECT k FROM over", "b"),
        ("SELECT count(*) FROM m AS one JOIN m AS other USING (k) WHERE one.v = 20", "1"),
        ("SELECT sum(v) FROM m WHERE k IN (SELECT k FROM over) LIMIT 1", "20"),
    ] {
        assert_eq!(rows(&mut place.client, sql).await, [expected], "{sql}");
    }
    // A refresh of another view is of the rows that are there.
    place.ok("REFRESH MATERIALIZED VIEW above").await;
    assert_eq!(rows(&mut place.client, "SELECT k FROM above").await, ["a"]);
    let status = "SELECT max_staleness, on_stale FROM system.matview_status WHERE name = 'm'";
    assert_eq!(rows(&mut place.client, status).await, ["00:00:00|base"]);
    // Without a limit it is never too old.
    place.ok("ALTER MATERIALIZED VIEW m SET (max_staleness = 'none')").await;
    assert_eq!(rows(&mut place.client, "SELECT k, v FROM m").await, ["a|1"]);
}

/// Whatever the session's zone and order of dates are, the rows are those that a refresh would make.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_view_that_is_computed_has_the_rows_and_the_types_that_it_would_keep() {
    let head = "i,f,t,d,ts,tz,b\n";
    let row =
        |n: u32| format!("{n},{n}.5,t{n},2026-01-0{n},2026-01-0{n} 0{n}:00:00.25,2026-01-0{n} 20:30:00+00:00,true\n");
    let mut place = Place::new(&[]).await;
    place.lake.write("s/t/a.csv", format!("{head}{}", row(1)));
    let query = "SELECT i, i::smallint AS small, i::numeric(12,3) AS n, f, t, t::varchar(2) AS short, d::date AS d,
                        ts::timestamp AS ts, tz::timestamptz AS tz, b, tz::timestamptz::date AS day,
                        to_char(tz::timestamptz, 'YYYY-MM-DD HH24:MI TZ') AS shown, tz::timestamptz::text AS text,
                        date_trunc('day', tz::timestamptz) AS began, extract(hour from tz::timestamptz)::int AS hour,
                        '01/02/2026'::date AS given, sum(i) OVER ()::bigint AS s
                 FROM s.t";
    place.view("m", "max_staleness = '1 hour', on_stale = 'base'", query).await;
    place.lake.write("s/t/b.csv", format!("{head}{}", row(2)));
    place.server.refresh().await;
    place.ok("SET TimeZone = 'Asia/Tokyo'; SET DateStyle = 'German, DMY'").await;
    let all =
        "SELECT m.*, pg_typeof(i), pg_typeof(n), pg_typeof(short), pg_typeof(tz), pg_typeof(began) FROM m ORDER BY i";
    let kept = rows(&mut place.client, all).await;
    place.ok("SET lakegate.max_staleness = 0").await;
    let computed = place.client.query(all).await;
    assert_eq!(computed.state(), "00000", "{:?}", computed.fault);
    assert_eq!((kept.len(), computed.texts().len()), (1, 2));
    let computed = rows(&mut place.client, all).await;
    place.ok("REFRESH MATERIALIZED VIEW m; RESET lakegate.max_staleness").await;
    assert_eq!(rows(&mut place.client, all).await, computed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_asks_for_fresher_rows_and_a_prepared_statement_is_decided_when_it_runs() {
    let mut place = with_two_rows("").await;
    place.ok("PREPARE p AS SELECT k FROM m ORDER BY k").await;
    assert_eq!(rows(&mut place.client, "EXECUTE p").await, ["a"]);
    place.ok("SET lakegate.max_staleness = '0s'").await;
    assert_eq!(rows(&mut place.client, "EXECUTE p").await, ["a"], "the view serves what is there");
    place.ok("SET lakegate.on_stale = error").await;
    assert_eq!(refused(&mut place.client, "EXECUTE p").await, TOO_OLD);
    place.ok("SET lakegate.on_stale = base").await;
    assert_eq!(rows(&mut place.client, "EXECUTE p").await, ["a", "b"]);
    place.ok("SET lakegate.max_staleness = '1h'").await;
    assert_eq!(rows(&mut place.client, "EXECUTE p").await, ["a"], "it is not as old as that");
    place.ok("ALTER MATERIALIZED VIEW m SET (max_staleness = '0 s', on_stale = 'error')").await;
    assert_eq!(rows(&mut place.client, "EXECUTE p").await, ["a", "b"], "a session does not make it older");
    place.ok("RESET lakegate.on_stale").await;
    assert_eq!(refused(&mut place.client, "EXECUTE p").await, TOO_OLD);
    let mut client = flight::Client::login(place.server.server.flight_addr()).await;
    let status = client.query("SELECT k FROM m").await.unwrap_err();
    assert_eq!(flight::state(&status), "55000");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_is_over_when_the_view_comes_to_be_too_old() {
    let mut place = with_two_rows("max_staleness = '1 s', on_stale = 'base'").await;
    place.ok("REFRESH MATERIALIZED VIEW m").await;
    place.lake.write("s/t/c.csv", "k,v\nc,300\n");
    place.server.refresh().await;
    place.ok("PREPARE p AS SELECT count(*) FROM m").await;
    let waiting = async {
        let mut tick = tokio::time::interval(Duration::from_millis(50));
        while rows(&mut place.client, "EXECUTE p").await != ["3"] {
            tick.tick().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), waiting).await.unwrap();
}

/// Makes the last refresh of a view two hours older, as its log tells.
fn age(place: &Place, view: &str) {
    let folder = place.lake.path().join(format!("public/{view}/_delta_log"));
    let mut commits: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    commits.sort();
    let newest = commits.into_iter().rfind(|path| path.extension().is_some_and(|end| end == "json")).unwrap();
    let text = std::fs::read_to_string(&newest).unwrap();
    let (before, behind) = text.split_once("/listed\",\"version\":").unwrap();
    let end = behind.find(|digit: char| !digit.is_ascii_digit()).unwrap();
    let millis: i64 = behind[..end].parse().unwrap();
    let older = format!("{before}/listed\",\"version\":{}{}", millis - 7_200_000, &behind[end..]);
    std::fs::write(newest, older).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_server_has_refreshed_is_fresh_on_all() {
    let mut place = Place::new(&[("s/t/a.csv", "k,v\na,1\n")]).await;
    let options = "max_staleness = '1 hour', on_stale = 'error'";
    place.view("m", options, "SELECT k, v FROM s.t").await;
    place.ok(&super::creation("timed", options, "SELECT k, now() AS at FROM s.t")).await;
    age(&place, "m");
    age(&place, "timed");
    let other = TestServer::writable(&place.lake).await;
    let mut client = other.wire().await;
    // Its file is as it was; of what changes by itself that says nothing.
    assert_eq!(rows(&mut client, "SELECT k FROM m").await, ["a"]);
    assert!(refused(&mut client, "SELECT k FROM timed").await.starts_with("55000"));
    let staleness = "SELECT staleness > interval '1 hour' FROM system.matview_status WHERE name = 'm'";
    assert_eq!(rows(&mut client, staleness).await, ["t"]);
    place.lake.write("s/t/b.csv", "k,v\nb,20\n");
    other.refresh().await;
    assert_eq!(refused(&mut client, "SELECT k FROM m").await, TOO_OLD);
    place.ok("REFRESH MATERIALIZED VIEW m").await;
    other.refresh().await;
    assert_eq!(rows(&mut client, "SELECT k FROM m ORDER BY k").await, ["a", "b"]);
    assert_eq!(rows(&mut client, staleness).await, ["f"]);
    ok(&mut client, "SET lakegate.max_staleness = 0").await;
    assert_eq!(refused(&mut client, "SELECT k FROM m").await, TOO_OLD);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn options_of_staleness_are_kept_and_wrong_ones_say_what_there_is() {
    let mut place = Place::new(&[("s/t.csv", "k,v\na,1\n")]).await;
    for (options, message, hint) in [
        ("on_stale = 'wait'", "invalid value for parameter \"on_stale\": \"wait\"", "There are serve, error, base."),
        (
            "max_staleness = '10'",
            "invalid value for parameter \"max_staleness\": \"10\"",
            "It is a span of time, as in '10 minutes', or none.",
        ),
        (
            "staleness = '1 s'",
            "unrecognized parameter \"staleness\"",
            "There are refresh, refresh_policy, partition_by, max_staleness, on_stale and suspended.",
        ),
    ] {
        let sql = super::creation("m", options, "SELECT k FROM s.t");
        let fault = place.client.query(&sql).await.fault.unwrap();
        assert_eq!((fault.state.as_str(), fault.message.as_str()), ("22023", message));
        assert_eq!(fault.hint.as_deref(), Some(hint));
    }
    place.view("m", "max_staleness = '90 min', on_stale = base", "SELECT k FROM s.t").await;
    // Another server reads them from where they are kept.
    let other = TestServer::writable(&place.lake).await;
    let status = "SELECT max_staleness, on_stale FROM system.matview_status";
    assert_eq!(rows(&mut other.wire().await, status).await, ["01:30:00|base"]);
}
