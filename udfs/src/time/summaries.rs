//! Summaries of numbers that are rolled up into summaries of more: `stats_agg`, `percentile_agg`, `uddsketch`, `rollup`.
//!
//! Owns: which calls there are, and which record is which summary. Must never know: what a summary tells.

mod kept;
mod manuals;
mod moments;
mod percentiles;
mod sketch;
mod statistics;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, GroupsAccumulator, ReversedUDAF, Signature, Volatility,
};

use super::accessors::Accessor;
use super::points::{constant_of, not_null};
use crate::Error;
use crate::pg_type;
use kept::{Input, Make, Summary};
pub(crate) use manuals::manuals;
use moments::{Moments, Pairs};
use sketch::{Setting, Sketch};

/// The aggregates.
pub(crate) fn aggregates() -> Vec<Arc<AggregateUDF>> {
    let of = |name, of| {
        let signature = Signature::user_defined(Volatility::Immutable);
        Arc::new(AggregateUDF::new_from_impl(Aggregate { name, of, signature }))
    };
    vec![
        of("stats_agg", Of::Numbers),
        of("percentile_agg", Of::Percentiles),
        of("uddsketch", Of::Sketch),
        of("rollup", Of::Summaries),
        of("rolling", Of::Summaries),
    ]
}

/// What is asked of their records.
pub(crate) fn accessors() -> Vec<Accessor> {
    let mut all = statistics::accessors();
    all.extend(percentiles::accessors());
    all
}

/// Which summary a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Of one column of numbers.
    One,
    /// Of two.
    Two,
    Sketch,
}

impl Kind {
    fn fields(self) -> Fields {
        match self {
            Self::One => Moments::fields(),
            Self::Two => Pairs::fields(),
            Self::Sketch => Sketch::fields(),
        }
    }
}

/// Whether it has just the columns of such a summary; a table may have kept them as other types.
fn is_kind(of: &DataType, kind: Kind) -> bool {
    let DataType::Struct(given) = of else { return false };
    let wanted = kind.fields();
    given.len() == wanted.len() && wanted.iter().zip(given).all(|(wanted, given)| wanted.name() == given.name())
}

/// 22023: a record that only looks like a summary.
fn no_summary(of: &str) -> Error {
    Error::InvalidParameter(format!("the record is no summary of {of}"))
}

#[expect(clippy::cast_precision_loss, reason = "counts in double precision")]
fn float(count: i64) -> f64 {
    count as f64
}

/// What an aggregate summarises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Of {
    Numbers,
    Percentiles,
    /// With its size and its error.
    Sketch,
    Summaries,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Aggregate {
    name: &'static str,
    of: Of,
    signature: Signature,
}

impl Aggregate {
    fn kind(&self, given: &[FieldRef]) -> Result<Kind> {
        let types: Vec<&DataType> = given.iter().map(|field| field.data_type()).collect();
        let kind = match (self.of, types.as_slice()) {
            (Of::Numbers, [DataType::Float64]) => Some(Kind::One),
            (Of::Numbers, [DataType::Float64, DataType::Float64]) => Some(Kind::Two),
            (Of::Percentiles, [DataType::Float64]) => Some(Kind::Sketch),
            (Of::Sketch, [DataType::Int64, DataType::Float64, DataType::Float64]) => Some(Kind::Sketch),
            (Of::Summaries, [record]) => {
                [Kind::One, Kind::Two, Kind::Sketch].into_iter().find(|kind| is_kind(record, *kind))
            }
            _ => None,
        };
        kind.ok_or_else(|| {
            let types: Vec<_> = given.iter().map(|field| pg_type::sql_name(field)).collect();
            Error::UndefinedFunction(format!("function {}({}) does not exist", self.name, types.join(", "))).into()
        })
    }

    fn make(&self, args: &AccumulatorArgs<'_>) -> Result<Box<dyn Make>> {
        if args.is_distinct {
            return Err(Error::Unsupported(format!("DISTINCT in {} is not supported", self.name)).into());
        }
        fn of<S: Summary>(rows: bool, setting: S::Setting, behind: usize) -> Box<dyn Make> {
            Box::new(if rows { Input::<S>::Rows { setting, behind } } else { Input::Records })
        }
        let rows = self.of != Of::Summaries;
        Ok(match self.kind(args.expr_fields)? {
            Kind::One => of::<Moments>(rows, (), 0),
            Kind::Two => of::<Pairs>(rows, (), 0),
            Kind::Sketch if self.of == Of::Sketch => of::<Sketch>(rows, self.setting(args)?, 2),
            Kind::Sketch => of::<Sketch>(rows, Setting::DEFAULT, 0),
        })
    }

    fn setting(&self, args: &AccumulatorArgs<'_>) -> Result<Setting> {
        match (constant_of(args, 0)?, constant_of(args, 1)?) {
            (ScalarValue::Int64(Some(size)), ScalarValue::Float64(Some(error))) => Ok(Setting::checked(size, error)?),
            (ScalarValue::Int64(Some(_)), _) => Err(not_null(self.name, "the error").into()),
            _ => Err(not_null(self.name, "the size").into()),
        }
    }
}

impl AggregateUDFImpl for Aggregate {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    /// What no aggregate takes is refused by `return_field`, whose error keeps its type.
    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let coerced = |(at, of): (usize, &DataType)| match (self.of, at) {
            (Of::Summaries, _) => of.clone(),
            (Of::Sketch, 0) if of.is_integer() || of.is_null() => DataType::Int64,
            (Of::Sketch, 0) => of.clone(),
            _ if of.is_numeric() || of.is_null() => DataType::Float64,
            _ => of.clone(),
        };
        Ok(given.iter().enumerate().map(coerced).collect())
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        let fields: Vec<FieldRef> = given.iter().map(|of| Arc::new(Field::new("x", of.clone(), true))).collect();
        Ok(self.return_field(&fields)?.data_type().clone())
    }

    fn return_field(&self, given: &[FieldRef]) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(self.name, DataType::Struct(self.kind(given)?.fields()), true)))
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(self.make(&args)?.alone())
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(self.make(&args)?.moving())
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let record = DataType::Struct(self.kind(args.input_fields)?.fields());
        Ok(vec![Arc::new(Field::new(format!("{}[summary]", args.name), record, true))])
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        !args.is_distinct
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(self.make(&args)?.groups())
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }
}
