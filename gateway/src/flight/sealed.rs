//! What tokens, tickets and handles say, once their seal is open.
//!
//! Owns: their fields and how long they live. They hold all that a replica needs that never saw the client before.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use bytes::Bytes;
use prost::Message;

use super::form::{Compression, Form, Snapshot, Types};
use crate::auth::Seal;
use crate::auth::seal::{self, Broken, Purpose};
use crate::engine::Pin;
use crate::error::{Error, Result, SqlState};

/// A ticket is fetched soon, or not at all.
const TICKET_LIVES: Duration = Duration::from_secs(3600);
/// A prepared statement is used as long as its client is there. It lets nobody in: its role logs in as always.
const HANDLE_LIVES: Duration = Duration::from_secs(7 * 24 * 3600);

/// Who a client is, and which of its sessions it means.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Token {
    #[prost(string, tag = "1")]
    pub(super) role: String,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) session: Vec<u8>,
}

/// A statement, for one role.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Work {
    #[prost(string, tag = "1")]
    pub(super) role: String,
    /// The session that it was planned in.
    #[prost(bytes = "vec", tag = "2")]
    pub(super) session: Vec<u8>,
    #[prost(string, tag = "3")]
    pub(super) text: String,
    /// Its values, as an Arrow IPC stream.
    #[prost(bytes = "vec", tag = "4")]
    pub(super) params: Vec<u8>,
    /// The variables that the session had set.
    #[prost(message, repeated, tag = "5")]
    pub(super) settings: Vec<Setting>,
    /// Tells one ticket of the same statement from another.
    #[prost(bytes = "vec", tag = "6")]
    pub(super) nonce: Vec<u8>,
    /// It was a command, and has been carried out: there is nothing to fetch.
    #[prost(bool, tag = "7")]
    pub(super) done: bool,
    /// The fingerprint of the columns that the client was told; empty if it was told none.
    #[prost(bytes = "vec", tag = "8")]
    pub(super) columns: Vec<u8>,
    /// How the client wants the rows.
    #[prost(enumeration = "Types", tag = "9")]
    pub(super) types: i32,
    #[prost(enumeration = "Compression", tag = "10")]
    pub(super) compression: i32,
    #[prost(uint32, tag = "11")]
    pub(super) endpoints: u32,
    #[prost(enumeration = "Snapshot", tag = "12")]
    pub(super) snapshot: i32,
    /// What tells the files that a ticket is bound to; empty if it is bound to none.
    #[prost(bytes = "vec", tag = "13")]
    pub(super) files: Vec<u8>,
    /// Of those files, which part is read of how many.
    #[prost(uint32, tag = "14")]
    pub(super) part: u32,
    #[prost(uint32, tag = "15")]
    pub(super) parts: u32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Setting {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    pub(super) value: String,
}

impl Token {
    pub(super) fn new(role: &str) -> Result<Self> {
        Ok(Self { role: role.to_owned(), session: nonce()?.to_vec() })
    }

    /// As it stands behind `Bearer`.
    pub(super) fn seal(&self, seal: &Seal, lives: Duration) -> String {
        BASE64.encode(seal.seal(Purpose::Token, &self.encode_to_vec(), lives))
    }

    /// What a token says, and how long it is good; not at all if it has expired, which the caller must look at.
    pub(super) fn open(seal: &Seal, text: &str) -> Result<(Self, Duration)> {
        let sealed = BASE64.decode(text).map_err(|_| bad_token(Broken::Forged))?;
        let (body, left) = seal.open_dated(Purpose::Token, &sealed).map_err(bad_token)?;
        Ok((Self::decode(body).map_err(|_| bad_token(Broken::Forged))?, left))
    }
}

pub(super) fn bad_token(why: Broken) -> Error {
    Error::new(SqlState::InvalidAuthorizationSpecification, format!("bad token: {why}"))
}

impl Work {
    pub(super) fn form(&self) -> Form {
        let (types, compression, snapshot) = (self.types(), self.compression(), self.snapshot());
        Form { types, compression, endpoints: self.endpoints, snapshot }
    }

