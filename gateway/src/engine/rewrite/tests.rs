//! Every rewrite, as text in and text out.

use sqlparser::ast::{ObjectName, Statement};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

use super::{Names, Rewritten, rewrite};
use crate::error::Result;

/// `t(a, b, Year, c)`, `u(a, x, y)`, `v(arr, Up)`, and `Twice(id, ID)`; `unknown` has columns that nobody knows.
struct Known;

impl Names for Known {
    fn columns(&self, table: &ObjectName) -> Option<Vec<String>> {
        let name = table.0.last()?.as_ident()?.value.to_lowercase();
        let columns = match name.as_str() {
            "t" => vec!["a", "b", "Year", "c"],
            "u" => vec!["a", "x", "y"],
            "v" => vec!["a", "arr", "Up"],
            "twice" => vec!["iD", "ID"],
            _ => return None,
        };
        Some(columns.into_iter().map(str::to_owned).collect())
    }

    fn is_function(&self, name: &str) -> bool {
        name != "nofunc"
    }

    fn is_aggregate(&self, name: &str) -> bool {
        name == "max"
    }
}

fn rewritten(sql: &str) -> Result<Rewritten> {
    let mut statements = Parser::parse_sql(&PostgreSqlDialect {}, sql).unwrap();
    let Some(Statement::Query(query)) = statements.pop() else { unreachable!("a query: {sql}") };
    rewrite(*query, &Known)
}

fn check(cases: &[(&str, &str)]) {
    for (sql, expect) in cases {
        let text = rewritten(sql).unwrap().statement.to_string();
        assert_eq!(text, *expect, "{sql}");
    }
}

fn check_names(sql: &str, expect: &[&str]) {
    assert_eq!(rewritten(sql).unwrap().output_names, expect, "{sql}");
}

fn check_errors(cases: &[(&str, &str)]) {
    for (sql, code) in cases {
        let answer = rewritten(sql).map(|rewritten| rewritten.statement.to_string());
        assert_eq!(answer.unwrap_err().state.code(), *code, "{sql}");
    }
}

#[test]
fn result_columns_are_named_as_postgresql_names_them() {
    // Recorded from PostgreSQL 15.18 with psql's \gdesc.
    for line in include_str!("output_names.tsv").lines() {
        let (expr, name) = line.split_once('\t').unwrap();
        check_names(&format!("SELECT {} FROM v AS t", expr.replace("from t ", "from v as t ")), &[name]);
    }
}

#[test]
fn repeated_names_are_planned_apart_and_shown_as_they_are() {
    check_names("SELECT 1, 2, a, a FROM t", &["?column?", "?column?", "a", "a"]);
    check_names("SELECT * FROM t, u", &["a", "b", "Year", "c", "a", "x", "y"]);
    check_names("SELECT * FROM (SELECT a, a FROM t) d", &["a", "a"]);
    check_names("SELECT * FROM unknown", &[]);
    check_names("SELECT 1 AS x UNION SELECT 2 AS y", &["x"]);
    check(&[
        ("SELECT 'x', 'y'", "SELECT 'x' AS \"?column?\", 'y' AS \"?column?:1\""),
        ("SELECT a, a FROM t ORDER BY a", "SELECT \"t\".\"a\", \"t\".\"a\" AS \"a:1\" FROM t AS \"t\" ORDER BY \"a\""),
    ]);
}

#[test]
fn unquoted_names_match_in_any_case_and_quoted_ones_exactly() {
    check(&[
        ("SELECT year FROM T", "SELECT \"t\".\"Year\" FROM T AS \"t\""),
        ("SELECT \"year\" FROM t", "SELECT \"year\" AS \"year\" FROM t AS \"t\""),
        ("SELECT X.yEAR FROM t x", "SELECT \"x\".\"Year\" FROM t \"x\""),
        ("SELECT public.t.a FROM public.t", "SELECT \"t\".\"a\" FROM public.t AS \"t\""),
        ("SELECT a FROM lakegate.public.t", "SELECT \"t\".\"a\" FROM public.t AS \"t\""),
        ("SELECT missing FROM t", "SELECT missing AS \"missing\" FROM t AS \"t\""),
    ]);
    check_errors(&[
        ("SELECT a FROM t, u", "42702"),
        ("SELECT id FROM twice", "42702"),
        ("SELECT a FROM t, t", "42712"),
        ("SELECT x.* FROM t", "42P01"),
        ("SELECT 1 FROM other.public.t", "0A000"),
    ]);
}

