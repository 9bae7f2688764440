//! JSON made of any values: `json_build_object`, `json_build_array`, `to_json`, `row_to_json`, `array_to_json`, each of
//! jsonb too, and what the aggregates collect.
//!
//! Numbers and truth values stand bare, JSON as it is, arrays and rows as arrays and objects, moments as ISO 8601 with the
//! session's offset, all else as strings. NULL is null inside of a value; as the whole argument it gives NULL.
//! <https://www.postgresql.org/docs/16/functions-json.html#FUNCTIONS-JSON-CREATION>
//!
//! ```sql
//! SELECT json_build_object('a', ARRAY[1, 2], 'b', NULL);  -- {"a" : [1,2], "b" : null}
//! ```

use std::hash::Hash;
use std::sync::Arc;

use arrow::array::StringBuilder;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature, Volatility,
};

use super::normal;
use super::strings::escape;
use crate::Error;
use crate::function::pg_name;
use crate::pg::out::{Form, Values};
use crate::pg::zone::Zone;
use crate::pg_type;

/// Every function of this file.
pub(super) fn functions() -> Vec<Arc<ScalarUDF>> {
    [
        ("json_build_object", Of::Object, false),
        ("json_build_array", Of::Array, false),
        ("to_json", Of::Value(Argument::Any), false),
        ("row_to_json", Of::Value(Argument::Row), false),
        ("array_to_json", Of::Value(Argument::Array), false),
        ("jsonb_build_object", Of::Object, true),
        ("jsonb_build_array", Of::Array, true),
        ("lakegate_json_items", Of::Known, false),
        ("lakegate_jsonb_items", Of::Known, true),
        ("lakegate_json_pairs", Of::Members { known: false }, false),
        ("lakegate_jsonb_pairs", Of::Members { known: false }, true),
        ("lakegate_json_known", Of::Members { known: true }, false),
        ("lakegate_jsonb_known", Of::Members { known: true }, true),
        ("to_jsonb", Of::Value(Argument::Any), true),
        ("lakegate_json_list", Of::List, false),
        ("lakegate_jsonb_list", Of::List, true),
        ("lakegate_json_element", Of::Element, false),
        ("lakegate_jsonb_element", Of::Element, true),
        ("lakegate_json_member", Of::Member, false),
        ("lakegate_jsonb_member", Of::Member, true),
    ]
    .into_iter()
    .map(|(name, of, jsonb)| Arc::new(ScalarUDF::new_from_impl(Build::new(name, of, jsonb))))
    .collect()
}

/// What is made of the arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Of {
    Object,
    Array,
    /// What `JSON_ARRAY(... ABSENT ON NULL)` makes: an array without NULLs.
    Known,
    /// What `JSON_OBJECT` makes: an object, of known values alone or of all.
    Members {
        known: bool,
    },
    Value(Argument),
    /// What `json_agg(DISTINCT ...)` makes of the array that it has collected.
    List,
    /// What `json_agg` collects of a row: NULL is null.
    Element,
    /// What `json_object_agg` collects of a row: a key and its value.
    Member,
}

/// Which values a function takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Argument {
    Any,
    Row,
    Array,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Build {
    name: &'static str,
    of: Of,
    jsonb: bool,
    signature: Signature,
}

impl Build {
    fn new(name: &'static str, of: Of, jsonb: bool) -> Self {
        // How moments look depends on the session's time zone.
        let any = vec![TypeSignature::Nullary, TypeSignature::VariadicAny];
        Self { name, of, jsonb, signature: Signature::one_of(any, Volatility::Stable) }
    }

    fn check(&self, fields: &[FieldRef]) -> Result<(), Error> {
        let takes = match (self.of, fields) {
            (Of::Object | Of::Array | Of::Known | Of::Members { .. }, _)
            | (Of::Element | Of::List, [_])
            | (Of::Member, [_, _]) => true,
            (Of::Value(argument), [value]) => argument.takes(value.data_type()),
            (Of::Value(argument @ (Argument::Row | Argument::Array)), [value, pretty]) => {
                argument.takes(value.data_type()) && matches!(pretty.data_type(), DataType::Boolean)
            }
            _ => false,
        };
        if takes {
            return Ok(());
        }
        let types: Vec<_> = fields.iter().map(|field| pg_name(field.data_type())).collect();
        let name = self.name.strip_prefix("lakegate_").unwrap_or(self.name);
        Err(Error::UndefinedFunction(format!("function {name}({}) does not exist", types.join(", "))))
    }
}

