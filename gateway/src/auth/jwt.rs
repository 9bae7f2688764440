//! JSON Web Tokens of an identity provider, as OpenID Connect gives them: a name that somebody else has proven.
//!
//! Owns: what a token has to say to be believed. In `keys` are signatures, in `provider` where the keys come from. Must never
//! know: what the role may do; that is for the roles file alone.
//! RFC 7519, RFC 7515 (compact form), RFC 8725 (what not to believe).

mod keys;
mod provider;

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use self::provider::Provider;
pub use self::provider::ProviderError;
use crate::config;

/// Clocks of the provider and of this machine may differ by so much.
const SKEW_SECONDS: f64 = 60.0;
/// No token is longer: gRPC's headers hold no more.
const TOKEN_BYTES_MAX: usize = 16 << 10;

/// Why a token is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("it has not the form of a JSON Web Token")]
    Malformed,
    #[error("it is signed in a way that is not taken here")]
    Algorithm,
    #[error("its key is none of the identity provider's")]
    Key,
    #[error("its signature is wrong")]
    Signature,
    #[error("it is of another issuer")]
    Issuer,
    #[error("it is for another audience")]
    Audience,
    #[error("it does not say how long it is good")]
    Endless,
    #[error("it has expired")]
    Expired,
    #[error("it is not good yet")]
    Early,
    #[error("it names no role")]
    Role,
}

/// The one identity provider that is believed.
pub struct Jwt {
    issuer: String,
    audience: String,
    role_claim: String,
    provider: Provider,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    /// Extensions that have to be understood: none is (RFC 7515, 4.1.11).
    crit: Option<Value>,
}

/// A token in its three parts.
struct Parts<'a> {
    header: Header,
    /// What is signed.
    signed: &'a [u8],
    claims: Map<String, Value>,
    signature: Vec<u8>,
}

impl Jwt {
    /// Looks at the settings, and at the keys if they are in a file; those of an address are fetched by [`Jwt::keep`].
    pub fn new(config: &config::Jwt) -> Result<Arc<Self>, ProviderError> {
        for (setting, value) in
            [("issuer", &config.issuer), ("audience", &config.audience), ("role_claim", &config.role_claim)]
        {
            if value.is_empty() {
                return Err(ProviderError::Unset(setting));
            }
        }
        Ok(Arc::new(Self {
            issuer: config.issuer.clone(),
            audience: config.audience.clone(),
            role_claim: config.role_claim.clone(),
            provider: Provider::new(config)?,
        }))
    }

    /// Keeps the keys fresh until the server stops.
    pub async fn keep(self: Arc<Self>, stop: CancellationToken) {
        let _stopped = stop.run_until_cancelled(self.provider.keep()).await;
    }

    /// Whether a text has the form of a token of this kind; the server's own have no dot.
    pub fn is_one(text: &str) -> bool {
        text.bytes().filter(|byte| *byte == b'.').count() == 2
    }

    /// The name of the role that a token has proven. It is looked at as a whole each time, so it ends when it says so.
    pub async fn role(&self, text: &str) -> Result<String, Refused> {
        let parts = Parts::of(text)?;
        self.signature(&parts).await?;
        self.claims(&parts.claims, now())
    }

    async fn signature(&self, parts: &Parts<'_>) -> Result<(), Refused> {
        let (algorithm, kid) = (&parts.header.alg, parts.header.kid.as_deref());
        let verified = |keys: &keys::Keys| keys.verify(algorithm, kid, parts.signed, &parts.signature);
        let keys = self.provider.keys();
        match verified(&keys) {
            // Providers change their keys: the new one may be on its way.
            Err(Refused::Key) if self.provider.has_others(&keys).await => verified(&self.provider.keys()),
            verified => verified,
        }
    }

