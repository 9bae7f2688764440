//! Where the files of a definition are: always inside a source.

use std::path::Path;
use std::sync::Arc;

use crate::store::Source;

/// A file or a folder below the root of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Location {
    /// `None` is the first source that has such a file.
    source: Option<usize>,
    /// The key or the start of the keys, without a slash at its ends.
    prefix: String,
}

impl Location {
    /// `None` if the place is in no source.
    pub(crate) fn resolve(text: &str, sources: &[Arc<Source>]) -> Option<Self> {
        if text.contains('\0') || text.split(['/', '\\']).any(|segment| segment == "..") {
            return None;
        }
        if !text.contains("://") && !text.starts_with('/') {
            let prefix = text.trim_start_matches("./").trim_matches('/');
            return (!prefix.is_empty()).then(|| Self { source: None, prefix: prefix.to_owned() });
        }
        let inside = |(index, source): (usize, &Arc<Source>)| {
            let prefix = match &source.folder {
                Some(folder) => {
                    let path = text.strip_prefix("file://").unwrap_or(text);
                    Path::new(path).strip_prefix(folder).ok()?.to_str()?.to_owned()
                }
                None => text.strip_prefix(&source.root)?.strip_prefix('/')?.to_owned(),
            };
            let prefix = prefix.trim_matches('/');
            (!prefix.is_empty()).then(|| Self { source: Some(index), prefix: prefix.to_owned() })
        };
        sources.iter().enumerate().find_map(inside)
    }

    /// The place of the source, if the text tells it.
    pub(crate) fn source(&self) -> Option<usize> {
        self.source
    }

    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The part of a key behind the location: empty for the file itself. `None` if the key is not in it.
    pub(crate) fn inner<'a>(&self, source: usize, key: &'a str) -> Option<&'a str> {
        if self.source.is_some_and(|own| own != source) {
            return None;
        }
        match key.strip_prefix(&self.prefix)? {
            "" => Some(""),
            inner => inner.strip_prefix('/'),
        }
    }
}
