//! The tree of a regular expression.
//!
//! Owns: what an expression consists of, and which length each part of it prefers.

use super::set::Set;

/// The most that a bound may say.
pub(super) const REPEATS_MAX: u32 = 255;

#[derive(Debug, Clone)]
pub(super) enum Node {
    Empty,
    Set(Set),
    Assert(Assert),
    Look {
        ahead: bool,
        negated: bool,
        node: Box<Node>,
    },
    /// With its number.
    Capture(usize, Box<Node>),
    Cat(Vec<Node>),
    /// More than one branch.
    Alt(Vec<Node>),
    Repeat {
        node: Box<Node>,
        times: Times,
    },
    /// The text of a group, `times` times.
    Back {
        group: usize,
        times: Times,
    },
}

/// A place, not a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Assert {
    /// `^` where lines count.
    LineStart,
    LineEnd,
    Start,
    End,
    WordStart,
    WordEnd,
    WordEdge,
    NoWordEdge,
}

/// A quantifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Times {
    pub(super) min: u32,
    /// `None` has no end.
    pub(super) max: Option<u32>,
    /// Of `{m}` there is none.
    pub(super) prefers: Flags,
}

impl Times {
    pub(super) const ONCE: Self = Self { min: 1, max: Some(1), prefers: 0 };

    pub(super) fn is_once(&self) -> bool {
        (self.min, self.max) == (1, Some(1))
    }
}

/// What is known of a part, as bits.
pub(super) type Flags = u8;
pub(super) const LONGER: Flags = 1;
pub(super) const SHORTER: Flags = 2;
/// Parts of both preferences.
pub(super) const MIXED: Flags = 4;
pub(super) const CAPTURES: Flags = 8;
pub(super) const REFERS: Flags = 16;
const PREFERENCE: Flags = LONGER | SHORTER;

/// What of a part's flags its parent has too.
pub(super) fn raised(flags: Flags) -> Flags {
    let mixed = if flags & PREFERENCE == PREFERENCE { MIXED } else { 0 };
    flags & (MIXED | CAPTURES | REFERS) | mixed
}

/// Whether a part must be taken apart to know its groups or its lengths.
pub(super) fn messy(flags: Flags) -> bool {
    flags & (MIXED | CAPTURES | REFERS) != 0
}

pub(super) fn preference(flags: Flags) -> Flags {
    flags & PREFERENCE
}

/// The flags of two parts: the first that prefers a length decides.
pub(super) fn combined(first: Flags, second: Flags) -> Flags {
    let prefers = if preference(first) != 0 { preference(first) } else { preference(second) };
    raised(first | second) | prefers
}
