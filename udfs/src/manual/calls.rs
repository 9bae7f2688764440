//! The argument lists of a page, one by one, as `pg_proc` has them.
//!
//! Owns: how `(width interval | text, ts timestamp [, origin timestamp])` is read: a `|` between types is a call for each, and
//! what is in brackets is there or not. Must never know: what a type is.

use std::collections::HashSet;

use super::Manual;

/// One argument list of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Names and types of the arguments.
    pub arguments: Vec<(&'static str, &'static str)>,
    pub returns: &'static str,
}

/// What a function is called with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Scalar,
    Aggregate,
    Window,
    Table,
}

impl Manual {
    /// All its argument lists, in the order of the page.
    pub fn signatures(&self) -> Vec<Call> {
        let lists = |(list, returns): &(&'static str, &'static str)| {
            let returns = *returns;
            expanded(list).into_iter().map(move |arguments| Call { arguments, returns })
        };
        self.calls.iter().flat_map(lists).collect()
    }
}

/// What kind of function each page is of.
pub fn kinds() -> impl Fn(&str) -> Kind {
    let functions = crate::all();
    let aggregates: HashSet<String> = functions.aggregate.iter().map(|of| of.name().to_owned()).collect();
    let windows: HashSet<String> = functions.window.iter().map(|of| of.name().to_owned()).collect();
    let tables: HashSet<String> = functions.table.iter().map(|of| of.name().to_owned()).collect();
    move |name| match name {
        name if aggregates.contains(name) => Kind::Aggregate,
        name if windows.contains(name) => Kind::Window,
        name if tables.contains(name) => Kind::Table,
        _ => Kind::Scalar,
    }
}

fn expanded(list: &'static str) -> Vec<Vec<(&'static str, &'static str)>> {
    let inner = list.trim().trim_start_matches('(').trim_end_matches(')');
    let (mut so_far, mut all) = (vec![Vec::new()], Vec::new());
    for part in inner.split(" [") {
        let mut part = part.trim_start_matches([',', ' ']);
        // The bracket of an array's type stays.
        while let Some(rest) = part.strip_suffix(']').filter(|rest| !rest.ends_with('[')) {
            part = rest;
        }
        for argument in part.split(',').map(str::trim).filter(|it| !it.is_empty()) {
            let (name, types) = argument.split_once(' ').unwrap_or(("", argument));
            let with = |of: &'static str| {
                so_far.iter().map(move |before| before.iter().copied().chain([(name, of.trim())]).collect())
            };
            so_far = types.split(" | ").flat_map(with).collect::<Vec<Vec<_>>>();
        }
        all.extend(so_far.iter().cloned());
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alternatives_and_what_is_optional_are_calls_of_their_own() {
        let shown = |list| {
            let one = |call: &Vec<(&str, &str)>| {
                call.iter().map(|(name, of)| format!("{name}:{of}")).collect::<Vec<_>>().join(" ")
            };
            expanded(list).iter().map(one).collect::<Vec<_>>()
        };
        assert_eq!(
            shown("(width interval | text, ts date [, origin date])"),
            [
                "width:interval ts:date",
                "width:text ts:date",
                "width:interval ts:date origin:date",
                "width:text ts:date origin:date"
            ]
        );
        assert_eq!(
            shown("(x double precision[] [, a int [, b int]])").last().unwrap(),
            &"x:double precision[] a:int b:int"
        );
        assert_eq!(shown("()"), [""]);
    }
}
