//! Records as they come from a topic, one behind the other in one buffer.
//!
//! Owns: where each of them is. Must never know: what they mean.

use std::collections::BTreeMap;

/// Records of some partitions, those of each in their order.
#[derive(Debug, Default)]
pub struct Records {
    bytes: Vec<u8>,
    records: Vec<Record>,
}

/// One record, without its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) partition: i32,
    pub(super) offset: i64,
    pub(super) timestamp_ms: Option<i64>,
    /// Where its value ends; `None` if it has none.
    end: usize,
    has_value: bool,
}

impl Records {
    /// Adds a record. One without a value deletes its key in a topic that is compacted.
    pub fn push(&mut self, partition: i32, offset: i64, timestamp_ms: Option<i64>, value: Option<&[u8]>) {
        self.bytes.extend_from_slice(value.unwrap_or_default());
        let record = Record { partition, offset, timestamp_ms, end: self.bytes.len(), has_value: value.is_some() };
        self.records.push(record);
    }

    pub fn len(&self) -> usize {
        self.records.len()
    }

    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The partitions that they are of, each with the offset behind its last record.
    pub fn ends(&self) -> BTreeMap<i32, i64> {
        self.records.iter().map(|record| (record.partition, record.offset + 1)).collect()
    }

    pub(super) fn get(&self, at: usize) -> Option<&Record> {
        self.records.get(at)
    }

    /// Each record with its value.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Record, Option<&[u8]>)> {
        let mut start = 0;
        self.records.iter().map(move |record| {
            let value = self.bytes.get(start..record.end);
            start = record.end;
            (record, value.filter(|_| record.has_value))
        })
    }
}
