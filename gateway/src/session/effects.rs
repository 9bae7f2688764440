//! What a statement asks of its connection beyond its own answer: drop portals, tell a notice.
//!
//! Owns: the queue between the engine, which carries out `DISCARD` and `CLOSE`, and the protocol, which holds what they
//! name. Must never know: how a protocol holds or sends it.

use crate::error::{Error, Result, SqlState};

/// Effects that one statement may leave behind; more is a runaway.
const EFFECTS_MAX: usize = 1024;

#[derive(Debug)]
pub enum SessionEffect {
    /// `CLOSE name`: an unknown name fails the statement with 34000.
    Close(String),
    /// `CLOSE ALL`, and part of `DISCARD ALL`.
    CloseAll,
    /// A message that precedes the end of the statement and does not fail it.
    Notice(Notice),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    Notice,
    Warning,
}

#[derive(Debug)]
pub struct Notice {
    pub level: Level,
    pub state: SqlState,
    pub message: String,
}

impl Notice {
    pub fn note(state: SqlState, message: impl Into<String>) -> Self {
        Self { level: Level::Notice, state, message: message.into() }
    }

    pub fn warning(state: SqlState, message: impl Into<String>) -> Self {
        Self { level: Level::Warning, state, message: message.into() }
    }
}

/// The effects of the running statement, in the order in which they were asked for.
#[derive(Debug, Default)]
pub(super) struct Effects(Vec<SessionEffect>);

impl Effects {
    pub(super) fn push(&mut self, effect: SessionEffect) -> Result<()> {
        if self.0.len() >= EFFECTS_MAX {
            return Err(Error::new(
                SqlState::ProgramLimitExceeded,
                format!("a statement may not cause more than {EFFECTS_MAX} notices"),
            ));
        }
        self.0.push(effect);
        Ok(())
    }

    pub(super) fn take(&mut self) -> Vec<SessionEffect> {
        std::mem::take(&mut self.0)
    }
}
