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

impl Level {
    /// Whether a client is told that set `client_min_messages` so.
    pub(super) fn reaches(self, min: &str) -> bool {
        match self {
            Self::Notice => !matches!(min, "warning" | "error"),
            Self::Warning => min != "error",
        }
    }
}

#[derive(Debug)]
pub struct Notice {
    pub level: Level,
    pub state: SqlState,
    pub message: String,
    pub hint: Option<&'static str>,
}

impl Notice {
    pub fn note(state: SqlState, message: impl Into<String>) -> Self {
        Self { level: Level::Notice, state, message: message.into(), hint: None }
    }

    pub fn warning(state: SqlState, message: impl Into<String>) -> Self {
        Self { level: Level::Warning, state, message: message.into(), hint: None }
    }

    pub fn hint(self, hint: &'static str) -> Self {
        Self { hint: Some(hint), ..self }
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
