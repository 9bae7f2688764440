//! A scalar function as a list of overloads, chosen and coerced as PostgreSQL chooses among its own.
//!
//! Owns: which overload a call means and how a kernel reads its columns. Must never know: what any function computes.
//! <https://www.postgresql.org/docs/16/typeconv-func.html>

mod args;
mod types;

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::type_coercion::binary::type_union_resolution;
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

pub(crate) use args::{Args, Column, TEXT_BYTES_MAX, some};
pub(crate) use types::{Ty, pg_name, utc};

/// What an overload computes: one value per row.
pub(crate) type Kernel = fn(&Args<'_>) -> Result<ArrayRef>;

/// One argument list of a function with its kernel.
#[derive(Debug)]
pub(crate) struct Overload {
    pub(crate) args: &'static [Ty],
    /// The last type may repeat, also zero times.
    pub(crate) variadic: bool,
    pub(crate) returns: Returns,
    pub(crate) kernel: Kernel,
}

/// The type of an overload's result.
#[derive(Debug, Clone)]
pub(crate) enum Returns {
    Type(Ty),
    /// An Arrow type that stands for the PostgreSQL type of this name.
    Tagged(Ty, &'static str),
    /// An Arrow type that only stands for the PostgreSQL type of this name.
    Field(DataType, &'static str),
    /// The type of the argument with this index, after coercion.
    Same(usize),
    From(fn(&[DataType]) -> DataType),
}

/// An overload with a fixed number of arguments.
pub(crate) const fn overload(args: &'static [Ty], returns: Ty, kernel: Kernel) -> Overload {
    Overload { args, variadic: false, returns: Returns::Type(returns), kernel }
}

/// An overload whose result type depends on its arguments.
pub(crate) const fn overload_of(args: &'static [Ty], returns: Returns, kernel: Kernel) -> Overload {
    Overload { args, variadic: false, returns, kernel }
}

/// An overload whose last type repeats.
pub(crate) const fn variadic(args: &'static [Ty], returns: Ty, kernel: Kernel) -> Overload {
    Overload { args, variadic: true, returns: Returns::Type(returns), kernel }
}

/// The result of a function that stands for an operator or a cast: null only where an argument is. What the planner
/// knew of the operator it must know of the function, for UNION keeps what was known before.
pub(crate) fn strict(function: &impl ScalarUDFImpl, args: &ReturnFieldArgs<'_>) -> Result<FieldRef> {
    let given: Vec<_> = args.arg_fields.iter().map(|field| field.data_type().clone()).collect();
    let nullable = args.arg_fields.iter().any(|field| field.is_nullable());
    Ok(Arc::new(Field::new(function.name(), function.return_type(&given)?, nullable)))
}

/// A function that gives the same result for the same arguments.
pub(crate) fn function(name: &'static str, overloads: &'static [Overload]) -> Arc<ScalarUDF> {
    build(name, &[], overloads, Volatility::Immutable)
}

/// A function with further names.
pub(crate) fn function_named(names: &'static [&'static str], overloads: &'static [Overload]) -> Arc<ScalarUDF> {
    match names {
        [name, aliases @ ..] => build(name, aliases, overloads, Volatility::Immutable),
        [] => build("", &[], overloads, Volatility::Immutable),
    }
}

/// A function whose result depends on the session, such as on its time zone.
pub(crate) fn stable(name: &'static str, overloads: &'static [Overload]) -> Arc<ScalarUDF> {
    build(name, &[], overloads, Volatility::Stable)
}

/// A function that gives another result for every row.
pub(crate) fn volatile(name: &'static str, overloads: &'static [Overload]) -> Arc<ScalarUDF> {
    build(name, &[], overloads, Volatility::Volatile)
}

fn build(
    name: &'static str,
    aliases: &'static [&'static str],
    overloads: &'static [Overload],
    volatility: Volatility,
) -> Arc<ScalarUDF> {
    let takes_none = overloads.iter().any(|overload| overload.args.is_empty());
    let signature = if takes_none && overloads.len() == 1 {
        Signature::nullary(volatility)
    } else {
        Signature::user_defined(volatility)
    };
    let aliases = aliases.iter().map(|alias| (*alias).to_owned()).collect();
    Arc::new(ScalarUDF::new_from_impl(Function { name, aliases, overloads, signature }))
}

#[derive(Debug)]
struct Function {
    name: &'static str,
    aliases: Vec<String>,
    overloads: &'static [Overload],
    signature: Signature,
}

impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Function {}

impl Hash for Function {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl Function {
    /// The overload that needs the least coercion, with the types it needs; the first listed wins a tie.
    fn resolve(&self, given: &[DataType]) -> Result<(&'static Overload, Vec<DataType>)> {
        let mut best: Option<(u32, &'static Overload)> = None;
        for overload in self.overloads {
            if let Some(cost) = overload.cost(given)
                && best.is_none_or(|(least, _)| cost < least)
            {
                best = Some((cost, overload));
            }
        }
        let Some((_, overload)) = best else {
            let types: Vec<_> = given.iter().map(pg_name).collect();
            return plan_err!("function {}({}) does not exist", self.name, types.join(", "));
        };
        let mut coerced: Vec<_> = given.iter().enumerate().map(|(i, from)| overload.ty(i).coerced(from)).collect();
        overload.unify(&mut coerced);
        Ok((overload, coerced))
    }
}

impl Overload {
    fn ty(&self, index: usize) -> Ty {
        self.args.get(index).or(self.args.last()).copied().unwrap_or(Ty::Any)
    }

    /// Gives the array and the items of a call one type of items.
    fn unify(&self, coerced: &mut [DataType]) {
        let is = |index: usize, ty: Ty| self.ty(index) == ty;
        if !(0..coerced.len()).any(|index| is(index, Ty::Element)) {
            return;
        }
        let item = coerced.iter().enumerate().find_map(|(index, of)| match of {
            DataType::List(item) if is(index, Ty::AnyArray) => Some(item.data_type().clone()),
            _ => None,
        });
        let Some(item) = item else { return };
        let items = coerced.iter().enumerate().filter(|(index, of)| is(*index, Ty::Element) && !types::is_text(of));
        let all: Vec<_> = [item.clone()].into_iter().chain(items.map(|(_, of)| of.clone())).collect();
        // A text may be a literal, which becomes an item of whatever the array has.
        let common = type_union_resolution(&all).unwrap_or(item);
        for (index, of) in coerced.iter_mut().enumerate() {
            match self.ty(index) {
                Ty::Element => *of = common.clone(),
                Ty::AnyArray => *of = DataType::List(Arc::new(Field::new_list_field(common.clone(), true))),
                _ => {}
            }
        }
    }

    fn cost(&self, given: &[DataType]) -> Option<u32> {
        let least = if self.variadic { self.args.len().saturating_sub(1) } else { self.args.len() };
        if given.len() < least || (!self.variadic && given.len() > self.args.len()) {
            return None;
        }
        given.iter().enumerate().map(|(i, from)| self.ty(i).cost(from)).sum()
    }
}

impl ScalarUDFImpl for Function {
    fn name(&self) -> &str {
        self.name
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        self.resolve(given).map(|(_, coerced)| coerced)
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        let (overload, coerced) = self.resolve(given)?;
        Ok(match &overload.returns {
            Returns::Type(ty) | Returns::Tagged(ty, _) => ty.arrow(),
            Returns::Field(arrow, _) => arrow.clone(),
            Returns::Same(index) => coerced.get(*index).cloned().unwrap_or(DataType::Null),
            Returns::From(choose) => choose(&coerced),
        })
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let given: Vec<_> = args.arg_fields.iter().map(|field| field.data_type().clone()).collect();
        let arrow = self.return_type(&given)?;
        let field = match &self.resolve(&given)?.0.returns {
            Returns::Tagged(_, pg_type) | Returns::Field(_, pg_type) => {
                crate::pg_type::tagged(self.name, arrow, pg_type)
            }
            _ => Field::new(self.name, arrow, true),
        };
        Ok(Arc::new(field))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let given: Vec<_> = args.args.iter().map(ColumnarValue::data_type).collect();
        let (overload, _) = self.resolve(&given)?;
        let constant = self.signature.volatility != Volatility::Volatile
            && args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let rows = if constant { 1 } else { args.number_rows };
        let result = (overload.kernel)(&Args::new(&args, rows)?)?;
        if result.len() != rows {
            return exec_err!("{} gave {} rows for {rows}", self.name, result.len());
        }
        Ok(if constant {
            ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?)
        } else {
            ColumnarValue::Array(result)
        })
    }
}
