//! `regexp_split_to_array(text, pattern text [, flags text]) -> text[]` - splits a text where a pattern matches.
//!
//! A match of nothing at the beginning, at the end or behind another match does not split. NULL gives NULL.
//! <https://www.postgresql.org/docs/16/functions-matching.html#FUNCTIONS-POSIX-REGEXP>
//!
//! ```sql
//! SELECT regexp_split_to_array('hello world', '\s+');  -- {hello,world}
//! ```

use std::sync::Arc;

use arrow::array::{ArrayRef, ListBuilder, StringBuilder};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;
use regex::Regex;

use super::regexp::{Flags, compile};
use crate::Error;
use crate::function::{Args, Overload, Ty, function, overload};

/// The function.
pub fn regexp_split_to_array() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 2] = [
        overload(&[Ty::Text, Ty::Text], Ty::TextArray, kernel),
        overload(&[Ty::Text, Ty::Text, Ty::Text], Ty::TextArray, kernel),
    ];
    function("regexp_split_to_array", &OVERLOADS)
}

fn kernel(args: &Args<'_>) -> Result<ArrayRef> {
    let (texts, patterns) = (args.text(0)?, args.text(1)?);
    let flags = if args.len() > 2 { Some(args.text(2)?) } else { None };
    let mut out = ListBuilder::new(StringBuilder::new());
    let mut last: Option<(String, Flags, Regex)> = None;
    for row in 0..args.rows {
        let flag = match &flags {
            Some(flags) => flags.get(row),
            None => Some(""),
        };
        let (Some(text), Some(pattern), Some(flag)) = (texts.get(row), patterns.get(row), flag) else {
            out.append(false);
            continue;
        };
        let flag = flags_of(flag)?;
        let (known, regex) = match last.take() {
            Some((known, flags, regex)) if known == pattern && flags == flag => (known, regex),
            _ => (pattern.to_owned(), compile(pattern, flag)?),
        };
        for part in parts(text, &regex) {
            out.values().append_value(part);
        }
        out.append(true);
        last = Some((known, flag, regex));
    }
    Ok(Arc::new(out.finish()))
}

/// The flags of the text; there is no "global" one, all matches split.
fn flags_of(text: &str) -> Result<Flags, Error> {
    let flags = Flags::read(text)?;
    if flags.global {
        let message = "regexp_split_to_array() does not support the \"global\" option";
        return Err(Error::InvalidParameter(message.to_owned()));
    }
    Ok(flags)
}

fn parts<'t>(text: &'t str, regex: &Regex) -> Vec<&'t str> {
    let mut parts = Vec::new();
    let mut from = 0;
    for found in regex.find_iter(text) {
        if found.is_empty() && (found.start() == 0 || found.start() == text.len() || found.start() == from) {
            continue;
        }
        parts.push(text.get(from..found.start()).unwrap_or_default());
        from = found.end();
    }
    parts.push(text.get(from..).unwrap_or_default());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_are_postgres_s() {
        for (text, pattern, expect) in [
            ("hello world", "\\s+", vec!["hello", "world"]),
            ("abc", "", vec!["a", "b", "c"]),
            ("a1b22c", "[0-9]*", vec!["a", "b", "c"]),
            (",a,", ",", vec!["", "a", ""]),
            ("", ",", vec![""]),
            ("the quick", "x", vec!["the quick"]),
        ] {
            assert_eq!(parts(text, &compile(pattern, Flags::default()).unwrap()), expect, "{text} {pattern}");
        }
        assert_eq!(parts("a bc", &compile("\\m", Flags::default()).unwrap()), ["a ", "bc"]);
        assert!(matches!(flags_of("ig"), Err(Error::InvalidParameter(_))));
    }
}
