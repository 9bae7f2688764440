//! `format(pattern text, ...) -> text` - fills `%s`, `%I`, `%L` and `%%`, with positions (`%2$s`) and widths (`%-5s`, `%*s`).
//!
//! `%s` of NULL is empty, `%L` of NULL is `NULL`, `%I` of NULL is 22004. A NULL pattern gives NULL. Too few arguments or
//! another specifier are 22023; a result above 16 MiB is 54000.
//! <https://www.postgresql.org/docs/16/functions-string.html#FUNCTIONS-STRING-FORMAT>
//!
//! ```sql
//! SELECT format('%s is %I = %L', 'x', 'Col', 'it''s');  -- x is "Col" = 'it''s'
//! ```

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::quote;
use super::sized::{CHARS_MAX, too_long};
use crate::Error;
use crate::function::{Args, Overload, Ty, function, overload, some, variadic};

/// The function.
pub fn format() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 2] =
        [overload(&[Ty::Text], Ty::Text, kernel), variadic(&[Ty::Text, Ty::Any], Ty::Text, kernel)];
    function("format", &OVERLOADS)
}

/// An argument of any type, as its text.
pub(crate) struct Texts {
    array: StringArray,
    constant: bool,
}

impl Texts {
    pub(crate) fn get(&self, row: usize) -> Option<&str> {
        let index = if self.constant { 0 } else { row };
        self.array.is_valid(index).then(|| self.array.value(index))
    }
}

/// Reads an argument as text, a truth value as `t` or `f`.
pub(crate) fn as_text(args: &Args<'_>, index: usize) -> Result<Texts> {
    let array = args.array(index)?;
    let texts: StringArray = match array.as_any().downcast_ref::<BooleanArray>() {
        Some(flags) => flags.iter().map(|flag| flag.map(|flag| if flag { "t" } else { "f" })).collect(),
        None => {
            let texts = cast(array, &DataType::Utf8)?;
            texts.as_any().downcast_ref::<StringArray>().cloned().unwrap_or_else(|| StringArray::new_null(array.len()))
        }
    };
    Ok(Texts { constant: texts.len() == 1 && args.rows != 1, array: texts })
}

fn kernel(args: &Args<'_>) -> Result<ArrayRef> {
    let patterns = args.text(0)?;
    let values = (1..args.len()).map(|index| as_text(args, index)).collect::<Result<Vec<_>>>()?;
    args.build_text(|row| {
        let pattern = some!(patterns.get(row));
        let row_values: Vec<_> = values.iter().map(|value| value.get(row)).collect();
        Ok(Some(fill(pattern, &row_values)?))
    })
}

fn fill(pattern: &str, values: &[Option<&str>]) -> Result<String, Error> {
    let mut out = String::with_capacity(pattern.len());
    let mut next = 0;
    let mut rest = pattern;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(tail) = rest.strip_prefix('%') {
            out.push('%');
            rest = tail;
            continue;
        }
        let (specifier, tail) = Specifier::read(rest, values, &mut next)?;
        specifier.write(&mut out)?;
        rest = tail;
    }
    out.push_str(rest);
    if out.len() > CHARS_MAX { Err(too_long()) } else { Ok(out) }
}

struct Specifier<'a> {
    value: Option<&'a str>,
    kind: char,
    /// Negative aligns to the left.
    width: i64,
}

