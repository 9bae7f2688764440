//! The keys of objects: which of them no column has, and values that a decoder would take for others than they are.
//!
//! Owns: that a whole number stays one. Pure.

use std::collections::HashMap;
use std::fmt;

use arrow::datatypes::{DataType, Field};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};

/// The keys that have a column.
#[derive(Debug)]
pub(super) struct Keys(HashMap<String, Kind>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Of integers, by PostgreSQL's name of their type: fractions would be cut.
    Whole(&'static str),
    Other,
}

impl Keys {
    pub(super) fn new<'a>(fields: impl Iterator<Item = &'a Field>) -> Self {
        let kind = |field: &Field| match field.data_type() {
            DataType::Int16 => Kind::Whole("smallint"),
            DataType::Int32 => Kind::Whole("integer"),
            DataType::Int64 => Kind::Whole("bigint"),
            _ => Kind::Other,
        };
        Self(fields.map(|field| (field.name().clone(), kind(field))).collect())
    }

    /// How many keys of an object have no column; an error says why it is none.
    pub(super) fn check(&self, text: &str) -> Result<u64, String> {
        let text = text.trim_ascii();
        if !text.starts_with('{') {
            return Err("expected an object".to_owned());
        }
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let checked = deserializer.deserialize_map(Object(self)).and_then(|unknown| {
            deserializer.end()?;
            Ok(unknown)
        });
        checked.map_err(|error| {
            // Its place is that in one record.
            let text = error.to_string();
            text.split(" at line ").next().unwrap_or_default().to_owned()
        })
    }
}

struct Object<'a>(&'a Keys);

impl<'de> Visitor<'de> for Object<'_> {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<u64, A::Error> {
        let mut unknown = 0;
        while let Some(key) = map.next_key::<std::borrow::Cow<'_, str>>()? {
            match self.0.0.get(key.as_ref()) {
                Some(Kind::Whole(name)) => map.next_value_seed(Whole(name))?,
                Some(Kind::Other) => drop(map.next_value::<IgnoredAny>()?),
                None => {
                    unknown += 1;
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(unknown)
    }
}

/// A value of a column of integers. What is neither a number nor a text is the decoder's to refuse.
#[derive(Clone, Copy)]
struct Whole(&'static str);

impl Whole {
    fn wrong<E: Error>(self, value: impl fmt::Display) -> E {
        E::custom(format!("invalid input syntax for type {}: \"{value}\"", self.0))
    }
}

impl<'de> DeserializeSeed<'de> for Whole {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Whole {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a value of type {}", self.0)
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        Err(self.wrong(value))
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        match i64::try_from(value) {
            Ok(_) => Ok(()),
            Err(_) => Err(self.wrong(value)),
        }
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        Err(self.wrong(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        match value.parse::<i64>() {
            Ok(_) => Ok(()),
            Err(_) => Err(self.wrong(value)),
        }
    }
}
