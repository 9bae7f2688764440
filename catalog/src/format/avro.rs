//! Avro object container files. <https://avro.apache.org/docs/1.12.0/specification/#object-container-files>
//!
//! Owns: blocks and their compression. Arrow's own reader decodes rows whose bytes were counted before.
//! Must never know: the types that a table shows.

mod container;
mod long;
mod pack;
mod rows;
mod shape;

use std::sync::Arc;

use arrow::datatypes::Schema;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt, TryStreamExt};

use self::container::Container;
use self::rows::Parts;
use super::blocks::{Decoder, Part};
use crate::Error;
use crate::pinned::Pinned;

#[derive(Debug)]
pub(super) struct Avro;

impl Decoder for Avro {
    fn columns(&self, file: Arc<Pinned>) -> BoxFuture<'static, Result<Schema, Error>> {
        async move {
            let container = Container::open(&file).await?;
            Ok(container.head.shape.tagged(rows::schema(&container.head)?.as_ref()))
        }
        .boxed()
    }

    fn parts(&self, file: Arc<Pinned>, columns: Vec<usize>) -> BoxStream<'static, Result<Part, Error>> {
        let open = async move {
            let parts = Parts::new(Container::open(&file).await?, columns)?;
            let parts = futures::stream::try_unfold(parts, |mut parts| async move {
                Ok(parts.next().await?.map(|part| (part, parts)))
            });
            Ok::<_, Error>(parts)
        };
        futures::stream::once(open).try_flatten().boxed()
    }
}

fn damaged(file: &Pinned, reason: impl std::fmt::Display) -> Error {
    file.unreadable(format!("its data is damaged: {reason}"))
}
