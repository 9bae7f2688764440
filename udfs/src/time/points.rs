//! An aggregate of the points of a series - a time and a value - in order of time.
//!
//! Owns: which rows are points, how they are kept, merged and sorted, in groups, alone and in moving windows. Partial
//! results come from rows of any times, so all points of a group are kept; the memory pool counts them. Must never know:
//! what is made of them.

mod kept;

use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array};
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type, TimeUnit, TimestampMicrosecondType};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, ColumnarValue, GroupsAccumulator, ReversedUDAF, Signature, Volatility,
};

use crate::Error;
use crate::function::{pg_name, utc};
use crate::pg_type;
use kept::{Alone, Groups, Moving};

/// A value at a time, in microseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Point {
    pub(crate) time: i64,
    pub(crate) value: f64,
}

impl Point {
    /// The seconds since another point.
    #[expect(clippy::cast_precision_loss, reason = "seconds in double precision")]
    pub(crate) fn seconds_since(&self, earlier: &Self) -> f64 {
        (i128::from(self.time) - i128::from(earlier.time)) as f64 / 1e6
    }
}

/// The points with one of each time: the first, which has the least value.
pub(crate) fn one_of_each_time(points: &[Point]) -> impl Iterator<Item = Point> {
    let mut last = None;
    points.iter().copied().filter(move |point| last.replace(point.time) != Some(point.time))
}

/// An argument of such an aggregate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arg {
    Time,
    Value,
    /// A text or an integer that is the same for all rows.
    Text,
    Int,
}

/// What is made of the points of a group.
pub(crate) trait Series: Debug + Send + Sync + Eq + Hash + 'static {
    /// What the constant argument means.
    type Setting: Debug + Clone + Send + Sync;

    fn name(&self) -> &'static str;
    fn args(&self) -> &'static [Arg];
    fn setting(&self, constant: Option<&ScalarValue>) -> Result<Self::Setting>;
    /// The type of the result, where times have this type.
    fn returns(&self, time: &DataType) -> DataType;
    /// One value for each group. Its points are sorted by time, those of one time by value, NaN last.
    fn finish(&self, setting: &Self::Setting, groups: &[&[Point]], to: &DataType) -> Result<ArrayRef>;
}

