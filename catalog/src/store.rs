//! From the configuration to object stores, one per source, each seeing only what is below its root.
//!
//! Owns: addresses, credentials, timeouts and retries. Must never know: what a file holds.

use std::collections::HashMap;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures::StreamExt;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::client::SpawnedReqwestConnector;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{ClientOptions, ObjectMeta, ObjectStore, RetryConfig};
use url::Url;

use crate::matview::is_state;
use crate::ranges::Ranges;
use crate::remembered::{Shelf, is_page};
use crate::shadow::Shadows;
use crate::write::Probe;
use crate::{Error, SourceConfig};

const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const RETRIES_MAX: usize = 6;
const RETRY_TIMEOUT: Duration = Duration::from_secs(60);
const REACHABLE_TIMEOUT: Duration = Duration::from_secs(5);

/// What the environment may say about credentials; the rest of it does not touch a source.
const ENVIRONMENT: [&str; 11] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
];

/// A root of the lake.
#[derive(Debug)]
pub(crate) struct Source {
    /// The root as configured; it holds no credential.
    pub(crate) root: String,
    /// The name under which plans know the store. It says nothing about the place.
    pub(crate) url: Url,
    pub(crate) store: Arc<dyn ObjectStore>,
    /// The folder of a local source, without links in its path.
    pub(crate) folder: Option<PathBuf>,
    /// The bucket of another, and where in it the root is.
    bucket: Option<(String, Path)>,
    /// What is known of its files from before.
    pub(crate) shelf: Shelf,
    /// Of the files of all sources.
    pub(crate) shadows: Arc<Shadows>,
    pub(crate) ranges: Arc<Ranges>,
    /// Whether SQL may write, and what the store was found to be good for.
    pub(crate) probe: Probe,
    /// When the last whole listing began, in microseconds since 1970; 0 is never.
    listed_at: AtomicI64,
}

impl Source {
    pub(crate) fn open(
        index: usize,
        config: &SourceConfig,
        (shelf, shadows, ranges): (Shelf, Arc<Shadows>, Arc<Ranges>),
    ) -> Result<Self, Error> {
        let bad = |reason: String| Error::Source { root: config.url.clone(), reason };
        let url = Url::parse(&format!("lake-source://{index}")).map_err(|error| bad(error.to_string()))?;
        let root = config.url.trim_end_matches('/').to_owned();
        let (path, place) = match config.url.split_once("://") {
            Some(("s3" | "s3a", place)) => ("", Some(place)),
            Some(("file", path)) => (path, None),
            Some((scheme, _)) => return Err(bad(format!("unknown scheme \"{scheme}\""))),
            None => (config.url.as_str(), None),
        };
        let (probe, listed_at) = (Probe::new(config.writable), AtomicI64::new(0));
        let Some(place) = place else {
            let (store, folder) = local(path, config)?;
            let folder = Some(folder);
            return Ok(Self { root, url, store, folder, bucket: None, shelf, shadows, ranges, probe, listed_at });
        };
        let (name, prefix) = place.split_once('/').unwrap_or((place, ""));
        let prefix = Path::parse(prefix.trim_matches('/')).map_err(|error| bad(error.to_string()))?;
        let store = bucket(name, &prefix, config)?;
        let bucket = Some((name.to_owned(), prefix));
        Ok(Self { root, url, store, folder: None, bucket, shelf, shadows, ranges, probe, listed_at })
    }

    /// The key below the root of an object of a bucket, if it is there.
    pub(crate) fn key_below(&self, bucket: &str, key: &str) -> Option<Path> {
        let (name, prefix) = self.bucket.as_ref()?;
        let inner = match prefix.as_ref() {
            "" => key,
            prefix => key.strip_prefix(prefix)?.strip_prefix('/')?,
        };
        Path::parse(inner).ok().filter(|inner| name == bucket && !inner.as_ref().is_empty())
    }

    /// Every object below the root, by key.
    pub(crate) async fn list(&self) -> Result<Vec<ObjectMeta>, Error> {
        let began_at = Utc::now().timestamp_micros();
        let (mut objects, mut pages) = (Vec::new(), HashMap::new());
        let mut listing = self.store.list(None);
        while let Some(object) = listing.next().await {
            let object = object.map_err(|cause| self.failed(cause))?;
            if is_page(&object.location) {
                pages.insert(object.location, object.size);
            } else if !is_state(&object.location) {
                objects.push(object);
            }
        }
        self.shelf.listed(pages);
        objects.sort_unstable_by(|a, b| a.location.cmp(&b.location));
        self.listed_at.store(began_at, Ordering::Relaxed);
        Ok(objects)
    }

