//! Whether a store can be written without losing anything: it must put an object only where none is, and list it at once.
//!
//! Owns: the test, which is made at the start and again as long as the store gives no answer. Must never know: a table.

use std::time::Duration;

use futures::StreamExt;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload};
use parking_lot::Mutex;

use super::Fault;
use crate::random::random;
use crate::store::Source;

/// Hidden from discovery, as all of `_lakegate`.
const FOLDER: &str = "_lakegate/probe";

/// The whole test; a store that takes longer is asked again by the next write.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Writers that put the same object at once.
const AT_ONCE: usize = 8;

/// What is known of a source as one to write to.
#[derive(Debug)]
pub(crate) struct Probe {
    writable: bool,
    found: Mutex<Found>,
}

#[derive(Debug, Clone, Default, PartialEq)]
enum Found {
    /// Nothing yet, or why the store gave no answer.
    #[default]
    Nothing,
    NoAnswer(String),
    Fit,
    Unfit(String),
}

/// Why a test ended.
enum End {
    /// The store answered, and wrong.
    Unfit(String),
    NoAnswer(Error),
}

impl Probe {
    pub(crate) fn new(writable: bool) -> Self {
        Self { writable, found: Mutex::default() }
    }

    /// Whether the configuration lets SQL write here.
    pub(crate) fn is_writable(&self) -> bool {
        self.writable
    }

    /// What the test found, in a word or with its reason; `None` where there is none.
    pub(crate) fn outcome(&self) -> Option<String> {
        if !self.writable {
            return None;
        }
        Some(match self.found.lock().clone() {
            Found::Nothing => "not tested".to_owned(),
            Found::NoAnswer(reason) => format!("no answer: {reason}"),
            Found::Fit => "passed".to_owned(),
            Found::Unfit(reason) => format!("failed: {reason}"),
        })
    }

    /// Tests the store, unless that is known; an unfit one is refused.
    pub(crate) async fn pass(source: &Source) -> Result<(), crate::Error> {
        let known = source.probe.found.lock().clone();
        match known {
            Found::Fit => return Ok(()),
            Found::Unfit(reason) => return Err(Fault::Unfit { reason }.into()),
            Found::Nothing | Found::NoAnswer(_) => {}
        }
        let ended = match tokio::time::timeout(TIMEOUT, test(source.store.as_ref())).await {
            Ok(Ok(())) => Found::Fit,
            Ok(Err(End::Unfit(reason))) => Found::Unfit(reason),
            Ok(Err(End::NoAnswer(error))) => {
                *source.probe.found.lock() = Found::NoAnswer(kind(&error).to_owned());
                return Err(Fault::store(error));
            }
            Err(_) => Found::NoAnswer(format!("it took more than {} s", TIMEOUT.as_secs())),
        };
        tracing::info!(source = source.root, found = ?ended, "tested whether the source can be written");
        *source.probe.found.lock() = ended.clone();
        match ended {
            Found::Fit => Ok(()),
            Found::Unfit(reason) | Found::NoAnswer(reason) => Err(Fault::Unfit { reason }.into()),
            Found::Nothing => Ok(()),
        }
    }
}

/// The kind of a failure, without what it was about.
fn kind(error: &Error) -> &'static str {
    match error {
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => "permission denied",
        Error::NotFound { .. } => "not found",
        _ => "the store failed",
    }
}

async fn test(store: &dyn ObjectStore) -> Result<(), End> {
    let path = Path::from(format!("{FOLDER}/{:016x}", random()));
    let outcome = steps(store, &path).await;
    if let Err(error) = store.delete(&path).await {
        tracing::debug!(%error, "a probe of the store stays");
    }
    outcome
}

async fn steps(store: &dyn ObjectStore, path: &Path) -> Result<(), End> {
    // Of several at once exactly one makes the object. A retried request can meet its own object, so none may be lost
    // only if another holds it.
    let puts = futures::future::join_all((0..AT_ONCE).map(|at| create(store, path, at)));
    let (mut made, mut refused) = (0, 0);
    for put in puts.await {
        match put {
            Ok(()) => made += 1,
            Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => refused += 1,
            Err(Error::NotImplemented { .. } | Error::NotSupported { .. }) => {
                return Err(End::Unfit("it has no conditional put".to_owned()));
            }
            Err(error) => return Err(End::NoAnswer(error)),
        }
    }
    if made > 1 || refused + 1 < AT_ONCE {
        return Err(End::Unfit(format!(
            "of {AT_ONCE} puts of one object on condition that there is none, {made} were taken"
        )));
    }
    match create(store, path, AT_ONCE).await {
        Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => {}
        Ok(()) => return Err(End::Unfit("it overwrites an object that it was told to create".to_owned())),
        Err(error) => return Err(End::NoAnswer(error)),
    }
    let mut listing = store.list(Some(&Path::from(FOLDER)));
    while let Some(object) = listing.next().await {
        if object.map_err(End::NoAnswer)?.location == *path {
            return Ok(());
        }
    }
    Err(End::Unfit("its listing does not show an object that was just put".to_owned()))
}

async fn create(store: &dyn ObjectStore, path: &Path, text: usize) -> Result<(), Error> {
    let options = PutOptions { mode: PutMode::Create, ..Default::default() };
    store.put_opts(path, PutPayload::from(text.to_string()), options).await.map(drop)
}
