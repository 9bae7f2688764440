//! Cuts the records of a batch in one pass over the stops of a text, straight into the wanted columns.
//!
//! Owns: the records that are nothing special. It leaves to `split` every other: those of dialects with blanks or escapes,
//! comments, empty lines, lone returns, the last of a file without a line end, and all that may be wrong. Pure.

use super::Layout;
use super::split::{Delimiter, Dialect, Field};
use super::stops::{Stops, Walk};

/// The records of a batch under construction.
pub(super) struct Records {
    /// The line on which each starts.
    pub(super) lines: Vec<u64>,
    /// The fields of each wanted place, record by record.
    pub(super) cells: Vec<Vec<Field>>,
}

impl Records {
    pub(super) fn new(columns: usize) -> Self {
        Self { lines: Vec::new(), cells: vec![Vec::new(); columns] }
    }

    pub(super) fn clear(&mut self) {
        self.lines.clear();
        self.cells.iter_mut().for_each(Vec::clear);
    }
}

/// Cuts the records of one layout.
pub(super) struct Cuts {
    stops: Stops,
    delimiter: u8,
    quote: Option<u8>,
    comment: Option<u8>,
    width: usize,
    trailing: bool,
    /// The places of the wanted fields in their order, and which of `Records::cells` takes each.
    wanted: Vec<(usize, usize)>,
}

/// Where a record begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) at: usize,
    pub(super) line: u64,
}

impl Cuts {
    /// `None` if records of this dialect are not cut here. `places` are those of the columns of `Records::cells`.
    pub(super) fn new(layout: &Layout, places: &[usize]) -> Option<Self> {
        let Dialect { delimiter, quote, escape, comment, skip_leading_blank } = layout.dialect;
        let Delimiter::Byte(delimiter) = delimiter else { return None };
        if skip_leading_blank || escape.is_some_and(|escape| Some(escape) != quote) || quote == Some(delimiter) {
            return None;
        }
        let mut wanted: Vec<(usize, usize)> = places.iter().enumerate().map(|(cells, place)| (*place, cells)).collect();
        wanted.sort_unstable();
        Some(Self {
            stops: Stops::new([delimiter, b'\n', b'\r', quote.unwrap_or(b'\r')]),
            delimiter,
            quote,
            comment,
            width: layout.names.len(),
            trailing: layout.trailing,
            wanted,
        })
    }

    /// Takes records from a place on, until the batch has so many, or before one that is special: that is the place given.
    pub(super) fn take(&self, text: &[u8], from: Place, records: &mut Records, rows: usize) -> Place {
        let mut walk = self.stops.walk(text, from.at);
        let mut place = from;
        while records.lines.len() < rows {
            let Some(behind) = self.record(&mut walk, place, &mut records.cells) else {
                records.cells.iter_mut().for_each(|cells| cells.truncate(records.lines.len()));
                break;
            };
            records.lines.push(place.line);
            place = behind;
        }
        place
    }

    /// The place behind the record that begins here; `None`, and some of its fields are in `cells`, if it is not cut here.
    #[inline]
    fn record(&self, walk: &mut Walk<'_>, begin: Place, cells: &mut [Vec<Field>]) -> Option<Place> {
        if self.comment.is_some() && walk.byte(begin.at) == self.comment {
            return None;
        }
        let (mut start, mut line, mut place) = (begin.at, begin.line + 1, 0);
        let mut wanted = self.wanted.iter();
        let mut next = wanted.next();
        loop {
            let mut at = walk.next()?;
            let mut byte = walk.byte(at)?;
            let mut field = Field { start, end: at, quoted: false, escaped: false };
            if Some(byte) == self.quote {
                if at != start {
                    // A quote inside a field is a letter.
                    continue;
                }
                field = self.quoted(walk, start + 1, &mut line)?;
                at = walk.next().filter(|at| *at == field.end + 1)?;
                byte = walk.byte(at)?;
            }
            if let Some((_, column)) = next.filter(|(wanted, _)| *wanted == place) {
                cells.get_mut(*column)?.push(field);
                next = wanted.next();
            }
            place += 1;
            if byte == self.delimiter {
                start = at + 1;
                continue;
            }
            let behind = match byte {
                b'\n' => at + 1,
                _ if walk.byte(at + 1) == Some(b'\n') => walk.next()? + 1,
                _ => return None,
            };
            let ends_empty = self.trailing && !field.quoted && field.start == field.end;
            let fits = place == self.width || (ends_empty && place == self.width + 1);
            return (fits && at > begin.at).then_some(Place { at: behind, line });
        }
    }

