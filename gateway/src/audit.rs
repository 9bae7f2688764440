//! The audit: a record of each statement that has ended and of each login, in the log with the target `audit`.
//!
//! Owns: that a record holds up nobody. Records wait in a queue for a thread that writes them; one for which there is no room is
//! lost, and the log says how many are. Must never hold: a password, a parameter, and a literal only where it is asked for.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use crate::config;
use crate::error::{Error, Result, SqlState};

/// Records that wait to be written.
const WAITING_MAX: usize = 8192;

pub struct Audit {
    config: config::Audit,
    /// `None` at the end: then the thread ends too.
    queue: Option<SyncSender<Record>>,
    lost: Arc<AtomicU64>,
    writer: Option<JoinHandle<()>>,
}

pub(crate) enum Record {
    Statement(Box<Statement>),
    Login(Login),
}

/// What a statement was, and how it ended.
#[derive(Debug, Default)]
pub(crate) struct Statement {
    pub id: i64,
    pub session: i32,
    pub role: String,
    pub protocol: &'static str,
    pub client: Option<String>,
    pub facts: Facts,
    pub rows: u64,
    pub bytes_sent: u64,
    pub bytes_read: u64,
    pub elapsed_ms: u64,
    pub sqlstate: &'static str,
    pub text: Arc<str>,
}

/// What is known of a statement once it is planned.
#[derive(Debug, Default, Clone)]
pub(crate) struct Facts {
    pub kind: String,
    /// Relations as the statement names them, by their full names.
    pub reads: Vec<String>,
    pub writes: Vec<String>,
    /// Row policies that were put over what is read or written, each with its relation.
    pub policies: Vec<String>,
}

pub(crate) struct Login {
    role: String,
    protocol: &'static str,
    client: IpAddr,
    sqlstate: &'static str,
}

impl Audit {
    /// `None` where nothing is asked for.
    pub fn start(config: &config::Audit, database: &str) -> Result<Option<Arc<Self>>> {
        if config.level == config::AuditLevel::Off {
            return Ok(None);
        }
        let (queue, records) = sync_channel(WAITING_MAX);
        let lost = Arc::new(AtomicU64::new(0));
        let (database, with_text, of_writer) = (database.to_owned(), config.statements, Arc::clone(&lost));
        let work = move || write(&records, &database, with_text, &of_writer);
        let writer = std::thread::Builder::new().name("audit".to_owned()).spawn(work).map_err(Error::internal)?;
        Ok(Some(Arc::new(Self { config: config.clone(), queue: Some(queue), lost, writer: Some(writer) })))
    }

    pub(crate) fn statement(&self, statement: Statement) {
        if self.config.level == config::AuditLevel::All || statement.facts.changes() {
            self.put(Record::Statement(Box::new(statement)));
        }
    }

    /// Somebody has proven to be a role, or why not.
    pub(crate) fn login(&self, role: &str, (protocol, client): (&'static str, IpAddr), end: Option<SqlState>) {
        let sqlstate = end.map_or("00000", SqlState::code);
        self.put(Record::Login(Login { role: role.to_owned(), protocol, client, sqlstate }));
    }

    fn put(&self, record: Record) {
        if self.queue.as_ref().is_none_or(|queue| queue.try_send(record).is_err()) {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Audit {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(writer) = self.writer.take() {
            // What waits is written before the process ends.
            let _ = writer.join();
        }
    }
}

impl Facts {
    /// Of one that was not planned its first word is known.
    pub(crate) fn of_text(text: &str) -> Self {
        let word: String = text.chars().take_while(char::is_ascii_alphabetic).take(16).collect();
        Self { kind: word.to_ascii_uppercase(), ..Self::default() }
    }

    /// Whether the statement changes the lake, or was meant to.
    fn changes(&self) -> bool {
        let first = self.kind.split(' ').next().unwrap_or_default();
        let is_change = matches!(
            first,
            "INSERT"
                | "UPDATE"
                | "DELETE"
                | "MERGE"
                | "TRUNCATE"
                | "COPY"
                | "CREATE"
                | "ALTER"
                | "DROP"
                | "GRANT"
                | "REVOKE"
                | "COMMENT"
                | "REFRESH"
                | "OPTIMIZE"
                | "VACUUM"
        );
        !self.writes.is_empty() || (is_change && self.kind != COPY_TO_STDOUT)
    }
}

/// The kind of a COPY that only reads.
pub(crate) const COPY_TO_STDOUT: &str = "COPY TO STDOUT";

fn write(records: &Receiver<Record>, database: &str, with_text: bool, lost: &AtomicU64) {
    for record in records {
        let count = lost.swap(0, Ordering::Relaxed);
        if count > 0 {
            tracing::warn!(target: "audit", count, "records were lost");
        }
        match record {
            Record::Login(login) => {
                let (role, protocol, client, sqlstate) = (&login.role, login.protocol, login.client, login.sqlstate);
                tracing::info!(target: "audit", %role, protocol, %client, database, sqlstate, "login");
            }
            Record::Statement(statement) => {
                let Facts { kind, reads, writes, policies } = &statement.facts;
                let list = |names: &[String]| names.join(", ");
                tracing::info!(
                    target: "audit",
                    id = statement.id,
                    session = statement.session,
                    role = %statement.role,
                    protocol = statement.protocol,
                    client = statement.client,
                    database,
                    kind = %kind,
                    reads = %list(reads),
                    writes = %list(writes),
                    policies = %list(policies),
                    rows = statement.rows,
                    bytes_sent = statement.bytes_sent,
                    bytes_read = statement.bytes_read,
                    elapsed_ms = statement.elapsed_ms,
                    sqlstate = statement.sqlstate,
                    statement = with_text.then_some(&*statement.text),
                    "statement"
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_that_change_are_told_from_those_that_read() {
        for (text, changes) in [
            ("INSERT INTO t VALUES ('secret')", true),
            ("drop table t", true),
            ("SELECT 'secret'", false),
            ("'secret'", false),
            ("/* x */ SELECT 1", false),
        ] {
            let facts = Facts::of_text(text);
            assert!(facts.changes() == changes && !facts.kind.contains("SECRET"), "{text}: {facts:?}");
        }
        let read = Facts { kind: COPY_TO_STDOUT.to_owned(), ..Facts::default() };
        let written = Facts { kind: "SELECT".to_owned(), writes: vec!["s.t".to_owned()], ..Facts::default() };
        assert!(!read.changes() && written.changes());
    }

    #[test]
    fn a_full_queue_loses_records_and_holds_up_nobody() {
        let (queue, records) = sync_channel(1);
        let config = config::Audit { level: config::AuditLevel::All, statements: false };
        let audit = Audit { config, queue: Some(queue), lost: Arc::default(), writer: None };
        (0..3).for_each(|_| audit.statement(Statement::default()));
        assert_eq!((audit.lost.load(Ordering::Relaxed), records.try_iter().count()), (2, 1));
    }
}
