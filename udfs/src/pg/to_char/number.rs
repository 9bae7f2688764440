//! Writes a number after a pattern such as `FM999,990.00`, as `NUM_processor` does in the C locale.
//!
//! Owns: the patterns of numbers.
//! <https://www.postgresql.org/docs/16/functions-formatting.html#FUNCTIONS-FORMATTING-NUMERIC-TABLE>

use super::digits::Value;
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
    Literal(char),
}

/// A pattern, read once.
#[derive(Debug, Default)]
pub(super) struct Pattern {
    nodes: Vec<Node>,
    fill: bool,
    brackets: bool,
    roman: Option<bool>,
    exponent: bool,
    /// Digits before the point, those after `V` included.
    before: usize,
    after: usize,
    shift: usize,
}

impl Pattern {
    pub(super) fn parse(text: &str) -> Self {
        let mut pattern = Self::default();
        let (mut rest, mut point, mut shifted) = (text, false, false);
        while let Some(first) = rest.chars().next() {
            if first == '"' {
                let body = &rest[1..];
                let (quoted, tail) = body.split_once('"').unwrap_or((body, ""));
                pattern.nodes.extend(quoted.chars().map(Node::Literal));
                rest = tail;
                continue;
            }
            let two = rest.get(..2).map(str::to_ascii_uppercase).unwrap_or_default();
            let (node, length) = match (two.as_str(), first.to_ascii_uppercase()) {
                ("FM", _) => {
                    pattern.fill = true;
                    (None, 2)
                }
                ("PR", _) => {
                    pattern.brackets = true;
                    (None, 2)
                }
                ("RN", _) => {
                    pattern.roman = Some(first == 'R');
                    (None, 2)
                }
                ("EE", _) if rest.get(..4).is_some_and(|four| four.eq_ignore_ascii_case("EEEE")) => {
                    pattern.exponent = true;
                    (None, 4)
                }
                ("MI", _) => (Some(Node::Minus), 2),
                ("PL", _) => (Some(Node::Plus), 2),
                ("SG", _) => (Some(Node::Sign), 2),
                ("TH", _) => (Some(Node::Ordinal { upper: first == 'T' }), 2),
                (_, '9' | '0') => {
                    if point {
                        pattern.after += 1;
                    } else {
                        pattern.before += 1;
                        pattern.shift += usize::from(shifted);
                    }
                    (Some(Node::Digit(first == '0')), 1)
                }
                (_, '.' | 'D') if !point => {
                    point = true;
                    (Some(Node::Point), 1)
                }
                (_, 'V') => {
                    shifted = true;
                    (None, 1)
                }
                (_, ',' | 'G') => (Some(Node::Group), 1),
                (_, 'S') => (Some(Node::Anchored), 1),
                (_, 'L') => (Some(Node::Currency), 1),
                _ => (Some(Node::Literal(first)), first.len_utf8()),
            };
            pattern.nodes.extend(node);
            rest = &rest[length..];
        }
        pattern
    }

    pub(super) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    pub(super) fn is_roman(&self) -> bool {
        self.roman.is_some()
    }

    pub(super) fn is_scientific(&self) -> bool {
        self.exponent
    }

    pub(super) fn has_brackets(&self) -> bool {
        self.brackets
    }

    pub(super) fn has_point(&self) -> bool {
        self.nodes.contains(&Node::Point)
    }

    /// Whether a sign has a place of its own, other than `S`.
    pub(super) fn has_separate_sign(&self) -> bool {
        self.nodes.iter().any(|node| matches!(node, Node::Minus | Node::Plus | Node::Sign))
    }

    /// Digits behind the point.
    pub(super) fn decimals(&self) -> usize {
        self.after
    }

