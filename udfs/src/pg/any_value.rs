//! `any_value(x)` - one of the values of a group that are not NULL: here the first.
//!
//! NULL when there is none.
//! <https://www.postgresql.org/docs/16/functions-aggregate.html>
//!
//! ```sql
//! SELECT any_value(x) FROM (VALUES (NULL), (2)) t(x);  -- 2
//! ```

use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::Result;
use datafusion::functions_aggregate::first_last::first_value_udaf;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, GroupsAccumulator, Signature, Volatility};

/// The aggregate.
pub fn any_value() -> Arc<AggregateUDF> {
    let signature = Signature::any(1, Volatility::Immutable);
    Arc::new(AggregateUDF::new_from_impl(AnyValue { signature, first: first_value_udaf() }))
}

/// The planner's `first_value`, of the values that are there.
#[derive(Debug, PartialEq, Eq, Hash)]
struct AnyValue {
    signature: Signature,
    first: Arc<AggregateUDF>,
}

impl AggregateUDFImpl for AnyValue {
    fn name(&self) -> &'static str {
        "any_value"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        self.first.return_type(given)
    }

    fn return_field(&self, given: &[FieldRef]) -> Result<FieldRef> {
        let field = self.first.return_field(given)?;
        Ok(Arc::new(field.as_ref().clone().with_name(self.name()).with_nullable(true)))
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        self.first.accumulator(AccumulatorArgs { ignore_nulls: true, order_bys: &[], ..args })
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        self.first.state_fields(args)
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        self.first.groups_accumulator_supported(AccumulatorArgs { ignore_nulls: true, order_bys: &[], ..args })
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        self.first.create_groups_accumulator(AccumulatorArgs { ignore_nulls: true, order_bys: &[], ..args })
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}
