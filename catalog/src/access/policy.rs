//! Row policies: which rows of a table each role sees and writes.
//!
//! Owns: the statements that make them, as text, and which policies are a role's. Must never know: what a condition means, or
//! where policies are kept. <https://www.postgresql.org/docs/16/ddl-rowsecurity.html>

use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;

use super::Grantee;
use crate::definition::{Name, fold, named, quoted, split};

/// What a policy is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RowCommand {
    All,
    Select,
    Insert,
    Update,
    Delete,
}

const COMMANDS: [(RowCommand, Keyword, &str, &str); 5] = [
    (RowCommand::All, Keyword::ALL, "ALL", "*"),
    (RowCommand::Select, Keyword::SELECT, "SELECT", "r"),
    (RowCommand::Insert, Keyword::INSERT, "INSERT", "a"),
    (RowCommand::Update, Keyword::UPDATE, "UPDATE", "w"),
    (RowCommand::Delete, Keyword::DELETE, "DELETE", "d"),
];

impl RowCommand {
    pub fn word(self) -> &'static str {
        COMMANDS.iter().find(|(known, ..)| *known == self).map_or("", |(_, _, word, _)| word)
    }

    /// As `pg_policy.polcmd` has it.
    pub fn letter(self) -> &'static str {
        COMMANDS.iter().find(|(known, ..)| *known == self).map_or("", |(.., letter)| letter)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowPolicy {
    pub name: String,
    pub on: Name,
    pub is_restrictive: bool,
    pub command: RowCommand,
    pub to: Vec<Grantee>,
    /// The condition of rows that are seen, as it is written.
    pub using: Option<String>,
    /// That of rows that are written.
    pub check: Option<String>,
    /// Where the relations of both are looked for.
    pub search_path: Vec<String>,
}

impl RowPolicy {
    /// The condition of rows that are written: that of rows that are seen, if there is no other.
    pub fn check(&self) -> Option<&str> {
        self.check.as_deref().or(self.using.as_deref())
    }
}

/// Whether the policies of a table are asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RowSecurity {
    pub is_enabled: bool,
    pub is_forced: bool,
}

/// What ALTER TABLE changes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowSwitch {
    Enabled(bool),
    Forced(bool),
}

impl RowSecurity {
    pub fn turn(&mut self, switch: RowSwitch) {
        match switch {
            RowSwitch::Enabled(is) => self.is_enabled = is,
            RowSwitch::Forced(is) => self.is_forced = is,
        }
    }
}

/// Clauses as they are written: what is not there is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RowClauses {
    pub is_restrictive: Option<bool>,
    pub command: Option<RowCommand>,
    pub to: Option<Vec<Grantee>>,
    pub using: Option<String>,
    pub check: Option<String>,
}

/// A policy as a statement names it, whose table has the name that is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenPolicy {
    pub name: String,
    pub on: sqlparser::ast::ObjectName,
    pub clauses: RowClauses,
}

/// Reads `name ON table ...` behind CREATE POLICY or ALTER POLICY; `user` is who CURRENT_USER is.
pub fn read_policy(text: &str, user: Option<&str>) -> Result<WrittenPolicy, ParserError> {
    let dialect = PostgreSqlDialect {};
    let mut parser = Parser::new(&dialect).with_tokens_with_locations(split::tokens(text)?);
    parser.expect_one_of_keywords(&[Keyword::CREATE, Keyword::ALTER])?;
    parser.expect_keyword_is(Keyword::POLICY)?;
    let name = fold(&parser.parse_identifier()?);
    parser.expect_keyword_is(Keyword::ON)?;
    let on = parser.parse_object_name(false)?;
    let clauses = clauses(text, &mut parser, user)?;
    match &parser.peek_token_ref().token {
        Token::EOF | Token::SemiColon => Ok(WrittenPolicy { name, on, clauses }),
        other => Err(wrong(format!("Expected: the end, found: {other}"))),
    }
}

