//! Regular expressions with PostgreSQL's syntax and PostgreSQL's matches.
//!
//! Owns: what matches, and where. An expression as a whole takes the longest or the shortest match from the leftmost
//! place, as its first part with a preference prefers; its groups follow from that (Henry Spencer's engine, which Perl's
//! way of trying alternatives in order does not give). Whether anything matches at all is asked of the `regex` engine
//! where it can say so. Must never know: which function asks.
//! <https://www.postgresql.org/docs/16/functions-matching.html#POSIX-MATCHING-RULES>

mod brackets;
mod dissect;
mod escape;
mod native;
mod nfa;
mod parse;
mod set;
mod syntax;
mod tree;

use std::cell::Cell;

use dissect::Dissector;
use regex::Regex;
pub(crate) use set::lower;
use syntax::{REFERS, SHORTER};
use tree::Part;

/// Steps of one search: a back reference may need more than there is time for.
const STEPS_MAX: usize = 100_000_000;

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mistake {
    /// PostgreSQL's words, behind `invalid regular expression`.
    Invalid(&'static str),
    Unsupported(&'static str),
    Steps,
}

/// The embedded options of PostgreSQL.
/// <https://www.postgresql.org/docs/16/functions-matching.html#POSIX-EMBEDDED-OPTIONS-TABLE>
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Options {
    insensitive: bool,
    /// `^` and `$` match at line ends.
    lines: bool,
    /// `.` and brackets with `^` do not match a newline.
    partial: bool,
    expanded: bool,
    literal: bool,
    /// Of `ed`, which are not read here.
    basic: bool,
    /// Of `egrep`, without the escapes of advanced ones.
    extended: bool,
}

impl Options {
    /// False for a letter that is no option.
    pub(crate) fn set(&mut self, letter: char) -> bool {
        match letter {
            'i' => self.insensitive = true,
            'c' => self.insensitive = false,
            'm' | 'n' => (self.lines, self.partial) = (true, true),
            's' => (self.lines, self.partial) = (false, false),
            'p' => (self.lines, self.partial) = (false, true),
            'w' => (self.lines, self.partial) = (true, false),
            'x' => self.expanded = true,
            't' => self.expanded = false,
            'q' => self.literal = true,
            'e' => (self.extended, self.literal) = (true, false),
            'b' => self.basic = true,
            _ => return false,
        }
        true
    }
}

/// A text as its characters.
#[derive(Debug, Default)]
pub(crate) struct Text {
    chars: Vec<char>,
    steps: Cell<usize>,
}

impl Text {
    pub(crate) fn new(text: &str) -> Self {
        Self { chars: text.chars().collect(), steps: Cell::new(0) }
    }

    pub(crate) fn len(&self) -> usize {
        self.chars.len()
    }

    fn get(&self, at: usize) -> Option<char> {
        self.chars.get(at).copied()
    }

    /// Counts what a search costs.
    fn step(&self, cost: usize) -> Result<(), Mistake> {
        let steps = self.steps.get() + cost;
        self.steps.set(steps);
        if steps > STEPS_MAX { Err(Mistake::Steps) } else { Ok(()) }
    }
}

/// Where a match and its groups begin and end, in characters; the first is the whole.
pub(crate) type Groups = Vec<Option<(usize, usize)>>;

/// A text, and where its characters are.
#[derive(Debug)]
pub(crate) struct Subject<'t> {
    text: &'t str,
    chars: Text,
    /// Where characters begin, if that is not clear.
    offsets: Vec<usize>,
}

impl<'t> Subject<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        let offsets = if text.is_ascii() { Vec::new() } else { text.char_indices().map(|(at, _)| at).collect() };
        Self { text, chars: Text::new(text), offsets }
    }

    /// In characters.
    pub(crate) fn len(&self) -> usize {
        self.chars.len()
    }

    fn offset(&self, at: usize) -> usize {
        if self.offsets.is_empty() { at } else { self.offsets.get(at).copied().unwrap_or(self.text.len()) }
    }

    fn character(&self, offset: usize) -> usize {
        if self.offsets.is_empty() { offset } else { self.offsets.partition_point(|at| *at < offset) }
    }

    pub(crate) fn part(&self, (from, to): (usize, usize)) -> &'t str {
        self.text.get(self.offset(from)..self.offset(to)).unwrap_or_default()
    }
}

/// A regular expression.
#[derive(Debug)]
pub(crate) struct Expression {
    part: Part,
    native: Option<Regex>,
    groups: usize,
    insensitive: bool,
}

impl Expression {
    pub(crate) fn new(pattern: &str, options: Options) -> Result<Self, Mistake> {
        let parsed = parse::parse(pattern, options)?;
        let part = Part::new(&parsed.node, &parsed.groups)?;
        let native = native::regex(&parsed.node);
        Ok(Self { part, native, groups: parsed.groups.len(), insensitive: parsed.options.insensitive })
    }

    /// How many groups it has.
    pub(crate) fn groups(&self) -> usize {
        self.groups
    }

    /// Whether it matches anywhere.
    pub(crate) fn is_match(&self, text: &str) -> Result<bool, Mistake> {
        match &self.native {
            Some(native) => Ok(native.is_match(text)),
            None => Ok(self.find(&Subject::new(text), 0)?.is_some()),
        }
    }

