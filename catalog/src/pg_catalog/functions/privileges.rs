//! `has_table_privilege` and its kin: who may do what, by what is granted. Where no grants are in force, and for superusers,
//! everybody may read, and may write what can be written: Delta tables of sources that the configuration opens for it.

use datafusion::common::Result;

use super::function::{Argument, Spec};
use super::scope::{Object, Scope, object, single};
use crate::access::{Held, Privilege, Privileges};
use crate::definition::Name;
use crate::pg_catalog::directory::{DATABASE, RelationEntry};
use crate::pg_catalog::error::LookupError;
use crate::pg_catalog::roles::{self, Role};
use crate::pg_catalog::rows::Cell;

pub(super) const FUNCTIONS: &[Spec] = &[
    Spec::new("has_any_column_privilege", (2, 3), "bool", any_column),
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

const TABLE: Kind = Kind {
    allowed: &["SELECT"],
    denied: &["INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER", "MAINTAIN"],
};
const WRITABLE: Kind = Kind {
    allowed: &["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "MAINTAIN"],
    denied: &["REFERENCES", "TRIGGER"],
};
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
        self.holds_of(list, &|privilege| self.allowed.contains(&privilege))
    }

    /// The same, where the privileges of this kind are held that `is_held` says.
    fn holds_of(&self, list: Argument<'_>, is_held: &dyn Fn(&str) -> bool) -> Result<bool, LookupError> {
        let Argument::Text(list) = list else { return Err(LookupError::UnknownPrivilege(String::new())) };
        let mut held = false;
        for privilege in list.split(',').map(str::trim) {
            let upper = privilege.to_ascii_uppercase();
            let plain = upper.strip_suffix(" WITH GRANT OPTION").unwrap_or(&upper);
            if !self.allowed.contains(&plain) && !self.denied.contains(&plain) {
                return Err(LookupError::UnknownPrivilege(privilege.to_owned()));
            }
            // Nobody can pass a right on.
            held |= plain.len() == upper.len() && is_held(plain);
        }
        Ok(held)
    }
}

/// Whose privileges are asked for.
enum Holder {
    Public,
    Role(String),
}

impl Holder {
    fn name(&self) -> Option<&str> {
        match self {
            Self::Public => None,
            Self::Role(name) => Some(name),
        }
    }

    /// What grants tell of a relation of the lake; `None` if they tell nothing that binds.
    fn held(&self, scope: &Scope, relation: &RelationEntry) -> Option<Held> {
        let (access, table) = (scope.view.access(), relation.table()?);
        if self.name().map_or(!access.is_enforced(), |role| access.is_free(role)) {
            return None;
        }
        let name = Name { schema: table.schema.clone(), name: table.name.clone() };
        Some(access.on_relation(self.name(), &name))
    }
}

