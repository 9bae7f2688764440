//! What a log asks of those who write to it.
//!
//! Owns: which of it this writer keeps. Anything else is refused by name, before a row is written. Pure.
//! <https://github.com/delta-io/delta/blob/master/PROTOCOL.md#requirements-for-writers>

use serde_json::Value;

use crate::format::delta::action::{Metadata, Protocol};
use crate::format::delta::schema::Declared;

/// The version of the protocol that names its features, and the newest.
const NAMED_FEATURES: u32 = 7;

/// Features that ask nothing of a writer unless a property or a column uses them, which is looked at by itself.
const FEATURES: [&str; 11] = [
    "appendOnly",
    "changeDataFeed",
    "checkConstraints",
    "columnMapping",
    "deletionVectors",
    "generatedColumns",
    "identityColumns",
    "invariants",
    "timestampNtz",
    "v2Checkpoint",
    "vacuumProtocolCheck",
];

/// What a column says of its values that a writer would have to compute or to check.
const OF_COLUMNS: [(&str, &str); 4] = [
    ("delta.generationExpression", "a generated column"),
    ("delta.identity.start", "an identity column"),
    ("delta.invariants", "a column with an invariant"),
    ("CURRENT_DEFAULT", "a column with a default"),
];

/// The first thing that a writer would have to do and this one does not.
pub(super) fn unknown(protocol: &Protocol, metadata: &Metadata, columns: &[Declared]) -> Option<String> {
    if protocol.min_writer_version > NAMED_FEATURES {
        return Some(format!("version {} of the protocol", protocol.min_writer_version));
    }
    let is_known = |feature: &&String| FEATURES.contains(&feature.as_str());
    if let Some(feature) = protocol.writer_features.iter().flatten().find(|feature| !is_known(feature)) {
        return Some(format!("feature \"{feature}\""));
    }
    if metadata.property("delta.columnMapping.mode").is_some_and(|mode| mode != "none") {
        return Some("column mapping".to_owned());
    }
    if metadata.property("delta.enableChangeDataFeed") == Some("true") {
        return Some("a change data feed".to_owned());
    }
    if metadata.property("delta.enableInCommitTimestamps") == Some("true") {
        return Some("a time in each commit".to_owned());
    }
    if let Some(name) = metadata.configuration.keys().find_map(|key| key.strip_prefix("delta.constraints.")) {
        return Some(format!("the check constraint \"{name}\""));
    }
    let has = |column: &Declared, key: &str| column.metadata.get(key).is_some_and(|value| *value != Value::Null);
    columns.iter().find_map(|column| {
        let (_, what) = OF_COLUMNS.into_iter().find(|(key, _)| has(column, key))?;
        Some(format!("{what} (\"{}\")", column.field.name()))
    })
}

/// Whether rows that are there must stay.
pub(super) fn is_append_only(metadata: &Metadata) -> bool {
    metadata.property("delta.appendOnly") == Some("true")
}

/// Whether a log takes checkpoints as this writer makes them, in one file and with statistics as text.
pub(super) fn takes_checkpoints(protocol: &Protocol, metadata: &Metadata) -> bool {
    let has_others = protocol.writer_features.iter().flatten().any(|feature| feature == "v2Checkpoint");
    !has_others
        && metadata.property("delta.checkpointPolicy").is_none_or(|policy| policy == "classic")
        && metadata.property("delta.checkpoint.writeStatsAsStruct") != Some("true")
        && metadata.property("delta.checkpoint.writeStatsAsJson") != Some("false")
}

/// The least protocol that a table of these columns needs.
pub(super) fn least(needs_local_times: bool) -> Protocol {
    let features = needs_local_times.then(|| vec!["timestampNtz".to_owned()]);
    Protocol {
        min_reader_version: if needs_local_times { 3 } else { 1 },
        min_writer_version: if needs_local_times { NAMED_FEATURES } else { 2 },
        reader_features: features.clone(),
        writer_features: features,
    }
}

/// A protocol that is no step back from an earlier one of the same log.
pub(super) fn at_least(new: Protocol, earlier: Option<&Protocol>) -> Protocol {
    let Some(earlier) = earlier
        .filter(|earlier| earlier.min_writer_version > new.min_writer_version || earlier.writer_features.is_some())
    else {
        return new;
    };
    let both = |new: Option<Vec<String>>, earlier: &Option<Vec<String>>| {
        let mut all: Vec<String> = new.into_iter().flatten().chain(earlier.iter().flatten().cloned()).collect();
        all.sort_unstable();
        all.dedup();
        (!all.is_empty()).then_some(all)
    };
    Protocol {
        min_reader_version: new.min_reader_version.max(earlier.min_reader_version),
        min_writer_version: new.min_writer_version.max(earlier.min_writer_version),
        reader_features: both(new.reader_features, &earlier.reader_features),
        writer_features: both(new.writer_features, &earlier.writer_features),
    }
}

/// The protocol of a table that gets its first column of local times; `None` if it allows them. What older versions ask for
/// without a name is named.
pub(super) fn with_local_times(protocol: &Protocol) -> Option<Protocol> {
    let has = protocol.writer_features.iter().flatten().any(|feature| feature == "timestampNtz");
    if has {
        return None;
    }
    let mut all = at_least(least(true), Some(protocol));
    if protocol.writer_features.is_none() {
        let unnamed = ["appendOnly", "invariants"].map(str::to_owned);
        all.writer_features = Some(all.writer_features.into_iter().flatten().chain(unnamed).collect());
    }
    Some(all)
}
