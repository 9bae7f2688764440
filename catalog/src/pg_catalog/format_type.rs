//! The names of types in SQL: `format_type` and its inverse.
//!
//! Owns: the spelling, as in PostgreSQL's `format_type.c`. Must never know: a session.

use super::ident::parts;
use super::types::{self, PgType};

/// The modifier with which a type is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Typmod {
    /// None was given (NULL): the plain name.
    Absent,
    /// One was given; -1 says that the column has none.
    Given(i32),
}

/// The SQL name of a type, `???` if there is no such type.
pub(crate) fn format_type(oid: u32, typmod: Typmod) -> String {
    if oid == 0 {
        return "-".to_owned();
    }
    match types::by_oid(oid) {
        Some(of) => name(of, typmod),
        None => "???".to_owned(),
    }
}

/// The type of an SQL name (`timestamp with time zone`, `varchar(40)`, `int4[]`, `pg_catalog.oid`), with its modifier
/// left out.
pub(crate) fn parse_type(text: &str) -> Option<&'static PgType> {
    let mut text = text.trim();
    let mut array = false;
    while let Some(element) = text.strip_suffix(']').and_then(|rest| rest.rsplit_once('[')) {
        array = true;
        text = element.0.trim_end();
    }
    let plain = without_modifier(text);
    let of = named(&plain)?;
    if array { types::by_oid(of.array) } else { Some(of) }
}

fn name(of: &PgType, typmod: Typmod) -> String {
    // `oidvector` and `int2vector` have elements too, and names of their own.
    if of.element != 0 && of.len == -1 && of.name.starts_with('_') && of.storage != "p" {
        return format!("{}[]", format_type(of.element, typmod));
    }
    let modifier = match typmod {
        Typmod::Given(modifier) if modifier >= 0 => Some(modifier),
        _ => None,
    };
    // `character` and `bit` without a length mean a length of one, so a column that has none is named otherwise.
    let unlimited = typmod == Typmod::Given(-1);
    match of.name {
        "bit" if unlimited => "\"bit\"".to_owned(),
        "bit" => with_length("bit", modifier),
        "bool" => "boolean".to_owned(),
        "bpchar" if unlimited => "bpchar".to_owned(),
        "bpchar" => with_length("character", modifier.map(|modifier| modifier - 4)),
        "float4" => "real".to_owned(),
        "float8" => "double precision".to_owned(),
        "int2" => "smallint".to_owned(),
        "int4" => "integer".to_owned(),
        "int8" => "bigint".to_owned(),
        "numeric" => numeric(modifier),
        "interval" => interval(modifier),
        "time" => format!("{} without time zone", with_length("time", modifier)),
        "timetz" => format!("{} with time zone", with_length("time", modifier)),
        "timestamp" => format!("{} without time zone", with_length("timestamp", modifier)),
        "timestamptz" => format!("{} with time zone", with_length("timestamp", modifier)),
        "varbit" => with_length("bit varying", modifier),
        "varchar" => with_length("character varying", modifier.map(|modifier| modifier - 4)),
        "char" => "\"char\"".to_owned(),
        "any" => "\"any\"".to_owned(),
        other if of.namespace == PG_CATALOG => other.to_owned(),
        other => format!("information_schema.{other}"),
    }
}

const PG_CATALOG: u32 = 11;

fn with_length(name: &str, length: Option<i32>) -> String {
    match length {
        Some(length) => format!("{name}({length})"),
        None => name.to_owned(),
    }
}

fn numeric(modifier: Option<i32>) -> String {
    let Some(modifier) = modifier.map(|modifier| modifier - 4) else { return "numeric".to_owned() };
    let scale = ((modifier & 0x7ff) ^ 1024) - 1024;
    format!("numeric({},{scale})", (modifier >> 16) & 0xffff)
}

