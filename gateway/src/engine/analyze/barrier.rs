//! The plan node between the rows that a role sees and what it asks of them: no expression of a statement runs below it.
//!
//! Owns: which conditions may go below it all the same, so that files are pruned: those that can tell nothing of a row, since they
//! can neither fail nor be seen. PostgreSQL calls them leakproof. What is asked of a masked column stays above.  Nothing is known of how many rows are below, since a
//! statistic would be of hidden rows too. Must never know: a policy.
//! <https://www.postgresql.org/docs/16/rules-privileges.html>

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNodeRecursion};
use datafusion::common::{DFSchemaRef, Result, internal_err};
use datafusion::execution::TaskContext;
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{
    Between, BinaryExpr, Expr, Extension, Filter, LogicalPlan, Operator, UserDefinedLogicalNodeCore,
};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};
use datafusion::physical_plan::{
    ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, PhysicalExpr, PlanProperties,
    ReplaceChildrenOptions, SendableRecordBatchStream,
};

const ROWS: &str = "RowSecurityExec";
const COLUMNS: &str = "ColumnMaskExec";

/// The rows of a relation that its reader may see, with the values that it may.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::engine) struct Barrier {
    pub(in crate::engine) input: LogicalPlan,
    /// The relation, as EXPLAIN names it.
    pub(in crate::engine) relation: String,
    /// Whether some rows are hidden.
    pub(in crate::engine) hides_rows: bool,
    /// The columns whose values are.
    pub(in crate::engine) masked: Vec<String>,
}

/// Whether EXPLAIN shows nothing below an operator: the condition, the files and the rows there are those of hidden rows too.
pub(in crate::engine) fn hides(plan: &dyn ExecutionPlan) -> bool {
    matches!(plan.name(), ROWS | COLUMNS)
}

impl Barrier {
    pub(in crate::engine) fn plan(self) -> LogicalPlan {
        LogicalPlan::Extension(Extension { node: Arc::new(self) })
    }

    fn with_input(&self, input: LogicalPlan) -> Self {
        let Self { relation, hides_rows, masked, .. } = self;
        Self { input, relation: relation.clone(), hides_rows: *hides_rows, masked: masked.clone() }
    }

    /// Whether a condition names no column whose values are hidden.
    fn is_of_plain_values(&self, condition: &Expr) -> bool {
        !condition.column_refs().iter().any(|column| self.masked.contains(&column.name))
    }
}

impl PartialOrd for Barrier {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (self == other).then_some(Ordering::Equal)
    }
}

impl UserDefinedLogicalNodeCore for Barrier {
    fn name(&self) -> &'static str {
        "RowSecurity"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        self.input.schema()
    }

    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RowSecurity: {}", self.relation)
    }

    fn with_exprs_and_inputs(&self, _exprs: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        match inputs.pop() {
            Some(input) => Ok(self.with_input(input)),
            None => internal_err!("RowSecurity has one input"),
        }
    }

    fn necessary_children_exprs(&self, output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        Some(vec![output_columns.to_vec()])
    }
}

/// Puts the conditions below a barrier that tell nothing. DataFusion's own rules put none there.
#[derive(Debug)]
pub(super) struct Leakproof;

impl OptimizerRule for Leakproof {
    fn name(&self) -> &'static str {
        "leakproof"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::TopDown)
    }

    fn rewrite(&self, plan: LogicalPlan, _: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let LogicalPlan::Filter(filter) = &plan else { return Ok(Transformed::no(plan)) };
        let LogicalPlan::Extension(extension) = filter.input.as_ref() else { return Ok(Transformed::no(plan)) };
        let Some(barrier) = extension.node.as_any().downcast_ref::<Barrier>() else { return Ok(Transformed::no(plan)) };
        let conditions = split_conjunction_owned(filter.predicate.clone());
        let may_go = |condition: &Expr| is_leakproof(condition) && barrier.is_of_plain_values(condition);
        let (below, above): (Vec<Expr>, Vec<Expr>) = conditions.into_iter().partition(may_go);
        let Some(below) = conjunction(below) else { return Ok(Transformed::no(plan)) };
        let input = LogicalPlan::Filter(Filter::try_new(below, Arc::new(barrier.input.clone()))?);
        let barrier = barrier.with_input(input).plan();
        Ok(Transformed::yes(match conjunction(above) {
            Some(above) => LogicalPlan::Filter(Filter::try_new(above, Arc::new(barrier))?),
            None => barrier,
        }))
    }
}

/// Comparisons of columns and constants of one type, and what is made of them by logic.
fn is_leakproof(expr: &Expr) -> bool {
    match expr {
        Expr::Column(_) | Expr::Literal(..) => true,
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => match op {
            Operator::And | Operator::Or => is_leakproof(left) && is_leakproof(right),
            Operator::Eq
            | Operator::NotEq
            | Operator::Lt
            | Operator::LtEq
            | Operator::Gt
            | Operator::GtEq
            | Operator::IsDistinctFrom
            | Operator::IsNotDistinctFrom => is_value(left) && is_value(right),
            _ => false,
        },
        Expr::Not(inner)
        | Expr::IsTrue(inner)
        | Expr::IsFalse(inner)
        | Expr::IsUnknown(inner)
        | Expr::IsNotTrue(inner)
        | Expr::IsNotFalse(inner)
        | Expr::IsNotUnknown(inner)
        | Expr::IsNull(inner)
        | Expr::IsNotNull(inner) => is_leakproof(inner),
        Expr::Between(Between { expr, low, high, .. }) => is_value(expr) && is_value(low) && is_value(high),
        Expr::InList(list) => is_value(&list.expr) && list.list.iter().all(is_value),
        _ => false,
    }
}

fn is_value(expr: &Expr) -> bool {
    matches!(expr, Expr::Column(_) | Expr::Literal(..))
}

/// It lets every row pass.
#[derive(Debug)]
pub(super) struct RowSecurityExec {
    input: Arc<dyn ExecutionPlan>,
    name: &'static str,
    /// The relation, and what is hidden of it.
    shown: String,
}

impl RowSecurityExec {
    pub(super) fn new(input: Arc<dyn ExecutionPlan>, barrier: &Barrier) -> Self {
        let name = if barrier.hides_rows { ROWS } else { COLUMNS };
        let mut shown = barrier.relation.clone();
        if !barrier.masked.is_empty() {
            shown += &format!(", masked=[{}]", barrier.masked.join(", "));
        }
        Self { input, name, shown }
    }
}

impl DisplayAs for RowSecurityExec {
    fn fmt_as(&self, _t: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.shown)
    }
}

/// What is not here has a default that tells nothing of the rows and puts nothing below: no statistics, no conditions, no limits.
impl ExecutionPlan for RowSecurityExec {
    fn name(&self) -> &'static str {
        self.name
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match children.pop() {
            Some(input) => Ok(Arc::new(Self { input, name: self.name, shown: self.shown.clone() })),
            None => internal_err!("{} has one input", self.name),
        }
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        self.input.execute(partition, context)
    }
}
