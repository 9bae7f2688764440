//! The scan of files that are decoded here: text, Arrow, Avro.
//!
//! Owns: how the files are divided among streams. Must never know: a format.

use std::sync::Arc;

use datafusion::catalog::Session;
use datafusion::common::Result;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};

use super::{LakeProvider, Wanted};
use crate::format::scan::{Origin, Scan};

impl LakeProvider {
    pub(super) fn scan_files(
        &self,
        files: &[usize],
        state: &dyn Session,
        (projection, limit): Wanted<'_>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let all: Vec<usize> = (0..self.opened.schema.fields().len()).collect();
        let wanted = projection.unwrap_or(&all);
        let schema = Arc::new(self.opened.schema.project(wanted)?);
        let of_files = self.opened.file_schema.fields().len();
        let mut read = Vec::new();
        let origins: Vec<Origin> = wanted
            .iter()
            .map(|column| match column.checked_sub(of_files) {
                Some(partition) => Origin::Partition(partition),
                None => {
                    read.push(*column);
                    Origin::File(read.len() - 1)
                }
            })
            .collect();
        let file_schema = Arc::new(self.opened.file_schema.project(&read)?);
        let streams = state.config().target_partitions().max(1);
        let in_group = files.len().div_ceil(streams).max(1);
        let mut groups: Vec<Vec<usize>> = files.chunks(in_group).map(<[usize]>::to_vec).collect();
        if groups.is_empty() {
            groups.push(Vec::new());
        }
        // Two parts more than cores, so that none of them waits while the next is fetched and the last is passed on.
        let parts = streams.div_ceil(groups.len()) + 2;
        let streams = groups.into_iter().map(|files| -> Arc<dyn PartitionStream> {
            let (file_schema, schema) = (Arc::clone(&file_schema), Arc::clone(&schema));
            let (opened, origins) = (Arc::clone(&self.opened), origins.clone());
            Arc::new(Scan { opened, files, file_schema, schema, origins, parts })
        });
        let streams = streams.collect();
        let plan = StreamingTableExec::try_new(schema, streams, None, std::iter::empty(), false, limit)?;
        Ok(Arc::new(plan))
    }
}
