//! A table that is made with rows, until its first commit: its files are there, and are of no table.
//!
//! Owns: the mark that comes before the first of them, one for each statement, so that none relies on that of another. It
//! stays behind the commit, where it says nothing any more: a listing that does not see a commit sees it for sure.

use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStoreExt, PutPayload};

use super::Fault;
use crate::Error;
use crate::format::delta::{folder, is_version};
use crate::store::Source;

/// How its name begins in the log of a table; other readers pass over it.
const MARK: &str = "_lakegate_begun";

/// Whether these objects of a folder are of a table that is made, or whose statement was broken off.
pub(crate) fn is_begun(folder: &str, objects: &[&ObjectMeta]) -> bool {
    let mark = format!("{}/{MARK}", folder::log(folder));
    let mut keys = objects.iter().map(|object| object.location.as_ref());
    keys.clone().any(|key| key.starts_with(&mark)) && !keys.any(|key| is_version(folder, key))
}

/// Puts a mark, and names it.
pub(super) async fn begin(source: &Source, folder: &str) -> Result<Path, Error> {
    let path = Path::from(format!("{}/{MARK}_{}", folder::log(folder), uuid::Uuid::new_v4()));
    source.store.put(&path, PutPayload::from_static(b"begun\n")).await.map_err(Fault::store)?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    #[test]
    fn a_folder_is_of_a_table_with_its_first_version() {
        let object = |key: &str| ObjectMeta {
            location: Path::from(key),
            last_modified: DateTime::UNIX_EPOCH,
            size: 1,
            e_tag: None,
            version: None,
        };
        let is_begun = |keys: &[&str]| {
            let objects: Vec<ObjectMeta> = keys.iter().map(|key| object(key)).collect();
            is_begun("s/t", &objects.iter().collect::<Vec<_>>())
        };
        let (mark, data) = ("s/t/_delta_log/_lakegate_begun_1", "s/t/part-1.parquet");
        assert!(is_begun(&[mark]));
        assert!(is_begun(&[mark, data]));
        assert!(!is_begun(&[data]));
        for version in ["00000000000000000000.json", "00000000000000000010.checkpoint.parquet"] {
            assert!(!is_begun(&[mark, data, &format!("s/t/_delta_log/{version}")]), "{version}");
        }
        for other in ["_last_checkpoint", "0.json", "00000000000000000000.crc"] {
            assert!(is_begun(&[mark, data, &format!("s/t/_delta_log/{other}")]), "{other}");
        }
    }
}