    /// The number's text; 22P02 for what no pattern can take.
    pub(super) fn write(&self, value: Value) -> Result<String, Error> {
        if let Some(upper) = self.roman {
            return Ok(self.roman(value, upper));
        }
        if self.exponent {
            return Ok(self.scientific(value));
        }
        let (negative, digits) = value.rounded(self.shift, self.after);
        let (whole, fraction) = digits.split_once('.').unwrap_or((&digits, ""));
        Ok(Writer::new(self, negative, whole, fraction).run())
    }

    fn roman(&self, value: Value, upper: bool) -> String {
        let (negative, digits) = value.rounded(0, 0);
        let number: usize = digits.parse().unwrap_or(0);
        if negative || !(1..4_000).contains(&number) {
            return "#".repeat(15);
        }
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
        let (mut left, mut text) = (number, String::new());
        for (step, letters) in STEPS {
            text.push_str(&letters.repeat(left / step));
            left %= step;
        }
        let text = if upper { text } else { text.to_lowercase() };
        if self.fill { text } else { format!("{text:>15}") }
    }

    fn scientific(&self, value: Value) -> String {
        let float = match value {
            #[expect(clippy::cast_precision_loss, reason = "the pattern shows fewer digits")]
            Value::Exact(mantissa, scale) => mantissa as f64 / 10_f64.powi(i32::from(scale)),
            Value::Float(float) => float,
        };
        let text = format!("{:.*e}", self.after, float);
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (sign, size) = match exponent.strip_prefix('-') {
            Some(size) => ('-', size),
            None => ('+', exponent),
        };
        let pad = if self.fill || mantissa.starts_with('-') { "" } else { " " };
        format!("{pad}{mantissa}e{sign}{size:0>2}")
    }
}

/// Goes through the nodes once.
struct Writer<'a> {
    pattern: &'a Pattern,
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
    overflow: bool,
    out: String,
    /// The sign is in front of the number, not at a place of its own.
    sign_pending: bool,
    anchored: bool,
    /// Digit positions passed before the point.
    position: usize,
    after: usize,
    zero_from: Option<usize>,
    /// How many decimals `FM` keeps.
    kept: usize,
}

impl<'a> Writer<'a> {
    fn new(pattern: &'a Pattern, negative: bool, whole: &'a str, fraction: &'a str) -> Self {
        let has = |node: Node| pattern.nodes.contains(&node);
        let zero = whole.bytes().chain(fraction.bytes()).all(|digit| digit == b'0');
        let mut digits = pattern.nodes.iter().filter_map(|node| match node {
            Node::Digit(zero) => Some(*zero),
            _ => None,
        });
        let zero_from = digits.by_ref().take(pattern.before).position(|zero| zero);
        let zero_to = pattern
            .nodes
            .iter()
            .skip_while(|node| **node != Node::Point)
            .filter_map(|node| if let Node::Digit(zero) = node { Some(*zero) } else { None })
            .enumerate()
            .filter_map(|(index, zero)| zero.then_some(index + 1))
            .last();
        let relevant = fraction.trim_end_matches('0').len();
        Self {
            pattern,
            negative: negative && !zero,
            whole,
            fraction,
            overflow: whole.trim_start_matches('0').len() > pattern.before,
            out: String::new(),
            sign_pending: !has(Node::Sign) && !has(Node::Minus),
            anchored: has(Node::Anchored),
            position: 0,
            after: 0,
            zero_from,
            kept: if pattern.fill { relevant.max(zero_to.unwrap_or(0)) } else { fraction.len() },
        }
    }

