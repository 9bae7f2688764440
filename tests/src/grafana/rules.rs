//! Alert rules as Grafana provisions them: of their YAML the titles and the statements, which are blocks of their own.
//!
//! Owns: finding them. Their form is checked where a reader of YAML is, in `tests/deploy`.

use std::path::Path;

use super::dashboard::Statement;

/// Every statement of the rules in a file; panics if it cannot be read.
pub fn rules(file: &Path) -> Vec<Statement> {
    let text = std::fs::read_to_string(file).unwrap();
    let (mut found, mut title) = (Vec::new(), String::new());
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if let Some((_, named)) = line.split_once(" title: ") {
            title = named.trim_matches('"').to_owned();
        }
        if line.trim_start() != "rawSql: |-" {
            continue;
        }
        let margin = indent(line);
        let mut sql = Vec::new();
        while let Some(inner) = lines.next_if(|next| next.trim().is_empty() || indent(next) > margin) {
            sql.push(inner.trim());
        }
        found.push(Statement { title: title.clone(), format: "alert".to_owned(), sql: sql.join("\n") });
    }
    found
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}
