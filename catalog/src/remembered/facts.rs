//! What is known of the rows of files of text that were read, kept in the lake beside what was seen of them.
//!
//! Owns: the written form. Each line is bound to everything that the rows of a file depend on.

use std::collections::HashMap;
use std::ops::Range;

use object_store::path::Path;

use super::shelf::FOLDER;
use crate::shadow::Id;

/// The lines of a table, by the names of its files' rows.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    text: String,
    lines: HashMap<Id, Range<usize>>,
}

/// The page of a table. No table has its name.
pub(crate) fn place(table: &str) -> Path {
    Path::from(FOLDER).join("rows").join(format!("{table}.zst"))
}

impl Facts {
    pub(crate) fn of(text: Option<String>) -> Self {
        let text = text.unwrap_or_default();
        let mut lines = HashMap::new();
        let mut start = 0;
        for line in text.split_terminator('\n') {
            if let Some((id, _)) = line.split_once('\t').and_then(|(id, told)| Some((Id::parse(id)?, told))) {
                lines.insert(id, start + line.find('\t').map_or(0, |tab| tab + 1)..start + line.len());
            }
            start += line.len() + 1;
        }
        Self { text, lines }
    }

    pub(crate) fn get(&self, id: Id) -> Option<&str> {
        self.text.get(self.lines.get(&id)?.clone())
    }
}

/// The page of some lines; `None` if there are none.
pub(crate) fn page(facts: impl Iterator<Item = (Id, String)>) -> Option<String> {
    let mut text = String::new();
    for (id, told) in facts {
        text.extend([&id.to_string(), "\t", &told, "\n"]);
    }
    (!text.is_empty()).then_some(text)
}
