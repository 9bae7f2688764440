//! Refreshes that nobody asks for: each kind of schedule makes the rows anew by itself, and a view that fails keeps those it has.

use std::time::Duration;

use super::Place;
use crate::write::{ok, refused, rows};

const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until a query has this row.
pub(super) async fn becomes(place: &mut Place, sql: &str, expected: &str) {
    let mut found = Vec::new();
    let waiting = async {
        let mut tick = tokio::time::interval(Duration::from_millis(50));
        while found != [expected] {
            tick.tick().await;
            found = rows(&mut place.client, sql).await;
        }
    };
    let is_done = tokio::time::timeout(PATIENCE, waiting).await.is_ok();
    assert!(is_done, "{sql} is not {expected} but {found:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn views_are_refreshed_by_the_clock_and_when_files_or_views_below_change() {
    let mut place = Place::new(&[("s/t/a.csv", "k,v\na,1\n")]).await;
    let sum = "SELECT sum(v)::bigint AS v FROM s.t";
    place.view("by_interval", "refresh = 'every 1 second'", sum).await;
    place.view("by_clock", "refresh = 'cron * * * * * *'", sum).await;
    place.view("on_change", "refresh = 'on_change'", sum).await;
    place.view("after_a_while", "refresh = 'on_change debounce 1 s'", sum).await;
    place.view("above", "refresh = 'downstream'", "SELECT v + 1 AS v FROM on_change").await;
    place.view("by_hand", "", sum).await;
    place.lake.write("s/t/b.csv", "k,v\nb,20\n");
    place.server.refresh().await;
    for view in ["by_interval", "by_clock", "on_change", "after_a_while"] {
        becomes(&mut place, &format!("SELECT v FROM {view}"), "21").await;
        let sql = format!(
            "SELECT DISTINCT asked_by FROM system.matview_refreshes
             WHERE name = '{view}' AND outcome = 'refreshed' AND objects_added = 1 AND bytes_read > 12"
        );
        becomes(&mut place, &sql, "job").await;
    }
    becomes(&mut place, "SELECT v FROM above", "22").await;
    assert_eq!(rows(&mut place.client, "SELECT v FROM by_hand").await, ["1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_fails_rests_and_one_that_is_suspended_does_nothing() {
    let mut place = Place::new(&[("s/t/a.csv", "k,v\na,1\n"), ("s/u/a.csv", "k,v\na,1\n")]).await;
    place.view("failing", "refresh = 'every 1 second'", "SELECT k, 10 / v AS v FROM s.t").await;
    place.view("resting", "refresh = 'every 1 second'", "SELECT k, v FROM s.u").await;
    ok(&mut place.client, "ALTER MATERIALIZED VIEW resting SUSPEND").await;
    place.lake.write("s/t/a.csv", "k,v\na,0\n");
    place.lake.write("s/u/b.csv", "k,v\nb,2\n");
    place.server.refresh().await;
    let status = "SELECT failures, last_error FROM system.matview_status WHERE name = 'failing'";
    becomes(&mut place, status, "1|division by zero (22012)").await;
    assert_eq!(rows(&mut place.client, "SELECT v FROM failing").await, ["10"], "it keeps its rows");
    assert_eq!(rows(&mut place.client, "SELECT v FROM resting").await, ["1"]);
    ok(&mut place.client, "ALTER MATERIALIZED VIEW resting RESUME").await;
    becomes(&mut place, "SELECT sum(v) FROM resting", "3").await;
    // Over the same files it is not begun again, whatever else changes.
    let attempts =
        "SELECT outcome, count(*) FROM system.matview_refreshes WHERE name = 'failing' GROUP BY 1 ORDER BY 1";
    assert_eq!(rows(&mut place.client, attempts).await, ["failed|1", "refreshed|1"]);
    assert_eq!(rows(&mut place.client, status).await, ["1|division by zero (22012)"]);
    assert!(refused(&mut place.client, "REFRESH MATERIALIZED VIEW failing").await.starts_with("22012"));
    // Once they are mended it is.
    place.lake.write("s/t/a.csv", "k,v\na,5\n");
    place.server.refresh().await;
    becomes(&mut place, "SELECT v FROM failing", "2").await;
    becomes(&mut place, "SELECT failures FROM system.matview_status WHERE name = 'failing'", "0").await;
}
