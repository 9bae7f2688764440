//! Random values and calls, answered by a real PostgreSQL and by ours with the same bytes and the same SQLSTATEs.
//!
//! `LAKEGATE_POSTGRES` names the folder of PostgreSQL's programs; without it nothing runs. Settings:
//! `LAKEGATE_DIFFERENTIAL_ROWS` is the number of values of a type (100,000 take minutes), `LAKEGATE_DIFFERENTIAL_SEED`
//! repeats a run, `LAKEGATE_DIFFERENTIAL_ONLY` names cases by a part of their names, and `LAKEGATE_DIFFERENTIAL_SERVER` is
//! the address of a server of ours to ask in the place of one in this process: that of a release build is much faster.

use std::time::Instant;

use lakegate_tests::differential::compare::{Maker, Newer, Outcome, Report, Row};
use lakegate_tests::differential::moments::{self, SESSION_ZONES};
use lakegate_tests::differential::{Case, Pair, Random, numbers, texts};
use lakegate_tests::postgres::Postgres;
use lakegate_tests::wire::Client;
use lakegate_tests::{Lake, TestServer};

#[path = "differential_calls.rs"]
mod calls;

/// What CI has time for, and the seed that it repeats.
const ROWS: usize = 40;
const SEED: u64 = 1;
/// Rows between two changes of the session's settings.
const CHUNK: usize = 1_000;
/// From so many rows on, texts that both refuse as parameters are cast only once in a while: each needs its own plan.
const MANY: usize = 10_000;
const SELDOM: usize = 10;

struct Run {
    pair: Pair,
    seed: u64,
    rows: usize,
    wrong: String,
    _kept: (Postgres, Option<TestServer>),
}

fn setting<T: std::str::FromStr>(name: &str) -> Option<T> {
    std::env::var(format!("LAKEGATE_DIFFERENTIAL_{name}")).ok().and_then(|value| value.parse().ok())
}

impl Run {
    async fn start() -> Option<Self> {
        let postgres = Postgres::start().await?;
        let (ours, server) = match setting("SERVER") {
            Some(addr) => (Client::login(addr).await, None),
            None => {
                let server = TestServer::start(&Lake::default()).await;
                (server.wire().await, Some(server))
            }
        };
        let pair = Pair { theirs: postgres.wire().await, ours };
        let seed = setting("SEED").unwrap_or(SEED);
        println!("LAKEGATE_DIFFERENTIAL_SEED={seed}");
        let rows = setting("ROWS").unwrap_or(ROWS);
        Some(Self { pair, seed, rows, wrong: String::new(), _kept: (postgres, server) })
    }

    /// Whether the case is asked for; its random numbers do not depend on those before it.
    fn wants(&self, name: &str) -> Option<Random> {
        let only: Option<String> = setting("ONLY");
        let salt = name.bytes().fold(0_u64, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte.into()));
        only.is_none_or(|part| name.contains(&part)).then(|| Random::new(self.seed ^ salt))
    }

    fn tell(&mut self, case: &Case, report: &Report, started: Instant) {
        let seconds = started.elapsed().as_secs_f32();
        println!(
            "{}: {} rows, {} refused, {} wrong, {seconds:.1} s",
            case.name, report.rows, report.refused, report.wrong
        );
        let told = report.told(case);
        print!("{told}");
        self.wrong.push_str(&told);
    }

    fn end(self) {
        assert!(self.wrong.is_empty(), "LAKEGATE_DIFFERENTIAL_SEED={}\n{}", self.seed, self.wrong);
    }

    async fn restyle(&mut self, random: &mut Random) {
        let zone = random.pick(&SESSION_ZONES);
        let dates =
            random.pick(&["ISO, MDY", "ISO, MDY", "ISO, DMY", "ISO, YMD", "SQL, DMY", "Postgres, MDY", "German"]);
        let spans = random.pick(&["postgres", "postgres", "iso_8601", "sql_standard", "postgres_verbose"]);
        let floats = random.pick(&[1, 1, 1, 0, -2, 3]);
        let bytes = random.pick(&["hex", "escape"]);
        let sql = format!(
            "SET TimeZone = '{zone}'; SET DateStyle = '{dates}'; SET IntervalStyle = '{spans}'; \
             SET extra_float_digits = {floats}; SET bytea_output = '{bytes}'"
        );
        self.pair.run(&sql).await;
    }
}

