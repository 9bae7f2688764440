//! What the audit is told of a planned statement: its kind, its relations, and the policies and masks over them.
//!
//! Must never tell: a literal.

use std::collections::BTreeSet;

use catalog::{Name, Privilege, RowCommand};
use sqlparser::ast::{ObjectName, ObjectType, Statement as Ast};

use crate::audit::{COPY_TO_STDOUT, Facts};
use crate::engine::Prepared;
use crate::engine::authorize::Need;
use crate::engine::plan::{Plan, Planned};

impl Prepared {
    pub(in crate::engine) fn facts(&self) -> Facts {
        let mut facts = Facts::of_text(&self.statement.text);
        match &self.plan {
            Plan::Query(planned) | Plan::Pinned { planned, .. } => {
                "SELECT".clone_into(&mut facts.kind);
                read(&mut facts, planned);
            }
            Plan::Copy { planned, .. } => {
                COPY_TO_STDOUT.clone_into(&mut facts.kind);
                read(&mut facts, planned);
            }
            Plan::Explain { planned, .. } | Plan::Declare { planned, .. } => read(&mut facts, planned),
            Plan::Execute { target, .. } => return target.facts(),
            Plan::Write(write) => {
                write.command().clone_into(&mut facts.kind);
                if let Some(planned) = write.query() {
                    read(&mut facts, planned);
                }
                let needs = write.needs();
                for (name, privilege) in needs.iter().filter_map(written) {
                    add(&mut facts.writes, full(name));
                    if let (Some(planned), Some(command)) = (write.query(), privilege.and_then(command)) {
                        policies(&mut facts, planned, name, command);
                    }
                }
            }
            Plan::Define(_) | Plan::Refresh(_) | Plan::Matview(_) => {
                if let Plan::Define(command) = &self.plan {
                    (*command).clone_into(&mut facts.kind);
                }
                defined(&self.statement.ast).into_iter().for_each(|name| add(&mut facts.writes, name.to_string()));
            }
            Plan::Command | Plan::Fetch { .. } | Plan::Prepare { .. } => {}
        }
        facts
    }
}

/// The relations that a statement defines, changes or refreshes, as it names them.
fn defined(ast: &Ast) -> Vec<&ObjectName> {
    match ast {
        Ast::CreateView(create) => vec![&create.name],
        Ast::CreateTable(create) => vec![&create.name],
        Ast::Drop { object_type, names, .. } if *object_type != ObjectType::Schema => names.iter().collect(),
        Ast::AlterTable(alter) => vec![&alter.name],
        Ast::CreatePolicy(create) => vec![&create.table_name],
        Ast::AlterPolicy(alter) => vec![&alter.table_name],
        Ast::DropPolicy(drop) => vec![&drop.table_name],
        Ast::Comment { object_name, .. } => vec![object_name],
        Ast::Msck(asked) => vec![&asked.table_name],
        _ => Vec::new(),
    }
}

fn written(need: &Need) -> Option<(&Name, Option<Privilege>)> {
    match need {
        Need::On(_, Privilege::Select) | Need::Export => None,
        Need::On(name, privilege) => Some((name, Some(*privilege))),
        Need::Create(name) | Need::Own(name) => Some((name, None)),
    }
}

fn command(privilege: Privilege) -> Option<RowCommand> {
    Some(match privilege {
        Privilege::Insert => RowCommand::Insert,
        Privilege::Update => RowCommand::Update,
        Privilege::Delete => RowCommand::Delete,
        _ => return None,
    })
}

fn read(facts: &mut Facts, planned: &Planned) {
    for name in planned.scope.relations_read() {
        add(&mut facts.reads, full(&name));
        policies(facts, planned, &name, RowCommand::Select);
    }
}

fn policies(facts: &mut Facts, planned: &Planned, on: &Name, command: RowCommand) {
    let rights = planned.scope.rights();
    if command != RowCommand::Insert {
        rights.masks(on).iter().for_each(|mask| add(&mut facts.policies, format!("{} on {}", mask.name, full(on))));
    }
    let Some(rules) = rights.rules(on) else { return };
    let names: BTreeSet<&str> = rules
        .permissive(command)
        .iter()
        .chain(&rules.restrictive(command))
        .map(|policy| policy.name.as_str())
        .collect();
    match names.is_empty() {
        // Without a policy there is no row.
        true => add(&mut facts.policies, format!("none on {}", full(on))),
        false => names.iter().for_each(|name| add(&mut facts.policies, format!("{name} on {}", full(on)))),
    }
}

fn full(name: &Name) -> String {
    format!("{}.{}", name.schema, name.name)
}

fn add(names: &mut Vec<String>, name: String) {
    if !names.contains(&name) {
        names.push(name);
    }
}
