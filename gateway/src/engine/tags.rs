//! PostgreSQL types of expressions that pass values on: CASE, `coalesce`, `min`, `array_agg` ...
//!
//! Owns: that what Arrow does not tell apart stays apart, as `oid` from `bigint`: the planner gives such expressions an
//! Arrow type only, and asyncpg asks forever for a type that it was not told. Must never know: what a type means.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use catalog::pg_catalog::{common_type, needs_tag, pg_type_of};
use datafusion::common::metadata::FieldMetadata;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, DFSchema, Result};
use datafusion::logical_expr::expr::{AggregateFunction, Alias, BinaryExpr, Case, ScalarFunction};
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, Operator, Projection, RecursiveQuery, Union, Unnest};
use datafusion::scalar::ScalarValue;
use udfs::pg::tagged::as_tagged;
use udfs::pg_type::{self, PG_TYPE_KEY};

/// Whether an expression may have a type of PostgreSQL that the planner forgets.
pub(super) fn concerns(expr: &Expr) -> bool {
    match expr {
        Expr::Case(_) => true,
        Expr::BinaryExpr(binary) => binary.op == Operator::StringConcat,
        Expr::ScalarFunction(function) => {
            let name = function.func.name();
            passes_on(name) || name == "make_array" || of_arrays(name).is_some()
        }
        Expr::AggregateFunction(function) => {
            let name = function.func.name();
            name == "sum" || aggregates(name).is_some()
        }
        _ => false,
    }
}

/// The type of an expression that operators must know of, where the planner forgets it: JSON, money, times with zone, padded texts.
pub(super) fn forgotten(expr: &Expr, schema: &DFSchema) -> Option<String> {
    if !concerns(expr) {
        return None;
    }
    of(expr, schema)
        .ok()
        .flatten()
        .filter(|tag| matches!(tag.as_str(), "json" | "jsonb" | "money" | "timetz" | "_timetz" | "bpchar"))
}

/// Whether a function's result depends on PostgreSQL's types of its arguments.
pub(super) fn reads(function: &str) -> bool {
    matches!(
        function,
        "array_to_json"
            | "json_build_array"
            | "json_build_object"
            | "jsonb_build_array"
            | "jsonb_build_object"
            | "lakegate_json_items"
            | "lakegate_json_element"
            | "lakegate_json_known"
            | "lakegate_json_list"
            | "lakegate_json_member"
            | "lakegate_json_pairs"
            | "lakegate_jsonb_items"
            | "lakegate_jsonb_element"
            | "lakegate_jsonb_known"
            | "lakegate_jsonb_list"
            | "lakegate_jsonb_member"
            | "lakegate_jsonb_pairs"
            | "lakegate_outer_row"
            | "lakegate_relation_row"
            | "lakegate_row"
            | "lakegate_type_name"
            | "row_to_json"
            | "to_json"
            | "to_jsonb"
    )
}

/// Tells such a function the types that the planner forgets, or keeps where they are no more.
pub(super) fn tell(mut function: ScalarFunction, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let mut told = false;
    for arg in &mut function.args {
        if matches!(arg, Expr::Literal(..) | Expr::Placeholder(_)) {
            continue;
        }
        let tag = of(arg, schema)?;
        // What a subquery or an aggregate gives may be planned anew, without its type.
        let may_forget = matches!(arg, Expr::ScalarSubquery(_) | Expr::Column(_));
        let is_json = tag.as_deref().is_some_and(|tag| tag.trim_start_matches('_').starts_with("json"));
        let is_asked = tag.is_some() && function.func.name() == "lakegate_type_name";
        if may_forget && (is_json || is_asked) || pg_type::tag(&arg.to_field(schema)?.1) != tag.as_deref() {
            *arg = as_tagged(
                std::mem::replace(arg, Expr::Literal(ScalarValue::Null, None)),
                tag.as_deref().unwrap_or_default(),
            );
            told = true;
        }
    }
    let expr = Expr::ScalarFunction(function);
    Ok(if told { Transformed::yes(expr) } else { Transformed::no(expr) })
}

/// The output expression of a node under the same name, with the type that it has.
pub(super) fn output(expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    let inner = match &expr {
        Expr::Alias(alias) => alias.expr.as_ref(),
        inner => inner,
    };
    if !concerns(inner) || pg_type::tag(&expr.to_field(schema)?.1).is_some() {
        return Ok(Transformed::no(expr));
    }
    let Some(tag) = of(inner, schema)? else { return Ok(Transformed::no(expr)) };
    let metadata = Some(metadata(tag));
    let alias = match expr {
        Expr::Alias(alias) => alias,
        expr => {
            let name = expr.schema_name().to_string();
            Alias::new(expr, None::<&str>, name)
        }
    };
    Ok(Transformed::yes(Expr::Alias(alias.with_metadata(metadata))))
}

