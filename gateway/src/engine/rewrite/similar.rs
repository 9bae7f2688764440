//! LIKE ... ESCAPE as plain LIKE patterns.
//!
//! Owns: the translation of patterns. Must never know: where a pattern is used.

use crate::error::{Error, Result, SqlState};

/// A LIKE pattern whose escape character is the backslash, as the planner wants it.
pub(super) fn with_backslash(pattern: &str, escape: Option<char>) -> Result<String> {
    let mut out = String::with_capacity(pattern.len());
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        if Some(c) == escape {
            let message = "LIKE pattern must not end with escape character";
            let escaped = chars.next().ok_or_else(|| Error::new(SqlState::InvalidParameterValue, message))?;
            out.push('\\');
            out.push(escaped);
        } else if c == '\\' {
            out.push_str("\\\\");
        } else {
            out.push(c);
        }
    }
    Ok(out)
}

/// The escape character that the text of an ESCAPE clause means; empty means none.
pub(super) fn escape(text: &str) -> Result<Option<char>> {
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (escape, None) => Ok(escape),
        _ => Err(Error::new(SqlState::InvalidParameterValue, "invalid escape string")
            .hint("Escape string must be empty or one character.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_escape_character_becomes_the_backslash() {
        assert_eq!(with_backslash("50!%", Some('!')).unwrap(), "50\\%");
        assert_eq!(with_backslash("a\\b", Some('!')).unwrap(), "a\\\\b");
        assert_eq!(with_backslash("a\\b", None).unwrap(), "a\\\\b");
        assert!(with_backslash("a!", Some('!')).is_err());
    }
}
