//! Which relations the server's own schemas have, and their columns.
//!
//! Owns: `relations.tsv` and `columns.tsv` of `pg_catalog`, `information_schema` and `system`, and which Arrow type
//! holds a PostgreSQL type. Must never know: rows.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field, IntervalUnit, Schema, SchemaRef, TimeUnit};
use udfs::pg_type::tagged;

use super::{relation_functions, system_columns};

/// A relation of one of the server's own schemas.
#[derive(Debug)]
pub(crate) struct RelationDef {
    pub(crate) schema: &'static str,
    pub(crate) name: &'static str,
    pub(crate) oid: u32,
    /// `pg_class.relkind`.
    pub(crate) kind: &'static str,
    pub(crate) columns: Vec<ColumnDef>,
    pub(crate) arrow: SchemaRef,
    /// `arrow` and, of a table, the system columns.
    pub(crate) readable: SchemaRef,
}

impl RelationDef {
    pub(crate) fn new(
        schema: &'static str,
        name: &'static str,
        oid: u32,
        kind: &'static str,
        columns: Vec<ColumnDef>,
    ) -> Self {
        let fields: Vec<Field> = columns.iter().map(|column| field(column.name, column.type_name)).collect();
        let arrow = Arc::new(Schema::new(fields));
        let readable = if kind == "r" { system_columns::appended(&arrow) } else { Arc::clone(&arrow) };
        Self { schema, name, oid, kind, columns, arrow, readable }
    }
}

/// A column as `pg_attribute` has it.
#[derive(Debug)]
pub(crate) struct ColumnDef {
    pub(crate) name: &'static str,
    /// `pg_type.typname`, or the name of a domain of `information_schema`.
    pub(crate) type_name: &'static str,
    pub(crate) not_null: bool,
}

const RELATIONS: [&str; 2] = [include_str!("data/relations.tsv"), include_str!("../system/relations.tsv")];
const COLUMNS: [&str; 2] = [include_str!("data/columns.tsv"), include_str!("../system/columns.tsv")];

static DEFS: LazyLock<Vec<RelationDef>> = LazyLock::new(read);
/// Functions that are relations: `pg_class` does not list them.
static FUNCTIONS: LazyLock<Vec<RelationDef>> = LazyLock::new(relation_functions::definitions);
static BY_NAME: LazyLock<HashMap<(&str, &str), &RelationDef>> =
    LazyLock::new(|| DEFS.iter().map(|relation| ((relation.schema, relation.name), relation)).collect());

/// Every relation, schema by schema.
pub(crate) fn all() -> &'static [RelationDef] {
    &DEFS
}

/// The relation of a name, or the function without arguments that is one (`pg_get_keywords()`).
pub(crate) fn find(schema: &str, name: &str) -> Option<&'static RelationDef> {
    let function = || FUNCTIONS.iter().find(|function| function.schema == schema && function.name == name);
    BY_NAME.get(&(schema, name)).copied().or_else(function)
}

/// The lines of a data file without its remarks.
pub(crate) fn lines(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().filter(|line| !line.starts_with('#') && !line.is_empty())
}

fn read() -> Vec<RelationDef> {
    let mut columns: HashMap<(&str, &str), Vec<ColumnDef>> = HashMap::new();
    for line in COLUMNS.iter().flat_map(|text| lines(text)) {
        let mut cells = line.split('\t');
        let (Some(schema), Some(relation), Some(name), Some(type_name), Some(not_null)) =
            (cells.next(), cells.next(), cells.next(), cells.next(), cells.next())
        else {
            continue;
        };
        let column = ColumnDef { name, type_name, not_null: not_null == "t" };
        columns.entry((schema, relation)).or_default().push(column);
    }
    let mut relations = Vec::new();
    for line in RELATIONS.iter().flat_map(|text| lines(text)) {
        let mut cells = line.split('\t');
        let (Some(schema), Some(name), Some(oid), Some(kind)) =
            (cells.next(), cells.next(), cells.next().and_then(|oid| oid.parse().ok()), cells.next())
        else {
            continue;
        };
        let columns = columns.remove(&(schema, name)).unwrap_or_default();
        relations.push(RelationDef::new(schema, name, oid, kind, columns));
    }
    relations
}

/// A field of the Arrow type that holds `pg_type`, tagged where Arrow's type does not say it.
pub(crate) fn field(name: &str, pg_type: &str) -> Field {
    let base = base(pg_type);
    let arrow = arrow_type(base);
    if untagged(base) { Field::new(name, arrow, true) } else { tagged(name, arrow, base) }
}

/// Resolves the domains of `information_schema`: a result column has the type below a domain.
fn base(pg_type: &str) -> &str {
    match pg_type {
        "sql_identifier" => "name",
        "character_data" | "yes_or_no" => "varchar",
        "cardinal_number" => "int4",
        "time_stamp" => "timestamptz",
        other => other,
    }
}

/// The Arrow type that holds a PostgreSQL type; types that the server has only as text are Utf8.
pub(crate) fn arrow_type(pg_type: &str) -> DataType {
    match pg_type {
        "bool" => DataType::Boolean,
        "int2" => DataType::Int16,
        "int4" => DataType::Int32,
        "int8" => DataType::Int64,
        "float4" => DataType::Float32,
        "float8" => DataType::Float64,
        "numeric" => DataType::Decimal128(38, 0),
        "bytea" => DataType::Binary,
        "date" => DataType::Date32,
        "timestamp" => DataType::Timestamp(TimeUnit::Microsecond, None),
        "timestamptz" => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        "interval" => DataType::Interval(IntervalUnit::MonthDayNano),
        "oid" | "xid" | "cid" => DataType::UInt32,
        "tid" => DataType::FixedSizeBinary(6),
        "int2vector" => list("int2"),
        "oidvector" => list("oid"),
        reg if reg.starts_with("reg") => DataType::UInt32,
        other => match other.strip_prefix('_') {
            Some(element) => list(element),
            None => DataType::Utf8,
        },
    }
}

/// The column carries the tag for its elements: within a type it would make two types of one.
fn list(element: &str) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(arrow_type(element), true)))
}

/// Whether the Arrow type of a PostgreSQL type does not say which it is.
pub fn needs_tag(pg_type: &str) -> bool {
    !untagged(pg_type)
}

fn untagged(pg_type: &str) -> bool {
    matches!(
        pg_type,
        "bool"
            | "int2"
            | "int4"
            | "int8"
            | "float4"
            | "float8"
            | "bytea"
            | "date"
            | "timestamp"
            | "timestamptz"
            | "interval"
            | "text"
    ) || pg_type.strip_prefix('_').is_some_and(untagged)
}
