//! Literals of unknown type in CASE, IN, BETWEEN, COALESCE and set operations: the others give them a type.
//!
//! Owns: PostgreSQL's rules for them, before type coercion makes the others texts; 42804 and 42846 where types do not
//! meet. Must never know: operators, which the planner's hook has resolved already.
//! <https://www.postgresql.org/docs/16/typeconv-union-case.html>

use arrow::datatypes::DataType;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, DataFusionError, Result};
use datafusion::logical_expr::expr::{Between, Cast, InList, InSubquery, ScalarFunction};
use datafusion::logical_expr::{BinaryExpr, Case, Expr, ExprSchemable, LogicalPlan, Operator, cast, lit, when};
use datafusion::optimizer::AnalyzerRule;
use sqlparser::ast::BinaryOperator;
use udfs::pg::text_out;

use super::{aggregates, expressions, json_functions, keys, same, set_types, text_functions};
use crate::engine::planners::{Category, Operand, operand, truth, undefined};
use crate::engine::tags;
use crate::error::{Error, SqlState};

#[derive(Debug)]
pub(super) struct UnknownLiterals;

impl AnalyzerRule for UnknownLiterals {
    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        plan.transform_up_with_subqueries(rewrite_node).map(|transformed| transformed.data)
    }

    fn name(&self) -> &'static str {
        "unknown_literals"
    }
}

fn rewrite_node(plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    let plan = same::unite(keys::sorted(set_types::resolve(plan)?)?)?;
    expressions::rewrite(plan, replace)
}

fn replace(expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    match expr {
        Expr::InList(InList { expr, mut list, negated }) => {
            let Some(left) = Operand::of(&expr, schema) else {
                return Ok(Transformed::no(Expr::InList(InList { expr, list, negated })));
            };
            for item in &mut list {
                compared(&left, BinaryOperator::Eq, item, schema)?;
            }
            Ok(Transformed::yes(Expr::InList(keys::in_list(InList { expr, list, negated }, schema))))
        }
        Expr::Between(Between { mut expr, negated, mut low, mut high }) => {
            widen_real(&mut expr, &mut low, schema);
            widen_real(&mut expr, &mut high, schema);
            if let Some(left) = Operand::of(&expr, schema) {
                compared(&left, BinaryOperator::GtEq, &mut low, schema)?;
                compared(&left, BinaryOperator::LtEq, &mut high, schema)?;
            }
            Ok(Transformed::yes(Expr::Between(keys::between(Between { expr, negated, low, high }, schema))))
        }
        Expr::Case(mut case) => {
            let results = case.when_then_expr.iter_mut().map(|(_, then)| then.as_mut());
            unify("CASE", results.chain(case.else_expr.iter_mut().map(AsMut::as_mut)).collect(), schema)?;
            give_operand(&mut case, schema)?;
            if case.expr.is_none() {
                for operand in case.when_then_expr.iter().filter_map(|(when, _)| Operand::of(when, schema)) {
                    truth(&operand, "CASE/WHEN")?;
                }
            }
            keys::case(&mut case, schema);
            Ok(Transformed::yes(Expr::Case(case)))
        }
        Expr::AggregateFunction(call) => {
            let call = aggregates::check(call, schema)?;
            Ok(Transformed::yes(Expr::AggregateFunction(keys::aggregate(call, schema)?)))
        }
        Expr::WindowFunction(mut call) => {
            keys::window(&mut call, schema);
            Ok(Transformed::yes(Expr::WindowFunction(call)))
        }
        Expr::InSubquery(InSubquery { mut expr, mut subquery, negated }) => {
            let column = subquery.subquery.schema().fields().first().map(|field| Operand::of_field(field));
            if let (Some(left), Some(right)) = (Operand::of(&expr, schema), column)
                && !left.compares_with(&right)
            {
                return Err(undefined(&left, &BinaryOperator::Eq, &right));
            }
            keys::among(&mut expr, &mut subquery, schema)?;
            Ok(Transformed::yes(Expr::InSubquery(InSubquery { expr, subquery, negated })))
        }
        Expr::SetComparison(mut comparison) => {
            keys::among(&mut comparison.expr, &mut comparison.subquery, schema)?;
            Ok(Transformed::yes(Expr::SetComparison(comparison)))
        }
        Expr::IsNull(row) if is_row(&row, schema) => {
            Ok(Transformed::yes(operand::call(udfs::pg::rows::is_null(true), vec![*row])))
        }
        Expr::IsNotNull(row) if is_row(&row, schema) => {
            Ok(Transformed::yes(operand::call(udfs::pg::rows::is_null(false), vec![*row])))
        }
        Expr::BinaryExpr(BinaryExpr {
            left,
            op: op @ (Operator::IsDistinctFrom | Operator::IsNotDistinctFrom),
            right,
        }) if is_row(&left, schema) && is_row(&right, schema) => {
            let distinct = operand::call(udfs::pg::rows::distinct(), vec![*left, *right]);
            let answer = if op == Operator::IsDistinctFrom { distinct } else { Expr::Not(Box::new(distinct)) };
            Ok(Transformed::yes(answer))
        }
        Expr::BinaryExpr(
            mut binary @ BinaryExpr { op: Operator::IsDistinctFrom | Operator::IsNotDistinctFrom, .. },
        ) => {
            widen_real(&mut binary.left, &mut binary.right, schema);
            give_each(&mut binary.left, &mut binary.right, schema)?;
            keys::binary(&mut binary, schema);
            Ok(Transformed::yes(Expr::BinaryExpr(binary)))
        }
        Expr::ScalarFunction(call) => function(call, schema).map(Transformed::yes),
        Expr::Cast(cast) => {
            castable(&cast, schema)?;
            Ok(Transformed::no(Expr::Cast(cast)))
        }
        other => Ok(Transformed::no(other)),
    }
}

