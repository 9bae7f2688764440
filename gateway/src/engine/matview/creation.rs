//! A materialized view before it is there: whether it can be, and what it would be.
//!
//! Owns: what a definition is refused for, and what EXPLAIN CREATE MATERIALIZED VIEW tells. Must never do: define anything.

use std::sync::Arc;

use catalog::pg_catalog::pg_type_of;
use catalog::{Class, Column, Matview, Policy};
use sqlparser::ast::Statement as Ast;
use sqlparser::keywords::Keyword;

use super::build::followed;
use super::{look, size};
use crate::engine::plan::Planned;
use crate::engine::write::create::{of_query, refuse_unknown};
use crate::engine::{Core, Statement, define, parse};
use crate::error::{Error, Result, SqlState};
use crate::session::Session;

/// Checks a view before it is defined: its query, its columns, and that it can be kept as it wants to be. On a planner's thread.
pub(in crate::engine) async fn check(
    core: &Arc<Core>,
    session: &Arc<Session>,
    matview: &Matview,
) -> Result<(Planned, Vec<Column>)> {
    let planned = look::planned(core, session, matview, Default::default()).await?;
    let unnamed = planned.columns.fields().iter().skip(matview.columns.len()).find(|field| field.name() == "?column?");
    if unnamed.is_some() {
        return Err(Error::new(SqlState::InvalidTableDefinition, "a column of a materialized view has no name")
            .hint("Name it with AS."));
    }
    if let Some(function) = look::volatile(&planned.plan) {
        let message = format!("function {function}() cannot be used in a materialized view");
        return Err(Error::new(SqlState::InvalidObjectDefinition, message).detail(
            "It gives another value each time, so that the rows of the view would not be those of its query.",
        ));
    }
    let columns = of_query(&planned, &matview.columns)?;
    refuse_unknown(&matview.options.partition_by, &columns)?;
    if matches!(matview.options.policy, Policy::Incremental | Policy::IncrementalStrict)
        && let (_, (Class::Full, _, reason)) = look::kind(&planned, matview, &columns)?
    {
        let message = "the materialized view cannot be refreshed incrementally";
        return Err(Error::new(SqlState::InvalidObjectDefinition, message)
            .detail(format!("The reason is that {reason}."))
            .hint("Set refresh_policy = 'auto', or partition_by to a column that is one of a table."));
    }
    Ok((planned, columns))
}

/// What a CREATE MATERIALIZED VIEW would make, in lines. On a planner's thread.
pub(super) async fn explained(core: Arc<Core>, session: Arc<Session>, statement: Statement) -> Result<Vec<String>> {
    let create = match statement.ast.as_ref() {
        Ast::Explain { statement, .. } => match statement.as_ref() {
            Ast::CreateView(create) => create,
            _ => return Err(Error::internal("not a view to explain")),
        },
        _ => return Err(Error::internal("nothing to explain")),
    };
    let scope = core.scope(&session, &statement.message);
    let name = scope.new_name(&create.name)?;
    if scope.snapshot.named(&name).is_some() && !create.if_not_exists {
        return Err(define::already_exists(&name.name));
    }
    let text = parse::from_word(&statement.text, Keyword::CREATE).unwrap_or_default();
    let matview = Matview::read(text, scope.search_path()).map_err(define::wrong)?;
    let (planned, columns) = check(&core, &session, &matview).await?;
    let (made_of, (class, driver, reason)) = look::kind(&planned, &matview, &columns)?;
    let way = match class {
        Class::Full => format!("full ({})", class.text()),
        Class::Append | Class::Partition => format!("incremental ({})", class.text()),
    };
    let shown = |column: &Column| format!("{} {}", column.name(), pg_type_of(&column.field).sql_name());
    let mut lines = vec![
        format!("Create Materialized View {name}: {way}"),
        format!("  Columns: {}", columns.iter().map(shown).collect::<Vec<_>>().join(", ")),
    ];
    let partition_by = &matview.options.partition_by;
    if !partition_by.is_empty() {
        lines.push(format!("  Partition By: {}", partition_by.join(", ")));
    }
    lines.push(format!("  Refresh: {}", matview.options.refresh.text()));
    lines.push(format!("  Read: {}", size(made_of.bytes())));
    for table in &made_of.tables {
        let files = table.files();
        let source = made_of.lineage.iter().find(|source| source.table == table.table());
        // Of a store without ETags only the files are known.
        let bytes = source.map(|source| format!(", {}", size(source.bytes()))).unwrap_or_default();
        lines.push(format!("    {}: {files} files{bytes}", table.table()));
    }
    lines.push(followed(driver.as_ref(), &reason));
    Ok(lines)
}
