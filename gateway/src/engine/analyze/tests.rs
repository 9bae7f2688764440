//! Rules and plan nodes, run as the engine runs them.

use arrow::array::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::common::DataFusionError;
use datafusion::execution::SessionStateBuilder;
use datafusion::prelude::SessionContext;
use datafusion::scalar::ScalarValue;

use crate::error::Error;

fn context() -> SessionContext {
    let builder = SessionStateBuilder::new()
        .with_default_features()
        .with_analyzer_rules(super::rules())
        .with_query_planner(super::query_planner());
    SessionContext::new_with_state(builder.build())
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

async fn rows_in(context: &SessionContext, sql: &str) -> Result<Vec<String>, DataFusionError> {
    Ok(texts(&context.sql(sql).await?.collect().await?))
}

fn texts(batches: &[RecordBatch]) -> Vec<String> {
    let options = FormatOptions::default().with_null("NULL");
    let mut rows = Vec::new();
    for batch in batches {
        let columns: Vec<_> =
            batch.columns().iter().map(|column| ArrayFormatter::try_new(column, &options).unwrap()).collect();
        for row in 0..batch.num_rows() {
            rows.push(columns.iter().map(|column| column.value(row).to_string()).collect::<Vec<_>>().join("|"));
        }
    }
    rows
}

const TABLES: &[&str] = &[
    "CREATE TABLE s AS VALUES (1,'a'),(2,'b'),(3,'c'),(NULL,'d')",
    "CREATE TABLE o AS VALUES (1,10,'a'),(1,20,'a'),(2,5,'b'),(2,NULL,'b'),(4,7,'x')",
];

fn run(sql: &str) -> Result<Vec<String>, DataFusionError> {
    let sql = sql.to_owned();
    // Planning recurses on the stack of the caller, as on a planner's thread of the engine.
    std::thread::Builder::new()
        .stack_size(16 << 20)
        .spawn(move || {
            runtime().block_on(async {
                let context = context();
                for table in TABLES {
                    context.sql(table).await?.collect().await?;
                }
                rows_in(&context, &sql).await
            })
        })
        .unwrap()
        .join()
        .unwrap()
}

/// The columns of `s` are id and name, those of `o` are id, n and name.
fn with_names(sql: &str) -> String {
    format!("WITH st(id, name) AS (SELECT * FROM s), ob(id, n, name) AS (SELECT * FROM o) {sql}")
}

fn check(cases: &[(&str, &[&str])]) {
    for (sql, expect) in cases {
        match run(&with_names(sql)) {
            Ok(rows) => assert_eq!(rows, *expect, "{sql}"),
            Err(error) => panic_with(sql, &error),
        }
    }
}

fn panic_with(sql: &str, error: &DataFusionError) {
    assert_eq!(error.to_string(), "", "{sql}");
}

fn code(sql: &str) -> &'static str {
    match run(&with_names(sql)) {
        Ok(rows) => {
            assert_eq!(rows, vec!["an error".to_owned()], "{sql}");
            ""
        }
        Err(error) => match error.find_root() {
            DataFusionError::External(inner) => match inner.downcast_ref::<udfs::Error>() {
                Some(udfs::Error::NumericOverflow(_)) => "22003",
                Some(udfs::Error::DivisionByZero) => "22012",
                _ => Error::from(error).state.code(),
            },
            _ => Error::from(error).state.code(),
        },
    }
}

