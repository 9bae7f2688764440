//! SQL type names to Arrow types, with PostgreSQL's meaning.
//!
//! Owns: what `CAST(x AS t)` and `x::t` produce. Types that Arrow does not tell apart carry a tag (`udfs::pg_type`).

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, IntervalUnit, TimeUnit};
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::planner::TypePlanner;
use sqlparser::ast::{ArrayElemTypeDef, DataType as Sql, ExactNumberInfo, Ident, ObjectName, TimezoneInfo};
use udfs::pg::numeric::kind;
use udfs::pg_type;

use crate::error::{Error, SqlState};
use crate::session::fold;

#[derive(Debug)]
pub(super) struct PgTypes {
    /// The session's zone: a text without an offset is local time there.
    pub zone: Arc<str>,
}

impl TypePlanner for PgTypes {
    fn plan_type_field(&self, sql_type: &Sql) -> Result<Option<FieldRef>> {
        match (field(sql_type, &self.zone), sql_type) {
            (None, Sql::Custom(name, _)) if !is_known(name) => {
                let message = format!("type \"{name}\" does not exist");
                Err(DataFusionError::External(Box::new(Error::new(SqlState::UndefinedObject, message))))
            }
            (field, _) => Ok(field.map(Arc::new)),
        }
    }
}

/// The name of a cast's field that means its type as it is.
pub(super) const AS_IT_IS: &str = "cast";

/// A type without a tag. The name tells DataFusion that the type is meant as it is: without one, a cast would keep the tag
/// of what is cast.
fn plain(data_type: DataType) -> Field {
    Field::new(AS_IT_IS, data_type, true)
}

/// `None` leaves the type to DataFusion's own table.
fn field(sql_type: &Sql, zone: &Arc<str>) -> Option<Field> {
    let microseconds = |zone: Option<Arc<str>>| plain(DataType::Timestamp(TimeUnit::Microsecond, zone));
    match sql_type {
        Sql::Timestamp(_, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone) => Some(microseconds(None)),
        Sql::Timestamp(_, TimezoneInfo::WithTimeZone | TimezoneInfo::Tz) | Sql::TimestampNtz(_) => {
            Some(microseconds(Some(Arc::clone(zone))))
        }
        Sql::Time(_, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone) => {
            Some(plain(DataType::Time64(TimeUnit::Microsecond)))
        }
        Sql::Time(_, TimezoneInfo::WithTimeZone | TimezoneInfo::Tz) => {
            Some(pg_type::tagged("", DataType::Utf8, "timetz"))
        }
        Sql::Interval { .. } => Some(plain(DataType::Interval(IntervalUnit::MonthDayNano))),
        // Precision and scale are those of the values (`engine/given_types.rs`); these hold what has none of its own.
        Sql::Numeric(ExactNumberInfo::None) | Sql::Decimal(ExactNumberInfo::None) => {
            Some(pg_type::tagged("", kind::OWN, "numeric"))
        }
        Sql::Bytea => Some(plain(DataType::Binary)),
        Sql::Bool | Sql::Boolean => Some(plain(DataType::Boolean)),
        Sql::SmallInt(_) | Sql::Int2(_) => Some(plain(DataType::Int16)),
        Sql::Int(_) | Sql::Integer(_) | Sql::Int4(_) => Some(plain(DataType::Int32)),
        Sql::BigInt(_) | Sql::Int8(_) => Some(plain(DataType::Int64)),
        Sql::Real | Sql::Float4 => Some(plain(DataType::Float32)),
        Sql::DoublePrecision | Sql::Double(_) | Sql::Float8 => Some(plain(DataType::Float64)),
        Sql::Date => Some(plain(DataType::Date32)),
        Sql::Uuid => Some(pg_type::tagged("", DataType::Utf8, "uuid")),
        Sql::JSON => Some(pg_type::tagged("", DataType::Utf8, "json")),
        Sql::JSONB => Some(pg_type::tagged("", DataType::Utf8, "jsonb")),
        Sql::Text | Sql::String(_) => Some(plain(DataType::Utf8)),
        Sql::Varchar(_) | Sql::CharacterVarying(_) | Sql::CharVarying(_) => {
            Some(pg_type::tagged("", DataType::Utf8, "varchar"))
        }
        Sql::Array(ArrayElemTypeDef::SquareBracket(element, _)) => field(element, zone).map(|element| array(&element)),
        Sql::Char(_) | Sql::Character(_) => Some(pg_type::tagged("", DataType::Utf8, "bpchar")),
        Sql::Custom(name, arguments) if arguments.is_empty() => named(name, zone),
        _ => None,
    }
}

