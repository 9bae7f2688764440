//! Gives every subquery a plan that can run: the planner's own join where it is right, `Apply` elsewhere.
//!
//! Owns: which node of a plan carries which subquery. A subquery that neither can run is 0A000, never NULL.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchemaRef, DataFusionError, Result, ScalarValue};
use datafusion::logical_expr::expr::{Case, Exists, InSubquery, SetComparison, SetQuantifier};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{
    Aggregate, Expr, Extension, Filter, Join, JoinType, LogicalPlan, LogicalPlanBuilder, Operator, Projection, Sort,
    Subquery, SubqueryAlias, Window, when,
};
use datafusion::optimizer::AnalyzerRule;

use super::apply::{Apply, Inner, Meaning};
use super::arithmetic::checked_in;
use super::asof;
use super::join_conditions;
use super::native::{self, Subqueries as _};
use super::outer::{Key, is_bound, outer_columns, references};
use super::single_row::SingleRow;
use crate::error::Error;

#[derive(Debug)]
pub(super) struct Subqueries;

impl AnalyzerRule for Subqueries {
    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        rewrite(plan)
    }

    fn name(&self) -> &'static str {
        "subqueries"
    }
}

/// The innermost queries first: what is left of them then are their references to outer columns.
fn rewrite(plan: LogicalPlan) -> Result<LogicalPlan> {
    let plan = plan.map_children(|child| rewrite(child).map(Transformed::yes))?.data;
    // A subquery's value may be NULL where it was thought not to be.
    let plan = plan.map_expressions(rewrite_inner)?.data.recompute_schema()?;
    if let LogicalPlan::Join(join) = &plan
        && let Some(lateral) = lateral(join)?
    {
        return Ok(lateral);
    }
    let mut found = false;
    plan.apply_expressions(|expr| {
        found = found || expr.exists_subquery()?;
        Ok(TreeNodeRecursion::Continue)
    })?;
    if found { node(plan) } else { Ok(plan) }
}

/// Rewrites the plans of the subqueries in an expression.
fn rewrite_inner(expr: Expr) -> Result<Transformed<Expr>> {
    expr.transform_up(|expr| {
        let inner = |subquery: Subquery| {
            let plan = rewrite(subquery.subquery.as_ref().clone())?;
            Ok::<_, DataFusionError>(Subquery {
                outer_ref_columns: outer_columns(&plan)?,
                subquery: Arc::new(plan),
                spans: subquery.spans,
            })
        };
        Ok(match expr {
            Expr::ScalarSubquery(subquery) => Transformed::yes(Expr::ScalarSubquery(inner(subquery)?)),
            Expr::Exists(Exists { subquery, negated }) => {
                Transformed::yes(Expr::Exists(Exists { subquery: inner(subquery)?, negated }))
            }
            Expr::InSubquery(InSubquery { expr, subquery, negated }) => {
                Transformed::yes(Expr::InSubquery(InSubquery { expr, subquery: inner(subquery)?, negated }))
            }
            Expr::SetComparison(mut comparison) => {
                comparison.subquery = inner(comparison.subquery)?;
                Transformed::yes(Expr::SetComparison(comparison))
            }
            other => Transformed::no(other),
        })
    })
}

