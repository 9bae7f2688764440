//! Row policies as the roles file has them: statements of SQL.
//!
//! Owns: that their roles are those of the file. Must never know: which tables exist, or what a condition means.

use catalog::{Grantee, Name, RowPolicy, RowRule, RowSwitch, row_rule};

/// The schema of a name that says none.
const DEFAULT_SCHEMA: &str = "public";

/// Policies, and the switches of tables.
pub(super) type Rules = (Vec<RowPolicy>, Vec<(Name, RowSwitch)>);

/// Reads all lines; an error is a line, and what is wrong with it.
pub(super) fn of_lines(lines: &[String], is_role: &dyn Fn(&str) -> bool) -> Result<Rules, (String, String)> {
    let (mut policies, mut switches): Rules = Default::default();
    for line in lines {
        let wrong = |reason: String| (line.clone(), reason);
        match row_rule(line, &[DEFAULT_SCHEMA.to_owned()]).map_err(wrong)? {
            RowRule::Switch(on, switch) => switches.push((on, switch)),
            RowRule::Policy(policy) => {
                for to in &policy.to {
                    if let Grantee::Role(role) = to
                        && !is_role(role)
                    {
                        return Err(wrong(format!("role \"{role}\" does not exist")));
                    }
                }
                if policies.iter().any(|known| known.on == policy.on && known.name == policy.name) {
                    return Err(wrong(format!("policy \"{}\" is declared twice", policy.name)));
                }
                policies.push(policy);
            }
        }
    }
    Ok((policies, switches))
}
