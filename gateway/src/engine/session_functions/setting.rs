//! `current_setting(name [, missing_ok])` and `set_config(name, value, is_local)`.
//!
//! <https://www.postgresql.org/docs/16/functions-admin.html#FUNCTIONS-ADMIN-SET>

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, AsArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature, Volatility,
};

use crate::error::SqlState;
use crate::session::Session;
use crate::session::vars::Scope;

struct Setting {
    name: &'static str,
    session: Arc<Session>,
    signature: Signature,
    run: fn(&Session, &Row<'_>) -> crate::error::Result<Option<String>>,
}

/// One row of arguments; a missing or NULL argument is `None`.
struct Row<'a> {
    texts: [Option<&'a str>; 2],
    flag: Option<bool>,
}

/// Unknown settings are 42704, or NULL if `missing_ok`.
pub(super) fn current_setting(session: &Arc<Session>) -> ScalarUDF {
    let texts = TypeSignature::Exact(vec![DataType::Utf8]);
    let with_flag = TypeSignature::Exact(vec![DataType::Utf8, DataType::Boolean]);
    udf("current_setting", session, vec![texts, with_flag], Volatility::Stable, |session, row| {
        let Some(name) = row.texts[0] else { return Ok(None) };
        match session.vars().get(name) {
            Err(error) if error.state == SqlState::UndefinedObject && row.flag == Some(true) => Ok(None),
            value => value.map(Some),
        }
    })
}

/// Sets and returns the new value. A NULL value is the default.
pub(super) fn set_config(session: &Arc<Session>) -> ScalarUDF {
    let exact = TypeSignature::Exact(vec![DataType::Utf8, DataType::Utf8, DataType::Boolean]);
    udf("set_config", session, vec![exact], Volatility::Volatile, |session, row| {
        let [Some(name), value] = row.texts else { return Ok(None) };
        let local = row.flag == Some(true);
        let mut vars = session.vars();
        match value {
            Some(value) => vars.set(name, value, if local { Scope::Local } else { Scope::Session })?,
            None => vars.reset(name)?,
        }
        vars.get(name).map(Some)
    })
}

fn udf(
    name: &'static str,
    session: &Arc<Session>,
    signatures: Vec<TypeSignature>,
    volatility: Volatility,
    run: fn(&Session, &Row<'_>) -> crate::error::Result<Option<String>>,
) -> ScalarUDF {
    let signature = Signature::one_of(signatures, volatility);
    ScalarUDF::new_from_impl(Setting { name, session: Arc::clone(session), signature, run })
}

impl ScalarUDFImpl for Setting {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let scalar = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let rows = if scalar { 1 } else { args.number_rows };
        let (mut texts, mut flags) = (Vec::new(), None);
        for arg in &args.args {
            let array = arg.to_array(rows)?;
            match array.data_type() {
                DataType::Boolean => flags = Some(array),
                _ => texts.push(cast(&array, &DataType::Utf8)?),
            }
        }
        let text = |column: usize, row: usize| {
            let array = texts.get(column)?.as_string::<i32>();
            array.is_valid(row).then(|| array.value(row))
        };
        let flag = |row: usize| {
            let array = flags.as_ref()?.as_boolean();
            array.is_valid(row).then(|| array.value(row))
        };
        let values = (0..rows)
            .map(|row| (self.run)(&self.session, &Row { texts: [text(0, row), text(1, row)], flag: flag(row) }))
            .collect::<crate::error::Result<StringArray>>()
            .map_err(|error| DataFusionError::External(Box::new(error)))?;
        let values = ColumnarValue::Array(Arc::new(values));
        if scalar {
            Ok(ColumnarValue::Scalar(datafusion::scalar::ScalarValue::try_from_array(&values.into_array(1)?, 0)?))
        } else {
            Ok(values)
        }
    }
}

impl fmt::Debug for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for Setting {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && Arc::ptr_eq(&self.session, &other.session)
    }
}

impl Eq for Setting {}

impl Hash for Setting {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}
