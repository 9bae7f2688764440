//! Prepared statements of one session: those of PREPARE and those of a protocol, which share their names.
//!
//! Owns: their names, their number and their size. Must never know: how a protocol describes them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::SystemTime;

use crate::engine::Prepared;
use crate::error::{Error, Result, SqlState};

const STATEMENTS_MAX: usize = 1024;
/// Texts of the prepared statements of one session, together.
const TEXT_BYTES_MAX: usize = 16 << 20;

/// A statement under a name. The unnamed one of a protocol has the empty name, which SQL cannot write.
#[derive(Clone)]
pub struct NamedStatement {
    /// `None` for an empty text, which a protocol may bind and execute too.
    pub prepared: Option<Arc<Prepared>>,
    /// The parameter types that the client declared (`pg_type.oid`, 0 for none); PREPARE resolves them by itself.
    pub declared: Vec<u32>,
    pub text_bytes: usize,
    pub prepared_at: SystemTime,
    /// By PREPARE, not by a protocol.
    pub from_sql: bool,
}

#[derive(Default)]
pub struct Statements(HashMap<String, NamedStatement>);

impl Statements {
    /// Unknown: 26000.
    pub fn get(&self, name: &str) -> Result<NamedStatement> {
        self.0.get(name).cloned().ok_or_else(|| missing(name))
    }

    /// Those with a name that SQL can write.
    pub fn named(&self) -> impl Iterator<Item = (&String, &NamedStatement)> {
        self.0.iter().filter(|(name, _)| !name.is_empty())
    }

    /// Whether a statement of this name and size may be added.
    pub fn may_add(&self, name: &str, text_bytes: usize) -> Result<()> {
        if !name.is_empty() && self.0.contains_key(name) {
            let message = format!("prepared statement \"{name}\" already exists");
            return Err(Error::new(SqlState::DuplicatePreparedStatement, message));
        }
        let held: usize = self.0.values().map(|statement| statement.text_bytes).sum();
        if self.0.len() >= STATEMENTS_MAX || held + text_bytes > TEXT_BYTES_MAX {
            let message = format!("a session may hold {STATEMENTS_MAX} prepared statements");
            return Err(Error::new(SqlState::ProgramLimitExceeded, message)
                .hint("Close prepared statements that are no longer needed."));
        }
        Ok(())
    }

    pub fn add(&mut self, name: String, statement: NamedStatement) -> Result<()> {
        self.may_add(&name, statement.text_bytes)?;
        self.0.insert(name, statement);
        Ok(())
    }

    pub fn remove(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// Unknown: 26000.
    pub fn deallocate(&mut self, name: &str) -> Result<()> {
        self.0.remove(name).map(|_| ()).ok_or_else(|| missing(name))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }
}

fn missing(name: &str) -> Error {
    let message = match name {
        "" => "unnamed prepared statement does not exist".to_owned(),
        name => format!("prepared statement \"{name}\" does not exist"),
    };
    Error::new(SqlState::InvalidSqlStatementName, message)
}
