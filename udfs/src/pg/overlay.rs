//! `overlay(text placing text from start [for count])` - the text with a part of it replaced.
//!
//! The part is as long as what replaces it, unless a count says otherwise. A start below 1 is 22011, an end beyond
//! `integer` 22003. NULL gives NULL. <https://www.postgresql.org/docs/16/functions-string.html>
//!
//! ```sql
//! SELECT overlay('Txxxxas' PLACING 'hom' FROM 2 FOR 4);  -- Thomas
//! ```

use std::sync::Arc;

use arrow::array::ArrayRef;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::substr::characters;
use crate::Error;
use crate::function::{Args, Overload, Ty, function, overload, some};

/// The function.
pub fn overlay() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 2] = [
        overload(&[Ty::Text, Ty::Text, Ty::Int], Ty::Text, replaced),
        overload(&[Ty::Text, Ty::Text, Ty::Int, Ty::Int], Ty::Text, replaced),
    ];
    function("overlay", &OVERLOADS)
}

fn replaced(args: &Args<'_>) -> Result<ArrayRef> {
    let (texts, parts, starts) = (args.text(0)?, args.text(1)?, args.int(2)?);
    let counts = if args.len() > 3 { Some(args.int(3)?) } else { None };
    args.build_text(|row| {
        let (text, part, start) = (some!(texts.get(row)), some!(parts.get(row)), some!(starts.get(row)));
        let count = match &counts {
            Some(counts) => some!(counts.get(row)),
            None => i64::try_from(part.chars().count()).unwrap_or(i64::MAX),
        };
        if start <= 0 {
            return Err(Error::NegativeSubstring.into());
        }
        let end = start.checked_add(count).filter(|end| i32::try_from(*end).is_ok());
        let end = end.ok_or(Error::NumericOverflow("integer"))?;
        let (before, after) = (characters(text, 1, start - 1), characters(text, end, i64::MAX));
        Ok(Some(format!("{before}{part}{after}")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{shown, text};
    use datafusion::common::ScalarValue;

    #[test]
    fn the_part_is_replaced() {
        let int = |value| ScalarValue::Int64(Some(value));
        let call = |rest: &[ScalarValue]| shown(&overlay(), &[&[text("Txxxxas"), text("hom")], rest].concat());
        assert_eq!(call(&[int(2), int(4)]), "Thomas");
        assert_eq!(call(&[int(2)]), "Thomxas");
        assert_eq!(call(&[int(3), int(-2)]), "TxhomTxxxxas");
        assert_eq!(call(&[int(0)]), "negative substring length not allowed");
        assert_eq!(call(&[int(2_147_483_647), int(1)]), "integer out of range");
    }
}
