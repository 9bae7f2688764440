//! Number literals that are cast: read as what they are cast to, not as what they would be alone.
//!
//! Owns: the digits of `numeric` and the range of floats. Must never know: where the literal stands.

use sqlparser::ast::{DataType, ExactNumberInfo, Expr, UnaryOperator};

use super::literals::{number, string};
use super::types;
use crate::error::{Error, Result, SqlState};

/// The digits that the engine's decimals hold.
const DIGITS_MAX: usize = 76;

/// The literal as a `numeric` without precision and scale, or as a float; `None` leaves it to the planner.
pub(super) fn cast(text: &str, data_type: &DataType) -> Result<Option<Expr>> {
    let (name, infinite) = match data_type {
        DataType::Numeric(ExactNumberInfo::None) | DataType::Decimal(ExactNumberInfo::None) => {
            return Ok(numeric(text));
        }
        DataType::DoublePrecision | DataType::Float8 => {
            ("double precision", text.parse::<f64>().is_ok_and(f64::is_infinite))
        }
        DataType::Real | DataType::Float4 => ("real", text.parse::<f32>().is_ok_and(f32::is_infinite)),
        _ => return Ok(None),
    };
    if infinite {
        let message = format!("\"{text}\" is out of range for type {name}");
        return Err(Error::new(SqlState::NumericValueOutOfRange, message));
    }
    Ok(Some(types::cast(string(text), data_type.clone())))
}

/// `1.50` keeps its scale, and so does `1e3`, which is 1000.
fn numeric(text: &str) -> Option<Expr> {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(unsigned) => (true, unsigned),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, power) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let point = i64::try_from(whole.len()).ok()? + i64::from(power.parse::<i32>().ok()?);
    let (whole, fraction) = match usize::try_from(point) {
        Ok(point) if point > DIGITS_MAX => return None,
        Ok(point) if point >= digits.len() => (format!("{digits:0<point$}"), String::new()),
        Ok(point) => (digits.get(..point)?.to_owned(), digits.get(point..)?.to_owned()),
        Err(_) => {
            let zeros = usize::try_from(point.unsigned_abs()).ok().filter(|zeros| *zeros <= DIGITS_MAX)?;
            (String::new(), format!("{}{digits}", "0".repeat(zeros)))
        }
    };
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        whole => whole,
    };
    if whole.len() + fraction.len() > DIGITS_MAX {
        return None;
    }
    let literal = match fraction.as_str() {
        "" => {
            let precision = u64::try_from(whole.len()).ok()?;
            types::cast(number(whole), DataType::Numeric(ExactNumberInfo::PrecisionAndScale(precision, 0)))
        }
        fraction => number(format!("{whole}.{fraction}")),
    };
    Some(match negative {
        true => Expr::UnaryOp { op: UnaryOperator::Minus, expr: Box::new(literal) },
        false => literal,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_numeric_keeps_the_digits_that_it_is_written_with() {
        let cases = [
            ("1.50", Some("1.50")),
            ("-0.0001", Some("-0.0001")),
            ("0.00", Some("0.00")),
            (".5", Some("0.5")),
            ("1.5e1", Some("15::NUMERIC(2,0)")),
            ("1e3", Some("1000::NUMERIC(4,0)")),
            ("-12e-3", Some("-0.012")),
            ("007", Some("7::NUMERIC(1,0)")),
            ("1e300", None),
            ("NaN", None),
            ("1.2.3", None),
            ("", None),
        ];
        for (text, expect) in cases {
            assert_eq!(numeric(text).map(|expr| expr.to_string()), expect.map(str::to_owned), "{text}");
        }
    }

    #[test]
    fn a_float_is_read_with_its_exponent_and_must_be_in_range() {
        assert_eq!(
            cast("-1e+300", &DataType::DoublePrecision).unwrap().unwrap().to_string(),
            "'-1e+300'::DOUBLE PRECISION"
        );
        for (text, data_type) in [("1e400", DataType::DoublePrecision), ("1e39", DataType::Real)] {
            assert_eq!(cast(text, &data_type).unwrap_err().state, SqlState::NumericValueOutOfRange, "{text}");
        }
    }
}
