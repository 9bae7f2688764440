//! PostgreSQL's notations that the planner does not read, in notations that it does.
//!
//! Owns: the order in which notations are looked at. Each family of notations has its own file. Must never know: names.

use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, Function, FunctionArguments, GroupByExpr, Ident, ObjectName, Query, Select, SelectItem, SetExpr, VisitMut,
    VisitorMut,
};

use super::arguments::Casts;
use super::expand::call;
use super::functions::is_catalog_schema;
use super::{
    Names, arguments, arrays, casts, conditions, folded, input, json, literals, named_args, operators, ordered, rows,
    slices, types,
};
use crate::error::{Error, Result, SqlState};

/// Rewrites every expression of the query, the innermost first.
pub(super) fn rewrite(query: &mut Query, names: &dyn Names) -> Result<()> {
    match query.visit(&mut Notations { names }) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

struct Notations<'n> {
    names: &'n dyn Names,
}

impl VisitorMut for Notations<'_> {
    type Break = Error;

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        match expression(expr, self.names) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Error> {
        // A number alone in a select list has a type that the client sees; in GROUP BY it would be a position.
        for item in &mut select.projection {
            if let SelectItem::ExprWithAlias { expr, .. } = item {
                literals::narrow(expr);
            }
        }
        ordered::rewrite(select);
        if let Err(error) = conditions::of_select(select) {
            return ControlFlow::Break(error);
        }
        match &select.group_by {
            GroupByExpr::All(_) => ControlFlow::Break(Error::unsupported("GROUP BY ALL is not PostgreSQL's")),
            GroupByExpr::Expressions(..) => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Error> {
        ordered::of_with(query);
        narrow_values(&mut query.body);
        ControlFlow::Continue(())
    }
}

/// The numbers of VALUES have types that the client sees, also beside a set operator.
fn narrow_values(body: &mut SetExpr) {
    match body {
        SetExpr::Values(values) => {
            values.rows.iter_mut().flat_map(|row| row.content.iter_mut()).for_each(literals::narrow);
        }
        SetExpr::SetOperation { left, right, .. } => {
            narrow_values(left);
            narrow_values(right);
        }
        _ => {}
    }
}

fn expression(expr: &mut Expr, names: &dyn Names) -> Result<()> {
    conditions::of_expr(expr)?;
    match expr {
        Expr::Value(_) => literals::spell_out(expr),
        Expr::Cast { .. } | Expr::TypedString(_) | Expr::Interval(_) => input::cast(expr, names),
        Expr::Collate { .. } => collate(expr),
        Expr::Overlay { expr: text, overlay_what, overlay_from, overlay_for } => {
            let mut args = vec![taken(text), taken(overlay_what), taken(overlay_from)];
            args.extend(overlay_for.as_deref_mut().map(taken));
            *expr = call("overlay", args);
            Ok(())
        }
        Expr::Function(function) => {
            unqualify(function);
            named_args::rewrite(function)?;
            if let Some(cast) = types::called(function, names) {
                *expr = cast;
                return expression(expr, names);
            }
            arguments::settle(function, Casts::Read, names)?;
            if let Some(remainder) = modulo(function) {
                *expr = remainder;
                if let Expr::Nested(inner) = expr {
                    operators::rewrite(inner)?;
                }
                return Ok(());
            }
            match session_keyword(function).or_else(|| type_of(function)) {
                Some(call) => *expr = call,
                None => arrays::from_subquery(expr)?,
            }
            literals::narrow_arguments(expr);
            counted(expr);
            casts::name_in_aggregate(expr);
            json::sorted_when_distinct(expr);
            json::aggregate(expr);
            Ok(())
        }
        Expr::AtTimeZone { timestamp, time_zone } => {
            let (zone, time) = (taken(time_zone), taken(timestamp));
            *expr = call("timezone", vec![zone, time]);
            Ok(())
        }
        Expr::AnyOp { .. } | Expr::AllOp { .. } => arrays::quantified(expr),
        Expr::Array(array) => {
            array.elem.iter_mut().for_each(literals::narrow);
            if array.elem.iter().any(|item| !literals::is_literal(item) || is_array(item)) || is_mixed(&array.elem) {
                // The planner forgets the queries around ARRAY[...], but not those around a call.
                *expr = call("make_array", std::mem::take(&mut array.elem));
            }
            Ok(())
        }
        Expr::Case { conditions, else_result, .. } => {
            conditions.iter_mut().for_each(|when| literals::narrow(&mut when.result));
            else_result.iter_mut().for_each(|otherwise| literals::narrow(otherwise));
            Ok(())
        }
        Expr::Between { .. } => conditions::symmetric(expr),
        Expr::IsNull(_) | Expr::IsNotNull(_) => {
            rows::null(expr);
            Ok(())
        }
        Expr::IsDistinctFrom(..) | Expr::IsNotDistinctFrom(..) => rows::distinct(expr),
        Expr::CompoundFieldAccess { .. } => slices::rewrite(expr),
        Expr::BinaryOp { .. }
        | Expr::UnaryOp { .. }
        | Expr::InList { .. }
        | Expr::InSubquery { .. }
        | Expr::Like { .. }
        | Expr::ILike { .. }
        | Expr::SimilarTo { .. }
        | Expr::Substring { .. } => operators::rewrite(expr),
        _ => Ok(()),
    }
}

/// Collations that order bytes are the order of this server; others would be answered wrongly.
fn collate(expr: &mut Expr) -> Result<()> {
    let Expr::Collate { expr: inner, collation } = expr else { return Ok(()) };
    let name = collation.0.last().and_then(|part| part.as_ident()).map(|ident| ident.value.clone()).unwrap_or_default();
    match name.as_str() {
        "default" | "C" | "POSIX" | "ucs_basic" | "C.UTF-8" | "C.utf8" => {
            *expr = taken(inner);
            Ok(())
        }
        _ => {
            let message = format!("collation \"{name}\" for encoding \"UTF8\" does not exist");
            Err(Error::new(SqlState::UndefinedObject, message)
                .hint("Text is ordered by code point; COLLATE \"C\" says so."))
        }
    }
}

/// `pg_catalog.f(x)` is `f(x)`.
fn unqualify(function: &mut Function) {
    let parts: Vec<&Ident> = function.name.0.iter().filter_map(|part| part.as_ident()).collect();
    if let [.., schema, name] = parts.as_slice()
        && is_catalog_schema(&folded(schema))
    {
        function.name = ObjectName::from(vec![Ident::new(folded(name))]);
    }
}

/// The keywords of SQL that are calls without parentheses, where another function has the meaning.
fn session_keyword(function: &Function) -> Option<Expr> {
    let [name] = function.name.0.as_slice() else { return None };
    let name = name.as_ident()?;
    if name.quote_style.is_some() {
        return None;
    }
    if !is_bare(&function.args) {
        return moment_of_precision(function, &folded(name));
    }
    let now = || call("now", Vec::new());
    let zone = sqlparser::ast::TimezoneInfo::None;
    Some(match folded(name).as_str() {
        "user" | "current_role" | "current_user" => call("current_user", Vec::new()),
        "session_user" => call("session_user", Vec::new()),
        "current_catalog" => call("current_database", Vec::new()),
        "current_schema" => call("current_schema", Vec::new()),
        "current_timestamp" => now(),
        "localtimestamp" => super::types::cast(now(), sqlparser::ast::DataType::Timestamp(None, zone)),
        "localtime" => super::types::cast(now(), sqlparser::ast::DataType::Time(None, zone)),
        "current_time" => call("lakegate_timetz", vec![now()]),
        _ => return None,
    })
}

/// `current_timestamp(3)`: the moment with so many decimals of seconds.
fn moment_of_precision(function: &Function, name: &str) -> Option<Expr> {
    let data_type = match name {
        "current_timestamp" => sqlparser::ast::DataType::Timestamp(None, sqlparser::ast::TimezoneInfo::Tz),
        "localtimestamp" => sqlparser::ast::DataType::Timestamp(None, sqlparser::ast::TimezoneInfo::None),
        "current_time" | "localtime" => sqlparser::ast::DataType::Time(None, sqlparser::ast::TimezoneInfo::None),
        _ => return None,
    };
    let arguments = arrays::arguments(function);
    let [digits @ Expr::Value(_)] = arguments.as_slice() else { return None };
    let moment = super::types::cast(call("now", Vec::new()), data_type);
    let rounded = call("lakegate_precision", vec![moment, digits.clone()]);
    Some(if name == "current_time" { call("lakegate_timetz", vec![rounded]) } else { rounded })
}

/// Whether it is an array that is written out: the call around it compares its dimensions with those beside it.
fn is_array(expr: &Expr) -> bool {
    match expr {
        Expr::Array(_) => true,
        Expr::Cast { expr, .. } | Expr::Nested(expr) => is_array(expr),
        _ => false,
    }
}

/// Whether there are texts beside others: they become what the others are.
fn is_mixed(items: &[Expr]) -> bool {
    let is_null = |item: &Expr| matches!(item, Expr::Value(value) if value.value == sqlparser::ast::Value::Null);
    let is_text = |item: &Expr| literals::text(item).is_some();
    items.iter().any(is_text) && items.iter().any(|item| !is_text(item) && !is_null(item))
}

/// Functions that count in a type of the planner's, with the one that PostgreSQL's return.
fn counted(expr: &mut Expr) {
    let Expr::Function(Function { name, .. }) = &*expr else { return };
    let [part] = name.0.as_slice() else { return };
    let returns = match part.as_ident().map(folded).as_deref() {
        Some("regexp_count" | "regexp_instr") => sqlparser::ast::DataType::Int4(None),
        Some("regr_count") => sqlparser::ast::DataType::Int8(None),
        _ => return,
    };
    *expr = types::cast(taken(expr), returns);
}

/// `mod(a, b)` is `a % b`, for each of their types.
fn modulo(function: &Function) -> Option<Expr> {
    let [name] = function.name.0.as_slice() else { return None };
    if folded(name.as_ident()?) != "mod" {
        return None;
    }
    let [left, right] = arrays::arguments(function).try_into().ok()?;
    let op = sqlparser::ast::BinaryOperator::Modulo;
    Some(Expr::Nested(Box::new(Expr::BinaryOp { left: Box::new(left), op, right: Box::new(right) })))
}

/// `pg_typeof(x)`: a literal of unknown type has none, whatever the planner takes it for.
fn type_of(function: &Function) -> Option<Expr> {
    let [name] = function.name.0.as_slice() else { return None };
    let mut arguments = arrays::arguments(function);
    if folded(name.as_ident()?) != "pg_typeof" || arguments.len() != 1 {
        return None;
    }
    let mut argument = arguments.pop()?;
    literals::narrow(&mut argument);
    let type_name = match literals::text(&argument) {
        Some(_) => literals::string("unknown"),
        None => call("lakegate_type_name", vec![argument]),
    };
    Some(call("lakegate_regtype_in", vec![type_name]))
}

fn is_bare(args: &FunctionArguments) -> bool {
    match args {
        FunctionArguments::None => true,
        FunctionArguments::List(list) => list.args.is_empty(),
        FunctionArguments::Subquery(_) => false,
    }
}

/// The expression in the box; NULL stays behind, to be overwritten.
pub(super) fn taken(expr: &mut Expr) -> Expr {
    std::mem::replace(expr, Expr::value(sqlparser::ast::Value::Null))
}
