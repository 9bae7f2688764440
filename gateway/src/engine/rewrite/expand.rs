//! What PostgreSQL's `*` and JOIN ... USING stand for, spelled out.
//!
//! Owns: the order of the columns of a FROM list, and merged columns. Must never know: a plan.

use sqlparser::ast::helpers::attached_token::AttachedToken;
use sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList, FunctionArguments, GroupByExpr,
    Ident, JoinConstraint, JoinOperator, ObjectName, Select, SelectFlavor, SelectItem, SelectItemQualifiedWildcardKind,
    TableFactor, TableWithJoins, WildcardAdditionalOptions,
};

use super::relations::constraint;
use super::scope::{Column, Merged, Relation, Scope, best};
use super::{Names, located, quoted, rows};
use crate::error::{Error, Result, SqlState};

/// Replaces `*` and `t.*` by columns, as far as the columns are known.
pub(super) fn wildcards(select: &mut Select, scope: &Scope<'_>, names: &dyn Names) -> Result<()> {
    let mut expanded = Vec::with_capacity(select.projection.len());
    for item in std::mem::take(&mut select.projection) {
        match &item {
            SelectItem::Wildcard(options) if scope.relations.is_empty() => {
                let error = Error::new(SqlState::SyntaxError, "SELECT * with no tables specified is not valid");
                return Err(located(error, options.wildcard_token.0.span, names));
            }
            SelectItem::Wildcard(options) if is_plain(options) => match all(scope) {
                Some(items) => expanded.extend(items),
                None => expanded.push(item),
            },
            SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), options)
                if is_plain(options) =>
            {
                match of_relation(name, scope, names)? {
                    Some(items) => expanded.extend(items),
                    None => expanded.push(item),
                }
            }
            SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::Expr(row), options) if is_plain(options) => {
                match rows::columns(row, scope)? {
                    Some(items) => expanded.extend(items),
                    None => return Err(Error::unsupported("expanding this composite value with .* is not supported")),
                }
            }
            SelectItem::QualifiedWildcard(..) => {
                return Err(Error::unsupported("expanding a composite value with .* is not supported"));
            }
            _ => expanded.push(item),
        }
    }
    select.projection = expanded;
    Ok(())
}

fn is_plain(options: &WildcardAdditionalOptions) -> bool {
    let WildcardAdditionalOptions { opt_ilike, opt_exclude, opt_except, opt_replace, opt_rename, .. } = options;
    opt_ilike.is_none()
        && opt_exclude.is_none()
        && opt_except.is_none()
        && opt_replace.is_none()
        && opt_rename.is_none()
}

/// Merged columns come first, then what is left of each relation.
fn all(scope: &Scope<'_>) -> Option<Vec<SelectItem>> {
    let mut items: Vec<SelectItem> = scope
        .merged
        .iter()
        .map(|merged| SelectItem::ExprWithAlias { expr: merged.expr.clone(), alias: quoted(&merged.name) })
        .collect();
    for (index, relation) in scope.relations.iter().enumerate() {
        let columns = relation.columns.as_ref()?;
        let visible = columns.iter().filter(|column| !scope.is_hidden(index, &column.planned));
        items.extend(visible.map(|column| SelectItem::UnnamedExpr(reference(relation, column))));
    }
    Some(items)
}

fn of_relation(name: &ObjectName, scope: &Scope<'_>, names: &dyn Names) -> Result<Option<Vec<SelectItem>>> {
    let parts: Vec<Ident> = name.0.iter().filter_map(|part| part.as_ident()).cloned().collect();
    let Some(relation) = scope.relation(&parts)? else {
        let message = format!("missing FROM-clause entry for table \"{name}\"");
        let error = Error::new(SqlState::UndefinedTable, message);
        return Err(match parts.first() {
            Some(first) => located(error, first.span, names),
            None => error,
        });
    };
    let columns = relation.columns.iter().flatten();
    let items = columns.map(|column| SelectItem::UnnamedExpr(reference(relation, column))).collect();
    Ok(relation.columns.is_some().then_some(items))
}

