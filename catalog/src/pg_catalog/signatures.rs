//! Which function of its name a call means, and so what its literals of unknown type are: as PostgreSQL chooses.
//!
//! Owns: the rules of function type resolution over `pg_proc`, `pg_cast` and `pg_type`. Must never know: an expression, or
//! what a function computes here.
//! <https://www.postgresql.org/docs/15/typeconv-func.html>

use std::collections::HashMap;
use std::sync::LazyLock;

use super::coercion::is_implicit;
use super::columns::lines;
use super::types::by_oid;

/// One argument of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Given {
    /// A literal without a type.
    Unknown,
    /// A value of the type with this OID.
    Type(u32),
    /// A value whose type is not known yet.
    Later,
}

/// What a call means.
#[derive(Debug, PartialEq, Eq)]
pub enum Chosen {
    /// The types of the arguments that are literals, by `pg_type.typname`; `None` where they stay as they are.
    Literals(Vec<Option<&'static str>>),
    /// Several functions would do, and none is the best: 42725.
    Ambiguous,
}

/// The argument types of a function.
type Arguments = Vec<u32>;

static SIGNATURES: LazyLock<HashMap<&'static str, Vec<Arguments>>> = LazyLock::new(|| {
    let mut signatures: HashMap<&'static str, Vec<Arguments>> = HashMap::new();
    for line in lines(include_str!("data/pg_proc.tsv")) {
        let cells: Vec<&'static str> = line.split('\t').collect();
        // A variadic function takes any number of arguments, which decide for themselves.
        if let (Some(name), Some(&"0"), Some(arguments)) = (cells.get(1), cells.get(7), cells.get(19)) {
            let types = arguments.split(' ').filter_map(|oid| oid.parse().ok()).collect();
            signatures.entry(name).or_default().push(types);
        }
    }
    signatures
});

/// Chooses among PostgreSQL's functions of a name. Where no one takes what is given, nothing is chosen.
pub fn choose(name: &str, given: &[Given]) -> Chosen {
    let Some(all) = SIGNATURES.get(name) else { return nothing(given) };
    let takes = |types: &&Arguments| {
        types.len() == given.len() && given.iter().zip(types.iter()).all(|(given, to)| accepts(*given, *to))
    };
    let mut left: Vec<&Arguments> = all.iter().filter(takes).collect();
    let is_open = given.contains(&Given::Later);
    if !is_open && left.len() > 1 {
        keep_best(&mut left, |types| count(given, types, |from, to| from == to));
        keep_best(&mut left, |types| count(given, types, |from, to| from == to || (!is_any(to) && is_preferred(to))));
        if left.len() > 1 && !narrow_by_category(&mut left, given) {
            return Chosen::Ambiguous;
        }
        if left.len() > 1 {
            left.retain(|types| takes_one_type(given, types));
            if left.len() != 1 {
                return Chosen::Ambiguous;
            }
        }
    }
    let agreed = |at: usize| {
        let first = *left.first()?.get(at)?;
        left.iter().all(|types| types.get(at) == Some(&first)).then_some(first)
    };
    let literal = |(at, of): (usize, &Given)| match of {
        Given::Unknown => {
            let to = agreed(at)?;
            let to = if is_any(to) { of_others(to, given, left.first()?)? } else { to };
            by_oid(to).map(|of| of.name)
        }
        _ => None,
    };
    Chosen::Literals(given.iter().enumerate().map(literal).collect())
}

/// Whether no function of this name takes a text at this place, of those with so many arguments.
pub fn refuses_text(name: &str, arguments: usize, at: usize) -> bool {
    let takes_text = |types: &&Arguments| {
        // The planner forgets which text is a "char", as behind CASE.
        types.get(at).is_some_and(|to| is_any(*to) || category(*to) == "S" || *to == CHAR || is_implicit(TEXT, *to))
    };
    let Some(all) = SIGNATURES.get(name) else { return false };
    let mut same = all.iter().filter(|types| types.len() == arguments).peekable();
    same.peek().is_some() && !same.any(|types| takes_text(&types))
}

fn nothing(given: &[Given]) -> Chosen {
    Chosen::Literals(vec![None; given.len()])
}

fn accepts(given: Given, to: u32) -> bool {
    match given {
        Given::Type(from) => from == to || is_any(to) || is_implicit(from, to),
        Given::Unknown | Given::Later => true,
    }
}

/// Whether the type stands for others: `anyelement` and its like.
fn is_any(oid: u32) -> bool {
    category(oid) == "P"
}

fn category(oid: u32) -> &'static str {
    by_oid(oid).map_or("", |of| of.category)
}

fn is_preferred(oid: u32) -> bool {
    by_oid(oid).is_some_and(|of| of.preferred)
}

/// How many of the arguments whose types are known fit.
fn count(given: &[Given], types: &Arguments, fits: impl Fn(u32, u32) -> bool) -> usize {
    let pairs = given.iter().zip(types);
    pairs.filter(|(given, to)| matches!(given, Given::Type(from) if fits(*from, **to))).count()
}

fn keep_best(left: &mut Vec<&Arguments>, score: impl Fn(&Arguments) -> usize) {
    let best = left.iter().map(|types| score(types)).max().unwrap_or_default();
    left.retain(|types| score(types) == best);
}

