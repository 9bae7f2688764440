//! `like_escape(pattern text, escape text) -> text` - a LIKE pattern with the backslash as its escape character.
//!
//! What `pattern ESCAPE escape` means: an empty escape means that there is none, one of more than a character
//! is 22025. NULL gives NULL.
//! <https://www.postgresql.org/docs/16/functions-matching.html#FUNCTIONS-LIKE>
//!
//! ```sql
//! SELECT like_escape('50!%', '!');  -- 50\%
//! ```

use std::sync::Arc;

use arrow::array::ArrayRef;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::Error;
use crate::function::{Args, Overload, Ty, function, overload, some};

/// The function.
pub fn like_escape() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload(&[Ty::Text, Ty::Text], Ty::Text, kernel)];
    function("like_escape", &OVERLOADS)
}

fn kernel(args: &Args<'_>) -> Result<ArrayRef> {
    let (patterns, escapes) = (args.text(0)?, args.text(1)?);
    args.build_text(|row| {
        let (pattern, escape) = (some!(patterns.get(row)), some!(escapes.get(row)));
        // A pattern that ends with its escape character is the match's to refuse, if it comes so far.
        Ok(Some(translated(pattern, self::escape(escape)?).0))
    })
}

/// The escape character that the text of an ESCAPE clause means, none if it is empty; 22025 for more than one.
pub(super) fn escape(text: &str) -> Result<Option<char>, Error> {
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (escape, None) => Ok(escape),
        _ => Err(Error::EscapeString),
    }
}

/// The pattern of a LIKE with an ESCAPE clause; 22025 for one that ends with its escape character.
pub fn with_backslash(pattern: &str, escape: &str) -> Result<String, Error> {
    match translated(pattern, self::escape(escape)?) {
        (pattern, false) => Ok(pattern),
        (_, true) => Err(Error::InvalidEscape("LIKE pattern must not end with escape character".to_owned())),
    }
}

/// The pattern with the backslash as its escape character, and whether it ends with one that escapes nothing.
fn translated(pattern: &str, escape: Option<char>) -> (String, bool) {
    let mut out = String::with_capacity(pattern.len());
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        if Some(c) == escape {
            out.push('\\');
            match chars.next() {
                Some(escaped) => out.push(escaped),
                None => return (out, true),
            }
        } else if c == '\\' {
            out.push_str("\\\\");
        } else {
            out.push(c);
        }
    }
    (out, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_escape_character_becomes_the_backslash() {
        for (pattern, escape, expect) in
            [("50!%", "!", "50\\%"), ("a\\b", "!", "a\\\\b"), ("a\\b", "", "a\\\\b"), ("pg/_%", "/", "pg\\_%")]
        {
            assert_eq!(with_backslash(pattern, escape).unwrap(), expect, "{pattern}");
        }
        assert_eq!(with_backslash("a", "ab"), Err(Error::EscapeString));
        assert!(matches!(with_backslash("a!", "!"), Err(Error::InvalidEscape(_))));
    }
}
