//! `json -> key`, `json ->> index`, `json #> path` by PostgreSQL's names of their functions, and what a value is.
//!
//! A missing key, an index beyond the end or a step into a scalar gives NULL, as does NULL. `->>` and its kin give a
//! string without quotes and NULL for null. Of equal keys the last counts; negative indexes count from the end. A scalar
//! that is a whole jsonb is its own element 0, as in PostgreSQL.
//! <https://www.postgresql.org/docs/16/functions-json.html>
//!
//! ```sql
//! SELECT '{"a": [1, 2]}'::json -> 'a' ->> -1;  -- 2
//! ```

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::datatypes::Int32Type;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::path::{descend, element, field};
use super::walk::{Kind, as_text, elements, kind};
use crate::Error;
use crate::function::{Args, Column, Overload, Returns, Ty, function, overload, overload_of, some};

const JSON: Returns = Returns::Tagged(Ty::Text, "json");
const JSONB: Returns = Returns::Tagged(Ty::Text, "jsonb");
const TEXT: Returns = Returns::Type(Ty::Text);

/// Every function of this file.
pub(super) fn functions() -> Vec<Arc<ScalarUDF>> {
    static FIELD: [Overload; 1] = [overload_of(&[Ty::Text, Ty::Text], JSON, |args| fields(args, as_is))];
    static FIELD_B: [Overload; 1] = [overload_of(&[Ty::Text, Ty::Text], JSONB, |args| fields(args, as_is))];
    static FIELD_TEXT: [Overload; 1] = [overload_of(&[Ty::Text, Ty::Text], TEXT, |args| fields(args, as_text))];
    static ELEMENT: [Overload; 1] = [overload_of(&[Ty::Text, Ty::Int], JSON, |args| at_index(args, element, as_is))];
    static ELEMENT_TEXT: [Overload; 1] =
        [overload_of(&[Ty::Text, Ty::Int], TEXT, |args| at_index(args, element, as_text))];
    static ELEMENT_B: [Overload; 1] =
        [overload_of(&[Ty::Text, Ty::Int], JSONB, |args| at_index(args, jsonb_element, as_is))];
    static ELEMENT_B_TEXT: [Overload; 1] =
        [overload_of(&[Ty::Text, Ty::Int], TEXT, |args| at_index(args, jsonb_element, as_text))];
    static PATH: [Overload; 2] = [steps(JSON, |args| variadic(args, as_is)), paths(JSON, |args| path(args, as_is))];
    static PATH_B: [Overload; 2] = [steps(JSONB, |args| variadic(args, as_is)), paths(JSONB, |args| path(args, as_is))];
    static PATH_TEXT: [Overload; 2] =
        [steps(TEXT, |args| variadic(args, as_text)), paths(TEXT, |args| path(args, as_text))];
    // The operators take an array only, which a parameter beside them is then.
    static AT: [Overload; 1] = [paths(JSON, |args| path(args, as_is))];
    static AT_B: [Overload; 1] = [paths(JSONB, |args| path(args, as_is))];
    static AT_TEXT: [Overload; 1] = [paths(TEXT, |args| path(args, as_text))];
    static LENGTH: [Overload; 1] = [overload(&[Ty::Text], Ty::Int4, length)];
    static TYPE: [Overload; 1] = [overload(&[Ty::Text], Ty::Text, type_of)];
    vec![
        function("json_object_field", &FIELD),
        function("json_object_field_text", &FIELD_TEXT),
        function("jsonb_object_field", &FIELD_B),
        function("jsonb_object_field_text", &FIELD_TEXT),
        function("json_array_element", &ELEMENT),
        function("json_array_element_text", &ELEMENT_TEXT),
        function("jsonb_array_element", &ELEMENT_B),
        function("jsonb_array_element_text", &ELEMENT_B_TEXT),
        function("json_extract_path", &PATH),
        function("json_extract_path_text", &PATH_TEXT),
        function("jsonb_extract_path", &PATH_B),
        function("jsonb_extract_path_text", &PATH_TEXT),
        function("lakegate_json_path", &AT),
        function("lakegate_json_path_text", &AT_TEXT),
        function("lakegate_jsonb_path", &AT_B),
        function("lakegate_jsonb_path_text", &AT_TEXT),
        function("json_array_length", &LENGTH),
        function("jsonb_array_length", &LENGTH),
        function("json_typeof", &TYPE),
        function("jsonb_typeof", &TYPE),
    ]
}

/// What is given of a value that was found.
type Give = for<'a> fn(&'a str) -> Result<Option<Cow<'a, str>>, Error>;

#[expect(clippy::unnecessary_wraps, reason = "the one way of two that cannot fail")]
fn as_is(value: &str) -> Result<Option<Cow<'_, str>>, Error> {
    Ok(Some(Cow::Borrowed(value)))
}

const fn paths(returns: Returns, kernel: crate::function::Kernel) -> Overload {
    overload_of(&[Ty::Text, Ty::TextArray], returns, kernel)
}

const fn steps(returns: Returns, kernel: crate::function::Kernel) -> Overload {
    Overload { args: &[Ty::Text, Ty::Text], variadic: true, returns, kernel }
}

