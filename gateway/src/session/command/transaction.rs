//! BEGIN to COMMIT, and savepoints between them.

use sqlparser::ast::{TransactionAccessMode, TransactionMode};

use super::set;
use crate::engine::{Block, Tag};
use crate::error::{Error, Result, SqlState};
use crate::session::transaction::{Savepoint, Status};
use crate::session::vars::Scope;
use crate::session::{Notice, Session, SessionEffect};

pub(super) fn begin(session: &Session, modes: &[TransactionMode], begin: bool) -> Result<Tag> {
    let tag = Tag::command(if begin { "BEGIN" } else { "START TRANSACTION" });
    if session.transaction().is_in_block() {
        let message = "there is already a transaction in progress";
        session.push_effect(SessionEffect::Notice(Notice::warning(SqlState::ActiveSqlTransaction, message)))?;
        return Ok(tag);
    }
    session.transaction().begin();
    session.vars().begin();
    if session.vars().get("default_transaction_read_only").is_ok_and(|on| on == "on") {
        set::set_mode(session, &TransactionMode::AccessMode(TransactionAccessMode::ReadOnly), false)?;
    }
    modes.iter().try_for_each(|mode| set::set_mode(session, mode, false))?;
    Ok(tag)
}

/// COMMIT of a failed block is a ROLLBACK, and its tag says so.
pub(super) fn commit(session: &Session, chain: bool) -> Result<Tag> {
    if session.transaction().status == Status::Failed {
        return rollback(session, chain);
    }
    end(session, "COMMIT", (true, chain))
}

pub(super) fn rollback(session: &Session, chain: bool) -> Result<Tag> {
    end(session, "ROLLBACK", (false, chain))
}

/// `AND CHAIN` begins a block as the ended one was.
fn end(session: &Session, command: &'static str, (well, chain): (bool, bool)) -> Result<Tag> {
    let status = session.transaction().status;
    if chain {
        in_block(status != Status::Idle, &format!("{command} AND CHAIN"))?;
    }
    warn_outside_block(session, status)?;
    let modes = if chain { modes(session)? } else { Vec::new() };
    session.end_block(well);
    if chain {
        session.transaction().begin();
        let mut vars = session.vars();
        vars.begin();
        modes.iter().try_for_each(|(name, value)| vars.set(name, value, Scope::Local))?;
    }
    Ok(Tag::command(command))
}

/// What a block has beside its work.
fn modes(session: &Session) -> Result<Vec<(&'static str, String)>> {
    let vars = session.vars();
    let modes = ["transaction_isolation", "transaction_read_only", "transaction_deferrable"];
    modes.into_iter().map(|name| Ok((name, vars.get(name)?))).collect()
}

fn warn_outside_block(session: &Session, status: Status) -> Result<()> {
    if status != Status::Idle {
        return Ok(());
    }
    let message = "there is no transaction in progress";
    session.push_effect(SessionEffect::Notice(Notice::warning(SqlState::NoActiveSqlTransaction, message)))
}

/// A lock ends with its block, so it needs one.
pub(super) fn lock(session: &Session) -> Result<()> {
    in_block(session.transaction().is_in_block(), "LOCK TABLE")
}

pub(super) fn savepoint(session: &Session, name: &str) -> Result<()> {
    let mut transaction = session.transaction();
    in_block(transaction.is_in_block(), "SAVEPOINT")?;
    if transaction.savepoints.len() >= 1000 {
        return Err(Error::new(SqlState::ProgramLimitExceeded, "too many savepoints in one transaction block"));
    }
    let defined = transaction.defined.clone();
    let written = transaction.written.as_mut().map(Block::mark);
    let asked = transaction.asked.len();
    transaction.savepoints.push(Savepoint { name: name.to_owned(), defined, written, asked });
    Ok(())
}

pub(super) fn release(session: &Session, name: &str) -> Result<()> {
    let mut transaction = session.transaction();
    in_block(transaction.is_in_block(), "RELEASE SAVEPOINT")?;
    let at = transaction.find_savepoint(name)?;
    transaction.savepoints.truncate(at);
    Ok(())
}

/// Returns to a savepoint: a failed block is whole again, and later savepoints are gone.
pub(super) fn rollback_to(session: &Session, name: &str) -> Result<()> {
    let mut transaction = session.transaction();
    in_block(transaction.is_in_block(), "ROLLBACK TO SAVEPOINT")?;
    let at = transaction.find_savepoint(name)?;
    transaction.savepoints.truncate(at + 1);
    let asked = transaction.savepoints.last().map_or(0, |savepoint| savepoint.asked);
    transaction.asked.truncate(asked);
    let mark = transaction.savepoints.last().and_then(|savepoint| savepoint.written);
    match (&mut transaction.written, mark) {
        (Some(block), Some(mark)) => block.back_to(mark),
        (written, _) => *written = None,
    }
    transaction.defined = transaction.savepoints.last().and_then(|savepoint| savepoint.defined.clone());
    transaction.status = Status::InBlock;
    Ok(())
}

fn in_block(in_block: bool, command: &str) -> Result<()> {
    if in_block {
        return Ok(());
    }
    Err(Error::new(SqlState::NoActiveSqlTransaction, format!("{command} can only be used in transaction blocks")))
}
