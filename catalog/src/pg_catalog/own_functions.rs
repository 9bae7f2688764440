//! The functions that are not PostgreSQL's, as lines of `pg_proc` and `pg_description`, made from their manuals.
//!
//! Owns: their OIDs, which follow the order of the manuals and so are the same on every server of one build. Must never
//! know: what a function computes.

use std::fmt::Write;
use std::sync::LazyLock;

use udfs::manual::{Call, Kind, Manual, kinds, manuals};

use super::format_type::parse_type;

/// `pg_proc` in `classoid`.
const PROC: u32 = 1255;
/// PostgreSQL gives OIDs below 16384 to what is built in, and its own end before this.
const FIRST: u32 = 14000;

struct Lines {
    procs: String,
    descriptions: String,
}

static LINES: LazyLock<Lines> = LazyLock::new(|| {
    let kind = kinds();
    let (mut procs, mut descriptions) = (String::new(), String::new());
    let pages = manuals().into_iter().flat_map(|(_, pages)| pages);
    let calls = pages.flat_map(|manual| manual.signatures().into_iter().map(move |call| (manual, call)));
    for (oid, (manual, call)) in (FIRST..).zip(calls) {
        // A String takes every write.
        let _ = proc(&mut procs, oid, manual, &call, kind(manual.name));
        let remark = format!("{} {} Example: {};", manual.meaning, manual.nulls, manual.example.0);
        let _ = writeln!(descriptions, "{oid}\t{PROC}\t0\t{}", remark.replace('\\', "\\\\"));
    }
    Lines { procs, descriptions }
});

/// Lines of `pg_proc`, in COPY's text format.
pub(super) fn procs() -> &'static str {
    &LINES.procs
}

/// Lines of `pg_description`.
pub(super) fn descriptions() -> &'static str {
    &LINES.descriptions
}

fn proc(text: &mut String, oid: u32, manual: &Manual, call: &Call, kind: Kind) -> std::fmt::Result {
    let name = manual.name;
    let (is_set, returns) = match call.returns.strip_prefix("SETOF ") {
        Some(of) => (true, of),
        None => (kind == Kind::Table, call.returns),
    };
    let (kind, strict, source) = match kind {
        Kind::Aggregate => ("a", "f", "aggregate_dummy"),
        Kind::Window => ("w", "f", name),
        Kind::Scalar | Kind::Table => ("f", "t", name),
    };
    let (set, rows) = if is_set { ("t", 1000) } else { ("f", 0) };
    let types: Vec<String> = call.arguments.iter().map(|(_, of)| type_oid(of).to_string()).collect();
    let names: Vec<&str> = call.arguments.iter().map(|(name, _)| *name).collect();
    let names = if names.is_empty() { "\\N".to_owned() } else { format!("{{{}}}", names.join(",")) };
    writeln!(
        text,
        "{oid}\t{name}\t11\t10\t12\t1\t{rows}\t0\t0\t{kind}\tf\tf\t{strict}\t{set}\ti\ts\t{}\t0\t{}\t{}\t\\N\t\\N\t{names}\
         \t\\N\t\\N\t{source}\t\\N\t\\N\t\\N\t\\N",
        types.len(),
        type_oid(returns),
        types.join(" "),
    )
}

/// 0 of what is no type, which a test finds.
fn type_oid(name: &str) -> u32 {
    parse_type(name).map(|of| of.oid).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_has_types_that_there_are_and_fits_below_16384() {
        let lines: Vec<Vec<&str>> = procs().lines().map(|line| line.split('\t').collect()).collect();
        assert!(!lines.is_empty());
        let mut seen = std::collections::HashSet::new();
        for cells in &lines {
            let types: Vec<&str> = cells[19].split(' ').filter(|of| !of.is_empty()).collect();
            assert!(cells[0].parse::<u32>().unwrap() < 16384, "{cells:?}");
            assert!(cells[18] != "0" && !types.contains(&"0"), "{cells:?}");
            assert!(seen.insert((cells[1], cells[19])), "twice: {cells:?}");
        }
    }
}
