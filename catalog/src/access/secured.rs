//! The tables that have row policies or column masks, and whom policies bind.
//!
//! Owns: who is bound by none. Must never know: a condition's meaning.

use super::{Access, ColumnMask, RowCommand, RowPolicy, RowSecurity, RowSwitch};
use crate::definition::Name;

/// The row policies and column masks of one table, by name.
#[derive(Debug, Clone, Default)]
pub struct Secured {
    pub security: RowSecurity,
    pub policies: Vec<RowPolicy>,
    pub masks: Vec<ColumnMask>,
}

/// The policies of a table as they bind one role. One that has none sees no row.
pub struct RowRules<'a> {
    access: &'a Access,
    role: &'a str,
    table: &'a Name,
    policies: &'a [RowPolicy],
}

impl Access {
    /// The same with more policies, and with switches turned.
    pub fn with_policies(
        mut self,
        policies: impl IntoIterator<Item = RowPolicy>,
        switches: impl IntoIterator<Item = (Name, RowSwitch)>,
    ) -> Self {
        for policy in policies {
            let known = &mut self.secured.entry(policy.on.clone()).or_default().policies;
            // PostgreSQL asks them in the order of their names.
            let place = known.partition_point(|known| known.name <= policy.name);
            known.insert(place, policy);
        }
        for (on, switch) in switches {
            self.secured.entry(on).or_default().security.turn(switch);
        }
        self
    }

    /// What is declared of a table, whoever asks.
    pub fn secured(&self, name: &Name) -> Option<&Secured> {
        self.secured.get(name)
    }

    pub fn all_secured(&self) -> impl Iterator<Item = (&Name, &Secured)> {
        self.secured.iter()
    }

    /// Whether a role has BYPASSRLS, or is a superuser, which has it too. It is not inherited.
    pub fn bypasses_rls(&self, role: &str) -> bool {
        self.is_free(role) || self.has_bypassrls(role)
    }

    /// Whether a role is declared so.
    pub fn has_bypassrls(&self, role: &str) -> bool {
        self.roles.get(role).is_some_and(|standing| standing.bypasses_rls || standing.is_superuser)
    }

    /// The rules by which a role sees and writes the rows of a table; `None` if it sees all. Owners, for whom PostgreSQL makes
    /// an exception unless it is forced, are superusers here.
    pub fn rules<'a>(&'a self, role: &'a str, name: &Name) -> Option<RowRules<'a>> {
        let (table, secured) = self.secured.get_key_value(name).filter(|(_, secured)| secured.security.is_enabled)?;
        if self.bypasses_rls(role) {
            return None;
        }
        Some(RowRules { access: self, role, table, policies: &secured.policies })
    }
}

impl<'a> RowRules<'a> {
    pub fn table(&self) -> &'a Name {
        self.table
    }

    /// Of these a row needs one.
    pub fn permissive(&self, command: RowCommand) -> Vec<&'a RowPolicy> {
        self.of(command, false)
    }

    /// Of these a row needs all.
    pub fn restrictive(&self, command: RowCommand) -> Vec<&'a RowPolicy> {
        self.of(command, true)
    }

    fn of(&self, command: RowCommand, is_restrictive: bool) -> Vec<&'a RowPolicy> {
        let is_of = |policy: &&RowPolicy| {
            policy.is_restrictive == is_restrictive
                && matches!(policy.command, of if of == command || of == RowCommand::All)
                && policy.to.iter().any(|grantee| self.access.is_for(Some(self.role), grantee))
        };
        self.policies.iter().filter(is_of).collect()
    }
}
