//! The FROM list: which relations it brings into sight, under which names.
//!
//! Owns: tables, WITH queries and subqueries as FROM items, and their aliases. Must never know: expressions' meaning.

use sqlparser::ast::{
    FunctionArg, FunctionArgExpr, JoinConstraint, JoinOperator, ObjectName, TableAlias, TableAliasColumnDef,
    TableFactor, TableWithJoins,
};

use super::identifiers::{Ctes, Resolver};
use super::scope::{Column, Columns, Relation, Scope};
use super::{expand, folded, json, located, quoted};
use crate::error::{Error, Result, SqlState};

impl Resolver<'_> {
    pub(super) fn table_with_joins(&self, item: &mut TableWithJoins, scope: &mut Scope<'_>, ctes: &Ctes) -> Result<()> {
        self.table_factor(&mut item.relation, scope, ctes)?;
        for join in &mut item.joins {
            let left_end = scope.relations.len();
            self.table_factor(&mut join.relation, scope, ctes)?;
            mark_outer(&join.join_operator, left_end, &mut scope.relations);
            if let Some(JoinConstraint::On(expr)) = constraint(&mut join.join_operator) {
                self.expr(expr, scope, ctes)?;
            }
            expand::merge_using(&mut join.join_operator, left_end, scope)?;
        }
        Ok(())
    }

    fn table_factor(&self, factor: &mut TableFactor, scope: &mut Scope<'_>, ctes: &Ctes) -> Result<()> {
        match factor {
            // The planner would give all rows.
            TableFactor::Table { sample: Some(_), .. } => Err(Error::unsupported("TABLESAMPLE is not supported")
                .hint("A filter takes a share of the rows: WHERE random() < 0.1.")),
            TableFactor::Table { name, alias, args: None, .. } => self.table(name, alias, scope, ctes),
            TableFactor::Function { lateral, name, args, alias, .. } => {
                *lateral = false;
                self.arguments(args, scope, ctes)?;
                let written = name.0.last().and_then(|part| part.as_ident()).map(folded).unwrap_or_default();
                let columns = alias.as_mut().and_then(|alias| aliased(None, alias));
                push(scope, &written, None, alias, columns)
            }
            TableFactor::Derived { lateral, subquery, alias, .. } => {
                let columns = if *lateral {
                    scope.used.set(false);
                    let columns = self.query(subquery, Some(&*scope), ctes)?;
                    *lateral = scope.used.get();
                    columns
                } else {
                    self.query(subquery, scope.outer, ctes)?
                };
                // PostgreSQL before 16 wants an alias here; a hidden one makes the columns addressable.
                let columns = alias.as_mut().map_or_else(|| columns.clone(), |alias| aliased(columns.clone(), alias));
                push(scope, "unnamed_subquery", None, alias, columns)?;
                if let Some(relation) = scope.relations.last_mut() {
                    relation.is_value = json::is_value(subquery);
                }
                Ok(())
            }
            TableFactor::NestedJoin { table_with_joins, alias: None } => {
                self.table_with_joins(table_with_joins, scope, ctes)
            }
            TableFactor::NestedJoin { .. } => {
                Err(Error::unsupported("an alias for a parenthesized join is not supported"))
            }
            _ => Ok(()),
        }
    }

    /// The arguments of a table function may use what encloses the query, not its neighbours.
    fn arguments(&self, args: &mut [FunctionArg], scope: &Scope<'_>, ctes: &Ctes) -> Result<()> {
        let outside = Scope { outer: scope.outer, ..Scope::default() };
        for arg in args {
            if let FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) = arg {
                self.expr(expr, &outside, ctes)?;
            }
        }
        Ok(())
    }

    fn table(
        &self,
        name: &mut ObjectName,
        alias: &mut Option<TableAlias>,
        scope: &mut Scope<'_>,
        ctes: &Ctes,
    ) -> Result<()> {
        if let [part] = name.0.as_slice()
            && let Some(ident) = part.as_ident()
            && let Some((written, cte)) = ctes.get_key_value(&folded(ident))
        {
            let columns = match alias.as_mut() {
                Some(alias) => aliased(cte.columns.clone(), alias),
                None => cte.columns.clone(),
            };
            *name = ObjectName::from(vec![quoted(&cte.planned)]);
            return push(scope, written, None, alias, columns);
        }
        let span = name.0.first().and_then(|part| part.as_ident()).map(|ident| ident.span);
        self.strip_database(name)?;
        if let Some(exact) = self.names.table(name).map_err(|error| match span {
            Some(span) => located(error, span, self.names),
            None => error,
        })? {
            *name = exact;
        }
        let columns = self.names.columns(name).map(|names| names.into_iter().map(Column::plain).collect());
        let system: Vec<Column> = self.names.system_columns(name).into_iter().map(Column::plain).collect();
        let columns = match alias.as_mut() {
            Some(alias) => {
                let columns = aliased(columns, alias);
                if !alias.columns.is_empty() {
                    // A list of names has one for every column of the table.
                    let rest = system.iter().map(|column| quoted(&column.planned));
                    alias.columns.extend(rest.map(|name| TableAliasColumnDef { name, data_type: None }));
                }
                columns
            }
            None => columns,
        };
        let mut parts = name.0.iter().rev().filter_map(|part| part.as_ident()).map(folded);
        let (table, schema) = (parts.next().unwrap_or_default(), parts.next());
        let row_type = self.names.row_type(name);
        push(scope, &table, schema, alias, columns)?;
        if let Some(relation) = scope.relations.last_mut() {
            relation.system = system;
            relation.row_type = row_type;
        }
        Ok(())
    }

    /// `database.schema.table` of another database is refused as PostgreSQL refuses it.
    fn strip_database(&self, name: &mut ObjectName) -> Result<()> {
        if name.0.len() < 3 {
            return Ok(());
        }
        let database = name.0.first().and_then(|part| part.as_ident()).map(folded).unwrap_or_default();
        if name.0.len() > 3 || database != self.names.database() {
            let message = format!("cross-database references are not implemented: {name}");
            return Err(Error::unsupported(message));
        }
        name.0.remove(0);
        Ok(())
    }
}

