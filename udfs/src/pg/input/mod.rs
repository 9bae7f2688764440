//! PostgreSQL's input functions: the value that a text names, or why it names none.
//!
//! Owns: the texts of truth values, numbers, bytes, uuids and arrays, one file each; documents are `json`'s, dates and times
//! `moment`'s, intervals `interval`'s. Parameters, literals and casts of columns all read through these, so that the same
//! text is the same value at every door. Must never know: Arrow's arrays.

mod array;
mod bytea;
mod float;
mod integer;
mod money;
mod word;

pub use super::json::{check as json, normal as jsonb};
pub use array::{Elements, array};
pub use bytea::bytea;
pub use float::{double, single};
pub use integer::{integer, whole};
pub use money::money;
pub use word::{boolean, uuid};

/// The characters that C's `isspace` skips.
pub(crate) fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{b}' | '\u{c}')
}
