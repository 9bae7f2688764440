//! The argument types of the functions, as PostgreSQL groups them, and what coerces to them.
//!
//! Owns: the cost of a coercion. The numbers only rank overloads of one function against each other.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, IntervalUnit, TimeUnit};

/// A type that a kernel reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ty {
    Bool,
    /// Any integer, read as Int64.
    Int,
    /// An `integer`, or what is smaller, read as Int32.
    Int4,
    /// A `smallint`, and nothing else.
    Int2,
    Float,
    /// A `real`, and nothing else.
    Float4,
    Numeric,
    Text,
    Bytea,
    Date,
    Time,
    Timestamp,
    TimestampTz,
    Interval,
    TextArray,
    AnyArray,
    /// An item of the call's array: both become arrays and items of what they have in common.
    Element,
    Any,
}

/// The zone of a timestamptz that a function makes; the instants are what counts.
pub(crate) fn utc() -> Arc<str> {
    Arc::from("UTC")
}

const MICRO: TimeUnit = TimeUnit::Microsecond;

impl Ty {
    /// The Arrow type of a result.
    pub(crate) fn arrow(self) -> DataType {
        match self {
            Self::Bool => DataType::Boolean,
            Self::Int => DataType::Int64,
            Self::Int4 => DataType::Int32,
            Self::Int2 => DataType::Int16,
            Self::Float4 => DataType::Float32,
            Self::Float => DataType::Float64,
            Self::Numeric => DataType::Decimal128(38, 10),
            Self::Text | Self::Element | Self::Any => DataType::Utf8,
            Self::Bytea => DataType::Binary,
            Self::Date => DataType::Date32,
            Self::Time => DataType::Time64(MICRO),
            Self::Timestamp => DataType::Timestamp(MICRO, None),
            Self::TimestampTz => DataType::Timestamp(MICRO, Some(utc())),
            Self::Interval => DataType::Interval(IntervalUnit::MonthDayNano),
            Self::TextArray | Self::AnyArray => DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true))),
        }
    }

    /// What `from` becomes when it is read as this type.
    pub(super) fn coerced(self, from: &DataType) -> DataType {
        match (self, from) {
            (Self::Numeric, DataType::Decimal128(..)) => from.clone(),
            (Self::Numeric, DataType::Decimal32(p, s)) => DataType::Decimal128(*p, *s),
            (Self::Numeric, DataType::Decimal64(p, s)) => DataType::Decimal128(*p, *s),
            (Self::Numeric, DataType::Decimal256(_, s)) => DataType::Decimal128(38, *s),
            (Self::Numeric, from) if from.is_integer() => DataType::Decimal128(20, 0),
            (Self::TimestampTz, DataType::Timestamp(_, Some(zone))) => {
                DataType::Timestamp(MICRO, Some(Arc::clone(zone)))
            }
            (Self::AnyArray, DataType::List(_)) | (Self::Any | Self::Element, _) => from.clone(),
            (Self::AnyArray, DataType::LargeList(item) | DataType::FixedSizeList(item, _)) => {
                DataType::List(Arc::clone(item))
            }
            _ => self.arrow(),
        }
    }

    /// How far `from` is from this type; `None` when a call may not coerce it.
    pub(super) fn cost(self, from: &DataType) -> Option<u32> {
        use DataType as D;
        if *from == self.coerced(from) {
            return Some(if matches!(self, Self::Any | Self::Element) { 20 } else { 0 });
        }
        if *from == D::Null {
            return Some(1);
        }
        if is_text(from) {
            return Some(match self {
                Self::Text => 1,
                // A text may be a literal of unknown type, which becomes whatever the function takes.
                Self::TextArray | Self::AnyArray | Self::Bytea | Self::Numeric => return None,
                Self::Int4 | Self::Int2 | Self::Float4 => return None,
                _ => 10,
            });
        }
        Some(match (self, from) {
            (Self::Int, from) if from.is_integer() => 1,
            (Self::Int4, D::Int8 | D::Int16 | D::UInt8 | D::UInt16) => 1,
            (Self::Float, D::Float16 | D::Float32) => 1,
            (Self::Float, from) if from.is_integer() => 2,
            (Self::Numeric, from) if from.is_integer() => 3,
            (Self::Numeric, D::Decimal32(..) | D::Decimal64(..) | D::Decimal256(..)) => 1,
            (Self::Float, D::Decimal32(..) | D::Decimal64(..) | D::Decimal128(..) | D::Decimal256(..)) => 4,
            (Self::Bytea, D::LargeBinary | D::BinaryView | D::FixedSizeBinary(_)) => 1,
            (Self::Date, D::Date64) => 1,
            (Self::Time, D::Time32(_) | D::Time64(_)) => 1,
            (Self::Timestamp, D::Timestamp(_, None)) | (Self::TimestampTz, D::Timestamp(_, Some(_))) => 1,
            // Dearer than a literal of unknown type: PostgreSQL looks at the types that are known first.
            (Self::TimestampTz, D::Date32 | D::Date64) => 12,
            (Self::Timestamp, D::Date32 | D::Date64) => 13,
            (Self::TimestampTz, D::Timestamp(_, None)) => 14,
            (Self::Interval, D::Interval(_) | D::Duration(_)) => 1,
            (Self::TextArray | Self::AnyArray, D::List(_) | D::LargeList(_) | D::FixedSizeList(..)) => 2,
            _ => return None,
        })
    }
}

pub(super) fn is_text(from: &DataType) -> bool {
    match from {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, value) => is_text(value),
        _ => false,
    }
}

/// PostgreSQL's name of an argument's type, for messages.
pub(crate) fn pg_name(arrow: &DataType) -> String {
    let name = match arrow {
        DataType::Null => "unknown",
        DataType::Boolean => "boolean",
        DataType::Int8 | DataType::Int16 | DataType::UInt8 => "smallint",
        DataType::Int32 | DataType::UInt16 => "integer",
        DataType::Int64 | DataType::UInt32 => "bigint",
        DataType::Float16 | DataType::Float32 => "real",
        DataType::Float64 => "double precision",
        DataType::UInt64
        | DataType::Decimal32(..)
        | DataType::Decimal64(..)
        | DataType::Decimal128(..)
        | DataType::Decimal256(..) => "numeric",
        from if is_text(from) => "text",
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => "bytea",
        DataType::Date32 | DataType::Date64 => "date",
        DataType::Time32(_) | DataType::Time64(_) => "time without time zone",
        DataType::Timestamp(_, None) => "timestamp without time zone",
        DataType::Timestamp(_, Some(_)) => "timestamp with time zone",
        DataType::Interval(_) | DataType::Duration(_) => "interval",
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            return format!("{}[]", pg_name(item.data_type()));
        }
        DataType::Map(..) | DataType::Union(..) => "json",
        _ => "record",
    };
    name.to_owned()
}
