//! How the rows of a file are written, by its schema. <https://avro.apache.org/docs/1.12.0/specification/#schema-declaration>
//!
//! Owns: where a row ends, so that no length and no count in it is believed. Pure.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Schema};
use serde_json::{Map, Value};
use udfs::pg_type;

use super::long::long;

/// How deep types may be nested.
const LEVELS_MAX: usize = 64;

/// Values of one row, with all types in their places: a name can stand for many.
const VALUES_MAX: usize = 20_000;

/// What a value is counted as.
pub(super) const VALUE_BYTES: usize = 32;

/// Why a schema is of no use here.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Damaged(String),
    /// What the schema has, with its article.
    Unsupported(String),
    TooLarge(String),
}

/// A type.
#[derive(Debug)]
pub(super) struct Shape {
    kind: Kind,
    is_uuid: bool,
    /// How many values it has, at most once in each array.
    pub(super) values: usize,
    /// Whether a value of it is at least one byte.
    has_bytes: bool,
}

#[derive(Debug)]
enum Kind {
    Null,
    Boolean,
    Integer,
    Fixed(usize),
    /// A length and so many bytes.
    Bytes,
    Enum(usize),
    Array(Arc<Shape>),
    Map(Arc<Shape>),
    Union(Vec<Arc<Shape>>),
    Record(Vec<Arc<Shape>>),
}

/// The columns of a file as its schema has them, without what is not needed to read them.
#[derive(Debug)]
pub(super) struct Columns {
    fields: Vec<Value>,
    /// The types that have names, by those names.
    types: HashMap<String, Value>,
}

impl Columns {
    /// The schema of rows that have these columns and no others. A type is told where it is named first.
    pub(super) fn schema(&self, columns: impl Iterator<Item = usize>) -> String {
        let mut told = HashSet::new();
        let fields: Vec<Value> =
            columns.filter_map(|place| Some(self.told(self.fields.get(place)?, &mut told))).collect();
        serde_json::json!({ "type": "record", "name": "rows", "fields": fields }).to_string()
    }

    fn told<'a>(&'a self, value: &'a Value, told: &mut HashSet<&'a str>) -> Value {
        match value {
            Value::String(name) => match self.types.get(name) {
                Some(named) if told.insert(name) => self.told(named, told),
                _ => value.clone(),
            },
            Value::Array(all) => all.iter().map(|one| self.told(one, told)).collect(),
            Value::Object(object) => {
                let told = object.iter().map(|(key, value)| match key.as_str() {
                    "type" | "items" | "values" | "fields" => (key.clone(), self.told(value, told)),
                    _ => (key.clone(), value.clone()),
                });
                Value::Object(told.collect())
            }
            other => other.clone(),
        }
    }
}

impl Shape {
    /// Of the rows of a file.
    pub(super) fn of_rows(schema: &Value) -> Result<(Self, Columns), Fault> {
        let mut types = Types::default();
        let (shape, name) = of(schema, None, &mut types, 0)?;
        let Types { names, mut bodies } = types;
        drop(names);
        if !matches!(shape.kind, Kind::Record(_)) {
            return Err(Fault::Unsupported("an Avro file whose rows are no records".into()));
        }
        if !shape.has_bytes {
            return Err(Fault::Unsupported("an Avro file whose rows have no bytes".into()));
        }
        let shape = Arc::into_inner(shape).ok_or_else(|| Fault::Damaged("the schema is in itself".into()))?;
        let rows = name.as_str().and_then(|name| bodies.remove(name));
        let fields = rows.and_then(|mut rows| rows.get_mut("fields").map(Value::take));
        let Some(Value::Array(fields)) = fields else { return Err(missing("fields")) };
        Ok((shape, Columns { fields, types: bodies }))
    }

    /// The fields of a record.
    pub(super) fn fields(&self) -> &[Arc<Shape>] {
        match &self.kind {
            Kind::Record(fields) => fields,
            _ => &[],
        }
    }

