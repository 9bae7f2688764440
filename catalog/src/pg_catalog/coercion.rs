//! Which type alternatives have together: PostgreSQL's choice among the types of CASE, `coalesce`, UNION ...
//!
//! Owns: implicit casts and preferred types, as `pg_cast` and `pg_type` have them. Must never know: an expression.
//! <https://www.postgresql.org/docs/16/typeconv-union-case.html>

use std::collections::HashSet;
use std::sync::LazyLock;

use super::columns::lines;
use super::types;

static IMPLICIT: LazyLock<HashSet<(u32, u32)>> = LazyLock::new(|| {
    let rows = lines(include_str!("data/pg_cast.tsv")).filter_map(|line| {
        let cells: Vec<&str> = line.split('\t').collect();
        let oid = |at: usize| cells.get(at)?.parse().ok();
        let is_implicit = cells.get(4) == Some(&"i");
        is_implicit.then(|| Some((oid(1)?, oid(2)?))).flatten()
    });
    rows.collect()
});

/// The type of alternatives of these types (`pg_type.typname`), in their order. `None` stands for a type that is not known
/// yet, and for the answer if none is. Types that cannot meet keep the first: the planner refuses them.
pub fn common_type(names: impl IntoIterator<Item = Option<String>>) -> Option<String> {
    let mut chosen: Option<String> = None;
    for name in names.into_iter().flatten() {
        let takes_over = match &chosen {
            None => true,
            Some(chosen) => {
                *chosen != name && !is_preferred(chosen) && becomes(chosen, &name) && !becomes(&name, chosen)
            }
        };
        if takes_over {
            chosen = Some(name);
        }
    }
    chosen
}

fn is_preferred(name: &str) -> bool {
    types::by_name(name).is_some_and(|of| of.preferred)
}

fn becomes(from: &str, to: &str) -> bool {
    types::by_name(from).zip(types::by_name(to)).is_some_and(|(from, to)| is_implicit(from.oid, to.oid))
}

/// Whether there is an implicit cast from one type to the other.
pub(super) fn is_implicit(from: u32, to: u32) -> bool {
    IMPLICIT.contains(&(from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_type_stays_unless_it_can_only_become_another() {
        for (given, expect) in [
            (["name", "text"], "name"),
            (["text", "name"], "text"),
            (["varchar", "text"], "varchar"),
            (["int4", "oid"], "oid"),
            (["oid", "int4"], "oid"),
            (["int4", "int8"], "int8"),
            (["float8", "int4"], "float8"),
            (["oid", "regclass"], "oid"),
        ] {
            assert_eq!(common_type(given.map(|name| Some(name.to_owned()))).as_deref(), Some(expect), "{given:?}");
        }
        assert_eq!(common_type([None, Some("name".to_owned())]).as_deref(), Some("name"));
    }
}
