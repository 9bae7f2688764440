//! Where the keys of the identity provider come from: a file, an address, or what OpenID Connect's discovery tells.
//!
//! Owns: that keys once known stay while no newer ones can be had, and that nobody makes this server ask too often.
//! <https://openid.net/specs/openid-connect-discovery-1_0.html>

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use reqwest::Client;
use reqwest::redirect::Policy;
use serde::Deserialize;
use tokio::sync::Mutex;
use url::{Host, Url};

use super::keys::Keys;
use crate::config;

/// How old keys may be that nobody misses.
const EVERY: Duration = Duration::from_secs(600);
/// How soon it asks again: tokens with keys that nobody has are easily made.
const PAUSE: Duration = Duration::from_secs(10);
const TIMEOUT: Duration = Duration::from_secs(5);
/// Never read more than a set of keys can be.
const BYTES_MAX: usize = 1 << 20;

#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    #[error("{0} is not set")]
    Unset(&'static str),
    #[error("there can be a jwks_file or a jwks_url, not both")]
    TwoSources,
    #[error("{0} is no address that begins with https://")]
    Address(String),
    #[error("cannot read {path}")]
    File { path: PathBuf, source: std::io::Error },
    #[error("there is no key in {0} that signs in a way that is taken here")]
    NoKeys(String),
    #[error("{0} does not answer")]
    Http(String, #[source] reqwest::Error),
    #[error("{0} answers with more than {BYTES_MAX} bytes")]
    TooLong(String),
    #[error("{0} tells nothing of issuer {1}")]
    Discovery(String, String),
}

pub(super) struct Provider {
    source: Source,
    keys: ArcSwap<Keys>,
    /// When a token has last made it ask; who holds it asks.
    asked_at: Mutex<Option<Instant>>,
}

enum Source {
    File(PathBuf),
    Address { client: Client, keys: Url },
    Discovery { client: Client, issuer: String, document: Url },
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    jwks_uri: String,
}

impl Provider {
    pub(super) fn new(config: &config::Jwt) -> Result<Self, ProviderError> {
        let source = match (&config.jwks_file, &config.jwks_url) {
            (Some(_), Some(_)) => return Err(ProviderError::TwoSources),
            (Some(path), None) => Source::File(path.clone()),
            (None, Some(keys)) => Source::Address { client: client()?, keys: address(keys)? },
            (None, None) => {
                let document = format!("{}/.well-known/openid-configuration", config.issuer.trim_end_matches('/'));
                let document = address(&document)?;
                Source::Discovery { client: client()?, issuer: config.issuer.clone(), document }
            }
        };
        let keys = match &source {
            Source::File(path) => read(path)?,
            Source::Address { .. } | Source::Discovery { .. } => Keys::default(),
        };
        Ok(Self { source, keys: ArcSwap::from_pointee(keys), asked_at: Mutex::new(None) })
    }

    #[cfg(test)]
    pub(super) fn of_no_keys() -> Self {
        let source = Source::File(PathBuf::new());
        Self { source, keys: ArcSwap::default(), asked_at: Mutex::new(None) }
    }

    pub(super) fn keys(&self) -> Arc<Keys> {
        self.keys.load_full()
    }

    /// Asks for the keys from time to time, and soon again where they could not be had.
    pub(super) async fn keep(&self) {
        loop {
            let asking = self.asked_at.lock().await;
            let fetched = self.fetch().await;
            drop(asking);
            tokio::time::sleep(if fetched { EVERY } else { PAUSE }).await;
        }
    }

    /// Whether there are other keys than those `seen`, after asking for them unless a token has made it ask a moment ago.
    pub(super) async fn has_others(&self, seen: &Arc<Keys>) -> bool {
        let mut asked_at = self.asked_at.lock().await;
        if !Arc::ptr_eq(&self.keys.load(), seen) {
            return true;
        }
        if asked_at.is_some_and(|at| at.elapsed() < PAUSE) {
            return false;
        }
        *asked_at = Some(Instant::now());
        self.fetch().await
    }

    async fn fetch(&self) -> bool {
        match self.source.keys().await {
            Ok(keys) => {
                self.keys.store(Arc::new(keys));
                true
            }
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::warn!(%error, cause, "the keys of the identity provider stay as they were");
                false
            }
        }
    }
}

impl Source {
    async fn keys(&self) -> Result<Keys, ProviderError> {
        match self {
            Self::File(path) => {
                let path = path.clone();
                let read = tokio::task::spawn_blocking(move || read(&path)).await;
                read.unwrap_or_else(|_| Err(ProviderError::NoKeys("the file".to_owned())))
            }
            Self::Address { client, keys } => fetch(client, keys).await,
            Self::Discovery { client, issuer, document } => {
                let told: Option<Document> = serde_json::from_slice(&get(client, document).await?).ok();
                // Keys of another issuer would prove its tokens (OpenID Connect Discovery, 4.3).
                let told = told.filter(|told| told.issuer == *issuer);
                let told = told.ok_or_else(|| ProviderError::Discovery(document.to_string(), issuer.clone()))?;
                fetch(client, &address(&told.jwks_uri)?).await
            }
        }
    }
}

fn read(path: &Path) -> Result<Keys, ProviderError> {
    let bytes = std::fs::read(path).map_err(|source| ProviderError::File { path: path.to_owned(), source })?;
    Keys::read(&bytes).ok_or_else(|| ProviderError::NoKeys(path.display().to_string()))
}

async fn fetch(client: &Client, at: &Url) -> Result<Keys, ProviderError> {
    Keys::read(&get(client, at).await?).ok_or_else(|| ProviderError::NoKeys(at.to_string()))
}

async fn get(client: &Client, at: &Url) -> Result<Vec<u8>, ProviderError> {
    let failed = |error: reqwest::Error| ProviderError::Http(at.to_string(), error.without_url());
    let mut response =
        client.get(at.clone()).send().await.and_then(reqwest::Response::error_for_status).map_err(failed)?;
    let mut body = Vec::new();
    while let Some(part) = response.chunk().await.map_err(failed)? {
        body.extend_from_slice(&part);
        if body.len() > BYTES_MAX {
            return Err(ProviderError::TooLong(at.to_string()));
        }
    }
    Ok(body)
}

/// Keys that came in the clear could be anybody's: only this machine may send them so.
fn address(text: &str) -> Result<Url, ProviderError> {
    let wrong = || ProviderError::Address(text.to_owned());
    let at = Url::parse(text).map_err(|_| wrong())?;
    let is_here = match at.host() {
        Some(Host::Ipv4(host)) => host.is_loopback(),
        Some(Host::Ipv6(host)) => host.is_loopback(),
        Some(Host::Domain(host)) => host == "localhost",
        None => false,
    };
    match at.scheme() {
        "https" => Ok(at),
        "http" if is_here => Ok(at),
        _ => Err(wrong()),
    }
}

/// It follows nobody elsewhere.
fn client() -> Result<Client, ProviderError> {
    let client = Client::builder().redirect(Policy::none()).timeout(TIMEOUT).build();
    client.map_err(|error| ProviderError::Http("the client".to_owned(), error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_travel_in_the_clear_on_this_machine_only() {
        for good in ["https://id.example/keys", "http://127.0.0.1:8080/keys", "http://[::1]/keys", "http://localhost/"]
        {
            assert!(address(good).is_ok(), "{good}");
        }
        for bad in
            ["http://id.example/keys", "file:///etc/passwd", "keys", "http://127.0.0.1.example/", "ftp://localhost/"]
        {
            assert!(address(bad).is_err(), "{bad}");
        }
    }
}
