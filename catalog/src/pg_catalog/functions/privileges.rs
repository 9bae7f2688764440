//! `has_table_privilege` and its kin: who may do what. Everybody may read, and may write what
//! can be written: Delta tables of sources that the configuration opens for it.

use datafusion::common::Result;

use super::function::{Argument, Spec};
use super::scope::{Object, Scope, object, single};
use crate::pg_catalog::directory::{DATABASE, RelationEntry};
use crate::pg_catalog::error::LookupError;
use crate::pg_catalog::roles::{self, Role};
use crate::pg_catalog::rows::Cell;

pub(super) const FUNCTIONS: &[Spec] = &[
    Spec::new("has_any_column_privilege", (2, 3), "bool", table),
    Spec::new("has_column_privilege", (3, 4), "bool", column),
    Spec::new("has_database_privilege", (2, 3), "bool", database),
    Spec::new("has_foreign_data_wrapper_privilege", (2, 3), "bool", |scope, a| other(scope, a, &USAGE)),
    Spec::new("has_function_privilege", (2, 3), "bool", |scope, a| other(scope, a, &EXECUTE)),
    Spec::new("has_language_privilege", (2, 3), "bool", |scope, a| other(scope, a, &USAGE)),
    Spec::new("has_parameter_privilege", (2, 3), "bool", |scope, a| other(scope, a, &PARAMETER)),
    Spec::new("has_schema_privilege", (2, 3), "bool", schema),
    Spec::new("has_sequence_privilege", (2, 3), "bool", |scope, a| other(scope, a, &SEQUENCE)),
    Spec::new("has_server_privilege", (2, 3), "bool", |scope, a| other(scope, a, &USAGE)),
    Spec::new("has_table_privilege", (2, 3), "bool", table),
    Spec::new("has_tablespace_privilege", (2, 3), "bool", |scope, a| other(scope, a, &TABLESPACE)),
    Spec::new("has_type_privilege", (2, 3), "bool", |scope, a| other(scope, a, &USAGE)),
    Spec::new("pg_has_role", (2, 3), "bool", member),
];

/// The privileges of a kind of object.
struct Kind {
    allowed: &'static [&'static str],
    denied: &'static [&'static str],
}

const TABLE: Kind =
    Kind { allowed: &["SELECT"], denied: &["INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"] };
const WRITABLE: Kind =
    Kind { allowed: &["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE"], denied: &["REFERENCES", "TRIGGER"] };
const WRITABLE_COLUMN: Kind = Kind { allowed: &["SELECT", "INSERT", "UPDATE"], denied: &["REFERENCES"] };
const COLUMN: Kind = Kind { allowed: &["SELECT"], denied: &["INSERT", "UPDATE", "REFERENCES"] };
const DATABASE_KIND: Kind = Kind { allowed: &["CONNECT"], denied: &["CREATE", "TEMPORARY", "TEMP"] };
const SCHEMA: Kind = Kind { allowed: &["USAGE"], denied: &["CREATE"] };
const SEQUENCE: Kind = Kind { allowed: &["USAGE", "SELECT"], denied: &["UPDATE"] };
const TABLESPACE: Kind = Kind { allowed: &[], denied: &["CREATE"] };
const PARAMETER: Kind = Kind { allowed: &["SET"], denied: &["ALTER SYSTEM"] };
const USAGE: Kind = Kind { allowed: &["USAGE"], denied: &[] };
const EXECUTE: Kind = Kind { allowed: &["EXECUTE"], denied: &[] };

impl Kind {
    /// Whether one of the privileges of a list (`SELECT, UPDATE WITH GRANT OPTION`) is held.
    fn holds(&self, list: Argument<'_>) -> Result<bool, LookupError> {
        let Argument::Text(list) = list else { return Err(LookupError::UnknownPrivilege(String::new())) };
        let mut held = false;
        for privilege in list.split(',').map(str::trim) {
            let upper = privilege.to_ascii_uppercase();
            let plain = upper.strip_suffix(" WITH GRANT OPTION").unwrap_or(&upper);
            if self.allowed.contains(&plain) {
                // Nobody can pass a right on.
                held |= plain.len() == upper.len();
            } else if !self.denied.contains(&plain) {
                return Err(LookupError::UnknownPrivilege(privilege.to_owned()));
            }
        }
        Ok(held)
    }
}

