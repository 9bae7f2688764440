//! Values of every type as text: PostgreSQL's output functions, and the shape that `to_json` gives each type.
//!
//! Owns: which writer a column has; it is chosen once a batch. Must never know: what the text is for. The wire has its
//! own, faster writers (`gateway/src/pg/encode`); casts to text and JSON are made here.

mod clock;
mod float;
mod nested;
mod scalar;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use arrow::buffer::NullBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field};
use datafusion::common::Result;

use crate::pg::zone::Zone;

/// What the texts are written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// `x::text`.
    Text,
    /// JSON as `to_json` writes it, with this between the parts of the outermost value.
    Json { separator: &'static str },
}

/// JSON without blanks.
pub(crate) const COMPACT: Form = Form::Json { separator: "," };

impl Form {
    /// What lies inside of a value.
    fn inner(self) -> Self {
        match self {
            Self::Text => Self::Text,
            Self::Json { .. } => COMPACT,
        }
    }

    fn separator(self) -> &'static str {
        match self {
            Self::Text => ",",
            Self::Json { separator } => separator,
        }
    }
}

/// Appends the text of a value that is not NULL.
type Write = Box<dyn Fn(usize, &mut String) -> Result<()>>;

/// The values of one array, ready to be written.
pub(crate) struct Values {
    nulls: Option<NullBuffer>,
    write: Write,
}

impl Values {
    /// The field tells what the Arrow type does not; instants show the clock of the zone.
    pub(crate) fn new(array: &ArrayRef, field: &Field, form: Form, zone: Zone) -> Result<Self> {
        let array = &plain(array)?;
        let write = match array.data_type() {
            DataType::List(_) => nested::list(array, field, form, zone)?,
            DataType::Struct(_) => nested::composite(array, form, zone)?,
            DataType::Map(..) => nested::map(array, zone)?,
            DataType::Union(..) => nested::union(array, form, zone)?,
            _ => scalar::scalar(array, field, form, zone)?,
        };
        Ok(Self { nulls: array.logical_nulls(), write })
    }

    pub(crate) fn is_null(&self, row: usize) -> bool {
        self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row))
    }

    /// Appends a value that is not NULL.
    pub(crate) fn write(&self, row: usize, out: &mut String) -> Result<()> {
        (self.write)(row, out)
    }

    /// Appends a value as JSON, NULL as `null`.
    pub(crate) fn write_json(&self, row: usize, out: &mut String) -> Result<()> {
        if self.is_null(row) {
            out.push_str("null");
            return Ok(());
        }
        self.write(row, out)
    }
}

/// The array in one of the encodings that the writers read.
fn plain(array: &ArrayRef) -> Result<ArrayRef> {
    let to = match array.data_type() {
        DataType::Dictionary(_, values) => values.as_ref().clone(),
        DataType::RunEndEncoded(_, values) => values.data_type().clone(),
        DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
        DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => DataType::Binary,
        DataType::LargeList(item) | DataType::FixedSizeList(item, _) => DataType::List(Arc::clone(item)),
        DataType::ListView(item) | DataType::LargeListView(item) => DataType::List(Arc::clone(item)),
        _ => return Ok(Arc::clone(array)),
    };
    plain(&cast(array, &to)?)
}
