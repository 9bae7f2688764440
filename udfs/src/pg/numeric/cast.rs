//! Casts to numbers that may not fit: `x::int`, `x::real`, `x::numeric(p, s)`, and `x::numeric` without a scale.
//!
//! A float becomes the nearest integer, a half the even one; a numeric's half goes away from zero; a float's 15 digits
//! become a numeric. What does not fit is 22003, a text that is no number 22P02. NULL gives NULL.
//! <https://www.postgresql.org/docs/16/datatype-numeric.html>
//!
//! ```sql
//! SELECT 2.5::double precision::int, 2.5::int, 1234.567::numeric(6, 2);  -- 2  3  1234.57
//! ```

use std::fmt::Write;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, PrimitiveArray, PrimitiveBuilder};
use arrow::datatypes::{
    DataType, Decimal128Type, Decimal256Type, FieldRef, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type, i256,
};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::super::input;
use super::digits::{PRECISION_MAX, divide_rounded, power, read, rescale, wide_rescale, without_space};
use super::kind;
use crate::Error;
use crate::function::{pg_name, strict};

/// The function that replaces a cast, where the plain cast would not be PostgreSQL's.
pub fn checked(from: &DataType, to: &DataType) -> Option<Arc<ScalarUDF>> {
    use DataType as D;
    if let D::Dictionary(_, value) = from {
        return checked(value, to);
    }
    let text = matches!(from, D::Utf8 | D::LargeUtf8 | D::Utf8View);
    let inexact = text || from.is_floating() || matches!(from, D::Decimal128(..) | D::Decimal256(..));
    let replaced = match to {
        D::Int16 | D::Int32 | D::Int64 => inexact || (from.is_integer() && whole_digits(from) >= whole_digits(to)),
        D::Float64 => text,
        D::Float32 => text || matches!(from, D::Float64),
        D::Decimal128(..) => {
            let shrinks = from.is_numeric() && (whole_digits(from) > whole_digits(to) || scale(from) > scale(to));
            text || from.is_floating() || shrinks
        }
        _ => false,
    };
    (replaced && from != to).then(|| udf(Some(to.clone())))
}

/// `lakegate_numeric(x)`: the cast to numeric without precision, which keeps an exact number as it is.
pub fn numeric() -> Arc<ScalarUDF> {
    udf(None)
}

/// Those that a plan may name.
pub fn functions() -> Vec<Arc<ScalarUDF>> {
    let to = [DataType::Int16, DataType::Int32, DataType::Int64, DataType::Float32, DataType::Float64, kind::OWN];
    to.into_iter().map(|to| udf(Some(to))).chain([numeric()]).collect()
}

fn udf(to: Option<DataType>) -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::new_from_impl(Cast { to, signature: Signature::any(1, Volatility::Immutable) }))
}

/// The digits before the point that a type's values may have.
fn whole_digits(of: &DataType) -> i16 {
    match of {
        DataType::Int8 | DataType::UInt8 => 3,
        DataType::Int16 | DataType::UInt16 => 5,
        DataType::Int32 | DataType::UInt32 => 10,
        DataType::Int64 => 19,
        DataType::UInt64 => 20,
        DataType::Decimal128(p, s) | DataType::Decimal256(p, s) => i16::from(*p) - i16::from(*s),
        _ => i16::MAX,
    }
}

