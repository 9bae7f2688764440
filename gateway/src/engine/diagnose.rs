//! Why a query could not be planned, in PostgreSQL's words.
//!
//! Owns: the search for the innermost expression without a type, after the planner has failed without a condition of
//! PostgreSQL's. It costs nothing while queries are right. Must never know: how a plan would have run.

use std::ops::ControlFlow;

use datafusion::common::DFSchemaRef;
use datafusion::logical_expr::ExprSchemable;
use datafusion::sql::planner::{PlannerContext, SqlToRel};
use sqlparser::ast::helpers::attached_token::AttachedToken;
use sqlparser::ast::{
    BinaryOperator, Cte, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, GroupByExpr, Query, Select,
    SelectItem, SetExpr, Statement, TableFactor, TableWithJoins, UnaryOperator, Visit, Visitor, With,
};
use sqlparser::tokenizer::Span;

use super::place;
use super::planners::{Category, Operand};
use super::rewrite::{self, Names};
use super::scope::Scope;
use crate::error::{Error, SqlState};

/// The condition behind a failed plan, if it is one of types.
pub(super) fn diagnose(query: &Query, scope: &Scope) -> Option<Error> {
    let mut search = Search { scope, ctes: Vec::new() };
    search.query(query).break_value()
}

struct Search<'s> {
    scope: &'s Scope,
    /// The WITH queries in sight, outermost first.
    ctes: Vec<Cte>,
}

type Found = ControlFlow<Error>;