    /// The leftmost match that does not begin before `from`.
    pub(crate) fn find(&self, subject: &Subject<'_>, from: usize) -> Result<Option<Groups>, Mistake> {
        let text = &subject.chars;
        text.steps.set(0);
        let mut next = from;
        while next <= text.len() {
            let Some(begin) = self.leftmost(subject, next)? else { break };
            if let Some(groups) = self.at(text, begin)? {
                return Ok(Some(groups));
            }
            next = begin + 1;
        }
        Ok(None)
    }

    fn leftmost(&self, subject: &Subject<'_>, from: usize) -> Result<Option<usize>, Mistake> {
        match &self.native {
            Some(native) => {
                let found = native.find_at(subject.text, subject.offset(from));
                Ok(found.map(|found| subject.character(found.start())))
            }
            None => self.part.machine.leftmost(&subject.chars, from),
        }
    }

    /// All matches, each behind the one before and a character on at least.
    pub(crate) fn matches<'m>(
        &'m self,
        subject: &'m Subject<'_>,
        from: usize,
    ) -> impl Iterator<Item = Result<Groups, Mistake>> + 'm {
        let mut next = from;
        std::iter::from_fn(move || {
            if next > subject.len() {
                return None;
            }
            let found = self.find(subject, next).transpose()?;
            let end =
                found.as_ref().ok().and_then(|found| found.first().copied().flatten()).map_or(usize::MAX, |it| it.1);
            next = if next < end { end } else { next + 1 };
            Some(found)
        })
    }

    /// The match that begins here. What a machine finds, a back reference may refuse; then another length is tried.
    fn at(&self, text: &Text, begin: usize) -> Result<Option<Groups>, Mistake> {
        let machine = &self.part.machine;
        let short = self.part.flags & SHORTER != 0;
        let mut end = if short {
            machine.shortest(text, begin, (begin, text.len()))?
        } else {
            machine.longest(text, begin, text.len())?
        };
        while let Some(to) = end {
            let groups = vec![None; self.groups + 1];
            let mut dissector = Dissector { text, insensitive: self.insensitive, groups };
            if dissector.part(&self.part, begin, to)? {
                let mut groups = dissector.groups;
                if let Some(whole) = groups.first_mut() {
                    *whole = Some((begin, to));
                }
                return Ok(Some(groups));
            }
            if self.part.flags & REFERS == 0 {
                return Ok(None);
            }
            end = match (short, to) {
                (true, to) if to < text.len() => machine.shortest(text, begin, (to + 1, text.len()))?,
                (false, to) if to > begin => machine.longest(text, begin, to - 1)?,
                _ => None,
            };
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where the match begins, and the texts of the match and its groups.
    fn found(pattern: &str, text: &str) -> String {
        let expression = match Expression::new(pattern, Options::default()) {
            Ok(expression) => expression,
            Err(mistake) => return format!("{mistake:?}"),
        };
        let subject = Subject::new(text);
        let Some(groups) = expression.find(&subject, 0).unwrap() else { return "none".to_owned() };
        let shown = groups.iter().map(|group| group.map_or("-", |range| subject.part(range)));
        shown.collect::<Vec<_>>().join(",")
    }

    #[test]
    fn matches_are_postgres_s() {
        // Recorded from PostgreSQL 16.
        for (pattern, text, expect) in [
            ("(a|ab)(c|bcd)", "abcd", "abcd,a,bcd"),
            ("x*", "aaa", ""),
            ("a|ab|abc", "abcd", "abc"),
            ("(a*)(ab)*", "ab", "ab,,ab"),
            ("(a*?)(a*)", "aaa", ",,"),
            ("a*?b", "aab", "aab"),
            ("(?:a|ab)??c", "abc", "abc"),
            ("^(.*?)(\\d+)$", "ab123", "ab123,ab,123"),
            ("(\\w+)\\s+\\1", "the the", "the the,the"),
            ("(a)|b\\1?", "b", "none"),
            ("foo(?=bar)", "foobar", "foo"),
            ("foo(?!bar)", "foobar foox", "foo"),
            ("(?<=a)b", "ab", "b"),
            ("\\mé\\w*\\M", "x été", "été"),
            ("(?i)É+", "aéÉ", "éÉ"),
            ("***=a.b", "a.b", "a.b"),
            ("***:a.b", "axb", "axb"),
            ("(?n)^b.", "a\nbc", "bc"),
            ("a.b", "a\nb", "a\nb"),
            ("((a)|(b*))*", "x", ",,-,"),
            ("(a*?)*x", "x", "x,-"),
            ("[[:<:]]b", "a b", "b"),
            ("\\101\\x42\\u0043", "ABC", "ABC"),
            ("(?x) a b # c", "ab", "ab"),
            ("(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)\\10", "abcdefghijj", "abcdefghijj,a,b,c,d,e,f,g,h,i,j"),
            ("a{,2}", "a{,2}", "a{,2}"),
            ("\\B", "\\", "\\"),
            ("(a+|b+|c+)*?c", "aabbc", "aabbc,bb"),
        ] {
            assert_eq!(found(pattern, text), expect, "{pattern} in {text:?}");
        }
    }
}
