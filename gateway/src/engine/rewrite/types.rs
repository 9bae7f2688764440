//! PostgreSQL's type names as the planner reads them.
//!
//! Owns: spellings of types. What a type is in Arrow is decided by the engine's type planner, not here.

use sqlparser::ast::{
    ArrayElemTypeDef, CastKind, CharacterLength, DataType, ExactNumberInfo, Expr, Function, FunctionArg,
    FunctionArgExpr, FunctionArguments, Ident, ObjectName, TimezoneInfo,
};

use super::{Names, folded};

/// The type of the items that an array is cast to, where Arrow does not tell it.
pub(super) fn cast_item(array: &Expr) -> Option<String> {
    let Expr::Cast { data_type: DataType::Array(ArrayElemTypeDef::SquareBracket(item, _)), .. } = array else {
        return None;
    };
    let name = match item.as_ref() {
        DataType::Custom(name, modifiers) if modifiers.is_empty() => folded(name.0.last()?.as_ident()?),
        DataType::Regclass => "regclass".to_owned(),
        _ => return None,
    };
    (catalog::pg_catalog::is_type(&name) && catalog::pg_catalog::needs_tag(&name)).then_some(name)
}

/// PostgreSQL's own name of the type (`pg_type.typname`), which an unnamed cast shows.
pub(super) fn name(data_type: &DataType) -> String {
    let name = match data_type {
        DataType::SmallInt(_) | DataType::Int2(_) => "int2",
        DataType::Int(_) | DataType::Integer(_) | DataType::Int4(_) => "int4",
        DataType::BigInt(_) | DataType::Int8(_) => "int8",
        DataType::Real | DataType::Float4 => "float4",
        DataType::Float(ExactNumberInfo::Precision(precision)) if *precision <= 24 => "float4",
        DataType::Float(_) | DataType::Double(_) | DataType::DoublePrecision | DataType::Float8 => "float8",
        DataType::Numeric(_) | DataType::Decimal(_) | DataType::Dec(_) => "numeric",
        DataType::Varchar(_) | DataType::CharacterVarying(_) | DataType::CharVarying(_) => "varchar",
        DataType::Char(_) | DataType::Character(_) => "bpchar",
        DataType::Text => "text",
        DataType::Bool | DataType::Boolean => "bool",
        DataType::Date => "date",
        DataType::Time(_, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone) => "time",
        DataType::Time(..) => "timetz",
        DataType::Timestamp(_, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone) => "timestamp",
        DataType::Timestamp(..) => "timestamptz",
        DataType::Interval { .. } => "interval",
        DataType::Bytea => "bytea",
        DataType::JSON => "json",
        DataType::JSONB => "jsonb",
        DataType::Uuid => "uuid",
        DataType::Regclass => "regclass",
        DataType::Bit(_) => "bit",
        DataType::BitVarying(_) | DataType::VarBit(_) => "varbit",
        DataType::Array(
            ArrayElemTypeDef::SquareBracket(element, _)
            | ArrayElemTypeDef::AngleBracket(element)
            | ArrayElemTypeDef::Parenthesis(element),
        ) => return self::name(element),
        DataType::Custom(name, _) => return last(name),
        other => return other.to_string().to_lowercase(),
    };
    name.to_owned()
}

/// The type without `pg_catalog.`, in one of the spellings that the planner knows.
pub(super) fn plain(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Array(ArrayElemTypeDef::SquareBracket(element, _)) => {
            DataType::Array(ArrayElemTypeDef::SquareBracket(Box::new(plain(element)), None))
        }
        DataType::Float(ExactNumberInfo::Precision(precision)) if *precision <= 24 => DataType::Real,
        DataType::Float(_) | DataType::Double(_) => DataType::DoublePrecision,
        DataType::Dec(info) => DataType::Decimal(*info),
        DataType::Timestamp(_, zone) => DataType::Timestamp(None, *zone),
        DataType::Time(_, zone) => DataType::Time(None, *zone),
        DataType::Interval { .. } => DataType::Interval { fields: None, precision: None },
        DataType::Custom(name, modifiers) => named(&last(name), modifiers)
            .unwrap_or_else(|| DataType::Custom(ObjectName::from(vec![Ident::new(last(name))]), modifiers.clone())),
        other => other.clone(),
    }
}

