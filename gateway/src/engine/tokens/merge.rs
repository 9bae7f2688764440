//! `DO NOTHING` and `INSERT DEFAULT VALUES` in MERGE, which the parser does not know there.
//!
//! Owns: the actions that stand for them. Must never know: what MERGE does.

use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::words::is_bare;

/// The column that DO NOTHING sets, which no table has.
pub(in crate::engine) const NOTHING: &str = "lakegate:nothing";

/// Says both in actions of the parser.
pub(super) fn actions(tokens: &mut Vec<TokenWithSpan>) {
    let mut from = 0;
    while let Some(then) = tokens.iter().skip(from).position(|token| is(&token.token, "then")) {
        let then = from + then;
        from = then + 1;
        let words: Vec<usize> = (from..tokens.len()).filter(|at| !is_space(tokens, *at)).take(3).collect();
        let word = |at: usize, word: &str| {
            words.get(at).and_then(|at| tokens.get(*at)).is_some_and(|token| is(&token.token, word))
        };
        let (said, taken) = if word(0, "do") && word(1, "nothing") {
            (nothing(tokens, then), 2)
        } else if word(0, "insert") && word(1, "default") && word(2, "values") {
            (list("INSERT VALUES ( DEFAULT )"), 3)
        } else {
            continue;
        };
        let (Some(first), Some(last)) = (words.first(), words.get(taken - 1)) else { continue };
        let Some(span) = tokens.get(*first).map(|token| token.span) else { continue };
        let said = said.into_iter().map(|token| TokenWithSpan { token, span });
        tokens.splice(*first..=*last, said);
    }
}

/// An action of the kind of its clause.
fn nothing(tokens: &[TokenWithSpan], then: usize) -> Vec<Token> {
    let before: Vec<&Token> = (0..then)
        .filter(|at| !is_space(tokens, *at))
        .filter_map(|at| tokens.get(at))
        .map(|token| &token.token)
        .collect();
    let matched = before.iter().rposition(|token| is(token, "matched")).unwrap_or_default();
    let is_not = matched.checked_sub(1).and_then(|at| before.get(at)).is_some_and(|token| is(token, "not"));
    let is_by_source = before.get(matched + 2).is_some_and(|token| is(token, "source"));
    let mut said = match is_not && !is_by_source {
        true => list("INSERT ( NOTHING ) VALUES ( NULL )"),
        false => list("UPDATE SET NOTHING = NULL"),
    };
    for token in &mut said {
        if is(token, "nothing") {
            *token = Token::make_word(NOTHING, Some('"'));
        }
    }
    said
}

fn list(words: &str) -> Vec<Token> {
    let token = |word: &str| match word {
        "(" => Token::LParen,
        ")" => Token::RParen,
        "=" => Token::Eq,
        word => Token::make_keyword(word),
    };
    words.split(' ').map(token).collect()
}

fn is(token: &Token, word: &str) -> bool {
    matches!(token, Token::Word(found) if is_bare(found, word))
}

fn is_space(tokens: &[TokenWithSpan], at: usize) -> bool {
    tokens.get(at).is_some_and(|token| matches!(token.token, Token::Whitespace(_)))
}
