//! `like_escape(pattern text, escape text) -> text` - a LIKE pattern with the backslash as its escape character.
//!
//! What `pattern ESCAPE escape` means: an empty escape means that there is none. NULL gives NULL.
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
        Ok(Some(with_backslash(pattern, escape)?))
    })
}

fn with_backslash(pattern: &str, escape: &str) -> Result<String, Error> {
    let mut chars = escape.chars();
    let (escape, more) = (chars.next(), chars.next());
    if more.is_some() {
        return Err(Error::InvalidParameter("invalid escape string".to_owned()));
    }
    let mut out = String::with_capacity(pattern.len());
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        if Some(c) == escape {
            out.push('\\');
            // A pattern that ends with its escape character is refused by the match, as PostgreSQL refuses it.
            out.extend(chars.next());
        } else if c == '\\' {
            out.push_str("\\\\");
        } else {
            out.push(c);
        }
    }
    Ok(out)
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
        assert!(with_backslash("a", "ab").is_err());
    }
}
