//! COPY: which query is copied, and how its rows shall be written; or how rows that come are to be read.
//!
//! Owns: the options and their conflicts. Must never know: how a row is written or read; the protocol does.
//! <https://www.postgresql.org/docs/15/sql-copy.html>

use arrow::datatypes::Schema;
use sqlparser::ast::{CopyLegacyCsvOption, CopyLegacyOption, CopyOption, CopySource, Expr, Ident, Query, SelectItem};

use super::rewrite;
use crate::error::{Error, Result, SqlState};
use crate::session::fold;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CopyFormat {
    #[default]
    Text,
    Csv,
    Binary,
}

/// How rows are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copy {
    pub format: CopyFormat,
    pub delimiter: u8,
    pub null: String,
    pub header: bool,
    pub quote: u8,
    pub escape: u8,
    /// Columns whose values are quoted always, by position.
    pub force_quote: Vec<usize>,
    /// Of COPY FROM: columns in which nothing is NULL, and those in which a quoted NULL is one too.
    pub force_not_null: Vec<usize>,
    pub force_null: Vec<usize>,
}

/// The options as they were given.
#[derive(Default)]
struct Given {
    format: Option<CopyFormat>,
    delimiter: Option<char>,
    null: Option<String>,
    header: Option<bool>,
    quote: Option<char>,
    escape: Option<char>,
    force_quote: Option<Vec<Ident>>,
    force_not_null: Option<Vec<Ident>>,
    force_null: Option<Vec<Ident>>,
    is_from: bool,
}

/// The query whose rows are copied: a table is all of its columns, or those in parentheses.
pub(super) fn query(source: &CopySource) -> Query {
    match source {
        CopySource::Query(query) => query.as_ref().clone(),
        CopySource::Table { table_name, columns } => {
            let items = columns.iter().map(|name| SelectItem::UnnamedExpr(Expr::Identifier(name.clone())));
            rewrite::select_from(items.collect(), table_name.clone())
        }
    }
}

/// Reads the options of both syntaxes against the columns of the query.
pub(super) fn how(options: &[CopyOption], legacy: &[CopyLegacyOption], columns: &Schema) -> Result<Copy> {
    let mut given = Given::default();
    options.iter().try_for_each(|option| given.option(option))?;
    legacy.iter().try_for_each(|option| given.legacy(option))?;
    given.settle(columns)
}

/// The same for rows that come. `columns` are those that get values.
pub(super) fn how_from(options: &[CopyOption], legacy: &[CopyLegacyOption], columns: &Schema) -> Result<Copy> {
    let mut given = Given { is_from: true, ..Given::default() };
    options.iter().try_for_each(|option| given.option(option))?;
    legacy.iter().try_for_each(|option| given.legacy(option))?;
    if given.force_quote.is_some() {
        return Err(Error::unsupported("COPY force quote only available using COPY TO"));
    }
    given.settle(columns)
}

impl Given {
    fn option(&mut self, option: &CopyOption) -> Result<()> {
        match option {
            CopyOption::Format(name) => set(&mut self.format, format(&name.value)?),
            CopyOption::Delimiter(delimiter) => set(&mut self.delimiter, *delimiter),
            CopyOption::Null(null) => set(&mut self.null, null.clone()),
            CopyOption::Header(header) => set(&mut self.header, *header),
            CopyOption::Quote(quote) => set(&mut self.quote, *quote),
            CopyOption::Escape(escape) => set(&mut self.escape, *escape),
            CopyOption::ForceQuote(columns) => set(&mut self.force_quote, columns.clone()),
            CopyOption::Encoding(name) if matches!(name.to_ascii_lowercase().as_str(), "utf8" | "utf-8") => Ok(()),
            CopyOption::Encoding(name) => {
                Err(Error::unsupported(format!("COPY in the encoding \"{name}\" is not supported")))
            }
            CopyOption::ForceNotNull(columns) if self.is_from => set(&mut self.force_not_null, columns.clone()),
            CopyOption::ForceNull(columns) if self.is_from => set(&mut self.force_null, columns.clone()),
            CopyOption::ForceNotNull(_) => Err(only_from("force not null")),
            CopyOption::ForceNull(_) => Err(only_from("force null")),
            CopyOption::Freeze(_) => Ok(()),
        }
    }

    fn legacy(&mut self, option: &CopyLegacyOption) -> Result<()> {
        match option {
            CopyLegacyOption::Binary => set(&mut self.format, CopyFormat::Binary),
            CopyLegacyOption::Delimiter(delimiter) => set(&mut self.delimiter, *delimiter),
            CopyLegacyOption::Null(null) => set(&mut self.null, null.clone()),
            CopyLegacyOption::Header => set(&mut self.header, true),
            CopyLegacyOption::Csv(options) => {
                set(&mut self.format, CopyFormat::Csv)?;
                options.iter().try_for_each(|option| match option {
                    CopyLegacyCsvOption::Header => set(&mut self.header, true),
                    CopyLegacyCsvOption::Quote(quote) => set(&mut self.quote, *quote),
                    CopyLegacyCsvOption::Escape(escape) => set(&mut self.escape, *escape),
                    CopyLegacyCsvOption::ForceQuote(columns) => set(&mut self.force_quote, columns.clone()),
                    CopyLegacyCsvOption::ForceNotNull(columns) if self.is_from => {
                        set(&mut self.force_not_null, columns.clone())
                    }
                    CopyLegacyCsvOption::ForceNotNull(_) => Err(only_from("force not null")),
                })
            }
            other => {
                let word = other.to_string().split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
                Err(Error::new(SqlState::SyntaxError, format!("option \"{word}\" not recognized")))
            }
        }
    }

