//! Rewrites of the syntax tree before planning: what PostgreSQL means, said in the words of the planner.
//!
//! Owns: the list of rewrites and their order. Must never know: a plan, a session, the store.

mod alike;
mod arguments;
mod arrays;
mod bits;
mod casts;
mod chains;
mod conditions;
mod distinct_order;
mod expand;
mod fields;
mod from_functions;
mod functions;
mod grouping;
mod grouping_sets;
mod having;
mod hypothetical;
mod identifiers;
mod in_scope;
mod input;
mod intervals;
mod json;
mod literals;
mod named_args;
mod neighbours;
mod numbers;
mod operators;
mod ordered;
mod output_names;
mod placement;
mod refused_functions;
mod relations;
pub(super) mod row_limits;
mod row_queries;
mod rows;
mod rows_from;
mod samples;
mod scope;
mod series;
mod set_operations;
mod sets;
mod slices;
mod sorting;
mod sql_json;
mod summaries;
mod syntax;
#[cfg(test)]
mod tests;
mod types;
mod values;
mod windows;

use std::sync::Arc;

use arrow::array::ListArray;
use arrow::datatypes::Field;
use chrono_tz::Tz;
use datafusion::scalar::ScalarValue;
use sqlparser::ast::{
    DataType, Expr, Ident, ObjectName, Query, SelectItem, TableAlias, TableFactor, TableWithJoins,
    WildcardAdditionalOptions, WindowSpec, WindowType,
};
use sqlparser::tokenizer::Span;
use udfs::pg::interval::Style;
use udfs::pg::moment::Order;

use crate::error::{Error, Result};
pub(crate) use functions::position;
pub(crate) use relations::{constraint, constraint_of};

/// What the engine knows about names before planning.
pub(crate) trait Names {
    /// The columns of a table in their order, spelled exactly; `None` if the table is not known.
    fn columns(&self, table: &ObjectName) -> Option<Vec<String>>;

    /// The columns of a table that `*` leaves out.
    fn system_columns(&self, _table: &ObjectName) -> Vec<String> {
        Vec::new()
    }

    /// Whether a scalar, aggregate, window or table function of this lower-case name exists.
    fn is_function(&self, name: &str) -> bool;

    /// Whether the function of this lower-case name is an aggregate.
    fn is_aggregate(&self, _name: &str) -> bool {
        false
    }

    /// The exact name of the table that a written name means; `None` leaves the name as it is written.
    fn table(&self, _written: &ObjectName) -> Result<Option<ObjectName>> {
        Ok(None)
    }

    /// The OID of the type of a table's rows, by its exact name.
    fn row_type(&self, _table: &ObjectName) -> Option<u32> {
        None
    }

    /// Whether a function of this lower-case name gives a table, so that FROM calls it as it is.
    fn is_table_function(&self, _name: &str) -> bool {
        false
    }

    /// The relation that a function without arguments is.
    fn relation_of(&self, _function: &str) -> Option<ObjectName> {
        None
    }

    /// Whether there is a type of this lower-case name.
    fn is_type(&self, _name: &str) -> bool {
        false
    }

    /// The type of an expression that takes nothing from any relation.
    fn constant_type(&self, _expr: &Expr) -> Option<Field> {
        None
    }

    /// The current database, which may lead a qualified name.
    fn database(&self) -> &str {
        "lakegate"
    }

    /// How the session reads intervals.
    fn interval_style(&self) -> Style {
        Style::default()
    }

    /// How the session reads dates and times: the order of their fields, and its time zone.
    fn moments(&self) -> (Order, Tz) {
        (Order::Mdy, Tz::UTC)
    }

    /// The text that the client sent, so that errors can say where in it they are.
    fn message(&self) -> Option<&str> {
        None
    }
}

/// A query that the planner understands.
#[derive(Debug, Clone)]
pub(crate) struct Rewritten {
    pub(crate) statement: Query,
    /// PostgreSQL's names of the result columns, which may repeat, unlike the planned ones. Empty where a `*` covers a
    /// table whose columns are not known: then the plan's names are the names.
    pub(crate) output_names: Vec<String>,
}

