//! `lakegate_tid_in(text)`, `lakegate_tid_out(tid)`, `lakegate_tid_of(bigint)` - the place of a row, `(page,item)`.
//!
//! A `tid` is six bytes, the page before the item, so that bytes order as places do. Casts from and to text are planned as
//! the first two; the third gives the row with a number from 1 its place. NULL gives NULL. Users never name them.
//! <https://www.postgresql.org/docs/16/datatype-oid.html>

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, FixedSizeBinaryBuilder};
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::Error;
use crate::function::{Args, Overload, Returns, Ty, function, overload, overload_of, some};

/// The Arrow type of a `tid`.
pub const TID: DataType = DataType::FixedSizeBinary(6);

/// Rows to a page; PostgreSQL's pages hold no more.
const PAGE_ROWS: i64 = 226;

/// From text.
pub fn tid_in() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload_of(&[Ty::Text], Returns::Field(TID, "tid"), read)];
    function("lakegate_tid_in", &OVERLOADS)
}

/// From the number of a row.
pub fn tid_of() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload_of(&[Ty::Int], Returns::Field(TID, "tid"), number)];
    function("lakegate_tid_of", &OVERLOADS)
}

/// To text.
pub fn tid_out() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload(&[Ty::Any], Ty::Text, write)];
    function("lakegate_tid_out", &OVERLOADS)
}

/// The bytes of a place, as `(page,item)`.
pub fn text(bytes: &[u8]) -> Option<String> {
    let (page, item) = (bytes.get(..4)?, bytes.get(4..6)?);
    let page = u32::from_be_bytes(page.try_into().ok()?);
    let item = u16::from_be_bytes(item.try_into().ok()?);
    Some(format!("({page},{item})"))
}

/// The place that a text means.
pub fn parse(text: &str) -> Option<[u8; 6]> {
    let (page, item) = text.trim().strip_prefix('(')?.strip_suffix(')')?.split_once(',')?;
    Some(bytes(page.trim().parse().ok()?, item.trim().parse().ok()?))
}

fn bytes(page: u32, item: u16) -> [u8; 6] {
    let ([a, b, c, d], [e, f]) = (page.to_be_bytes(), item.to_be_bytes());
    [a, b, c, d, e, f]
}

fn read(args: &Args<'_>) -> Result<ArrayRef> {
    let texts = args.text(0)?;
    build(args, |row| {
        let text = some!(texts.get(row));
        let invalid = || Error::InvalidText { of: "tid", value: text.to_owned() };
        Ok(Some(parse(text).ok_or_else(invalid)?))
    })
}

fn number(args: &Args<'_>) -> Result<ArrayRef> {
    let numbers = args.int(0)?;
    build(args, |row| {
        let index = some!(numbers.get(row)).saturating_sub(1).max(0);
        let page = u32::try_from(index / PAGE_ROWS).unwrap_or(u32::MAX);
        let item = u16::try_from(index % PAGE_ROWS + 1).unwrap_or(u16::MAX);
        Ok(Some(bytes(page, item)))
    })
}

fn build(args: &Args<'_>, mut row: impl FnMut(usize) -> Result<Option<[u8; 6]>>) -> Result<ArrayRef> {
    let mut out = FixedSizeBinaryBuilder::with_capacity(args.rows, 6);
    for index in 0..args.rows {
        match row(index)? {
            Some(bytes) => out.append_value(bytes)?,
            None => out.append_null(),
        }
    }
    Ok(Arc::new(out.finish()))
}

fn write(args: &Args<'_>) -> Result<ArrayRef> {
    let values = args.expanded(0)?;
    let values = values.as_fixed_size_binary_opt();
    args.build_text(|row| {
        use arrow::array::Array;
        let Some(values) = values else { return Ok(None) };
        Ok(values.is_valid(row).then(|| text(values.value(row))).flatten())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{call, shown, text as literal};

    #[test]
    fn places_are_read_and_written_as_postgres_does() {
        for text in ["(0,1)", "(4294967295,65535)", "( 7 , 8 )"] {
            let read = parse(text).unwrap();
            assert_eq!(super::text(&read).unwrap(), text.replace(' ', ""));
        }
        assert!(parse("(0,1) < (0,2)").is_none() && parse("0,1").is_none() && parse("(0,70000)").is_none());
        assert!(parse("(2,9)").unwrap() < parse("(10,1)").unwrap());
        let place = call(&tid_in(), &[literal("(3,4)")], true).unwrap();
        assert_eq!(shown(&tid_out(), &[place]), "(3,4)");
        assert!(call(&tid_in(), &[literal("x")], true).is_err());
    }
}
