//! SHOW: one variable, or all of them.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use sqlparser::ast::Ident;

use super::Done;
use crate::engine::Tag;
use crate::error::{Error, Result};
use crate::session::Session;
use crate::session::vars::list;

/// The result columns of SHOW, known before it runs.
pub fn columns(variable: &[Ident]) -> SchemaRef {
    let name = name(variable);
    let names = match list::find(&name.to_ascii_lowercase()) {
        _ if name.eq_ignore_ascii_case("all") => vec!["name", "setting", "description"],
        Some(variable) => vec![variable.name],
        None => vec![name.as_str()],
    };
    let fields: Vec<Field> = names.into_iter().map(|name| Field::new(name, DataType::Utf8, true)).collect();
    Arc::new(Schema::new(fields))
}

pub(super) fn show(session: &Session, variable: &[Ident]) -> Result<Done> {
    let name = name(variable);
    let columns: Vec<ArrayRef> = if name.eq_ignore_ascii_case("all") {
        all(session)
    } else {
        vec![Arc::new(StringArray::from(vec![session.vars().get(&name)?]))]
    };
    let rows = RecordBatch::try_new(self::columns(variable), columns).map_err(Error::internal)?;
    Ok(Done::Rows(rows, Tag::command("SHOW")))
}

fn all(session: &Session) -> Vec<ArrayRef> {
    let vars = session.vars();
    let (mut names, mut settings, mut descriptions) = (Vec::new(), Vec::new(), Vec::new());
    for (_, variable, setting) in vars.all() {
        names.push(variable.name);
        settings.push(setting.to_owned());
        descriptions.push(variable.description);
    }
    vec![
        Arc::new(StringArray::from(names)),
        Arc::new(StringArray::from(settings)),
        Arc::new(StringArray::from(descriptions)),
    ]
}

/// `TIME ZONE` and `TRANSACTION ISOLATION LEVEL` are several words; `a.b` comes as two identifiers too.
fn name(variable: &[Ident]) -> String {
    let words: Vec<&str> = variable.iter().map(|word| word.value.as_str()).collect();
    let spaced = words.join(" ");
    if words.len() < 2 || list::find(&spaced.to_ascii_lowercase()).is_some() { spaced } else { words.join(".") }
}
