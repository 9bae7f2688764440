//! `json_object(text[])`, `json_object(keys text[], values text[])`, each of jsonb too.
//!
//! One array has keys and values in turns, or in rows of two (2202E otherwise). A NULL key is 22004; a NULL value is null.
//! <https://www.postgresql.org/docs/16/functions-json.html#FUNCTIONS-JSON-CREATION>
//!
//! ```sql
//! SELECT json_object('{a,1,b,2}');  -- {"a" : "1", "b" : "2"}
//! ```

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::normal;
use super::strings::escape;
use crate::Error;
use crate::function::{Args, Overload, Returns, Ty, function, overload_of, some};

/// Every function of this file.
pub(super) fn functions() -> Vec<Arc<ScalarUDF>> {
    static JSON: [Overload; 4] = both("json", |args| object(args, false));
    static JSONB: [Overload; 4] = both("jsonb", |args| object(args, true));
    vec![function("json_object", &JSON), function("jsonb_object", &JSONB)]
}

/// An array that is written out is a text until the engine reads it.
const fn both(of: &'static str, kernel: crate::function::Kernel) -> [Overload; 4] {
    [
        overload_of(&[Ty::AnyArray], Returns::Tagged(Ty::Text, of), kernel),
        overload_of(&[Ty::AnyArray, Ty::AnyArray], Returns::Tagged(Ty::Text, of), kernel),
        overload_of(&[Ty::Text], Returns::Tagged(Ty::Text, of), kernel),
        overload_of(&[Ty::Text, Ty::Text], Returns::Tagged(Ty::Text, of), kernel),
    ]
}

type Texts = Vec<Option<String>>;

fn object(args: &Args<'_>, jsonb: bool) -> Result<ArrayRef> {
    let first = args.list(0)?;
    let second = if args.len() > 1 { Some(args.list(1)?) } else { None };
    args.build_text(|row| {
        let pairs: Vec<(Option<String>, Option<String>)> = match &second {
            Some(second) => {
                let (keys, values) = (texts(&some!(first.get(row)))?, texts(&some!(second.get(row)))?);
                if keys.len() != values.len() {
                    return Err(Error::ArraySubscript("mismatched array dimensions".to_owned()).into());
                }
                keys.into_iter().zip(values).collect()
            }
            None => pairs(&some!(first.get(row)))?,
        };
        let mut out = String::from("{");
        for (at, (key, value)) in pairs.iter().enumerate() {
            let Some(key) = key else {
                return Err(Error::NullNotAllowed("null value not allowed for object key".to_owned()).into());
            };
            if at > 0 {
                out.push_str(", ");
            }
            escape(key, &mut out);
            out.push_str(" : ");
            match value {
                Some(value) => escape(value, &mut out),
                None => out.push_str("null"),
            }
        }
        out.push('}');
        Ok(Some(if jsonb { normal(&out)? } else { out }))
    })
}

fn texts(array: &ArrayRef) -> Result<Texts> {
    if array.data_type().is_nested() {
        return Err(Error::ArraySubscript("wrong number of array subscripts".to_owned()).into());
    }
    let array = cast(array, &DataType::Utf8)?;
    Ok(array.as_string::<i32>().iter().map(|text| text.map(str::to_owned)).collect())
}

fn pairs(array: &ArrayRef) -> Result<Vec<(Option<String>, Option<String>)>> {
    let two = || Error::ArraySubscript("array must have two columns".to_owned());
    if let Some(rows) = array.as_list_opt::<i32>() {
        let row = |row: Option<ArrayRef>| match texts(&row.ok_or_else(two)?)?.as_slice() {
            [key, value] => Ok((key.clone(), value.clone())),
            _ => Err(two().into()),
        };
        return rows.iter().map(row).collect();
    }
    let texts = texts(array)?;
    if texts.len() % 2 == 1 {
        return Err(Error::ArraySubscript("array must have even number of elements".to_owned()).into());
    }
    let pair = |pair: &[Option<String>]| match pair {
        [key, value] => (key.clone(), value.clone()),
        _ => (None, None),
    };
    Ok(texts.chunks_exact(2).map(pair).collect())
}
