//! One statement, many rows of parameters, two servers.
//!
//! Owns: the way of values to both servers, in batches, and what is told of differences: values by their bytes, errors by
//! their SQLSTATE.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use bytes::Bytes;

use super::Random;
use crate::wire::{Client, Message, message};

/// Rows on their way at once: few enough that no socket's buffer fills up while nobody reads.
const PIPELINE: usize = 64;
/// Values in one statement of ours, whose plan costs more than their reading.
const BATCH: usize = 64;
const EXAMPLES: usize = 6;

/// What makes the text of a parameter.
pub type Maker = fn(&mut Random) -> String;
/// The texts of a statement's parameters.
pub type Row = Vec<Option<Vec<u8>>>;
/// What a statement gave.
type Rows = Vec<Vec<Option<Bytes>>>;

/// A SQLSTATE, and of which texts.
pub type Newer = (&'static str, fn(&str) -> bool);

/// A statement whose parameters are random texts.
#[derive(Clone)]
pub struct Case {
    pub name: String,
    pub sql: String,
    pub makers: Vec<Maker>,
    /// SQLSTATEs with which ours may refuse what PostgreSQL can do; a wrong value is never allowed.
    pub refusals: &'static [&'static str],
    /// Texts that PostgreSQL 16, which ours is, refuses with this SQLSTATE while an older oracle still takes them.
    pub newer: Option<Newer>,
    /// Whether zeros at the end of a fraction count not: a column of numerics has one scale here, in PostgreSQL each value.
    pub any_scale: bool,
}

/// What one row gave.
#[derive(Clone, PartialEq, Eq)]
pub enum Outcome {
    Value(Vec<Option<Bytes>>),
    Fault { state: String, message: String },
}

/// PostgreSQL and ours, each on a connection of its own.
pub struct Pair {
    pub theirs: Client,
    pub ours: Client,
}

/// The differences of one case.
#[derive(Default)]
pub struct Report {
    pub rows: usize,
    pub refused: usize,
    pub wrong: usize,
    kinds: BTreeMap<(String, String), (usize, Vec<String>)>,
}

impl Outcome {
    fn of(messages: &[Message]) -> Self {
        if let Some(fault) = messages.iter().filter(|message| message.tag == b'E').find_map(Message::fault) {
            return Self::Fault { state: fault.state, message: fault.message };
        }
        let row = messages.iter().find(|message| message.tag == b'D').map(Message::values);
        Self::Value(row.unwrap_or_default())
    }

    fn kind(&self) -> String {
        match self {
            Self::Value(_) => "a value".to_owned(),
            Self::Fault { state, .. } => state.clone(),
        }
    }

    fn shown(&self) -> String {
        match self {
            Self::Value(values) => values.iter().map(|value| shown(value.as_deref())).collect::<Vec<_>>().join(" | "),
            Self::Fault { state, message } => format!("{state}: {message}"),
        }
    }

    /// Whether ours is PostgreSQL's answer. Its internal errors are no interface: any other error will do.
    fn agrees(&self, ours: &Self, any_scale: bool) -> bool {
        match (self, ours) {
            (Self::Fault { state: theirs, .. }, Self::Fault { state: ours, .. }) => theirs == ours || theirs == "XX000",
            (Self::Value(theirs), Self::Value(ours)) if any_scale => {
                theirs.len() == ours.len()
                    && theirs.iter().zip(ours).all(|(theirs, ours)| match (theirs, ours) {
                        (Some(theirs), Some(ours)) => without_zeros(theirs) == without_zeros(ours),
                        (theirs, ours) => theirs == ours,
                    })
            }
            (theirs, ours) => theirs == ours,
        }
    }
}

/// The numbers of a text without the zeros at the end of their fractions.
fn without_zeros(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let is_number = |c: char| c.is_ascii_digit() || c == '.';
    let mut parts = Vec::new();
    for part in text.split_inclusive(|c| !is_number(c)) {
        let (number, end) = part.split_at(part.trim_end_matches(|c| !is_number(c)).len());
        let number = if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number };
        parts.push(format!("{number}{end}"));
    }
    parts.concat()
}

fn shown(value: Option<&[u8]>) -> String {
    match value {
        None => "NULL".to_owned(),
        Some(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) if !text.contains(|c: char| c.is_control()) => format!("'{text}'"),
            _ => bytes.iter().fold("0x".to_owned(), |mut hex, byte| {
                let _ = write!(hex, "{byte:02x}");
                hex
            }),
        },
    }
}

impl Pair {
    /// Runs a command on both, which must succeed.
    pub async fn run(&mut self, sql: &str) {
        for client in [&mut self.theirs, &mut self.ours] {
            let answer = client.query(sql).await;
            assert!(answer.fault.is_none(), "{sql}: {:?}", answer.fault);
        }
    }

