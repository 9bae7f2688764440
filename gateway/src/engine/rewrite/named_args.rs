//! Arguments by name: `make_interval(days => 10)`.
//!
//! Owns: the names of the parameters of the functions that have some. Must never know: what a function computes.

use sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgOperator, FunctionArguments, Value,
};

use super::literals::number;
use super::{arrays, folded};
use crate::error::{Error, Result, SqlState};

/// The parameters of a function in their order; how many a call must give, and what the rest are by default.
struct Parameters {
    function: &'static str,
    names: &'static [&'static str],
    required: usize,
    default: fn() -> Expr,
}

const FUNCTIONS: &[Parameters] = &[
    Parameters { function: "make_date", names: &["year", "month", "day"], required: 3, default: zero },
    Parameters {
        function: "make_interval",
        names: &["years", "months", "weeks", "days", "hours", "mins", "secs"],
        required: 0,
        default: zero,
    },
    Parameters { function: "make_time", names: &["hour", "min", "sec"], required: 3, default: zero },
    Parameters {
        function: "make_timestamp",
        names: &["year", "month", "mday", "hour", "min", "sec"],
        required: 6,
        default: zero,
    },
    Parameters {
        function: "make_timestamptz",
        names: &["year", "month", "mday", "hour", "min", "sec", "timezone"],
        required: 6,
        default: zero,
    },
    Parameters {
        function: "time_bucket_gapfill",
        names: &["bucket_width", "ts", "start", "finish"],
        required: 2,
        default: null,
    },
    Parameters { function: "locf", names: &["value", "prev", "treat_null_as_missing"], required: 1, default: null },
    Parameters { function: "interpolate", names: &["value", "prev", "next"], required: 1, default: null },
];

fn zero() -> Expr {
    number(0)
}

fn null() -> Expr {
    Expr::value(Value::Null)
}

/// Puts named arguments where their parameters stand.
pub(super) fn rewrite(function: &mut Function) -> Result<()> {
    let name = function.name.0.last().and_then(|part| part.as_ident()).map(folded).unwrap_or_default();
    let FunctionArguments::List(list) = &mut function.args else { return Ok(()) };
    list.args.iter_mut().for_each(assigned);
    if !list.args.iter().any(|arg| matches!(arg, FunctionArg::Named { .. } | FunctionArg::ExprNamed { .. })) {
        return Ok(());
    }
    if spread(&name, &mut list.args)? {
        return Ok(());
    }
    let Some(known) = FUNCTIONS.iter().find(|known| known.function == name) else { return Err(undefined(&name)) };
    let mut places: Vec<Option<Expr>> = vec![None; known.names.len()];
    let mut named = false;
    for (index, arg) in list.args.iter().enumerate() {
        let (at, expr) = match arg {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(_)) if named => {
                return Err(Error::new(SqlState::SyntaxError, "positional argument cannot follow named argument"));
            }
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => (Some(index), expr),
            FunctionArg::Named { name, arg: FunctionArgExpr::Expr(expr), .. } => {
                named = true;
                let written = folded(name);
                (known.names.iter().position(|parameter| *parameter == written), expr)
            }
            FunctionArg::ExprNamed { name: Expr::Identifier(name), arg: FunctionArgExpr::Expr(expr), .. } => {
                named = true;
                let written = folded(name);
                (known.names.iter().position(|parameter| *parameter == written), expr)
            }
            _ => return Err(undefined(&name)),
        };
        match at.and_then(|at| places.get_mut(at)) {
            Some(place @ None) => *place = Some(expr.clone()),
            _ => return Err(undefined(&name)),
        }
    }
    let given = places.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
    if given < known.required || places.iter().take(known.required).any(Option::is_none) {
        return Err(undefined(&name));
    }
    let args = places.into_iter().take(given).map(|place| place.unwrap_or_else(known.default));
    list.args = args.map(|expr| FunctionArg::Unnamed(FunctionArgExpr::Expr(expr))).collect();
    Ok(())
}

/// `name := value` is the older form of `name => value`, which is read as an operator.
fn assigned(arg: &mut FunctionArg) {
    if let FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::BinaryOp { left, op: BinaryOperator::Assignment, right })) =
        arg
        && let Expr::Identifier(name) = left.as_ref()
    {
        let arg_of = FunctionArgExpr::Expr(right.as_ref().clone());
        *arg = FunctionArg::Named { name: name.clone(), arg: arg_of, operator: FunctionArgOperator::Assignment };
    }
}

/// `f(VARIADIC array)` is a call with the elements as arguments. Whether the last argument was one.
fn spread(function: &str, args: &mut Vec<FunctionArg>) -> Result<bool> {
    let array = match args.last() {
        Some(FunctionArg::Named { name, arg: FunctionArgExpr::Expr(array), .. }) if folded(name) == "variadic" => array,
        Some(FunctionArg::ExprNamed { name: Expr::Identifier(name), arg: FunctionArgExpr::Expr(array), .. })
            if folded(name) == "variadic" =>
        {
            array
        }
        _ => return Ok(false),
    };
    let elements = match arrays::list(array)? {
        // A path may be an array as it is.
        _ if function.contains("_extract_path") => vec![array.clone()],
        Some(elements) => elements,
        None => {
            let message = format!("VARIADIC with an array that is not written out is not supported for {function}");
            return Err(Error::unsupported(message));
        }
    };
    args.pop();
    args.extend(elements.into_iter().map(|element| FunctionArg::Unnamed(FunctionArgExpr::Expr(element))));
    Ok(true)
}

fn undefined(name: &str) -> Error {
    Error::new(SqlState::UndefinedFunction, format!("function {name} does not exist with these argument names"))
        .hint("No function matches the given name and argument types. You might need to add explicit type casts.")
}
