//! The manual of a function that is not PostgreSQL's: what `\df+` and `docs/functions.md` tell of it.
//!
//! Owns: the form of a page. Must never know: what any function computes, nor who shows the page.

mod calls;
mod page;

pub use calls::{Call, Kind, kinds};
pub use page::markdown;

/// One function; its file has it beside the function.
#[derive(Debug)]
pub struct Manual {
    pub name: &'static str,
    /// Its argument lists with names and PostgreSQL's types, such as `(width interval, ts timestamp)`, and what it gives.
    pub calls: &'static [(&'static str, &'static str)],
    /// What it answers, in sentences, with the units of arguments and result.
    pub meaning: &'static str,
    /// What NULL, NaN and empty groups give, and which values are refused.
    pub nulls: &'static str,
    /// A query of one value and that value as psql shows it.
    pub example: (&'static str, &'static str),
    /// The specification, paper or table that the formula is of.
    pub source: &'static str,
}

/// The pages, by subject.
pub fn manuals() -> Vec<(&'static str, Vec<&'static Manual>)> {
    vec![
        ("Time series", crate::time::manuals()),
        ("Climate and weather", crate::climate::manuals()),
        ("Commerce", crate::commerce::manuals()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::util::display::array_value_to_string;
    use std::collections::BTreeSet;

    /// Every page is of a function that there is, and its example answers what it says.
    #[tokio::test]
    async fn examples_answer_what_they_say() {
        let functions = crate::all();
        let scalar = functions.scalar.iter().map(|udf| udf.name().to_owned());
        let names: BTreeSet<String> = scalar
            .chain(functions.aggregate.iter().map(|udf| udf.name().to_owned()))
            .chain(functions.window.iter().map(|udf| udf.name().to_owned()))
            .chain(functions.table.iter().map(|udf| udf.name().to_owned()))
            .collect();
        let mut failed = Vec::new();
        for manual in manuals().into_iter().flat_map(|(_, pages)| pages) {
            assert!(names.contains(manual.name), "{} is no function", manual.name);
            let (query, value) = manual.example;
            let answer = match crate::testing::session().sql(query).await {
                Ok(frame) => frame.collect().await,
                Err(error) => Err(error),
            };
            let shown =
                answer.and_then(|batches| Ok(array_value_to_string(batches[0].column(0), 0)?.replace('T', " ")));
            match shown {
                Ok(shown) if shown == value => {}
                Ok(shown) => failed.push(format!("{query}: {shown}")),
                Err(error) => failed.push(format!("{query}: {error}")),
            }
        }
        assert!(failed.is_empty(), "{}", failed.join("\n"));
    }
}
