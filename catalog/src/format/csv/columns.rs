//! Builds the columns of a batch from the texts of fields.
//!
//! Owns: which texts a type takes. The type is decided once per column, not per value.

use std::sync::Arc;

use arrow::array::{ArrayRef, ArrowPrimitiveType, BooleanBuilder, PrimitiveBuilder, StringViewBuilder};
use arrow::compute::kernels::cast_utils::parse_decimal;
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type, TimeUnit,
    TimestampMicrosecondType,
};

use super::plan::Way;
use super::split::{Dialect, Field, unescaped};
use crate::format::value::{Form, boolean, float};

/// How the texts of a column are read.
pub(super) struct Column {
    data_type: DataType,
    kind: Kind,
    /// Whether a comma stands before decimals.
    has_commas: bool,
    way: Way,
}

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Int16,
    Int32,
    Int64,
    Float32,
    Float64,
    Decimal { precision: u8, scale: i8 },
    Boolean,
    Date,
    Timestamp(Offset),
}

/// What a column of times asks of the offset of a value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Offset {
    Forbidden,
    Required,
    /// A value without an offset is in UTC, because the definition says that the column has an instant.
    OrUtc,
}

/// Fields of one column, as they stand in a text.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a> {
    pub(super) text: &'a str,
    pub(super) fields: &'a [Field],
    pub(super) dialect: &'a Dialect,
}

impl<'a> Fields<'a> {
    /// The value of one of them.
    pub(super) fn value<'b>(&self, field: &Field, scratch: &'b mut String) -> &'b str
    where
        'a: 'b,
    {
        let value = self.text.get(field.start..field.end).unwrap_or_default();
        if !field.escaped {
            return value;
        }
        unescaped(value, self.dialect, scratch);
        scratch
    }
}

/// The rows whose values a column cannot take.
pub(super) struct Misfits {
    pub(super) rows: Vec<usize>,
    /// Whether the first of them ends the reading.
    pub(super) first_only: bool,
}

impl Misfits {
    /// Takes note of one; true if reading goes on.
    fn add(&mut self, row: usize) -> bool {
        self.rows.push(row);
        !self.first_only
    }
}

impl Column {
    /// `None` if text cannot be read as the type.
    pub(super) fn new(data_type: &DataType, declared: bool, way: Way, has_commas: bool) -> Option<Self> {
        let kind = match data_type {
            DataType::Utf8View => Kind::Text,
            DataType::Int16 => Kind::Int16,
            DataType::Int32 => Kind::Int32,
            DataType::Int64 => Kind::Int64,
            DataType::Float32 => Kind::Float32,
            DataType::Float64 => Kind::Float64,
            DataType::Decimal128(precision, scale) => Kind::Decimal { precision: *precision, scale: *scale },
            DataType::Boolean => Kind::Boolean,
            DataType::Date32 => Kind::Date,
            DataType::Timestamp(TimeUnit::Microsecond, zone) => Kind::Timestamp(match (zone.is_some(), declared) {
                (false, _) => Offset::Forbidden,
                (true, false) => Offset::Required,
                (true, true) => Offset::OrUtc,
            }),
            _ => return None,
        };
        Some(Self { data_type: data_type.clone(), kind, has_commas, way })
    }

    pub(super) fn data_type(&self) -> &DataType {
        &self.data_type
    }

    /// The values of some fields; those of misfits are NULL.
    pub(super) fn read(&self, fields: Fields<'_>, misfits: &mut Misfits) -> ArrayRef {
        let form = &self.way.form;
        match self.kind {
            Kind::Text => self.texts(fields, misfits),
            Kind::Boolean => self.booleans(fields, misfits),
            Kind::Int16 => self.primitives::<Int16Type>(fields, misfits, |value| value.parse().ok()),
            Kind::Int32 => self.primitives::<Int32Type>(fields, misfits, |value| value.parse().ok()),
            Kind::Int64 => self.primitives::<Int64Type>(fields, misfits, |value| value.parse().ok()),
            Kind::Float32 => self.decimals::<Float32Type>(fields, misfits, |value| value.parse().ok()),
            Kind::Float64 => self.decimals::<Float64Type>(fields, misfits, float),
            Kind::Decimal { precision, scale } => self.decimals::<Decimal128Type>(fields, misfits, |value| {
                parse_decimal::<Decimal128Type>(value, precision, scale).ok()
            }),
            Kind::Date => self.primitives::<Date32Type>(fields, misfits, |value| form.date(value)),
            Kind::Timestamp(offset) => {
                self.primitives::<TimestampMicrosecondType>(fields, misfits, |value| moment(value, offset, form))
            }
        }
    }

