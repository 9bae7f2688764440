//! COMMENT ON TABLE, VIEW, COLUMN and SCHEMA, also of what the lake alone defines.
//! <https://www.postgresql.org/docs/16/sql-comment.html>

use catalog::Commented;
use sqlparser::ast::{CommentObject, ObjectName};

use super::Change;
use super::target::{denied, kind, name_of, undefined_schema};
use crate::engine::scope::undefined_table;
use crate::error::{Error, Result, SqlState};
use crate::session::fold;

/// Whether comments on such objects are kept.
pub(super) fn is_known(object: CommentObject) -> bool {
    use CommentObject as O;
    matches!(object, O::Table | O::View | O::MaterializedView | O::Column | O::Schema)
}

impl Change {
    pub(super) async fn comment(
        &mut self,
        object: CommentObject,
        name: &ObjectName,
        text: Option<String>,
    ) -> Result<()> {
        let on = match object {
            CommentObject::Schema => self.schema(name)?,
            CommentObject::Column => self.column(name).await?,
            _ => {
                let table = self.existing(name)?.ok_or_else(|| undefined_table(name))?;
                let wanted = match object {
                    CommentObject::View => "view",
                    CommentObject::MaterializedView => "materialized view",
                    _ => "table",
                };
                if kind(&table) != wanted {
                    let message = format!("\"{}\" is not a {wanted}", table.name);
                    return Err(Error::new(SqlState::WrongObjectType, message));
                }
                Commented::Relation(name_of(&table))
            }
        };
        if self.scope.snapshot.comments.contains_key(&on) && !self.script.has_comment(&on) {
            let message = "cannot change a comment of a file in sql/";
            return Err(Error::new(SqlState::ObjectNotInPrerequisiteState, message).hint("Change the file."));
        }
        self.script.comment(on, text);
        Ok(())
    }

    /// A schema of the lake; those of the server have PostgreSQL's remarks.
    fn schema(&self, name: &ObjectName) -> Result<Commented> {
        let schema = name.0.last().and_then(|part| part.as_ident()).map(fold).unwrap_or_default();
        match schema.as_str() {
            _ if !self.scope.has_schema(&schema) => Err(undefined_schema(&schema)),
            known if known == "public" || !self.scope.snapshot.schemas.contains_key(known) => Err(denied(known)),
            _ => Ok(Commented::Schema(schema)),
        }
    }

    async fn column(&self, name: &ObjectName) -> Result<Commented> {
        let (column, relation) = match name.0.split_last() {
            Some((column, relation)) if !relation.is_empty() => (column, ObjectName(relation.to_vec())),
            _ => return Err(Error::new(SqlState::SyntaxError, "column name must be qualified")),
        };
        let column = column.as_ident().map(fold).unwrap_or_default();
        let table = self.existing(&relation)?.ok_or_else(|| undefined_table(&relation))?;
        if self.columns_of(&table).await?.field_with_name(&column).is_err() {
            let message = format!("column \"{column}\" of relation \"{}\" does not exist", table.name);
            return Err(Error::new(SqlState::UndefinedColumn, message));
        }
        Ok(Commented::Column(name_of(&table), column))
    }
}