#[test]
fn subqueries_see_the_queries_around_them() {
    check(&[
        (
            "SELECT (SELECT x FROM u WHERE y = b) FROM t",
            "SELECT (SELECT \"u\".\"x\" FROM u AS \"u\" WHERE \"u\".\"y\" = \"t\".\"b\") AS \"x\" FROM t AS \"t\"",
        ),
        (
            "WITH c(p, q) AS (SELECT a, b FROM t) SELECT P FROM c WHERE EXISTS (SELECT 1 FROM u WHERE a = Q)",
            "WITH c (\"p\", \"q\") AS (SELECT \"t\".\"a\", \"t\".\"b\" FROM t AS \"t\") SELECT \"c\".\"p\" FROM \"c\" AS \"c\" \
             WHERE EXISTS (SELECT 1::INT4 AS \"?column?\" FROM u AS \"u\" WHERE \"u\".\"a\" = \"c\".\"q\")",
        ),
        (
            "SELECT d.x FROM t, LATERAL (SELECT u.x FROM u WHERE u.a = t.a) d, LATERAL (SELECT 1 AS one) e",
            "SELECT \"d\".\"x\" FROM t AS \"t\", LATERAL (SELECT \"u\".\"x\" FROM u AS \"u\" WHERE \"u\".\"a\" = \"t\".\"a\") \"d\", \
             (SELECT 1::INT4 AS \"one\") \"e\"",
        ),
    ]);
}

#[test]
fn group_by_prefers_columns_and_order_by_prefers_names() {
    check(&[
        (
            "SELECT b AS a FROM t GROUP BY a, b ORDER BY a",
            "SELECT \"t\".\"b\" AS \"a\" FROM t AS \"t\" GROUP BY \"t\".\"a\", \"t\".\"b\" ORDER BY \"a\"",
        ),
        (
            "SELECT b AS z, max(c) FROM t GROUP BY z ORDER BY max(c), z",
            "SELECT \"t\".\"b\" AS \"z\", max(\"t\".\"c\") AS \"max\" FROM t AS \"t\" GROUP BY \"z\" ORDER BY \"max\", \"z\"",
        ),
        (
            "SELECT b AS a FROM t ORDER BY a + 1",
            "SELECT \"t\".\"b\" AS \"a\" FROM t AS \"t\" ORDER BY \"t\".\"a\" + 1::INT4",
        ),
        (
            "SELECT DISTINCT ON (z) b AS z FROM t",
            "SELECT DISTINCT ON (\"t\".\"b\") \"t\".\"b\" AS \"z\" FROM t AS \"t\"",
        ),
    ]);
}

#[test]
fn using_merges_columns_and_puts_them_first() {
    check_names("SELECT * FROM t JOIN u USING (a)", &["a", "b", "Year", "c", "x", "y"]);
    check_names("SELECT * FROM u NATURAL JOIN t", &["a", "x", "y", "b", "Year", "c"]);
    check(&[
        (
            "SELECT a FROM t FULL JOIN u USING (a) WHERE a > 1",
            "SELECT coalesce(\"t\".\"a\", \"u\".\"a\") AS \"a\" FROM t AS \"t\" FULL JOIN u AS \"u\" \
             ON \"t\".\"a\" = \"u\".\"a\" WHERE coalesce(\"t\".\"a\", \"u\".\"a\") > 1",
        ),
        (
            "SELECT a FROM t RIGHT JOIN u USING (a)",
            "SELECT \"u\".\"a\" FROM t AS \"t\" RIGHT JOIN u AS \"u\" ON \"t\".\"a\" = \"u\".\"a\"",
        ),
    ]);
    check_errors(&[("SELECT 1 FROM t JOIN u USING (b)", "42703")]);
}