/// The aggregate of a series.
pub(crate) fn aggregate(of: impl Series) -> Arc<AggregateUDF> {
    let signature = Signature::user_defined(Volatility::Immutable);
    Arc::new(AggregateUDF::new_from_impl(Aggregate { of: Arc::new(of), signature }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Aggregate<S> {
    of: Arc<S>,
    signature: Signature,
}

/// What makes the values of the groups.
#[derive(Debug, Clone)]
struct Finish<S: Series> {
    of: Arc<S>,
    setting: S::Setting,
    columns: Columns,
    to: DataType,
}

/// Which arguments are the times and the values.
#[derive(Debug, Clone, Copy)]
struct Columns {
    time: usize,
    value: usize,
}

impl Columns {
    fn of(args: &[Arg]) -> Self {
        let at = |wanted: Arg| args.iter().position(|arg| *arg == wanted).unwrap_or_default();
        Self { time: at(Arg::Time), value: at(Arg::Value) }
    }

    /// The points of a batch by row: none where time or value is NULL.
    fn read<'a>(&self, values: &'a [ArrayRef]) -> Result<impl Fn(usize) -> Option<Point> + use<'a>> {
        let times = values.get(self.time).and_then(|times| times.as_primitive_opt::<TimestampMicrosecondType>());
        let values = values.get(self.value).and_then(|values| values.as_primitive_opt::<Float64Type>());
        let (Some(times), Some(values)) = (times, values) else { return exec_err!("a point is a time and a value") };
        Ok(move |row| {
            let known = !times.is_null(row) && !values.is_null(row);
            known.then(|| Point { time: times.value(row), value: values.value(row) })
        })
    }
}

impl<S: Series> Aggregate<S> {
    fn finish(&self, args: &AccumulatorArgs<'_>) -> Result<Finish<S>> {
        if args.is_distinct {
            return Err(Error::Unsupported(format!("DISTINCT in {} is not supported", args.name)).into());
        }
        let kinds = self.of.args();
        let constant = kinds.iter().position(|arg| matches!(arg, Arg::Text | Arg::Int));
        let constant = constant.map(|at| constant_of(args, at)).transpose()?;
        let setting = self.of.setting(constant.as_ref())?;
        Ok(Finish { of: Arc::clone(&self.of), setting, columns: Columns::of(kinds), to: args.return_type().clone() })
    }
}

/// An argument that is the same for all rows.
pub(crate) fn constant_of(args: &AccumulatorArgs<'_>, at: usize) -> Result<ScalarValue> {
    let Some(expr) = args.exprs.get(at) else { return exec_err!("argument {} is missing", at + 1) };
    let empty = arrow::array::RecordBatch::new_empty(Arc::new(args.schema.clone()));
    match expr.evaluate(&empty)? {
        ColumnarValue::Scalar(value) => Ok(value),
        ColumnarValue::Array(_) => {
            let message = format!("{} with an argument {} that varies is not supported", args.name, at + 1);
            Err(Error::Unsupported(message).into())
        }
    }
}

impl<S: Series> AggregateUDFImpl for Aggregate<S> {
    fn name(&self) -> &str {
        self.of.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    /// What no aggregate takes is refused by `return_field`, whose error keeps its type.
    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let coerced = |(at, of): (usize, &DataType)| {
            self.of.args().get(at).and_then(|arg| coerced(*arg, of)).unwrap_or_else(|| of.clone())
        };
        Ok(given.iter().enumerate().map(coerced).collect())
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        let fields: Vec<FieldRef> = given.iter().map(|of| Arc::new(Field::new("x", of.clone(), true))).collect();
        Ok(self.return_field(&fields)?.data_type().clone())
    }

    fn return_field(&self, given: &[FieldRef]) -> Result<FieldRef> {
        let kinds = self.of.args();
        let types: Vec<&DataType> = given.iter().map(|field| field.data_type()).collect();
        let fits = kinds.len() == types.len()
            && kinds.iter().zip(&types).all(|(arg, of)| coerced(*arg, of).as_ref() == Some(*of));
        if !fits {
            let types: Vec<_> = given.iter().map(|field| pg_type::sql_name(field)).collect();
            let message = format!("function {}({}) does not exist", self.name(), types.join(", "));
            return Err(Error::UndefinedFunction(message).into());
        }
        let time = types.get(Columns::of(kinds).time).copied().unwrap_or(&DataType::Null);
        Ok(Arc::new(Field::new(self.name(), self.of.returns(time), true)))
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Alone::new(self.finish(&args)?)))
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Moving::new(self.finish(&args)?)))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let field = |(name, item): (&str, DataType)| {
            let item = Field::new_list_field(item, false);
            Arc::new(Field::new(format!("{}[{name}]", args.name), DataType::List(Arc::new(item)), true))
        };
        Ok([("times", DataType::Int64), ("values", DataType::Float64)].into_iter().map(field).collect())
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs<'_>) -> bool {
        true
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Groups::new(self.finish(&args)?)))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }
}

/// What an argument is read as; `None` when it is of no such type.
fn coerced(arg: Arg, given: &DataType) -> Option<DataType> {
    use DataType as D;
    const MICRO: TimeUnit = TimeUnit::Microsecond;
    match (arg, given) {
        (Arg::Time, D::Timestamp(_, zone)) => Some(D::Timestamp(MICRO, zone.clone())),
        (Arg::Time, D::Date32 | D::Date64) => Some(D::Timestamp(MICRO, None)),
        (Arg::Time, D::Null) => Some(D::Timestamp(MICRO, Some(utc()))),
        (Arg::Value, of) if of.is_numeric() || of.is_null() => Some(D::Float64),
        (Arg::Text, of) if of.is_null() || pg_name(of) == "text" => Some(D::Utf8),
        (Arg::Int, of) if of.is_null() || of.is_integer() => Some(D::Int64),
        _ => None,
    }
}

/// Numbers of times, typed as these.
pub(crate) fn times_of(times: Vec<Option<i64>>, of: &DataType) -> Result<ArrayRef> {
    Ok(arrow::compute::cast(&Int64Array::from(times), of)?)
}

/// The error of a constant that is NULL.
pub(crate) fn not_null(name: &str, what: &str) -> Error {
    Error::NullNotAllowed(format!("{what} of {name} must not be null"))
}
