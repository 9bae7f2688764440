//! The demo lake: what it holds, that it is the same each time, and that all of it can be read.

use std::time::Duration;

use lakegate_tests::{Lake, TestServer, server};

/// Enough rows for every panel, few enough for a debug build.
const ROWS: usize = 2000;

/// A demo lake.
pub(crate) fn small() -> Lake {
    let lake = Lake::default();
    gateway::demo::write(lake.path(), ROWS).unwrap();
    lake
}

async fn demo_server(lake: &Lake) -> TestServer {
    let mut config = server::config(lake);
    config.sql_dir = crate::tidy::root().join("sql");
    TestServer::with(config).await.keeping(lake)
}

#[test]
fn the_same_rows_are_written_each_time() {
    let (one, two) = (small(), small());
    assert_eq!(one.keys(), two.keys());
    for key in one.keys() {
        let read = |lake: &Lake| std::fs::read(lake.path().join(&key)).unwrap();
        assert!(read(&one) == read(&two), "{key} differs");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_table_and_view_can_be_read() {
    let lake = small();
    let server = demo_server(&lake).await;
    let listed = "SELECT quote_ident(table_schema) || '.' || quote_ident(table_name) FROM information_schema.tables \
                  WHERE table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1";
    let tables = server.column(listed).await;
    assert!(tables.len() >= 8, "{tables:?}");
    for domain in ["climate.", "weather.", "transactions."] {
        assert!(tables.iter().any(|table| table.starts_with(domain)), "nothing in {domain}: {tables:?}");
    }
    let mut client = server.wire().await;
    let mut wrong = Vec::new();
    for table in tables {
        for sql in [format!("SELECT count(*) FROM {table}"), format!("SELECT * FROM {table} LIMIT 100")] {
            let answer = client.query(&sql).await;
            if answer.state() != "00000" {
                wrong.push(format!("{sql}: {:?}", answer.fault));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Asks until the answer is `true`.
async fn comes_true(server: &TestServer, sql: &str) {
    let waiting = async {
        let mut tick = tokio::time::interval(Duration::from_millis(50));
        while server.value(sql).await != "t" {
            tick.tick().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), waiting).await.expect("it never comes true");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_file_comes_into_the_materialized_views_by_itself() {
    let lake = small();
    let mut config = server::config_writable(&lake);
    config.lake.poll_interval_ms = 100;
    config.sql_dir = crate::tidy::root().join("sql");
    let server = TestServer::with(config).await.keeping(&lake);
    let populated = "SELECT bool_and(ispopulated) AND count(*) = 4 FROM pg_matviews";
    comes_true(&server, populated).await;
    let same = "SELECT (SELECT sum(rain) FROM weather.daily) = (SELECT sum(rain) FROM weather.observations) \
                AND (SELECT sum(observations) FROM weather.daily) = (SELECT count(*) FROM weather.observations)";
    comes_true(&server, same).await;
    let before = server.value("SELECT count(*) FROM weather.observations").await;
    let observed = lake.keys().into_iter().find(|key| key.starts_with("weather/observations/")).unwrap();
    let copy = observed.replace("part-0", "part-9");
    lake.write(&copy, std::fs::read(lake.path().join(&observed)).unwrap());
    comes_true(&server, &format!("SELECT count(*) > {before} FROM weather.observations")).await;
    comes_true(&server, same).await;
    // One department was read again, and no other.
    let story = "SELECT class || coalesce(reason, '') || ' +' || objects_added || ' ' || files_written \
                 FROM system.matview_refreshes WHERE name = 'hourly' AND outcome = 'refreshed' ORDER BY epoch";
    let story = server.column(story).await;
    assert_eq!(story.last().map(String::as_str), Some("P +1 1"), "{story:?}");
    let unlike = "SELECT count(*) FROM (SELECT \"Area\", \"Year\" FROM climate_analysis) AS a";
    assert!(server.value(unlike).await.parse::<u64>().unwrap() > 50);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_question_of_the_climate_dashboard_is_answered() {
    let lake = small();
    let server = demo_server(&lake).await;
    let sql = "SELECT \"Year\" as time, AVG(\"Temp_Change\") as value FROM climate_analysis \
               GROUP BY \"Year\" ORDER BY \"Year\" ASC";
    let answer = server.wire().await.query(sql).await;
    assert_eq!(answer.state(), "00000", "{:?}", answer.fault);
    let names: Vec<_> = answer.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["time", "value"]);
    assert!(answer.rows.len() > 50);
    assert!(answer.texts().is_sorted_by_key(|row| row[0].clone()));
}

/// The statements of `sql/examples/`, each with the comment above it.
fn examples() -> Vec<(String, String)> {
    let mut examples = Vec::new();
    for domain in ["climate", "transactions", "weather"] {
        let text = std::fs::read_to_string(crate::tidy::root().join(format!("sql/examples/{domain}.sql"))).unwrap();
        for statement in text.split_inclusive(";\n").filter(|statement| !statement.trim().is_empty()) {
            let (comment, sql) = statement.trim().split_once('\n').unwrap();
            assert!(comment.starts_with("-- ") && sql.ends_with(';'), "{statement}");
            examples.push((comment.to_owned(), sql.to_owned()));
        }
    }
    examples
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_examples_are_answered() {
    let lake = small();
    let mut config = server::config_writable(&lake);
    config.lake.poll_interval_ms = 100;
    config.sql_dir = crate::tidy::root().join("sql");
    let server = TestServer::with(config).await.keeping(&lake);
    comes_true(&server, "SELECT bool_and(ispopulated) AND count(*) = 4 FROM pg_matviews").await;
    let mut client = server.wire().await;
    let mut wrong = Vec::new();
    for (comment, sql) in examples() {
        let answer = client.query(&sql).await;
        // So small a demo has no observation in those six hours.
        let may_be_empty = comment.starts_with("-- Six hours");
        if answer.state() != "00000" || (answer.rows.is_empty() && !may_be_empty) {
            wrong.push(format!("{comment}: {} rows, {:?}", answer.rows.len(), answer.fault));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Answers of the examples' functions, held against the same in plain SQL.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn functions_of_the_examples_answer_as_plain_sql_does() {
    let lake = small();
    let server = demo_server(&lake).await;
    let mut client = server.wire().await;
    let mut wrong = Vec::new();
    for sql in [
        "SELECT count(*) > 100 AND bool_and(abs(a - b) < 1e-9) FROM (SELECT anomaly(temp, year) OVER () AS a, \
         temp - avg(temp) FILTER (WHERE year BETWEEN 1951 AND 1980) OVER () AS b FROM climate.global_temp) AS q",
        "SELECT abs(climate_normal(temp, year) - avg(temp) FILTER (WHERE year BETWEEN 1951 AND 1980)) < 1e-12 \
         FROM climate.global_temp",
        // The median of the slopes of all pairs.
        "SELECT abs((SELECT sens_slope(year, temp) FROM climate.global_temp) - percentile_cont(0.5) \
         WITHIN GROUP (ORDER BY (b.temp - a.temp) / (b.year - a.year)::double precision)) < 1e-12 \
         FROM climate.global_temp AS a JOIN climate.global_temp AS b ON b.year > a.year",
        "SELECT (SELECT mann_kendall_p(year, temp) < 0.001 AND sens_slope(year, temp) > 0 FROM climate.global_temp)",
        "SELECT count(*) = 36 AND bool_and(abs(a - b) < 1e-6) FROM (SELECT wind_speed(sum(wind_u(wind, wind_direction)), \
         sum(wind_v(wind, wind_direction))) / sum(wind) AS a, sqrt(sum(wind * sind(wind_direction)) ^ 2 \
         + sum(wind * cosd(wind_direction)) ^ 2) / sum(wind) AS b FROM weather.new_york_hourly \
         WHERE wind IS NOT NULL AND wind_direction IS NOT NULL GROUP BY station_id, date_trunc('month', observed_at)) AS q",
        // What the stations themselves say of dew point and humidity; a few hours were measured at different times.
        "SELECT count(*) > 20000 AND percentile_cont(0.5) WITHIN GROUP (ORDER BY \
         abs(dew_point((temp - 32) / 1.8, humid) - (dewp - 32) / 1.8)) < 0.01 \
         FROM weather.nyc_airports_hourly_2013 WHERE humid > 0",
    ] {
        let answer = client.query(sql).await;
        if answer.state() != "00000" || answer.text().as_deref() != Some("t") {
            wrong.push(format!("{sql}: {:?}, {:?}", answer.text(), answer.fault));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
