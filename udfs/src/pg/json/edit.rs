//! jsonb made of jsonb: `||`, `-`, `#-`, `jsonb_set`, `jsonb_insert`, `jsonb_strip_nulls`, `jsonb_pretty`.
//!
//! Owns: PostgreSQL's rules for steps that lead nowhere (the value stays), for indexes beyond the ends (the nearest end)
//! and for values that have no parts (22023). NULL gives NULL.
//! <https://www.postgresql.org/docs/16/functions-json.html#FUNCTIONS-JSON-PROCESSING>
//!
//! ```sql
//! SELECT jsonb_set('{"a": [1, 2]}', '{a,0}', '9');  -- {"a": [9, 2]}
//! ```

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::ArrayRef;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::access::list_of_texts;
use super::change::{Change, at_path, path_of};
use super::path::place;
use super::read::{bounded, write_object};
use super::strings::{escape, unescape};
use super::walk::{Kind, elements, kind, members};
use crate::Error;
use crate::function::{Args, Overload, Returns, Ty, function, overload_of, some};

const JSON: Returns = Returns::Tagged(Ty::Text, "json");
const JSONB: Returns = Returns::Tagged(Ty::Text, "jsonb");

/// Every function of this file.
pub(super) fn functions() -> Vec<Arc<ScalarUDF>> {
    static CONCAT: [Overload; 1] = [overload_of(&[Ty::Text, Ty::Text], JSONB, concat)];
    static DELETE: [Overload; 3] = [
        // What has no type yet is a key.
        overload_of(&[Ty::Text, Ty::Text], JSONB, delete_key),
        overload_of(&[Ty::Text, Ty::Int], JSONB, delete_index),
        overload_of(&[Ty::Text, Ty::TextArray], JSONB, delete_keys),
    ];
    static DELETE_PATH: [Overload; 2] = [
        overload_of(&[Ty::Text, Ty::TextArray], JSONB, delete_path),
        overload_of(&[Ty::Text, Ty::Text], JSONB, delete_path),
    ];
    static SET: [Overload; 4] = put(set);
    static INSERT: [Overload; 4] = put(insert);
    static STRIP: [Overload; 1] = [overload_of(&[Ty::Text], JSON, |args| strip_nulls(args, (",", ":")))];
    static STRIP_B: [Overload; 1] = [overload_of(&[Ty::Text], JSONB, |args| strip_nulls(args, (", ", ": ")))];
    static PRETTY: [Overload; 1] = [overload_of(&[Ty::Text], Returns::Type(Ty::Text), pretty)];
    vec![
        function("jsonb_concat", &CONCAT),
        function("jsonb_delete", &DELETE),
        function("jsonb_delete_path", &DELETE_PATH),
        function("jsonb_set", &SET),
        function("jsonb_insert", &INSERT),
        function("json_strip_nulls", &STRIP),
        function("jsonb_strip_nulls", &STRIP_B),
        function("jsonb_pretty", &PRETTY),
    ]
}

/// A path that is written out is a text until the engine reads it.
const fn put(kernel: crate::function::Kernel) -> [Overload; 4] {
    [
        overload_of(&[Ty::Text, Ty::TextArray, Ty::Text], JSONB, kernel),
        overload_of(&[Ty::Text, Ty::TextArray, Ty::Text, Ty::Bool], JSONB, kernel),
        overload_of(&[Ty::Text, Ty::Text, Ty::Text], JSONB, kernel),
        overload_of(&[Ty::Text, Ty::Text, Ty::Text, Ty::Bool], JSONB, kernel),
    ]
}

/// 22023.
pub(super) fn refused(message: &str) -> Error {
    Error::InvalidParameter(message.to_owned())
}

pub(super) fn write_array<'a>(items: impl IntoIterator<Item = &'a str>, out: &mut String) {
    out.push('[');
    for (at, item) in items.into_iter().enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        out.push_str(item);
    }
    out.push(']');
}

/// A key as a text, with its value.
pub(super) type Member<'a> = (Cow<'a, str>, Cow<'a, str>);

/// The members of an object with their keys as texts.
pub(super) fn keyed(text: &str) -> Result<Vec<Member<'_>>, Error> {
    members(text).map(|(key, value)| Ok((unescape(key)?, Cow::Borrowed(value)))).collect()
}

fn concat(args: &Args<'_>) -> Result<ArrayRef> {
    let (left, right) = (args.text(0)?, args.text(1)?);
    args.build_text(|row| {
        let (left, right) = (some!(left.get(row)), some!(right.get(row)));
        let mut out = String::with_capacity(left.len() + right.len() + 2);
        if (kind(left), kind(right)) == (Kind::Object, Kind::Object) {
            let mut all = keyed(left)?;
            all.extend(keyed(right)?);
            write_object(all, &mut out);
        } else {
            write_array(parts(left).chain(parts(right)), &mut out);
        }
        bounded(&out)?;
        Ok(Some(out))
    })
}

