//! What a parameter's place says about its type, as PostgreSQL resolves a literal of unknown type there.
//!
//! Owns: the rule of each kind of expression. Must never know: what the client declared.
//! <https://www.postgresql.org/docs/15/typeconv.html>

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, IntervalUnit};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, Result as PlanResult};
use datafusion::logical_expr::expr::{
    BinaryExpr, Case, Cast, InList, InSubquery, Placeholder, ScalarFunction, SetComparison, TryCast,
};
use datafusion::logical_expr::type_coercion::functions::fields_with_udf;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, Operator};
use datafusion::scalar::ScalarValue;
use udfs::pg::json;
use udfs::pg_type;

use super::number;
use crate::error::Result;

/// What a numeric parameter is planned as before its value says more.
const NUMERIC: DataType = DataType::Decimal128(38, 16);

/// What the places of parameters say.
pub(super) struct Inferred {
    /// By the parameters' numbers; the first place decides.
    pub(super) types: BTreeMap<usize, FieldRef>,
    /// Whether every parameter is only ever cast, so that nothing around it depends on its type.
    pub(super) all_cast: bool,
}

pub(super) fn types(plan: &LogicalPlan) -> Result<Inferred> {
    let mut found = Found::default();
    plan.apply_with_subqueries(|node| {
        let inputs = node.inputs();
        let schema = if inputs.is_empty() { node.schema().as_ref().clone() } else { merge_schema(&inputs) };
        clauses(node, &mut found)?;
        node.apply_expressions(|expr| {
            expr.apply(|expr| {
                Place { schema: &schema, found: &mut found }.expression(expr)?;
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    // What a cast says is said by the client itself.
    let mut types = found.cast;
    for (number, field) in found.implied {
        types.entry(number).or_insert(field);
    }
    Ok(Inferred { types, all_cast: found.places == found.casts })
}

#[derive(Default)]
struct Found {
    cast: BTreeMap<usize, FieldRef>,
    implied: BTreeMap<usize, FieldRef>,
    /// How often a parameter stands anywhere, and how often right below a cast.
    places: usize,
    casts: usize,
}

impl Found {
    fn say(&mut self, expr: &Expr, field: &FieldRef) -> PlanResult<()> {
        if let Expr::Placeholder(Placeholder { id, .. }) = expr
            && !unknown(field.data_type())
        {
            self.implied.entry(number(id)?).or_insert_with(|| settled(field));
        }
        Ok(())
    }

    fn say_type(&mut self, expr: &Expr, data_type: DataType) -> PlanResult<()> {
        self.say(expr, &Arc::new(Field::new("", data_type, true)))
    }
}

/// `varchar` and `unknown` have no operators of their own: PostgreSQL compares them as text. A numeric may have any
/// precision and scale.
fn settled(field: &FieldRef) -> FieldRef {
    match pg_type::tag(field) {
        _ if field.data_type().is_decimal() => Arc::new(pg_type::tagged("", NUMERIC, "numeric")),
        Some("varchar" | "unknown" | "bpchar" | "_varchar" | "_bpchar") | None => {
            Arc::new(Field::new("", field.data_type().clone(), true))
        }
        Some(tag) => Arc::new(pg_type::tagged("", field.data_type().clone(), tag)),
    }
}

fn tagged(data_type: DataType, tag: &str) -> FieldRef {
    Arc::new(pg_type::tagged("", data_type, tag))
}

/// Whether a type says nothing: an untyped literal's, or a list's of such.
fn unknown(data_type: &DataType) -> bool {
    match data_type {
        DataType::Null => true,
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            unknown(item.data_type())
        }
        _ => false,
    }
}

/// The clauses whose expressions have one type whatever they are.
fn clauses(node: &LogicalPlan, found: &mut Found) -> PlanResult<()> {
    match node {
        LogicalPlan::Limit(limit) => {
            for count in [&limit.skip, &limit.fetch].into_iter().flatten() {
                found.say_type(count, DataType::Int64)?;
            }
        }
        LogicalPlan::Filter(filter) => found.say_type(&filter.predicate, DataType::Boolean)?,
        _ => {}
    }
    Ok(())
}

/// One expression with the columns that it sees.
struct Place<'a> {
    schema: &'a DFSchema,
    found: &'a mut Found,
}

impl Place<'_> {
    fn expression(&mut self, expr: &Expr) -> PlanResult<()> {
        match expr {
            Expr::Cast(Cast { expr, field }) | Expr::TryCast(TryCast { expr, field }) => {
                if let Expr::Placeholder(Placeholder { id, .. }) = expr.as_ref() {
                    self.found.casts += 1;
                    self.found.cast.entry(number(id)?).or_insert_with(|| Arc::clone(field));
                }
                Ok(())
            }
            Expr::Placeholder(_) => {
                self.found.places += 1;
                Ok(())
            }
            Expr::BinaryExpr(binary) => self.binary(binary),
            Expr::Between(between) => self.alike([&between.expr, &between.low, &between.high].map(AsRef::as_ref)),
            Expr::InList(InList { expr, list, .. }) => self.alike(std::iter::once(expr.as_ref()).chain(list)),
            Expr::InSubquery(InSubquery { expr, subquery, .. })
            | Expr::SetComparison(SetComparison { expr, subquery, .. }) => {
                match subquery.subquery.schema().fields().first() {
                    Some(field) => self.found.say(expr, field),
                    None => Ok(()),
                }
            }
            Expr::Like(like) | Expr::SimilarTo(like) => {
                self.found.say_type(&like.expr, DataType::Utf8)?;
                self.found.say_type(&like.pattern, DataType::Utf8)
            }
            Expr::Not(inner) | Expr::IsTrue(inner) | Expr::IsFalse(inner) | Expr::IsUnknown(inner) => {
                self.found.say_type(inner, DataType::Boolean)
            }
            Expr::IsNotTrue(inner) | Expr::IsNotFalse(inner) | Expr::IsNotUnknown(inner) => {
                self.found.say_type(inner, DataType::Boolean)
            }
            Expr::Negative(inner) => self.found.say_type(inner, DataType::Float64),
            Expr::Case(case) => self.case(case),
            Expr::ScalarFunction(function) => self.function(function),
            _ => Ok(()),
        }
    }

    fn field(&self, expr: &Expr) -> Option<FieldRef> {
        if matches!(expr, Expr::Placeholder(_)) {
            return None;
        }
        // A number that fits `integer` is one.
        if let Expr::Literal(ScalarValue::Int64(Some(number)), _) = expr
            && i32::try_from(*number).is_ok()
        {
            return Some(Arc::new(Field::new("", DataType::Int32, true)));
        }
        // What has no type yet says nothing about others.
        let (_, field) = expr.to_field(self.schema).ok()?;
        (!unknown(field.data_type())).then_some(field)
    }

    /// Parameters among expressions of one type have that type.
    fn alike<'e>(&mut self, exprs: impl IntoIterator<Item = &'e Expr> + Clone) -> PlanResult<()> {
        let known = exprs.clone().into_iter().find_map(|expr| self.field(expr));
        match known {
            Some(field) => exprs.into_iter().try_for_each(|expr| self.found.say(expr, &field)),
            None => Ok(()),
        }
    }

    fn binary(&mut self, binary: &BinaryExpr) -> PlanResult<()> {
        let BinaryExpr { left, op, right } = binary;
        for (expr, other) in [(left, right), (right, left)] {
            let other = self.field(other);
            match (op, other.as_ref().map(|field| field.data_type())) {
                (Operator::And | Operator::Or, _) => self.found.say_type(expr, DataType::Boolean)?,
                (Operator::StringConcat, None | Some(DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)) => {
                    self.found.say_type(expr, DataType::Utf8)?;
                }
                (Operator::StringConcat, Some(data_type)) if !data_type.is_list() => {
                    self.found.say_type(expr, DataType::Utf8)?;
                }
                // Only an interval can be added to a moment.
                (Operator::Plus, Some(DataType::Timestamp(..) | DataType::Time64(_))) => {
                    self.found.say_type(expr, DataType::Interval(IntervalUnit::MonthDayNano))?;
                }
                (Operator::Multiply | Operator::Divide, Some(DataType::Interval(_))) => {
                    self.found.say_type(expr, DataType::Float64)?;
                }
                (_, Some(_)) => {
                    if let Some(other) = &other {
                        self.found.say(expr, other)?;
                    }
                }
                (_, None) => {}
            }
        }
        Ok(())
    }

    fn case(&mut self, case: &Case) -> PlanResult<()> {
        let whens = case.when_then_expr.iter().map(|(when, _)| when.as_ref());
        match &case.expr {
            Some(operand) => self.alike(std::iter::once(operand.as_ref()).chain(whens))?,
            None => whens.into_iter().try_for_each(|when| self.found.say_type(when, DataType::Boolean))?,
        }
        let thens = case.when_then_expr.iter().map(|(_, then)| then.as_ref());
        self.alike(thens.chain(case.else_expr.as_deref()))
    }

    fn function(&mut self, function: &ScalarFunction) -> PlanResult<()> {
        let args = &function.args;
        if let Some(parameters) = json::parameters(function.func.name()) {
            for (arg, parameter) in args.iter().zip(parameters) {
                match parameter {
                    json::Parameter::Json => self.found.say(arg, &tagged(DataType::Utf8, "json"))?,
                    json::Parameter::Jsonb => self.found.say(arg, &tagged(DataType::Utf8, "jsonb"))?,
                    json::Parameter::TextArray => {
                        self.found.say_type(arg, DataType::new_list(DataType::Utf8, true))?;
                    }
                    json::Parameter::Other => {}
                }
            }
        }
        match (function.func.name(), args.as_slice()) {
            ("coalesce" | "nullif" | "greatest" | "least" | "make_array", args) => self.alike(args),
            ("generate_series", [start, stop, rest @ ..]) => {
                self.alike([start, stop])?;
                match (self.field(start).or_else(|| self.field(stop)), rest) {
                    (Some(field), [step]) if field.data_type().is_temporal() => {
                        self.found.say_type(step, DataType::Interval(IntervalUnit::MonthDayNano))
                    }
                    (Some(field), [step]) => self.found.say(step, &field),
                    _ => Ok(()),
                }
            }
            // `x = ANY (list)` and its kin.
            ("array_has" | "array_append" | "array_position" | "array_remove", [list, element, ..]) => {
                self.elements(list, element)
            }
            ("array_prepend", [element, list]) => self.elements(list, element),
            ("array_has_any" | "array_has_all" | "array_concat", args) => self.alike(args),
            ("array_element" | udfs::pg::array_subscript::NAME, [_, index]) => {
                self.found.say_type(index, DataType::Int32)
            }
            _ => self.signature(function),
        }
    }

    fn elements(&mut self, list: &Expr, element: &Expr) -> PlanResult<()> {
        if let Some(field) = self.field(element) {
            let item = settled(&field);
            let data_type = DataType::new_list(item.data_type().clone(), true);
            let list_field = match pg_type::tag(&item) {
                Some(tag) => pg_type::tagged("", data_type, &format!("_{tag}")),
                None => Field::new("", data_type, true),
            };
            self.found.say(list, &Arc::new(list_field))?;
        }
        match self.field(list).as_deref().map(Field::data_type) {
            Some(DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _)) => {
                self.found.say(element, item)
            }
            _ => Ok(()),
        }
    }

    /// The types that the function itself would make of arguments without one.
    fn signature(&mut self, function: &ScalarFunction) -> PlanResult<()> {
        let null = || Arc::new(Field::new("", DataType::Null, true));
        let given: Vec<FieldRef> = function.args.iter().map(|arg| self.field(arg).unwrap_or_else(null)).collect();
        let Ok(coerced) = fields_with_udf(&given, function.func.as_ref()) else { return Ok(()) };
        function.args.iter().zip(coerced).try_for_each(|(arg, field)| match field.data_type() {
            DataType::Utf8View | DataType::LargeUtf8 => self.found.say_type(arg, DataType::Utf8),
            // The planner's functions count in 64 bits, PostgreSQL's take `integer`.
            DataType::Int64 | DataType::UInt64 => self.found.say_type(arg, DataType::Int32),
            data_type => self.found.say_type(arg, data_type.clone()),
        })
    }
}
