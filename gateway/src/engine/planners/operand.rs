//! One side of an operator, as PostgreSQL's rules see it.
//!
//! Owns: categories of types, and how a literal of unknown type becomes a value of a known one.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, IntervalUnit, TimeUnit};
use datafusion::common::{DFSchema, DataFusionError, Result, ScalarValue};
use datafusion::logical_expr::expr::{Cast, ScalarFunction};
use datafusion::logical_expr::{Expr, ExprSchemable, ScalarUDF, cast};
use udfs::pg_type;

use super::json::Wants;
use crate::engine::tags;
use crate::engine::types::common;
use crate::error::{Error, SqlState};

/// The groups of types whose members operators take together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) enum Category {
    /// A literal without a type, NULL, or a parameter.
    Unknown,
    Boolean,
    Number,
    Text,
    Bytes,
    Date,
    Timestamp,
    Time,
    /// A `timetz`, whose Arrow type is a text.
    ZonedTime,
    Interval,
    Array,
    Other,
}

/// What is known of an expression before it is coerced.
#[derive(Debug, Clone)]
pub(in crate::engine) struct Operand {
    pub(in crate::engine) category: Category,
    /// PostgreSQL's name of the type.
    pub(in crate::engine) name: String,
    data_type: DataType,
    tag: Option<String>,
    literal: Option<String>,
}

impl Operand {
    /// What has no type yet.
    pub(in crate::engine) fn unknown() -> Self {
        let name = "unknown".to_owned();
        Self { category: Category::Unknown, name, data_type: DataType::Null, tag: None, literal: None }
    }

    /// `None` where the expression has no type yet, or no valid one: the planner reports it.
    pub(in crate::engine) fn of(expr: &Expr, schema: &DFSchema) -> Option<Self> {
        if let Some(text) = unknown(expr) {
            return Some(Self {
                category: Category::Unknown,
                name: "unknown".to_owned(),
                data_type: DataType::Null,
                tag: None,
                literal: Some(text),
            });
        }
        if matches!(expr, Expr::Placeholder(placeholder) if placeholder.field.is_none()) {
            return None;
        }
        let field = match expr {
            // The planner spells out the name of the operator's field, and those of all below it to spell that.
            Expr::BinaryExpr(_) => Arc::new(Field::new("", expr.get_type(schema).ok()?, true)),
            _ => expr.to_field(schema).ok()?.1,
        };
        let mut operand = match (tags::forgotten(expr, schema), expr) {
            // The planner keeps the type of what is cast to one without a tag.
            (None, Expr::Cast(cast)) => Self::of_field(&cast.field),
            (Some(tag), _) => Self::of_field(&pg_type::tagged("", field.data_type().clone(), &tag)),
            (None, _) => Self::of_field(&field),
        };
        if is_small(expr) {
            operand.name = "integer".to_owned();
        }
        Some(operand)
    }

    /// A value of a column's type.
    pub(in crate::engine) fn of_field(field: &Field) -> Self {
        let data_type = field.data_type().clone();
        let fits = |tag: &&str| !matches!(*tag, "json" | "jsonb") || category(&data_type) == Category::Text;
        let tag = pg_type::tag(field).filter(fits).map(str::to_owned);
        let category = match tag.as_deref() {
            Some("json" | "jsonb" | "xml" | "inet" | "cidr" | "macaddr") => Category::Other,
            Some(tag) if tag.starts_with("reg") || tag == "tid" => Category::Other,
            Some("timetz") => Category::ZonedTime,
            _ => category(&data_type),
        };
        Self { category, name: pg_type::sql_name(field), data_type, tag, literal: None }
    }

    /// What alternatives of both types are: 42804 where nothing is.
    pub(in crate::engine) fn common(self, other: Self, construct: &str) -> Result<Self> {
        let field = |operand: &Self| match &operand.tag {
            Some(tag) => pg_type::tagged("", operand.data_type.clone(), tag),
            None => Field::new("", operand.data_type.clone(), true),
        };
        match common(construct, &field(&self), &field(&other)) {
            Ok(found) if found == field(&self) => Ok(self),
            Ok(_) => Ok(other),
            Err(error) => Err(DataFusionError::External(Box::new(error))),
        }
    }

    pub(in crate::engine) fn is_row(&self) -> bool {
        matches!(self.data_type, DataType::Struct(_))
    }

