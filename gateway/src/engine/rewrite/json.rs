//! json and jsonb: aggregates of whole values, and functions that return sets.
//!
//! Owns: what these become in the words of `udfs::pg::json`. Must never know: the types of arguments.
//! <https://www.postgresql.org/docs/16/functions-json.html>

use sqlparser::ast::{
    DataType, DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause,
    FunctionArguments, Ident, ObjectName, OrderByExpr, OrderByOptions, Query, SelectItem, SetExpr, TableAliasColumnDef,
};

use super::arrays::arguments;
use super::expand::call;
use super::literals::string;
use super::syntax::taken;
use super::{folded, rows, types};
use crate::error::{Error, Result, SqlState};

/// Functions that return sets of values.
const SETS: &[&str] = &[
    "json_array_elements",
    "json_array_elements_text",
    "json_object_keys",
    "jsonb_array_elements",
    "jsonb_array_elements_text",
    "jsonb_object_keys",
];

/// Functions that return sets of a key and a value.
const PAIRS: &[&str] = &["json_each", "json_each_text", "jsonb_each", "jsonb_each_text"];

/// Functions whose columns the alias in FROM defines.
const RECORDS: &[&str] = &["json_to_record", "json_to_recordset", "jsonb_to_record", "jsonb_to_recordset"];

/// Whether the function is one that FROM or a select list is rewritten for.
pub(super) fn returns_rows(function: &str) -> bool {
    SETS.contains(&function) || PAIRS.contains(&function) || RECORDS.contains(&function)
}

/// Whether the function's one column has a name that no alias of the function changes.
pub(super) fn is_named(function: &str) -> bool {
    SETS.contains(&function) && function.contains("_array_elements")
}

/// The own name of the column of a function that returns a set of values.
pub(super) fn column(function: &str) -> String {
    if is_named(function) { "value".to_owned() } else { function.to_owned() }
}

/// Whether a FROM item is such a function alone, so that its name means the value and no row.
pub(super) fn is_value(subquery: &Query) -> bool {
    let SetExpr::Select(select) = subquery.body.as_ref() else { return false };
    let [SelectItem::ExprWithAlias { expr, .. }] = select.projection.as_slice() else { return false };
    fn innermost(expr: &Expr) -> Option<&Function> {
        let Expr::Function(function) = expr else { return None };
        let FunctionArguments::List(list) = &function.args else { return None };
        let name = function.name.0.last().and_then(|part| part.as_ident())?;
        match list.args.first() {
            Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(inner)))
                if matches!(name.value.as_str(), "lakegate_tagged" | "unnest") =>
            {
                innermost(inner)
            }
            _ => Some(function),
        }
    }
    let name = innermost(expr).and_then(|function| function.name.0.last()).and_then(|part| part.as_ident());
    name.and_then(|name| name.value.strip_prefix("lakegate_")).is_some_and(is_named)
}

/// Refuses what PostgreSQL has and this server has not.
pub(super) fn refuse(function: &str) -> Result<()> {
    if function.starts_with("jsonb_path_") {
        return Err(Error::unsupported(format!("{function} is not supported: there are no SQL/JSON paths"))
            .hint("Use the operators -> and #>, or jsonb_array_elements."));
    }
    if function.starts_with("json_populate_") || function.starts_with("jsonb_populate_") {
        return Err(Error::unsupported(format!("{function} is not supported"))
            .hint("Use json_to_record or json_to_recordset with a column definition list."));
    }
    Ok(())
}

/// `json_agg(x)` collects the JSON of each row, `json_agg(DISTINCT x)` the values before they are JSON.
pub(super) fn aggregate(expr: &mut Expr) {
    let Expr::Function(Function { name, args: FunctionArguments::List(list), .. }) = expr else { return };
    let is_distinct = list.duplicate_treatment == Some(DuplicateTreatment::Distinct);
    let list_of = match name.0.last().and_then(|part| part.as_ident()).map(folded).as_deref() {
        Some("json_agg") if is_distinct => "lakegate_json_list",
        Some("jsonb_agg") if is_distinct => "lakegate_jsonb_list",
        _ => "",
    };
    if !list_of.is_empty() {
        *name = ObjectName::from(vec![Ident::new("array_agg")]);
        sorted_when_distinct(expr);
        *expr = call(list_of, vec![taken(expr)]);
        return;
    }
    let Some(name) = name.0.last().and_then(|part| part.as_ident()).map(folded) else { return };
    let (part, width) = match name.as_str() {
        "json_agg" => ("lakegate_json_element", 1),
        "jsonb_agg" => ("lakegate_jsonb_element", 1),
        "json_object_agg" => ("lakegate_json_member", 2),
        "jsonb_object_agg" => ("lakegate_jsonb_member", 2),
        _ => return,
    };
    let plain = list.args.iter().filter_map(|arg| match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr.clone()),
        _ => None,
    });
    let values: Vec<Expr> = plain.collect();
    if values.len() == width && list.args.len() == width {
        list.args = vec![FunctionArg::Unnamed(FunctionArgExpr::Expr(call(part, values)))];
    }
}

