//! Which files share a shadow.
//!
//! Owns: that small packs become large ones, so that a table to which files are added one by one has few of them, and that what
//! is left of worn packs is packed anew. Pure.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::gathered::{Batch, PACK_BYTES_MAX, PACK_FILES_MAX, are_enough};
use super::held::Held;
use super::{Id, Shadow};
use crate::format::Opened;

/// The files of a table that are read from a pack.
#[derive(Debug, Default)]
struct Live {
    files: Vec<usize>,
    rows: usize,
    bytes: u64,
}

impl Live {
    /// Whether the rows of less than half of the pack are those of files that are still there.
    fn is_worn(&self, pack: &Shadow) -> bool {
        self.rows < pack.rows() - self.rows.min(pack.rows())
    }
}

/// The files that shall share a shadow, in their order, and the packs that it replaces: worn ones, and those with no more text
/// than what comes to it. So every file is read a few times over, as often as its pack doubles.
pub(super) fn chosen(held: &Held, batch: &Batch, table: &str) -> (Vec<usize>, Vec<Arc<Shadow>>) {
    let wanted: HashSet<Id> = batch.ids.iter().copied().collect();
    let (mut files, mut bytes, mut packs) = (Vec::new(), 0, HashMap::new());
    for (at, id) in named(&batch.opened) {
        let is_of = batch.opened.columns.get(at) == Some(&batch.columns);
        let Some(file) = batch.opened.content.file(at).filter(|_| is_of) else { continue };
        match held.get(id) {
            Some(place) if place.shadow.pack_of() == Some(table) => {
                let (_, live) = packs.entry(Arc::as_ptr(&place.shadow)).or_insert((&place.shadow, Live::default()));
                live.files.push(at);
                live.rows += place.rows().len();
                live.bytes += file.file.bytes;
            }
            None if wanted.contains(&id) => {
                files.push(at);
                bytes += file.file.bytes;
            }
            _ => {}
        }
    }
    let mut packs: Vec<(&Arc<Shadow>, Live)> = packs.into_values().collect();
    packs.sort_by_key(|(_, live)| live.bytes);
    let mut replaced = Vec::new();
    for (pack, live) in packs {
        let fits = files.len() + live.files.len() <= PACK_FILES_MAX && bytes + live.bytes <= PACK_BYTES_MAX;
        if fits && (live.bytes <= bytes || live.is_worn(pack)) {
            bytes += live.bytes;
            files.extend(live.files);
            replaced.push(Arc::clone(pack));
        }
    }
    files.sort_unstable();
    (files, replaced)
}

/// What is left of worn packs of a table and is worth another one, and the packs of which too little is left.
pub(super) fn worn(held: &Held, opened: &Arc<Opened>, table: &str) -> (Vec<Batch>, Vec<Arc<Shadow>>) {
    let of_table = held.packs().filter(|pack| pack.pack_of() == Some(table));
    let mut packs: HashMap<*const Shadow, (&Arc<Shadow>, Live)> =
        of_table.map(|pack| (Arc::as_ptr(pack), (pack, Live::default()))).collect();
    if packs.is_empty() {
        return Default::default();
    }
    for (at, id) in named(opened) {
        let Some(place) = held.get(id) else { continue };
        let (Some((_, live)), Some(file)) = (packs.get_mut(&Arc::as_ptr(&place.shadow)), opened.content.file(at))
        else {
            continue;
        };
        live.files.push(at);
        live.rows += place.rows().len();
        live.bytes += file.file.bytes;
    }
    let (mut batches, mut gone): (Vec<Batch>, Vec<Arc<Shadow>>) = (Vec::new(), Vec::new());
    for (pack, live) in packs.into_values().filter(|(pack, live)| live.is_worn(pack)) {
        let columns = live.files.first().and_then(|at| opened.columns.get(*at));
        match columns.filter(|_| are_enough(live.files.len(), live.bytes)) {
            None => gone.push(Arc::clone(pack)),
            Some(columns) if batches.iter().any(|batch| batch.columns == *columns) => {}
            Some(columns) => {
                let (opened, columns) = (Arc::clone(opened), Arc::clone(columns));
                batches.push(Batch { opened, columns, ids: Vec::new() });
            }
        }
    }
    (batches, gone)
}

fn named(opened: &Opened) -> impl Iterator<Item = (usize, Id)> {
    opened.ids.iter().enumerate().filter_map(|(at, id)| Some((at, (*id)?)))
}
