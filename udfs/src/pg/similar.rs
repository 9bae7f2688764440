//! `similar_to_escape(pattern [, escape])` - the regular expression of a `SIMILAR TO` pattern.
//!
//! Without `escape` the backslash escapes, with an empty one nothing does. NULL gives NULL, an escape of more than one
//! character is 22025, as is a third quote behind it.
//! <https://www.postgresql.org/docs/16/functions-matching.html#FUNCTIONS-SIMILARTO-REGEXP>
//!
//! ```sql
//! SELECT 'abc' ~ similar_to_escape('a(b|x)%');  -- true
//! ```

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use arrow::array::ArrayRef;

use super::like_escape::escape;
use crate::Error;
use crate::function::{Args, Overload, Ty, function, overload, some};

/// The function.
pub fn similar_to_escape() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 2] =
        [overload(&[Ty::Text], Ty::Text, kernel), overload(&[Ty::Text, Ty::Text], Ty::Text, kernel)];
    function("similar_to_escape", &OVERLOADS)
}

fn kernel(args: &Args<'_>) -> Result<ArrayRef> {
    let patterns = args.text(0)?;
    let escapes = if args.len() > 1 { Some(args.text(1)?) } else { None };
    args.build_text(|row| {
        let pattern = some!(patterns.get(row));
        let escape = match &escapes {
            Some(escapes) => escape(some!(escapes.get(row)))?,
            None => Some('\\'),
        };
        Ok(Some(to_regex(pattern, escape)?))
    })
}

/// PostgreSQL's `similar_escape`. Behind the escape character a quote begins and ends what `substring` gives; the part
/// before it matches as little as it can.
pub(super) fn to_regex(pattern: &str, escape: Option<char>) -> Result<String, Error> {
    let mut regex = String::from("^(?:");
    let mut in_brackets = false;
    let mut quotes = 0;
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        if Some(c) == escape {
            let next = chars.next();
            if next == Some('"') && !in_brackets {
                quotes += 1;
                match quotes {
                    1 => regex.push_str("){1,1}?("),
                    2 => regex.push_str("){1,1}(?:"),
                    _ => {
                        let message =
                            "SQL regular expression may not contain more than two escape-double-quote separators";
                        return Err(Error::InvalidEscape(message.to_owned()));
                    }
                }
            } else if let Some(literal) = next {
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
    Ok(regex)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{shown, text};

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
            assert_eq!(shown(&similar_to_escape(), &[text(pattern)]), expect, "{pattern}");
        }
        assert_eq!(shown(&similar_to_escape(), &[text("a!%"), text("!")]), "^(?:a\\%)$");
        let parts = shown(&similar_to_escape(), &[text("%#\"o_b#\"%"), text("#")]);
        assert_eq!(parts, "^(?:.*){1,1}?(o.b){1,1}(?:.*)$");
        assert_eq!(shown(&similar_to_escape(), &[text("a"), text("xy")]), "invalid escape string");
    }
}
