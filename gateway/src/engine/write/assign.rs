//! Values on their way into a column: which types it takes, and how they become its own.
//!
//! Owns: PostgreSQL's assignment casts. A literal or a parameter of no type is one of the column.
//! <https://www.postgresql.org/docs/16/typeconv-query.html>

use arrow::datatypes::{DataType, Field};
use catalog::Column;
use catalog::pg_catalog::pg_type_of;
use sqlparser::ast::{
    ArrayElemTypeDef, DataType as Sql, ExactNumberInfo, Expr, Ident, Query, SelectItem, SetExpr, TableAlias,
    TableAliasColumnDef, TableFactor, TableWithJoins, TimezoneInfo, UnaryOperator, Value,
};

use crate::engine::planners::operand::{Category, Operand};
use crate::engine::{rewrite, types};
use crate::error::{Error, Result, SqlState};

/// How a value of a query becomes one of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// As it lies in memory, or nearly.
    AsItIs,
    /// By a cast of SQL.
    Cast,
}

/// The SQL type of a column, for casts to it; `None` where no value can be made by SQL.
pub(in crate::engine) fn column_type(column: &Column) -> Option<Sql> {
    match column.text_type() {
        Some(_) => types::written(&column.field),
        None => sql_type(column.field.data_type()),
    }
}

fn sql_type(data_type: &DataType) -> Option<Sql> {
    Some(match data_type {
        DataType::Decimal128(precision, scale) => {
            Sql::Numeric(ExactNumberInfo::PrecisionAndScale(u64::from(*precision), i64::from(*scale)))
        }
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Sql::Text,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => Sql::Bytea,
        DataType::Timestamp(_, None) => Sql::Timestamp(None, TimezoneInfo::None),
        DataType::Timestamp(_, Some(_)) => Sql::Timestamp(None, TimezoneInfo::Tz),
        DataType::List(item) => {
            let item = Box::new(sql_type(item.data_type())?);
            Sql::Array(ArrayElemTypeDef::SquareBracket(item, None))
        }
        DataType::Struct(_) | DataType::Map(..) => return None,
        other => types::written(&Field::new("", other.clone(), true))?,
    })
}

/// Whether a column takes values of a type, and how; else 42804.
pub(super) fn fit(column: &Column, given: &Field) -> Result<Fit> {
    let refused = || {
        let (name, wanted) = (column.name(), pg_type_of(&column.field).sql_name());
        let message =
            format!("column \"{name}\" is of type {wanted} but expression is of type {}", pg_type_of(given).sql_name());
        Error::new(SqlState::DatatypeMismatch, message).hint("You will need to rewrite or cast the expression.")
    };
    if *given.data_type() == DataType::Null {
        return Ok(Fit::AsItIs);
    }
    if let Some(wanted) = column.text_type() {
        return of_texts(wanted, given).ok_or_else(refused);
    }
    let (from, to) = (Operand::of_field(given), Operand::of_field(&column.field));
    let is_integer = |field: &Field| field.data_type().is_integer();
    match (from.category, to.category) {
        (Category::Number, Category::Number) if !is_money(given) => Ok(match (given, &column.field) {
            (from, to) if is_integer(from) && is_integer(to) => Fit::AsItIs,
            (from, to) if from.data_type() == to.data_type() && !from.data_type().is_decimal() => Fit::AsItIs,
            (from, to) if from.data_type() == to.data_type() && udfs::pg_type::is_declared(from) => Fit::AsItIs,
            _ => Fit::Cast,
        }),
        (Category::Boolean, Category::Boolean)
        | (Category::Text, Category::Text)
        | (Category::Bytes, Category::Bytes)
        | (Category::Date, Category::Date) => Ok(if is_padded(given) { Fit::Cast } else { Fit::AsItIs }),
        (Category::Timestamp, Category::Timestamp) if is_zoned(given) == is_zoned(&column.field) => Ok(Fit::AsItIs),
        (Category::Date | Category::Timestamp, Category::Date | Category::Timestamp) => Ok(Fit::Cast),
        (Category::Array, Category::Array) => elements(column, given).ok_or_else(refused),
        (_, Category::Text) => Ok(Fit::Cast),
        (Category::Unknown, _) => Ok(Fit::Cast),
        _ => Err(refused()),
    }
}

/// Whether a value needs a cast of SQL to be one of a column; of a type that it does not take it is 42804.
pub(in crate::engine) fn fits(column: &Column, given: &Field) -> Result<bool> {
    let is_text = |field: &Field| Operand::of_field(field).category == Category::Text;
    let is_as_it_is = fit(column, given)? == Fit::AsItIs;
    let is_same = given.data_type() == column.field.data_type() || (is_text(given) && is_text(&column.field));
    Ok(!is_as_it_is || !is_same)
}

/// What is no text in PostgreSQL takes its own type, and its kin by a cast.
fn of_texts(wanted: &str, given: &Field) -> Option<Fit> {
    match (udfs::pg_type::tag(given), wanted) {
        (Some(given), wanted) if given == wanted => Some(Fit::AsItIs),
        (Some("json" | "jsonb"), "json" | "jsonb") => Some(Fit::Cast),
        (None, _) if Operand::of_field(given).category == Category::Unknown => Some(Fit::Cast),
        _ => None,
    }
}