impl Argument {
    fn takes(self, given: &DataType) -> bool {
        match self {
            _ if given.is_null() => true,
            Self::Any => true,
            Self::Row => matches!(given, DataType::Struct(_)),
            Self::Array => matches!(
                given,
                DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..) | DataType::ListView(_)
            ),
        }
    }
}

impl ScalarUDFImpl for Build {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _given: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        self.check(args.arg_fields)?;
        let tag = if self.jsonb { "jsonb" } else { "json" };
        let nullable = matches!(self.of, Of::Value(_) | Of::List);
        Ok(Arc::new(pg_type::tagged(self.name, DataType::Utf8, tag).with_nullable(nullable)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let zone = args.config_options.execution.time_zone.as_deref().unwrap_or("UTC");
        let zone = Zone::of_session(zone)?;
        let constant = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let rows = if constant { 1 } else { args.number_rows };
        let columns = self.columns(&args, zone)?;
        let mut out = StringBuilder::with_capacity(rows, rows * 32);
        let mut text = String::new();
        for row in 0..rows {
            text.clear();
            match self.write(&columns, row, &mut text)? {
                false => out.append_null(),
                true if self.jsonb && self.of != Of::Member => out.append_value(normal(&text)?),
                true => out.append_value(&text),
            }
        }
        let array = out.finish();
        Ok(if constant {
            ColumnarValue::Scalar(ScalarValue::try_from_array(&array, 0)?)
        } else {
            ColumnarValue::Array(Arc::new(array))
        })
    }
}

/// One argument, ready to be written.
struct Column {
    values: Values,
    constant: bool,
    /// Whether the value has parts, so that it begins a line of its own among others.
    nested: bool,
}

impl Column {
    fn at(&self, row: usize) -> usize {
        if self.constant { 0 } else { row }
    }
}

impl Build {
    fn columns(&self, args: &ScalarFunctionArgs, zone: Zone) -> Result<Vec<Column>> {
        let separator = match (self.of, args.args.get(1)) {
            (Of::List, _) => ", ",
            (Of::Value(_), Some(ColumnarValue::Scalar(ScalarValue::Boolean(Some(true))))) => ",\n ",
            (Of::Value(_), Some(ColumnarValue::Scalar(_))) => ",",
            (Of::Value(_), Some(_)) => {
                let message = format!("{} with a flag that is no constant is not supported", self.name);
                return Err(Error::Unsupported(message).into());
            }
            _ => ",",
        };
        let mut columns = Vec::with_capacity(args.args.len());
        for (at, (arg, field)) in args.args.iter().zip(&args.arg_fields).enumerate() {
            let (array, constant) = match arg {
                ColumnarValue::Scalar(value) => (value.to_array_of_size(1)?, true),
                ColumnarValue::Array(array) => (Arc::clone(array), false),
            };
            let is_key = matches!(self.of, Of::Object | Of::Member | Of::Members { .. }) && at % 2 == 0;
            if is_key && !is_scalar(field) {
                let message = "key value must be scalar, not array, composite, or json";
                return Err(Error::InvalidParameter(message.to_owned()).into());
            }
            let form = if is_key { Form::Text } else { Form::Json { separator } };
            let nested = field.data_type().is_nested();
            columns.push(Column { values: Values::new(&array, field, form, zone)?, constant, nested });
        }
        Ok(columns)
    }

    /// Whether there is a value, which is appended then.
    fn write(&self, columns: &[Column], row: usize, out: &mut String) -> Result<bool> {
        match (self.of, columns) {
            (Of::Object | Of::Members { .. }, columns) => self.object(columns, row, out)?,
            (Of::Array | Of::Known, columns) => {
                let all = self.of == Of::Array;
                out.push('[');
                let shown = columns.iter().filter(|column| all || !column.values.is_null(column.at(row)));
                for (at, column) in shown.enumerate() {
                    if at > 0 {
                        out.push_str(", ");
                    }
                    column.values.write_json(column.at(row), out)?;
                }
                out.push(']');
            }
            (Of::Value(_) | Of::List, [value, ..]) => {
                if value.values.is_null(value.at(row)) {
                    return Ok(false);
                }
                value.values.write(value.at(row), out)?;
            }
            (Of::Element, [value, ..]) => {
                if value.nested && !self.jsonb {
                    out.push_str("\n ");
                }
                value.values.write_json(value.at(row), out)?;
            }
            (Of::Member, [key, value, ..]) => {
                let key_row = key.at(row);
                if key.values.is_null(key_row) {
                    return Err(match self.jsonb {
                        true => Error::InvalidParameter("field name must not be null".to_owned()),
                        false => self.null_key(1),
                    }
                    .into());
                }
                write_key(key, key_row, out)?;
                value.values.write_json(value.at(row), out)?;
            }
            _ => return exec_err!("{} of {} arguments", self.name, columns.len()),
        }
        Ok(true)
    }

