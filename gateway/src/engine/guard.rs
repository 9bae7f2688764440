//! What a statement may cost before anything recursive sees it: bytes, tokens, depth, branches, columns, scans.
//!
//! Owns: the limits of texts and syntax trees. Must never know: a plan, a table.
//! The parser, the planner and even dropping a tree recurse once per level, so a bound on levels is a bound on stack.

use std::collections::HashMap;
use std::ops::ControlFlow;

use sqlparser::ast::{Expr, Ident, Query, Select, SetExpr, Statement, TableFactor, Visit, Visitor, With};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, Tokenizer};

use crate::error::{Error, Result, SqlState};

const TEXT_BYTES_MAX: usize = 1024 * 1024;
const TOKENS_MAX: usize = 50_000;
const DEPTH_MAX: usize = 400;
const BRANCHES_MAX: usize = 256;
const CTES_MAX: usize = 100;
const COLUMNS_MAX: usize = 1_600;
const SCANS_MAX: usize = 1_000;

/// Refuses texts that are too long or nest too deep, from their tokens alone.
///
/// A text that does not even tokenize passes: the parser, which tokenizes again, reports the place of the error.
pub(crate) fn check_text(sql: &str) -> Result<()> {
    if sql.len() > TEXT_BYTES_MAX {
        return Err(too_complex(format!("A message may hold at most {TEXT_BYTES_MAX} bytes of SQL.")));
    }
    let Ok(tokens) = Tokenizer::new(&PostgreSqlDialect {}, sql).tokenize() else { return Ok(()) };
    let mut nesting = Nesting::default();
    let mut count = 0;
    for token in &tokens {
        if matches!(token, Token::Whitespace(_)) {
            continue;
        }
        count += 1;
        if count > TOKENS_MAX {
            return Err(too_complex(format!("A message may hold at most {TOKENS_MAX} tokens.")));
        }
        nesting.take(token)?;
    }
    Ok(())
}

/// How deep the tree of the tokens read so far can be.
#[derive(Default)]
struct Nesting {
    /// The levels around the current one, each with the depth of the chain that it is in.
    outer: Vec<Chain>,
    /// The sum of the chains of `outer`: a parenthesis at the end of a chain lies below the whole chain.
    outer_depth: usize,
    here: Chain,
    branches: usize,
    after_distinct: bool,
}

/// A chain of operators without parentheses: the tree of `a + b + c` is as deep as it has operators.
#[derive(Default, Clone, Copy)]
struct Chain {
    logical: usize,
    operators: usize,
    operators_max: usize,
}

impl Chain {
    fn depth(self) -> usize {
        self.logical + self.operators_max
    }
}

impl Nesting {
    fn take(&mut self, token: &Token) -> Result<()> {
        match token {
            Token::LParen | Token::LBracket | Token::LBrace => self.open(),
            Token::RParen | Token::RBracket | Token::RBrace => self.close(),
            Token::Comma => self.here = Chain::default(),
            Token::SemiColon => *self = Self::default(),
            Token::Word(word) => {
                self.keyword(word.keyword);
                self.after_distinct = word.keyword == Keyword::DISTINCT;
            }
            token if is_operator(token) => self.operator(),
            _ => {}
        }
        if self.outer_depth + self.outer.len() + self.here.depth() > DEPTH_MAX {
            return Err(too_complex(format!("Expressions may nest at most {DEPTH_MAX} levels deep.")));
        }
        if self.branches > BRANCHES_MAX {
            return Err(too_complex(format!("A statement may combine at most {BRANCHES_MAX} queries.")));
        }
        Ok(())
    }

    fn open(&mut self) {
        self.outer_depth += self.here.depth();
        self.outer.push(self.here);
        self.here = Chain::default();
    }

    fn close(&mut self) {
        if let Some(chain) = self.outer.pop() {
            self.outer_depth -= chain.depth();
            self.here = chain;
        }
    }

    fn operator(&mut self) {
        self.here.operators += 1;
        self.here.operators_max = self.here.operators_max.max(self.here.operators);
    }

    fn keyword(&mut self, keyword: Keyword) {
        match keyword {
            // The FROM of IS DISTINCT FROM ends no clause.
            Keyword::FROM if self.after_distinct => {}
            Keyword::CASE => self.open(),
            Keyword::END => self.close(),
            Keyword::AND | Keyword::OR => {
                self.here.logical += 1;
                self.here.operators = 0;
            }
            Keyword::NOT
            | Keyword::IS
            | Keyword::IN
            | Keyword::LIKE
            | Keyword::ILIKE
            | Keyword::SIMILAR
            | Keyword::COLLATE
            | Keyword::AT
            | Keyword::OVERLAPS
            | Keyword::OPERATOR
            | Keyword::EXPLAIN
            | Keyword::PREPARE => self.operator(),
            Keyword::UNION | Keyword::INTERSECT | Keyword::EXCEPT => {
                self.branches += 1;
                self.here = Chain::default();
            }
            Keyword::SELECT | Keyword::FROM | Keyword::WHERE | Keyword::GROUP | Keyword::HAVING | Keyword::ORDER => {
                self.here = Chain::default();
            }
            Keyword::ON | Keyword::WHEN | Keyword::THEN | Keyword::ELSE | Keyword::JOIN => self.here = Chain::default(),
            _ => {}
        }
    }
}

