//! Texts of literals that are cast, read where they are written.
//!
//! Owns: that a text which names no value is an error of the statement, with its place, whether or not a row is ever asked
//! for. Must never know: how a value is read, which `udfs::pg` knows.

use sqlparser::ast::{DataType, Expr, Spanned};
use udfs::pg::{input, moment};

use super::{Names, casts, literals, located, types};
use crate::error::Result;

/// Reads a cast or a typed literal.
pub(super) fn cast(expr: &mut Expr, names: &dyn Names) -> Result<()> {
    let literal = match &*expr {
        Expr::Cast { expr: inner, data_type, .. } => literals::text(inner).map(|text| (text, data_type, inner.span())),
        Expr::TypedString(typed) => {
            let value = Expr::Value(typed.value.clone());
            literals::text(&value).map(|text| (text, &typed.data_type, typed.value.span))
        }
        _ => None,
    };
    let Some((text, data_type, span)) = literal else { return casts::rewrite(expr, names.interval_style()) };
    check(&text, data_type, names).map_err(|error| located(error, span, names))?;
    casts::rewrite(expr, names.interval_style()).map_err(|error| located(error, span, names))
}

/// 22P02 and its like for a text that is no value of the type.
pub(super) fn check(text: &str, data_type: &DataType, names: &dyn Names) -> Result<()> {
    let (order, zone) = names.moments();
    let data_type = types::plain(data_type);
    match types::name(&data_type).as_str() {
        _ if matches!(data_type, DataType::Array(_)) => {}
        "int2" => drop(input::whole(text, "smallint")?),
        "int4" => drop(input::whole(text, "integer")?),
        "int8" => drop(input::whole(text, "bigint")?),
        "float4" => drop(input::single(text)?),
        "float8" => drop(input::double(text)?),
        "date" => drop(moment::date(text, order, zone)?),
        "timestamp" => drop(moment::timestamp(text, false, order, zone)?),
        "timestamptz" => drop(moment::timestamp(text, true, order, zone)?),
        _ => {}
    }
    Ok(())
}