/// A type as a cast names it, what makes its texts, and with which SQLSTATEs ours may refuse what Arrow cannot hold.
type Type = (&'static str, Maker, &'static [&'static str]);

/// More digits than Arrow's decimals have; NaN and the infinities.
const DIGITS: &[&str] = &["0A000"];
/// Arrays of more dimensions than a column's type has, or that do not begin at 1.
const DIMENSIONS: &[&str] = &["0A000"];
/// Spans of more than 292 years without months and days: Arrow counts nanoseconds.
const SPANS: &[&str] = &["22008", "22015", "0A000"];
/// The years 294247 to 294276: PostgreSQL counts microseconds from 2000, Arrow from 1970.
const FAR: &[&str] = &["22008"];
/// Arrays of those.
const FAR_OR_DIMENSIONS: &[&str] = &["0A000", "22008"];

const TYPES: &[Type] = &[
    ("bool", numbers::boolean, &[]),
    ("int2", numbers::small, &[]),
    ("int4", numbers::middle, &[]),
    ("int8", numbers::integer, &[]),
    ("float4", numbers::single, &[]),
    ("float8", numbers::double, &[]),
    ("numeric", numbers::numeric, DIGITS),
    ("numeric(12,3)", numbers::numeric, DIGITS),
    ("money", numbers::money, &[]),
    ("text", texts::text, &[]),
    ("varchar", texts::text, &[]),
    ("varchar(3)", texts::text, &[]),
    ("bpchar", texts::text, &[]),
    ("char(4)", texts::text, &[]),
    ("name", texts::text, &[]),
    ("bytea", texts::bytea, &[]),
    ("uuid", texts::uuid, &[]),
    ("json", texts::json, &[]),
    ("jsonb", texts::json, &[]),
    ("date", moments::date, &[]),
    ("time", moments::time, &[]),
    ("time(2)", moments::time, &[]),
    ("timetz", moments::timetz, &[]),
    ("timestamp", moments::timestamp, FAR),
    ("timestamp(1)", moments::timestamp, FAR),
    ("timestamptz", moments::timestamp, FAR),
    ("timestamptz(0)", moments::timestamp, FAR),
    ("interval", moments::interval, SPANS),
    ("bool[]", |random| texts::array(random, numbers::boolean), DIMENSIONS),
    ("int4[]", |random| texts::array(random, numbers::middle), DIMENSIONS),
    ("int8[]", |random| texts::array(random, numbers::integer), DIMENSIONS),
    ("float8[]", |random| texts::array(random, numbers::double), DIMENSIONS),
    ("text[]", |random| texts::array(random, texts::text), DIMENSIONS),
    ("varchar[]", |random| texts::array(random, texts::text), DIMENSIONS),
    ("bytea[]", |random| texts::array(random, texts::bytea), DIMENSIONS),
    ("uuid[]", |random| texts::array(random, texts::uuid), DIMENSIONS),
    ("jsonb[]", |random| texts::array(random, texts::json), DIMENSIONS),
    ("date[]", |random| texts::array(random, moments::date), DIMENSIONS),
    ("timestamp[]", |random| texts::array(random, moments::timestamp), FAR_OR_DIMENSIONS),
    ("timestamptz[]", |random| texts::array(random, moments::timestamp), FAR_OR_DIMENSIONS),
    ("interval[]", |random| texts::array(random, moments::interval), SPANS),
];

fn case(way: &str, name: &str, sql: String, make: Maker, refusals: &'static [&'static str]) -> Case {
    let any_scale = name.starts_with("numeric") && (way == "column" || name.ends_with("[]"));
    let is_moment = ["date", "time"].iter().any(|moment| name.starts_with(moment));
    let newer: Option<Newer> = match name {
        _ if is_moment => Some(("22007", names_nothing)),
        _ if ["int2", "int4", "int8"].iter().any(|integer| name.starts_with(integer)) => Some(("22P02", one_too_many)),
        _ if name.starts_with("numeric") => Some(("22P02", blank_exponent)),
        _ => None,
    };
    Case { name: format!("{way} {name}"), sql, makers: vec![make], refusals, newer, any_scale }
}

fn words(text: &str) -> impl DoubleEndedIterator<Item = String> {
    text.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| !word.is_empty()).map(str::to_ascii_lowercase)
}

/// Whether a text of a moment has what older servers read over: a unit (`3:28 m`), a `j` at the end that labels nothing,
/// or anything beside a word that is a whole moment (`infinity0`).
fn names_nothing(text: &str) -> bool {
    let is_unit = |word: String| ["y", "m", "d", "h", "mm", "s"].contains(&word.as_str());
    let is_label = |word: String| ["j", "jd", "julian"].contains(&word.as_str());
    let is_whole = |word: String| ["infinity", "epoch"].contains(&word.as_str());
    let has_number = text.contains(|c: char| c.is_ascii_digit());
    let ends_with_word = text.trim_end_matches(|c: char| !c.is_alphanumeric()).ends_with(|c: char| c.is_alphabetic());
    words(text).any(is_unit)
        || (ends_with_word && words(text).next_back().is_some_and(is_label))
        || (has_number && words(text).any(is_whole))
}