    /// Executes the statement once for every row; parameters and results are in these formats.
    pub async fn execute(&mut self, case: &Case, rows: &[Row], formats: [i16; 2], report: &mut Report) {
        let theirs = pipelined(&mut self.theirs, &case.sql, rows, formats).await;
        let ours = pipelined(&mut self.ours, &case.sql, rows, formats).await;
        for ((row, theirs), ours) in rows.iter().zip(&theirs).zip(&ours) {
            report.add(case, row, theirs, ours);
        }
    }

    /// Executes `SELECT $1::type` for every row: PostgreSQL once each, ours many values at a time where PostgreSQL has a
    /// value, and one by one where a batch or PostgreSQL fails. Gives the answers of both.
    pub async fn values(
        &mut self,
        case: &Case,
        rows: &[Row],
        formats: [i16; 2],
        report: &mut Report,
    ) -> Vec<[Outcome; 2]> {
        let theirs = pipelined(&mut self.theirs, &case.sql, rows, formats).await;
        let (good, bad): (Vec<usize>, Vec<usize>) =
            (0..rows.len()).partition(|at| matches!(theirs[*at], Outcome::Value(_)));
        let mut ours: Vec<Option<Outcome>> = vec![None; rows.len()];
        let mut parts: Vec<&[usize]> = good.chunks(BATCH).rev().collect();
        let mut alone = bad;
        while let Some(part) = parts.pop() {
            let row: Row = part.iter().map(|at| rows[*at][0].clone()).collect();
            let columns =
                (1..=part.len()).map(|at| case.sql.trim_start_matches("SELECT ").replace("$1", &format!("${at}")));
            let sql = format!("SELECT {}", columns.collect::<Vec<_>>().join(", "));
            match pipelined(&mut self.ours, &sql, &[row], formats).await.pop() {
                Some(Outcome::Value(values)) if values.len() == part.len() => {
                    for (at, value) in part.iter().zip(values) {
                        ours[*at] = Some(Outcome::Value(vec![value]));
                    }
                }
                _ if part.len() <= 4 => alone.extend(part),
                _ => {
                    let (left, right) = part.split_at(part.len() / 2);
                    parts.extend([right, left]);
                }
            }
        }
        let singles: Vec<Row> = alone.iter().map(|at| rows[*at].clone()).collect();
        for (at, outcome) in alone.iter().zip(pipelined(&mut self.ours, &case.sql, &singles, formats).await) {
            ours[*at] = Some(outcome);
        }
        let mut outcomes = Vec::with_capacity(rows.len());
        for ((row, theirs), ours) in rows.iter().zip(theirs).zip(ours) {
            let ours = ours.unwrap();
            report.add(case, row, &theirs, &ours);
            outcomes.push([theirs, ours]);
        }
        outcomes
    }

    /// Runs the statement once over all rows as arrays of text; where that fails, over halves of them.
    ///
    /// The statement takes an array of texts for each parameter, and gives one row for each of their elements.
    pub async fn column(&mut self, case: &Case, rows: &[Row], format: i16, report: &mut Report) {
        let mut parts = vec![(rows, None)];
        while let Some((part, known)) = parts.pop() {
            let arrays: Vec<Vec<u8>> = (0..case.makers.len()).map(|at| text_array(part, at)).collect();
            let theirs = match known {
                Some(known) => Ok(known),
                None => whole(&mut self.theirs, &case.sql, &arrays, format).await,
            };
            let ours = whole(&mut self.ours, &case.sql, &arrays, format).await;
            match (theirs, ours) {
                (Ok(theirs), Ok(ours)) => {
                    assert_eq!(theirs.len(), part.len(), "{}", case.sql);
                    assert_eq!(ours.len(), part.len(), "{}", case.sql);
                    for ((row, theirs), ours) in part.iter().zip(theirs).zip(ours) {
                        report.add(case, row, &Outcome::Value(theirs), &Outcome::Value(ours));
                    }
                }
                (theirs, ours) if part.len() == 1 => {
                    let outcome = |answer: Result<Rows, Outcome>| match answer {
                        Ok(mut rows) => Outcome::Value(rows.pop().unwrap_or_default()),
                        Err(fault) => fault,
                    };
                    report.add(case, &part[0], &outcome(theirs), &outcome(ours));
                }
                (theirs, _) => {
                    let (left, right) = part.split_at(part.len() / 2);
                    let (theirs, rest) = match theirs {
                        Ok(mut theirs) => {
                            let rest = theirs.split_off(left.len());
                            (Some(theirs), Some(rest))
                        }
                        Err(_) => (None, None),
                    };
                    parts.extend([(right, rest), (left, theirs)]);
                }
            }
        }
    }

