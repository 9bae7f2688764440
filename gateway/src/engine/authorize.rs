//! Whether a role may do what a statement asks for.
//!
//! Owns: which privilege each thing takes, and PostgreSQL's words for one that is missing. It decides on relations as they were
//! resolved: those that the statement itself names. What a view reads is read with the rights of the operator, who has defined
//! it, so that a role needs the view alone. Must never know: how grants are written or kept, or a plan.
//! <https://www.postgresql.org/docs/16/ddl-priv.html>, <https://www.postgresql.org/docs/16/rules-privileges.html>

mod columns;

use std::sync::Arc;

use catalog::pg_catalog::RoleFact;
use catalog::{Access, ColumnMask, Held, Name, Privilege, RowRule, RowRules, Script, Snapshot, Table};

use super::define::{kind, name_of};
use super::scope::Scope;
use super::{Core, Engine};
use crate::auth::roles::WRITE_SERVER_FILES;
use crate::error::{Error, Result, SqlState};
use crate::session::Session;
pub(super) use columns::{marked, refuse_marked};

/// The roles of the server, and what they may do.
#[derive(Debug, Default)]
pub struct Authority {
    pub roles: Vec<RoleFact>,
    pub access: Arc<Access>,
}

impl Engine {
    /// What roles may do from here on: every statement is checked against it, also one that was prepared before.
    pub fn rule(&self, authority: Authority) {
        self.core.authority.store(Arc::new(authority));
    }
}

/// Both kinds of grants together.
pub(super) struct Merged {
    base: Arc<Access>,
    script: Arc<Script>,
    all: Arc<Access>,
}

/// What a statement takes, beside the relations that it reads.
pub(super) enum Need {
    On(Name, Privilege),
    /// A new relation.
    Create(Name),
    /// What PostgreSQL leaves to the owner of a relation. Here relations have no owner: it is for who may make others in the
    /// same schema.
    Own(Name),
    /// An object that is no table.
    Export,
}

/// What one session may do.
pub(super) struct Rights<'a> {
    access: &'a Access,
    role: &'a str,
    snapshot: &'a Snapshot,
}

impl Core {
    /// What holds for a session now. The server's own are bound by nothing.
    pub(super) fn access(&self, session: &Session) -> Arc<Access> {
        match session.is_of_server {
            true => Arc::clone(&self.unbound),
            false => self.granted(&self.snapshot(session).script),
        }
    }

    /// What the roles file says alone.
    pub(super) fn base_access(&self) -> Arc<Access> {
        Arc::clone(&self.authority.load().access)
    }

    /// What the roles file and SQL grant together, row policies and masks among it: the same value as long as both are the same.
    fn granted(&self, script: &Arc<Script>) -> Arc<Access> {
        let base = self.base_access();
        if !base.is_enforced() || (script.grants().next().is_none() && script.row_rules().next().is_none()) {
            return base;
        }
        let mut known = self.granted.lock();
        if let Some(known) = known.as_ref().filter(|known| Arc::ptr_eq(&known.base, &base) && known.script == *script) {
            return Arc::clone(&known.all);
        }
        let policies = script.row_rules().filter_map(|rule| match rule {
            RowRule::Policy(policy) => Some(policy.clone()),
            RowRule::Switch(..) | RowRule::Mask(_) => None,
        });
        let switches = script.row_rules().filter_map(|rule| match rule {
            RowRule::Switch(on, switch) => Some((on.clone(), *switch)),
            RowRule::Policy(_) | RowRule::Mask(_) => None,
        });
        let all = Access::clone(&base).with(script.grants().cloned()).with_policies(policies, switches);
        let all = Arc::new(all.with_masks(script.masks().cloned()));
        *known = Some(Merged { base, script: Arc::clone(script), all: Arc::clone(&all) });
        all
    }

    /// Whether a session may do everything. A role that is no superuser any more is none in its old sessions too.
    pub(super) fn is_superuser(&self, session: &Session) -> bool {
        let access = self.access(session);
        session.role.superuser && (access.is_superuser(session.user()) || !access.has_roles())
    }

