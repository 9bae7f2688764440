//! Where the lake has what is known of a materialized view beside its rows: `_lakegate/matviews/SCHEMA/NAME/` of the source
//! that holds its table; and `_lakegate/streams/SCHEMA/NAME/`, where the leases of a stream are.
//!
//! Owns: the keys. What they hold is of no table and in no listing.

use object_store::path::Path;

use crate::definition::Name;

const FOLDER: &str = "_lakegate/matviews";
const STREAMS: &str = "_lakegate/streams";

/// Whether an object is of no concern to who lists tables.
pub(crate) fn is_state(key: &Path) -> bool {
    let is_in = |folder: &str| key.as_ref().strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
    is_in(FOLDER) || is_in(STREAMS)
}

fn folder(view: &Name) -> Path {
    Path::from(FOLDER).join(view.schema.as_str()).join(view.name.as_str())
}

pub(super) fn leases(view: &Name) -> Path {
    folder(view).join("lease")
}

pub(super) fn leases_of_stream(stream: &Name) -> Path {
    Path::from(STREAMS).join(stream.schema.as_str()).join(stream.name.as_str()).join("lease")
}

pub(super) fn lease(leases: &Path, epoch: u64) -> Path {
    leases.clone().join(format!("{epoch:020}.json"))
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
        let key = lease(&leases(&name("a", "b/c")), 7);
        assert_eq!(key.as_ref(), "_lakegate/matviews/a/b%2Fc/lease/00000000000000000007.json");
        assert_ne!(key, lease(&leases(&name("a/b", "c")), 7));
        let of_stream = lease(&leases_of_stream(&name("a", "b/c")), 7);
        assert_eq!(of_stream.as_ref(), "_lakegate/streams/a/b%2Fc/lease/00000000000000000007.json");
        assert!(is_state(&of_stream));
        assert_eq!(epoch(&key), Some(7));
        assert_eq!(epoch(&lineage(&name("a", "b"), 18)), Some(18));
        assert!(is_state(&key) && !is_state(&Path::from("_lakegate/matviews2/a")) && !is_state(&Path::from("a/b")));
    }
}
