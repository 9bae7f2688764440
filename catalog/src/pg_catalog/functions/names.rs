//! OIDs to names and back: `regclass` and its kin, `to_regclass`, `pg_get_userbyid`.
//!
//! The functions `lakegate_reg*_in` and `_out` are what casts to and from these types become.

use datafusion::common::Result;

use super::function::{Argument, Spec};
use super::operators;
use super::procs;
use super::scope::{Object, Scope, object, single};
use super::types::row_type_name;
use crate::pg_catalog::error::LookupError;
use crate::pg_catalog::format_type::{Typmod, format_type, parse_type};
use crate::pg_catalog::ident::{parts, quoted};
use crate::pg_catalog::roles;
use crate::pg_catalog::rows::Cell;
use crate::pg_catalog::types;

pub(super) const FUNCTIONS: &[Spec] = &[
    Spec::new("lakegate_regclass_in", (1, 1), "regclass", |scope, arguments| read(scope, arguments, relation)),
    Spec::new("lakegate_regclass_out", (1, 1), "text", |scope, arguments| write(scope, arguments, relation_name)),
    Spec::new("lakegate_regtype_in", (1, 1), "regtype", |scope, arguments| read(scope, arguments, of_type)),
    Spec::new("lakegate_regtype_out", (1, 1), "text", |scope, arguments| write(scope, arguments, type_name)),
    Spec::new("lakegate_regnamespace_in", (1, 1), "regnamespace", |scope, arguments| read(scope, arguments, schema)),
    Spec::new("lakegate_regnamespace_out", (1, 1), "text", |scope, arguments| write(scope, arguments, schema_name)),
    Spec::new("lakegate_regproc_in", (1, 1), "regproc", |scope, arguments| read(scope, arguments, function)),
    Spec::new("lakegate_regproc_out", (1, 1), "text", |scope, arguments| write(scope, arguments, function_name)),
    Spec::new("lakegate_regprocedure_in", (1, 1), "regprocedure", |scope, arguments| read(scope, arguments, procedure)),
    Spec::new("lakegate_regprocedure_out", (1, 1), "text", |scope, arguments| write(scope, arguments, procedure_name)),
    Spec::new("lakegate_regoper_in", (1, 1), "regoper", |scope, arguments| read(scope, arguments, operators::by_name)),
    Spec::new("lakegate_regoper_out", (1, 1), "text", |scope, arguments| write(scope, arguments, operators::name)),
    Spec::new("lakegate_regoperator_in", (1, 1), "regoperator", |scope, arguments| {
        read(scope, arguments, operators::by_signature)
    }),
    Spec::new("lakegate_regoperator_out", (1, 1), "text", |scope, arguments| {
        write(scope, arguments, operators::signature)
    }),
    Spec::new("lakegate_regcollation_in", (1, 1), "regcollation", |scope, arguments| {
        read(scope, arguments, operators::collation)
    }),
    Spec::new("lakegate_regcollation_out", (1, 1), "text", |scope, arguments| {
        write(scope, arguments, operators::collation_name)
    }),
    Spec::new("lakegate_regrole_in", (1, 1), "regrole", |scope, arguments| read(scope, arguments, role)),
    Spec::new("lakegate_regrole_out", (1, 1), "text", |scope, arguments| write(scope, arguments, role_name)),
    Spec::new("to_regclass", (1, 1), "regclass", |scope, arguments| look(scope, arguments, relation)),
    Spec::new("to_regtype", (1, 1), "regtype", |scope, arguments| look(scope, arguments, of_type)),
    Spec::new("to_regnamespace", (1, 1), "regnamespace", |scope, arguments| look(scope, arguments, schema)),
    Spec::new("to_regproc", (1, 1), "regproc", |scope, arguments| look(scope, arguments, function)),
    Spec::new("to_regprocedure", (1, 1), "regprocedure", |scope, arguments| look(scope, arguments, procedure)),
    Spec::new("to_regoper", (1, 1), "regoper", |scope, arguments| look(scope, arguments, operators::by_name)),
    Spec::new("to_regoperator", (1, 1), "regoperator", |scope, arguments| {
        look(scope, arguments, operators::by_signature)
    }),
    Spec::new("to_regcollation", (1, 1), "regcollation", |scope, arguments| {
        look(scope, arguments, operators::collation)
    }),
    Spec::new("to_regrole", (1, 1), "regrole", |scope, arguments| look(scope, arguments, role)),
    Spec::new("pg_get_userbyid", (1, 1), "name", user),
    Spec::new("pg_my_temp_schema", (0, 0), "oid", |_, _| Ok(0.into())),
    Spec::new("pg_is_other_temp_schema", (1, 1), "bool", |_, _| Ok(false.into())),
];

