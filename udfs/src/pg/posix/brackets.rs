//! Bracket expressions: `[a-z[:digit:]\s]`.
//!
//! Owns: their items.

use super::Mistake;
use super::escape::Escape;
use super::parse::{BRACKETS, ESCAPE, Parser, class};
use super::set::{self, Set};
use super::syntax::{Assert, Node};

const RANGE: Mistake = Mistake::Invalid("invalid character range");
const CLASS: Mistake = Mistake::Invalid("invalid character class");
const ELEMENT: Mistake = Mistake::Invalid("invalid collating element");

/// Characters by POSIX's names.
const NAMES: [(&str, char); 95] = [
    ("NUL", '\0'),
    ("SOH", '\x01'),
    ("STX", '\x02'),
    ("ETX", '\x03'),
    ("EOT", '\x04'),
    ("ENQ", '\x05'),
    ("ACK", '\x06'),
    ("BEL", '\x07'),
    ("alert", '\x07'),
    ("BS", '\x08'),
    ("backspace", '\x08'),
    ("HT", '\t'),
    ("tab", '\t'),
    ("LF", '\n'),
    ("newline", '\n'),
    ("VT", '\x0b'),
    ("vertical-tab", '\x0b'),
    ("FF", '\x0c'),
    ("form-feed", '\x0c'),
    ("CR", '\r'),
    ("carriage-return", '\r'),
    ("SO", '\x0e'),
    ("SI", '\x0f'),
    ("DLE", '\x10'),
    ("DC1", '\x11'),
    ("DC2", '\x12'),
    ("DC3", '\x13'),
    ("DC4", '\x14'),
    ("NAK", '\x15'),
    ("SYN", '\x16'),
    ("ETB", '\x17'),
    ("CAN", '\x18'),
    ("EM", '\x19'),
    ("SUB", '\x1a'),
    ("ESC", '\x1b'),
    ("IS4", '\x1c'),
    ("FS", '\x1c'),
    ("IS3", '\x1d'),
    ("GS", '\x1d'),
    ("IS2", '\x1e'),
    ("RS", '\x1e'),
    ("IS1", '\x1f'),
    ("US", '\x1f'),
    ("space", ' '),
    ("exclamation-mark", '!'),
    ("quotation-mark", '"'),
    ("number-sign", '#'),
    ("dollar-sign", '$'),
    ("percent-sign", '%'),
    ("ampersand", '&'),
    ("apostrophe", '\''),
    ("left-parenthesis", '('),
    ("right-parenthesis", ')'),
    ("asterisk", '*'),
    ("plus-sign", '+'),
    ("comma", ','),
    ("hyphen", '-'),
    ("hyphen-minus", '-'),
    ("period", '.'),
    ("full-stop", '.'),
    ("slash", '/'),
    ("solidus", '/'),
    ("zero", '0'),
    ("one", '1'),
    ("two", '2'),
    ("three", '3'),
    ("four", '4'),
    ("five", '5'),
    ("six", '6'),
    ("seven", '7'),
    ("eight", '8'),
    ("nine", '9'),
    ("colon", ':'),
    ("semicolon", ';'),
    ("less-than-sign", '<'),
    ("equals-sign", '='),
    ("greater-than-sign", '>'),
    ("question-mark", '?'),
    ("commercial-at", '@'),
    ("left-square-bracket", '['),
    ("backslash", '\\'),
    ("reverse-solidus", '\\'),
    ("right-square-bracket", ']'),
    ("circumflex", '^'),
    ("circumflex-accent", '^'),
    ("underscore", '_'),
    ("low-line", '_'),
    ("grave-accent", '`'),
    ("left-brace", '{'),
    ("left-curly-bracket", '{'),
    ("vertical-line", '|'),
    ("right-brace", '}'),
    ("right-curly-bracket", '}'),
    ("tilde", '~'),
    ("DEL", '\x7f'),
];

/// One item, or the end of a range.
enum Item {
    /// `None` is no character.
    Plain(Option<char>),
    Set(Set),
    /// The `-` of a range.
    Dash,
}

impl Parser<'_> {
    /// Behind the bracket that opens.
    pub(super) fn brackets(&mut self) -> Result<Node, Mistake> {
        for (text, place) in [("[:<:]]", Assert::WordStart), ("[:>:]]", Assert::WordEnd)] {
            if self.eat(text) {
                return Ok(Node::Assert(place));
            }
        }
        let negated = self.eat("^");
        let mut set = Set::empty();
        let mut is_first = true;
        while is_first || !self.eat("]") {
            self.part(&mut set, is_first)?;
            is_first = false;
        }
        if negated {
            set.negate();
            self.without_newline(&mut set);
        }
        Ok(Node::Set(set))
    }

    /// An item or a range.
    fn part(&mut self, set: &mut Set, is_first: bool) -> Result<(), Mistake> {
        let from = match self.item(is_first)? {
            Item::Set(class) => {
                set.add(&class);
                return Ok(());
            }
            Item::Dash => return Err(RANGE),
            Item::Plain(from) => from,
        };
        let is_range = self.rest.starts_with('-') && !self.rest.starts_with("-]");
        let to = if is_range {
            self.next();
            match self.item(false)? {
                Item::Plain(to) => to,
                Item::Dash => Some('-'),
                Item::Set(_) => return Err(RANGE),
            }
        } else {
            from
        };
        let (Some(from), Some(to)) = (from, to) else { return Ok(()) };
        if from > to {
            return Err(RANGE);
        }
        let mut range = Set::range(from, to);
        if self.options.insensitive {
            range.fold();
        }
        set.add(&range);
        Ok(())
    }

    fn item(&mut self, is_first: bool) -> Result<Item, Mistake> {
        let Some(c) = self.next() else { return Err(BRACKETS) };
        Ok(match c {
            '\\' if !self.options.extended => {
                if self.rest.is_empty() {
                    return Err(ESCAPE);
                }
                match Escape::read(self)? {
                    Escape::Plain(c) => Item::Plain(c),
                    Escape::Class(name, negated) => Item::Set(class(name, negated)),
                    Escape::Place(_) | Escape::Group(_) => return Err(ESCAPE),
                }
            }
            '-' if !is_first && !self.rest.starts_with(']') => Item::Dash,
            '[' => match self.peek() {
                Some(kind @ ('.' | '=' | ':')) => {
                    self.next();
                    self.named(kind)?
                }
                _ => Item::Plain(Some('[')),
            },
            c => Item::Plain(Some(c)),
        })
    }

    /// `[.x.]`, `[=x=]` and `[:alpha:]` behind their beginning.
    fn named(&mut self, kind: char) -> Result<Item, Mistake> {
        let close = [kind, ']'].into_iter().collect::<String>();
        let (name, rest) = self.rest.split_once(close.as_str()).ok_or(BRACKETS)?;
        self.rest = rest;
        if kind == ':' {
            let known = if name == "cased" { None } else { set::class(name, self.options.insensitive) };
            return known.cloned().map(Item::Set).ok_or(CLASS);
        }
        let mut chars = name.chars();
        let element = match (chars.next(), chars.next()) {
            (None, _) => return Err(ELEMENT),
            (Some(c), None) => c,
            _ => NAMES.iter().find(|(known, _)| *known == name).map(|(_, c)| *c).ok_or(ELEMENT)?,
        };
        if kind == '.' {
            return Ok(Item::Plain(Some(element)));
        }
        let mut set = Set::of(element);
        if self.options.insensitive {
            set.fold();
        }
        Ok(Item::Set(set))
    }
}