#[test]
fn functions_in_from_are_subqueries_and_sets_are_unnested() {
    check(&[
        (
            "SELECT s[i] FROM generate_series(1, 2) AS i, string_to_array('a,b', ',') s",
            "SELECT \"s\".\"s\"[\"i\".\"i\"] AS \"s\" FROM (SELECT \"series\".\"value\"::INT4 AS \"i\" FROM generate_series(1, 2) AS \"series\") \
             AS \"i\", (SELECT string_to_array('a,b', ',') AS \"s\") AS \"s\"",
        ),
        (
            "SELECT n, o FROM v, unnest(arr) WITH ORDINALITY AS k(n, o)",
            "SELECT \"k\".\"n\", \"k\".\"o\" FROM v AS \"v\", LATERAL (SELECT unnest(\"v\".\"arr\") AS \"n\", \
             unnest(generate_series(1, cardinality(\"v\".\"arr\"))) AS \"o\") AS \"k\"",
        ),
        (
            "SELECT 1 FROM t, unnest(ARRAY[t.a, 2]) k",
            "SELECT 1::INT4 AS \"?column?\" FROM t AS \"t\", LATERAL (SELECT unnest(make_array(\"t\".\"a\", 2::INT4)) AS \"k\") AS \"k\"",
        ),
        ("SELECT generate_series(1, 3)", "SELECT unnest(generate_series(1::INT4, 3::INT4)) AS \"generate_series\""),
        (
            "SELECT * FROM pg_catalog.unnest(array['a']) x",
            "SELECT \"x\".\"x\" FROM (SELECT unnest(ARRAY['a']) AS \"x\") AS \"x\"",
        ),
    ]);
}

#[test]
fn notations_of_postgresql_become_the_planners() {
    let cases = [
        ("a OPERATOR(pg_catalog.~) 'x' COLLATE pg_catalog.default", "\"t\".\"a\" ~ 'x'"),
        ("pg_catalog.lower(a)", "lower(\"t\".\"a\")"),
        ("'t'::regclass", "lakegate_regclass_in('t')"),
        ("a::pg_catalog.regtype::pg_catalog.text", "lakegate_regtype_out(lakegate_regtype_in(\"t\".\"a\"))"),
        ("a::pg_catalog.int4", "\"t\".\"a\"::INTEGER"),
        ("a::float", "\"t\".\"a\"::DOUBLE PRECISION"),
        ("a::varchar(3)", "left(\"t\".\"a\"::TEXT, 3)::VARCHAR"),
        ("'{1,NULL}'::int[]", "ARRAY['1'::INT, NULL::INT]::INT[]"),
        ("'\\xDEAD'::bytea", "X'dead'"),
        ("interval '300.000s'", "INTERVAL '0 months 0 days 300000000000 nanoseconds'"),
        ("'1 mon 1:00'::interval", "INTERVAL '1 months 0 days 3600000000000 nanoseconds'"),
        ("interval '5' day", "INTERVAL '0 months 5 days 0 nanoseconds'"),
        ("'now'::timestamptz", "now()::TIMESTAMPTZ"),
        ("date 'epoch'", "'1970-01-01T00:00:00Z'::DATE"),
        ("'yes'::bool", "true"),
        ("a = ANY ('{1,2}')", "\"t\".\"a\" IN (1, 2)"),
        ("a <> ALL (ARRAY['x'])", "\"t\".\"a\" NOT IN ('x')"),
        ("a > ANY (ARRAY[1,2])", "(\"t\".\"a\" > 1::INT4 OR \"t\".\"a\" > 2::INT4)"),
        ("a = ANY (ARRAY[b, c])", "\"t\".\"a\" IN (\"t\".\"b\", \"t\".\"c\")"),
        ("a = ANY (SELECT x FROM u)", "\"t\".\"a\" IN (SELECT \"u\".\"x\" FROM u AS \"u\")"),
        ("(a, b) = (1, 2)", "(\"t\".\"a\" = 1 AND \"t\".\"b\" = 2)"),
        ("(a, b) < (1, 2)", "(\"t\".\"a\" < 1 OR (\"t\".\"a\" = 1 AND \"t\".\"b\" < 2))"),
        ("(a, b) NOT IN ((1, 2))", "NOT ((\"t\".\"a\" = 1 AND \"t\".\"b\" = 2))"),
        ("a AT TIME ZONE 'UTC'", "timezone('UTC', \"t\".\"a\")"),
        ("user", "current_user()"),
        ("current_catalog", "current_database()"),
        ("a LIKE 'x!%' ESCAPE '!'", "\"t\".\"a\" LIKE 'x\\%'"),
        ("a SIMILAR TO 'x%'", "\"t\".\"a\" ~ similar_to_escape('x%')"),
        ("a NOT SIMILAR TO 'x|y'", "\"t\".\"a\" !~ similar_to_escape('x|y')"),
        ("a ^@ 'x'", "starts_with(\"t\".\"a\", 'x')"),
        ("|/ a", "sqrt(\"t\".\"a\"::DOUBLE PRECISION)"),
        ("substring(a from 'x(.)')", "substring(\"t\".\"a\", 'x(.)')"),
        ("1 + 2147483648", "1::INT4 + 2147483648"),
        ("sum(1)", "sum(1::INT4)"),
        ("substr(a, 1)", "substr(\"t\".\"a\", 1)"),
    ];
    for (expr, expect) in cases {
        let text = rewritten(&format!("SELECT {expr} AS z FROM t")).unwrap().statement.to_string();
        assert_eq!(text, format!("SELECT {expect} AS \"z\" FROM t AS \"t\""), "{expr}");
    }
    check(&[
        ("SELECT a FROM t FETCH FIRST 3 ROWS ONLY", "SELECT \"t\".\"a\" FROM t AS \"t\" LIMIT 3"),
        (
            "SELECT array(SELECT x FROM u ORDER BY y)",
            "SELECT coalesce((SELECT array_agg(\"array_query\".\"x\" ORDER BY \"array_query\".\"array_order:0\") AS \"array\" \
             FROM (SELECT \"u\".\"x\", \"u\".\"y\" AS \"array_order:0\" FROM u AS \"u\") AS \"array_query\"), ARRAY[]) AS \"array\"",
        ),
    ]);
}

