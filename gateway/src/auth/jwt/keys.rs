//! The keys of an identity provider, as it publishes them, and what they have signed.
//!
//! Owns: which algorithms are taken. They are all asymmetric: who can check a token cannot make one, and `none` is no
//! algorithm. RFC 7517 (JWK), RFC 7518 (RSA and EC), RFC 8037 (Ed25519).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512,
    RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm,
};
use serde::Deserialize;

use super::Refused;

/// Of a set that is larger the first ones count.
const KEYS_MAX: usize = 100;

/// A JWK Set. Keys of other kinds stand in it too, and are passed over.
#[derive(Debug, Default)]
pub(super) struct Keys(Vec<Key>);

#[derive(Debug)]
struct Key {
    kid: Option<String>,
    /// The one algorithm that it is for, if it says so.
    algorithm: Option<String>,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256(Vec<u8>),
    P384(Vec<u8>),
    Ed25519(Vec<u8>),
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    used_for: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

/// How a signature of an algorithm is looked at.
enum Check {
    Rsa(&'static RsaParameters),
    Curve(&'static dyn VerificationAlgorithm),
}

impl Keys {
    /// Reads a JWK Set; without a key that can be used it is none.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let set: Set = serde_json::from_slice(bytes).ok()?;
        let jwks = set.keys.into_iter().filter_map(|jwk| serde_json::from_value::<Jwk>(jwk).ok());
        let keys: Vec<Key> = jwks.filter_map(key).take(KEYS_MAX).collect();
        (!keys.is_empty()).then_some(Self(keys))
    }

    /// Whether one of the keys that a token can mean has signed it.
    pub(super) fn verify(
        &self,
        algorithm: &str,
        kid: Option<&str>,
        text: &[u8],
        signature: &[u8],
    ) -> Result<(), Refused> {
        if !ALGORITHMS.contains(&algorithm) {
            return Err(Refused::Algorithm);
        }
        let mut checked = self.0.iter().filter_map(|key| {
            // A token without a name of its key may be of any.
            let is_meant = kid.is_none_or(|kid| key.kid.as_deref() == Some(kid));
            let is_for_it = key.algorithm.as_deref().is_none_or(|only| only == algorithm);
            if !is_meant || !is_for_it {
                return None;
            }
            Some(key.kind.has_signed(check(algorithm, &key.kind)?, text, signature))
        });
        match checked.any(|is_good| is_good) {
            true => Ok(()),
            false if self.is_there(algorithm, kid) => Err(Refused::Signature),
            false => Err(Refused::Key),
        }
    }

    /// Whether a token that names its key names one of these. Without a name the key may be one that is not known yet.
    fn is_there(&self, algorithm: &str, kid: Option<&str>) -> bool {
        let is_named = |key: &Key| key.kid.as_deref() == kid && check(algorithm, &key.kind).is_some();
        kid.is_some() && self.0.iter().any(is_named)
    }
}

const ALGORITHMS: [&str; 9] = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"];

/// The check of an algorithm, if a key of this kind can have signed by it.
fn check(algorithm: &str, kind: &Kind) -> Option<Check> {
    Some(match (algorithm, kind) {
        ("RS256", Kind::Rsa { .. }) => Check::Rsa(&RSA_PKCS1_2048_8192_SHA256),
        ("RS384", Kind::Rsa { .. }) => Check::Rsa(&RSA_PKCS1_2048_8192_SHA384),
        ("RS512", Kind::Rsa { .. }) => Check::Rsa(&RSA_PKCS1_2048_8192_SHA512),
        ("PS256", Kind::Rsa { .. }) => Check::Rsa(&RSA_PSS_2048_8192_SHA256),
        ("PS384", Kind::Rsa { .. }) => Check::Rsa(&RSA_PSS_2048_8192_SHA384),
        ("PS512", Kind::Rsa { .. }) => Check::Rsa(&RSA_PSS_2048_8192_SHA512),
        ("ES256", Kind::P256(_)) => Check::Curve(&ECDSA_P256_SHA256_FIXED),
        ("ES384", Kind::P384(_)) => Check::Curve(&ECDSA_P384_SHA384_FIXED),
        ("EdDSA", Kind::Ed25519(_)) => Check::Curve(&ED25519),
        _ => return None,
    })
}

impl Kind {
    fn has_signed(&self, check: Check, text: &[u8], signature: &[u8]) -> bool {
        match (self, check) {
            (Self::Rsa { n, e }, Check::Rsa(how)) => {
                RsaPublicKeyComponents { n, e }.verify(how, text, signature).is_ok()
            }
            (Self::P256(key) | Self::P384(key) | Self::Ed25519(key), Check::Curve(how)) => {
                UnparsedPublicKey::new(how, key).verify(text, signature).is_ok()
            }
            _ => false,
        }
    }
}

/// A key that signs, in a form that is known.
fn key(jwk: Jwk) -> Option<Key> {
    if jwk.used_for.is_some_and(|used_for| used_for != "sig") {
        return None;
    }
    let number = |text: &Option<String>| URL_SAFE_NO_PAD.decode(text.as_deref()?).ok();
    let of_length = |text: &Option<String>, bytes: usize| number(text).filter(|number| number.len() == bytes);
    // The form of SEC 1 that is not compressed.
    let point = |bytes: usize| {
        let (x, y) = (of_length(&jwk.x, bytes)?, of_length(&jwk.y, bytes)?);
        Some([&[4][..], &x, &y].concat())
    };
    let kind = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
        ("RSA", _) => {
            // Some providers write the sign's byte of a big integer.
            let trimmed = |number: Vec<u8>| number.into_iter().skip_while(|byte| *byte == 0).collect();
            Kind::Rsa { n: number(&jwk.n).map(trimmed)?, e: number(&jwk.e).map(trimmed)? }
        }
        ("EC", Some("P-256")) => Kind::P256(point(32)?),
        ("EC", Some("P-384")) => Kind::P384(point(48)?),
        ("OKP", Some("Ed25519")) => Kind::Ed25519(of_length(&jwk.x, 32)?),
        _ => return None,
    };
    Some(Key { kid: jwk.kid, algorithm: jwk.alg, kind })
}

#[cfg(test)]
#[path = "keys_tests.rs"]
mod tests;