/// The elements of an array; any other value is its own only one.
fn parts(text: &str) -> Box<dyn Iterator<Item = &str> + '_> {
    match kind(text) {
        Kind::Array => Box::new(elements(text)),
        _ => Box::new(std::iter::once(text)),
    }
}

fn delete_key(args: &Args<'_>) -> Result<ArrayRef> {
    let (values, keys) = (args.text(0)?, args.text(1)?);
    args.build_text(|row| {
        let (value, key) = (some!(values.get(row)), some!(keys.get(row)));
        Ok(Some(without(value, |found| found == key)?))
    })
}

fn delete_keys(args: &Args<'_>) -> Result<ArrayRef> {
    let (values, keys) = (args.text(0)?, list_of_texts(args, 1)?);
    args.build_text(|row| {
        let value = some!(values.get(row));
        let keys = some!(keys.get(row).and_then(Option::as_ref));
        Ok(Some(without(value, |found| keys.iter().flatten().any(|key| key == found))?))
    })
}

/// Without the members of these keys, or the strings of an array that are these.
fn without(value: &str, is_gone: impl Fn(&str) -> bool) -> Result<String, Error> {
    let mut out = String::with_capacity(value.len());
    match kind(value) {
        Kind::Object => {
            let mut all = keyed(value)?;
            all.retain(|(key, _)| !is_gone(key));
            write_object(all, &mut out);
        }
        Kind::Array => {
            let mut kept = Vec::new();
            for element in elements(value) {
                if kind(element) != Kind::String || !is_gone(&unescape(element)?) {
                    kept.push(element);
                }
            }
            write_array(kept, &mut out);
        }
        _ => return Err(refused("cannot delete from scalar")),
    }
    Ok(out)
}

fn delete_index(args: &Args<'_>) -> Result<ArrayRef> {
    let (values, indexes) = (args.text(0)?, args.int(1)?);
    args.build_text(|row| {
        let (value, index) = (some!(values.get(row)), some!(indexes.get(row)));
        match kind(value) {
            Kind::Array => {
                let gone = place(index, elements(value).count());
                let kept = elements(value).enumerate().filter(|(at, _)| Some(*at) != gone).map(|(_, element)| element);
                let mut out = String::with_capacity(value.len());
                write_array(kept, &mut out);
                Ok(Some(out))
            }
            Kind::Object => Err(refused("cannot delete from object using integer index").into()),
            _ => Err(refused("cannot delete from scalar").into()),
        }
    })
}

fn delete_path(args: &Args<'_>) -> Result<ArrayRef> {
    let (values, paths) = (args.text(0)?, list_of_texts(args, 1)?);
    args.build_text(|row| {
        let value = some!(values.get(row));
        let path = some!(paths.get(row).and_then(Option::as_ref));
        if kind(value).is_scalar() {
            return Err(refused("cannot delete path in scalar").into());
        }
        Ok(Some(at_path(value, &path_of(path)?, &Change::Delete)?))
    })
}

fn set(args: &Args<'_>) -> Result<ArrayRef> {
    edited(args, true, |new, create| Change::Set { new, create })
}

fn insert(args: &Args<'_>) -> Result<ArrayRef> {
    edited(args, false, |new, after| Change::Insert { new, after })
}

