//! ALTER EXTERNAL TABLE ... OPTIONS: the text of a definition with other options.
//! <https://www.postgresql.org/docs/16/sql-alterforeigntable.html>
//!
//! Owns: where the options stand in it. The rest of the text stays as it was written. Pure.

use datafusion::sql::parser::Statement as Parsed;
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::Token;

use super::{options, parsed, split};

/// What is done to one option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OptionChange {
    Add { name: String, value: String },
    Set { name: String, value: String },
    Drop { name: String },
}

/// Why options cannot be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OptionFault {
    /// It is added, and is there.
    Exists(String),
    /// It is set or dropped, and is not there.
    Missing(String),
    /// The definition cannot be read.
    Unreadable(String),
}

/// The text of a CREATE EXTERNAL TABLE with other options; the changes are made in their order.
pub(super) fn changed(statement: &str, changes: &[OptionChange]) -> Result<String, OptionFault> {
    let create = match parsed(statement) {
        Ok(Parsed::CreateExternalTable(create)) => create,
        Ok(_) => return Err(OptionFault::Unreadable("it is no CREATE EXTERNAL TABLE".to_owned())),
        Err(error) => return Err(OptionFault::Unreadable(error.to_string())),
    };
    let mut all: Vec<(String, String)> =
        create.options.iter().map(|(name, value)| (name.clone(), options::text(value))).collect();
    for change in changes {
        let (OptionChange::Add { name, .. } | OptionChange::Set { name, .. } | OptionChange::Drop { name }) = change;
        let place = all.iter().position(|(known, _)| options::key(known) == options::key(name));
        match (change, place.and_then(|place| all.get_mut(place)), place) {
            (OptionChange::Add { .. }, Some(_), _) => return Err(OptionFault::Exists(name.clone())),
            (OptionChange::Add { value, .. }, None, _) => all.push((name.clone(), value.clone())),
            (OptionChange::Set { value, .. }, Some((_, known)), _) => known.clone_from(value),
            (OptionChange::Drop { .. }, Some(_), Some(place)) => drop(all.remove(place)),
            (OptionChange::Set { .. } | OptionChange::Drop { .. }, ..) => {
                return Err(OptionFault::Missing(name.clone()));
            }
        }
    }
    let options: Vec<String> = all.iter().map(|(name, value)| format!("{} {}", word(name), quoted(value))).collect();
    let clause = if options.is_empty() { String::new() } else { format!("OPTIONS ({})", options.join(", ")) };
    Ok(match clause_of(statement) {
        Some((before, behind)) => format!("{before}{clause}{behind}").trim_end().to_owned(),
        None if clause.is_empty() => statement.to_owned(),
        // A comment at the end takes none in.
        None => format!("{statement}\n{clause}"),
    })
}

/// What stands before the clause of options, and behind it.
fn clause_of(statement: &str) -> Option<(&str, &str)> {
    let (mut depth, mut start) = (0_usize, None);
    for token in split::tokens(statement).ok()? {
        match &token.token {
            Token::Word(word) if depth == 0 && word.quote_style.is_none() && word.keyword == Keyword::OPTIONS => {
                start = Some(token.span.start);
            }
            Token::LParen => depth += 1,
            Token::RParen => {
                depth = depth.saturating_sub(1);
                if let Some(start) = start.filter(|_| depth == 0) {
                    let before = statement.len() - split::behind(statement, start).len();
                    return Some((statement.get(..before)?, split::behind(statement, token.span.end)));
                }
            }
            _ => {}
        }
    }
    None
}

/// A name as the definition's grammar reads it.
fn word(name: &str) -> String {
    let is_plain = name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_');
    if is_plain { name.to_owned() } else { quoted(name) }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(name: &str, value: &str) -> OptionChange {
        OptionChange::Add { name: name.to_owned(), value: value.to_owned() }
    }

    fn set(name: &str, value: &str) -> OptionChange {
        OptionChange::Set { name: name.to_owned(), value: value.to_owned() }
    }

    fn drop(name: &str) -> OptionChange {
        OptionChange::Drop { name: name.to_owned() }
    }

    #[test]
    fn only_the_options_of_a_text_change() {
        let plain = "CREATE EXTERNAL TABLE \"s\".\"options\" (options INT) STORED AS CSV LOCATION 'options (' -- why";
        let with = format!("{plain}\nOPTIONS (quote '''')");
        assert_eq!(changed(plain, &[add("quote", "'")]), Ok(with.clone()));
        assert_eq!(changed(&with, &[drop("QUOTE")]), Ok(plain.to_owned()));
        let text = "CREATE EXTERNAL TABLE t STORED AS CSV OPTIONS ('format.delimiter' ';', header true) LOCATION 'a'";
        let expected =
            "CREATE EXTERNAL TABLE t STORED AS CSV OPTIONS ('format.delimiter' '|', encoding 'cp1252') LOCATION 'a'";
        assert_eq!(
            changed(text, &[set("delimiter", "|"), drop("header"), add("encoding", "cp1252")]),
            Ok(expected.to_owned())
        );
    }

    #[test]
    fn an_option_is_added_once_and_changed_where_it_is() {
        let text = "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION 'a' OPTIONS (delimiter ';')";
        assert_eq!(changed(text, &[add("Delimiter", "|")]), Err(OptionFault::Exists("Delimiter".to_owned())));
        assert_eq!(changed(text, &[set("quote", "|")]), Err(OptionFault::Missing("quote".to_owned())));
        assert_eq!(
            changed(text, &[drop("delimiter"), drop("delimiter")]),
            Err(OptionFault::Missing("delimiter".to_owned()))
        );
        assert!(
            changed(text, &[drop("delimiter"), add("delimiter", "|")]).unwrap().ends_with("OPTIONS (delimiter '|')")
        );
    }
}
