//! How a client wants its rows: which types of Arrow it knows, and whether their buffers are compressed.
//!
//! Owns: the headers that say so, which every client can set: ADBC with `adbc.flight.sql.rpc.call_header.`, JDBC in its URL.
//! A ticket keeps what was asked for with it, so that its rows come as they were described, whoever fetches them.

use arrow_ipc::CompressionType;
use arrow_ipc::writer::IpcWriteOptions;
use tonic::metadata::MetadataMap;

use crate::error::{Error, Result, SqlState};

const TYPES: &str = "lakegate-types";
const COMPRESSION: &str = "lakegate-compression";

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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) types: Types,
    pub(super) compression: Compression,
}

impl Form {
    /// What the headers of a call ask for; a value that is none of those there are: 22023.
    pub(super) fn asked(metadata: &MetadataMap) -> Result<Self> {
        let types = [("plain", Types::Plain), ("native", Types::Native), ("basic", Types::Basic)];
        let compressions = [("none", Compression::None), ("lz4", Compression::Lz4), ("zstd", Compression::Zstd)];
        Ok(Self { types: choice(metadata, TYPES, types)?, compression: choice(metadata, COMPRESSION, compressions)? })
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

/// The value of a header among its possible ones, of which the first is the default.
fn choice<T: Copy>(metadata: &MetadataMap, name: &str, values: [(&str, T); 3]) -> Result<T> {
    let [(_, default), ..] = values;
    let Some(given) = metadata.get(name) else { return Ok(default) };
    let given = given.to_str().unwrap_or_default();
    match values.iter().find(|(value, _)| value.eq_ignore_ascii_case(given)) {
        Some((_, found)) => Ok(*found),
        None => {
            let message = format!("invalid value for header \"{name}\": \"{given}\"");
            let available = values.map(|(value, _)| value).join(", ");
            Err(Error::new(SqlState::InvalidParameterValue, message).hint(format!("Available values: {available}.")))
        }
    }
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
        let default = Form { types: Types::Plain, compression: Compression::None };
        assert_eq!(Form::asked(&MetadataMap::new()).unwrap(), default);
        assert_eq!(asked(TYPES, "Basic").unwrap(), Form { types: Types::Basic, ..default });
        assert_eq!(asked(COMPRESSION, "zstd").unwrap(), Form { compression: Compression::Zstd, ..default });
        let error = asked(COMPRESSION, "gzip").unwrap_err();
        assert_eq!(error.message, "invalid value for header \"lakegate-compression\": \"gzip\"");
        assert_eq!(error.hint.as_deref(), Some("Available values: none, lz4, zstd."));
    }
}
