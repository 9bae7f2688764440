//! What the values of one column were: their kinds, counted, with the first of each.
//!
//! Owns: which words stand for a missing value. Must never know: other columns.

use std::sync::Arc;

use arrow::datatypes::DataType;
use serde::{Deserialize, Serialize};

use super::Options;
use crate::format::value::{Kinds, classify_field};
use crate::pinned::Pinned;

/// A value in a message or a list is cut after so many characters.
pub(crate) const SHOWN_CHARS_MAX: usize = 60;

/// The words that stand for a missing value among numbers, booleans and moments.
/// NASA writes asterisks.
const MARKERS: [&str; 9] = ["NA", "N/A", "NULL", "null", NULL_OF_COPY, "-", ".", "#N/A", "***"];

/// How COPY writes NULL; a word in no language.
pub(super) const NULL_OF_COPY: &str = "\\N";

/// A set of the words of `MARKERS`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Markers(u16);

impl Markers {
    /// The set of one word; `None` if it is not one of them.
    pub(super) fn of(value: &str) -> Option<Self> {
        let first = *value.as_bytes().first()?;
        if value.len() > 4 || !matches!(first, b'N' | b'n' | b'\\' | b'-' | b'.' | b'#' | b'*') {
            return None;
        }
        MARKERS.iter().position(|marker| *marker == value).map(|place| Self(1 << place))
    }

    pub(super) fn words(self) -> impl Iterator<Item = &'static str> {
        MARKERS.iter().enumerate().filter(move |(place, _)| self.0 & (1 << place) != 0).map(|(_, word)| *word)
    }
}

/// What kind of thing a value is, roughly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Number,
    Moment,
    Boolean,
    Text,
}

impl Class {
    /// `None` of no value.
    pub(super) fn of(kinds: Kinds) -> Option<Self> {
        if kinds.is_empty() {
            None
        } else if kinds.are_numbers() {
            Some(Self::Number)
        } else if kinds.are_moments() {
            Some(Self::Moment)
        } else if kinds == Kinds::BOOLEAN {
            Some(Self::Boolean)
        } else {
            Some(Self::Text)
        }
    }
}

/// Where a record is in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Place {
    Line(u64),
    /// Somewhere behind this byte: nobody counted the lines before it.
    Behind(u64),
}

/// A value, and where it is.
#[derive(Debug, Clone)]
pub(crate) struct Example {
    pub(crate) file: Arc<Pinned>,
    pub(crate) place: Place,
    pub(crate) text: Box<str>,
}

impl Example {
    /// `key:line: text`.
    pub(crate) fn shown(&self) -> String {
        match self.place {
            Place::Line(line) => format!("{}:{line}: {}", self.file.key(), self.text),
            Place::Behind(byte) => format!("{} (behind byte {byte}): {}", self.file.key(), self.text),
        }
    }
}

/// The first characters of a value.
pub(crate) fn shown(value: &str) -> String {
    let mut shown: String = value.chars().take(SHOWN_CHARS_MAX).collect();
    if shown.len() < value.len() {
        shown.push_str("...");
    }
    shown
}

/// The values of a column.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    pub(crate) kinds: Kinds,
    pub(crate) markers: Markers,
    /// Values by class, and the first of each.
    counts: [u64; 4],
    firsts: [Option<Example>; 4],
    /// Values that a definition's pattern of dates or times does not take.
    not_date: bool,
    not_timestamp: bool,
    has_offset: bool,
}

/// The parts of `Seen` in its order; an example without its file, and the three flags.
pub(super) type SeenKept = (Kinds, Markers, [u64; 4], [Option<(Place, Box<str>)>; 4], [bool; 3]);

impl Seen {
    /// Looks at a value, `at` a place.
    pub(super) fn see(&mut self, value: &str, rules: &Rules<'_>, at: (&Arc<Pinned>, Place)) {
        let trimmed = value.trim_ascii();
        if rules.options.null_values.is_empty() {
            if let Some(marker) = Markers::of(trimmed) {
                self.markers.0 |= marker.0;
                return;
            }
        } else if rules.options.null_values.iter().any(|null| null == trimmed) {
            return;
        }
        let kinds = classify_field(trimmed, rules.has_commas);
        let Some(class) = Class::of(kinds) else { return };
        self.kinds.add(kinds);
        let (date, timestamp) = (&rules.options.date_format, &rules.options.timestamp_format);
        self.not_date = self.not_date || date.as_ref().is_none_or(|pattern| pattern.date(trimmed).is_none());
        let found = if self.not_timestamp { None } else { timestamp.as_ref().and_then(|form| form.timestamp(trimmed)) };
        self.not_timestamp |= found.is_none();
        self.has_offset |= found.is_some_and(|(_, has_offset)| has_offset);
        if let (Some(count), Some(first)) = (self.counts.get_mut(class as usize), self.firsts.get_mut(class as usize)) {
            *count += 1;
            if first.is_none() {
                let (file, place) = (Arc::clone(at.0), at.1);
                *first = Some(Example { file, place, text: shown(value).into() });
            }
        }
    }

    /// Adds what another file has.
    pub(crate) fn merge(&mut self, other: Self) {
        self.kinds.add(other.kinds);
        self.markers.0 |= other.markers.0;
        self.not_date |= other.not_date;
        self.not_timestamp |= other.not_timestamp;
        self.has_offset |= other.has_offset;
        for (count, more) in self.counts.iter_mut().zip(other.counts) {
            *count += more;
        }
        for (first, more) in self.firsts.iter_mut().zip(other.firsts) {
            if first.is_none() {
                *first = more;
            }
        }
    }

    /// All of it, but for the file.
    pub(super) fn kept(&self) -> SeenKept {
        let firsts = self.firsts.each_ref().map(|first| Some((first.as_ref()?.place, first.as_ref()?.text.clone())));
        let misfits = [self.not_date, self.not_timestamp, self.has_offset];
        (self.kinds, self.markers, self.counts, firsts, misfits)
    }

    pub(super) fn from_kept((kinds, markers, counts, firsts, misfits): SeenKept, file: &Arc<Pinned>) -> Self {
        let [not_date, not_timestamp, has_offset] = misfits;
        let firsts = firsts.map(|first| first.map(|(place, text)| Example { file: Arc::clone(file), place, text }));
        Self { kinds, markers, counts, firsts, not_date, not_timestamp, has_offset }
    }

    /// The type that the values of one file have by themselves; `None` of no value.
    pub(crate) fn data_type(&self, name: &str) -> Option<DataType> {
        (self.values() > 0).then(|| self.kinds.reading(name).0)
    }

    pub(crate) fn values(&self) -> u64 {
        self.counts.iter().sum()
    }

    pub(crate) fn count(&self, class: Class) -> u64 {
        self.counts.get(class as usize).copied().unwrap_or_default()
    }

    pub(crate) fn first(&self, class: Class) -> Option<&Example> {
        self.firsts.get(class as usize)?.as_ref()
    }

    pub(super) fn has_offset(&self) -> bool {
        self.has_offset
    }

    /// Whether every value has the form that a definition says dates have, or times.
    pub(super) fn are_as_defined(&self) -> (bool, bool) {
        let any = self.values() > 0;
        (any && !self.not_date, any && !self.not_timestamp)
    }
}

/// What decides how a value is looked at.
pub(super) struct Rules<'a> {
    pub(super) options: &'a Options,
    pub(super) has_commas: bool,
}
