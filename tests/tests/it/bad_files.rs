//! Files that are damaged, forged or hostile: each by the name of its case in the corpus (`T4.nn`), with what is told of it.
//!
//! Owns: that every case names table, file and cause under the right SQLSTATE, and that the table beside it answers.

mod blocks;
mod csv;
mod flips;
mod footers;
mod forge;
mod parquet;

use lakegate_tests::lake::numbers;
use lakegate_tests::{Lake, TestServer};

/// One bad file, which is a table of its own in the schema `bad`.
pub(crate) struct Case {
    /// The number in the corpus, and what is wrong.
    name: &'static str,
    /// The file in the folder `bad`; its table has its name without the endings.
    file: String,
    content: Vec<u8>,
    /// What is asked of the table, as `t`.
    sql: &'static str,
    expected: Expected,
}

/// What becomes of a query.
#[derive(Debug, Clone)]
pub(crate) enum Expected {
    /// The SQLSTATE, and a part of the message.
    Fails(&'static str, &'static str),
    /// The rows, a row a line and a cell between bars.
    Gives(&'static str),
}

pub(crate) fn fails(
    name: &'static str,
    file: &str,
    content: impl Into<Vec<u8>>,
    state: &'static str,
    reason: &'static str,
) -> Case {
    let (file, content) = (file.to_owned(), content.into());
    Case { name, file, content, sql: "SELECT * FROM t", expected: Expected::Fails(state, reason) }
}

pub(crate) fn gives(name: &'static str, file: &str, content: impl Into<Vec<u8>>, rows: &'static str) -> Case {
    let (file, content) = (file.to_owned(), content.into());
    Case { name, file, content, sql: "SELECT * FROM t", expected: Expected::Gives(rows) }
}

impl Case {
    pub(crate) fn asking(self, sql: &'static str) -> Self {
        Self { sql, ..self }
    }

    fn table(&self) -> &str {
        self.file.split('.').next().unwrap()
    }

    fn query(&self) -> String {
        self.sql.replace("FROM t", &format!("FROM bad.\"{}\" AS t", self.table()))
    }

    /// What is wrong with an answer; `None` if it is the right one.
    fn wrong(&self, answer: &lakegate_tests::wire::Answer) -> Option<String> {
        let rows = || answer.texts().into_iter().map(|row| row.join_cells()).collect::<Vec<_>>().join("\n");
        let is_right = match (&self.expected, &answer.fault) {
            (Expected::Gives(expected), None) => rows() == *expected,
            (Expected::Fails(state, reason), Some(fault)) => {
                let names = [format!("\"bad/{}\"", self.file), format!("\"bad.{}\"", self.table())];
                let is_named = names.iter().all(|name| fault.message.contains(name));
                fault.state == *state && fault.message.contains(reason) && is_named
            }
            _ => false,
        };
        (!is_right).then(|| format!("{}: {:?}, but {:?}\n{}", self.name, self.expected, answer.fault, rows()))
    }
}

/// The cells of a row between bars; NULL is nothing.
trait Cells {
    fn join_cells(&self) -> String;
}

impl Cells for Vec<Option<String>> {
    fn join_cells(&self) -> String {
        self.iter().map(|cell| cell.clone().unwrap_or_default()).collect::<Vec<_>>().join("|")
    }
}

/// Asks every case, twice, and the good table after each.
pub(crate) async fn check(cases: Vec<Case>) {
    let lake = Lake::default();
    lake.write("good/t.parquet", numbers("x", [1, 2, 3]));
    for case in &cases {
        lake.write(&format!("bad/{}", case.file), &case.content);
    }
    let server = TestServer::start(&lake).await;
    let mut client = server.wire().await;
    let mut wrong = Vec::new();
    for case in &cases {
        for _ in 0..2 {
            let answer = client.query(&case.query()).await;
            wrong.extend(case.wrong(&answer));
            let good = client.value("SELECT sum(x) FROM good.t").await;
            assert_eq!(good.as_deref(), Some("6"), "after {}", case.name);
        }
    }
    wrong.dedup();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
