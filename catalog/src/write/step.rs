//! How far writers have come that must not write twice, as the log of their table says: refreshes of a materialized view, loads
//! that have an id, and streams.
//!
//! Owns: that the rows of one and its number are one commit. That of a refresh follows the version that it has seen and no
//! other; that of a load follows any without its id; that of a stream any in which the stream is where it was. Must never know:
//! what the rows were made of.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{Change, Fault, Target, upkeep, vacuum};
use crate::Error;
use crate::definition::Name;
use crate::format::delta::WRITER;
use crate::format::delta::action::{Metadata, Transaction};
use crate::snapshot::{Kind, Table};

/// The property of a table whose rows are those of a materialized view: nothing else writes it.
pub(super) const PROPERTY: &str = "lakegate.materializedView";

/// How long the files of earlier refreshes and their commits are kept, for readers that are at work on them.
const KEPT: &str = "interval 1 day";

/// When the lake was listed for the rows of a refresh, in milliseconds: it stays in checkpoints, as the time of a commit does not.
const LISTED: &str = "listed";

/// How far refreshes of a materialized view have come, as the log of its table says on every replica.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refreshed {
    /// What tells the table from all others, and its version.
    pub table: String,
    pub version: u64,
    /// The refresh whose rows it has.
    pub epoch: u64,
    /// When the lake was listed for them.
    pub listed_at: Option<DateTime<Utc>>,
}

impl Table {
    /// What its log says of refreshes, once it was opened.
    pub fn refreshed(&self) -> Option<Refreshed> {
        let Kind::Lake(lake) = &self.kind else { return None };
        let state = &lake.opened()?.delta.as_ref()?.state;
        let table = state.metadata.others.get("id").and_then(Value::as_str).unwrap_or_default();
        let reached = |what: &str| state.transactions.get(&name(table, what)).copied();
        let listed_at = reached(LISTED).and_then(|millis| DateTime::from_timestamp_millis(i64::try_from(millis).ok()?));
        Some(Refreshed { table: table.to_owned(), version: state.version, epoch: reached("data")?, listed_at })
    }
}

impl Target {
    /// The properties of the table of a materialized view.
    pub fn of_view() -> BTreeMap<String, String> {
        let said = [(PROPERTY, "true"), (vacuum::PROPERTY, KEPT), (upkeep::PROPERTY, KEPT)];
        said.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// Whether its rows are those of a materialized view.
    pub fn is_of_view(&self) -> bool {
        self.metadata().is_some_and(|metadata| metadata.configuration.contains_key(PROPERTY))
    }

    /// What tells this table from all others, those of its name included.
    pub fn id(&self) -> &str {
        self.metadata().and_then(|metadata| metadata.others.get("id")).and_then(Value::as_str).unwrap_or_default()
    }

    /// The refresh whose rows it has.
    pub fn epoch(&self) -> Option<u64> {
        self.reached("data")
    }

    /// The last refresh that has committed anything; an earlier one must not.
    pub fn fence(&self) -> Option<u64> {
        self.reached("fence")
    }

    /// The version that the statement has seen.
    pub fn version(&self) -> Option<u64> {
        self.state.as_ref().map(|state| state.version)
    }

    /// Its files as the log names them, in the order of their places, with the values of their partitions.
    pub fn file_names(&self) -> impl Iterator<Item = (&str, &BTreeMap<String, Option<String>>)> {
        let files = self.state.iter().flat_map(|state| state.files.values());
        files.map(|file| (file.path.as_str(), &file.partition_values))
    }

    fn metadata(&self) -> Option<&Metadata> {
        let made = self.made.as_ref().map(|(_, metadata)| metadata);
        made.or_else(|| self.state.as_ref().map(|state| &state.metadata))
    }

    /// How many rows the load of this id has written, if it was committed.
    pub fn loaded(&self, id: &str) -> Option<u64> {
        self.reached(&load(id))
    }

    fn reached(&self, what: &str) -> Option<u64> {
        // A table that is made has nothing of the one whose place it takes.
        let state = self.state.as_ref().filter(|_| self.made.is_none())?;
        state.transactions.get(&name(self.id(), what)).copied()
    }
}

/// What a change says of how far its writer has come.
#[derive(Debug, Default)]
pub(super) struct Steps {
    pub(super) own: Vec<Transaction>,
    /// What the log says before, where that is not nothing.
    expected: Vec<Option<u64>>,
}

impl Steps {
    /// Whether the log says what it did when the change was begun.
    pub(super) fn follow(&self, known: &BTreeMap<String, u64>) -> Result<(), Fault> {
        let expected = self.expected.iter().copied().chain(std::iter::repeat(None));
        let is_other = |(own, expected): (&Transaction, Option<u64>)| known.get(&own.app_id).copied() != expected;
        if !self.own.iter().zip(expected).any(is_other) {
            return Ok(());
        }
        Err(Fault::Conflict {
            what: if self.expected.is_empty() { "load of the same id" } else { "step of the stream" },
        })
    }
}

/// How far a stream comes in the partitions of its topic: from the offsets that the table has to those behind its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advance {
    pub stream: Name,
    pub topic: String,
    /// By partition; `None` is one of which the table has nothing.
    pub steps: BTreeMap<i32, (Option<u64>, u64)>,
}

impl Advance {
    fn what(stream: &Name, topic: &str) -> String {
        format!("stream/{stream}/{topic}/")
    }
}

impl Target {
    /// The record of each partition that comes next into the table.
    pub fn offsets(&self, stream: &Name, topic: &str) -> BTreeMap<i32, u64> {
        let Some(state) = self.state.as_ref().filter(|_| self.made.is_none()) else { return BTreeMap::new() };
        let prefix = name(self.id(), &Advance::what(stream, topic));
        let own = |(app, offset): (&String, &u64)| Some((app.strip_prefix(&prefix)?.parse().ok()?, *offset));
        state.transactions.iter().filter_map(own).collect()
    }
}

impl Change {
    /// Makes it a step of a stream: it is committed where the stream has come as far as the step begins, or is a conflict.
    pub fn advance(&mut self, advance: &Advance) -> Result<(), Error> {
        let known = self.target().offsets(&advance.stream, &advance.topic);
        if advance.steps.iter().any(|(partition, (from, _))| known.get(partition) != from.as_ref()) {
            return Err(Fault::Conflict { what: "step of the stream" }.into());
        }
        let what = Advance::what(&advance.stream, &advance.topic);
        let steps = advance.steps.iter();
        let steps = steps.map(|(partition, (from, to))| (self.reach(&format!("{what}{partition}"), *to), *from));
        (self.transactions.own, self.transactions.expected) = steps.unzip();
        Ok(())
    }

    /// Makes it that of a refresh: it is committed behind the version that was seen, or is a conflict.
    pub fn step_to(&mut self, epoch: u64, listed_at: DateTime<Utc>) {
        let listed = u64::try_from(listed_at.timestamp_millis()).unwrap_or_default();
        self.transactions.own = vec![self.reach("data", epoch), self.reach("fence", epoch), self.reach(LISTED, listed)];
        self.follows_none = true;
    }

    /// Makes it the load of an id, which is committed once: the log keeps the id with the number of its rows.
    pub fn load_once(&mut self, id: &str, rows: u64) {
        self.transactions.own = vec![self.reach(&load(id), rows)];
    }

    fn reach(&self, what: &str, version: u64) -> Transaction {
        Transaction { app_id: name(self.target().id(), what), version, last_updated: None }
    }
}

fn load(id: &str) -> String {
    format!("load/{id}")
}

fn name(table: &str, what: &str) -> String {
    format!("{WRITER}{table}/{what}")
}