/// PostgreSQL finds equal values by sorting, so those that are left come sorted.
pub(super) fn sorted_when_distinct(expr: &mut Expr) {
    let Expr::Function(Function { name, args: FunctionArguments::List(list), .. }) = expr else { return };
    let name = name.0.last().and_then(|part| part.as_ident()).map(folded);
    let has_order = list.clauses.iter().any(|clause| matches!(clause, FunctionArgumentClause::OrderBy(_)));
    let is_distinct = list.duplicate_treatment == Some(DuplicateTreatment::Distinct);
    if has_order || !is_distinct || !matches!(name.as_deref(), Some("array_agg" | "string_agg")) {
        return;
    }
    if let Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(value))) = list.args.first() {
        let options = OrderByOptions { asc: None, nulls_first: None };
        let key = OrderByExpr { expr: value.clone(), options, with_fill: None };
        list.clauses.push(FunctionArgumentClause::OrderBy(vec![key]));
    }
}

/// The array of what a function returns a row for.
pub(super) fn elements(function: &str, args: Vec<Expr>) -> Option<Expr> {
    (SETS.contains(&function) && args.len() == 1).then(|| call(&format!("lakegate_{function}"), args))
}

/// The elements of an array as rows, with the type that the function gives them.
pub(super) fn unnested(function: &str, array: Expr) -> Expr {
    let rows = call("unnest", vec![array]);
    let tag = match function {
        "json_array_elements" | "json_each" => "json",
        "jsonb_array_elements" | "jsonb_each" => "jsonb",
        _ => return rows,
    };
    call("lakegate_tagged", vec![rows, string(tag)])
}

/// The columns of a function that returns keys and values; the first is an array of the keys, to be counted.
pub(super) fn pairs(function: &str, args: &[Expr]) -> Option<(Expr, Vec<(String, Expr)>)> {
    let ([of], true) = (args, PAIRS.contains(&function)) else { return None };
    let part = |part: &str| call(&format!("lakegate_{function}_{part}"), vec![of.clone()]);
    let columns = vec![
        ("key".to_owned(), call("unnest", vec![part("key")])),
        ("value".to_owned(), unnested(function, part("value"))),
    ];
    Some((part("key"), columns))
}

/// The columns that a column definition list takes out of objects; `None` for any other function.
pub(super) fn records(
    function: &str,
    args: &[Expr],
    definitions: &[TableAliasColumnDef],
) -> Result<Option<Vec<(String, Expr)>>> {
    let ([of], true) = (args, RECORDS.contains(&function)) else { return Ok(None) };
    if definitions.is_empty() || definitions.iter().any(|definition| definition.data_type.is_none()) {
        let message = "a column definition list is required for functions returning \"record\"";
        return Err(Error::new(SqlState::SyntaxError, message));
    }
    let kind = if function.starts_with("jsonb") { "jsonb" } else { "json" };
    let object = match function.ends_with("recordset") {
        true => {
            let rows = call("unnest", vec![call(&format!("lakegate_{function}"), vec![of.clone()])]);
            call("lakegate_tagged", vec![rows, string(kind)])
        }
        false => call(&format!("lakegate_{function}"), vec![of.clone()]),
    };
    let columns = definitions.iter().filter_map(|definition| Some((definition, definition.data_type.as_ref()?)));
    let columns = columns.map(|(definition, data_type)| {
        let name = folded(&definition.name);
        let field = |suffix: &str| call(&format!("{kind}_object_field{suffix}"), vec![object.clone(), string(&name)]);
        let value = match types::plain(data_type) {
            DataType::JSON | DataType::JSONB => types::cast(field(""), data_type.clone()),
            DataType::Array(_) => {
                return Err(Error::unsupported(format!(
                    "{function} with a column of type {data_type} is not supported"
                )));
            }
            _ => types::cast(field("_text"), data_type.clone()),
        };
        Ok((name, value))
    });
    columns.collect::<Result<Vec<_>>>().map(Some)
}

/// A function of keys and values in a select list gives a row for each; others of several columns are refused there.
pub(super) fn in_select(function: &Function) -> Result<Option<Expr>> {
    let name = function.name.0.last().and_then(|part| part.as_ident()).map(folded).unwrap_or_default();
    if RECORDS.contains(&name.as_str()) {
        let error = Error::unsupported(format!("{name} in a select list is not supported"));
        return Err(error.hint("Call the function in FROM."));
    }
    let args = arguments(function);
    Ok(pairs(&name, &args).map(|(_, columns)| rows::of_columns(columns)))
}
