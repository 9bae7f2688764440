//! `regexp_like`, `regexp_count`, `regexp_instr`, `regexp_substr`, `regexp_match`, and `lakegate_regexp_matches(text,
//! pattern [, flags])`, the matches that `regexp_matches` returns as rows.
//!
//! A match is the array of its groups, or of itself where the pattern has none. NULL gives NULL, and no match of
//! `regexp_substr` and `regexp_match` too. A bad flag, start or number is 22023, a bad pattern 2201B. `text ~ pattern` is
//! `regexp_like(text, pattern)`.
//! <https://www.postgresql.org/docs/16/functions-matching.html#FUNCTIONS-POSIX-REGEXP>
//!
//! ```sql
//! SELECT regexp_substr('number of your street', '[^ ]+', 1, 2);  -- of
//! ```

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, ListBuilder, StringBuilder};
use arrow::datatypes::{DataType, Field, Int64Type};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::posix::{Expression, Groups, Subject};
use super::regexp::{Patterns, parameter};
use crate::Error;
use crate::function::{Args, Column, Overload, Returns, Ty, function, overload, overload_of, some};

/// `lakegate_regexp_matches`.
pub fn regexp_matches() -> Arc<ScalarUDF> {
    fn returns(_: &[DataType]) -> DataType {
        let item = Arc::new(Field::new_list_field(Ty::TextArray.arrow(), true));
        DataType::List(item)
    }
    static OVERLOADS: [Overload; 2] = [
        overload_of(&[Ty::Text, Ty::Text], Returns::From(returns), matches),
        overload_of(&[Ty::Text, Ty::Text, Ty::Text], Returns::From(returns), matches),
    ];
    function("lakegate_regexp_matches", &OVERLOADS)
}

/// `regexp_match`.
pub fn regexp_match() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 2] = [
        overload(&[Ty::Text, Ty::Text], Ty::TextArray, first),
        overload(&[Ty::Text, Ty::Text, Ty::Text], Ty::TextArray, first),
    ];
    function("regexp_match", &OVERLOADS)
}

/// `regexp_like`.
pub fn regexp_like() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 2] =
        [overload(&[Ty::Text, Ty::Text], Ty::Bool, like), overload(&[Ty::Text, Ty::Text, Ty::Text], Ty::Bool, like)];
    function("regexp_like", &OVERLOADS)
}

/// `regexp_count`.
pub fn regexp_count() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 3] = [
        overload(&[Ty::Text, Ty::Text], Ty::Int, count),
        overload(&[Ty::Text, Ty::Text, Ty::Int], Ty::Int, count),
        overload(&[Ty::Text, Ty::Text, Ty::Int, Ty::Text], Ty::Int, count),
    ];
    function("regexp_count", &OVERLOADS)
}

/// `regexp_instr`.
pub fn regexp_instr() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 6] = [
        overload(&[Ty::Text, Ty::Text], Ty::Int, instr),
        overload(&[Ty::Text, Ty::Text, Ty::Int], Ty::Int, instr),
        overload(&[Ty::Text, Ty::Text, Ty::Int, Ty::Int], Ty::Int, instr),
        overload(&[Ty::Text, Ty::Text, Ty::Int, Ty::Int, Ty::Int], Ty::Int, instr),
        overload(&[Ty::Text, Ty::Text, Ty::Int, Ty::Int, Ty::Int, Ty::Text], Ty::Int, instr),
        overload(&[Ty::Text, Ty::Text, Ty::Int, Ty::Int, Ty::Int, Ty::Text, Ty::Int], Ty::Int, instr),
    ];
    function("regexp_instr", &OVERLOADS)
}

