//! The queries that give what files of a table are replaced by.
//!
//! Owns: that each row of the files comes once, whatever it was joined to, behind a mark that says what became of it. Must
//! never know: a plan.

use catalog::Column;
use sqlparser::ast::helpers::attached_token::AttachedToken;
use sqlparser::ast::{
    BinaryOperator, CaseWhen, Expr, Ident, Join, JoinConstraint, JoinOperator, Query, SelectItem, TableAlias,
    TableAliasColumnDef, TableFactor, TableWithJoins, Value,
};

use super::changing::{Assigned, file_of, row_of, select};
use super::rows::mark;
use super::sources::Sources;
use crate::engine::rewrite::{self, quoted};
use crate::engine::row_security::{Checks, Given};

/// The name of the table beside the rows that match.
pub(super) const WHOLE: &str = "lakegate:whole";
const MATCHES: &str = "lakegate:matches";

/// Rows of a table that match, and what becomes of them.
pub(super) struct Matches {
    /// The table first, then what it is joined to.
    pub from: Vec<TableWithJoins>,
    /// Its name there.
    pub name: Ident,
    pub condition: Option<Expr>,
    /// What a matching row gets; `None` for one that goes.
    pub assigned: Option<Assigned>,
    /// Whose columns are given too.
    pub sources: Option<Sources>,
    /// What rows have to fulfil that are changed.
    pub checks: Checks,
    /// Whether some rows or values of the table are hidden from the statement: then a row cannot tell itself whether it matches.
    pub is_bound: bool,
}

impl Matches {
    /// A row that matches is not there any more, or is there otherwise.
    fn mark(&self) -> Expr {
        number(if self.assigned.is_some() { mark::CHANGED } else { mark::GONE })
    }

    /// All rows of some files: their marks, their columns, and those of the sources.
    pub(super) fn replacement(
        &self,
        (table, columns): (&str, &[Column]),
        files: &[i64],
        whole: TableWithJoins,
    ) -> Query {
        let query = match self.from.as_slice() {
            [_] if !self.is_bound => self.alone(columns, files),
            _ => self.joined(columns, files, whole),
        };
        if self.checks.is_empty() {
            return query;
        }
        let others = self.sources.as_ref().map_or(0, |sources| sources.columns);
        let others = std::iter::repeat_with(|| Given::Other).take(others);
        let given = std::iter::once(Given::Other).chain(columns.iter().map(Given::Column)).chain(others);
        let given: Vec<Given<'_>> = given.collect();
        self.checks.over((query, &given), (table, &[]), Some((0, number(mark::CHANGED))))
    }

    /// Of a table that is joined to nothing, a row tells itself whether it matches.
    fn alone(&self, columns: &[Column], files: &[i64]) -> Query {
        let matches = || self.condition.clone().unwrap_or_else(|| Expr::value(Value::Boolean(true)));
        let mark = chosen(matches(), self.mark(), number(mark::STAYS));
        let values = columns.iter().enumerate().map(|(at, column)| {
            let old = Expr::Identifier(quoted(column.name()));
            match self.value(at) {
                Some(value) => chosen(matches(), value, old),
                None => old,
            }
        });
        let items = std::iter::once(mark).chain(values).map(SelectItem::UnnamedExpr).collect();
        select(items, self.from.clone(), Some(is_of(file_of(&self.name), files)))
    }

    fn value(&self, column: usize) -> Option<Expr> {
        self.assigned.as_ref()?.get(column)?.clone()
    }

    /// Otherwise the rows that match are found first, by their numbers: of several of one row the first counts.
    fn joined(&self, columns: &[Column], files: &[i64], whole: TableWithJoins) -> Query {
        let numbers = vec![file_of(&self.name), row_of(&self.name)];
        let again = rewrite::number_within(numbers.clone());
        let assigned: Vec<usize> = (0..columns.len()).filter(|at| self.value(*at).is_some()).collect();
        let values = assigned.iter().filter_map(|at| self.value(*at));
        let items = numbers.into_iter().chain([again]).chain(values).map(SelectItem::UnnamedExpr);
        let items = items.chain(self.sources.iter().flat_map(Sources::items)).collect();
        let matches = select(items, self.from.clone(), self.condition.clone());
        let width = 3 + assigned.len() + self.sources.as_ref().map_or(0, |sources| sources.columns);
        let is_first = equal(match_column(2), number(1));
        let from = beside(whole, (matches, width), Some(is_first));
        let is_match = || Expr::IsNotNull(Box::new(match_column(0)));
        let mark = chosen(is_match(), self.mark(), number(mark::STAYS));
        let values = columns.iter().enumerate().map(|(at, column)| {
            let old = Expr::CompoundIdentifier(vec![quoted(WHOLE), quoted(column.name())]);
            match assigned.iter().position(|assigned| *assigned == at) {
                Some(place) => chosen(is_match(), match_column(3 + place), old),
                None => old,
            }
        });
        let others = (3 + assigned.len()..width).map(match_column);
        let items = std::iter::once(mark).chain(values).chain(others).map(SelectItem::UnnamedExpr).collect();
        select(items, vec![from], Some(is_of(file_of(&quoted(WHOLE)), files)))
    }
}

/// `whole LEFT JOIN matches`, whose first two columns are the numbers of file and row.
pub(super) fn beside(whole: TableWithJoins, (matches, width): (Query, usize), also: Option<Expr>) -> TableWithJoins {
    let columns = (0..width).map(|at| TableAliasColumnDef { name: quoted(&format!("m{at}")), data_type: None });
    let alias = TableAlias { explicit: true, name: quoted(MATCHES), columns: columns.collect(), at: None };
    let relation =
        TableFactor::Derived { lateral: false, subquery: Box::new(matches), alias: Some(alias), sample: None };
    let name = quoted(WHOLE);
    let mut on = and(equal(file_of(&name), match_column(0)), equal(row_of(&name), match_column(1)));
    if let Some(also) = also {
        on = and(on, also);
    }
    let join_operator = JoinOperator::LeftOuter(JoinConstraint::On(on));
    TableWithJoins { relation: whole.relation, joins: vec![Join { relation, global: false, join_operator }] }
}

/// A column of the rows that match.
pub(super) fn match_column(at: usize) -> Expr {
    Expr::CompoundIdentifier(vec![quoted(MATCHES), quoted(&format!("m{at}"))])
}

pub(super) fn number(number: i64) -> Expr {
    Expr::value(Value::Number(number.to_string(), false))
}

/// `CASE WHEN condition THEN value ELSE other END`.
pub(in crate::engine) fn chosen(condition: Expr, value: Expr, other: Expr) -> Expr {
    Expr::Case {
        case_token: AttachedToken::empty(),
        end_token: AttachedToken::empty(),
        operand: None,
        conditions: vec![CaseWhen { condition, result: value }],
        else_result: Some(Box::new(other)),
    }
}

pub(in crate::engine) fn equal(left: Expr, right: Expr) -> Expr {
    Expr::BinaryOp { left: Box::new(left), op: BinaryOperator::Eq, right: Box::new(right) }
}

pub(super) fn and(left: Expr, right: Expr) -> Expr {
    Expr::BinaryOp { left: Box::new(left), op: BinaryOperator::And, right: Box::new(right) }
}

pub(super) fn is_of(file: Expr, files: &[i64]) -> Expr {
    let list = files.iter().map(|file| number(*file)).collect();
    Expr::InList { expr: Box::new(file), list, negated: false }
}
