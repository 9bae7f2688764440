//! `locf(...)` and `interpolate(...)` in the select list and in window functions: columns of the node that fills gaps.
//!
//! Owns: which columns it has for them, and what stands where the calls stood. Must never know: how values are found.

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, Result, plan_err};
use datafusion::logical_expr::expr::{Alias, ScalarFunction};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{Expr, ExprSchemable, cast, when};
use datafusion::scalar::ScalarValue;
use udfs::time::{interpolate, locf};

use super::node::Fill;
use super::unsupported;

/// The calls, each once.
#[derive(Default)]
pub(super) struct Markers {
    calls: Vec<Marker>,
}

struct Marker {
    call: Expr,
    value: Expr,
    fill: Fill,
    /// What a series that begins with a gap has there.
    before: Option<Expr>,
}

/// The call of an expression that is one.
pub(super) fn marker(expr: &Expr) -> Option<&ScalarFunction> {
    match expr {
        Expr::ScalarFunction(call) if matches!(call.func.name(), locf::NAME | interpolate::NAME) => Some(call),
        _ => None,
    }
}

impl Markers {
    /// Takes note of the calls in some expressions.
    pub(super) fn find(&mut self, exprs: &[Expr]) -> Result<()> {
        for expr in exprs {
            expr.apply(|expr| {
                if let Some(call) = marker(expr)
                    && !self.calls.iter().any(|known| known.call == *expr)
                {
                    let marker = Marker::of(expr, call, self.calls.len())?;
                    self.calls.push(marker);
                }
                Ok(TreeNodeRecursion::Continue)
            })?;
        }
        Ok(())
    }

    /// Gives what stands before a series the type of what it stands for. The columns are those below window functions.
    pub(super) fn settle(&mut self, schema: &DFSchema) -> Result<()> {
        for marker in &mut self.calls {
            if !marker.value.column_refs().into_iter().all(|column| schema.has_column(column)) {
                let name = match &marker.fill {
                    Fill::Carried { .. } => locf::NAME,
                    Fill::Interpolated => interpolate::NAME,
                };
                return Err(unsupported(format!("window functions must not be below {name}")));
            }
            let of = marker.value.get_type(schema)?;
            marker.before = match marker.before.take() {
                Some(before) if before.get_type(schema)? != of => Some(cast(before, of)),
                before => before,
            };
        }
        Ok(())
    }

    /// What is computed below the node, by the names of its columns.
    pub(super) fn values(&self) -> impl Iterator<Item = Expr> {
        self.calls.iter().enumerate().map(|(at, marker)| marker.value.clone().alias(name(at)))
    }

    /// How each of them is filled.
    pub(super) fn fills(&self) -> Vec<(Expr, Fill)> {
        self.calls.iter().enumerate().map(|(at, marker)| (column(at), marker.fill.clone())).collect()
    }

    /// The expression with columns of the node instead of the calls, under the name that it had.
    pub(super) fn replaced(&self, expr: Expr) -> Result<Expr> {
        let name = NamePreserver::new_for_projection().save(&expr);
        let replaced = expr.transform_down(|expr| {
            let Some(at) = self.calls.iter().position(|known| known.call == expr) else {
                return Ok(Transformed::no(expr));
            };
            self.instead(at).map(Transformed::yes)
        })?;
        Ok(if replaced.transformed { name.restore(replaced.data) } else { replaced.data })
    }

    fn instead(&self, at: usize) -> Result<Expr> {
        match self.calls.get(at) {
            Some(Marker { fill: Fill::Carried { first: Some(first), .. }, before: Some(before), .. }) => {
                when(Expr::Column(Column::new_unqualified(first)), before.clone()).otherwise(column(at))
            }
            _ => Ok(column(at)),
        }
    }
}

impl Marker {
    fn of(expr: &Expr, call: &ScalarFunction, at: usize) -> Result<Self> {
        if call.args.iter().any(|arg| arg.exists(|expr| Ok(marker(expr).is_some())).unwrap_or(true)) {
            let message = "multiple interpolate/locf function calls per resultset column not supported";
            return Err(unsupported(message));
        }
        let given = |at: usize| call.args.get(at).filter(|arg| !is_null(arg));
        let Some(value) = call.args.first().cloned() else {
            return plan_err!("{} has a value", call.func.name());
        };
        if call.func.name() == interpolate::NAME {
            if given(1).is_some() || given(2).is_some() {
                return Err(unsupported("interpolate with prev or next is not supported"));
            }
            return Ok(Self { call: expr.clone(), value, fill: Fill::Interpolated, before: None });
        }
        let skips_nulls = match call.args.get(2).map(literal) {
            None => false,
            Some(Some(ScalarValue::Boolean(skips))) => skips.unwrap_or(false),
            Some(Some(ScalarValue::Null)) => false,
            Some(_) => return Err(unsupported("invalid locf argument: treat_null_as_missing must be a BOOL literal")),
        };
        let before = given(1).cloned();
        let first = before.as_ref().map(|_| format!("{}_first", name(at)));
        Ok(Self { call: expr.clone(), value, fill: Fill::Carried { skips_nulls, first }, before })
    }
}

/// A name that no column of a query has.
fn name(at: usize) -> String {
    format!("__gapfill_{at}")
}

fn column(at: usize) -> Expr {
    Expr::Column(Column::new_unqualified(name(at)))
}

fn literal(expr: &Expr) -> Option<ScalarValue> {
    match expr {
        Expr::Literal(value, _) => Some(value.clone()),
        Expr::Cast(cast) => literal(&cast.expr)?.cast_to(cast.field.data_type()).ok(),
        Expr::Alias(Alias { expr, .. }) => literal(expr),
        _ => None,
    }
}

fn is_null(expr: &Expr) -> bool {
    literal(expr).is_some_and(|value| value.is_null())
}
