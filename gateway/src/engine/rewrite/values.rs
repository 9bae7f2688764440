//! VALUES: rows of one width, and one type for each column.
//!
//! Owns: PostgreSQL's choice of that type (literals of unknown type take the type of the others). Must never know: where
//! the rows go. <https://www.postgresql.org/docs/16/typeconv-union-case.html>

use std::ops::ControlFlow;

use arrow::datatypes::Field;
use sqlparser::ast::{DataType, Expr, Query, SetExpr, Spanned, Value, Values, VisitMut, VisitorMut};

use super::syntax::taken;
use super::{Names, casts, literals, located, types};
use crate::engine::types::{common, written};
use crate::error::{Error, Result, SqlState};

/// How many rows of a column are looked at for its type.
const ROWS_MAX: usize = 200;

/// Gives every VALUES list in the query its types.
pub(super) fn rewrite(query: &mut Query, names: &dyn Names) -> Result<()> {
    match query.visit(&mut Lists { names }) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

struct Lists<'n> {
    names: &'n dyn Names,
}

impl VisitorMut for Lists<'_> {
    type Break = Error;

    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<Error> {
        let SetExpr::Values(values) = query.body.as_mut() else { return ControlFlow::Continue(()) };
        match self.list(values) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
    }
}

impl Lists<'_> {
    fn list(&self, values: &mut Values) -> Result<()> {
        let width = values.rows.first().map_or(0, |row| row.content.len());
        if let Some(row) = values.rows.iter().find(|row| row.content.len() != width) {
            let error = Error::new(SqlState::SyntaxError, "VALUES lists must all be the same length");
            let span = row.content.first().map_or_else(sqlparser::tokenizer::Span::empty, Spanned::span);
            return Err(located(error, span, self.names));
        }
        (0..width).try_for_each(|at| self.column(values, at))
    }

    fn column(&self, values: &mut Values, at: usize) -> Result<()> {
        values.rows.iter_mut().filter_map(|row| row.content.get_mut(at)).for_each(declare);
        let cells = || values.rows.iter().filter_map(|row| row.content.get(at));
        let mut typed = cells().filter(|cell| !is_null(cell) && literals::text(cell).is_none()).peekable();
        let first = typed.peek().map(|cell| shape(cell));
        let unlike = cells().any(|cell| !is_null(cell) && Some(shape(cell)) != first);
        let has_text = cells().any(|cell| literals::text(cell).is_some());
        // NULL beside a type that Arrow does not tell apart has that type too.
        let has_null = cells().any(is_null);
        if first.is_none() || (!has_text && !unlike && !has_null) {
            return Ok(());
        }
        let mut column: Option<Field> = None;
        for cell in typed.take(ROWS_MAX) {
            let Some(field) = self.names.constant_type(cell) else { return Ok(()) };
            column = Some(match column {
                None => field,
                Some(before) => common("VALUES", &before, &field)
                    .map_err(|error| located(error, Spanned::span(cell), self.names))?,
            });
        }
        let Some(column) = column else { return Ok(()) };
        if udfs::pg_type::tag(&column) == Some("bpchar") {
            let texts = values.rows.iter_mut().filter_map(|row| row.content.get_mut(at));
            for cell in texts.filter(|cell| literals::text(cell).is_some()) {
                *cell = types::cast(taken(cell), DataType::Char(None));
            }
            return Ok(());
        }
        let Some(data_type) = written(&column) else { return Ok(()) };
        let is_tagged = udfs::pg_type::tag(&column).is_some();
        let decides = column.data_type().is_temporal() || column.data_type().is_floating();
        for cell in values.rows.iter_mut().filter_map(|row| row.content.get_mut(at)) {
            if literals::text(cell).is_some() {
                *cell = casts::cast(taken(cell), &data_type, self.names.interval_style())?;
            } else if is_null(cell) && is_tagged || !is_null(cell) && decides {
                *cell = types::cast(taken(cell), data_type.clone());
            }
        }
        Ok(())
    }
}

/// `1::numeric(5,2)` is `'1'::numeric(5,2)`: a number that is cast could not be told from one that the planner casts.
fn declare(cell: &mut Expr) {
    if let Expr::Cast { expr, data_type, .. } = cell
        && types::is_constrained_numeric(data_type)
        && let Some(digits) = literals::signed_number(expr)
    {
        **expr = literals::string(digits);
    }
}

/// What tells cells of one type from others without planning them.
fn shape(expr: &Expr) -> (std::mem::Discriminant<Expr>, Option<&DataType>) {
    let data_type = match expr {
        Expr::Cast { data_type, .. } => Some(data_type),
        _ => None,
    };
    (std::mem::discriminant(expr), data_type)
}

fn is_null(expr: &Expr) -> bool {
    matches!(expr, Expr::Value(value) if value.value == Value::Null)
}