    pub(super) fn has_bytes(&self) -> bool {
        self.has_bytes
    }

    /// The columns with tags where their types are not in Arrow's.
    pub(super) fn tagged(&self, schema: &Schema) -> Schema {
        let Kind::Record(shapes) = &self.kind else { return schema.clone() };
        let fields = schema.fields().iter().zip(shapes).map(|(field, shape)| shape.tag(field));
        Schema::new(fields.collect::<Vec<_>>())
    }

    fn tag(&self, field: &FieldRef) -> FieldRef {
        let own = match &self.kind {
            Kind::Union(branches) => {
                branches.iter().find(|branch| !matches!(branch.kind, Kind::Null)).map(AsRef::as_ref)
            }
            _ => Some(self),
        };
        match (own, field.data_type()) {
            (Some(Self { is_uuid: true, .. }), DataType::FixedSizeBinary(16)) => {
                let mut metadata = field.metadata().clone();
                metadata.insert(pg_type::PG_TYPE_KEY.to_owned(), "uuid".to_owned());
                Arc::new(Field::clone(field).with_metadata(metadata))
            }
            (Some(Self { kind: Kind::Array(shape), .. }), DataType::List(item)) => {
                Arc::new(Field::clone(field).with_data_type(DataType::List(shape.tag(item))))
            }
            _ => Arc::clone(field),
        }
    }

    /// The bytes behind a value; `None` if it is cut or claims what cannot be.
    pub(super) fn skip<'a>(&self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        match &self.kind {
            Kind::Null => Some(bytes),
            Kind::Boolean => bytes.split_first().filter(|(byte, _)| **byte <= 1).map(|(_, rest)| rest),
            Kind::Integer => long(bytes).map(|(_, rest)| rest),
            Kind::Fixed(length) => bytes.get(*length..),
            Kind::Bytes => text(bytes),
            Kind::Enum(symbols) => choice(bytes, *symbols).map(|(_, rest)| rest),
            Kind::Array(item) => blocks(bytes, |bytes| item.skip(bytes)),
            Kind::Map(value) => blocks(bytes, |bytes| value.skip(text(bytes)?)),
            Kind::Union(branches) => {
                let (branch, rest) = choice(bytes, branches.len())?;
                branches.get(branch)?.skip(rest)
            }
            Kind::Record(fields) => fields.iter().try_fold(bytes, |bytes, field| field.skip(bytes)),
        }
    }
}

fn text(bytes: &[u8]) -> Option<&[u8]> {
    let (length, rest) = long(bytes)?;
    rest.get(usize::try_from(length).ok()?..)
}

fn choice(bytes: &[u8], of: usize) -> Option<(usize, &[u8])> {
    let (choice, rest) = long(bytes)?;
    Some((usize::try_from(choice).ok().filter(|choice| *choice < of)?, rest))
}

/// Items in blocks, until one has none. A negative count is followed by the size of its block.
fn blocks<'a>(mut bytes: &'a [u8], item: impl Fn(&'a [u8]) -> Option<&'a [u8]>) -> Option<&'a [u8]> {
    loop {
        let (count, mut rest) = long(bytes)?;
        if count < 0 {
            (_, rest) = long(rest)?;
        }
        for _ in 0..count.unsigned_abs() {
            rest = item(rest)?;
        }
        if count == 0 {
            return Some(rest);
        }
        bytes = rest;
    }
}

/// The types that have names.
#[derive(Debug, Default)]
struct Types {
    /// By their full names: the one under which the decoder gets them, which finds none that has dots, and what they are, once
    /// they are read.
    names: HashMap<String, (String, Option<Arc<Shape>>)>,
    /// By the other name.
    bodies: HashMap<String, Value>,
}

