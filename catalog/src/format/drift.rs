//! How the columns of the files of a table differ, file after file in the order of their keys.
//!
//! Owns: what is a difference. It changes no row: columns are matched by name. Pure.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::DataType;

use super::type_name;
use crate::pinned::Pinned;

/// Differences of one table that are kept to be shown; the others are only counted.
const KEPT_MAX: usize = 1_000;

/// A difference of a file to the file before it.
#[derive(Debug, Clone)]
pub(crate) struct Difference {
    pub(crate) file: Arc<Pinned>,
    pub(crate) column: String,
    pub(crate) change: Change,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    Added,
    Missing,
    /// A missing column and an added one of the same type at the same place.
    Renamed {
        before: String,
    },
    /// The places, from 1, of a column whose order among the others changed.
    Moved {
        before: usize,
        now: usize,
    },
    Retyped {
        before: &'static str,
        now: &'static str,
    },
}

impl Change {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Missing => "missing",
            Self::Renamed { .. } => "renamed",
            Self::Moved { .. } => "moved",
            Self::Retyped { .. } => "type",
        }
    }
}

/// A column of one file. No value tells no type.
pub(crate) type Column<'a> = (&'a str, Option<DataType>);

/// The differences of a table.
#[derive(Debug, Default)]
pub(crate) struct Drift {
    /// The columns of the file before.
    last: Option<Vec<(String, Option<DataType>)>>,
    pub(crate) kept: Vec<Difference>,
    /// How many there are.
    pub(crate) count: u64,
}

impl Drift {
    /// Compares a file with the one before.
    pub(crate) fn see(&mut self, file: &Arc<Pinned>, columns: &[Column<'_>]) {
        let is_same = |known: &[(String, Option<DataType>)]| {
            known.len() == columns.len()
                && known
                    .iter()
                    .zip(columns)
                    .all(|((known, before), (name, now))| known == name && (now.is_none() || before == now))
        };
        if self.last.as_deref().is_some_and(is_same) {
            return;
        }
        let mut now: Vec<_> = columns.iter().map(|(name, data_type)| ((*name).to_owned(), data_type.clone())).collect();
        if let Some(before) = self.last.take() {
            for (column, change) in changes(&before, &mut now) {
                self.count += 1;
                if self.kept.len() < KEPT_MAX {
                    self.kept.push(Difference { file: Arc::clone(file), column, change });
                }
            }
        }
        self.last = Some(now);
    }
}

/// What changed. A type that `now` does not know is the one before.
fn changes(before: &[(String, Option<DataType>)], now: &mut [(String, Option<DataType>)]) -> Vec<(String, Change)> {
    let places: HashMap<&str, usize> = before.iter().enumerate().map(|(at, (name, _))| (name.as_str(), at)).collect();
    let is_there = |name: &str, columns: &[(String, Option<DataType>)]| columns.iter().any(|(known, _)| known == name);
    let (mut changes, mut renamed, mut common) = (Vec::new(), Vec::new(), Vec::new());
    for (place, (name, data_type)) in now.iter_mut().enumerate() {
        let Some((at, known)) = places.get(name.as_str()).and_then(|at| Some((*at, &before.get(*at)?.1))) else {
            changes.push((name.clone(), place, Change::Added));
            continue;
        };
        common.push((at, place));
        match (known, &data_type) {
            (Some(known), Some(other)) if known != other => {
                let retyped = Change::Retyped { before: type_name(known), now: type_name(other) };
                changes.push((name.clone(), place, retyped));
            }
            (known, None) => data_type.clone_from(known),
            _ => {}
        }
    }
    for (_, place, change) in changes.iter_mut().filter(|(_, _, change)| *change == Change::Added) {
        let Some((old, known)) = before.get(*place) else { continue };
        let other = now.get(*place).and_then(|(_, data_type)| data_type.as_ref());
        let may_be_same = known.as_ref().is_none_or(|known| other.is_none_or(|other| known == other));
        if may_be_same && !is_there(old, now) {
            renamed.push(old.clone());
            *change = Change::Renamed { before: old.clone() };
        }
    }
    let in_order = longest_ascent(&common.iter().map(|(at, _)| *at).collect::<Vec<_>>());
    let moved = common.iter().zip(in_order).filter(|(_, in_order)| !in_order).filter_map(|((at, place), _)| {
        let (name, _) = now.get(*place)?;
        Some((name.clone(), *place, Change::Moved { before: at + 1, now: place + 1 }))
    });
    changes.extend(moved.collect::<Vec<_>>());
    changes.sort_by_key(|(_, place, _)| *place);
    let missing = before.iter().filter(|(name, _)| !is_there(name, now) && !renamed.contains(name));
    let missing = missing.map(|(name, _)| (name.clone(), Change::Missing)).collect::<Vec<_>>();
    changes.into_iter().map(|(name, _, change)| (name, change)).chain(missing).collect()
}

/// Which of the numbers, no two of them equal, are in a longest part that ascends.
fn longest_ascent(numbers: &[usize]) -> Vec<bool> {
    // For each length, the place of the least number that ends such a part; and the place before each number.
    let (mut ends, mut before): (Vec<usize>, Vec<Option<usize>>) = (Vec::new(), Vec::with_capacity(numbers.len()));
    for (place, number) in numbers.iter().enumerate() {
        let length = ends.partition_point(|end| numbers.get(*end).is_some_and(|last| last < number));
        before.push(length.checked_sub(1).and_then(|shorter| ends.get(shorter)).copied());
        match ends.get_mut(length) {
            Some(end) => *end = place,
            None => ends.push(place),
        }
    }
    let mut is_in = vec![false; numbers.len()];
    let mut next = ends.last().copied();
    while let Some(place) = next {
        if let Some(is_in) = is_in.get_mut(place) {
            *is_in = true;
        }
        next = before.get(place).copied().flatten();
    }
    is_in
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(before: &str, now: &str) -> String {
        let columns = |text: &str| -> Vec<(String, Option<DataType>)> {
            let column = |word: &str| match word.split_once(':') {
                None => (word.to_owned(), Some(DataType::Int64)),
                Some((name, "float")) => (name.to_owned(), Some(DataType::Float64)),
                Some((name, _)) => (name.to_owned(), None),
            };
            text.split(' ').map(column).collect()
        };
        let changes = changes(&columns(before), &mut columns(now));
        changes.iter().map(|(name, change)| format!("{name} {change:?}")).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn columns_come_go_move_and_change() {
        assert_eq!(told("a b c", "a b c"), "");
        assert_eq!(told("a b", "a x b"), "x Added");
        assert_eq!(told("a b c", "a c"), "b Missing");
        assert_eq!(told("a b c d", "d a b c"), "d Moved { before: 4, now: 1 }");
        assert_eq!(told("a b c", "a t c"), "t Renamed { before: \"b\" }");
        assert_eq!(told("a b c", "a t:float c"), "t Added; b Missing");
        assert_eq!(told("a b c", "a b:float c"), "b Retyped { before: \"bigint\", now: \"double precision\" }");
        assert_eq!(told("a b c", "c x b:none"), "c Moved { before: 3, now: 1 }; x Added; a Missing");
    }
}
