//! A table that goes: first for everybody at once, by a mark in its log, then object by object.
//!
//! Owns: that no reader sees half of it, and that a new table of its name goes on with its log: who has not seen the drop
//! cannot write into the new one.

use std::sync::Arc;

use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore};

use super::commit::{self, Put};
use super::{Change, Fault, is_begun};
use crate::Error;
use crate::definition::Name;
use crate::format::delta::{State, folder};
use crate::layout::{Compression, Format};
use crate::manifest::{DataFile, Manifest};
use crate::publish::Lake;
use crate::snapshot::{LakeTable, Table};
use crate::store::Source;

/// Its name in the log of a table; other readers pass over it.
const MARK: &str = "_lakegate_dropped";

/// The property of a table that was dropped: who would write to it meets a conflict.
const PROPERTY: &str = "lakegate.dropped";

pub(super) fn mark(folder: &str) -> String {
    format!("{}/{MARK}", folder::log(folder))
}

/// Whether these objects of a folder are of a table that was dropped.
pub(crate) fn is_dropped(folder: &str, objects: &[&ObjectMeta]) -> bool {
    let mark = mark(folder);
    objects.iter().any(|object| object.location.as_ref() == mark)
}

impl Lake {
    /// Drops a table with its files. It is gone for everybody with the first write; the rest is made good later if it fails.
    ///
    /// Its log stays, so that who has not seen the drop meets a conflict and not an empty place.
    pub async fn drop_table(&self, table: &Table) -> Result<(), Error> {
        let lake = self.fit(table).await?;
        let (source, place) = (lake.source(), lake.manifest().source);
        let folder = lake.manifest().folder.clone().unwrap_or_default();
        // Known before the table is gone; a table that cannot be read can be dropped too.
        let target = self.target(table).await;
        let path = Path::from(mark(&folder));
        // Whoever has put it: it is dropped.
        let (Put::Done | Put::Taken) = commit::put(source, &path, b"dropped\n".to_vec(), &table.name).await?;
        if let Ok(target) = target
            && let Err(error) = self.fence(Change::drop(target, PROPERTY)).await
        {
            tracing::debug!(%error, "a dropped table has no last commit");
        }
        self.look_after(place, vec![path]).await;
        let log = folder::log(&folder);
        let deleting = async {
            let objects = objects(source, &folder).await?;
            let paths = objects.into_iter().map(|object| object.location);
            delete(source, paths.filter(|path| !path.as_ref().starts_with(&log)).collect()).await
        };
        if let Err(error) = deleting.await {
            tracing::warn!(%error, folder, "files of a dropped table stay");
        }
        Ok(())
    }

    /// What is left of a dropped table, whose log a new one goes on with; `None` where there is no log, and objects at most of
    /// statements that begin one. Those of anything else are an error.
    pub(super) async fn left(
        &self,
        place: usize,
        source: &Arc<Source>,
        name: &Name,
    ) -> Result<Option<Arc<State>>, Error> {
        let folder = super::name::folder(name)?;
        let objects = objects(source, &folder).await?;
        if objects.is_empty() {
            return Ok(None);
        }
        let found: Vec<&ObjectMeta> = objects.iter().collect();
        if !is_dropped(&folder, &found) {
            return match is_begun(&folder, &found) {
                true => Ok(None),
                false => Err(Fault::Occupied { table: name.name.clone() }.into()),
            };
        }
        let manifest = Manifest {
            source: place,
            format: Format::Delta,
            folder: Some(folder.clone()),
            definition: None,
            partitions: Vec::new(),
            files: objects
                .iter()
                .map(|object| Arc::new(DataFile::new(object, Compression::None, Vec::new())))
                .collect(),
        };
        let label = format!("{}.{}", name.schema, name.name);
        let lake = LakeTable::new(label, manifest, Arc::clone(source), Arc::clone(&self.footers));
        match lake.state().await {
            Ok(state) => Ok(Some(state)),
            Err(error) if error.is_lasting() => {
                // The mark goes last: until then the folder is of no table.
                let (mark, mut paths) = (Path::from(mark(&folder)), Vec::new());
                paths.extend(objects.into_iter().map(|object| object.location).filter(|path| *path != mark));
                delete(source, paths).await?;
                delete(source, vec![mark]).await?;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// Shows a table that has taken the place of a dropped one.
pub(super) async fn revive(source: &Source, folder: &str) -> Result<Path, Error> {
    let mark = Path::from(mark(folder));
    delete(source, vec![mark.clone()]).await.map(|()| mark)
}

async fn objects(source: &Source, folder: &str) -> Result<Vec<ObjectMeta>, Error> {
    let listing = source.store.list(Some(&Path::from(folder)));
    listing.try_collect().await.map_err(|cause| source.failed(cause))
}

pub(super) async fn delete(source: &Source, paths: Vec<Path>) -> Result<(), Error> {
    let paths = futures::stream::iter(paths).map(Ok).boxed();
    let mut deleted = source.store.delete_stream(paths);
    while let Some(path) = deleted.next().await {
        match path {
            Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => return Err(Fault::store(error)),
        }
    }
    Ok(())
}