/// A value with another one put at the end of a path; the flag is as the fourth argument says, or as given.
fn edited(args: &Args<'_>, default: bool, change: for<'a> fn(&'a str, bool) -> Change<'a>) -> Result<ArrayRef> {
    let (values, paths, new) = (args.text(0)?, list_of_texts(args, 1)?, args.text(2)?);
    let flags = if args.len() > 3 { Some(args.boolean(3)?) } else { None };
    args.build_text(|row| {
        let (value, new) = (some!(values.get(row)), some!(new.get(row)));
        let path = some!(paths.get(row).and_then(Option::as_ref));
        let flag = match &flags {
            Some(flags) => some!(flags.get(row)),
            None => default,
        };
        if kind(value).is_scalar() {
            return Err(refused("cannot set path in scalar").into());
        }
        let out = at_path(value, &path_of(path)?, &change(new, flag))?;
        bounded(&out)?;
        Ok(Some(out))
    })
}

fn strip_nulls(args: &Args<'_>, separators: (&str, &str)) -> Result<ArrayRef> {
    let values = args.text(0)?;
    args.build_text(|row| {
        let value = some!(values.get(row));
        bounded(value)?;
        let mut out = String::with_capacity(value.len());
        strip(value, separators, &mut out)?;
        Ok(Some(out))
    })
}

fn strip(value: &str, (comma, colon): (&str, &str), out: &mut String) -> Result<(), Error> {
    match kind(value) {
        Kind::Object => {
            out.push('{');
            let kept = members(value).filter(|(_, value)| kind(value) != Kind::Null);
            for (at, (key, value)) in kept.enumerate() {
                if at > 0 {
                    out.push_str(comma);
                }
                escape(&unescape(key)?, out);
                out.push_str(colon);
                strip(value, (comma, colon), out)?;
            }
            out.push('}');
        }
        Kind::Array => {
            out.push('[');
            for (at, element) in elements(value).enumerate() {
                if at > 0 {
                    out.push_str(comma);
                }
                strip(element, (comma, colon), out)?;
            }
            out.push(']');
        }
        Kind::String => escape(&unescape(value)?, out),
        _ => out.push_str(super::walk::trimmed(value)),
    }
    Ok(())
}

fn pretty(args: &Args<'_>) -> Result<ArrayRef> {
    let values = args.text(0)?;
    args.build_text(|row| {
        let value = some!(values.get(row));
        let mut out = String::with_capacity(2 * value.len());
        indent(value, 0, &mut out);
        Ok(Some(out))
    })
}

/// Four blanks a level; what is empty has its end on a line of its own, too.
fn indent(value: &str, depth: usize, out: &mut String) {
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("    ", depth));
    };
    let kind = kind(value);
    if kind.is_scalar() {
        return out.push_str(value);
    }
    let (opening, closing) = if kind == Kind::Object { ('{', '}') } else { ('[', ']') };
    out.push(opening);
    for (at, (key, value)) in members(value).enumerate() {
        if at > 0 {
            out.push(',');
        }
        line(out, depth + 1);
        out.push_str(key);
        out.push_str(": ");
        indent(value, depth + 1, out);
    }
    for (at, element) in elements(value).enumerate() {
        if at > 0 {
            out.push(',');
        }
        line(out, depth + 1);
        indent(element, depth + 1, out);
    }
    line(out, depth);
    out.push(closing);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{shown, text};
    use datafusion::common::ScalarValue;

    #[test]
    fn edits_are_postgres_s() {
        let all = functions();
        let check = |name: &str, args: &[ScalarValue], expect: &str| {
            let udf = all.iter().find(|udf| udf.name() == name).unwrap();
            assert_eq!(shown(udf, args), expect, "{name} {args:?}");
        };
        let list = |path: &str| {
            let items: Vec<_> = path.split(',').filter(|step| !step.is_empty()).map(text).collect();
            ScalarValue::List(ScalarValue::new_list(&items, &arrow::datatypes::DataType::Utf8, true))
        };
        let int = |value| ScalarValue::Int64(Some(value));
        let yes = || ScalarValue::Boolean(Some(true));
        check("jsonb_concat", &[text(r#"{"a": 1}"#), text(r#"{"b": 2, "a": 3}"#)], r#"{"a": 3, "b": 2}"#);
        check("jsonb_concat", &[text("1"), text("[2]")], "[1, 2]");
        check("jsonb_concat", &[text(r#"{"a": 1}"#), text("[1]")], r#"[{"a": 1}, 1]"#);
        check("jsonb_delete", &[text(r#"{"a": 1, "b": 2}"#), text("a")], r#"{"b": 2}"#);
        check("jsonb_delete", &[text(r#"{"a": 1, "b": 2}"#), list("a,b")], "{}");
        check("jsonb_delete", &[text(r#"["a", "b"]"#), text("a")], r#"["b"]"#);
        check("jsonb_delete", &[text("[1, 2, 3]"), int(-1)], "[1, 2]");
        check("jsonb_delete", &[text("{}"), int(1)], "cannot delete from object using integer index");
        check("jsonb_delete", &[text("1"), text("a")], "cannot delete from scalar");
        check("jsonb_delete_path", &[text(r#"{"a": {"b": [1, 2]}}"#), list("a,b,0")], r#"{"a": {"b": [2]}}"#);
        check("jsonb_delete_path", &[text("[1]"), list("a")], "path element at position 1 is not an integer: \"a\"");
        check("jsonb_set", &[text(r#"{"a": {"b": [1, 2]}}"#), list("a,b,0"), text("9")], r#"{"a": {"b": [9, 2]}}"#);
        check("jsonb_set", &[text(r#"{"bb": 1}"#), list("a"), text("2")], r#"{"a": 2, "bb": 1}"#);
        check("jsonb_set", &[text("[1, 2]"), list("-5"), text("3")], "[3, 1, 2]");
        check("jsonb_set", &[text(r#"{"a": 1}"#), list("x,y"), text("2")], r#"{"a": 1}"#);
        check("jsonb_insert", &[text(r#"{"a": [1, 2]}"#), list("a,0"), text("9")], r#"{"a": [9, 1, 2]}"#);
        check("jsonb_insert", &[text(r#"{"a": [1, 2]}"#), list("a,-1"), text("9"), yes()], r#"{"a": [1, 2, 9]}"#);
        check("jsonb_insert", &[text(r#"{"a": 1}"#), list("a"), text("9")], "cannot replace existing key");
        check("json_strip_nulls", &[text(r#"{"a": null, "b": [null, {"c": null}]}"#)], r#"{"b":[null,{}]}"#);
        check(
            "jsonb_pretty",
            &[text(r#"{"a": [1, {}]}"#)],
            "{\n    \"a\": [\n        1,\n        {\n        }\n    ]\n}",
        );
    }
}
