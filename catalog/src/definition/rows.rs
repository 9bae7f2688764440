//! What a script and the roles file say of row policies and column masks: `CREATE POLICY ...`, `ALTER TABLE ... ENABLE ROW LEVEL
//! SECURITY`, `CREATE MASK ...`.
//!
//! Owns: how a script keeps them. Must never know: whom they bind.

use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

use super::header::Name;
use super::script::{Kept, Script};
use super::split;
use crate::access::{ColumnMask, RowPolicy, RowSwitch, is_of_mask, masked, policy_of, switch_text, switched};

/// One statement about what is seen of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowRule {
    Policy(RowPolicy),
    Switch(Name, RowSwitch),
    Mask(ColumnMask),
}

/// Reads a CREATE POLICY, an ALTER TABLE ... ROW LEVEL SECURITY or a CREATE MASK whose table is named in full, or of `public`.
pub fn row_rule(text: &str, search_path: &[String]) -> Result<RowRule, String> {
    let is_switch = text.trim_start().get(..5).is_some_and(|first| first.eq_ignore_ascii_case("alter"));
    let rule = match is_switch {
        true => switched(text).map(|(on, switch)| RowRule::Switch(on, switch)),
        false if is_mask(text) => masked(text, search_path).map(RowRule::Mask),
        false => policy_of(text, search_path).map(RowRule::Policy),
    };
    rule.map_err(|error| error.to_string())
}

fn is_mask(text: &str) -> bool {
    let dialect = PostgreSqlDialect {};
    split::tokens(text).is_ok_and(|tokens| is_of_mask(&Parser::new(&dialect).with_tokens_with_locations(tokens)))
}

impl RowRule {
    pub(super) fn on(&self) -> &Name {
        match self {
            Self::Policy(policy) => &policy.on,
            Self::Mask(mask) => &mask.on,
            Self::Switch(on, _) => on,
        }
    }

    pub(super) fn on_mut(&mut self) -> &mut Name {
        match self {
            Self::Policy(policy) => &mut policy.on,
            Self::Mask(mask) => &mut mask.on,
            Self::Switch(on, _) => on,
        }
    }

    pub(super) fn text(&self) -> String {
        match self {
            Self::Policy(policy) => policy.to_string(),
            Self::Mask(mask) => mask.to_string(),
            Self::Switch(on, switch) => switch_text(on, *switch),
        }
    }
}

impl Script {
    pub fn row_rules(&self) -> impl Iterator<Item = &RowRule> {
        self.statements.iter().filter_map(|kept| match kept {
            Kept::Rows(rule) => Some(rule),
            _ => None,
        })
    }

    pub fn policy(&self, on: &Name, name: &str) -> Option<&RowPolicy> {
        self.row_rules().find_map(|rule| match rule {
            RowRule::Policy(policy) if policy.on == *on && policy.name == name => Some(policy),
            _ => None,
        })
    }

    /// Puts a policy in the place of the one of its name, or at the end.
    pub fn put_policy(&mut self, policy: RowPolicy, in_place_of: &str) {
        let on = policy.on.clone();
        let is_old = |kept: &&mut Kept| matches!(kept, Kept::Rows(RowRule::Policy(known)) if known.on == on && known.name == in_place_of);
        let fresh = Kept::Rows(RowRule::Policy(policy));
        match self.statements.iter_mut().find(is_old) {
            Some(known) => *known = fresh,
            None => self.statements.push(fresh),
        }
    }

    pub fn drop_policy(&mut self, on: &Name, name: &str) {
        self.statements.retain(
            |kept| !matches!(kept, Kept::Rows(RowRule::Policy(known)) if known.on == *on && known.name == name),
        );
    }

    pub fn masks(&self) -> impl Iterator<Item = &ColumnMask> {
        self.row_rules().filter_map(|rule| match rule {
            RowRule::Mask(mask) => Some(mask),
            _ => None,
        })
    }

    pub fn mask(&self, on: &Name, name: &str) -> Option<&ColumnMask> {
        self.masks().find(|mask| mask.on == *on && mask.name == name)
    }

    pub fn create_mask(&mut self, mask: ColumnMask) {
        self.statements.push(Kept::Rows(RowRule::Mask(mask)));
    }

    pub fn drop_mask(&mut self, on: &Name, name: &str) {
        self.statements
            .retain(|kept| !matches!(kept, Kept::Rows(RowRule::Mask(known)) if known.on == *on && known.name == name));
    }

    /// Turns a switch of a table; what is off is not kept.
    pub fn switch(&mut self, on: &Name, switch: RowSwitch) {
        self.statements.retain(|kept| match kept {
            Kept::Rows(RowRule::Switch(known, old)) if known == on => {
                std::mem::discriminant(old) != std::mem::discriminant(&switch)
            }
            _ => true,
        });
        if matches!(switch, RowSwitch::Enabled(true) | RowSwitch::Forced(true)) {
            self.statements.push(Kept::Rows(RowRule::Switch(on.clone(), switch)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_of_rows_are_kept_renamed_and_dropped_with_their_table() {
        let named = |name: &str| Name { schema: "s".to_owned(), name: name.to_owned() };
        let path = ["a".to_owned(), "public".to_owned()];
        let policy = |text: &str| policy_of(text, &path).unwrap();
        let mut script = Script { version: 1, ..Script::default() };
        script.put_policy(policy("CREATE POLICY p ON s.t USING (a = 1 -- one\n)"), "p");
        script.put_policy(policy("CREATE POLICY q ON s.t AS RESTRICTIVE FOR INSERT TO ann WITH CHECK (true)"), "q");
        script.switch(&named("t"), RowSwitch::Forced(true));
        script.switch(&named("t"), RowSwitch::Enabled(true));
        script.create_mask(masked("CREATE MASK p ON s.t (a) TO ann USING (left(a, 1) -- one\n)", &path).unwrap());
        script.create_mask(masked("CREATE MASK q ON s.t (b) USING (NULL)", &path).unwrap());
        assert_eq!(Script::read(1, &script.text()).unwrap(), script);
        script.put_policy(policy("CREATE POLICY r ON s.t USING (a = 2)"), "p");
        assert!(script.policy(&named("t"), "p").is_none());
        script.drop_policy(&named("t"), "q");
        script.drop_mask(&named("t"), "q");
        script.switch(&named("t"), RowSwitch::Forced(false));
        script.rename(&named("t"), &named("u"));
        let told: Vec<String> = script.row_rules().map(RowRule::text).collect();
        assert_eq!(script.mask(&named("u"), "p").map(|mask| mask.search_path.as_slice()), Some(&path[..]));
        let expect = ["USING (a = 2\n)", "ALTER TABLE \"s\".\"u\" ENABLE ROW LEVEL SECURITY", "(left(a, 1) -- one\n)"];
        assert!(told.len() == 3 && told.iter().zip(expect).all(|(told, expect)| told.ends_with(expect)), "{told:?}");
        script.drop("s", "u");
        assert_eq!(script.row_rules().count(), 0);
    }
}
