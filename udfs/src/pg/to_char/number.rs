//! The patterns of numbers, such as `FM999,990.00`, read as PostgreSQL's `NUMDesc_prepare` does.
//!
//! Owns: which pieces may stand together, and what they add up to; it serves both directions.
//! <https://www.postgresql.org/docs/16/functions-formatting.html#FUNCTIONS-FORMATTING-NUMERIC-TABLE>

use super::digits::Value;
use super::{scientific, writer};
use crate::Error;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Node {
    /// `9`, or `0` when true.
    Digit(bool),
    Point,
    Group,
    Minus,
    Plus,
    Sign,
    Anchored,
    Currency,
    Ordinal {
        upper: bool,
    },
    Roman {
        upper: bool,
    },
    Brackets,
    Fill,
    Shift,
    Exponent,
    /// `B` before any digit, which says no more than that.
    Blank,
    /// `C` and `SP`, which have no effect.
    Nothing,
    Literal(char),
}

/// Where the sign of `S` goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Before,
    Behind,
}

/// A pattern, read once.
#[derive(Debug, Default)]
pub(super) struct Pattern {
    nodes: Vec<Node>,
    pub(super) fill: bool,
    pub(super) brackets: bool,
    pub(super) minus: bool,
    pub(super) plus: bool,
    pub(super) point: bool,
    roman: bool,
    exponent: bool,
    blank: bool,
    multi: bool,
    /// `S`, and how many digits stood before it.
    pub(super) anchor: Option<Anchor>,
    pub(super) anchored_at: usize,
    /// Digits before the point, `0` behind `V` included.
    pub(super) before: usize,
    pub(super) after: usize,
    /// `9` behind `V`.
    pub(super) shift: usize,
    /// The position of the first `0` before the point, and behind which digit the last one stands.
    pub(super) zero_start: Option<usize>,
    pub(super) zero_end: usize,
}

/// In each list the longer names come first.
const NODES: [(&str, &str, Node); 18] = [
    ("EEEE", "eeee", Node::Exponent),
    ("FM", "fm", Node::Fill),
    ("MI", "mi", Node::Minus),
    ("PL", "pl", Node::Plus),
    ("PR", "pr", Node::Brackets),
    ("SG", "sg", Node::Sign),
    ("SP", "sp", Node::Nothing),
    (",", ",", Node::Group),
    (".", ".", Node::Point),
    ("0", "0", Node::Digit(true)),
    ("9", "9", Node::Digit(false)),
    ("B", "b", Node::Blank),
    ("C", "c", Node::Nothing),
    ("D", "d", Node::Point),
    ("G", "g", Node::Group),
    ("L", "l", Node::Currency),
    ("S", "s", Node::Anchored),
    ("V", "v", Node::Shift),
];

