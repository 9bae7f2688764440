//! Questions that jsonb answers: `@>`, `<@`, `?`, `?|`, `?&`, `=`, `<`.
//!
//! Owns: PostgreSQL's containment (order and repeats of elements do not count, an array contains a scalar that is one of
//! its elements) and its order (kinds, then sizes, then parts). NULL gives NULL.
//! <https://www.postgresql.org/docs/16/datatype-json.html#JSON-CONTAINMENT>
//!
//! ```sql
//! SELECT '{"a": [1, 2]}'::jsonb @> '{"a": [2]}';  -- true
//! ```

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::Int32Type;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::access::list_of_texts;
use super::path::{field, is_key};
use super::read::key_order;
use super::strings::unescape;
use super::walk::{Kind, elements, kind, members};
use crate::Error;
use crate::function::{Args, Overload, Ty, function, overload, some};

/// Every function of this file.
pub(super) fn functions() -> Vec<Arc<ScalarUDF>> {
    static CONTAINS: [Overload; 1] = [overload(&[Ty::Text, Ty::Text], Ty::Bool, |args| both(args, contains))];
    static CONTAINED: [Overload; 1] =
        [overload(&[Ty::Text, Ty::Text], Ty::Bool, |args| both(args, |left, right| contains(right, left)))];
    static EXISTS: [Overload; 1] = [overload(&[Ty::Text, Ty::Text], Ty::Bool, |args| both(args, exists))];
    // Keys that are written out are a text until the engine reads them.
    static EXISTS_ANY: [Overload; 2] = [
        overload(&[Ty::Text, Ty::TextArray], Ty::Bool, |args| exist(args, false)),
        overload(&[Ty::Text, Ty::Text], Ty::Bool, |args| exist(args, false)),
    ];
    static EXISTS_ALL: [Overload; 2] = [
        overload(&[Ty::Text, Ty::TextArray], Ty::Bool, |args| exist(args, true)),
        overload(&[Ty::Text, Ty::Text], Ty::Bool, |args| exist(args, true)),
    ];
    static COMPARE: [Overload; 1] = [overload(&[Ty::Text, Ty::Text], Ty::Int4, comparison)];
    vec![
        function("jsonb_contains", &CONTAINS),
        function("jsonb_contained", &CONTAINED),
        function("jsonb_exists", &EXISTS),
        function("jsonb_exists_any", &EXISTS_ANY),
        function("jsonb_exists_all", &EXISTS_ALL),
        function("jsonb_cmp", &COMPARE),
    ]
}

fn both(args: &Args<'_>, question: fn(&str, &str) -> Result<bool, Error>) -> Result<ArrayRef> {
    let (left, right) = (args.text(0)?, args.text(1)?);
    args.build_bool(|row| Ok(Some(question(some!(left.get(row)), some!(right.get(row)))?)))
}

/// Whether all of the keys are there, or any.
fn exist(args: &Args<'_>, all: bool) -> Result<ArrayRef> {
    let (values, keys) = (args.text(0)?, list_of_texts(args, 1)?);
    args.build_bool(|row| {
        let value = some!(values.get(row));
        for key in some!(keys.get(row).and_then(Option::as_ref)).iter().flatten() {
            if exists(value, key)? != all {
                return Ok(Some(!all));
            }
        }
        Ok(Some(all))
    })
}