fn metadata(tag: String) -> FieldMetadata {
    FieldMetadata::from(BTreeMap::from([(PG_TYPE_KEY.to_owned(), tag)]))
}

/// A column under its own name, with the type that it has.
fn told(column: Column, tag: String) -> Expr {
    let (relation, name) = (column.relation.clone(), column.name.clone());
    Expr::Alias(Alias::new(Expr::Column(column), relation, name).with_metadata(Some(metadata(tag))))
}

/// What is unnested, with the types of the elements: the planner gives them the Arrow type only.
pub(super) fn elements(unnest: Unnest) -> Result<Transformed<LogicalPlan>> {
    let plan = LogicalPlan::Unnest(unnest).recompute_schema()?;
    let LogicalPlan::Unnest(unnest) = &plan else { return Ok(Transformed::no(plan)) };
    let fields = unnest.input.schema().fields();
    let tags: HashMap<&Column, String> = unnest
        .list_type_columns
        .iter()
        .filter(|(_, list)| list.depth == 1)
        .filter_map(|(at, list)| Some((&list.output_column, element(pg_type::tag(fields.get(*at)?)?)?)))
        .collect();
    if tags.is_empty() {
        return Ok(Transformed::no(plan));
    }
    let columns = plan.schema().iter().map(|(qualifier, field)| {
        let column = Column::new(qualifier.cloned(), field.name());
        match tags.get(&column).cloned() {
            Some(tag) => told(column, tag),
            None => Expr::Column(column),
        }
    });
    let columns = columns.collect();
    Ok(Transformed::yes(LogicalPlan::Projection(Projection::try_new(columns, Arc::new(plan))?)))
}

/// UNION ALL, with the types that PostgreSQL gives its columns: the planner keeps those of one side.
pub(super) fn union(union: Union) -> Result<Transformed<LogicalPlan>> {
    let plan = LogicalPlan::Union(union).recompute_schema()?;
    let LogicalPlan::Union(union) = &plan else { return Ok(Transformed::no(plan)) };
    let mut changed = false;
    let columns = plan.schema().iter().enumerate().map(|(at, (qualifier, field))| {
        let chosen =
            common_type(union.inputs.iter().map(|input| column_name(input, at))).filter(|name| needs_tag(name));
        let column = Column::new(qualifier.cloned(), field.name());
        if chosen.as_deref() == pg_type::tag(field) {
            return Expr::Column(column);
        }
        changed = true;
        told(column, chosen.unwrap_or_default())
    });
    let columns: Vec<Expr> = columns.collect();
    if !changed {
        return Ok(Transformed::no(plan));
    }
    Ok(Transformed::yes(LogicalPlan::Projection(Projection::try_new(columns, Arc::new(plan))?)))
}

/// A recursive query, whose second term has the types of the first: of what it computes the planner knows the Arrow type only.
pub(super) fn recursive(query: RecursiveQuery) -> Result<Transformed<LogicalPlan>> {
    let RecursiveQuery { name, static_term, recursive_term, is_distinct, .. } = query;
    let first = Arc::clone(static_term.schema());
    let mut changed = false;
    let columns = recursive_term.schema().iter().zip(first.fields()).map(|((qualifier, field), first)| {
        let column = Column::new(qualifier.cloned(), field.name());
        let tag = pg_type::tag(first).filter(|tag| pg_type::tag(field) != Some(tag));
        changed |= tag.is_some();
        match tag {
            Some(tag) => told(column, tag.to_owned()),
            None => Expr::Column(column),
        }
    });
    let columns: Vec<Expr> = columns.collect();
    let recursive_term = match changed {
        true => Arc::new(LogicalPlan::Projection(Projection::try_new(columns, recursive_term)?)),
        false => recursive_term,
    };
    let query = LogicalPlan::RecursiveQuery(RecursiveQuery::try_new(name, static_term, recursive_term, is_distinct)?);
    Ok(if changed { Transformed::yes(query) } else { Transformed::no(query) })
}

/// The type of a column of one side; a literal of unknown type has none.
fn column_name(plan: &LogicalPlan, at: usize) -> Option<String> {
    if let LogicalPlan::Projection(projection) = plan {
        let mut expr = projection.expr.get(at)?;
        while let Expr::Alias(alias) = expr {
            expr = &alias.expr;
        }
        if matches!(expr, Expr::Literal(ScalarValue::Null | ScalarValue::Utf8(_), None)) {
            return None;
        }
    }
    let field = plan.schema().fields().get(at)?;
    (!field.data_type().is_null()).then(|| pg_type_of(field).name.to_owned())
}

/// The type of the elements of an array type, if Arrow does not tell it.
fn element(tag: &str) -> Option<String> {
    let name = match tag {
        "oidvector" => "oid",
        "int2vector" => return None,
        array => array.strip_prefix('_')?,
    };
    needs_tag(name).then(|| name.to_owned())
}

