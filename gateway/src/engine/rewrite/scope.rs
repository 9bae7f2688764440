//! Which relations and columns a name may mean at one place of a query.
//!
//! Owns: matching a written name with the names in sight. Must never know: a plan.

use std::cell::Cell;

use sqlparser::ast::{Expr, Ident};

use super::quoted;
use crate::error::{Error, Result, SqlState};

/// A column under the name that PostgreSQL gives it and the unique one that it is planned under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) planned: String,
}

impl Column {
    pub(super) fn plain(name: impl Into<String>) -> Self {
        let name = name.into();
        Self { planned: name.clone(), name }
    }
}

/// The columns of a relation; `None` where they are not known before planning.
pub(super) type Columns = Option<Vec<Column>>;

/// One item of a FROM list.
#[derive(Debug, Clone)]
pub(super) struct Relation {
    /// Its alias, or the last part of its name.
    pub(super) name: String,
    /// The schema, where the relation is a table without an alias.
    pub(super) schema: Option<String>,
    /// The alias that it is planned under, unique in its FROM list.
    pub(super) planned: String,
    pub(super) columns: Columns,
    /// The columns that `*` leaves out.
    pub(super) system: Vec<Column>,
    /// The table's own name, where an alias hides it.
    pub(super) table: Option<String>,
    /// The type of its rows, where it is a table.
    pub(super) row_type: Option<u32>,
    /// Whether an outer join may have no row of it.
    pub(super) is_outer: bool,
    /// Whether it is a function of one value, which its name means.
    pub(super) is_value: bool,
}

/// A column that JOIN ... USING made out of one column of each side.
#[derive(Debug, Clone)]
pub(super) struct Merged {
    pub(super) name: String,
    pub(super) expr: Expr,
    /// The merged columns (relation, planned name): an unqualified name does not mean them any more.
    pub(super) hides: Vec<(usize, String)>,
}

/// The relations in sight, from the innermost query outwards.
#[derive(Default)]
pub(super) struct Scope<'a> {
    pub(super) relations: Vec<Relation>,
    pub(super) merged: Vec<Merged>,
    pub(super) outer: Option<&'a Scope<'a>>,
    /// Whether a name was found here since the flag was last cleared: tells real LATERAL items from needless ones.
    pub(super) used: Cell<bool>,
}

