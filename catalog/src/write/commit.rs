//! The one moment at which a change is seen: an object of the log that is put where none is.
//!
//! Owns: which changes of others a change can follow, and that an answer which was lost is found out. Must never do: put a
//! commit twice.

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload};

use super::action::{Added, Commit};
use super::leftovers::Held;
use super::rows::Writer;
use super::step::Steps;
use super::target::Target;
use super::{Column, Fault, dropped, protocol, schema};
use crate::Error;
use crate::format::delta::action::{Add, Metadata, Protocol};
use crate::format::delta::{State, commit_key};
use crate::notify::Places;
use crate::publish::Lake;
use crate::random::jitter;
use crate::snapshot::{Kind, LakeTable};
use crate::store::Source;

/// How often a change follows those of others.
const TRIES: u32 = 30;
const PAUSE: Duration = Duration::from_millis(10);
const PAUSE_MAX: Duration = Duration::from_millis(500);

/// A state that was seen longer ago is looked at anew: of the log since then a commit may be gone, and its place free again.
/// Commits are kept for longer than that.
const SEEN_MAX: Duration = Duration::from_secs(1_800);

/// How often one commit is put while the store gives no clear answer.
const PUTS: u32 = 4;

/// Keys around which the lake is listed after a commit; of more, all of it is.
const KEYS_MAX: usize = 16;

/// What a statement, or a block of them, does to one table.
pub struct Change {
    pub(super) target: Target,
    operation: &'static str,
    pub(super) adds: Vec<Added>,
    pub(super) removes: Removes,
    protocol: Option<Protocol>,
    metadata: Option<Metadata>,
    pub(super) transactions: Steps,
    /// Whether it is behind the version that was seen, or nowhere.
    pub(super) follows_none: bool,
    held: Vec<Held>,
    /// Whether the rows are the same behind it.
    pub(super) is_compaction: bool,
}

pub(super) enum Removes {
    None,
    These(Vec<Arc<Add>>),
    /// Every file that is there at the moment of the commit.
    All,
}

/// What became of a commit.
pub(super) enum Put {
    Done,
    /// Another has its version.
    Taken,
}

impl Change {
    /// A change that does nothing yet.
    pub fn new(target: Target, operation: &'static str) -> Self {
        // Of a dropped table whose place it takes nothing stays.
        let removes = if target.made.is_some() { Removes::All } else { Removes::None };
        let (protocol, metadata, adds, transactions, held) = Default::default();
        let (follows_none, is_compaction) = (false, false);
        Self { target, operation, adds, removes, protocol, metadata, transactions, follows_none, held, is_compaction }
    }

    pub(super) fn drop(target: Target, property: &str) -> Self {
        let metadata = target.state.as_ref().map(|state| {
            let mut metadata = state.metadata.clone();
            metadata.configuration.insert(property.to_owned(), Some("true".to_owned()));
            metadata
        });
        Self { removes: Removes::All, metadata, ..Self::new(target, "DROP TABLE") }
    }

    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Adds the rows of a writer, and names their files as the log does.
    pub async fn add(&mut self, writer: Writer) -> Result<Vec<String>, Error> {
        let written = writer.finish().await?;
        let names = written.adds.iter().map(|add| add.path.clone()).collect();
        let data_change = !self.is_compaction;
        self.adds.extend(written.adds.into_iter().map(|add| Added { data_change, ..add }));
        self.held.extend(written.held);
        Ok(names)
    }

    /// Adds columns behind the others; in rows that are there they are NULL.
    pub fn add_columns(&mut self, columns: &[Column]) -> Result<(), Error> {
        let Some(state) = self.target.state.as_ref().filter(|_| !columns.is_empty()) else { return Ok(()) };
        let mut metadata = state.metadata.clone();
        metadata.schema_string = schema::with_columns(&metadata.schema_string, columns).ok_or_else(|| Fault::Rows {
            table: self.target.name.name.clone(),
            reason: "a column has no type of Delta's".to_owned(),
        })?;
        if columns.iter().any(Column::has_local_times) {
            self.protocol = protocol::with_local_times(&state.protocol);
        }
        self.metadata = Some(metadata);
        Ok(())
    }

    /// Whether the table gets other columns, so that those of the target are not its own.
    pub fn alters(&self) -> bool {
        self.metadata.is_some()
    }

    /// Takes all rows away that are there.
    pub fn remove_all(&mut self) -> Result<(), Error> {
        self.may_remove()?;
        self.removes = Removes::All;
        Ok(())
    }

    /// Takes the rows of files away, by their places among those of the target.
    pub fn remove(&mut self, places: &[usize]) -> Result<(), Error> {
        self.may_remove()?;
        self.removes = Removes::These(self.target.at(places));
        Ok(())
    }

    /// Whether it takes rows away.
    pub fn removes(&self) -> bool {
        !matches!(self.removes, Removes::None) && self.target.made.is_none()
    }

    /// Leaves all rows where they are.
    pub fn remove_none(&mut self) {
        self.removes = if self.target.made.is_some() { Removes::All } else { Removes::None };
    }