/// Whether a field has texts that nobody has called anything else.
pub(super) fn is_plain_text(field: &Field) -> bool {
    udfs::pg_type::tag(field).is_none() && Operand::of_field(field).category == Category::Text
}

fn is_money(field: &Field) -> bool {
    udfs::pg_type::tag(field) == Some("money")
}

fn is_padded(field: &Field) -> bool {
    udfs::pg_type::tag(field) == Some("bpchar")
}

fn is_zoned(field: &Field) -> bool {
    matches!(field.data_type(), DataType::Timestamp(_, Some(_)))
}

/// Arrays of elements of one type, or of numbers.
fn elements(column: &Column, given: &Field) -> Option<Fit> {
    let (DataType::List(to), DataType::List(from)) = (column.field.data_type(), given.data_type()) else { return None };
    let (to, from) = (sql_type(to.data_type())?, sql_type(from.data_type())?);
    Some(if to == from { Fit::AsItIs } else { Fit::Cast })
}

/// Gives literals and parameters without a type that of the column they go to: in the rows of VALUES, and in the list of
/// a SELECT.
pub(super) fn settle(query: &mut Query, columns: &[&Column], declared: &dyn Fn(&str) -> Option<Field>) -> Result<()> {
    match query.body.as_mut() {
        SetExpr::Values(values) => {
            let rows = values.rows.iter_mut();
            rows.flat_map(|row| row.content.iter_mut().zip(columns)).try_for_each(|(cell, column)| {
                if is_default(cell) {
                    *cell = Expr::value(Value::Null);
                }
                typed(cell, column, declared)
            })
        }
        SetExpr::Select(select) => {
            // What `*` stands for has types.
            let items = select.projection.iter_mut().zip(columns);
            let is_star =
                |item: &SelectItem| matches!(item, SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..));
            for (item, column) in items.take_while(|(item, _)| !is_star(item)) {
                if let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = item {
                    typed(expr, column, declared)?;
                }
            }
            Ok(())
        }
        SetExpr::Query(inner) => settle(inner, columns, declared),
        _ => Ok(()),
    }
}

/// The word DEFAULT, which the parser takes for a name. No column has a default.
pub(super) fn is_default(expr: &Expr) -> bool {
    matches!(expr, Expr::Identifier(ident) if ident.quote_style.is_none() && ident.value.eq_ignore_ascii_case("default"))
}

pub(in crate::engine) fn typed(
    expr: &mut Expr,
    column: &Column,
    declared: &dyn Fn(&str) -> Option<Field>,
) -> Result<()> {
    let to = column.field.data_type();
    let is_text =
        matches!(to, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View) && column.text_type().is_none();
    let casts = match expr {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(_) | Value::EscapedStringLiteral(_) | Value::DollarQuotedString(_) => !is_text,
            Value::Null => true,
            Value::Placeholder(name) => {
                declared(name).map_or(Ok(()), |given| fit(column, &given).map(drop))?;
                true
            }
            Value::Number(..) => is_text || to.is_floating() || to.is_decimal(),
            _ => false,
        },
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => {
            matches!(expr.as_ref(), Expr::Value(value) if matches!(value.value, Value::Number(..)))
                && (is_text || to.is_floating() || to.is_decimal())
        }
        _ => false,
    };
    if casts {
        let Some(to) = column_type(column) else {
            let message = format!("column \"{}\" cannot be written by SQL", column.name());
            return Err(Error::unsupported(message));
        };
        let value = std::mem::replace(expr, Expr::value(Value::Null));
        *expr = rewrite::cast(nested(value), to);
    }
    Ok(())
}

/// A sign binds less than a cast.
fn nested(expr: Expr) -> Expr {
    match expr {
        Expr::UnaryOp { .. } => Expr::Nested(Box::new(expr)),
        other => other,
    }
}

/// The query with casts of its columns to those that it goes to: `None` is left as it is.
pub(super) fn cast_columns(query: Query, casts: &[Option<Sql>]) -> Query {
    let names: Vec<Ident> = (1..=casts.len()).map(|at| Ident::with_quote('"', format!("c{at}"))).collect();
    let items = names.iter().zip(casts).map(|(name, cast)| {
        let column = Expr::Identifier(name.clone());
        SelectItem::UnnamedExpr(match cast {
            Some(data_type) => rewrite::cast(column, data_type.clone()),
            None => column,
        })
    });
    let columns = names.iter().map(|name| TableAliasColumnDef { name: name.clone(), data_type: None });
    let alias = TableAlias {
        explicit: true,
        name: Ident::with_quote('"', "rows to write"),
        columns: columns.collect(),
        at: None,
    };
    let derived = TableFactor::Derived { lateral: false, subquery: Box::new(query), alias: Some(alias), sample: None };
    rewrite::items_of(items.collect(), vec![TableWithJoins { relation: derived, joins: Vec::new() }])
}
