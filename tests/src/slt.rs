//! The expectations of `tests/slt/*.slt`, run over the wire in each way that a client may ask.
//!
//! Expectations were recorded from PostgreSQL 15 (`tests/slt/record.py`); a value is written as PostgreSQL prints it,
//! NULL as `NULL`, an empty text as `(empty)`.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use sqllogictest::{AsyncDB, DBOutput, DefaultColumnType, Runner};

use crate::{binary, wire};

/// How statements and values travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Simple,
    ExtendedText,
    ExtendedBinary,
}

/// One connection, as the runner wants it.
struct Connection {
    client: wire::Client,
    mode: Mode,
}

/// An error of the server, shown with its SQLSTATE.
#[derive(Debug)]
struct Failure(wire::Fault);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.state, self.0.message)
    }
}

impl std::error::Error for Failure {}

#[async_trait::async_trait]
impl AsyncDB for Connection {
    type Error = Failure;
    type ColumnType = DefaultColumnType;

    async fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, Failure> {
        let answer = match self.mode {
            Mode::Simple => self.client.query(sql).await,
            Mode::ExtendedText => self.client.extended(sql, 0).await,
            Mode::ExtendedBinary => self.client.extended(sql, 1).await,
        };
        if let Some(fault) = answer.fault {
            return Err(Failure(fault));
        }
        if answer.columns.is_empty() && answer.rows.is_empty() {
            return Ok(DBOutput::StatementComplete(0));
        }
        let types = vec![DefaultColumnType::Any; answer.columns.len()];
        let shown = |row: &Vec<Option<Bytes>>| {
            answer.columns.iter().zip(row).map(|(column, value)| show(column, value.as_ref())).collect()
        };
        Ok(DBOutput::Rows { types, rows: answer.rows.iter().map(shown).collect() })
    }

    async fn shutdown(&mut self) {
        self.client.finish().await;
    }

    fn engine_name(&self) -> &str {
        "lakegate"
    }

    fn error_sql_state(failure: &Failure) -> Option<String> {
        Some(failure.0.state.clone())
    }
}

/// The text of a record in one line.
fn statement(record: &sqllogictest::Record<DefaultColumnType>) -> Option<String> {
    match record {
        sqllogictest::Record::Statement { sql, .. } | sqllogictest::Record::Query { sql, .. } => {
            Some(sql.lines().collect::<Vec<_>>().join(" "))
        }
        _ => None,
    }
}

fn show(column: &wire::Column, value: Option<&Bytes>) -> String {
    let Some(value) = value else { return "NULL".into() };
    let text = match column.format {
        0 => String::from_utf8(value.to_vec()).unwrap(),
        _ => binary::text(column.oid, value),
    };
    if text.is_empty() { "(empty)".into() } else { text.replace('\n', "\\n") }
}

/// Every file of expectations, in order.
pub fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("slt");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "slt"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no .slt file");
    files
}

/// A statement that answers otherwise than PostgreSQL: its file, its text in one line.
pub type Key = (String, String);

/// Statements that are known to answer otherwise, with what is otherwise: a list that only shrinks.
pub fn known_differences() -> BTreeMap<Key, String> {
    let text = std::fs::read_to_string(differences_path()).unwrap();
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let parts: Vec<&str> = line.split('\t').collect();
            assert!(parts.len() == 3 && parts.iter().all(|part| !part.is_empty()), "differences.txt: {line}");
            ((parts[0].to_owned(), parts[1].to_owned()), parts[2].to_owned())
        })
        .collect()
}

/// Writes the list anew.
pub fn write_differences(differences: &BTreeMap<Key, String>) {
    let path = differences_path();
    let text = std::fs::read_to_string(&path).unwrap();
    let header = text.lines().filter(|line| line.starts_with('#')).map(|line| format!("{line}\n"));
    let lines = differences.iter().map(|((file, sql), what)| format!("{file}\t{sql}\t{what}\n"));
    std::fs::write(path, header.chain(lines).collect::<String>()).unwrap();
}

fn differences_path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("slt/differences.txt")
}

/// Runs every record of a file, and gives how many there were and which answer otherwise, each with the full report.
pub async fn run(addr: SocketAddr, mode: Mode, path: &Path) -> (usize, BTreeMap<Key, String>) {
    let file = path.file_name().unwrap().to_str().unwrap();
    let records = sqllogictest::parse_file::<DefaultColumnType>(path).unwrap();
    let mut runner =
        Runner::new(
            move || async move { Ok::<_, Failure>(Connection { client: wire::Client::login(addr).await, mode }) },
        );
    // Binary values do not show the session's time zone, nor the names behind object ids.
    if mode == Mode::ExtendedBinary {
        runner.add_label("binary");
    }
    let mut count = 0;
    let mut differences = BTreeMap::new();
    for record in records {
        let sql = statement(&record);
        count += usize::from(sql.is_some());
        if let Err(error) = runner.run_async(record).await {
            let key = (file.to_owned(), sql.unwrap_or_default());
            differences.insert(key, format!("{mode:?} {}", error.display(false)));
        }
    }
    runner.shutdown_async().await;
    (count, differences)
}