    /// The files that it is bound to, if it is.
    pub(super) fn pin(&self) -> Option<Pin> {
        let part = (self.part as usize, self.parts as usize);
        (!self.files.is_empty()).then(|| Pin { files: self.files.clone(), part })
    }

    /// The same for one ticket, bound to these files or to none.
    pub(super) fn of_part(&self, pin: Option<Pin>) -> Result<Self> {
        let (files, (part, parts)) = pin.map_or((Vec::new(), (0, 1)), |pin| (pin.files, pin.part));
        let (part, parts) = (u32::try_from(part), u32::try_from(parts));
        let (part, parts) = (part.map_err(Error::internal)?, parts.map_err(Error::internal)?);
        Ok(Self { nonce: nonce()?.to_vec(), files, part, parts, ..self.clone() })
    }

    pub(super) fn ticket(&self, seal: &Seal) -> Bytes {
        seal.seal(Purpose::Ticket, &self.encode_to_vec(), TICKET_LIVES).into()
    }

    pub(super) fn handle(&self, seal: &Seal) -> Bytes {
        seal.seal(Purpose::Handle, &self.encode_to_vec(), HANDLE_LIVES).into()
    }

    pub(super) fn of_ticket(seal: &Seal, role: &str, sealed: &[u8]) -> Result<Arc<Self>> {
        Self::open(seal, Purpose::Ticket, role, sealed)
    }

    pub(super) fn of_handle(seal: &Seal, role: &str, sealed: &[u8]) -> Result<Arc<Self>> {
        Self::open(seal, Purpose::Handle, role, sealed)
    }

    /// Only the role that it was made for may open it.
    fn open(seal: &Seal, purpose: Purpose, role: &str, sealed: &[u8]) -> Result<Arc<Self>> {
        let (what, state) = match purpose {
            Purpose::Handle => ("prepared statement handle", SqlState::InvalidSqlStatementName),
            Purpose::Ticket | Purpose::Token | Purpose::Console => ("ticket", SqlState::InsufficientPrivilege),
        };
        let refused = |why: Broken| Error::new(state, format!("bad {what}: {why}"));
        let work = Self::decode(seal.open(purpose, sealed).map_err(refused)?).map_err(|_| refused(Broken::Forged))?;
        if work.role != role {
            return Err(Error::new(SqlState::InsufficientPrivilege, format!("the {what} belongs to another role")));
        }
        Ok(Arc::new(work))
    }
}

/// A name that nobody can guess.
pub(super) fn nonce() -> Result<[u8; 16]> {
    seal::nonce().map_err(|error| Error::internal(format!("the system gave no random bytes: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_for_its_role_and_its_purpose() {
        let seal = Seal::new([]).unwrap();
        let work = Work { role: "ann".into(), text: "SELECT 1".into(), ..Work::default() };
        let ticket = work.ticket(&seal);
        assert_eq!(Work::of_ticket(&seal, "ann", &ticket).unwrap().text, "SELECT 1");
        assert_eq!(Work::of_ticket(&seal, "bob", &ticket).unwrap_err().state, SqlState::InsufficientPrivilege);
        assert_eq!(Work::of_handle(&seal, "ann", &ticket).unwrap_err().state, SqlState::InvalidSqlStatementName);
        let strict = Seal::new([]).unwrap().for_lives_of(Duration::ZERO);
        let old = strict.seal(Purpose::Ticket, &work.encode_to_vec(), Duration::ZERO);
        let refused = Work::of_ticket(&strict, "ann", &old).unwrap_err();
        assert_eq!(
            (refused.state, refused.message.as_str()),
            (SqlState::InsufficientPrivilege, "bad ticket: it has expired")
        );
        let token = Token::new("ann").unwrap();
        assert_eq!(Token::open(&seal, &token.seal(&seal, TICKET_LIVES)).unwrap().0, token);
        assert!(Token::open(&seal, "no token").is_err() && Token::open(&seal, "").is_err());
    }
}
