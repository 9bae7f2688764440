//! Runs `Apply`: each batch gets one more column, the answers of a subquery.
//!
//! Owns: the asking, batch by batch, each distinct question once. Must never know: SQL.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::execution::TaskContext;
use datafusion::physical_expr::EquivalenceProperties;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PhysicalExpr,
    PlanProperties, ReplaceChildrenOptions, SendableRecordBatchStream,
};
use futures::StreamExt;

use super::answer::Answer;
use super::apply::Meaning;
use super::runner::Runner;

pub(super) struct ApplyExec {
    input: Arc<dyn ExecutionPlan>,
    args: Vec<Arc<dyn PhysicalExpr>>,
    meaning: Meaning,
    runner: Arc<Runner<Answer>>,
    properties: Arc<PlanProperties>,
}

impl ApplyExec {
    pub(super) fn new(
        input: Arc<dyn ExecutionPlan>,
        args: Vec<Arc<dyn PhysicalExpr>>,
        meaning: Meaning,
        runner: Arc<Runner<Answer>>,
        schema: SchemaRef,
    ) -> Self {
        let properties = properties(&input, schema);
        Self { input, args, meaning, runner, properties }
    }
}

/// The input's partitions, without any order.
pub(super) fn properties(input: &Arc<dyn ExecutionPlan>, schema: SchemaRef) -> Arc<PlanProperties> {
    Arc::new(PlanProperties::new(
        EquivalenceProperties::new(schema),
        input.output_partitioning().clone(),
        input.pipeline_behavior(),
        input.boundedness(),
    ))
}

impl fmt::Debug for ApplyExec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApplyExec").field("meaning", &self.meaning).field("input", &self.input).finish_non_exhaustive()
    }
}

impl DisplayAs for ApplyExec {
    fn fmt_as(&self, _t: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let args: Vec<String> = self.args.iter().map(ToString::to_string).collect();
        write!(f, "ApplyExec: {:?} args=[{}]", self.meaning, args.join(", "))
    }
}

impl ExecutionPlan for ApplyExec {
    fn name(&self) -> &'static str {
        "ApplyExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        datafusion::physical_plan::apply_expression_roots(self.args.iter().cloned(), f)
    }

    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let Some(input) = children.pop() else { return internal_err!("ApplyExec has one input") };
        let schema = self.schema();
        Ok(Arc::new(Self::new(input, self.args.clone(), self.meaning, Arc::clone(&self.runner), schema)))
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let input = self.input.execute(partition, Arc::clone(&context))?;
        let asker = Arc::new(Asker {
            args: self.args.clone(),
            meaning: self.meaning,
            runner: Arc::clone(&self.runner),
            schema: self.schema(),
            context,
        });
        let answered = input.then(move |batch| {
            let asker = Arc::clone(&asker);
            async move { asker.answered(&batch?).await }
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), answered)))
    }
}

struct Asker {
    args: Vec<Arc<dyn PhysicalExpr>>,
    meaning: Meaning,
    runner: Arc<Runner<Answer>>,
    schema: SchemaRef,
    context: Arc<TaskContext>,
}

impl Asker {
    /// The batch with the answers.
    async fn answered(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let args = evaluate(&self.args, batch)?;
        let (keys, sought) = args.split_at(self.runner.keys());
        let questions = Questions::new(keys, batch.num_rows())?;
        let Some(field) = self.schema.fields().last() else { return internal_err!("Apply adds a column") };
        let mut answers = Vec::with_capacity(questions.distinct.len());
        for values in questions.distinct {
            let of = field.data_type();
            let keep = |rows: Vec<RecordBatch>| Answer::new(&rows, self.meaning, of);
            answers.push(self.runner.answer(values, &self.context, keep).await?);
        }
        let column = match self.meaning {
            Meaning::In { .. } | Meaning::Compare { .. } => {
                comparisons(&answers, &questions.of_row, sought, self.meaning)?
            }
            _ => values(&answers, &questions.of_row, field.data_type())?,
        };
        let columns = batch.columns().iter().cloned().chain([column]).collect();
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }
}

/// The arrays of the expressions.
pub(super) fn evaluate(exprs: &[Arc<dyn PhysicalExpr>], batch: &RecordBatch) -> Result<Vec<ArrayRef>> {
    exprs.iter().map(|expr| expr.evaluate(batch)?.into_array(batch.num_rows())).collect()
}

/// The distinct rows of some columns.
pub(super) struct Questions {
    pub(super) distinct: Vec<Vec<ScalarValue>>,
    /// For each row, which of the distinct ones it is.
    pub(super) of_row: Vec<usize>,
}

impl Questions {
    pub(super) fn new(columns: &[ArrayRef], rows: usize) -> Result<Self> {
        let mut known: HashMap<Vec<ScalarValue>, usize> = HashMap::new();
        let mut distinct = Vec::new();
        let mut of_row = Vec::with_capacity(rows);
        for row in 0..rows {
            if columns.is_empty() && row > 0 {
                of_row.push(0);
                continue;
            }
            let values = columns
                .iter()
                .map(|column| ScalarValue::try_from_array(column, row))
                .collect::<Result<Vec<ScalarValue>>>()?;
            let next = distinct.len();
            let index = *known.entry(values.clone()).or_insert(next);
            if index == next {
                distinct.push(values);
            }
            of_row.push(index);
        }
        Ok(Self { distinct, of_row })
    }
}

fn values(answers: &[Arc<Answer>], of_row: &[usize], data_type: &DataType) -> Result<ArrayRef> {
    if of_row.is_empty() {
        return Ok(arrow::array::new_empty_array(data_type));
    }
    let scalars = answers.iter().map(|answer| match answer.as_ref() {
        Answer::Value(value) => Ok(value.clone()),
        Answer::Set(_) => internal_err!("a set is not a value"),
    });
    let scalars = scalars.collect::<Result<Vec<ScalarValue>>>()?;
    let distinct = ScalarValue::iter_to_array(scalars)?;
    let indices: UInt32Array = of_row.iter().map(|index| u32::try_from(*index).ok()).collect();
    Ok(take(&distinct, &indices, None)?)
}

fn comparisons(answers: &[Arc<Answer>], of_row: &[usize], sought: &[ArrayRef], meaning: Meaning) -> Result<ArrayRef> {
    let [sought] = sought else { return internal_err!("IN looks for one value") };
    let mut column: Vec<Option<bool>> = vec![None; of_row.len()];
    for (index, answer) in answers.iter().enumerate() {
        let Answer::Set(set) = answer.as_ref() else { return internal_err!("IN asks for a set") };
        let rows: Vec<usize> = (0..of_row.len()).filter(|row| of_row.get(*row) == Some(&index)).collect();
        let indices: UInt32Array = rows.iter().map(|row| u32::try_from(*row).ok()).collect();
        let values = take(sought, &indices, None)?;
        let found = match meaning {
            Meaning::Compare { op, all } => set.compares(&values, op, all)?,
            _ => set.contains(&values)?,
        };
        for (row, found) in rows.into_iter().zip(found) {
            if let Some(cell) = column.get_mut(row) {
                *cell = found.map(|found| found != matches!(meaning, Meaning::In { negated: true }));
            }
        }
    }
    Ok(Arc::new(BooleanArray::from(column)))
}
