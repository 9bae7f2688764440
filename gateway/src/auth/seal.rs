//! Signed and dated bytes: the tokens, tickets and handles that clients carry for the server.
//!
//! Owns: their form, and which keys are believed. Whoever has the key can open what another replica sealed, so nothing of
//! them is kept. They are not secret to their owner: only what the client may know goes into them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};

const VERSION: u8 = 2;
/// Version, purpose, time.
const HEAD_BYTES: usize = 10;
const TAG_BYTES: usize = 32;
/// Clocks of replicas may differ by so much, where what is sealed lives much longer.
const SKEW_MAX: Duration = Duration::from_secs(60);

/// What sealed bytes are for; those of one purpose never pass for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Purpose {
    Token = 1,
    Ticket = 2,
    Handle = 3,
    Console = 4,
}

/// Why sealed bytes were not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    #[error("it was not made here")]
    Forged,
    #[error("it has expired")]
    Expired,
}

/// Seals with the first key, opens with any.
pub struct Seal {
    keys: Vec<hmac::Key>,
    skew: Duration,
}

impl Seal {
    /// Without a key there is one that dies with the process.
    pub fn new<'a>(keys: impl IntoIterator<Item = &'a str>) -> Result<Self, ring::error::Unspecified> {
        let mut keys: Vec<hmac::Key> =
            keys.into_iter().map(|key| hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes())).collect();
        if keys.is_empty() {
            keys.push(hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new())?);
        }
        Ok(Self { keys, skew: SKEW_MAX })
    }

    /// Tolerates no more of the clocks than a tenth of this life.
    pub fn for_lives_of(self, lives: Duration) -> Self {
        Self { skew: SKEW_MAX.min(lives / 10), ..self }
    }

    /// Bytes that open until `lives` from now.
    pub fn seal(&self, purpose: Purpose, body: &[u8], lives: Duration) -> Vec<u8> {
        let until = millis(since_epoch().saturating_add(lives));
        let mut sealed = Vec::with_capacity(HEAD_BYTES + body.len() + TAG_BYTES);
        sealed.extend([VERSION, purpose as u8]);
        sealed.extend(until.to_be_bytes());
        sealed.extend(body);
        if let Some(key) = self.keys.first() {
            let tag = hmac::sign(key, &sealed);
            sealed.extend(tag.as_ref());
        }
        sealed
    }

    /// The body of bytes that this server, or one with the same key, sealed for this purpose.
    pub fn open<'a>(&self, purpose: Purpose, sealed: &'a [u8]) -> Result<&'a [u8], Broken> {
        match self.open_dated(purpose, sealed)? {
            (_, Duration::ZERO) => Err(Broken::Expired),
            (body, _) => Ok(body),
        }
    }

    /// The body, and how long it is good from now on: not at all if it has expired.
    pub fn open_dated<'a>(&self, purpose: Purpose, sealed: &'a [u8]) -> Result<(&'a [u8], Duration), Broken> {
        let (signed, tag) = sealed.split_last_chunk::<TAG_BYTES>().ok_or(Broken::Forged)?;
        let (head, body) = signed.split_first_chunk::<HEAD_BYTES>().ok_or(Broken::Forged)?;
        let [version, of, until @ ..] = *head;
        let is_ours = self.keys.iter().any(|key| hmac::verify(key, signed, tag).is_ok());
        if !is_ours || version != VERSION || of != purpose as u8 {
            return Err(Broken::Forged);
        }
        let until = Duration::from_millis(u64::from_be_bytes(until)).saturating_add(self.skew);
        Ok((body, until.saturating_sub(since_epoch())))
    }
}

/// A name that nobody can guess.
pub fn nonce() -> Result<[u8; 16], ring::error::Unspecified> {
    let mut nonce = [0; 16];
    SystemRandom::new().fill(&mut nonce)?;
    Ok(nonce)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn what_was_sealed_opens_for_its_purpose_only() {
        let seal = Seal::new(["a key of some length"]).unwrap();
        let sealed = seal.seal(Purpose::Ticket, b"body", HOUR);
        assert_eq!(seal.open(Purpose::Ticket, &sealed), Ok(&b"body"[..]));
        assert_eq!(seal.open(Purpose::Token, &sealed), Err(Broken::Forged));
        // Another replica with the same key, and one whose key has changed since.
        assert!(Seal::new(["a key of some length"]).unwrap().open(Purpose::Ticket, &sealed).is_ok());
        assert!(Seal::new(["a newer key", "a key of some length"]).unwrap().open(Purpose::Ticket, &sealed).is_ok());
        assert_eq!(Seal::new(["a newer key"]).unwrap().open(Purpose::Ticket, &sealed), Err(Broken::Forged));
        assert_eq!(Seal::new([]).unwrap().open(Purpose::Ticket, &sealed), Err(Broken::Forged));
    }

    #[test]
    fn every_bit_is_signed() {
        let seal = Seal::new([]).unwrap();
        let sealed = seal.seal(Purpose::Handle, b"select 1", HOUR);
        for bit in 0..sealed.len() * 8 {
            let mut forged = sealed.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(seal.open(Purpose::Handle, &forged), Err(Broken::Forged), "bit {bit}");
        }
        for length in 0..sealed.len() {
            assert_eq!(seal.open(Purpose::Handle, &sealed[..length]), Err(Broken::Forged), "{length} bytes");
        }
    }

    #[test]
    fn what_is_older_than_its_life_and_the_skew_has_expired() {
        let seal = Seal::new([]).unwrap();
        assert!(seal.open(Purpose::Token, &seal.seal(Purpose::Token, b"", Duration::ZERO)).is_ok());
        let mut old = seal.seal(Purpose::Token, b"", Duration::ZERO);
        old.truncate(HEAD_BYTES);
        let until = millis(since_epoch() - SKEW_MAX - Duration::from_millis(2));
        old[2..].copy_from_slice(&until.to_be_bytes());
        let tag = hmac::sign(&seal.keys[0], &old);
        old.extend(tag.as_ref());
        assert_eq!(seal.open(Purpose::Token, &old), Err(Broken::Expired));
        assert_eq!(seal.open_dated(Purpose::Token, &old), Ok((&b""[..], Duration::ZERO)));
        let (_, left) = seal.open_dated(Purpose::Token, &seal.seal(Purpose::Token, b"", HOUR)).unwrap();
        assert!(left > HOUR && left <= HOUR + SKEW_MAX);
        let strict = Seal::new([]).unwrap().for_lives_of(Duration::from_millis(10));
        let (_, left) = strict.open_dated(Purpose::Token, &strict.seal(Purpose::Token, b"", HOUR)).unwrap();
        assert!(left <= HOUR + Duration::from_millis(1));
    }
}
