//! PREPARE and EXECUTE: statements that a client names and runs by SQL.
//!
//! Owns: reading the parameter types of the one and the arguments of the other. Must never know: where the names are
//! kept; the session does.

use std::sync::Arc;

use arrow::array::Array;
use arrow::compute::concat_batches;
use arrow::datatypes::FieldRef;
use datafusion::scalar::ScalarValue;
use sqlparser::ast::{DataType as Sql, Expr, Ident, ObjectName, Query, Value};
use sqlparser::ast::{Statement as Ast, Visit, Visitor};

use super::plan::{self, Planned};
use super::{Core, Prepared, QueryStream, Statement, rewrite};
use crate::error::{Error, Result, SqlState};
use crate::session::{NamedStatement, Session, fold};

/// Plans what PREPARE names, so that EXECUTE only has to run it.
pub(super) async fn prepare(core: Arc<Core>, session: Arc<Session>, statement: Statement) -> Result<Prepared> {
    let Ast::Prepare { name, data_types, statement: inner } = statement.ast.as_ref() else {
        return Err(plan::refuse(&statement));
    };
    if !matches!(inner.as_ref(), Ast::Query(_) | Ast::Insert(_) | Ast::Update { .. } | Ast::Delete(_) | Ast::Merge(_)) {
        let message = format!("syntax error at or near \"{}\"", first_word(inner));
        return Err(Error::new(SqlState::SyntaxError, message));
    }
    let declared = declared(&core, &session, &statement, data_types).await?;
    let inner = Statement { ast: Arc::new(inner.as_ref().clone()), ..statement.clone() };
    let prepared = Box::pin(core.prepare(session, inner, declared)).await?;
    Ok(Prepared::prepare(statement.clone(), fold(name), prepared))
}

fn first_word(statement: &Ast) -> String {
    statement.to_string().split_whitespace().next().unwrap_or_default().to_owned()
}

/// The types in parentheses after the name. A cast to each of them says what it is.
async fn declared(
    core: &Arc<Core>,
    session: &Arc<Session>,
    statement: &Statement,
    data_types: &[Sql],
) -> Result<Vec<Option<FieldRef>>> {
    if data_types.is_empty() {
        return Ok(Vec::new());
    }
    let null = |data_type: &Sql| rewrite::cast(Expr::value(Value::Null), data_type.clone());
    let casts = data_types.iter().map(null).collect();
    let planned = values(core, session, statement, casts).await?;
    let fields = planned.columns.fields().iter().zip(data_types);
    Ok(fields.map(|(field, data_type)| (!is_unknown(data_type)).then(|| Arc::clone(field))).collect())
}

/// `PREPARE p (unknown)` leaves the type to be inferred.
fn is_unknown(data_type: &Sql) -> bool {
    data_type.to_string().eq_ignore_ascii_case("unknown")
}

/// Finds what EXECUTE runs, and plans its arguments as casts to the parameters' types.
pub(super) async fn execute(core: Arc<Core>, session: Arc<Session>, statement: Statement) -> Result<Prepared> {
    let Ast::Execute { name: Some(name), parameters, immediate: false, into, using, .. } = statement.ast.as_ref()
    else {
        return Err(plan::refuse(&statement));
    };
    if !into.is_empty() || !using.is_empty() {
        return Err(plan::refuse(&statement));
    }
    let name = name.0.last().and_then(|part| part.as_ident()).map(fold).unwrap_or_default();
    let NamedStatement { prepared, .. } = session.statements().get(&name)?;
    let Some(target) = prepared else {
        // An empty text: it runs, and does nothing.
        return Err(Error::unsupported("EXECUTE of an empty statement is not supported"));
    };
    let expected = target.param_types.len();
    if parameters.len() != expected {
        let message = format!("wrong number of parameters for prepared statement \"{name}\"");
        return Err(Error::new(SqlState::SyntaxError, message)
            .detail(format!("Expected {expected} parameters but got {}.", parameters.len())));
    }
    let mut arguments = None;
    if expected > 0 {
        parameters.iter().try_for_each(check)?;
        let casts = parameters.iter().zip(&target.param_types).map(|(expr, field)| assigned(expr.clone(), field));
        let planned = values(&core, &session, &statement, casts.collect()).await?;
        if !planned.param_types.is_empty() {
            return Err(Error::new(SqlState::UndefinedParameter, "there is no parameter $1"));
        }
        arguments = Some(planned);
    }
    Ok(Prepared::execute(statement, target, arguments))
}

/// The argument as the parameter's type.
fn assigned(expr: Expr, field: &FieldRef) -> Expr {
    let name = match catalog::pg_catalog::pg_type_of(field).name {
        // `bpchar` without a length is `char(1)` to the parser.
        "bpchar" => "text",
        name => name,
    };
    let data_type = Sql::Custom(ObjectName::from(vec![Ident::with_quote('"', name)]), Vec::new());
    rewrite::cast(Expr::Nested(Box::new(expr)), data_type)
}

/// PostgreSQL evaluates arguments without a query around them.
fn check(argument: &Expr) -> Result<()> {
    struct Subqueries;
    impl Visitor for Subqueries {
        type Break = ();
        fn pre_visit_query(&mut self, _: &Query) -> std::ops::ControlFlow<()> {
            std::ops::ControlFlow::Break(())
        }
    }
    match argument.visit(&mut Subqueries) {
        std::ops::ControlFlow::Continue(()) => Ok(()),
        std::ops::ControlFlow::Break(()) => Err(Error::unsupported("cannot use subquery in EXECUTE parameter")),
    }
}

/// Plans a row of values.
async fn values(core: &Arc<Core>, session: &Arc<Session>, statement: &Statement, exprs: Vec<Expr>) -> Result<Planned> {
    let query = rewrite::row_of(exprs);
    plan::query(Arc::clone(core), Arc::clone(session), Box::new(query), Arc::clone(&statement.message), Vec::new())
        .await
}

/// The values of the one row that the arguments are.
pub(super) async fn row(mut arguments: QueryStream) -> Result<Vec<ScalarValue>> {
    let mut batches = Vec::new();
    // Bounded: one row, unless a set-returning function stands among the arguments, which the second row tells.
    while let Some(batch) = arguments.next().await.transpose()? {
        batches.push(batch);
        if batches.iter().map(arrow::array::RecordBatch::num_rows).sum::<usize>() > 1 {
            return Err(Error::unsupported("set-returning functions are not allowed in EXECUTE parameters"));
        }
    }
    let row = concat_batches(arguments.schema(), &batches)?;
    let first = |column: &Arc<dyn Array>| Ok(ScalarValue::try_from_array(column, 0)?);
    row.columns().iter().map(first).collect()
}