fn push(
    scope: &mut Scope<'_>,
    written: &str,
    schema: Option<String>,
    alias: &mut Option<TableAlias>,
    columns: Columns,
) -> Result<()> {
    let (name, schema) = match alias {
        Some(alias) => (folded(&alias.name), None),
        None => (written.to_owned(), schema),
    };
    let same = |other: &Relation| other.name == name && (other.schema == schema || schema.is_none());
    if (alias.is_some() || written != "unnamed_subquery") && scope.relations.iter().any(same) {
        let message = format!("table name \"{name}\" specified more than once");
        return Err(Error::new(SqlState::DuplicateAlias, message));
    }
    let mut planned = name.clone();
    let table = alias.is_some().then(|| written.to_owned());
    while scope.relations.iter().any(|other| other.planned == planned) {
        planned.push('_');
    }
    match alias {
        Some(alias) => alias.name = quoted(&planned),
        None => {
            let name = quoted(&planned);
            *alias = Some(TableAlias { explicit: true, name, columns: Vec::new(), at: None });
        }
    }
    scope.relations.push(Relation {
        name,
        schema,
        planned,
        columns,
        system: Vec::new(),
        table,
        row_type: None,
        is_outer: false,
        is_value: false,
    });
    Ok(())
}

/// Marks the relations on the sides of a join that may be without a row. `left_end` splits the relations in two.
fn mark_outer(operator: &JoinOperator, left_end: usize, relations: &mut [Relation]) {
    let (left, right) = match operator {
        JoinOperator::Left(_) | JoinOperator::LeftOuter(_) => (false, true),
        JoinOperator::Right(_) | JoinOperator::RightOuter(_) => (true, false),
        JoinOperator::FullOuter(_) => (true, true),
        _ => return,
    };
    for (index, relation) in relations.iter_mut().enumerate() {
        relation.is_outer = relation.is_outer || if index < left_end { left } else { right };
    }
}

/// Applies the column names of `alias(a, b)`, which may name fewer columns than there are.
pub(super) fn aliased(columns: Columns, alias: &mut TableAlias) -> Columns {
    if alias.columns.is_empty() {
        alias.name = quoted(&folded(&alias.name));
        // A duplicate inside keeps its planned name, which outside is a name like any other.
        return columns;
    }
    for column in &mut alias.columns {
        column.name = quoted(&folded(&column.name));
    }
    let mut named = alias_columns(&alias.columns);
    let columns = columns?;
    for column in columns.into_iter().skip(named.len()) {
        let name = quoted(&column.planned);
        alias.columns.push(TableAliasColumnDef { name, data_type: None });
        named.push(column);
    }
    Some(named)
}

pub(super) fn alias_columns(columns: &[TableAliasColumnDef]) -> Vec<Column> {
    columns.iter().map(|column| Column::plain(folded(&column.name))).collect()
}

/// The constraint of the joins that have one.
pub(crate) fn constraint(operator: &mut JoinOperator) -> Option<&mut JoinConstraint> {
    match operator {
        JoinOperator::Join(constraint)
        | JoinOperator::Inner(constraint)
        | JoinOperator::Left(constraint)
        | JoinOperator::LeftOuter(constraint)
        | JoinOperator::Right(constraint)
        | JoinOperator::RightOuter(constraint)
        | JoinOperator::FullOuter(constraint) => Some(constraint),
        _ => None,
    }
}

/// The same, without changing it.
pub(crate) fn constraint_of(operator: &JoinOperator) -> Option<&JoinConstraint> {
    match operator {
        JoinOperator::Join(constraint)
        | JoinOperator::Inner(constraint)
        | JoinOperator::Left(constraint)
        | JoinOperator::LeftOuter(constraint)
        | JoinOperator::Right(constraint)
        | JoinOperator::RightOuter(constraint)
        | JoinOperator::FullOuter(constraint) => Some(constraint),
        _ => None,
    }
}