/// Each literal takes the category of types that the functions take there, a text first. False where they differ.
fn narrow_by_category(left: &mut Vec<&Arguments>, given: &[Given]) -> bool {
    let mut kept = left.clone();
    for (at, _) in given.iter().enumerate().filter(|(_, of)| **of == Given::Unknown) {
        let of = |types: &&Arguments| types.get(at).map_or("", |oid| category(*oid));
        let first = left.first().map_or("", of);
        let chosen = match left.iter().any(|types| of(types) == "S") {
            true => "S",
            false if left.iter().all(|types| of(types) == first) => first,
            false => return false,
        };
        kept.retain(|types| of(types) == chosen);
        let preferred = |types: &&Arguments| types.get(at).is_some_and(|oid| is_preferred(*oid));
        if left.iter().filter(|types| of(types) == chosen).any(preferred) {
            kept.retain(preferred);
        }
    }
    if !kept.is_empty() {
        *left = kept;
    }
    true
}

/// Whether the function takes literals of the one type that all other arguments have.
fn takes_one_type(given: &[Given], types: &Arguments) -> bool {
    let mut known = given.iter().filter_map(|of| match of {
        Given::Type(oid) => Some(*oid),
        _ => None,
    });
    let Some(first) = known.next() else { return false };
    known.all(|oid| oid == first) && types.iter().all(|to| accepts(Given::Type(first), *to))
}

/// What a polymorphic literal is beside the other polymorphic arguments of a call.
fn of_others(to: u32, given: &[Given], types: &Arguments) -> Option<u32> {
    let is_array = |oid: u32| matches!(oid, ANYARRAY | ANYCOMPATIBLEARRAY);
    let is_item = |oid: u32| matches!(oid, ANYELEMENT | ANYNONARRAY | ANYCOMPATIBLE | ANYCOMPATIBLENONARRAY);
    given.iter().zip(types).find_map(|(given, other)| match given {
        Given::Type(of) if is_array(to) && is_array(*other) => Some(*of),
        Given::Type(of) if is_item(to) && is_array(*other) => by_oid(*of).map(|of| of.element).filter(|oid| *oid != 0),
        Given::Type(of) if is_item(to) && is_item(*other) => Some(*of),
        _ => None,
    })
}

const CHAR: u32 = 18;
const TEXT: u32 = 25;
const ANYARRAY: u32 = 2277;
const ANYELEMENT: u32 = 2283;
const ANYNONARRAY: u32 = 2776;
const ANYCOMPATIBLE: u32 = 5077;
const ANYCOMPATIBLEARRAY: u32 = 5078;
const ANYCOMPATIBLENONARRAY: u32 = 5079;

#[cfg(test)]
mod tests {
    use super::*;

    const INT4: Given = Given::Type(23);

    #[test]
    fn literals_take_the_types_of_the_function_that_is_meant() {
        let text = Given::Type(25);
        for (name, given, expect) in [
            ("left", vec![Given::Unknown, Given::Unknown], vec![Some("text"), Some("int4")]),
            ("left", vec![Given::Later, Given::Unknown], vec![None, Some("int4")]),
            ("round", vec![Given::Unknown], vec![Some("float8")]),
            ("round", vec![Given::Unknown, INT4], vec![Some("numeric"), None]),
            ("power", vec![Given::Later, Given::Unknown], vec![None, None]),
            ("generate_series", vec![INT4, Given::Unknown], vec![None, Some("int4")]),
            ("generate_series", vec![Given::Type(1700), INT4, Given::Unknown], vec![None, None, Some("numeric")]),
            ("length", vec![Given::Unknown], vec![Some("text")]),
            ("date_trunc", vec![Given::Unknown, Given::Type(1114)], vec![Some("text"), None]),
            ("array_append", vec![Given::Type(1007), Given::Unknown], vec![None, Some("int4")]),
            ("array_cat", vec![Given::Type(1007), Given::Unknown], vec![None, Some("_int4")]),
            ("lag", vec![Given::Later, INT4, Given::Unknown], vec![None, None, None]),
            ("left", vec![text], vec![None]),
            ("no such function", vec![Given::Unknown], vec![None]),
        ] {
            assert_eq!(choose(name, &given), Chosen::Literals(expect), "{name} {given:?}");
        }
    }

    #[test]
    fn calls_that_could_be_several_functions_are_ambiguous() {
        for (name, given) in [
            ("date_trunc", vec![Given::Unknown, Given::Unknown]),
            ("to_char", vec![Given::Unknown, Given::Unknown]),
            ("array_agg", vec![Given::Unknown]),
            ("sum", vec![Given::Unknown]),
        ] {
            assert_eq!(choose(name, &given), Chosen::Ambiguous, "{name}");
        }
    }

    #[test]
    fn texts_are_refused_where_no_function_takes_them() {
        assert!(refuses_text("date_trunc", 2, 1));
        assert!(refuses_text("to_char", 2, 0));
        assert!(!refuses_text("date_trunc", 2, 0));
        assert!(!refuses_text("max", 1, 0));
        assert!(!refuses_text("no such function", 1, 0));
    }
}
