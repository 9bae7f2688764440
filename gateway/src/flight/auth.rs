//! Who calls: Basic, Bearer, a certificate, or nobody where the server trusts.
//!
//! Owns: what stands in `authorization` and in the payload of a handshake. A password travels only over TLS or on this
//! machine. <https://arrow.apache.org/docs/format/Flight.html#authentication>

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arrow_flight::{BasicAuth, HandshakeRequest, HandshakeResponse};
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use prost::Message;
use ring::digest::{SHA256, digest};
use tonic::metadata::{Ascii, MetadataMap, MetadataValue};
use tonic::{Request, Response, Streaming};

use super::Server;
use super::clients::{Client, Key};
use super::form::Form;
use super::ingest;
use super::sealed::{Token, bad_token};
use super::socket::Connection;
use super::status::malformed;
use crate::auth::seal::Broken;
use crate::auth::{Jwt, Login, password};
use crate::error::{Error, Result, SqlState};
use crate::session::StatementGuard;

/// Go's clients, and with them ADBC, leave the padding away.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Of a server that trusts, a client that gives no name.
const ANONYMOUS: &str = "anonymous";

/// A call of a client that has proven who it is.
pub(super) struct Call {
    pub(super) client: Arc<Client>,
    pub(super) login: Login,
    /// What the client lets it take.
    timeout: Option<Duration>,
    /// How it wants its rows.
    pub(super) form: Form,
    /// What it calls the rows that it sends.
    pub(super) load_id: Option<String>,
    /// The token of a longer life that it gets.
    renewed: Option<MetadataValue<Ascii>>,
}

impl Call {
    /// Begins a statement, which ends with the call's deadline or the session's, whichever is first.
    pub(super) fn begin(&self, client: &Client) -> StatementGuard {
        let guard = client.session.begin_statement();
        let timeout = [guard.timeout, self.timeout].into_iter().flatten().min();
        StatementGuard { timeout, ..guard }
    }

    /// The answer, with what the client shall show from now on where its token has grown old. ADBC's clients take it from
    /// any answer; for others the session goes on as long as they use it.
    pub(super) fn answer<T>(&mut self, answer: T) -> Response<T> {
        let mut response = Response::new(answer);
        if let Some(renewed) = self.renewed.take() {
            response.metadata_mut().insert("authorization", renewed);
        }
        response
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.client.touch();
    }
}

enum Claim {
    Nobody,
    Basic { user: String, password: String },
    Bearer(String),
}

impl Server {
    /// Who calls, and its session.
    pub(super) async fn call<T>(&self, request: &Request<T>) -> Result<Call> {
        let (connection, peer) = connection(request)?;
        let metadata = request.metadata();
        self.check_database(metadata)?;
        let (form, load_id) = (Form::asked(metadata)?, ingest::id(metadata)?);
        let mut renewed = None;
        let (key, login) = match claim(metadata)? {
            Claim::Bearer(text) if Jwt::is_one(&text) => {
                let login = self.believed(&text, &connection, peer).await?;
                (Key::Token(digest(&SHA256, text.as_bytes()).as_ref().to_vec()), login)
            }
            Claim::Bearer(text) => {
                let (token, left) = Token::open(&self.seal, &text)?;
                let login = self.proven(&token.role)?;
                let key = Key::Token(token.session.clone());
                if left.is_zero() && !self.clients.goes_on(&key, &connection, self.token_lives) {
                    return Err(bad_token(Broken::Expired));
                }
                if left < self.token_lives / 2 {
                    renewed = Some(bearer(&token.seal(&self.seal, self.token_lives))?);
                }
                (key, login)
            }
            Claim::Basic { user, password } => {
                let login = self.check_password(&user, password, (peer, connection.encrypted)).await?;
                (Key::Socket(peer, user), login)
            }
            Claim::Nobody => {
                let login = self.unclaimed(&connection)?;
                (Key::Socket(peer, login.role.name.clone()), login)
            }
        };
        connection.prove()?;
        let client = self.clients.open(key, &login, &connection)?;
        Ok(Call { client, login, timeout: timeout(metadata), form, load_id, renewed })
    }

