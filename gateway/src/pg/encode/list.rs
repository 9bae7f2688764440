//! Arrays: every list type of Arrow, nested ones as one array of more dimensions.
//!
//! Owns: `array_out`, `array_send` and the vectors of the catalogs. Must never know: how an element looks.
//! <https://www.postgresql.org/docs/16/arrays.html#ARRAYS-IO>

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::DataType;

use super::cell::{self, BoxCell, Column, Look, each};
use super::row::Format;
use super::writer::Writer;
use crate::error::{Error, Result, SqlState};
use crate::pg::types;

/// PostgreSQL's `MAXDIM`.
const DIMENSIONS_MAX: usize = 6;

/// Where the rows of one nesting level find their elements.
enum Ranges {
    Offsets(OffsetBuffer<i32>),
    LargeOffsets(OffsetBuffer<i64>),
    Fixed(usize),
    Views(ScalarBuffer<i32>, ScalarBuffer<i32>),
    LargeViews(ScalarBuffer<i64>, ScalarBuffer<i64>),
}

struct Level {
    ranges: Ranges,
    nulls: Option<NullBuffer>,
}

struct List {
    levels: Vec<Level>,
    elements: BoxCell,
    element_oid: u32,
    /// 1, but 0 for the vectors of the catalogs.
    lower_bound: i32,
    quoted: Vec<u8>,
}

pub(super) fn cell(array: &ArrayRef, column: &Column, look: &Arc<Look>) -> Result<BoxCell> {
    let mut levels = Vec::new();
    let mut values = Arc::clone(array);
    let mut field = column.field.clone();
    while let Some((level, inner)) = level(&values) {
        if let Some(item) = types::list_item(types::plain(values.data_type())) {
            field = item.clone();
        }
        levels.push(level);
        values = inner;
    }
    let element_oid = types::element_of(column.oid).unwrap_or(types::TEXT);
    let element = Column { field, oid: element_oid, format: column.format };
    let is_vector = matches!(column.oid, types::INT2VECTOR | types::OIDVECTOR);
    let elements = cell::bind(&values, &element, look)?;
    let mut list = List { levels, elements, element_oid, lower_bound: i32::from(!is_vector), quoted: Vec::new() };
    let nulls = array.nulls();
    Ok(match column.format {
        Format::Binary => each(nulls, move |row, out| list.send(row, out)),
        Format::Text if is_vector => each(nulls, move |row, out| list.vector(row, out)),
        Format::Text => each(nulls, move |row, out| match list.is_empty(0, row) {
            true => {
                out.array(b"{}");
                Ok(())
            }
            false => list.print(0, row, out),
        }),
    })
}

/// Where the rows of a list find their elements in the array below it; for writers that nest by themselves.
pub(super) fn rows(array: &ArrayRef) -> Option<(impl Fn(usize) -> Range<usize> + 'static, ArrayRef)> {
    level(array).map(|(level, values)| (move |row| level.range(row), values))
}

/// One level of nesting, and the array below it.
fn level(array: &ArrayRef) -> Option<(Level, ArrayRef)> {
    let (ranges, values) = match array.data_type() {
        DataType::List(_) => {
            let list = array.as_list::<i32>();
            (Ranges::Offsets(list.offsets().clone()), list.values())
        }
        DataType::LargeList(_) => {
            let list = array.as_list::<i64>();
            (Ranges::LargeOffsets(list.offsets().clone()), list.values())
        }
        DataType::FixedSizeList(_, size) => {
            (Ranges::Fixed(usize::try_from(*size).unwrap_or(0)), array.as_fixed_size_list().values())
        }
        DataType::ListView(_) => {
            let list = array.as_list_view::<i32>();
            (Ranges::Views(list.offsets().clone(), list.sizes().clone()), list.values())
        }
        DataType::LargeListView(_) => {
            let list = array.as_list_view::<i64>();
            (Ranges::LargeViews(list.offsets().clone(), list.sizes().clone()), list.values())
        }
        _ => return None,
    };
    Some((Level { ranges, nulls: array.nulls().cloned() }, Arc::clone(values)))
}

impl Level {
    fn range(&self, row: usize) -> Range<usize> {
        let pair = |start: Option<i64>, end: Option<i64>| {
            let at = |bound: Option<i64>| bound.and_then(|bound| usize::try_from(bound).ok()).unwrap_or(0);
            at(start)..at(end)
        };
        match &self.ranges {
            Ranges::Offsets(offsets) => {
                pair(offsets.get(row).map(|at| i64::from(*at)), offsets.get(row + 1).map(|at| i64::from(*at)))
            }
            Ranges::LargeOffsets(offsets) => pair(offsets.get(row).copied(), offsets.get(row + 1).copied()),
            Ranges::Fixed(size) => row * size..(row + 1) * size,
            Ranges::Views(offsets, sizes) => {
                let start = offsets.get(row).map(|at| i64::from(*at));
                pair(start, start.zip(sizes.get(row)).map(|(start, size)| start + i64::from(*size)))
            }
            Ranges::LargeViews(offsets, sizes) => {
                let start = offsets.get(row).copied();
                pair(start, start.zip(sizes.get(row)).map(|(start, size)| start + size))
            }
        }
    }

    fn is_null(&self, row: usize) -> bool {
        self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row))
    }
}

