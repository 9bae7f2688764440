//! One schema for the files of a table: union by name, in the order in which the names appear.
//!
//! Owns: which type holds the values of two others. Pure.

use std::collections::HashMap;

use arrow::datatypes::{DataType, Field, Schema, TimeUnit};

use super::normal::normal;

/// A column whose types in two files have none in common.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Conflict {
    pub(crate) column: String,
    pub(crate) known: DataType,
    pub(crate) other: DataType,
}

/// Columns under union.
#[derive(Debug, Default)]
pub(crate) struct Union {
    fields: Vec<Field>,
    places: HashMap<String, usize>,
}

impl Union {
    /// Adds the columns of a file, all or, if one conflicts, none.
    pub(crate) fn add(&mut self, schema: &Schema) -> Result<(), Conflict> {
        let mut widened = Vec::with_capacity(schema.fields().len());
        for field in schema.fields() {
            let other = normal(field);
            let known = self.places.get(field.name()).and_then(|place| self.fields.get(*place));
            widened.push(match known {
                None => other,
                Some(known) if *known == other => other,
                // What one file calls a uuid and another a text is a text.
                Some(known) => match widen(known.data_type(), other.data_type()) {
                    Some(data_type) => Field::new(field.name(), data_type, true),
                    None => {
                        let (known, other) = (known.data_type().clone(), other.data_type().clone());
                        return Err(Conflict { column: field.name().clone(), known, other });
                    }
                },
            });
        }
        for field in widened {
            match self.places.get(field.name()).and_then(|place| self.fields.get_mut(*place)) {
                Some(known) => *known = field,
                None => {
                    self.places.insert(field.name().clone(), self.fields.len());
                    self.fields.push(field);
                }
            }
        }
        Ok(())
    }

    pub(crate) fn finish(self) -> Vec<Field> {
        self.fields
    }
}

/// The narrowest type that holds both.
fn widen(a: &DataType, b: &DataType) -> Option<DataType> {
    use DataType::{Date32, Date64, Decimal128, Float32, Float64, Timestamp, Utf8View};
    if a == b {
        return Some(a.clone());
    }
    Some(match (a, b) {
        _ if a.is_integer() && b.is_integer() => integer(a, b),
        (Decimal128(p, s), Decimal128(q, t)) => decimal((*p, *s), (*q, *t)),
        (Decimal128(p, s), other) | (other, Decimal128(p, s)) if other.is_integer() => decimal((*p, *s), (20, 0)),
        _ if a.is_numeric() && b.is_numeric() => match (a, b) {
            (Float32, Float32) => Float32,
            _ => Float64,
        },
        (Timestamp(unit, None), Date32 | Date64) | (Date32 | Date64, Timestamp(unit, None)) => Timestamp(*unit, None),
        (Timestamp(_, zone), Timestamp(_, other)) if zone == other => Timestamp(TimeUnit::Microsecond, zone.clone()),
        (DataType::Struct(known), DataType::Struct(other)) => {
            let mut union = Union::default();
            union.add(&Schema::new(known.clone())).ok()?;
            union.add(&Schema::new(other.clone())).ok()?;
            DataType::Struct(union.finish().into())
        }
        _ if a.is_nested() || b.is_nested() => return None,
        (DataType::BinaryView | DataType::FixedSizeBinary(_), _)
        | (_, DataType::BinaryView | DataType::FixedSizeBinary(_)) => {
            return None;
        }
        _ => Utf8View,
    })
}

/// Signed integers widen to the larger; an unsigned one needs the next size.
fn integer(a: &DataType, b: &DataType) -> DataType {
    let bits = |data_type: &DataType| {
        data_type.primitive_width().unwrap_or(8) * 8 + usize::from(data_type.is_unsigned_integer())
    };
    match bits(a).max(bits(b)) {
        ..=16 => DataType::Int16,
        17..=32 => DataType::Int32,
        33..=64 => DataType::Int64,
        _ => DataType::Decimal128(20, 0),
    }
}

fn decimal((p, s): (u8, i8), (q, t): (u8, i8)) -> DataType {
    let scale = s.max(t);
    let whole = (i16::from(p) - i16::from(s)).max(i16::from(q) - i16::from(t));
    match u8::try_from(whole + i16::from(scale)) {
        Ok(precision @ ..=38) => DataType::Decimal128(precision, scale),
        _ => DataType::Float64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_widen() {
        use DataType::*;
        let naive = Timestamp(TimeUnit::Millisecond, None);
        let cases = [
            (Int32, Int64, Some(Int64)),
            (UInt32, Int32, Some(Int64)),
            (Int64, Float32, Some(Float64)),
            (Decimal128(10, 2), Int32, Some(Decimal128(22, 2))),
            (Int64, Utf8View, Some(Utf8View)),
            (Date32, naive.clone(), Some(naive)),
            (Boolean, Int64, Some(Utf8View)),
            (BinaryView, Int64, None),
        ];
        for (a, b, expected) in cases {
            assert_eq!(widen(&a, &b), expected, "{a} {b}");
            assert_eq!(widen(&b, &a), expected, "{b} {a}");
        }
    }

    #[test]
    fn columns_are_in_the_order_of_appearance() {
        let file = |names: &[&str]| {
            Schema::new(names.iter().map(|n| Field::new(*n, DataType::Int64, true)).collect::<Vec<_>>())
        };
        let mut union = Union::default();
        union.add(&file(&["b", "a"])).unwrap();
        union.add(&file(&["a", "c", "b"])).unwrap();
        assert_eq!(union.finish().iter().map(|field| field.name().clone()).collect::<Vec<_>>(), ["b", "a", "c"]);
    }
}
