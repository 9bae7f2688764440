//! What `pg_proc` tells of a function: `pg_get_function_arguments` and its kin.

use std::collections::HashMap;
use std::sync::LazyLock;

use datafusion::common::Result;

use super::function::{Argument, Spec};
use super::scope::{Object, Scope, object};
use crate::pg_catalog::columns::lines;
use crate::pg_catalog::format_type::{Typmod, format_type};
use crate::pg_catalog::ident::quoted;
use crate::pg_catalog::own_functions;
use crate::pg_catalog::rows::Cell;

pub(super) const FUNCTIONS: &[Spec] = &[
    Spec::new("pg_get_function_arguments", (1, 1), "text", arguments),
    Spec::new("pg_get_function_identity_arguments", (1, 1), "text", arguments),
    Spec::new("pg_get_function_result", (1, 1), "text", result),
];

/// A function of PostgreSQL.
#[derive(Debug)]
pub(super) struct Proc {
    pub(super) name: &'static str,
    kind: &'static str,
    returns_set: bool,
    returns: u32,
    variadic: bool,
    /// Types of the arguments that a caller gives.
    types: &'static str,
    /// Types of all arguments, their modes and names: arrays, or `\N`.
    all_types: &'static str,
    modes: &'static str,
    names: &'static str,
    declared: Declared,
    /// The function of PostgreSQL's own code that does it.
    pub(super) source: &'static str,
    /// The library which has that, of functions in C.
    pub(super) library: Option<&'static str>,
}

/// What CREATE FUNCTION says beside the types.
#[derive(Debug)]
struct Declared {
    language: &'static str,
    cost: &'static str,
    rows: &'static str,
    support: u32,
    leakproof: bool,
    strict: bool,
    volatility: &'static str,
    parallel: &'static str,
}

struct Procs {
    by_oid: HashMap<u32, Proc>,
    by_name: HashMap<&'static str, Vec<u32>>,
}

static PROCS: LazyLock<Procs> = LazyLock::new(|| {
    let recorded = lines(include_str!("../data/pg_proc.tsv"));
    let by_oid: HashMap<u32, Proc> = recorded.chain(own_functions::procs().lines()).filter_map(read).collect();
    let mut by_name: HashMap<&'static str, Vec<u32>> = HashMap::new();
    for (oid, proc) in &by_oid {
        by_name.entry(proc.name).or_default().push(*oid);
    }
    Procs { by_oid, by_name }
});

/// Reads a line of `pg_proc.tsv`; its first is the header, whose OID is no number.
fn read(line: &'static str) -> Option<(u32, Proc)> {
    let cells: Vec<&str> = line.split('\t').collect();
    let text = |at: usize| cells.get(at).copied();
    let declared = Declared {
        language: text(4)?,
        cost: text(5)?,
        rows: text(6)?,
        support: text(8)?.parse().ok()?,
        leakproof: text(11)? == "t",
        strict: text(12)? == "t",
        volatility: text(14)?,
        parallel: text(15)?,
    };
    let proc = Proc {
        name: text(1)?,
        variadic: text(7)? != "0",
        kind: text(9)?,
        returns_set: text(13)? == "t",
        returns: text(18)?.parse().ok()?,
        types: text(19)?,
        all_types: text(20)?,
        modes: text(21)?,
        names: text(22)?,
        declared,
        source: text(25)?,
        library: text(26).filter(|library| *library != "\\N"),
    };
    Some((text(0)?.parse().ok()?, proc))
}

pub(super) fn by_oid(oid: u32) -> Option<&'static Proc> {
    PROCS.by_oid.get(&oid)
}

/// The functions whose names begin so.
pub(super) fn named(prefix: &str) -> impl Iterator<Item = &'static Proc> {
    let mut found: Vec<&Proc> = PROCS.by_oid.values().filter(|proc| proc.name.starts_with(prefix)).collect();
    found.sort_by_key(|proc| proc.name);
    found.dedup_by_key(|proc| proc.name);
    found.into_iter()
}

/// The OIDs of the functions of a name.
pub(super) fn by_name(name: &str) -> &'static [u32] {
    PROCS.by_name.get(name).map(Vec::as_slice).unwrap_or_default()
}

/// An argument as a declaration has it.
struct Parameter {
    mode: &'static str,
    name: &'static str,
    of: String,
}

impl Proc {
    /// Whether it takes one argument and gives one value.
    pub(super) fn takes_one(&self) -> bool {
        self.types.split_whitespace().count() == 1 && self.all_types == "\\N"
    }

    pub(super) fn is_set(&self) -> bool {
        self.returns_set
    }

