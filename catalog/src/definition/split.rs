//! Cuts a file of SQL into its statements, so that each has its line and its own text.

use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer};

/// A statement without the semicolon behind it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Piece<'a> {
    pub(super) text: &'a str,
    /// The line of its first token, from 1.
    pub(super) line: u64,
}

/// The statements of a text; or the line that has no tokens, and why.
pub(super) fn statements(text: &str) -> Result<Vec<Piece<'_>>, (u64, String)> {
    let tokens = tokens(text).map_err(|error| (error.location.line, error.message))?;
    let mut pieces = Vec::new();
    let mut first: Option<Location> = None;
    for token in tokens {
        match token.token {
            Token::Whitespace(_) => {}
            Token::SemiColon | Token::EOF => {
                pieces.extend(first.take().map(|start| piece(text, start, token.span.start)))
            }
            _ => {
                first.get_or_insert(token.span.start);
            }
        }
    }
    pieces.extend(first.map(|start| Piece { text: behind(text, start), line: start.line }));
    Ok(pieces)
}

/// What stands behind the first AS that is in no parentheses.
pub(super) fn after_as(statement: &str) -> &str {
    let mut depth = 0;
    for token in tokens(statement).unwrap_or_default() {
        match token.token {
            Token::LParen => depth += 1,
            Token::RParen => depth -= 1,
            Token::Word(word) if depth == 0 && word.keyword == Keyword::AS => {
                return behind(statement, token.span.end);
            }
            _ => {}
        }
    }
    statement
}

pub(crate) fn tokens(text: &str) -> Result<Vec<TokenWithSpan>, sqlparser::tokenizer::TokenizerError> {
    Tokenizer::new(&PostgreSqlDialect {}, text).tokenize_with_location()
}

/// The text from a place on.
pub(super) fn behind(text: &str, start: Location) -> &str {
    text.get(offset(text, start)..).unwrap_or_default()
}

fn piece(text: &str, start: Location, end: Location) -> Piece<'_> {
    Piece { text: text.get(offset(text, start)..offset(text, end)).unwrap_or_default().trim_end(), line: start.line }
}

/// The byte at a place that counts lines and characters from 1.
pub(crate) fn offset(text: &str, at: Location) -> usize {
    let line_before = usize::try_from(at.line.saturating_sub(1)).unwrap_or(usize::MAX);
    let chars_before = usize::try_from(at.column.saturating_sub(1)).unwrap_or(usize::MAX);
    let line_start: usize = text.split_inclusive('\n').take(line_before).map(str::len).sum();
    let line = text.get(line_start..).unwrap_or_default();
    line_start + line.char_indices().nth(chars_before).map_or(line.len(), |(byte, _)| byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_cut_at_semicolons_outside_strings() {
        let text = "-- é;\nCREATE VIEW a AS\n  SELECT ';' ; \n\nSELECT 2";
        let pieces = statements(text).unwrap();
        let shown: Vec<_> = pieces.iter().map(|piece| (piece.line, piece.text)).collect();
        assert_eq!(shown, [(2, "CREATE VIEW a AS\n  SELECT ';'"), (5, "SELECT 2")]);
        assert_eq!(after_as(pieces[0].text).trim(), "SELECT ';'");
    }
}
