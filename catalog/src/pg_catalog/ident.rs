//! Names as SQL writes them: quoting, and `a."B".c` taken apart.
//!
//! Owns: the rules of PostgreSQL's `quote_identifier` and `stringToQualifiedNameList`. Must never know: what exists.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::columns::lines;

/// The key words that are reserved in any way: the others need no quotes.
static KEYWORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    let words = lines(include_str!("data/pg_get_keywords.tsv")).skip(1);
    words
        .filter_map(|line| line.split_once('\t'))
        .filter(|(_, rest)| !rest.starts_with('U'))
        .map(|(word, _)| word)
        .collect()
});

/// The name as it must be written in SQL.
pub(crate) fn quoted(name: &str) -> String {
    let starts_plain = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
    let plain = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if starts_plain && plain && !KEYWORDS.contains(name) {
        return name.to_owned();
    }
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A part of a qualified name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    /// In lower case unless it was quoted.
    pub(crate) name: String,
    pub(crate) quoted: bool,
}

/// The parts of a qualified name, `None` if it is not one.
pub(crate) fn parts(text: &str) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    let mut rest = text.trim();
    loop {
        let (part, after) = match rest.strip_prefix('"') {
            Some(inner) => quoted_part(inner)?,
            None => plain_part(rest)?,
        };
        parts.push(part);
        let after = after.trim_start();
        if after.is_empty() {
            return Some(parts);
        }
        rest = after.strip_prefix('.')?.trim_start();
    }
}

/// Reads to the closing quote; a doubled quote stands for one.
fn quoted_part(inner: &str) -> Option<(Part, &str)> {
    let mut name = String::new();
    let mut rest = inner;
    loop {
        let (before, after) = rest.split_once('"')?;
        name.push_str(before);
        match after.strip_prefix('"') {
            Some(more) => {
                name.push('"');
                rest = more;
            }
            None if name.is_empty() => return None,
            None => return Some((Part { name, quoted: true }, after)),
        }
    }
}

fn plain_part(text: &str) -> Option<(Part, &str)> {
    let end = text.find(|c: char| c == '.' || c == '"' || c.is_whitespace()).unwrap_or(text.len());
    let (name, after) = text.split_at(end);
    (!name.is_empty()).then(|| (Part { name: name.to_lowercase(), quoted: false }, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_where_sql_needs_it() {
        for (name, expect) in [
            ("weather", "weather"),
            ("Year", "\"Year\""),
            ("user", "\"user\""),
            ("a\"b", "\"a\"\"b\""),
            ("2024", "\"2024\""),
        ] {
            assert_eq!(quoted(name), expect);
        }
    }

    #[test]
    fn names_are_taken_apart() {
        let names = |text: &str| parts(text).map(|parts| parts.into_iter().map(|part| part.name).collect::<Vec<_>>());
        assert_eq!(names("Public.\"A.b\"\"c\""), Some(vec!["public".to_owned(), "A.b\"c".to_owned()]));
        assert_eq!(names(" a . b "), Some(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(names("a b"), None);
        assert_eq!(names("\"a"), None);
        assert_eq!(names(""), None);
    }
}