impl Pattern {
    /// 42601 for pieces that may not stand together.
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        let mut pattern = Self::default();
        let mut rest = text;
        while !rest.is_empty() {
            rest = match node(rest) {
                Some((node, tail)) => {
                    pattern.add(node)?;
                    pattern.nodes.push(node);
                    tail
                }
                None => literal(rest, &mut pattern.nodes),
            };
        }
        Ok(pattern)
    }

    fn add(&mut self, node: Node) -> Result<(), Error> {
        if self.exponent && node != Node::Exponent {
            return wrong("\"EEEE\" must be the last pattern used");
        }
        let signs = self.plus || self.minus;
        match node {
            Node::Digit(zero) => self.digit(zero)?,
            Node::Point if self.point => return wrong("multiple decimal points"),
            Node::Point if self.multi => return wrong("cannot use \"V\" and decimal point together"),
            Node::Shift if self.point => return wrong("cannot use \"V\" and decimal point together"),
            Node::Point => self.point = true,
            Node::Shift => self.multi = true,
            Node::Fill => self.fill = true,
            Node::Roman { .. } => self.roman = true,
            Node::Blank => self.blank |= self.before == 0 && self.after == 0 && self.zero_start.is_none(),
            Node::Anchored if self.anchor.is_some() => return wrong("cannot use \"S\" twice"),
            Node::Anchored if signs || self.brackets => {
                return wrong("cannot use \"S\" and \"PL\"/\"MI\"/\"SG\"/\"PR\" together");
            }
            Node::Anchored => {
                self.anchor = Some(if self.point { Anchor::Behind } else { Anchor::Before });
                self.anchored_at = self.before;
            }
            Node::Minus if self.anchor.is_some() => return wrong("cannot use \"S\" and \"MI\" together"),
            Node::Plus if self.anchor.is_some() => return wrong("cannot use \"S\" and \"PL\" together"),
            Node::Sign if self.anchor.is_some() => return wrong("cannot use \"S\" and \"SG\" together"),
            Node::Minus | Node::Plus | Node::Sign => {
                self.minus |= node != Node::Plus;
                self.plus |= node != Node::Minus;
            }
            Node::Brackets if self.anchor.is_some() || signs => {
                return wrong("cannot use \"PR\" and \"S\"/\"PL\"/\"MI\"/\"SG\" together");
            }
            Node::Brackets => self.brackets = true,
            Node::Exponent => self.exponent()?,
            Node::Group | Node::Currency | Node::Ordinal { .. } | Node::Nothing | Node::Literal(_) => {}
        }
        Ok(())
    }

    fn digit(&mut self, zero: bool) -> Result<(), Error> {
        match (zero, self.brackets) {
            (true, true) => return wrong("\"0\" must be ahead of \"PR\""),
            (false, true) => return wrong("\"9\" must be ahead of \"PR\""),
            (false, false) if self.multi => {
                self.shift += 1;
                return Ok(());
            }
            _ if self.point => self.after += 1,
            _ => {
                if zero {
                    self.zero_start.get_or_insert(self.before);
                }
                self.before += 1;
            }
        }
        if zero {
            self.zero_end = self.before + self.after;
        }
        Ok(())
    }

    fn exponent(&mut self) -> Result<(), Error> {
        if self.exponent {
            return wrong("cannot use \"EEEE\" twice");
        }
        let signs = self.anchor.is_some() || self.brackets || self.minus || self.plus;
        if self.blank || self.fill || signs || self.roman || self.multi {
            return Err(Error::PatternSyntax {
                message: "\"EEEE\" is incompatible with other formats",
                detail: Some("\"EEEE\" may only be used together with digit and decimal point patterns."),
            });
        }
        self.exponent = true;
        Ok(())
    }

    pub(super) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    pub(super) fn is_roman(&self) -> bool {
        self.roman
    }

    pub(super) fn is_scientific(&self) -> bool {
        self.exponent
    }

    /// The number's text.
    pub(super) fn write(&self, value: Value) -> Result<String, Error> {
        if self.nodes.is_empty() {
            return Ok(String::new());
        }
        if self.roman {
            return Ok(writer::roman(self, value.roman()?));
        }
        if self.exponent {
            return Ok(scientific::write(value, self.before, self.after));
        }
        let shown = value.shown(self)?;
        writer::write(self, &shown)
    }
}

fn wrong<T>(message: &'static str) -> Result<T, Error> {
    Err(Error::PatternSyntax { message, detail: None })
}

fn node(text: &str) -> Option<(Node, &str)> {
    let cased = [
        ("TH", Node::Ordinal { upper: true }),
        ("th", Node::Ordinal { upper: false }),
        ("RN", Node::Roman { upper: true }),
        ("rn", Node::Roman { upper: false }),
    ];
    let exact = cased.iter().find_map(|(name, node)| Some((*node, text.strip_prefix(name)?)));
    exact.or_else(|| {
        NODES.iter().find_map(|(upper, lower, node)| {
            Some((*node, text.strip_prefix(upper).or_else(|| text.strip_prefix(lower))?))
        })
    })
}