#[test]
fn the_name_of_a_relation_is_its_row() {
    let row = "lakegate_relation_row('a', \"u\".\"a\", 'x', \"u\".\"x\", 'y', \"u\".\"y\")";
    check(&[
        ("SELECT u FROM u", &format!("SELECT {row} AS \"u\" FROM u AS \"u\"")),
        ("SELECT (u).x, (u).y AS z FROM u", "SELECT \"u\".\"x\" AS \"x\", \"u\".\"y\" AS \"z\" FROM u AS \"u\""),
        (
            "SELECT f(u.*), ROW(u.*) FROM u",
            &format!(
                "SELECT f({row}) AS \"f\", lakegate_row('f1', \"u\".\"a\", 'f2', \"u\".\"x\", 'f3', \"u\".\"y\") AS \"row\" FROM u AS \"u\""
            ),
        ),
        (
            "SELECT v FROM t LEFT JOIN (SELECT x FROM u) v ON true",
            "SELECT lakegate_outer_row('x', \"v\".\"x\") AS \"v\" FROM t AS \"t\" \
             LEFT JOIN (SELECT \"u\".\"x\" FROM u AS \"u\") \"v\" ON true",
        ),
        ("SELECT a FROM t AS a", "SELECT \"a\".\"a\" FROM t AS \"a\""),
        (
            "SELECT 1 FROM t WHERE (a, b) IN (SELECT x, y FROM u)",
            "SELECT 1::INT4 AS \"?column?\" FROM t AS \"t\" WHERE CASE \
             WHEN EXISTS (SELECT 1 AS \"one\" FROM (SELECT \"u\".\"x\", \"u\".\"y\" FROM u AS \"u\") AS \"row_query\" \
             (\"row_column0\", \"row_column1\") WHERE (\"t\".\"a\" = \"row_query\".\"row_column0\" AND \"t\".\"b\" = \"row_query\".\"row_column1\")) THEN true \
             WHEN EXISTS (SELECT 1 AS \"one\" FROM (SELECT \"u\".\"x\", \"u\".\"y\" FROM u AS \"u\") AS \"row_query\" \
             (\"row_column0\", \"row_column1\") WHERE (\"t\".\"a\" = \"row_query\".\"row_column0\" AND \"t\".\"b\" = \"row_query\".\"row_column1\") IS NULL) THEN NULL \
             ELSE false END",
        ),
    ]);
}

