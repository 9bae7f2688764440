//! Where the lake has what is known of a materialized view beside its rows: `_lakegate/matviews/SCHEMA/NAME/` of the source
//! that holds its table.
//!
//! Owns: the keys. What they hold is of no table and in no listing.

use object_store::path::Path;

use crate::definition::Name;

const FOLDER: &str = "_lakegate/matviews";

/// Whether an object is of no concern to who lists tables.
pub(crate) fn is_state(key: &Path) -> bool {
    key.as_ref().strip_prefix(FOLDER).is_some_and(|rest| rest.starts_with('/'))
}

fn folder(view: &Name) -> Path {
    Path::from(FOLDER).join(view.schema.as_str()).join(view.name.as_str())
}

pub(super) fn leases(view: &Name) -> Path {
    folder(view).join("lease")
}

pub(super) fn lease(view: &Name, epoch: u64) -> Path {
    leases(view).join(format!("{epoch:020}.json"))
}

pub(super) fn lineages(view: &Name) -> Path {
    folder(view).join("lineage")
}

pub(super) fn lineage(view: &Name, epoch: u64) -> Path {
    lineages(view).join(format!("{epoch:020}.json.zst"))
}

pub(super) fn history(view: &Name) -> Path {
    folder(view).join("history.json")
}

/// The epoch in the name of a lease or a lineage.
pub(super) fn epoch(key: &Path) -> Option<u64> {
    key.filename()?.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_all_kinds_have_places_of_their_own() {
        let name = |schema: &str, name: &str| Name { schema: schema.to_owned(), name: name.to_owned() };
        let key = lease(&name("a", "b/c"), 7);
        assert_eq!(key.as_ref(), "_lakegate/matviews/a/b%2Fc/lease/00000000000000000007.json");
        assert_ne!(key, lease(&name("a/b", "c"), 7));
        assert_eq!(epoch(&key), Some(7));
        assert_eq!(epoch(&lineage(&name("a", "b"), 18)), Some(18));
        assert!(is_state(&key) && !is_state(&Path::from("_lakegate/matviews2/a")) && !is_state(&Path::from("a/b")));
    }
}