/// A CREATE POLICY of a file or a script, whose table is named in full or of `public`.
pub(crate) fn created(text: &str, search_path: &[String]) -> Result<RowPolicy, ParserError> {
    let WrittenPolicy { name, on, clauses } = read_policy(text, None)?;
    Ok(clauses.policy(name, named(&on)?, search_path.to_vec()))
}

/// Reads `ALTER TABLE name ENABLE ROW LEVEL SECURITY` and its kin.
pub(crate) fn switched(text: &str) -> Result<(Name, RowSwitch), ParserError> {
    let dialect = PostgreSqlDialect {};
    let mut parser = Parser::new(&dialect).with_tokens_with_locations(split::tokens(text)?);
    parser.expect_keywords(&[Keyword::ALTER, Keyword::TABLE])?;
    let on = named(&parser.parse_object_name(false)?)?;
    let is_not = parser.parse_keyword(Keyword::NO);
    let words = if is_not { &[Keyword::FORCE][..] } else { &[Keyword::ENABLE, Keyword::DISABLE, Keyword::FORCE] };
    let switch = match parser.expect_one_of_keywords(words)? {
        Keyword::ENABLE => RowSwitch::Enabled(true),
        Keyword::DISABLE => RowSwitch::Enabled(false),
        _ => RowSwitch::Forced(!is_not),
    };
    parser.expect_keywords(&[Keyword::ROW, Keyword::LEVEL, Keyword::SECURITY])?;
    match &parser.peek_token_ref().token {
        Token::EOF => Ok((on, switch)),
        other => Err(wrong(format!("Expected: the end, found: {other}"))),
    }
}

impl RowClauses {
    pub fn policy(self, name: String, on: Name, search_path: Vec<String>) -> RowPolicy {
        RowPolicy {
            name,
            on,
            is_restrictive: self.is_restrictive.unwrap_or(false),
            command: self.command.unwrap_or(RowCommand::All),
            to: self.to.unwrap_or_else(|| vec![Grantee::Public]),
            using: self.using,
            check: self.check,
            search_path,
        }
    }
}

fn clauses(text: &str, parser: &mut Parser<'_>, user: Option<&str>) -> Result<RowClauses, ParserError> {
    let mut clauses = RowClauses::default();
    if parser.parse_keyword(Keyword::AS) {
        let kind = parser.expect_one_of_keywords(&[Keyword::PERMISSIVE, Keyword::RESTRICTIVE])?;
        clauses.is_restrictive = Some(kind == Keyword::RESTRICTIVE);
    }
    if parser.parse_keyword(Keyword::FOR) {
        let found = parser.expect_one_of_keywords(&COMMANDS.map(|(_, keyword, ..)| keyword))?;
        clauses.command = COMMANDS.iter().find(|(_, known, ..)| *known == found).map(|(command, ..)| *command);
    }
    if parser.parse_keyword(Keyword::TO) {
        clauses.to = Some(parser.parse_comma_separated(|parser| role(parser, user))?);
    }
    if parser.parse_keyword(Keyword::USING) {
        clauses.using = Some(parenthesized(text, parser)?);
    }
    if parser.parse_keywords(&[Keyword::WITH, Keyword::CHECK]) {
        clauses.check = Some(parenthesized(text, parser)?);
    }
    Ok(clauses)
}

pub(super) fn role(parser: &mut Parser<'_>, user: Option<&str>) -> Result<Grantee, ParserError> {
    if parser.parse_keyword(Keyword::PUBLIC) {
        return Ok(Grantee::Public);
    }
    let is_user =
        parser.parse_one_of_keywords(&[Keyword::CURRENT_USER, Keyword::CURRENT_ROLE, Keyword::SESSION_USER]).is_some();
    match user.filter(|_| is_user) {
        Some(user) => Ok(Grantee::Role(user.to_owned())),
        None if is_user => Err(wrong("CURRENT_USER is nobody in a file".to_owned())),
        None => parser.parse_identifier().map(|name| Grantee::Role(fold(&name))),
    }
}

