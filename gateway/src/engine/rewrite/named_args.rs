//! Arguments by name: `make_interval(days => 10)`.
//!
//! Owns: the names of the parameters of the functions that have some. Must never know: what a function computes.

use sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgOperator, FunctionArguments, Value,
};

use super::literals::number;
use super::{arrays, folded};
use crate::error::{Error, Result, SqlState};

/// The parameters of a function in their order; how many a call must give, and what the rest are by default. Of several
/// lists of one function the first is meant that has a place for each argument.
struct Parameters {
    function: &'static str,
    names: &'static [&'static str],
    required: usize,
    default: fn() -> Expr,
}

/// Of a time zone before a start and a finish: positional calls that end before the last would be those of a start.
const IN_ZONE: &str = "timezone";

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
    Parameters { function: "time_bucket", names: &["bucket_width", "ts", "origin"], required: 2, default: null },
    Parameters { function: "time_bucket", names: &["bucket_width", "ts", "offset"], required: 2, default: null },
    Parameters {
        function: "time_bucket",
        names: &["bucket_width", "ts", "timezone", "origin", "offset"],
        required: 3,
        default: null,
    },
    Parameters {
        function: "time_bucket_gapfill",
        names: &["bucket_width", "ts", "start", "finish"],
        required: 2,
        default: null,
    },
    Parameters {
        function: "time_bucket_gapfill",
        names: &["bucket_width", "ts", "timezone", "start", "finish"],
        required: 3,
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
    let mut given = Vec::with_capacity(list.args.len());
    for arg in &list.args {
        let (written, expr) = match arg {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => (None, expr),
            FunctionArg::Named { name, arg: FunctionArgExpr::Expr(expr), .. }
            | FunctionArg::ExprNamed { name: Expr::Identifier(name), arg: FunctionArgExpr::Expr(expr), .. } => {
                (Some(folded(name)), expr)
            }
            _ => return Err(undefined(&name)),
        };
        if written.is_none() && given.last().is_some_and(|(last, _): &(Option<String>, _)| last.is_some()) {
            return Err(Error::new(SqlState::SyntaxError, "positional argument cannot follow named argument"));
        }
        given.push((written, expr.clone()));
    }
    let all = FUNCTIONS.iter().filter(|known| known.function == name).find_map(|known| known.placed(&given));
    let args = all.ok_or_else(|| undefined(&name))?.into_iter();
    list.args = args.map(|expr| FunctionArg::Unnamed(FunctionArgExpr::Expr(expr))).collect();
    Ok(())
}

impl Parameters {
    /// The arguments in their order, up to the last that is given; `None` if they are not of this list.
    fn placed(&self, given: &[(Option<String>, Expr)]) -> Option<Vec<Expr>> {
        let mut places: Vec<Option<Expr>> = vec![None; self.names.len()];
        for (index, (written, expr)) in given.iter().enumerate() {
            let at = match written {
                Some(written) => self.names.iter().position(|name| name == written)?,
                None => index,
            };
            match places.get_mut(at)? {
                place @ None => *place = Some(expr.clone()),
                Some(_) => return None,
            }
        }
        let mut last = places.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
        if last > 3 && self.names.get(2) == Some(&IN_ZONE) {
            last = places.len();
        }
        let is_whole = last >= self.required && places.iter().take(self.required).all(Option::is_some);
        let all = places.into_iter().take(last).map(|place| place.unwrap_or_else(self.default));
        is_whole.then(|| all.collect())
    }
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
