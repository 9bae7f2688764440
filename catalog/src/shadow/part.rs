//! What a query reads of a shadow that files share.
//!
//! Owns: that only the rows of the files are read that the query names. Pure.

use std::ops::Range;
use std::sync::Arc;

use parquet::arrow::arrow_reader::RowSelection;

use super::{Place, Shadow};

/// The rows of some files in one shadow.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) shadow: Arc<Shadow>,
    /// The places of the files in their table; the first one is always there.
    pub(crate) files: Vec<usize>,
    rows: Vec<Range<usize>>,
}

impl Part {
    /// Adds a file to the part of its shadow.
    pub(crate) fn add(parts: &mut Vec<Self>, (at, place): (usize, Place)) {
        let rows = place.rows();
        // Mostly the last one: neighbours share a shadow.
        match parts.iter_mut().rev().find(|part| Arc::ptr_eq(&part.shadow, &place.shadow)) {
            Some(part) => {
                part.files.push(at);
                part.rows.push(rows);
            }
            None => parts.push(Self { shadow: place.shadow, files: vec![at], rows: vec![rows] }),
        }
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows.iter().map(Range::len).sum()
    }

    /// The rows to read; `None` if all of them are.
    pub(crate) fn selection(&self) -> Option<RowSelection> {
        selection(self.rows.clone(), self.shadow.rows())
    }
}

fn selection(mut rows: Vec<Range<usize>>, all: usize) -> Option<RowSelection> {
    rows.retain(|rows| !rows.is_empty());
    rows.sort_unstable_by_key(|rows| rows.start);
    let selected: usize = rows.iter().map(Range::len).sum();
    (selected < all).then(|| RowSelection::from_consecutive_ranges(rows.into_iter(), all))
}

#[cfg(test)]
mod tests {
    use parquet::arrow::arrow_reader::RowSelector;

    use super::*;

    #[test]
    fn neighbours_are_read_at_once() {
        let (select, skip) = (RowSelector::select, RowSelector::skip);
        let all: Vec<Range<usize>> = vec![0..3, 3..3, 3..7, 7..9];
        assert_eq!(selection(all.clone(), 9), None);
        for (files, expected) in [
            (vec![2, 0], vec![select(7), skip(2)]),
            (vec![3, 1, 0], vec![select(3), skip(4), select(2)]),
            (vec![2], vec![skip(3), select(4), skip(2)]),
        ] {
            let rows = files.iter().map(|at: &usize| all[*at].clone()).collect();
            assert_eq!(selection(rows, 9), Some(expected.into()), "{files:?}");
        }
        assert!(!selection(vec![3..3, 7..7], 9).unwrap().selects_any());
    }
}