    /// `pg_proc.prorettype`.
    pub(super) fn result(&self) -> u32 {
        self.returns
    }

    /// The types of the arguments that a caller gives.
    pub(super) fn argument_types(&self) -> impl Iterator<Item = u32> {
        self.types.split_whitespace().filter_map(|oid| oid.parse().ok())
    }

    pub(super) fn is_aggregate(&self) -> bool {
        self.kind == "a"
    }

    /// The language that its source is in; `None` where the dump has only a parsed tree.
    pub(super) fn language(&self) -> Option<&'static str> {
        match self.declared.language {
            "12" => Some("internal"),
            "13" => Some("c"),
            "14" if !self.source.is_empty() => Some("sql"),
            _ => None,
        }
    }

    /// What CREATE FUNCTION says of it that is not the default.
    pub(super) fn clauses(&self) -> Vec<String> {
        let declared = &self.declared;
        let of = |clause: &str, is_so: bool| is_so.then(|| clause.to_owned());
        let cost_default = if declared.language == "14" { "100" } else { "1" };
        let rows_default = if self.returns_set { "1000" } else { "0" };
        let clauses = [
            of("WINDOW", self.kind == "w"),
            of("IMMUTABLE", declared.volatility == "i"),
            of("STABLE", declared.volatility == "s"),
            of("PARALLEL SAFE", declared.parallel == "s"),
            of("PARALLEL RESTRICTED", declared.parallel == "r"),
            of("STRICT", declared.strict),
            of("LEAKPROOF", declared.leakproof),
            (declared.cost != cost_default).then(|| format!("COST {}", declared.cost)),
            (declared.rows != rows_default).then(|| format!("ROWS {}", declared.rows)),
            by_oid(declared.support).map(|support| format!("SUPPORT {}", support.name)),
        ];
        clauses.into_iter().flatten().collect()
    }

    /// The arguments without their defaults, which the dump has only as parsed trees.
    pub(super) fn arguments(&self) -> String {
        let parameters = self.parameters().into_iter().filter(|parameter| parameter.mode != "t");
        let declared: Vec<String> = parameters
            .map(|parameter| {
                let mode = match parameter.mode {
                    "o" => "OUT ",
                    "b" => "INOUT ",
                    "v" => "VARIADIC ",
                    _ => "",
                };
                format!("{mode}{}", declaration(&parameter))
            })
            .collect();
        declared.join(", ")
    }

    /// What it returns; `None` of a procedure.
    pub(super) fn returned(&self) -> Option<String> {
        if self.kind == "p" {
            return None;
        }
        let columns: Vec<String> =
            self.parameters().iter().filter(|parameter| parameter.mode == "t").map(declaration).collect();
        if !columns.is_empty() {
            return Some(format!("TABLE({})", columns.join(", ")));
        }
        let set = if self.returns_set { "SETOF " } else { "" };
        Some(format!("{set}{}", format_type(self.returns, Typmod::Absent)))
    }

    fn parameters(&self) -> Vec<Parameter> {
        let types: Vec<&str> = match array(self.all_types) {
            all if all.is_empty() => self.types.split_whitespace().collect(),
            all => all,
        };
        let (modes, names) = (array(self.modes), array(self.names));
        let last_in = types.len().saturating_sub(1);
        let parameters = types.into_iter().enumerate().map(|(at, of)| Parameter {
            mode: match modes.get(at) {
                Some(mode) => mode,
                None if self.variadic && at == last_in => "v",
                None => "i",
            },
            name: names.get(at).copied().unwrap_or_default(),
            of: format_type(of.parse().unwrap_or_default(), Typmod::Absent),
        });
        parameters.collect()
    }
}

fn array(text: &'static str) -> Vec<&'static str> {
    match text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
        Some(inner) => inner.split(',').map(|element| element.trim_matches('"')).collect(),
        None => Vec::new(),
    }
}

fn arguments<'a>(_: &'a Scope, arguments: &[Argument<'_>]) -> Result<Cell<'a>> {
    Ok(proc(arguments).map(Proc::arguments).into())
}

fn result<'a>(_: &'a Scope, arguments: &[Argument<'_>]) -> Result<Cell<'a>> {
    Ok(proc(arguments).and_then(Proc::returned).into())
}

fn declaration(parameter: &Parameter) -> String {
    match parameter.name {
        "" => parameter.of.clone(),
        name => format!("{} {}", quoted(name), parameter.of),
    }
}

/// The function whose OID is the first argument.
pub(super) fn proc(arguments: &[Argument<'_>]) -> Option<&'static Proc> {
    match object(*arguments.first()?) {
        Object::Oid(oid) => by_oid(oid),
        Object::Name(_) | Object::None => None,
    }
}
