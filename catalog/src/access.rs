//! Who may do what with the relations of the lake, as PostgreSQL's privileges say it.
//!
//! Owns: grants, membership, and what follows from both. Must never know: a session, a password, where grants are kept.
//! <https://www.postgresql.org/docs/16/ddl-priv.html>

mod mask;
mod policy;
mod privileges;
mod secured;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};

pub(crate) use mask::masked;
pub use mask::{ColumnMask, WrittenMask, is_of_mask, read_mask};
pub use policy::{RowClauses, RowCommand, RowPolicy, RowSecurity, RowSwitch, WrittenPolicy, read_policy};
pub(crate) use policy::{created as policy_of, switch_text, switched};
pub use privileges::{Privilege, Privileges};
pub use secured::{RowRules, Secured};

use crate::definition::Name;

/// The schema in which everybody may look for relations, as in PostgreSQL.
const PUBLIC_SCHEMA: &str = "public";

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grantee {
    /// Everybody.
    Public,
    Role(String),
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Granted {
    Relation(Name),
    /// Every relation of a schema, also those that come later.
    AllIn(String),
    Schema(String),
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Grant {
    pub grantee: Grantee,
    pub privileges: Privileges,
    pub on: Granted,
    /// Empty is all of them.
    pub columns: BTreeSet<String>,
}

impl Grant {
    /// Whether both are of the same role, object and columns.
    pub(crate) fn is_beside(&self, other: &Self) -> bool {
        (&self.grantee, &self.on, &self.columns) == (&other.grantee, &other.on, &other.columns)
    }

    /// Takes away what another is of. Of some columns only these lose what all of them have.
    pub(crate) fn take(&mut self, revoked: &Self) {
        let is_whole = revoked.columns.is_empty() || self.columns.is_subset(&revoked.columns);
        if is_whole {
            self.privileges = self.privileges.without(revoked.privileges);
        } else if !self.privileges.both(revoked.privileges).is_empty() {
            self.columns = self.columns.difference(&revoked.columns).cloned().collect();
        }
    }
}

/// A role as far as its rights go.
#[derive(Debug, Clone)]
pub struct Member {
    pub name: String,
    pub is_superuser: bool,
    /// Whether no row policy binds it.
    pub bypasses_rls: bool,
    pub member_of: Vec<String>,
}

/// What somebody holds on a relation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Held {
    pub all: Privileges,
    pub columns: BTreeMap<String, Privileges>,
}

impl Held {
    /// Whether a privilege is held on the relation, or on one of its columns.
    pub fn has_some(&self, privilege: Privilege) -> bool {
        self.all.has(privilege) || self.columns.values().any(|held| held.has(privilege))
    }

    pub fn has_on(&self, column: &str, privilege: Privilege) -> bool {
        self.all.has(privilege) || self.columns.get(column).is_some_and(|held| held.has(privilege))
    }
}

/// The rights of every role at one moment.
#[derive(Debug, Clone, Default)]
pub struct Access {
    is_enforced: bool,
    roles: HashMap<String, Standing>,
    grants: HashMap<Granted, Vec<Grant>>,
    secured: HashMap<Name, Secured>,
}

#[derive(Debug, Clone)]
struct Standing {
    is_superuser: bool,
    bypasses_rls: bool,
    /// Itself, and every role that it is a member of, directly or not.
    is: BTreeSet<String>,
}

impl Access {
    /// Everybody may do what can be done.
    pub fn of_everybody() -> Self {
        Self::default()
    }

    /// Only what is granted. A role that is a member of itself, directly or not, is an error: its name.
    pub fn of_grants(members: &[Member], grants: Vec<Grant>) -> Result<Self, String> {
        Ok(Self { is_enforced: true, ..Self::of_members(members)? }.with(grants))
    }

    /// Membership alone, with which everybody may do what can be done.
    pub fn of_members(members: &[Member]) -> Result<Self, String> {
        let direct: HashMap<&str, &[String]> =
            members.iter().map(|member| (member.name.as_str(), member.member_of.as_slice())).collect();
        let mut roles = HashMap::new();
        for member in members {
            let mut is = BTreeSet::from([member.name.clone()]);
            let mut next: Vec<&String> = member.member_of.iter().collect();
            while let Some(group) = next.pop() {
                if *group == member.name {
                    return Err(member.name.clone());
                }
                if is.insert(group.clone()) {
                    next.extend(direct.get(group.as_str()).copied().unwrap_or_default());
                }
            }
            let (is_superuser, bypasses_rls) = (member.is_superuser, member.bypasses_rls);
            roles.insert(member.name.clone(), Standing { is_superuser, bypasses_rls, is });
        }
        Ok(Self { roles, ..Self::default() })
    }

    /// The same with more grants.
    pub fn with(mut self, grants: impl IntoIterator<Item = Grant>) -> Self {
        for grant in grants {
            self.grants.entry(grant.on.clone()).or_default().push(grant);
        }
        self
    }

    /// Whether somebody could be refused anything.
    pub fn is_enforced(&self) -> bool {
        self.is_enforced
    }

    pub fn is_role(&self, name: &str) -> bool {
        self.roles.contains_key(name)
    }

    /// Whether there is any role: without a roles file there is none.
    pub fn has_roles(&self) -> bool {
        !self.roles.is_empty()
    }

    pub fn is_superuser(&self, role: &str) -> bool {
        self.roles.get(role).is_some_and(|standing| standing.is_superuser)
    }

    /// Whether a role has the rights of another. A superuser has everybody's.
    pub fn is_member(&self, role: &str, of: &str) -> bool {
        role == of || self.roles.get(role).is_some_and(|standing| standing.is_superuser || standing.is.contains(of))
    }

    /// Whether a role is bound by nothing.
    pub fn is_free(&self, role: &str) -> bool {
        !self.is_enforced || self.is_superuser(role)
    }

    /// What a role holds on a relation; `None` asks for everybody.
    pub fn on_relation(&self, role: Option<&str>, name: &Name) -> Held {
        if role.map_or(!self.is_enforced, |role| self.is_free(role)) {
            return Held { all: Privileges::OF_RELATIONS, columns: BTreeMap::new() };
        }
        let mut held = Held::default();
        for grant in self.of_relation(name).filter(|grant| self.is_for(role, &grant.grantee)) {
            if grant.columns.is_empty() {
                held.all = held.all.and(grant.privileges);
            }
            for column in &grant.columns {
                let known = held.columns.entry(column.clone()).or_default();
                *known = known.and(grant.privileges);
            }
        }
        held
    }

    /// What a role holds on a schema; `None` asks for everybody.
    pub fn on_schema(&self, role: Option<&str>, schema: &str) -> Privileges {
        if role.map_or(!self.is_enforced, |role| self.is_free(role)) {
            return Privileges::OF_SCHEMAS;
        }
        let implied = if is_open(schema) { Privileges::NONE.with(Privilege::Usage) } else { Privileges::NONE };
        let granted = self.of_schema(schema).filter(|grant| self.is_for(role, &grant.grantee));
        granted.fold(implied, |held, grant| held.and(grant.privileges))
    }

    /// Whether a role may read some of a relation.
    pub fn may_read(&self, role: &str, schema: &str, name: &str) -> bool {
        let relation = Name { schema: schema.to_owned(), name: name.to_owned() };
        self.is_free(role)
            || (self.on_schema(Some(role), schema).has(Privilege::Usage)
                && self.on_relation(Some(role), &relation).has_some(Privilege::Select))
    }

    /// Whether it may, and sees all rows and values: what tells of its rows or files is for such roles alone.
    pub fn may_look(&self, role: &str, schema: &str, name: &str) -> bool {
        let relation = Name { schema: schema.to_owned(), name: name.to_owned() };
        self.may_read(role, schema, name)
            && self.rules(role, &relation).is_none()
            && self.masks(role, &relation).is_empty()
    }

    /// The grants on a relation, those on all of its schema included.
    pub fn of_relation(&self, name: &Name) -> impl Iterator<Item = &Grant> {
        let of = |on: &Granted| self.grants.get(on).into_iter().flatten();
        of(&Granted::Relation(name.clone())).chain(of(&Granted::AllIn(name.schema.clone())))
    }

    pub fn of_schema(&self, schema: &str) -> impl Iterator<Item = &Grant> {
        self.grants.get(&Granted::Schema(schema.to_owned())).into_iter().flatten()
    }

    /// The roles that a role is, itself among them.
    pub fn roles_of(&self, role: &str) -> Vec<&str> {
        self.roles.get(role).into_iter().flat_map(|standing| &standing.is).map(String::as_str).collect()
    }

    fn is_for(&self, role: Option<&str>, grantee: &Grantee) -> bool {
        match (grantee, role) {
            (Grantee::Public, _) => true,
            (Grantee::Role(_), None) => false,
            (Grantee::Role(of), Some(role)) => self.roles.get(role).is_some_and(|standing| standing.is.contains(of)),
        }
    }
}

/// Schemas that everybody may look into: the server's own, and `public`.
pub(crate) fn is_open(schema: &str) -> bool {
    matches!(schema, PUBLIC_SCHEMA | "pg_catalog" | "information_schema" | "system" | "pg_toast")
}