    fn run(mut self) -> String {
        let mut in_fraction = false;
        let anchored_last = self.anchored
            && self.pattern.nodes.iter().position(|node| *node == Node::Anchored)
                > self.pattern.nodes.iter().position(|node| matches!(node, Node::Digit(_)));
        let last_digit = self.pattern.nodes.iter().rposition(|node| matches!(node, Node::Digit(_)));
        let nodes = &self.pattern.nodes;
        for (index, node) in nodes.iter().enumerate() {
            match node {
                Node::Digit(_) if in_fraction => self.fraction_digit(),
                Node::Digit(_) => self.whole_digit(anchored_last),
                Node::Point => {
                    self.sign(anchored_last);
                    self.out.push('.');
                    in_fraction = true;
                }
                Node::Group if self.has_begun() => self.out.push(','),
                Node::Group if self.pattern.fill => {}
                Node::Group | Node::Currency => self.out.push(' '),
                Node::Minus if self.negative => self.out.push('-'),
                Node::Plus if !self.negative => self.out.push('+'),
                Node::Minus | Node::Plus if !self.pattern.fill => self.out.push(' '),
                Node::Minus | Node::Plus => {}
                Node::Sign => self.out.push(if self.negative { '-' } else { '+' }),
                Node::Anchored if anchored_last => self.out.push(if self.negative { '-' } else { '+' }),
                Node::Anchored => {}
                Node::Ordinal { upper } if !self.negative && !in_fraction && !self.overflow => {
                    let suffix = super::time::ordinal_suffix(self.whole);
                    self.out.push_str(&if *upper { suffix.to_uppercase() } else { suffix.to_owned() });
                }
                Node::Ordinal { .. } => {}
                Node::Literal(c) => self.out.push(*c),
            }
            if Some(index) == last_digit && self.pattern.brackets {
                match (self.negative, self.pattern.fill) {
                    (true, _) => self.out.push('>'),
                    (false, false) => self.out.push(' '),
                    (false, true) => {}
                }
            }
        }
        self.out
    }

    fn has_begun(&self) -> bool {
        self.overflow || self.position > self.leading() || self.zero_from.is_some_and(|from| self.position > from)
    }

    /// Digit positions that the number leaves empty.
    fn leading(&self) -> usize {
        self.pattern.before.saturating_sub(self.whole.len())
    }

    fn whole_digit(&mut self, anchored_last: bool) {
        let at = self.position;
        self.position += 1;
        if self.overflow {
            self.sign(anchored_last);
            self.out.push('#');
            return;
        }
        let zeros = self.zero_from.is_some_and(|from| at >= from);
        let digit = at.checked_sub(self.leading()).and_then(|index| self.whole.get(index..=index));
        match digit {
            None if zeros => {
                self.sign(anchored_last);
                self.out.push('0');
            }
            // Of 0.5 only a `0` of the pattern shows the whole part; FM keeps the one digit of a plain zero.
            Some("0") if self.whole == "0" && !zeros && self.pattern.after > 0 => {
                if !self.pattern.fill {
                    self.out.push(' ');
                } else if self.fraction.bytes().all(|digit| digit == b'0') {
                    self.sign(anchored_last);
                    self.out.push('0');
                }
            }
            Some(digit) => {
                self.sign(anchored_last);
                self.out.push_str(digit);
            }
            None if self.pattern.fill => {}
            None => self.out.push(' '),
        }
    }

    fn fraction_digit(&mut self) {
        let at = self.after;
        self.after += 1;
        if self.overflow {
            self.out.push('#');
        } else if at < self.kept {
            self.out.push_str(self.fraction.get(at..=at).unwrap_or("0"));
        }
    }

    /// Writes the sign in front of the number, once.
    fn sign(&mut self, anchored_last: bool) {
        if !std::mem::take(&mut self.sign_pending) || anchored_last {
            return;
        }
        match (self.negative, self.anchored, self.pattern.brackets) {
            (true, _, true) => self.out.push('<'),
            (true, _, false) => self.out.push('-'),
            (false, true, _) => self.out.push('+'),
            (false, false, _) if !self.pattern.fill => self.out.push(' '),
            (false, false, _) => {}
        }
    }
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
                Pattern::parse(pattern).write(Value::Exact(mantissa, scale)).as_deref(),
                Ok(expect),
                "{pattern}"
            );
        }
        assert_eq!(Pattern::parse("9.99EEEE").write(Value::Float(1e10)).as_deref(), Ok(" 1.00e+10"));
    }
}
