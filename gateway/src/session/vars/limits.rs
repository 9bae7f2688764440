//! What the roles file lets a role take, and what a session asks for of it: as variables, which a session may only lower.
//!
//! Owns: which variables are limits, and that none is raised (42501). Must never know: what is counted against them.

use super::domain::{Domain, Unit};
use super::{Vars, list};
use crate::error::{Error, Result, SqlState};

/// The unit of limits in bytes.
pub(super) const BYTES: Domain = Domain::Units(Unit::Bytes(1 << 10), NONE, 2_147_483_647);
pub(super) const COUNT: Domain = Domain::Integer(NONE, i64::MAX);
const MEMORY: &str = "lakegate.memory_limit";
/// The value that is no limit.
const NONE: i64 = -1;

/// The limits of a statement; `None` is no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    pub memory_bytes: Option<u64>,
    /// Of all statements of the role together.
    pub role_memory_bytes: Option<u64>,
    pub result_rows: Option<u64>,
    pub result_bytes: Option<u64>,
    /// Of the files that it would open.
    pub scan_bytes: Option<u64>,
    /// Statements of the role that run at once.
    pub running: Option<u64>,
    pub temp_file_bytes: Option<u64>,
}

impl Vars {
    /// The limits of the statements of this session. Without a value there is none, as in most sessions: every statement asks.
    pub fn limits(&self) -> Limits {
        let count = |name: &str| number(name, self.given(name)?);
        let bytes = |name: &str| count(name).map(|kilobytes| kilobytes << 10);
        Limits {
            memory_bytes: bytes(MEMORY),
            role_memory_bytes: self.bounds.get(MEMORY).and_then(|bound| number(MEMORY, bound)).map(|kb| kb << 10),
            result_rows: count("lakegate.max_result_rows"),
            result_bytes: bytes("lakegate.max_result_bytes"),
            scan_bytes: bytes("lakegate.max_scan_bytes"),
            running: count("lakegate.max_running"),
            temp_file_bytes: bytes("temp_file_limit"),
        }
    }

    /// Sets what the roles file says of the role: limits that are in it bind.
    pub fn set_role(&mut self, name: &str, value: &str) -> Result<()> {
        self.set_startup(name, value)?;
        let key = name.to_ascii_lowercase();
        if let Some(value) = self.reset.get(&key).filter(|_| is_limit(&key)) {
            self.bounds.insert(key, value.clone());
        }
        Ok(())
    }

    /// 42501 for a value above that of the roles file, but for superusers.
    pub(super) fn may_raise(&self, name: &str, value: &str) -> Result<()> {
        let key = name.to_ascii_lowercase();
        let Some(bound) = self.bounds.get(&key) else { return Ok(()) };
        let fits = match (number(&key, value), number(&key, bound)) {
            (_, None) => true,
            (value, Some(bound)) => value.is_some_and(|value| value <= bound),
        };
        if fits || self.get("is_superuser").is_ok_and(|value| value == "on") {
            return Ok(());
        }
        let message = format!("permission denied to set parameter \"{name}\"");
        Err(Error::new(SqlState::InsufficientPrivilege, message)
            .detail(format!("The role may have {bound}, which a session can only lower.")))
    }
}

fn is_limit(key: &str) -> bool {
    list::find(key).is_some_and(|variable| variable.context == list::Context::Limit)
}

/// A limit as its normal form says it.
fn number(name: &str, value: &str) -> Option<u64> {
    let number = match list::find(name)?.domain {
        Domain::Units(unit, ..) => unit.parse(value)?,
        _ => value.parse().ok()?,
    };
    u64::try_from(number).ok()
}

#[cfg(test)]
mod tests {
    use super::super::Scope;
    use super::*;

    #[test]
    fn a_session_lowers_its_limits_and_raises_none() {
        let mut vars = Vars::default();
        assert_eq!(vars.limits(), Limits::default());
        vars.set_role("lakegate.max_result_rows", "100").unwrap();
        vars.set_role("temp_file_limit", "1MB").unwrap();
        let mut set = |name: &str, value: &str| vars.set(name, value, Scope::Session).map_err(|error| error.state);
        set("lakegate.max_result_rows", "10").unwrap();
        for (name, value) in
            [("lakegate.max_result_rows", "101"), ("LAKEGATE.max_result_rows", "-1"), ("temp_file_limit", "2MB")]
        {
            assert_eq!(set(name, value), Err(SqlState::InsufficientPrivilege), "{name} {value}");
        }
        set("lakegate.max_scan_bytes", "1GB").unwrap();
        set("lakegate.max_scan_bytes", "2GB").unwrap();
        assert!(vars.set_startup("lakegate.max_result_rows", "1000").is_err());
        let limits = vars.limits();
        assert_eq!((limits.result_rows, limits.temp_file_bytes), (Some(10), Some(1 << 20)));
        assert_eq!((limits.scan_bytes, limits.memory_bytes), (Some(2 << 30), None));
        vars.reset("lakegate.max_result_rows").unwrap();
        assert_eq!(vars.limits().result_rows, Some(100));
    }
}
