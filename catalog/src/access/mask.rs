//! Column masks: what a role sees in the place of the values of a column.
//!
//! Owns: the statement that makes one, as text, and which masks are a role's. Must never know: what an expression means, or where
//! masks are kept. PostgreSQL has none: the statement is the twin of its CREATE POLICY.

use std::collections::BTreeMap;

use sqlparser::ast::{Expr, Ident};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;

use super::policy::{parenthesized, role, roles_text, wrong};
use super::{Access, Grantee};
use crate::definition::{Name, fold, named, quoted, split};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnMask {
    pub name: String,
    pub on: Name,
    pub column: String,
    pub to: Vec<Grantee>,
    /// The expression that is shown, as it is written.
    pub using: String,
    /// Where its relations are looked for.
    pub search_path: Vec<String>,
}

/// A mask as a statement names it, whose table has the name that is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenMask {
    pub name: String,
    pub on: sqlparser::ast::ObjectName,
    pub column: String,
    pub to: Vec<Grantee>,
    pub using: String,
}

/// Whether a statement is about a mask.
pub fn is_of_mask(parser: &Parser<'_>) -> bool {
    let word = |at: usize| match &parser.peek_nth_token_ref(at).token {
        Token::Word(word) if word.quote_style.is_none() => Some(word),
        _ => None,
    };
    word(0).is_some_and(|verb| matches!(verb.keyword, Keyword::CREATE | Keyword::DROP))
        && word(1).is_some_and(|kind| kind.value.eq_ignore_ascii_case("mask"))
}

/// Reads `CREATE MASK name ON table (column) [TO role, ...] USING (expression)`; `user` is who CURRENT_USER is.
pub fn read_mask(text: &str, user: Option<&str>) -> Result<WrittenMask, ParserError> {
    let dialect = PostgreSqlDialect {};
    let mut parser = Parser::new(&dialect).with_tokens_with_locations(split::tokens(text)?);
    if !is_of_mask(&parser) {
        return Err(wrong("Expected: CREATE MASK".to_owned()));
    }
    parser.expect_keyword_is(Keyword::CREATE)?;
    parser.advance_token();
    let name = fold(&parser.parse_identifier()?);
    parser.expect_keyword_is(Keyword::ON)?;
    let on = parser.parse_object_name(false)?;
    parser.expect_token(&Token::LParen)?;
    let column = fold(&parser.parse_identifier()?);
    parser.expect_token(&Token::RParen)?;
    let to = match parser.parse_keyword(Keyword::TO) {
        true => parser.parse_comma_separated(|parser| role(parser, user))?,
        false => vec![Grantee::Public],
    };
    parser.expect_keyword_is(Keyword::USING)?;
    let using = parenthesized(text, &mut parser)?;
    match &parser.peek_token_ref().token {
        Token::EOF | Token::SemiColon => Ok(WrittenMask { name, on, column, to, using }),
        other => Err(wrong(format!("Expected: the end, found: {other}"))),
    }
}

/// A CREATE MASK of a file or a script, whose table is named in full or of `public`.
pub(crate) fn masked(text: &str, search_path: &[String]) -> Result<ColumnMask, ParserError> {
    let written = read_mask(text, None)?;
    let on = named(&written.on)?;
    Ok(written.mask(on, search_path.to_vec()))
}

impl WrittenMask {
    pub fn mask(self, on: Name, search_path: Vec<String>) -> ColumnMask {
        let Self { name, column, to, using, .. } = self;
        ColumnMask { name, on, column, to, using, search_path }
    }
}

impl ColumnMask {
    /// Whether both would be for the same column and role, so that neither says what that role sees.
    pub fn is_against(&self, other: &Self) -> bool {
        self.on == other.on && self.column == other.column && self.to.iter().any(|to| other.to.contains(to))
    }

    /// Whether it shows the column as it is: so a role is taken out of a mask for others.
    fn is_plain(&self) -> bool {
        let dialect = PostgreSqlDialect {};
        let Ok(tokens) = split::tokens(&self.using) else { return false };
        let mut parser = Parser::new(&dialect).with_tokens_with_locations(tokens);
        let is_column = |ident: &Ident| fold(ident) == self.column;
        let shown = parser.parse_expr();
        matches!(shown, Ok(Expr::Identifier(ident)) if is_column(&ident)) && parser.peek_token_ref().token == Token::EOF
    }
}

impl Access {
    /// The same with more masks.
    pub fn with_masks(mut self, masks: impl IntoIterator<Item = ColumnMask>) -> Self {
        for mask in masks {
            let known = &mut self.secured.entry(mask.on.clone()).or_default().masks;
            let place = known.partition_point(|known| known.name <= mask.name);
            known.insert(place, mask);
        }
        self
    }

