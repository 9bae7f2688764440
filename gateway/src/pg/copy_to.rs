//! COPY ... TO 'location' as text or CSV: what COPY ... TO STDOUT sends, put into an object of the lake.
//!
//! Owns: nothing but the way from rows to bytes. Must never know: where the object is.

use std::sync::Arc;

use bytes::BytesMut;

use super::connection::{Connection, Step};
use super::copy::Lines;
use super::encode::{Format, RowEncoder};
use super::portal::{Pace, Rows};
use crate::engine::{Engine, Outgoing, Tag};
use crate::error::Result;
use crate::session::StatementGuard;
use crate::session::transaction::Status;
use crate::session::vars::Display;

impl Connection {
    pub(super) async fn copy_to(&mut self, outgoing: Outgoing, guard: &StatementGuard, before: Status) -> Step {
        let writing = written(Arc::clone(&self.engine), outgoing, self.display());
        let tag = self.watch(guard, Box::pin(writing)).await?;
        self.complete(&tag, 0, before)
    }
}

async fn written(engine: Arc<Engine>, outgoing: Outgoing, display: Display) -> Result<Tag> {
    let formats = vec![Format::Text; outgoing.columns().fields().len()];
    let Outgoing { stream, how, mut object } = outgoing;
    let encoder = Arc::new(RowEncoder::of(&stream, &formats, &display)?);
    let lines = Arc::new(Lines::new(how));
    let mut head = BytesMut::new();
    lines.head(stream.schema(), &mut head);
    object.put(&head).await?;
    let (mut rows, pace) = (Rows::new(stream), Arc::new(Pace::new()));
    let mut count = 0;
    while let Some(slice) = rows.next(usize::MAX, &pace).await {
        let slice = slice?;
        count += slice.len() as u64;
        let (encoder, lines, pace) = (Arc::clone(&encoder), Arc::clone(&lines), Arc::clone(&pace));
        let encode = move || {
            let (rows, _) = slice.encode(&encoder, None, &pace)?;
            let mut out = BytesMut::with_capacity(rows.len());
            lines.plain(&rows, &mut out).map(|()| out)
        };
        object.put(&engine.on_cpu(encode).await??).await?;
    }
    object.finish(count).await
}