    /// Which of the two JSON types it is.
    pub(in crate::engine) fn json(&self) -> Option<&'static str> {
        match self.tag.as_deref() {
            Some("json") => Some("json"),
            Some("jsonb") => Some("jsonb"),
            _ => None,
        }
    }

    pub(in crate::engine) fn data_type(&self) -> &DataType {
        &self.data_type
    }

    pub(in crate::engine) fn is_literal(&self) -> bool {
        self.literal.is_some()
    }

    pub(in crate::engine) fn is_integer(&self) -> bool {
        self.data_type.is_integer()
    }

    pub(in crate::engine) fn is_text(&self) -> bool {
        matches!(self.category, Category::Text | Category::Unknown)
    }

    /// Whether it is of a type of texts: not a literal, and no type that only Arrow takes for a text.
    pub(in crate::engine) fn is_string(&self) -> bool {
        let is_own = matches!(self.tag.as_deref(), None | Some("varchar" | "bpchar"));
        self.category == Category::Text && is_own
    }

    pub(in crate::engine) fn is_float(&self) -> bool {
        self.data_type.is_floating()
    }

    /// PostgreSQL's `real`.
    fn is_real(&self) -> bool {
        matches!(self.data_type, DataType::Float16 | DataType::Float32)
    }

    /// Makes another number what this one is, where this is a float: the planner would make it a decimal.
    pub(in crate::engine) fn give_float(&self, expr: &mut Expr, other: &Self) {
        if self.is_float() && other.category == Category::Number && other.data_type != self.data_type {
            let number = std::mem::replace(expr, Expr::Literal(ScalarValue::Null, None));
            *expr = cast(number, self.data_type.clone());
        }
    }

    pub(in crate::engine) fn literal(&self) -> Option<&str> {
        self.literal.as_deref()
    }

    /// Whether the values have no order and no equality: PostgreSQL has none for `json`.
    pub(in crate::engine) fn is_document(&self) -> bool {
        self.tag.as_deref() == Some("json") || matches!(self.data_type, DataType::Map(..) | DataType::Union(..))
    }

    pub(in crate::engine) fn is_money(&self) -> bool {
        self.tag.as_deref() == Some("money")
    }

    /// Whether it is an array of `timetz`.
    pub(in crate::engine) fn is_zoned_times(&self) -> bool {
        self.tag.as_deref() == Some("_timetz")
    }

    /// Whether blanks at the end of the text do not count.
    pub(in crate::engine) fn is_padded(&self) -> bool {
        self.tag.as_deref() == Some("bpchar")
    }

    pub(in crate::engine) fn compares_with(&self, other: &Self) -> bool {
        use Category as C;
        match (self.category, other.category) {
            (C::Unknown | C::Other, _) | (_, C::Unknown | C::Other) => true,
            (C::Date | C::Timestamp, C::Date | C::Timestamp) => true,
            (C::Time | C::ZonedTime, C::Time | C::ZonedTime) => true,
            (one, two) => one == two,
        }
    }

    /// Makes a literal of unknown type beside this operand a value of this operand's type.
    pub(in crate::engine) fn give_type(&self, expr: &mut Expr, other: &Self) -> Result<()> {
        let Some(text) = &other.literal else { return Ok(()) };
        match self.json() {
            Some("json") => return Wants::Json.give(expr),
            Some(_) => return Wants::Jsonb.give(expr),
            None => {}
        }
        match self.tag.as_deref() {
            // PostgreSQL compares such values as the ids that they are, so the literal is one.
            Some(tag) if tag.starts_with("reg") && self.data_type.is_integer() => {
                let oid: u32 = text.trim().parse().map_err(|_| not_of("oid", text))?;
                *expr = Expr::Literal(ScalarValue::UInt32(Some(oid)), None);
                return Ok(());
            }
            Some("tid") => {
                let literal = std::mem::replace(expr, Expr::Literal(ScalarValue::Null, None));
                *expr = call(udfs::pg::tid::tid_in(), vec![literal]);
                return Ok(());
            }
            _ => {}
        }
        super::literal::check(text, &self.name)?;
        let target = match (self.category, &self.data_type) {
            // A type that Arrow's does not tell reads its texts itself.
            _ if matches!(self.tag.as_deref(), Some("jsonb" | "money" | "timetz" | "uuid")) => {
                self.read_as(expr);
                return Ok(());
            }
            (Category::Bytes | Category::Array, _) => {
                self.read_as(expr);
                return Ok(());
            }
            (Category::Number, DataType::Decimal256(_, scale)) => DataType::Decimal256(76, *scale),
            (Category::Number, DataType::Decimal128(_, scale)) => {
                // The literal keeps its own digits: '1.55' beside numeric(2,1) is not 1.6.
                let digits = text.trim().split(['.', 'e', 'E']).nth(1).map_or(0, str::len);
                let scale = i8::try_from(digits.min(30)).unwrap_or_default().max(*scale);
                DataType::Decimal128(38, scale)
            }
            (
                Category::Number | Category::Boolean | Category::Date | Category::Timestamp | Category::Time,
                data_type,
            ) => data_type.clone(),
            (Category::Interval, _) => DataType::Interval(IntervalUnit::MonthDayNano),
            _ => return Ok(()),
        };
        let literal = std::mem::replace(expr, Expr::Literal(ScalarValue::Null, None));
        *expr = cast(literal, target);
        Ok(())
    }
}

