//! One change at the end of a path into a jsonb.
//!
//! Owns: PostgreSQL's `setPath`. Must never know: columns.

use std::borrow::Cow;

use super::edit::{keyed, write_array};
use super::path::{index, place};
use super::read::write_object;
use super::walk::{Kind, elements, kind};
use crate::Error;

/// What happens at the end of the path.
pub(super) enum Change<'a> {
    Delete,
    Set { new: &'a str, create: bool },
    Insert { new: &'a str, after: bool },
}

/// The steps of a path, none of them NULL.
pub(super) fn path_of(steps: &[Option<String>]) -> Result<Vec<&str>, Error> {
    let step = |(at, step): (usize, &'_ Option<String>)| match step {
        Some(_) => Ok(()),
        None => Err(Error::NullNotAllowed(format!("path element at position {} is null", at + 1))),
    };
    steps.iter().enumerate().try_for_each(step)?;
    Ok(steps.iter().flatten().map(String::as_str).collect())
}

/// The value with the change made in it.
pub(super) fn at_path(value: &str, path: &[&str], change: &Change<'_>) -> Result<String, Error> {
    let mut out = String::with_capacity(value.len());
    step(value, path, 0, change, &mut out)?;
    Ok(out)
}

fn step(value: &str, path: &[&str], level: usize, change: &Change<'_>, out: &mut String) -> Result<(), Error> {
    let Some(key) = path.get(level) else {
        out.push_str(value);
        return Ok(());
    };
    let is_last = level + 1 == path.len();
    match kind(value) {
        Kind::Object => object(value, (path, level), (key, is_last), change, out),
        Kind::Array => {
            let Some(index) = index(key) else {
                let message = format!("path element at position {} is not an integer: \"{key}\"", level + 1);
                return Err(Error::InvalidPathElement(message));
            };
            array(value, (path, level), (index, is_last), change, out)
        }
        _ => {
            out.push_str(value);
            Ok(())
        }
    }
}

fn object(
    value: &str,
    (path, level): (&[&str], usize),
    (key, is_last): (&str, bool),
    change: &Change<'_>,
    out: &mut String,
) -> Result<(), Error> {
    let mut all = keyed(value)?;
    let found = all.iter().position(|(name, _)| name == key);
    match (found, is_last, change) {
        (Some(at), true, Change::Delete) => {
            all.remove(at);
        }
        (Some(_), true, Change::Insert { .. }) => {
            return Err(Error::ParameterWithHint {
                message: "cannot replace existing key".to_owned(),
                hint: "Try using the function jsonb_set to replace key value.".to_owned(),
            });
        }
        (None, true, Change::Set { new, create: true } | Change::Insert { new, .. }) => {
            all.push((Cow::Owned(key.to_owned()), Cow::Borrowed(new)));
        }
        (Some(at), is_last, change) => {
            if let Some((_, member)) = all.get_mut(at) {
                *member = match change {
                    Change::Set { new, .. } if is_last => Cow::Borrowed(new),
                    _ => {
                        let mut inner = String::new();
                        step(member, path, level + 1, change, &mut inner)?;
                        Cow::Owned(inner)
                    }
                };
            }
        }
        (None, ..) => {}
    }
    write_object(all, out);
    Ok(())
}

fn array(
    value: &str,
    (path, level): (&[&str], usize),
    (index, is_last): (i64, bool),
    change: &Change<'_>,
    out: &mut String,
) -> Result<(), Error> {
    let mut all: Vec<Cow<'_, str>> = elements(value).map(Cow::Borrowed).collect();
    let at = place(index, all.len());
    let end = if index < 0 { 0 } else { all.len() };
    match (at.filter(|at| *at < all.len()), is_last, change) {
        (Some(at), true, Change::Delete) => {
            all.remove(at);
        }
        (Some(at), true, Change::Insert { new, after }) => all.insert(at + usize::from(*after), Cow::Borrowed(new)),
        (None, true, Change::Set { new, create: true } | Change::Insert { new, .. }) => {
            all.insert(end, Cow::Borrowed(new));
        }
        (Some(at), is_last, change) => {
            if let Some(element) = all.get_mut(at) {
                *element = match change {
                    Change::Set { new, .. } if is_last => Cow::Borrowed(new),
                    _ => {
                        let mut inner = String::new();
                        step(element, path, level + 1, change, &mut inner)?;
                        Cow::Owned(inner)
                    }
                };
            }
        }
        (None, ..) => {}
    }
    write_array(all.iter().map(AsRef::as_ref), out);
    Ok(())
}
