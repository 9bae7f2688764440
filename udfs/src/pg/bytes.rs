//! `get_byte(bytea, n)`, `set_byte(bytea, n, value)`, `get_bit`, `set_bit`, `bit_count(bytea)`; `length`,
//! `octet_length` and `bit_length` of texts and bytes.
//!
//! Bytes and bits count from 0, the lowest bit of a byte first. A place outside is 2202E, a bit other than 0 and 1 22023.
//! NULL gives NULL.
//! <https://www.postgresql.org/docs/16/functions-binarystring.html>
//!
//! ```sql
//! SELECT get_byte('abc'::bytea, 1), set_bit('\x00'::bytea, 0, 1), bit_count('\xff'::bytea);  -- 98  \x01  8
//! ```

use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryBuilder};
use arrow::datatypes::{Int32Type, Int64Type};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::Error;
use crate::function::{Args, Overload, Ty, function, overload, some};

/// `get_byte`.
pub fn get_byte() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload(&[Ty::Bytea, Ty::Int], Ty::Int4, |args| {
        let (values, places) = (args.bytes(0)?, args.int(1)?);
        args.build::<Int32Type>(|row| {
            let (bytes, place) = (some!(values.get(row)), some!(places.get(row)));
            Ok(Some(i32::from(*at(bytes, place, place, bytes.len())?)))
        })
    })];
    function("get_byte", &OVERLOADS)
}

/// `get_bit`.
pub fn get_bit() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload(&[Ty::Bytea, Ty::Int], Ty::Int4, |args| {
        let (values, places) = (args.bytes(0)?, args.int(1)?);
        args.build::<Int32Type>(|row| {
            let (bytes, place) = (some!(values.get(row)), some!(places.get(row)));
            let byte = at(bytes, place.div_euclid(8), place, bytes.len() * 8)?;
            Ok(Some(i32::from(byte >> place.rem_euclid(8) & 1)))
        })
    })];
    function("get_bit", &OVERLOADS)
}

/// `set_byte`: of the value only the lowest byte counts.
pub fn set_byte() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload(&[Ty::Bytea, Ty::Int, Ty::Int], Ty::Bytea, |args| {
        changed(args, |bytes, place, value| {
            let length = bytes.len();
            *at_mut(bytes, place, place, length)? = value.to_le_bytes()[0];
            Ok(())
        })
    })];
    function("set_byte", &OVERLOADS)
}

/// `set_bit`.
pub fn set_bit() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload(&[Ty::Bytea, Ty::Int, Ty::Int], Ty::Bytea, |args| {
        changed(args, |bytes, place, value| {
            let bits = bytes.len() * 8;
            let byte = at_mut(bytes, place.div_euclid(8), place, bits)?;
            let bit = 1_u8 << place.rem_euclid(8);
            match value {
                0 => *byte &= !bit,
                1 => *byte |= bit,
                _ => return Err(Error::InvalidParameter("new bit must be 0 or 1".to_owned())),
            }
            Ok(())
        })
    })];
    function("set_bit", &OVERLOADS)
}

/// `bit_count`.
pub fn bit_count() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload(&[Ty::Bytea], Ty::Int, |args| {
        let values = args.bytes(0)?;
        args.build::<Int64Type>(|row| {
            Ok(Some(some!(values.get(row)).iter().map(|byte| i64::from(byte.count_ones())).sum()))
        })
    })];
    function("bit_count", &OVERLOADS)
}

/// `length`: of texts the characters.
pub fn length() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 2] = [
        overload(&[Ty::Text], Ty::Int4, |args| {
            let texts = args.text(0)?;
            lengths(args, 1, |row| texts.get(row).map(|text| text.chars().count()))
        }),
        overload(&[Ty::Bytea], Ty::Int4, |args| {
            let values = args.bytes(0)?;
            lengths(args, 1, |row| values.get(row).map(<[u8]>::len))
        }),
    ];
    function("length", &OVERLOADS)
}