    fn settle(self, columns: &Schema) -> Result<Copy> {
        let format = self.format.unwrap_or_default();
        if format == CopyFormat::Binary {
            for (name, is_given) in [("DELIMITER", self.delimiter.is_some()), ("NULL", self.null.is_some())] {
                if is_given {
                    return Err(Error::new(SqlState::SyntaxError, format!("cannot specify {name} in BINARY mode")));
                }
            }
            if self.header == Some(true) {
                return Err(Error::unsupported("cannot specify HEADER in BINARY mode"));
            }
        }
        if format != CopyFormat::Csv {
            let csv_only = [
                ("quote", self.quote.is_some()),
                ("escape", self.escape.is_some()),
                ("force quote", self.force_quote.is_some()),
                ("force not null", self.force_not_null.is_some()),
                ("force null", self.force_null.is_some()),
            ];
            if let Some((name, _)) = csv_only.into_iter().find(|(_, is_given)| *is_given) {
                return Err(Error::unsupported(format!("COPY {name} available only in CSV mode")));
            }
        }
        let is_csv = format == CopyFormat::Csv;
        let delimiter = byte("delimiter", self.delimiter.unwrap_or(if is_csv { ',' } else { '\t' }))?;
        let quote = byte("quote", self.quote.unwrap_or('"'))?;
        let null = self.null.unwrap_or_else(|| if is_csv { String::new() } else { "\\N".to_owned() });
        refuse_ambiguous(format, delimiter, quote, &null)?;
        let position = |name: &Ident| {
            let name = fold(name);
            columns
                .index_of(&name)
                .map_err(|_| Error::new(SqlState::UndefinedColumn, format!("column \"{name}\" does not exist")))
        };
        let positions =
            |names: Option<Vec<Ident>>| names.unwrap_or_default().iter().map(position).collect::<Result<_>>();
        let (force_quote, force_not_null, force_null) =
            (positions(self.force_quote)?, positions(self.force_not_null)?, positions(self.force_null)?);
        let escape = self.escape.map_or(Ok(quote), |escape| byte("escape", escape))?;
        let header = self.header == Some(true);
        Ok(Copy { format, delimiter, null, header, quote, escape, force_quote, force_not_null, force_null })
    }
}

/// An option may be given once.
fn set<T>(place: &mut Option<T>, value: T) -> Result<()> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(Error::new(SqlState::SyntaxError, "conflicting or redundant options")),
    }
}

fn format(name: &str) -> Result<CopyFormat> {
    match name {
        "text" => Ok(CopyFormat::Text),
        "csv" => Ok(CopyFormat::Csv),
        "binary" => Ok(CopyFormat::Binary),
        name if name.to_lowercase() != name => format(&name.to_lowercase()),
        name => Err(Error::new(SqlState::InvalidParameterValue, format!("COPY format \"{name}\" not recognized"))),
    }
}

fn byte(option: &str, c: char) -> Result<u8> {
    u8::try_from(c)
        .ok()
        .filter(u8::is_ascii)
        .ok_or_else(|| Error::unsupported(format!("COPY {option} must be a single one-byte character")))
}

/// What a reader could not tell apart.
fn refuse_ambiguous(format: CopyFormat, delimiter: u8, quote: u8, null: &str) -> Result<()> {
    let invalid = |message: &str| Err(Error::new(SqlState::InvalidParameterValue, message));
    if matches!(delimiter, b'\n' | b'\r') {
        return invalid("COPY delimiter cannot be newline or carriage return");
    }
    if null.contains(['\n', '\r']) {
        return invalid("COPY null representation cannot use newline or carriage return");
    }
    if format == CopyFormat::Text
        && (delimiter.is_ascii_lowercase() || delimiter.is_ascii_digit() || matches!(delimiter, b'\\' | b'.'))
    {
        return invalid(&format!("COPY delimiter cannot be \"{}\"", char::from(delimiter)));
    }
    if format == CopyFormat::Csv && delimiter == quote {
        return invalid("COPY delimiter and quote must be different");
    }
    if format != CopyFormat::Binary && null.as_bytes().contains(&delimiter) {
        return Err(Error::new(
            SqlState::InvalidParameterValue,
            "COPY delimiter must not appear in the NULL specification",
        ));
    }
    if format == CopyFormat::Csv && null.as_bytes().contains(&quote) {
        return Err(Error::new(
            SqlState::InvalidParameterValue,
            "CSV quote character must not appear in the NULL specification",
        ));
    }
    Ok(())
}

fn only_from(option: &str) -> Error {
    Error::unsupported(format!("COPY {option} only available using COPY FROM"))
}
