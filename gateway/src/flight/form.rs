//! How a client wants its rows: which types of Arrow it knows, whether their buffers are compressed, in how many parts they come, and
//! whether they are those of the moment in which it asked.
//!
//! Owns: the headers that say so, which every client can set: ADBC with `adbc.flight.sql.rpc.call_header.`, JDBC in its URL.
//! A ticket keeps what was asked for with it, so that its rows come as they were described, whoever fetches them.

use arrow_ipc::CompressionType;
use arrow_ipc::writer::IpcWriteOptions;
use tonic::metadata::MetadataMap;

use crate::error::{Error, Result, SqlState};

const TYPES: &str = "lakegate-types";
const COMPRESSION: &str = "lakegate-compression";
const ENDPOINTS: &str = "lakegate-endpoints";
const SNAPSHOT: &str = "lakegate-snapshot";

/// A connection has 64 calls at a time.
const ENDPOINTS_MAX: u32 = 32;

/// Which types may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub(super) enum Types {
    /// Those that every client knows: no views, no dictionaries.
    Plain = 0,
    /// As they are.
    Native = 1,
    /// Booleans, integers, floats, texts, timestamps; all others become one of them.
    Basic = 2,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub(super) enum Compression {
    None = 0,
    Lz4 = 1,
    Zstd = 2,
}

/// Which state of the lake the rows are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub(super) enum Snapshot {
    /// That of the fetch.
    Current = 0,
    /// That in which the ticket was given; when the files of the result have changed, there are no rows.
    Strict = 1,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) types: Types,
    pub(super) compression: Compression,
    /// At most so many.
    pub(super) endpoints: u32,
    pub(super) snapshot: Snapshot,
}

impl Form {
    /// What the headers of a call ask for; a value that is none of those there are: 22023.
    pub(super) fn asked(metadata: &MetadataMap) -> Result<Self> {
        let types = [("plain", Types::Plain), ("native", Types::Native), ("basic", Types::Basic)];
        let compressions = [("none", Compression::None), ("lz4", Compression::Lz4), ("zstd", Compression::Zstd)];
        let snapshots = [("current", Snapshot::Current), ("strict", Snapshot::Strict)];
        Ok(Self {
            types: choice(metadata, TYPES, types)?,
            compression: choice(metadata, COMPRESSION, compressions)?,
            endpoints: number(metadata, ENDPOINTS, ENDPOINTS_MAX)?,
            snapshot: choice(metadata, SNAPSHOT, snapshots)?,
        })
    }

    pub(super) fn options(self) -> Result<IpcWriteOptions> {
        let compression = match self.compression {
            Compression::None => None,
            Compression::Lz4 => Some(CompressionType::LZ4_FRAME),
            Compression::Zstd => Some(CompressionType::ZSTD),
        };
        Ok(IpcWriteOptions::default().try_with_compression(compression)?)
    }
}

/// The value of a header among its possible ones.
fn choice<T: Copy + Default, const N: usize>(metadata: &MetadataMap, name: &str, values: [(&str, T); N]) -> Result<T> {
    let Some(given) = metadata.get(name) else { return Ok(T::default()) };
    let given = given.to_str().unwrap_or_default();
    match values.iter().find(|(value, _)| value.eq_ignore_ascii_case(given)) {
        Some((_, found)) => Ok(*found),
        None => Err(invalid(name, given, &values.map(|(value, _)| value).join(", "))),
    }
}

/// The value of a header that is a number from 1 on, the default.
fn number(metadata: &MetadataMap, name: &str, max: u32) -> Result<u32> {
    let Some(given) = metadata.get(name) else { return Ok(1) };
    let given = given.to_str().unwrap_or_default();
    match given.parse() {
        Ok(number) if (1..=max).contains(&number) => Ok(number),
        _ => Err(invalid(name, given, &format!("1 to {max}"))),
    }
}

fn invalid(name: &str, given: &str, available: &str) -> Error {
    let message = format!("invalid value for header \"{name}\": \"{given}\"");
    Error::new(SqlState::InvalidParameterValue, message).hint(format!("Available values: {available}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_says_one_of_its_values() {
        let asked = |name: &'static str, value: &str| {
            let mut metadata = MetadataMap::new();
            metadata.insert(name, value.parse().unwrap());
            Form::asked(&metadata)
        };
        let (types, compression, snapshot) = (Types::Plain, Compression::None, Snapshot::Current);
        let default = Form { types, compression, endpoints: 1, snapshot };
        assert_eq!(Form::asked(&MetadataMap::new()).unwrap(), default);
        assert_eq!(asked(TYPES, "Basic").unwrap(), Form { types: Types::Basic, ..default });
        assert_eq!(asked(COMPRESSION, "zstd").unwrap(), Form { compression: Compression::Zstd, ..default });
        assert_eq!(asked(ENDPOINTS, "32").unwrap(), Form { endpoints: 32, ..default });
        assert_eq!(asked(SNAPSHOT, "strict").unwrap(), Form { snapshot: Snapshot::Strict, ..default });
        for value in ["0", "33", "-1", "many", ""] {
            let error = asked(ENDPOINTS, value).unwrap_err();
            assert_eq!(error.hint.as_deref(), Some("Available values: 1 to 32."), "{value}");
        }
        let error = asked(COMPRESSION, "gzip").unwrap_err();
        assert_eq!(error.message, "invalid value for header \"lakegate-compression\": \"gzip\"");
        assert_eq!(error.hint.as_deref(), Some("Available values: none, lz4, zstd."));
    }
}