fn is_operator(token: &Token) -> bool {
    !matches!(
        token,
        Token::EOF
            | Token::Number(..)
            | Token::Char(_)
            | Token::SingleQuotedString(_)
            | Token::DoubleQuotedString(_)
            | Token::DollarQuotedString(_)
            | Token::EscapedStringLiteral(_)
            | Token::UnicodeStringLiteral(_)
            | Token::NationalStringLiteral(_)
            | Token::HexStringLiteral(_)
            | Token::SingleQuotedByteStringLiteral(_)
            | Token::Placeholder(_)
            | Token::Period
            | Token::Colon
    )
}

/// Refuses trees that are too deep, too wide, or that multiply their scans through CTEs.
pub(crate) fn check_ast(statement: &Statement) -> Result<()> {
    let mut limits = Limits::default();
    match statement.visit(&mut limits) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

#[derive(Default)]
struct Limits {
    depth: usize,
    ctes: usize,
    /// How many queries enclose the current one; the outermost counts the scans of them all.
    queries: usize,
}

impl Visitor for Limits {
    type Break = Error;

    fn pre_visit_expr(&mut self, _: &Expr) -> ControlFlow<Error> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return ControlFlow::Break(too_complex(format!("Expressions may nest at most {DEPTH_MAX} levels deep.")));
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, _: &Expr) -> ControlFlow<Error> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Error> {
        self.ctes += query.with.as_ref().map_or(0, |with| with.cte_tables.len());
        if self.ctes > CTES_MAX {
            return ControlFlow::Break(too_complex(format!("A statement may have at most {CTES_MAX} WITH queries.")));
        }
        if branches(&query.body) > BRANCHES_MAX {
            let detail = format!("A statement may combine at most {BRANCHES_MAX} queries.");
            return ControlFlow::Break(too_complex(detail));
        }
        if self.queries == 0 && scans(query, &Scope::default()) > SCANS_MAX {
            let detail = format!(
                "With every reference to a WITH query expanded, a statement may read at most {SCANS_MAX} tables."
            );
            return ControlFlow::Break(too_complex(detail));
        }
        self.queries += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<Error> {
        self.queries -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<Error> {
        if select.projection.len() > COLUMNS_MAX {
            let message = format!("target lists can have at most {COLUMNS_MAX} entries");
            return ControlFlow::Break(Error::new(SqlState::TooManyColumns, message));
        }
        ControlFlow::Continue(())
    }
}

fn branches(body: &SetExpr) -> usize {
    let mut count = 0;
    let mut rest = vec![body];
    while let Some(body) = rest.pop() {
        match body {
            SetExpr::SetOperation { left, right, .. } => rest.extend([left.as_ref(), right.as_ref()]),
            SetExpr::Query(query) => rest.push(&query.body),
            _ => count += 1,
        }
    }
    count
}

/// The WITH queries in sight, each with the number of tables that it reads when expanded.
type Scope = HashMap<String, usize>;

/// The tables that a query reads when every reference to a WITH query is expanded, as the planner does.
fn scans(query: &Query, outer: &Scope) -> usize {
    let mut scope = outer.clone();
    if let Some(With { cte_tables, .. }) = &query.with {
        for cte in cte_tables {
            let count = scans(&cte.query, &scope);
            scope.insert(folded(&cte.alias.name), count.max(1));
        }
    }
    let mut counter = Scans { scope: &scope, skip: 0, count: 0 };
    // The visitor descends into the subqueries itself; each then counts itself with its own scope.
    let _: ControlFlow<()> = query.body.visit(&mut counter);
    let in_order_by = query.order_by.as_ref().map_or(0, |order_by| {
        let mut counter = Scans { scope: &scope, skip: 0, count: 0 };
        let _: ControlFlow<()> = order_by.visit(&mut counter);
        counter.count
    });
    counter.count.saturating_add(in_order_by)
}

struct Scans<'a> {
    scope: &'a Scope,
    skip: usize,
    count: usize,
}

impl Visitor for Scans<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        if self.skip == 0 {
            self.count = self.count.saturating_add(scans(query, self.scope));
        }
        self.skip += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.skip -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        if self.skip == 0
            && let TableFactor::Table { name, .. } = factor
        {
            let reads = match name.0.as_slice() {
                [part] => part.as_ident().and_then(|ident| self.scope.get(&folded(ident))).copied().unwrap_or(1),
                _ => 1,
            };
            self.count = self.count.saturating_add(reads);
        }
        ControlFlow::Continue(())
    }
}

