//! Functions of a server that recovers: this one never does, and PostgreSQL refuses them then.

use datafusion::common::Result;

use super::function::{Argument, Spec};
use super::scope::Scope;
use crate::pg_catalog::error::LookupError;
use crate::pg_catalog::rows::Cell;

pub(super) const FUNCTIONS: &[Spec] = &[
    Spec::new("pg_is_wal_replay_paused", (0, 0), "bool", refused),
    Spec::new("pg_get_wal_replay_pause_state", (0, 0), "text", refused),
];

fn refused<'a>(_: &'a Scope, _: &[Argument<'_>]) -> Result<Cell<'a>> {
    Err(LookupError::NotInRecovery.into())
}
