//! Statements about the session itself: SET, SHOW, RESET, BEGIN, COMMIT, ROLLBACK, SAVEPOINT, DISCARD, DEALLOCATE ...
//!
//! Owns: what each does to its session, and its command tag. Must never know: plans, a wire protocol.

mod set;
mod show;
mod transaction;

use arrow::array::RecordBatch;
use sqlparser::ast::{CloseCursor, DiscardObject, Statement};

use super::channels::{self, Ask};
use super::{Session, SessionEffect};
use crate::engine::Tag;
use crate::error::{Error, Result, SqlState};

pub use show::columns as show_columns;

/// What a command answers.
pub enum Done {
    Tag(Tag),
    Rows(RecordBatch, Tag),
}

/// Whether a statement is about the session, and its command tag if so.
pub fn is_command(statement: &Statement) -> bool {
    matches!(
        statement,
        Statement::Set(_)
            | Statement::ShowVariable { .. }
            | Statement::Reset(_)
            | Statement::StartTransaction { .. }
            | Statement::Commit { .. }
            | Statement::Rollback { .. }
            | Statement::Savepoint { .. }
            | Statement::ReleaseSavepoint { .. }
            | Statement::Discard { .. }
            | Statement::Deallocate { .. }
            | Statement::Close { .. }
            | Statement::LISTEN { .. }
            | Statement::UNLISTEN { .. }
            | Statement::NOTIFY { .. }
            | Statement::Lock(_)
    )
}

/// Whether a statement ends a failed transaction block, and so may run inside one.
pub fn ends_block(statement: &Statement) -> bool {
    matches!(statement, Statement::Commit { .. } | Statement::Rollback { .. })
}

/// Carries a command out.
pub fn execute(session: &Session, statement: &Statement) -> Result<Done> {
    match statement {
        Statement::Set(command) => set::set(session, command).map(|()| tag("SET")),
        Statement::ShowVariable { variable } => show::show(session, variable),
        Statement::Reset(command) => set::reset(session, &command.reset).map(|()| tag("RESET")),
        Statement::StartTransaction { modes, begin, .. } => transaction::begin(session, modes, *begin).map(Done::Tag),
        Statement::Commit { chain, .. } => transaction::commit(session, *chain).map(Done::Tag),
        Statement::Rollback { savepoint: None, chain } => transaction::rollback(session, *chain).map(Done::Tag),
        Statement::Rollback { savepoint: Some(name), .. } => {
            transaction::rollback_to(session, &name.value).map(|()| tag("ROLLBACK"))
        }
        Statement::Savepoint { name } => transaction::savepoint(session, &name.value).map(|()| tag("SAVEPOINT")),
        Statement::ReleaseSavepoint { name } => transaction::release(session, &name.value).map(|()| tag("RELEASE")),
        Statement::Discard { object_type } => discard(session, object_type),
        Statement::Deallocate { name, .. } => deallocate(session, name),
        Statement::Close { cursor } => close(session, cursor),
        // The engine has looked at the tables and the mode.
        Statement::Lock(_) => transaction::lock(session).map(|()| tag("LOCK TABLE")),
        // The engine has looked at the table; what is known of its rows is known of its files, as they are.
        Statement::Analyze(_) => Ok(tag("ANALYZE")),
        Statement::LISTEN { channel } => {
            channels::ask(session, Ask::Listen(channels::channel(channel))).map(|()| tag("LISTEN"))
        }
        Statement::UNLISTEN { channel } if channel.quote_style.is_none() && channel.value == "*" => {
            unlisten(session, Ask::UnlistenAll)
        }
        Statement::UNLISTEN { channel } => unlisten(session, Ask::Unlisten(channels::channel(channel))),
        Statement::NOTIFY { channel, payload } => {
            let (channel, payload) = (channels::channel(channel), payload.clone().unwrap_or_default());
            channels::ask(session, Ask::Notify { channel, payload }).map(|()| tag("NOTIFY"))
        }
        other => Err(Error::internal(format!("not a command of the session: {other}"))),
    }
}

fn tag(command: &'static str) -> Done {
    Done::Tag(Tag::command(command))
}

/// Who listens to nothing has nothing to stop hearing, over whatever protocol.
fn unlisten(session: &Session, asked: Ask) -> Result<Done> {
    if !session.inbox.is_empty() || session.transaction().is_in_block() {
        match channels::ask(session, asked) {
            Err(error) if error.state != SqlState::FeatureNotSupported => return Err(error),
            _ => {}
        }
    }
    Ok(tag("UNLISTEN"))
}

fn discard(session: &Session, what: &DiscardObject) -> Result<Done> {
    if matches!(what, DiscardObject::ALL) {
        if session.transaction().is_in_block() {
            return Err(Error::new(
                SqlState::ActiveSqlTransaction,
                "DISCARD ALL cannot run inside a transaction block",
            ));
        }
        session.vars().reset_all();
        session.cursors().clear();
        session.statements().clear();
        session.inbox.clear();
        session.push_effect(SessionEffect::CloseAll)?;
        return Ok(tag("DISCARD ALL"));
    }
    Ok(match what {
        DiscardObject::PLANS => tag("DISCARD PLANS"),
        DiscardObject::SEQUENCES => tag("DISCARD SEQUENCES"),
        DiscardObject::TEMP | DiscardObject::ALL => tag("DISCARD TEMP"),
    })
}

fn deallocate(session: &Session, name: &sqlparser::ast::Ident) -> Result<Done> {
    if name.quote_style.is_none() && name.value.eq_ignore_ascii_case("all") {
        session.statements().clear();
        return Ok(tag("DEALLOCATE ALL"));
    }
    session.statements().deallocate(&super::fold(name))?;
    Ok(tag("DEALLOCATE"))
}

/// Cursors of DECLARE live in the session; a portal of the extended protocol is closed by the protocol.
fn close(session: &Session, cursor: &CloseCursor) -> Result<Done> {
    match cursor {
        CloseCursor::All => {
            session.cursors().clear();
            session.push_effect(SessionEffect::CloseAll)?;
            Ok(tag("CLOSE CURSOR ALL"))
        }
        CloseCursor::Specific { name } => {
            let name = super::fold(name);
            if session.cursors().remove(&name).is_none() {
                session.push_effect(SessionEffect::Close(name))?;
            }
            Ok(tag("CLOSE CURSOR"))
        }
    }
}
