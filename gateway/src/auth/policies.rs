//! Row policies and column masks as the roles file has them: statements of SQL.
//!
//! Owns: that their roles are those of the file, and that no two of them contradict. Must never know: which tables exist, or what an
//! expression means.

use catalog::{ColumnMask, Grantee, Name, RowPolicy, RowRule, RowSwitch, row_rule};

/// The schema of a name that says none.
const DEFAULT_SCHEMA: &str = "public";

/// What hides rows and values.
#[derive(Default)]
pub(super) struct Rules {
    pub(super) policies: Vec<RowPolicy>,
    /// Of tables.
    pub(super) switches: Vec<(Name, RowSwitch)>,
    pub(super) masks: Vec<ColumnMask>,
}

impl Rules {
    pub(super) fn is_empty(&self) -> bool {
        self.policies.is_empty() && self.switches.is_empty() && self.masks.is_empty()
    }
}

/// Reads all lines; an error is a line, and what is wrong with it.
pub(super) fn of_lines(lines: &[String], is_role: &dyn Fn(&str) -> bool) -> Result<Rules, (String, String)> {
    let mut rules = Rules::default();
    for line in lines {
        let wrong = |reason: String| (line.clone(), reason);
        match row_rule(line, &[DEFAULT_SCHEMA.to_owned()]).map_err(wrong)? {
            RowRule::Switch(on, switch) => rules.switches.push((on, switch)),
            RowRule::Policy(policy) => {
                known(&policy.to, is_role).map_err(wrong)?;
                if rules.policies.iter().any(|known| known.on == policy.on && known.name == policy.name) {
                    return Err(wrong(format!("policy \"{}\" is declared twice", policy.name)));
                }
                rules.policies.push(policy);
            }
            RowRule::Mask(mask) => {
                known(&mask.to, is_role).map_err(wrong)?;
                if rules.masks.iter().any(|known| known.on == mask.on && known.name == mask.name) {
                    return Err(wrong(format!("mask \"{}\" is declared twice", mask.name)));
                }
                if let Some(known) = rules.masks.iter().find(|known| known.is_against(&mask)) {
                    let reason = format!("the mask \"{}\" is for the same column and role", known.name);
                    return Err(wrong(reason));
                }
                rules.masks.push(mask);
            }
        }
    }
    Ok(rules)
}

fn known(to: &[Grantee], is_role: &dyn Fn(&str) -> bool) -> Result<(), String> {
    let unknown = to.iter().find_map(|to| match to {
        Grantee::Role(role) if !is_role(role) => Some(role),
        _ => None,
    });
    unknown.map_or(Ok(()), |role| Err(format!("role \"{role}\" does not exist")))
}
