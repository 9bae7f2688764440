//! The constructors of SQL/JSON: `JSON_ARRAY(1, 2 NULL ON NULL)`, `JSON_OBJECT('a': 1)`, `JSON_ARRAYAGG(x)`,
//! `JSON_OBJECTAGG(k: v)`, and `x IS JSON`.
//!
//! Owns: what their clauses mean in the words of `udfs::pg::json`. Must never know: the types of arguments.
//! <https://www.postgresql.org/docs/16/functions-json.html#FUNCTIONS-JSON-CREATION-TABLE>

use std::ops::ControlFlow;

use sqlparser::ast::helpers::attached_token::AttachedToken;
use sqlparser::ast::{
    BinaryOperator, CaseWhen, DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgOperator,
    FunctionArgumentClause, FunctionArgumentList, FunctionArguments, Ident, JsonNullClause, ObjectName, Query, Select,
    SelectItem, Value, VisitMut, VisitorMut,
};

use super::arrays::binary;
use super::expand::call;
use super::literals::{narrow, number, string};
use super::syntax::taken;
use super::{folded, quoted, types};
use crate::engine::parse::IS_JSON;
use crate::error::{Error, Result, SqlState};

const CONSTRUCTORS: [&str; 4] = ["json_array", "json_arrayagg", "json_object", "json_objectagg"];

/// Rewrites every constructor of the query.
pub(super) fn rewrite(query: &mut Query) -> Result<()> {
    match query.visit(&mut Constructors) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

struct Constructors;

impl VisitorMut for Constructors {
    type Break = Error;

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Error> {
        for item in &mut select.projection {
            if let SelectItem::UnnamedExpr(expr) = item
                && let Some(name) = constructor(expr)
            {
                *item = SelectItem::ExprWithAlias { expr: taken(expr), alias: quoted(name) };
            }
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        if let Expr::BinaryOp { left, op: BinaryOperator::Custom(op), right } = expr
            && op == IS_JSON
        {
            *expr = is_json(taken(left), right);
            return ControlFlow::Continue(());
        }
        let (Some(name), Expr::Function(function)) = (constructor(expr), &*expr) else {
            return ControlFlow::Continue(());
        };
        match constructed(name, function) {
            Ok(Some(value)) => *expr = value,
            Ok(None) => {}
            Err(error) => return ControlFlow::Break(error),
        }
        ControlFlow::Continue(())
    }
}

/// The name of the constructor that the expression is, or casts.
fn constructor(expr: &Expr) -> Option<&'static str> {
    match expr {
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => constructor(inner),
        Expr::Function(function) => {
            // They are keywords, which have neither a schema nor quotes.
            let [name] = function.name.0.as_slice() else { return None };
            let name = name.as_ident().filter(|name| name.quote_style.is_none()).map(folded)?;
            CONSTRUCTORS.into_iter().find(|constructor| *constructor == name)
        }
        _ => None,
    }
}

/// What the parser made of `x IS JSON`: the kind and whether keys are unique stand in a literal.
fn is_json(mut value: Expr, test: &Expr) -> Expr {
    narrow(&mut value);
    let test = super::literals::text(test).unwrap_or_default();
    let (kind, unique) = test.split_once(' ').map_or((test.as_str(), false), |(kind, _)| (kind, true));
    call("lakegate_is_json", vec![value, string(kind), Expr::value(Value::Boolean(unique))])
}

/// The clauses behind the arguments.
struct Clauses {
    absent: Option<bool>,
    /// `json` or `jsonb`.
    kind: &'static str,
    /// Whether the JSON is returned as a text.
    as_text: bool,
}

fn clauses(list: &FunctionArgumentList) -> Result<Clauses> {
    let mut found = Clauses { absent: None, kind: "json", as_text: false };
    for clause in &list.clauses {
        match clause {
            FunctionArgumentClause::JsonNullClause(JsonNullClause::AbsentOnNull) => found.absent = Some(true),
            FunctionArgumentClause::JsonNullClause(JsonNullClause::NullOnNull) => found.absent = Some(false),
            FunctionArgumentClause::JsonReturningClause(returning) => match &returning.data_type {
                DataType::JSON => {}
                DataType::JSONB => found.kind = "jsonb",
                DataType::Text => found.as_text = true,
                other => return Err(Error::unsupported(format!("RETURNING {other} is not supported"))),
            },
            _ => {}
        }
    }
    Ok(found)
}

/// What a constructor makes; `None` for the function `json_object(text[])`, which is none.
fn constructed(name: &str, function: &Function) -> Result<Option<Expr>> {
    let FunctionArguments::List(list) = &function.args else { return Ok(None) };
    if list.duplicate_treatment.is_some() {
        return Err(Error::new(SqlState::SyntaxError, "syntax error at or near \"DISTINCT\""));
    }
    let clauses @ Clauses { absent, kind, as_text } = clauses(list)?;
    let value = match name {
        "json_array" => {
            let Some(values) = values(list) else { return Ok(None) };
            let known = absent.unwrap_or(true);
            call(&if known { format!("lakegate_{kind}_items") } else { format!("{kind}_build_array") }, values)
        }
        "json_object" => {
            let Some(pairs) = pairs(list) else { return Ok(None) };
            let part = if absent == Some(true) { "known" } else { "pairs" };
            call(&format!("lakegate_{kind}_{part}"), pairs.into_iter().flatten().collect())
        }
        "json_arrayagg" => match values(list).as_deref() {
            Some([value]) => aggregate(
                function,
                &format!("{kind}_agg"),
                vec![value.clone()],
                &Clauses { absent: Some(absent.unwrap_or(true)), ..clauses },
            ),
            _ => return Ok(None),
        },
        _ => match pairs(list).as_deref() {
            Some([[key, value]]) => {
                aggregate(function, &format!("{kind}_object_agg"), vec![key.clone(), value.clone()], &clauses)
            }
            _ => return Ok(None),
        },
    };
    Ok(Some(if as_text { types::cast(value, DataType::Text) } else { value }))
}

fn values(list: &FunctionArgumentList) -> Option<Vec<Expr>> {
    let value = |arg: &FunctionArg| match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) => Some(value.clone()),
        _ => None,
    };
    list.args.iter().map(value).collect()
}

