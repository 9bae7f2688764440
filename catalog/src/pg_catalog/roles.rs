//! The roles that the catalogs show: those of the configuration, the owner of everything, and the session's own.
//!
//! Owns: their OIDs. Must never know: a password.

use super::directory::{OWNER, role_oid};
use super::view::View;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Role {
    pub(crate) oid: u32,
    pub(crate) name: String,
    pub(crate) superuser: bool,
    pub(crate) login: bool,
    pub(crate) connection_limit: i32,
    pub(crate) member_of: Vec<String>,
}

/// The owner's name where the configuration has no superuser.
const OWNER_NAME: &str = "lakegate";

/// Every role, the owner first.
pub(crate) fn all(view: &View) -> Vec<Role> {
    let facts = &view.server.roles;
    let owner = facts.iter().filter(|role| role.superuser).map(|role| role.name.as_str()).min();
    let mut roles = vec![Role {
        oid: OWNER,
        name: owner.unwrap_or(OWNER_NAME).to_owned(),
        superuser: true,
        login: false,
        connection_limit: -1,
        member_of: Vec::new(),
    }];
    for fact in facts {
        add(&mut roles, &fact.name, |role| {
            role.superuser |= fact.superuser;
            role.login = fact.login;
            role.connection_limit = fact.connection_limit;
            role.member_of.clone_from(&fact.member_of);
        });
    }
    // Without a roles file everybody may connect, so the session's role is in no list.
    if !facts.iter().any(|fact| fact.name == view.user) {
        add(&mut roles, &view.user, |role| role.login = true);
    }
    roles
}

pub(crate) fn by_oid(view: &View, oid: u32) -> Option<Role> {
    all(view).into_iter().find(|role| role.oid == oid)
}

pub(crate) fn by_name(view: &View, name: &str) -> Option<Role> {
    all(view).into_iter().find(|role| role.name == name)
}

fn add(roles: &mut Vec<Role>, name: &str, set: impl FnOnce(&mut Role)) {
    if let Some(known) = roles.iter_mut().find(|role| role.name == name) {
        return set(known);
    }
    let (oid, name) = (role_oid(name), name.to_owned());
    let mut role = Role { oid, name, superuser: false, login: false, connection_limit: -1, member_of: Vec::new() };
    set(&mut role);
    roles.push(role);
}
