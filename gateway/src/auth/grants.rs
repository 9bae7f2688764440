//! Grants as they are written: `SELECT, INSERT ON weather.observations`, `USAGE ON SCHEMA weather`.
//!
//! Owns: PostgreSQL's grammar of privileges and objects, for the roles file and for SQL, and its words for privileges that an
//! object cannot have. Must never know: which relations exist, or whether somebody may grant.
//! <https://www.postgresql.org/docs/16/sql-grant.html>

use std::collections::BTreeSet;

use catalog::{Grant, Granted, Grantee, Name, Privilege, Privileges};
use sqlparser::ast::{Ident, ObjectName};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;

use crate::error::{Error, Result, SqlState};
use crate::session::fold;

/// The schema of a name that says none, in a file.
const DEFAULT_SCHEMA: &str = "public";

/// What is granted or revoked, as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The words, each with its columns; none is ALL.
    pub privileges: Vec<(Ident, Vec<Ident>)>,
    pub on: On,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum On {
    Relations(Vec<ObjectName>),
    AllIn(Vec<Ident>),
    Schemas(Vec<Ident>),
    /// A kind of object that has no privileges here.
    Other(String),
}

/// The grants of one line of the roles file.
pub fn of_line(line: &str, grantee: &Grantee) -> Result<Vec<Grant>> {
    let syntax = |error: ParserError| {
        let reason = match error {
            ParserError::ParserError(reason) | ParserError::TokenizerError(reason) => reason,
            ParserError::RecursionLimitExceeded => "it is nested too deep".to_owned(),
        };
        Error::new(SqlState::SyntaxError, reason)
    };
    let mut parser = Parser::new(&PostgreSqlDialect {}).try_with_sql(line).map_err(syntax)?;
    let written = read(&mut parser).map_err(syntax)?;
    if let On::Other(kind) = &written.on {
        return Err(no_kind(kind));
    }
    if parser.peek_token_ref().token != Token::EOF {
        let message = format!("unexpected \"{}\": the role is that of the entry", parser.peek_token_ref().token);
        return Err(Error::new(SqlState::SyntaxError, message));
    }
    let on: Vec<Granted> = match &written.on {
        On::Relations(names) => {
            names.iter().map(|name| named(name).map(Granted::Relation)).collect::<Result<Vec<_>>>()?
        }
        On::AllIn(schemas) => schemas.iter().map(|schema| Granted::AllIn(fold(schema))).collect(),
        On::Schemas(schemas) => schemas.iter().map(|schema| Granted::Schema(fold(schema))).collect(),
        On::Other(kind) => return Err(no_kind(kind)),
    };
    let held = written.held()?;
    let grants = on.iter().flat_map(|on| {
        held.iter().map(|(columns, privileges)| Grant {
            grantee: grantee.clone(),
            privileges: *privileges,
            on: on.clone(),
            columns: columns.clone(),
        })
    });
    Ok(grants.collect())
}

/// A GRANT or a REVOKE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granting {
    pub is_grant: bool,
    pub written: Written,
    pub grantees: Vec<Grantee>,
    /// What is asked for beside it, and is not done.
    unsupported: Option<&'static str>,
}

/// Reads the text of one statement.
pub fn statement(text: &str) -> Result<Granting> {
    let syntax = |error: ParserError| Error::new(SqlState::SyntaxError, error.to_string());
    let mut parser = Parser::new(&PostgreSqlDialect {}).try_with_sql(text).map_err(syntax)?;
    let granting = granting(&mut parser).map_err(syntax)?;
    match granting.unsupported {
        Some(clause) => Err(Error::unsupported(format!("{clause} is not supported"))),
        None => Ok(granting),
    }
}

