//! `pg_type`: PostgreSQL's own types, and the types of the rows of the lake's relations.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use async_trait::async_trait;
use datafusion::common::Result;

use super::directory::{OWNER, RelationEntry};
use super::dump::TYPES;
use super::relation::{Relation, Wanted};
use super::rows::Rows;
use super::view::View;

#[derive(Debug)]
pub(crate) struct PgType;

#[async_trait]
impl Relation for PgType {
    fn name(&self) -> &'static str {
        "pg_type"
    }

    fn is_of_lake(&self) -> bool {
        true
    }

    async fn rows(&self, view: &Arc<View>, _wanted: &Wanted) -> Result<RecordBatch> {
        let mut rows = Rows::new(self.columns()?);
        for relation in view.directory().relations.iter().filter(|relation| relation.row_array != 0) {
            push(&mut rows, relation, &ROW);
            push(&mut rows, relation, &ARRAY);
        }
        Ok(concat_batches(&self.columns()?, &[TYPES.batch()?, rows.finish()?])?)
    }
}

/// What is the same for all types of a kind. Functions are by their ids in `pg_proc`.
struct Kind {
    is_array: bool,
    typtype: &'static str,
    category: &'static str,
    subscript: u32,
    input: u32,
    output: u32,
    receive: u32,
    send: u32,
    analyze: u32,
}

/// `record_in` and its kin.
const ROW: Kind = Kind {
    is_array: false,
    typtype: "c",
    category: "C",
    subscript: 0,
    input: 2290,
    output: 2291,
    receive: 2402,
    send: 2403,
    analyze: 0,
};

/// `array_in` and its kin.
const ARRAY: Kind = Kind {
    is_array: true,
    typtype: "b",
    category: "A",
    subscript: 6179,
    input: 750,
    output: 751,
    receive: 2400,
    send: 2401,
    analyze: 3816,
};

fn push(rows: &mut Rows, relation: &RelationEntry, kind: &Kind) {
    let name = relation.name.as_ref();
    let (oid, other) = match kind.is_array {
        true => (relation.row_array, relation.row_type),
        false => (relation.row_type, relation.row_array),
    };
    rows.push([
        ("oid", oid.into()),
        ("typname", if kind.is_array { format!("_{name}") } else { name.to_owned() }.into()),
        ("typnamespace", relation.schema_oid.into()),
        ("typowner", OWNER.into()),
        ("typlen", (-1).into()),
        ("typbyval", false.into()),
        ("typtype", kind.typtype.into()),
        ("typcategory", kind.category.into()),
        ("typispreferred", false.into()),
        ("typisdefined", true.into()),
        ("typdelim", ",".into()),
        ("typrelid", if kind.is_array { 0 } else { relation.oid }.into()),
        ("typsubscript", kind.subscript.into()),
        ("typelem", if kind.is_array { other } else { 0 }.into()),
        ("typarray", if kind.is_array { 0 } else { other }.into()),
        ("typinput", kind.input.into()),
        ("typoutput", kind.output.into()),
        ("typreceive", kind.receive.into()),
        ("typsend", kind.send.into()),
        ("typmodin", 0.into()),
        ("typmodout", 0.into()),
        ("typanalyze", kind.analyze.into()),
        ("typalign", "d".into()),
        ("typstorage", "x".into()),
        ("typnotnull", false.into()),
        ("typbasetype", 0.into()),
        ("typtypmod", (-1).into()),
        ("typndims", 0.into()),
        ("typcollation", 0.into()),
    ]);
}
