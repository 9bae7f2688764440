//! `regexp_substr(text, pattern [, start [, n [, flags [, subexpr]]]])`, and `lakegate_regexp_matches(text, pattern [,
//! flags])`, the matches that `regexp_matches` returns as rows.
//!
//! A match is the array of its groups, or of itself where the pattern has none. Only the first is given without the flag
//! `g`. NULL gives NULL, and no match of `regexp_substr` too. A bad flag, start or number is 22023, a bad pattern 2201B.
//! <https://www.postgresql.org/docs/16/functions-matching.html#FUNCTIONS-POSIX-REGEXP>
//!
//! ```sql
//! SELECT regexp_substr('number of your street', '[^ ]+', 1, 2);  -- of
//! ```

use std::sync::Arc;

use arrow::array::{ArrayRef, ListBuilder, StringArray, StringBuilder};
use arrow::datatypes::{DataType, Field};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;
use regex::Regex;

use super::regexp::{Flags, compile};
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

/// The patterns of a call, each compiled again only when it differs from the row before.
struct Patterns<'a> {
    patterns: Column<'a, StringArray>,
    flags: Option<Column<'a, StringArray>>,
    last: Option<(&'a str, &'a str, Regex, Flags)>,
}

impl<'a> Patterns<'a> {
    fn new(args: &'a Args<'_>, flags: usize) -> Result<Self> {
        let flags = if args.len() > flags { Some(args.text(flags)?) } else { None };
        Ok(Self { patterns: args.text(1)?, flags, last: None })
    }

    fn get(&mut self, row: usize) -> Result<Option<(&Regex, Flags)>, Error> {
        let Some(pattern) = self.patterns.get(row) else { return Ok(None) };
        let flags = match &self.flags {
            Some(flags) => match flags.get(row) {
                Some(flags) => flags,
                None => return Ok(None),
            },
            None => "",
        };
        if !matches!(&self.last, Some((known, with, ..)) if (*known, *with) == (pattern, flags)) {
            let read = Flags::read(flags)?;
            self.last = Some((pattern, flags, compile(pattern, read)?, read));
        }
        Ok(self.last.as_ref().map(|(_, _, regex, flags)| (regex, *flags)))
    }
}

fn matches(args: &Args<'_>) -> Result<ArrayRef> {
    let (texts, mut patterns) = (args.text(0)?, Patterns::new(args, 2)?);
    let mut out = ListBuilder::new(ListBuilder::new(StringBuilder::new()));
    for row in 0..args.rows {
        let (Some(text), Some((regex, flags))) = (texts.get(row), patterns.get(row)?) else {
            out.append(false);
            continue;
        };
        let limit = if flags.global { usize::MAX } else { 1 };
        let groups = regex.captures_len();
        for found in regex.captures_iter(text).take(limit) {
            for group in usize::from(groups > 1)..groups {
                out.values().values().append_option(found.get(group).map(|part| part.as_str()));
            }
            out.values().append(true);
        }
        out.append(true);
    }
    Ok(Arc::new(out.finish()))
}

fn substr(args: &Args<'_>) -> Result<ArrayRef> {
    let (texts, mut patterns) = (args.text(0)?, Patterns::new(args, 4)?);
    let number = |index: usize| if args.len() > index { args.int(index).map(Some) } else { Ok(None) };
    let (starts, counts, groups) = (number(2)?, number(3)?, number(5)?);
    args.build_text(|row| {
        let text = some!(texts.get(row));
        let of_row = |column: &Option<Column<'_, _>>, default| column.as_ref().map_or(Some(default), |it| it.get(row));
        let (start, count) = (some!(of_row(&starts, 1)), some!(of_row(&counts, 1)));
        let group = some!(of_row(&groups, 0));
        let (regex, flags) = some!(patterns.get(row)?);
        if flags.global {
            let message = "regexp_substr() does not support the \"global\" option";
            return Err(Error::InvalidParameter(message.to_owned()).into());
        }
        let start = parameter("start", start, 1)? - 1;
        let (count, group) = (parameter("n", count, 1)? - 1, parameter("subexpr", group, 0)?);
        let Some((from, _)) = text.char_indices().nth(start).or((start == 0).then_some((0, ' '))) else {
            return Ok(None);
        };
        let rest = text.get(from..).unwrap_or_default();
        let found = some!(regex.captures_iter(rest).nth(count));
        Ok(found.get(group).map(|part| part.as_str().to_owned()))
    })
}

fn parameter(name: &str, value: i64, least: i64) -> Result<usize, Error> {
    match usize::try_from(value) {
        Ok(number) if value >= least => Ok(number),
        _ => Err(Error::InvalidParameter(format!("invalid value for parameter \"{name}\": {value}"))),
    }
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
    }
}
