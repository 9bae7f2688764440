//! `lakegate_like(text, pattern, escape)` and `lakegate_ilike` - `text LIKE pattern ESCAPE escape` where the pattern is no
//! literal.
//!
//! An empty escape means that there is none, one of more than a character is 22025; so is a pattern that ends with its
//! escape character, if the match comes so far. NULL gives NULL.
//! <https://www.postgresql.org/docs/16/functions-matching.html#FUNCTIONS-LIKE>
//!
//! ```sql
//! SELECT lakegate_like('50%', '50!%', '!');  -- true
//! ```

use std::sync::Arc;

use arrow::array::ArrayRef;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::like_escape::escape;
use crate::Error;
use crate::function::{Args, Overload, Ty, function, overload, some};

/// `lakegate_like`.
pub fn like() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload(&[Ty::Text, Ty::Text, Ty::Text], Ty::Bool, |args| kernel(args, |c| c))];
    function("lakegate_like", &OVERLOADS)
}

/// `lakegate_ilike`.
pub fn ilike() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] =
        [overload(&[Ty::Text, Ty::Text, Ty::Text], Ty::Bool, |args| kernel(args, super::posix::lower))];
    function("lakegate_ilike", &OVERLOADS)
}

/// A piece of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    Char(char),
    One,
    Many,
    /// An escape character that escapes nothing.
    Nothing,
}

fn kernel(args: &Args<'_>, fold: fn(char) -> char) -> Result<ArrayRef> {
    let (texts, patterns, escapes) = (args.text(0)?, args.text(1)?, args.text(2)?);
    let (mut chars, mut pieces) = (Vec::new(), Vec::new());
    args.build_bool(|row| {
        let (text, pattern) = (some!(texts.get(row)), some!(patterns.get(row)));
        let escape = escape(some!(escapes.get(row)))?;
        chars.clear();
        chars.extend(text.chars().map(fold));
        read(pattern, escape, fold, &mut pieces);
        Ok(Some(matched(&chars, &pieces)?))
    })
}

/// Whether a text is like a pattern whose escape character is the backslash.
pub(super) fn is_like(text: &str, pattern: &str, fold: fn(char) -> char) -> Result<bool, Error> {
    let chars: Vec<char> = text.chars().map(fold).collect();
    let mut pieces = Vec::new();
    read(pattern, Some('\\'), fold, &mut pieces);
    matched(&chars, &pieces)
}

fn read(pattern: &str, escape: Option<char>, fold: fn(char) -> char, pieces: &mut Vec<Piece>) {
    pieces.clear();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        pieces.push(match c {
            c if Some(c) == escape => chars.next().map_or(Piece::Nothing, |c| Piece::Char(fold(c))),
            '%' => Piece::Many,
            '_' => Piece::One,
            c => Piece::Char(fold(c)),
        });
    }
}

/// PostgreSQL's `MatchText`; only the last `%` is ever taken back, as an earlier one could not match more.
fn matched(text: &[char], pattern: &[Piece]) -> Result<bool, Error> {
    let (mut at, mut piece) = (0, 0);
    // Behind the last `%`, and where its match ends so far.
    let mut back: Option<(usize, usize)> = None;
    while let Some(c) = text.get(at) {
        match pattern.get(piece) {
            Some(Piece::Many) => {
                while matches!(pattern.get(piece), Some(Piece::Many)) {
                    piece += 1;
                }
                if piece == pattern.len() {
                    return Ok(true);
                }
                back = Some((piece, at));
                continue;
            }
            Some(Piece::Nothing) => {
                return Err(Error::InvalidEscape("LIKE pattern must not end with escape character".to_owned()));
            }
            Some(Piece::One) => (at, piece) = (at + 1, piece + 1),
            Some(Piece::Char(expected)) if expected == c => (at, piece) = (at + 1, piece + 1),
            _ => match back {
                Some((behind, from)) => {
                    (piece, at) = (behind, from + 1);
                    back = Some((behind, from + 1));
                }
                None => return Ok(false),
            },
        }
    }
    Ok(pattern.get(piece..).unwrap_or_default().iter().all(|piece| *piece == Piece::Many))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{shown, text};

    #[test]
    fn patterns_match_as_in_postgres() {
        for (given, pattern, expect) in [
            ("50%", "50X%", "true"),
            ("501", "50X%", "false"),
            ("aXb", "%XX%", "true"),
            ("abcabd", "%ab_", "true"),
            ("abcabd", "a%b%d", "true"),
            ("", "%%", "true"),
            ("", "_", "false"),
            ("bb", "aX", "false"),
            ("ab", "aX", "LIKE pattern must not end with escape character"),
            ("a", "aX", "false"),
            ("a\\b", "a\\b", "true"),
        ] {
            assert_eq!(shown(&like(), &[text(given), text(pattern), text("X")]), expect, "{given} {pattern}");
        }
        assert_eq!(shown(&ilike(), &[text("ÀB"), text("à_"), text("")]), "true");
        assert_eq!(shown(&like(), &[text("a"), text("a"), text("xy")]), "invalid escape string");
    }
}