/// Rewrites a node whose own expressions have subqueries.
fn node(plan: LogicalPlan) -> Result<LogicalPlan> {
    match plan {
        LogicalPlan::Filter(filter) => filtered(filter),
        LogicalPlan::Projection(projection) => {
            let names = NamePreserver::new_for_projection();
            let mut input = Applied::new(projection.input.as_ref().clone());
            let exprs = input.exprs(projection.expr, &names, Allowed::Scalars)?;
            Ok(LogicalPlan::Projection(Projection::try_new(exprs, Arc::new(input.plan))?))
        }
        LogicalPlan::Sort(sort) => {
            let schema = Arc::clone(sort.input.schema());
            let mut input = Applied::new(sort.input.as_ref().clone());
            let mut keys = sort.expr;
            for key in &mut keys {
                key.expr = input.expr(key.expr.clone(), Allowed::Nothing)?;
            }
            only(LogicalPlan::Sort(Sort { expr: keys, input: Arc::new(input.plan), fetch: sort.fetch }), &schema)
        }
        LogicalPlan::Aggregate(aggregate) => {
            let names = NamePreserver::new_for_projection();
            let mut input = Applied::new(aggregate.input.as_ref().clone());
            let group = input.exprs(aggregate.group_expr, &names, Allowed::Nothing)?;
            let aggr = input.exprs(aggregate.aggr_expr, &names, Allowed::Nothing)?;
            Ok(LogicalPlan::Aggregate(Aggregate::try_new(Arc::new(input.plan), group, aggr)?))
        }
        LogicalPlan::Window(window) => {
            let names = NamePreserver::new_for_projection();
            let schema = Arc::clone(&window.schema);
            let mut input = Applied::new(window.input.as_ref().clone());
            let exprs = input.exprs(window.window_expr, &names, Allowed::Nothing)?;
            only(LogicalPlan::Window(Window::try_new(exprs, Arc::new(input.plan))?), &schema)
        }
        LogicalPlan::Join(join) if join.join_type == JoinType::Inner => join_conditions::inner(join),
        LogicalPlan::Join(join) => join_conditions::outer(join),
        other => {
            // What is left are places where the planner itself runs uncorrelated scalar subqueries.
            let place = format!("{}", other.display());
            let mut nowhere = Nowhere { place };
            Ok(other.map_expressions(|expr| nowhere.expr(expr))?.data)
        }
    }
}

pub(super) fn filtered(filter: Filter) -> Result<LogicalPlan> {
    let schema = Arc::clone(filter.input.schema());
    let mut input = Applied::new(filter.input.as_ref().clone());
    let mut own = Vec::new();
    let mut asked = Vec::new();
    for conjunct in split_conjunction_owned(filter.predicate) {
        if native::conjunct(&conjunct, &schema)? {
            own.push(conjunct);
        } else {
            asked.push(conjunct);
        }
    }
    // What needs no answer comes first, so that fewer rows ask.
    let (plain, asked): (Vec<Expr>, Vec<Expr>) =
        asked.into_iter().partition(|expr| !expr.exists_subquery().unwrap_or(true));
    own.extend(plain);
    if let Some(predicate) = conjunction(own) {
        input.plan = LogicalPlan::Filter(Filter::try_new(predicate, Arc::new(input.plan))?);
    }
    let asked = asked.into_iter().map(|expr| input.expr(expr, Allowed::Scalars)).collect::<Result<Vec<Expr>>>()?;
    match conjunction(asked) {
        Some(predicate) => only(LogicalPlan::Filter(Filter::try_new(predicate, Arc::new(input.plan))?), &schema),
        None => Ok(input.plan),
    }
}

/// LATERAL items are joins whose right side has outer references to the left.
fn lateral(join: &Join) -> Result<Option<LogicalPlan>> {
    let (subquery, alias) = match join.right.as_ref() {
        LogicalPlan::Subquery(subquery) => (subquery, None),
        LogicalPlan::SubqueryAlias(SubqueryAlias { input, alias, .. }) => match input.as_ref() {
            LogicalPlan::Subquery(subquery) => (subquery, Some(alias.clone())),
            _ => return Ok(None),
        },
        _ => return Ok(None),
    };
    let keep = match join.join_type {
        JoinType::Inner => false,
        JoinType::Left => true,
        other => return Err(unsupported(&format!("LATERAL on the right of a {other} join"))),
    };
    let mut plan = subquery.subquery.as_ref().clone();
    if let Some(alias) = alias {
        plan = LogicalPlan::SubqueryAlias(SubqueryAlias::try_new(Arc::new(plan), alias)?);
    }
    let is_always = join.on.is_empty()
        && join
            .filter
            .as_ref()
            .is_none_or(|filter| matches!(filter, Expr::Literal(ScalarValue::Boolean(Some(true)), _)));
    if is_always && let Some(joined) = asof::joined(&join.left, &plan, keep)? {
        return Ok(Some(joined));
    }
    // The condition looks at both sides: inside the subquery the left side is what is outside.
    let equalities = join.on.iter().map(|(left, right)| left.clone().eq(right.clone()));
    if let Some(condition) = conjunction(equalities.chain(join.filter.clone())) {
        let left = Arc::clone(join.left.schema());
        let condition = condition
            .transform_up(|expr| match &expr {
                Expr::Column(column) if left.has_column(column) => {
                    let field = Arc::clone(left.qualified_field_from_column(column)?.1);
                    Ok(Transformed::yes(Expr::OuterReferenceColumn(field, column.clone())))
                }
                _ => Ok(Transformed::no(expr)),
            })?
            .data;
        plan = rewrite(LogicalPlan::Filter(Filter::try_new(condition, Arc::new(plan))?))?;
    }
    let input = join.left.as_ref().clone();
    let (inner, args) = inner(plan, input.schema())?;
    let apply = Apply::rows(input, inner, keep, args)?;
    Ok(Some(LogicalPlan::Extension(Extension { node: Arc::new(apply) })))
}