/// Whether a number has the one last digit that PostgreSQL 16 refuses only when nothing follows it (`32769x`).
fn one_too_many(text: &str) -> bool {
    ["32769", "2147483649", "9223372036854775809"].iter().any(|number| text.contains(number))
}

/// Whether blanks stand between `e` and the exponent of a number (`1e 2`): PostgreSQL 16 reads none there.
fn blank_exponent(text: &str) -> bool {
    text.to_ascii_lowercase().split_once('e').is_some_and(|(_, power)| power.starts_with(char::is_whitespace))
}

/// The bytes, or what a careless client might make of them.
fn damaged(random: &mut Random, bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    match random.below(12) {
        0 => bytes.truncate(random.below(bytes.len() + 1)),
        1 => bytes.push(0),
        2 | 3 if !bytes.is_empty() => {
            let at = random.below(bytes.len());
            bytes[at] ^= 1 << random.below(8);
        }
        _ => {}
    }
    bytes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_value_is_read_and_shown_as_postgres_does() {
    let Some(mut run) = Run::start().await else { return };
    for (name, make, refusals) in TYPES {
        let Some(mut random) = run.wants(&format!("parameter {name}")) else { continue };
        let parameter = case("parameter", name, format!("SELECT $1::{name}"), *make, refusals);
        let echo = case("binary", name, format!("SELECT $1::{name}"), *make, refusals);
        let literal = case("literal", name, format!("SELECT $1::{name}, $1::{name}::text"), *make, refusals);
        let cast = case("cast", name, format!("SELECT $1::text::{name}"), *make, refusals);
        let column = case(
            "column",
            name,
            format!("SELECT x::{name}, x::{name}::text FROM unnest($1::text[]) t(x)"),
            *make,
            refusals,
        );
        let mut reports: [Report; 5] = Default::default();
        let started = Instant::now();
        let mut left = run.rows;
        while left > 0 {
            run.restyle(&mut random).await;
            let rows: Vec<Row> = (0..left.min(CHUNK)).map(|_| parameter.row(&mut random)).collect();
            left -= rows.len();
            let outcomes = run.pair.values(&parameter, &rows, [0, 1], &mut reports[0]).await;
            let (mut good, mut bad, mut bytes) = (Vec::new(), Vec::new(), Vec::new());
            for (row, [theirs, ours]) in rows.iter().zip(outcomes) {
                match theirs {
                    Outcome::Value(mut values) => {
                        // A value that ours refuses fails every column that it is in: once in a while will do.
                        if matches!(ours, Outcome::Value(_)) || random.one_in(SELDOM) {
                            good.push(row.clone());
                        }
                        bytes.push(vec![values.pop().flatten().map(|value| damaged(&mut random, &value))]);
                    }
                    Outcome::Fault { .. } if run.rows < MANY || random.one_in(SELDOM) => bad.push(row.clone()),
                    Outcome::Fault { .. } => {}
                }
            }
            run.pair.values(&echo, &bytes, [1, 0], &mut reports[1]).await;
            let some: Vec<Row> = rows.iter().step_by(if run.rows < MANY { 20 } else { 100 }).cloned().collect();
            run.pair.literals(&literal, &some, &mut reports[2]).await;
            run.pair.execute(&cast, &bad, [0, 0], &mut reports[3]).await;
            let format = i16::from(random.one_in(2) && !column.any_scale);
            run.pair.column(&column, &good, format, &mut reports[4]).await;
        }
        for (case, report) in [parameter, echo, literal, cast, column].iter().zip(&reports) {
            run.tell(case, report, started);
        }
    }
    run.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_call_answers_as_postgres_does() {
    let Some(mut run) = Run::start().await else { return };
    for case in calls::all() {
        let Some(mut random) = run.wants(&case.name) else { continue };
        let mut report = Report::default();
        let started = Instant::now();
        let mut left = run.rows.div_ceil(3);
        while left > 0 {
            let zone = random.pick(&SESSION_ZONES);
            run.pair.run(&format!("SET TimeZone = '{zone}'")).await;
            let rows: Vec<Row> = (0..left.min(CHUNK)).map(|_| case.row(&mut random)).collect();
            left -= rows.len();
            run.pair.execute(&case, &rows, [0, 0], &mut report).await;
        }
        let open = calls::OPEN
            .iter()
            .find(|(begin, _)| case.name.strip_prefix("call ").is_some_and(|call| call.starts_with(begin)));
        match open {
            Some((_, why)) => {
                println!("OPEN {}: {} of {} rows: {why}", case.name, report.wrong, report.rows);
                if setting::<String>("ONLY").is_some() {
                    print!("{}", report.told(&case));
                }
            }
            None => run.tell(&case, &report, started),
        }
    }
    run.end();
}