    /// The field behind an opening quote, up to the closing one.
    #[cold]
    fn quoted(&self, walk: &mut Walk<'_>, start: usize, line: &mut u64) -> Option<Field> {
        let mut escaped = false;
        loop {
            let at = walk.next()?;
            let byte = walk.byte(at)?;
            if byte == b'\n' {
                *line += 1;
            } else if Some(byte) == self.quote {
                if walk.byte(at + 1) != self.quote {
                    return Some(Field { start, end: at, quoted: true, escaped });
                }
                escaped = true;
                walk.next()?;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::split::Splitter;
    use super::*;

    fn layout(dialect: Dialect, width: usize, trailing: bool) -> Layout {
        Layout {
            dialect,
            names: (0..width).map(|place| place.to_string()).collect(),
            trailing,
            encoding: encoding_rs::UTF_8,
            header: false,
            skip_lines: 0,
            commas: Vec::new(),
        }
    }

    /// The records that the splitter cuts, up to the first that cannot be cut or does not fit: place behind, line, fields.
    fn split(text: &[u8], layout: &Layout) -> Vec<(usize, u64, Vec<Field>)> {
        let (mut splitter, mut fields, mut at, mut records) =
            (Splitter::new(layout.dialect), Vec::new(), 0, Vec::new());
        while let Ok(Some(used)) = splitter.next(&text[at..], true, &mut fields) {
            if !layout.fits(&fields) {
                break;
            }
            let moved = |field: &Field| Field { start: field.start + at, end: field.end + at, ..*field };
            records.push((at + used, splitter.record_line(), fields.iter().map(moved).collect()));
            at += used;
        }
        records
    }

    #[test]
    fn it_cuts_as_the_splitter_does() {
        let mut seed = 7_u64;
        let mut next = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(seed >> 33).unwrap()
        };
        let (mut cut, mut quoted, mut all) = (0, 0, 0);
        for round in 0..100_000_usize {
            let quote = [Some(b'"'), None, Some(b'\'')][round % 3];
            let comment = (round % 5 == 0).then_some(b'#');
            let dialect = Dialect { quote, comment, escape: quote.filter(|_| round % 2 == 0), ..Dialect::default() };
            let layout = layout(dialect, 1 + next() % 3, next() % 4 == 0);
            let pieces: &[&str] =
                &["a,", "bc,d\n", "\n", "\"x,\ny\"", "\"\"", "'", "1,2\r\n", "\r", "#", ",", "e\n", "\"f\"\n"];
            let text: String = (0..next() % 40).map(|_| pieces[next() % pieces.len()]).collect();
            let places: Vec<usize> = (0..layout.names.len()).rev().filter(|_| next() % 3 > 0).collect();
            let cuts = Cuts::new(&layout, &places).unwrap();
            let expected = split(text.as_bytes(), &layout);
            let mut records = Records::new(places.len());
            let taken = cuts.take(text.as_bytes(), Place { at: 0, line: 1 }, &mut records, usize::MAX);
            let rows = records.lines.len();
            assert!(rows <= expected.len(), "{text:?} {dialect:?}");
            assert_eq!(taken.at, rows.checked_sub(1).map_or(0, |last| expected[last].0), "{text:?} {dialect:?}");
            let lines: Vec<u64> = expected[..rows].iter().map(|(_, line, _)| *line).collect();
            assert_eq!(records.lines, lines, "{text:?} {dialect:?}");
            for (place, cells) in places.iter().zip(&records.cells) {
                let fields: Vec<Field> = expected[..rows].iter().map(|(_, _, fields)| fields[*place]).collect();
                assert_eq!(*cells, fields, "{text:?} {dialect:?}");
            }
            cut += rows;
            all += expected.len();
            quoted += records.cells.iter().flatten().filter(|field| field.quoted).count();
        }
        assert!(cut > 30_000 && cut * 2 > all && quoted > 1_500, "{cut} of {all}, {quoted} quoted");
    }

    #[test]
    fn a_batch_is_cut_where_it_is_full() {
        let layout = layout(Dialect::default(), 2, false);
        let cuts = Cuts::new(&layout, &[1]).unwrap();
        let (text, mut records) = ("a,1\nb,2\n\"c\n\",3\nd,4\ne", Records::new(1));
        let taken = cuts.take(text.as_bytes(), Place { at: 0, line: 5 }, &mut records, 2);
        assert_eq!((taken, records.lines.as_slice()), (Place { at: 8, line: 7 }, &[5, 6][..]));
        records.clear();
        let taken = cuts.take(text.as_bytes(), taken, &mut records, 9);
        assert_eq!((taken, records.lines.as_slice()), (Place { at: 19, line: 10 }, &[7, 9][..]));
    }
}