/// Reads a type; `namespace` is that of the record around it.
fn of(schema: &Value, namespace: Option<&str>, types: &mut Types, level: usize) -> Result<(Arc<Shape>, Value), Fault> {
    if level > LEVELS_MAX {
        return Err(Fault::TooLarge(format!("its columns are nested in more than {LEVELS_MAX} levels")));
    }
    match schema {
        Value::String(name) => named(name, namespace, types),
        Value::Array(branches) => {
            let branches = branches.iter().map(|branch| of(branch, namespace, types, level + 1));
            let (shapes, clean): (Vec<_>, Vec<_>) = branches.collect::<Result<Vec<_>, _>>()?.into_iter().unzip();
            let values = sum(&shapes)?;
            Ok((shape(Kind::Union(shapes), values, true), Value::Array(clean)))
        }
        Value::Object(object) => complex(object, namespace, types, level),
        _ => Err(Fault::Damaged("the schema has a type that is none".into())),
    }
}

/// A primitive type, or one that has its name already.
fn named(name: &str, namespace: Option<&str>, types: &Types) -> Result<(Arc<Shape>, Value), Fault> {
    let kind = match name {
        "null" => return Ok((shape(Kind::Null, 1, false), name.into())),
        "boolean" => Kind::Boolean,
        "int" | "long" => Kind::Integer,
        "float" => Kind::Fixed(4),
        "double" => Kind::Fixed(8),
        "bytes" | "string" => Kind::Bytes,
        _ => {
            return match types.names.get(&full_name(name, namespace)) {
                Some((known, Some(shape))) => Ok((Arc::clone(shape), known.as_str().into())),
                Some((_, None)) => Err(Fault::Unsupported(format!("an Avro type that contains itself (\"{name}\")"))),
                None => Err(Fault::Damaged(format!("the schema names a type \"{name}\" that it does not have"))),
            };
        }
    };
    Ok((shape(kind, 1, true), name.into()))
}

fn complex(
    object: &Map<String, Value>,
    namespace: Option<&str>,
    types: &mut Types,
    level: usize,
) -> Result<(Arc<Shape>, Value), Fault> {
    let kind = object.get("type").ok_or_else(|| missing("type"))?;
    let Some(word) = kind.as_str() else { return of(kind, namespace, types, level + 1) };
    let kept = ["type", "size", "symbols", "logicalType", "precision", "scale"];
    let mut clean: Map<String, Value> = object
        .iter()
        .filter(|(key, _)| kept.contains(&key.as_str()))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let mut inside = |key: &str, clean: &mut Map<String, Value>| {
        let (shape, inner) = of(object.get(key).ok_or_else(|| missing(key))?, namespace, types, level + 1)?;
        clean.insert(key.to_owned(), inner);
        if !shape.has_bytes {
            return Err(Fault::Unsupported("an Avro array or map of values without bytes".into()));
        }
        Ok(shape)
    };
    let made = match word {
        "array" => {
            let item = inside("items", &mut clean)?;
            let values = item.values + 1;
            shape(Kind::Array(item), values, true)
        }
        "map" => {
            let value = inside("values", &mut clean)?;
            let values = value.values + 2;
            shape(Kind::Map(value), values, true)
        }
        "record" | "error" | "enum" | "fixed" => return defined((object, word), namespace, (types, level), clean),
        primitive => {
            let (plain, name) = named(primitive, namespace, types)?;
            clean.insert("type".to_owned(), name);
            match (&plain.kind, object.get("logicalType").and_then(Value::as_str)) {
                (Kind::Bytes, Some("uuid")) if primitive == "string" => {
                    Arc::new(Shape { kind: Kind::Bytes, is_uuid: true, values: 1, has_bytes: true })
                }
                _ => plain,
            }
        }
    };
    Ok((made, Value::Object(clean)))
}

