//! Aggregates of a subquery that is ordered take its rows in that order: `json_agg(x) FROM (SELECT ... ORDER BY ...)`.
//!
//! Owns: which aggregates those are, and where their order comes from: the planner drops that of a subquery, so it becomes
//! their own ORDER BY. Must never know: what an aggregate computes. Names are resolved already.
//! <https://www.postgresql.org/docs/16/functions-aggregate.html>

use std::ops::ControlFlow;

use sqlparser::ast::{
    Distinct, DuplicateTreatment, Expr, Function, FunctionArgumentClause, FunctionArguments, OrderByExpr, OrderByKind,
    Query, Select, SelectItem, SetExpr, TableAliasColumnDef, TableFactor, TableWithJoins, Value, VisitMut, VisitorMut,
};

use super::{folded, quoted};

/// The aggregates whose result depends on the order of rows.
const ORDERED: &[&str] = &["array_agg", "json_agg", "json_object_agg", "jsonb_agg", "jsonb_object_agg", "string_agg"];

/// Gives the aggregates of a SELECT the order of the one subquery that it selects from.
pub(super) fn rewrite(select: &mut Select) {
    let [item] = select.from.as_mut_slice() else { return };
    let (TableFactor::Derived { subquery, alias: Some(alias), .. }, true) = (&mut item.relation, item.joins.is_empty())
    else {
        return;
    };
    if subquery.order_by.is_some() && has_aggregates(&mut select.projection) {
        let keys = keys(subquery, &mut alias.columns, &alias.name.value);
        give(keys, &mut select.projection);
    }
}

/// The same for a query that selects from one of its own WITH queries.
pub(super) fn of_with(query: &mut Query) {
    let (Some(with), SetExpr::Select(select)) = (&mut query.with, query.body.as_mut()) else { return };
    let [TableWithJoins { relation, joins }] = select.from.as_slice() else { return };
    let (TableFactor::Table { name, alias: Some(alias), .. }, true) = (relation, joins.is_empty()) else { return };
    if with.recursive || !alias.columns.is_empty() {
        return;
    }
    let ([written], relation) = (name.0.as_slice(), alias.name.value.clone()) else { return };
    let Some(written) = written.as_ident().map(folded) else { return };
    let Some(cte) = with.cte_tables.iter_mut().find(|cte| folded(&cte.alias.name) == written) else { return };
    if cte.query.order_by.is_some() && has_aggregates(&mut select.projection) {
        let keys = keys(&mut cte.query, &mut cte.alias.columns, &relation);
        give(keys, &mut select.projection);
    }
}

fn has_aggregates(items: &mut [SelectItem]) -> bool {
    items.iter_mut().any(|item| Aggregates::default().visit(item))
}

fn give(keys: Vec<OrderByExpr>, items: &mut [SelectItem]) {
    if !keys.is_empty() {
        items.iter_mut().for_each(|item| {
            Aggregates { keys: keys.clone(), ..Aggregates::default() }.visit(item);
        });
    }
}

/// Finds the aggregates of a select item, subqueries apart, and gives them the keys.
#[derive(Default)]
struct Aggregates {
    keys: Vec<OrderByExpr>,
    queries: usize,
    found: bool,
}

impl Aggregates {
    fn visit(mut self, item: &mut SelectItem) -> bool {
        let _ = VisitMut::visit(item, &mut self);
        self.found
    }
}

impl VisitorMut for Aggregates {
    type Break = ();

    fn pre_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.queries += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.queries -= 1;
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::Function(function) = expr
            && self.queries == 0
            && let Some(clauses) = unordered(function)
        {
            self.found = true;
            if !self.keys.is_empty() {
                clauses.push(FunctionArgumentClause::OrderBy(self.keys.clone()));
            }
        }
        ControlFlow::Continue(())
    }
}

/// The clauses of an aggregate that has no order of its own.
fn unordered(function: &mut Function) -> Option<&mut Vec<FunctionArgumentClause>> {
    let name = function.name.0.last().and_then(|part| part.as_ident()).map(folded)?;
    if !ORDERED.contains(&name.as_str()) || function.over.is_some() {
        return None;
    }
    let FunctionArguments::List(list) = &mut function.args else { return None };
    let has_order = list.clauses.iter().any(|clause| matches!(clause, FunctionArgumentClause::OrderBy(_)));
    let is_distinct = list.duplicate_treatment == Some(DuplicateTreatment::Distinct);
    (!has_order && !is_distinct).then_some(&mut list.clauses)
}

/// The keys of a subquery as columns of it; those that it does not show are added to it. A key that cannot be shown ends
/// the list: what follows it orders equal rows only.
fn keys(subquery: &mut Query, columns: &mut Vec<TableAliasColumnDef>, relation: &str) -> Vec<OrderByExpr> {
    let Some(OrderByKind::Expressions(written)) = subquery.order_by.as_ref().map(|order_by| &order_by.kind) else {
        return Vec::new();
    };
    let mut keys = Vec::new();
    for key in written.clone() {
        let shown = names(&subquery.body);
        let place = match &key.expr {
            Expr::Value(value) => match &value.value {
                Value::Number(digits, _) => digits.parse::<usize>().ok().and_then(|place| place.checked_sub(1)),
                _ => None,
            },
            Expr::Identifier(ident) => shown.iter().position(|name| *name == ident.value),
            _ => None,
        };
        let place = place.or_else(|| add(subquery, columns, &key.expr, shown.len()));
        let shown = names(&subquery.body);
        let renamed = place.and_then(|place| columns.get(place)).map(|column| column.name.value.clone());
        let Some(name) = renamed.or_else(|| shown.get(place?).cloned()) else { break };
        let column = Expr::CompoundIdentifier(vec![quoted(relation), quoted(&name)]);
        keys.push(OrderByExpr { expr: column, ..key });
    }
    keys
}

/// The planned names of the columns.
fn names(body: &SetExpr) -> Vec<String> {
    match body {
        SetExpr::Select(select) => select.projection.iter().map(|item| name(item).unwrap_or_default()).collect(),
        SetExpr::SetOperation { left, .. } => names(left),
        SetExpr::Query(query) => names(&query.body),
        SetExpr::Values(values) => {
            let width = values.rows.first().map_or(0, |row| row.content.len());
            (1..=width).map(|at| format!("column{at}")).collect()
        }
        _ => Vec::new(),
    }
}

fn name(item: &SelectItem) -> Option<String> {
    match item {
        SelectItem::ExprWithAlias { alias, .. } => Some(alias.value.clone()),
        SelectItem::UnnamedExpr(Expr::CompoundIdentifier(parts)) => parts.last().map(|part| part.value.clone()),
        _ => None,
    }
}

/// Shows a key as the last column, where one more column changes no rows.
fn add(subquery: &mut Query, columns: &mut Vec<TableAliasColumnDef>, key: &Expr, width: usize) -> Option<usize> {
    let SetExpr::Select(select) = subquery.body.as_mut() else { return None };
    let has_wildcard = select.projection.iter().any(|item| name(item).is_none());
    if has_wildcard || matches!(select.distinct, Some(Distinct::Distinct | Distinct::On(_))) {
        return None;
    }
    if matches!(key, Expr::Value(_)) {
        return None;
    }
    let name = quoted(&format!("aggregate_order:{width}"));
    select.projection.push(SelectItem::ExprWithAlias { expr: key.clone(), alias: name.clone() });
    if !columns.is_empty() {
        columns.push(TableAliasColumnDef { name, data_type: None });
    }
    Some(width)
}
