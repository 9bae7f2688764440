//! The variables of one session (SET, SHOW, RESET, `current_setting`), with PostgreSQL's names and rules.
//!
//! Owns: which variables exist (`list.rs`), what values they take (`domain.rs`), how long a setting lasts.
//! Must never know: what the rest of the server does with a value.

pub mod display;
pub mod domain;
pub mod limits;
pub mod list;
pub mod postgresql;

use std::collections::HashMap;
use std::time::Duration;

pub use display::{ByteaOutput, DateOrder, DateStyle, Display, IntervalStyle};
pub use limits::Limits;
pub use list::{Context, VARIABLES, Variable};
pub use postgresql::Setting;

use catalog::OnStale;

use crate::error::{Error, Result, SqlState};

/// How long a setting lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    Session,
    /// `SET LOCAL`: until the end of the transaction block.
    Local,
}

/// The variables of one session: the server's defaults, what the client set at start-up, what it set since.
#[derive(Debug, Clone, Default)]
pub struct Vars {
    /// What RESET returns to where it differs from `Variable::default`: the server's settings, then the start-up packet's.
    reset: HashMap<String, String>,
    session: HashMap<String, String>,
    /// SET LOCAL of the current block.
    local: HashMap<String, String>,
    /// `session` as it was when the block began: ROLLBACK returns to it.
    at_begin: Option<HashMap<String, String>>,
    /// Limits of the roles file.
    bounds: HashMap<String, String>,
    /// What ParameterStatus told the client last.
    told: HashMap<&'static str, String>,
}

impl Vars {
    /// The value as SHOW prints it. Unknown: 42704.
    pub fn get(&self, name: &str) -> Result<String> {
        let key = key(name);
        if let Some(variable) = list::find(&key) {
            return Ok(self.value(variable).to_owned());
        }
        self.given(&key).map(str::to_owned).ok_or_else(|| unrecognized(name))
    }

    /// The value that somebody has given a variable, by its lower-case name.
    fn given(&self, key: &str) -> Option<&str> {
        [&self.local, &self.session, &self.reset].iter().find_map(|values| values.get(key)).map(String::as_str)
    }

    /// The value of a listed variable.
    fn value(&self, variable: &'static Variable) -> &str {
        self.given(&variable.key()).unwrap_or(variable.default)
    }

    /// Checks and sets. Unknown: 42704; a value out of its domain: 22023; read-only: 55P02.
    pub fn set(&mut self, name: &str, value: &str, scope: Scope) -> Result<()> {
        let (key, value) = self.checked(name, value, false)?;
        match scope {
            Scope::Session => {
                self.local.remove(&key);
                self.session.insert(key, value);
            }
            Scope::Local => {
                self.local.insert(key, value);
            }
        }
        Ok(())
    }

    /// Sets what the start-up packet brings (`TimeZone`, `application_name`, `options=-c name=value` ...): these become
    /// the values that RESET returns to. Unknown names: 42704.
    pub fn set_startup(&mut self, name: &str, value: &str) -> Result<()> {
        let (key, value) = self.checked(name, value, false)?;
        self.reset.insert(key, value);
        Ok(())
    }

    /// Sets a value that only the server may set, such as `is_superuser`.
    pub fn set_server(&mut self, name: &str, value: &str) -> Result<()> {
        let (key, value) = self.checked(name, value, true)?;
        self.reset.insert(key, value);
        Ok(())
    }

    /// Returns one variable to its start-up value.
    pub fn reset(&mut self, name: &str) -> Result<()> {
        let key = key(name);
        match list::find(&key) {
            Some(variable) => self.may_set(variable)?,
            None if self.session.contains_key(&key) || self.local.contains_key(&key) => {}
            None => return Err(unrecognized(name)),
        }
        self.session.remove(&key);
        self.local.remove(&key);
        Ok(())
    }

    /// `RESET ALL`. PostgreSQL leaves transaction characteristics and session authorization alone; so do we.
    pub fn reset_all(&mut self) {
        self.session.retain(|key, _| key.starts_with("transaction_"));
        self.local.clear();
    }

    pub fn begin(&mut self) {
        self.at_begin = Some(self.session.clone());
    }

    pub fn commit(&mut self) {
        self.at_begin = None;
        self.local.clear();
    }

    pub fn rollback(&mut self) {
        if let Some(session) = self.at_begin.take() {
            self.session = session;
        }
        self.local.clear();
    }