fn is_row(expr: &Expr, schema: &DFSchema) -> bool {
    expr.get_type(schema).is_ok_and(|data_type| matches!(data_type, DataType::Struct(_)))
}

fn widen_real(left: &mut Expr, right: &mut Expr, schema: &DFSchema) {
    if let (Some(one), Some(other)) = (Operand::of(left, schema), Operand::of(right, schema)) {
        operand::widen_real([(left, &one), (right, &other)]);
    }
}

/// `CASE 1 WHEN '1' THEN ...` compares as `1 = '1'` does.
fn give_operand(case: &mut Case, schema: &DFSchema) -> Result<()> {
    let Some(compared) = case.expr.as_ref().and_then(|expr| Operand::of(expr, schema)) else { return Ok(()) };
    case.when_then_expr.iter_mut().try_for_each(|(when, _)| give(&compared, when, schema))
}

/// Gives a literal the type of what it is compared with; 42883 for what does not compare.
fn compared(left: &Operand, op: BinaryOperator, right: &mut Expr, schema: &DFSchema) -> Result<()> {
    let Some(operand) = Operand::of(right, schema) else { return Ok(()) };
    if !left.compares_with(&operand) {
        return Err(undefined(left, &op, &operand));
    }
    left.give_type(right, &operand)
}

fn give(to: &Operand, expr: &mut Expr, schema: &DFSchema) -> Result<()> {
    match Operand::of(expr, schema) {
        Some(literal) => to.give_type(expr, &literal),
        None => Ok(()),
    }
}

/// A literal takes the type of what it is compared with, on either side.
fn give_each(left: &mut Expr, right: &mut Expr, schema: &DFSchema) -> Result<()> {
    if let (Some(first), Some(second)) = (Operand::of(left, schema), Operand::of(right, schema)) {
        first.give_type(right, &second)?;
        second.give_type(left, &first)?;
    }
    Ok(())
}

