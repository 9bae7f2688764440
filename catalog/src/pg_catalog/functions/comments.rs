//! `obj_description` and its kin: the remarks of `pg_description`.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use datafusion::common::Result;

use super::function::{Argument, Spec};
use super::scope::{Object, Scope, object};
use crate::pg_catalog::columns::lines;
use crate::pg_catalog::dump::unescape;
use crate::pg_catalog::own_functions;
use crate::pg_catalog::pg_description::{CLASS, NAMESPACE};
use crate::pg_catalog::rows::Cell;

pub(super) const FUNCTIONS: &[Spec] = &[
    Spec::new("obj_description", (1, 2), "text", of_object),
    Spec::new("col_description", (2, 2), "text", of_column),
    // The database and the roles have none.
    Spec::new("shobj_description", (2, 2), "text", none),
];

/// PostgreSQL's own remarks, by `classoid` and `objoid`.
static REMARKS: LazyLock<HashMap<(u32, u32), Cow<'static, str>>> = LazyLock::new(|| {
    let recorded = lines(include_str!("../data/pg_description.tsv"));
    let remarks = recorded.chain(own_functions::descriptions().lines()).filter_map(|line| {
        let cells: Vec<&str> = line.split('\t').collect();
        let [object, class, _, remark] = cells.as_slice() else { return None };
        Some(((class.parse().ok()?, object.parse().ok()?), unescape(remark)))
    });
    remarks.collect()
});

fn of_object<'a>(scope: &'a Scope, arguments: &[Argument<'_>]) -> Result<Cell<'a>> {
    let Some(Object::Oid(oid)) = arguments.first().map(|argument| object(*argument)) else { return Ok(Cell::Null) };
    let class = match arguments.get(1) {
        Some(Argument::Text(class)) => match scope.directory.named("pg_catalog", class) {
            Some(class) => class.oid,
            None => return Ok(Cell::Null),
        },
        // The form without a class is of old clients, which ask for relations.
        _ => CLASS,
    };
    let own = match class {
        CLASS => scope.directory.relation(oid).and_then(|relation| relation.comment.as_deref()),
        NAMESPACE => scope.directory.schema_of_oid(oid).and_then(|schema| schema.comment.as_deref()),
        _ => None,
    };
    Ok(own.or_else(|| REMARKS.get(&(class, oid)).map(Cow::as_ref)).into())
}

fn of_column<'a>(scope: &'a Scope, arguments: &[Argument<'_>]) -> Result<Cell<'a>> {
    let [relation, Argument::Int(column)] = arguments else { return Ok(Cell::Null) };
    let (Object::Oid(oid), Ok(column)) = (object(*relation), i16::try_from(*column)) else { return Ok(Cell::Null) };
    Ok(scope.view.column_comments.of(oid, column).into())
}

fn none<'a>(_: &'a Scope, _: &[Argument<'_>]) -> Result<Cell<'a>> {
    Ok(Cell::Null)
}
