//! Types whose values Arrow compares otherwise than PostgreSQL does, and what is compared instead of them.
//!
//! Owns: the key of each such type, which sorts and equals as the type does. Must never know: where values are compared.

use arrow::datatypes::DataType;
use datafusion::logical_expr::Expr;

use super::operand::{self, call};
use super::{Category, Operand};

/// How a value's key is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) enum Key {
    /// An interval's length, or those of an array: a month has 30 days, a day 24 hours.
    Span,
    /// The moment of a `timetz`, then its zone; or those of an array.
    ZonedTime,
    /// The order of a jsonb.
    Document,
    /// A `character(n)` without its padding.
    Padded,
}

impl Operand {
    /// `None` where Arrow compares the values as PostgreSQL does.
    pub(in crate::engine) fn key(&self) -> Option<Key> {
        match self.category {
            Category::Interval => Some(Key::Span),
            Category::ZonedTime => Some(Key::ZonedTime),
            Category::Text if self.is_padded() => Some(Key::Padded),
            Category::Other if self.json() == Some("jsonb") => Some(Key::Document),
            Category::Array => match item(self.data_type()) {
                DataType::Interval(_) => Some(Key::Span),
                _ if self.is_zoned_times() => Some(Key::ZonedTime),
                _ => None,
            },
            _ => None,
        }
    }
}

impl Key {
    /// The key of a value.
    pub(in crate::engine) fn of(self, value: Expr) -> Expr {
        match self {
            Self::Span => call(udfs::pg::spans::order(), vec![value]),
            Self::ZonedTime => call(udfs::pg::zoned_times::order(), vec![value]),
            Self::Document => call(udfs::pg::json::order(), vec![value]),
            Self::Padded => {
                let mut text = value;
                operand::strip(&mut text);
                text
            }
        }
    }

    /// Whether different values may have one key. A `timetz` is held as the one text of its value.
    pub(in crate::engine) fn unites(self) -> bool {
        self != Self::ZonedTime
    }
}

fn item(of: &DataType) -> &DataType {
    match of {
        DataType::List(inner) => item(inner.data_type()),
        other => other,
    }
}
