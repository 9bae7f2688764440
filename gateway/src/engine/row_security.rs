//! Row policies and column masks of the tables of a statement: which rows and values it sees, and which it may write.
//!
//! Owns: the one condition that the policies of a table make for a role, and that it stands directly over the rows of the table,
//! and the masks of its columns over that, below everything that the statement asks of them. What a policy itself reads, in
//! subqueries, is read with the rights of the role. What a view reads is read with the operator's, whom no policy binds. Must
//! never know: how policies are kept.
//! <https://www.postgresql.org/docs/16/ddl-rowsecurity.html>

mod checks;
mod masks;

use std::ops::ControlFlow;
use std::sync::Arc;

use catalog::{ColumnMask, Name, RowCommand, RowPolicy, RowRules, Table};
use datafusion::catalog::view::ViewTable;
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::TableSource;
use sqlparser::ast::{BinaryOperator, Expr, ObjectName, Query, SetExpr, Statement as Ast, Value, visit_relations_mut};

pub(super) use checks::{Checks, Given};
use masks::Rows;
pub(super) use masks::{refuse_assigned, try_mask};

use super::analyze::Barrier;
use super::define::name_of;
use super::scope::{Found, Scope};
use super::{Core, parse, plan, rewrite};
use crate::error::{Error, Result, SqlState};
use crate::session::Session;

/// The relation as the statement may see it: all of its rows, or those that its policies let pass for the commands, as its masks
/// show them.
pub(super) async fn seen(
    core: &Arc<Core>,
    session: &Arc<Session>,
    scope: &Scope,
    (table, source): (&Table, Arc<dyn TableSource>),
    (commands, depth): (&[RowCommand], usize),
) -> Result<Arc<dyn TableSource>> {
    let name = name_of(table);
    let condition = condition(session, scope, &name, commands)?;
    barred(core, session, scope, Rows { name: &name, source, condition, depth }).await
}

/// Rows that a statement has written, as its role sees those of their table.
pub(super) async fn shown(
    core: &Arc<Core>,
    session: &Arc<Session>,
    scope: &Scope,
    (name, source): (&Name, Arc<dyn TableSource>),
) -> Result<Arc<dyn TableSource>> {
    barred(core, session, scope, Rows { name, source, condition: None, depth: 1 }).await
}

async fn barred(
    core: &Arc<Core>,
    session: &Arc<Session>,
    scope: &Scope,
    rows: Rows<'_>,
) -> Result<Arc<dyn TableSource>> {
    let masks = masks::of(scope, rows.name);
    if masks.is_empty() && rows.condition.is_none() {
        return Ok(rows.source);
    }
    if !masks.is_empty() {
        refuse_off(session, rows.name, "column mask")?;
    }
    let (relation, hides_rows) = (rows.name.name.clone(), rows.condition.is_some());
    let input = masks::planned(core, session, scope, (masks.as_slice(), rows)).await?;
    let masked = masks.into_iter().map(|mask| mask.column).collect();
    let barrier = Barrier { input, relation, hides_rows, masked };
    Ok(provider_as_source(Arc::new(ViewTable::new(barrier.plan(), None))))
}

/// Plans a condition over a relation, as an operator would, to see whether it is one.
pub(super) async fn try_condition(
    core: &Arc<Core>,
    session: &Arc<Session>,
    scope: &Scope,
    (table, source): (&Table, Arc<dyn TableSource>),
    policy: &RowPolicy,
) -> Result<()> {
    let name = name_of(table);
    for text in [&policy.using, &policy.check].into_iter().flatten() {
        let query = Box::new(all_of(&name, Some(expression(scope, policy, text)?)));
        let rows = (name.schema.clone(), name.name.clone(), Arc::clone(&source));
        plan::query_of_policy(core, session, (query, rows), 1).await?;
    }
    Ok(())
}

const POLICY: &str = "row-level security policy";

/// The condition of the rows that a statement sees of a table; `None` is all of them.
fn condition(session: &Session, scope: &Scope, name: &Name, commands: &[RowCommand]) -> Result<Option<Expr>> {
    let rights = scope.rights();
    let Some(rules) = rights.rules(name).filter(|_| scope.is_checked) else { return Ok(None) };
    refuse_off(session, name, POLICY)?;
    let mut all = Vec::new();
    for command in commands {
        let permissive = texts(scope, rules.permissive(*command), |policy| policy.using.as_deref())?;
        all.push(any(permissive));
        all.extend(texts(scope, rules.restrictive(*command), |policy| policy.using.as_deref())?);
    }
    Ok(all.into_iter().reduce(|left, right| joined(left, BinaryOperator::And, right)))
}

/// Refuses a statement of a session that has asked for all of what there is or nothing.
fn refuse_off(session: &Session, name: &Name, what: &str) -> Result<()> {
    if session.vars().get("row_security")? == "on" {
        return Ok(());
    }
    let message = format!("query would be affected by {what} for table \"{}\"", name.name);
    Err(Error::new(SqlState::InsufficientPrivilege, message))
}

/// Refuses a statement that cannot keep to the policies of a table.
pub(super) fn refuse(scope: &Scope, name: &Name, (what, instead): (&str, &str)) -> Result<()> {
    if scope.rights().rules(name).is_none() {
        return Ok(());
    }
    let message = format!("{what} not supported with row-level security");
    Err(Error::unsupported(message).hint(format!("Use {instead} statements instead.")))
}