    fn object(&self, columns: &[Column], row: usize, out: &mut String) -> Result<()> {
        if columns.len() % 2 == 1 {
            return Err(Error::ParameterWithHint {
                message: "argument list must have even number of elements".to_owned(),
                hint: format!("The arguments of {}() must consist of alternating keys and values.", self.name),
            }
            .into());
        }
        out.push('{');
        let known = self.of == Of::Members { known: true };
        let mut is_first = true;
        for (at, pair) in columns.chunks_exact(2).enumerate() {
            let [key, value] = pair else { continue };
            let key_row = key.at(row);
            if key.values.is_null(key_row) {
                return Err(self.null_key(2 * at + 1).into());
            }
            if known && value.values.is_null(value.at(row)) {
                continue;
            }
            if !std::mem::take(&mut is_first) {
                out.push_str(", ");
            }
            write_key(key, key_row, out)?;
            value.values.write_json(value.at(row), out)?;
        }
        out.push('}');
        Ok(())
    }

    fn null_key(&self, argument: usize) -> Error {
        match self.jsonb {
            true => Error::InvalidParameter(format!("argument {argument}: key must not be null")),
            false => Error::NullNotAllowed("null value not allowed for object key".to_owned()),
        }
    }
}

fn write_key(key: &Column, row: usize, out: &mut String) -> Result<()> {
    let mut text = String::new();
    key.values.write(row, &mut text)?;
    escape(&text, out);
    out.push_str(" : ");
    Ok(())
}

/// Whether a value may be a key.
fn is_scalar(field: &Field) -> bool {
    !field.data_type().is_nested() && !matches!(pg_type::tag(field), Some("json" | "jsonb"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{call_in, moment, moment_tz, shown, text};

    fn check(name: &str, args: &[ScalarValue], expect: &str) {
        let all = functions();
        let udf = all.iter().find(|udf| udf.name() == name).unwrap();
        assert_eq!(shown(udf, args), expect, "{name}");
    }

    #[test]
    fn json_of_values_is_postgres_s() {
        let null = || ScalarValue::Null;
        let int = |value| ScalarValue::Int64(Some(value));
        let list = || ScalarValue::List(ScalarValue::new_list(&[int(1), int(2)], &DataType::Int64, true));
        check("json_build_object", &[text("a"), int(1), text("b"), null()], r#"{"a" : 1, "b" : null}"#);
        check(
            "jsonb_build_object",
            &[text("b"), int(1), text("a"), list(), text("a"), null()],
            r#"{"a": null, "b": 1}"#,
        );
        check("json_build_object", &[null(), int(1)], "null value not allowed for object key");
        check("lakegate_json_known", &[text("a"), null(), text("b"), int(1)], r#"{"b" : 1}"#);
        check("lakegate_json_items", &[null(), int(1)], "[1]");
        check("lakegate_json_pairs", &[], "{}");
        check("json_build_object", &[text("a")], "argument list must have even number of elements");
        check("json_build_object", &[list(), int(1)], "key value must be scalar, not array, composite, or json");
        check(
            "json_build_array",
            &[text("a\"b"), list(), ScalarValue::Boolean(Some(true))],
            r#"["a\"b", [1,2], true]"#,
        );
        check("to_json", &[ScalarValue::Float64(Some(f64::NAN))], "\"NaN\"");
        check("to_json", &[ScalarValue::Decimal128(Some(150), 5, 2)], "1.50");
        check("to_json", &[moment("2024-01-02T03:04:05.600")], "\"2024-01-02T03:04:05.6\"");
        check("to_json", &[moment_tz("2024-01-02T03:04:05")], "\"2024-01-02T03:04:05+00:00\"");
        check("to_json", &[ScalarValue::Utf8(None)], "NULL");
        check("lakegate_json_element", &[null()], "null");
        check("lakegate_json_member", &[int(1), text("x")], r#""1" : "x""#);
    }

    #[test]
    fn moments_have_the_session_s_offset() {
        let all = functions();
        let udf = all.iter().find(|udf| udf.name() == "to_json").unwrap();
        let answer = call_in("Asia/Kathmandu", udf, &[moment_tz("2024-02-29T12:00:00")], true).unwrap();
        assert_eq!(answer, text("\"2024-02-29T17:45:00+05:45\""));
    }
}
