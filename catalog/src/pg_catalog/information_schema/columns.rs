//! `information_schema.columns`: the columns that the role may do anything with, by their SQL names. Conditions on the table's name decide which tables are
//! opened.

use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use datafusion::common::Result;

use super::SCHEMA;
use crate::access::Privileges;
use crate::pg_catalog::attributes::{self, Attribute};
use crate::pg_catalog::directory::RelationEntry;
use crate::pg_catalog::format_type::{Typmod, format_type};
use crate::pg_catalog::relation::{Relation, Wanted};
use crate::pg_catalog::rows::Rows;
use crate::pg_catalog::types::{self, PgType};
use crate::pg_catalog::view::View;

#[derive(Debug)]
pub(crate) struct Columns;

#[async_trait]
impl Relation for Columns {
    fn schema(&self) -> &'static str {
        SCHEMA
    }

    fn name(&self) -> &'static str {
        "columns"
    }

    fn keys(&self) -> &'static [&'static str] {
        &["table_catalog", "table_schema", "table_name"]
    }

    async fn rows(&self, view: &Arc<View>, wanted: &Wanted) -> Result<RecordBatch> {
        let directory = view.directory();
        let mut candidates = Rows::new(self.columns()?);
        for relation in &directory.relations {
            candidates.push([
                ("table_catalog", view.database.as_str().into()),
                ("table_schema", relation.schema.as_ref().into()),
                ("table_name", relation.name.as_ref().into()),
            ]);
        }
        let wanted = wanted.of(&candidates.finish()?);
        let relations = directory.relations.iter().zip(wanted).filter(|(_, wanted)| *wanted);
        let relations = relations.map(|(relation, _)| relation).filter(|relation| view.holds_any(relation)).collect();

        let mut rows = Rows::new(self.columns()?);
        for (relation, columns) in attributes::of(view, relations).await {
            let held = view.held(relation);
            let is_seen = |column: &str| Privileges::OF_COLUMNS.iter().any(|privilege| held.has_on(column, privilege));
            for column in columns.iter().filter(|column| is_seen(&column.name)) {
                push(&mut rows, &view.database, relation, column);
            }
        }
        rows.finish()
    }
}

fn push(rows: &mut Rows, database: &str, relation: &RelationEntry, column: &Attribute<'_>) {
    // A domain shows as the type below it, and by its own name in three columns of their own.
    let of = types::by_oid(column.of.base).unwrap_or(column.of);
    let domain = (column.of.base != 0).then_some(column.of.name);
    let collation = (of.collation == C_COLLATION).then_some("C");
    let widths = Widths::of(of, column.typmod);
    rows.push([
        ("table_catalog", database.into()),
        ("table_schema", relation.schema.as_ref().into()),
        ("table_name", relation.name.as_ref().into()),
        ("column_name", column.name.as_ref().into()),
        ("ordinal_position", column.number.into()),
        ("is_nullable", if column.not_null { "NO" } else { "YES" }.into()),
        ("data_type", data_type(of).into()),
        ("character_octet_length", widths.octets.into()),
        ("numeric_precision", widths.precision.into()),
        ("numeric_precision_radix", widths.radix.into()),
        ("numeric_scale", widths.scale.into()),
        ("datetime_precision", widths.datetime.into()),
        ("collation_catalog", collation.map(|_| database).into()),
        ("collation_schema", collation.map(|_| "pg_catalog").into()),
        ("collation_name", collation.into()),
        ("domain_catalog", domain.map(|_| database).into()),
        ("domain_schema", domain.map(|_| SCHEMA).into()),
        ("domain_name", domain.into()),
        ("udt_catalog", database.into()),
        ("udt_schema", "pg_catalog".into()),
        ("udt_name", of.name.into()),
        ("dtd_identifier", column.number.to_string().into()),
        ("is_self_referencing", "NO".into()),
        ("is_identity", "NO".into()),
        ("identity_cycle", "NO".into()),
        ("is_generated", "NEVER".into()),
        ("is_updatable", if relation.is_writable() { "YES" } else { "NO" }.into()),
    ]);
}

/// `pg_collation.oid` of `C`, which differs from the database's default.
const C_COLLATION: u32 = 950;

fn data_type(of: &PgType) -> String {
    match of.name.starts_with('_') {
        true => "ARRAY".to_owned(),
        false => format_type(of.oid, Typmod::Absent),
    }
}

/// What the standard tells of a type's size.
#[derive(Default)]
struct Widths {
    octets: Option<i32>,
    precision: Option<i32>,
    radix: Option<i32>,
    scale: Option<i32>,
    datetime: Option<i32>,
}

impl Widths {
    fn of(of: &PgType, typmod: i32) -> Self {
        let number = |precision, radix, scale| Self { precision, radix: Some(radix), scale, ..Self::default() };
        match of.name {
            "int2" => number(Some(16), 2, Some(0)),
            "int4" => number(Some(32), 2, Some(0)),
            "int8" => number(Some(64), 2, Some(0)),
            "float4" => number(Some(24), 2, None),
            "float8" => number(Some(53), 2, None),
            "numeric" if typmod >= 4 => {
                let modifier = typmod - 4;
                let scale = ((modifier & 0x7ff) ^ 1024) - 1024;
                number(Some((modifier >> 16) & 0xffff), 10, Some(scale))
            }
            "numeric" => number(None, 10, None),
            "date" => Self { datetime: Some(0), ..Self::default() },
            "time" | "timetz" | "timestamp" | "timestamptz" | "interval" => {
                Self { datetime: Some(6), ..Self::default() }
            }
            "text" | "varchar" | "bpchar" => Self { octets: Some(1 << 30), ..Self::default() },
            _ => Self::default(),
        }
    }
}