fn fields(args: &Args<'_>, give: Give) -> Result<ArrayRef> {
    let (values, keys) = (args.text(0)?, args.text(1)?);
    args.build_text(|row| {
        let (value, key) = (some!(values.get(row)), some!(keys.get(row)));
        Ok(give(some!(field(value, key)?))?)
    })
}

fn at_index(args: &Args<'_>, find: fn(&str, i64) -> Option<&str>, give: Give) -> Result<ArrayRef> {
    let (values, indexes) = (args.text(0)?, args.int(1)?);
    args.build_text(|row| {
        let (value, index) = (some!(values.get(row)), some!(indexes.get(row)));
        Ok(give(some!(find(value, index)))?)
    })
}

fn jsonb_element(text: &str, index: i64) -> Option<&str> {
    if kind(text).is_scalar() {
        return matches!(index, 0 | -1).then_some(text);
    }
    element(text, index)
}

/// The elements of one row's array of texts.
pub(super) fn texts(array: &ArrayRef) -> impl Iterator<Item = Option<&str>> {
    array.as_any().downcast_ref::<StringArray>().into_iter().flatten()
}

fn path(args: &Args<'_>, give: Give) -> Result<ArrayRef> {
    let (values, paths) = (args.text(0)?, args.list(1)?);
    args.build_text(|row| {
        let (value, path) = (some!(values.get(row)), some!(paths.get(row)));
        let found = some!(descend(value, texts(&path))?);
        // The path is this row's only; what was found is the value's.
        Ok(give(found)?)
    })
}

fn variadic(args: &Args<'_>, give: Give) -> Result<ArrayRef> {
    let values = args.text(0)?;
    let steps = (1..args.len()).map(|index| args.text(index)).collect::<Result<Vec<Column<'_, StringArray>>>>()?;
    args.build_text(|row| {
        let value = some!(values.get(row));
        Ok(give(some!(descend(value, steps.iter().map(|step| step.get(row)))?))?)
    })
}

fn length(args: &Args<'_>) -> Result<ArrayRef> {
    let values = args.text(0)?;
    args.build::<Int32Type>(|row| {
        let value = some!(values.get(row));
        match kind(value) {
            Kind::Array => Ok(i32::try_from(elements(value).count()).ok()),
            Kind::Object => Err(Error::InvalidParameter("cannot get array length of a non-array".to_owned()).into()),
            _ => Err(Error::InvalidParameter("cannot get array length of a scalar".to_owned()).into()),
        }
    })
}

fn type_of(args: &Args<'_>) -> Result<ArrayRef> {
    let values = args.text(0)?;
    args.build_text(|row| Ok(Some(kind(some!(values.get(row))).name())))
}

/// The rows of a list column as arrays of texts, whatever their string type.
pub(super) fn list_of_texts(args: &Args<'_>, index: usize) -> Result<Vec<Option<Vec<Option<String>>>>> {
    let lists = args.expanded(index)?;
    let Some(lists) = lists.as_list_opt::<i32>() else { return Ok(vec![None; args.rows]) };
    let row = |list: Option<ArrayRef>| list.map(|list| texts(&list).map(|text| text.map(str::to_owned)).collect());
    Ok(lists.iter().map(row).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{shown, text};
    use datafusion::common::ScalarValue;

    #[test]
    fn steps_are_postgres_s() {
        let all = functions();
        let check = |name: &str, args: &[ScalarValue], expect: &str| {
            let udf = all.iter().find(|udf| udf.name() == name).unwrap();
            assert_eq!(shown(udf, args), expect, "{name}");
        };
        let int = |value| ScalarValue::Int64(Some(value));
        let list = |items: &[&str]| {
            let items: Vec<_> = items.iter().map(|item| text(item)).collect();
            ScalarValue::List(ScalarValue::new_list(&items, &arrow::datatypes::DataType::Utf8, true))
        };
        let nested = || text(r#"{"a": {"b": [1, 2, {"c": null}]}}"#);
        check("json_object_field", &[text(r#"{"a":  {"b":1} , "a": 2}"#), text("a")], "2");
        check("json_object_field", &[text(r#"{"\u0061": "x"}"#), text("a")], "\"x\"");
        check("json_object_field_text", &[text(r#"{"a": "x\n"}"#), text("a")], "x\n");
        check("json_object_field_text", &[text(r#"{"a": null}"#), text("a")], "NULL");
        check("json_object_field", &[text("[1]"), text("a")], "NULL");
        check("json_array_element", &[text("[1,2,3]"), int(-1)], "3");
        check("json_array_element", &[text("[1,2,3]"), int(-4)], "NULL");
        check("json_array_element", &[text("1"), int(0)], "NULL");
        check("jsonb_array_element", &[text("1"), int(0)], "1");
        check("json_extract_path", &[nested(), list(&["a", "b", "2"])], r#"{"c": null}"#);
        check("json_extract_path_text", &[nested(), list(&["a", "b", "2", "c"])], "NULL");
        check("json_extract_path_text", &[nested(), text("a"), text("b"), text("-3")], "1");
        check("json_extract_path", &[text(" [1, 2 ] "), list(&[])], "[1, 2 ]");
        check("json_array_length", &[text("[1,[2,3]]")], "2");
        check("json_array_length", &[text("{}")], "cannot get array length of a non-array");
        check("jsonb_array_length", &[text("1")], "cannot get array length of a scalar");
        check("json_typeof", &[text("-1")], "number");
    }
}
