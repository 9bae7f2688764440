//! Access control lists: `acldefault`, `aclexplode`, `makeaclitem`'s text form.
//!
//! Owns: how an `aclitem` is written (`grantee=privileges/grantor`). Must never know: who may do what here.
//! <https://www.postgresql.org/docs/16/ddl-priv.html>

use datafusion::common::{Result, exec_err};

use super::function::{Argument, Spec, elements};
use super::scope::{Object, Scope, object};
use super::sets::{Field, SetSpec};
use crate::pg_catalog::ident::{parts, quoted};
use crate::pg_catalog::roles;
use crate::pg_catalog::rows::Cell;

pub(super) const FUNCTIONS: &[Spec] = &[Spec::new("acldefault", (2, 2), "_aclitem", default)];

pub(super) const SETS: &[SetSpec] = &[SetSpec {
    name: "lakegate_aclexplode",
    fields: &[
        Field { name: "grantor", of: "oid" },
        Field { name: "grantee", of: "oid" },
        Field { name: "privilege_type", of: "text" },
        Field { name: "is_grantable", of: "bool" },
    ],
    rows: explode,
}];

/// The privileges by their letters.
const PRIVILEGES: [(char, &str); 14] = [
    ('a', "INSERT"),
    ('r', "SELECT"),
    ('w', "UPDATE"),
    ('d', "DELETE"),
    ('D', "TRUNCATE"),
    ('x', "REFERENCES"),
    ('t', "TRIGGER"),
    ('X', "EXECUTE"),
    ('U', "USAGE"),
    ('C', "CREATE"),
    ('T', "TEMPORARY"),
    ('c', "CONNECT"),
    ('s', "SET"),
    ('A', "ALTER SYSTEM"),
];

/// What everybody and what the owner may do with a new object of a kind.
fn default<'a>(scope: &'a Scope, arguments: &[Argument<'_>]) -> Result<Cell<'a>> {
    let [Argument::Text(kind), owner] = arguments else { return Ok(Cell::Null) };
    let (world, own) = match *kind {
        "c" => ("", ""),
        "r" => ("", "arwdDxt"),
        "s" => ("", "rwU"),
        "d" => ("Tc", "CTc"),
        "f" => ("X", "X"),
        "l" | "T" => ("U", "U"),
        "L" => ("", "rw"),
        "n" => ("", "UC"),
        "p" => ("", "sA"),
        "t" => ("", "C"),
        "F" | "S" => ("", "U"),
        other => return exec_err!("unrecognized object type abbreviation: {other}"),
    };
    let Object::Oid(oid) = object(*owner) else { return Ok(Cell::Null) };
    let owner = roles::by_oid(&scope.view, oid).map_or_else(|| oid.to_string(), |role| quoted(&role.name));
    let item = |grantee: &str, privileges: &str| format!("{grantee}={privileges}/{owner}").into();
    let mut items = Vec::new();
    if !world.is_empty() {
        items.push(item("", world));
    }
    if !own.is_empty() {
        items.push(item(&owner, own));
    }
    Ok(Cell::Texts(items))
}

fn explode<'a>(scope: &'a Scope, arguments: &[Argument<'_>]) -> Result<Vec<Vec<Cell<'a>>>> {
    let mut rows = Vec::new();
    for item in arguments.first().map(|list| elements(*list)).unwrap_or_default() {
        let Some((grantee, rest)) = item.rsplit_once('=') else { return exec_err!("malformed aclitem: {item}") };
        let (privileges, grantor) = rest.split_once('/').unwrap_or((rest, ""));
        let (grantee, grantor) = (role(scope, grantee), role(scope, grantor));
        // PostgreSQL keeps bits: the order of the letters is not theirs.
        for (letter, name) in PRIVILEGES {
            let Some((_, behind)) = privileges.split_once(letter) else { continue };
            rows.push(vec![grantor.into(), grantee.into(), name.into(), behind.starts_with('*').into()]);
        }
    }
    Ok(rows)
}

/// The role of a name in an item; everybody is 0.
fn role(scope: &Scope, name: &str) -> u32 {
    let name = parts(name).and_then(|mut parts| parts.pop()).map(|part| part.name);
    name.and_then(|name| roles::by_name(&scope.view, &name)).map_or(0, |role| role.oid)
}
