//! `docs/functions.md`: the pages as one text in Markdown, which `lakegate functions` prints.
//!
//! Owns: how a page is laid out. Must never know: what any function computes.

use std::fmt::Write;

use super::{Kind, Manual, kinds, manuals};

const HEAD: &str = "# Functions of Lakegate's own

These functions are not PostgreSQL's. Each answers over every protocol, psql shows it with `\\df+ name`, and this page is what
`lakegate functions` prints. A call with wrong types is 42883, a value that has no answer 22023; the error says what was
expected. Arguments in brackets may be left out, and a number may be of any numeric type. Each example is run by a test.

`sql/examples/` has them at work on the demo, and what plain SQL does as well: the percentile of record, the next station,
scores of recency, frequency and money, cohorts and baskets.
";

/// All pages, by subject.
pub fn markdown() -> String {
    let kind = kinds();
    let mut text = HEAD.to_owned();
    for (subject, pages) in manuals() {
        text += &format!("\n## {subject}\n");
        for manual in pages {
            // A String takes every write.
            let _ = page(&mut text, manual, kind(manual.name));
        }
    }
    text
}

fn page(text: &mut String, manual: &Manual, kind: Kind) -> std::fmt::Result {
    let kind = match kind {
        Kind::Scalar => "",
        Kind::Aggregate => " (aggregate)",
        Kind::Window => " (window function)",
        Kind::Table => " (set of rows)",
    };
    let Manual { name, calls, meaning, nulls, example: (query, value), source } = manual;
    write!(text, "\n### {name}{kind}\n\n```\n")?;
    for (arguments, returns) in *calls {
        writeln!(text, "{name}{arguments} -> {returns}")?;
    }
    write!(text, "```\n\n{meaning}\n\n{nulls}\n\n```sql\n{query};  -- {value}\n```\n\n")?;
    match source.starts_with("http") {
        true => writeln!(text, "Source: <{source}>"),
        false => writeln!(text, "Source: {source}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `UPDATE_GOLDEN=1` writes it anew.
    #[test]
    fn the_page_in_docs_is_what_the_functions_say() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/functions.md");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(path, markdown()).unwrap();
        }
        let kept = std::fs::read_to_string(path).unwrap_or_default();
        assert!(kept == markdown(), "docs/functions.md is not what `lakegate functions` prints");
    }
}
