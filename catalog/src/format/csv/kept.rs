//! What a look at a file of text showed, as it is kept.
//!
//! Owns: the written form. Must never know: when it is believed.

use std::sync::Arc;

use encoding_rs::Encoding;
use serde::{Deserialize, Deserializer, Serializer};

use super::sample::{Facts, Sample};
use super::seen::{Seen, SeenKept};
use super::{LINE_ENDS, Layout};
use crate::pinned::Pinned;
use crate::remembered::Kept;

/// The columns; shares of the delimiter and of the encoding, whether the header is sure, how lines end.
type Own = (Vec<SeenKept>, [u64; 2], bool, String);

impl Kept for Sample {
    type Shared = Layout;

    fn shared(&self) -> &Layout {
        &self.layout
    }

    fn shared_to(shared: &Layout) -> Option<String> {
        serde_json::to_string(shared).ok()
    }

    fn shared_from(text: &str) -> Option<Layout> {
        serde_json::from_str(text).ok()
    }

    fn own_to(&self) -> Option<String> {
        let seen: Vec<SeenKept> = self.seen.iter().map(Seen::kept).collect();
        let Facts { delimiter_share, header_is_sure, line_end, encoding_share } = self.facts;
        // Decimals would be rounded.
        let shares = [delimiter_share, encoding_share].map(f64::to_bits);
        serde_json::to_string(&(seen, shares, header_is_sure, line_end)).ok()
    }

    fn from_parts(shared: &Layout, own: &str, file: &Arc<Pinned>) -> Option<Self> {
        let (seen, shares, header_is_sure, line_end): Own = serde_json::from_str(own).ok()?;
        let [delimiter_share, encoding_share] = shares.map(f64::from_bits);
        let line_end = LINE_ENDS.into_iter().find(|known| *known == line_end)?;
        let facts = Facts { delimiter_share, header_is_sure, line_end, encoding_share };
        let seen: Vec<Seen> = seen.into_iter().map(|seen| Seen::from_kept(seen, file)).collect();
        (seen.len() == shared.names.len()).then(|| Self { layout: shared.clone(), seen, facts })
    }
}

/// An encoding by its name.
pub(super) mod encoding {
    use super::*;

    pub(in crate::format::csv) fn serialize<S: Serializer>(
        encoding: &&'static Encoding,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(encoding.name())
    }

    pub(in crate::format::csv) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<&'static Encoding, D::Error> {
        let name = String::deserialize(deserializer)?;
        Encoding::for_label(name.as_bytes()).ok_or_else(|| serde::de::Error::custom("an unknown encoding"))
    }
}
