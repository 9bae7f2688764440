//! PostgreSQL's types: the facts of `pg_type`, and which of them an Arrow field is.
//!
//! Owns: the map between the two. Must never know: how a value is written on a wire.

use std::collections::HashMap;
use std::sync::LazyLock;

use arrow::datatypes::{DataType, Field};
use udfs::pg_type::{is_unconstrained, tag};

use super::columns::{arrow_type, lines};
use super::format_type::{Typmod, format_type};

/// The facts of a type that other relations repeat.
#[derive(Debug)]
pub(crate) struct PgType {
    pub(crate) oid: u32,
    pub(crate) name: &'static str,
    pub(crate) namespace: u32,
    pub(crate) len: i16,
    pub(crate) by_value: bool,
    pub(crate) category: &'static str,
    /// Whether casts prefer it within its category.
    pub(crate) preferred: bool,
    /// The array's type, 0 if there is none.
    pub(crate) array: u32,
    /// The element's type, 0 if it is not an array.
    pub(crate) element: u32,
    /// The relation of a row type, else 0.
    pub(crate) relation: u32,
    pub(crate) align: &'static str,
    pub(crate) storage: &'static str,
    /// The type below a domain, else 0.
    pub(crate) base: u32,
    pub(crate) collation: u32,
}

/// The PostgreSQL type of a column, as RowDescription and `pg_attribute` tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PgTypeInfo {
    pub oid: u32,
    /// `pg_type.typname`.
    pub name: &'static str,
    /// -1 if the type has no modifier.
    pub typmod: i32,
    /// Bytes of a value; -1 if they vary.
    pub len: i16,
}

impl PgTypeInfo {
    /// The type's name in SQL, without a modifier.
    pub fn sql_name(&self) -> String {
        format_type(self.oid, Typmod::Absent)
    }
}

struct Types {
    rows: Vec<PgType>,
    by_oid: HashMap<u32, usize>,
    by_name: HashMap<&'static str, usize>,
    by_relation: HashMap<u32, u32>,
}

static TYPES: LazyLock<Types> = LazyLock::new(|| {
    let rows: Vec<PgType> = lines(include_str!("data/pg_type.tsv")).filter_map(read).collect();
    Types {
        by_oid: rows.iter().enumerate().map(|(at, row)| (row.oid, at)).collect(),
        by_name: rows.iter().enumerate().map(|(at, row)| (row.name, at)).collect(),
        by_relation: rows.iter().filter(|row| row.relation != 0).map(|row| (row.relation, row.oid)).collect(),
        rows,
    }
});

/// Reads a line of `pg_type.tsv`; its first is the header, whose OID is no number.
fn read(line: &'static str) -> Option<PgType> {
    let cells: Vec<&str> = line.split('\t').collect();
    let text = |at: usize| cells.get(at).copied();
    Some(PgType {
        oid: text(0)?.parse().ok()?,
        name: text(1)?,
        namespace: text(2)?.parse().ok()?,
        len: text(4)?.parse().ok()?,
        by_value: text(5)? == "t",
        category: text(7)?,
        preferred: text(8)? == "t",
        relation: text(11)?.parse().ok()?,
        element: text(13)?.parse().ok()?,
        array: text(14)?.parse().ok()?,
        align: text(22)?,
        storage: text(23)?,
        base: text(25)?.parse().ok()?,
        collation: text(28)?.parse().ok()?,
    })
}

pub(crate) fn by_oid(oid: u32) -> Option<&'static PgType> {
    TYPES.by_oid.get(&oid).and_then(|at| TYPES.rows.get(*at))
}

/// The type of a `typname`; names are unique among the server's types.
pub(crate) fn by_name(name: &str) -> Option<&'static PgType> {
    TYPES.by_name.get(name).and_then(|at| TYPES.rows.get(*at))
}

/// Whether there is a type of this `typname`.
pub fn is_type(name: &str) -> bool {
    by_name(name).is_some()
}

/// The row type of one of PostgreSQL's own relations, 0 if it has none.
pub(crate) fn row_type(relation: u32) -> u32 {
    TYPES.by_relation.get(&relation).copied().unwrap_or_default()
}

/// The PostgreSQL type of an Arrow field: its tag if it has one that fits, else by its Arrow type.
pub fn pg_type_of(field: &Field) -> PgTypeInfo {
    let tagged = tag(field).filter(|name| fits(name, field.data_type())).and_then(by_name);
    let found = tagged.or_else(|| by_name(&name_of(field)));
    match found {
        Some(of) => {
            let typmod = if is_unconstrained(field) { -1 } else { typmod_of(field.data_type()) };
            PgTypeInfo { oid: of.oid, name: of.name, typmod, len: of.len }
        }
        None => PgTypeInfo { oid: 25, name: "text", typmod: -1, len: -1 },
    }
}

