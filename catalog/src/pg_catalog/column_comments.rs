//! The comments on columns of the lake, by the places that the columns have now.
//!
//! Owns: which tables are opened for them: those with such comments. Must never know: who asks.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use super::attributes;
use super::directory::RelationEntry;
use super::view::View;
use crate::definition::{Commented, Comments, Name};

/// Comments by the relation's OID and the column's place from 1. `col_description` cannot open a table, so they are found
/// out before.
#[derive(Debug, Default)]
pub struct ColumnComments(OnceLock<BTreeMap<(u32, i16), String>>);

impl ColumnComments {
    pub(crate) fn of(&self, relation: u32, column: i16) -> Option<&str> {
        self.0.get()?.get(&(relation, column)).map(String::as_str)
    }
}

impl View {
    /// Finds out what `col_description` will be asked for.
    pub async fn find_column_comments(self: &Arc<Self>) {
        if self.column_comments.0.get().is_none() {
            let found = all(self).await;
            let _ = self.column_comments.0.set(found);
        }
    }
}

/// Every comment on a column of the lake.
pub(crate) async fn all(view: &Arc<View>) -> BTreeMap<(u32, i16), String> {
    let (comments, directory) = (&view.snapshot.comments, view.directory());
    let relations: Vec<&RelationEntry> =
        directory.relations.iter().filter(|relation| on_columns(comments, relation).next().is_some()).collect();
    let mut found = BTreeMap::new();
    for (relation, columns) in attributes::of(view, relations).await {
        for (column, comment) in on_columns(comments, relation) {
            if let Some(known) = columns.iter().find(|known| known.name == column) {
                found.insert((relation.oid, known.number), comment.to_owned());
            }
        }
    }
    found
}

fn on_columns<'a>(comments: &'a Comments, relation: &RelationEntry) -> impl Iterator<Item = (&'a str, &'a str)> {
    let name = Name { schema: relation.schema.to_string(), name: relation.name.to_string() };
    let first = Commented::Column(name.clone(), String::new());
    comments.range(first..).map_while(move |(on, comment)| match on {
        Commented::Column(known, column) if *known == name => Some((column.as_str(), comment.as_str())),
        _ => None,
    })
}
