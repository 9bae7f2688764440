//! What each statement that writes takes of its table. <https://www.postgresql.org/docs/16/ddl-priv.html>
//!
//! Owns: that reading the table that is changed, by a condition, a value or RETURNING, takes SELECT too. Must never know: who
//! asks.

use std::ops::ControlFlow;

use catalog::Privilege;
use sqlparser::ast::{Expr, Visit, Visitor};

use super::Write;
use super::actions::Action;
use super::change::Change;
use super::merge::Merge;
use crate::engine::authorize::Need;

impl Write {
    pub(in crate::engine) fn needs(&self) -> Vec<Need> {
        match self {
            Self::Insert(insert) => {
                let mut needs = vec![Need::On(insert.target.name.clone(), Privilege::Insert)];
                if insert.replaces {
                    needs.push(Need::On(insert.target.name.clone(), Privilege::Truncate));
                }
                if insert.returning.is_some() {
                    needs.push(Need::On(insert.target.name.clone(), Privilege::Select));
                }
                needs
            }
            Self::Create(create) => vec![Need::Create(create.name.clone())],
            Self::Truncate(truncate) => vec![Need::On(truncate.target.name.clone(), Privilege::Truncate)],
            Self::Vacuum(vacuum) => {
                vacuum.tables.iter().map(|name| Need::On(name.clone(), Privilege::Maintain)).collect()
            }
            Self::Optimize(optimize) => vec![Need::On(optimize.name.clone(), Privilege::Maintain)],
            Self::Copy(copy) => vec![Need::On(copy.target.name.clone(), Privilege::Insert)],
            Self::CopyTo(_) => vec![Need::Export],
            Self::Change(change) => of_change(change),
            Self::Merge(merge) => of_merge(merge),
            Self::Alter(alter) => vec![Need::Own(alter.target.name.clone())],
        }
    }
}

fn of_change(change: &Change) -> Vec<Need> {
    let name = &change.target.name;
    let matches = &change.matches;
    let changes = if matches.assigned.is_some() { Privilege::Update } else { Privilege::Delete };
    let values = matches.assigned.iter().flatten().flatten();
    let reads = change.returning.is_some() || reads(values.chain(&matches.condition));
    let mut needs = vec![Need::On(name.clone(), changes)];
    if reads {
        needs.push(Need::On(name.clone(), Privilege::Select));
    }
    needs
}

fn of_merge(merge: &Merge) -> Vec<Need> {
    let name = &merge.target.name;
    let mut needs = vec![Need::On(name.clone(), Privilege::Select)];
    needs.extend(merge.actions.clauses.iter().filter_map(|clause| {
        let privilege = match clause.action {
            Action::Insert(_) => Privilege::Insert,
            Action::Update(_) => Privilege::Update,
            Action::Delete => Privilege::Delete,
            Action::Nothing => return None,
        };
        Some(Need::On(name.clone(), privilege))
    }));
    needs
}

/// Whether expressions of a statement look at the rows that it changes.
pub(super) fn reads<'a>(mut exprs: impl Iterator<Item = &'a Expr>) -> bool {
    exprs.any(names_a_column)
}

/// Whether an expression names a column of any relation, which could be one of the table.
fn names_a_column(expr: &Expr) -> bool {
    struct Columns;
    impl Visitor for Columns {
        type Break = ();
        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            match expr {
                Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::CompoundFieldAccess { .. } => {
                    ControlFlow::Break(())
                }
                _ => ControlFlow::Continue(()),
            }
        }
    }
    expr.visit(&mut Columns).is_break()
}
