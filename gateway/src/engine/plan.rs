//! From a parsed statement to a plan that can run many times.
//!
//! Owns: which statements this server carries out. Everything else is refused here, by name.

mod joined;
mod origins;
mod over;
mod resolve;
mod views;

use std::collections::HashSet;
use std::sync::Arc;

use arrow::datatypes::{Field, FieldRef, Schema, SchemaRef};
use catalog::Access;
use datafusion::common::DataFusionError;
use datafusion::logical_expr::LogicalPlan;
use datafusion::scalar::ScalarValue;
use datafusion::sql::planner::{ParserOptions, PlannerContext, SqlToRel};
use sqlparser::ast::{
    Expr, Ident, ObjectName, Query, Statement as Ast, Visit, Visitor, visit_expressions, visit_relations,
};

use super::matview::Judged;
use super::scope::{Scope, relation_of};
use super::{
    Core, Statement, constant_rows, declared, diagnose, exact, explain, given_types, grouping_keys, params, parse,
    place, rewrite, system_columns,
};
use crate::error::{Error, Result, SqlState, classify};
use crate::session::Session;
pub use origins::Origin;
use over::opened;
pub(super) use over::{Bound, Over, query_of_policy};
use resolve::resolve;
use udfs::pg_type;
pub(super) use views::{view_columns, view_query};

/// Views may use views, this deep.
const VIEW_DEPTH_MAX: usize = 32;

/// A planned query.
#[derive(Clone)]
pub(super) struct Planned {
    /// Shared, since a copy goes as deep as the statement's nesting: only threads with large stacks make one.
    pub plan: Arc<LogicalPlan>,
    pub columns: SchemaRef,
    /// Where each column comes from.
    pub origins: Arc<[Option<origins::Named>]>,
    pub param_types: Vec<FieldRef>,
    pub scope: Arc<Scope>,
}

impl Planned {
    /// Whether it was planned over another snapshot, or under other rights.
    pub(super) fn is_over(&self, version: u64, access: &Arc<Access>) -> bool {
        self.scope.snapshot.version != version || !Arc::ptr_eq(&self.scope.view.server.access, access)
    }

    /// Its own values among those of a statement that has more of them.
    pub(super) fn values(&self, params: &[ScalarValue]) -> Vec<ScalarValue> {
        params.iter().take(self.param_types.len()).cloned().collect()
    }
}

