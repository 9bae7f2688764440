//! What was seen of the files of a table, kept in the lake beside them, so that a new process need not look again.
//!
//! Owns: what a look depends on: the version of the file, the options, how much was looked at, and the build that looked. It is
//! believed only if all of them are the same, so that what is kept can be missing, old or broken, but not wrong.

pub(crate) mod facts;
mod page;
mod shelf;

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

pub(crate) use shelf::{Shelf, is_page, place};

use crate::format::Budget;
use crate::pinned::Pinned;

/// No clock of a file system ticks more slowly.
const SETTLED_AFTER: TimeDelta = TimeDelta::seconds(2);

/// The build that looks.
pub(crate) const RULES: &str = env!("LAKEGATE_RULES");

/// Of so many shared parts, the last ones, it is seen whether the next file has the same.
const SHARED_TRIED: usize = 16;

/// What one file shows, in two parts: what many files share, and what is its own.
pub(crate) trait Kept: Sized {
    type Shared: PartialEq;

    fn shared(&self) -> &Self::Shared;
    fn shared_to(shared: &Self::Shared) -> Option<String>;
    fn shared_from(text: &str) -> Option<Self::Shared>;
    fn own_to(&self) -> Option<String>;
    fn from_parts(shared: &Self::Shared, own: &str, file: &Arc<Pinned>) -> Option<Self>;
}

/// The first line of what is kept of a table.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Head {
    rules: String,
    /// Of the definition.
    options: String,
    /// How many lines of shared parts follow.
    shared: usize,
}

/// The version of a file, and how it was looked at.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Version {
    key: String,
    etag: String,
    bytes: u64,
    budget: Budget,
    /// Which of the shared parts.
    shared: usize,
}

/// What is known of the files of a table before they are opened, and what became known.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    is_on: bool,
    began_at: DateTime<Utc>,
    options: String,
    text: String,
    shared: Vec<Range<usize>>,
    files: HashMap<String, (Version, Range<usize>)>,
    learned: Option<String>,
}

impl Memory {
    /// What `text` tells, if it was written by this build for these options.
    fn of(options: String, text: Option<String>) -> Self {
        let empty = Self { is_on: true, began_at: Utc::now(), options, ..Self::default() };
        let Some(text) = text else { return empty };
        match index(&text, &empty.options) {
            Some((shared, files)) => Self { text, shared, files, ..empty },
            None => {
                tracing::debug!("a page of the manifest is of another build or definition");
                empty
            }
        }
    }

    /// The shared parts, in their order; each is `None` if it cannot be read.
    pub(crate) fn shared<L: Kept>(&self) -> Vec<Option<L::Shared>> {
        self.shared.iter().map(|line| L::shared_from(self.text.get(line.clone())?)).collect()
    }

    /// What a look at a file showed before.
    pub(crate) fn recall<L: Kept>(
        &self,
        shared: &[Option<L::Shared>],
        file: &Arc<Pinned>,
        budget: Budget,
    ) -> Option<L> {
        let (version, own) = self.files.get(file.key())?;
        let is_same = file.file.etag.as_ref() == Some(&version.etag)
            && file.file.bytes == version.bytes
            && version.budget == budget;
        let shared = shared.get(version.shared)?.as_ref().filter(|_| is_same)?;
        L::from_parts(shared, self.text.get(own.clone())?, file)
    }

    /// Takes note of what the files of a table show. A file without an ETag has no version that could be told again.
    pub(crate) fn learn<'a, L: Kept + 'a>(&mut self, looks: impl Iterator<Item = (&'a Arc<Pinned>, Budget, &'a L)>) {
        if !self.is_on {
            return;
        }
        let (mut known, mut shared, mut lines): (Vec<&L::Shared>, _, _) = (Vec::new(), String::new(), String::new());
        for (file, budget, look) in looks {
            let Some(etag) = file.file.etag.clone().filter(|_| is_settled(file, self.began_at)) else { continue };
            let mut last = known.iter().enumerate().rev().take(SHARED_TRIED);
            let place = match last.find(|(_, known)| **known == look.shared()) {
                Some((place, _)) => place,
                None => {
                    let Some(text) = L::shared_to(look.shared()) else { continue };
                    shared.push_str(&text);
                    shared.push('\n');
                    known.push(look.shared());
                    known.len() - 1
                }
            };
            let version = Version { key: file.key().to_owned(), etag, bytes: file.file.bytes, budget, shared: place };
            let (Ok(version), Some(own)) = (serde_json::to_string(&version), look.own_to()) else { continue };
            lines.extend([version.as_str(), "\t", &own, "\n"]);
        }
        let head = Head { rules: RULES.to_owned(), options: self.options.clone(), shared: known.len() };
        if let Ok(head) = serde_json::to_string(&head).map(|head| head + "\n") {
            self.learned = (!lines.is_empty()).then(|| head + &shared + &lines);
        }
    }

    /// What shall be kept from now on, if it is not what was kept before.
    pub(crate) fn into_learned(self) -> Option<String> {
        self.learned
    }
}

/// Whether the ETag tells every change since a look that began at a time. That of a local file is made of time and size, and
/// clocks tick: a file that was written just before may be written once more under the same one.
pub(crate) fn is_settled(file: &Pinned, began_at: DateTime<Utc>) -> bool {
    file.source().folder.is_none() || began_at - file.file.modified_at > SETTLED_AFTER
}

/// Where the parts are; `None` if another build or another definition saw them.
#[expect(clippy::type_complexity, reason = "two fields of a memory")]
fn index(text: &str, options: &str) -> Option<(Vec<Range<usize>>, HashMap<String, (Version, Range<usize>)>)> {
    let mut lines = text.split_terminator('\n').scan(0, |at, line| {
        let start = *at;
        *at += line.len() + 1;
        Some((start, line))
    });
    let head: Head = serde_json::from_str(lines.next()?.1).ok()?;
    if head.rules != RULES || head.options != options {
        return None;
    }
    let shared = lines.by_ref().take(head.shared).map(|(start, line)| start..start + line.len()).collect();
    let mut files = HashMap::new();
    for (start, line) in lines {
        let (version, own) = line.split_once('\t')?;
        let version: Version = serde_json::from_str(version).ok()?;
        let end = start + line.len();
        files.insert(version.key.clone(), (version, end - own.len()..end));
    }
    Some((shared, files))
}
