//! `money`: hundredths, held as a decimal of scale 2.
//!
//! Owns: `cash_out` and `cash_send` in the C locale's dollars.

use arrow::array::ArrayRef;
use arrow::datatypes::Decimal128Type;

use super::cell::{BoxCell, primitive};
use super::row::Format;
use crate::error::{Error, SqlState};

pub(super) fn cell(array: &ArrayRef, format: Format) -> BoxCell {
    let text = format == Format::Text;
    primitive::<Decimal128Type, _>(array, move |cents, out| {
        if !text {
            let cents = i64::try_from(cents)
                .map_err(|_| Error::new(SqlState::NumericValueOutOfRange, "value is out of range for type money"))?;
            out.array(&cents.to_be_bytes());
            return Ok(());
        }
        if cents < 0 {
            out.byte(b'-');
        }
        out.byte(b'$');
        let (whole, rest) = (cents.unsigned_abs() / 100, cents.unsigned_abs() % 100);
        let mut buffer = itoa::Buffer::new();
        let digits = buffer.format(whole).as_bytes();
        for (index, digit) in digits.iter().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                out.byte(b',');
            }
            out.byte(*digit);
        }
        let rest = u8::try_from(rest).unwrap_or_default();
        out.array(&[b'.', b'0' + rest / 10, b'0' + rest % 10]);
        Ok(())
    })
}