/// Whether a text is a key of an object, an element of an array, or the string itself.
fn exists(value: &str, key: &str) -> Result<bool, Error> {
    let is_string = |value: &str| if kind(value) == Kind::String { is_key(value, key) } else { Ok(false) };
    match kind(value) {
        Kind::Object => Ok(field(value, key)?.is_some()),
        Kind::Array => {
            for element in elements(value) {
                if is_string(element)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        _ => is_string(value),
    }
}

fn contains(outer: &str, inner: &str) -> Result<bool, Error> {
    match (kind(outer), kind(inner)) {
        // An array contains a scalar, but only here at the top.
        (Kind::Array, inner_kind) if inner_kind.is_scalar() => has(outer, inner),
        _ => holds(outer, inner),
    }
}

fn holds(outer: &str, inner: &str) -> Result<bool, Error> {
    match (kind(outer), kind(inner)) {
        (Kind::Object, Kind::Object) => {
            for (key, value) in members(inner) {
                match field(outer, &unescape(key)?)? {
                    Some(found) if holds(found, value)? => {}
                    _ => return Ok(false),
                }
            }
            Ok(true)
        }
        (Kind::Array, Kind::Array) => {
            for element in elements(inner) {
                if !has(outer, element)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        (Kind::Object | Kind::Array, _) | (_, Kind::Object | Kind::Array) => Ok(false),
        _ => Ok(compare(outer, inner)? == Ordering::Equal),
    }
}

fn has(array: &str, wanted: &str) -> Result<bool, Error> {
    for element in elements(array) {
        if holds(element, wanted)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn comparison(args: &Args<'_>) -> Result<ArrayRef> {
    let (left, right) = (args.text(0)?, args.text(1)?);
    args.build::<Int32Type>(|row| {
        let order = compare(some!(left.get(row)), some!(right.get(row)))?;
        Ok(Some(order as i32))
    })
}

/// jsonb's order.
fn compare(left: &str, right: &str) -> Result<Ordering, Error> {
    let (one, other) = (kind(left), kind(right));
    if one != other {
        // An empty array that is a whole value sorts below everything, by an old mistake that PostgreSQL keeps.
        let empty = |kind: Kind, text: &str| kind == Kind::Array && elements(text).next().is_none();
        return Ok(match (empty(one, left), empty(other, right)) {
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            _ => one.cmp(&other),
        });
    }
    Ok(match one {
        Kind::Null => Ordering::Equal,
        Kind::String => unescape(left)?.as_bytes().cmp(unescape(right)?.as_bytes()),
        Kind::Number => numbers(left, right),
        Kind::Boolean => left.len().cmp(&right.len()).reverse(),
        Kind::Array => {
            let sizes = elements(left).count().cmp(&elements(right).count());
            let mut pairs = elements(left).zip(elements(right));
            first(sizes, &mut pairs)?
        }
        Kind::Object => {
            let sizes = members(left).count().cmp(&members(right).count());
            if sizes.is_ne() {
                return Ok(sizes);
            }
            for ((key, value), (other_key, other_value)) in members(left).zip(members(right)) {
                let keys = key_order(&unescape(key)?, &unescape(other_key)?);
                let order = if keys.is_ne() { keys } else { compare(value, other_value)? };
                if order.is_ne() {
                    return Ok(order);
                }
            }
            Ordering::Equal
        }
    })
}

/// Sizes decide before parts do.
fn first<'a>(sizes: Ordering, pairs: &mut dyn Iterator<Item = (&'a str, &'a str)>) -> Result<Ordering, Error> {
    if sizes.is_ne() {
        return Ok(sizes);
    }
    for (left, right) in pairs {
        let order = compare(left, right)?;
        if order.is_ne() {
            return Ok(order);
        }
    }
    Ok(Ordering::Equal)
}

/// Numbers of the normal form, of any length.
fn numbers(left: &str, right: &str) -> Ordering {
    let parts = |text: &str| {
        let negative = text.starts_with('-');
        let digits = text.trim_start_matches('-');
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        (negative, whole.trim_start_matches('0').to_owned(), fraction.trim_end_matches('0').to_owned())
    };
    let (left, right) = (parts(left), parts(right));
    let magnitude =
        left.1.len().cmp(&right.1.len()).then_with(|| left.1.cmp(&right.1)).then_with(|| left.2.cmp(&right.2));
    match (left.0, right.0) {
        (false, false) => magnitude,
        (true, true) => magnitude.reverse(),
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containment_is_postgres_s() {
        for (outer, inner, expect) in [
            (r#"{"a": 1, "b": [1, 2]}"#, r#"{"b": [2]}"#, true),
            ("[1, [2]]", "[[2]]", true),
            ("[1, 2]", "1", true),
            ("1", "1", true),
            ("1", "[1]", false),
            (r#"{"a": 1.0}"#, r#"{"a": 1.00}"#, true),
            ("[1]", "[1, 1]", true),
            (r#"{"a": [1]}"#, r#"{"a": 1}"#, false),
            ("[[1]]", "1", false),
        ] {
            assert_eq!(contains(outer, inner).unwrap(), expect, "{outer} @> {inner}");
        }
    }

    #[test]
    fn the_order_is_postgres_s() {
        for (less, more) in [
            ("1", "2"),
            ("-2", "1.5"),
            ("1.5", "10"),
            ("\"a\"", "1"),
            ("[]", "null"),
            ("[1]", "[1, 0]"),
            ("[1, 2, 3]", r#"{"a": 1}"#),
            ("false", "true"),
            (r#"{"a": 2}"#, r#"{"b": 1}"#),
            ("\"aa\"", "\"b\""),
        ] {
            assert_eq!(compare(less, more).unwrap(), Ordering::Less, "{less} < {more}");
            assert_eq!(compare(more, less).unwrap(), Ordering::Greater, "{more} > {less}");
        }
        assert_eq!(compare("1.0", "1.00").unwrap(), Ordering::Equal);
    }
}
