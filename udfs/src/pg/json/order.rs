//! `lakegate_jsonb_order(jsonb) -> bytea` - bytes that sort as jsonb does.
//!
//! Sorts by a jsonb are planned as sorts by this. NULL gives NULL. Users never name it.
//! <https://www.postgresql.org/docs/16/datatype-json.html#JSON-INDEXING>

use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryBuilder};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::strings::unescape;
use super::walk::{Kind, elements, kind, members};
use crate::Error;
use crate::function::{Args, Overload, Ty, function, overload};

/// The function.
pub fn order() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload(&[Ty::Text], Ty::Bytea, kernel)];
    function("lakegate_jsonb_order", &OVERLOADS)
}

fn kernel(args: &Args<'_>) -> Result<ArrayRef> {
    let values = args.text(0)?;
    let mut out = BinaryBuilder::with_capacity(args.rows, args.rows * 16);
    let mut bytes = Vec::new();
    for row in 0..args.rows {
        let Some(value) = values.get(row) else {
            out.append_null();
            continue;
        };
        bytes.clear();
        // An empty array that is a whole value sorts below everything.
        if kind(value) == Kind::Array && elements(value).next().is_none() {
            bytes.push(0);
        } else {
            encode(value, &mut bytes)?;
        }
        out.append_value(&bytes);
    }
    Ok(Arc::new(out.finish()))
}

fn encode(value: &str, out: &mut Vec<u8>) -> Result<(), Error> {
    let kind = kind(value);
    out.push(kind as u8 + 1);
    match kind {
        Kind::Null => {}
        Kind::Boolean => out.push(u8::from(value == "true")),
        Kind::String => text(&unescape(value)?, out),
        Kind::Number => number(value, out),
        Kind::Array => {
            count(elements(value).count(), out);
            for element in elements(value) {
                encode(element, out)?;
            }
        }
        Kind::Object => {
            count(members(value).count(), out);
            for (key, value) in members(value) {
                let key = unescape(key)?;
                count(key.len(), out);
                out.extend_from_slice(key.as_bytes());
                encode(value, out)?;
            }
        }
    }
    Ok(())
}

/// No text has the byte that ends it.
fn text(text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(text.as_bytes());
    out.push(0);
}

fn count(count: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(&u32::try_from(count).unwrap_or(u32::MAX).to_be_bytes());
}

/// Sign, digits before the point, digits; all of them turned around below zero.
fn number(number: &str, out: &mut Vec<u8>) {
    let digits = number.trim_start_matches('-');
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    let is_zero = whole.is_empty() && fraction.is_empty();
    let negative = number.starts_with('-') && !is_zero;
    out.push(match (negative, is_zero) {
        (true, _) => 1,
        (false, true) => 2,
        (false, false) => 3,
    });
    if is_zero {
        return;
    }
    let start = out.len();
    count(whole.len(), out);
    text(whole, out);
    text(fraction, out);
    if negative {
        out.iter_mut().skip(start).for_each(|byte| *byte = !*byte);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_sort_as_jsonb_does() {
        let ordered = [
            "null",
            "\"a\"",
            "\"aa\"",
            "\"b\"",
            "-10",
            "-2.5",
            "-2",
            "0",
            "0.5",
            "2",
            "2.5",
            "10",
            "false",
            "true",
            "[1]",
            "[2]",
            "[1, 0]",
            "{}",
            r#"{"b": 1}"#,
            r#"{"aa": 0}"#,
        ];
        let keys: Vec<Vec<u8>> = ordered
            .iter()
            .map(|value| {
                let mut bytes = Vec::new();
                encode(value, &mut bytes).unwrap();
                bytes
            })
            .collect();
        for (pair, values) in keys.windows(2).zip(ordered.windows(2)) {
            assert!(pair[0] < pair[1], "{values:?}");
        }
    }
}