fn interval(modifier: Option<i32>) -> String {
    let Some(modifier) = modifier else { return "interval".to_owned() };
    let fields = match (modifier >> 16) & 0x7fff {
        0x4 => " year",
        0x2 => " month",
        0x8 => " day",
        0x400 => " hour",
        0x800 => " minute",
        0x1000 => " second",
        0x6 => " year to month",
        0x408 => " day to hour",
        0xc08 => " day to minute",
        0x1c08 => " day to second",
        0xc00 => " hour to minute",
        0x1c00 => " hour to second",
        0x1800 => " minute to second",
        _ => "",
    };
    match modifier & 0xffff {
        0xffff => format!("interval{fields}"),
        precision => format!("interval{fields}({precision})"),
    }
}

/// `timestamp(3) with time zone` becomes `timestamp with time zone`.
fn without_modifier(text: &str) -> String {
    match (text.find('('), text.rfind(')')) {
        (Some(open), Some(close)) if open < close => {
            let (before, after) = (text.get(..open).unwrap_or(text), text.get(close + 1..).unwrap_or_default());
            format!("{} {}", before.trim_end(), after.trim_start())
        }
        _ => text.to_owned(),
    }
}

fn named(text: &str) -> Option<&'static PgType> {
    let text = text.trim();
    let parts = parts(text).unwrap_or_default();
    let text = match parts.as_slice() {
        [name] if name.quoted => return types::by_name(&name.name),
        [schema, name] if matches!(schema.name.as_str(), "pg_catalog" | "information_schema") => {
            if name.quoted {
                return types::by_name(&name.name);
            }
            name.name.as_str()
        }
        [_, _, ..] => return None,
        _ => text,
    };
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    types::by_name(match words.as_slice() {
        ["boolean"] => "bool",
        ["smallint"] => "int2",
        ["int" | "integer"] => "int4",
        ["bigint"] => "int8",
        ["real"] => "float4",
        ["float"] | ["double", "precision"] => "float8",
        ["decimal" | "dec"] => "numeric",
        ["character" | "char" | "nchar"] => "bpchar",
        ["character" | "char", "varying"] => "varchar",
        ["bit", "varying"] => "varbit",
        ["time", "with", "time", "zone"] => "timetz",
        ["time", "without", "time", "zone"] => "time",
        ["timestamp", "with", "time", "zone"] => "timestamptz",
        ["timestamp", "without", "time", "zone"] => "timestamp",
        ["interval", ..] => "interval",
        [one] => one,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(oid: u32, typmod: Typmod, expect: &str) {
        assert_eq!(format_type(oid, typmod), expect);
    }

    /// What PostgreSQL 15.18 answers.
    #[test]
    fn types_are_named_as_postgresql_names_them() {
        check(1700, Typmod::Given(655366), "numeric(10,2)");
        check(1700, Typmod::Given(329728), "numeric(5,-4)");
        check(1043, Typmod::Given(44), "character varying(40)");
        check(1007, Typmod::Given(-1), "integer[]");
        check(1015, Typmod::Given(44), "character varying(40)[]");
        check(1042, Typmod::Absent, "character");
        check(1042, Typmod::Given(-1), "bpchar");
        check(1560, Typmod::Given(-1), "\"bit\"");
        check(18, Typmod::Absent, "\"char\"");
        check(1002, Typmod::Absent, "\"char\"[]");
        check(1184, Typmod::Given(3), "timestamp(3) with time zone");
        check(1186, Typmod::Given((0x7fff << 16) | 3), "interval(3)");
        check(30, Typmod::Absent, "oidvector");
        check(0, Typmod::Absent, "-");
        check(4_000_000_000, Typmod::Absent, "???");
    }

    #[test]
    fn names_are_read_back() {
        for (text, name) in [
            ("integer", "int4"),
            ("timestamp(3) with time zone", "timestamptz"),
            ("varchar(10)", "varchar"),
            ("pg_catalog.int4", "int4"),
            ("TEXT[]", "_text"),
            ("\"char\"", "char"),
            ("\"pg_catalog\".\"timestamptz\"", "timestamptz"),
            ("pg_catalog.\"char\"", "char"),
            ("double  precision", "float8"),
        ] {
            assert_eq!(parse_type(text).map(|of| of.name), Some(name), "{text}");
        }
        assert!(parse_type("no_such_type").is_none());
    }
}
