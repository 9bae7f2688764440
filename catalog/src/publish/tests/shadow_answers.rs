//! Questions made at random over shadows and over the rows of the text in memory.

use super::shadows::{settle, shadowed};
use super::*;

const DEFINITION: &str = "CREATE EXTERNAL TABLE s.t (tiny SMALLINT, whole INT, id BIGINT, single REAL, double DOUBLE PRECISION, \
     cents NUMERIC(12, 2), long NUMERIC(30, 5), day DATE, at TIMESTAMP, instant TIMESTAMPTZ, flag BOOLEAN, name TEXT) \
     STORED AS CSV LOCATION 's/t/'";

/// One row; every value is NULL at times, and the least and the greatest ones of its type.
fn row(random: &mut impl FnMut(u64) -> u64, at: u64) -> String {
    let mut one = |of: &[&str]| of[usize::try_from(random(of.len() as u64)).unwrap()].to_owned();
    let odd = at.is_multiple_of(37);
    let floats = ["NaN", "-0.0", "0", "1e30", "-1e30", "0.1", "Infinity", "-Infinity", ""];
    let tiny = if odd { one(&["-32768", "32767", ""]) } else { one(&["1", "2", "3"]) };
    let whole = if odd { one(&["-2147483648", "2147483647", ""]) } else { (at / 10).to_string() };
    let id = if odd { one(&["-9223372036854775808", "9223372036854775807", ""]) } else { at.to_string() };
    let single = if odd { one(&floats) } else { format!("{}.5", at % 50) };
    let double = if odd { one(&floats) } else { format!("{}.25", at % 500) };
    let cents =
        if odd { one(&["-9999999999.99", "9999999999.99", ""]) } else { format!("{}.{:02}", at % 90, at % 100) };
    let long = if odd { one(&["-1234567890123456789012345.12345", ""]) } else { format!("{at}.00001") };
    let day = if odd {
        one(&["0001-01-01", "9999-12-31", ""])
    } else {
        format!("2024-{:02}-{:02}", at / 300 % 12 + 1, at % 28 + 1)
    };
    let at_time = if odd { one(&["0001-01-01 00:00:00", ""]) } else { format!("{day} 10:00:00.{:06}", at) };
    let instant = if odd { one(&["9999-12-31T23:59:59.999999Z", ""]) } else { format!("{day}T10:00:00+02:00") };
    let flag = one(&["true", "false", "true", ""]);
    let name = if odd {
        one(&["", "\"\"", "é", "\u{10FFFF}"])
    } else {
        format!("name {} {}", at / 100, "y".repeat((at % 70) as usize))
    };
    [tiny, whole, id, single, double, cents, long, day, at_time, instant, flag, name].join(",") + "\n"
}

