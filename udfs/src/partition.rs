//! A window function whose value for a row needs the whole partition, in no order.
//!
//! Owns: how the engine calls it. Must never know: what is computed.

use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::Result;
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{PartitionEvaluator, Signature, Volatility, WindowUDF, WindowUDFImpl};

use crate::numbers::{are_numbers, coerced, undefined};

/// What is computed of the numbers of a partition.
pub(crate) trait Partition: Debug + Send + Sync + Eq + Hash + 'static {
    fn name(&self) -> &'static str;
    /// Whether it takes so many arguments.
    fn takes(&self, arguments: usize) -> bool;
    fn returns(&self) -> DataType;
    /// A value for each row.
    fn values(&self, arguments: &[ArrayRef]) -> Result<ArrayRef>;
}

/// The window function.
pub(crate) fn window(of: impl Partition) -> Arc<WindowUDF> {
    let signature = Signature::user_defined(Volatility::Immutable);
    Arc::new(WindowUDF::new_from_impl(Whole { of: Arc::new(of), signature }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Whole<P: Partition> {
    of: Arc<P>,
    signature: Signature,
}

impl<P: Partition> WindowUDFImpl for Whole<P> {
    fn name(&self) -> &str {
        self.of.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        match self.of.takes(given.len()) && are_numbers(given) {
            true => Ok(coerced(given)),
            false => Err(undefined(self.name(), given)),
        }
    }

    fn field(&self, args: WindowUDFFieldArgs<'_>) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(args.name(), self.of.returns(), true)))
    }

    fn partition_evaluator(&self, _: PartitionEvaluatorArgs<'_>) -> Result<Box<dyn PartitionEvaluator>> {
        Ok(Box::new(Evaluator(Arc::clone(&self.of))))
    }
}

#[derive(Debug)]
struct Evaluator<P>(Arc<P>);

impl<P: Partition> PartitionEvaluator for Evaluator<P> {
    fn evaluate_all(&mut self, values: &[ArrayRef], _: usize) -> Result<ArrayRef> {
        self.0.values(values)
    }
}
