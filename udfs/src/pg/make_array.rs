//! `make_array(item, ...)` - DataFusion's function behind `ARRAY[...]`, of arrays that fit together.
//!
//! Arrays in an array have the same dimensions, else 2202E; NULL counts as an array without any.
//! <https://www.postgresql.org/docs/16/sql-expressions.html#SQL-SYNTAX-ARRAY-CONSTRUCTORS>
//!
//! ```sql
//! SELECT ARRAY[ARRAY[1, 2], ARRAY[3, 4]];  -- {{1,2},{3,4}}
//! ```

use std::sync::Arc;

use arrow::array::{AsArray, ListArray};
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::functions_nested::make_array::MakeArray;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature};

use super::arrays::dimensions;
use crate::Error;

/// The function.
pub fn make_array() -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::new_from_impl(Rectangular(MakeArray::new())))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Rectangular(MakeArray);

impl ScalarUDFImpl for Rectangular {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn aliases(&self) -> &[String] {
        self.0.aliases()
    }

    fn signature(&self) -> &Signature {
        self.0.signature()
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        self.0.coerce_types(&typed(given))
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        self.0.return_type(&typed(given))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let made = self.0.invoke_with_args(args)?;
        match &made {
            ColumnarValue::Array(array) => check(array.as_list_opt())?,
            ColumnarValue::Scalar(value) => check(value.to_array()?.as_list_opt())?,
        }
        Ok(made)
    }
}

/// The types of the items where a text beside others may be a literal, which is what the others are.
fn typed(given: &[DataType]) -> Vec<DataType> {
    let other = given.iter().find(|of| !is_text(of) && **of != DataType::Null);
    let item = |of: &DataType| match other {
        Some(other) if is_text(of) => other.clone(),
        _ => of.clone(),
    };
    given.iter().map(item).collect()
}

fn is_text(of: &DataType) -> bool {
    matches!(of, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

/// Refuses a row whose arrays differ in their dimensions.
fn check(made: Option<&ListArray>) -> Result<()> {
    let Some(made) = made.filter(|made| made.values().as_list_opt::<i32>().is_some()) else { return Ok(()) };
    for items in made.iter().flatten() {
        let Some(lists) = items.as_list_opt::<i32>() else { continue };
        let mut first = None;
        for list in lists.iter() {
            let of_this = list.map_or_else(|| Ok(Vec::new()), dimensions)?;
            if *first.get_or_insert_with(|| of_this.clone()) != of_this {
                let message = "multidimensional arrays must have array expressions with matching dimensions";
                return Err(Error::ArraySubscript(message.to_owned()).into());
            }
        }
    }
    Ok(())
}