/// The types that the parser reads as unknown names when they are qualified, and PostgreSQL's internal spellings.
fn named(name: &str, modifiers: &[String]) -> Option<DataType> {
    let number = |at: usize| modifiers.get(at).and_then(|digits| digits.parse::<u64>().ok());
    let length = || number(0).map(|length| CharacterLength::IntegerLength { length, unit: None });
    Some(match name {
        "int2" | "smallint" => DataType::SmallInt(None),
        "int4" | "integer" | "int" => DataType::Integer(None),
        "int8" | "bigint" => DataType::BigInt(None),
        "float4" | "real" => DataType::Real,
        "float8" => DataType::DoublePrecision,
        "bool" | "boolean" => DataType::Boolean,
        "text" => DataType::Text,
        "varchar" => DataType::Varchar(length()),
        // Without a length it has none, unlike `char`.
        "bpchar" => DataType::Char(Some(length()?)),
        "numeric" | "decimal" => DataType::Numeric(match (number(0), number(1)) {
            (Some(precision), Some(scale)) => ExactNumberInfo::PrecisionAndScale(precision, i64::try_from(scale).ok()?),
            (Some(precision), None) => ExactNumberInfo::Precision(precision),
            (None, _) => ExactNumberInfo::None,
        }),
        "date" => DataType::Date,
        "time" => DataType::Time(None, TimezoneInfo::None),
        "timestamp" => DataType::Timestamp(None, TimezoneInfo::None),
        "timestamptz" => DataType::Timestamp(None, TimezoneInfo::Tz),
        "interval" => DataType::Interval { fields: None, precision: None },
        "bytea" => DataType::Bytea,
        "json" => DataType::JSON,
        "jsonb" => DataType::JSONB,
        "uuid" => DataType::Uuid,
        // An array in disguise.
        "int2vector" => array(DataType::SmallInt(None)),
        "oidvector" => array(DataType::Custom(ObjectName::from(vec![Ident::new("oid")]), Vec::new())),
        _ => return array_name(name),
    })
}

/// `_text` is the internal name of `text[]`.
fn array_name(name: &str) -> Option<DataType> {
    let element = name.strip_prefix('_')?;
    named(element, &[]).map(array)
}

fn array(element: DataType) -> DataType {
    DataType::Array(ArrayElemTypeDef::SquareBracket(Box::new(element), None))
}

/// The types whose values are ids of objects, and `tid`: functions of their own read and write them.
pub(super) const REGISTRY: [&str; 10] = [
    "regclass",
    "regtype",
    "regnamespace",
    "regproc",
    "regprocedure",
    "regoper",
    "regoperator",
    "regcollation",
    "regrole",
    "tid",
];

/// The registry type (`regclass` ...) that a cast means, if it means one.
pub(super) fn registry(data_type: &DataType) -> Option<&'static str> {
    match data_type {
        DataType::Regclass => Some("regclass"),
        DataType::Custom(name, _) => {
            let name = last(name);
            REGISTRY.into_iter().find(|kind| *kind == name)
        }
        _ => None,
    }
}

/// `date(x)` is `x::date`: a call by the name of a type, where no function has that name.
pub(super) fn called(function: &Function, names: &dyn Names) -> Option<Expr> {
    let name = function.name.0.last().and_then(|part| part.as_ident()).map(folded)?;
    let FunctionArguments::List(list) = &function.args else { return None };
    let [FunctionArg::Unnamed(FunctionArgExpr::Expr(argument))] = list.args.as_slice() else { return None };
    if !list.clauses.is_empty() || function.over.is_some() || names.is_function(&name) || !names.is_type(&name) {
        return None;
    }
    let named = DataType::Custom(ObjectName::from(vec![Ident::new(name)]), Vec::new());
    let data_type = match plain(&named) {
        // Without a length, nothing is cut.
        DataType::Char(None) => DataType::Custom(ObjectName::from(vec![Ident::new("bpchar")]), Vec::new()),
        other => other,
    };
    Some(cast(argument.clone(), data_type))
}

/// The number of characters that `varchar(n)` or `char(n)` keeps; `char` alone keeps one.
pub(super) fn length(data_type: &DataType) -> Option<(u64, bool)> {
    match data_type {
        DataType::Varchar(length) | DataType::CharacterVarying(length) | DataType::CharVarying(length) => {
            Some((characters(length.as_ref()?)?, false))
        }
        DataType::Char(length) | DataType::Character(length) => match length {
            Some(length) => Some((characters(length)?, true)),
            None => Some((1, true)),
        },
        _ => None,
    }
}

fn characters(length: &CharacterLength) -> Option<u64> {
    match length {
        CharacterLength::IntegerLength { length, .. } => Some(*length),
        CharacterLength::Max => None,
    }
}

pub(super) fn is_unconstrained_numeric(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Numeric(ExactNumberInfo::None) | DataType::Decimal(ExactNumberInfo::None))
}

pub(super) fn is_constrained_numeric(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Numeric(_) | DataType::Decimal(_)) && !is_unconstrained_numeric(data_type)
}

/// The digits of a second that `timestamp(p)` and its like keep.
pub(super) fn second_digits(data_type: &DataType) -> Option<u64> {
    match data_type {
        DataType::Timestamp(digits, _) => *digits,
        DataType::Time(digits, TimezoneInfo::None | TimezoneInfo::WithoutTimeZone) => *digits,
        DataType::Interval { precision, .. } => *precision,
        _ => None,
    }
}

pub(super) fn is_text(data_type: &DataType) -> bool {
    matches!(name(data_type).as_str(), "text" | "varchar" | "name")
}

pub(super) fn cast(expr: Expr, data_type: DataType) -> Expr {
    Expr::Cast { kind: CastKind::DoubleColon, expr: Box::new(expr), data_type, array: false, format: None }
}

fn last(name: &ObjectName) -> String {
    name.0.last().and_then(|part| part.as_ident()).map(folded).unwrap_or_default()
}
