//! Builds the columns of a batch from the texts of fields.
//!
//! Owns: which texts a type takes. The type is decided once per column, not per value.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Date32Builder, Decimal128Builder, PrimitiveBuilder, StringViewBuilder,
    TimestampMicrosecondBuilder,
};
use arrow::compute::kernels::cast_utils::parse_decimal;
use arrow::datatypes::{DataType, Decimal128Type, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type, TimeUnit};

use crate::format::value::{Pattern, boolean, date, timestamp};

/// A column under construction.
pub(super) enum Column {
    Text(StringViewBuilder),
    Int16(PrimitiveBuilder<Int16Type>),
    Int32(PrimitiveBuilder<Int32Type>),
    Int64(PrimitiveBuilder<Int64Type>),
    Float32(PrimitiveBuilder<Float32Type>),
    Float64(PrimitiveBuilder<Float64Type>),
    Decimal { builder: Decimal128Builder, precision: u8, scale: i8 },
    Boolean(BooleanBuilder),
    Date { builder: Date32Builder, pattern: Option<Pattern> },
    Timestamp { builder: TimestampMicrosecondBuilder, offset: Offset, pattern: Option<Pattern> },
}

/// What a column of times asks of the offset of a value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Offset {
    Forbidden,
    Required,
    /// A value without an offset is in UTC, because the definition says that the column has an instant.
    OrUtc,
}

/// A value that its column cannot take.
pub(super) struct Misfit;

macro_rules! each {
    ($column:expr, $builder:ident => $body:expr) => {
        match $column {
            Column::Text($builder) => $body,
            Column::Int16($builder) => $body,
            Column::Int32($builder) => $body,
            Column::Int64($builder) => $body,
            Column::Float32($builder) => $body,
            Column::Float64($builder) => $body,
            Column::Decimal { builder: $builder, .. } => $body,
            Column::Boolean($builder) => $body,
            Column::Date { builder: $builder, .. } => $body,
            Column::Timestamp { builder: $builder, .. } => $body,
        }
    };
}

impl Column {
    /// `None` if text cannot be read as the type.
    pub(super) fn new(
        data_type: &DataType,
        declared: bool,
        date: Option<&Pattern>,
        time: Option<&Pattern>,
    ) -> Option<Self> {
        Some(match data_type {
            DataType::Utf8View => Self::Text(StringViewBuilder::new().with_fixed_block_size(64 << 10)),
            DataType::Int16 => Self::Int16(PrimitiveBuilder::new()),
            DataType::Int32 => Self::Int32(PrimitiveBuilder::new()),
            DataType::Int64 => Self::Int64(PrimitiveBuilder::new()),
            DataType::Float32 => Self::Float32(PrimitiveBuilder::new()),
            DataType::Float64 => Self::Float64(PrimitiveBuilder::new()),
            DataType::Decimal128(precision, scale) => Self::Decimal {
                builder: Decimal128Builder::new().with_data_type(data_type.clone()),
                precision: *precision,
                scale: *scale,
            },
            DataType::Boolean => Self::Boolean(BooleanBuilder::new()),
            DataType::Date32 => Self::Date { builder: Date32Builder::new(), pattern: date.cloned() },
            DataType::Timestamp(TimeUnit::Microsecond, zone) => Self::Timestamp {
                builder: TimestampMicrosecondBuilder::new().with_data_type(data_type.clone()),
                offset: match (zone.is_some(), declared) {
                    (false, _) => Offset::Forbidden,
                    (true, false) => Offset::Required,
                    (true, true) => Offset::OrUtc,
                },
                pattern: time.cloned(),
            },
            _ => return None,
        })
    }

    pub(super) fn is_text(&self) -> bool {
        matches!(self, Self::Text(_))
    }

    pub(super) fn push_null(&mut self) {
        each!(self, builder => builder.append_null());
    }

    pub(super) fn push(&mut self, value: &str) -> Result<(), Misfit> {
        if let Self::Text(builder) = self {
            return builder.try_append_value(value).map_err(|_| Misfit);
        }
        let value = value.trim_ascii();
        match self {
            Self::Text(_) => {}
            Self::Int16(builder) => builder.append_value(value.parse().map_err(|_| Misfit)?),
            Self::Int32(builder) => builder.append_value(value.parse().map_err(|_| Misfit)?),
            Self::Int64(builder) => builder.append_value(value.parse().map_err(|_| Misfit)?),
            Self::Float32(builder) => builder.append_value(value.parse().map_err(|_| Misfit)?),
            Self::Float64(builder) => builder.append_value(value.parse().map_err(|_| Misfit)?),
            Self::Decimal { builder, precision, scale } => {
                builder.append_value(parse_decimal::<Decimal128Type>(value, *precision, *scale).map_err(|_| Misfit)?);
            }
            Self::Boolean(builder) => builder.append_value(boolean(value).or_else(|| flag(value)).ok_or(Misfit)?),
            Self::Date { builder, pattern } => {
                let day = pattern.as_ref().map_or_else(|| date(value), |pattern| pattern.date(value));
                builder.append_value(day.ok_or(Misfit)?);
            }
            Self::Timestamp { builder, offset, pattern } => {
                builder.append_value(moment(value, *offset, pattern.as_ref()).ok_or(Misfit)?);
            }
        }
        Ok(())
    }

    pub(super) fn finish(&mut self) -> ArrayRef {
        each!(self, builder => Arc::new(builder.finish()))
    }
}

/// The other texts that PostgreSQL takes for a boolean; only a declared column meets them.
fn flag(value: &str) -> Option<bool> {
    match value {
        "t" | "T" | "1" | "y" | "Y" | "yes" | "on" => Some(true),
        "f" | "F" | "0" | "n" | "N" | "no" | "off" => Some(false),
        _ => None,
    }
}

fn moment(value: &str, offset: Offset, pattern: Option<&Pattern>) -> Option<i64> {
    let found = match pattern {
        Some(pattern) => pattern.timestamp(value),
        // A day is its midnight.
        None => timestamp(value).or_else(|| date(value).map(|day| (i64::from(day) * 86_400_000_000, false))),
    };
    let (micros, has_offset) = found?;
    match offset {
        Offset::Forbidden if has_offset => None,
        Offset::Required if !has_offset => None,
        Offset::Forbidden | Offset::Required | Offset::OrUtc => Some(micros),
    }
}