impl Search<'_> {
    fn query(&mut self, query: &Query) -> Found {
        let before = self.ctes.len();
        for cte in query.with.iter().flat_map(|with| with.cte_tables.iter()) {
            self.query(&cte.query)?;
            self.ctes.push(cte.clone());
        }
        let found = self.body(&query.body);
        self.ctes.truncate(before);
        found
    }

    fn body(&mut self, body: &SetExpr) -> Found {
        match body {
            SetExpr::Select(select) => self.select(select),
            SetExpr::Query(query) => self.query(query),
            SetExpr::SetOperation { left, right, .. } => {
                self.body(left)?;
                self.body(right)
            }
            _ => ControlFlow::Continue(()),
        }
    }

    fn select(&mut self, select: &Select) -> Found {
        for item in &select.from {
            self.relation(&item.relation)?;
            for join in &item.joins {
                self.relation(&join.relation)?;
            }
        }
        let Some(schema) = self.schema(select.from.clone()) else { return ControlFlow::Continue(()) };
        for item in &select.projection {
            if let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = item {
                self.expr(expr, &schema)?;
            }
        }
        if let GroupByExpr::Expressions(exprs, _) = &select.group_by {
            exprs.iter().try_for_each(|expr| self.expr(expr, &schema))?;
        }
        let joins = select.from.iter().flat_map(|item| item.joins.iter());
        let on = joins.filter_map(|join| match rewrite::constraint_of(&join.join_operator) {
            Some(sqlparser::ast::JoinConstraint::On(expr)) => Some((expr, "JOIN/ON")),
            _ => None,
        });
        let filters = select.selection.iter().map(|expr| (expr, "WHERE"));
        let having = select.having.iter().map(|expr| (expr, "HAVING"));
        for (expr, clause) in on.chain(filters).chain(having) {
            self.expr(expr, &schema)?;
            self.truth(expr, clause, &schema)?;
        }
        ControlFlow::Continue(())
    }

    fn relation(&mut self, factor: &TableFactor) -> Found {
        match factor {
            TableFactor::Derived { subquery, .. } => self.query(subquery),
            TableFactor::NestedJoin { table_with_joins, .. } => {
                self.relation(&table_with_joins.relation)?;
                table_with_joins.joins.iter().try_for_each(|join| self.relation(&join.relation))
            }
            _ => ControlFlow::Continue(()),
        }
    }

    /// The columns of a FROM list, without the conditions of its joins.
    fn schema(&self, mut from: Vec<TableWithJoins>) -> Option<DFSchemaRef> {
        for join in from.iter_mut().flat_map(|item| item.joins.iter_mut()) {
            if let Some(constraint) = rewrite::constraint(&mut join.join_operator)
                && matches!(constraint, sqlparser::ast::JoinConstraint::On(_))
            {
                let always = Expr::value(sqlparser::ast::Value::Boolean(true));
                *constraint = sqlparser::ast::JoinConstraint::On(always);
            }
        }
        if from.is_empty() {
            return Some(DFSchemaRef::new(datafusion::common::DFSchema::empty()));
        }
        let mut query = rewrite::all_of(from);
        if !self.ctes.is_empty() {
            let cte_tables = self.ctes.clone();
            query.with = Some(With { with_token: AttachedToken::empty(), recursive: false, cte_tables });
        }
        let planner = SqlToRel::new_with_options(self.scope, super::plan::options());
        let plan = planner.sql_statement_to_plan(Statement::Query(Box::new(query))).ok()?;
        Some(DFSchemaRef::clone(plan.schema()))
    }

    fn expr(&mut self, expr: &Expr, schema: &DFSchemaRef) -> Found {
        expr.visit(&mut Innermost { search: self, schema, queries: 0 })
    }

    /// `None` for an expression that has no type, or none that can be known here.
    fn operand(&self, expr: &Expr, schema: &DFSchemaRef) -> Option<Operand> {
        let planner = SqlToRel::new_with_options(self.scope, super::plan::options());
        let planned = planner.sql_to_expr(expr.clone(), schema, &mut PlannerContext::new()).ok()?;
        Operand::of(&planned, schema)
    }

    fn has_type(&self, expr: &Expr, schema: &DFSchemaRef) -> bool {
        let planner = SqlToRel::new_with_options(self.scope, super::plan::options());
        planner
            .sql_to_expr(expr.clone(), schema, &mut PlannerContext::new())
            .is_ok_and(|planned| planned.to_field(schema.as_ref()).is_ok())
    }

    fn truth(&self, expr: &Expr, clause: &str, schema: &DFSchemaRef) -> Found {
        match self.operand(expr, schema) {
            Some(operand) => match super::planners::truth_error(&operand, clause) {
                Some(error) => self.found(error, sqlparser::ast::Spanned::span(expr)),
                None => ControlFlow::Continue(()),
            },
            None => ControlFlow::Continue(()),
        }
    }

    fn found(&self, error: Error, span: Span) -> Found {
        let position = self.scope.message().and_then(|message| rewrite::position(message, span));
        ControlFlow::Break(match position {
            Some(position) => error.at(position),
            None => error,
        })
    }

    /// What is wrong with an expression whose parts all have types.
    fn judge(&self, expr: &Expr, schema: &DFSchemaRef) -> Found {
        match expr {
            Expr::Function(function) => self.function(expr, function, schema),
            Expr::BinaryOp { left, op, right } => self.operator(expr, (left, op, right), schema),
            Expr::UnaryOp { op: UnaryOperator::Not, expr } => self.truth(expr, "NOT", schema),
            Expr::UnaryOp { op: op @ (UnaryOperator::Minus | UnaryOperator::Plus), expr: operand } => {
                match self.operand(operand, schema) {
                    Some(operand) if matches!(operand.category, Category::Text | Category::Boolean) => {
                        let message = format!("operator does not exist: {op} {}", operand.name);
                        let error = undefined(message, "operator");
                        self.found(error, sqlparser::ast::Spanned::span(expr))
                    }
                    _ => ControlFlow::Continue(()),
                }
            }
            Expr::Case { operand: None, conditions, else_result, .. } => {
                for when in conditions {
                    self.truth(&when.condition, "CASE/WHEN", schema)?;
                }
                let results = else_result.iter().map(AsRef::as_ref).chain(conditions.iter().map(|when| &when.result));
                self.alternatives("CASE", results, schema)
            }
            Expr::InList { expr, list, .. } => {
                list.iter().try_for_each(|item| self.comparison(expr, "=", item, schema))
            }
            Expr::Between { expr, low, high, .. } => {
                self.comparison(expr, ">=", low, schema)?;
                self.comparison(expr, "<=", high, schema)
            }
            Expr::Like { expr, pattern, negated, .. } => {
                self.pattern(expr, if *negated { "!~~" } else { "~~" }, pattern, schema)
            }
            Expr::ILike { expr, pattern, negated, .. } => {
                self.pattern(expr, if *negated { "!~~*" } else { "~~*" }, pattern, schema)
            }
            _ => ControlFlow::Continue(()),
        }
    }

    /// What the planner says of an operator whose operands it can plan.
    fn operator(&self, expr: &Expr, parts: (&Expr, &BinaryOperator, &Expr), schema: &DFSchemaRef) -> Found {
        let (left, op, right) = parts;
        if !self.has_type(left, schema) || !self.has_type(right, schema) {
            return ControlFlow::Continue(());
        }
        let planner = SqlToRel::new_with_options(self.scope, super::plan::options());
        let Err(error) = planner.sql_to_expr(expr.clone(), schema, &mut PlannerContext::new()) else {
            return ControlFlow::Continue(());
        };
        let error = Error::from(error);
        if !matches!(error.state, SqlState::UndefinedFunction | SqlState::AmbiguousFunction) {
            return ControlFlow::Continue(());
        }
        let spans = (sqlparser::ast::Spanned::span(left), sqlparser::ast::Spanned::span(right));
        let position = self.scope.message().and_then(|message| place::operator(message, spans.0, op, spans.1));
        ControlFlow::Break(match position {
            Some(position) if error.position.is_none() => error.at(position),
            _ => error,
        })
    }

    fn comparison(&self, left: &Expr, op: &str, right: &Expr, schema: &DFSchemaRef) -> Found {
        let (Some(one), Some(other)) = (self.operand(left, schema), self.operand(right, schema)) else {
            return ControlFlow::Continue(());
        };
        if one.compares_with(&other) {
            return ControlFlow::Continue(());
        }
        let error = undefined(format!("operator does not exist: {} {op} {}", one.name, other.name), "operator");
        self.found(error, sqlparser::ast::Spanned::span(left))
    }

    fn pattern(&self, left: &Expr, op: &str, right: &Expr, schema: &DFSchemaRef) -> Found {
        let (Some(one), Some(other)) = (self.operand(left, schema), self.operand(right, schema)) else {
            return ControlFlow::Continue(());
        };
        let is_text = |operand: &Operand| {
            matches!(operand.category, Category::Text | Category::Unknown | Category::Other | Category::Bytes)
        };
        if is_text(&one) && is_text(&other) {
            return ControlFlow::Continue(());
        }
        let error = undefined(format!("operator does not exist: {} {op} {}", one.name, other.name), "operator");
        self.found(error, sqlparser::ast::Spanned::span(left))
    }

    fn alternatives<'e>(&self, construct: &str, exprs: impl Iterator<Item = &'e Expr>, schema: &DFSchemaRef) -> Found {
        let mut common: Option<Operand> = None;
        for expr in exprs {
            let Some(operand) = self.operand(expr, schema).filter(|operand| operand.category != Category::Unknown)
            else {
                continue;
            };
            common = Some(match common {
                None => operand,
                Some(before) => match before.common(operand, construct) {
                    Ok(common) => common,
                    Err(error) => return self.found(error.into(), sqlparser::ast::Spanned::span(expr)),
                },
            });
        }
        ControlFlow::Continue(())
    }

    fn function(&self, expr: &Expr, function: &Function, schema: &DFSchemaRef) -> Found {
        let FunctionArguments::List(list) = &function.args else { return ControlFlow::Continue(()) };
        let args: Vec<&Expr> = list
            .args
            .iter()
            .filter_map(|arg| match arg {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
                _ => None,
            })
            .collect();
        let Some(name) = function.name.0.last().and_then(|part| part.as_ident()) else {
            return ControlFlow::Continue(());
        };
        let written = crate::session::fold(name);
        if matches!(written.as_str(), "coalesce" | "greatest" | "least") {
            self.alternatives(&written.to_uppercase(), args.iter().copied(), schema)?;
        }
        // A call over a window has its own schema; its types are those of the plain call.
        let plain = Expr::Function(Function { over: None, filter: None, ..function.clone() });
        if self.has_type(expr, schema) || (function.over.is_some() && self.has_type(&plain, schema)) {
            return ControlFlow::Continue(());
        }
        let operands: Option<Vec<Operand>> = args.iter().map(|arg| self.operand(arg, schema)).collect();
        let Some(operands) = operands.filter(|operands| operands.len() == list.args.len()) else {
            return ControlFlow::Continue(());
        };
        let types: Vec<&str> = operands.iter().map(|operand| operand.name.as_str()).collect();
        let message = format!("function {written}({}) does not exist", types.join(", "));
        self.found(undefined(message, "function"), name.span)
    }
}

fn undefined(message: String, what: &str) -> Error {
    Error::new(SqlState::UndefinedFunction, message).hint(format!(
        "No {what} matches the given name and argument types. You might need to add explicit type casts."
    ))
}

/// Visits the parts of an expression before the expression itself; queries in it are searched on their own.
struct Innermost<'v, 's> {
    search: &'v mut Search<'s>,
    schema: &'v DFSchemaRef,
    queries: usize,
}

impl Visitor for Innermost<'_, '_> {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &Query) -> Found {
        self.queries += 1;
        if self.queries == 1 { self.search.query(query) } else { ControlFlow::Continue(()) }
    }

    fn post_visit_query(&mut self, _: &Query) -> Found {
        self.queries -= 1;
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &Expr) -> Found {
        if self.queries > 0 { ControlFlow::Continue(()) } else { self.search.judge(expr, self.schema) }
    }
}