/// `regexp_substr`.
pub fn regexp_substr() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 5] = [
        overload(&[Ty::Text, Ty::Text], Ty::Text, substr),
        overload(&[Ty::Text, Ty::Text, Ty::Int], Ty::Text, substr),
        overload(&[Ty::Text, Ty::Text, Ty::Int, Ty::Int], Ty::Text, substr),
        overload(&[Ty::Text, Ty::Text, Ty::Int, Ty::Int, Ty::Text], Ty::Text, substr),
        overload(&[Ty::Text, Ty::Text, Ty::Int, Ty::Int, Ty::Text, Ty::Int], Ty::Text, substr),
    ];
    function("regexp_substr", &OVERLOADS)
}

/// Adds a match as PostgreSQL's array of it.
fn append(out: &mut ListBuilder<StringBuilder>, expression: &Expression, subject: &Subject<'_>, found: &Groups) {
    for group in found.iter().skip(usize::from(expression.groups() > 0)) {
        out.values().append_option(group.map(|range| subject.part(range)));
    }
    out.append(true);
}

fn matches(args: &Args<'_>) -> Result<ArrayRef> {
    let (texts, mut patterns) = (args.text(0)?, Patterns::new(args, 2, None)?);
    let mut out = ListBuilder::new(ListBuilder::new(StringBuilder::new()));
    for row in 0..args.rows {
        let Some(text) = texts.get(row) else {
            out.append(false);
            continue;
        };
        let Some((expression, flags)) = patterns.get(row)? else {
            out.append(false);
            continue;
        };
        let subject = Subject::new(text);
        let limit = if flags.global { usize::MAX } else { 1 };
        for found in expression.matches(&subject, 0).take(limit) {
            append(out.values(), expression, &subject, &found.map_err(Error::from)?);
        }
        out.append(true);
    }
    Ok(Arc::new(out.finish()))
}

fn first(args: &Args<'_>) -> Result<ArrayRef> {
    let (texts, mut patterns) = (args.text(0)?, Patterns::new(args, 2, Some("regexp_match"))?);
    let mut out = ListBuilder::new(StringBuilder::new());
    for row in 0..args.rows {
        let Some(text) = texts.get(row) else {
            out.append(false);
            continue;
        };
        let Some((expression, _)) = patterns.get(row)? else {
            out.append(false);
            continue;
        };
        if expression.is_match(text).map_err(Error::from)? {
            let subject = Subject::new(text);
            match expression.find(&subject, 0).map_err(Error::from)? {
                Some(found) => append(&mut out, expression, &subject, &found),
                None => out.append(false),
            }
        } else {
            out.append(false);
        }
    }
    Ok(Arc::new(out.finish()))
}

fn like(args: &Args<'_>) -> Result<ArrayRef> {
    let (texts, mut patterns) = (args.text(0)?, Patterns::new(args, 2, Some("regexp_like"))?);
    args.build_bool(|row| {
        let text = some!(texts.get(row));
        let (expression, _) = some!(patterns.get(row)?);
        Ok(Some(expression.is_match(text).map_err(Error::from)?))
    })
}

/// Numbers that may be missing, with what they are then.
struct Numbers<'a>(Option<Column<'a, Int64Array>>, i64);

impl<'a> Numbers<'a> {
    fn new(args: &'a Args<'_>, index: usize, default: i64) -> Result<Self> {
        let column = if args.len() > index { Some(args.int(index)?) } else { None };
        Ok(Self(column, default))
    }

    fn get(&self, row: usize) -> Option<i64> {
        self.0.as_ref().map_or(Some(self.1), |column| column.get(row))
    }
}

fn count(args: &Args<'_>) -> Result<ArrayRef> {
    let (texts, mut patterns) = (args.text(0)?, Patterns::new(args, 3, Some("regexp_count"))?);
    let starts = Numbers::new(args, 2, 1)?;
    args.build::<Int64Type>(|row| {
        let (text, start) = (some!(texts.get(row)), some!(starts.get(row)));
        let (expression, _) = some!(patterns.get(row)?);
        let start = parameter("start", start, 1)? - 1;
        let mut count = 0;
        for found in expression.matches(&Subject::new(text), start) {
            found.map_err(Error::from)?;
            count += 1;
        }
        Ok(Some(count))
    })
}