/// The array carries the tag for its elements: within a type it would make two types of one.
fn array(element: &Field) -> Field {
    let data_type = DataType::new_list(element.data_type().clone(), true);
    match pg_type::tag(element) {
        Some(tag) if tag.starts_with('_') => pg_type::tagged("", data_type, tag),
        Some(tag) => pg_type::tagged("", data_type, &format!("_{tag}")),
        None => plain(data_type),
    }
}

/// Whether PostgreSQL has a type of this name, so that only this server lacks it.
fn is_known(name: &ObjectName) -> bool {
    let last = name.0.last().and_then(|part| part.as_ident());
    last.is_some_and(|last| catalog::pg_catalog::is_type(&fold(last)))
}

/// Types that the parser knows by name only.
fn named(name: &ObjectName, zone: &Arc<str>) -> Option<Field> {
    let last = name.0.last()?.as_ident()?.value.to_ascii_lowercase();
    match last.as_str() {
        "oid" | "xid" | "cid" => Some(pg_type::tagged("", DataType::UInt32, &last)),
        reg if reg.starts_with("reg") && catalog::pg_catalog::is_type(reg) => {
            Some(pg_type::tagged("", DataType::UInt32, reg))
        }
        "xid8" => Some(pg_type::tagged("", DataType::UInt64, "xid8")),
        "tid" => Some(pg_type::tagged("", udfs::pg::tid::TID, "tid")),
        "aclitem" | "pg_node_tree" | "macaddr8" | "jsonpath" => Some(pg_type::tagged("", DataType::Utf8, &last)),
        "bpchar" => Some(pg_type::tagged("", DataType::Utf8, "bpchar")),
        // `sql_identifier` and the two below it are domains of information_schema.
        "name" | "sql_identifier" => Some(pg_type::tagged("", DataType::Utf8, "name")),
        "character_data" | "yes_or_no" => Some(pg_type::tagged("", DataType::Utf8, "varchar")),
        "char" => Some(pg_type::tagged("", DataType::Utf8, "char")),
        "text" => Some(plain(DataType::Utf8)),
        "int2" => Some(plain(DataType::Int16)),
        "int4" | "cardinal_number" => Some(plain(DataType::Int32)),
        "int8" => Some(plain(DataType::Int64)),
        "float4" => Some(plain(DataType::Float32)),
        "float8" => Some(plain(DataType::Float64)),
        "bool" => Some(plain(DataType::Boolean)),
        "money" => Some(pg_type::tagged("", udfs::pg::money::MONEY, "money")),
        "timetz" => Some(pg_type::tagged("", DataType::Utf8, "timetz")),
        "timestamptz" => Some(plain(DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::clone(zone))))),
        "inet" | "cidr" | "macaddr" | "xml" | "pg_lsn" => Some(pg_type::tagged("", DataType::Utf8, &last)),
        _ => None,
    }
}

