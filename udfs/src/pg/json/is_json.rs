//! `lakegate_is_json(value, kind text, unique boolean) -> boolean` - `value IS JSON`, of a kind, with unique keys.
//!
//! The kinds are `value`, `scalar`, `array` and `object`. NULL gives NULL. Users never name it.
//! <https://www.postgresql.org/docs/16/functions-json.html#FUNCTIONS-SQLJSON-MISC>
//!
//! ```sql
//! SELECT '{"a": 1, "a": 2}' IS JSON OBJECT WITH UNIQUE KEYS;  -- false
//! ```

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::read;
use super::strings::unescape;
use super::walk::{Kind, elements, kind, members};
use crate::Error;
use crate::function::{Args, Overload, Returns, Ty, function, overload, overload_of, pg_name, some};

/// The function.
pub(super) fn is_json() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 2] = [
        overload(&[Ty::Text, Ty::Text, Ty::Bool], Ty::Bool, test),
        overload_of(&[Ty::Any, Ty::Text, Ty::Bool], Returns::From(|_| DataType::Boolean), refused),
    ];
    function("lakegate_is_json", &OVERLOADS)
}

fn test(args: &Args<'_>) -> Result<ArrayRef> {
    let (texts, kinds, unique) = (args.text(0)?, args.text(1)?, args.boolean(2)?);
    args.build_bool(|row| {
        let (text, wanted, unique) = (some!(texts.get(row)), some!(kinds.get(row)), some!(unique.get(row)));
        if read::check(text).is_err() {
            return Ok(Some(false));
        }
        let is_kind = match wanted {
            "object" => kind(text) == Kind::Object,
            "array" => kind(text) == Kind::Array,
            "scalar" => kind(text).is_scalar(),
            _ => true,
        };
        Ok(Some(is_kind && (!unique || has_unique_keys(text)?)))
    })
}

/// 42804: only texts may be JSON, and bytes, which are 0A000.
fn refused(args: &Args<'_>) -> Result<ArrayRef> {
    let of = pg_name(args.array(0)?.data_type());
    if of == "bytea" {
        return Err(Error::Unsupported("IS JSON of type bytea is not supported".to_owned()).into());
    }
    Err(Error::DatatypeMismatch(format!("cannot use type {of} in IS JSON predicate")).into())
}

/// Whether no object in a valid text, however deep, has a key twice.
fn has_unique_keys(text: &str) -> Result<bool, Error> {
    let mut rest = vec![text];
    while let Some(value) = rest.pop() {
        match kind(value) {
            Kind::Object => {
                let mut keys = HashSet::new();
                for (key, value) in members(value) {
                    if !keys.insert(unescape(key)?) {
                        return Ok(false);
                    }
                    rest.push(value);
                }
            }
            Kind::Array => rest.extend(elements(value)),
            _ => {}
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{call, text};
    use datafusion::common::ScalarValue;

    #[test]
    fn texts_are_json_of_a_kind_or_not() {
        for (value, kind, unique, expect) in [
            ("1", "value", false, true),
            ("1", "scalar", false, true),
            ("[1,]", "value", false, false),
            (" [1]", "array", false, true),
            ("{}", "array", false, false),
            (r#"{"a":1,"a":2}"#, "object", false, true),
            (r#"{"a":1,"\u0061":2}"#, "object", true, false),
            (r#"[{"b":{"a":1,"a":2}}]"#, "value", true, false),
            (r#"{"a":{"a":1}}"#, "value", true, true),
        ] {
            let args = [text(value), text(kind), ScalarValue::Boolean(Some(unique))];
            assert_eq!(call(&is_json(), &args, true), Ok(ScalarValue::Boolean(Some(expect))), "{value} IS JSON {kind}");
        }
    }
}
