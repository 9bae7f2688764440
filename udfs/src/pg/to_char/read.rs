//! `to_number(text, pattern text) -> numeric` - reads a number after a pattern such as `99G999D9S`.
//!
//! Digits, sign and point are taken where the pattern allows them; every other character of the pattern skips one of the
//! text, as PostgreSQL's `NUM_processor` does in the C locale. An empty pattern or NULL gives NULL, no number is 22P02.
//! Unlike there, zeros at the end of the fraction do not show.
//! <https://www.postgresql.org/docs/16/functions-formatting.html>
//!
//! ```sql
//! SELECT to_number('12,454.8-', '99G999D9S');  -- -12454.8
//! ```

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Decimal128Type};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::number::{Node, Pattern};
use crate::Error;
use crate::function::{Args, Overload, Returns, Ty, function, overload_of, some};
use crate::pg::numeric::digits;
use crate::pg::numeric::kind::OWN;

/// The function.
pub fn to_number() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload_of(&[Ty::Text, Ty::Text], Returns::From(|_| OWN), kernel)];
    function("to_number", &OVERLOADS)
}

fn kernel(args: &Args<'_>) -> Result<ArrayRef> {
    let (texts, patterns) = (args.text(0)?, args.text(1)?);
    let DataType::Decimal128(_, scale) = OWN else { return datafusion::common::exec_err!("a numeric is a decimal") };
    let mut last: Option<(&str, Pattern)> = None;
    args.build::<Decimal128Type>(|row| {
        let (text, written) = (some!(texts.get(row)), some!(patterns.get(row)));
        if written.is_empty() {
            return Ok(None);
        }
        let pattern = match last.take() {
            Some((known, pattern)) if known == written => pattern,
            _ => Pattern::parse(written)?,
        };
        let number = Reader::new(text, &pattern).run()?;
        last = Some((written, pattern));
        let wrong = || Error::InvalidText { of: "numeric", value: number.clone() };
        let read = digits::read(&number).ok_or_else(wrong)?;
        Ok(Some(read.mantissa(i32::from(scale)).ok_or(Error::NumericOverflow("value"))?))
    })
}

/// The text as far as it is read, and the number read from it.
struct Reader<'a> {
    rest: &'a str,
    pattern: &'a Pattern,
    sign: char,
    digits: String,
    /// Whether the point was read.
    point: bool,
    /// Digits read behind it.
    after: usize,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str, pattern: &'a Pattern) -> Self {
        Self { rest: text, pattern, sign: ' ', digits: String::new(), point: false, after: 0 }
    }

    fn run(mut self) -> Result<String, Error> {
        if self.pattern.is_roman() || self.pattern.is_scientific() {
            let what = if self.pattern.is_roman() { "RN" } else { "EEEE" };
            return Err(Error::Unsupported(format!("\"{what}\" not supported for input")));
        }
        for node in self.pattern.nodes() {
            let Some(next) = self.rest.chars().next() else { break };
            match node {
                Node::Digit(_) | Node::Point => self.part(matches!(node, Node::Digit(_))),
                Node::Group if next == ',' => {}
                Node::Group | Node::Anchored => continue,
                Node::Minus if next == '-' => self.sign = '-',
                Node::Plus if next == '+' => self.sign = '+',
                Node::Sign if matches!(next, '-' | '+') => self.sign = next,
                Node::Minus | Node::Plus | Node::Sign | Node::Currency => {
                    self.skip_others(1);
                    continue;
                }
                Node::Ordinal { .. } => {
                    if self.sign != '-' && !self.pattern.point {
                        self.skip_others(2);
                    }
                    continue;
                }
                Node::Literal(_) => {}
                Node::Roman { .. }
                | Node::Brackets
                | Node::Fill
                | Node::Shift
                | Node::Exponent
                | Node::Blank
                | Node::Nothing => continue,
            }
            self.advance();
        }
        let digits = self.digits.strip_suffix('.').unwrap_or(&self.digits);
        Ok(if self.sign == ' ' && !digits.is_empty() { digits.to_owned() } else { format!("{}{digits}", self.sign) })
    }

    fn advance(&mut self) {
        let mut chars = self.rest.chars();
        chars.next();
        self.rest = chars.as_str();
    }

    fn next(&self) -> Option<char> {
        self.rest.chars().next()
    }

    /// Characters that are no part of a number.
    fn skip_others(&mut self, count: usize) {
        for _ in 0..count {
            match self.next() {
                Some(c) if !matches!(c, '0'..='9' | '.' | ',' | '+' | '-') => self.advance(),
                _ => break,
            }
        }
    }

    /// A digit or the point, with a sign before or behind; PostgreSQL's `NUM_numpart_from_char`.
    fn part(&mut self, is_digit: bool) {
        if self.next() == Some(' ') {
            self.advance();
        }
        if is_digit && self.sign == ' ' && self.digits.is_empty() {
            self.leading_sign();
        }
        let Some(next) = self.next() else { return };
        let mut read = false;
        if next.is_ascii_digit() {
            if self.point && self.after == self.pattern.after {
                return;
            }
            self.digits.push(next);
            self.after += usize::from(self.point);
            read = true;
        } else if self.pattern.point && !self.point && next == '.' {
            self.digits.push('.');
            self.point = true;
            read = true;
        }
        if self.sign == ' ' && self.digits.contains(|c: char| c.is_ascii_digit()) {
            self.trailing_sign(next, read);
        }
    }

    fn leading_sign(&mut self) {
        let brackets = self.pattern.brackets;
        match self.next() {
            Some('-') => self.sign = '-',
            Some('<') if brackets => self.sign = '-',
            Some('+') => self.sign = '+',
            _ => return,
        }
        self.advance();
    }

    /// The sign of `S` stands behind the last digit, any other where a digit could have stood.
    fn trailing_sign(&mut self, next: char, read: bool) {
        let anchored = self.pattern.nodes().contains(&Node::Anchored);
        if anchored && read {
            let mut behind = self.rest.chars();
            behind.next();
            if let Some(sign @ ('-' | '+')) = behind.clone().next() {
                self.sign = sign;
                self.rest = behind.as_str();
            }
        } else if !(anchored || read || self.pattern.plus || self.pattern.minus) && matches!(next, '-' | '+') {
            self.sign = next;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_in_postgres() {
        // Recorded from PostgreSQL 15.
        for (text, pattern, expect) in [
            ("12,454.8-", "99G999D9S", Ok("-12454.8")),
            ("-34,338,492", "99G999G999", Ok("-34338492")),
            ("-34,338,492.654,878", "99G999G999D999G999", Ok("-34338492.654878")),
            ("<564646.654564>", "999999.999999PR", Ok("-564646.654564")),
            ("0.00001-", "9.999999S", Ok("-0.00001")),
            ("5.01-", "FM9.999999S", Ok("-5.01")),
            ("5 4 4 4 4 8 . 7 8", "9 9 9 9 9 9 . 9 9", Ok("544448.78")),
            (".01", "FM9.99", Ok(".01")),
            ("34,50", "999,99", Ok("3450")),
            ("123,000", "999G", Ok("123")),
            ("$1,234.56", "L99,999.99", Ok("1234.56")),
            ("1234.56", "L99,999.99", Ok("1234.56")),
            ("42nd", "99th", Ok("42")),
            ("  7", "999", Ok("7")),
            ("abc", "999", Ok(" ")),
        ] {
            let read = Reader::new(text, &Pattern::parse(pattern).unwrap()).run();
            assert_eq!(read.as_deref(), expect.as_deref(), "{text} {pattern}");
        }
    }
}
