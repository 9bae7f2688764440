//! The plan node of an as-of join.
//!
//! Owns: the logical node, and what it takes of its input. Must never know: how it runs. The rows to choose from are inside
//! it and no input, so that conditions on the rows of the left go where they can.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::compute::SortOptions;
use arrow::datatypes::FieldRef;
use datafusion::common::{DFSchema, DFSchemaRef, Result, internal_err};
use datafusion::logical_expr::{Expr, LogicalPlan, UserDefinedLogicalNodeCore};

use super::super::apply::{Inner, needed};
use super::shape::Shape;

#[derive(Debug, Clone)]
pub(in super::super) struct AsOf {
    pub(super) input: LogicalPlan,
    pub(super) right: Inner,
    /// The subquery for one row of the input, which is cheaper where there are few.
    pub(super) asked: Inner,
    pub(super) keep: bool,
    pub(super) join: Join,
    /// What `join`, `right` and `asked` take of the input and of the statement, in this order.
    pub(super) args: Vec<Expr>,
    /// The columns that are added to the input's.
    pub(super) added: Vec<FieldRef>,
    schema: DFSchemaRef,
}

/// Which row of the right is that of a row of the left.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Join {
    /// How many columns of the right are shown.
    pub(super) shown: usize,
    pub(super) keys: usize,
    pub(super) has_time: bool,
    pub(super) is_strict: bool,
    /// Whether there is a time that is too long ago, and whether a row of that time is none either.
    pub(super) within: Option<bool>,
    /// Of the time, and of what decides between equal ones.
    pub(super) order: Vec<SortOptions>,
}

impl Join {
    /// How many of the arguments are those of the join itself.
    pub(super) fn args(&self) -> usize {
        self.keys + usize::from(self.has_time) + usize::from(self.within.is_some())
    }
}

impl AsOf {
    /// The node, and the name of its column that is true where a row was found.
    pub(super) fn new(input: LogicalPlan, shape: Shape, keep: bool) -> Result<(Self, String)> {
        let Shape { right, right_args, needed, keys, time, is_strict, within, order, asked, asked_args, .. } = shape;
        let (has_time, keys_count) = (time.is_some(), keys.len());
        let (within, is_within_strict) = within.unzip();
        let join = Join { shown: needed, keys: keys_count, has_time, is_strict, within: is_within_strict, order };
        let args = keys.into_iter().chain(time).chain(within).chain(right_args).chain(asked_args).collect();
        let columns = right.plan.schema().fields().iter().take(needed);
        let added: Vec<FieldRef> =
            columns.map(|field| Arc::new(field.as_ref().clone().with_nullable(field.is_nullable() || keep))).collect();
        let Some(found) = added.last().map(|field| field.name().clone()) else {
            return internal_err!("an as-of join tells whether it found a row");
        };
        let schema = Arc::new(DFSchema::empty());
        Ok((Self { input, right, asked, keep, join, args, added, schema }.settled()?, found))
    }

    /// With the schema that follows from its parts.
    fn settled(mut self) -> Result<Self> {
        let of = self.input.schema();
        let fields = of.iter().map(|(relation, field)| (relation.cloned(), Arc::clone(field)));
        let fields = fields.chain(self.added.iter().map(|field| (None, Arc::clone(field)))).collect();
        self.schema = Arc::new(DFSchema::new_with_metadata(fields, of.metadata().clone())?);
        Ok(self)
    }
}

impl UserDefinedLogicalNodeCore for AsOf {
    fn name(&self) -> &'static str {
        "AsOf"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        self.args.clone()
    }

    /// Conditions on the rows of the left go below: fewer rows are looked for.
    fn prevent_predicate_push_down_columns(&self) -> HashSet<String> {
        self.added.iter().map(|field| field.name().clone()).collect()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let args: Vec<String> = self.args.iter().take(self.join.args()).map(ToString::to_string).collect();
        write!(f, "AsOf: keep={} args=[{}] rows={}", self.keep, args.join(", "), self.right.plan.display())
    }

    fn with_exprs_and_inputs(&self, args: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        let (Some(input), true) = (inputs.pop(), args.len() == self.args.len()) else {
            return internal_err!("AsOf has one input and {} expressions", self.args.len());
        };
        Self { input, args, ..self.clone() }.settled()
    }

    fn necessary_children_exprs(&self, output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        needed(self.input.schema(), output_columns, &self.args).map(|needed| vec![needed])
    }
}

impl PartialEq for AsOf {
    fn eq(&self, other: &Self) -> bool {
        self.input == other.input
            && self.right == other.right
            && self.asked == other.asked
            && self.keep == other.keep
            && self.join == other.join
            && self.args == other.args
            && self.added == other.added
    }
}

impl Eq for AsOf {}

impl Hash for AsOf {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.input.hash(state);
        self.right.hash(state);
        self.args.hash(state);
    }
}

impl PartialOrd for AsOf {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (self == other).then_some(Ordering::Equal)
    }
}