    /// Runs one statement of the simple protocol for every row, its parameters written in as literals.
    pub async fn literals(&mut self, case: &Case, rows: &[Row], report: &mut Report) {
        for row in rows {
            let mut sql = case.sql.clone();
            for (at, value) in row.iter().enumerate().rev() {
                let literal = match value {
                    Some(text) => quoted(std::str::from_utf8(text).unwrap()),
                    None => "NULL".to_owned(),
                };
                sql = sql.replace(&format!("${}", at + 1), &literal);
            }
            let mut outcomes = Vec::new();
            for client in [&mut self.theirs, &mut self.ours] {
                client.send(&message::query(&sql)).await;
                outcomes.push(Outcome::of(&client.until_ready().await));
            }
            report.add(case, row, &outcomes[0], &outcomes[1]);
        }
    }
}

/// A string literal of any characters.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

async fn pipelined(client: &mut Client, sql: &str, rows: &[Row], formats: [i16; 2]) -> Vec<Outcome> {
    client.send(&[message::parse("s", sql, &[]), message::sync()].concat()).await;
    let parsed = Outcome::of(&client.until_ready().await);
    if let Outcome::Fault { .. } = parsed {
        return vec![parsed; rows.len()];
    }
    let mut outcomes = Vec::with_capacity(rows.len());
    for part in rows.chunks(PIPELINE) {
        let mut bytes = Vec::new();
        for row in part {
            let values: Vec<Option<&[u8]>> = row.iter().map(Option::as_deref).collect();
            bytes.extend(message::bind("", "s", &[formats[0]], &values, &[formats[1]]));
            bytes.extend(message::execute("", 0));
            bytes.extend(message::sync());
        }
        client.send(&bytes).await;
        for _ in part {
            outcomes.push(Outcome::of(&client.until_ready().await));
        }
    }
    client.send(&[message::close(b'S', "s"), message::sync()].concat()).await;
    client.until_ready().await;
    outcomes
}

async fn whole(client: &mut Client, sql: &str, arrays: &[Vec<u8>], format: i16) -> Result<Rows, Outcome> {
    let values: Vec<Option<&[u8]>> = arrays.iter().map(|array| Some(array.as_slice())).collect();
    let mut bytes = message::parse("", sql, &[]);
    bytes.extend(message::bind("", "", &[1], &values, &[format]));
    bytes.extend(message::execute("", 0));
    bytes.extend(message::sync());
    client.send(&bytes).await;
    let messages = client.until_ready().await;
    match Outcome::of(&messages) {
        Outcome::Value(_) => Ok(messages.iter().filter(|message| message.tag == b'D').map(Message::values).collect()),
        fault => Err(fault),
    }
}

/// The binary form of `text[]`.
fn text_array(rows: &[Row], at: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for number in [1, 1, 25, i32::try_from(rows.len()).unwrap(), 1] {
        bytes.extend(number.to_be_bytes());
    }
    for row in rows {
        match &row[at] {
            Some(text) => {
                bytes.extend(i32::try_from(text.len()).unwrap().to_be_bytes());
                bytes.extend(text);
            }
            None => bytes.extend((-1_i32).to_be_bytes()),
        }
    }
    bytes
}

impl Case {
    /// A row of random texts; one value in thirty is null.
    pub fn row(&self, random: &mut Random) -> Row {
        self.makers.iter().map(|make| (!random.one_in(30)).then(|| make(random).into_bytes())).collect()
    }
}

impl Report {
    fn add(&mut self, case: &Case, row: &Row, theirs: &Outcome, ours: &Outcome) {
        self.rows += 1;
        if theirs.agrees(ours, case.any_scale) {
            return;
        }
        let is_newer = |state: &str| {
            let has = |is: fn(&str) -> bool| row.iter().flatten().any(|value| is(&String::from_utf8_lossy(value)));
            case.newer.is_some_and(|(newer, is)| newer == state && has(is))
        };
        // What ours cannot hold it may refuse as such, whatever PostgreSQL would have said of the number itself.
        if let Outcome::Fault { state, .. } = ours
            && (case.refusals.contains(&state.as_str()) || is_newer(state))
        {
            self.refused += 1;
            return;
        }
        self.wrong += 1;
        let (count, examples) = self.kinds.entry((theirs.kind(), ours.kind())).or_default();
        *count += 1;
        if examples.len() < EXAMPLES {
            let given: Vec<String> = row.iter().map(|value| shown(value.as_deref())).collect();
            examples.push(format!(
                "{}\n        PostgreSQL {}\n        ours       {}",
                given.join(", "),
                theirs.shown(),
                ours.shown()
            ));
        }
    }

    /// What differs, for a person; empty if nothing does.
    pub fn told(&self, case: &Case) -> String {
        let mut text = String::new();
        for ((theirs, ours), (count, examples)) in &self.kinds {
            let _ = writeln!(
                text,
                "{}: {}\n  {count} of {} rows: PostgreSQL {theirs}, ours {ours}",
                case.name, case.sql, self.rows
            );
            for example in examples {
                let _ = writeln!(text, "    {example}");
            }
        }
        text
    }
}
