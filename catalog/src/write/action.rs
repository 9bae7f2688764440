//! The lines of a commit.
//!
//! Owns: their fields, as the protocol names them. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Value, json};

use crate::format::delta::action::{Add, Metadata, Protocol, Transaction, Vector};

/// A file that was written and is to be added.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Added {
    pub(super) path: String,
    pub(super) partition_values: BTreeMap<String, Option<String>>,
    pub(super) size: u64,
    pub(super) modification_time: i64,
    pub(super) data_change: bool,
    /// JSON in JSON.
    pub(super) stats: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Removed<'a> {
    path: &'a str,
    deletion_timestamp: i64,
    data_change: bool,
    extended_file_metadata: bool,
    partition_values: &'a BTreeMap<String, Option<String>>,
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    deletion_vector: Option<&'a Vector>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum Line<'a> {
    CommitInfo(Value),
    Protocol(&'a Protocol),
    MetaData(&'a Metadata),
    Txn(&'a Transaction),
    Remove(Removed<'a>),
    Add(&'a Added),
}

/// What a commit does, with its mark, by which its writer knows it again.
pub(super) struct Commit<'a> {
    pub(super) operation: &'a str,
    pub(super) is_blind_append: bool,
    pub(super) id: uuid::Uuid,
    pub(super) timestamp_ms: i64,
    pub(super) protocol: Option<&'a Protocol>,
    pub(super) metadata: Option<&'a Metadata>,
    pub(super) transactions: &'a [Transaction],
    pub(super) removes: &'a [Arc<Add>],
    pub(super) adds: &'a [Added],
    /// Whether other rows are in the table behind it.
    pub(super) data_change: bool,
}

impl Commit<'_> {
    /// The text of the commit, an action in each line.
    pub(super) fn text(&self) -> Result<Vec<u8>, serde_json::Error> {
        let info = json!({
            "timestamp": self.timestamp_ms,
            "operation": self.operation,
            "operationParameters": {},
            "isBlindAppend": self.is_blind_append,
            "engineInfo": concat!("Lakegate/", env!("CARGO_PKG_VERSION")),
            "txnId": self.id.to_string(),
        });
        let mut text = Vec::new();
        let mut line = |line: Line<'_>| {
            serde_json::to_writer(&mut text, &line)?;
            text.push(b'\n');
            Ok::<(), serde_json::Error>(())
        };
        line(Line::CommitInfo(info))?;
        self.protocol.map_or(Ok(()), |protocol| line(Line::Protocol(protocol)))?;
        self.metadata.map_or(Ok(()), |metadata| line(Line::MetaData(metadata)))?;
        self.transactions.iter().try_for_each(|transaction| line(Line::Txn(transaction)))?;
        for add in self.removes {
            line(Line::Remove(Removed {
                path: &add.path,
                deletion_timestamp: self.timestamp_ms,
                data_change: self.data_change,
                extended_file_metadata: true,
                partition_values: &add.partition_values,
                size: add.size,
                deletion_vector: add.deletion_vector.as_ref(),
            }))?;
        }
        self.adds.iter().try_for_each(|add| line(Line::Add(add)))?;
        Ok(text)
    }
}
