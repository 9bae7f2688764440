//! `quote_ident(text)`, `quote_literal(text)`, `quote_nullable(text)`, `parse_ident(text [, strict])` - names and literals as SQL text.
//!
//! `quote_ident` quotes where the name is a keyword or not lower case; `quote_literal` doubles quotes and writes `E''`
//! where a backslash is inside; NULL gives NULL, except `quote_nullable(NULL)`, which gives `NULL`. `parse_ident` splits a
//! qualified name and lowers unquoted parts; a text that is no name is 22023.
//! <https://www.postgresql.org/docs/16/functions-string.html>
//!
//! ```sql
//! SELECT quote_ident('Foo bar'), quote_literal('it''s');  -- "Foo bar"  'it''s'
//! ```

use std::sync::Arc;

use arrow::array::{ArrayRef, ListBuilder, StringBuilder};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::Error;
use crate::function::{Args, Overload, Ty, function, overload};

/// `quote_ident`.
pub fn quote_ident() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload(&[Ty::Text], Ty::Text, |args| {
        let names = args.text(0)?;
        args.build_text(|row| Ok(names.get(row).map(ident)))
    })];
    function("quote_ident", &OVERLOADS)
}

/// `quote_literal`.
pub fn quote_literal() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 2] =
        [overload(&[Ty::Text], Ty::Text, quote_text), overload(&[Ty::Any], Ty::Text, |args| quote_any(args, None))];
    function("quote_literal", &OVERLOADS)
}

/// `quote_nullable`.
pub fn quote_nullable() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload(&[Ty::Any], Ty::Text, |args| quote_any(args, Some("NULL")))];
    function("quote_nullable", &OVERLOADS)
}

/// `parse_ident`.
pub fn parse_ident() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 2] =
        [overload(&[Ty::Text], Ty::TextArray, parse), overload(&[Ty::Text, Ty::Bool], Ty::TextArray, parse)];
    function("parse_ident", &OVERLOADS)
}

fn quote_text(args: &Args<'_>) -> Result<ArrayRef> {
    let texts = args.text(0)?;
    args.build_text(|row| Ok(texts.get(row).map(literal)))
}

fn quote_any(args: &Args<'_>, null: Option<&str>) -> Result<ArrayRef> {
    let texts = super::format::as_text(args, 0)?;
    args.build_text(|row| Ok(texts.get(row).map(literal).or(null.map(str::to_owned))))
}

