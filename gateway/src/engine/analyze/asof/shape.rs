//! Which subqueries are as-of joins, taken apart.
//!
//! Owns: the shape, and that what is not of it is left to `Apply`, which is slower and always right. Must never know: how
//! either runs.

use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::compute::SortOptions;
use arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, DFSchema, DFSchemaRef, Result};
use datafusion::logical_expr::expr::{Between, Cast, Sort as SortExpr};
use datafusion::logical_expr::utils::{conjunction, split_conjunction};
use datafusion::logical_expr::{
    BinaryExpr, Expr, ExprSchemable, FetchType, Filter, Limit, LogicalPlan, LogicalPlanBuilder, Operator, SkipType, lit,
};
use udfs::pg_type;

use super::super::apply::Inner;
use super::super::correlated::inner;
use super::super::native::Subqueries as _;
use super::super::outer::{Key, references};
use super::own;

/// A subquery that is an as-of join.
pub(super) struct Shape {
    /// What it shows, in terms of the row that is found and of the outer row.
    pub(super) shown: Vec<Expr>,
    /// The rows to choose from: the columns that are needed of the one that is found, then the keys, the time, and what
    /// decides between equal times.
    pub(super) right: Inner,
    pub(super) right_args: Vec<Expr>,
    /// How many columns are needed of the row that is found; the last tells that there is one.
    pub(super) needed: usize,
    /// Of the outer row, in the order of the keys.
    pub(super) keys: Vec<Expr>,
    /// Of the outer row; without it every row of the same keys is early enough.
    pub(super) time: Option<Expr>,
    /// Whether a row of the same time is none.
    pub(super) is_strict: bool,
    /// The earliest time that is not too long ago, and whether that is too long ago itself.
    pub(super) within: Option<(Expr, bool)>,
    /// In which order the time, and what decides between equal ones, lead to the row.
    pub(super) order: Vec<SortOptions>,
    /// The subquery for one row of the left, with the needed columns.
    pub(super) asked: Inner,
    pub(super) asked_args: Vec<Expr>,
}

/// The parts of a subquery `[SELECT of] (LIMIT 1 of ORDER BY of [SELECT of] WHERE)`.
struct Parts<'a> {
    shown: Vec<Expr>,
    order: Vec<SortExpr>,
    filter: &'a Filter,
}

/// The shape of a subquery, of which the outer columns are those of `outer`.
pub(super) fn of(plan: &LogicalPlan, outer: &DFSchemaRef) -> Result<Option<Shape>> {
    let Some(Parts { shown, order, filter }) = parts(plan)? else { return Ok(None) };
    let schema = filter.input.schema();
    if references(&filter.input)?.iter().any(|(key, _)| !matches!(key, Key::Parameter(_))) {
        return Ok(None);
    }
    let Some(found) = Conditions::of(&filter.predicate, &order, (schema, outer))? else { return Ok(None) };
    let Some(first) = order.first() else { return Ok(None) };
    let mut needed: Vec<Column> = Vec::new();
    for column in shown.iter().flat_map(Expr::column_refs) {
        if !needed.contains(column) {
            needed.push(column.clone());
        }
    }
    let names = Names::new();
    let mut columns: Vec<Expr> =
        needed.iter().enumerate().map(|(at, column)| Expr::Column(column.clone()).alias(names.of(at))).collect();
    columns.push(lit(true).alias(names.of(needed.len())));
    let count = columns.len();

    // The row that LIMIT 1 leaves is the last in the opposite order.
    let time = found.time.as_ref().map_or(&first.expr, |(inner, _)| inner);
    let ties = order.iter().skip(1).map(|sort| &sort.expr);
    let sorted = found.keys.iter().map(|(inner, _)| inner).chain([time]).chain(ties);
    let sorted: Vec<Expr> = sorted.enumerate().map(|(at, expr)| expr.clone().alias(names.of(count + at))).collect();
    let opposite = |sort: &SortExpr| SortOptions { descending: sort.asc, nulls_first: !sort.nulls_first };
    let options = order.iter().map(opposite).collect();

    // What is unknown equals nothing and is before nothing. Without a bound it is in the order like any other.
    let known = found.keys.iter().chain(&found.time).map(|(inner, _)| inner.clone().is_not_null());
    let right = LogicalPlanBuilder::from(filter.input.as_ref().clone());
    let right = match conjunction(found.inner.iter().cloned().chain(known)) {
        Some(condition) => right.filter(condition)?,
        None => right,
    };
    let (right, right_args) = inner(right.project(columns.iter().cloned().chain(sorted))?.build()?, outer)?;
    let asked = LogicalPlanBuilder::from(LogicalPlan::Filter(filter.clone())).sort(order)?.limit(0, Some(1))?;
    let (asked, asked_args) = inner(asked.project(columns)?.build()?, outer)?;
    let shown = shown.into_iter().map(|expr| renamed(expr, &needed, &names)).collect::<Result<_>>()?;
    Ok(Some(Shape {
        shown,
        right,
        right_args,
        needed: count,
        keys: found.keys.into_iter().map(|(_, outer)| outer).collect(),
        time: found.time.map(|(_, outer)| outer),
        is_strict: found.is_strict,
        within: found.within,
        order: options,
        asked,
        asked_args,
    }))
}