fn passes_on(function: &str) -> bool {
    matches!(function, "coalesce" | "greatest" | "least" | "nullif")
}

/// Whether a function of arrays gives an array of the same type (else an element of it).
fn of_arrays(function: &str) -> Option<bool> {
    match function {
        "array_append" | "array_cat" | "array_concat" | "array_distinct" | "array_prepend" | "array_remove"
        | "array_remove_all" | "array_replace" | "array_replace_all" | "array_slice" | "array_sort" => Some(true),
        "array_element" | udfs::pg::array_subscript::NAME => Some(false),
        _ => None,
    }
}

/// Whether an aggregate gives an array of its values (else one of them).
fn aggregates(function: &str) -> Option<bool> {
    match function {
        "array_agg" => Some(true),
        "any_value" | "min" | "max" | "first_value" | "last_value" => Some(false),
        _ => None,
    }
}

/// The tag of an expression, where its Arrow type does not say which type it is.
fn of(expr: &Expr, schema: &DFSchema) -> Result<Option<String>> {
    Ok(match expr {
        Expr::Alias(alias) => of(&alias.expr, schema)?,
        Expr::Case(Case { when_then_expr, else_expr, .. }) => {
            // The alternative of ELSE counts first.
            let branches = when_then_expr.iter().map(|(_, then)| then.as_ref());
            common(else_expr.as_deref().into_iter().chain(branches), schema)?
        }
        Expr::ScalarFunction(ScalarFunction { func, args }) if func.name() == "nullif" => {
            args.first().map_or(Ok(None), |first| of(first, schema))?
        }
        Expr::ScalarFunction(ScalarFunction { func, args }) if passes_on(func.name()) => common(args.iter(), schema)?,
        // A name given to a cast in an aggregate.
        Expr::ScalarFunction(ScalarFunction { func, args }) if func.name() == "lakegate_cast" => {
            args.first().map_or(Ok(None), |cast| of(cast, schema))?
        }
        Expr::ScalarFunction(ScalarFunction { func, args }) if func.name() == "make_array" => {
            common(args.iter(), schema)?.map(array)
        }
        Expr::ScalarFunction(ScalarFunction { func, args }) if of_arrays(func.name()).is_some() => {
            let array = of_array(args.iter(), schema)?;
            if of_arrays(func.name()) == Some(true) { array } else { array.and_then(|tag| element(&tag)) }
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::StringConcat, right }) => {
            of_array([left.as_ref(), right.as_ref()].into_iter(), schema)?
        }
        Expr::AggregateFunction(AggregateFunction { func, params }) => {
            match (aggregates(func.name()), params.args.first()) {
                (Some(true), Some(arg)) => of(arg, schema)?.map(array),
                (Some(false), Some(arg)) => of(arg, schema)?,
                (None, Some(arg)) if func.name() == "sum" => of(arg, schema)?.filter(|tag| tag == "money"),
                _ => None,
            }
        }
        other => pg_type::tag(&other.to_field(schema)?.1).map(str::to_owned),
    })
}

fn array(tag: String) -> String {
    if tag.starts_with('_') { tag } else { format!("_{tag}") }
}

/// The type of the first array.
fn of_array<'e>(mut exprs: impl Iterator<Item = &'e Expr>, schema: &DFSchema) -> Result<Option<String>> {
    exprs.try_fold(None, |found: Option<String>, expr| match found {
        Some(found) => Ok(Some(found)),
        None => Ok(of(expr, schema)?.filter(|tag| tag.starts_with('_') || tag.ends_with("vector"))),
    })
}

/// The type that alternatives have together, if Arrow does not tell it.
fn common<'e>(exprs: impl Iterator<Item = &'e Expr>, schema: &DFSchema) -> Result<Option<String>> {
    let names = exprs.map(|expr| name(expr, schema)).collect::<Result<Vec<_>>>()?;
    Ok(common_type(names).filter(|name| needs_tag(name)))
}

/// The type of an expression by its name; NULL and literals of unknown type have none.
fn name(expr: &Expr, schema: &DFSchema) -> Result<Option<String>> {
    match expr {
        Expr::Literal(ScalarValue::Null | ScalarValue::Utf8(_), None) => return Ok(None),
        Expr::ScalarFunction(function) if function.func.name() == "make_array" && function.args.is_empty() => {
            return Ok(None);
        }
        _ => {}
    }
    if let Some(tag) = of(expr, schema)? {
        return Ok(Some(tag));
    }
    let field = expr.to_field(schema)?.1;
    if field.data_type().is_null() {
        return Ok(None);
    }
    // What is computed of a tagged value has its Arrow type's name.
    let plain = field.as_ref().clone().with_metadata(Default::default());
    Ok(Some(pg_type_of(&plain).name.to_owned()))
}