    fn texts(&self, fields: Fields<'_>, misfits: &mut Misfits) -> ArrayRef {
        let mut builder = StringViewBuilder::with_capacity(fields.fields.len()).with_fixed_block_size(64 << 10);
        let mut scratch = String::new();
        for (row, field) in fields.fields.iter().enumerate() {
            let value = fields.value(field, &mut scratch);
            if self.way.is_null_text(value, field.quoted) {
                builder.append_null();
            } else if builder.try_append_value(value).is_err() {
                builder.append_null();
                if !misfits.add(row) {
                    break;
                }
            }
        }
        Arc::new(builder.finish())
    }

    fn booleans(&self, fields: Fields<'_>, misfits: &mut Misfits) -> ArrayRef {
        let mut builder = BooleanBuilder::with_capacity(fields.fields.len());
        let take = |value: &str| boolean(value).or_else(|| flag(value));
        self.each(fields, misfits, take, |value| builder.append_option(value));
        Arc::new(builder.finish())
    }

    fn primitives<T: ArrowPrimitiveType>(
        &self,
        fields: Fields<'_>,
        misfits: &mut Misfits,
        take: impl FnMut(&str) -> Option<T::Native>,
    ) -> ArrayRef {
        let builder = PrimitiveBuilder::<T>::with_capacity(fields.fields.len());
        let mut builder = builder.with_data_type(self.data_type.clone());
        self.each(fields, misfits, take, |value| builder.append_option(value));
        Arc::new(builder.finish())
    }

    /// Numbers that may have a comma for a point.
    fn decimals<T: ArrowPrimitiveType>(
        &self,
        fields: Fields<'_>,
        misfits: &mut Misfits,
        mut take: impl FnMut(&str) -> Option<T::Native>,
    ) -> ArrayRef {
        if !self.has_commas {
            return self.primitives::<T>(fields, misfits, take);
        }
        let mut scratch = String::new();
        self.primitives::<T>(fields, misfits, |value| take(pointed(value, &mut scratch)?))
    }

    fn each<V>(
        &self,
        fields: Fields<'_>,
        misfits: &mut Misfits,
        mut take: impl FnMut(&str) -> Option<V>,
        mut append: impl FnMut(Option<V>),
    ) {
        let mut scratch = String::new();
        for (row, field) in fields.fields.iter().enumerate() {
            let value = fields.value(field, &mut scratch).trim_ascii();
            if self.way.is_null(value) {
                append(None);
                continue;
            }
            let taken = take(value);
            let is_misfit = taken.is_none();
            append(taken);
            if is_misfit && !misfits.add(row) {
                return;
            }
        }
    }
}

/// The same number with a point before its decimals.
fn pointed<'a>(value: &'a str, scratch: &'a mut String) -> Option<&'a str> {
    if value.contains('.') {
        return None;
    }
    let Some((whole, decimals)) = value.split_once(',') else { return Some(value) };
    scratch.clear();
    scratch.push_str(whole);
    scratch.push('.');
    scratch.push_str(decimals);
    Some(scratch)
}

/// The other texts that PostgreSQL takes for a boolean; only a declared column meets them.
fn flag(value: &str) -> Option<bool> {
    match value {
        "t" | "T" | "1" | "y" | "Y" | "yes" | "on" => Some(true),
        "f" | "F" | "0" | "n" | "N" | "no" | "off" => Some(false),
        _ => None,
    }
}

fn moment(value: &str, offset: Offset, form: &Form) -> Option<i64> {
    let (micros, has_offset) = form.timestamp(value)?;
    match offset {
        Offset::Forbidden if has_offset => None,
        Offset::Required if !has_offset => None,
        Offset::Forbidden | Offset::Required | Offset::OrUtc => Some(micros),
    }
}
