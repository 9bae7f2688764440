//! One line of a log: what the protocol calls an action.
//!
//! Owns: the fields that readers need. Unknown ones are ignored, as the protocol asks. Pure.
//! <https://github.com/delta-io/delta/blob/master/PROTOCOL.md>

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// Features of tables that are read. Those of writers alone do not matter.
const FEATURES: [&str; 7] = [
    "columnMapping",
    "deletionVectors",
    "timestampNtz",
    "typeWidening",
    "typeWidening-preview",
    "v2Checkpoint",
    "vacuumProtocolCheck",
];

/// The version of the protocol that names its features, and the newest.
const NAMED_FEATURES: u32 = 3;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Action {
    pub(super) add: Option<Add>,
    pub(super) remove: Option<Remove>,
    pub(super) meta_data: Option<Metadata>,
    pub(super) protocol: Option<Protocol>,
    pub(super) sidecar: Option<Sidecar>,
    pub(super) txn: Option<Transaction>,
}

/// A file of the table.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Add {
    pub(crate) path: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) partition_values: BTreeMap<String, Option<String>>,
    pub(crate) size: u64,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) modification_time: i64,
    /// JSON in JSON.
    pub(crate) stats: Option<Box<str>>,
    pub(crate) tags: Option<BTreeMap<String, Option<String>>>,
    pub(crate) deletion_vector: Option<Vector>,
}

/// A file that is no longer of the table.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Remove {
    pub(crate) path: String,
    pub(crate) deletion_timestamp: Option<i64>,
    pub(crate) extended_file_metadata: Option<bool>,
    pub(crate) partition_values: Option<BTreeMap<String, Option<String>>>,
    pub(crate) size: Option<u64>,
    pub(crate) deletion_vector: Option<Vector>,
}

/// Where the places of deleted rows are.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Vector {
    pub(super) storage_type: String,
    pub(super) path_or_inline_dv: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) offset: Option<u64>,
    pub(super) size_in_bytes: u64,
    pub(super) cardinality: u64,
}

#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Metadata {
    pub(crate) format: Option<FileFormat>,
    pub(crate) schema_string: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) partition_columns: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) configuration: BTreeMap<String, Option<String>>,
    /// What readers do not need and a new version of it keeps.
    #[serde(flatten)]
    pub(crate) others: BTreeMap<String, Value>,
}

#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub(crate) struct FileFormat {
    pub(crate) provider: String,
    #[serde(flatten)]
    pub(crate) others: BTreeMap<String, Value>,
}

#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Protocol {
    pub(crate) min_reader_version: u32,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) min_writer_version: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reader_features: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) writer_features: Option<Vec<String>>,
}

/// How far a writer has come, by its own count; the last one of a writer holds.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Transaction {
    pub(crate) app_id: String,
    pub(crate) version: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) last_updated: Option<i64>,
}

/// A file of a checkpoint in several.
#[derive(Debug, Deserialize)]
pub(super) struct Sidecar {
    pub(super) path: String,
}

/// A file and the rows deleted from it are one entry of a log.
pub(crate) type Key = (String, Option<String>);

/// Null is as if it were not there.
fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(from: D) -> Result<T, D::Error> {
    Option::<T>::deserialize(from).map(Option::unwrap_or_default)
}

impl Metadata {
    /// The value of a property of the table.
    pub(crate) fn property(&self, name: &str) -> Option<&str> {
        self.configuration.get(name)?.as_deref()
    }
}

impl Add {
    pub(crate) fn key(&self) -> Key {
        (self.path.clone(), self.deletion_vector.as_ref().map(Vector::id))
    }
}

impl Remove {
    pub(super) fn key(&self) -> Key {
        (self.path.clone(), self.deletion_vector.as_ref().map(Vector::id))
    }
}

impl Vector {
    fn id(&self) -> String {
        let offset = self.offset.map(|offset| format!("@{offset}")).unwrap_or_default();
        format!("{}{}{offset}", self.storage_type, self.path_or_inline_dv)
    }
}

impl Protocol {
    /// The first thing that a reader would have to know and this one does not.
    pub(super) fn unknown(&self) -> Option<String> {
        if self.min_reader_version > NAMED_FEATURES {
            return Some(format!("version {} of the protocol", self.min_reader_version));
        }
        let is_known = |feature: &&String| FEATURES.contains(&feature.as_str());
        let unknown = self.reader_features.iter().flatten().find(|feature| !is_known(feature));
        unknown.map(|feature| format!("feature \"{feature}\""))
    }
}
