//! Arguments of functions that are literals of unknown type: `left('abc', '2')`, `make_date('2024', '1', '2')`.
//!
//! Owns: the literal as a value of the type that the function which is meant takes there; 42725 where several would do. Must
//! never know: how PostgreSQL chooses among functions, which `pg_catalog` knows.
//! <https://www.postgresql.org/docs/15/typeconv-func.html>

use catalog::pg_catalog::{self, Chosen, Given};
use sqlparser::ast::{
    DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, ObjectName, Spanned,
    UnaryOperator, Value,
};
use sqlparser::tokenizer::Span;
use udfs::pg::input;

use super::{Names, casts, folded, literals, located, types};
use crate::error::{Error, Result, SqlState};

/// Whether the values are read where they are made, or as casts that are read with all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Casts {
    Read,
    Written,
}

/// Gives the literals among the arguments of a call their types.
pub(super) fn settle(function: &mut Function, casts: Casts, names: &dyn Names) -> Result<()> {
    let [part] = function.name.0.as_slice() else { return Ok(()) };
    let Some(ident) = part.as_ident().cloned() else { return Ok(()) };
    let FunctionArguments::List(list) = &mut function.args else { return Ok(()) };
    if !function.within_group.is_empty() {
        return Ok(());
    }
    let args = list.args.iter_mut().map(|arg| match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
        _ => None,
    });
    let Some(mut args) = args.collect::<Option<Vec<_>>>() else { return Ok(()) };
    settle_list((&folded(&ident), ident.span), &mut args, casts, names)
}

/// The same, of a call whose arguments are apart.
pub(super) fn settle_list(
    (name, span): (&str, Span),
    args: &mut [&mut Expr],
    casts: Casts,
    names: &dyn Names,
) -> Result<()> {
    if !args.iter().any(|arg| literals::text(arg).is_some()) {
        return Ok(());
    }
    let given: Vec<Given> = args.iter().map(|arg| written(arg)).collect();
    let mut chosen = pg_catalog::choose(name, &given);
    if leaves_some(&chosen, &given) && given.contains(&Given::Later) {
        let typed = |(arg, given): (&&mut Expr, &Given)| match given {
            Given::Later => names.constant_type(arg).map_or(Given::Later, |field| of_type(&field)),
            given => *given,
        };
        let given: Vec<Given> = args.iter().zip(&given).map(typed).collect();
        chosen = pg_catalog::choose(name, &given);
    }
    let Chosen::Literals(types) = chosen else {
        return Err(located(ambiguous(name, args, names), span, names));
    };
    for (arg, of) in args.iter_mut().zip(types) {
        if let Some(of) = of {
            let span = arg.span();
            read(arg, of, casts, names).map_err(|error| located(error, span, names))?;
        }
    }
    Ok(())
}

/// What an argument is as far as it is written.
fn written(arg: &Expr) -> Given {
    if literals::text(arg).is_some() || matches!(arg, Expr::Value(value) if value.value == Value::Null) {
        return Given::Unknown;
    }
    match literals::signed_number(arg) {
        Some(digits) if digits.parse::<i32>().is_ok() => Given::Type(INT4),
        Some(digits) if digits.parse::<i64>().is_ok() => Given::Type(INT8),
        Some(_) => Given::Type(NUMERIC),
        None => Given::Later,
    }
}

const INT8: u32 = 20;
const INT4: u32 = 23;
const NUMERIC: u32 = 1700;

fn of_type(field: &arrow::datatypes::Field) -> Given {
    match field.data_type() {
        arrow::datatypes::DataType::Null => Given::Unknown,
        _ => Given::Type(pg_catalog::pg_type_of(field).oid),
    }
}

/// Whether a literal has no type yet that an argument of unknown type could decide.
fn leaves_some(chosen: &Chosen, given: &[Given]) -> bool {
    match chosen {
        Chosen::Literals(types) => types.iter().zip(given).any(|(of, given)| of.is_none() && *given == Given::Unknown),
        Chosen::Ambiguous => false,
    }
}

/// 42725.
fn ambiguous(name: &str, args: &[&mut Expr], names: &dyn Names) -> Error {
    let types = args.iter().map(|arg| match written(arg) {
        Given::Unknown => "unknown".to_owned(),
        Given::Type(INT4) => "integer".to_owned(),
        Given::Type(INT8) => "bigint".to_owned(),
        Given::Type(_) => "numeric".to_owned(),
        Given::Later => names.constant_type(arg).map_or_else(String::new, |field| udfs::pg_type::sql_name(&field)),
    });
    let types = types.collect::<Vec<_>>().join(", ");
    Error::new(SqlState::AmbiguousFunction, format!("function {name}({types}) is not unique"))
        .hint("Could not choose a best candidate function. You might need to add explicit type casts.")
}

/// Makes the literal a value of the type. Texts stay as they are, and so do types whose functions read texts themselves.
fn read(arg: &mut Expr, of: &str, casts: Casts, names: &dyn Names) -> Result<()> {
    let Some(text) = literals::text(arg) else { return Ok(()) };
    let value = match of {
        "int2" => number(input::whole(&text, "smallint")?),
        "int4" => number(input::whole(&text, "integer")?),
        "int8" => number(input::whole(&text, "bigint")?),
        "bool" | "bytea" | "float8" | "numeric" | "date" | "time" | "timestamp" | "timestamptz" | "interval"
        | "uuid" => cast(text, of, casts, names)?,
        array if array.starts_with('_') => cast(text, of, casts, names)?,
        _ => return Ok(()),
    };
    *arg = value;
    Ok(())
}

fn cast(text: String, of: &str, casts: Casts, names: &dyn Names) -> Result<Expr> {
    let data_type = DataType::Custom(ObjectName::from(vec![Ident::new(of)]), Vec::new());
    super::input::check(&text, &data_type, names)?;
    let literal = literals::string(text);
    match casts {
        Casts::Read => casts::cast(literal, &data_type, names.interval_style()),
        Casts::Written => Ok(types::cast(literal, types::plain(&data_type))),
    }
}

/// The number as a client would have written it.
fn number(value: i128) -> Expr {
    let digits = literals::number(value.unsigned_abs());
    match value < 0 {
        true => Expr::UnaryOp { op: UnaryOperator::Minus, expr: Box::new(digits) },
        false => digits,
    }
}