/// Makes the literals among alternatives what the others are.
fn unify(construct: &str, alternatives: Vec<&mut Expr>, schema: &DFSchema) -> Result<()> {
    let mut typed: Option<Operand> = None;
    for operand in alternatives.iter().filter_map(|expr| Operand::of(expr, schema)) {
        if operand.category == Category::Unknown {
            continue;
        }
        typed = Some(match typed {
            None => operand,
            Some(before) => before.common(operand, construct)?,
        });
    }
    let Some(typed) = typed else { return Ok(()) };
    for expr in alternatives {
        if let Some(operand) = Operand::of(expr, schema) {
            typed.give_type(expr, &operand)?;
            typed.give_float(expr, &operand);
        }
    }
    Ok(())
}

fn function(mut call: ScalarFunction, schema: &DFSchema) -> Result<Expr> {
    text_functions::check(&call, schema)?;
    json_functions::give(&mut call, schema)?;
    let name = call.func.name();
    match name {
        "make_array" => unify("ARRAY", call.args.iter_mut().collect(), schema)?,
        "coalesce" | "greatest" | "least" => unify(&name.to_uppercase(), call.args.iter_mut().collect(), schema)?,
        "nullif" => {
            if let [left, right] = call.args.as_mut_slice() {
                give_each(left, right, schema)?;
            }
        }
        "concat" | "concat_ws" => {
            for arg in &mut call.args {
                match Operand::of(arg, schema) {
                    Some(operand) if operand.category == Category::Boolean => *arg = truth_out(arg.clone())?,
                    Some(operand) if operand.is_padded() => operand::strip(arg),
                    _ => {}
                }
            }
        }
        "format" => {
            for arg in call.args.iter_mut().skip(1) {
                shown(arg, schema)?;
            }
        }
        "quote_literal" | "quote_nullable" => {
            for arg in &mut call.args {
                shown(arg, schema)?;
                if arg.get_type(schema)? == DataType::Boolean {
                    *arg = cast(arg.clone(), DataType::Utf8);
                }
            }
        }
        name if name.starts_with("lakegate_") || tags::reads(name) => {}
        // What takes text takes character(n) without its padding.
        _ => {
            for arg in &mut call.args {
                if Operand::of(arg, schema).is_some_and(|operand| operand.is_padded()) {
                    operand::strip(arg);
                }
            }
        }
    }
    Ok(keys::function(call, schema))
}

/// A value as PostgreSQL's output function writes it; a truth value stays one.
fn shown(arg: &mut Expr, schema: &DFSchema) -> Result<()> {
    if text_out::applies(arg.to_field(schema)?.1.as_ref()) {
        *arg = text_out::text_out().call(vec![arg.clone()]);
    } else if Operand::of(arg, schema).is_some_and(|operand| operand.is_padded()) {
        operand::strip(arg);
    }
    Ok(())
}

/// The output function of booleans, unlike the cast, writes one letter.
fn truth_out(expr: Expr) -> Result<Expr> {
    when(expr.clone(), lit("t")).when(Expr::Not(Box::new(expr)), lit("f")).end()
}

/// 42846 for a cast that PostgreSQL has not, although the values could be reinterpreted.
fn castable(cast: &Cast, schema: &DFSchema) -> Result<()> {
    use Category as C;
    let Some(from) = Operand::of(&cast.expr, schema) else { return Ok(()) };
    let to = Operand::of_field(&cast.field);
    let moment = |category| matches!(category, C::Date | C::Timestamp | C::Time | C::ZonedTime | C::Interval);
    let refused = match (from.category, to.category) {
        (C::Number | C::Boolean | C::Bytes, to) if moment(to) => true,
        (from, C::Number | C::Boolean | C::Bytes) if moment(from) => true,
        (C::Date, C::Time | C::Interval)
        | (C::Time, C::Date | C::Timestamp)
        | (C::Interval, C::Date | C::Timestamp) => true,
        (C::Timestamp, C::Interval) => true,
        _ => json_functions::not_castable(&from, &to),
    };
    if !refused {
        return Ok(());
    }
    let message = format!("cannot cast type {} to {}", from.name, to.name);
    Err(DataFusionError::External(Box::new(Error::new(SqlState::CannotCoerce, message))))
}
