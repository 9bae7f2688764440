//! Hints that objects of a bucket changed: bucket notifications, which may be lost, doubled, late or forged.
//!
//! Owns: which places wait to be listed, within bounds, and who is woken. A hint is never the truth: it says where to list
//! at once, and the listing says what is there. Must never do: list.

use std::collections::BTreeSet;

use object_store::ObjectMeta;
use object_store::path::Path;
use parking_lot::Mutex;
use tokio::sync::Notify;

/// Keys that are remembered; with more of them the whole lake is listed, which costs less.
const KEYS_MAX: usize = 64;

/// What waits to be listed.
#[derive(Debug, Default)]
pub(crate) struct Hints {
    waiting: Mutex<Places>,
    arrived: Notify,
}

/// Where to list.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Places {
    /// Sources by their places in the configuration, and keys below their roots.
    Keys(BTreeSet<(usize, Path)>),
    /// Everything.
    All,
}

impl Default for Places {
    fn default() -> Self {
        Self::Keys(BTreeSet::new())
    }
}

impl Hints {
    pub(crate) fn key(&self, source: usize, key: Path) {
        let mut waiting = self.waiting.lock();
        if let Places::Keys(keys) = &mut *waiting {
            keys.insert((source, key));
            if keys.len() > KEYS_MAX {
                *waiting = Places::All;
            }
        }
        drop(waiting);
        self.arrived.notify_one();
    }

    /// Until there is a hint that was not taken.
    pub(crate) async fn arrived(&self) {
        self.arrived.notified().await;
    }

    pub(crate) fn take(&self) -> Places {
        std::mem::take(&mut *self.waiting.lock())
    }
}

/// The key of a listing before `key`: from behind it on, a store is asked.
pub(crate) fn before<'a>(listing: &'a [ObjectMeta], key: &Path) -> Option<&'a Path> {
    let at = listing.partition_point(|object| object.location < *key);
    at.checked_sub(1).and_then(|at| listing.get(at)).map(|object| &object.location)
}

/// Puts what a store has behind `after` up to `key` in the place of what a listing had there.
pub(crate) fn splice(listing: &mut Vec<ObjectMeta>, after: Option<&Path>, key: &Path, found: Vec<ObjectMeta>) {
    let start = after.map_or(0, |after| listing.partition_point(|object| object.location <= *after));
    let end = listing.partition_point(|object| object.location <= *key);
    listing.splice(start..end.max(start), found);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(keys: &[(&str, u64)]) -> Vec<ObjectMeta> {
        let object = |(key, size): &(&str, u64)| ObjectMeta {
            location: Path::from(*key),
            last_modified: chrono::DateTime::UNIX_EPOCH,
            size: *size,
            e_tag: None,
            version: None,
        };
        keys.iter().map(object).collect()
    }

    fn look(known: &[(&str, u64)], key: &str, store: &[(&str, u64)]) -> Vec<(String, u64)> {
        let (mut known, key) = (listing(known), Path::from(key));
        let after = before(&known, &key).cloned();
        let is_between =
            |object: &ObjectMeta| after.as_ref().is_none_or(|after| object.location > *after) && object.location <= key;
        let found = listing(store).into_iter().filter(is_between).collect();
        splice(&mut known, after.as_ref(), &key, found);
        known.into_iter().map(|object| (object.location.to_string(), object.size)).collect()
    }

    #[test]
    fn a_look_around_a_key_finds_what_was_added_changed_and_deleted() {
        let known = [("a/1.csv", 1), ("a/3.csv", 1), ("b/1.csv", 1)];
        let owned = |objects: &[(&str, u64)]| objects.iter().map(|(key, size)| ((*key).to_owned(), *size)).collect();
        let cases: [(&str, Vec<(&str, u64)>); 6] = [
            ("a/2.csv", vec![("a/1.csv", 1), ("a/2.csv", 5), ("a/3.csv", 1), ("b/1.csv", 1)]),
            ("a/3.csv", vec![("a/1.csv", 1), ("a/3.csv", 7), ("b/1.csv", 1)]),
            ("a/1.csv", vec![("a/3.csv", 1), ("b/1.csv", 1)]),
            ("A.csv", vec![("A.csv", 2), ("a/1.csv", 1), ("a/3.csv", 1), ("b/1.csv", 1)]),
            ("z.csv", vec![("a/1.csv", 1), ("a/3.csv", 1), ("b/1.csv", 1), ("z.csv", 2)]),
            // A hint about nothing, as a forged one.
            ("a/0.csv", known.to_vec()),
        ];
        for (key, store) in cases {
            let expected: Vec<(String, u64)> = owned(&store);
            assert_eq!(look(&known, key, &store), expected, "{key}");
        }
    }

    #[test]
    fn hints_are_bounded_and_taken_once() {
        let hints = Hints::default();
        hints.key(0, Path::from("a"));
        hints.key(0, Path::from("a"));
        assert_eq!(hints.take(), Places::Keys(BTreeSet::from([(0, Path::from("a"))])));
        assert_eq!(hints.take(), Places::default());
        (0..=KEYS_MAX).for_each(|at| hints.key(1, Path::from(at.to_string())));
        hints.key(0, Path::from("a"));
        assert_eq!(hints.take(), Places::All);
    }
}
