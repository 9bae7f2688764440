//! As-of joins over random rows, held beside what they are by definition.

use lakegate_tests::differential::Random;
use lakegate_tests::{Lake, TestServer};

/// A key, a time, and what tells the row from others.
type Row = (Option<i64>, Option<i64>, i64);

/// What a row of the right must meet, and whether the earliest such row is meant.
struct Form {
    condition: &'static str,
    is_earliest: bool,
    meets: fn(i64, i64) -> bool,
}

const FORMS: [Form; 9] = [
    Form { condition: "r.t <= l.t", is_earliest: false, meets: |r, l| r <= l },
    Form { condition: "l.t > r.t", is_earliest: false, meets: |r, l| r < l },
    Form { condition: "r.t >= l.t", is_earliest: true, meets: |r, l| r >= l },
    Form { condition: "r.t > l.t", is_earliest: true, meets: |r, l| r > l },
    Form { condition: "r.t BETWEEN l.t - 5 AND l.t", is_earliest: false, meets: |r, l| l - 5 <= r && r <= l },
    Form { condition: "r.t > l.t - 4 AND r.t <= l.t", is_earliest: false, meets: |r, l| l - 4 < r && r <= l },
    Form { condition: "r.t >= l.t AND r.t < l.t + 6", is_earliest: true, meets: |r, l| l <= r && r < l + 6 },
    // The latest of a key; where a time is not known it is the latest.
    Form { condition: "true", is_earliest: false, meets: |_, _| true },
    // What is no as-of join: the earliest of all that are not later.
    Form { condition: "r.t <= l.t", is_earliest: true, meets: |r, l| r <= l },
];

fn values(rows: &[Row]) -> String {
    let shown = |value: Option<i64>| value.map_or("NULL::int8".to_owned(), |value| value.to_string());
    let rows = rows.iter().map(|(key, time, id)| format!("({}, {}, {id})", shown(*key), shown(*time)));
    rows.collect::<Vec<_>>().join(", ")
}

fn random_rows(random: &mut Random, count: i64) -> Vec<Row> {
    (0..count)
        .map(|id| {
            let key = (!random.one_in(9)).then(|| random.between(0, 3));
            let time = (!random.one_in(9)).then(|| random.between(0, 30));
            (key, time, id)
        })
        .collect()
}

/// The row of the right that is that of a row of the left.
fn expected(left: &Row, right: &[Row], form: &Form, has_keys: bool) -> Option<i64> {
    let meets = |row: &&Row| {
        let is_same = !has_keys || left.0.is_some() && left.0 == row.0;
        is_same
            && (form.condition == "true" || left.1.zip(row.1).is_some_and(|(left, right)| (form.meets)(right, left)))
    };
    let found = right.iter().filter(meets);
    // Of equal times the one with the greatest id.
    let rank = |row: &&Row| (row.1.is_none(), if form.is_earliest { row.1.map(|time| -time) } else { row.1 }, row.2);
    found.max_by_key(rank).map(|row| row.2)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_meet_as_they_are_defined() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = server.wire().await;
    let mut random = Random::new(11);
    for round in 0..60 {
        // Few rows of the left ask one by one, more are joined.
        let count = if random.one_in(5) { random.between(1, 16) } else { random.between(17, 90) };
        let left = random_rows(&mut random, count);
        let count = random.between(1, 80);
        let right = random_rows(&mut random, count);
        for (at, form) in FORMS.iter().enumerate() {
            let has_keys = !random.one_in(3);
            let keep = random.one_in(2);
            let keys = if has_keys { "r.k = l.k AND " } else { "" };
            let direction = if form.is_earliest { "" } else { " DESC" };
            let subquery = format!(
                "SELECT r.id FROM (VALUES {}) r(k, t, id) WHERE {keys}{} ORDER BY r.t{direction}, r.id DESC LIMIT 1",
                values(&right),
                form.condition
            );
            let from = format!("FROM (VALUES {}) l(k, t, id)", values(&left));
            let sql = match (keep, random.one_in(2)) {
                (true, true) => format!("SELECT l.id, ({subquery}) {from} ORDER BY 1"),
                (true, false) => {
                    format!("SELECT l.id, x.id {from} LEFT JOIN LATERAL ({subquery}) x ON true ORDER BY 1")
                }
                (false, _) => format!("SELECT l.id, x.id {from} CROSS JOIN LATERAL ({subquery}) x ORDER BY 1"),
            };
            let found = left.iter().map(|row| (row.2, expected(row, &right, form, has_keys)));
            let expect: Vec<Vec<Option<String>>> = found
                .filter(|(_, found)| keep || found.is_some())
                .map(|(id, found)| vec![Some(id.to_string()), found.map(|found| found.to_string())])
                .collect();
            let answer = client.query(&sql).await;
            assert!(answer.fault.is_none(), "round {round}, form {at}: {sql}: {:?}", answer.fault);
            assert_eq!(answer.texts(), expect, "round {round}, form {at}: {sql}");
        }
    }
}

/// One by one, a statement may ask 10,000 questions; a join has no such end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_left_is_joined_by_one_pass() {
    let server = TestServer::start(&Lake::default()).await;
    let mut client = server.wire().await;
    let sql = "SELECT count(*), count(r.t), sum(l.n - r.t) FROM generate_series(1, 200000) l(n) \
               LEFT JOIN LATERAL (SELECT r.n * 3 AS t FROM generate_series(1, 60000) r(n) \
               WHERE r.n * 3 <= l.n ORDER BY r.n * 3 DESC LIMIT 1) r ON true";
    let answer = client.query(sql).await;
    assert!(answer.fault.is_none(), "{:?}", answer.fault);
    // Up to 180,000 a row is 0, 1 or 2 behind a multiple of three; behind that its distance grows to 20,000.
    let near: i64 = (3..=180_000).map(|n| n % 3).sum();
    let far: i64 = (1..=20_000).sum();
    assert_eq!(answer.texts(), [[200_000.to_string(), 199_998.to_string(), (near + far).to_string()].map(Some)]);
    let plan = client.query(&format!("EXPLAIN {sql}")).await.texts().concat();
    let lines: Vec<String> = plan.into_iter().flatten().collect();
    assert!(lines.iter().any(|line| line.contains("AsOfExec")), "{lines:?}");
}