fn folded(ident: &Ident) -> String {
    if ident.quote_style.is_some() { ident.value.clone() } else { ident.value.to_lowercase() }
}

fn too_complex(detail: String) -> Error {
    Error::new(SqlState::StatementTooComplex, "stack depth limit exceeded").detail(detail)
}

#[cfg(test)]
mod tests {
    use sqlparser::parser::Parser;

    use super::*;

    fn statement(sql: &str) -> Statement {
        Parser::parse_sql(&PostgreSqlDialect {}, sql).unwrap().remove(0)
    }

    #[test]
    fn hostile_texts_are_refused_before_they_are_parsed() {
        let chain = |item: &str, by: &str, count: usize| vec![item; count].join(by);
        let hostile = [
            format!("SELECT {}", chain("1", " + ", 20_000)),
            format!("SELECT 1 WHERE {}", chain("a = 1", " OR ", 20_000)),
            format!("SELECT {}1{}", "(".repeat(3_000), ")".repeat(3_000)),
            format!("SELECT {}1", "- ".repeat(3_000)),
            format!("SELECT {} true", "NOT ".repeat(3_000)),
            format!("SELECT {} 1 {}", "CASE WHEN true THEN ".repeat(3_000), "END ".repeat(3_000)),
            format!("SELECT {}1{}", "(1 + ".repeat(300), ")".repeat(300)),
            format!("SELECT 1{}", "::int".repeat(3_000)),
            format!("SELECT 1{}", "[1]".repeat(30_000)),
            format!("SELECT {}", chain("1", " IS DISTINCT FROM ", 3_000)),
            chain("SELECT 1", " UNION ALL ", 20_000),
            format!("SELECT {}", chain("1", ",", 60_000)),
            "x".repeat(TEXT_BYTES_MAX + 1),
        ];
        for sql in hostile {
            let error = check_text(&sql).map_err(|error| error.state);
            assert_eq!(error, Err(SqlState::StatementTooComplex), "{}", sql.chars().take(60).collect::<String>());
        }
    }

    #[test]
    fn large_but_flat_texts_pass() {
        let list = vec!["'x'"; 20_000].join(",");
        let conjuncts = vec!["a BETWEEN 1 AND 2"; 150].join(" AND ");
        let cases = (0..200).map(|n| format!("WHEN a = {n} THEN b + {n}")).collect::<Vec<_>>().join(" ");
        for sql in [
            format!("SELECT 1 WHERE a IN ({list})"),
            format!("SELECT 1 WHERE {conjuncts}"),
            format!("SELECT CASE {cases} ELSE 0 END"),
            vec!["SELECT 1"; 200].join(" UNION "),
            vec!["SELECT 1 + 1 + 1"; 1_000].join(";"),
            "SELECT 'unfinished".to_owned(),
        ] {
            assert!(check_text(&sql).is_ok(), "{}", sql.chars().take(60).collect::<String>());
        }
    }

    #[test]
    fn wide_and_multiplying_trees_are_refused() {
        let columns = format!("SELECT {}", vec!["1"; COLUMNS_MAX + 1].join(","));
        assert_eq!(check_ast(&statement(&columns)).unwrap_err().state, SqlState::TooManyColumns);
        let doubled = (1..=10).map(|n| format!("c{n} AS (SELECT 1 FROM c{0} x, c{0} y)", n - 1)).collect::<Vec<_>>();
        let ctes = (0..=CTES_MAX).map(|n| format!("c{n} AS (SELECT 1)")).collect::<Vec<_>>();
        for sql in [
            format!("WITH c0 AS (SELECT 1 FROM t), {} SELECT 1 FROM c10", doubled.join(", ")),
            format!("WITH {} SELECT 1", ctes.join(", ")),
            format!("SELECT {}", vec!["a"; DEPTH_MAX + 2].join(" + ")),
        ] {
            assert_eq!(check_ast(&statement(&sql)).unwrap_err().state, SqlState::StatementTooComplex, "{sql}");
        }
        for sql in [
            "WITH a AS (SELECT 1 FROM t), b AS (SELECT 1 FROM a, a x) SELECT 1 FROM b WHERE 1 IN (SELECT 1 FROM b)",
            "SELECT a, (SELECT max(x) FROM u) FROM t JOIN u ON true",
        ] {
            assert!(check_ast(&statement(sql)).is_ok(), "{sql}");
        }
    }
}
