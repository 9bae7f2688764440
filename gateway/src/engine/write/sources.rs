//! The other relations of a change: what stands behind FROM of an UPDATE or behind USING of a DELETE.
//!
//! Owns: by which names their columns are asked for. Must never know: the table that is changed.

use sqlparser::ast::{
    Ident, ObjectName, SelectItem, SelectItemQualifiedWildcardKind, TableAlias, TableFactor, TableWithJoins,
    WildcardAdditionalOptions,
};

use super::Asked;
use crate::engine::rewrite;
use crate::error::{Error, Result};

pub(super) struct Sources {
    pub(super) from: Vec<TableWithJoins>,
    names: Vec<Ident>,
    /// How many columns they have together.
    pub(super) columns: usize,
}

impl Sources {
    /// Looks at them, for a statement that may name their columns behind the change.
    pub(super) async fn new(asked: &Asked, from: &[TableWithJoins]) -> Result<Self> {
        let mut names = Vec::new();
        from.iter().try_for_each(|item| collect(item, &mut names))?;
        let mut sources = Self { from: from.to_vec(), names, columns: 0 };
        let query = rewrite::items_of(sources.items(), from.to_vec());
        sources.columns = asked.query(query).await?.columns.fields().len();
        Ok(sources)
    }

    /// All of their columns, relation by relation.
    pub(super) fn items(&self) -> Vec<SelectItem> {
        let all = |name: &Ident| {
            let name = ObjectName::from(vec![name.clone()]);
            let kind = SelectItemQualifiedWildcardKind::ObjectName(name);
            SelectItem::QualifiedWildcard(kind, WildcardAdditionalOptions::default())
        };
        self.names.iter().map(all).collect()
    }
}

fn collect(item: &TableWithJoins, names: &mut Vec<Ident>) -> Result<()> {
    let factors = std::iter::once(&item.relation).chain(item.joins.iter().map(|join| &join.relation));
    for factor in factors {
        match factor {
            TableFactor::NestedJoin { table_with_joins, alias: None } => collect(table_with_joins, names)?,
            other => names.push(name_of(other).ok_or_else(|| {
                Error::unsupported("RETURNING beside a relation without a name is not supported")
                    .hint("Give each relation of the list an alias.")
            })?),
        }
    }
    Ok(())
}

/// The name by which a query knows an item of FROM.
pub(super) fn name_of(factor: &TableFactor) -> Option<Ident> {
    let aliased = |alias: &Option<TableAlias>| alias.as_ref().map(|alias| alias.name.clone());
    let last = |name: &ObjectName| name.0.last().and_then(|part| part.as_ident()).cloned();
    match factor {
        TableFactor::Table { name, alias, .. } | TableFactor::Function { name, alias, .. } => {
            aliased(alias).or_else(|| last(name))
        }
        TableFactor::Derived { alias, .. }
        | TableFactor::TableFunction { alias, .. }
        | TableFactor::UNNEST { alias, .. }
        | TableFactor::NestedJoin { alias, .. } => aliased(alias),
        _ => None,
    }
}