/// How a prepared statement runs.
pub(super) enum Plan {
    Query(Planned),
    /// A query over the very files of the pin.
    Pinned {
        planned: Planned,
        pin: super::Pin,
    },
    Explain {
        planned: Planned,
        how: explain::How,
    },
    Copy {
        planned: Planned,
        copy: super::Copy,
    },
    /// A command of the session, carried out from its AST.
    Command,
    /// What defines tables, views, schemas and comments, with its tag.
    Define(&'static str),
    /// What changes rows of the lake.
    Write(Box<super::write::Write>),
    /// REFRESH TABLE.
    Refresh(ObjectName),
    /// What makes the rows of a materialized view.
    Matview(super::matview::Command),
    Declare {
        name: String,
        options: super::cursor::Options,
        planned: Planned,
    },
    Fetch {
        cursor: Arc<super::Cursor>,
        fetch: super::Fetch,
    },
    Prepare {
        name: String,
        prepared: Arc<super::Prepared>,
    },
    Execute {
        target: Arc<super::Prepared>,
        /// A query of one row, if there are any.
        arguments: Option<Planned>,
    },
}

/// A plan on its way.
pub(super) type Planning = futures::future::BoxFuture<'static, Result<Planned>>;

/// Plans a query for a session: resolves its relations, rewrites it, plans it, types its parameters.
pub(super) fn query(
    core: Arc<Core>,
    session: Arc<Session>,
    query: Box<Query>,
    message: Arc<str>,
    declared: Vec<Option<FieldRef>>,
) -> Planning {
    let judged = Judged::of(&session);
    nested(core, session, Asked { query, message, declared, search_path: None, over: None, depth: 0, judged })
}

/// The same, with names found by another search path, and materialized views judged by who asks; `depth` views are around it.
pub(super) fn query_in(
    core: Arc<Core>,
    session: Arc<Session>,
    (query, search_path): (Box<Query>, Option<Vec<String>>),
    message: Arc<str>,
    (judged, depth): (Arc<Judged>, usize),
) -> Planning {
    nested(core, session, Asked { query, message, declared: Vec::new(), search_path, over: None, depth, judged })
}

/// The same, over a relation that the lake does not have so.
pub(super) fn query_over(
    core: Arc<Core>,
    session: Arc<Session>,
    (query, over): (Box<Query>, Option<Over>),
    message: Arc<str>,
    declared: Vec<Option<FieldRef>>,
) -> Planning {
    let judged = Judged::of(&session);
    nested(core, session, Asked { query, message, declared, search_path: None, over, depth: 0, judged })
}

/// A query, of a statement or of a view that it uses.
struct Asked {
    query: Box<Query>,
    message: Arc<str>,
    declared: Vec<Option<FieldRef>>,
    /// How a view finds what it names; `None` is as the session does.
    search_path: Option<Vec<String>>,
    over: Option<Over>,
    depth: usize,
    judged: Arc<Judged>,
}

fn nested(core: Arc<Core>, session: Arc<Session>, asked: Asked) -> Planning {
    Box::pin(async move {
        let Asked { query, message, declared, search_path, over, depth, judged } = asked;
        if depth > VIEW_DEPTH_MAX {
            return Err(Error::new(SqlState::StatementTooComplex, "views are nested too deep")
                .hint("A view may not use itself, directly or through others."));
        }
        let mut scope = core.scope(&session, &message);
        scope.judged = judged;
        match search_path {
            Some(path) => scope.search_in(path),
            None if depth > 0 => scope.search_for_operator(),
            None => {}
        }
        scope.is_checked = depth == 0 || matches!(over, Some(Over::Secured { .. }));
        scope.ctes = ctes(&query);
        if !scope.snapshot.comments.is_empty() && calls(&query, "col_description") {
            scope.view.find_column_comments().await;
        }
        scope.names_system_columns = system_columns::mentioned(&query);
        if let Some(over) = over {
            opened(&core, &session, &mut scope, over).await?;
        }
        for name in relations(&query) {
            resolve(&core, &session, &mut scope, &name, depth).await.map_err(|error| locate(error, &name, &message))?;
        }
        build(scope, *query, &message, &declared)
    })
}

/// Every relation that the query names, also inside subqueries and as functions.
pub(super) fn relations(query: &Query) -> Vec<ObjectName> {
    let mut names: Vec<ObjectName> = Vec::new();
    let _ = visit_relations(query, |name| {
        let function = name.0.last().and_then(|part| part.as_ident()).map(crate::session::fold);
        let relation = function.and_then(|function| relation_of(&function));
        for name in [Some(name.clone()), relation].into_iter().flatten() {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        std::ops::ControlFlow::<()>::Continue(())
    });
    names
}

/// The names that the query itself gives to queries in it.
fn ctes(query: &Query) -> HashSet<String> {
    struct Ctes(HashSet<String>);
    impl Visitor for Ctes {
        type Break = ();
        fn pre_visit_query(&mut self, query: &Query) -> std::ops::ControlFlow<()> {
            let ctes = query.with.iter().flat_map(|with| &with.cte_tables);
            self.0.extend(ctes.map(|cte| crate::session::fold(&cte.alias.name)));
            std::ops::ControlFlow::Continue(())
        }
    }
    let mut ctes = Ctes(HashSet::new());
    let _ = query.visit(&mut ctes);
    ctes.0
}

/// Whether a query calls a function of the catalogs.
fn calls(query: &Query, function: &str) -> bool {
    let found = visit_expressions(query, |expr| match expr {
        Expr::Function(call) if is_named(&call.name, function) => std::ops::ControlFlow::Break(()),
        _ => std::ops::ControlFlow::Continue(()),
    });
    found.is_break()
}

fn is_named(name: &ObjectName, function: &str) -> bool {
    name.0.last().and_then(|part| part.as_ident()).is_some_and(|part| part.value.eq_ignore_ascii_case(function))
}

/// Runs on a planner's thread: rewrites, plans, types and checks.
fn build(scope: Scope, query: Query, message: &str, declared: &[Option<FieldRef>]) -> Result<Planned> {
    let rewritten = rewrite::rewrite(query, &scope).map_err(|error| error.clone())?;
    let statement = rewritten.statement.clone();
    let planned = analyzed(&scope, statement, declared).map_err(|error| located(error, message));
    let (plan, param_types) = planned.map_err(|error| match error.state {
        // The planner's own words: PostgreSQL's are looked for.
        SqlState::SyntaxErrorOrAccessRuleViolation => diagnose::diagnose(&rewritten.statement, &scope).unwrap_or(error),
        // An operator has its place where it is the innermost that is refused so.
        SqlState::UndefinedFunction | SqlState::AmbiguousFunction if error.message.starts_with("operator ") => {
            let found = diagnose::diagnose(&rewritten.statement, &scope);
            found.filter(|found| found.message == error.message).unwrap_or(error)
        }
        _ => place::placed(error, &rewritten.statement, message),
    })?;
    scope.check_read()?;
    let columns = columns(&plan, &rewritten.output_names);
    let origins = origins::of(&plan, &scope);
    Ok(Planned { plan: Arc::new(plan), columns, origins, param_types, scope: Arc::new(scope) })
}

/// The plan with every type settled.
fn analyzed(
    scope: &Scope,
    query: Query,
    declared: &[Option<FieldRef>],
) -> std::result::Result<(LogicalPlan, Vec<FieldRef>), DataFusionError> {
    let statement = Ast::Query(Box::new(query));
    let external = |error| DataFusionError::External(Box::new(error));
    let mut plan = logical(scope, statement.clone(), declared)?;
    let params::Types { fields: param_types, plan: planning } = params::types(&plan, declared).map_err(external)?;
    match planning {
        params::Planning::Done => {}
        params::Planning::Fill => plan = params::fill(plan, &param_types).map_err(external)?,
        params::Planning::Again => {
            let typed: Vec<_> = param_types.iter().cloned().map(Some).collect();
            plan = logical(scope, statement, &typed)?;
        }
    }
    let constants = constant_rows::columns(&plan);
    let plan = scope.state.analyzer().execute_and_check(plan, scope.state.config_options(), |_, _| {})?;
    // With parameters it waits for their values.
    let plan = if param_types.is_empty() { constant_rows::shown(exact::results(plan)?, &constants)? } else { plan };
    Ok((plan, param_types))
}

fn logical(
    scope: &Scope,
    statement: Ast,
    params: &[Option<FieldRef>],
) -> std::result::Result<LogicalPlan, DataFusionError> {
    let planner = SqlToRel::new_with_options(scope, options());
    let mut context = PlannerContext::new().with_prepare_param_data_types(params.to_vec());
    planner
        .sql_statement_to_plan_with_context(statement, &mut context)
        .and_then(|plan| match &scope.joined {
            Some(rows) => joined::read(plan, rows),
            None => Ok(plan),
        })
        .and_then(|plan| scope.check_columns(&plan).map(|()| plan))
        .and_then(grouping_keys::compute)
        .and_then(|plan| given_types::settle(plan, &|name| scope.scalar_function(name)))
}

/// The result columns by the names that the client sees.
fn columns(plan: &LogicalPlan, names: &[String]) -> SchemaRef {
    let fields = params::fields(plan.schema());
    let known = names.len() == fields.len();
    let fields: Vec<Field> = fields
        .into_iter()
        .enumerate()
        .map(|(index, field)| match names.get(index) {
            Some(name) if known => field.with_name(name),
            _ => field,
        })
        .enumerate()
        .map(|(index, field)| if declared::numeric(plan, index, &field) { pg_type::declared(field) } else { field })
        .collect();
    Arc::new(Schema::new(fields))
}

pub(super) fn options() -> ParserOptions {
    ParserOptions::new()
        .with_parse_float_as_decimal(true)
        .with_collect_spans(true)
        .with_map_string_types_to_utf8view(false)
}

/// An error of the planner with its position in the message.
fn located(error: datafusion::common::DataFusionError, message: &str) -> Error {
    let span = classify::span(&error);
    let error = Error::from(error);
    match (span, error.position) {
        (Some(span), None) => {
            let at = sqlparser::tokenizer::Location { line: span.start.line, column: span.start.column };
            error.at(parse::offset(message, at))
        }
        _ => error,
    }
}

pub(super) fn locate(error: Error, name: &ObjectName, message: &str) -> Error {
    let start = name.0.first().and_then(|part| part.as_ident()).map(|ident: &Ident| ident.span.start);
    match start {
        // PostgreSQL says not where.
        Some(_) if error.state == SqlState::InsufficientPrivilege => error,
        Some(start) if error.position.is_none() && start.line > 0 => error.at(parse::offset(message, start)),
        _ => error,
    }
}

/// What to do with a statement that is neither a query nor a command of the session.
pub(super) fn refuse(statement: &Statement) -> Error {
    match statement.ast.as_ref() {
        Ast::Copy { target: sqlparser::ast::CopyTarget::File { .. }, .. } => {
            Error::new(SqlState::InsufficientPrivilege, "permission denied to COPY to or from a file")
                .detail("Only the configured sources of the lake can be read.")
                .hint("Use COPY ... TO STDOUT, or put the file into the lake.")
        }
        Ast::Copy { target: sqlparser::ast::CopyTarget::Program { .. }, .. } => {
            Error::new(SqlState::InsufficientPrivilege, "permission denied to COPY to or from an external program")
        }
        other => parse::unsupported_command(verb(other)),
    }
}

/// The command's first words, without its operands.
fn verb(statement: &Ast) -> String {
    let text = statement.to_string();
    let words: Vec<&str> = text.split_whitespace().take(2).collect();
    match words.as_slice() {
        [first @ ("CREATE" | "ALTER" | "DROP"), second] => format!("{first} {second}"),
        [first, ..] => (*first).to_owned(),
        [] => "this statement".to_owned(),
    }
}
