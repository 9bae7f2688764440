//! A refresh, from a listing to a commit.
//!
//! Owns: the order of its steps, by which it is done once or not at all, whoever else does the same and wherever it ends: the
//! record of what the rows were made of is there before the rows are seen, and both are found by the number in the commit.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use catalog::{
    Attempt, Class, Extent, Lease, Lineage, Name, Outcome, Phase, Progress, SourceLineage, Target, ValueRange,
};
use chrono::{DateTime, Utc};
use parking_lot::Mutex;
use tokio::time::Instant;

use super::build::{Build, Built};
use super::decide::{Decision, Task, decide};
use super::dirty;
use super::look::Look;
use super::status::Known;
use crate::engine::Core;
use crate::error::{Error, Result, SqlState};
use crate::session::StatementGuard;

/// How often it begins anew because a file was replaced, or another replica came first.
const TRIES: usize = 3;

/// Refreshes after which the files of earlier ones are looked through: each time costs a listing, and a look at the log of a day.
const VACUUM_EVERY: u64 = 64;

/// How long until it is asked again whether another replica is done.
const PAUSE: Duration = Duration::from_millis(250);

/// Who wants a refresh, and of which kind.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) by: String,
    pub(super) database: String,
    pub(super) is_full: bool,
    /// Whether somebody waits for it: then the lake is listed first, and another replica's refresh waited for. A job takes the
    /// lake as the last poll has seen it.
    pub(super) waits: bool,
}

/// Refreshes a view, unless somebody has done so since it was asked for.
pub(super) async fn refresh(core: &Arc<Core>, guard: &StatementGuard, name: &Name, asked: &Asked) -> Result<Attempt> {
    let arrived = Instant::now();
    let known = core.matviews.known(name);
    known.recall(&core.lake, name).await;
    let _turn = known.turn.lock().await;
    if let Some(done) = known.since(arrived).filter(|_| !asked.is_full) {
        return Ok(done);
    }
    let running = known.begin();
    let (listed, started_at) = (Instant::now(), Utc::now());
    let replica = core.matviews.replica();
    let (read, bytes_looked_into, over) = Default::default();
    let (known, progress) = (&*known, &*running.progress);
    let refresh = One { core, guard, known, name, asked, replica, started_at, read, bytes_looked_into, over, progress };
    let done = refresh.tried().await;
    let attempt = match &done {
        Ok(attempt) => attempt.clone(),
        // It is the other one's to tell.
        Err(error) if error.state == SqlState::ObjectInUse => return done,
        Err(_) if matches!(*refresh.over.lock(), Over::Same) => return done,
        Err(error) => refresh.failed(error),
    };
    let is_idle = attempt.outcome == Outcome::Unchanged;
    tidy(core, name, &attempt).await;
    if !is_idle {
        // What other replicas have done since is kept with it.
        known.merge(core.lake.attempts(name).await);
    }
    let attempts = known.add(attempt, (done.is_ok() && asked.waits).then_some(listed));
    if !is_idle && let Err(error) = core.lake.keep_attempts(name, &attempts).await {
        tracing::warn!(%error, view = %name, "the history of a materialized view was not kept");
    }
    done
}

/// Deletes what earlier refreshes have left, when it is time to.
async fn tidy(core: &Core, name: &Name, attempt: &Attempt) {
    if attempt.outcome != Outcome::Refreshed || !attempt.epoch.is_multiple_of(VACUUM_EVERY) {
        return;
    }
    match core.lake.vacuum(name).await {
        Ok(deleted) => tracing::debug!(view = %name, files = deleted.files, "files of earlier refreshes were deleted"),
        Err(error) => tracing::warn!(view = %name, %error, "files of earlier refreshes stay"),
    }
}

/// What a refresh would do now, in lines. New files of which nothing is known are read for it.
pub(super) async fn explained(
    core: &Arc<Core>,
    guard: &StatementGuard,
    name: &Name,
    asked: &Asked,
) -> Result<Vec<String>> {
    let (known, replica) = (core.matviews.known(name), core.matviews.replica());
    let (read, bytes_looked_into, over) = Default::default();
    let (started_at, known, progress) = (Utc::now(), &*known, &Progress::default());
    let refresh = One { core, guard, known, name, asked, replica, started_at, read, bytes_looked_into, over, progress };
    core.lake.refresh().await?;
    let looked = refresh.look().await?;
    let build = Build { core, guard, look: &looked.look, progress };
    Ok(build.explained(&looked.target, &looked.decision))
}

