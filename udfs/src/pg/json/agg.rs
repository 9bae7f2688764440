//! `json_agg(x)`, `json_object_agg(k, v)`, each of jsonb too.
//!
//! The engine calls them with what `lakegate_json_element` or `lakegate_json_member` makes of a row, so NULLs are in it.
//! ORDER BY is `array_agg`'s. No rows give NULL.
//! <https://www.postgresql.org/docs/16/functions-aggregate.html>
//!
//! ```sql
//! SELECT json_agg(x ORDER BY x DESC) FROM (VALUES (1), (NULL), (2)) t(x);  -- [null, 2, 1]
//! ```

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, StringBuilder};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::AggregateUDF;

use super::normal;
use crate::collect::{Collection, aggregate};
use crate::pg_type;
use crate::room::{self, Growing};

/// Every aggregate of this file.
pub fn aggregates() -> Vec<Arc<AggregateUDF>> {
    [
        Collect { name: "json_agg", of: Of::Array, jsonb: false },
        Collect { name: "jsonb_agg", of: Of::Array, jsonb: true },
        Collect { name: "json_object_agg", of: Of::Object, jsonb: false },
        Collect { name: "jsonb_object_agg", of: Of::Object, jsonb: true },
    ]
    .into_iter()
    .map(aggregate)
    .collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Of {
    Array,
    Object,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Collect {
    name: &'static str,
    of: Of,
    jsonb: bool,
}

impl Collection for Collect {
    fn name(&self) -> &'static str {
        self.name
    }

    fn coerced(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        match given {
            [_] => Ok(vec![DataType::Utf8]),
            _ => exec_err!("{} takes the JSON of a row", self.name),
        }
    }

    fn returns(&self, _: &[FieldRef]) -> Result<FieldRef> {
        let tag = if self.jsonb { "jsonb" } else { "json" };
        Ok(Arc::new(pg_type::tagged(self.name, DataType::Utf8, tag)))
    }

    fn skips_nulls(&self) -> bool {
        false
    }

    fn finish(&self, arguments: &[ArrayRef], groups: &OffsetBuffer<i32>, _: &DataType) -> Result<ArrayRef> {
        let parts = arguments.first().and_then(|parts| parts.as_string_opt::<i32>());
        let Some(parts) = parts else { return exec_err!("{} takes the JSON of a row", self.name) };
        let (opening, closing) = match self.of {
            Of::Array => ("[", "]"),
            Of::Object => ("{ ", " }"),
        };
        // Twice: the text of a group, and all of them.
        let _room = room::claim(2 * parts.value_data().len())?;
        let mut out = StringBuilder::new();
        let mut all = Growing::default();
        let mut text = String::new();
        let mut rest = parts.iter();
        for rows in groups.lengths() {
            if rows == 0 {
                out.append_null();
                continue;
            }
            text.clear();
            text.push_str(opening);
            for (at, part) in rest.by_ref().take(rows).flatten().enumerate() {
                if at > 0 {
                    text.push_str(", ");
                    text.push_str(part);
                } else {
                    // A part with parts of its own begins a line, but not the first.
                    text.push_str(part.trim_start());
                }
            }
            text.push_str(closing);
            room::fits_a_value(text.len())?;
            all.reach(out.values_slice().len() + 2 * text.len())?;
            if self.jsonb {
                out.append_value(normal(&text)?);
            } else {
                out.append_value(&text);
            }
        }
        Ok(Arc::new(out.finish()))
    }
}