/// A name as SQL writes it.
pub(crate) fn ident(name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if plain && !KEYWORDS.contains(&name) {
        return name.to_owned();
    }
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as a SQL literal.
pub(crate) fn literal(text: &str) -> String {
    let body = text.replace('\'', "''");
    if text.contains('\\') { format!("E'{}'", body.replace('\\', "\\\\")) } else { format!("'{body}'") }
}

fn parse(args: &Args<'_>) -> Result<ArrayRef> {
    let names = args.text(0)?;
    let strictness = if args.len() > 1 { Some(args.boolean(1)?) } else { None };
    let mut out = ListBuilder::new(StringBuilder::new());
    for row in 0..args.rows {
        let strict = match &strictness {
            Some(strict) => strict.get(row),
            None => Some(true),
        };
        match (names.get(row), strict) {
            (Some(name), Some(strict)) => {
                for part in split(name, strict)? {
                    out.values().append_value(part);
                }
                out.append(true);
            }
            _ => out.append(false),
        }
    }
    Ok(Arc::new(out.finish()))
}

/// The parts of `a."B".c`.
fn split(name: &str, strict: bool) -> Result<Vec<String>, Error> {
    let wrong = || Error::InvalidParameter(format!("string is not a valid identifier: \"{name}\""));
    let mut rest = name.trim_start();
    let mut parts = Vec::new();
    loop {
        if let Some(quoted) = rest.strip_prefix('"') {
            let mut part = String::new();
            let mut chars = quoted.char_indices().peekable();
            let end = loop {
                match chars.next() {
                    Some((_, '"')) if chars.next_if(|(_, c)| *c == '"').is_some() => part.push('"'),
                    Some((at, '"')) => break at,
                    Some((_, c)) => part.push(c),
                    None => return Err(wrong()),
                }
            };
            if part.is_empty() {
                return Err(wrong());
            }
            parts.push(part);
            rest = quoted.get(end + 1..).unwrap_or_default();
        } else {
            let starts = |c: char| c.is_ascii_alphabetic() || c == '_' || !c.is_ascii();
            if !rest.starts_with(starts) {
                return Err(wrong());
            }
            let end = rest.find(|c: char| !(starts(c) || c.is_ascii_digit() || c == '$')).unwrap_or(rest.len());
            let (part, tail) = rest.split_at(end);
            parts.push(part.to_ascii_lowercase());
            rest = tail;
        }
        rest = rest.trim_start();
        match rest.strip_prefix('.') {
            Some(tail) => rest = tail.trim_start(),
            None if rest.is_empty() || !strict => return Ok(parts),
            None => return Err(wrong()),
        }
    }
}

/// PostgreSQL's keywords that are not unreserved.
const KEYWORDS: &[&str] = &[
    "all",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "authorization",
    "between",
    "bigint",
    "binary",
    "bit",
    "boolean",
    "both",
    "case",
    "cast",
    "char",
    "character",
    "check",
    "coalesce",
    "collate",
    "collation",
    "column",
    "concurrently",
    "constraint",
    "create",
    "cross",
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "dec",
    "decimal",
    "default",
    "deferrable",
    "desc",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "exists",
    "extract",
    "false",
    "fetch",
    "float",
    "for",
    "foreign",
    "freeze",
    "from",
    "full",
    "grant",
    "greatest",
    "group",
    "grouping",
    "having",
    "ilike",
    "in",
    "initially",
    "inner",
    "inout",
    "int",
    "integer",
    "intersect",
    "interval",
    "into",
    "is",
    "isnull",
    "join",
    "lateral",
    "leading",
    "least",
    "left",
    "like",
    "limit",
    "localtime",
    "localtimestamp",
    "national",
    "natural",
    "nchar",
    "none",
    "normalize",
    "not",
    "notnull",
    "null",
    "nullif",
    "numeric",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "out",
    "outer",
    "overlaps",
    "overlay",
    "placing",
    "position",
    "precision",
    "primary",
    "real",
    "references",
    "returning",
    "right",
    "row",
    "select",
    "session_user",
    "setof",
    "similar",
    "smallint",
    "some",
    "substring",
    "symmetric",
    "system_user",
    "table",
    "tablesample",
    "then",
    "time",
    "timestamp",
    "to",
    "trailing",
    "treat",
    "trim",
    "true",
    "union",
    "unique",
    "user",
    "using",
    "values",
    "varchar",
    "variadic",
    "verbose",
    "when",
    "where",
    "window",
    "with",
    "xmlattributes",
    "xmlconcat",
    "xmlelement",
    "xmlexists",
    "xmlforest",
    "xmlnamespaces",
    "xmlparse",
    "xmlpi",
    "xmlroot",
    "xmlserialize",
    "xmltable",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_too_long_is_refused_as_it_is_made() {
        use crate::testing::{shown, text};
        let refused = shown(&quote_literal(), &[text(&"a".repeat(crate::function::TEXT_BYTES_MAX))]);
        assert_eq!(refused, "result of text function is larger than 16777216 bytes");
    }

    #[test]
    fn names_and_literals_are_postgres_s() {
        for (name, expect) in [
            ("Foo", "\"Foo\""),
            ("select", "\"select\""),
            ("a\"b", "\"a\"\"b\""),
            ("abc_1", "abc_1"),
            ("", "\"\""),
            ("1a", "\"1a\""),
        ] {
            assert_eq!(ident(name), expect);
        }
        assert_eq!(literal("a\\b"), "E'a\\\\b'");
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(split("\"SomeSchema\".someTable", true), Ok(vec!["SomeSchema".to_owned(), "sometable".to_owned()]));
        assert_eq!(split("a b", false), Ok(vec!["a".to_owned()]));
        for name in ["1a", "a b", "a.", "\"a", ""] {
            assert!(split(name, true).is_err(), "{name}");
        }
    }
}