/// A type that has a name from here on, and that name.
fn defined(
    (object, word): (&Map<String, Value>, &str),
    namespace: Option<&str>,
    (types, level): (&mut Types, usize),
    mut clean: Map<String, Value>,
) -> Result<(Arc<Shape>, Value), Fault> {
    let name = object.get("name").and_then(Value::as_str).ok_or_else(|| missing("name"))?;
    let full = full_name(name, object.get("namespace").and_then(Value::as_str).or(namespace));
    let known = format!("t{}", types.names.len());
    clean.insert("name".to_owned(), known.as_str().into());
    // A record is known by its name inside itself, too.
    if types.names.insert(full.clone(), (known.clone(), None)).is_some() {
        return Err(Fault::Damaged(format!("the schema has two types \"{name}\"")));
    }
    let made = match word {
        "fixed" => {
            let size = object.get("size").and_then(Value::as_u64).and_then(|size| usize::try_from(size).ok());
            let size = size.ok_or_else(|| missing("size"))?;
            let is_uuid = size == 16 && object.get("logicalType").and_then(Value::as_str) == Some("uuid");
            // A NULL takes as much room in memory.
            let values = 1 + size / VALUE_BYTES;
            Arc::new(Shape { kind: Kind::Fixed(size), is_uuid, values, has_bytes: size > 0 })
        }
        "enum" => {
            let symbols = object.get("symbols").and_then(Value::as_array).ok_or_else(|| missing("symbols"))?;
            shape(Kind::Enum(symbols.len()), 1, true)
        }
        _ => {
            clean.insert("type".to_owned(), "record".into());
            let space = full.rsplit_once('.').map(|(space, _)| space);
            let (made, fields) = record(object, space, types, level)?;
            clean.insert("fields".to_owned(), fields);
            made
        }
    };
    types.names.insert(full, (known.clone(), Some(Arc::clone(&made))));
    types.bodies.insert(known.clone(), Value::Object(clean));
    Ok((made, known.into()))
}

fn missing(what: &str) -> Fault {
    Fault::Damaged(format!("a type of the schema has no \"{what}\""))
}

fn record(
    object: &Map<String, Value>,
    space: Option<&str>,
    types: &mut Types,
    level: usize,
) -> Result<(Arc<Shape>, Value), Fault> {
    let bad = || Fault::Damaged("a record of the schema has a field that is none".into());
    let fields = object.get("fields").and_then(Value::as_array).ok_or_else(bad)?;
    let (mut shapes, mut clean) = (Vec::with_capacity(fields.len()), Vec::with_capacity(fields.len()));
    for field in fields {
        let name = field.get("name").and_then(Value::as_str).ok_or_else(bad)?;
        let (shape, inner) = of(field.get("type").ok_or_else(bad)?, space, types, level + 1)?;
        shapes.push(shape);
        clean.push(serde_json::json!({ "name": name, "type": inner }));
    }
    let (values, has_bytes) = (sum(&shapes)?, shapes.iter().any(|shape| shape.has_bytes));
    Ok((shape(Kind::Record(shapes), values, has_bytes), Value::Array(clean)))
}

fn shape(kind: Kind, values: usize, has_bytes: bool) -> Arc<Shape> {
    Arc::new(Shape { kind, is_uuid: false, values, has_bytes })
}

fn sum(shapes: &[Arc<Shape>]) -> Result<usize, Fault> {
    let values = shapes.iter().fold(1_usize, |sum, shape| sum.saturating_add(shape.values));
    if values > VALUES_MAX {
        return Err(Fault::TooLarge(format!("a row has more than {VALUES_MAX} values")));
    }
    Ok(values)
}