    pub(crate) fn listed_at(&self) -> Option<DateTime<Utc>> {
        let micros = self.listed_at.load(Ordering::Relaxed);
        DateTime::from_timestamp_micros(micros).filter(|_| micros != 0)
    }

    /// The objects behind `after` up to `key`: one request, if little is new there. `None` if the store does not list by
    /// key, so that only a whole listing tells.
    pub(crate) async fn list_up_to(&self, after: Option<&Path>, key: &Path) -> Result<Option<Vec<ObjectMeta>>, Error> {
        let mut listing = match after {
            Some(after) => self.store.list_with_offset(None, after),
            None => self.store.list(None),
        };
        let mut objects: Vec<ObjectMeta> = Vec::new();
        while let Some(object) = listing.next().await {
            let object = object.map_err(|cause| self.failed(cause))?;
            let last = objects.last().map(|last| &last.location).or(after);
            if last.is_some_and(|last| object.location <= *last) {
                return Ok(None);
            }
            if object.location > *key {
                break;
            }
            objects.push(object);
        }
        objects.retain(|object| !is_page(&object.location) && !is_state(&object.location));
        Ok(Some(objects))
    }

    /// Whether the store answers now.
    pub(crate) async fn is_reachable(&self) -> bool {
        let first = async { self.store.list(None).next().await.transpose().map(drop) };
        matches!(tokio::time::timeout(REACHABLE_TIMEOUT, first).await, Ok(Ok(())))
    }

    pub(crate) fn failed(&self, cause: object_store::Error) -> Error {
        Error::Store { root: self.root.clone(), cause: Arc::new(cause) }
    }
}

fn local(path: &str, config: &SourceConfig) -> Result<(Arc<dyn ObjectStore>, PathBuf), Error> {
    let bad = |reason: String| Error::Source { root: config.url.clone(), reason };
    let folder = std::fs::canonicalize(path).map_err(|error| bad(error.to_string()))?;
    std::fs::read_dir(&folder).map_err(|error| bad(error.to_string()))?;
    let store = LocalFileSystem::new_with_prefix(&folder).map_err(|error| bad(error.to_string()))?;
    Ok((Arc::new(store), folder))
}

fn bucket(name: &str, prefix: &Path, config: &SourceConfig) -> Result<Arc<dyn ObjectStore>, Error> {
    let bad = |reason: String| Error::Source { root: config.url.clone(), reason };
    let client = ClientOptions::new()
        .with_timeout(REQUEST_TIMEOUT)
        .with_connect_timeout(CONNECT_TIMEOUT)
        .with_allow_http(config.allow_http);
    let retry = RetryConfig { max_retries: RETRIES_MAX, retry_timeout: RETRY_TIMEOUT, ..Default::default() };
    let mut builder = credentials(config)
        .with_bucket_name(name)
        .with_client_options(client)
        .with_retry(retry)
        .with_virtual_hosted_style_request(!config.path_style);
    if let Some(endpoint) = &config.endpoint {
        builder = builder.with_endpoint(endpoint);
    }
    if let Some(region) = &config.region {
        builder = builder.with_region(region);
    }
    // Queries run on threads of their own; sockets stay with the runtime that opened the lake.
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        builder = builder.with_http_connector(SpawnedReqwestConnector::new(runtime));
    }
    let store = builder.build().map_err(|error| bad(error.to_string()))?;
    Ok(if prefix.as_ref().is_empty() { Arc::new(store) } else { Arc::new(PrefixStore::new(store, prefix.clone())) })
}

/// Keys of the configuration; without them those of the environment, a web identity or the machine.
fn credentials(config: &SourceConfig) -> AmazonS3Builder {
    match (&config.access_key_id, &config.secret_access_key) {
        (Some(id), Some(secret)) => {
            AmazonS3Builder::new().with_access_key_id(id).with_secret_access_key(secret.reveal())
        }
        _ => ENVIRONMENT.iter().fold(AmazonS3Builder::new(), |builder, name| {
            let key = AmazonS3ConfigKey::from_str(&name.to_ascii_lowercase());
            match (key, std::env::var(name)) {
                (Ok(key), Ok(value)) => builder.with_config(key, value),
                _ => builder,
            }
        }),
    }
}
