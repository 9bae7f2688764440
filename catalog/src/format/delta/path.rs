//! Where the files of a log are: always inside the source of their table.
//!
//! Owns: what a path of a log may say. Pure.

use std::path::Path as FilePath;

use object_store::path::Path;
use percent_encoding::percent_decode_str;

use crate::store::Source;

/// The key of a file that a log names; `None` if it is outside the source.
pub(super) fn resolve(source: &Source, folder: &str, text: &str) -> Option<Path> {
    let decoded = percent_decode_str(text).decode_utf8().ok()?;
    let key = match absolute(&decoded) {
        None => format!("{folder}/{decoded}"),
        Some(("" | "file", path)) => {
            let inside = FilePath::new(path).strip_prefix(source.folder.as_ref()?).ok()?;
            inside.to_str()?.to_owned()
        }
        Some(("s3" | "s3a" | "s3n", place)) => {
            let (bucket, key) = place.trim_start_matches('/').split_once('/')?;
            is_plain(key).then(|| source.key_below(bucket, key))??.to_string()
        }
        Some(_) => return None,
    };
    is_plain(&key).then(|| Path::parse(&key).ok())?
}

/// Neither leaves the folder nor stands for another name.
fn is_plain(key: &str) -> bool {
    !key.contains('\0') && key.split('/').all(|segment| !matches!(segment, "" | "." | ".."))
}

/// Scheme and place of an absolute path.
fn absolute(text: &str) -> Option<(&str, &str)> {
    if text.starts_with('/') {
        return Some(("", text));
    }
    let (scheme, place) = text.split_once(':').filter(|(_, place)| place.starts_with('/'))?;
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let place = if scheme == "file" { place.strip_prefix("//").unwrap_or(place) } else { place };
    is_scheme.then_some((scheme, place))
}
