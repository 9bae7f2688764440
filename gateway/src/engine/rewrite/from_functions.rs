//! Functions in FROM and set-returning functions, as subqueries and `unnest`.
//!
//! Owns: which functions return sets, and how `f(x) AS a(b)` names its columns. Must never know: argument types.

use std::ops::ControlFlow;

use sqlparser::ast::{
    DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, ObjectName, Query, Select,
    SelectItem, SetExpr, TableAlias, TableFactor, TableWithJoins, VisitMut, VisitorMut,
};

use super::arguments::Casts;
use super::expand::{call, select};
use super::functions::is_catalog_schema;
use super::series::{integer_series, steps};
use super::{Names, arguments, folded, json, literals, quoted, rows, rows_from, sets, types};
use crate::error::{Error, Result};

/// Rewrites every function in FROM and every set-returning function in an expression.
pub(super) fn rewrite(query: &mut Query, names: &dyn Names) -> Result<()> {
    match query.visit(&mut Functions { names }) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

struct Functions<'n> {
    names: &'n dyn Names,
}

impl VisitorMut for Functions<'_> {
    type Break = Error;

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Error> {
        for item in &mut select.projection {
            keep_name(item);
        }
        for (index, item) in select.from.iter_mut().enumerate() {
            may_see_neighbours(&mut item.relation, index > 0);
            for join in &mut item.joins {
                may_see_neighbours(&mut join.relation, true);
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        // (f(x)).field and (f(x)).* are columns of the function.
        if let Expr::CompoundFieldAccess { root, .. } = expr
            && let Expr::Nested(inner) = root.as_ref()
            && let Expr::Function(function) = inner.as_ref()
            && let Some(name) = last_name(&function.name).filter(|name| sets::composite(name).is_some())
        {
            **root = of_fields(function, &name);
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        // Before its numbers are told from others: the type of the series is theirs.
        if let Expr::Function(function) = expr
            && last_name(&function.name).as_deref() == Some("generate_series")
            && let Err(error) = arguments::settle(function, Casts::Written, self.names)
        {
            return ControlFlow::Break(error);
        }
        if let Expr::Function(function) = expr
            && let Err(error) =
                steps(&last_name(&function.name).unwrap_or_default(), &arguments(function), self.names.interval_style())
        {
            return ControlFlow::Break(error);
        }
        if let Expr::Function(function) = expr
            && last_name(&function.name).as_deref() == Some("_pg_expandarray")
        {
            *expr = of_fields(function, "_pg_expandarray");
            return ControlFlow::Continue(());
        }
        if let Expr::Function(function) = expr {
            match json::in_select(function) {
                Ok(None) => {}
                Ok(Some(row)) => {
                    *expr = row;
                    return ControlFlow::Continue(());
                }
                Err(error) => return ControlFlow::Break(error),
            }
        }
        if let Expr::Function(function) = expr
            && let Some(elements) = elements(&function.name, arguments(function))
        {
            let name = last_name(&function.name).unwrap_or_default();
            *expr = json::unnested(&name, elements);
        } else if let Expr::Function(function) = expr
            && last_name(&function.name).as_deref() == Some("unnest")
            && let [array] = arguments(function).as_slice()
        {
            *expr = items(array.clone());
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Error> {
        if let TableFactor::Function { name, args, .. } = factor
            && rows_from::is(name)
        {
            rows_from::hide(args);
        }
        ControlFlow::Continue(())
    }

    fn post_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Error> {
        match self.table_factor(factor) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
    }
}

/// The row of a function whose fields are written out.
fn of_fields(function: &Function, name: &str) -> Expr {
    rows::of_columns(columns(&function.name, name, arguments(function), false))
}

/// `SELECT generate_series(1, 3)` is called `generate_series`, whatever it becomes.
fn keep_name(item: &mut SelectItem) {
    if let SelectItem::UnnamedExpr(Expr::Function(function)) = item
        && let Some(name) = last_name(&function.name)
        && (json::returns_rows(&name)
            || matches!(name.as_str(), "_pg_expandarray" | "unnest")
            || elements(&function.name, arguments(function)).is_some())
    {
        *item = SelectItem::ExprWithAlias { expr: Expr::Function(function.clone()), alias: quoted(&name) };
    }
}

/// A function in FROM is LATERAL without saying so; the first item has no neighbours to see.
fn may_see_neighbours(factor: &mut TableFactor, has_neighbours: bool) {
    match factor {
        TableFactor::Function { lateral, .. } | TableFactor::Derived { lateral, .. } if !has_neighbours => {
            *lateral = false;
        }
        TableFactor::Table { name, alias, args, with_ordinality, .. } if args.is_some() => {
            let args = args.take().map(|args| args.args).unwrap_or_default();
            *factor = TableFactor::Function {
                lateral: has_neighbours,
                name: name.clone(),
                args,
                with_ordinality: *with_ordinality,
                alias: alias.take(),
            };
        }
        TableFactor::UNNEST { alias, array_exprs, with_offset: false, with_ordinality, .. } => {
            let args = std::mem::take(array_exprs);
            *factor = TableFactor::Function {
                lateral: has_neighbours,
                name: ObjectName::from(vec![Ident::new("unnest")]),
                args: args.into_iter().map(|arg| FunctionArg::Unnamed(FunctionArgExpr::Expr(arg))).collect(),
                with_ordinality: *with_ordinality,
                alias: alias.take(),
            };
        }
        _ => {}
    }
}

impl Functions<'_> {
    fn table_factor(&self, factor: &mut TableFactor) -> Result<()> {
        let TableFactor::Function { lateral, name, args, with_ordinality, alias } = factor else { return Ok(()) };
        let function = last_name(name).unwrap_or_default();
        if rows_from::is(name) {
            let columns = rows_from::columns(args, *with_ordinality, |name, function, args| {
                steps(function, &args, self.names.interval_style())?;
                Ok(columns(name, function, args, true))
            })?;
            let first = columns.first().map(|(name, _)| name.clone()).unwrap_or_default();
            let single = args.len() == 1 && columns.len() == 1 + usize::from(*with_ordinality);
            *factor = derived(columns, Vec::new(), Shape { lateral: *lateral, single, function: first }, alias.take());
            return Ok(());
        }
        if let (Some(relation), true, false) = (self.names.relation_of(&function), args.is_empty(), *with_ordinality) {
            *factor = sets::relation(relation, &function, alias.take());
            return Ok(());
        }
        let mut plain = args.iter().map(plain_argument).collect::<Result<Vec<Expr>>>()?;
        if function == "generate_series" {
            let span = sqlparser::ast::Spanned::span(&*name);
            let mut args: Vec<&mut Expr> = plain.iter_mut().collect();
            arguments::settle_list((&function, span), &mut args, Casts::Written, self.names)?;
        }
        steps(&function, &plain, self.names.interval_style())?;
        let definitions = alias.as_ref().map(|alias| alias.columns.as_slice()).unwrap_or_default();
        let records = json::records(&function, &plain, definitions)?;
        let is_record = records.is_some();
        let (columns, from) = match integer_series(&function, &plain, *with_ordinality) {
            Some(series) => (vec![("value".to_owned(), series.0)], vec![series.1]),
            None if self.names.is_table_function(&function) => return Ok(()),
            None => (records.unwrap_or_else(|| columns(name, &function, plain, *with_ordinality)), Vec::new()),
        };
        // One column is named like the alias; several keep their own names.
        let single = !is_record && columns.len() == 1 + usize::from(*with_ordinality) && !json::is_named(&function);
        *factor = derived(columns, from, Shape { lateral: *lateral, single, function }, alias.take());
        Ok(())
    }
}

/// How the columns of a function stand in FROM.
struct Shape {
    lateral: bool,
    /// Whether the first column is named like the relation.
    single: bool,
    /// The name of the relation without an alias.
    function: String,
}

fn derived(
    columns: Vec<(String, Expr)>,
    from: Vec<TableWithJoins>,
    Shape { lateral, single, function }: Shape,
    written: Option<TableAlias>,
) -> TableFactor {
    let relation = written.as_ref().map_or(function, |alias| folded(&alias.name));
    let given = written.as_ref().map(|alias| alias.columns.as_slice()).unwrap_or_default();
    let items = columns.into_iter().enumerate().map(|(index, (own, expr))| {
        let default = if single && index == 0 { relation.clone() } else { own };
        let name = given.get(index).map_or(default, |column| folded(&column.name));
        SelectItem::ExprWithAlias { expr, alias: quoted(&name) }
    });
    let subquery = Box::new(query(select(items.collect(), from)));
    let alias = TableAlias { explicit: true, name: quoted(&relation), columns: Vec::new(), at: None };
    TableFactor::Derived { lateral, subquery, alias: Some(alias), sample: None }
}

/// The columns of a function in FROM, each with its own name.
fn columns(name: &ObjectName, function: &str, args: Vec<Expr>, with_ordinality: bool) -> Vec<(String, Expr)> {
    let ordinality = |of: Expr| numbered(call("cardinality", vec![of]));
    if let Some((list, fields)) = sets::composite(function) {
        let rows = call(list, args);
        let field = |name: &str| {
            let field = call("lakegate_field_of", vec![rows.clone(), literals::string(name)]);
            (name.to_owned(), call("unnest", vec![field]))
        };
        let mut columns: Vec<(String, Expr)> = fields.iter().map(|name| field(name)).collect();
        columns.extend(with_ordinality.then(|| ordinality(rows.clone())));
        return columns;
    }
    if let Some((counted, mut columns)) = json::pairs(function, &args) {
        if with_ordinality {
            columns.push(ordinality(counted));
        }
        return columns;
    }
    if function == "unnest" && args.len() > 1 {
        let arrays: Vec<Expr> = args.into_iter().map(flat).collect();
        let longest = call("greatest", arrays.iter().map(|array| call("cardinality", vec![array.clone()])).collect());
        let each = arrays.into_iter().map(|array| (function.to_owned(), call("unnest", vec![array])));
        return each.chain(with_ordinality.then(|| numbered(longest))).collect();
    }
    if let ("unnest", false, [array]) = (function, with_ordinality, args.as_slice()) {
        return vec![(json::column(function), items(array.clone()))];
    }
    let elements = match function {
        "unnest" => args.first().cloned().map(flat),
        _ => elements(name, args.clone()),
    };
    match elements {
        Some(array) if with_ordinality => {
            vec![(json::column(function), json::unnested(function, array.clone())), ordinality(array)]
        }
        Some(array) => vec![(json::column(function), json::unnested(function, array))],
        None => {
            let mut columns = vec![(function.to_owned(), call(function, args))];
            if with_ordinality {
                let one = Expr::value(sqlparser::ast::Value::Number("1".to_owned(), false));
                columns.push(("ordinality".to_owned(), one));
            }
            columns
        }
    }
}

/// The column that numbers so many rows.
fn numbered(count: Expr) -> (String, Expr) {
    let one = Expr::value(sqlparser::ast::Value::Number("1".to_owned(), false));
    ("ordinality".to_owned(), call("unnest", vec![call("generate_series", vec![one, count])]))
}

/// The items of an array as rows. Where they are cast to a type that Arrow does not tell they are said to have it: a
/// recursive query has the types of its first part before any rule gives it others.
fn items(array: Expr) -> Expr {
    let of = match &array {
        Expr::Cast { data_type: DataType::Array(_), .. } => types::cast_item(&array),
        _ => None,
    };
    let rows = call("unnest", vec![flat(array)]);
    match of {
        Some(of) => call("lakegate_tagged", vec![rows, literals::string(of)]),
        None => rows,
    }
}

/// The elements of all dimensions, as `unnest` gives them.
fn flat(array: Expr) -> Expr {
    if has_dimensions(&array) { call("lakegate_flatten", vec![array]) } else { array }
}

/// Whether an array is written with more than one dimension.
fn has_dimensions(array: &Expr) -> bool {
    match array {
        Expr::Array(items) => items.elem.iter().any(|item| matches!(item, Expr::Array(_))),
        Expr::Cast { expr, data_type: DataType::Array(_), .. } => {
            literals::text(expr).is_some_and(|text| text.trim_start().starts_with("{{")) || has_dimensions(expr)
        }
        Expr::Nested(inner) => has_dimensions(inner),
        _ => false,
    }
}

/// The array whose elements a set-returning function returns; `None` for any other function, and for `unnest` itself.
fn elements(name: &ObjectName, args: Vec<Expr>) -> Option<Expr> {
    let schema = name.0.iter().rev().nth(1).and_then(|part| part.as_ident()).map(folded);
    if schema.is_some_and(|schema| !is_catalog_schema(&schema)) {
        return None;
    }
    let name = last_name(name)?;
    if let Some((list, _)) = sets::composite(&name) {
        return Some(call(list, args));
    }
    match (name.as_str(), args.len()) {
        ("pg_partition_ancestors", 1) => Some(call("lakegate_partition_ancestors", args)),
        ("generate_series", 2 | 3) => {
            let mut args = args;
            // A small number is an `integer`, and so are the numbers of the series.
            args.iter_mut().for_each(literals::narrow);
            Some(call("generate_series", args))
        }
        ("generate_subscripts", 2) => {
            Some(call("generate_series", vec![call("array_lower", args.clone()), call("array_upper", args)]))
        }
        ("string_to_table", _) => Some(call("string_to_array", args)),
        ("regexp_matches", _) => Some(call("lakegate_regexp_matches", args)),
        ("regexp_split_to_table", _) => Some(call("regexp_split_to_array", args)),
        (function, _) => json::elements(function, args),
    }
}

fn plain_argument(arg: &FunctionArg) -> Result<Expr> {
    match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Ok(expr.clone()),
        other => Err(Error::unsupported(format!("the argument {other} of a function in FROM is not supported"))),
    }
}

fn arguments(function: &Function) -> Vec<Expr> {
    let FunctionArguments::List(list) = &function.args else { return Vec::new() };
    list.args.iter().filter_map(|arg| plain_argument(arg).ok()).collect()
}

fn last_name(name: &ObjectName) -> Option<String> {
    name.0.last().and_then(|part| part.as_ident()).map(folded)
}

/// A query that is nothing but this select.
pub(super) fn query(select: Select) -> Query {
    Query {
        with: None,
        body: Box::new(SetExpr::Select(Box::new(select))),
        order_by: None,
        limit_clause: None,
        fetch: None,
        locks: Vec::new(),
        for_clause: None,
        settings: None,
        format_clause: None,
        pipe_operators: Vec::new(),
    }
}