/// 22P02.
fn not_of(of: &str, text: &str) -> DataFusionError {
    let message = format!("invalid input syntax for type {of}: \"{text}\"");
    DataFusionError::External(Box::new(Error::new(SqlState::InvalidTextRepresentation, message)))
}

impl Operand {
    /// The literal as a value of this operand's type, by its input function.
    fn read_as(&self, expr: &mut Expr) {
        let field = match &self.tag {
            Some(tag) => pg_type::tagged("", self.data_type.clone(), tag),
            None => Field::new("", self.data_type.clone(), true),
        };
        let literal = std::mem::replace(expr, Expr::Literal(ScalarValue::Null, None));
        *expr = Expr::Cast(Cast::new_from_field(Box::new(literal), Arc::new(field)));
    }
}

fn category(data_type: &DataType) -> Category {
    match data_type {
        DataType::Null => Category::Unknown,
        DataType::Boolean => Category::Boolean,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Category::Text,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            Category::Bytes
        }
        DataType::Date32 | DataType::Date64 => Category::Date,
        DataType::Timestamp(..) => Category::Timestamp,
        DataType::Time32(_) | DataType::Time64(_) => Category::Time,
        DataType::Interval(_) | DataType::Duration(_) => Category::Interval,
        DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..) => Category::Array,
        DataType::Dictionary(_, values) => category(values),
        numeric if numeric.is_numeric() => Category::Number,
        _ => Category::Other,
    }
}

/// The text of a string literal, which has no type until its place gives it one.
fn unknown(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Literal(ScalarValue::Utf8(Some(text)), None) => Some(text.clone()),
        _ => None,
    }
}

/// There is no operator of `real` and another number: both are `double precision` there.
pub(in crate::engine) fn widen_real(sides: [(&mut Expr, &Operand); 2]) {
    let [(_, left), (_, right)] = &sides;
    if left.category != Category::Number || right.category != Category::Number || left.is_real() == right.is_real() {
        return;
    }
    for (side, operand) in sides {
        if operand.is_real() {
            let real = std::mem::replace(side, Expr::Literal(ScalarValue::Null, None));
            *side = cast(real, DataType::Float64);
        }
    }
}

/// The expression as an interval.
pub(in crate::engine) fn as_interval(expr: &mut Expr) {
    let literal = std::mem::replace(expr, Expr::Literal(ScalarValue::Null, None));
    *expr = cast(literal, DataType::Interval(IntervalUnit::MonthDayNano));
}

/// A time of day as the span since midnight; their texts are the same.
pub(in crate::engine) fn time_as_interval(expr: &mut Expr) {
    let time = std::mem::replace(expr, Expr::Literal(ScalarValue::Null, None));
    *expr = cast(cast(time, DataType::Utf8), DataType::Interval(IntervalUnit::MonthDayNano));
}

/// The day's first moment.
pub(in crate::engine) fn as_timestamp(expr: &mut Expr) {
    let day = std::mem::replace(expr, Expr::Literal(ScalarValue::Null, None));
    *expr = cast(day, DataType::Timestamp(TimeUnit::Microsecond, None));
}

/// The day's first moment where the other operand is.
pub(in crate::engine) fn as_timestamp_of(expr: &mut Expr, other: &Operand) {
    let day = std::mem::replace(expr, Expr::Literal(ScalarValue::Null, None));
    *expr = cast(day, other.data_type.clone());
}

/// Whether a number is written that PostgreSQL reads as `integer`, although it is planned as `bigint`.
fn is_small(expr: &Expr) -> bool {
    match expr {
        Expr::Literal(ScalarValue::Int64(Some(value)), _) => i32::try_from(*value).is_ok(),
        Expr::Negative(inner) => is_small(inner),
        _ => false,
    }
}

/// The text without the blanks at its end.
pub(in crate::engine) fn strip(expr: &mut Expr) {
    let text = std::mem::replace(expr, Expr::Literal(ScalarValue::Null, None));
    *expr = datafusion::functions::string::expr_fn::rtrim(vec![text]);
}

pub(in crate::engine) fn call(udf: Arc<ScalarUDF>, args: Vec<Expr>) -> Expr {
    Expr::ScalarFunction(ScalarFunction::new_udf(udf, args))
}