fn table<'a>(scope: &'a Scope, arguments: &[Argument<'_>]) -> Result<Cell<'a>> {
    let (holder, [.., of, privilege]) = of_user(scope, arguments, 2)? else { return Ok(Cell::Null) };
    let Some(relation) = scope.relation(*of)? else { return unknown(&TABLE, *privilege) };
    let kind = if relation.is_writable() { &WRITABLE } else { &TABLE };
    Ok(match holder.held(scope, relation) {
        Some(held) => kind.holds_of(*privilege, &|word| named(word).is_some_and(|wanted| held.all.has(wanted)))?,
        None => kind.holds(*privilege)?,
    }
    .into())
}

fn any_column<'a>(scope: &'a Scope, arguments: &[Argument<'_>]) -> Result<Cell<'a>> {
    let (holder, [.., of, privilege]) = of_user(scope, arguments, 2)? else { return Ok(Cell::Null) };
    let Some(relation) = scope.relation(*of)? else { return unknown(&COLUMN, *privilege) };
    let kind = if relation.is_writable() { &WRITABLE_COLUMN } else { &COLUMN };
    Ok(match holder.held(scope, relation) {
        Some(held) => kind.holds_of(*privilege, &|word| named(word).is_some_and(|wanted| held.has_some(wanted)))?,
        None => kind.holds(*privilege)?,
    }
    .into())
}

/// A column is known by its name here: one of a number has what its table has.
fn column<'a>(scope: &'a Scope, arguments: &[Argument<'_>]) -> Result<Cell<'a>> {
    let (holder, [.., of, column, privilege]) = of_user(scope, arguments, 3)? else { return Ok(Cell::Null) };
    let Some(relation) = scope.relation(*of)? else { return unknown(&COLUMN, *privilege) };
    let kind = if relation.is_writable() { &WRITABLE_COLUMN } else { &COLUMN };
    let column = match object(*column) {
        Object::Name(name) => single(name)?,
        Object::Oid(_) | Object::None => String::new(),
    };
    Ok(match holder.held(scope, relation) {
        Some(held) => {
            kind.holds_of(*privilege, &|word| named(word).is_some_and(|wanted| held.has_on(&column, wanted)))?
        }
        None => kind.holds(*privilege)?,
    }
    .into())
}

fn schema<'a>(scope: &'a Scope, arguments: &[Argument<'_>]) -> Result<Cell<'a>> {
    let (holder, [.., of, privilege]) = of_user(scope, arguments, 2)? else { return Ok(Cell::Null) };
    let Some(schema) = scope.schema(*of)? else { return unknown(&SCHEMA, *privilege) };
    let access = scope.view.access();
    if !access.is_enforced() {
        return Ok(SCHEMA.holds(*privilege)?.into());
    }
    let held: Privileges = access.on_schema(holder.name(), &schema.name);
    Ok(SCHEMA.holds_of(*privilege, &|word| named(word).is_some_and(|wanted| held.has(wanted)))?.into())
}

fn named(word: &str) -> Option<Privilege> {
    Privilege::named(word)
}

/// PostgreSQL answers NULL for an OID that it does not know, and an error for a privilege that it does not know.
fn unknown<'a>(kind: &Kind, privilege: Argument<'_>) -> Result<Cell<'a>> {
    kind.holds(privilege)?;
    Ok(Cell::Null)
}

fn database<'a>(scope: &'a Scope, arguments: &[Argument<'_>]) -> Result<Cell<'a>> {
    let (_, [.., of, privilege]) = of_user(scope, arguments, 2)? else { return Ok(Cell::Null) };
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
    let (_, [.., _, privilege]) = of_user(scope, arguments, 2)? else { return Ok(Cell::Null) };
    answer(true, kind, *privilege)
}

/// PostgreSQL answers NULL for an OID that it does not know.
fn answer<'a>(found: bool, kind: &Kind, privilege: Argument<'_>) -> Result<Cell<'a>> {
    let holds = kind.holds(privilege)?;
    Ok(found.then_some(holds).into())
}

/// Who is asked about, and the other arguments. If there is one more than `count`, the first is a user, who must exist.
fn of_user<'s, 'a>(
    scope: &Scope,
    arguments: &'s [Argument<'a>],
    count: usize,
) -> Result<(Holder, &'s [Argument<'a>]), LookupError> {
    match arguments.split_first() {
        Some((user, rest)) if rest.len() == count => {
            let holder = match *user {
                Argument::Text("public") => Holder::Public,
                // An OID that is no role's holds what everybody does.
                user => role(scope, user)?.map_or(Holder::Public, |role| Holder::Role(role.name)),
            };
            Ok((holder, rest))
        }
        _ => Ok((Holder::Role(scope.view.user.clone()), arguments)),
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

/// A superuser is in every role.
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
    let is_member =
        |user: Role, of: Role| user.superuser || user == of || scope.view.access().is_member(&user.name, &of.name);
    Ok(user.zip(of).map(|(user, of)| is_member(user, of)).into())
}
