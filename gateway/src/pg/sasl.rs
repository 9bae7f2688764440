//! Proving a password before anything else is possible: the SASL messages around SCRAM.
//!
//! Owns: the reading of `p` messages, the only type that an unknown client may send, and what a failure looks like.
//! Must never know: a session. An unknown user, a wrong password and a throttled address get the same answer.

use std::io;
use std::net::IpAddr;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::backend;
use super::startup::Refusal;
use crate::auth::limits::wrong_password;
use crate::auth::scram::{Exchange, Mechanism, ScramError};
use crate::auth::{Credential, Login, Roles};
use crate::error::{Error, SqlState};
use crate::socket::Stream;

/// PostgreSQL's PG_MAX_SASL_MESSAGE_LENGTH.
const MESSAGE_BYTES_MAX: usize = 64 << 10;

/// Who says to be whom, from where, and what the connection can be bound to.
pub(super) struct Claim<'a> {
    pub(super) user: &'a str,
    pub(super) address: IpAddr,
    pub(super) end_point: Option<&'a [u8]>,
}

/// Runs the exchange. The server's final message is left in `out`, to leave together with AuthenticationOk.
pub(super) async fn authenticate(
    stream: &mut Stream,
    roles: &Roles,
    claim: &Claim<'_>,
    out: &mut BytesMut,
) -> Result<Login, Refusal> {
    roles.limiter.admit(claim.user, claim.address).await?;
    match exchange(stream, roles.credential(claim.user), claim, out).await {
        Err(Refusal::Error(error)) if error.state == SqlState::InvalidPassword => {
            Err(roles.limiter.failed(claim.user, claim.address).await.into())
        }
        done => done,
    }
}

async fn exchange(
    stream: &mut Stream,
    credential: Credential,
    claim: &Claim<'_>,
    out: &mut BytesMut,
) -> Result<Login, Refusal> {
    let offered: &[Mechanism] = match claim.end_point {
        Some(_) => &[Mechanism::ScramPlus, Mechanism::Scram],
        None => &[Mechanism::Scram],
    };
    let names: Vec<&str> = offered.iter().map(|mechanism| mechanism.name()).collect();
    backend::authentication_sasl(out, &names);
    send(stream, out).await?;

    let (name, first) = initial_response(read(stream).await?)?;
    let mechanism = offered.iter().copied().find(|mechanism| mechanism.name() == name).ok_or_else(|| {
        Error::new(SqlState::ProtocolViolation, "client selected an invalid SASL authentication mechanism")
    })?;
    let exchange = Exchange::begin(mechanism, claim.end_point, credential.verifier, &first)
        .map_err(|error| explain(error, claim.user))?;
    backend::authentication_sasl_continue(out, exchange.server_first());
    send(stream, out).await?;

    let last = text(read(stream).await?)?;
    let outcome = exchange.finish(&last).map_err(|error| explain(error, claim.user))?;
    // A mock's proof cannot be known, but should it ever be, there is still nobody to log in.
    let login = credential.login.ok_or_else(|| wrong_password(claim.user))?;
    backend::authentication_sasl_final(out, &outcome);
    Ok(login)
}

async fn send(stream: &mut Stream, out: &mut BytesMut) -> io::Result<()> {
    stream.write_all(&out.split()).await?;
    stream.flush().await
}

/// Reads one `p` message: nothing else is decoded, or even read, before authentication.
async fn read(stream: &mut Stream) -> Result<Bytes, Refusal> {
    let kind = stream.read_u8().await?;
    let length = stream.read_i32().await?;
    if kind != b'p' {
        let message = format!("expected SASL response, got message type {kind}");
        return Err(Error::new(SqlState::ProtocolViolation, message).into());
    }
    let bytes = usize::try_from(length)
        .ok()
        .and_then(|length| length.checked_sub(4))
        .filter(|bytes| *bytes <= MESSAGE_BYTES_MAX)
        .ok_or_else(|| Error::new(SqlState::ProtocolViolation, "invalid message length"))?;
    let mut body = vec![0; bytes];
    stream.read_exact(&mut body).await?;
    Ok(body.into())
}

/// Mechanism and data of a SASLInitialResponse.
fn initial_response(mut body: Bytes) -> Result<(String, String), Error> {
    let end = body.iter().position(|byte| *byte == 0).ok_or_else(malformed)?;
    let name = text(body.split_to(end))?;
    body.advance(1);
    let length = body.try_get_i32().map_err(|_| malformed())?;
    // -1 is "no initial response"; SCRAM begins with the client, so there must be one.
    if usize::try_from(length).ok() != Some(body.len()) {
        return Err(malformed());
    }
    Ok((name, text(body)?))
}

fn text(bytes: Bytes) -> Result<String, Error> {
    String::from_utf8(bytes.into()).map_err(|_| malformed())
}

fn malformed() -> Error {
    Error::new(SqlState::ProtocolViolation, "malformed SASL message")
}

fn explain(error: ScramError, user: &str) -> Error {
    let state = match error {
        ScramError::Proof => return wrong_password(user),
        ScramError::Random => return Error::internal(error),
        ScramError::AuthorizationIdentity | ScramError::Extension => SqlState::FeatureNotSupported,
        ScramError::Downgrade | ScramError::Binding => SqlState::InvalidAuthorizationSpecification,
        ScramError::Malformed | ScramError::BindingType | ScramError::Nonce => SqlState::ProtocolViolation,
    };
    let told = Error::new(state, error.to_string());
    match error {
        ScramError::Downgrade => told.detail(
            "The client supports SCRAM channel binding but thinks the server does not.  However, this server does \
             support channel binding.",
        ),
        ScramError::Nonce => told.detail("Nonce does not match."),
        _ => told,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_initial_response_is_read_to_its_end() {
        let read = |body: &'static [u8]| initial_response(Bytes::from_static(body)).ok();
        assert_eq!(read(b"SCRAM-SHA-256\0\0\0\0\x03n,,"), Some(("SCRAM-SHA-256".into(), "n,,".into())));
        assert_eq!(read(b"SCRAM-SHA-256\0\0\0\0\x04n,,"), None);
        assert_eq!(read(b"SCRAM-SHA-256\0\0\0\0\x02n,,"), None);
        assert_eq!(read(b"SCRAM-SHA-256\0\xff\xff\xff\xff"), None);
        assert_eq!(read(b"SCRAM-SHA-256\0\xff\xff\xff\xfe"), None);
        assert_eq!(read(b"SCRAM-SHA-256"), None);
        assert_eq!(read(b""), None);
    }

    proptest! {
        #[test]
        fn no_response_panics(body in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = initial_response(body.into());
        }
    }
}
