//! Which PostgreSQL type an Arrow column stands for, where Arrow's own type does not say.
//!
//! A column of `oid` is UInt32 in Arrow, one of `name` Utf8, one of `jsonb` Utf8: the field's metadata tells them apart,
//! and DataFusion carries metadata through plans. Without the tag the Arrow type decides (`gateway/src/pg/types.rs`).

use arrow::datatypes::{DataType, Field};

/// The metadata key; its value is the type's name in `pg_type.typname` (`oid`, `name`, `char`, `_oid`, `int2vector` ...).
pub const PG_TYPE_KEY: &str = "pg_type";

/// A nullable field tagged with a PostgreSQL type.
pub fn tagged(name: impl Into<String>, arrow: DataType, pg_type: &str) -> Field {
    Field::new(name, arrow, true).with_metadata([(PG_TYPE_KEY.to_owned(), pg_type.to_owned())].into())
}

/// The tag of a field, if it has one.
pub fn tag(field: &Field) -> Option<&str> {
    // An empty tag takes the tag of what was tagged before.
    field.metadata().get(PG_TYPE_KEY).map(String::as_str).filter(|tag| !tag.is_empty())
}

/// The metadata key of a column whose type modifier is declared (`numeric(10, 2)`), not computed.
const DECLARED_KEY: &str = "pg_declared";

/// The field as one whose precision and scale are declared.
pub fn declared(field: Field) -> Field {
    let mut metadata = field.metadata().clone();
    metadata.insert(DECLARED_KEY.to_owned(), String::new());
    field.with_metadata(metadata)
}

/// Whether the field's precision and scale are declared.
pub fn is_declared(field: &Field) -> bool {
    field.metadata().contains_key(DECLARED_KEY)
}

/// Whether a field is a `numeric` without precision and scale: its values decide them, not its Arrow type.
pub fn is_unconstrained(field: &Field) -> bool {
    tag(field) == Some("numeric")
}

/// The tag of a row of the relation whose row type has this OID.
pub fn row_tag(oid: u32) -> String {
    format!("row:{oid}")
}

/// The OID of the row type that a tag names.
pub fn row_type(tag: &str) -> Option<u32> {
    tag.strip_prefix("row:")?.parse().ok()
}

/// PostgreSQL's name of a field's type in messages: `integer`, `timestamp with time zone`.
pub fn sql_name(field: &Field) -> String {
    match tag(field) {
        Some("varchar") => "character varying".to_owned(),
        Some("bpchar") => "character".to_owned(),
        Some("timetz") => "time with time zone".to_owned(),
        Some(tag) if row_type(tag).is_none() => tag.to_owned(),
        _ => crate::function::pg_name(field.data_type()),
    }
}
