//! FETCH and MOVE of a portal that Bind made: in PostgreSQL it is a cursor like those of DECLARE, and asyncpg moves its
//! own so.
//!
//! Owns: passing over a portal's rows and sending some as text. Must never know: cursors of DECLARE; the engine does.

use std::sync::Arc;

use super::backend;
use super::connection::{Connection, Step};
use super::encode::{Format, RowEncoder};
use super::extended::Started;
use super::portal::{Pace, Portal, Run, State};
use crate::engine::{Fetch, Tag};
use crate::error::{Error, SqlState};
use crate::session::StatementGuard;
use crate::session::transaction::{self, Status};

impl Connection {
    /// The portal that a FETCH or MOVE means, if it is none of DECLARE's.
    pub(super) fn fetches_portal(&self, fetch: &Fetch) -> bool {
        self.portals.has(&fetch.cursor) && !self.session.cursors().contains_key(&fetch.cursor)
    }

    pub(super) async fn fetch_portal(&mut self, fetch: &Fetch) -> Step {
        let before = self.session.transaction().status;
        if before == Status::Failed {
            return Err(transaction::aborted().into());
        }
        let guard = self.session.begin_statement();
        let (mut portal, place) = self.portals.take(&fetch.cursor)?;
        let count = self.fetch_from(&mut portal, fetch, &guard).await?;
        self.portals.put_back(fetch.cursor.clone(), portal, place);
        let tag = if fetch.is_move { "MOVE" } else { "FETCH" };
        self.complete(&Tag::rows(tag), count, before)
    }

    async fn fetch_from(&mut self, portal: &mut Portal, fetch: &Fetch, guard: &StatementGuard) -> Step<u64> {
        let (skip, take) = fetch.movement.forward_only()?;
        let started = match std::mem::replace(&mut portal.state, State::Done) {
            State::Bound(values) => self.start(portal, values, guard, 1).await?,
            State::Suspended(run) => Started::Rows(*run),
            State::Done => return Ok(0),
        };
        let Started::Rows(mut run) = started else {
            let message = format!("cursor \"{}\" does not return rows", fetch.cursor);
            return Err(Error::new(SqlState::ObjectNotInPrerequisiteState, message).into());
        };
        self.pass(&mut run, skip, guard).await?;
        let count = match fetch.is_move {
            true => self.pass(&mut run, take, guard).await?,
            false => self.send_as_text(&mut run, take, guard).await?,
        };
        portal.state = State::Suspended(Box::new(run));
        Ok(count)
    }

    /// Passes over rows, fewer at the end, and tells how many.
    async fn pass(&mut self, run: &mut Run, count: usize, guard: &StatementGuard) -> Step<u64> {
        let pace = Pace::new();
        let passing = async {
            let mut left = count;
            while left > 0 {
                let Some(slice) = run.rows.next(left, &pace).await.transpose()? else { break };
                left -= slice.len();
            }
            Ok((count - left) as u64)
        };
        self.watch(guard, passing).await
    }

    async fn send_as_text(&mut self, run: &mut Run, count: usize, guard: &StatementGuard) -> Step<u64> {
        let columns = Arc::clone(run.rows.schema());
        let formats = vec![Format::Text; columns.fields().len()];
        backend::row_description(&mut self.wire.output, &columns, &[], &formats)?;
        if count == 0 {
            return Ok(0);
        }
        let text = Arc::new(RowEncoder::of(run.rows.stream(), &formats, &self.display())?);
        let encoder = std::mem::replace(&mut run.encoder, text);
        let rows_max = if count == usize::MAX { 0 } else { count };
        let sent = self.send_rows(run, guard, rows_max).await?;
        run.encoder = encoder;
        Ok(sent)
    }
}