    fn may_remove(&self) -> Result<(), Error> {
        match &self.target.state {
            Some(state) if protocol::is_append_only(&state.metadata) => {
                Err(Fault::AppendOnly { table: self.target.name.name.clone() }.into())
            }
            _ => Ok(()),
        }
    }

    /// Whether there is something to commit.
    fn is_empty(&self) -> bool {
        let removes_nothing = match &self.removes {
            Removes::None => true,
            Removes::These(files) => files.is_empty(),
            Removes::All => self.target.state.as_ref().is_none_or(|state| state.files.is_empty()),
        };
        let changes_nothing = self.metadata.is_none() && self.target.made.is_none() && self.transactions.own.is_empty();
        removes_nothing && self.adds.is_empty() && changes_nothing
    }

    /// The text of the commit that follows a state.
    fn text(&self, state: Option<&State>, id: uuid::Uuid, timestamp_ms: i64) -> Result<Vec<u8>, Error> {
        let all: Vec<Arc<Add>>;
        let removes = match &self.removes {
            Removes::None => &[],
            Removes::These(files) => files.as_slice(),
            Removes::All => {
                all = state.map(|state| state.files.values().map(Arc::clone).collect()).unwrap_or_default();
                all.as_slice()
            }
        };
        let (protocol, made) = self.target.made.as_ref().map_or((None, None), |(p, m)| (Some(p), Some(m)));
        let (protocol, metadata) = (self.protocol.as_ref().or(protocol), self.metadata.as_ref().or(made));
        let commit = Commit {
            operation: self.operation,
            is_blind_append: removes.is_empty() && metadata.is_none(),
            id,
            timestamp_ms,
            protocol,
            metadata,
            transactions: &self.transactions.own,
            removes,
            adds: &self.adds,
            data_change: !self.is_compaction,
        };
        commit
            .text()
            .map_err(|error| Fault::Rows { table: self.target.name.name.clone(), reason: error.to_string() }.into())
    }

    /// What the table is declared as behind it.
    fn after(&self) -> Option<&Metadata> {
        let made = self.target.made.as_ref().map(|(_, metadata)| metadata);
        self.metadata.as_ref().or(made).or_else(|| self.target.state.as_ref().map(|state| &state.metadata))
    }

    /// Whether the change means the same after those that others have made meanwhile.
    fn follows(&self, state: &State) -> Result<(), Fault> {
        if self.follows_none {
            return Err(Fault::Conflict { what: "refresh" });
        }
        self.transactions.follow(&state.transactions)?;
        let seen = self.target.state.as_ref();
        if seen.is_none_or(|seen| seen.metadata != state.metadata || seen.protocol != state.protocol) {
            return Err(Fault::Conflict { what: "change of the table" });
        }
        match &self.removes {
            Removes::These(files) if !files.iter().all(|file| state.files.contains_key(&file.key())) => {
                Err(Fault::Conflict { what: "update" })
            }
            _ => Ok(()),
        }
    }
}

impl Lake {
    /// Makes a change, shows it to every new statement of this process, and gives its version; `None` is no change.
    ///
    /// 40001 if another change came first that this one cannot follow, 42P07 if a table was made meanwhile. What was
    /// written for a change that fails is deleted; if the store does not tell whether it has failed, that is 40003 and all
    /// stays. Once begun it must not be dropped before its end, if the answer matters.
    pub async fn commit(&self, mut change: Change) -> Result<Option<u64>, Error> {
        if change.is_empty() {
            return Ok(None);
        }
        // From here on a commit may name the files.
        change.held.iter_mut().for_each(Held::keep);
        let done = self.put(&change, true).await;
        match &done {
            Ok(version) => {
                let Target { place, folder, .. } = &change.target;
                let mut keys: Vec<Path> = change.held.iter().flat_map(Held::paths).cloned().collect();
                keys.push(Path::from(commit_key(folder, *version)));
                if change.target.made.is_some() && change.target.state.is_some() && !change.target.replaces {
                    keys.push(dropped::revive(&change.target.source, folder).await?);
                }
                self.look_after(*place, keys).await;
                if let Some(metadata) = change.after() {
                    self.upkeep.committed(&change.target, metadata, *version);
                }
            }
            Err(Error::Write(Fault::Unknown { .. })) => {}
            Err(_) => change.held.iter_mut().for_each(Held::give_back),
        }
        done.map(Some)
    }

    /// The last commit of a table that goes: whatever others have made of it, it follows.
    pub(super) async fn fence(&self, change: Change) -> Result<u64, Error> {
        self.put(&change, false).await
    }

