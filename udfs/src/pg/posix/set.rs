//! Sets of characters: single ones, ranges and the classes of POSIX.
//!
//! Owns: what a class holds, as the C library of a UTF-8 locale says, and that case is folded letter by letter.

use std::sync::LazyLock;

use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, HirKind};

/// Ranges of characters, in order and apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Set(ClassUnicode);

impl Set {
    pub(super) fn empty() -> Self {
        Self(ClassUnicode::empty())
    }

    pub(super) fn of(c: char) -> Self {
        Self::range(c, c)
    }

    pub(super) fn range(from: char, to: char) -> Self {
        Self(ClassUnicode::new([ClassUnicodeRange::new(from, to)]))
    }

    pub(super) fn any() -> Self {
        Self::range('\0', char::MAX)
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.0.union(&other.0);
    }

    pub(super) fn without(&mut self, other: &Self) {
        self.0.difference(&other.0);
    }

    pub(super) fn negate(&mut self) {
        self.0.negate();
    }

    /// Adds the other case of every letter, one letter for one.
    pub(super) fn fold(&mut self) {
        let mut folded = self.0.clone();
        for range in self.0.iter() {
            for c in range.start()..=range.end() {
                for other in [lower(c), upper(c)] {
                    if other != c {
                        folded.push(ClassUnicodeRange::new(other, other));
                    }
                }
            }
        }
        self.0 = folded;
    }

    pub(super) fn contains(&self, c: char) -> bool {
        let ranges = self.0.ranges();
        let at = ranges.partition_point(|range| range.end() < c);
        ranges.get(at).is_some_and(|range| range.start() <= c)
    }

    /// The set as the other engine writes it.
    pub(super) fn write(&self, out: &mut String) {
        use std::fmt::Write;
        if self.0.ranges().is_empty() {
            out.push_str("[^\\x{0}-\\x{10FFFF}]");
            return;
        }
        out.push('[');
        for range in self.0.iter() {
            let _ = write!(out, "\\x{{{:X}}}-\\x{{{:X}}}", u32::from(range.start()), u32::from(range.end()));
        }
        out.push(']');
    }
}

/// The letter in lower case, if that is one letter.
pub(crate) fn lower(c: char) -> char {
    let mut letters = c.to_lowercase();
    match (letters.next(), letters.next()) {
        (Some(letter), None) => letter,
        _ => c,
    }
}

fn upper(c: char) -> char {
    let mut letters = c.to_uppercase();
    match (letters.next(), letters.next()) {
        (Some(letter), None) => letter,
        _ => c,
    }
}

/// The classes by their names, and what makes them.
const CLASSES: [(&str, &str); 15] = [
    ("alnum", r"[\p{Alphabetic}\p{Nd}]"),
    ("alpha", r"[[\p{Alphabetic}\p{Nd}]--[0-9]]"),
    ("ascii", r"[\x00-\x7F]"),
    ("blank", r"[\t\x20\u{1680}\u{2000}-\u{2006}\u{2008}-\u{200A}\u{205F}\u{3000}]"),
    ("cntrl", r"[\p{Cc}\u{2028}\u{2029}]"),
    ("digit", r"[0-9]"),
    ("graph", r"[^\p{Cc}\p{Cn}\p{Cs}\x20\u{1680}\u{2000}-\u{2006}\u{2008}-\u{200A}\u{2028}\u{2029}\u{205F}\u{3000}]"),
    ("lower", r"\p{Lowercase}"),
    ("print", r"[^\p{Cc}\p{Cn}\p{Cs}\u{2028}\u{2029}]"),
    (
        "punct",
        r"[[^\p{Cc}\p{Cn}\p{Cs}\x20\u{1680}\u{2000}-\u{2006}\u{2008}-\u{200A}\u{2028}\u{2029}\u{205F}\u{3000}]--[\p{Alphabetic}\p{Nd}]]",
    ),
    ("space", r"[\t-\r\x20\u{1680}\u{2000}-\u{2006}\u{2008}-\u{200A}\u{2028}\u{2029}\u{205F}\u{3000}]"),
    ("upper", r"\p{Uppercase}"),
    ("word", r"[\p{Alphabetic}\p{Nd}_]"),
    ("xdigit", r"[0-9A-Fa-f]"),
    // Both cases of letters where case does not matter.
    ("cased", r"[[\p{Alphabetic}\p{Nd}]--[0-9]]"),
];

static SETS: LazyLock<Vec<(&'static str, Set)>> = LazyLock::new(|| {
    let set = |(name, text): &(&'static str, &str)| Some((*name, class_of(text)?));
    CLASSES.iter().filter_map(set).collect()
});

fn class_of(text: &str) -> Option<Set> {
    match regex_syntax::parse(text).ok()?.into_kind() {
        HirKind::Class(Class::Unicode(class)) => Some(Set(class)),
        HirKind::Class(Class::Bytes(class)) => class.to_unicode_class().map(Set),
        _ => None,
    }
}

/// The class of a name; `upper` and `lower` are letters where case does not matter.
pub(super) fn class(name: &str, insensitive: bool) -> Option<&'static Set> {
    let name = match name {
        "upper" | "lower" if insensitive => "cased",
        name => name,
    };
    SETS.iter().find(|(known, _)| *known == name).map(|(_, set)| set)
}
