//! One line of a log: what the protocol calls an action.
//!
//! Owns: the fields that readers need. Unknown ones are ignored, as the protocol asks. Pure.
//! <https://github.com/delta-io/delta/blob/master/PROTOCOL.md>

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Deserializer};

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
}

/// A file of the table.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Add {
    pub(super) path: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) partition_values: BTreeMap<String, Option<String>>,
    pub(super) size: u64,
    /// JSON in JSON.
    pub(super) stats: Option<Box<str>>,
    pub(super) deletion_vector: Option<Vector>,
}

/// A file that is no longer of the table.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Remove {
    pub(super) path: String,
    pub(super) deletion_vector: Option<Vector>,
}

/// Where the places of deleted rows are.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Vector {
    pub(super) storage_type: String,
    pub(super) path_or_inline_dv: String,
    pub(super) offset: Option<u64>,
    pub(super) size_in_bytes: u64,
    pub(super) cardinality: u64,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Metadata {
    pub(super) format: Option<FileFormat>,
    pub(super) schema_string: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) partition_columns: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) configuration: HashMap<String, Option<String>>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct FileFormat {
    pub(super) provider: String,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Protocol {
    min_reader_version: u32,
    reader_features: Option<Vec<String>>,
}

/// A file of a checkpoint in several.
#[derive(Debug, Deserialize)]
pub(super) struct Sidecar {
    pub(super) path: String,
}

/// A file and the rows deleted from it are one entry of a log.
pub(super) type Key = (String, Option<String>);

/// Null is as if it were not there.
fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(from: D) -> Result<T, D::Error> {
    Option::<T>::deserialize(from).map(Option::unwrap_or_default)
}

impl Add {
    pub(super) fn key(&self) -> Key {
        (self.path.clone(), self.deletion_vector.as_ref().map(Vector::id))
    }
}

impl Remove {
    pub(super) fn key(self) -> Key {
        (self.path, self.deletion_vector.as_ref().map(Vector::id))
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
