//! `txid_current()`, `pg_current_xact_id()` and `age(xid)`: transactions, which here are changes of the lake.
//!
//! <https://www.postgresql.org/docs/16/functions-info.html#FUNCTIONS-INFO-SNAPSHOT>

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, AsArray, Int32Array};
use arrow::datatypes::{DataType, UInt32Type};
use catalog::pg_catalog::{View, current_transaction};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};
use datafusion::scalar::ScalarValue;

/// `age` of a transaction, or of moments.
#[derive(Debug)]
struct Age {
    current: u32,
    of_moments: Arc<ScalarUDF>,
    signature: Signature,
}

pub(super) fn age(view: &View) -> ScalarUDF {
    let signature = Signature::user_defined(Volatility::Stable);
    ScalarUDF::new_from_impl(Age { current: current_transaction(view), of_moments: udfs::pg::age::age(), signature })
}

/// How many transactions came after one. The special ones, which are always over, are older than any.
fn transactions_since(current: u32, transaction: u32) -> i32 {
    match transaction {
        0..3 => i32::MAX,
        normal => current.wrapping_sub(normal) as i32,
    }
}

fn is_transaction(given: &[DataType]) -> bool {
    matches!(given, [DataType::UInt32])
}

impl ScalarUDFImpl for Age {
    fn name(&self) -> &str {
        "age"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        if is_transaction(given) { Ok(given.to_vec()) } else { self.of_moments.inner().coerce_types(given) }
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        if is_transaction(given) { Ok(DataType::Int32) } else { self.of_moments.inner().return_type(given) }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        match args.args.as_slice() {
            [ColumnarValue::Scalar(ScalarValue::UInt32(transaction))] => {
                let age = transaction.map(|transaction| transactions_since(self.current, transaction));
                Ok(ColumnarValue::Scalar(ScalarValue::Int32(age)))
            }
            [ColumnarValue::Array(array)] if array.data_type() == &DataType::UInt32 => {
                let Some(transactions) = array.as_primitive_opt::<UInt32Type>() else {
                    return exec_err!("age takes a transaction");
                };
                let ages = transactions.iter().map(|of| of.map(|of| transactions_since(self.current, of)));
                Ok(ColumnarValue::Array(Arc::new(ages.collect::<Int32Array>())))
            }
            _ => self.of_moments.invoke_with_args(args),
        }
    }
}

impl PartialEq for Age {
    fn eq(&self, other: &Self) -> bool {
        self.current == other.current
    }
}

impl Eq for Age {}

impl Hash for Age {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.current.hash(state);
    }
}