/// A cast carries the tag along: an `oid` that became text is text.
fn fits(tag: &str, data_type: &DataType) -> bool {
    match arrow_type(tag) {
        DataType::UInt32 => data_type.is_integer(),
        DataType::List(_) => matches!(
            data_type,
            DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..) | DataType::ListView(_)
        ),
        DataType::Utf8 if matches!(tag, "name" | "char" | "varchar" | "bpchar" | "text" | "json" | "jsonb") => {
            matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
        }
        _ => true,
    }
}

fn name_of(field: &Field) -> String {
    let name = match field.data_type() {
        DataType::Boolean => "bool",
        DataType::Int8 | DataType::Int16 | DataType::UInt8 => "int2",
        DataType::Int32 | DataType::UInt16 => "int4",
        DataType::Int64 | DataType::UInt32 => "int8",
        DataType::Float16 | DataType::Float32 => "float4",
        DataType::Float64 => "float8",
        DataType::UInt64
        | DataType::Decimal32(..)
        | DataType::Decimal64(..)
        | DataType::Decimal128(..)
        | DataType::Decimal256(..) => "numeric",
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => "text",
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => "bytea",
        DataType::Date32 | DataType::Date64 => "date",
        DataType::Timestamp(_, None) => "timestamp",
        DataType::Timestamp(_, Some(_)) => "timestamptz",
        DataType::Time32(_) | DataType::Time64(_) => "time",
        DataType::Interval(_) | DataType::Duration(_) => "interval",
        DataType::Struct(_) => "record",
        DataType::Map(..) | DataType::Union(..) => "json",
        DataType::Dictionary(_, value) => return name_of(&Field::new("value", value.as_ref().clone(), true)),
        DataType::RunEndEncoded(_, value) => return pg_type_of(value).name.to_owned(),
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::FixedSizeList(item, _)
        | DataType::ListView(item)
        | DataType::LargeListView(item) => {
            // PostgreSQL's arrays have one type for every number of dimensions.
            let element = pg_type_of(item).name;
            return if element.starts_with('_') { element.to_owned() } else { format!("_{element}") };
        }
    };
    name.to_owned()
}

/// The modifier of `numeric(precision, scale)`; other types have none here.
fn typmod_of(data_type: &DataType) -> i32 {
    match data_type {
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => ((i32::from(*precision) << 16) | (i32::from(*scale) & 0x7ff)) + 4,
        DataType::Dictionary(_, value) => typmod_of(value),
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            typmod_of(item.data_type())
        }
        _ => -1,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::datatypes::TimeUnit;
    use udfs::pg_type::tagged;

    use super::*;

    fn check(data_type: DataType, name: &str, oid: u32) {
        let of = pg_type_of(&Field::new("c", data_type.clone(), true));
        assert_eq!((of.name, of.oid), (name, oid), "{data_type}");
    }

    #[test]
    fn an_arrow_type_decides_without_a_tag() {
        check(DataType::UInt32, "int8", 20);
        check(DataType::UInt64, "numeric", 1700);
        check(DataType::Utf8View, "text", 25);
        check(DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())), "timestamptz", 1184);
        check(DataType::Timestamp(TimeUnit::Nanosecond, None), "timestamp", 1114);
        check(DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)), "text", 25);
        check(DataType::List(Arc::new(Field::new("item", DataType::Int32, true))), "_int4", 1007);
        check(DataType::Struct(Vec::<Field>::new().into()), "record", 2249);
    }

    #[test]
    fn a_tag_decides_while_it_fits() {
        assert_eq!(pg_type_of(&tagged("c", DataType::UInt32, "oid")).oid, 26);
        assert_eq!(pg_type_of(&tagged("c", DataType::Utf8, "oid")).oid, 25);
        assert_eq!(pg_type_of(&tagged("c", DataType::Utf8View, "name")).oid, 19);
        assert_eq!(pg_type_of(&tagged("c", DataType::Utf8, "char")).len, 1);
    }

    #[test]
    fn numeric_has_its_modifier() {
        let of = pg_type_of(&Field::new("c", DataType::Decimal128(10, 2), true));
        assert_eq!((of.oid, of.typmod), (1700, 655366));
    }
}
