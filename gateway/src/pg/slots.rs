//! The places for sessions: how many there are, for whom they are kept, and PostgreSQL's words when none is left.
//!
//! Owns: the count of logged-in sessions, in all and per role. Must never know: a socket.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::auth::Role;
use crate::error::{Error, Result, SqlState};

pub(super) struct Slots {
    max: usize,
    reserved: usize,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    total: usize,
    by_role: HashMap<String, usize>,
}

/// One session's place, given back when dropped.
pub(super) struct Slot {
    slots: Arc<Slots>,
    role: String,
}

impl Slots {
    pub(super) fn new(max: usize, reserved: usize) -> Self {
        Self { max, reserved: reserved.min(max), taken: Mutex::default() }
    }

    /// Refuses early, before a password is checked, when there is no place for anybody.
    pub(super) fn any_left(&self) -> Result<()> {
        if self.taken.lock().total >= self.max { Err(too_many()) } else { Ok(()) }
    }

    pub(super) fn take(self: &Arc<Self>, role: &Role) -> Result<Slot> {
        let mut taken = self.taken.lock();
        if taken.total >= self.max {
            return Err(too_many());
        }
        if !role.superuser && taken.total >= self.max - self.reserved {
            return Err(refused("remaining connection slots are reserved for roles with the SUPERUSER attribute"));
        }
        let of_role = taken.by_role.get(&role.name).copied().unwrap_or(0);
        // As in PostgreSQL, a superuser's own limit does not bind.
        if !role.superuser && role.connection_limit.is_some_and(|limit| of_role >= limit) {
            return Err(refused(format!("too many connections for role \"{}\"", role.name)));
        }
        taken.total += 1;
        taken.by_role.insert(role.name.clone(), of_role + 1);
        Ok(Slot { slots: Arc::clone(self), role: role.name.clone() })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut taken = self.slots.taken.lock();
        taken.total = taken.total.saturating_sub(1);
        if let Some(count) = taken.by_role.get_mut(&self.role) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                taken.by_role.remove(&self.role);
            }
        }
    }
}

fn too_many() -> Error {
    refused("sorry, too many clients already")
}

fn refused(message: impl Into<String>) -> Error {
    Error::new(SqlState::TooManyConnections, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(name: &str, superuser: bool, connection_limit: Option<usize>) -> Role {
        Role { name: name.into(), superuser, connection_limit, read_only: false }
    }

    fn message(slot: Result<Slot>) -> String {
        slot.err().map(|error| error.message).unwrap_or_default()
    }

    #[test]
    fn slots_are_kept_for_superusers_and_given_back() {
        let slots = Arc::new(Slots::new(3, 1));
        let (ann, root) = (role("ann", false, None), role("root", true, Some(0)));
        let first = slots.take(&ann).unwrap();
        let _second = slots.take(&ann).unwrap();
        assert!(message(slots.take(&ann)).starts_with("remaining connection slots are reserved"));
        let _third = slots.take(&root).unwrap();
        assert_eq!(message(slots.take(&root)), "sorry, too many clients already");
        assert!(slots.any_left().is_err());
        drop(first);
        assert!(slots.any_left().is_ok());
        assert!(slots.take(&root).is_ok());
    }

    #[test]
    fn a_role_has_its_own_limit() {
        let slots = Arc::new(Slots::new(10, 0));
        let ann = role("ann", false, Some(1));
        let first = slots.take(&ann).unwrap();
        assert_eq!(message(slots.take(&ann)), "too many connections for role \"ann\"");
        drop(first);
        assert!(slots.take(&ann).is_ok());
    }
}