/// Applies every rewrite, in the one order in which each sees what it needs.
pub(crate) fn rewrite(mut query: Query, names: &dyn Names) -> Result<Rewritten> {
    row_limits::rewrite(&mut query)?;
    chains::balance(&mut query);
    bits::rewrite(&mut query);
    sql_json::rewrite(&mut query)?;
    summaries::rewrite(&mut query);
    windows::rewrite(&mut query, names)?;
    neighbours::rewrite(&mut query);
    grouping_sets::rewrite(&mut query)?;
    hypothetical::rewrite(&mut query)?;
    functions::check(&query, names)?;
    placement::check(&query, names)?;
    samples::rewrite(&mut query, names)?;
    row_queries::wrap(&mut query, names)?;
    from_functions::rewrite(&mut query, names)?;
    let columns = identifiers::rewrite(&mut query, names)?;
    distinct_order::check(&query)?;
    syntax::rewrite(&mut query, names)?;
    rows::rewrite(&mut query);
    values::rewrite(&mut query, names)?;
    alike::rewrite(&mut query, names);
    let output_names = columns.unwrap_or_default().into_iter().map(|column| column.name).collect();
    Ok(Rewritten { statement: query, output_names })
}

/// `SELECT exprs`, as it would be written.
pub(crate) fn row_of(exprs: Vec<Expr>) -> Query {
    let items = exprs.into_iter().map(SelectItem::UnnamedExpr).collect();
    from_functions::query(expand::select(items, Vec::new()))
}

/// `SELECT items FROM table`, or all of its columns.
pub(crate) fn select_from(items: Vec<SelectItem>, table: ObjectName) -> Query {
    let mut select = expand::select_all(table);
    if !items.is_empty() {
        select.projection = items;
    }
    from_functions::query(select)
}

/// `row_number() OVER (PARTITION BY keys)`, as it would be written.
pub(crate) fn number_within(keys: Vec<Expr>) -> Expr {
    let mut call = expand::call("row_number", Vec::new());
    if let Expr::Function(function) = &mut call {
        let (order_by, window_name, window_frame) = (Vec::new(), None, None);
        let window = WindowSpec { window_name, partition_by: keys, order_by, window_frame };
        function.over = Some(WindowType::WindowSpec(window));
    }
    call
}

/// `table AS alias`, as it would be written.
pub(crate) fn table_as(table: ObjectName, name: Ident) -> TableFactor {
    let mut factor = expand::table(table);
    if let TableFactor::Table { alias, .. } = &mut factor {
        *alias = Some(TableAlias { explicit: true, name, columns: Vec::new(), at: None });
    }
    factor
}

/// Refuses what a list has no rows for that stands for one row at a time.
pub(crate) fn check_values(list: &[SelectItem], clause: &'static str, names: &dyn Names) -> Result<()> {
    placement::check_values(list, clause, names)
}

/// The fields of `(a, b)` or `ROW(a, b)`.
pub(crate) fn fields_of_row(expr: &Expr) -> Option<Vec<Expr>> {
    rows::constructor(expr)
}

/// `expr::data_type`, as it would be written.
pub(crate) fn cast(expr: Expr, data_type: DataType) -> Expr {
    types::cast(expr, data_type)
}

/// `SELECT items FROM from`, as it would be written.
pub(crate) fn items_of(items: Vec<SelectItem>, from: Vec<TableWithJoins>) -> Query {
    from_functions::query(expand::select(items, from))
}

/// `SELECT * FROM from`, for those who ask for the columns of a FROM list.
pub(crate) fn all_of(from: Vec<TableWithJoins>) -> Query {
    let all = SelectItem::Wildcard(WildcardAdditionalOptions::default());
    from_functions::query(expand::select(vec![all], from))
}

/// The texts of an array literal of one or more dimensions.
pub(crate) fn array_of_texts(literal: &str) -> Result<ScalarValue> {
    Ok(ScalarValue::List(list_of_texts(&literals::elements(literal)?)))
}

fn list_of_texts(elements: &[literals::Element]) -> Arc<ListArray> {
    let values: Vec<ScalarValue> = elements
        .iter()
        .map(|element| match element {
            literals::Element::Null => ScalarValue::Utf8(None),
            literals::Element::Text(text) => ScalarValue::Utf8(Some(text.clone())),
            literals::Element::Array(elements) => ScalarValue::List(list_of_texts(elements)),
        })
        .collect();
    let data_type = values.first().map_or(arrow::datatypes::DataType::Utf8, ScalarValue::data_type);
    ScalarValue::new_list(&values, &data_type, true)
}

/// An identifier that means exactly this name.
pub(crate) fn quoted(name: &str) -> Ident {
    Ident::with_quote('"', name)
}

/// The name that an alias creates: as quoted, or folded to lower case.
fn folded(ident: &Ident) -> String {
    if ident.quote_style.is_some() { ident.value.clone() } else { ident.value.to_lowercase() }
}

/// Adds the place of a span to an error.
fn located(error: Error, span: Span, names: &dyn Names) -> Error {
    match names.message().and_then(|message| functions::position(message, span)) {
        Some(position) if error.position.is_none() => error.at(position),
        _ => error,
    }
}
