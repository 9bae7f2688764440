//! `pg_attribute`: the columns of every relation. Conditions on `attrelid` decide which tables are opened.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use datafusion::common::Result;

use super::acl::Lists;
use super::attributes::{self, Attribute};
use super::directory::{RelationEntry, Source};
use super::relation::{Relation, Wanted};
use super::rows::{Cell, Rows};
use super::system_columns::SYSTEM_COLUMNS;
use super::types;
use super::view::View;

#[derive(Debug)]
pub(crate) struct PgAttribute;

#[async_trait]
impl Relation for PgAttribute {
    fn name(&self) -> &'static str {
        "pg_attribute"
    }

    fn keys(&self) -> &'static [&'static str] {
        &["attrelid"]
    }

    fn is_of_lake(&self) -> bool {
        true
    }

    async fn rows(&self, view: &Arc<View>, wanted: &Wanted) -> Result<RecordBatch> {
        let directory = view.directory();
        let mut candidates = Rows::new(self.columns()?);
        for relation in &directory.relations {
            candidates.push([("attrelid", relation.oid.into())]);
        }
        let wanted = wanted.of(&candidates.finish()?);
        let relations = directory.relations.iter().zip(wanted).filter(|(_, wanted)| *wanted);
        let relations = relations.map(|(relation, _)| relation).collect();

        let mut rows = Rows::new(self.columns()?);
        let lists = Lists::new(view);
        for (relation, attributes) in attributes::of(view, relations).await {
            for attribute in &attributes {
                push(&mut rows, relation.oid, attribute, lists.of_column(relation, &attribute.name));
            }
            if matches!(relation.kind(), "r" | "m") {
                system_columns(relation)
                    .iter()
                    .for_each(|attribute| push(&mut rows, relation.oid, attribute, Cell::Null));
            }
        }
        rows.finish()
    }
}

/// The columns that every table has, by numbers below zero.
fn system_columns(relation: &RelationEntry) -> Vec<Attribute<'static>> {
    let own = |name: &str| match &relation.source {
        Source::Server(def) => def.columns.iter().any(|column| column.name == name),
        Source::Lake(_) => false,
    };
    let columns = SYSTEM_COLUMNS.iter().zip(1..).filter(|((name, _), _)| !own(name));
    let known = columns.filter_map(|((name, of), number)| {
        let of = types::by_name(of)?;
        Some(Attribute { name: Cow::Borrowed(*name), number: -number, of, typmod: -1, not_null: true })
    });
    known.collect()
}

fn push(rows: &mut Rows, relation: u32, attribute: &Attribute<'_>, acl: Cell<'_>) {
    rows.push([
        ("attrelid", relation.into()),
        ("attname", attribute.name.as_ref().into()),
        ("atttypid", attribute.of.oid.into()),
        ("attlen", attribute.of.len.into()),
        ("attnum", attribute.number.into()),
        ("attcacheoff", (-1).into()),
        ("atttypmod", attribute.typmod.into()),
        ("attndims", i64::from(attribute.of.name.starts_with('_')).into()),
        ("attbyval", attribute.of.by_value.into()),
        ("attalign", attribute.of.align.into()),
        ("attstorage", attribute.of.storage.into()),
        ("attcompression", "".into()),
        ("attnotnull", attribute.not_null.into()),
        ("atthasdef", false.into()),
        ("atthasmissing", false.into()),
        ("attidentity", "".into()),
        ("attgenerated", "".into()),
        ("attisdropped", false.into()),
        ("attislocal", true.into()),
        ("attinhcount", 0.into()),
        ("attstattarget", (-1).into()),
        ("attcollation", attribute.of.collation.into()),
        ("attacl", acl),
    ]);
}
