//! From the configuration to object stores, one per source, each seeing only what is below its root.
//!
//! Owns: addresses, credentials, timeouts and retries. Must never know: what a file holds.

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::client::SpawnedReqwestConnector;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{ClientOptions, ObjectMeta, ObjectStore, RetryConfig};
use url::Url;

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
}

impl Source {
    pub(crate) fn open(index: usize, config: &SourceConfig) -> Result<Self, Error> {
        let bad = |reason: String| Error::Source { root: config.url.clone(), reason };
        let url = Url::parse(&format!("lake-source://{index}")).map_err(|error| bad(error.to_string()))?;
        let (store, folder): (Arc<dyn ObjectStore>, _) = match config.url.split_once("://") {
            Some(("s3" | "s3a", place)) => (bucket(place, config)?, None),
            Some(("file", path)) => local(path, config)?,
            Some((scheme, _)) => return Err(bad(format!("unknown scheme \"{scheme}\""))),
            None => local(&config.url, config)?,
        };
        Ok(Self { root: config.url.trim_end_matches('/').to_owned(), url, store, folder })
    }

    /// Every object below the root, by key.
    pub(crate) async fn list(&self) -> Result<Vec<ObjectMeta>, Error> {
        let mut objects = Vec::new();
        let mut listing = self.store.list(None);
        while let Some(object) = listing.next().await {
            objects.push(object.map_err(|cause| self.failed(cause))?);
        }
        objects.sort_unstable_by(|a, b| a.location.cmp(&b.location));
        Ok(objects)
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

fn local(path: &str, config: &SourceConfig) -> Result<(Arc<dyn ObjectStore>, Option<PathBuf>), Error> {
    let bad = |reason: String| Error::Source { root: config.url.clone(), reason };
    let folder = std::fs::canonicalize(path).map_err(|error| bad(error.to_string()))?;
    std::fs::read_dir(&folder).map_err(|error| bad(error.to_string()))?;
    let store = LocalFileSystem::new_with_prefix(&folder).map_err(|error| bad(error.to_string()))?;
    Ok((Arc::new(store), Some(folder)))
}

fn bucket(place: &str, config: &SourceConfig) -> Result<Arc<dyn ObjectStore>, Error> {
    let bad = |reason: String| Error::Source { root: config.url.clone(), reason };
    let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
    let client = ClientOptions::new()
        .with_timeout(REQUEST_TIMEOUT)
        .with_connect_timeout(CONNECT_TIMEOUT)
        .with_allow_http(config.allow_http);
    let retry = RetryConfig { max_retries: RETRIES_MAX, retry_timeout: RETRY_TIMEOUT, ..Default::default() };
    let mut builder = credentials(config)
        .with_bucket_name(bucket)
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
    let prefix = Path::parse(prefix.trim_matches('/')).map_err(|error| bad(error.to_string()))?;
    Ok(if prefix.as_ref().is_empty() { Arc::new(store) } else { Arc::new(PrefixStore::new(store, prefix)) })
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