/// The subquery with what it takes from outside, and the expressions that give it.
pub(super) fn inner(plan: LogicalPlan, input: &DFSchemaRef) -> Result<(Inner, Vec<Expr>)> {
    let plan = checked_in(plan)?;
    let mut keys = Vec::new();
    let mut args = Vec::new();
    for (key, expr) in references(&plan)? {
        args.push(match &key {
            Key::Column(column) if is_bound(&key, input) => Expr::Column(column.clone()),
            // From further outside: the query around this one gives it in turn.
            _ => expr,
        });
        keys.push(key);
    }
    Ok((Inner { plan: Arc::new(plan), keys }, args))
}

/// Which subqueries the planner's optimizer handles in a node.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Allowed {
    /// Correlated aggregates become left joins.
    Scalars,
    Nothing,
}

/// A plan that collects the answers to subqueries beside its columns.
pub(super) struct Applied {
    pub(super) plan: LogicalPlan,
    schema: DFSchemaRef,
    /// What must hold for the value of the expression at hand to matter: the conditions of CASE around it.
    conditions: Vec<Expr>,
}

impl Applied {
    pub(super) fn new(plan: LogicalPlan) -> Self {
        let schema = Arc::clone(plan.schema());
        Self { plan, schema, conditions: Vec::new() }
    }

    fn exprs(&mut self, exprs: Vec<Expr>, names: &NamePreserver, allowed: Allowed) -> Result<Vec<Expr>> {
        let rewritten = exprs.into_iter().map(|expr| {
            let name = names.save(&expr);
            Ok(name.restore(self.expr(expr, allowed)?))
        });
        rewritten.collect()
    }

    /// The expression with columns of the plan in place of its subqueries.
    pub(super) fn expr(&mut self, expr: Expr, allowed: Allowed) -> Result<Expr> {
        let expr = expr.transform_down(|expr| match expr {
            Expr::Case(case) => {
                let case = Expr::Case(self.case(case, allowed)?);
                Ok(Transformed::new(case, true, TreeNodeRecursion::Jump))
            }
            other => Ok(Transformed::no(other)),
        })?;
        let expr = expr.data;
        let rewritten = expr.transform_up(|expr| match expr {
            Expr::ScalarSubquery(subquery) => self.scalar(subquery, allowed).map(Transformed::yes),
            Expr::Exists(Exists { subquery, negated }) => {
                self.ask(subquery, Meaning::Exists { negated }, None).map(Transformed::yes)
            }
            Expr::InSubquery(InSubquery { expr, subquery, negated }) => {
                self.ask(subquery, Meaning::In { negated }, Some(*expr)).map(Transformed::yes)
            }
            Expr::SetComparison(SetComparison { expr, subquery, op, quantifier }) if is_comparison(op) => {
                let meaning = Meaning::Compare { op, all: quantifier == SetQuantifier::All };
                self.ask(subquery, meaning, Some(*expr)).map(Transformed::yes)
            }
            Expr::SetComparison(_) => Err(unsupported("this operator with ANY or ALL of a subquery")),
            other => Ok(Transformed::no(other)),
        })?;
        Ok(rewritten.data)
    }

    /// PostgreSQL evaluates a branch only where its condition holds, and asyncpg's introspection counts on that.
    fn case(&mut self, mut case: Case, allowed: Allowed) -> Result<Case> {
        if let Some(operand) = &mut case.expr {
            **operand = self.expr(operand.as_ref().clone(), allowed)?;
        }
        for (when, then) in &mut case.when_then_expr {
            let condition = match &case.expr {
                Some(operand) => operand.as_ref().clone().eq(when.as_ref().clone()),
                None => when.as_ref().clone(),
            };
            // A condition that asks itself has no answer yet where its branch asks.
            let known = !condition.exists_subquery()?;
            **when = self.expr(when.as_ref().clone(), allowed)?;
            if known {
                self.conditions.push(condition);
            }
            **then = self.expr(then.as_ref().clone(), allowed)?;
            if known {
                self.conditions.pop();
            }
        }
        if let Some(otherwise) = &mut case.else_expr {
            **otherwise = self.expr(otherwise.as_ref().clone(), allowed)?;
        }
        Ok(case)
    }

