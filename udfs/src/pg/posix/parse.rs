//! Reads a regular expression as PostgreSQL's `regcomp` and `regc_lex` do.
//!
//! Owns: the syntax of advanced and extended expressions, and PostgreSQL's words for its mistakes.
//! <https://www.postgresql.org/docs/16/functions-matching.html#POSIX-SYNTAX-DETAILS>

use super::escape::{Escape, digits};
use super::set::{self, Set};
use super::syntax::{Assert, LONGER, Node, REPEATS_MAX, SHORTER, Times};
use super::{Mistake, Options};

/// Groups in groups.
const DEPTH_MAX: usize = 250;

pub(super) const PARENTHESES: Mistake = Mistake::Invalid("parentheses () not balanced");
pub(super) const BRACKETS: Mistake = Mistake::Invalid("brackets [] not balanced");
const BRACES: Mistake = Mistake::Invalid("braces {} not balanced");
pub(super) const OPERAND: Mistake = Mistake::Invalid("quantifier operand invalid");
const BOUNDS: Mistake = Mistake::Invalid("invalid repetition count(s)");
const REFERENCE: Mistake = Mistake::Invalid("invalid backreference number");
pub(super) const ESCAPE: Mistake = Mistake::Invalid("invalid escape \\ sequence");
const OPTION: Mistake = Mistake::Invalid("invalid embedded option");
pub(super) const COMPLEX: Mistake = Mistake::Invalid("regular expression is too complex");

/// An expression that was read.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) node: Node,
    /// By their numbers, less one.
    pub(super) groups: Vec<Option<Node>>,
    pub(super) options: Options,
}

pub(super) struct Parser<'a> {
    pub(super) rest: &'a str,
    pub(super) options: Options,
    /// `None` until the group is closed.
    pub(super) groups: Vec<Option<Node>>,
    depth: usize,
}

pub(super) fn parse(pattern: &str, options: Options) -> Result<Parsed, Mistake> {
    let mut parser = Parser { rest: pattern, options, groups: Vec::new(), depth: 0 };
    parser.prefixes()?;
    if parser.options.basic {
        return Err(Mistake::Unsupported("basic regular expressions are not supported"));
    }
    if parser.options.literal {
        let node = Node::Cat(parser.rest.chars().map(|c| parser.plain(c)).collect());
        return Ok(Parsed { node, groups: Vec::new(), options: parser.options });
    }
    let node = parser.branches(false, false)?;
    Ok(Parsed { node, groups: parser.groups, options: parser.options })
}

impl<'a> Parser<'a> {
    pub(super) fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    pub(super) fn eat(&mut self, text: &str) -> bool {
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let next = chars.next();
        self.rest = chars.as_str();
        next
    }