#[test]
fn correlated_scalar_subqueries_give_their_value_or_null() {
    check(&[
        (
            "SELECT id, (SELECT max(n) FROM ob WHERE ob.id = st.id) FROM st ORDER BY id",
            &["1|20", "2|5", "3|NULL", "NULL|NULL"],
        ),
        (
            "SELECT id, (SELECT count(*) FROM ob WHERE ob.id = st.id) FROM st ORDER BY id",
            &["1|2", "2|2", "3|0", "NULL|0"],
        ),
        (
            "SELECT id, (SELECT count(*) + 1 FROM ob WHERE ob.id = st.id) FROM st ORDER BY id",
            &["1|3", "2|3", "3|1", "NULL|1"],
        ),
        (
            "SELECT id, (SELECT coalesce(max(n), -1) FROM ob WHERE ob.id = st.id) FROM st ORDER BY id",
            &["1|20", "2|5", "3|-1", "NULL|-1"],
        ),
        (
            "SELECT id, (SELECT n FROM ob WHERE ob.id = st.id ORDER BY n DESC NULLS LAST LIMIT 1) FROM st ORDER BY id",
            &["1|20", "2|5", "3|NULL", "NULL|NULL"],
        ),
        (
            "SELECT id, (SELECT max(n) FROM ob WHERE ob.id < st.id) FROM st ORDER BY id",
            &["1|NULL", "2|20", "3|20", "NULL|NULL"],
        ),
        ("SELECT id, (SELECT st.name) FROM st ORDER BY id", &["1|a", "2|b", "3|c", "NULL|d"]),
        (
            "SELECT id, (SELECT st.name || max(ob.name) FROM ob WHERE ob.id = st.id) FROM st ORDER BY id",
            &["1|aa", "2|bb", "3|NULL", "NULL|NULL"],
        ),
        (
            "SELECT id, (SELECT array_agg(x.n ORDER BY x.n) FROM (SELECT n FROM ob WHERE ob.id = st.id) x) FROM st ORDER BY id",
            &["1|[10, 20]", "2|[5, NULL]", "3|NULL", "NULL|NULL"],
        ),
        (
            "SELECT id, (SELECT max(d) FROM (SELECT n * 2 AS d, ob.id AS k FROM ob) x WHERE x.k = st.id) FROM st ORDER BY id",
            &["1|40", "2|10", "3|NULL", "NULL|NULL"],
        ),
        (
            "SELECT id FROM st WHERE EXISTS (SELECT 1 FROM (SELECT n AS m FROM ob WHERE ob.id = st.id) x WHERE m > 15)",
            &["1"],
        ),
        ("SELECT id FROM st WHERE (SELECT n FROM ob WHERE ob.id = st.id AND n > 6 ORDER BY n LIMIT 1) = 10", &["1"]),
        ("SELECT id FROM st WHERE 15 = (SELECT avg(n) FROM ob WHERE ob.id = st.id)", &["1"]),
        (
            "SELECT CASE WHEN id = 1 THEN (SELECT min(n) FROM ob WHERE ob.id = st.id AND ob.n > st.id) ELSE 0 END FROM st ORDER BY id NULLS FIRST",
            &["0", "10", "0", "0"],
        ),
        (
            "SELECT id FROM st ORDER BY (SELECT sum(n) FROM ob WHERE ob.id > st.id) DESC NULLS LAST, id",
            &["1", "2", "3", "NULL"],
        ),
        ("SELECT sum((SELECT count(*) FROM ob WHERE ob.id = st.id)) FROM st", &["4"]),
        (
            "SELECT (SELECT count(*) FROM ob WHERE ob.id = st.id) AS k, count(*) FROM st GROUP BY (SELECT count(*) FROM ob WHERE ob.id = st.id) ORDER BY 1",
            &["0|2", "2|2"],
        ),
        (
            "SELECT st.id, ob.n FROM st JOIN ob ON st.id = ob.id AND ob.n = (SELECT max(o2.n) FROM ob o2 WHERE o2.id = st.id) ORDER BY 1",
            &["1|20", "2|5"],
        ),
    ]);
}

