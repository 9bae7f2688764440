//! What the server keeps of a password: PostgreSQL's `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`.
//!
//! Owns: reading, making and checking verifiers. Nothing here can be turned back into a password; still, a verifier
//! has no Debug. <https://www.postgresql.org/docs/16/catalog-pg-authid.html>

use std::fmt;
use std::num::NonZeroU32;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::rand::{SecureRandom, SystemRandom};
use ring::{digest, hmac, pbkdf2};

pub const KEY_BYTES: usize = digest::SHA256_OUTPUT_LEN;
pub(super) const SALT_BYTES: usize = 16;
/// PostgreSQL's default of `scram_iterations`.
pub(super) const ITERATIONS: NonZeroU32 = match NonZeroU32::new(4096) {
    Some(iterations) => iterations,
    None => NonZeroU32::MIN,
};
/// A file that asks for more would stall the first login of Flight clients, whose password is hashed here.
const ITERATIONS_MAX: u32 = 1_000_000;

pub type Key = [u8; KEY_BYTES];

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VerifierError {
    #[error("a verifier has the form SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>")]
    Malformed,
    #[error("the verifier's iteration count is not between 1 and {ITERATIONS_MAX}")]
    Iterations,
    #[error("the system gave no random bytes")]
    Random,
}

#[derive(Clone, PartialEq, Eq)]
pub struct Verifier {
    pub iterations: NonZeroU32,
    pub salt: Vec<u8>,
    pub stored_key: Key,
    pub server_key: Key,
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Verifier {
    /// Reads a value of `pg_authid.rolpassword`.
    pub fn parse(text: &str) -> Result<Self, VerifierError> {
        let mut parts = text.split('$');
        let (Some("SCRAM-SHA-256"), Some(work), Some(keys), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(VerifierError::Malformed);
        };
        let (iterations, salt) = work.split_once(':').ok_or(VerifierError::Malformed)?;
        let (stored, server) = keys.split_once(':').ok_or(VerifierError::Malformed)?;
        if !iterations.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(VerifierError::Malformed);
        }
        let iterations = iterations
            .parse::<NonZeroU32>()
            .ok()
            .filter(|iterations| iterations.get() <= ITERATIONS_MAX)
            .ok_or(VerifierError::Iterations)?;
        let salt = BASE64.decode(salt).ok().filter(|salt| !salt.is_empty()).ok_or(VerifierError::Malformed)?;
        Ok(Self { iterations, salt, stored_key: decode_key(stored)?, server_key: decode_key(server)? })
    }

    /// Makes the verifier of a password with a fresh salt.
    pub fn from_password(password: &str) -> Result<Self, VerifierError> {
        let mut salt = vec![0; SALT_BYTES];
        SystemRandom::new().fill(&mut salt).map_err(|_| VerifierError::Random)?;
        Ok(Self::derive(password, salt, ITERATIONS))
    }

    fn derive(password: &str, salt: Vec<u8>, iterations: NonZeroU32) -> Self {
        // PostgreSQL hashes a password that SASLprep refuses as it is; its clients do the same.
        let prepared = stringprep::saslprep(password).unwrap_or(std::borrow::Cow::Borrowed(password));
        let mut salted = [0; KEY_BYTES];
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, iterations, &salt, prepared.as_bytes(), &mut salted);
        let client_key = mac(&salted, b"Client Key");
        Self { iterations, salt, stored_key: sha256(&client_key), server_key: mac(&salted, b"Server Key") }
    }

    /// Whether this is the password. Costs a full key derivation.
    pub fn matches(&self, password: &str) -> bool {
        let other = Self::derive(password, self.salt.clone(), self.iterations);
        super::equal(&self.stored_key, &other.stored_key)
    }

    /// The text for a roles file. Not a `Display`, so that no format string prints it by accident.
    pub fn to_text(&self) -> String {
        format!(
            "SCRAM-SHA-256${}:{}${}:{}",
            self.iterations,
            BASE64.encode(&self.salt),
            BASE64.encode(self.stored_key),
            BASE64.encode(self.server_key)
        )
    }
}

pub(super) fn mac(key: &[u8], message: &[u8]) -> Key {
    to_key(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message).as_ref())
}

pub(super) fn sha256(message: &[u8]) -> Key {
    to_key(digest::digest(&digest::SHA256, message).as_ref())
}

/// SHA-256 always gives 32 bytes; the zip copies them without an index that could be out of range.
fn to_key(bytes: &[u8]) -> Key {
    let mut key = [0; KEY_BYTES];
    for (to, from) in key.iter_mut().zip(bytes) {
        *to = *from;
    }
    key
}

fn decode_key(text: &str) -> Result<Key, VerifierError> {
    BASE64.decode(text).ok().and_then(|key| key.try_into().ok()).ok_or(VerifierError::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The user of RFC 7677, section 3, whose password is `pencil`.
    const PENCIL: &str = "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";

    #[test]
    fn rfc_7677_password_gives_its_keys() {
        let verifier = Verifier::parse(PENCIL).unwrap();
        assert!(verifier.matches("pencil"));
        assert!(!verifier.matches("Pencil"));
        assert_eq!(verifier.to_text(), PENCIL);
    }

    #[test]
    fn a_new_verifier_round_trips_and_salts_differ() {
        let one = Verifier::from_password("correct horse").unwrap();
        let two = Verifier::from_password("correct horse").unwrap();
        assert!(Verifier::parse(&one.to_text()).unwrap().matches("correct horse"));
        assert_ne!(one.to_text(), two.to_text());
        assert_eq!(format!("{one:?}"), "***");
    }

    #[test]
    fn saslprep_maps_compatible_spellings() {
        // U+00AD is mapped to nothing, U+2168 to "IX" (RFC 4013, section 3).
        let verifier = Verifier::from_password("I\u{ad}X").unwrap();
        assert!(verifier.matches("IX") && verifier.matches("\u{2168}"));
    }

    #[test]
    fn malformed_verifiers_are_refused() {
        for text in [
            "",
            "pencil",
            "md5abc",
            "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==",
            "SCRAM-SHA-256$x:W22ZaJ0SNY7soEsUEjb6gQ==$a:b",
            "SCRAM-SHA-256$+1:W22ZaJ0SNY7soEsUEjb6gQ==$a:b",
            "SCRAM-SHA-256$4096:$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
        ] {
            assert!(Verifier::parse(text).is_err(), "{text}");
        }
        for count in ["0", "4294967296", "1000001"] {
            assert_eq!(Verifier::parse(&PENCIL.replace("4096", count)).err(), Some(VerifierError::Iterations));
        }
        assert!(Verifier::parse(&format!("{PENCIL}$")).is_err());
    }
}
