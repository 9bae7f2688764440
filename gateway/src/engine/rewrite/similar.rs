//! SIMILAR TO and LIKE ... ESCAPE, as regular expressions and plain LIKE patterns.
//!
//! Owns: the translation of patterns, PostgreSQL's `similar_escape`. Must never know: where a pattern is used.

use crate::error::{Error, Result, SqlState};

/// The regular expression of a SIMILAR TO pattern.
pub(super) fn to_regex(pattern: &str, escape: Option<char>) -> String {
    let mut regex = String::from("^(?:");
    let mut in_brackets = false;
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        if Some(c) == escape {
            if let Some(literal) = chars.next() {
                regex.push('\\');
                regex.push(literal);
            }
            continue;
        }
        match c {
            ']' if in_brackets => {
                in_brackets = false;
                regex.push(c);
            }
            '\\' => regex.push_str("\\\\"),
            _ if in_brackets => regex.push(c),
            '[' => {
                in_brackets = true;
                regex.push(c);
            }
            '%' => regex.push_str(".*"),
            '_' => regex.push('.'),
            '(' => regex.push_str("(?:"),
            '.' | '^' | '$' => {
                regex.push('\\');
                regex.push(c);
            }
            other => regex.push(other),
        }
    }
    regex.push_str(")$");
    regex
}

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
    fn similar_to_is_an_anchored_regex() {
        let cases = [
            ("%(b|d)%", "^(?:.*(?:b|d).*)$"),
            ("a_c", "^(?:a.c)$"),
            ("a.c", "^(?:a\\.c)$"),
            ("a\\%", "^(?:a\\%)$"),
            ("[a-c_]+", "^(?:[a-c_]+)$"),
        ];
        for (pattern, expect) in cases {
            assert_eq!(to_regex(pattern, Some('\\')), expect, "{pattern}");
        }
    }

    #[test]
    fn another_escape_character_becomes_the_backslash() {
        assert_eq!(with_backslash("50!%", Some('!')).unwrap(), "50\\%");
        assert_eq!(with_backslash("a\\b", Some('!')).unwrap(), "a\\\\b");
        assert_eq!(with_backslash("a\\b", None).unwrap(), "a\\\\b");
        assert!(with_backslash("a!", Some('!')).is_err());
    }
}
