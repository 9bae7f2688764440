//! The clauses of MERGE as queries, each over the relations that its clause may name.
//!
//! Owns: that the first clause whose condition holds is the one that counts. Must never know: a plan, a file.

use catalog::Column;
use sqlparser::ast::helpers::attached_token::AttachedToken;
use sqlparser::ast::{
    BinaryOperator, CaseWhen, Expr, Ident, Join, JoinConstraint, JoinOperator, Query, SelectItem, SetExpr, SetOperator,
    SetQuantifier, TableAlias, TableAliasColumnDef, TableFactor, TableWithJoins, Value,
};

use super::changing::{Assigned, file_of, grouped, row_of, select};
use super::replacement::{WHOLE, beside, chosen, equal, is_of, match_column, number};
use super::rows::mark;
use crate::engine::rewrite::{self, quoted};

/// The name of the rows of the table with what becomes of them.
const ACTIONS: &str = "lakegate:actions";

/// What a clause is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A row of the table, with each row of the source that matches.
    Matched,
    /// A row of the source that no row of the table matches.
    New,
    /// A row of the table that no row of the source matches.
    Alone,
}

pub(super) enum Action {
    Update(Assigned),
    Delete,
    Insert(Assigned),
    Nothing,
}

pub(super) struct Clause {
    pub kind: Kind,
    pub condition: Option<Expr>,
    pub action: Action,
}

pub(super) struct Actions {
    pub target: TableWithJoins,
    /// The name of the table.
    pub name: Ident,
    pub source: TableFactor,
    pub on: Expr,
    pub clauses: Vec<Clause>,
}

impl Action {
    pub(super) fn values(&mut self) -> Option<&mut Assigned> {
        match self {
            Self::Update(values) | Self::Insert(values) => Some(values),
            Self::Delete | Self::Nothing => None,
        }
    }

    fn mark(&self) -> i64 {
        match self {
            Self::Update(_) | Self::Insert(_) => mark::CHANGED,
            Self::Delete => mark::GONE,
            Self::Nothing => mark::STAYS,
        }
    }

    fn value(&self, column: usize) -> Option<&Expr> {
        match self {
            Self::Update(values) | Self::Insert(values) => values.get(column)?.as_ref(),
            Self::Delete | Self::Nothing => None,
        }
    }
}

impl Actions {
    fn of(&self, kind: Kind) -> impl Iterator<Item = &Clause> {
        self.clauses.iter().filter(move |clause| clause.kind == kind)
    }

    /// The relations that the clauses of a kind may name.
    fn from(&self, kind: Kind) -> TableWithJoins {
        match kind {
            Kind::Matched => {
                let join_operator = JoinOperator::Inner(JoinConstraint::On(self.on.clone()));
                let source = Join { relation: self.source.clone(), global: false, join_operator };
                TableWithJoins { joins: vec![source], ..self.target.clone() }
            }
            Kind::New => TableWithJoins { relation: self.source.clone(), joins: Vec::new() },
            Kind::Alone => self.target.clone(),
        }
    }

    /// The same of one clause.
    pub(super) fn relations_of(&self, clause: usize) -> TableWithJoins {
        self.from(self.clauses.get(clause).map_or(Kind::Matched, |clause| clause.kind))
    }

    /// The rows that the clauses of a kind are asked for.
    fn asked(&self, kind: Kind) -> Option<Expr> {
        let other = match kind {
            Kind::Matched => return None,
            Kind::New => self.target.clone(),
            Kind::Alone => TableWithJoins { relation: self.source.clone(), joins: Vec::new() },
        };
        let one = vec![SelectItem::UnnamedExpr(number(1))];
        let subquery = Box::new(select(one, vec![other], Some(self.on.clone())));
        Some(Expr::Exists { subquery, negated: true })
    }

    /// A query that has all expressions, so that each parameter gets its type from one of them.
    pub(super) fn expressions(&self) -> Query {
        let mut parts = vec![self.part(Kind::Matched, vec![number(1)])];
        for clause in &self.clauses {
            let values = match &clause.action {
                Action::Update(values) | Action::Insert(values) => values.iter().flatten().cloned().collect(),
                Action::Delete | Action::Nothing => Vec::new(),
            };
            let exprs: Vec<Expr> = clause.condition.clone().into_iter().chain(values).collect();
            parts.push(self.part(clause.kind, if exprs.is_empty() { vec![number(1)] } else { exprs }));
        }
        let from = parts.into_iter().enumerate().map(|(at, (query, width))| {
            let relation = derived(query, &format!("lakegate:part{at}"), width);
            TableWithJoins { relation, joins: Vec::new() }
        });
        select(vec![SelectItem::UnnamedExpr(number(1))], from.collect(), None)
    }

    fn part(&self, kind: Kind, exprs: Vec<Expr>) -> (Query, usize) {
        let width = exprs.len();
        let items = exprs.into_iter().map(SelectItem::UnnamedExpr).collect();
        (select(items, vec![self.from(kind)], None), width)
    }

    /// The action of the first clause of a kind that holds.
    fn first(&self, kind: Kind, value: impl Fn(&Clause) -> Expr, other: Expr) -> Expr {
        let always = || Expr::value(Value::Boolean(true));
        let conditions: Vec<CaseWhen> = self
            .of(kind)
            .map(|clause| CaseWhen {
                condition: clause.condition.clone().unwrap_or_else(always),
                result: value(clause),
            })
            .collect();
        if conditions.is_empty() {
            return other;
        }
        Expr::Case {
            case_token: AttachedToken::empty(),
            end_token: AttachedToken::empty(),
            operand: None,
            conditions,
            else_result: Some(Box::new(other)),
        }
    }

