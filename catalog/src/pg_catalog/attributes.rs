//! The columns of relations, of the server and of the lake alike.
//!
//! Owns: which tables are opened to learn them. Must never know: in which relation they are shown.

use std::borrow::Cow;
use std::sync::Arc;

use futures::{StreamExt, stream};

use super::directory::{RelationEntry, Source};
use super::types::{self, PgType, pg_type_of};
use super::view::View;

/// One column, with its place from 1.
pub(crate) struct Attribute<'a> {
    pub(crate) name: Cow<'a, str>,
    pub(crate) number: i16,
    /// Its type, which may be a domain of `information_schema`.
    pub(crate) of: &'static PgType,
    pub(crate) typmod: i32,
    pub(crate) not_null: bool,
}

/// How many tables are opened at once to learn their columns.
const OPEN_AT_ONCE: usize = 8;

/// The columns of each relation, in the order of the relations. A table that cannot be opened has none: its neighbours
/// must stay visible, and `system.skipped_files` tells the reason.
pub(crate) async fn of<'a>(
    view: &Arc<View>,
    relations: Vec<&'a RelationEntry>,
) -> Vec<(&'a RelationEntry, Vec<Attribute<'a>>)> {
    let columns: Vec<_> = relations
        .into_iter()
        .map(|relation| {
            let view = Arc::clone(view);
            async move { (relation, of_relation(&view, relation).await) }
        })
        .collect();
    stream::iter(columns).buffered(OPEN_AT_ONCE).collect().await
}

async fn of_relation<'a>(view: &View, relation: &'a RelationEntry) -> Vec<Attribute<'a>> {
    match &relation.source {
        Source::Server(def) => {
            let columns = (1..).zip(&def.columns);
            let known = columns.filter_map(|(number, column)| {
                let of = types::by_name(column.type_name)?;
                let (name, not_null) = (Cow::Borrowed(column.name), column.not_null);
                Some(Attribute { name, number, of, typmod: -1, not_null })
            });
            known.collect()
        }
        Source::Lake(table) => {
            let columns = match view.columns.columns(table).await {
                Ok(columns) => columns,
                Err(error) => {
                    tracing::debug!(schema = %relation.schema, table = %relation.name, %error, "columns are unknown");
                    return Vec::new();
                }
            };
            let known = (1..).zip(columns.fields()).filter_map(|(number, field)| {
                let info = pg_type_of(field);
                let of = types::by_oid(info.oid)?;
                let (name, not_null) = (Cow::Owned(field.name().clone()), !field.is_nullable());
                Some(Attribute { name, number, of, typmod: info.typmod, not_null })
            });
            known.collect()
        }
    }
}