    /// Gives a token for a password, which stands in the header or in the payload; a token that is shown is given back.
    pub(super) async fn handshake(
        &self,
        request: Request<Streaming<HandshakeRequest>>,
    ) -> Result<Response<HandshakeResponse>> {
        let (connection, peer) = connection(&request)?;
        self.check_database(request.metadata())?;
        let mut given = claim(request.metadata())?;
        if let Claim::Nobody = given {
            let first = request.into_inner().message().await.map_err(|_| malformed("handshake"))?;
            let payload = first.map(|first| first.payload).unwrap_or_default();
            if !payload.is_empty() {
                let basic = BasicAuth::decode(payload).map_err(|_| malformed("handshake"))?;
                given = Claim::Basic { user: basic.username, password: basic.password };
            }
        }
        let text = match given {
            // It is shown as it is from now on: a token of our own could outlive it.
            Claim::Bearer(text) if Jwt::is_one(&text) => {
                self.believed(&text, &connection, peer).await?;
                text
            }
            Claim::Bearer(text) => {
                let (token, left) = Token::open(&self.seal, &text)?;
                self.proven(&token.role)?;
                if left.is_zero() {
                    return Err(bad_token(Broken::Expired));
                }
                text
            }
            Claim::Basic { user, password } => {
                let login = self.check_password(&user, password, (peer, connection.encrypted)).await?;
                Token::new(&login.role.name)?.seal(&self.seal, self.token_lives)
            }
            Claim::Nobody => {
                let login = self.unclaimed(&connection)?;
                Token::new(&login.role.name)?.seal(&self.seal, self.token_lives)
            }
        };
        connection.prove()?;
        let header = bearer(&text)?;
        let mut response = Response::new(HandshakeResponse { protocol_version: 0, payload: text.into() });
        response.metadata_mut().insert("authorization", header);
        Ok(response)
    }

    async fn check_password(
        &self,
        user: &str,
        password: String,
        (peer, encrypted): (SocketAddr, bool),
    ) -> Result<Login> {
        if self.roles.trusted(user).is_none() && !encrypted && !peer.ip().is_loopback() {
            return Err(unproven("a password may be sent over TLS only"));
        }
        permitted(password::check(&self.roles, user, password, ("flight", peer.ip())).await?)
    }

    /// The login of a token that the identity provider has signed.
    async fn believed(&self, text: &str, connection: &Connection, peer: SocketAddr) -> Result<Login> {
        let Some(jwt) = &self.jwt else { return Err(bad_token(Broken::Forged)) };
        if !connection.encrypted && !peer.ip().is_loopback() {
            return Err(unproven("a token may be sent over TLS only"));
        }
        let role = jwt.role(text).await.map_err(|why| unproven(&format!("bad token: {why}")))?;
        self.proven(&role)
    }

    /// The login of a client that shows nothing: its certificate says who it is, or it need not say so.
    fn unclaimed(&self, connection: &Connection) -> Result<Login> {
        match &connection.client_name {
            Some(name) => {
                let refused = || unproven(&format!("certificate authentication failed for user \"{name}\""));
                permitted(self.roles.proven(name).ok_or_else(refused)?)
            }
            None => self.roles.trusted(ANONYMOUS).ok_or_else(|| unproven("no credentials were given")),
        }
    }

    /// The login of a name that a token has proven: the role may be gone since.
    fn proven(&self, name: &str) -> Result<Login> {
        let login = self.roles.proven(name);
        permitted(login.ok_or_else(|| unproven("bad token: its role does not exist"))?)
    }

