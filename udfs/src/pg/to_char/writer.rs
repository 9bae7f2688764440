//! Writes a number after a pattern, as `NUM_processor` and `NUM_numpart_to_char` do in the C locale.
//!
//! Owns: where digits, signs and blanks go. PostgreSQL's answer ends where its pattern asks for digits that the number
//! does not have: it writes the end of the string there.

use std::fmt::Write;

use super::digits::Shown;
use super::number::{Anchor, Node, Pattern};
use super::time::ordinal_suffix;
use crate::Error;

pub(super) fn write(pattern: &Pattern, shown: &Shown) -> Result<String, Error> {
    let mut writer = Writer::new(pattern, shown);
    for node in pattern.nodes() {
        writer.node(*node)?;
        if writer.ended {
            break;
        }
    }
    Ok(writer.out)
}

/// Of a pattern with `RN` only this, literals and the blanks of the rest are left.
pub(super) fn roman(pattern: &Pattern, number: i64) -> String {
    let numeral = numeral(number);
    let mut out = String::new();
    for node in pattern.nodes() {
        match node {
            Node::Roman { upper } => {
                let text = if *upper { numeral.clone() } else { numeral.to_lowercase() };
                let width = if pattern.fill { 0 } else { 15 };
                let _ = write!(out, "{text:>width$}");
            }
            Node::Currency => out.push(' '),
            Node::Group | Node::Minus | Node::Plus if !pattern.fill => out.push(' '),
            // It has no sign, which ends the string.
            Node::Sign => break,
            Node::Literal(c) => out.push(*c),
            _ => {}
        }
    }
    out
}

fn numeral(number: i64) -> String {
    const STEPS: [(usize, &str); 13] = [
        (1000, "M"),
        (900, "CM"),
        (500, "D"),
        (400, "CD"),
        (100, "C"),
        (90, "XC"),
        (50, "L"),
        (40, "XL"),
        (10, "X"),
        (9, "IX"),
        (5, "V"),
        (4, "IV"),
        (1, "I"),
    ];
    let mut left = match usize::try_from(number) {
        Ok(number @ 1..=3_999) => number,
        _ => return "#".repeat(15),
    };
    let mut text = String::new();
    for (step, letters) in STEPS {
        text.push_str(&letters.repeat(left / step));
        left %= step;
    }
    text
}

/// Goes through the nodes once.
struct Writer<'a> {
    pattern: &'a Pattern,
    shown: &'a Shown,
    number: &'a [u8],
    brackets: bool,
    anchor: Option<Anchor>,
    out: String,
    sign_written: bool,
    /// Digits of the pattern, as far as signs are concerned.
    count: usize,
    /// The last digit behind the point that `FM` keeps, or the point.
    relevant: Option<usize>,
    inside: bool,
    /// Digits and points of the pattern passed.
    current: usize,
    /// The next character of the number.
    next: usize,
    ended: bool,
}

impl<'a> Writer<'a> {
    fn new(pattern: &'a Pattern, shown: &'a Shown) -> Self {
        let separate = pattern.plus || pattern.minus;
        let plain = pattern.fill && !separate && !shown.negative;
        let anchor = match pattern.anchor {
            Some(Anchor::Before) if !separate && shown.before == pattern.anchored_at => Some(Anchor::Behind),
            anchor => anchor,
        };
        let sign_written = if separate { pattern.minus } else { plain && anchor.is_none() };
        let digits = shown.before + shown.after;
        Self {
            pattern,
            shown,
            number: shown.text.as_bytes(),
            brackets: pattern.brackets && !plain,
            anchor,
            out: String::with_capacity(pattern.nodes().len() + 1),
            sign_written,
            // One less than the digits, and one more where the sign needs a place.
            count: digits + usize::from(!sign_written && shown.empty == 0),
            relevant: relevant(pattern, shown),
            inside: false,
            current: 0,
            next: 0,
            ended: false,
        }
    }