/// What is no piece stands for itself; quotes and backslashes mean what they mean in the patterns of times.
fn literal<'a>(text: &'a str, nodes: &mut Vec<Node>) -> &'a str {
    let (texts, tail) = super::pattern::literal(text);
    nodes.extend(texts.into_iter().map(Node::Literal));
    tail
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_postgres_s() {
        for (mantissa, scale, pattern, expect) in [
            (1_234_567, 3, "9999.99", " 1234.57"),
            (1_234_567, 3, "9,999.9", " 1,234.6"),
            (-1_234_567, 3, "9999.99MI", "1234.57-"),
            (-12, 0, "999PR", " <12>"),
            (12, 0, "999PR", "  12 "),
            (12, 0, "S999", " +12"),
            (12, 0, "999S", " 12+"),
            (-12, 0, "SG999", "- 12"),
            (5, 1, "9.99", "  .50"),
            (5, 1, "0.99", " 0.50"),
            (5, 1, "FM999.99", ".5"),
            (12, 0, "FM0000", "0012"),
            (12_345, 0, "999", " ###"),
            (1, 0, "99th", "  1st"),
            (2, 0, "FM99TH", "2ND"),
            (485, 0, "RN", "        CDLXXXV"),
            (485, 0, "FMRN", "CDLXXXV"),
            (124, 1, "99V9", " 124"),
            (0, 0, "FM9.9", "0."),
            (1_485, 1, "999D999", " 148.500"),
            (-1, 1, "99.99", "  -.10"),
            (12, 0, "L99", "  12"),
            (1_234_567, 0, "9G999G999", " 1,234,567"),
            (12, 5, "9.999EEEE", " 1.200e-04"),
            (12, 0, "\"v\" 99", "v  12"),
            (125, 1, "FM99.00", "12.50"),
            (12, 0, "000999", " 000012"),
            (0, 0, "999", "   0"),
            (123, 0, "PL999", "+ 123"),
            (5, 0, "99%", "  5%"),
            (-5, 0, "FM999MI", "5-"),
            (1_250, 2, "FM990.009", "12.50"),
        ] {
            assert_eq!(
                Pattern::parse(pattern).and_then(|read| read.write(Value::Exact(mantissa, scale))).as_deref(),
                Ok(expect),
                "{pattern}"
            );
        }
        let write = |pattern: &str, value| Pattern::parse(pattern).and_then(|read| read.write(value));
        for (pattern, value, expect) in [
            ("9.99EEEE", Value::Float(1e10), " 1.00e+10"),
            ("9.99EEEE", Value::Exact(9_996, 3), " 10.00e+00"),
            ("9.99EEEE", Value::Float(9.996), " 1.00e+01"),
            ("9.99EEEE", Value::Long(99_960_000_000), " 10.00e+10"),
            ("9.99EEEE", Value::Float(f64::NAN), " #.######"),
            ("9.99", Value::Float(-0.004), " -.00"),
            ("9.99", Value::Exact(-4, 3), "  .00"),
            ("9V9999999999", Value::Int(2), "           0"),
            ("RNSG99xx", Value::Int(12), "            XII"),
            ("RNMI99PLx,LGth", Value::Int(12), "            XII  x   "),
            ("FMRN", Value::Float(2.5), "II"),
            ("FMRN", Value::Exact(25, 1), "III"),
            ("9Mi", Value::Int(1), " 1Mi"),
            ("FM99.", Value::Exact(1_234, 2), "12"),
            ("S", Value::Int(-12), ""),
        ] {
            assert_eq!(write(pattern, value).as_deref(), Ok(expect), "{pattern}");
        }
        for (pattern, expect) in [
            ("9.9.9", "multiple decimal points"),
            ("9V.9", "cannot use \"V\" and decimal point together"),
            ("9.V9", "cannot use \"V\" and decimal point together"),
            ("S9S", "cannot use \"S\" twice"),
            ("PR9", "\"9\" must be ahead of \"PR\""),
            ("99EEEE9", "\"EEEE\" must be the last pattern used"),
            ("MI9EEEE", "\"EEEE\" is incompatible with other formats"),
        ] {
            assert_eq!(Pattern::parse(pattern).err().map(|error| error.to_string()).as_deref(), Some(expect));
        }
        assert_eq!(write("th", Value::Int(5)), Err(Error::InvalidPathElement("\".\" is not a number".to_owned())));
    }
}