    /// The columns that clauses give values, by their places.
    fn assigned(&self, kinds: &[Kind]) -> Vec<usize> {
        let clauses = || self.clauses.iter().filter(|clause| kinds.contains(&clause.kind));
        let width = clauses().map(|clause| match &clause.action {
            Action::Update(values) | Action::Insert(values) => values.len(),
            Action::Delete | Action::Nothing => 0,
        });
        (0..width.max().unwrap_or(0)).filter(|at| clauses().any(|clause| clause.action.value(*at).is_some())).collect()
    }

    /// Rows of the table: their numbers, what becomes of them, and the values that they get. `None` if no clause does anything.
    fn acted(&self, columns: &[Column]) -> Option<(Query, usize)> {
        let assigned = self.assigned(&[Kind::Matched, Kind::Alone]);
        let does = |kind| self.of(kind).any(|clause| clause.action.mark() != mark::STAYS);
        let mut branches = [Kind::Matched, Kind::Alone].into_iter().filter(|kind| does(*kind)).map(|kind| {
            let mark = self.first(kind, |clause| number(clause.action.mark()), number(mark::STAYS));
            let value = |at: &usize| {
                let name = columns.get(*at).map_or("", Column::name);
                let old = || Expr::CompoundIdentifier(vec![self.name.clone(), quoted(name)]);
                self.first(kind, |clause| clause.action.value(*at).cloned().unwrap_or_else(old), old())
            };
            let items = [file_of(&self.name), row_of(&self.name), mark].into_iter().chain(assigned.iter().map(value));
            let items = items.map(SelectItem::UnnamedExpr).collect();
            select(items, vec![self.from(kind)], self.asked(kind))
        });
        let mut query = branches.next()?;
        if let Some(other) = branches.next() {
            let (op, set_quantifier) = (SetOperator::Union, SetQuantifier::All);
            let (left, right) = (query.body.clone(), other.body);
            *query.body = SetExpr::SetOperation { op, set_quantifier, left, right };
        }
        Some((query, 3 + assigned.len()))
    }

    /// Those of them with which something is done.
    fn done(&self, items: Vec<Expr>, (acted, width): (Query, usize)) -> Query {
        let relation = derived(acted, ACTIONS, width);
        let is_done = Expr::BinaryOp {
            left: Box::new(action_column(2)),
            op: BinaryOperator::NotEq,
            right: Box::new(number(mark::STAYS)),
        };
        let items = items.into_iter().map(SelectItem::UnnamedExpr).collect();
        select(items, vec![TableWithJoins { relation, joins: Vec::new() }], Some(is_done))
    }

    /// The files with rows that are changed or deleted.
    pub(super) fn touched(&self, columns: &[Column]) -> Option<Query> {
        let acted = self.acted(columns)?;
        Some(grouped(self.done(vec![action_column(0)], acted), action_column(0)))
    }

    /// All rows of some files: their marks and their columns.
    pub(super) fn replacement(&self, columns: &[Column], files: &[i64], whole: TableWithJoins) -> Option<Query> {
        let (acted, width) = self.acted(columns)?;
        let assigned = self.assigned(&[Kind::Matched, Kind::Alone]);
        let again = rewrite::number_within(vec![action_column(0), action_column(1)]);
        let items = (0..width).map(action_column).chain([again]).collect();
        let from = beside(whole, (self.done(items, (acted, width)), width + 1), None);
        let is_again =
            Expr::BinaryOp { left: Box::new(match_column(width)), op: BinaryOperator::Gt, right: Box::new(number(1)) };
        let mark = chosen(is_again, number(mark::AGAIN), match_column(2));
        let values = columns.iter().enumerate().map(|(at, column)| {
            let old = Expr::CompoundIdentifier(vec![quoted(WHOLE), quoted(column.name())]);
            match assigned.iter().position(|assigned| *assigned == at) {
                Some(place) => chosen(equal(match_column(2), number(mark::CHANGED)), match_column(3 + place), old),
                None => old,
            }
        });
        let items = std::iter::once(mark).chain(values).map(SelectItem::UnnamedExpr).collect();
        Some(select(items, vec![from], Some(is_of(file_of(&quoted(WHOLE)), files))))
    }

    /// The rows that are new, with every column of the table.
    pub(super) fn new_rows(&self, columns: &[Column]) -> Option<Query> {
        if !self.of(Kind::New).any(|clause| clause.action.mark() != mark::STAYS) {
            return None;
        }
        let null = || Expr::value(Value::Null);
        let assigned = self.assigned(&[Kind::New]);
        let mark = self.first(Kind::New, |clause| number(clause.action.mark()), number(mark::STAYS));
        let value = |at: usize| match assigned.contains(&at) {
            true => self.first(Kind::New, |clause| clause.action.value(at).cloned().unwrap_or_else(null), null()),
            false => null(),
        };
        let items = [number(0), number(0), mark].into_iter().chain((0..columns.len()).map(value));
        let items = items.map(SelectItem::UnnamedExpr).collect();
        let rows = select(items, vec![self.from(Kind::New)], self.asked(Kind::New));
        let width = 3 + columns.len();
        Some(self.done((3..width).map(action_column).collect(), (rows, width)))
    }
}

fn derived(query: Query, name: &str, width: usize) -> TableFactor {
    let columns = (0..width).map(|at| TableAliasColumnDef { name: quoted(&format!("a{at}")), data_type: None });
    let alias = TableAlias { explicit: true, name: quoted(name), columns: columns.collect(), at: None };
    TableFactor::Derived { lateral: false, subquery: Box::new(query), alias: Some(alias), sample: None }
}

fn action_column(at: usize) -> Expr {
    Expr::CompoundIdentifier(vec![quoted(ACTIONS), quoted(&format!("a{at}"))])
}
