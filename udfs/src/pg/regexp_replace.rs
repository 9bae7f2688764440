//! `regexp_replace(text, pattern, replacement [, start [, n ]] [, flags])` - the text with matches replaced.
//!
//! The first match is replaced, the `n`th, or with the flag `g` or `n` 0 all. In the replacement `\1` to `\9` are groups,
//! `\&` the match and `\\` a backslash. NULL gives NULL, a bad flag, start or number is 22023, a bad pattern 2201B.
//! <https://www.postgresql.org/docs/16/functions-matching.html#FUNCTIONS-POSIX-REGEXP>
//!
//! ```sql
//! SELECT regexp_replace('foobarbaz', 'b(..)', 'X\1Y', 'g');  -- fooXarYXazY
//! ```

use std::sync::Arc;

use arrow::array::ArrayRef;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::posix::{Expression, Groups, Subject};
use super::regexp::{Patterns, parameter};
use crate::Error;
use crate::function::{Args, Overload, Ty, function, overload, some};

/// The function.
pub fn regexp_replace() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 5] = [
        overload(&[Ty::Text, Ty::Text, Ty::Text], Ty::Text, flagged),
        overload(&[Ty::Text, Ty::Text, Ty::Text, Ty::Text], Ty::Text, flagged),
        overload(&[Ty::Text, Ty::Text, Ty::Text, Ty::Int], Ty::Text, numbered),
        overload(&[Ty::Text, Ty::Text, Ty::Text, Ty::Int, Ty::Int], Ty::Text, numbered),
        overload(&[Ty::Text, Ty::Text, Ty::Text, Ty::Int, Ty::Int, Ty::Text], Ty::Text, numbered),
    ];
    function("regexp_replace", &OVERLOADS)
}

fn flagged(args: &Args<'_>) -> Result<ArrayRef> {
    let (texts, replacements) = (args.text(0)?, args.text(2)?);
    let mut patterns = Patterns::new(args, 3, None)?;
    let flags = if args.len() > 3 { Some(args.text(3)?) } else { None };
    args.build_text(|row| {
        let (text, replacement) = (some!(texts.get(row)), some!(replacements.get(row)));
        if let Some(flags) = flags.as_ref().and_then(|flags| flags.get(row)).filter(|flags| is_number(flags)) {
            return Err(Error::ParameterWithHint {
                message: format!("invalid regular expression option: \"{}\"", flags.get(..1).unwrap_or_default()),
                hint: "If you meant to use regexp_replace() with a start parameter, cast the fourth argument to integer explicitly.".to_owned(),
            }
            .into());
        }
        let (expression, flags) = some!(patterns.get(row)?);
        Ok(Some(replaced(expression, text, replacement, (0, usize::from(!flags.global)))?))
    })
}

/// Flags that begin with a digit were meant to be a place.
fn is_number(flags: &str) -> bool {
    flags.starts_with(|c: char| c.is_ascii_digit())
}

fn numbered(args: &Args<'_>) -> Result<ArrayRef> {
    let (texts, replacements, starts) = (args.text(0)?, args.text(2)?, args.int(3)?);
    let mut patterns = Patterns::new(args, 5, None)?;
    let counts = if args.len() > 4 { Some(args.int(4)?) } else { None };
    args.build_text(|row| {
        let (text, replacement) = (some!(texts.get(row)), some!(replacements.get(row)));
        let start = some!(starts.get(row));
        let count = some!(counts.as_ref().map_or(Some(1), |counts| counts.get(row)));
        let (expression, _) = some!(patterns.get(row)?);
        let (start, count) = (parameter("start", start, 1)? - 1, parameter("n", count, 0)?);
        Ok(Some(replaced(expression, text, replacement, (start, count))?))
    })
}

/// With the `nth` match from `start` on replaced, or all where it is 0.
fn replaced(
    expression: &Expression,
    text: &str,
    replacement: &str,
    (start, nth): (usize, usize),
) -> Result<String, Error> {
    if !expression.is_match(text)? {
        return Ok(text.to_owned());
    }
    let subject = Subject::new(text);
    let mut out = String::with_capacity(text.len() + replacement.len());
    let (mut from, mut copied, mut count) = (start, 0, 0);
    while from <= subject.len() {
        let Some(found) = expression.find(&subject, from)? else { break };
        let Some((begin, end)) = found.first().copied().flatten() else { break };
        from = if begin == end { end + 1 } else { end };
        count += 1;
        if nth > 0 && count != nth {
            continue;
        }
        out.push_str(subject.part((copied, begin)));
        expand(&mut out, replacement, &subject, &found);
        copied = end;
        if nth > 0 {
            break;
        }
    }
    out.push_str(subject.part((copied, subject.len())));
    Ok(out)
}

fn expand(out: &mut String, replacement: &str, subject: &Subject<'_>, found: &Groups) {
    let mut rest = replacement;
    while let Some((plain, tail)) = rest.split_once('\\') {
        out.push_str(plain);
        let group = match tail.as_bytes().first() {
            Some(b'&') => Some(0),
            Some(digit @ b'1'..=b'9') => Some(usize::from(digit - b'0')),
            Some(b'\\') => {
                out.push('\\');
                rest = tail.get(1..).unwrap_or_default();
                continue;
            }
            // It is one of its own, then.
            _ => None,
        };
        rest = match group {
            Some(group) => {
                let part = found.get(group).copied().flatten().map(|range| subject.part(range));
                out.push_str(part.unwrap_or_default());
                tail.get(1..).unwrap_or_default()
            }
            None => {
                out.push('\\');
                tail
            }
        };
    }
    out.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{shown, text};
    use datafusion::common::ScalarValue;

    #[test]
    fn matches_are_replaced_as_in_postgres() {
        let of = |given: &str, pattern: &str, by: &str, flags: &str| {
            shown(&regexp_replace(), &[text(given), text(pattern), text(by), text(flags)])
        };
        assert_eq!(of("foobarbaz", "b..", "X", ""), "fooXbaz");
        assert_eq!(of("foobarbaz", "b(..)", "X\\1Y", "g"), "fooXarYXazY");
        assert_eq!(of("abc", "", "-", "g"), "-a-b-c-");
        assert_eq!(of("abab", "a*", "x", "g"), "xxbxxbx");
        assert_eq!(of("ab", "a", "\\\\\\&\\q\\2", ""), "\\a\\qb");
        assert_eq!(of("ab", "(a|ab)(c|bcd)?", "[\\1]", ""), "[ab]");
        assert_eq!(of("ab", "a", "x", "1"), "invalid regular expression option: \"1\"");
        let int = |value: i64| ScalarValue::Int64(Some(value));
        let nth = |start, n| {
            shown(&regexp_replace(), &[text("A PostgreSQL function"), text("[aeiou]"), text("X"), int(start), int(n)])
        };
        assert_eq!(nth(1, 3), "A PostgreSQL fXnction");
        assert_eq!(nth(8, 0), "A PostgrXSQL fXnctXXn");
        assert_eq!(nth(0, 1), "invalid value for parameter \"start\": 0");
    }
}