#[test]
fn subqueries_nest_and_reach_over_two_levels() {
    check(&[
        (
            "SELECT id, (SELECT max(n) FROM ob WHERE ob.id = (SELECT max(s2.id) FROM st s2 WHERE s2.id <= st.id)) FROM st ORDER BY id",
            &["1|20", "2|5", "3|NULL", "NULL|NULL"],
        ),
        (
            "SELECT id FROM st WHERE EXISTS (SELECT 1 FROM ob WHERE ob.id = st.id AND EXISTS (SELECT 1 FROM ob o2 WHERE o2.id = st.id AND o2.n > ob.n)) ORDER BY id",
            &["1"],
        ),
        (
            "SELECT id, (SELECT (SELECT st.name || o2.name FROM ob o2 WHERE o2.n = ob.n LIMIT 1) FROM ob WHERE ob.id = st.id AND n IS NOT NULL ORDER BY n LIMIT 1) FROM st ORDER BY id",
            &["1|aa", "2|bb", "3|NULL", "NULL|NULL"],
        ),
    ]);
}

#[test]
fn in_and_exists_know_three_values_everywhere() {
    check(&[
        ("SELECT id, id IN (SELECT id FROM ob) FROM st ORDER BY id", &["1|true", "2|true", "3|false", "NULL|NULL"]),
        (
            "SELECT id, id NOT IN (SELECT id FROM ob) FROM st ORDER BY id",
            &["1|false", "2|false", "3|true", "NULL|NULL"],
        ),
        (
            "SELECT id, 5 IN (SELECT n FROM ob WHERE ob.id = st.id) FROM st ORDER BY id",
            &["1|false", "2|true", "3|false", "NULL|false"],
        ),
        (
            "SELECT id, 6 IN (SELECT n FROM ob WHERE ob.id = st.id) FROM st ORDER BY id",
            &["1|false", "2|NULL", "3|false", "NULL|false"],
        ),
        ("SELECT id FROM st WHERE 6 NOT IN (SELECT n FROM ob WHERE ob.id = st.id) ORDER BY id", &["1", "3", "NULL"]),
        ("SELECT id FROM st WHERE (6 IN (SELECT n FROM ob WHERE ob.id = st.id)) IS NULL", &["2"]),
        ("SELECT id FROM st WHERE id NOT IN (SELECT n FROM ob)", &[]),
        ("SELECT id FROM st WHERE id NOT IN (SELECT n FROM ob WHERE n > 100) ORDER BY id", &["1", "2", "3", "NULL"]),
        ("SELECT id FROM st WHERE id NOT IN (SELECT id FROM ob) OR id = 1 ORDER BY id", &["1", "3"]),
        ("SELECT id FROM st WHERE id IN (SELECT ob.id FROM ob WHERE ob.name = st.name) ORDER BY id", &["1", "2"]),
        (
            "SELECT id, EXISTS (SELECT 1 FROM ob WHERE ob.id = st.id) FROM st ORDER BY id",
            &["1|true", "2|true", "3|false", "NULL|false"],
        ),
        ("SELECT id FROM st WHERE NOT EXISTS (SELECT 1 FROM ob WHERE ob.id = st.id) ORDER BY id", &["3", "NULL"]),
        (
            "SELECT id FROM st WHERE id = 3 OR EXISTS (SELECT 1 FROM ob WHERE ob.id = st.id AND n > 15) ORDER BY id",
            &["1", "3"],
        ),
        (
            "SELECT id FROM st WHERE EXISTS (SELECT ob.id FROM ob WHERE ob.id = st.id GROUP BY ob.id HAVING count(n) > 1)",
            &["1"],
        ),
        ("SELECT id FROM st WHERE EXISTS (SELECT 1 FROM ob WHERE ob.id = st.id OFFSET 1) ORDER BY id", &["1", "2"]),
        (
            "SELECT id FROM st ORDER BY CASE WHEN name IN (SELECT name FROM ob WHERE n = 5) THEN 0 ELSE 1 END, id",
            &["2", "1", "3", "NULL"],
        ),
        ("SELECT count(*) FILTER (WHERE id IN (SELECT id FROM ob)) FROM st", &["2"]),
    ]);
}

