//! Which values of a column the rows of a file can have.
//!
//! Owns: extents as texts, so that they can be kept, and what a set of them covers. Pure.

use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use serde::{Deserialize, Serialize};

/// From the least to the greatest value, both of which are met or none is beyond, and whether there can be NULLs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extent {
    range: Option<(String, String)>,
    nulls: bool,
}

impl Extent {
    /// `None` if the values cannot be told as texts.
    pub fn new(range: Option<(&ScalarValue, &ScalarValue)>, nulls: bool) -> Option<Self> {
        let range = match range {
            None => None,
            Some((least, greatest)) => Some((text(least)?, text(greatest)?)),
        };
        Some(Self { range, nulls })
    }

    pub fn has_nulls(&self) -> bool {
        self.nulls
    }

    /// The range as values of a type; an error is a text that is none.
    pub fn range(&self, of: &DataType) -> Result<Option<(ScalarValue, ScalarValue)>> {
        match &self.range {
            None => Ok(None),
            Some((least, greatest)) => Ok(Some((value(least, of)?, value(greatest, of)?))),
        }
    }
}

fn text(value: &ScalarValue) -> Option<String> {
    let texts = cast_with_options(&value.to_array().ok()?, &DataType::Utf8, &STRICT).ok()?;
    match ScalarValue::try_from_array(&texts, 0).ok()? {
        ScalarValue::Utf8(Some(text)) => Some(text),
        _ => None,
    }
}

fn value(text: &str, of: &DataType) -> Result<ScalarValue> {
    let text = ScalarValue::Utf8(Some(text.to_owned())).to_array()?;
    ScalarValue::try_from_array(&cast_with_options(&text, of, &STRICT)?, 0)
}

const STRICT: CastOptions<'static> =
    CastOptions { safe: false, format_options: arrow::util::display::FormatOptions::new() };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_as_they_were() {
        let values = [
            ScalarValue::Int32(Some(-7)),
            ScalarValue::Int64(Some(i64::MAX)),
            ScalarValue::Date32(Some(-1)),
            ScalarValue::Date32(Some(20_000)),
            ScalarValue::Boolean(Some(true)),
            ScalarValue::Utf8(Some("é, \"x\"".to_owned())),
            ScalarValue::Decimal128(Some(-12_345), 20, 3),
            ScalarValue::TimestampMicrosecond(Some(1_700_000_000_123_456), None),
            ScalarValue::TimestampMicrosecond(Some(-1), Some("UTC".into())),
        ];
        for value in values {
            let extent = Extent::new(Some((&value, &value)), true).unwrap();
            let kept: Extent = serde_json::from_str(&serde_json::to_string(&extent).unwrap()).unwrap();
            assert_eq!(kept.range(&value.data_type()).unwrap(), Some((value.clone(), value)));
        }
        assert_eq!(Extent::new(None, true).unwrap().range(&DataType::Int64).unwrap(), None);
        let text = |text: &str| ScalarValue::Utf8(Some(text.to_owned()));
        let texts = Extent::new(Some((&text("x"), &text("y"))), false).unwrap();
        assert!(texts.range(&DataType::Int64).is_err());
    }
}