/// Refuses a statement that would read values of a table beside its masks.
pub(super) fn refuse_masked(scope: &Scope, name: &Name, (what, instead): (&str, &str)) -> Result<()> {
    if scope.rights().masks(name).is_empty() {
        return Ok(());
    }
    let message = format!("{what} not supported with column masks");
    Err(Error::unsupported(message).hint(format!("Use {instead} statements instead.")))
}

/// Whether policies or masks bind the session on a table.
pub(super) fn binds(scope: &Scope, name: &Name) -> bool {
    scope.rights().rules(name).is_some() || !scope.rights().masks(name).is_empty()
}

/// What rows that a statement writes have to fulfil.
pub(super) fn checks(
    session: &Session,
    scope: &Scope,
    name: &Name,
    (writes, reads): (RowCommand, bool),
) -> Result<Checks> {
    let rights = scope.rights();
    let mut checks = Checks::default();
    let Some(rules) = rights.rules(name) else { return Ok(checks) };
    refuse_off(session, name, POLICY)?;
    add(&mut checks, scope, &rules, writes, RowPolicy::check)?;
    // Rows that the statement reads back are ones that it must see.
    if reads {
        add(&mut checks, scope, &rules, RowCommand::Select, |policy| policy.using.as_deref())?;
    }
    Ok(checks)
}

fn add(
    checks: &mut Checks,
    scope: &Scope,
    rules: &RowRules<'_>,
    command: RowCommand,
    part: fn(&RowPolicy) -> Option<&str>,
) -> Result<()> {
    let table = rules.table().name.clone();
    let violated = |policy: Option<&str>| {
        let named = policy.map(|policy| format!(" \"{policy}\"")).unwrap_or_default();
        format!("new row violates row-level security policy{named} for table \"{table}\"")
    };
    checks.add(any(texts(scope, rules.permissive(command), part)?), violated(None));
    for policy in rules.restrictive(command) {
        if let Some(text) = part(policy) {
            checks.add(expression(scope, policy, text)?, violated(Some(&policy.name)));
        }
    }
    Ok(())
}

/// A row needs one of these; without any there is none.
fn any(conditions: Vec<Expr>) -> Expr {
    let any = conditions.into_iter().reduce(|left, right| joined(left, BinaryOperator::Or, right));
    any.unwrap_or_else(|| Expr::value(Value::Boolean(false)))
}

fn texts(scope: &Scope, policies: Vec<&RowPolicy>, part: fn(&RowPolicy) -> Option<&str>) -> Result<Vec<Expr>> {
    let texts = policies.into_iter().filter_map(|policy| Some((policy, part(policy)?)));
    texts.map(|(policy, text)| expression(scope, policy, text)).collect()
}

fn joined(left: Expr, op: BinaryOperator, right: Expr) -> Expr {
    Expr::Nested(Box::new(Expr::BinaryOp { left: Box::new(left), op, right: Box::new(right) }))
}

/// A condition from its text.
fn expression(scope: &Scope, policy: &RowPolicy, text: &str) -> Result<Expr> {
    read(scope, Text { kind: "policy", name: &policy.name, on: &policy.on, search_path: &policy.search_path, text })
}

/// The expression of a mask.
fn expression_of(scope: &Scope, mask: &ColumnMask) -> Result<Expr> {
    let text = mask.using.as_str();
    read(scope, Text { kind: "mask", name: &mask.name, on: &mask.on, search_path: &mask.search_path, text })
}

/// An expression as a policy or a mask has it.
struct Text<'a> {
    kind: &'static str,
    name: &'a str,
    on: &'a Name,
    search_path: &'a [String],
    text: &'a str,
}

/// An expression from its text, with the relations that it names by their full names.
fn read(scope: &Scope, Text { kind, name: called, on, search_path, text }: Text<'_>) -> Result<Expr> {
    let wrong = || Error::new(SqlState::SyntaxError, format!("{kind} \"{called}\" has no expression"));
    let statement = parse::statements(&format!("SELECT 1 WHERE (\n{text}\n)"))?.pop().ok_or_else(wrong)?;
    let Ast::Query(query) = statement.ast.as_ref() else { return Err(wrong()) };
    let SetExpr::Select(select) = query.body.as_ref() else { return Err(wrong()) };
    let mut condition = select.selection.clone().ok_or_else(wrong)?;
    let found = visit_relations_mut(&mut condition, |name| {
        let Some(Found::Lake(table)) = scope.find_by(name, search_path) else {
            return ControlFlow::Continue(());
        };
        let table = name_of(&table);
        if table == *on {
            return ControlFlow::Break(());
        }
        *name = exact(&table);
        ControlFlow::Continue(())
    });
    match found {
        ControlFlow::Continue(()) => Ok(condition),
        ControlFlow::Break(()) => {
            let message = format!("infinite recursion detected in {kind} for relation \"{}\"", on.name);
            Err(Error::new(SqlState::InvalidObjectDefinition, message))
        }
    }
}

fn exact(name: &Name) -> ObjectName {
    ObjectName::from(vec![rewrite::quoted(&name.schema), rewrite::quoted(&name.name)])
}

/// `SELECT * FROM table WHERE condition`.
fn all_of(name: &Name, condition: Option<Expr>) -> Query {
    let mut query = rewrite::select_from(Vec::new(), exact(name));
    if let SetExpr::Select(select) = query.body.as_mut() {
        select.selection = condition;
    }
    query
}