/// A condition over one column.
fn condition(random: &mut impl FnMut(u64) -> u64) -> String {
    let mut one = |of: &[&str]| of[usize::try_from(random(of.len() as u64)).unwrap()].to_owned();
    let compared = one(&["=", "<", ">", "<=", ">=", "<>", "IS DISTINCT FROM"]);
    let (column, values): (&str, &[&str]) = match one(&["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]).as_str() {
        "0" => ("tiny", &["2", "3", "32767", "-1"]),
        "1" => ("whole", &["77", "2147483647", "-2147483648", "100"]),
        "2" => ("id", &["5", "4000", "9223372036854775807", "-1"]),
        "3" => ("single", &["0", "CAST('NaN' AS REAL)", "1e29", "3.5"]),
        "4" => ("double", &["0", "CAST('NaN' AS DOUBLE)", "-1e29", "3.25", "CAST('Infinity' AS DOUBLE)"]),
        "5" => ("cents", &["0.01", "88.88", "9999999999.99"]),
        "6" => ("day", &["DATE '2024-05-05'", "DATE '0001-01-01'", "DATE '9999-12-31'"]),
        "7" => ("at", &["to_timestamp_micros('2024-05-05T10:00:00')", "to_timestamp_micros('1700-01-01T00:00:00')"]),
        "8" => (
            "name",
            &[
                "'name 7'",
                "'é'",
                "''",
                "'name 20 yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy'",
            ],
        ),
        _ => ("k", &["1", "2", "3"]),
    };
    let value = one(values);
    match one(&["plain", "plain", "plain", "plain", "null", "some", "in", "not"]).as_str() {
        "null" => format!("{column} IS NULL"),
        "some" => format!("{column} IS NOT NULL"),
        "in" => format!("{column} IN ({}, {value})", one(values)),
        "not" => format!("NOT ({column} {compared} {value})"),
        _ => format!("({column} {compared} {value})"),
    }
}

#[tokio::test]
async fn answers_to_questions_at_random_are_those_of_the_text() {
    compare(&[(1, 0..2_500), (2, 2_500..5_000), (2, 10..60), (3, 400..2_900)], 3).await;
}

#[tokio::test]
async fn answers_of_small_files_are_those_of_the_text() {
    let files: Vec<_> = (0..48_u64).map(|n| (n * 7 % 3 + 1, n * 40..n * 40 + n % 9 * 10)).collect();
    compare(&files, 48).await;
}

/// Files by their folders and rows, of which so many have a shadow.
async fn compare(of: &[(u64, std::ops::Range<u64>)], shadows: usize) {
    let mut random = random(11);
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    let names = "tiny,whole,id,single,double,cents,long,day,at,instant,flag,name\n";
    for (file, rows) in of.iter().cloned() {
        let text: String = rows.map(|at| row(&mut random, at)).collect();
        files.push((format!("s/t/k={file}/{}.csv", files.len()), format!("{names}{text}").into_bytes()));
    }
    let files: Vec<(&str, &[u8])> = files.iter().map(|(key, text)| (key.as_str(), text.as_slice())).collect();
    let lake = Fixture::defined(&files, "tables/t.sql", DEFINITION).await;
    let rows = lake.table("s.t").await.unwrap().sql("SELECT * FROM t").await.unwrap().collect().await.unwrap();
    settle(&lake, "s.t").await;
    assert_eq!(shadowed(&lake, "s.t").len(), shadows);
    let context = lake.table("s.t").await.unwrap();
    context.register_table("m", Arc::new(MemTable::try_new(rows[0].schema(), vec![rows]).unwrap())).unwrap();
    for at in 0..60 {
        let filter = match at % 4 {
            0 => condition(&mut random),
            1 => format!("{} AND {}", condition(&mut random), condition(&mut random)),
            2 => format!("{} OR {}", condition(&mut random), condition(&mut random)),
            _ => format!("({} OR {}) AND {}", condition(&mut random), condition(&mut random), condition(&mut random)),
        };
        let sql = match at % 5 {
            0 => format!(
                "SELECT count(*), min(id), max(double), min(name), max(instant), sum(cents) FROM # WHERE {filter}"
            ),
            1 => format!(
                "SELECT k, flag, count(*), max(day), min(cents), max(long) FROM # WHERE {filter} GROUP BY k, flag"
            ),
            2 => format!("SELECT id, name, double, k FROM # WHERE {filter}"),
            3 => format!("SELECT DISTINCT tiny, day FROM # WHERE {filter}"),
            _ => format!("SELECT * FROM # WHERE {filter}"),
        };
        let mut answers = Vec::new();
        for table in ["t", "m"] {
            let batches = context.sql(&sql.replace('#', table)).await.unwrap().collect().await.unwrap();
            let text = pretty_format_batches(&batches).unwrap().to_string();
            let mut rows: Vec<String> = text.lines().skip(3).map(|row| row.replace([' ', '-'], "")).collect();
            rows.sort();
            answers.push(rows);
        }
        let odd = answers[0].iter().zip(&answers[1]).find(|(a, b)| a != b);
        assert!(answers[0] == answers[1], "{sql}\n{odd:?}");
    }
}