/// The type that `UNION`, `VALUES` and `CASE` give a column of both types: 42804 where there is none.
pub(super) fn common(construct: &str, left: &Field, right: &Field) -> Result<Field, Error> {
    let group = |field: &Field| match field.data_type() {
        DataType::Null => None,
        _ if pg_type::tag(field) == Some("json") => Some("json"),
        _ if pg_type::tag(field) == Some("jsonb") => Some("jsonb"),
        _ if pg_type::tag(field) == Some("timetz") => Some("timetz"),
        DataType::Date32 | DataType::Date64 => Some("date"),
        DataType::Timestamp(..) => Some("timestamp"),
        DataType::Boolean => Some("boolean"),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Dictionary(..) => Some("text"),
        DataType::Time32(_) | DataType::Time64(_) => Some("time"),
        DataType::Interval(_) => Some("interval"),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => Some("bytes"),
        numeric if numeric.is_numeric() => Some("number"),
        _ => None,
    };
    match (group(left), group(right)) {
        (Some("date"), Some("timestamp")) => Ok(right.clone()),
        (Some("timestamp"), Some("date")) => Ok(left.clone()),
        (Some("timestamp"), Some("timestamp")) => {
            let zoned = matches!(right.data_type(), DataType::Timestamp(_, Some(_)));
            Ok(if zoned { right } else { left }.clone())
        }
        (Some("number"), Some("number")) => Ok(if rank(right) > rank(left) { right } else { left }.clone()),
        (Some(one), Some(other)) if one != other => {
            let (one, other) = (pg_type::sql_name(left), pg_type::sql_name(right));
            let message = format!("{construct} types {one} and {other} cannot be matched");
            Err(Error::new(SqlState::DatatypeMismatch, message))
        }
        (None, _) if *left.data_type() == DataType::Null => Ok(right.clone()),
        _ => Ok(left.clone()),
    }
}

/// Numbers by what they can hold.
fn rank(field: &Field) -> u8 {
    match field.data_type() {
        DataType::Float64 => 6,
        DataType::Float16 | DataType::Float32 => 5,
        DataType::Decimal128(..) | DataType::Decimal256(..) | DataType::UInt64 => 4,
        DataType::Int64 | DataType::UInt32 => 3,
        DataType::Int32 | DataType::UInt16 => 2,
        _ => 1,
    }
}

/// The SQL type that a tag names; `None` where the Arrow type says it.
fn written_tag(tag: &str) -> Option<Sql> {
    if let Some(item) = tag.strip_prefix('_') {
        let item = Box::new(written_tag(item)?);
        return Some(Sql::Array(ArrayElemTypeDef::SquareBracket(item, None)));
    }
    let name = ObjectName::from(vec![Ident::new(tag)]);
    Some(match tag {
        "uuid" => Sql::Uuid,
        "json" => Sql::JSON,
        "jsonb" => Sql::JSONB,
        "timetz" => Sql::Time(None, TimezoneInfo::Tz),
        "varchar" => Sql::Varchar(None),
        _ if named(&name, &Arc::from("UTC")).is_some() => Sql::Custom(name, Vec::new()),
        _ => return None,
    })
}

/// The SQL type that a cast to this field's type names; `None` where a literal needs no cast.
pub(super) fn written(field: &Field) -> Option<Sql> {
    if let Some(named) = pg_type::tag(field).and_then(written_tag) {
        return Some(named);
    }
    Some(match field.data_type() {
        DataType::Boolean => Sql::Boolean,
        DataType::Int8 | DataType::Int16 | DataType::UInt8 => Sql::SmallInt(None),
        DataType::Int32 | DataType::UInt16 => Sql::Int4(None),
        DataType::Int64 => Sql::BigInt(None),
        DataType::Float16 | DataType::Float32 => Sql::Real,
        DataType::Float64 => Sql::DoublePrecision,
        DataType::Decimal128(..) | DataType::Decimal256(..) => Sql::Numeric(ExactNumberInfo::None),
        DataType::Date32 => Sql::Date,
        DataType::Time64(_) => Sql::Time(None, TimezoneInfo::None),
        DataType::Timestamp(_, None) => Sql::Timestamp(None, TimezoneInfo::None),
        DataType::Timestamp(_, Some(_)) => Sql::Timestamp(None, TimezoneInfo::Tz),
        DataType::Interval(_) => Sql::Interval { fields: None, precision: None },
        DataType::Binary => Sql::Bytea,
        DataType::List(item) => {
            let item = match item.data_type() {
                DataType::Utf8 | DataType::Utf8View if pg_type::tag(item).is_none() => Sql::Text,
                _ => written(item)?,
            };
            Sql::Array(ArrayElemTypeDef::SquareBracket(Box::new(item), None))
        }
        _ => return None,
    })
}