/// Reads one from its first word on.
pub fn granting(parser: &mut Parser<'_>) -> std::result::Result<Granting, ParserError> {
    let is_grant = parser.expect_one_of_keywords(&[Keyword::GRANT, Keyword::REVOKE])? == Keyword::GRANT;
    let mut unsupported = None;
    if !is_grant && parser.parse_keywords(&[Keyword::GRANT, Keyword::OPTION, Keyword::FOR]) {
        unsupported = Some("GRANT OPTION FOR");
    }
    let written = read(parser)?;
    if matches!(written.on, On::Other(_)) {
        // What stands behind its kind is of another grammar.
        while !matches!(parser.peek_token_ref().token, Token::EOF | Token::SemiColon) {
            parser.advance_token();
        }
        return Ok(Granting { is_grant, written, grantees: Vec::new(), unsupported });
    }
    parser.expect_keyword_is(if is_grant { Keyword::TO } else { Keyword::FROM })?;
    let grantees = parser.parse_comma_separated(|parser| {
        let _ = parser.parse_keyword(Keyword::GROUP);
        Ok(match parser.parse_keyword(Keyword::PUBLIC) {
            true => Grantee::Public,
            false => Grantee::Role(fold(&parser.parse_identifier()?)),
        })
    })?;
    if is_grant && parser.parse_keywords(&[Keyword::WITH, Keyword::GRANT, Keyword::OPTION]) {
        unsupported = Some("WITH GRANT OPTION");
    }
    if parser.parse_keywords(&[Keyword::GRANTED, Keyword::BY]) {
        let _ = parser.parse_identifier()?;
        unsupported = Some("GRANTED BY");
    }
    if !is_grant {
        // Nothing depends on a right that nobody can pass on.
        let _ = parser.parse_one_of_keywords(&[Keyword::CASCADE, Keyword::RESTRICT]);
    }
    Ok(Granting { is_grant, written, grantees, unsupported })
}

pub fn no_kind(kind: &str) -> Error {
    Error::unsupported(format!("privileges on {kind} are not supported"))
        .detail("Privileges are those on tables, views, materialized views and schemas.")
}

/// Reads `privileges ON objects`.
pub fn read(parser: &mut Parser<'_>) -> std::result::Result<Written, ParserError> {
    let privileges = if parser.parse_keyword(Keyword::ALL) {
        let _ = parser.parse_keyword(Keyword::PRIVILEGES);
        Vec::new()
    } else {
        parser.parse_comma_separated(|parser| {
            let word = parser.parse_identifier()?;
            let columns = match parser.consume_token(&Token::LParen) {
                true => {
                    let columns = parser.parse_comma_separated(Parser::parse_identifier)?;
                    parser.expect_token(&Token::RParen)?;
                    columns
                }
                false => Vec::new(),
            };
            Ok((word, columns))
        })?
    };
    parser.expect_keyword_is(Keyword::ON)?;
    objects(parser).map(|on| Written { privileges, on })
}

fn objects(parser: &mut Parser<'_>) -> std::result::Result<On, ParserError> {
    let schemas = |parser: &mut Parser<'_>| parser.parse_comma_separated(Parser::parse_identifier);
    if parser.parse_keywords(&[Keyword::ALL, Keyword::TABLES, Keyword::IN, Keyword::SCHEMA]) {
        return schemas(parser).map(On::AllIn);
    }
    if parser.parse_keyword(Keyword::SCHEMA) {
        return schemas(parser).map(On::Schemas);
    }
    let (first, second) = (parser.peek_nth_token_ref(0).token.clone(), parser.peek_nth_token_ref(1).token.clone());
    if let (Token::Word(kind), Token::Word(_)) = (&first, &second)
        && kind.quote_style.is_none()
        && !matches!(kind.keyword, Keyword::TABLE)
        && !matches!(&second, Token::Word(next) if matches!(next.keyword, Keyword::TO | Keyword::FROM))
    {
        return Ok(On::Other(kind.value.to_lowercase()));
    }
    let _ = parser.parse_keyword(Keyword::TABLE);
    parser.parse_comma_separated(|parser| parser.parse_object_name(false)).map(On::Relations)
}

