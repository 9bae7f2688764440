//! The cookie of a login, and the token that stands beside it in every request that does something.
//!
//! Owns: their form, and how long they are good. The cookie is signed and no script can read it; another site can neither
//! send it nor learn the token. Nothing of it is kept here, so any replica with the same `auth.token_key` takes it.

use std::time::Duration;

use axum::http::HeaderMap;
use axum::http::header::COOKIE;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::auth::Seal;
use crate::auth::seal::{Purpose, nonce};
use crate::error::{Error, Result};

const NAME: &str = "lakegate_console";
const TOKEN_BYTES: usize = 16;

/// What a login is known by.
pub(super) struct Cookie {
    pub(super) role: String,
    token: [u8; TOKEN_BYTES],
}

impl Cookie {
    pub(super) fn new(role: &str) -> Result<Self> {
        let token = nonce().map_err(|_| Error::internal("the system gave no random bytes"))?;
        Ok(Self { role: role.to_owned(), token })
    }

    /// The token that requests show, as the page gets it.
    pub(super) fn token(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.token)
    }

    pub(super) fn has_token(&self, shown: &str) -> bool {
        crate::auth::equal(self.token().as_bytes(), shown.as_bytes())
    }

    /// The value of `Set-Cookie`.
    pub(super) fn set(&self, seal: &Seal, lives: Duration, is_encrypted: bool) -> String {
        let body = [self.token.as_slice(), self.role.as_bytes()].concat();
        let sealed = URL_SAFE_NO_PAD.encode(seal.seal(Purpose::Console, &body, lives));
        attributes(&sealed, lives.as_secs().max(1), is_encrypted)
    }

    /// What the browser sent, and how long it is good from now on; `None` if there is none, or none that was made here.
    pub(super) fn open(seal: &Seal, headers: &HeaderMap) -> Option<(Self, Duration)> {
        let lines = headers.get_all(COOKIE).into_iter().filter_map(|line| line.to_str().ok());
        let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let (_, value) = pairs.find(|(name, _)| *name == NAME)?;
        let sealed = URL_SAFE_NO_PAD.decode(value).ok()?;
        let (body, left) = seal.open_dated(Purpose::Console, &sealed).ok()?;
        let (token, role) = body.split_first_chunk::<TOKEN_BYTES>()?;
        let role = std::str::from_utf8(role).ok()?.to_owned();
        Some((Self { role, token: *token }, left)).filter(|(_, left)| !left.is_zero())
    }
}

/// The value of `Set-Cookie` that takes it away.
pub(super) fn gone(is_encrypted: bool) -> String {
    attributes("", 0, is_encrypted)
}

fn attributes(value: &str, seconds: u64, is_encrypted: bool) -> String {
    let secure = if is_encrypted { "; Secure" } else { "" };
    format!("{NAME}={value}; Path=/console; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(cookie: &str) -> HeaderMap {
        let pair = cookie.split(';').next().unwrap();
        HeaderMap::from_iter([(COOKIE, format!("other=1; {pair}").parse().unwrap())])
    }

    #[test]
    fn a_cookie_opens_where_it_was_made_and_as_long_as_it_is_good() {
        let seal = Seal::new([]).unwrap().for_lives_of(Duration::from_millis(10));
        let cookie = Cookie::new("ann").unwrap();
        let set = cookie.set(&seal, Duration::from_secs(60), true);
        assert!(set.ends_with("; Path=/console; Max-Age=60; HttpOnly; SameSite=Strict; Secure"), "{set}");
        let (opened, left) = Cookie::open(&seal, &sent(&set)).unwrap();
        assert_eq!((opened.role.as_str(), opened.token()), ("ann", cookie.token()));
        assert!(left > Duration::from_secs(50));
        assert!(opened.has_token(&cookie.token()) && !opened.has_token("") && !opened.has_token("AAAA"));
        assert!(Cookie::open(&Seal::new([]).unwrap(), &sent(&set)).is_none());
        assert!(Cookie::open(&seal, &sent(&set.replace("lakegate_console=A", "lakegate_console=B"))).is_none());
        assert!(Cookie::open(&seal, &HeaderMap::new()).is_none());
    }
}