fn full_name(name: &str, namespace: Option<&str>) -> String {
    match namespace.filter(|namespace| !name.contains('.') && !namespace.is_empty()) {
        Some(namespace) => format!("{namespace}.{name}"),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shaped(schema: &str) -> Result<Shape, Fault> {
        Shape::of_rows(&serde_json::from_str(schema).unwrap()).map(|(shape, _)| shape)
    }

    fn record(fields: &str) -> String {
        format!(r#"{{"type": "record", "name": "r", "namespace": "n", "fields": [{fields}]}}"#)
    }

    #[test]
    fn a_row_ends_where_its_values_do() {
        let fields = r#"{"name": "a", "type": {"type": "array", "items": ["null", "string"]}},
            {"name": "e", "type": {"type": "enum", "name": "e", "symbols": ["x", "y"]}},
            {"name": "f", "type": "e"}, {"name": "m", "type": {"type": "map", "values": "float"}}"#;
        let shape = shaped(&record(fields)).unwrap();
        // Two items, one of them NULL; then the items of a block with its size; 'y', 'x'; one entry.
        let row = [4, 0, 2, 2, b'z', 1, 2, 0, 0, 2, 0, 2, 2, b'k', 0, 0, 0, 0, 0];
        assert_eq!(shape.skip(&row), Some([].as_slice()));
        for end in 0..row.len() {
            assert_eq!(shape.skip(&row[..end]), None, "{end}");
        }
        // A third symbol, and a count of items that are not there.
        assert_eq!(shape.skip(&[0, 4, 0, 0]), None);
        assert_eq!(shape.skip(&[0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0, 0]), None);
    }

    #[test]
    fn names_are_found_in_their_namespaces() {
        let point = r#"{"type": "record", "name": "geo.p", "fields": [
            {"name": "x", "type": {"type": "enum", "name": "k", "symbols": ["a"]}}, {"name": "y", "type": "k"}]}"#;
        let fields = format!(
            r#"{{"name": "a", "type": {point}}}, {{"name": "b", "type": ["null", "geo.p"]}},
            {{"name": "c", "type": {{"type": "geo.k"}}}}"#
        );
        let (shape, columns) = Shape::of_rows(&serde_json::from_str(&record(&fields)).unwrap()).unwrap();
        assert_eq!(shape.skip(&[0, 0, 2, 0, 0, 0]), Some([].as_slice()));
        // A type is told where it is named first.
        let schema: Value = serde_json::from_str(&columns.schema([1, 2].into_iter())).unwrap();
        let point = &schema["fields"][0]["type"][1];
        assert_eq!(point["fields"][0]["type"]["symbols"][0], "a");
        assert_eq!(point["fields"][1]["type"], point["fields"][0]["type"]["name"]);
        assert_eq!(schema["fields"][1]["type"]["type"], point["fields"][1]["type"]);
        let schema: Value = serde_json::from_str(&columns.schema([2].into_iter())).unwrap();
        assert_eq!(schema["fields"][0]["type"]["type"]["symbols"][0], "a");
        assert!(matches!(shaped(&record(r#"{"name": "a", "type": "p"}"#)), Err(Fault::Damaged(_))));
    }

    #[test]
    fn a_schema_that_would_cost_too_much_is_refused() {
        let unsupported = |schema: &str| matches!(shaped(schema), Err(Fault::Unsupported(_)));
        assert!(unsupported(&record(r#"{"name": "r", "type": ["null", "r"]}"#)));
        assert!(unsupported(&record(r#"{"name": "a", "type": {"type": "array", "items": "null"}}"#)));
        assert!(unsupported(&record(r#"{"name": "a", "type": "null"}"#)) && unsupported(&record("")));
        assert!(unsupported("\"string\""));
        // Twice as many values on every level.
        let mut fields =
            r#"{"name": "a0", "type": {"type": "record", "name": "r0", "fields": [{"name": "x", "type": "int"}]}}"#
                .to_owned();
        for level in 1..40 {
            let before = level - 1;
            fields += &format!(
                r#", {{"name": "a{level}", "type": {{"type": "record", "name": "r{level}", "fields":
                [{{"name": "x", "type": "r{before}"}}, {{"name": "y", "type": "r{before}"}}]}}}}"#
            );
        }
        assert!(matches!(shaped(&record(&fields)), Err(Fault::TooLarge(_))));
        let deep = format!("{}\"int\"{}", r#"{"type": "array", "items": "#.repeat(80), "}".repeat(80));
        assert!(matches!(shaped(&record(&format!(r#"{{"name": "a", "type": {deep}}}"#))), Err(Fault::TooLarge(_))));
    }
}