    /// The masks through which a role sees a table, at most one of a column, by their columns. Whom no row policy binds, no mask
    /// does.
    pub fn masks(&self, role: &str, name: &Name) -> Vec<&ColumnMask> {
        let all = self.secured.get(name).map(|secured| secured.masks.as_slice()).unwrap_or_default();
        if all.is_empty() || self.bypasses_rls(role) {
            return Vec::new();
        }
        let mut nearest: BTreeMap<&str, (Nearness, &ColumnMask)> = BTreeMap::new();
        // Of those that are as near the first by name counts.
        for mask in all {
            let Some(nearness) = self.nearness(role, mask) else { continue };
            let known = nearest.entry(&mask.column).or_insert((nearness, mask));
            if nearness < known.0 {
                *known = (nearness, mask);
            }
        }
        nearest.into_values().map(|(_, mask)| mask).filter(|mask| !mask.is_plain()).collect()
    }

    fn nearness(&self, role: &str, mask: &ColumnMask) -> Option<Nearness> {
        let of = |grantee: &Grantee| match grantee {
            Grantee::Public => Some(Nearness::OfEverybody),
            Grantee::Role(of) if of == role => Some(Nearness::Own),
            Grantee::Role(_) => self.is_for(Some(role), grantee).then_some(Nearness::OfMembers),
        };
        mask.to.iter().filter_map(of).min()
    }
}

/// How near a mask is to a role: what is said of the role itself counts before what is said of many.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Nearness {
    Own,
    OfMembers,
    OfEverybody,
}

impl std::fmt::Display for ColumnMask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (name, column, to) = (quoted(&self.name), quoted(&self.column), roles_text(&self.to));
        // A comment at the end of an expression takes no parenthesis in.
        write!(f, "CREATE MASK {name} ON {} ({column}) TO {to} USING ({}\n)", self.on, self.using)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Member;

    #[test]
    fn a_mask_is_read_back_as_it_is_written() {
        let path = ["s".to_owned()];
        for text in [
            "CREATE MASK m ON t (card) USING (NULL)",
            "create mask \"M m\" on S.\"T\" (\"Ca rd\") to \"Ro le\", ann using (left(\"Ca rd\", 4) || ')' -- the end\n)",
            "CREATE MASK mask ON t (mask) TO PUBLIC USING ((SELECT (1)))",
        ] {
            let mask = masked(text, &path).unwrap();
            assert_eq!(masked(&mask.to_string(), &path), Ok(mask.clone()), "{mask}");
        }
        for text in [
            "CREATE MASK m ON t USING (1)",
            "CREATE MASK m ON t (a, b) USING (1)",
            "CREATE MASK m ON t (a) USING ()",
            "CREATE MASK m ON t (a) TO CURRENT_USER USING (1)",
            "CREATE MASK m ON t (a) USING (1) TO ann",
            "CREATE POLICY m ON t USING (true)",
        ] {
            assert!(masked(text, &path).is_err(), "{text}");
        }
        let own = read_mask("CREATE MASK m ON t (a) TO CURRENT_USER USING (1)", Some("Ann")).unwrap();
        assert_eq!(own.to, [Grantee::Role("Ann".to_owned())]);
    }

    #[test]
    fn of_several_masks_the_nearest_counts() {
        let member = |name: &str, member_of: &[&str]| Member {
            name: name.to_owned(),
            is_superuser: name == "root",
            bypasses_rls: name == "audit",
            member_of: member_of.iter().map(|of| (*of).to_owned()).collect(),
        };
        let members = [
            member("ann", &["staff", "desk"]),
            member("bob", &["staff", "help"]),
            member("eve", &[]),
            member("staff", &[]),
            member("desk", &[]),
            member("help", &[]),
            member("audit", &["staff"]),
            member("root", &[]),
        ];
        let masks = [
            "CREATE MASK a ON t (x) USING (0)",
            "CREATE MASK c ON t (x) TO staff USING (1)",
            "CREATE MASK b ON t (x) TO desk USING (2)",
            "CREATE MASK d ON t (x) TO help, bob USING ((\"x\"))",
            "CREATE MASK e ON t (x) TO bob USING ( X )",
            "CREATE MASK f ON t (y) TO eve, ann USING (left(y, 1))",
        ]
        .map(|text| masked(text, &[]).unwrap());
        assert!(masks[3].is_against(&masks[4]) && !masks[0].is_against(&masks[1]) && !masks[4].is_against(&masks[5]));
        let access = Access::of_grants(&members, Vec::new()).unwrap().with_masks(masks.clone());
        let on = &masks[0].on;
        let told = |role: &str| -> Vec<&str> { access.masks(role, on).iter().map(|mask| mask.name.as_str()).collect() };
        assert_eq!((told("ann"), told("eve"), told("staff")), (vec!["b", "f"], vec!["a", "f"], vec!["c"]));
        assert!(told("root").is_empty() && told("audit").is_empty());
        // In parentheses it is an expression like any other.
        assert_eq!(told("bob"), ["d"]);
        let access = Access::of_grants(&members, Vec::new()).unwrap().with_masks([masks[0].clone(), masks[4].clone()]);
        assert!(access.masks("bob", on).is_empty() && access.masks("ann", on).len() == 1);
        let everybody = Access::of_members(&members).unwrap().with_masks(masks.clone());
        assert!(everybody.masks("eve", on).is_empty(), "grants are not in force");
    }
}
