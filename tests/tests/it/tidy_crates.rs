//! The rules for what is built in: licences, and one version of what must agree with itself.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

/// SPDX terms under which a crate may be built in. Each is permissive, or weak copyleft by file.
const ALLOWED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
    "bzip2-1.0.6",
];

/// Two versions of these in one binary would be two types of the same name.
const SINGLE: &[&str] =
    &["arrow", "arrow-array", "datafusion", "object_store", "parquet", "rustls", "sqlparser", "tokio"];

/// Every crate that is built for this platform, as `cargo metadata` tells it, without the network.
fn packages() -> Vec<Value> {
    let verbose = run("rustc", &["-vV"]);
    let host = verbose.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let options = ["metadata", "--format-version", "1", "--locked", "--offline", "--filter-platform", host];
    let metadata: Value = serde_json::from_str(&run(&cargo, &options)).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

fn run(program: &str, options: &[&str]) -> String {
    let output = Command::new(program).args(options).current_dir(crate::tidy::root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn every_crate_has_a_licence_that_we_may_use() {
    let wrong: Vec<String> = packages()
        .iter()
        .filter(|package| !package["license"].as_str().is_some_and(is_allowed))
        .map(|package| format!("{} {}: {}", package["name"], package["version"], package["license"]))
        .collect();
    assert!(wrong.is_empty(), "not on the list:\n{}", wrong.join("\n"));
}

#[test]
fn what_must_agree_with_itself_is_there_once() {
    let mut versions: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for package in packages() {
        let name = package["name"].as_str().unwrap().to_owned();
        versions.entry(name).or_default().push(package["version"].as_str().unwrap().to_owned());
    }
    for name in SINGLE {
        let found = versions.get(*name).map_or(&[][..], Vec::as_slice);
        assert_eq!(found.len(), 1, "{name}: {found:?}");
    }
}

#[test]
fn crates_come_from_the_registry_or_from_here() {
    let foreign: Vec<String> = packages()
        .iter()
        .filter(|package| package["source"].as_str().is_some_and(|source| !source.starts_with("registry+")))
        .map(|package| format!("{} from {}", package["name"], package["source"]))
        .collect();
    assert!(foreign.is_empty(), "{}", foreign.join("\n"));
}

/// Whether an SPDX expression of OR, AND and parentheses can be met from the list.
fn is_allowed(expression: &str) -> bool {
    // An old spelling of OR.
    let expression = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = expression.split_whitespace().collect();
    let mut at = 0;
    let allowed = any(&words, &mut at);
    assert_eq!(at, words.len(), "a licence that is no expression: {expression}");
    allowed
}

fn any(words: &[&str], at: &mut usize) -> bool {
    let mut met = all(words, at);
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        met |= all(words, at);
    }
    met
}

fn all(words: &[&str], at: &mut usize) -> bool {
    let mut met = term(words, at);
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        met &= term(words, at);
    }
    met
}

fn term(words: &[&str], at: &mut usize) -> bool {
    let word = words[*at];
    *at += 1;
    if word == "(" {
        let met = any(words, at);
        *at += 1;
        return met;
    }
    if words.get(*at) == Some(&"WITH") {
        let whole = format!("{word} WITH {}", words[*at + 1]);
        *at += 2;
        return ALLOWED.contains(&whole.as_str()) || ALLOWED.contains(&word);
    }
    ALLOWED.contains(&word)
}

#[test]
fn licence_expressions_are_read() {
    for (expression, allowed) in [
        ("MIT", true),
        ("MIT/Apache-2.0", true),
        ("GPL-3.0 OR MIT", true),
        ("GPL-3.0 AND MIT", false),
        ("(MIT OR GPL-2.0) AND Unicode-3.0", true),
        ("Apache-2.0 WITH LLVM-exception", true),
        ("AGPL-3.0", false),
    ] {
        assert_eq!(is_allowed(expression), allowed, "{expression}");
    }
}
