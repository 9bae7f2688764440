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

use crate::{binary, flight, wire};

/// How statements and values travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Simple,
    ExtendedText,
    ExtendedBinary,
    Flight,
}

/// One connection, as the runner wants it.
struct Connection {
    client: Client,
    mode: Mode,
}

enum Client {
    Wire(Box<wire::Client>),
    Flight(Box<flight::Client>),
}

/// An error of the server, shown with its SQLSTATE.
#[derive(Debug)]
struct Failure {
    state: String,
    message: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.state, self.message)
    }
}

impl std::error::Error for Failure {}

#[async_trait::async_trait]
impl AsyncDB for Connection {
    type Error = Failure;
    type ColumnType = DefaultColumnType;

    async fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, Failure> {
        match &mut self.client {
            Client::Wire(client) => over_wire(client, self.mode, sql).await,
            Client::Flight(client) => over_flight(client, sql).await,
        }
    }

    async fn shutdown(&mut self) {
        if let Client::Wire(client) = &mut self.client {
            client.finish().await;
        }
    }

    fn engine_name(&self) -> &str {
        "lakegate"
    }

    fn error_sql_state(failure: &Failure) -> Option<String> {
        Some(failure.state.clone())
    }
}

async fn over_wire(client: &mut wire::Client, mode: Mode, sql: &str) -> Result<DBOutput<DefaultColumnType>, Failure> {
    let answer = match mode {
        Mode::Simple => client.query(sql).await,
        Mode::ExtendedText => client.extended(sql, 0).await,
        Mode::ExtendedBinary | Mode::Flight => client.extended(sql, 1).await,
    };
    if let Some(fault) = answer.fault {
        return Err(Failure { state: fault.state, message: fault.message });
    }
    let shown = |row: &Vec<Option<Bytes>>| {
        answer.columns.iter().zip(row).map(|(column, value)| show(column, value.as_ref())).collect()
    };
    Ok(output(answer.columns.len(), answer.rows.iter().map(shown).collect()))
}

async fn over_flight(client: &mut flight::Client, sql: &str) -> Result<DBOutput<DefaultColumnType>, Failure> {
    let rows = client
        .query(sql)
        .await
        .map_err(|status| Failure { state: flight::state(&status).to_owned(), message: status.message().to_owned() })?;
    let shown = |text: Option<String>| text.map_or("NULL".into(), |text| one_line(&text));
    let rows_of = |batch| flight::texts(batch).into_iter().map(|row| row.into_iter().map(shown).collect());
    Ok(output(rows.schema.fields().len(), rows.batches.iter().flat_map(rows_of).collect()))
}

fn output(columns: usize, rows: Vec<Vec<String>>) -> DBOutput<DefaultColumnType> {
    if columns == 0 && rows.is_empty() {
        return DBOutput::StatementComplete(0);
    }
    DBOutput::Rows { types: vec![DefaultColumnType::Any; columns], rows }
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
    one_line(&text)
}

fn one_line(text: &str) -> String {
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
    let mut runner = Runner::new(move || async move {
        let client = match mode {
            Mode::Flight => Client::Flight(Box::new(flight::Client::login(addr).await)),
            _ => Client::Wire(Box::new(wire::Client::login(addr).await)),
        };
        Ok::<_, Failure>(Connection { client, mode })
    });
    // Binary values, and those of Arrow, do not show the session's time zone, nor the names behind object ids.
    if matches!(mode, Mode::ExtendedBinary | Mode::Flight) {
        runner.add_label("binary");
    }
    if mode == Mode::Flight {
        runner.add_label("flight");
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
