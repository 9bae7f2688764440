//! `json_agg(x)`, `json_object_agg(k, v)`, each of jsonb too.
//!
//! The engine calls them with what `lakegate_json_element` or `lakegate_json_member` makes of a row, so NULLs are in it.
//! ORDER BY, DISTINCT and FILTER are `array_agg`'s, which collects the parts. No rows give NULL.
//! <https://www.postgresql.org/docs/16/functions-aggregate.html>
//!
//! ```sql
//! SELECT json_agg(x ORDER BY x DESC) FROM (VALUES (1), (NULL), (2)) t(x);  -- [null, 2, 1]
//! ```

use std::hash::Hash;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::functions_aggregate::array_agg::array_agg_udaf;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility};

use super::normal;
use crate::pg_type;

/// Every aggregate of this file.
pub fn aggregates() -> Vec<Arc<AggregateUDF>> {
    [
        ("json_agg", Of::Array, false),
        ("jsonb_agg", Of::Array, true),
        ("json_object_agg", Of::Object, false),
        ("jsonb_object_agg", Of::Object, true),
    ]
    .into_iter()
    .map(|(name, of, jsonb)| {
        let signature = Signature::exact(vec![DataType::Utf8], Volatility::Immutable);
        Arc::new(AggregateUDF::new_from_impl(Collect { name, of, jsonb, signature }))
    })
    .collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Of {
    Array,
    Object,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Collect {
    name: &'static str,
    of: Of,
    jsonb: bool,
    signature: Signature,
}

impl AggregateUDFImpl for Collect {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn return_field(&self, _given: &[FieldRef]) -> Result<FieldRef> {
        let tag = if self.jsonb { "jsonb" } else { "json" };
        Ok(Arc::new(pg_type::tagged(self.name, DataType::Utf8, tag)))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        array_agg_udaf().state_fields(args)
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let list = Arc::new(Field::new("parts", DataType::new_list(DataType::Utf8, true), true));
        let parts = array_agg_udaf().accumulator(AccumulatorArgs { return_field: list, ..args })?;
        Ok(Box::new(Collected { of: self.of, jsonb: self.jsonb, parts }))
    }
}

#[derive(Debug)]
struct Collected {
    of: Of,
    jsonb: bool,
    parts: Box<dyn Accumulator>,
}

impl Accumulator for Collected {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.parts.update_batch(values)
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.parts.retract_batch(values)
    }

    fn supports_retract_batch(&self) -> bool {
        self.parts.supports_retract_batch()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.parts.merge_batch(states)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.parts.state()
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let parts = match self.parts.evaluate()? {
            ScalarValue::List(list) if list.is_valid(0) => list.value(0),
            ScalarValue::List(_) => return Ok(ScalarValue::Utf8(None)),
            other => return exec_err!("{} collected", other.data_type()),
        };
        let Some(parts) = parts.as_string_opt::<i32>() else { return exec_err!("{} collected", parts.data_type()) };
        let (opening, closing) = match self.of {
            Of::Array => ("[", "]"),
            Of::Object => ("{ ", " }"),
        };
        let mut out = String::with_capacity(parts.value_data().len() + 2 * parts.len() + 4);
        out.push_str(opening);
        for (at, part) in parts.iter().flatten().enumerate() {
            if at > 0 {
                out.push_str(", ");
                out.push_str(part);
            } else {
                // A part with parts of its own begins a line, but not the first.
                out.push_str(part.trim_start());
            }
        }
        out.push_str(closing);
        Ok(ScalarValue::Utf8(Some(if self.jsonb { normal(&out)? } else { out })))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.parts.size()
    }
}