fn table<'a>(scope: &'a Scope, arguments: &[Argument<'_>]) -> Result<Cell<'a>> {
    let [.., of, privilege] = of_user(scope, arguments, 2)? else { return Ok(Cell::Null) };
    let found = scope.relation(*of)?;
    let kind = if found.is_some_and(RelationEntry::is_writable) { &WRITABLE } else { &TABLE };
    answer(found.is_some(), kind, *privilege)
}

fn column<'a>(scope: &'a Scope, arguments: &[Argument<'_>]) -> Result<Cell<'a>> {
    let [.., of, _, privilege] = of_user(scope, arguments, 3)? else { return Ok(Cell::Null) };
    let found = scope.relation(*of)?;
    let kind = if found.is_some_and(RelationEntry::is_writable) { &WRITABLE_COLUMN } else { &COLUMN };
    answer(found.is_some(), kind, *privilege)
}

fn schema<'a>(scope: &'a Scope, arguments: &[Argument<'_>]) -> Result<Cell<'a>> {
    let [.., of, privilege] = of_user(scope, arguments, 2)? else { return Ok(Cell::Null) };
    let found = scope.schema(*of)?.is_some();
    answer(found, &SCHEMA, *privilege)
}

fn database<'a>(scope: &'a Scope, arguments: &[Argument<'_>]) -> Result<Cell<'a>> {
    let [.., of, privilege] = of_user(scope, arguments, 2)? else { return Ok(Cell::Null) };
    let found = match object(*of) {
        Object::Oid(oid) => oid == DATABASE,
        // Unlike other names, that of a database is taken as it is.
        Object::Name(name) if name == scope.view.database => true,
        Object::Name(name) => return Err(LookupError::UndefinedDatabase(name.to_owned()).into()),
        Object::None => false,
    };
    answer(found, &DATABASE_KIND, *privilege)
}

/// Objects whose existence is not checked: the answer is the same for all.
fn other<'a>(scope: &'a Scope, arguments: &[Argument<'_>], kind: &Kind) -> Result<Cell<'a>> {
    let [.., _, privilege] = of_user(scope, arguments, 2)? else { return Ok(Cell::Null) };
    answer(true, kind, *privilege)
}

/// PostgreSQL answers NULL for an OID that it does not know.
fn answer<'a>(found: bool, kind: &Kind, privilege: Argument<'_>) -> Result<Cell<'a>> {
    let holds = kind.holds(privilege)?;
    Ok(found.then_some(holds).into())
}

/// The arguments; if there is one more than `count`, the first is a user, who must exist.
fn of_user<'s, 'a>(
    scope: &Scope,
    arguments: &'s [Argument<'a>],
    count: usize,
) -> Result<&'s [Argument<'a>], LookupError> {
    match arguments.split_first() {
        Some((user, rest)) if rest.len() == count => {
            if *user != Argument::Text("public") {
                role(scope, *user)?;
            }
            Ok(rest)
        }
        _ => Ok(arguments),
    }
}

/// The role of an OID or a name; an unknown OID is none, an unknown name an error.
fn role(scope: &Scope, argument: Argument<'_>) -> Result<Option<Role>, LookupError> {
    match object(argument) {
        Object::Oid(oid) => Ok(roles::by_oid(&scope.view, oid)),
        // Roles are named without quotes, so `Ann` is not `ann`.
        Object::Name(name) => match roles::by_name(&scope.view, name) {
            Some(role) => Ok(Some(role)),
            None => single(name)
                .ok()
                .and_then(|name| roles::by_name(&scope.view, &name))
                .map(Some)
                .ok_or_else(|| LookupError::UndefinedRole(name.to_owned())),
        },
        Object::None => Ok(None),
    }
}

/// Roles have no members; a superuser is in every role.
fn member<'a>(scope: &'a Scope, arguments: &[Argument<'_>]) -> Result<Cell<'a>> {
    let (user, of, privilege) = match arguments {
        [user, of, privilege] => (role(scope, *user)?, *of, *privilege),
        [of, privilege] => (roles::by_name(&scope.view, &scope.view.user), *of, *privilege),
        _ => return Ok(Cell::Null),
    };
    if let Argument::Text(list) = privilege {
        for privilege in list.split(',').map(str::trim) {
            let upper = privilege.to_ascii_uppercase();
            let plain = upper.strip_suffix(" WITH GRANT OPTION").or_else(|| upper.strip_suffix(" WITH ADMIN OPTION"));
            if !["MEMBER", "USAGE", "SET"].contains(&plain.unwrap_or(&upper)) {
                return Err(LookupError::UnknownPrivilege(privilege.to_owned()).into());
            }
        }
    }
    let of = role(scope, of)?;
    Ok(user.zip(of).map(|(user, of)| user.superuser || user == of).into())
}