impl List {
    fn range(&self, depth: usize, row: usize) -> Range<usize> {
        self.levels.get(depth).map_or(0..0, |level| level.range(row))
    }

    fn is_null(&self, depth: usize, row: usize) -> bool {
        match self.levels.get(depth) {
            Some(level) => level.is_null(row),
            None => self.elements.is_null(row),
        }
    }

    /// True where no element is below; PostgreSQL has one empty array, without dimensions.
    fn is_empty(&self, depth: usize, row: usize) -> bool {
        let mut range = self.range(depth, row);
        match depth + 1 == self.levels.len() {
            true => range.is_empty(),
            false => range.all(|inner| !self.is_null(depth + 1, inner) && self.is_empty(depth + 1, inner)),
        }
    }

    /// Ragged rows, which PostgreSQL has not, print as their braces.
    fn print(&mut self, depth: usize, row: usize, out: &mut Writer<'_>) -> Result<()> {
        out.byte(b'{');
        let range = self.range(depth, row);
        let first = range.start;
        for inner in range {
            if inner != first {
                out.byte(b',');
            }
            if self.is_null(depth + 1, inner) {
                out.array(b"NULL");
            } else if depth + 1 < self.levels.len() {
                self.print(depth + 1, inner, out)?;
            } else {
                let start = out.at();
                self.elements.value(inner, out)?;
                self.quote(start, out);
            }
        }
        out.byte(b'}');
        Ok(())
    }

    /// Quotes the element written from `start` on, where it would not read back as itself.
    fn quote(&mut self, start: usize, out: &mut Writer<'_>) {
        let element = out.since(start);
        let special =
            |byte: &u8| matches!(byte, b'"' | b'\\' | b'{' | b'}' | b',' | b' ' | b'\t' | b'\n' | b'\r' | 11 | 12);
        if !element.is_empty() && !element.eq_ignore_ascii_case(b"null") && !element.iter().any(special) {
            return;
        }
        self.quoted.clear();
        self.quoted.push(b'"');
        for byte in element {
            if matches!(byte, b'"' | b'\\') {
                self.quoted.push(b'\\');
            }
            self.quoted.push(*byte);
        }
        self.quoted.push(b'"');
        out.rewind(start);
        out.slice(&self.quoted);
    }

    /// `int2vector` and `oidvector`: numbers with blanks between them.
    fn vector(&mut self, row: usize, out: &mut Writer<'_>) -> Result<()> {
        let range = self.range(0, row);
        let first = range.start;
        for inner in range {
            if inner != first {
                out.byte(b' ');
            }
            self.elements.value(inner, out)?;
        }
        Ok(())
    }

    fn send(&mut self, row: usize, out: &mut Writer<'_>) -> Result<()> {
        if self.levels.len() == 1 {
            let range = self.range(0, row);
            // An empty vector keeps its dimension, an empty array has none.
            let has_dimension = !range.is_empty() || self.lower_bound == 0;
            self.header(usize::from(has_dimension), range.clone(), out);
            if has_dimension {
                self.dimension(range.len(), out);
            }
            return range.clone().try_for_each(|element| self.elements.field(element, out));
        }
        let mut shape = Shape::default();
        if !self.is_empty(0, row) {
            self.measure(0, row, &mut shape)?;
        }
        if shape.dimensions.len() > DIMENSIONS_MAX {
            return Err(Error::new(
                SqlState::ProgramLimitExceeded,
                format!("number of array dimensions ({}) exceeds the maximum allowed (6)", shape.dimensions.len()),
            ));
        }
        self.header(shape.dimensions.len(), shape.elements.iter().copied(), out);
        shape.dimensions.iter().for_each(|length| self.dimension(*length, out));
        shape.elements.iter().try_for_each(|element| self.elements.field(*element, out))
    }

    fn header(&self, dimensions: usize, elements: impl IntoIterator<Item = usize>, out: &mut Writer<'_>) {
        let has_null = elements.into_iter().any(|element| self.elements.is_null(element));
        out.array(&be(dimensions));
        out.array(&i32::from(has_null).to_be_bytes());
        out.array(&self.element_oid.to_be_bytes());
    }

    fn dimension(&self, length: usize, out: &mut Writer<'_>) {
        out.array(&be(length));
        out.array(&self.lower_bound.to_be_bytes());
    }

    /// Finds the dimensions and the elements in their order.
    fn measure(&self, depth: usize, row: usize, shape: &mut Shape) -> Result<()> {
        let range = self.range(depth, row);
        match shape.dimensions.get(depth) {
            Some(length) if *length != range.len() => return Err(ragged()),
            Some(_) => {}
            None => shape.dimensions.push(range.len()),
        }
        if depth + 1 == self.levels.len() {
            shape.elements.extend(range);
            return Ok(());
        }
        for inner in range {
            if self.is_null(depth + 1, inner) {
                return Err(ragged());
            }
            self.measure(depth + 1, inner, shape)?;
        }
        Ok(())
    }
}

#[derive(Default)]
struct Shape {
    dimensions: Vec<usize>,
    elements: Vec<usize>,
}

fn be(number: usize) -> [u8; 4] {
    i32::try_from(number).unwrap_or(i32::MAX).to_be_bytes()
}

fn ragged() -> Error {
    Error::new(
        SqlState::ArraySubscriptError,
        "multidimensional arrays must have array expressions with matching dimensions",
    )
    .hint("Ask for the column in text format.")
}
