//! Where FETCH and MOVE go, counted from the row on which a cursor stands.
//!
//! Owns: PostgreSQL's directions as few. Must never know: rows.

use sqlparser::ast::{FetchDirection, Value, ValueWithSpan};

use crate::error::{Error, Result, SqlState};

/// All rows that are left.
pub(super) const ALL: u64 = u64::MAX;

/// A direction of FETCH or MOVE. <https://www.postgresql.org/docs/15/sql-fetch.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Movement {
    /// The next rows.
    Forward(u64),
    /// The rows before, the nearest first.
    Backward(u64),
    /// The row on which the cursor stands once more.
    Again,
    /// The row of this number: from 1, or from -1 for the last; 0 is before the first.
    Absolute(i64),
    /// The row at this distance; what lies between is passed over.
    Relative(i64),
}

impl Movement {
    pub(super) fn of(direction: &FetchDirection) -> Result<Self> {
        Ok(match direction {
            FetchDirection::Next | FetchDirection::Forward { limit: None } => Self::Forward(1),
            FetchDirection::Prior | FetchDirection::Backward { limit: None } => Self::Backward(1),
            FetchDirection::All | FetchDirection::ForwardAll => Self::Forward(ALL),
            FetchDirection::BackwardAll => Self::Backward(ALL),
            FetchDirection::Count { limit } | FetchDirection::Forward { limit: Some(limit) } => {
                Self::by(number(limit)?)
            }
            FetchDirection::Backward { limit: Some(limit) } => Self::by(number(limit)?.saturating_neg()),
            FetchDirection::First => Self::Absolute(1),
            FetchDirection::Last => Self::Absolute(-1),
            FetchDirection::Absolute { limit } => Self::Absolute(number(limit)?),
            FetchDirection::Relative { limit } => match number(limit)? {
                0 => Self::Again,
                distance => Self::Relative(distance),
            },
        })
    }

    fn by(count: i64) -> Self {
        match count {
            0 => Self::Again,
            1.. => Self::Forward(count.unsigned_abs()),
            _ => Self::Backward(count.unsigned_abs()),
        }
    }

    /// Rows to pass over and rows to give, from where a cursor stands that keeps no row. Backwards: 55000.
    pub fn forward_only(self) -> Result<(usize, usize)> {
        let rows = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        match self {
            Self::Forward(count) => Ok((0, rows(count))),
            Self::Relative(distance @ 1..) => Ok((rows(distance.unsigned_abs() - 1), 1)),
            _ => Err(cannot_scroll()),
        }
    }
}

/// What a cursor answers that cannot go back.
pub(super) fn cannot_scroll() -> Error {
    Error::new(SqlState::ObjectNotInPrerequisiteState, "cursor can only scan forward")
        .hint("Declare it with SCROLL option to enable backward scan.")
}

fn number(value: &ValueWithSpan) -> Result<i64> {
    let text = match &value.value {
        Value::Number(text, _) => text.to_string(),
        other => other.to_string(),
    };
    text.parse().map_err(|_| Error::new(SqlState::SyntaxError, format!("syntax error at or near \"{text}\"")))
}