/// Turns USING and NATURAL into ON, and remembers which columns became one. `left_end` splits the relations in two.
pub(super) fn merge_using(operator: &mut JoinOperator, left_end: usize, scope: &mut Scope<'_>) -> Result<()> {
    let side = match operator {
        JoinOperator::Right(_) | JoinOperator::RightOuter(_) => Side::Right,
        JoinOperator::FullOuter(_) => Side::Both,
        _ => Side::Left,
    };
    let Some(constraint) = constraint(operator) else { return Ok(()) };
    let names: Vec<Ident> = match &*constraint {
        JoinConstraint::Using(names) => {
            names.iter().filter_map(|name| name.0.last()).filter_map(|part| part.as_ident()).cloned().collect()
        }
        JoinConstraint::Natural => match common(left_end, scope) {
            Some(names) => names,
            None => return Ok(()),
        },
        _ => return Ok(()),
    };
    if scope.relations.iter().any(|relation| relation.columns.is_none()) {
        return Ok(());
    }
    let mut condition: Option<Expr> = None;
    for ident in &names {
        let left = one(ident, candidates(scope, 0, left_end), "left")?;
        let right = one(ident, candidates(scope, left_end, scope.relations.len()), "right")?;
        let equal = Expr::BinaryOp {
            left: Box::new(left.expr.clone()),
            op: BinaryOperator::Eq,
            right: Box::new(right.expr.clone()),
        };
        condition = Some(match condition {
            Some(before) => Expr::BinaryOp { left: Box::new(before), op: BinaryOperator::And, right: Box::new(equal) },
            None => equal,
        });
        merge(side, left, right, scope);
    }
    *constraint = condition.map_or(JoinConstraint::None, JoinConstraint::On);
    if names.is_empty() {
        *operator = JoinOperator::CrossJoin(JoinConstraint::None);
    }
    Ok(())
}

/// A merged column keeps its name, whatever expression it stands for.
pub(super) fn keep_merged_name(item: &mut SelectItem, scope: &Scope<'_>) {
    let SelectItem::UnnamedExpr(Expr::Identifier(ident)) = item else { return };
    let merged = scope.merged.iter().filter(|merged| !matches!(merged.expr, Expr::CompoundIdentifier(_)));
    let found = best(ident, merged.map(|merged| (merged.name.as_str(), merged)).collect());
    if let [merged] = found.as_slice() {
        *item = SelectItem::ExprWithAlias { expr: Expr::Identifier(ident.clone()), alias: quoted(&merged.name) };
    }
}

#[derive(Clone, Copy)]
enum Side {
    Left,
    Right,
    Both,
}

/// A column that may be merged: a plain one, or one that an earlier join has merged.
struct Candidate {
    name: String,
    expr: Expr,
    hides: Vec<(usize, String)>,
}

fn merge(side: Side, left: Candidate, right: Candidate, scope: &mut Scope<'_>) {
    let expr = match side {
        Side::Left => left.expr,
        Side::Right => right.expr,
        Side::Both => coalesce(left.expr, right.expr),
    };
    let hides: Vec<(usize, String)> = left.hides.into_iter().chain(right.hides).collect();
    let merged = Merged { name: left.name, expr, hides };
    // An earlier merge of the same column is replaced in its place.
    match scope.merged.iter_mut().find(|other| other.hides.iter().any(|hidden| merged.hides.contains(hidden))) {
        Some(other) => *other = merged,
        None => scope.merged.push(merged),
    }
}

fn candidates(scope: &Scope<'_>, from: usize, to: usize) -> Vec<Candidate> {
    let within = |index: usize| from <= index && index < to;
    let merged = scope.merged.iter().filter(|merged| merged.hides.iter().any(|(index, _)| within(*index)));
    let mut found: Vec<Candidate> = merged
        .map(|merged| Candidate { name: merged.name.clone(), expr: merged.expr.clone(), hides: merged.hides.clone() })
        .collect();
    for (index, relation) in scope.relations.iter().enumerate().filter(|(index, _)| within(*index)) {
        for column in relation.columns.iter().flatten().filter(|column| !scope.is_hidden(index, &column.planned)) {
            found.push(Candidate {
                name: column.name.clone(),
                expr: reference(relation, column),
                hides: vec![(index, column.planned.clone())],
            });
        }
    }
    found
}