/// One refresh.
struct One<'a> {
    core: &'a Arc<Core>,
    guard: &'a StatementGuard,
    known: &'a Known,
    name: &'a Name,
    asked: &'a Asked,
    replica: &'a str,
    started_at: DateTime<Utc>,
    /// What was read of files for their bounds, so that another try need not.
    read: Mutex<HashMap<(String, String), Extent>>,
    bytes_looked_into: AtomicU64,
    over: Mutex<Over>,
    progress: &'a Progress,
}

/// What a refresh would fail over.
#[derive(Default)]
enum Over {
    /// It is not planned yet.
    #[default]
    Nothing,
    These(String, Arc<Vec<SourceLineage>>),
    /// The last one has failed over the same, and a job does not begin it again.
    Same,
}

/// The lake as one try sees it.
struct Looked {
    look: Look,
    target: Target,
    decision: Decision,
    /// Of the files of the driving table, of class P.
    extents: Vec<Option<Extent>>,
    listed_at: DateTime<Utc>,
}

impl One<'_> {
    async fn tried(&self) -> Result<Attempt> {
        for attempt in 1..TRIES {
            self.progress.enter(Phase::Listing);
            if self.asked.waits || attempt > 1 {
                self.core.lake.refresh().await?;
            }
            match self.once().await {
                Err(error) if is_overtaken(&error) => tracing::debug!(%error, view = %self.name, "refreshing anew"),
                done => return done,
            }
        }
        self.core.lake.refresh().await?;
        self.once().await
    }

    async fn once(&self) -> Result<Attempt> {
        let looked = self.look().await?;
        if matches!(looked.decision.task, Task::Nothing) {
            return Ok(self.unchanged(&looked));
        }
        let (lease, has_waited) = self.lease(&looked.target).await?;
        if has_waited {
            // What another has done meanwhile need not be done.
            self.core.lake.refresh().await?;
        }
        let is_new = looked.look.planned.scope.snapshot.version != self.core.lake.snapshot().version;
        let looked = if is_new { self.look().await? } else { looked };
        let done = match looked.decision.task {
            Task::Nothing => Ok(self.unchanged(&looked)),
            _ => self.make(&looked, lease.epoch).await,
        };
        lease.release().await;
        done
    }

    fn unchanged(&self, looked: &Looked) -> Attempt {
        if let Some(refreshed) = looked.look.table.refreshed() {
            self.known.check(refreshed, looked.listed_at);
        }
        self.attempt(Outcome::Unchanged, None)
    }

    /// A moment before which nothing has changed that it does not see.
    fn listed_at(&self) -> DateTime<Utc> {
        let looked_at = self.core.lake.looked_at().filter(|_| !self.asked.waits);
        looked_at.map_or(self.started_at, |looked_at| looked_at.min(self.started_at))
    }

    /// Plans the query over the lake as it is, and what is to be done.
    async fn look(&self) -> Result<Looked> {
        self.progress.enter(Phase::Planning);
        let listed_at = self.listed_at();
        let look = Look::at(self.core, self.name, &self.asked.database).await?;
        let sources = &look.made_of.lineage;
        if !self.asked.waits
            && let Some(error) = self.known.would_fail(&look.fingerprint, sources)
        {
            *self.over.lock() = Over::Same;
            return Err(error);
        }
        *self.over.lock() = Over::These(look.fingerprint.clone(), Arc::clone(sources));
        let target = look.target(self.core).await?;
        let base = self.base(&target).await?;
        let is_idle = !self.asked.is_full && base.as_deref().is_some_and(|base| is_as_before(&look, &target, base));
        let extents = if is_idle { Vec::new() } else { self.extents(&look, base.as_deref()).await? };
        let decision = decide(&look, &target, (base.as_deref(), &extents), self.asked.is_full)?;
        Ok(Looked { look, target, decision, extents, listed_at })
    }

    /// What the rows that are there were made of.
    async fn base(&self, target: &Target) -> Result<Option<Arc<Lineage>>> {
        let Some(epoch) = target.epoch() else { return Ok(None) };
        if let Some(known) = self.known.lineage().filter(|known| known.epoch == epoch && known.table == target.id()) {
            return Ok(Some(known));
        }
        let found = self.core.lake.lineage(self.name, epoch).await?.map(Arc::new);
        if let Some(found) = &found {
            self.known.learn(Arc::clone(found));
        }
        Ok(found)
    }

    /// Which partitions each file of the driving table can have rows of: as its format tells, as it was when the rows were
    /// made last, or as its values are, for which it is read.
    async fn extents(&self, look: &Look, base: Option<&Lineage>) -> Result<Vec<Option<Extent>>> {
        let (Class::Partition, Some(driver), _) = look.class() else { return Ok(Vec::new()) };
        let (Some((key, place)), Some(now)) = (&driver.key, look.made_of.lineage.get(driver.place)) else {
            return Ok(Vec::new());
        };
        let before = base.and_then(|base| base.sources.get(driver.place)).filter(|before| before.table == now.table);
        let Some(of) = look.partition_type(*place) else { return Ok(Vec::new()) };
        let state = &look.planned.scope.state;
        let mut extents = dirty::extents(&driver.table.ranges(&key.column), (&driver.table, key), &of, state)?;
        if let Some(before) = before.filter(|_| base.is_some_and(|base| base.definition == look.fingerprint)) {
            self.read.lock().extend(
                before
                    .objects
                    .iter()
                    .filter_map(|object| Some(((object.key.clone(), object.version.clone()), object.extent.clone()?))),
            );
        }
        let named = |at: usize| now.objects.get(at).map(|object| (object.key.clone(), object.version.clone()));
        let mut unknown = Vec::new();
        for (at, extent) in extents.iter_mut().enumerate().filter(|(_, extent)| extent.is_none()) {
            match named(at).and_then(|named| self.read.lock().get(&named).cloned()) {
                Some(read) => *extent = Some(read),
                None => unknown.push(at),
            }
        }
        let can_be_read = driver.table.data_type(&key.column).is_some_and(|data_type| !data_type.is_floating());
        if unknown.is_empty() || !can_be_read {
            return Ok(extents);
        }
        let build = Build { core: self.core, guard: self.guard, look, progress: self.progress };
        let ranges = build.look_into(&driver.table, &key.column, &unknown).await?;
        let ranges: Vec<Option<ValueRange>> = ranges.into_iter().map(Some).collect();
        let read = dirty::extents(&ranges, (&driver.table, key), &of, state)?;
        for (at, extent) in unknown.into_iter().zip(read) {
            self.bytes_looked_into
                .fetch_add(build.object_bytes(&driver.table, at).unwrap_or_default(), Ordering::Relaxed);
            if let (Some(named), Some(extent)) = (named(at), &extent) {
                self.read.lock().insert(named, extent.clone());
            }
            if let Some(place) = extents.get_mut(at) {
                *place = extent;
            }
        }
        Ok(extents)
    }

    /// Waits for the right to refresh, if it was asked to; tells whether it had to.
    async fn lease(&self, target: &Target) -> Result<(Lease, bool)> {
        let (after, mut has_waited) = (target.fence().unwrap_or_default(), false);
        loop {
            if let Some(lease) = self.core.lake.lease(self.name, self.replica, after).await? {
                return Ok((lease, has_waited));
            }
            if !self.asked.waits {
                let message = format!("another server refreshes materialized view \"{}\"", self.name.name);
                return Err(Error::new(SqlState::ObjectInUse, message));
            }
            self.progress.enter(Phase::Waiting);
            tokio::time::sleep(PAUSE).await;
            has_waited = true;
        }
    }

    /// Makes the rows, keeps what they were made of, and commits.
    async fn make(&self, looked: &Looked, epoch: u64) -> Result<Attempt> {
        let Looked { look, target, decision, .. } = looked;
        let build = Build { core: self.core, guard: self.guard, look, progress: self.progress };
        self.progress.write(epoch);
        let mut built = build.carry_out(target, decision).await?;
        let lineage = self.lineage(looked, &built, epoch);
        self.core.lake.keep_lineage(self.name, &lineage).await?;
        built.change.step_to(epoch, lineage.listed_at);
        let Built { change, rows, bytes_read, files_written, files_removed, .. } = built;
        self.progress.enter(Phase::Committing);
        self.guard.shield();
        let version = self.core.lake.commit(change).await?;
        self.core.lake.forget_lineages(self.name, target.epoch().unwrap_or(epoch)).await;
        self.known.learn(Arc::new(lineage));
        let reason = match &decision.task {
            Task::All(reason) => Some(reason.clone()),
            _ => None,
        };
        let [added, changed, removed] = decision.difference.map(|count| count as u64);
        Ok(Attempt {
            epoch,
            class: Some(decision.class.text().to_owned()),
            objects_added: added,
            objects_changed: changed,
            objects_removed: removed,
            bytes_read: bytes_read + self.bytes_looked_into.load(Ordering::Relaxed),
            rows_written: rows,
            files_written: files_written as u64,
            files_removed: files_removed as u64,
            version,
            ..self.attempt(Outcome::Refreshed, reason)
        })
    }

    /// The record of what the rows are made of from now on.
    fn lineage(&self, looked: &Looked, built: &Built, epoch: u64) -> Lineage {
        let Looked { look, target, decision, extents, .. } = looked;
        let mut sources = look.made_of.lineage.to_vec();
        if let Some(source) = decision.driver.as_ref().and_then(|driver| sources.get_mut(driver.place)) {
            for (object, extent) in source.objects.iter_mut().zip(extents) {
                object.extent.clone_from(extent);
            }
        }
        let driver = decision.driver.as_ref().map(|driver| driver.place);
        // The commit follows the version that was seen, or there is none.
        let table = (target.id().to_owned(), target.version().map_or(0, |version| version + 1));
        let definition = look.fingerprint.clone();
        let buckets = built.buckets.clone();
        Lineage::new(epoch, table, definition, decision.class, driver, looked.listed_at, sources, buckets)
    }

    fn failed(&self, error: &Error) -> Attempt {
        if let (true, Over::These(fingerprint, sources)) = (is_lasting(error), std::mem::take(&mut *self.over.lock())) {
            self.known.blame(fingerprint, sources, error.clone());
        }
        let detail = error.detail.as_ref().map(|detail| format!(" {detail}")).unwrap_or_default();
        let reason = format!("{} ({}){detail}", error.message, error.state.code());
        self.attempt(Outcome::Failed, Some(reason))
    }

    fn attempt(&self, outcome: Outcome, reason: Option<String>) -> Attempt {
        Attempt {
            epoch: 0,
            started_at: self.started_at,
            ended_at: Utc::now(),
            outcome,
            class: None,
            reason,
            objects_added: 0,
            objects_changed: 0,
            objects_removed: 0,
            bytes_read: 0,
            rows_written: 0,
            files_written: 0,
            files_removed: 0,
            version: None,
            asked_by: self.asked.by.clone(),
            replica: self.replica.to_owned(),
        }
    }
}

/// Whether nothing has to be known of the files, since all of them are as they were.
fn is_as_before(look: &Look, target: &Target, base: &Lineage) -> bool {
    base.table == target.id()
        && target.version() == Some(base.version)
        && base.definition == look.fingerprint
        && base.sources.len() == look.made_of.lineage.len()
        && base.sources.iter().zip(look.made_of.lineage.iter()).all(|(before, now)| before.difference(now).is_empty())
}

/// Whether the query fails for what it is, or for what its files are: data, syntax and names, types, what is not supported.
pub(super) fn is_lasting(error: &Error) -> bool {
    ["0A", "21", "22", "23", "42"].iter().any(|class| error.state.code().starts_with(class))
}

/// Whether a file was replaced while it was read, or another has committed first.
fn is_overtaken(error: &Error) -> bool {
    matches!(error.state, SqlState::SerializationFailure | SqlState::UndefinedFile)
}
