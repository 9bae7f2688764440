//! The `relacl` and `nspacl` of the catalogs: who holds what, as `aclitem`s.
//!
//! Owns: that an object nobody was granted anything on has none, as in PostgreSQL. Must never know: who asks.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::directory::{OWNER, RelationEntry};
use super::ident::quoted;
use super::roles;
use super::rows::Cell;
use super::view::View;
use crate::access::{Grant, Grantee, Privilege, Privileges, is_open};
use crate::definition::Name;

/// What is held on each object, told for one view.
pub(crate) struct Lists<'a> {
    view: &'a View,
    owner: String,
}

impl<'a> Lists<'a> {
    pub(crate) fn new(view: &'a View) -> Self {
        let owner = roles::by_oid(view, OWNER).map(|role| quoted(&role.name)).unwrap_or_default();
        Self { view, owner }
    }

    pub(crate) fn of_relation(&self, relation: &RelationEntry) -> Cell<'static> {
        let held = held(self.relation_grants(relation).into_iter().filter(|grant| grant.columns.is_empty()));
        self.items(Privileges::OF_RELATIONS, held)
    }

    pub(crate) fn of_column(&self, relation: &RelationEntry, column: &str) -> Cell<'static> {
        let held = held(self.relation_grants(relation).into_iter().filter(|grant| grant.columns.contains(column)));
        self.items(Privileges::NONE, held)
    }

    pub(crate) fn of_schema(&self, schema: &str) -> Cell<'static> {
        let access = self.view.access();
        let mut held = held(if access.is_enforced() { access.of_schema(schema).collect() } else { Vec::new() });
        if access.is_enforced() && is_open(schema) {
            let everybody = held.entry(Grantee::Public).or_default();
            *everybody = everybody.with(Privilege::Usage);
        }
        self.items(Privileges::OF_SCHEMAS, held)
    }

    fn relation_grants(&self, relation: &RelationEntry) -> Vec<&'a Grant> {
        let access = self.view.access();
        if !access.is_enforced() || relation.table().is_none() {
            return Vec::new();
        }
        let name = Name { schema: relation.schema.to_string(), name: relation.name.to_string() };
        access.of_relation(&name).collect()
    }

    fn items(&self, own: Privileges, held: BTreeMap<Grantee, Privileges>) -> Cell<'static> {
        if held.is_empty() {
            return Cell::Null;
        }
        let owner = &self.owner;
        let item = |grantee: &str, privileges: Privileges| -> Cow<'static, str> {
            format!("{grantee}={}/{owner}", privileges.letters()).into()
        };
        let mut items = Vec::new();
        if !own.is_empty() {
            items.push(item(owner, own));
        }
        items.extend(held.iter().map(|(grantee, privileges)| match grantee {
            Grantee::Public => item("", *privileges),
            Grantee::Role(role) => item(&quoted(role), *privileges),
        }));
        Cell::Texts(items)
    }
}

/// What each grantee holds by some grants.
fn held<'a>(grants: impl IntoIterator<Item = &'a Grant>) -> BTreeMap<Grantee, Privileges> {
    let mut held: BTreeMap<Grantee, Privileges> = BTreeMap::new();
    for grant in grants {
        let known = held.entry(grant.grantee.clone()).or_default();
        *known = known.and(grant.privileges);
    }
    held
}
