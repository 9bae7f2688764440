//! CREATE MATERIALIZED VIEW, up to its rows, and ALTER of how it is kept.
//! <https://www.postgresql.org/docs/16/sql-creatematerializedview.html>

use catalog::Matview;
use sqlparser::ast::{AlterTable, AlterTableOperation, CreateView, Expr, SqlOption, Value};

use super::Change;
use super::target::{already_exists, name_of};
use crate::engine::{matview, parse};
use crate::error::{Error, Result, SqlState};
use crate::session::{Notice, fold};

impl Change {
    pub(super) async fn create_matview(&mut self, create: &CreateView) -> Result<()> {
        if create.or_replace {
            return Err(Error::new(SqlState::SyntaxError, "syntax error at or near \"MATERIALIZED\"")
                .hint("Drop the view first; CREATE OR REPLACE is of views that are not materialized."));
        }
        let name = self.scope.new_name(&create.name)?;
        let is_taken =
            self.scope.snapshot.named(&name).is_some() || self.script.defines(&name.schema, &name.name).is_some();
        if is_taken && create.if_not_exists {
            let message = format!("relation \"{}\" already exists, skipping", name.name);
            self.notices.push(Notice::note(SqlState::DuplicateTable, message));
            return Ok(());
        }
        if is_taken {
            return Err(already_exists(&name.name));
        }
        let path = self.scope.search_path().to_vec();
        let declared = Matview::read(&self.statement.text, &path).map_err(wrong)?;
        matview::check(&self.core, &self.session, &declared).await?;
        // A name that no folder can have is refused before anything is defined.
        self.core.lake.may_make(&name)?;
        let defined = self.script.define(name.clone(), &self.statement.text, &path);
        defined.map_err(|reason| Error::unsupported("this statement cannot be kept").detail(format!("{reason}.")))?;
        self.unmade = Some(name);
        Ok(())
    }

    pub(super) fn alter_matview(&mut self, alter: &AlterTable) -> Result<()> {
        let Some(table) = self.altered(alter)? else { return Ok(()) };
        let Some(declared) = &table.matview else {
            let message = format!("\"{}\" is not a materialized view", table.name);
            return Err(Error::new(SqlState::WrongObjectType, message));
        };
        self.is_ours(&table, "alter")?;
        let name = name_of(&table);
        let statement = declared.with_options(&name, &options(alter)).map_err(wrong)?;
        let path = declared.view.search_path.clone().unwrap_or_default();
        self.script.define(name, &statement, &path).map_err(Error::internal)
    }
}

/// The options of an ALTER, as its grammar writes them.
fn options(alter: &AlterTable) -> Vec<(String, String)> {
    let [AlterTableOperation::SetOptionsParens { options }] = alter.operations.as_slice() else { return Vec::new() };
    let option = |option: &SqlOption| match option {
        SqlOption::KeyValue { key, value: Expr::Value(value) } => match &value.value {
            Value::SingleQuotedString(text) => Some((fold(key), text.clone())),
            _ => None,
        },
        _ => None,
    };
    options.iter().filter_map(option).collect()
}

/// What is wrong, and behind a semicolon what is right.
pub(in crate::engine) fn wrong(reason: String) -> Error {
    let state = SqlState::InvalidParameterValue;
    match reason.rsplit_once("; ") {
        Some((wrong, right)) => {
            let right: String =
                right.chars().take(1).flat_map(char::to_uppercase).chain(right.chars().skip(1)).collect();
            Error::new(state, parse::lowercase_first(wrong)).hint(format!("{right}."))
        }
        None => Error::new(state, parse::lowercase_first(&reason)),
    }
}
