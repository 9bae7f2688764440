//! The server's side of SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677, channel binding of RFC 5929).
//!
//! Owns: the two messages of an exchange, pure and strict. Must never know: a socket, a role, a limit. An exchange of an
//! unknown user runs with a mock verifier and differs in nothing but its end.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::rand::{SecureRandom, SystemRandom};

use super::equal;
use super::verifier::{KEY_BYTES, Verifier, mac, sha256};

/// PostgreSQL's SCRAM_RAW_NONCE_LEN.
const NONCE_BYTES: usize = 18;
/// A client's nonce has no reason to be longer.
const CLIENT_NONCE_BYTES_MAX: usize = 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mechanism {
    Scram,
    ScramPlus,
}

impl Mechanism {
    pub const fn name(self) -> &'static str {
        match self {
            Mechanism::Scram => "SCRAM-SHA-256",
            Mechanism::ScramPlus => "SCRAM-SHA-256-PLUS",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ScramError {
    #[error("malformed SCRAM message")]
    Malformed,
    #[error("client uses authorization identity, but it is not supported")]
    AuthorizationIdentity,
    #[error("client requires an unsupported SCRAM extension")]
    Extension,
    #[error("SCRAM channel binding negotiation error")]
    Downgrade,
    #[error("unsupported SCRAM channel-binding type")]
    BindingType,
    #[error("SCRAM channel binding check failed")]
    Binding,
    #[error("invalid SCRAM response")]
    Nonce,
    #[error("password authentication failed")]
    Proof,
    #[error("the system gave no random bytes")]
    Random,
}

/// An exchange after the client's first message.
pub struct Exchange {
    verifier: Verifier,
    /// What the `c=` of the final message must be, byte for byte.
    binding: String,
    nonce: String,
    client_first_bare: String,
    server_first: String,
}

impl Exchange {
    /// Reads the client's first message. `end_point` is the hash of the served certificate inside TLS, else `None`:
    /// then -PLUS is not on offer.
    pub fn begin(
        mechanism: Mechanism,
        end_point: Option<&[u8]>,
        verifier: Verifier,
        client_first: &str,
    ) -> Result<Self, ScramError> {
        let mut nonce = [0; NONCE_BYTES];
        SystemRandom::new().fill(&mut nonce).map_err(|_| ScramError::Random)?;
        Self::begin_with(mechanism, end_point, verifier, client_first, &BASE64.encode(nonce))
    }

    fn begin_with(
        mechanism: Mechanism,
        end_point: Option<&[u8]>,
        verifier: Verifier,
        client_first: &str,
        server_nonce: &str,
    ) -> Result<Self, ScramError> {
        let (flag, rest) = client_first.split_once(',').ok_or(ScramError::Malformed)?;
        let (identity, bare) = rest.split_once(',').ok_or(ScramError::Malformed)?;
        let binding = binding(flag, mechanism, end_point)?;
        match identity {
            "" => {}
            identity if identity.starts_with("a=") => return Err(ScramError::AuthorizationIdentity),
            _ => return Err(ScramError::Malformed),
        }
        let client_nonce = client_nonce(bare)?;
        let nonce = format!("{client_nonce}{server_nonce}");
        let server_first = format!("r={nonce},s={},i={}", BASE64.encode(&verifier.salt), verifier.iterations);
        Ok(Self { verifier, binding, nonce, client_first_bare: bare.to_owned(), server_first })
    }

    /// The server's first message.
    pub fn server_first(&self) -> &str {
        &self.server_first
    }

    /// Checks the client's final message and gives the server's.
    pub fn finish(&self, client_final: &str) -> Result<String, ScramError> {
        let (without_proof, proof) = client_final.rsplit_once(",p=").ok_or(ScramError::Malformed)?;
        let mut attributes = without_proof.split(',');
        let binding = attributes.next().and_then(|part| part.strip_prefix("c=")).ok_or(ScramError::Malformed)?;
        let nonce = attributes.next().and_then(|part| part.strip_prefix("r=")).ok_or(ScramError::Malformed)?;
        if !attributes.all(is_attribute) {
            return Err(ScramError::Malformed);
        }
        let proof: [u8; KEY_BYTES] =
            BASE64.decode(proof).ok().and_then(|proof| proof.try_into().ok()).ok_or(ScramError::Malformed)?;
        if !equal(binding.as_bytes(), self.binding.as_bytes()) {
            return Err(ScramError::Binding);
        }
        if !equal(nonce.as_bytes(), self.nonce.as_bytes()) {
            return Err(ScramError::Nonce);
        }
        let message = format!("{},{},{without_proof}", self.client_first_bare, self.server_first);
        let mut client_key = mac(&self.verifier.stored_key, message.as_bytes());
        for (key, proof) in client_key.iter_mut().zip(proof) {
            *key ^= proof;
        }
        // Computed before the check, so that a failure takes as long as a success.
        let server_signature = mac(&self.verifier.server_key, message.as_bytes());
        if !equal(&sha256(&client_key), &self.verifier.stored_key) {
            return Err(ScramError::Proof);
        }
        Ok(format!("v={}", BASE64.encode(server_signature)))
    }
}

/// Checks the gs2 flag against the mechanism and gives the `c=` that the final message owes.
fn binding(flag: &str, mechanism: Mechanism, end_point: Option<&[u8]>) -> Result<String, ScramError> {
    match (flag, mechanism, end_point) {
        ("n", Mechanism::Scram, _) => Ok(BASE64.encode("n,,")),
        // "y" says: I could bind, but you did not offer it. If we did, somebody took the offer away.
        ("y", Mechanism::Scram, Some(_)) => Err(ScramError::Downgrade),
        ("y", Mechanism::Scram, None) => Ok(BASE64.encode("y,,")),
        (flag, Mechanism::ScramPlus, Some(hash)) if flag.starts_with("p=") => {
            if flag != "p=tls-server-end-point" {
                return Err(ScramError::BindingType);
            }
            let mut bound = b"p=tls-server-end-point,,".to_vec();
            bound.extend_from_slice(hash);
            Ok(BASE64.encode(bound))
        }
        _ => Err(ScramError::Malformed),
    }
}

/// The nonce of `n=<user>,r=<nonce>[,extensions]`. The user is that of the start-up packet, as in PostgreSQL.
fn client_nonce(bare: &str) -> Result<&str, ScramError> {
    let mut attributes = bare.split(',');
    let user = attributes.next().ok_or(ScramError::Malformed)?;
    if user.starts_with("m=") {
        return Err(ScramError::Extension);
    }
    if !user.starts_with("n=") {
        return Err(ScramError::Malformed);
    }
    let nonce = attributes.next().and_then(|part| part.strip_prefix("r=")).ok_or(ScramError::Malformed)?;
    let printable = nonce.bytes().all(|byte| (0x21..=0x7e).contains(&byte));
    if nonce.is_empty() || nonce.len() > CLIENT_NONCE_BYTES_MAX || !printable || !attributes.all(is_attribute) {
        return Err(ScramError::Malformed);
    }
    Ok(nonce)
}

/// An extension that we may ignore: one letter, `=`, anything.
fn is_attribute(part: &str) -> bool {
    let mut bytes = part.bytes();
    bytes.next().is_some_and(|letter| letter.is_ascii_alphabetic()) && bytes.next() == Some(b'=')
}

#[cfg(test)]
mod tests {
    use super::*;

    const PENCIL: &str = "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";
    const CLIENT_FIRST: &str = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
    const SERVER_NONCE: &str = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    const CLIENT_FINAL: &str =
        "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";

    fn begin(mechanism: Mechanism, end_point: Option<&[u8]>, first: &str) -> Result<Exchange, ScramError> {
        Exchange::begin_with(mechanism, end_point, Verifier::parse(PENCIL).unwrap(), first, SERVER_NONCE)
    }

    #[test]
    fn rfc_7677_exchange() {
        let exchange = begin(Mechanism::Scram, None, CLIENT_FIRST).unwrap();
        assert_eq!(
            exchange.server_first(),
            "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
        );
        assert_eq!(exchange.finish(CLIENT_FINAL).unwrap(), "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
    }

    #[test]
    fn a_changed_final_message_fails() {
        let exchange = begin(Mechanism::Scram, None, CLIENT_FIRST).unwrap();
        let check = |message: String, error| assert_eq!(exchange.finish(&message).unwrap_err(), error, "{message}");
        check(CLIENT_FINAL.replace("dHzb", "eHzb"), ScramError::Proof);
        check(CLIENT_FINAL.replace("$k0", "$k1"), ScramError::Nonce);
        check(CLIENT_FINAL.replace("r=rOpr", "r=Opr"), ScramError::Nonce);
        check(CLIENT_FINAL.replace("biws", "eSws"), ScramError::Binding);
        check(CLIENT_FINAL.replace("VQ=", "V"), ScramError::Malformed);
        check(CLIENT_FINAL.replace(",p=", ",q="), ScramError::Malformed);
        check(CLIENT_FINAL.replace("c=biws,", ""), ScramError::Malformed);
        check(String::new(), ScramError::Malformed);
        check("c=biws,r=,p=".into(), ScramError::Malformed);
    }

    #[test]
    fn a_stripped_offer_is_a_downgrade() {
        let first = CLIENT_FIRST.replacen("n,,", "y,,", 1);
        assert!(matches!(begin(Mechanism::Scram, Some(b"hash"), &first), Err(ScramError::Downgrade)));
        assert!(begin(Mechanism::Scram, None, &first).is_ok());
    }

    #[test]
    fn binding_and_mechanism_must_agree() {
        let bound = CLIENT_FIRST.replacen("n,,", "p=tls-server-end-point,,", 1);
        assert!(begin(Mechanism::ScramPlus, Some(b"hash"), &bound).is_ok());
        assert!(matches!(begin(Mechanism::ScramPlus, Some(b"hash"), CLIENT_FIRST), Err(ScramError::Malformed)));
        assert!(matches!(begin(Mechanism::Scram, Some(b"hash"), &bound), Err(ScramError::Malformed)));
        assert!(matches!(begin(Mechanism::ScramPlus, None, &bound), Err(ScramError::Malformed)));
        let unique = bound.replace("tls-server-end-point", "tls-unique");
        assert!(matches!(begin(Mechanism::ScramPlus, Some(b"hash"), &unique), Err(ScramError::BindingType)));
    }

    #[test]
    fn malformed_first_messages_are_refused() {
        for (first, error) in [
            ("", ScramError::Malformed),
            ("n", ScramError::Malformed),
            ("n,", ScramError::Malformed),
            ("n,,", ScramError::Malformed),
            ("n,,n=user", ScramError::Malformed),
            ("n,,n=user,r=", ScramError::Malformed),
            ("n,,n=user,r=a b", ScramError::Malformed),
            ("n,,n=user,r=abc,,", ScramError::Malformed),
            ("n,,r=abc", ScramError::Malformed),
            ("x,,n=user,r=abc", ScramError::Malformed),
            ("n,a=admin,n=user,r=abc", ScramError::AuthorizationIdentity),
            ("n,admin,n=user,r=abc", ScramError::Malformed),
            ("n,,m=ext,n=user,r=abc", ScramError::Extension),
        ] {
            assert_eq!(begin(Mechanism::Scram, None, first).err(), Some(error), "{first}");
        }
    }
}