impl Written {
    /// The privileges, by the columns that they are of; without columns they are of the whole.
    pub fn held(&self) -> Result<Vec<(BTreeSet<String>, Privileges)>> {
        let (possible, kind) = match self.on {
            On::Schemas(_) => (Privileges::OF_SCHEMAS, "schema"),
            _ => (Privileges::OF_RELATIONS, "table"),
        };
        if self.privileges.is_empty() {
            return Ok(vec![(BTreeSet::new(), possible)]);
        }
        let mut held: Vec<(BTreeSet<String>, Privileges)> = Vec::new();
        for (word, columns) in &self.privileges {
            let privilege = Privilege::named(&word.value).ok_or_else(|| {
                let message = format!("unrecognized privilege type \"{}\"", word.value.to_lowercase());
                Error::new(SqlState::SyntaxError, message)
            })?;
            let invalid = |kind: &str| {
                let message = format!("invalid privilege type {} for {kind}", privilege.word());
                Error::new(SqlState::InvalidGrantOperation, message)
            };
            if !possible.has(privilege) {
                return Err(invalid(kind));
            }
            let columns: BTreeSet<String> = columns.iter().map(fold).collect();
            if !columns.is_empty() {
                match self.on {
                    On::Relations(_) if privilege == Privilege::Select => {}
                    On::Relations(_) if Privileges::OF_COLUMNS.has(privilege) => {
                        let word = privilege.word();
                        return Err(Error::unsupported(format!("{word} on columns is not supported"))
                            .hint("Grant it on the table; SELECT can be granted on columns."));
                    }
                    On::Relations(_) => return Err(invalid("column")),
                    _ => {
                        let message = "column privileges are only valid for relations";
                        return Err(Error::new(SqlState::InvalidGrantOperation, message));
                    }
                }
            }
            match held.iter_mut().find(|(of, _)| *of == columns) {
                Some((_, known)) => *known = known.with(privilege),
                None => held.push((columns, Privileges::NONE.with(privilege))),
            }
        }
        Ok(held)
    }
}

fn named(name: &ObjectName) -> Result<Name> {
    let parts: Vec<String> = name.0.iter().filter_map(|part| part.as_ident()).map(fold).collect();
    match <[String; 2]>::try_from(parts) {
        Ok([schema, name]) => Ok(Name { schema, name }),
        Err(parts) => match <[String; 1]>::try_from(parts) {
            Ok([name]) => Ok(Name { schema: DEFAULT_SCHEMA.to_owned(), name }),
            Err(_) => Err(Error::new(SqlState::SyntaxError, format!("improper relation name: {name}"))),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(line: &str) -> String {
        match of_line(line, &Grantee::Public) {
            Err(error) => format!("{} {}", error.state.code(), error.message),
            Ok(grants) => grants
                .iter()
                .map(|grant| {
                    let columns: Vec<&str> = grant.columns.iter().map(String::as_str).collect();
                    format!("{} {:?} {columns:?}", grant.privileges.letters(), grant.on)
                })
                .collect::<Vec<_>>()
                .join("; "),
        }
    }

    #[test]
    fn a_line_says_privileges_and_objects() {
        for (line, expect) in [
            ("select, INSERT ON t", r#"ar Relation(Name { schema: "public", name: "t" }) []"#),
            ("ALL PRIVILEGES ON TABLE S.\"T\"", r#"arwdDxtm Relation(Name { schema: "s", name: "T" }) []"#),
            (
                "SELECT (a, \"B\"), DELETE ON s.t",
                concat!(
                    r#"r Relation(Name { schema: "s", name: "t" }) ["B", "a"]; "#,
                    r#"d Relation(Name { schema: "s", name: "t" }) []"#
                ),
            ),
            ("USAGE, CREATE ON SCHEMA a, b", r#"UC Schema("a") []; UC Schema("b") []"#),
            ("SELECT, MAINTAIN ON ALL TABLES IN SCHEMA a", r#"rm AllIn("a") []"#),
        ] {
            assert_eq!(told(line), expect, "{line}");
        }
    }

    #[test]
    fn what_cannot_be_granted_is_refused_in_the_words_of_postgresql() {
        for (line, expect) in [
            ("FLY ON t", "42601 unrecognized privilege type \"fly\""),
            ("USAGE ON t", "0LP01 invalid privilege type USAGE for table"),
            ("SELECT ON SCHEMA s", "0LP01 invalid privilege type SELECT for schema"),
            ("UPDATE (a) ON t", "0A000 UPDATE on columns is not supported"),
            ("DELETE (a) ON t", "0LP01 invalid privilege type DELETE for column"),
            ("SELECT (a) ON ALL TABLES IN SCHEMA s", "0LP01 column privileges are only valid for relations"),
            ("EXECUTE ON FUNCTION f", "0A000 privileges on function are not supported"),
            ("SELECT ON a.b.c", "42601 improper relation name: a.b.c"),
        ] {
            assert_eq!(told(line), expect, "{line}");
        }
        for line in ["", "SELECT", "SELECT ON t TO bob", "SELECT ON t; SELECT ON u", "ON t", "SELECT ON"] {
            assert!(told(line).starts_with("42601"), "{line}: {}", told(line));
        }
    }
}