/// Names that no other column of any plan has, whatever it is nested in: conditions on others can be told apart by name.
struct Names(usize);

impl Names {
    fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        Self(COUNT.fetch_add(1, Ordering::Relaxed))
    }

    fn of(&self, at: usize) -> String {
        format!("__asof_{}_{at}", self.0)
    }
}

fn renamed(expr: Expr, needed: &[Column], names: &Names) -> Result<Expr> {
    let renamed = expr.transform_up(|expr| match &expr {
        Expr::Column(column) => Ok(match needed.iter().position(|known| known == column) {
            Some(at) => Transformed::yes(Expr::Column(Column::new_unqualified(names.of(at)))),
            None => Transformed::no(expr),
        }),
        _ => Ok(Transformed::no(expr)),
    })?;
    Ok(renamed.data)
}

/// Takes a subquery apart, with what stands above its WHERE in terms of what is below.
fn parts(plan: &LogicalPlan) -> Result<Option<Parts<'_>>> {
    let mut shown: Vec<Expr> = plan.schema().columns().into_iter().map(Expr::Column).collect();
    let mut order: Option<Vec<SortExpr>> = None;
    let (mut is_limited, mut node) = (false, plan);
    loop {
        let input = match node {
            LogicalPlan::Projection(projection) => {
                if projection.expr.iter().any(|expr| expr.is_volatile() || expr.exists_subquery().unwrap_or(true)) {
                    return Ok(None);
                }
                &projection.input
            }
            LogicalPlan::SubqueryAlias(alias) => &alias.input,
            LogicalPlan::Limit(limit) if !is_limited && order.is_none() && is_one(limit) => {
                is_limited = true;
                &limit.input
            }
            LogicalPlan::Sort(sort) if is_limited && order.is_none() && sort.fetch.is_none() => {
                order = Some(sort.expr.clone());
                &sort.input
            }
            LogicalPlan::Filter(filter) => {
                return Ok(order.map(|order| Parts { shown, order, filter }));
            }
            _ => return Ok(None),
        };
        shown = shown.into_iter().map(|expr| below(expr, node)).collect::<Result<_>>()?;
        if !matches!(node, LogicalPlan::Sort(_)) {
            for sort in order.iter_mut().flatten() {
                sort.expr = below(sort.expr.clone(), node)?;
            }
        }
        node = input;
    }
}

/// Whether a limit is `LIMIT 1`.
fn is_one(limit: &Limit) -> bool {
    matches!(limit.get_skip_type(), Ok(SkipType::Literal(0)))
        && matches!(limit.get_fetch_type(), Ok(FetchType::Literal(Some(1))))
}

/// An expression over a node in terms of the node's input.
fn below(expr: Expr, node: &LogicalPlan) -> Result<Expr> {
    let replaced = expr.transform_up(|expr| {
        let Expr::Column(column) = &expr else { return Ok(Transformed::no(expr)) };
        Ok(match node {
            LogicalPlan::Projection(projection) => {
                let at = projection.schema.index_of_column(column)?;
                projection.expr.get(at).map_or(Transformed::no(expr), |of| Transformed::yes(of.clone().unalias()))
            }
            LogicalPlan::SubqueryAlias(alias) => {
                let at = alias.schema.index_of_column(column)?;
                Transformed::yes(Expr::Column(Column::from(alias.input.schema().qualified_field(at))))
            }
            _ => Transformed::no(expr),
        })
    })?;
    Ok(replaced.data)
}

/// The conditions of WHERE.
#[derive(Default)]
struct Conditions {
    /// Of the rows to choose from alone.
    inner: Vec<Expr>,
    /// What must be equal inside and outside.
    keys: Vec<(Expr, Expr)>,
    time: Option<(Expr, Expr)>,
    is_strict: bool,
    within: Option<(Expr, bool)>,
}