#[test]
fn an_ordered_subquery_orders_the_aggregates_of_its_rows() {
    check(&[
        (
            "SELECT json_agg(d.a) FROM (SELECT a FROM t ORDER BY b DESC) d",
            "SELECT json_agg(lakegate_json_element(\"d\".\"a\") ORDER BY \"d\".\"aggregate_order:1\" DESC) AS \"json_agg\" \
             FROM (SELECT \"t\".\"a\", \"t\".\"b\" AS \"aggregate_order:1\" FROM t AS \"t\" ORDER BY \"t\".\"b\" DESC) \"d\"",
        ),
        (
            "SELECT array_agg(z) FROM (SELECT a, b FROM t ORDER BY 2) d(y, z)",
            "SELECT array_agg(\"d\".\"z\" ORDER BY \"d\".\"z\") AS \"array_agg\" \
             FROM (SELECT \"t\".\"a\", \"t\".\"b\" FROM t AS \"t\" ORDER BY 2) \"d\" (\"y\", \"z\")",
        ),
    ]);
}

#[test]
fn what_cannot_be_said_is_refused() {
    check_errors(&[
        ("SELECT * FROM t FOR UPDATE", "0A000"),
        ("SELECT a INTO z FROM t", "0A000"),
        ("SELECT a FROM t FETCH FIRST 3 ROWS WITH TIES", "42601"),
        ("SELECT nofunc(1)", "42883"),
        ("SELECT other.lower('x')", "42883"),
        ("SELECT a COLLATE \"de_DE\" FROM t", "42704"),
        ("SELECT (a, b) = (1, 2, 3) FROM t", "42601"),
        ("SELECT (u).z FROM u", "42703"),
        ("SELECT ROW(1).f2", "42703"),
        ("SELECT * FROM json_to_record('{}') r", "42601"),
        ("SELECT jsonb_path_query('{}', '$')", "0A000"),
        ("SELECT '{1'::int[]", "22P02"),
        ("SELECT 'x'::uuid", "22P02"),
        ("SELECT 'maybe'::bool", "22P02"),
        ("SELECT a OPERATOR(pg_catalog.#-#) 1 FROM t", "42883"),
    ]);
}

#[test]
fn errors_carry_the_place_of_the_name() {
    let sql = "SELECT é,\n  nofunc(1)";
    struct Placed<'a>(&'a str);
    impl Names for Placed<'_> {
        fn columns(&self, _: &ObjectName) -> Option<Vec<String>> {
            None
        }
        fn is_function(&self, _: &str) -> bool {
            false
        }
        fn message(&self) -> Option<&str> {
            Some(self.0)
        }
    }
    let mut statements = Parser::parse_sql(&PostgreSqlDialect {}, sql).unwrap();
    let Some(Statement::Query(query)) = statements.pop() else { unreachable!() };
    let error = rewrite(*query, &Placed(sql)).unwrap_err();
    assert_eq!((error.message.as_str(), error.position), ("function nofunc(unknown) does not exist", Some(13)));
}

#[test]
fn what_is_asked_of_a_summary_is_a_function_of_it() {
    let named = |sql: &str| rewritten(sql).unwrap().statement.to_string();
    for (sql, expect) in [
        ("SELECT max(a) -> stddev('pop') FROM t", "lakegate_summary_stddev(max("),
        ("SELECT (c) -> sum() FROM t", "lakegate_summary_sum((\"t\".\"c\"))"),
        ("SELECT sum(stats_agg(a)) FROM t", "lakegate_summary_sum(stats_agg("),
        ("SELECT stddev(c, 'pop') FROM t", "lakegate_summary_stddev("),
        ("SELECT c -> average() FROM t", "average("),
        ("SELECT c -> approx_percentile(0.5) FROM t", "lakegate_summary_approx_percentile(0.5, "),
        ("SELECT approx_percentile(0.5, ((rollup(c)))) FROM t", "lakegate_summary_approx_percentile(0.5, (("),
    ] {
        assert!(named(sql).contains(expect), "{sql}: {}", named(sql));
    }
    for sql in [
        "SELECT sum(a) FROM t",
        "SELECT approx_percentile(0.5, a) FROM t",
        "SELECT sum(stats_agg(a)) OVER () FROM t",
        "SELECT c -> lower('a') FROM t",
        "SELECT c -> sum(a) FROM t",
    ] {
        assert!(!named(sql).contains("summary"), "{sql}: {}", named(sql));
    }
    check_names(
        "SELECT c -> sum(), stddev(stats_agg(a)), variance(c, 'pop')::real, c -> average() AS m FROM t",
        &["?column?", "stddev", "variance", "m"],
    );
}