    /// `***=`, `***:` and the options `(?i)` at the beginning.
    fn prefixes(&mut self) -> Result<(), Mistake> {
        if self.options.literal {
            return Ok(());
        }
        if self.eat("***=") {
            self.options.literal = true;
            return Ok(());
        }
        if self.eat("***:") {
            self.options.extended = false;
        } else if self.rest.starts_with("***") {
            return Err(OPERAND);
        }
        let body = self.rest.strip_prefix("(?").unwrap_or_default();
        if self.options.extended || !body.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return Ok(());
        }
        self.rest = body;
        while let Some(letter) = self.next() {
            match letter {
                ')' => return Ok(()),
                letter if self.options.set(letter) => {}
                _ => return Err(OPTION),
            }
        }
        Err(OPTION)
    }

    /// White space and comments where `x` allows them, and comments in groups.
    fn skip(&mut self) -> Result<(), Mistake> {
        loop {
            if self.options.expanded {
                self.rest = self.rest.trim_start_matches(|c: char| matches!(c, '\t'..='\r' | ' '));
                if self.rest.starts_with('#') {
                    self.rest = self.rest.find('\n').map_or("", |end| self.rest.get(end..).unwrap_or_default());
                    continue;
                }
            }
            if !self.options.extended && self.rest.starts_with("(?#") {
                let end = self.rest.find(')');
                self.rest = end.map_or("", |end| self.rest.get(end + 1..).unwrap_or_default());
                continue;
            }
            return Ok(());
        }
    }

    /// Branches up to the end, or to the parenthesis that closes a group.
    fn branches(&mut self, in_group: bool, in_look: bool) -> Result<Node, Mistake> {
        let mut branches = vec![self.branch(in_group, in_look)?];
        while self.eat("|") {
            branches.push(self.branch(in_group, in_look)?);
        }
        if in_group && !self.eat(")") {
            return Err(PARENTHESES);
        }
        Ok(match branches.len() {
            1 => branches.remove(0),
            _ => Node::Alt(branches),
        })
    }

    fn branch(&mut self, in_group: bool, in_look: bool) -> Result<Node, Mistake> {
        let mut parts = Vec::new();
        loop {
            self.skip()?;
            match self.peek() {
                None | Some('|') => break,
                Some(')') if in_group => break,
                Some(_) => parts.extend(self.quantified(in_look)?),
            }
        }
        Ok(Node::Cat(parts))
    }

    fn quantified(&mut self, in_look: bool) -> Result<Option<Node>, Mistake> {
        let atom = self.atom(in_look)?;
        if matches!(atom, Node::Assert(_) | Node::Look { .. }) {
            return Ok(Some(atom));
        }
        self.skip()?;
        let times = self.times()?;
        if times.max == Some(0) {
            return Ok(Some(Node::Empty));
        }
        Ok(Some(match atom {
            Node::Back { group, .. } => Node::Back { group, times },
            atom if times == Times::ONCE => atom,
            atom => Node::Repeat { node: Box::new(atom), times },
        }))
    }

    fn times(&mut self) -> Result<Times, Mistake> {
        let (min, max) = match self.peek() {
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('?') => (0, Some(1)),
            Some('{') if self.rest.get(1..).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) => {
                return self.bounds();
            }
            _ => return Ok(Times::ONCE),
        };
        self.next();
        Ok(Times { min, max, prefers: self.prefers() })
    }

    fn prefers(&mut self) -> u8 {
        if !self.options.extended && self.eat("?") { SHORTER } else { LONGER }
    }

    fn bounds(&mut self) -> Result<Times, Mistake> {
        self.next();
        let min = self.bound()?;
        self.skip()?;
        let mut prefers = None;
        let max = if self.eat(",") {
            self.skip()?;
            prefers = Some(());
            if self.peek().is_some_and(|c| c.is_ascii_digit()) { Some(self.bound()?) } else { None }
        } else {
            Some(min)
        };
        self.skip()?;
        match self.peek() {
            None => return Err(BRACES),
            Some('}') if max.is_none_or(|max| min <= max) => {}
            Some(_) => return Err(BOUNDS),
        }
        self.next();
        let preference = self.prefers();
        Ok(Times { min, max, prefers: prefers.map_or(0, |()| preference) })
    }

    fn bound(&mut self) -> Result<u32, Mistake> {
        let mut number = 0;
        loop {
            self.skip()?;
            match self.peek().and_then(|c| c.to_digit(10)) {
                Some(digit) if number < REPEATS_MAX => {
                    number = number * 10 + digit;
                    self.next();
                }
                Some(_) => return Err(BOUNDS),
                None if number > REPEATS_MAX => return Err(BOUNDS),
                None => return Ok(number),
            }
        }
    }

    fn atom(&mut self, in_look: bool) -> Result<Node, Mistake> {
        let Some(c) = self.next() else { return Ok(Node::Empty) };
        Ok(match c {
            '^' => Node::Assert(if self.options.lines { Assert::LineStart } else { Assert::Start }),
            '$' => Node::Assert(if self.options.lines { Assert::LineEnd } else { Assert::End }),
            '*' | '+' | '?' => return Err(OPERAND),
            '{' if self.rest.starts_with(|c: char| c.is_ascii_digit()) => return Err(OPERAND),
            ')' if !self.options.extended => return Err(PARENTHESES),
            '.' => {
                let mut set = Set::any();
                self.without_newline(&mut set);
                Node::Set(set)
            }
            '[' => self.brackets()?,
            '(' => self.group(in_look)?,
            '\\' => self.escaped(in_look)?,
            c => self.plain(c),
        })
    }

    pub(super) fn without_newline(&self, set: &mut Set) {
        if self.options.partial {
            set.without(&Set::of('\n'));
        }
    }

    fn plain(&self, c: char) -> Node {
        let mut set = Set::of(c);
        if self.options.insensitive {
            set.fold();
        }
        Node::Set(set)
    }

    fn group(&mut self, in_look: bool) -> Result<Node, Mistake> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(COMPLEX);
        }
        let looks = [("?=", true, false), ("?!", true, true), ("?<=", false, false), ("?<!", false, true)];
        let node = if !self.options.extended && self.rest.starts_with('?') {
            if self.eat("?:") {
                // A branch of its own, so that what it prefers is not mixed with what is around it.
                self.branches(true, in_look)?
            } else if let Some((_, ahead, negated)) = looks.into_iter().find(|(text, ..)| self.eat(text)) {
                Node::Look { ahead, negated, node: Box::new(self.branches(true, true)?) }
            } else {
                return Err(OPERAND);
            }
        } else if in_look {
            self.branches(true, true)?
        } else {
            self.groups.push(None);
            let number = self.groups.len();
            let node = self.branches(true, false)?;
            if let Some(group) = self.groups.get_mut(number - 1) {
                *group = Some(node.clone());
            }
            Node::Capture(number, Box::new(node))
        };
        self.depth -= 1;
        Ok(node)
    }

    fn escaped(&mut self, in_look: bool) -> Result<Node, Mistake> {
        if self.rest.is_empty() {
            return Err(ESCAPE);
        }
        if self.options.extended {
            return Ok(self.next().map_or(Node::Empty, |c| self.plain(c)));
        }
        Ok(match Escape::read(self)? {
            Escape::Plain(Some(c)) => self.plain(c),
            // A number that is no character.
            Escape::Plain(None) => Node::Set(Set::empty()),
            Escape::Class(name, negated) => Node::Set(class(name, negated)),
            Escape::Place(place) => Node::Assert(place),
            Escape::Group(group) => match self.groups.get(group.wrapping_sub(1)) {
                Some(Some(_)) if !in_look => Node::Back { group, times: Times::ONCE },
                _ => return Err(REFERENCE),
            },
        })
    }

    /// A number of digits of a base in the pattern.
    pub(super) fn number(&mut self, base: u32, least: usize, most: usize) -> Result<u32, Mistake> {
        let (number, rest) = digits(self.rest, base, least, most).ok_or(ESCAPE)?;
        self.rest = rest;
        Ok(number)
    }
}

pub(super) fn class(name: &str, negated: bool) -> Set {
    let mut set = set::class(name, false).cloned().unwrap_or_else(Set::empty);
    if negated {
        set.negate();
    }
    set
}