impl Conditions {
    /// `None` if one of them is of no kind that an as-of join has.
    fn of(predicate: &Expr, order: &[SortExpr], sides: (&DFSchema, &DFSchema)) -> Result<Option<Self>> {
        let mut found = Self::default();
        let Some(first) = order.first() else { return Ok(None) };
        let is_late = |sort: &SortExpr| sort.expr.contains_outer() || sort.expr.is_volatile();
        if order.iter().any(is_late) || !is_sortable(&first.expr, sides.0) {
            return Ok(None);
        }
        for part in split_conjunction(predicate) {
            let is_taken = match part {
                _ if part.is_volatile() || part.exists_subquery()? => false,
                _ if !part.contains_outer() => {
                    found.inner.push(part.clone());
                    true
                }
                Expr::Between(Between { expr, negated: false, low, high }) => {
                    found.compared(Operator::GtEq, (expr, low), first, sides)?
                        && found.compared(Operator::LtEq, (expr, high), first, sides)?
                }
                Expr::BinaryExpr(BinaryExpr { left, op, right }) => match (left.contains_outer(), op.swap()) {
                    (false, _) => found.compared(*op, (left, right), first, sides)?,
                    (true, Some(swapped)) => found.compared(swapped, (right, left), first, sides)?,
                    (true, None) => false,
                },
                _ => false,
            };
            if !is_taken {
                return Ok(None);
            }
        }
        let is_whole = match (&found.time, &found.within) {
            (Some((_, time)), Some((limit, _))) => time.get_type(sides.1)? == limit.get_type(sides.1)?,
            (Some(_), None) => true,
            // A row that is too long ago is told by the time; without keys there is one row for all.
            (None, Some(_)) => false,
            (None, None) => !found.keys.is_empty(),
        };
        Ok(is_whole.then_some(found))
    }

    /// Takes `inner op outer`, if it is a key or a bound.
    fn compared(
        &mut self,
        op: Operator,
        (inner, outer): (&Expr, &Expr),
        first: &SortExpr,
        (schema, of_outer): (&DFSchema, &DFSchema),
    ) -> Result<bool> {
        if inner.contains_outer() || !outer.column_refs().is_empty() || inner.column_refs().is_empty() {
            return Ok(false);
        }
        let outer = own(outer.clone(), of_outer)?;
        if outer.contains_outer() || !is_sortable(inner, schema) || !is_sortable(&outer, of_outer) {
            return Ok(false);
        }
        if inner.get_type(schema)? != outer.get_type(of_outer)? {
            return Ok(false);
        }
        let is_bound = |op: Operator| {
            matches!((op, first.asc), (Operator::Lt | Operator::LtEq, false) | (Operator::Gt | Operator::GtEq, true))
        };
        match op {
            Operator::Eq => self.keys.push((inner.clone(), outer)),
            Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq if is_of(inner, &first.expr, schema) => {
                let is_strict = matches!(op, Operator::Lt | Operator::Gt);
                if is_bound(op) && self.time.is_none() {
                    self.time = Some((inner.clone(), outer));
                    self.is_strict = is_strict;
                } else if !is_bound(op) && self.within.is_none() {
                    self.within = Some((outer, is_strict));
                } else {
                    return Ok(false);
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// Whether values of an expression are equal, and ordered, as their bytes in sorted form are. Floating-point numbers are
/// not, with their two zeros, nor is what only stands for another type.
fn is_sortable(expr: &Expr, schema: &DFSchema) -> bool {
    let Ok((_, field)) = expr.to_field(schema) else { return false };
    let of = field.data_type();
    let is_plain = of.is_integer()
        || matches!(
            of,
            DataType::Boolean
                | DataType::Date32
                | DataType::Timestamp(..)
                | DataType::Utf8
                | DataType::LargeUtf8
                | DataType::Utf8View
                | DataType::Decimal128(..)
        );
    is_plain && pg_type::tag(&field).is_none()
}

/// Whether a bound is on what rows are sorted by, or on a cast of it that keeps what is before what.
fn is_of(bound: &Expr, sorted: &Expr, schema: &DFSchema) -> bool {
    if bound == sorted {
        return true;
    }
    let Expr::Cast(Cast { expr, field }) = bound else { return false };
    let is_wider = match (expr.get_type(schema).ok(), field.data_type()) {
        (Some(DataType::Date32), DataType::Timestamp(_, None)) => true,
        (Some(from), to) => from.is_integer() && to.is_integer() && from.primitive_width() <= to.primitive_width(),
        (None, _) => false,
    };
    is_wider && expr.as_ref() == sorted
}
