//! From the logical node to the one that runs: the range has its values now.
//!
//! Owns: evaluating the arguments, and how many buckets a series may have. Must never know: rows.

use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType, Schema};
use datafusion::catalog::Session;
use datafusion::common::{DFSchema, Result, ScalarValue, internal_err};
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{ColumnarValue, Expr, UserDefinedLogicalNodeCore};
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::{ExecutionPlan, PhysicalExpr};
use datafusion::physical_planner::PhysicalPlanner;
use udfs::time::width::{Buckets, not_positive};

use super::exec::GapFillExec;
use super::filler::{Kind, Shape};
use super::node::{Bound, Fill, GapFill, place};
use super::{HINT, invalid, refused};
use crate::error::{Error, SqlState};

/// A series with more would be a mistake in the width more often than a question.
const BUCKETS_MAX: u128 = 10_000_000;

/// What expressions are made and evaluated with.
pub(in super::super) struct Planning<'a> {
    pub(in super::super) planner: &'a dyn PhysicalPlanner,
    pub(in super::super) session: &'a dyn Session,
    pub(in super::super) context: &'a PhysicalPlanningContext,
}

pub(in super::super) fn planned(
    node: &GapFill,
    input: &Arc<dyn ExecutionPlan>,
    planning: &Planning<'_>,
) -> Result<Arc<dyn ExecutionPlan>> {
    let schema = node.input.schema();
    let time = place(&node.time, schema)?;
    let mut kinds = vec![Kind::Null; schema.fields().len()];
    let mut set = |at: usize, kind: Kind| {
        if let Some(place) = kinds.get_mut(at) {
            *place = kind;
        }
    };
    set(time, Kind::Time);
    for key in &node.series {
        set(place(key, schema)?, Kind::Series);
    }
    for (column, fill) in &node.fills {
        let kind = match fill {
            Fill::Carried { skips_nulls, first } => Kind::Carried { skips_nulls: *skips_nulls, tells: first.is_some() },
            Fill::Interpolated => Kind::Interpolated,
        };
        set(place(column, schema)?, kind);
    }
    let times = schema.field(time).data_type();
    let mut buckets = buckets(&planning.value(&node.width)?, times)?;
    if let Some(zone) = &node.zone {
        let zone = planning.value(zone)?;
        let Some(name) = zone.try_as_str().flatten() else { return Err(invalid("timezone cannot be NULL")) };
        buckets = buckets.of_zone(name)?;
    }
    let (start, finish) = range(node, &buckets, times, planning)?;
    let output = Arc::new(UserDefinedLogicalNodeCore::schema(node).as_arrow().clone());
    let guards = node.guards.iter().map(|guard| planning.physical(guard, &DFSchema::empty())).collect::<Result<_>>()?;
    let shape = Shape { input: input.schema(), output, kinds, buckets, start, finish };
    // It can give rows for long without asking its input for any.
    Ok(Arc::new(CooperativeExec::new(Arc::new(GapFillExec::new(Arc::clone(input), shape, guards)))))
}

fn buckets(width: &ScalarValue, times: &DataType) -> Result<Buckets> {
    if width.is_null() {
        return Err(invalid("bucket_width cannot be NULL"));
    }
    match Buckets::new(width, times) {
        Ok(Some(buckets)) => Ok(buckets),
        Ok(None) => internal_err!("no buckets of {width} over {times}"),
        Err(error) if error == not_positive() => Err(invalid("bucket_width must be greater than 0")),
        Err(error) => Err(error.into()),
    }
}

/// The start of the first bucket, and the time from which on no bucket begins.
fn range(node: &GapFill, buckets: &Buckets, times: &DataType, planning: &Planning<'_>) -> Result<(i64, i64)> {
    let values = |bounds: &[Bound], what: &str| {
        let value = |bound: &Bound| planning.time(bound, times, what);
        bounds.iter().map(value).collect::<Result<Vec<i64>>>()
    };
    let (starts, finishes) = (values(&node.starts, "start")?, values(&node.finishes, "finish")?);
    let (Some(start), Some(finish)) = (starts.into_iter().max(), finishes.into_iter().min()) else {
        return internal_err!("gaps are filled without a range");
    };
    let start = buckets.start(start)?;
    let count = buckets.count(start, finish);
    if count > BUCKETS_MAX {
        let message = format!("time_bucket_gapfill would fill {count} buckets of each series");
        let error = Error::new(SqlState::ProgramLimitExceeded, message)
            .detail(format!("At most {BUCKETS_MAX} buckets of a series can be filled."))
            .hint("Use wider buckets or a narrower range.");
        return Err(refused(error));
    }
    Ok((start, finish))
}

impl Planning<'_> {
    pub(in super::super) fn physical(&self, expr: &Expr, schema: &DFSchema) -> Result<Arc<dyn PhysicalExpr>> {
        self.planner.create_physical_expr(expr, schema, self.session, self.context)
    }

    /// The value of an expression without columns.
    pub(in super::super) fn value(&self, expr: &Expr) -> Result<ScalarValue> {
        let options = RecordBatchOptions::new().with_row_count(Some(1));
        let row = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), Vec::new(), &options)?;
        match self.physical(expr, &DFSchema::empty())?.evaluate(&row)? {
            ColumnarValue::Scalar(value) => Ok(value),
            ColumnarValue::Array(values) => ScalarValue::try_from_array(&values, 0),
        }
    }

    fn time(&self, bound: &Bound, times: &DataType, what: &str) -> Result<i64> {
        let value = self.value(&bound.value)?.cast_to(times)?;
        let at = match value {
            ScalarValue::Int64(at) | ScalarValue::TimestampMicrosecond(at, _) => at,
            ScalarValue::Date32(days) => days.map(i64::from),
            other => return internal_err!("{other} is no time"),
        };
        let Some(at) = at else {
            let message = format!("invalid time_bucket_gapfill argument: {what} cannot be NULL");
            return Err(refused(Error::new(SqlState::InvalidParameterValue, message).hint(HINT)));
        };
        Ok(at.saturating_add(i64::from(bound.is_behind)))
    }
}