    fn claims(&self, claims: &Map<String, Value>, now: f64) -> Result<String, Refused> {
        if claims.get("iss").and_then(Value::as_str) != Some(&self.issuer) {
            return Err(Refused::Issuer);
        }
        let is_for_us = |audience: &Value| audience.as_str() == Some(&self.audience);
        let is_for_us = match claims.get("aud") {
            Some(Value::Array(audiences)) => audiences.iter().any(is_for_us),
            Some(audience) => is_for_us(audience),
            None => false,
        };
        if !is_for_us {
            return Err(Refused::Audience);
        }
        // A time of another type than a number is a token that somebody has made up.
        let time = |claim: &str| match claims.get(claim) {
            None => Ok(None),
            Some(value) => value.as_f64().map(Some).ok_or(Refused::Malformed),
        };
        if now >= time("exp")?.ok_or(Refused::Endless)? + SKEW_SECONDS {
            return Err(Refused::Expired);
        }
        if time("nbf")?.is_some_and(|from| now < from - SKEW_SECONDS) {
            return Err(Refused::Early);
        }
        let role = claims.get(&self.role_claim).and_then(Value::as_str).filter(|role| !role.is_empty());
        role.map(str::to_owned).ok_or(Refused::Role)
    }
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Result<Self, Refused> {
        if text.len() > TOKEN_BYTES_MAX {
            return Err(Refused::Malformed);
        }
        let decoded = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| Refused::Malformed);
        let (signed, signature) = text.rsplit_once('.').ok_or(Refused::Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(Refused::Malformed)?;
        let header: Header = serde_json::from_slice(&decoded(header)?).map_err(|_| Refused::Malformed)?;
        if header.crit.is_some() {
            return Err(Refused::Malformed);
        }
        let claims = serde_json::from_slice(&decoded(claims)?).map_err(|_| Refused::Malformed)?;
        Ok(Self { header, signed: signed.as_bytes(), claims, signature: decoded(signature)? })
    }
}

/// Seconds since 1970.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn jwt() -> Jwt {
        Jwt {
            issuer: "https://id.example".into(),
            audience: "lakegate".into(),
            role_claim: "role".into(),
            provider: Provider::of_no_keys(),
        }
    }

    fn said(claims: Value) -> Result<String, Refused> {
        jwt().claims(claims.as_object().unwrap(), 1_000_000.0)
    }

    #[test]
    fn a_token_of_this_issuer_for_this_audience_names_its_role() {
        let good = json!({"iss": "https://id.example", "aud": "lakegate", "exp": 1_000_100, "role": "ann"});
        assert_eq!(said(good.clone()), Ok("ann".to_owned()));
        let changed = |claim: &str, value: Value| {
            let mut claims = good.clone();
            claims[claim] = value;
            said(claims)
        };
        assert_eq!(changed("aud", json!(["other", "lakegate"])), Ok("ann".to_owned()));
        assert_eq!(changed("nbf", json!(1_000_059)), Ok("ann".to_owned()));
        assert_eq!(changed("exp", json!(999_940.5)), Ok("ann".to_owned()));
        for (claim, value, refused) in [
            ("iss", json!("https://id.example/"), Refused::Issuer),
            ("iss", json!(null), Refused::Issuer),
            ("iss", json!(["https://id.example"]), Refused::Issuer),
            ("aud", json!("lakegat"), Refused::Audience),
            ("aud", json!([]), Refused::Audience),
            ("aud", json!({"lakegate": 1}), Refused::Audience),
            ("exp", json!(999_940), Refused::Expired),
            ("exp", json!("9999999999"), Refused::Malformed),
            ("exp", json!(null), Refused::Malformed),
            ("nbf", json!(1_000_061), Refused::Early),
            ("nbf", json!("0"), Refused::Malformed),
            ("role", json!(""), Refused::Role),
            ("role", json!(["ann"]), Refused::Role),
        ] {
            assert_eq!(changed(claim, value.clone()), Err(refused), "{claim} = {value}");
        }
        let mut endless = good.clone();
        endless.as_object_mut().unwrap().remove("exp");
        assert_eq!(said(endless), Err(Refused::Endless));
    }

    #[test]
    fn what_is_no_token_is_refused() {
        let encoded = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let header = encoded(r#"{"alg":"ES256","kid":"a"}"#);
        let good = format!("{header}.{}.{}", encoded("{}"), encoded("signature"));
        assert!(Jwt::is_one(&good) && Parts::of(&good).is_ok());
        let crit = encoded(r#"{"alg":"ES256","crit":["exp"]}"#);
        for bad in [
            String::new(),
            "..".to_owned(),
            "a.b.c".to_owned(),
            format!("{header}.{}", encoded("{}")),
            format!("{header}.{}.!", encoded("{}")),
            format!("{header}.{}.{}=", encoded("{}"), encoded("signature")),
            format!("{header}.{}.{}", encoded("[]"), encoded("signature")),
            format!("{}.{}.{}", encoded("{}"), encoded("{}"), encoded("signature")),
            format!("{crit}.{}.{}", encoded("{}"), encoded("signature")),
            format!("{good}{}", "a".repeat(TOKEN_BYTES_MAX)),
        ] {
            assert!(matches!(Parts::of(&bad), Err(Refused::Malformed)), "{bad}");
        }
    }
}
