//! SQL type names to Arrow types, with PostgreSQL's meaning.
//!
//! Owns: what `CAST(x AS t)` and `x::t` produce. Types that Arrow does not tell apart carry a tag (`udfs::pg_type`).

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, IntervalUnit, TimeUnit};
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::planner::TypePlanner;
use sqlparser::ast::{ArrayElemTypeDef, DataType as Sql, ExactNumberInfo, ObjectName, TimezoneInfo};
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

fn plain(data_type: DataType) -> Field {
    Field::new("", data_type, true)
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
        Sql::Interval { .. } => Some(plain(DataType::Interval(IntervalUnit::MonthDayNano))),
        // Precision and scale are those of the values (`engine/given_types.rs`); these hold what has none of its own.
        Sql::Numeric(ExactNumberInfo::None) | Sql::Decimal(ExactNumberInfo::None) => {
            Some(pg_type::tagged("", kind::OWN, "numeric"))
        }
        Sql::Bytea => Some(plain(DataType::Binary)),
        Sql::Uuid => Some(pg_type::tagged("", DataType::Utf8, "uuid")),
        Sql::JSON => Some(pg_type::tagged("", DataType::Utf8, "json")),
        Sql::JSONB => Some(pg_type::tagged("", DataType::Utf8, "jsonb")),
        Sql::Text | Sql::String(_) => Some(plain(DataType::Utf8)),
        Sql::Varchar(_) | Sql::CharacterVarying(_) | Sql::CharVarying(_) => {
            Some(pg_type::tagged("", DataType::Utf8, "varchar"))
        }
        Sql::Array(ArrayElemTypeDef::SquareBracket(element, _)) => field(element, zone).map(|element| array(&element)),
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
        "oid" | "regclass" | "regtype" | "regproc" | "regnamespace" | "regrole" => {
            Some(pg_type::tagged("", DataType::UInt32, &last))
        }
        "xid" => Some(pg_type::tagged("", DataType::UInt32, "xid")),
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
        "timestamptz" => Some(plain(DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::clone(zone))))),
        "inet" | "cidr" | "macaddr" | "xml" | "tid" | "pg_lsn" => Some(pg_type::tagged("", DataType::Utf8, &last)),
        _ => None,
    }
}
