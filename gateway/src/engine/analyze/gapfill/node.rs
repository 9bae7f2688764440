//! The plan node that has a row for every bucket of every series.
//!
//! Owns: the logical node, and which filters may go below it. Must never know: how it runs, or whence its parts come.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use datafusion::common::{Column, DFSchema, DFSchemaRef, Result, internal_datafusion_err, internal_err};
use datafusion::logical_expr::utils::{conjunction, split_conjunction};
use datafusion::logical_expr::{Expr, Filter, LogicalPlan, UserDefinedLogicalNodeCore};

use super::super::apply::needed;

/// What a column that is neither the time nor a key has in the rows that are filled in. Every other is NULL there.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in super::super) enum Fill {
    /// The value of the row before. Where there is none, the column `first` tells that it begins the series.
    Carried { skips_nulls: bool, first: Option<String> },
    /// The line between its neighbours.
    Interpolated,
}

/// A start or a finish: the greatest of the starts counts, and the least of the finishes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in super::super) struct Bound {
    pub(super) value: Expr,
    /// Whether the range begins, or ends, right behind the value.
    pub(super) is_behind: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in super::super) struct GapFill {
    pub(in super::super) input: LogicalPlan,
    /// The column of the starts of buckets.
    pub(super) time: Expr,
    /// The columns that name a series.
    pub(super) series: Vec<Expr>,
    pub(super) fills: Vec<(Expr, Fill)>,
    pub(super) width: Expr,
    /// The time zone whose clock the buckets follow.
    pub(super) zone: Option<Expr>,
    pub(super) starts: Vec<Bound>,
    pub(super) finishes: Vec<Bound>,
    /// Conditions on no column, which the rows that are filled in have to meet too.
    pub(super) guards: Vec<Expr>,
    schema: DFSchemaRef,
}

/// All but the schema, which follows.
pub(super) struct Parts {
    pub(super) input: LogicalPlan,
    pub(super) time: Expr,
    pub(super) series: Vec<Expr>,
    pub(super) fills: Vec<(Expr, Fill)>,
    pub(super) width: Expr,
    pub(super) zone: Option<Expr>,
    pub(super) starts: Vec<Bound>,
    pub(super) finishes: Vec<Bound>,
}

impl GapFill {
    pub(super) fn new(parts: Parts) -> Result<Self> {
        let Parts { input, time, series, fills, width, zone, starts, finishes } = parts;
        let guards = Vec::new();
        let schema = Arc::new(DFSchema::empty());
        Self { input, time, series, fills, width, zone, starts, finishes, guards, schema }.settled()
    }

    /// With the schema that follows from its parts.
    fn settled(mut self) -> Result<Self> {
        let of = self.input.schema();
        let keys: HashSet<&Column> = self.series.iter().flat_map(Expr::column_refs).collect();
        let time: HashSet<&Column> = self.time.column_refs();
        let mut fields = Vec::with_capacity(of.fields().len());
        for (relation, field) in of.iter() {
            let column = Column::new(relation.cloned(), field.name());
            let nullable = match (time.contains(&column), keys.contains(&column)) {
                (true, _) => false,
                (false, true) => field.is_nullable(),
                (false, false) => true,
            };
            fields.push((relation.cloned(), Arc::new(field.as_ref().clone().with_nullable(nullable))));
        }
        for name in self.firsts() {
            fields.push((None, Arc::new(Field::new(name, DataType::Boolean, false))));
        }
        self.schema = Arc::new(DFSchema::new_with_metadata(fields, of.metadata().clone())?);
        Ok(self)
    }

    /// The columns that are added to the input's.
    pub(super) fn firsts(&self) -> impl Iterator<Item = &String> {
        self.fills.iter().filter_map(|(_, fill)| match fill {
            Fill::Carried { first, .. } => first.as_ref(),
            Fill::Interpolated => None,
        })
    }
}

/// The column's place in a schema.
pub(super) fn place(expr: &Expr, schema: &DFSchema) -> Result<usize> {
    match expr {
        Expr::Column(column) => schema.index_of_column(column),
        other => internal_err!("gaps are filled by columns, not by {other}"),
    }
}

impl UserDefinedLogicalNodeCore for GapFill {
    fn name(&self) -> &'static str {
        "GapFill"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        let fills = self.fills.iter().map(|(column, _)| column);
        let bounds = self.starts.iter().chain(&self.finishes).map(|bound| &bound.value);
        let all = [&self.time].into_iter().chain(&self.series).chain(fills).chain([&self.width]).chain(&self.zone);
        all.chain(bounds).chain(&self.guards).cloned().collect()
    }

    /// A condition on the keys alone is on whole series: fewer of them are filled.
    fn prevent_predicate_push_down_columns(&self) -> HashSet<String> {
        let of = self.input.schema();
        let keys: HashSet<usize> = self.series.iter().filter_map(|key| place(key, of).ok()).collect();
        let others = of.fields().iter().enumerate().filter(|(at, _)| !keys.contains(at));
        others.map(|(_, field)| field.name().clone()).chain(self.firsts().cloned()).collect()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |exprs: Vec<&Expr>| exprs.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let bounds = |bounds: &[Bound]| list(bounds.iter().map(|bound| &bound.value).collect());
        write!(
            f,
            "GapFill: time={} width={}{} series=[{}] start=[{}] finish=[{}]",
            self.time,
            self.width,
            self.zone.iter().map(|zone| format!(" zone={zone}")).collect::<String>(),
            list(self.series.iter().collect()),
            bounds(&self.starts),
            bounds(&self.finishes)
        )
    }

    fn with_exprs_and_inputs(&self, exprs: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        let Some(input) = inputs.pop() else { return internal_err!("GapFill has one input") };
        let mut node = self.clone();
        let mut exprs = exprs.into_iter();
        let mut next = || exprs.next().ok_or_else(|| internal_datafusion_err!("GapFill has more"));
        node.time = next()?;
        for key in &mut node.series {
            *key = next()?;
        }
        for (column, _) in &mut node.fills {
            *column = next()?;
        }
        node.width = next()?;
        if let Some(zone) = &mut node.zone {
            *zone = next()?;
        }
        for bound in node.starts.iter_mut().chain(&mut node.finishes) {
            bound.value = next()?;
        }
        for guard in &mut node.guards {
            *guard = next()?;
        }
        let input = guarded(input, &mut node.guards);
        Self { input, ..node }.settled()
    }

    fn necessary_children_exprs(&self, output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        let columns = [&self.time].into_iter().chain(&self.series).chain(self.fills.iter().map(|(column, _)| column));
        needed(self.input.schema(), output_columns, columns).map(|needed| vec![needed])
    }
}

/// The input without conditions on no column, which the rules push below every node: such a one is on the rows that are
/// filled in as on the others.
fn guarded(input: LogicalPlan, guards: &mut Vec<Expr>) -> LogicalPlan {
    let LogicalPlan::Filter(Filter { predicate, input: below, .. }) = &input else { return input };
    let (on_rows, on_none): (Vec<&Expr>, Vec<&Expr>) =
        split_conjunction(predicate).into_iter().partition(|part| !part.column_refs().is_empty());
    if on_none.is_empty() {
        return input;
    }
    guards.extend(on_none.into_iter().cloned());
    match conjunction(on_rows.into_iter().cloned()) {
        Some(predicate) => LogicalPlan::Filter(Filter::new(predicate, Arc::clone(below))),
        None => below.as_ref().clone(),
    }
}

impl PartialOrd for GapFill {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (self == other).then_some(Ordering::Equal)
    }
}