#[test]
fn any_and_all_compare_with_every_row() {
    check(&[
        (
            "SELECT id, id >= ALL (SELECT id FROM st WHERE id IS NOT NULL), id < ANY (SELECT id FROM st) FROM st ORDER BY id",
            &["1|false|true", "2|false|true", "3|true|NULL", "NULL|NULL|NULL"],
        ),
        ("SELECT id FROM st WHERE id > ALL (SELECT n FROM ob WHERE ob.id = st.id) ORDER BY id", &["3", "NULL"]),
        ("SELECT id FROM st WHERE 7 <> ALL (SELECT n FROM ob WHERE ob.id = st.id) ORDER BY id", &["1", "3", "NULL"]),
        ("SELECT id FROM st WHERE id = ANY (SELECT id FROM ob) ORDER BY id", &["1", "2"]),
    ]);
}

#[test]
fn uncorrelated_subqueries_are_values_or_errors() {
    check(&[
        ("SELECT (SELECT max(n) FROM ob)", &["20"]),
        ("SELECT (SELECT n FROM ob WHERE false)", &["NULL"]),
        ("SELECT id FROM st WHERE id = (SELECT ob.id FROM ob WHERE n = 5)", &["2"]),
        ("SELECT id FROM st ORDER BY (SELECT 1), id LIMIT 1", &["1"]),
    ]);
    for sql in [
        "SELECT (SELECT n FROM ob)",
        "SELECT id FROM st WHERE id = (SELECT id FROM ob)",
        "SELECT (SELECT n FROM ob WHERE ob.id = st.id) FROM st",
        "SELECT id FROM st WHERE 1 = (SELECT n FROM ob WHERE ob.id = st.id)",
    ] {
        assert_eq!(code(sql), "21000", "{sql}");
    }
}

#[test]
fn parameters_reach_the_subqueries_that_are_run_apart() {
    let sql = with_names(
        "SELECT id, (SELECT n + $1 FROM ob WHERE ob.id = st.id ORDER BY n LIMIT 1), id IN (SELECT o2.id FROM ob o2 WHERE o2.n > $1) \
         FROM st ORDER BY id",
    );
    let rows = runtime().block_on(async {
        let context = context();
        for table in TABLES {
            context.sql(table).await.unwrap().collect().await.unwrap();
        }
        let state = context.state();
        let plan = state.create_logical_plan(&sql).await.unwrap();
        // As the engine does: analyzed once, bound for each execution.
        let plan = state.analyzer().execute_and_check(plan, state.config_options(), |_, _| {}).unwrap();
        let plan = plan.replace_params_with_values(&vec![ScalarValue::Int64(Some(6))].into()).unwrap();
        let batches = context.execute_logical_plan(plan).await.unwrap().collect().await.unwrap();
        texts(&batches)
    });
    assert_eq!(rows, ["1|16|true", "2|11|false", "3|NULL|false", "NULL|NULL|NULL"]);
}

#[test]
fn lateral_items_see_the_items_before_them() {
    check(&[
        (
            "SELECT st.id, x.n FROM st, LATERAL (SELECT n FROM ob WHERE ob.id = st.id ORDER BY n NULLS LAST LIMIT 1) x ORDER BY 1",
            &["1|10", "2|5"],
        ),
        (
            "SELECT st.id, x.n FROM st LEFT JOIN LATERAL (SELECT n FROM ob WHERE ob.id = st.id ORDER BY n NULLS LAST LIMIT 1) x ON true ORDER BY 1",
            &["1|10", "2|5", "3|NULL", "NULL|NULL"],
        ),
        (
            "SELECT st.id, x.c FROM st CROSS JOIN LATERAL (SELECT count(*) AS c FROM ob WHERE ob.id = st.id) x ORDER BY 1",
            &["1|2", "2|2", "3|0", "NULL|0"],
        ),
        (
            "SELECT st.id, x.n FROM st LEFT JOIN LATERAL (SELECT n FROM ob WHERE ob.id = st.id) x ON x.n > st.id * 5 ORDER BY 1, 2",
            &["1|10", "1|20", "2|NULL", "3|NULL", "NULL|NULL"],
        ),
        (
            "SELECT st.id, u.v FROM st, LATERAL (SELECT unnest(make_array(st.id, st.id * 10)) AS v) u WHERE st.id < 3 ORDER BY 1, 2",
            &["1|1", "1|10", "2|2", "2|20"],
        ),
    ]);
}