    fn node(&mut self, node: Node) -> Result<(), Error> {
        let (negative, fill) = (self.shown.negative, self.pattern.fill);
        match node {
            Node::Digit(_) | Node::Point => self.part(node),
            Node::Group if self.inside => self.out.push(','),
            Node::Minus if negative => self.out.push('-'),
            Node::Plus if !negative => self.out.push('+'),
            Node::Group | Node::Minus | Node::Plus => self.blank(!fill),
            Node::Currency => self.out.push(' '),
            Node::Sign => self.out.push(if negative { '-' } else { '+' }),
            Node::Ordinal { upper } if !negative && !self.pattern.point && self.number.first() != Some(&b'#') => {
                if !self.number.last().is_some_and(u8::is_ascii_digit) {
                    return Err(Error::InvalidPathElement(format!("\"{}\" is not a number", self.shown.text)));
                }
                let suffix = ordinal_suffix(&self.shown.text);
                self.out.push_str(&if upper { suffix.to_uppercase() } else { suffix.to_owned() });
            }
            Node::Literal(c) => self.out.push(c),
            _ => {}
        }
        Ok(())
    }

    fn blank(&mut self, wanted: bool) {
        if wanted {
            self.out.push(' ');
        }
    }

    /// Whether the number has begun at this place of the pattern, with its digits or with zeros.
    fn zeros(&self) -> bool {
        self.pattern.zero_start.is_some_and(|start| start <= self.current)
    }

    /// Of 0.5 no `9` shows the whole part.
    fn hides_zero(&self) -> bool {
        let zero = self.next == 0 && self.number.first() == Some(&b'0');
        zero && self.pattern.zero_start.is_none() && self.shown.after != 0
    }

    /// Whether nothing behind the point is kept.
    fn ends_at_point(&self) -> bool {
        self.relevant.is_some_and(|at| self.number.get(at) == Some(&b'.'))
    }

    fn part(&mut self, node: Node) {
        self.inside = false;
        let begins = self.current >= self.shown.empty || self.pattern.zero_start == Some(self.current);
        if !self.sign_written && begins && (!self.hides_zero() || self.ends_at_point()) {
            self.sign();
        }
        if self.current < self.shown.empty {
            if self.zeros() {
                self.out.push('0');
                self.inside = true;
            } else {
                self.blank(!self.pattern.fill);
            }
        } else {
            self.digit(node);
            if self.ended {
                return;
            }
            self.next += usize::from(self.next < self.number.len());
        }
        self.behind();
        self.current += 1;
    }

    fn digit(&mut self, node: Node) {
        let cut = self.relevant.is_some_and(|at| self.next > at) && node != Node::Digit(true);
        match self.number.get(self.next) {
            Some(b'.') => {
                if !self.ends_at_point() || self.pattern.fill {
                    self.out.push('.');
                }
            }
            _ if cut => {}
            Some(_) if self.hides_zero() => {
                if !self.pattern.fill {
                    self.out.push(' ');
                } else if self.ends_at_point() {
                    self.out.push('0');
                }
            }
            Some(digit) => {
                self.out.push(char::from(*digit));
                self.inside = true;
            }
            None => self.ended = true,
        }
    }

    /// The sign in front of the number, once.
    fn sign(&mut self) {
        let negative = self.shown.negative;
        match self.anchor {
            Some(Anchor::Behind) => return,
            Some(Anchor::Before) => self.out.push(if negative { '-' } else { '+' }),
            None if self.brackets => self.out.push(if negative { '<' } else { ' ' }),
            None if negative => self.out.push('-'),
            None => self.blank(!self.pattern.fill),
        }
        self.sign_written = true;
    }

    /// The sign behind the last digit.
    fn behind(&mut self) {
        let places = self.count + usize::from(self.shown.empty > 0) + usize::from(self.pattern.point);
        // `count` is one more than PostgreSQL's.
        if self.relevant == Some(self.next) || self.current + 2 != places {
            return;
        }
        let negative = self.shown.negative;
        if self.sign_written && self.brackets {
            self.out.push(if negative { '>' } else { ' ' });
        } else if self.anchor == Some(Anchor::Behind) {
            self.out.push(if negative { '-' } else { '+' });
        }
    }
}

/// The last digit behind the point that is not zero or that a `0` asks for, or the point; only `FM` looks for it.
fn relevant(pattern: &Pattern, shown: &Shown) -> Option<usize> {
    if !pattern.fill || !pattern.point {
        return None;
    }
    let point = shown.text.find('.')?;
    let fraction = shown.text.get(point + 1..)?.trim_end_matches('0').len();
    let asked = match pattern.zero_end.checked_sub(shown.empty) {
        Some(asked @ 1..) => asked.min(shown.text.len() - 1),
        _ => 0,
    };
    Some((point + fraction).max(asked))
}