    /// `database` is what ADBC's option `rpc.call_header.database` sends, and JDBC's.
    fn check_database(&self, metadata: &MetadataMap) -> Result<()> {
        match metadata.get("database").map(|value| value.to_str()) {
            None => Ok(()),
            Some(Ok(name)) if name == self.database => Ok(()),
            Some(name) => {
                let message = format!("database \"{}\" does not exist", name.unwrap_or_default());
                Err(Error::new(SqlState::InvalidCatalogName, message))
            }
        }
    }
}

fn bearer(token: &str) -> Result<MetadataValue<Ascii>> {
    format!("Bearer {token}").parse().map_err(Error::internal)
}

fn permitted(login: Login) -> Result<Login> {
    if login.permitted {
        return Ok(login);
    }
    let message = format!("role \"{}\" is not permitted to log in", login.role.name);
    Err(Error::new(SqlState::InvalidAuthorizationSpecification, message))
}

fn claim(metadata: &MetadataMap) -> Result<Claim> {
    let Some(header) = metadata.get("authorization") else { return Ok(Claim::Nobody) };
    let header = header.to_str().map_err(|_| malformed("authorization header"))?;
    let (scheme, value) = header.split_once(' ').ok_or_else(|| malformed("authorization header"))?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Ok(Claim::Bearer(value.trim().to_owned()));
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(unproven("authorization must be Basic or Bearer"));
    }
    let decoded = BASE64.decode(value.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let pair = decoded.as_deref().and_then(|text| text.split_once(':'));
    let (user, password) = pair.ok_or_else(|| malformed("authorization header"))?;
    Ok(Claim::Basic { user: user.to_owned(), password: password.to_owned() })
}

/// The connection of a call, and where it comes from.
fn connection<T>(request: &Request<T>) -> Result<(Arc<Connection>, SocketAddr)> {
    let connection = request.extensions().get::<Arc<Connection>>();
    let found = connection.and_then(|connection| Some((Arc::clone(connection), connection.addr?)));
    found.ok_or_else(|| Error::new(SqlState::ConnectionFailure, "the connection is gone"))
}

/// `grpc-timeout`: at most eight digits and a unit.
/// <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>
fn timeout(metadata: &MetadataMap) -> Option<Duration> {
    let text = metadata.get("grpc-timeout")?.to_str().ok()?;
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number: u64 = number.parse().ok().filter(|_| number.len() <= 8)?;
    Some(match unit {
        "H" => Duration::from_secs(number.saturating_mul(3600)),
        "M" => Duration::from_secs(number.saturating_mul(60)),
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return None,
    })
}

fn unproven(message: &str) -> Error {
    Error::new(SqlState::InvalidAuthorizationSpecification, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(name: &'static str, value: &str) -> MetadataMap {
        let mut metadata = MetadataMap::new();
        metadata.insert(name, value.parse().unwrap());
        metadata
    }

    #[test]
    fn headers_are_read() {
        let basic = claim(&header("authorization", "basic YW5uOnB3OjE=")).unwrap();
        assert!(matches!(basic, Claim::Basic { user, password } if user == "ann" && password == "pw:1"));
        assert!(matches!(claim(&header("authorization", "Bearer x")).unwrap(), Claim::Bearer(text) if text == "x"));
        assert!(claim(&header("authorization", "Basic YW5uOnB3")).is_ok());
        assert!(claim(&header("authorization", "Basic YW5uOg")).is_ok(), "without padding");
        for bad in ["Basic", "Basic !!!!", "Basic YW5u", "Digest x", "Bearer"] {
            assert!(claim(&header("authorization", bad)).is_err(), "{bad}");
        }
        let of = |text| timeout(&header("grpc-timeout", text));
        assert_eq!((of("250m"), of("2S")), (Some(Duration::from_millis(250)), Some(Duration::from_secs(2))));
        assert_eq!((of("123456789S"), of("S"), of("5"), of("5x")), (None, None, None, None));
    }
}
