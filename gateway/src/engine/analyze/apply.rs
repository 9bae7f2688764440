//! The plan node that runs a subquery for each distinct combination of what it takes from outside.
//!
//! Owns: the logical nodes `Apply` (one more column) and `Lateral` (more rows). Must never know: how they run.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{DFSchema, DFSchemaRef, Result, TableReference, internal_err};
use datafusion::logical_expr::{Expr, LogicalPlan, Operator, UserDefinedLogicalNodeCore};

use super::outer::Key;

/// A subquery and what it takes from outside; the expressions that give it are the node's, in this order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Inner {
    pub(super) plan: Arc<LogicalPlan>,
    pub(super) keys: Vec<Key>,
}

/// What the rows of a subquery mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Meaning {
    /// The value of its one row; NULL if there is none.
    Scalar,
    Exists {
        negated: bool,
    },
    /// Whether the value of the node's last expression is among its rows.
    In {
        negated: bool,
    },
    /// Whether the value of the node's last expression compares so with any, or with all, of its rows.
    Compare {
        op: Operator,
        all: bool,
    },
    /// Its rows, beside each outer row; with `keep`, NULLs where there are none.
    Rows {
        keep: bool,
    },
}

/// Its input, with the answers of a subquery beside each row.
#[derive(Debug, Clone)]
pub(super) struct Apply {
    pub(super) input: LogicalPlan,
    pub(super) inner: Inner,
    pub(super) meaning: Meaning,
    /// What the keys of `inner` are in terms of the input; for IN, then the value to look for.
    pub(super) args: Vec<Expr>,
    /// The columns that are added to the input's.
    pub(super) added: Vec<(Option<TableReference>, FieldRef)>,
    schema: DFSchemaRef,
}

impl Apply {
    /// The node that answers an expression under the name `name`.
    pub(super) fn expression(
        input: LogicalPlan,
        inner: Inner,
        meaning: Meaning,
        args: Vec<Expr>,
        name: &str,
    ) -> Result<Self> {
        let data_type = match meaning {
            Meaning::Scalar => inner.plan.schema().field(0).data_type().clone(),
            _ => DataType::Boolean,
        };
        let mut field = Field::new(name, data_type, true);
        if matches!(meaning, Meaning::Scalar) {
            field = field.with_metadata(inner.plan.schema().field(0).metadata().clone());
        }
        Self::new(input, inner, meaning, args, vec![(None, Arc::new(field))])
    }

    /// The node that joins each row of the input with the rows of a subquery.
    pub(super) fn rows(input: LogicalPlan, inner: Inner, keep: bool, args: Vec<Expr>) -> Result<Self> {
        let columns = inner.plan.schema().iter().map(|(relation, field)| {
            let nullable = field.is_nullable() || keep;
            (relation.cloned(), Arc::new(field.as_ref().clone().with_nullable(nullable)))
        });
        let added = columns.collect();
        Self::new(input, inner, Meaning::Rows { keep }, args, added)
    }

    fn new(
        input: LogicalPlan,
        inner: Inner,
        meaning: Meaning,
        args: Vec<Expr>,
        added: Vec<(Option<TableReference>, FieldRef)>,
    ) -> Result<Self> {
        let fields = input.schema().iter().map(|(relation, field)| (relation.cloned(), Arc::clone(field)));
        let fields = fields.chain(added.iter().cloned()).collect();
        let schema = Arc::new(DFSchema::new_with_metadata(fields, input.schema().metadata().clone())?);
        Ok(Self { input, inner, meaning, args, added, schema })
    }
}

impl UserDefinedLogicalNodeCore for Apply {
    fn name(&self) -> &'static str {
        "Apply"
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

    /// Predicates on the outer row alone go below: fewer rows ask.
    fn prevent_predicate_push_down_columns(&self) -> HashSet<String> {
        self.added.iter().map(|(_, field)| field.name().clone()).collect()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let args: Vec<String> = self.args.iter().map(ToString::to_string).collect();
        write!(f, "Apply: {:?} args=[{}] subquery={}", self.meaning, args.join(", "), self.inner.plan.display())
    }

    fn with_exprs_and_inputs(&self, args: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        let (Some(input), true) = (inputs.pop(), args.len() == self.args.len()) else {
            return internal_err!("Apply has one input and {} expressions", self.args.len());
        };
        Self::new(input, self.inner.clone(), self.meaning, args, self.added.clone())
    }

    fn necessary_children_exprs(&self, output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        needed(self.input.schema(), output_columns, &self.args).map(|needed| vec![needed])
    }
}

/// The columns that a node takes of its input, which it gives before its own: those that are read above, and those of its own
/// expressions.
pub(super) fn needed<'a>(
    input: &DFSchema,
    read_above: &[usize],
    exprs: impl IntoIterator<Item = &'a Expr>,
) -> Option<Vec<usize>> {
    let width = input.fields().len();
    let mut needed: Vec<usize> = read_above.iter().copied().filter(|at| *at < width).collect();
    for column in exprs.into_iter().flat_map(Expr::column_refs) {
        needed.push(input.maybe_index_of_column(column)?);
    }
    needed.sort_unstable();
    needed.dedup();
    Some(needed)
}

impl PartialEq for Apply {
    fn eq(&self, other: &Self) -> bool {
        self.input == other.input
            && self.inner == other.inner
            && self.meaning == other.meaning
            && self.args == other.args
            && self.added == other.added
    }
}

impl Eq for Apply {}

impl Hash for Apply {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.input.hash(state);
        self.inner.hash(state);
        self.meaning.hash(state);
        self.args.hash(state);
    }
}

impl PartialOrd for Apply {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (self == other).then_some(Ordering::Equal)
    }
}