impl Scope<'_> {
    /// The expression that an unqualified name means; `None` leaves it to the planner.
    pub(super) fn column(&self, ident: &Ident) -> Result<Option<Expr>> {
        if let Some(expr) = self.own_column(ident)? {
            self.used.set(true);
            return Ok(Some(expr));
        }
        if self.relations.iter().any(|relation| relation.columns.is_none()) {
            return Ok(None);
        }
        self.outer.map_or(Ok(None), |outer| outer.column(ident))
    }

    /// The same, but only among the relations of this query.
    pub(super) fn own_column(&self, ident: &Ident) -> Result<Option<Expr>> {
        let merged = self.merged.iter().map(|merged| (merged.name.as_str(), merged.expr.clone()));
        let plain = self.relations.iter().enumerate().flat_map(|(index, relation)| {
            relation
                .columns
                .iter()
                .flatten()
                .filter(move |column| !self.is_hidden(index, &column.planned))
                .map(move |column| (column.name.as_str(), reference(relation, column)))
        });
        let mut found = best(ident, merged.chain(plain).collect());
        if found.is_empty() {
            let system = self.relations.iter().flat_map(|relation| {
                relation.system.iter().map(move |column| (column.name.as_str(), reference(relation, column)))
            });
            found = best(ident, system.collect());
        }
        match found.len() {
            0 => Ok(None),
            1 => Ok(found.pop()),
            _ => Err(ambiguous_column(&ident.value)),
        }
    }

    pub(super) fn is_hidden(&self, relation: usize, planned: &str) -> bool {
        self.merged.iter().any(|merged| merged.hides.iter().any(|(at, name)| *at == relation && name == planned))
    }

    /// What `relation.column` or `schema.relation.column` means.
    pub(super) fn qualified(&self, qualifier: &[Ident], ident: &Ident) -> Result<Option<Expr>> {
        let Some(relation) = self.relation(qualifier)? else {
            return self.outer.map_or(Ok(None), |outer| outer.qualified(qualifier, ident));
        };
        self.used.set(true);
        let relation_name = || quoted(&relation.planned);
        let Some(columns) = &relation.columns else {
            return Ok(Some(Expr::CompoundIdentifier(vec![relation_name(), ident.clone()])));
        };
        let mut found = best(ident, columns.iter().map(|column| (column.name.as_str(), column)).collect());
        if found.is_empty() {
            found = best(ident, relation.system.iter().map(|column| (column.name.as_str(), column)).collect());
        }
        match (found.len(), found.pop()) {
            (1, Some(column)) => Ok(Some(reference(relation, column))),
            (0, _) => Ok(Some(Expr::CompoundIdentifier(vec![relation_name(), ident.clone()]))),
            _ => Err(ambiguous_column(&ident.value)),
        }
    }

    /// The names of a relation of this query and of its column, by the names under which they are planned.
    pub(super) fn own(&self, relation: &str, column: &str) -> Option<(&str, &str)> {
        let relation = self.relations.iter().find(|other| other.planned == relation)?;
        let column = relation.columns.iter().flatten().find(|other| other.planned == column)?;
        Some((&relation.name, &column.name))
    }

    /// The alias that hides a table of this name.
    pub(super) fn hidden(&self, qualifier: &[Ident]) -> Option<&str> {
        let name = super::folded(qualifier.last()?);
        let hidden = self.relations.iter().find(|relation| relation.table.as_ref() == Some(&name));
        match hidden {
            Some(relation) => Some(&relation.name),
            None => self.outer.and_then(|outer| outer.hidden(qualifier)),
        }
    }

    /// Whether a (schema-)qualified name means a relation of this query or of one around it.
    pub(super) fn sees(&self, qualifier: &[Ident]) -> Result<bool> {
        Ok(self.relation(qualifier)?.is_some() || self.outer.map_or(Ok(false), |outer| outer.sees(qualifier))?)
    }

    /// The relation of this query that a (schema-)qualified name means.
    pub(super) fn relation(&self, qualifier: &[Ident]) -> Result<Option<&Relation>> {
        let Some((name, schema)) = qualifier.split_last() else { return Ok(None) };
        let in_schema = |relation: &&Relation| match (schema.last(), &relation.schema) {
            (None, _) => true,
            (Some(schema), Some(of)) => !best(schema, vec![(of.as_str(), ())]).is_empty(),
            (Some(_), None) => false,
        };
        let candidates = self.relations.iter().filter(in_schema).map(|one| (one.name.as_str(), one)).collect();
        let mut found = best(name, candidates);
        match found.len() {
            0 => Ok(None),
            1 => Ok(found.pop()),
            _ => Err(Error::new(SqlState::AmbiguousColumn, format!("table reference \"{}\" is ambiguous", name.value))),
        }
    }
}

fn reference(relation: &Relation, column: &Column) -> Expr {
    Expr::CompoundIdentifier(vec![quoted(&relation.planned), quoted(&column.planned)])
}

/// The candidates that a written name means: quoted names match exactly; unquoted ones match their lower-case form,
/// and if that does not exist, any spelling.
pub(super) fn best<T>(ident: &Ident, candidates: Vec<(&str, T)>) -> Vec<T> {
    if ident.quote_style.is_some() {
        return candidates.into_iter().filter(|(name, _)| *name == ident.value).map(|(_, found)| found).collect();
    }
    let folded = ident.value.to_lowercase();
    let (exact, others): (Vec<_>, Vec<_>) = candidates.into_iter().partition(|(name, _)| *name == folded);
    let found = if exact.is_empty() {
        others.into_iter().filter(|(name, _)| name.to_lowercase() == folded).collect()
    } else {
        exact
    };
    found.into_iter().map(|(_, found)| found).collect()
}

fn ambiguous_column(name: &str) -> Error {
    Error::new(SqlState::AmbiguousColumn, format!("column reference \"{name}\" is ambiguous"))
}
