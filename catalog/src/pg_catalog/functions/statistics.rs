//! `pg_stat_get_...`: what PostgreSQL counts of a relation, a function or a database, and this server does not.
//!
//! Owns: the list, which is `pg_proc`'s. Must never know: a relation with rows. Nothing is counted, so counters are 0 and
//! moments are NULL, as in a PostgreSQL whose statistics were just reset.

use datafusion::common::Result;

use super::function::{Argument, Spec};
use super::procs;
use super::scope::Scope;
use crate::pg_catalog::rows::Cell;
use crate::pg_catalog::types;

pub(super) const FUNCTIONS: &[Spec] = &[
    Spec::new("pg_blocking_pids", (1, 1), "_int4", |_, _| Ok(Cell::Ints(Vec::new()))),
    Spec::new("pg_safe_snapshot_blocking_pids", (1, 1), "_int4", |_, _| Ok(Cell::Ints(Vec::new()))),
    Spec::new("pg_jit_available", (0, 0), "bool", |_, _| Ok(false.into())),
    Spec::new("pg_trigger_depth", (0, 0), "int4", |_, _| Ok(0.into())),
    Spec::new("pg_last_wal_receive_lsn", (0, 0), "pg_lsn", |_, _| Ok(Cell::Null)),
    Spec::new("pg_last_wal_replay_lsn", (0, 0), "pg_lsn", |_, _| Ok(Cell::Null)),
    Spec::new("pg_last_xact_replay_timestamp", (0, 0), "timestamptz", |_, _| Ok(Cell::Null)),
    Spec::new("pg_sequence_last_value", (1, 1), "int8", |_, _| Ok(Cell::Null)),
];

/// The functions of `pg_proc` that tell one number or moment of one object.
pub(super) fn all() -> Vec<Spec> {
    let counters = procs::named("pg_stat_get_").filter(|proc| proc.takes_one() && !proc.is_set());
    let specs = counters.filter_map(|proc| {
        let returns = types::by_oid(proc.result())?.name;
        let call: super::function::Call = match returns {
            "int8" | "int4" => zero,
            "float8" => nothing,
            "timestamptz" => never,
            _ => return None,
        };
        Some(Spec::new(proc.name, (1, 1), returns, call))
    });
    specs.collect()
}

fn zero<'a>(_: &'a Scope, _: &[Argument<'_>]) -> Result<Cell<'a>> {
    Ok(0.into())
}

fn nothing<'a>(_: &'a Scope, _: &[Argument<'_>]) -> Result<Cell<'a>> {
    Ok(Cell::Float(0.0))
}

fn never<'a>(_: &'a Scope, _: &[Argument<'_>]) -> Result<Cell<'a>> {
    Ok(Cell::Null)
}
