//! The output functions as texts of a column, for casts to text.
//!
//! Must never know: how any type looks; the siblings do.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringArray};
use arrow::buffer::{Buffer, OffsetBuffer};
use arrow::datatypes::Field;
use bytes::BytesMut;
use datafusion::common::{DataFusionError, Result};
use udfs::settings::Output;

use super::cell::{self, Column, Look};
use super::row::Format;
use super::writer::Writer;
use crate::session::vars::Display;

/// The output functions of a session.
pub fn outputs(display: &Display) -> Arc<dyn Output> {
    Arc::new(Texts(Arc::new(Look::new(display))))
}

#[derive(Debug)]
struct Texts(Arc<Look>);

impl Output for Texts {
    fn texts(&self, values: &ArrayRef, field: &Field) -> Result<ArrayRef> {
        let external = |error| DataFusionError::External(Box::new(error));
        let column = Column::new(field, Format::Text).map_err(external)?;
        let mut cell = cell::bind(values, &column, &self.0).map_err(external)?;
        let mut out = BytesMut::new();
        let mut writer = Writer::new(&mut out, 16 * values.len());
        let mut lengths = Vec::with_capacity(values.len());
        for row in 0..values.len() {
            let start = writer.at();
            if !cell.is_null(row) {
                cell.value(row, &mut writer).map_err(external)?;
            }
            lengths.push(writer.at() - start);
        }
        writer.finish();
        let offsets = OffsetBuffer::from_lengths(lengths);
        Ok(Arc::new(StringArray::try_new(offsets, Buffer::from_vec(out.to_vec()), values.logical_nulls())?))
    }
}