    /// Puts the commit behind the newest one, and gives its version.
    async fn put(&self, change: &Change, checks: bool) -> Result<u64, Error> {
        let (id, timestamp_ms) = (uuid::Uuid::new_v4(), Utc::now().timestamp_millis());
        let Target { source, folder, name, .. } = &change.target;
        let mut state = change.target.state.clone();
        if change.target.seen_at.elapsed() > SEEN_MAX {
            state = self.seen_again(change, checks).await?;
        }
        for attempt in 0..TRIES {
            let version = state.as_ref().map_or(0, |state| state.version + 1);
            let text = change.text(state.as_deref(), id, timestamp_ms)?;
            let path = Path::from(commit_key(folder, version));
            match put(source, &path, text, &name.name).await? {
                Put::Done => return Ok(version),
                Put::Taken if change.target.made.is_some() && !change.target.replaces => {
                    return Err(Fault::Exists { table: name.name.clone() }.into());
                }
                Put::Taken => {}
            }
            // Who comes last shall not come last again.
            let pause = (PAUSE * 2_u32.saturating_pow(attempt.min(6))).min(PAUSE_MAX);
            tokio::time::sleep(jitter(pause)).await;
            let newest = self.newest(change, &path).await?;
            if checks {
                change.follows(&newest)?;
            }
            state = Some(newest);
        }
        Err(Fault::Conflict { what: "update" }.into())
    }

    /// The table as it is now, if the change can follow it.
    async fn seen_again(&self, change: &Change, checks: bool) -> Result<Option<Arc<State>>, Error> {
        let Target { folder, made, replaces, state, name, .. } = &change.target;
        self.refresh().await?;
        let version = state.as_ref().map(|state| state.version);
        let path = Path::from(commit_key(folder, version.unwrap_or_default()));
        match self.newest(change, &path).await {
            Ok(_) if made.is_some() && !replaces => Err(Fault::Exists { table: name.name.clone() }.into()),
            Ok(newest) => {
                if checks && version != Some(newest.version) {
                    change.follows(&newest)?;
                }
                Ok(Some(newest))
            }
            // There is no table yet.
            Err(Error::Write(Fault::Conflict { .. })) if made.is_some() && !replaces => Ok(state.clone()),
            Err(error) => Err(error),
        }
    }

    /// The table as it is now that `path` is in its log.
    async fn newest(&self, change: &Change, path: &Path) -> Result<Arc<State>, Error> {
        let Target { name, place, folder, .. } = &change.target;
        let mark = Path::from(dropped::mark(folder));
        self.look_at(Places::Keys([(*place, path.clone()), (*place, mark)].into())).await?;
        let snapshot = self.snapshot();
        let table = snapshot.table(&name.schema, &name.name).map(|table| &table.kind);
        match table {
            Some(Kind::Lake(lake)) if lake.manifest().folder.as_deref() == Some(folder) => lake.state().await,
            _ => Err(Fault::Conflict { what: "drop of the table" }.into()),
        }
    }

    /// Lists the lake around keys that were written. What was committed stays so if that fails: the poll finds it.
    pub(super) async fn look_after(&self, place: usize, keys: Vec<Path>) {
        let places = match keys.len() {
            0..=KEYS_MAX => Places::Keys(keys.into_iter().map(|key| (place, key)).collect()),
            _ => Places::All,
        };
        if let Err(error) = self.look_at(places).await {
            tracing::warn!(%error, "the lake could not be listed after a commit");
        }
    }
}

impl LakeTable {
    /// What its log tells.
    pub(super) async fn state(&self) -> Result<Arc<State>, Error> {
        let opened = self.open().await?;
        let state = opened.delta.as_ref().map(|delta| Arc::clone(&delta.state));
        state.ok_or_else(|| Error::Unversioned { table: String::new(), format: self.format() })
    }
}

/// Puts a commit where none is. An answer that was lost is found out: the commit has a mark that no other has.
pub(super) async fn put(source: &Source, path: &Path, text: Vec<u8>, table: &str) -> Result<Put, Error> {
    let payload = PutPayload::from(text.clone());
    let mut last = None;
    for attempt in 0..PUTS {
        if attempt > 0 {
            tokio::time::sleep(PAUSE * 2_u32.saturating_pow(attempt)).await;
        }
        let options = PutOptions { mode: PutMode::Create, ..Default::default() };
        let error = match source.store.put_opts(path, payload.clone(), options).await {
            Ok(_) => return Ok(Put::Done),
            Err(error) => error,
        };
        let found = match source.store.get(path).await {
            Ok(found) => found.bytes().await,
            Err(error) => Err(error),
        };
        match found {
            Ok(found) if found == text => return Ok(Put::Done),
            Ok(_) => return Ok(Put::Taken),
            Err(object_store::Error::NotFound { .. }) if is_refusal(&error) => return Err(Fault::store(error)),
            // The put may still be on its way: the same object is put again.
            Err(_) => last = Some(error),
        }
    }
    let cause = last.unwrap_or(object_store::Error::NotImplemented {
        operation: "put".to_owned(),
        implementer: "the store".to_owned(),
    });
    Err(Fault::Unknown { table: table.to_owned(), cause: Arc::new(cause) }.into())
}

/// Whether the store has not even tried.
fn is_refusal(error: &object_store::Error) -> bool {
    use object_store::Error as E;
    matches!(
        error,
        E::PermissionDenied { .. } | E::Unauthenticated { .. } | E::NotSupported { .. } | E::NotImplemented { .. }
    )
}