#[test]
fn the_condition_of_an_outer_join_may_ask_about_one_side() {
    check(&[
        (
            "SELECT st.id, ob.n FROM st LEFT JOIN ob ON st.id = ob.id AND EXISTS (SELECT 1 FROM ob o2 WHERE o2.n = st.id) \
             ORDER BY 1",
            &["1|NULL", "2|NULL", "3|NULL", "NULL|NULL"],
        ),
        (
            "SELECT st.id, ob.n FROM st LEFT JOIN ob ON ob.n = (SELECT max(o2.n) FROM ob o2 WHERE o2.id = st.id) ORDER BY 1",
            &["1|20", "2|5", "3|NULL", "NULL|NULL"],
        ),
        (
            "SELECT st.id, ob.n FROM st RIGHT JOIN ob ON st.id = ob.id AND ob.n IN (SELECT n FROM ob o2 WHERE o2.id = ob.id \
             AND o2.n > 5) ORDER BY 2",
            &["NULL|5", "NULL|7", "1|10", "1|20", "NULL|NULL"],
        ),
    ]);
}

#[test]
fn what_no_join_can_answer_is_refused() {
    for sql in [
        "SELECT * FROM st LEFT JOIN ob ON EXISTS (SELECT 1 FROM ob o2 WHERE o2.n = st.id AND o2.id = ob.n)",
        "SELECT * FROM st FULL JOIN ob ON st.id = ob.id AND ob.n IN (SELECT n FROM ob o2 WHERE o2.id = st.id)",
    ] {
        assert_eq!(code(sql), "0A000", "{sql}");
    }
}

#[test]
fn too_many_questions_are_refused_not_asked_for_ever() {
    let sql = "SELECT sum((SELECT n FROM ob WHERE ob.id = v.value LIMIT 1)) FROM generate_series(1, 101) v";
    assert_eq!(code(sql), "54000");
    check(&[(
        "SELECT sum((SELECT n FROM ob WHERE ob.id = v.k ORDER BY n LIMIT 1)) \
         FROM (SELECT value % 7 AS k FROM generate_series(1, 7000)) v",
        &["22000"],
    )]);
}

#[test]
fn integer_overflow_and_division_by_zero_are_errors_also_in_constants() {
    let cases = [
        ("SELECT 9223372036854775807 + 1", "22003"),
        ("SELECT 9223372036854775807 + id FROM st", "22003"),
        ("SELECT (-9223372036854775807 - 1) - id FROM st WHERE id = 1", "22003"),
        ("SELECT 4611686018427387904 * 2", "22003"),
        ("SELECT -((0 - 9223372036854775807) - id) FROM st WHERE id = 1", "22003"),
        ("SELECT 1 / 0", "22012"),
        ("SELECT 1 % 0", "22012"),
        ("SELECT 1.5 / 0", "22012"),
        ("SELECT 1.0::double / 0::double", "22012"),
        ("SELECT id / (id - 1) FROM st", "22012"),
        ("SELECT id FROM st WHERE 1 / (id - 1) > 0", "22012"),
        ("SELECT id FROM st WHERE id IN (SELECT 1 / (n - 10) FROM ob)", "22012"),
    ];
    for (sql, expect) in cases {
        assert_eq!(code(sql), expect, "{sql}");
    }
    check(&[
        ("SELECT id + 1, id - 1, id * 2, id / 2, id % 2 FROM st WHERE id = 3", &["4|2|6|1|1"]),
        ("SELECT sum(id + 1), max(-id) FROM st GROUP BY id % 2 HAVING id % 2 = 1", &["6|-1"]),
        (
            "SELECT NULL / 0, 7.5 / 2.5, sum(id) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM st ORDER BY id LIMIT 1",
            &["NULL|3.0|1"],
        ),
    ]);
}
