//! The types under which columns of files are shown: one Arrow type for each type of PostgreSQL.
//!
//! Owns: which one. Functions, operators and casts know these types, so that a column works whatever its file counts in:
//! instants and times in microseconds, as PostgreSQL has them (digits beyond are cut), integers of 16, 32 and 64 bits,
//! spans of all kinds as intervals, texts as views. What does not fit is an error of the query that reads it. Pure.

use std::sync::Arc;

use arrow::datatypes::{
    DECIMAL128_MAX_PRECISION, DECIMAL256_MAX_PRECISION, DataType, Field, FieldRef, IntervalUnit, TimeUnit,
};
use udfs::pg_type;

const MICRO: TimeUnit = TimeUnit::Microsecond;

/// A column of a file as its table shows it, with the tag of its type where Arrow's does not tell it.
pub(crate) fn normal(field: &Field) -> Field {
    let data_type = data_type(field.data_type(), is_uuid(field));
    match tag(field, &data_type) {
        Some(tag) => pg_type::tagged(field.name(), data_type, &tag),
        None => Field::new(field.name(), data_type, true),
    }
}

/// Whether the bytes of a column are uuids.
pub(crate) fn is_uuid(field: &Field) -> bool {
    let says = pg_type::tag(field) == Some("uuid") || field.extension_type_name() == Some("arrow.uuid");
    says && *field.data_type() == DataType::FixedSizeBinary(16)
}

fn tag(field: &Field, normal: &DataType) -> Option<String> {
    if is_uuid(field) {
        return Some("uuid".to_owned());
    }
    match normal {
        DataType::Utf8View if field.extension_type_name() == Some("arrow.json") => Some("json".to_owned()),
        DataType::Utf8View => pg_type::tag(field).filter(|tag| *tag == "json").map(str::to_owned),
        // An array of tagged elements.
        DataType::List(item) => {
            pg_type::tag(item).map(|tag| if tag.starts_with('_') { tag.to_owned() } else { format!("_{tag}") })
        }
        _ => None,
    }
}

fn data_type(of: &DataType, is_uuid: bool) -> DataType {
    use DataType as D;
    match of {
        D::Int8 | D::UInt8 => D::Int16,
        D::UInt16 => D::Int32,
        D::UInt32 => D::Int64,
        D::UInt64 => D::Decimal128(20, 0),
        D::Float16 => D::Float32,
        D::Decimal32(precision, scale)
        | D::Decimal64(precision, scale)
        | D::Decimal128(precision, scale)
        | D::Decimal256(precision, scale) => decimal(*precision, *scale),
        D::Date64 => D::Date32,
        D::Time32(_) | D::Time64(_) => D::Time64(MICRO),
        D::Timestamp(_, zone) => D::Timestamp(MICRO, zone.as_ref().map(|_| "UTC".into())),
        D::Duration(_) | D::Interval(_) => D::Interval(IntervalUnit::MonthDayNano),
        D::FixedSizeBinary(_) if is_uuid => D::Utf8View,
        D::Null | D::Utf8 | D::LargeUtf8 => D::Utf8View,
        D::Binary | D::LargeBinary | D::FixedSizeBinary(_) => D::BinaryView,
        D::Dictionary(_, values) => data_type(values, is_uuid),
        D::RunEndEncoded(_, values) => normal(values).data_type().clone(),
        D::List(item) | D::LargeList(item) | D::FixedSizeList(item, _) | D::ListView(item) | D::LargeListView(item) => {
            D::List(element(item))
        }
        other => other.clone(),
    }
}

fn element(item: &Field) -> FieldRef {
    Arc::new(normal(item).with_name(Field::LIST_FIELD_DEFAULT_NAME))
}

/// A scale below zero becomes digits: PostgreSQL shows none.
fn decimal(precision: u8, scale: i8) -> DataType {
    let digits = i16::from(precision) - i16::from(scale.min(0));
    match u8::try_from(digits) {
        Ok(precision @ ..=DECIMAL128_MAX_PRECISION) => DataType::Decimal128(precision, scale.max(0)),
        Ok(precision @ ..=DECIMAL256_MAX_PRECISION) => DataType::Decimal256(precision, scale.max(0)),
        _ => DataType::Decimal256(DECIMAL256_MAX_PRECISION, scale.max(0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_of_a_file_has_one_of_postgres() {
        use DataType as D;
        let zoned = |unit, zone: &str| D::Timestamp(unit, Some(zone.into()));
        for (of, expected) in [
            (D::UInt64, D::Decimal128(20, 0)),
            (D::UInt8, D::Int16),
            (D::Float16, D::Float32),
            (D::Decimal32(5, -2), D::Decimal128(7, 0)),
            (D::Decimal256(40, -2), D::Decimal256(42, 0)),
            (D::Decimal256(20, 2), D::Decimal128(20, 2)),
            (zoned(TimeUnit::Nanosecond, "+02:00"), zoned(MICRO, "UTC")),
            (D::Time32(TimeUnit::Second), D::Time64(MICRO)),
            (D::Duration(TimeUnit::Second), D::Interval(IntervalUnit::MonthDayNano)),
            (D::new_large_list(D::new_fixed_size_list(D::UInt8, 2, false), false), {
                D::new_list(D::new_list(D::Int16, true), true)
            }),
            (D::Dictionary(Box::new(D::Int8), Box::new(D::LargeUtf8)), D::Utf8View),
        ] {
            assert_eq!(*normal(&Field::new("c", of.clone(), false)).data_type(), expected, "{of}");
        }
    }

    #[test]
    fn a_uuid_is_one_in_an_array_too() {
        let uuid = pg_type::tagged("item", DataType::FixedSizeBinary(16), "uuid");
        let array = normal(&Field::new("c", DataType::List(Arc::new(uuid.clone())), true));
        assert_eq!(pg_type::tag(&normal(&uuid)), Some("uuid"));
        assert_eq!(pg_type::tag(&array), Some("_uuid"));
        assert_eq!(normal(&Field::new("c", DataType::FixedSizeBinary(16), true)).data_type(), &DataType::BinaryView);
    }
}
