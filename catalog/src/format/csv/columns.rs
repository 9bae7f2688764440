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

use crate::format::value::{Form, boolean};

/// A column under construction.
pub(super) enum Column {
    Text(StringViewBuilder),
    Int16(PrimitiveBuilder<Int16Type>),
    Int32(PrimitiveBuilder<Int32Type>),
    Int64(PrimitiveBuilder<Int64Type>),
    Float32 { builder: PrimitiveBuilder<Float32Type>, mark: Mark },
    Float64 { builder: PrimitiveBuilder<Float64Type>, mark: Mark },
    Decimal { builder: Decimal128Builder, precision: u8, scale: i8, mark: Mark },
    Boolean(BooleanBuilder),
    Date { builder: Date32Builder, form: Form },
    Timestamp { builder: TimestampMicrosecondBuilder, offset: Offset, form: Form },
}

/// What a column of times asks of the offset of a value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Offset {
    Forbidden,
    Required,
    /// A value without an offset is in UTC, because the definition says that the column has an instant.
    OrUtc,
}

/// What stands before decimals: a point, or, with room for the same number with a point, a comma.
pub(super) struct Mark(Option<String>);

impl Mark {
    fn pointed<'a>(&'a mut self, value: &'a str) -> Result<&'a str, Misfit> {
        let Some(scratch) = &mut self.0 else { return Ok(value) };
        if value.contains('.') {
            return Err(Misfit);
        }
        let Some((whole, decimals)) = value.split_once(',') else { return Ok(value) };
        scratch.clear();
        scratch.push_str(whole);
        scratch.push('.');
        scratch.push_str(decimals);
        Ok(scratch)
    }
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
            Column::Float32 { builder: $builder, .. } => $body,
            Column::Float64 { builder: $builder, .. } => $body,
            Column::Decimal { builder: $builder, .. } => $body,
            Column::Boolean($builder) => $body,
            Column::Date { builder: $builder, .. } => $body,
            Column::Timestamp { builder: $builder, .. } => $body,
        }
    };
}

impl Column {
    /// `None` if text cannot be read as the type.
    pub(super) fn new(data_type: &DataType, declared: bool, form: &Form, has_commas: bool) -> Option<Self> {
        let mark = Mark(has_commas.then(String::new));
        Some(match data_type {
            DataType::Utf8View => Self::Text(StringViewBuilder::new().with_fixed_block_size(64 << 10)),
            DataType::Int16 => Self::Int16(PrimitiveBuilder::new()),
            DataType::Int32 => Self::Int32(PrimitiveBuilder::new()),
            DataType::Int64 => Self::Int64(PrimitiveBuilder::new()),
            DataType::Float32 => Self::Float32 { builder: PrimitiveBuilder::new(), mark },
            DataType::Float64 => Self::Float64 { builder: PrimitiveBuilder::new(), mark },
            DataType::Decimal128(precision, scale) => Self::Decimal {
                builder: Decimal128Builder::new().with_data_type(data_type.clone()),
                precision: *precision,
                scale: *scale,
                mark,
            },
            DataType::Boolean => Self::Boolean(BooleanBuilder::new()),
            DataType::Date32 => Self::Date { builder: Date32Builder::new(), form: form.clone() },
            DataType::Timestamp(TimeUnit::Microsecond, zone) => Self::Timestamp {
                builder: TimestampMicrosecondBuilder::new().with_data_type(data_type.clone()),
                offset: match (zone.is_some(), declared) {
                    (false, _) => Offset::Forbidden,
                    (true, false) => Offset::Required,
                    (true, true) => Offset::OrUtc,
                },
                form: form.clone(),
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
            Self::Float32 { builder, mark } => {
                builder.append_value(mark.pointed(value)?.parse().map_err(|_| Misfit)?);
            }
            Self::Float64 { builder, mark } => {
                builder.append_value(mark.pointed(value)?.parse().map_err(|_| Misfit)?);
            }
            Self::Decimal { builder, precision, scale, mark } => {
                let value = mark.pointed(value)?;
                builder.append_value(parse_decimal::<Decimal128Type>(value, *precision, *scale).map_err(|_| Misfit)?);
            }
            Self::Boolean(builder) => builder.append_value(boolean(value).or_else(|| flag(value)).ok_or(Misfit)?),
            Self::Date { builder, form } => builder.append_value(form.date(value).ok_or(Misfit)?),
            Self::Timestamp { builder, offset, form } => {
                builder.append_value(moment(value, *offset, form).ok_or(Misfit)?);
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

fn moment(value: &str, offset: Offset, form: &Form) -> Option<i64> {
    let (micros, has_offset) = form.timestamp(value)?;
    match offset {
        Offset::Forbidden if has_offset => None,
        Offset::Required if !has_offset => None,
        Offset::Forbidden | Offset::Required | Offset::OrUtc => Some(micros),
    }
}