fn one(ident: &Ident, candidates: Vec<Candidate>, side: &str) -> Result<Candidate> {
    let names: Vec<String> = candidates.iter().map(|candidate| candidate.name.clone()).collect();
    let named = names.iter().map(String::as_str).zip(candidates).collect();
    let mut found = best(ident, named);
    let name = &ident.value;
    match (found.len(), found.pop()) {
        (1, Some(candidate)) => Ok(candidate),
        (0, _) => {
            let message = format!("column \"{name}\" specified in USING clause does not exist in {side} table");
            Err(Error::new(SqlState::UndefinedColumn, message))
        }
        _ => {
            let message = format!("common column name \"{name}\" appears more than once in {side} table");
            Err(Error::new(SqlState::AmbiguousColumn, message))
        }
    }
}

/// The names that NATURAL joins on, in the order of the left side; `None` if a side is not known.
fn common(left_end: usize, scope: &Scope<'_>) -> Option<Vec<Ident>> {
    if scope.relations.iter().any(|relation| relation.columns.is_none()) {
        return None;
    }
    let right = candidates(scope, left_end, scope.relations.len());
    let left = candidates(scope, 0, left_end).into_iter().map(|candidate| candidate.name);
    Some(left.filter(|name| right.iter().any(|other| other.name == *name)).map(|name| quoted(&name)).collect())
}

fn reference(relation: &Relation, column: &Column) -> Expr {
    Expr::CompoundIdentifier(vec![quoted(&relation.planned), quoted(&column.planned)])
}

fn coalesce(left: Expr, right: Expr) -> Expr {
    call("coalesce", vec![left, right])
}

/// A call of a function of ours or the planner's.
pub(super) fn call(name: &str, args: Vec<Expr>) -> Expr {
    let args = args.into_iter().map(|arg| FunctionArg::Unnamed(FunctionArgExpr::Expr(arg))).collect();
    Expr::Function(Function {
        name: ObjectName::from(vec![Ident::new(name)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList { duplicate_treatment: None, args, clauses: Vec::new() }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}

/// `SELECT * FROM name`.
pub(super) fn select_all(name: ObjectName) -> Select {
    let from = vec![TableWithJoins { relation: table(name), joins: Vec::new() }];
    select(vec![SelectItem::Wildcard(WildcardAdditionalOptions::default())], from)
}

/// A table in FROM.
pub(super) fn table(name: ObjectName) -> TableFactor {
    TableFactor::Table {
        name,
        alias: None,
        args: None,
        with_hints: Vec::new(),
        version: None,
        with_ordinality: false,
        partitions: Vec::new(),
        json_path: None,
        sample: None,
        index_hints: Vec::new(),
    }
}

/// `SELECT items FROM from`.
pub(super) fn select(projection: Vec<SelectItem>, from: Vec<TableWithJoins>) -> Select {
    Select {
        select_token: AttachedToken::empty(),
        optimizer_hints: Vec::new(),
        distinct: None,
        select_modifiers: None,
        top: None,
        top_before_distinct: false,
        projection,
        exclude: None,
        into: None,
        from,
        lateral_views: Vec::new(),
        prewhere: None,
        selection: None,
        connect_by: Vec::new(),
        group_by: GroupByExpr::Expressions(Vec::new(), Vec::new()),
        cluster_by: Vec::new(),
        distribute_by: Vec::new(),
        sort_by: Vec::new(),
        having: None,
        named_window: Vec::new(),
        qualify: None,
        window_before_qualify: false,
        value_table_mode: None,
        flavor: SelectFlavor::Standard,
    }
}
