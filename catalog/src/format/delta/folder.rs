//! Which folders are Delta tables, by the keys of a listing.
//!
//! Owns: that all below such a folder is of its table. Pure.

use std::collections::{BTreeMap, HashSet};

use object_store::ObjectMeta;

use crate::layout;

/// The folder of a table's log, below that of the table.
const LOG: &str = "_delta_log";

/// Where a log is, in a table's folder or in the root of a source.
pub(crate) fn log(folder: &str) -> String {
    if folder.is_empty() { LOG.to_owned() } else { format!("{folder}/{LOG}") }
}

/// The objects of each Delta table by its folder, and all others.
pub(crate) fn split(objects: &[ObjectMeta]) -> (BTreeMap<&str, Vec<&ObjectMeta>>, Vec<&ObjectMeta>) {
    let folders: HashSet<&str> = objects.iter().filter_map(|object| folder(object.location.as_ref())).collect();
    if folders.is_empty() {
        return (BTreeMap::new(), objects.iter().collect());
    }
    let mut tables: BTreeMap<&str, Vec<&ObjectMeta>> = BTreeMap::new();
    let mut others = Vec::new();
    for object in objects {
        let key = object.location.as_ref();
        let ends = std::iter::once(0).chain(key.match_indices('/').map(|(at, _)| at));
        // The outermost: what is below a table is its own.
        match ends.filter_map(|end| key.get(..end)).find(|folder| folders.contains(folder)) {
            Some(folder) => tables.entry(folder).or_default().push(object),
            None => others.push(object),
        }
    }
    (tables, others)
}

/// The folder of the table whose log has this key.
fn folder(key: &str) -> Option<&str> {
    let mut start = 0;
    for segment in key.split('/') {
        let end = start + segment.len();
        // More follows: a file of this name is no log.
        if segment == LOG && key.len() > end {
            return key.get(..start.saturating_sub(1));
        }
        start = end + 1;
    }
    None
}

/// Schema and name of the table in a folder; `None` if it is hidden.
pub(crate) fn name(folder: &str) -> Option<(String, String)> {
    let segments: Vec<&str> = folder.split('/').collect();
    if segments.iter().any(|segment| layout::is_hidden(segment)) {
        return None;
    }
    match segments.as_slice() {
        [] | [""] => None,
        [table] => Some((layout::ROOT_SCHEMA.to_owned(), (*table).to_owned())),
        [schema, table, ..] => Some(((*schema).to_owned(), (*table).to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_of_a_log_is_that_above_it() {
        let cases = [
            ("s/t/_delta_log/00000000000000000000.json", Some("s/t")),
            ("_delta_log/0.json", Some("")),
            ("t/_delta_log/_sidecars/a.parquet", Some("t")),
            ("s/t/_delta_log", None),
            ("s/t/x_delta_log/a.json", None),
            ("s/t/k=1/_delta_log/_delta_log/a.json", Some("s/t/k=1")),
        ];
        for (key, expected) in cases {
            assert_eq!(folder(key), expected, "{key}");
        }
    }
}
