//! How many blocks of one file are decoded at once.

use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::array::AsArray;
use arrow::datatypes::{Int64Type, Schema};
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream};
use futures::{FutureExt, StreamExt};
use tokio::sync::Barrier;

use super::blocks::{batch, file, numbers};
use super::*;
use crate::format::blocks::{Decoder, Part, Reader};
use crate::pinned::Pinned;

/// The pinned file of a table of one.
async fn pinned(lake: &Fixture) -> Arc<Pinned> {
    lake.columns("s.t").await;
    let snapshot = lake.lake().snapshot();
    let Kind::Lake(of) = &snapshot.table("s", "t").unwrap().kind else { panic!("a view") };
    Arc::clone(of.opened().unwrap().content.file(0).unwrap())
}

/// Parts of one row, of which each but the first waits until as many as meet are decoded.
#[derive(Debug, Default)]
struct Meeting {
    parts: usize,
    bytes: u64,
    meet: usize,
    /// How many are decoded now, and were at once at most.
    decoded: Arc<[AtomicUsize; 2]>,
}

impl Decoder for Meeting {
    fn columns(&self, _: Arc<Pinned>) -> BoxFuture<'static, Result<Schema, Error>> {
        async { Ok(Schema::empty()) }.boxed()
    }

    fn parts(&self, _: Arc<Pinned>, _: Vec<usize>) -> BoxStream<'static, Result<Part, Error>> {
        let met: Arc<Vec<Barrier>> = Arc::new((0..self.parts).map(|_| Barrier::new(self.meet)).collect());
        let (bytes, meet, decoded) = (self.bytes, self.meet, Arc::clone(&self.decoded));
        let part = move |at: usize| {
            let (met, decoded) = (Arc::clone(&met), Arc::clone(&decoded));
            let rows = async move {
                let [now, most] = &*decoded;
                most.fetch_max(now.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
                if at > 0 {
                    met[(at - 1) / meet].wait().await;
                }
                tokio::task::yield_now().await;
                now.fetch_sub(1, Ordering::Relaxed);
                Ok(batch(&[("x", numbers(at as i64, at as i64 + 1))]))
            };
            Ok(Part::new((1, bytes), stream::once(rows)))
        };
        stream::iter(0..self.parts).map(part).boxed()
    }
}

#[tokio::test]
async fn parts_of_a_file_are_decoded_side_by_side_as_long_as_they_are_small() {
    let lake = Fixture::new(&[("s/t.arrow", &file(&[batch(&[("x", numbers(0, 1))])], None))]).await;
    let (of, schema) = (pinned(&lake).await, batch(&[("x", numbers(0, 1))]).schema());
    for (beside_max, bytes, meet) in
        [(1, 1 << 10, 1), (3, 1 << 20, 3), (4, 30 << 20, 2), (4, 40 << 20, 1), (4, 1 << 40, 1)]
    {
        let decoder: &'static Meeting = Box::leak(Box::new(Meeting { parts: 13, bytes, meet, ..Meeting::default() }));
        let mut reader = Reader::open(decoder, (&of, &schema), Arc::clone(&schema), (100, beside_max)).unwrap();
        let mut rows = Vec::new();
        while let Some(batch) = reader.next().await.unwrap() {
            rows.extend(batch.column(0).as_primitive::<Int64Type>().values().iter().copied());
        }
        assert!(rows.iter().copied().eq(0..13), "{rows:?}");
        assert_eq!(decoder.decoded[1].load(Ordering::Relaxed), meet, "{beside_max} {bytes}");
    }
}