    fn checked(&self, name: &str, value: &str, by_server: bool) -> Result<(String, String)> {
        let key = key(name);
        match list::find(&key) {
            Some(variable) => {
                if !by_server {
                    self.may_set(variable)?;
                }
                let value = variable.domain.check(variable.name, value)?;
                if !by_server && variable.context == Context::Limit {
                    self.may_raise(variable.name, &value)?;
                }
                Ok((key, value))
            }
            None if is_custom(&key) => Ok((key, value.to_owned())),
            None => Err(unrecognized(name)),
        }
    }

    /// Whether a statement of this session may change the variable: 55P02 or 42501.
    fn may_set(&self, variable: &Variable) -> Result<()> {
        let name = variable.name;
        let refused = |message: String| Err(Error::new(SqlState::CantChangeRuntimeParam, message));
        match variable.context {
            Context::User | Context::Limit => Ok(()),
            Context::Superuser if self.get("is_superuser").is_ok_and(|value| value == "on") => Ok(()),
            Context::Superuser => {
                let message = format!("permission denied to set parameter \"{name}\"");
                Err(Error::new(SqlState::InsufficientPrivilege, message))
            }
            Context::Internal => Err(cannot_change(name)),
            Context::Sighup => refused(format!("parameter \"{name}\" cannot be changed now")),
            Context::Postmaster => {
                refused(format!("parameter \"{name}\" cannot be changed without restarting the server"))
            }
            Context::Backend => refused(format!("parameter \"{name}\" cannot be set after connection start")),
        }
    }

