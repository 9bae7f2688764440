//! `FROM t TABLESAMPLE BERNOULLI (10)`: each row with the probability that is asked for.
//!
//! Owns: the sample as a condition of its own on the rows of a table, below everything else that is asked of them. SYSTEM, which
//! may take blocks of rows, takes rows here. Must never know: how a table is read.
//! <https://www.postgresql.org/docs/15/sql-select.html#SQL-FROM>

use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, Expr, Query, TableAlias, TableFactor, TableSample, TableSampleKind, TableSampleMethod,
    TableSampleModifier, VisitMut, VisitorMut,
};

use super::arrays::binary;
use super::expand::{call, select_all};
use super::from_functions::query;
use super::{Names, folded, literals, quoted};
use crate::error::{Error, Result, SqlState};

/// Makes each sampled table a query of its rows.
pub(super) fn rewrite(query: &mut Query, names: &dyn Names) -> Result<()> {
    match query.visit(&mut Samples { names }) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

struct Samples<'n> {
    names: &'n dyn Names,
}

impl VisitorMut for Samples<'_> {
    type Break = Error;

    fn post_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Error> {
        match self.sampled(factor) {
            Ok(Some(rows)) => *factor = rows,
            Ok(None) => {}
            Err(error) => return ControlFlow::Break(error),
        }
        ControlFlow::Continue(())
    }
}

impl Samples<'_> {
    fn sampled(&self, factor: &TableFactor) -> Result<Option<TableFactor>> {
        let TableFactor::Table { name, alias, sample: Some(kind), .. } = factor else { return Ok(None) };
        let (TableSampleKind::BeforeTableAlias(sample) | TableSampleKind::AfterTableAlias(sample)) = kind;
        let share = share(sample)?;
        let Some(last) = name.0.last().and_then(|part| part.as_ident()) else { return Ok(None) };
        if self.names.table(name)?.is_none() {
            let message = "TABLESAMPLE clause can only be applied to tables and materialized views";
            return Err(Error::unsupported(message));
        }
        let mut rows = select_all(name.clone());
        let at = binary(call("random", Vec::new()), BinaryOperator::Multiply, literals::number(100));
        rows.selection = Some(binary(at, BinaryOperator::Lt, share));
        let own = || TableAlias { explicit: true, name: quoted(&folded(last)), columns: Vec::new(), at: None };
        let alias = Some(alias.clone().unwrap_or_else(own));
        Ok(Some(TableFactor::Derived { lateral: false, subquery: Box::new(query(rows)), alias, sample: None }))
    }
}

/// How many of a hundred rows are taken.
fn share(sample: &TableSample) -> Result<Expr> {
    let TableSample { modifier, name, quantity, seed, bucket, offset } = sample;
    let is_known = matches!(name, Some(TableSampleMethod::Bernoulli | TableSampleMethod::System));
    let (true, TableSampleModifier::TableSample, Some(quantity), None, None) =
        (is_known, modifier, quantity, bucket, offset)
    else {
        return Err(Error::new(SqlState::SyntaxError, "syntax error in TABLESAMPLE")
            .hint("Write TABLESAMPLE BERNOULLI (percentage) or TABLESAMPLE SYSTEM (percentage)."));
    };
    if seed.is_some() {
        return Err(Error::unsupported("REPEATABLE in TABLESAMPLE is not supported"));
    }
    if quantity.unit.is_some() || !quantity.parenthesized {
        return Err(Error::new(SqlState::SyntaxError, "syntax error in TABLESAMPLE"));
    }
    let Some(percentage) = literals::signed_number(&quantity.value).and_then(|digits| digits.parse::<f64>().ok())
    else {
        return Err(Error::unsupported("TABLESAMPLE takes a percentage that is written out"));
    };
    if !(0.0..=100.0).contains(&percentage) {
        let message = "sample percentage must be between 0 and 100";
        return Err(Error::new(SqlState::InvalidTablesampleArgument, message));
    }
    Ok(quantity.value.clone())
}
