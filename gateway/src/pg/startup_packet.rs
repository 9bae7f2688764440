//! The first packet of a connection: start-up, TLS and GSS requests, cancel.
//!
//! Owns: their pure decoding. Must never know: a socket.
//! <https://www.postgresql.org/docs/16/protocol-message-formats.html>

use bytes::{Buf, Bytes};

use crate::error::{Error, Result, SqlState};

/// PostgreSQL's MAX_STARTUP_PACKET_LENGTH.
pub(super) const PACKET_BYTES_MAX: usize = 10_000;
const CANCEL_KEY_BYTES_MAX: usize = 256;

const TLS_REQUEST: u32 = 80_877_103;
const GSS_REQUEST: u32 = 80_877_104;
const CANCEL_REQUEST: u32 = 80_877_102;

/// The newest protocol that we speak.
const NEWEST: u32 = version(3, 2);

const fn version(major: u32, minor: u32) -> u32 {
    major << 16 | minor
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Packet {
    Tls,
    Gss,
    Cancel { id: i32, key: Bytes },
    Startup(Startup),
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Startup {
    /// What we speak with this client: what it asked for, 3.2 at most.
    pub(super) version: u32,
    /// Whether it asked for more than that.
    pub(super) newer: bool,
    /// Its `_pq_.` options, none of which we know.
    pub(super) refused: Vec<String>,
    pub(super) user: String,
    /// `None` where the client names none. PostgreSQL then takes the user's name; we take the one database there is,
    /// as no client can mean another.
    pub(super) database: Option<String>,
    pub(super) replication: bool,
    /// Variables in the order in which they came, those of `options` included.
    pub(super) settings: Vec<(String, String)>,
}

impl Startup {
    /// 3.2 made cancel keys long.
    pub(super) fn cancel_key_bytes(&self) -> usize {
        if self.version >= version(3, 2) { 32 } else { 4 }
    }
}

/// Decodes a packet without its length.
pub(super) fn decode(mut packet: Bytes) -> Result<Packet> {
    let code = packet.try_get_u32().map_err(|_| layout())?;
    match code {
        TLS_REQUEST if packet.is_empty() => Ok(Packet::Tls),
        GSS_REQUEST if packet.is_empty() => Ok(Packet::Gss),
        CANCEL_REQUEST => {
            let id = packet.try_get_i32().map_err(|_| layout())?;
            if packet.is_empty() || packet.len() > CANCEL_KEY_BYTES_MAX {
                return Err(layout());
            }
            Ok(Packet::Cancel { id, key: packet })
        }
        code if code >> 16 == 3 => {
            let mut startup = Startup { version: code.min(NEWEST), newer: code > NEWEST, ..Startup::default() };
            startup.read(&packet)?;
            Ok(Packet::Startup(startup))
        }
        code => Err(Error::new(
            SqlState::FeatureNotSupported,
            format!("unsupported frontend protocol {}.{}: server supports 3.0 to 3.2", code >> 16, code & 0xffff),
        )),
    }
}

fn layout() -> Error {
    Error::new(SqlState::ProtocolViolation, "invalid startup packet layout: expected terminator as last byte")
}

impl Startup {
    fn read(&mut self, packet: &[u8]) -> Result<()> {
        let text = std::str::from_utf8(packet).map_err(|_| {
            Error::new(
                SqlState::CharacterNotInRepertoire,
                "invalid byte sequence for encoding \"UTF8\" in startup packet",
            )
        })?;
        // Pairs of strings, each ended by a NUL, and one NUL more.
        let pairs =
            text.strip_suffix('\0').filter(|pairs| pairs.is_empty() || pairs.ends_with('\0')).ok_or_else(layout)?;
        let mut strings = pairs.split_terminator('\0');
        while let Some(name) = strings.next() {
            let value = strings.next().ok_or_else(layout)?;
            self.take(name, value)?;
        }
        if self.user.is_empty() {
            return Err(Error::new(
                SqlState::InvalidAuthorizationSpecification,
                "no PostgreSQL user name specified in startup packet",
            ));
        }
        Ok(())
    }

    fn take(&mut self, name: &str, value: &str) -> Result<()> {
        match name {
            "" => return Err(layout()),
            "user" => value.clone_into(&mut self.user),
            "database" => self.database = Some(value.to_owned()).filter(|name| !name.is_empty()),
            "options" => self.settings.extend(options(value)?),
            "replication" => self.replication = !matches!(value, "false" | "off" | "no" | "0" | "f" | "n"),
            name if name.starts_with("_pq_.") => self.refused.push(name.to_owned()),
            "client_encoding" => self.settings.push((name.to_owned(), encoding(value).to_owned())),
            name => self.settings.push((name.to_owned(), value.to_owned())),
        }
        Ok(())
    }
}

/// Every spelling of the one encoding that we send. `SQL_ASCII`, which psql asks for in the C locale, means "do not
/// convert", and that is what the client gets.
fn encoding(value: &str) -> &str {
    let letters: String = value.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    if matches!(letters.as_str(), "utf8" | "unicode" | "sqlascii") { "UTF8" } else { value }
}

/// The `-c name=value` and `--name=value` of `options`; white space separates unless a backslash stands before it.
fn options(text: &str) -> Result<Vec<(String, String)>> {
    let mut words = Vec::new();
    let (mut word, mut started) = (String::new(), false);
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character.is_ascii_whitespace() {
            if std::mem::take(&mut started) {
                words.push(std::mem::take(&mut word));
            }
            continue;
        }
        started = true;
        word.extend(if character == '\\' { characters.next() } else { Some(character) });
    }
    if started {
        words.push(word);
    }
    let mut words = words.into_iter();
    let mut settings = Vec::new();
    while let Some(word) = words.next() {
        let setting = match (word.strip_prefix("--"), word.strip_prefix("-c")) {
            (Some(long), _) => Some(long.to_owned()),
            (None, Some("")) => words.next(),
            (None, Some(short)) => Some(short.to_owned()),
            (None, None) => None,
        };
        let Some((name, value)) = setting.as_deref().and_then(|setting| setting.split_once('=')) else {
            return Err(Error::new(
                SqlState::SyntaxError,
                format!("invalid command-line argument for server process: {word}"),
            )
            .hint("Only -c name=value and --name=value are taken."));
        };
        let name = name.replace('-', "_");
        let value = if name.eq_ignore_ascii_case("client_encoding") { encoding(value) } else { value };
        settings.push((name, value.to_owned()));
    }
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn packet(code: u32, rest: &[u8]) -> Bytes {
        [&code.to_be_bytes()[..], rest].concat().into()
    }

    fn startup(rest: &[u8]) -> Result<Startup> {
        match decode(packet(version(3, 0), rest))? {
            Packet::Startup(startup) => Ok(startup),
            other => unreachable!("{other:?}"),
        }
    }

    fn state(rest: &[u8]) -> SqlState {
        startup(rest).unwrap_err().state
    }

    #[test]
    fn a_start_up_packet_is_pairs_and_a_terminator() {
        let read = startup(b"user\0ann\0database\0lake\0client_encoding\0'utf-8'\0DateStyle\0ISO\0\0").unwrap();
        assert_eq!((read.user.as_str(), read.database.as_deref()), ("ann", Some("lake")));
        let expected = [("client_encoding", "UTF8"), ("DateStyle", "ISO")];
        assert_eq!(read.settings, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!(read.cancel_key_bytes(), 4);
        assert_eq!(
            startup(b"user\0ann\0application_name\0\0\0").unwrap().settings,
            [("application_name".into(), "".into())]
        );
        assert_eq!(startup(b"user\0ann\0\0").unwrap().database, None);
    }

    #[test]
    fn malformed_start_up_packets_are_refused() {
        assert_eq!(state(b""), SqlState::ProtocolViolation);
        assert_eq!(state(b"user\0ann\0"), SqlState::ProtocolViolation);
        assert_eq!(state(b"user\0ann"), SqlState::ProtocolViolation);
        assert_eq!(state(b"user\0ann\0database\0\0"), SqlState::ProtocolViolation);
        assert_eq!(state(b"user\0\xff\0\0"), SqlState::CharacterNotInRepertoire);
        assert_eq!(state(b"\0"), SqlState::InvalidAuthorizationSpecification);
        assert_eq!(state(b"user\0\0\0"), SqlState::InvalidAuthorizationSpecification);
    }

    #[test]
    fn versions_are_negotiated_within_major_three() {
        let at = |code| decode(packet(code, b"user\0ann\0_pq_.new\x001\0\0"));
        let Packet::Startup(newer) = at(version(3, 9999)).unwrap() else { unreachable!() };
        assert!(newer.newer && newer.version == version(3, 2) && newer.refused == ["_pq_.new"]);
        assert_eq!(newer.cancel_key_bytes(), 32);
        assert_eq!(at(version(2, 0)).unwrap_err().state, SqlState::FeatureNotSupported);
        assert_eq!(at(version(1234, 5679)).unwrap_err().state, SqlState::FeatureNotSupported);
    }

    #[test]
    fn cancel_keys_may_be_long() {
        let key = [7; 32];
        let rest = [&5_i32.to_be_bytes()[..], &key].concat();
        assert_eq!(
            decode(packet(CANCEL_REQUEST, &rest)).unwrap(),
            Packet::Cancel { id: 5, key: Bytes::copy_from_slice(&key) }
        );
        assert!(decode(packet(CANCEL_REQUEST, &rest[..4])).is_err());
        assert!(decode(packet(CANCEL_REQUEST, &[0; 300])).is_err());
        assert_eq!(decode(packet(TLS_REQUEST, b"")).unwrap(), Packet::Tls);
        assert!(decode(packet(TLS_REQUEST, b"x")).is_err());
    }

    #[test]
    fn options_are_split_as_postgresql_splits_them() {
        let check = |text: &str, expected: &[(&str, &str)]| {
            let expected: Vec<_> = expected.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
            assert_eq!(options(text).unwrap(), expected, "{text}");
        };
        check("", &[]);
        check("-c a=1 --b-c=2  -cd=x\\ y", &[("a", "1"), ("b_c", "2"), ("d", "x y")]);
        check("-c search_path=\"$user\",public", &[("search_path", "\"$user\",public")]);
        for bad in ["-c", "-c a", "-d 5", "a=1", "--"] {
            assert_eq!(options(bad).unwrap_err().state, SqlState::SyntaxError, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_packet_panics(code in prop::sample::select(vec![version(3, 0), version(3, 2), CANCEL_REQUEST, TLS_REQUEST, GSS_REQUEST, 0]),
                            rest in prop::collection::vec(prop::sample::select(b"\0\0\0user-c=\\ \xff".to_vec()), 0..80)) {
            let _ = decode(packet(code, &rest));
            let _ = decode(rest.into());
        }
    }
}