fn scale(of: &DataType) -> i8 {
    match of {
        DataType::Decimal128(_, scale) | DataType::Decimal256(_, scale) => *scale,
        _ => 0,
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Cast {
    /// `None`: the numeric that the argument is.
    to: Option<DataType>,
    signature: Signature,
}

impl ScalarUDFImpl for Cast {
    fn name(&self) -> &str {
        match &self.to {
            None => "lakegate_numeric",
            Some(DataType::Int16) => "lakegate_to_int2",
            Some(DataType::Int32) => "lakegate_to_int4",
            Some(DataType::Int64) => "lakegate_to_int8",
            Some(DataType::Float32) => "lakegate_to_float4",
            Some(DataType::Float64) => "lakegate_to_float8",
            Some(_) => "lakegate_to_numeric",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        match (&self.to, given) {
            (Some(to), _) => Ok(to.clone()),
            (None, [from]) => unconstrained(from),
            _ => exec_err!("{} takes one value", self.name()),
        }
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        strict(self, &args)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [value] = args.args.as_slice() else { return exec_err!("{} takes one value", self.name()) };
        let to = args.return_field.data_type();
        Ok(match value {
            ColumnarValue::Array(array) => ColumnarValue::Array(convert(array, to)?),
            ColumnarValue::Scalar(value) => {
                ColumnarValue::Scalar(ScalarValue::try_from_array(&convert(&value.to_array_of_size(1)?, to)?, 0)?)
            }
        })
    }
}

/// The type of `x::numeric`.
fn unconstrained(from: &DataType) -> Result<DataType> {
    Ok(match from {
        DataType::Decimal128(..) | DataType::Decimal256(..) => from.clone(),
        DataType::Decimal32(p, s) | DataType::Decimal64(p, s) => DataType::Decimal128(*p, *s),
        from if from.is_integer() => DataType::Decimal128(u8::try_from(whole_digits(from)).unwrap_or(20), 0),
        DataType::Dictionary(_, value) => return unconstrained(value),
        DataType::Null | DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => kind::OWN,
        from if from.is_floating() => kind::OWN,
        from => return plan_err!("cannot cast type {} to numeric", pg_name(from)),
    })
}

/// The values as numbers of another type.
pub(crate) fn convert(array: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    if array.data_type() == to {
        return Ok(Arc::clone(array));
    }
    Ok(match to {
        DataType::Int16 => Arc::new(integers::<Int16Type>(array, "smallint")?),
        DataType::Int32 => Arc::new(integers::<Int32Type>(array, "integer")?),
        DataType::Int64 => Arc::new(integers::<Int64Type>(array, "bigint")?),
        DataType::Float32 => match array.data_type() {
            DataType::Float64 => Arc::new(array.as_primitive::<Float64Type>().try_unary::<_, Float32Type, _>(narrow)?),
            _ => Arc::new(texts::<Float32Type>(array, input::single)?),
        },
        DataType::Float64 => Arc::new(texts::<Float64Type>(array, input::double)?),
        DataType::Decimal128(precision, scale) => {
            Arc::new(Target::new(*precision, *scale)?.decimals(array)?.with_data_type(to.clone()))
        }
        _ => arrow::compute::cast(array, to)?,
    })
}

#[expect(clippy::cast_possible_truncation, reason = "a value beyond the range is infinite, and refused")]
fn narrow(value: f64) -> Result<f32, Error> {
    let narrowed = value as f32;
    match (narrowed.is_infinite() && value.is_finite(), narrowed == 0.0 && value != 0.0) {
        (true, _) => Err(Error::Overflow),
        (_, true) => Err(Error::Underflow),
        _ => Ok(narrowed),
    }
}

fn integers<T: ArrowPrimitiveType>(array: &ArrayRef, of: &'static str) -> Result<PrimitiveArray<T>>
where
    T::Native: TryFrom<i128>,
{
    let fit = |value: i128| T::Native::try_from(value).map_err(|_| Error::NumericOverflow(of));
    // A float beyond the least and largest i128 saturates there, which no integer type holds.
    #[expect(clippy::cast_possible_truncation, reason = "it saturates")]
    let from_float = |value: f64| {
        if value.is_nan() { Err(Error::NumericOverflow(of)) } else { fit(value.round_ties_even() as i128) }
    };
    macro_rules! from {
        ($source:ty, $each:expr) => {
            array.as_primitive::<$source>().try_unary::<_, T, Error>($each)?
        };
    }
    Ok(match array.data_type() {
        DataType::Int8 => from!(Int8Type, |value| fit(value.into())),
        DataType::Int16 => from!(Int16Type, |value| fit(value.into())),
        DataType::Int32 => from!(Int32Type, |value| fit(value.into())),
        DataType::Int64 => from!(Int64Type, |value| fit(value.into())),
        DataType::UInt8 => from!(UInt8Type, |value| fit(value.into())),
        DataType::UInt16 => from!(UInt16Type, |value| fit(value.into())),
        DataType::UInt32 => from!(UInt32Type, |value| fit(value.into())),
        DataType::UInt64 => from!(UInt64Type, |value| fit(value.into())),
        DataType::Float32 => from!(Float32Type, |value| from_float(value.into())),
        DataType::Float64 => from!(Float64Type, from_float),
        DataType::Decimal128(_, scale) => {
            let by = -i32::from(*scale);
            let unit = power(scale.unsigned_abs().into()).filter(|_| *scale > 0);
            from!(Decimal128Type, |value| match unit {
                Some(unit) => fit(divide_rounded(value, unit)),
                None => fit(rescale(value, by).ok_or(Error::NumericOverflow(of))?),
            })
        }
        DataType::Decimal256(_, scale) => {
            let by = -i32::from(*scale);
            from!(Decimal256Type, |value| {
                fit(wide_rescale(value, by).and_then(i256::to_i128).ok_or(Error::NumericOverflow(of))?)
            })
        }
        _ => texts::<T>(array, |text| integer(text, of))?,
    })
}

fn integer<N: TryFrom<i128>>(text: &str, of: &'static str) -> Result<N, Error> {
    let value = N::try_from(input::whole(text, of)?);
    value.map_err(|_| Error::ValueOutOfRange { of, value: text.to_owned() })
}

/// Every text of a column as a number.
fn texts<T: ArrowPrimitiveType>(
    array: &ArrayRef,
    read: impl Fn(&str) -> Result<T::Native, Error>,
) -> Result<PrimitiveArray<T>> {
    fn all<'a, T: ArrowPrimitiveType>(
        texts: impl ExactSizeIterator<Item = Option<&'a str>>,
        read: impl Fn(&str) -> Result<T::Native, Error>,
    ) -> Result<PrimitiveArray<T>> {
        let mut out = PrimitiveBuilder::with_capacity(texts.len());
        for text in texts {
            out.append_option(text.map(&read).transpose()?);
        }
        Ok(out.finish())
    }
    match array.data_type() {
        DataType::Utf8 => all(array.as_string::<i32>().iter(), read),
        DataType::LargeUtf8 => all(array.as_string::<i64>().iter(), read),
        DataType::Utf8View => all(array.as_string_view().iter(), read),
        DataType::Null => Ok(PrimitiveArray::new_null(array.len())),
        DataType::Dictionary(_, value) => texts(&arrow::compute::cast(array, value)?, read),
        other => exec_err!("{other} is no number"),
    }
}

/// The numeric that is cast to.
struct Target {
    precision: u8,
    scale: i8,
    limit: i128,
}

impl Target {
    fn new(precision: u8, scale: i8) -> Result<Self> {
        match power(precision.min(PRECISION_MAX).into()) {
            Some(limit) => Ok(Self { precision, scale, limit }),
            None => exec_err!("a precision of {precision}"),
        }
    }

    fn fit(&self, mantissa: Option<i128>) -> Result<i128, Error> {
        mantissa.filter(|value| value.unsigned_abs() < self.limit.unsigned_abs()).ok_or(
            match DataType::Decimal128(self.precision, self.scale) == kind::OWN {
                true => Error::NumericFormatOverflow,
                false => Error::NumericFieldOverflow { precision: self.precision, scale: self.scale },
            },
        )
    }

    fn decimals(&self, array: &ArrayRef) -> Result<PrimitiveArray<Decimal128Type>> {
        let by = i32::from(self.scale) - i32::from(scale(array.data_type()));
        macro_rules! from {
            ($source:ty, $each:expr) => {
                array.as_primitive::<$source>().try_unary::<_, Decimal128Type, Error>($each)?
            };
        }
        Ok(match array.data_type() {
            DataType::Int8 => from!(Int8Type, |value| self.fit(rescale(value.into(), by))),
            DataType::Int16 => from!(Int16Type, |value| self.fit(rescale(value.into(), by))),
            DataType::Int32 => from!(Int32Type, |value| self.fit(rescale(value.into(), by))),
            DataType::Int64 => from!(Int64Type, |value| self.fit(rescale(value.into(), by))),
            DataType::UInt8 => from!(UInt8Type, |value| self.fit(rescale(value.into(), by))),
            DataType::UInt16 => from!(UInt16Type, |value| self.fit(rescale(value.into(), by))),
            DataType::UInt32 => from!(UInt32Type, |value| self.fit(rescale(value.into(), by))),
            DataType::UInt64 => from!(UInt64Type, |value| self.fit(rescale(value.into(), by))),
            DataType::Float32 => from!(Float32Type, |value| self.of_float(value.into(), 5)),
            DataType::Float64 => from!(Float64Type, |value| self.of_float(value, 14)),
            DataType::Decimal128(..) => from!(Decimal128Type, |value| self.fit(rescale(value, by))),
            DataType::Decimal256(..) => {
                from!(Decimal256Type, |value| self.fit(wide_rescale(value, by).and_then(i256::to_i128)))
            }
            _ => texts::<Decimal128Type>(array, |text| self.of_text(text))?,
        })
    }

    fn of_text(&self, text: &str) -> Result<i128, Error> {
        match read(text) {
            // No digit of a number without a declared scale is lost.
            Some(number) if DataType::Decimal128(self.precision, self.scale) == kind::OWN => {
                let exact = || {
                    let mantissa = number.mantissa(number.scale())?;
                    let by = i32::from(self.scale) - number.scale();
                    let kept = rescale(mantissa, by)?;
                    (by >= 0 || rescale(kept, -by) == Some(mantissa)).then_some(kept)
                };
                self.fit(exact()).map_err(|_| Error::Unsupported(TOO_LONG.to_owned()))
            }
            Some(number) => self.fit(number.mantissa(self.scale.into())),
            None if has_large_exponent(text) => Err(Error::NumericFormatOverflow),
            None => match without_space(text).trim_start_matches(['-', '+']).to_ascii_lowercase().as_str() {
                "nan" | "inf" | "infinity" => Err(no_number()),
                _ => Err(Error::InvalidText { of: "numeric", value: text.to_owned() }),
            },
        }
    }

    /// PostgreSQL takes the digits that every float of the type keeps: one, and `places` after the point.
    fn of_float(&self, value: f64, places: usize) -> Result<i128, Error> {
        if !value.is_finite() {
            return Err(no_number());
        }
        let mut text = Text::default();
        // 32 bytes hold every such text.
        let _ = write!(text, "{value:.places$e}");
        match read(text.as_str()) {
            Some(number) => self.fit(number.mantissa(self.scale.into())),
            None => Err(no_number()),
        }
    }
}

/// Whether a text is a number but for an exponent that no number has. Too many digits of one are counted before what
/// follows them is looked at, as in PostgreSQL.
fn has_large_exponent(text: &str) -> bool {
    let Some((mantissa, exponent)) = without_space(text).split_once(['e', 'E']) else { return false };
    let digits = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    let (digits, rest) = digits.split_at(end);
    let is_counted = !digits.is_empty() && digits.parse::<i32>().is_ok_and(|power| power <= i32::MAX / 2);
    let is_large = if is_counted { rest.is_empty() } else { !digits.is_empty() };
    is_large && !mantissa.ends_with(|c: char| c.is_ascii_whitespace()) && read(mantissa).is_some()
}

const TOO_LONG: &str = "a numeric without precision and scale has at most 22 digits before and 16 after the point here";

fn no_number() -> Error {
    Error::Unsupported("numeric values NaN and Infinity are not supported".to_owned())
}

/// A short text on the stack.
#[derive(Default)]
struct Text {
    bytes: [u8; 32],
    len: usize,
}

impl Text {
    fn as_str(&self) -> &str {
        self.bytes.get(..self.len).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

impl Write for Text {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let end = self.len + text.len();
        self.bytes.get_mut(self.len..end).ok_or(std::fmt::Error)?.copy_from_slice(text.as_bytes());
        self.len = end;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_that_no_number_has_are_told_from_other_texts() {
        for text in ["1e1000000", " -1.5E+99999999999 ", "1e99999999999.5", "1e1852302778240387239651.303"] {
            assert!(has_large_exponent(text), "{text}");
        }
        for text in ["1e", "1e+", "1 e5000000", "e5000000", "1e5000000x", "1e 5", "1.5"] {
            assert!(!has_large_exponent(text), "{text}");
        }
    }
}
