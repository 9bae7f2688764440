//! The scan of a table of text: of the files that have a shadow it is read, of the others their text.
//!
//! Owns: that one query reads all of its files, each from one place. Must never know: when a shadow is made.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use datafusion::catalog::Session;
use datafusion::common::{DataFusionError, Result, Statistics};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::ParquetRowSelection;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::union::UnionExec;
use object_store::ObjectMeta;
use object_store::path::Path;

use super::{LakeProvider, Wanted, described, with_rows};
use crate::format::bounds::Bounds;
use crate::pinned::Pinned;
use crate::reads::Reads;
use crate::shadow::{Part, Place, ShadowReaders, Shadowed};

/// Where the rows of the files are.
#[derive(Default)]
struct Sorted {
    text: Vec<usize>,
    /// Files with a shadow of their own.
    own: Vec<(usize, Place)>,
    /// Shadows that small files share.
    packs: Vec<Part>,
}

impl LakeProvider {
    /// Files of text; of those that have a shadow it is read.
    pub(super) fn scan_text_files(
        &self,
        (kept, bounds): (&[usize], &Bounds),
        state: &dyn Session,
        wanted: Wanted<'_>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let Sorted { text, own, packs } = self.sorted(kept);
        if own.is_empty() && packs.is_empty() {
            return self.scan_files(&text, state, wanted);
        }
        if let Some(reads) = state.config().get_extension::<Reads>() {
            reads.hit(own.len() + packs.len());
        }
        // What is not known of one file is not known of all.
        let known = |table: &TableSchema, files: &[usize]| match text.is_empty() {
            true => bounds.statistics(table.table_schema(), files),
            false => Statistics::new_unknown(table.table_schema()),
        };
        let mut plans: Vec<(usize, Arc<dyn ExecutionPlan>)> = Vec::new();
        if let Some((first, _)) = own.first() {
            let (first, table) = (*first, self.table_schema());
            let statistics = known(&table, &own.iter().map(|(at, _)| *at).collect::<Vec<_>>());
            let files = own.into_iter().map(|of| self.shadow_of(of)).collect::<Result<_>>()?;
            plans.push((first, self.scan_parquet((table, files, statistics), Arc::new(ShadowReaders), state, wanted)?));
        }
        if let Some(first) = packs.iter().filter_map(|part| part.files.first().copied()).min() {
            // The values of folders are in them, as columns of their own.
            let table = TableSchema::builder(Arc::clone(&self.opened.schema)).build();
            let statistics =
                known(&table, &packs.iter().flat_map(|part| part.files.iter().copied()).collect::<Vec<_>>());
            // Files without a row are not opened.
            let packs = packs.into_iter().filter(|part| part.rows() > 0);
            let files = packs.map(|part| self.part_of(part)).collect::<Result<_>>()?;
            plans.push((first, self.scan_parquet((table, files, statistics), Arc::new(ShadowReaders), state, wanted)?));
        }
        if text.is_empty() && plans.len() == 1 {
            return Ok(plans.swap_remove(0).1);
        }
        // Below a union nothing is divided any more.
        let (threads, options) = (state.config().target_partitions(), state.config_options());
        for (_, plan) in &mut plans {
            if let Some(divided) = plan.repartitioned(threads, options)? {
                *plan = divided;
            }
        }
        if let Some(first) = text.first() {
            plans.push((*first, self.scan_files(&text, state, wanted)?));
        }
        plans.sort_by_key(|(first, _)| *first);
        UnionExec::try_new(plans.into_iter().map(|(_, plan)| plan).collect())
    }

    fn sorted(&self, kept: &[usize]) -> Sorted {
        let mut sorted = Sorted::default();
        for (at, place) in kept.iter().zip(self.source.shadows.find(&self.opened.ids, kept)) {
            match place {
                None => sorted.text.push(*at),
                Some(place) if place.shadow.is_pack() => Part::add(&mut sorted.packs, (*at, place)),
                Some(place) => sorted.own.push((*at, place)),
            }
        }
        sorted
    }

    fn shadow_of(&self, (at, place): (usize, Place)) -> Result<PartitionedFile> {
        let file = self.file(at)?;
        let (bytes, counts) = (place.shadow.parquet_bytes(), (place.rows().len(), self.opened.schema.fields().len()));
        let described = described(&file, bytes, counts);
        Ok(described.with_extension(Arc::new(Shadowed { file, shadow: place.shadow })))
    }

    fn part_of(&self, part: Part) -> Result<PartitionedFile> {
        // Who tells of a damage needs one of them.
        let file = self.file(part.files.first().copied().unwrap_or_default())?;
        let meta = ObjectMeta {
            location: Path::from(part.shadow.name().as_ref()),
            last_modified: part.shadow.used_at().unwrap_or(DateTime::<Utc>::UNIX_EPOCH),
            size: part.shadow.parquet_bytes(),
            e_tag: None,
            version: None,
        };
        let (selection, counts) = (part.selection(), (part.rows(), self.opened.schema.fields().len()));
        let scan = with_rows(meta, counts).with_extension(Arc::new(Shadowed { file, shadow: part.shadow }));
        Ok(match selection {
            Some(selection) => scan.with_extension(ParquetRowSelection::new(selection)),
            None => scan,
        })
    }

    fn file(&self, at: usize) -> Result<Arc<Pinned>> {
        let file = self.opened.content.file(at).map(Arc::clone);
        file.ok_or_else(|| DataFusionError::Internal("a scan names a file that its table does not have".into()))
    }
}