/// `key: value` and `key VALUE value`.
fn pairs(list: &FunctionArgumentList) -> Option<Vec<[Expr; 2]>> {
    let pair = |arg: &FunctionArg| match arg {
        FunctionArg::ExprNamed {
            name,
            arg: FunctionArgExpr::Expr(value),
            operator: FunctionArgOperator::Colon | FunctionArgOperator::Value,
        } => Some([name.clone(), value.clone()]),
        _ => None,
    };
    list.args.iter().map(pair).collect()
}

/// An aggregate of all rows, or of those with a value: of such rows none give an empty JSON, unlike no rows.
fn aggregate(function: &Function, name: &str, args: Vec<Expr>, clauses: &Clauses) -> Expr {
    let value = args.last().cloned();
    let unnamed = |expr| FunctionArg::Unnamed(FunctionArgExpr::Expr(expr));
    let named = |name: &str, args: Vec<FunctionArg>, is_ordered: bool| {
        let mut aggregate = function.clone();
        aggregate.name = ObjectName::from(vec![Ident::new(name)]);
        if let FunctionArguments::List(list) = &mut aggregate.args {
            list.args = args;
            list.clauses.retain(|clause| is_ordered && matches!(clause, FunctionArgumentClause::OrderBy(_)));
        }
        aggregate
    };
    let mut all = named(name, args.into_iter().map(unnamed).collect(), true);
    let (Some(true), Some(value)) = (clauses.absent, value) else { return Expr::Function(all) };
    let is_known = Expr::IsNotNull(Box::new(value));
    all.filter = Some(Box::new(match all.filter.take() {
        Some(filter) => binary(Expr::Nested(filter), BinaryOperator::And, is_known),
        None => is_known,
    }));
    let rows = Expr::Function(named("count", vec![FunctionArg::Unnamed(FunctionArgExpr::Wildcard)], false));
    // So PostgreSQL writes an object of no members.
    let empty = match (name.contains("object"), clauses.kind) {
        (false, _) => "[]",
        (true, "json") => "{  }",
        (true, _) => "{}",
    };
    let data_type = if clauses.kind == "jsonb" { DataType::JSONB } else { DataType::JSON };
    let otherwise = Expr::Case {
        case_token: AttachedToken::empty(),
        end_token: AttachedToken::empty(),
        operand: None,
        conditions: vec![CaseWhen {
            condition: binary(rows, BinaryOperator::Gt, number(0)),
            result: types::cast(string(empty), data_type),
        }],
        else_result: None,
    };
    call("coalesce", vec![Expr::Function(all), otherwise])
}