/// The text between a parenthesis and the one that closes it.
pub(super) fn parenthesized(text: &str, parser: &mut Parser<'_>) -> Result<String, ParserError> {
    let start = parser.expect_token(&Token::LParen)?.span.end;
    let mut depth = 1;
    loop {
        let token = parser.next_token();
        match token.token {
            Token::LParen => depth += 1,
            Token::RParen => depth -= 1,
            Token::EOF => return Err(wrong("Expected: ), found: EOF".to_owned())),
            _ => {}
        }
        if depth == 0 {
            let range = split::offset(text, start)..split::offset(text, token.span.start);
            let inner = text.get(range).unwrap_or_default().trim();
            return match inner {
                "" => Err(wrong("Expected: a condition, found: )".to_owned())),
                inner => Ok(inner.to_owned()),
            };
        }
    }
}

pub(super) fn wrong(reason: String) -> ParserError {
    ParserError::ParserError(reason)
}

/// Roles as they stand behind TO.
pub(super) fn roles_text(to: &[Grantee]) -> String {
    let to = to.iter().map(|to| match to {
        Grantee::Public => "PUBLIC".to_owned(),
        Grantee::Role(role) => quoted(role),
    });
    to.collect::<Vec<_>>().join(", ")
}

impl std::fmt::Display for RowPolicy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = if self.is_restrictive { "RESTRICTIVE" } else { "PERMISSIVE" };
        let (name, command, to) = (quoted(&self.name), self.command.word(), roles_text(&self.to));
        write!(f, "CREATE POLICY {name} ON {} AS {kind} FOR {command} TO {to}", self.on)?;
        // A comment at the end of a condition takes no parenthesis in.
        if let Some(using) = &self.using {
            write!(f, " USING ({using}\n)")?;
        }
        if let Some(check) = &self.check {
            write!(f, " WITH CHECK ({check}\n)")?;
        }
        Ok(())
    }
}

/// The statement that turns a switch of a table.
pub(crate) fn switch_text(on: &Name, switch: RowSwitch) -> String {
    let word = match switch {
        RowSwitch::Enabled(true) => "ENABLE",
        RowSwitch::Enabled(false) => "DISABLE",
        RowSwitch::Forced(true) => "FORCE",
        RowSwitch::Forced(false) => "NO FORCE",
    };
    format!("ALTER TABLE {on} {word} ROW LEVEL SECURITY")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_read_back_as_it_is_written() {
        let path = ["s".to_owned()];
        for text in [
            "CREATE POLICY p ON t USING (true)",
            "create policy \"P q\" on S.\"T\" as restrictive for update to \"Ro le\", public \
             using ((a > 1) or b = ')') with check (a < 2 -- the end)\n)",
            "CREATE POLICY p ON t FOR INSERT TO ann WITH CHECK (x IN (SELECT (1)))",
        ] {
            let policy = created(text, &path).unwrap();
            assert_eq!(created(&policy.to_string(), &path), Ok(policy.clone()), "{policy}");
        }
        let policy = created("CREATE POLICY p ON t FOR SELECT USING ( f(')') )", &path).unwrap();
        assert_eq!((policy.using.as_deref(), policy.check()), (Some("f(')')"), Some("f(')')")));
        for text in [
            "CREATE POLICY p ON t USING (true",
            "CREATE POLICY p ON t USING ()",
            "CREATE POLICY p ON t TO CURRENT_USER",
        ] {
            assert!(created(text, &path).is_err(), "{text}");
        }
        let own = read_policy("ALTER POLICY p ON t TO CURRENT_USER", Some("Ann")).unwrap();
        assert_eq!(own.clauses.to, Some(vec![Grantee::Role("Ann".to_owned())]));
    }

    #[test]
    fn switches_are_read_back() {
        let on = Name { schema: "s".to_owned(), name: "t".to_owned() };
        for switch in
            [RowSwitch::Enabled(true), RowSwitch::Enabled(false), RowSwitch::Forced(true), RowSwitch::Forced(false)]
        {
            assert_eq!(switched(&switch_text(&on, switch)), Ok((on.clone(), switch)));
        }
        assert!(switched("ALTER TABLE t NO ENABLE ROW LEVEL SECURITY").is_err());
    }
}