    /// What SET changed, so that another session can be given the same.
    pub fn changed(&self) -> Vec<(String, String)> {
        let session = self.session.iter().filter(|(name, _)| !self.local.contains_key(*name));
        session.chain(&self.local).map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// Every variable that ParameterStatus reports, with its value now: sent once after authentication.
    pub fn reported(&mut self) -> Vec<(&'static str, String)> {
        self.told.clear();
        self.take_changed()
    }

    /// The reported variables that changed since the last call: sent before ReadyForQuery.
    pub fn take_changed(&mut self) -> Vec<(&'static str, String)> {
        let mut changed = Vec::new();
        for variable in VARIABLES.iter().filter(|variable| variable.reported) {
            let value = self.value(variable);
            if self.told.get(variable.name).map(String::as_str) != Some(value) {
                changed.push((variable.name, value.to_owned()));
            }
        }
        self.told.extend(changed.iter().cloned());
        changed
    }

    /// Every variable that PostgreSQL shows with its value, as SHOW ALL and `pg_settings` list them.
    pub fn all(&self) -> impl Iterator<Item = (&'static Setting, &'static Variable, &str)> {
        postgresql::all().iter().filter_map(|setting| {
            let variable = list::find(&setting.name.to_ascii_lowercase())?;
            Some((setting, variable, self.value(variable)))
        })
    }

    /// The value that RESET would return to.
    pub fn reset_value(&self, variable: &'static Variable) -> &str {
        self.reset.get(&variable.key()).map_or(variable.default, String::as_str)
    }

    /// The schemas of `search_path` in order, with `"$user"` resolved and quotes taken off.
    pub fn search_path(&self, user: &str) -> Vec<String> {
        let path = self.get("search_path").unwrap_or_default();
        domain::split_identifiers(&path)
            .into_iter()
            .map(|schema| if schema == "$user" { user.to_owned() } else { schema })
            .collect()
    }

    pub fn display(&self) -> Display {
        Display::from_vars(|name| self.get(name).unwrap_or_default())
    }

    pub fn statement_timeout(&self) -> Option<Duration> {
        self.milliseconds("statement_timeout")
    }

    pub fn idle_session_timeout(&self) -> Option<Duration> {
        self.milliseconds("idle_session_timeout")
    }

    pub fn idle_in_transaction_session_timeout(&self) -> Option<Duration> {
        self.milliseconds("idle_in_transaction_session_timeout")
    }

    /// How old the rows of materialized views may be in this session, if it says so.
    pub fn max_staleness(&self) -> Option<Duration> {
        let seconds = domain::Unit::Milliseconds(1_000).parse(&self.get("lakegate.max_staleness").ok()?)?;
        u64::try_from(seconds).ok().map(Duration::from_secs)
    }

    /// What is answered for those that are older, if this session says so.
    pub fn on_stale(&self) -> Option<OnStale> {
        let value = self.get("lakegate.on_stale").ok()?;
        OnStale::ALL.into_iter().find(|known| known.text() == value)
    }

    /// A duration variable; 0 is no limit.
    fn milliseconds(&self, name: &str) -> Option<Duration> {
        let value = self.get(name).ok()?;
        let milliseconds = domain::parse_milliseconds(&value)?;
        (milliseconds > 0).then(|| Duration::from_millis(milliseconds))
    }
}

fn key(name: &str) -> String {
    name.to_ascii_lowercase()
}

/// PostgreSQL takes any name with a dot as a placeholder of an extension not loaded yet. The engine's own prefix is
/// kept out, since a client might believe that it had an effect.
fn is_custom(key: &str) -> bool {
    match key.split_once('.') {
        Some((class, name)) => !class.is_empty() && !name.is_empty() && class != "datafusion" && class != "lakegate",
        None => false,
    }
}

fn unrecognized(name: &str) -> Error {
    Error::new(SqlState::UndefinedObject, format!("unrecognized configuration parameter \"{name}\""))
}

fn cannot_change(name: &str) -> Error {
    Error::new(SqlState::CantChangeRuntimeParam, format!("parameter \"{name}\" cannot be changed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_is_42704_and_read_only_is_55p02() {
        let mut vars = Vars::default();
        assert_eq!(vars.set("nope", "1", Scope::Session).unwrap_err().state, SqlState::UndefinedObject);
        assert_eq!(vars.set("datafusion.x.y", "1", Scope::Session).unwrap_err().state, SqlState::UndefinedObject);
        assert_eq!(
            vars.set("server_version", "1", Scope::Session).unwrap_err().state,
            SqlState::CantChangeRuntimeParam
        );
        assert!(vars.set("my.own", "1", Scope::Session).is_ok());
        assert_eq!(vars.get("My.Own").unwrap(), "1");
    }

    #[test]
    fn local_settings_end_with_the_block_and_rollback_restores() {
        let mut vars = Vars::default();
        vars.begin();
        vars.set("TimeZone", "Europe/Paris", Scope::Local).unwrap();
        assert_eq!(vars.get("timezone").unwrap(), "Europe/Paris");
        vars.commit();
        assert_eq!(vars.get("timezone").unwrap(), "UTC");
        vars.begin();
        vars.set("timezone", "Asia/Tokyo", Scope::Session).unwrap();
        vars.rollback();
        assert_eq!(vars.get("timezone").unwrap(), "UTC");
    }

    #[test]
    fn only_changes_are_told() {
        let mut vars = Vars::default();
        assert!(vars.reported().iter().any(|(name, _)| *name == "server_version"));
        assert!(vars.take_changed().is_empty());
        vars.set("application_name", "psql", Scope::Session).unwrap();
        assert_eq!(vars.take_changed(), vec![("application_name", "psql".to_owned())]);
    }

    #[test]
    fn reset_returns_to_the_start_up_value() {
        let mut vars = Vars::default();
        vars.set_startup("application_name", "a").unwrap();
        vars.set("application_name", "b", Scope::Session).unwrap();
        vars.reset("application_name").unwrap();
        assert_eq!(vars.get("application_name").unwrap(), "a");
    }

    #[test]
    fn a_session_says_nothing_of_views_until_it_is_told() {
        let mut vars = Vars::default();
        assert_eq!((vars.max_staleness(), vars.on_stale()), (None, None));
        vars.set("lakegate.max_staleness", "90s", Scope::Session).unwrap();
        vars.set("lakegate.on_stale", "Base", Scope::Session).unwrap();
        assert_eq!((vars.max_staleness(), vars.on_stale()), (Some(Duration::from_secs(90)), Some(OnStale::Base)));
        assert_eq!(vars.get("lakegate.max_staleness").unwrap(), "90s");
        vars.set("lakegate.max_staleness", "0", Scope::Session).unwrap();
        assert_eq!(vars.max_staleness(), Some(Duration::ZERO));
        vars.set("lakegate.on_stale", "serve", Scope::Session).unwrap_err();
    }

    #[test]
    fn search_path_resolves_the_user() {
        let mut vars = Vars::default();
        assert_eq!(vars.search_path("ann"), ["ann", "public"]);
        vars.set("search_path", "weather, \"Mixed Case\"", Scope::Session).unwrap();
        assert_eq!(vars.search_path("ann"), ["weather", "Mixed Case"]);
    }
}