/// `octet_length`.
pub fn octet_length() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 2] = [
        overload(&[Ty::Text], Ty::Int4, |args| {
            let texts = args.text(0)?;
            lengths(args, 1, |row| texts.get(row).map(str::len))
        }),
        overload(&[Ty::Bytea], Ty::Int4, |args| {
            let values = args.bytes(0)?;
            lengths(args, 1, |row| values.get(row).map(<[u8]>::len))
        }),
    ];
    function("octet_length", &OVERLOADS)
}

/// `bit_length`.
pub fn bit_length() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 2] = [
        overload(&[Ty::Text], Ty::Int4, |args| {
            let texts = args.text(0)?;
            lengths(args, 8, |row| texts.get(row).map(str::len))
        }),
        overload(&[Ty::Bytea], Ty::Int4, |args| {
            let values = args.bytes(0)?;
            lengths(args, 8, |row| values.get(row).map(<[u8]>::len))
        }),
    ];
    function("bit_length", &OVERLOADS)
}

fn lengths(args: &Args<'_>, unit: usize, length: impl Fn(usize) -> Option<usize>) -> Result<ArrayRef> {
    args.build::<Int32Type>(|row| {
        let length = i32::try_from(some!(length(row)).saturating_mul(unit));
        Ok(Some(length.map_err(|_| Error::NumericOverflow("integer"))?))
    })
}

fn changed(args: &Args<'_>, change: impl Fn(&mut [u8], i64, i64) -> Result<(), Error>) -> Result<ArrayRef> {
    let (values, places, new) = (args.bytes(0)?, args.int(1)?, args.int(2)?);
    let mut out = BinaryBuilder::new();
    for row in 0..args.rows {
        match (values.get(row), places.get(row), new.get(row)) {
            (Some(bytes), Some(place), Some(new)) => {
                let mut bytes = bytes.to_vec();
                change(&mut bytes, place, new)?;
                out.append_value(bytes);
            }
            _ => out.append_null(),
        }
    }
    Ok(Arc::new(out.finish()))
}

/// The byte at `index`; the error speaks of `place` among `places`.
fn at(bytes: &[u8], index: i64, place: i64, places: usize) -> Result<&u8, Error> {
    usize::try_from(index).ok().and_then(|index| bytes.get(index)).ok_or_else(|| outside(place, places))
}

fn at_mut(bytes: &mut [u8], index: i64, place: i64, places: usize) -> Result<&mut u8, Error> {
    usize::try_from(index).ok().and_then(|index| bytes.get_mut(index)).ok_or_else(|| outside(place, places))
}

fn outside(place: i64, places: usize) -> Error {
    let last = i128::try_from(places).unwrap_or(i128::MAX) - 1;
    Error::ArraySubscript(format!("index {place} out of valid range, 0..{last}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{call, shown, text};
    use datafusion::common::ScalarValue;

    #[test]
    fn places_count_from_zero_and_must_exist() {
        let bytes = |value: &[u8]| ScalarValue::Binary(Some(value.to_vec()));
        let int = |value: i64| ScalarValue::Int64(Some(value));
        assert_eq!(shown(&get_byte(), &[bytes(b"abc"), int(1)]), "98");
        assert_eq!(shown(&get_byte(), &[bytes(b"abc"), int(3)]), "index 3 out of valid range, 0..2");
        assert_eq!(shown(&get_bit(), &[bytes(b"\x02"), int(1)]), "1");
        assert_eq!(shown(&get_bit(), &[bytes(b"\x02"), int(8)]), "index 8 out of valid range, 0..7");
        assert_eq!(shown(&get_bit(), &[bytes(b""), int(-1)]), "index -1 out of valid range, 0..-1");
        assert_eq!(call(&set_byte(), &[bytes(b"abc"), int(0), int(65 + 256)], true), Ok(bytes(b"Abc")));
        assert_eq!(call(&set_bit(), &[bytes(b"\x00"), int(7), int(1)], true), Ok(bytes(b"\x80")));
        assert_eq!(shown(&set_bit(), &[bytes(b"\x00"), int(0), int(2)]), "new bit must be 0 or 1");
        assert_eq!(shown(&bit_count(), &[bytes(b"\xff\x01")]), "9");
        assert_eq!(shown(&octet_length(), &[text("é")]), "2");
        assert_eq!(shown(&bit_length(), &[bytes(b"ab")]), "16");
    }
}
