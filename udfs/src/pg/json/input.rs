//! `lakegate_json_in(text) -> json`, `lakegate_jsonb_in(text) -> jsonb`, and the scalar that a cast of a jsonb takes out.
//!
//! Casts from text are planned as calls of these: 22P02 for what is no JSON. NULL gives NULL. Users never name them.
//! <https://www.postgresql.org/docs/16/datatype-json.html>

use std::sync::Arc;

use arrow::array::ArrayRef;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::walk::{Kind, as_text, kind};
use super::{normal, read};
use crate::Error;
use crate::function::{Args, Overload, Returns, Ty, function, overload_of, some};

/// Every function of this file.
pub(super) fn functions() -> Vec<Arc<ScalarUDF>> {
    static RECORD: [Overload; 1] = [overload_of(&[Ty::Text], Returns::Tagged(Ty::Text, "json"), object)];
    static RECORD_B: [Overload; 1] = [overload_of(&[Ty::Text], Returns::Tagged(Ty::Text, "jsonb"), object)];
    vec![
        json(),
        jsonb(),
        jsonb_scalar(),
        function("lakegate_json_to_record", &RECORD),
        function("lakegate_jsonb_to_record", &RECORD_B),
    ]
}

/// The object that a row is made of: 22023 for other values, NULL for null.
fn object(args: &Args<'_>) -> Result<ArrayRef> {
    let values = args.text(0)?;
    args.build_text(|row| {
        let value = some!(values.get(row));
        let what = match kind(value) {
            Kind::Object => return Ok(Some(value)),
            Kind::Null => return Ok(None),
            Kind::Array => "an array",
            _ => "a scalar",
        };
        Err(Error::InvalidParameter(format!("cannot call populate_composite on {what}")).into())
    })
}

/// The function that reads texts as values of the type; `None` if it is another.
pub fn text_in(pg_type: &str) -> Option<Arc<ScalarUDF>> {
    match pg_type {
        "json" => Some(json()),
        "jsonb" => Some(jsonb()),
        _ => None,
    }
}

fn json() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload_of(&[Ty::Text], Returns::Tagged(Ty::Text, "json"), |args| {
        let texts = args.text(0)?;
        args.build_text(|row| {
            let text = some!(texts.get(row));
            read::check(text)?;
            Ok(Some(text))
        })
    })];
    function("lakegate_json_in", &OVERLOADS)
}

fn jsonb() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload_of(&[Ty::Text], Returns::Tagged(Ty::Text, "jsonb"), |args| {
        let texts = args.text(0)?;
        args.build_text(|row| Ok(Some(normal(some!(texts.get(row)))?)))
    })];
    function("lakegate_jsonb_in", &OVERLOADS)
}

/// `lakegate_jsonb_scalar(jsonb, type text) -> text`: the number or the truth value that is cast to the type; 22023 for
/// any other value.
pub fn jsonb_scalar() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload_of(&[Ty::Text, Ty::Text], Returns::Type(Ty::Text), scalar)];
    function("lakegate_jsonb_scalar", &OVERLOADS)
}

fn scalar(args: &Args<'_>) -> Result<ArrayRef> {
    let (values, types) = (args.text(0)?, args.text(1)?);
    args.build_text(|row| {
        let (value, to) = (some!(values.get(row)), some!(types.get(row)));
        let wanted = if to == "boolean" { Kind::Boolean } else { Kind::Number };
        match kind(value) {
            kind if kind == wanted => Ok(as_text(value)?),
            Kind::Number => Err(refused("numeric", to)),
            kind => Err(refused(kind.name(), to)),
        }
    })
}

fn refused(kind: &str, to: &str) -> datafusion::common::DataFusionError {
    Error::InvalidParameter(format!("cannot cast jsonb {kind} to type {to}")).into()
}
