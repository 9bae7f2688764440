//! What a name or an OID means to one statement.
//!
//! Owns: the search path. Must never know: a row of a relation.

use std::sync::Arc;

use super::function::Argument;
use crate::pg_catalog::directory::{Directory, RelationEntry, SchemaEntry};
use crate::pg_catalog::error::LookupError;
use crate::pg_catalog::ident::{Part, parts, quoted};
use crate::pg_catalog::view::View;

/// The view and its directory, for the calls of one batch.
#[derive(Debug)]
pub(super) struct Scope {
    pub(super) view: Arc<View>,
    pub(super) directory: Arc<Directory>,
}

impl Scope {
    pub(super) fn new(view: &Arc<View>) -> Self {
        Self { view: Arc::clone(view), directory: view.directory() }
    }

    /// The schemas in which an unqualified name is looked for; `pg_catalog` is the first unless the path has it.
    fn path(&self) -> impl Iterator<Item = &str> {
        let path = self.view.search_path.iter().map(String::as_str);
        let implicit = (!self.view.search_path.iter().any(|schema| schema == "pg_catalog")).then_some("pg_catalog");
        implicit.into_iter().chain(path)
    }

    /// Whether the relation is found by its bare name.
    pub(super) fn is_visible(&self, relation: &RelationEntry) -> bool {
        let first = self.path().find_map(|schema| self.directory.named(schema, &relation.name));
        first.is_some_and(|first| first.oid == relation.oid)
    }

    /// The relation's name, with its schema if it is not found without.
    pub(super) fn name_of(&self, relation: &RelationEntry) -> String {
        match self.is_visible(relation) {
            true => quoted(&relation.name),
            false => format!("{}.{}", quoted(&relation.schema), quoted(&relation.name)),
        }
    }

    /// The relation of an OID or a name; an unknown OID is none, an unknown name an error.
    pub(super) fn relation(&self, argument: Argument<'_>) -> Result<Option<&RelationEntry>, LookupError> {
        match object(argument) {
            Object::Oid(oid) => Ok(self.directory.relation(oid)),
            Object::Name(name) => match self.relation_named(name)? {
                Some(relation) => Ok(Some(relation)),
                None => Err(LookupError::UndefinedTable(name.trim().to_owned())),
            },
            Object::None => Ok(None),
        }
    }

    /// The relation of a possibly qualified name.
    pub(super) fn relation_named(&self, text: &str) -> Result<Option<&RelationEntry>, LookupError> {
        let parts = parts(text).ok_or(LookupError::InvalidName)?;
        match parts.as_slice() {
            [name] => Ok(self
                .path()
                .find_map(|schema| self.directory.named(schema, &name.name))
                .or_else(|| self.path().find_map(|schema| self.in_any_case(schema, name)))),
            [schema, name] => Ok(self.in_schema(schema, name)),
            [database, schema, name] if database.name == self.view.database => Ok(self.in_schema(schema, name)),
            [_, _, _] => Err(LookupError::CrossDatabase(text.trim().to_owned())),
            _ => Err(LookupError::TooManyParts(text.trim().to_owned())),
        }
    }

    fn in_schema(&self, schema: &Part, name: &Part) -> Option<&RelationEntry> {
        self.directory.named(&schema.name, &name.name).or_else(|| self.in_any_case(&schema.name, name))
    }

    fn in_any_case(&self, schema: &str, name: &Part) -> Option<&RelationEntry> {
        if name.quoted { None } else { self.directory.named_in_any_case(schema, &name.name) }
    }

    /// The schema of an OID or a name; an unknown OID is none, an unknown name an error.
    pub(super) fn schema(&self, argument: Argument<'_>) -> Result<Option<&SchemaEntry>, LookupError> {
        match object(argument) {
            Object::Oid(oid) => Ok(self.directory.schema_of_oid(oid)),
            Object::Name(text) => {
                let name = single(text)?;
                match self.directory.schema(&name) {
                    Some(schema) => Ok(Some(schema)),
                    None => Err(LookupError::UndefinedSchema(name)),
                }
            }
            Object::None => Ok(None),
        }
    }
}

/// How an argument of an OID's type names its object.
#[derive(Debug, PartialEq)]
pub(super) enum Object<'a> {
    Oid(u32),
    Name(&'a str),
    None,
}

/// Clients send OIDs as numbers, as text of digits, and as names.
pub(super) fn object<'a>(argument: Argument<'a>) -> Object<'a> {
    match argument {
        Argument::Int(oid) => u32::try_from(oid).map_or(Object::None, Object::Oid),
        Argument::Text(text) => match text.trim() {
            "-" => Object::Oid(0),
            digits if digits.bytes().all(|c| c.is_ascii_digit()) && !digits.is_empty() => {
                digits.parse().map_or(Object::None, Object::Oid)
            }
            _ => Object::Name(text),
        },
        Argument::Bool(_) | Argument::Null => Object::None,
    }
}

/// A name of one part.
pub(super) fn single(text: &str) -> Result<String, LookupError> {
    let mut parts = parts(text).ok_or(LookupError::InvalidName)?;
    match (parts.pop(), parts.is_empty()) {
        (Some(part), true) => Ok(part.name),
        _ => Err(LookupError::InvalidName),
    }
}
