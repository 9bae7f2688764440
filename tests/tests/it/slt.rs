//! PostgreSQL's own answers, through both protocols and both formats.
//!
//! `UPDATE_GOLDEN=1` writes the list of known differences anew; it may only shrink.

use std::collections::BTreeMap;

use lakegate_tests::slt::{Mode, files, known_differences, run, write_differences};
use lakegate_tests::{Lake, TestServer};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_are_those_of_postgres_in_every_protocol_and_format() {
    let server = TestServer::writable(&Lake::default()).await;
    let mut count = 0;
    let mut found = BTreeMap::new();
    for mode in [Mode::Simple, Mode::ExtendedText, Mode::ExtendedBinary, Mode::Flight] {
        let addr = if mode == Mode::Flight { server.server.flight_addr() } else { server.addr() };
        for file in files() {
            let (records, differences) = run(addr, mode, &file).await;
            count += records;
            found.extend(differences);
        }
    }
    let known = known_differences();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let kept = found.into_iter().map(|(key, report)| {
            let what = known.get(&key).cloned().unwrap_or_else(|| in_short(&report));
            (key, what)
        });
        write_differences(&kept.collect());
        return;
    }
    let new: Vec<_> = found.iter().filter(|(key, _)| !known.contains_key(*key)).map(|(_, report)| report).collect();
    let healed: Vec<_> = known.keys().filter(|key| !found.contains_key(*key)).collect();
    assert!(
        new.is_empty() && healed.is_empty(),
        "of {count} records {} differ that did not:\n\n{}\n\n{} listed in differences.txt differ no more:\n{healed:#?}",
        new.len(),
        new.iter().map(|report| report.as_str()).collect::<Vec<_>>().join("\n\n"),
        healed.len()
    );
}

/// What is otherwise, in one line: the server's error, or its answer.
fn in_short(report: &str) -> String {
    let failed = report.lines().next().unwrap().split_once("failed: ").map(|(_, error)| error.to_owned());
    let state = report.lines().find_map(|line| line.trim().strip_prefix("(sqlstate ")?.split_once(')'));
    let actual: Vec<&str> = report.lines().filter_map(|line| line.strip_prefix("+   ")).collect();
    match (failed, state) {
        (Some(error), _) => error,
        (_, Some((state, _))) => format!("SQLSTATE {state}"),
        _ if actual.is_empty() => "answers, where PostgreSQL does not, or with fewer rows".into(),
        _ => format!("gives {}", actual.join(" / ")),
    }
}
