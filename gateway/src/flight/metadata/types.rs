//! The types that columns can have, as XDBC numbers them.
//!
//! Owns: one row per PostgreSQL type that Arrow carries. Power BI takes no table without them.

use arrow_flight::sql::metadata::{XdbcTypeInfo, XdbcTypeInfoData, XdbcTypeInfoDataBuilder};
use arrow_flight::sql::{Nullable, Searchable, XdbcDataType, XdbcDatetimeSubcode};

use crate::error::{Error, Result};

/// Name, number, size in digits or characters, whether literals are quoted, the largest scale.
type Row = (&'static str, XdbcDataType, i32, bool, Option<i32>);

const TYPES: &[Row] = &[
    ("bool", XdbcDataType::XdbcBit, 1, false, None),
    ("bytea", XdbcDataType::XdbcVarbinary, i32::MAX, true, None),
    ("bpchar", XdbcDataType::XdbcChar, 10_485_760, true, None),
    ("date", XdbcDataType::XdbcDate, 13, true, None),
    ("float4", XdbcDataType::XdbcReal, 8, false, None),
    ("float8", XdbcDataType::XdbcDouble, 17, false, None),
    ("int2", XdbcDataType::XdbcSmallint, 5, false, Some(0)),
    ("int4", XdbcDataType::XdbcInteger, 10, false, Some(0)),
    ("int8", XdbcDataType::XdbcBigint, 19, false, Some(0)),
    ("interval", XdbcDataType::XdbcInterval, 49, true, Some(6)),
    ("json", XdbcDataType::XdbcLongvarchar, i32::MAX, true, None),
    ("jsonb", XdbcDataType::XdbcLongvarchar, i32::MAX, true, None),
    ("numeric", XdbcDataType::XdbcNumeric, 76, false, Some(76)),
    ("text", XdbcDataType::XdbcVarchar, i32::MAX, true, None),
    ("time", XdbcDataType::XdbcTime, 15, true, Some(6)),
    ("timestamp", XdbcDataType::XdbcTimestamp, 29, true, Some(6)),
    ("timestamptz", XdbcDataType::XdbcTimestamp, 35, true, Some(6)),
    ("uuid", XdbcDataType::XdbcChar, 36, true, None),
    ("varchar", XdbcDataType::XdbcVarchar, 10_485_760, true, None),
];

pub(super) fn all() -> Result<XdbcTypeInfoData> {
    let mut builder = XdbcTypeInfoDataBuilder::new();
    TYPES.iter().for_each(|row| builder.append(info(row)));
    builder.build().map_err(Error::internal)
}

fn info((name, number, size, quoted, scale): &Row) -> XdbcTypeInfo {
    use XdbcDataType::{XdbcDate, XdbcTime, XdbcTimestamp};
    let is_number = !quoted && *name != "bool";
    let is_text = matches!(*name, "bpchar" | "json" | "jsonb" | "text" | "varchar");
    let quote = quoted.then(|| "'".to_owned());
    let (sql_data_type, datetime_subcode) = match (number, *name) {
        (XdbcDate, _) => (XdbcDataType::XdbcDatetime, Some(XdbcDatetimeSubcode::XdbcSubcodeYear)),
        (XdbcTime, _) => (XdbcDataType::XdbcDatetime, Some(XdbcDatetimeSubcode::XdbcSubcodeTime)),
        (XdbcTimestamp, "timestamptz") => {
            (XdbcDataType::XdbcDatetime, Some(XdbcDatetimeSubcode::XdbcSubcodeTimestampWithTimezone))
        }
        (XdbcTimestamp, _) => (XdbcDataType::XdbcDatetime, Some(XdbcDatetimeSubcode::XdbcSubcodeTimestamp)),
        _ => (*number, None),
    };
    XdbcTypeInfo {
        type_name: (*name).to_owned(),
        data_type: *number,
        column_size: Some(*size),
        literal_prefix: quote.clone(),
        literal_suffix: quote,
        create_params: match *name {
            "numeric" => Some(vec!["precision".to_owned(), "scale".to_owned()]),
            "bpchar" | "varchar" => Some(vec!["length".to_owned()]),
            _ => None,
        },
        nullable: Nullable::NullabilityNullable,
        case_sensitive: is_text,
        searchable: Searchable::Full,
        unsigned_attribute: is_number.then_some(false),
        fixed_prec_scale: false,
        auto_increment: is_number.then_some(false),
        local_type_name: Some((*name).to_owned()),
        minimum_scale: scale.map(|_| 0),
        maximum_scale: *scale,
        sql_data_type,
        datetime_subcode,
        num_prec_radix: is_number.then_some(10),
        interval_precision: None,
    }
}
