//! What could make rows wrong without anybody seeing it: keys that are not what they seem, and changes that no file shows.

use super::Place;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_gives_null_a_value_has_its_partition() {
    let mut place = Place::new(&[("s/t/a.csv", "k,v\na,1\n"), ("s/t/b.csv", "k,v\n,2\n")]).await;
    let query = "SELECT coalesce(k, 'none') AS p, count(*) AS n, sum(v)::bigint AS v FROM s.t GROUP BY 1";
    place.view("c", "partition_by = 'p'", query).await;
    let nulls = "SELECT k IS NULL AS p, count(*) AS n FROM s.t GROUP BY 1";
    place.view("n", "partition_by = 'p'", nulls).await;
    for text in ["k,v\n,2\n,3\n", "k,v\n,5\nnone,6\n", "k,v\nb,1\n,5\n", "k,v\nnone,6\n", "k,v\n"] {
        place.lake.write("s/t/b.csv", text);
        place.fresh("c", query).await;
        place.fresh("n", nulls).await;
    }
    place.lake.write("s/t/c.csv", "k,v\n,7\n");
    place.fresh("c", query).await;
    place.fresh("n", nulls).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_view_below_that_is_replaced_is_a_change() {
    let mut place = Place::new(&[("s/t.csv", "k,v\na,1\nb,20\n")]).await;
    place.ok("CREATE VIEW below AS SELECT k, v FROM s.t WHERE v > 0").await;
    place.view("m", "", "SELECT k, v FROM below").await;
    place.ok("CREATE OR REPLACE VIEW below AS SELECT k, v FROM s.t WHERE v > 5").await;
    place.fresh("m", "SELECT k, v FROM below").await;
    place.ok("CREATE OR REPLACE VIEW below AS SELECT k, v + 1 AS v FROM s.t").await;
    place.fresh("m", "SELECT k, v FROM below").await;
    assert_eq!(place.fresh("m", "SELECT k, v FROM below").await, "unchanged");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_value_that_a_wider_type_writes_otherwise_moves_to_its_partition() {
    let mut place = Place::new(&[("s/t/a.csv", "d,v\n2026-01-01,1\n"), ("s/t/b.csv", "d,v\n2026-01-02,2\n")]).await;
    let query = "SELECT d::text AS p, count(*) AS n, sum(v)::bigint AS v FROM s.t GROUP BY 1";
    place.view("m", "partition_by = 'p'", query).await;
    place.lake.write("s/t/c.csv", "d,v\n2026-01-03 10:00:00,3\n");
    place.fresh("m", query).await;
    place.lake.write("s/t/a.csv", "d,v\n2026-01-01,100\n");
    place.fresh("m", query).await;
    place.lake.remove("s/t/b.csv");
    place.fresh("m", query).await;
    place.lake.remove("s/t/c.csv");
    place.fresh("m", query).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_value_that_the_query_leaves_out_does_not_fail_a_refresh() {
    let mut place = Place::new(&[("s/t/a.csv", "k,v\n2026-01-01,1\n"), ("s/t/b.csv", "k,v\nbad,1\n")]).await;
    let query = "SELECT k::date AS p, count(*) AS n FROM s.t WHERE k <> 'bad' GROUP BY 1";
    place.view("m", "partition_by = 'p'", query).await;
    place.lake.write("s/t/c.csv", "k,v\n2026-01-02,1\n");
    place.fresh("m", query).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_with_a_subquery_is_made_as_a_whole() {
    let files = [("s/t/a.csv", "k,v\n1,1\n"), ("s/t/b.csv", "k,v\n2,1\n"), ("s/d.csv", "x\n10\n")];
    let mut place = Place::new(&files).await;
    let query = "SELECT k + (SELECT max(x) FROM s.d) AS p, count(*) AS n FROM s.t GROUP BY 1";
    place.view("m", "partition_by = 'p'", query).await;
    place.lake.write("s/t/c.csv", "k,v\n2,1\n");
    place.fresh("m", query).await;
    place.lake.write("s/d.csv", "x\n100\n");
    place.fresh("m", query).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_origin_of_bins_is_no_key_in_order() {
    let mut place = Place::new(&[
        ("s/t/a.csv", "o,v\n2026-01-01 00:00:00,1\n2026-01-01 20:00:00,1\n2026-01-02 00:00:00,1\n"),
        ("s/t/b.csv", "o,v\n2026-01-01 05:00:00,1\n"),
    ])
    .await;
    let query =
        "SELECT date_bin('1 day', timestamp '2026-05-05 12:00', o::timestamp) AS p, count(*) AS n FROM s.t GROUP BY 1";
    place.view("m", "partition_by = 'p'", query).await;
    place.lake.write("s/t/a.csv", "o,v\n2026-01-01 00:00:00,1\n2026-01-02 00:00:00,1\n");
    place.fresh("m", query).await;
    place.lake.remove("s/t/b.csv");
    place.fresh("m", query).await;
}

/// A view whose query tells of the time or the session is made as a whole each time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changes_by_itself_is_never_taken_for_unchanged() {
    let mut place = Place::new(&[("s/t.csv", "k,v\n2026-01-01 00:00:00,1\n")]).await;
    let mut wrong = Vec::new();
    for (at, expr) in [
        "now()",
        "current_date",
        "current_timestamp",
        "localtimestamp",
        "localtime",
        "current_time",
        "statement_timestamp()",
        "transaction_timestamp()",
        "clock_timestamp()",
        "random()",
        "gen_random_uuid()",
        "current_setting('TimeZone')",
        "age(k::timestamp)",
        "pg_backend_pid()",
        "'now'::timestamp",
        "'today'::date",
        "timestamp 'now'",
        "(SELECT now())",
        "coalesce(NULL, now())",
        "CASE WHEN v = 1 THEN now() END",
    ]
    .into_iter()
    .enumerate()
    {
        let sql = format!("CREATE MATERIALIZED VIEW m{at} AS SELECT v, {expr} AS c FROM s.t");
        let answer = place.client.query(&sql).await;
        if answer.state() != "00000" {
            // A function without a value of its own, or a type that a table cannot have.
            assert!(["42P17", "0A000"].contains(&answer.state()), "{expr}: {:?}", answer.fault);
            continue;
        }
        place.ok(&format!("REFRESH MATERIALIZED VIEW m{at}")).await;
        let how = super::how(&mut place.client, &format!("m{at}")).await;
        if how == "unchanged" {
            wrong.push(expr);
        }
    }
    assert_eq!(wrong, Vec::<&str>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn partitions_of_every_type_are_replaced() {
    let row = |n: u32, v: u32| {
        format!(
            "{n},{}.5,t{n},2026-01-0{n},2026-01-01 0{n}:00:00.25,2026-01-01 0{n}:00:00+02:00,{},{v}\n",
            n,
            n.is_multiple_of(2)
        )
    };
    const HEAD: &str = "i,f,t,d,ts,tz,b,v\n";
    let file = |ns: &[u32], v: u32| format!("{HEAD}{}", ns.iter().map(|n| row(*n, v)).collect::<String>());
    let mut place = Place::new(&[]).await;
    place.lake.write("s/t/a.csv", file(&[1], 1));
    place.lake.write("s/t/b.csv", file(&[2], 1));
    place.lake.write("s/t/c.csv", format!("{HEAD},,,,,,,7\n"));
    place.lake.write("s/t/d.csv", file(&[1, 2, 3], 1));
    let keys = [
        "i",
        "i::smallint",
        "i::numeric(10,2)",
        "f::numeric(10,1)",
        "t",
        "t::varchar(10)",
        "d::date",
        "ts::timestamp",
        "tz::timestamptz",
        "b::boolean",
        "i::int",
        "date_trunc('hour', ts::timestamp)",
        "date_trunc('hour', tz::timestamptz)",
        "extract(year from d::date)::int",
        "upper(t)",
    ];
    let queries: Vec<String> = keys
        .iter()
        .map(|key| format!("SELECT {key} AS p, count(*) AS n, sum(v)::bigint AS v FROM s.t GROUP BY 1"))
        .collect();
    for (at, query) in queries.iter().enumerate() {
        place.view(&format!("m{at}"), "partition_by = 'p'", query).await;
    }
    for step in 0..4 {
        match step {
            0 => drop(place.lake.write("s/t/a.csv", file(&[1], 50))),
            1 => drop(place.lake.write("s/t/b.csv", file(&[3], 60))),
            2 => drop(place.lake.write("s/t/c.csv", format!("{HEAD},,,,,,,8\n,,,,,,,9\n"))),
            _ => place.lake.remove("s/t/d.csv"),
        }
        for (at, query) in queries.iter().enumerate() {
            let how = place.fresh(&format!("m{at}"), query).await;
            assert!(how.starts_with("refreshed P"), "{}: {how}", keys[at]);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn texts_of_all_kinds_are_partitions() {
    let texts = [
        "a",
        "ä ö",
        "a/b",
        "a=b",
        "50%",
        "%2F",
        "it''s",
        "\"\"\"q\"\"\"",
        " ",
        "a,b",
        "#?&+",
        "null",
        "NULL",
        "..",
        "__HIVE_DEFAULT_PARTITION__",
    ];
    let mut place = Place::new(&[]).await;
    for (at, text) in texts.iter().enumerate() {
        let quoted = if text.contains('"') { (*text).to_owned() } else { format!("\"{text}\"") };
        place.lake.write(&format!("s/t/f{at:02}.csv"), format!("k,v\n{quoted},{at}\n"));
    }
    let query = "SELECT k AS p, count(*) AS n, sum(v)::bigint AS v FROM s.t GROUP BY 1";
    place.view("m", "partition_by = 'p'", query).await;
    for (at, text) in texts.iter().enumerate() {
        let quoted = if text.contains('"') { (*text).to_owned() } else { format!("\"{text}\"") };
        place.lake.write(&format!("s/t/f{at:02}.csv"), format!("k,v\n{quoted},{at}\n{quoted},100\n"));
        let how = place.fresh("m", query).await;
        assert_eq!(how, "refreshed P", "{text}");
    }
}

/// Delta writes a text without letters as NULL where it is of a partition: such a view is refused, and leaves nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_text_is_no_partition() {
    let mut place = Place::new(&[("s/t/a.csv", "k,v\na,1\n"), ("s/t/b.csv", "k,v\nb,2\n")]).await;
    let query = "SELECT replace(k, 'b', '') AS p, count(*) AS n FROM s.t GROUP BY 1";
    let create = format!("CREATE MATERIALIZED VIEW m WITH (partition_by = 'p') AS {query}");
    let message = "0A000 an empty string in partition column \"p\" cannot be told from null";
    assert_eq!(crate::write::refused(&mut place.client, &create).await, message);
    // Nothing of it stays.
    assert!(crate::write::refused(&mut place.client, "SELECT * FROM m").await.starts_with("42P01"));
    assert!(!place.lake.keys().iter().any(|key| key.starts_with("public/m/") && key.ends_with(".parquet")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delta_table_is_a_source_of_which_rows_are_deleted() {
    let mut place = Place::new(&[]).await;
    place.ok("CREATE TABLE t (day date, k text, v int) WITH (partition_by = 'day')").await;
    place.ok("INSERT INTO t SELECT date '2026-01-01' + n % 5, 'k' || n % 3, n FROM generate_series(1, 60) s(n)").await;
    let views = [
        ("a", "", "SELECT k, v * 2 AS w FROM t WHERE v > 3"),
        ("p", "partition_by = 'day'", "SELECT day, count(DISTINCT k) AS n, sum(v)::bigint AS v FROM t GROUP BY day"),
        ("w", "partition_by = 'day'", "SELECT day, v, row_number() OVER (PARTITION BY day ORDER BY v) AS r FROM t"),
        ("k", "partition_by = 'k'", "SELECT k, max(v) AS v, count(*) AS n FROM t GROUP BY k"),
    ];
    for (name, options, query) in views {
        place.view(name, options, query).await;
    }
    place.view("above", "partition_by = 'day'", "SELECT day, sum(n)::bigint AS n FROM p GROUP BY day").await;
    for change in [
        "DELETE FROM t WHERE v % 7 = 0",
        "UPDATE t SET day = day + 1 WHERE v % 5 = 0",
        "INSERT INTO t VALUES (NULL, NULL, 1000), (date '2026-01-01', 'k0', 1001)",
        "DELETE FROM t WHERE day = date '2026-01-02'",
        "UPDATE t SET k = NULL WHERE v < 20",
        "DELETE FROM t WHERE day IS NULL",
        "ALTER TABLE t ADD COLUMN extra int",
        "TRUNCATE t",
        "INSERT INTO t (day, k, v) VALUES (date '2026-01-01', 'k0', 1)",
    ] {
        place.ok(change).await;
        for (name, _, query) in views {
            place.fresh(name, query).await;
        }
        place.fresh("above", "SELECT day, sum(n)::bigint AS n FROM p GROUP BY day").await;
    }
    place.ok("DROP TABLE t CASCADE").await;
    assert_eq!(place.server.value("SELECT count(*) FROM pg_matviews").await, "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_column_that_is_declared_at_another_place_is_read_anew() {
    let mut place = Place::new(&[("raw/t.csv", "1,2\n3,4\n")]).await;
    let table = |columns: &str| {
        format!("CREATE EXTERNAL TABLE ext ({columns}) STORED AS CSV LOCATION 'raw/t.csv' OPTIONS (header 'false')")
    };
    place.ok(&table("a INT, b INT")).await;
    place.view("m", "", "SELECT a FROM ext").await;
    place.ok("CREATE VIEW keep AS SELECT 1 AS one").await;
    let dropped = place.client.query("DROP TABLE ext").await;
    assert_eq!(dropped.state(), "2BP01");
    let replaced =
        place.client.query(&table("b INT, a INT").replace("CREATE EXTERNAL", "CREATE OR REPLACE EXTERNAL")).await;
    assert_eq!(replaced.state(), "00000", "{:?}", replaced.fault);
    place.fresh("m", "SELECT a FROM ext").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_moves_to_another_folder_is_in_its_partition() {
    let mut place = Place::new(&[
        ("s/t/day=2026-01-01/a.csv", "k,v\na,1\n"),
        ("s/t/day=2026-01-02/b.csv", "k,v\nb,1\n"),
        ("s/t/day=__HIVE_DEFAULT_PARTITION__/c.csv", "k,v\nc,1\n"),
    ])
    .await;
    let query = "SELECT day AS p, count(DISTINCT k) AS n, sum(v)::bigint AS v FROM s.t GROUP BY 1";
    place.view("m", "partition_by = 'p'", query).await;
    let linear = "SELECT day, k FROM s.t";
    place.view("l", "", linear).await;
    let moved = |place: &Place, from: &str, to: &str| {
        let text = std::fs::read(place.lake.path().join(from)).unwrap();
        place.lake.write(to, text);
        place.lake.remove(from);
    };
    for (from, to) in [
        ("s/t/day=2026-01-01/a.csv", "s/t/day=2026-01-02/a.csv"),
        ("s/t/day=__HIVE_DEFAULT_PARTITION__/c.csv", "s/t/day=2026-01-03/c.csv"),
        ("s/t/day=2026-01-02/b.csv", "s/t/day=__HIVE_DEFAULT_PARTITION__/b.csv"),
        ("s/t/day=2026-01-03/c.csv", "s/t/day=soon/c.csv"),
    ] {
        moved(&place, from, to);
        for (name, query) in [("m", query), ("l", linear)] {
            let answer = place.client.query(&format!("REFRESH MATERIALIZED VIEW {name}")).await;
            if to.contains("soon") {
                // The folders are texts now; the view keeps its rows.
                assert_eq!(answer.state(), "42P16");
                continue;
            }
            assert_eq!(answer.state(), "00000", "{to}: {:?}", answer.fault);
            super::same(&mut place.client, name, query, to).await;
        }
    }
}

/// Rows that another writer has put into the table of a view, or taken out of it, are made good.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_writer_does_to_the_rows_does_not_stay() {
    let mut place = Place::new(&[("s/t/a.csv", "k,v\na,1\n"), ("s/t/b.csv", "k,v\nb,2\n")]).await;
    let queries = [
        ("a", "", "SELECT k, v FROM s.t"),
        ("p", "partition_by = 'k'", "SELECT k, count(*) AS n FROM s.t GROUP BY k"),
        ("f", "", "SELECT count(*) AS n FROM s.t"),
    ];
    for (name, options, query) in queries {
        place.view(name, options, query).await;
        // The last file goes, as another engine would take it away.
        let log = format!("public/{name}/_delta_log/00000000000000000000.json");
        let first = std::fs::read_to_string(place.lake.path().join(&log)).unwrap();
        let added = first.lines().filter_map(|line| line.split_once("{\"add\":{\"path\":\"")).next_back().unwrap().1;
        let path = added.split('"').next().unwrap();
        let remove = format!("{{\"remove\":{{\"path\":\"{path}\",\"dataChange\":true}}}}\n");
        place.lake.write(&log.replace("0.json", "1.json"), remove);
        let how = place.fresh(name, query).await;
        assert!(how.ends_with("another writer has changed its table"), "{name}: {how}");
        assert_eq!(place.fresh(name, query).await, "unchanged");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_view_that_is_dropped_leaves_nothing_to_the_next_of_its_name() {
    let mut place = Place::new(&[("s/t.csv", "k,v\na,1\nb,20\n")]).await;
    place.view("m", "", "SELECT k FROM s.t").await;
    place.ok("REFRESH MATERIALIZED VIEW m FULL").await;
    place.ok("DROP MATERIALIZED VIEW m").await;
    place.view("m", "", "SELECT v FROM s.t").await;
    assert_eq!(place.server.value("SELECT count(*) FROM system.matview_refreshes").await, "1");
    assert_eq!(place.fresh("m", "SELECT v FROM s.t").await, "unchanged");
}
