//! What stands behind a backslash.
//!
//! Owns: the escapes of advanced expressions.
//! <https://www.postgresql.org/docs/16/functions-matching.html#POSIX-CHARACTER-ENTRY-ESCAPES-TABLE>

use super::Mistake;
use super::parse::{ESCAPE, Parser};
use super::syntax::Assert;

pub(super) enum Escape {
    /// `None` is a number that is no character, which no text has.
    Plain(Option<char>),
    /// A class, and whether all but it is meant.
    Class(&'static str, bool),
    Place(Assert),
    Group(usize),
}

/// The largest number that PostgreSQL takes for a character.
const CHARACTER_MAX: u32 = 0x7fff_fffe;

impl Escape {
    pub(super) fn read(parser: &mut Parser<'_>) -> Result<Self, Mistake> {
        let whole = parser.rest;
        let Some(c) = parser.next() else { return Err(ESCAPE) };
        Ok(match c {
            'a' => Self::Plain(Some('\u{7}')),
            'A' => Self::Place(Assert::Start),
            'b' => Self::Plain(Some('\u{8}')),
            'B' => Self::Plain(Some('\\')),
            'c' => {
                let c = parser.next().ok_or(ESCAPE)?;
                Self::Plain(char::from_u32(u32::from(c) & 0o37))
            }
            'd' => Self::Class("digit", false),
            'D' => Self::Class("digit", true),
            'e' => Self::Plain(Some('\u{1b}')),
            'f' => Self::Plain(Some('\u{c}')),
            'm' => Self::Place(Assert::WordStart),
            'M' => Self::Place(Assert::WordEnd),
            'n' => Self::Plain(Some('\n')),
            'r' => Self::Plain(Some('\r')),
            's' => Self::Class("space", false),
            'S' => Self::Class("space", true),
            't' => Self::Plain(Some('\t')),
            'u' => Self::character(parser.number(16, 4, 4)?)?,
            'U' => Self::character(parser.number(16, 8, 8)?)?,
            'v' => Self::Plain(Some('\u{b}')),
            'w' => Self::Class("word", false),
            'W' => Self::Class("word", true),
            'x' => Self::character(parser.number(16, 1, 255)?)?,
            'y' => Self::Place(Assert::WordEdge),
            'Y' => Self::Place(Assert::NoWordEdge),
            'Z' => Self::Place(Assert::End),
            '0'..='9' => {
                if c != '0' {
                    let (number, rest) = digits(whole, 10, 1, 255).ok_or(ESCAPE)?;
                    let group = usize::try_from(number).unwrap_or(usize::MAX);
                    // One digit is always a group's; more are, if there is such a group.
                    if whole.len() - rest.len() == 1 || (1..=parser.groups.len()).contains(&group) {
                        parser.rest = rest;
                        return Ok(Self::Group(group));
                    }
                }
                let (number, rest) = digits(whole, 8, 1, 3).ok_or(ESCAPE)?;
                let (number, rest) = match digits(whole, 8, 1, 2) {
                    // The third digit is too much.
                    Some(shorter) if number > 0xff => shorter,
                    _ => (number, rest),
                };
                parser.rest = rest;
                Self::character(number)?
            }
            c if c.is_ascii_alphanumeric() => return Err(ESCAPE),
            c => Self::Plain(Some(c)),
        })
    }

    fn character(number: u32) -> Result<Self, Mistake> {
        if number > CHARACTER_MAX { Err(ESCAPE) } else { Ok(Self::Plain(char::from_u32(number))) }
    }
}

/// The number of the digits at the beginning; it wraps at 32 bits.
pub(super) fn digits(text: &str, base: u32, least: usize, most: usize) -> Option<(u32, &str)> {
    let count = text.chars().take(most).take_while(|c| c.is_digit(base)).count();
    let (digits, rest) = text.split_at_checked(count)?;
    let number = digits
        .chars()
        .filter_map(|c| c.to_digit(base))
        .fold(0_u32, |number, digit| number.wrapping_mul(base).wrapping_add(digit));
    (count >= least).then_some((number, rest))
}
