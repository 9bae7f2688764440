//! The house rules that a text can show: sizes, arrows between rooms, what tests may not do.

use std::path::{Path, PathBuf};

/// A file of the project: its path below the root, and its text.
struct File {
    path: String,
    text: String,
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every file with this ending in the rooms, without what tools build there.
fn files(ending: &str) -> Vec<File> {
    let mut folders: Vec<PathBuf> = ["udfs", "catalog", "gateway", "tests"].map(|room| root().join(room)).into();
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if path.is_dir() && !["node_modules", "target", ".venv", "__pycache__"].contains(&name) {
                folders.push(path);
            } else if name.ends_with(ending) {
                let text = std::fs::read_to_string(&path).unwrap();
                files.push(File { path: path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned(), text });
            }
        }
    }
    files
}

/// The text before the unit tests at the bottom of the file.
fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests").next().unwrap_or(text)
}

/// Code lines without comments and strings' worst cases: what stands before `//`.
fn code(text: &str) -> impl Iterator<Item = &str> {
    without_tests(text).lines().map(|line| line.split("//").next().unwrap_or(line))
}

fn assert_none(rule: &str, wrong: &[String]) {
    assert!(wrong.is_empty(), "{rule}:\n{}", wrong.join("\n"));
}

#[test]
fn a_file_has_at_most_400_lines() {
    assert!(files(".rs").len() > 50, "the files of the rooms are not found");
    let long = files(".rs").into_iter().filter_map(|file| {
        let lines = without_tests(&file.text).lines().count();
        (lines > 400 && !file.path.ends_with("/tests.rs")).then(|| format!("{}: {lines} lines", file.path))
    });
    assert_none("a file has at most 400 lines besides its tests", &long.collect::<Vec<_>>());
}

#[test]
fn every_module_says_what_it_owns() {
    let silent = files(".rs").into_iter().filter(|file| !file.text.starts_with("//!")).map(|file| file.path);
    assert_none("every module opens with `//!`", &silent.collect::<Vec<_>>());
}

#[test]
fn arrows_between_rooms_are_those_of_the_map() {
    // A crate's name, and where alone it may be named; an empty place stands for everywhere else.
    let only: &[(&str, &[&str])] = &[
        ("pgwire", &["gateway/src/pg/"]),
        ("tonic", &["gateway/src/flight/", "tests/"]),
        ("arrow_flight", &["gateway/src/flight/", "tests/"]),
        ("axum", &["gateway/src/http/", "tests/"]),
        ("tokio_rustls", &["gateway/src/socket/", "tests/"]),
        ("s3s", &["tests/"]),
        ("rdkafka", &["gateway/src/engine/streams/topic.rs", "gateway/src/cli/replay/", "tests/"]),
    ];
    let never: &[(&str, &[&str])] = &[
        ("udfs/src/", &["tokio", "catalog", "gateway", "lakegate", "object_store"]),
        ("catalog/src/", &["gateway", "lakegate", "tonic", "axum"]),
        ("gateway/src/pg/", &["crate::flight", "crate::http"]),
        ("gateway/src/flight/", &["crate::pg", "crate::http"]),
        ("gateway/src/engine/", &["crate::pg", "crate::flight", "crate::http"]),
        ("gateway/src/session/", &["crate::pg", "crate::flight", "crate::http"]),
    ];
    let mut wrong = Vec::new();
    for file in files(".rs") {
        for line in code(&file.text) {
            for (name, places) in only {
                if names(line, name) && !places.iter().any(|place| file.path.starts_with(place)) {
                    wrong.push(format!("{} names {name}: {}", file.path, line.trim()));
                }
            }
            for (place, forbidden) in never {
                let found = forbidden.iter().find(|name| file.path.starts_with(place) && names(line, name));
                wrong.extend(found.map(|name| format!("{} names {name}: {}", file.path, line.trim())));
            }
        }
    }
    assert_none("an arrow that the map does not have", &wrong);
}

/// Whether a line of code uses a path that begins with this name.
fn names(line: &str, name: &str) -> bool {
    line.match_indices(name).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let inside = |c: char| c.is_alphanumeric() || "_:\".-".contains(c);
        let starts = !before.is_some_and(inside);
        let rest = &line[at + name.len()..];
        starts && (rest.starts_with("::") || (line.trim_start().starts_with("use ") && rest.starts_with([';', ' '])))
    })
}

#[test]
fn a_panic_ends_one_connection_only() {
    for file in files("Cargo.toml").into_iter().chain([File { path: "Cargo.toml".into(), text: manifest() }]) {
        let abort = file.text.lines().any(|line| {
            let line: String = line.split('#').next().unwrap_or("").chars().filter(|c| !c.is_whitespace()).collect();
            line == "panic=\"abort\""
        });
        assert!(!abort, "{}: panic = \"abort\" would let one connection end all", file.path);
    }
}

fn manifest() -> String {
    std::fs::read_to_string(root().join("Cargo.toml")).unwrap()
}

#[test]
fn tests_do_not_wait_and_are_not_skipped() {
    // Built from parts, so that this file does not find itself.
    let sleep = ["sle", "ep("].concat();
    let ignore = ["#[ign", "ore"].concat();
    let mut wrong = Vec::new();
    for file in files(".rs") {
        let is_test = file.path.starts_with("tests/") && file.path != "tests/src/s3/fault.rs";
        let tests =
            if is_test { file.text.as_str() } else { file.text.split_once("mod tests").map_or("", |(_, it)| it) };
        for line in tests.lines().filter(|line| !line.trim_start().starts_with("//")) {
            if line.contains(&format!("::{sleep}")) || line.contains(&ignore) {
                wrong.push(format!("{}: {}", file.path, line.trim()));
            }
        }
    }
    assert_none("a test neither sleeps nor is ignored", &wrong);
}

#[test]
fn no_file_names_a_place_of_one_machine() {
    let mut wrong = Vec::new();
    let homes = ["/ro", "ot/"].concat();
    let users = ["/ho", "me/"].concat();
    let work = ["/wo", "rk/"].concat();
    for ending in [".rs", ".toml", ".py", ".sh", ".md", ".mjs", ".go", ".java", ".sql"] {
        for file in files(ending) {
            for line in file.text.lines() {
                if [&homes, &users, &work].iter().any(|place| line.contains(place.as_str())) {
                    wrong.push(format!("{}: {}", file.path, line.trim()));
                }
            }
        }
    }
    assert_none("a path of one machine", &wrong);
}

#[test]
fn lint_exceptions_have_a_reason() {
    let mut wrong = Vec::new();
    let allow = ["#[al", "low("].concat();
    for file in files(".rs") {
        for (at, line) in file.text.lines().enumerate() {
            let expects = line.trim_start().starts_with("#[expect(") || line.trim_start().starts_with("#![expect(");
            let block: String = file.text.lines().skip(at).take(6).collect();
            if line.contains(&allow) || (expects && !block.split(")]").next().unwrap().contains("reason")) {
                wrong.push(format!("{}: {}", file.path, line.trim()));
            }
        }
    }
    assert_none("an exception from a lint without its reason", &wrong);
}
