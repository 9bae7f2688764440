//! ALTER EXTERNAL TABLE ... OPTIONS.
//! <https://www.postgresql.org/docs/16/sql-alterforeigntable.html>

use catalog::{Defined, OptionChange, OptionFault};
use sqlparser::ast::{AlterTable, AlterTableOperation, Expr, SqlOption, Value};

use super::Change;
use super::target::{is_view, name_of};
use crate::engine::scope::undefined_table;
use crate::error::{Error, Result, SqlState};
use crate::session::Notice;

impl Change {
    pub(super) fn change_options(&mut self, alter: &AlterTable) -> Result<()> {
        let changes = changes(alter).ok_or_else(|| Error::internal("not a change of options"))?;
        let name = match self.existing(&alter.name)? {
            Some(table) if is_view(&table) || table.matview.is_some() => {
                return Err(Error::new(SqlState::WrongObjectType, format!("\"{}\" is not a table", table.name)));
            }
            Some(table) => {
                self.is_ours(&table, "alter")?;
                name_of(&table)
            }
            // A definition without files is there too.
            None => match self.scope.new_name(&alter.name) {
                Ok(name) if self.script.defines(&name.schema, &name.name) == Some(Defined::Table) => name,
                _ if !alter.if_exists => return Err(undefined_table(&alter.name)),
                _ => {
                    let message = format!("relation \"{}\" does not exist, skipping", alter.name);
                    self.notices.push(Notice::note(SqlState::SuccessfulCompletion, message));
                    return Ok(());
                }
            },
        };
        let statement = self.script.change_options(&name, &changes).map_err(|fault| match fault {
            OptionFault::Exists(option) => {
                Error::new(SqlState::DuplicateObject, format!("option \"{option}\" provided more than once"))
            }
            OptionFault::Missing(option) => {
                Error::new(SqlState::UndefinedObject, format!("option \"{option}\" not found"))
            }
            OptionFault::Unreadable(reason) => {
                Error::new(SqlState::DataCorrupted, format!("could not read the definition of table \"{}\"", name.name))
                    .detail(format!("{reason}."))
            }
        })?;
        self.check_table(&name, &statement)
    }
}

/// The changes, as the parser has put them.
fn changes(alter: &AlterTable) -> Option<Vec<OptionChange>> {
    let [AlterTableOperation::SetOptionsParens { options }] = alter.operations.as_slice() else { return None };
    let text = |expr: &Expr| match expr {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => Some(text.clone()),
            _ => None,
        },
        _ => None,
    };
    let change = |option: &SqlOption| {
        let SqlOption::KeyValue { key, value: Expr::Tuple(parts) } = option else { return None };
        let (name, value) = (text(parts.first()?)?, parts.get(1).and_then(text));
        Some(match (key.value.as_str(), value) {
            ("ADD", Some(value)) => OptionChange::Add { name, value },
            ("SET", Some(value)) => OptionChange::Set { name, value },
            ("DROP", None) => OptionChange::Drop { name },
            _ => return None,
        })
    };
    options.iter().map(change).collect()
}
