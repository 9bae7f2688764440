//! The server's certificate and the handshake.
//!
//! Owns: loading PEM files, ALPN, and the hash that binds a SCRAM exchange to the certificate. A bad file stops the
//! start; there is no fall back to plain text. Must never know: what follows the handshake.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ring::digest;
use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use x509_cert::der::Decode;
use x509_cert::der::asn1::ObjectIdentifier;

/// PostgreSQL's protocol name in ALPN.
pub(crate) const POSTGRESQL: &[u8] = b"postgresql";
/// That of HTTP/2, and so of gRPC.
pub(crate) const HTTP2: &[u8] = b"h2";

#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("cannot read certificates from {path}")]
    Certificate { path: PathBuf, source: pem::Error },
    #[error("{path} holds no certificate")]
    NoCertificate { path: PathBuf },
    #[error("cannot read a private key from {path}")]
    Key { path: PathBuf, source: pem::Error },
    #[error("certificate and private key cannot be used")]
    Unusable(#[from] rustls::Error),
}

#[derive(Clone)]
pub struct Acceptor {
    inner: TlsAcceptor,
    end_point: Option<Arc<[u8]>>,
}

impl Acceptor {
    /// Loads a certificate chain, leaf first, and its key. A key of another certificate is an error.
    pub fn load(certificate: &Path, key: &Path, protocol: &[u8]) -> Result<Self, TlsError> {
        let unreadable = |source| TlsError::Certificate { path: certificate.to_owned(), source };
        let chain = CertificateDer::pem_file_iter(certificate)
            .map_err(unreadable)?
            .collect::<Result<Vec<_>, _>>()
            .map_err(unreadable)?;
        let key = PrivateKeyDer::from_pem_file(key).map_err(|source| TlsError::Key { path: key.to_owned(), source })?;
        if chain.is_empty() {
            return Err(TlsError::NoCertificate { path: certificate.to_owned() });
        }
        Ok(Self::new(chain, key, protocol)?)
    }

    fn new(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
        protocol: &[u8],
    ) -> Result<Self, rustls::Error> {
        let end_point = chain.first().and_then(|leaf| end_point(leaf)).map(Arc::from);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        config.alpn_protocols = vec![protocol.to_vec()];
        Ok(Self { inner: TlsAcceptor::from(Arc::new(config)), end_point })
    }

    pub(crate) async fn accept(&self, tcp: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
        self.inner.accept(tcp).await
    }

    /// The `tls-server-end-point` hash of the served certificate (RFC 5929, section 4.1); `None` where it is not
    /// defined, and then -PLUS is not offered.
    pub(crate) fn end_point(&self) -> Option<Arc<[u8]>> {
        self.end_point.clone()
    }
}

/// Whether the client asked for a protocol in its handshake.
pub(crate) fn speaks(stream: &TlsStream<TcpStream>, protocol: &[u8]) -> bool {
    stream.get_ref().1.alpn_protocol() == Some(protocol)
}

fn end_point(leaf: &CertificateDer<'_>) -> Option<Vec<u8>> {
    let certificate = x509_cert::Certificate::from_der(leaf.as_ref()).ok()?;
    let algorithm = hash_of(certificate.signature_algorithm.oid)?;
    Some(digest::digest(algorithm, leaf.as_ref()).as_ref().to_vec())
}

/// The hash of a signature algorithm; MD5 and SHA-1 are replaced by SHA-256. Ed25519 has none of its own.
fn hash_of(signature: ObjectIdentifier) -> Option<&'static digest::Algorithm> {
    match signature.to_string().as_str() {
        // RSA with MD5, SHA-1, SHA-256; ECDSA with SHA-1, SHA-256.
        "1.2.840.113549.1.1.4" | "1.2.840.113549.1.1.5" | "1.2.840.113549.1.1.11" => Some(&digest::SHA256),
        "1.2.840.10045.4.1" | "1.2.840.10045.4.3.2" => Some(&digest::SHA256),
        "1.2.840.113549.1.1.12" | "1.2.840.10045.4.3.3" => Some(&digest::SHA384),
        "1.2.840.113549.1.1.13" | "1.2.840.10045.4.3.4" => Some(&digest::SHA512),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(test: &str) -> (PathBuf, PathBuf) {
        let folder = std::env::temp_dir().join(format!("lakegate-tls-{test}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        (folder.join("cert.pem"), folder.join("key.pem"))
    }

    #[test]
    fn a_pair_loads_and_has_its_end_point() {
        let (certificate, key) = files("good");
        let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(&certificate, pair.cert.pem()).unwrap();
        std::fs::write(&key, pair.signing_key.serialize_pem()).unwrap();
        let acceptor = Acceptor::load(&certificate, &key, HTTP2).unwrap();
        // rcgen signs with ECDSA and SHA-256.
        let expected = digest::digest(&digest::SHA256, pair.cert.der());
        assert_eq!(acceptor.end_point().as_deref(), Some(expected.as_ref()));
    }

    #[test]
    fn a_foreign_key_or_an_empty_file_stops_the_start() {
        let (certificate, key) = files("bad");
        let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(&certificate, pair.cert.pem()).unwrap();
        std::fs::write(&key, other.signing_key.serialize_pem()).unwrap();
        assert!(matches!(Acceptor::load(&certificate, &key, HTTP2), Err(TlsError::Unusable(_))));
        std::fs::write(&certificate, "").unwrap();
        assert!(matches!(Acceptor::load(&certificate, &key, HTTP2), Err(TlsError::NoCertificate { .. })));
        std::fs::write(&key, "").unwrap();
        assert!(matches!(Acceptor::load(&certificate, &key, HTTP2), Err(TlsError::Key { .. })));
    }
}
