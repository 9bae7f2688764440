//! TRUNCATE: all rows of a table go at once. <https://www.postgresql.org/docs/16/sql-truncate.html>

use catalog::Target;
use sqlparser::ast::{CascadeOption, Truncate as Ast, TruncateIdentityOption};

use super::block::Lease;
use super::{Asked, Write};
use crate::engine::run::Run;
use crate::engine::{Prepared, Tag};
use crate::error::{Error, Result};

pub(in crate::engine) struct Truncate {
    pub(super) target: Target,
}

pub(super) async fn prepare(asked: Asked, truncate: &Ast) -> Result<Prepared> {
    let Ast { table_names, partitions, if_exists, identity, cascade, on_cluster, .. } = truncate;
    if partitions.is_some() || *if_exists || on_cluster.is_some() || matches!(cascade, Some(CascadeOption::Cascade)) {
        return Err(Error::unsupported("TRUNCATE takes the name of a table only"));
    }
    if matches!(identity, Some(TruncateIdentityOption::Restart)) {
        return Err(Error::unsupported("TRUNCATE ... RESTART IDENTITY is not supported"));
    }
    let [table] = table_names.as_slice() else {
        return Err(Error::unsupported("TRUNCATE of several tables is not supported")
            .hint("Truncate them one by one: a change of the lake is one of one table."));
    };
    let target = asked.target(&table.name, "truncate").await?;
    Ok(Prepared::write(asked.statement, Write::Truncate(Truncate { target })))
}

pub(super) async fn run(run: Run<'_>, truncate: &Truncate) -> Result<Tag> {
    let mut lease = Lease::take(run.session, &truncate.target, "TRUNCATE")?;
    lease.block()?.remove_all()?;
    lease.end(run.core, run.guard).await?;
    Ok(Tag::command("TRUNCATE TABLE"))
}
