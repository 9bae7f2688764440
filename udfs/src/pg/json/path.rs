//! One step and many steps into a JSON text.
//!
//! Owns: `->` and `#>` of one value. Must never know: columns.

use super::strings::unescape;
use super::walk::{Kind, elements, kind, members, trimmed};
use crate::Error;

/// The member of a key; the last of equal ones.
pub(super) fn field<'a>(text: &'a str, key: &str) -> Result<Option<&'a str>, Error> {
    let mut found = None;
    for (name, value) in members(text) {
        if is_key(name, key)? {
            found = Some(value);
        }
    }
    Ok(found)
}

/// Whether a key, as it is written, is this one.
pub(super) fn is_key(written: &str, key: &str) -> Result<bool, Error> {
    if written.contains('\\') {
        return Ok(unescape(written)? == key);
    }
    Ok(written.get(1..written.len().saturating_sub(1)) == Some(key))
}

/// The element at an index; negative ones count from the end.
pub(super) fn element(text: &str, index: i64) -> Option<&str> {
    let index = match usize::try_from(index) {
        Ok(index) => index,
        Err(_) => place(index, elements(text).count())?,
    };
    elements(text).nth(index)
}

/// The index of an element of so many, counted from the end if it is negative.
pub(super) fn place(index: i64, count: usize) -> Option<usize> {
    match usize::try_from(index) {
        Ok(index) => Some(index),
        Err(_) => count.checked_sub(usize::try_from(index.unsigned_abs()).ok()?),
    }
}

/// The index that a step of a path is.
pub(super) fn index(step: &str) -> Option<i64> {
    let step = step.trim_start();
    step.strip_prefix('+').unwrap_or(step).parse::<i32>().ok().map(i64::from)
}

/// What lies at the end of a path.
pub(super) fn descend<'a, 's>(
    text: &'a str,
    steps: impl Iterator<Item = Option<&'s str>>,
) -> Result<Option<&'a str>, Error> {
    let mut at = trimmed(text);
    for step in steps {
        let Some(step) = step else { return Ok(None) };
        let next = match kind(at) {
            Kind::Object => field(at, step)?,
            Kind::Array => index(step).and_then(|index| element(at, index)),
            _ => None,
        };
        match next {
            Some(next) => at = next,
            None => return Ok(None),
        }
    }
    Ok(Some(at))
}