    /// Refuses a session what it has no right to.
    pub(super) fn allow(&self, session: &Session, needs: &[Need]) -> Result<()> {
        let (access, snapshot) = (self.access(session), self.snapshot(session));
        let rights = Rights { access: &access, role: session.user(), snapshot: &snapshot };
        needs.iter().try_for_each(|need| rights.allow(need))
    }
}

impl Scope {
    pub(super) fn rights(&self) -> Rights<'_> {
        Rights { access: &self.view.server.access, role: self.session.user(), snapshot: &self.snapshot }
    }
}

impl Rights<'_> {
    pub(super) fn are_bound(&self) -> bool {
        !self.access.is_free(self.role)
    }

    /// The row policies by which the role sees and writes a table; `None` if none binds it.
    pub(super) fn rules(&self, name: &Name) -> Option<RowRules<'_>> {
        self.access.rules(self.role, name)
    }

    /// The masks through which the role sees a table, at most one of a column.
    pub(super) fn masks(&self, name: &Name) -> Vec<&ColumnMask> {
        self.access.masks(self.role, name)
    }

    /// Whether names are looked for in a schema.
    pub(super) fn may_use(&self, schema: &str) -> bool {
        self.access.on_schema(Some(self.role), schema).has(Privilege::Usage)
    }

    pub(super) fn has(&self, name: &Name, privilege: Privilege) -> bool {
        !self.are_bound()
            || (self.may_use(&name.schema) && self.access.on_relation(Some(self.role), name).all.has(privilege))
    }

    /// Whether a statement may read a relation that it names; what is held of one that it may read some columns of.
    pub(super) fn read(&self, table: &Table) -> Result<Option<Held>> {
        if !self.are_bound() {
            return Ok(None);
        }
        let name = name_of(table);
        self.usage(&name.schema)?;
        let held = self.access.on_relation(Some(self.role), &name);
        match held.all.has(Privilege::Select) {
            true => Ok(None),
            false if held.has_some(Privilege::Select) => Ok(Some(held)),
            false => Err(denied(&format!("{} {}", kind(table), table.name))),
        }
    }

    fn allow(&self, need: &Need) -> Result<()> {
        if !self.are_bound() {
            return Ok(());
        }
        match need {
            Need::On(name, privilege) => self.on(name, self.kind(name), *privilege),
            Need::Create(name) => self.create_in(&name.schema),
            Need::Own(name) => {
                self.usage(&name.schema)?;
                self.create_in(&name.schema).map_err(|_| {
                    let message = format!("must be owner of {} {}", self.kind(name), name.name);
                    Error::new(SqlState::InsufficientPrivilege, message)
                        .hint(format!("Relations have no owner here: CREATE on schema {} stands for it.", name.schema))
                })
            }
            Need::Export if self.access.is_member(self.role, WRITE_SERVER_FILES) => Ok(()),
            Need::Export => {
                let message = "permission denied to COPY to or from a file";
                Err(Error::new(SqlState::InsufficientPrivilege, message).detail(format!(
                    "Only roles with privileges of the \"{WRITE_SERVER_FILES}\" role may COPY to a file."
                )))
            }
        }
    }

    fn on(&self, name: &Name, kind: &str, privilege: Privilege) -> Result<()> {
        self.usage(&name.schema)?;
        match self.access.on_relation(Some(self.role), name).all.has(privilege) {
            true => Ok(()),
            false => Err(denied(&format!("{kind} {}", name.name))),
        }
    }

    pub(super) fn usage(&self, schema: &str) -> Result<()> {
        if !self.are_bound() || self.may_use(schema) { Ok(()) } else { Err(denied(&format!("schema {schema}"))) }
    }

    fn create_in(&self, schema: &str) -> Result<()> {
        let held = self.access.on_schema(Some(self.role), schema);
        if held.has(Privilege::Create) { Ok(()) } else { Err(denied(&format!("schema {schema}"))) }
    }

    fn kind(&self, name: &Name) -> &'static str {
        self.snapshot.named(name).map_or("table", |table| kind(table))
    }
}

/// `named` is a kind and a name.
fn denied(named: &str) -> Error {
    Error::new(SqlState::InsufficientPrivilege, format!("permission denied for {named}"))
}
