//! `float8(x)`, `date(x)`: the name of a type called as a function is a cast.
//!
//! Owns: the types that PostgreSQL lets be written so. Must never know: what a cast becomes.
//! <https://www.postgresql.org/docs/16/sql-expressions.html#SQL-SYNTAX-TYPE-CASTS>

use sqlparser::ast::{DataType, Expr, Function, Ident, ObjectName, TimezoneInfo};

use super::{arrays, casts, folded};
use crate::error::Result;

/// The type of this name, if one may cast by calling it.
pub(super) fn type_named(name: &str) -> Option<DataType> {
    Some(match name {
        "bool" => DataType::Boolean,
        "bpchar" | "name" | "oid" => DataType::Custom(ObjectName::from(vec![Ident::new(name)]), Vec::new()),
        "date" => DataType::Date,
        "float4" => DataType::Real,
        "float8" => DataType::DoublePrecision,
        "int2" => DataType::SmallInt(None),
        "int4" => DataType::Integer(None),
        "int8" => DataType::BigInt(None),
        "numeric" => DataType::Numeric(sqlparser::ast::ExactNumberInfo::None),
        "text" => DataType::Text,
        "time" => DataType::Time(None, TimezoneInfo::None),
        "timetz" => DataType::Time(None, TimezoneInfo::Tz),
        "timestamp" => DataType::Timestamp(None, TimezoneInfo::None),
        "timestamptz" => DataType::Timestamp(None, TimezoneInfo::Tz),
        "varchar" => DataType::Varchar(None),
        _ => return None,
    })
}

/// The cast that a call is, if it is one.
pub(super) fn cast(function: &Function) -> Result<Option<Expr>> {
    let [name] = function.name.0.as_slice() else { return Ok(None) };
    let Some(data_type) = name.as_ident().and_then(|name| type_named(&folded(name))) else { return Ok(None) };
    let mut arguments = arrays::arguments(function);
    match (arguments.pop(), arguments.is_empty()) {
        (Some(argument), true) => casts::cast(argument, &data_type).map(Some),
        _ => Ok(None),
    }
}
