//! The shape of JSON values: which keys, which kinds, how deep.
//!
//! Owns: the types of columns that JSON fills. Pure.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use crate::format::value::{Kinds, classify};
use crate::pinned::Pinned;
use crate::remembered::Kept;

/// The shortest time that the decoder takes: `YYYY-MM-DDTHH:MM:SS`.
const TIMESTAMP_CHARS_MIN: usize = 19;

/// Everything that values of one place were.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Shape {
    kinds: Kinds,
    list: Option<Box<Shape>>,
    /// The keys of objects, in the order in which they were met.
    object: Option<Vec<(String, Shape)>>,
}

impl Shape {
    /// Looks at one line.
    pub(crate) fn see(&mut self, line: &str) -> Result<(), serde_json::Error> {
        if !line.starts_with('{') {
            return Err(serde_json::Error::custom("expected an object"));
        }
        let mut deserializer = serde_json::Deserializer::from_str(line);
        Seen(self).deserialize(&mut deserializer)?;
        deserializer.end()
    }

    /// Whether an object was met.
    pub(crate) fn has_rows(&self) -> bool {
        self.object.is_some()
    }

    /// Adds what another file has.
    pub(crate) fn merge(&mut self, other: Self) {
        self.kinds.add(other.kinds);
        if let Some(list) = other.list {
            self.list.get_or_insert_default().merge(*list);
        }
        for (key, shape) in other.object.into_iter().flatten() {
            self.at_key(&key, |known| known.merge(shape));
        }
    }

    /// Applies `see` to the shape of a key.
    fn at_key<T>(&mut self, key: &str, see: impl FnOnce(&mut Shape) -> T) -> T {
        let keys = self.object.get_or_insert_default();
        if let Some((_, shape)) = keys.iter_mut().find(|(known, _)| known == key) {
            return see(shape);
        }
        let mut shape = Shape::default();
        let seen = see(&mut shape);
        keys.push((key.to_owned(), shape));
        seen
    }

    /// The columns of a table of such objects.
    pub(crate) fn fields(&self) -> Vec<Field> {
        let keys = self.object.iter().flatten();
        keys.map(|(key, shape)| Field::new(key, shape.data_type(), true)).collect()
    }

    fn data_type(&self) -> DataType {
        match (&self.list, &self.object) {
            (Some(item), None) if self.kinds.is_empty() => {
                DataType::List(Field::new_list_field(item.data_type(), true).into())
            }
            (None, Some(keys)) if self.kinds.is_empty() && !keys.is_empty() => DataType::Struct(self.fields().into()),
            _ => self.kinds.data_type(),
        }
    }
}

/// Files of a table mostly have one shape.
impl Kept for Shape {
    type Shared = Self;

    fn shared(&self) -> &Self {
        self
    }

    fn shared_to(shared: &Self) -> Option<String> {
        serde_json::to_string(shared).ok()
    }

    fn shared_from(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    fn own_to(&self) -> Option<String> {
        Some(String::new())
    }

    fn from_parts(shared: &Self, _: &str, _: &Arc<Pinned>) -> Option<Self> {
        Some(shared.clone())
    }
}

/// A shape that sees the next value.
struct Seen<'a>(&'a mut Shape);

impl<'de> DeserializeSeed<'de> for Seen<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seen<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        self.0.kinds.add(Kinds::BOOLEAN);
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        self.0.kinds.add(Kinds::INTEGER);
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.0.kinds.add(if i64::try_from(value).is_ok() { Kinds::INTEGER } else { Kinds::FLOAT });
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        self.0.kinds.add(Kinds::FLOAT);
        Ok(())
    }

    /// A quoted number is a text, a quoted time is a time: JSON has no other way to write it.
    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        let kind = classify(value);
        let is_time = kind == Kinds::DATE
            || ((kind == Kinds::TIMESTAMP || kind == Kinds::INSTANT) && value.len() >= TIMESTAMP_CHARS_MIN);
        self.0.kinds.add(if is_time { kind } else { Kinds::TEXT });
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let list = self.0.list.get_or_insert_default();
        while items.next_element_seed(Seen(list))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        self.0.object.get_or_insert_default();
        while let Some(key) = entries.next_key::<String>()? {
            self.0.at_key(&key, |shape| entries.next_value_seed(Seen(shape)))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(lines: &[&str]) -> String {
        let mut shape = Shape::default();
        lines.iter().for_each(|line| shape.see(line).unwrap());
        let shown = |field: Field| format!("{} {}", field.name(), field.data_type());
        shape.fields().into_iter().map(shown).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn objects_become_columns_in_the_order_of_their_keys() {
        assert_eq!(fields(&[r#"{"z":1,"a":"x"}"#, r#"{"b":true,"z":2.5}"#]), "z Float64, a Utf8View, b Boolean");
        assert_eq!(
            fields(&[r#"{"n":"5","d":"2024-01-01","t":"2024-01-01T00:00:00Z","e":null}"#]),
            "n Utf8View, d Date32, t Timestamp(µs, \"UTC\"), e Utf8View"
        );
        assert_eq!(fields(&[r#"{"l":[1,2.5],"o":{"k":"v"}}"#]), "l List(Float64), o Struct(\"k\": Utf8View)");
    }

    #[test]
    fn only_objects_are_rows() {
        for line in ["5", "[1]", "{\"a\":1", "{\"a\":1} x"] {
            assert!(Shape::default().see(line).is_err(), "{line}");
        }
    }
}