type Read = fn(&Scope, &str) -> Result<u32, LookupError>;
type Write = fn(&Scope, u32) -> Option<String>;

/// A cast from text or a number; a name that means nothing is an error.
fn read<'a>(scope: &Scope, arguments: &[Argument<'_>], by_name: Read) -> Result<Cell<'a>> {
    match arguments.first().map(|argument| object(*argument)) {
        Some(Object::Oid(oid)) => Ok(oid.into()),
        Some(Object::Name(name)) => Ok(by_name(scope, name)?.into()),
        Some(Object::None) | None => Ok(Cell::Null),
    }
}

/// As [`read`], but what means nothing is NULL.
fn look<'a>(scope: &Scope, arguments: &[Argument<'_>], by_name: Read) -> Result<Cell<'a>> {
    match arguments.first().map(|argument| object(*argument)) {
        Some(Object::Oid(oid)) => Ok(oid.into()),
        Some(Object::Name(name)) => Ok(by_name(scope, name).ok().into()),
        Some(Object::None) | None => Ok(Cell::Null),
    }
}

/// A cast to text: an OID that means nothing stays a number, and 0 is `-`.
fn write<'a>(scope: &Scope, arguments: &[Argument<'_>], name: Write) -> Result<Cell<'a>> {
    match arguments.first().map(|argument| object(*argument)) {
        Some(Object::Oid(0)) => Ok("-".into()),
        Some(Object::Oid(oid)) => Ok(name(scope, oid).unwrap_or_else(|| oid.to_string()).into()),
        Some(Object::Name(name)) => Ok(name.to_owned().into()),
        Some(Object::None) | None => Ok(Cell::Null),
    }
}

fn relation(scope: &Scope, name: &str) -> Result<u32, LookupError> {
    let found = scope.relation_named(name)?;
    found.map(|relation| relation.oid).ok_or_else(|| LookupError::UndefinedTable(name.trim().to_owned()))
}

pub(super) fn relation_name(scope: &Scope, oid: u32) -> Option<String> {
    scope.directory.relation(oid).map(|relation| scope.name_of(relation))
}

fn of_type(scope: &Scope, name: &str) -> Result<u32, LookupError> {
    let of_rows = || {
        let bare = name.trim().strip_suffix("[]");
        let relation = scope.relation_named(bare.unwrap_or(name)).ok().flatten()?;
        Some(if bare.is_some() { relation.row_array } else { relation.row_type }).filter(|oid| *oid != 0)
    };
    let found = parse_type(name).map(|of| of.oid).or_else(of_rows);
    found.ok_or_else(|| LookupError::UndefinedType(name.trim().to_owned()))
}

pub(super) fn type_name(scope: &Scope, oid: u32) -> Option<String> {
    row_type_name(scope, oid).or_else(|| types::by_oid(oid).map(|_| format_type(oid, Typmod::Absent)))
}

fn schema(scope: &Scope, name: &str) -> Result<u32, LookupError> {
    let found = scope.schema(Argument::Text(name))?;
    found.map(|schema| schema.oid).ok_or_else(|| LookupError::UndefinedSchema(name.trim().to_owned()))
}