fn instr(args: &Args<'_>) -> Result<ArrayRef> {
    let (texts, mut patterns) = (args.text(0)?, Patterns::new(args, 5, Some("regexp_instr"))?);
    let (starts, counts) = (Numbers::new(args, 2, 1)?, Numbers::new(args, 3, 1)?);
    let (ends, groups) = (Numbers::new(args, 4, 0)?, Numbers::new(args, 6, 0)?);
    args.build::<Int64Type>(|row| {
        let (text, start, count) = (some!(texts.get(row)), some!(starts.get(row)), some!(counts.get(row)));
        let (end, group) = (some!(ends.get(row)), some!(groups.get(row)));
        let (expression, _) = some!(patterns.get(row)?);
        let (start, count) = (parameter("start", start, 1)? - 1, parameter("n", count, 1)? - 1);
        if !(0..=1).contains(&end) {
            return Err(Error::InvalidParameter(format!("invalid value for parameter \"endoption\": {end}")).into());
        }
        let group = parameter("subexpr", group, 0)?;
        let subject = Subject::new(text);
        let Some(found) = expression.matches(&subject, start).nth(count) else { return Ok(Some(0)) };
        let Some((from, to)) = found.map_err(Error::from)?.get(group).copied().flatten() else { return Ok(Some(0)) };
        let at = if end == 1 { to } else { from };
        Ok(i64::try_from(at + 1).ok())
    })
}

fn substr(args: &Args<'_>) -> Result<ArrayRef> {
    let (texts, mut patterns) = (args.text(0)?, Patterns::new(args, 4, Some("regexp_substr"))?);
    let (starts, counts) = (Numbers::new(args, 2, 1)?, Numbers::new(args, 3, 1)?);
    let groups = Numbers::new(args, 5, 0)?;
    args.build_text(|row| {
        let (text, start, count) = (some!(texts.get(row)), some!(starts.get(row)), some!(counts.get(row)));
        let group = some!(groups.get(row));
        let (expression, _) = some!(patterns.get(row)?);
        let (start, count) = (parameter("start", start, 1)? - 1, parameter("n", count, 1)? - 1);
        let group = parameter("subexpr", group, 0)?;
        let subject = Subject::new(text);
        let found = some!(expression.matches(&subject, start).nth(count)).map_err(Error::from)?;
        Ok(found.get(group).copied().flatten().map(|range| subject.part(range)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{shown, text};
    use datafusion::common::ScalarValue;

    #[test]
    fn matches_are_their_groups() {
        let all =
            |pattern: &str, flags: &str| shown(&regexp_matches(), &[text("foobarbaz"), text(pattern), text(flags)]);
        assert_eq!(all("ba.", "g"), "[[bar], [baz]]");
        assert_eq!(all("ba.", ""), "[[bar]]");
        assert_eq!(all("b(a)(.)", ""), "[[a, r]]");
        assert_eq!(all("BA.", "i"), "[[bar]]");
        assert_eq!(all("x", "g"), "[]");
        assert_eq!(all("x", "z"), "invalid regular expression option: \"z\"");
    }

    #[test]
    fn the_nth_match_is_taken_from_a_place_on() {
        let int = |value: i64| ScalarValue::Int64(Some(value));
        let of = |start, n| shown(&regexp_substr(), &[text("one two three"), text("[a-z]+"), int(start), int(n)]);
        assert_eq!(of(1, 2), "two");
        assert_eq!(of(5, 2), "three");
        assert_eq!(of(1, 4), "NULL");
        assert_eq!(of(40, 1), "NULL");
        assert_eq!(of(0, 1), "invalid value for parameter \"start\": 0");
        // The text before the place is still there.
        let after = |pattern: &str| shown(&regexp_instr(), &[text("aaa"), text(pattern), int(2)]);
        assert_eq!((after("^a"), after("(?<=a)a")), ("0".to_owned(), "2".to_owned()));
    }
}