impl<'a> Specifier<'a> {
    /// Reads `[position$][-][width]type`.
    fn read<'p>(text: &'p str, values: &[Option<&'a str>], next: &mut usize) -> Result<(Self, &'p str), Error> {
        let mut rest = text;
        let mut position = None;
        let (number, tail) = digits(rest)?;
        if let (Some(number), Some(tail)) = (number, tail.strip_prefix('$')) {
            if number == 0 {
                return Err(invalid("format specifies argument 0, but arguments are numbered from 1"));
            }
            (position, rest) = (Some(number), tail);
        }
        let left = rest.starts_with('-');
        rest = rest.trim_start_matches('-');
        let mut width = 0;
        if let Some(tail) = rest.strip_prefix('*') {
            let (at, tail) = match digits(tail)? {
                (Some(number), tail) => (Some(number), tail.strip_prefix('$').unwrap_or(tail)),
                (None, tail) => (None, tail),
            };
            let given = argument(values, next, at)?.unwrap_or("0");
            width = given.parse().map_err(|_| Error::InvalidText { of: "integer", value: given.to_owned() })?;
            rest = tail;
        } else if let (Some(number), tail) = digits(rest)? {
            width = i64::try_from(number).unwrap_or(i64::MAX);
            rest = tail;
        }
        let mut chars = rest.chars();
        let Some(kind) = chars.next() else { return Err(invalid("unterminated format() type specifier")) };
        if !matches!(kind, 's' | 'I' | 'L') {
            return Err(Error::InvalidParameter(std::format!("unrecognized format() type specifier \"{kind}\"")));
        }
        let value = argument(values, next, position)?;
        Ok((Self { value, kind, width: if left { -width.abs() } else { width } }, chars.as_str()))
    }

    fn write(&self, out: &mut String) -> Result<(), Error> {
        let text = match (self.kind, self.value) {
            ('I', None) => {
                return Err(Error::NullNotAllowed("null values cannot be formatted as an SQL identifier".to_owned()));
            }
            ('I', Some(value)) => quote::ident(value),
            ('L', None) => "NULL".to_owned(),
            ('L', Some(value)) => quote::literal(value),
            (_, value) => value.unwrap_or_default().to_owned(),
        };
        let length = text.chars().count();
        let width = usize::try_from(self.width.unsigned_abs()).unwrap_or(usize::MAX);
        if width > CHARS_MAX || out.len() + text.len() > CHARS_MAX {
            return Err(too_long());
        }
        let padding = " ".repeat(width.saturating_sub(length));
        if self.width < 0 {
            out.extend([text, padding]);
        } else {
            out.extend([padding, text]);
        }
        Ok(())
    }
}

fn digits(text: &str) -> Result<(Option<usize>, &str), Error> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    if number.is_empty() {
        return Ok((None, rest));
    }
    match number.parse() {
        Ok(number) => Ok((Some(number), rest)),
        Err(_) => Err(invalid("number is out of range")),
    }
}

fn argument<'a>(
    values: &[Option<&'a str>],
    next: &mut usize,
    position: Option<usize>,
) -> Result<Option<&'a str>, Error> {
    let index = match position {
        Some(position) => position.saturating_sub(1),
        None => *next,
    };
    *next = index + 1;
    values.get(index).copied().ok_or_else(|| invalid("too few arguments for format()"))
}

fn invalid(message: &str) -> Error {
    Error::InvalidParameter(message.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{shown, text};
    use datafusion::common::ScalarValue;

    #[test]
    fn specifiers_are_postgres_s() {
        let null = || ScalarValue::Utf8(None);
        let check = |args: &[ScalarValue], expect: &str| assert_eq!(shown(&format(), args), expect);
        let pattern = text("%s %I %L %% %2$s %1$s|%-5s|%5s|%L");
        check(
            &[pattern, text("a"), text("b c"), text("it's"), text("x"), text("y"), null()],
            "a \"b c\" 'it''s' % b c a|b c  | it's|'x'",
        );
        check(&[text("%s")], "too few arguments for format()");
        check(&[text("%y"), text("a")], "unrecognized format() type specifier \"y\"");
        check(&[text("%I"), null()], "null values cannot be formatted as an SQL identifier");
        check(&[text("%s|%s"), ScalarValue::Int64(Some(7)), ScalarValue::Boolean(Some(true))], "7|t");
        check(&[null(), text("a")], "NULL");
        check(&[text("%99999999s"), text("a")], "result of text function is larger than 16777216 bytes");
    }
}