pub(super) fn schema_name(scope: &Scope, oid: u32) -> Option<String> {
    scope.directory.schema_of_oid(oid).map(|schema| quoted(&schema.name))
}

fn function(_: &Scope, name: &str) -> Result<u32, LookupError> {
    let mut parts = parts(name).ok_or(LookupError::InvalidName)?;
    let Some(last) = parts.pop() else { return Err(LookupError::InvalidName) };
    let in_pg_catalog = parts.iter().all(|schema| schema.name == "pg_catalog");
    match procs::by_name(&last.name) {
        [one] if in_pg_catalog => Ok(*one),
        [_, _, ..] if in_pg_catalog => Err(LookupError::AmbiguousFunction(name.trim().to_owned())),
        _ => Err(LookupError::UndefinedFunction(name.trim().to_owned())),
    }
}

/// `name(type, type)`: the function with these arguments.
fn procedure(_: &Scope, text: &str) -> Result<u32, LookupError> {
    let (name, types) = signature(text)?;
    let mut parts = parts(name).ok_or(LookupError::InvalidName)?;
    let last = parts.pop().ok_or(LookupError::InvalidName)?;
    let in_pg_catalog = parts.iter().all(|schema| schema.name == "pg_catalog");
    let takes = |oid: &&u32| procs::by_oid(**oid).is_some_and(|proc| proc.argument_types().eq(types.iter().copied()));
    let found = procs::by_name(&last.name).iter().find(takes).filter(|_| in_pg_catalog);
    found.copied().ok_or_else(|| LookupError::UndefinedFunction(text.trim().to_owned()))
}

/// The name and the types of `name(type, type)`.
pub(super) fn signature(text: &str) -> Result<(&str, Vec<u32>), LookupError> {
    let text = text.trim();
    let (name, types) =
        text.strip_suffix(')').and_then(|text| text.split_once('(')).ok_or(LookupError::ExpectedParenthesis)?;
    let types = types.split(',').map(str::trim).filter(|of| !of.is_empty());
    let oids = types.map(|of| match (of.eq_ignore_ascii_case("none"), parse_type(of)) {
        (true, _) => Ok(0),
        (false, Some(of)) => Ok(of.oid),
        (false, None) => Err(LookupError::UndefinedType(of.to_owned())),
    });
    Ok((name, oids.collect::<Result<_, _>>()?))
}

pub(super) fn procedure_name(_: &Scope, oid: u32) -> Option<String> {
    let proc = procs::by_oid(oid)?;
    let types: Vec<String> = proc.argument_types().map(|of| format_type(of, Typmod::Absent)).collect();
    Some(format!("{}({})", quoted(proc.name), types.join(",")))
}

/// A name that several functions share is shown with its schema, as PostgreSQL does.
pub(super) fn function_name(_: &Scope, oid: u32) -> Option<String> {
    let name = procs::by_oid(oid)?.name;
    Some(match procs::by_name(name) {
        [_] => quoted(name),
        _ => format!("pg_catalog.{}", quoted(name)),
    })
}

fn role(scope: &Scope, name: &str) -> Result<u32, LookupError> {
    let name = single(name)?;
    roles::by_name(&scope.view, &name).map(|role| role.oid).ok_or(LookupError::UndefinedRole(name))
}

pub(super) fn role_name(scope: &Scope, oid: u32) -> Option<String> {
    roles::by_oid(&scope.view, oid).map(|role| quoted(&role.name))
}

fn user<'a>(scope: &'a Scope, arguments: &[Argument<'_>]) -> Result<Cell<'a>> {
    let Some(Argument::Int(oid)) = arguments.first() else { return Ok(Cell::Null) };
    let role = u32::try_from(*oid).ok().and_then(|oid| roles::by_oid(&scope.view, oid));
    Ok(role.map_or_else(|| format!("unknown (OID={oid})"), |role| role.name).into())
}
