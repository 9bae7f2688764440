//! What PostgreSQL tells of its settings: units, contexts, categories, bounds.
//!
//! Owns: `settings.tsv`, and the variables that are PostgreSQL's alone: clients read them, and may set those that a user
//! may set, without any effect. Must never know: what this server's own variables do.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::domain::{Domain, Unit};
use super::list::{Context, VARIABLES, Variable};

/// A row of `pg_settings`, but for its values.
#[derive(Debug)]
pub struct Setting {
    pub name: &'static str,
    pub unit: Option<&'static str>,
    pub category: &'static str,
    pub short_desc: &'static str,
    pub extra_desc: Option<&'static str>,
    pub context: &'static str,
    pub vartype: &'static str,
    pub min_val: Option<&'static str>,
    pub max_val: Option<&'static str>,
    pub enumvals: Option<Vec<&'static str>>,
    /// In the unit.
    pub boot_val: Option<&'static str>,
}

static SETTINGS: LazyLock<Vec<Setting>> = LazyLock::new(|| {
    let lines = include_str!("settings.tsv").lines().filter(|line| !line.starts_with('#'));
    lines.skip(1).filter_map(read).collect()
});

static BY_KEY: LazyLock<HashMap<String, &'static Setting>> =
    LazyLock::new(|| SETTINGS.iter().map(|setting| (setting.name.to_ascii_lowercase(), setting)).collect());

/// The variables that are not in [`VARIABLES`].
static OTHERS: LazyLock<HashMap<String, Variable>> = LazyLock::new(|| {
    let ours = |setting: &&Setting| !VARIABLES.iter().any(|variable| variable.name.eq_ignore_ascii_case(setting.name));
    SETTINGS.iter().filter(ours).map(|setting| (setting.name.to_ascii_lowercase(), variable(setting))).collect()
});

/// Every setting that PostgreSQL shows, by name.
pub fn all() -> &'static [Setting] {
    &SETTINGS
}

/// What PostgreSQL tells of the setting with this lower-case name.
pub fn find(key: &str) -> Option<&'static Setting> {
    BY_KEY.get(key).copied()
}

/// The variable with this lower-case name that is PostgreSQL's alone.
pub fn other(key: &str) -> Option<&'static Variable> {
    OTHERS.get(key)
}

fn read(line: &'static str) -> Option<Setting> {
    let cells: Vec<&'static str> = line.split('\t').collect();
    let text = |at: usize| cells.get(at).copied().filter(|cell| *cell != "\\N");
    Some(Setting {
        name: text(0)?,
        unit: text(1),
        category: text(2)?,
        short_desc: text(3)?,
        extra_desc: text(4),
        context: text(5)?,
        vartype: text(6)?,
        min_val: text(7),
        max_val: text(8),
        enumvals: text(9).map(|words| words.split(',').collect()),
        boot_val: text(10),
    })
}

fn variable(setting: &'static Setting) -> Variable {
    let domain = match (setting.vartype, setting.unit.and_then(Unit::named)) {
        ("bool", _) => Domain::Bool,
        ("enum", _) => {
            // The list lives as long as the process, as the literals of other lists do.
            Domain::Enum(setting.enumvals.clone().unwrap_or_default().leak())
        }
        ("integer", Some(unit)) => Domain::Units(unit, number(setting.min_val), number(setting.max_val)),
        ("integer", None) => Domain::Integer(number(setting.min_val), number(setting.max_val)),
        ("real", _) => Domain::Real(real(setting.min_val), real(setting.max_val)),
        _ => Domain::Text,
    };
    let boot = setting.boot_val.unwrap_or_default();
    let default: &'static str = match domain {
        // As SHOW prints it.
        Domain::Units(unit, ..) => boot.parse().map_or(boot, |count| unit.print(count).leak()),
        _ => boot,
    };
    Variable {
        name: setting.name,
        default,
        domain,
        context: Context::named(setting.context),
        reported: false,
        description: setting.short_desc,
    }
}

fn number(text: Option<&str>) -> i64 {
    text.and_then(|text| text.parse().ok()).unwrap_or_default()
}

fn real(text: Option<&str>) -> f64 {
    text.and_then(|text| text.parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::vars::list;

    #[test]
    fn every_setting_is_a_variable_whose_default_lies_in_its_domain() {
        assert!(all().len() > 350);
        for setting in all() {
            let variable = list::find(&setting.name.to_ascii_lowercase()).unwrap();
            let checked = variable.domain.check(variable.name, variable.default);
            assert_eq!(checked.as_deref().ok(), Some(variable.default), "{}", variable.name);
        }
    }

    #[test]
    fn settings_are_shown_in_units() {
        let shown = |key: &str| list::find(key).unwrap().default;
        assert_eq!(shown("shared_buffers"), "128MB");
        assert_eq!(shown("checkpoint_timeout"), "5min");
        assert_eq!(shown("wal_level"), "replica");
        assert_eq!(shown("wal_segment_size"), "16MB");
        assert_eq!(shown("log_rotation_age"), "1d");
        assert_eq!(shown("autovacuum_work_mem"), "-1");
    }
}