    fn scalar(&mut self, subquery: Subquery, allowed: Allowed) -> Result<Expr> {
        if subquery.outer_ref_columns.is_empty() {
            return Ok(Expr::ScalarSubquery(at_most_one_row(subquery)?));
        }
        if allowed == Allowed::Scalars && native::scalar(&subquery.subquery, &self.schema)? {
            return Ok(Expr::ScalarSubquery(subquery));
        }
        if self.conditions.is_empty() {
            let name = unique_name();
            if let Some(valued) = asof::valued(&self.plan, &subquery.subquery, &name)? {
                self.plan = valued;
                return Ok(Expr::Column(Column::new_unqualified(name)));
            }
        }
        self.ask(subquery, Meaning::Scalar, None)
    }

    fn ask(&mut self, subquery: Subquery, meaning: Meaning, sought: Option<Expr>) -> Result<Expr> {
        let plan = subquery.subquery.as_ref().clone();
        let (inner, mut args) = inner(plan, &self.schema)?;
        if let Some(condition) = conjunction(self.conditions.iter().cloned()) {
            // The rows whose answer does not matter ask one question together.
            let only = args.into_iter().map(|arg| when(condition.clone(), arg).end());
            args = only.collect::<Result<_>>()?;
        }
        args.extend(sought);
        let name = unique_name();
        let input = std::mem::take(&mut self.plan);
        let apply = Apply::expression(input, inner, meaning, args, &name)?;
        self.plan = LogicalPlan::Extension(Extension { node: Arc::new(apply) });
        Ok(Expr::Column(Column::new_unqualified(name)))
    }
}

fn is_comparison(op: Operator) -> bool {
    matches!(op, Operator::Eq | Operator::NotEq | Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq)
}

/// Names that no other answer in any plan has, whatever it is nested in.
fn unique_name() -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    format!("__answer_{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

/// The planner runs the subquery once; the check is ours, for its SQLSTATE.
fn at_most_one_row(subquery: Subquery) -> Result<Subquery> {
    let is_nullable = subquery.subquery.schema().fields().iter().all(|field| field.is_nullable());
    if is_nullable && subquery.subquery.max_rows().is_some_and(|rows| rows <= 1) {
        return Ok(subquery);
    }
    let checked = SingleRow::new(subquery.subquery.as_ref().clone())?;
    let checked = LogicalPlan::Extension(Extension { node: Arc::new(checked) });
    Ok(Subquery { subquery: Arc::new(checked), ..subquery })
}

/// A place that has no row to ask for.
struct Nowhere {
    place: String,
}

impl Nowhere {
    fn expr(&mut self, expr: Expr) -> Result<Transformed<Expr>> {
        expr.transform_up(|expr| match expr {
            Expr::ScalarSubquery(subquery) if subquery.outer_ref_columns.is_empty() => {
                Ok(Transformed::yes(Expr::ScalarSubquery(at_most_one_row(subquery)?)))
            }
            Expr::ScalarSubquery(_) | Expr::Exists(_) | Expr::InSubquery(_) | Expr::SetComparison(_) => {
                Err(unsupported(&format!("this subquery in {}", self.place.split(':').next().unwrap_or_default())))
            }
            other => Ok(Transformed::no(other)),
        })
    }
}

/// The plan with exactly these columns.
pub(super) fn only(plan: LogicalPlan, schema: &DFSchemaRef) -> Result<LogicalPlan> {
    if plan.schema().fields().len() == schema.fields().len() {
        return Ok(plan);
    }
    LogicalPlanBuilder::from(plan).project(schema.columns().into_iter().map(Expr::Column))?.build()
}

pub(super) fn unsupported(what: &str) -> DataFusionError {
    let error = Error::unsupported(format!("{what} is not supported")).hint("Write the subquery as a join.");
    DataFusionError::External(Box::new(error))
}
