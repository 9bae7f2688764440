//! The server's certificate and the handshake.
//!
//! Owns: loading PEM files, ALPN, the hash that binds a SCRAM exchange to the certificate, and the name in a client's. A bad
//! file stops the start; there is no fall back to plain text. Must never know: what follows the handshake.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ring::digest;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::{Decode, Tag, Tagged};

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
    #[error("the certificates of {path} cannot verify clients")]
    Authority { path: PathBuf, source: Box<dyn std::error::Error + Send + Sync> },
}

/// The files of a server's TLS.
pub struct Files<'a> {
    /// The chain, leaf first.
    pub certificate: &'a Path,
    pub key: &'a Path,
    /// Who signs the certificates of clients; without it they are not asked for one.
    pub client_authority: Option<&'a Path>,
}

#[derive(Clone)]
pub struct Acceptor {
    inner: TlsAcceptor,
    end_point: Option<Arc<[u8]>>,
}

impl Acceptor {
    /// Loads a certificate chain and its key. A key of another certificate is an error.
    pub fn load(files: &Files<'_>, protocol: &[u8]) -> Result<Self, TlsError> {
        let key = PrivateKeyDer::from_pem_file(files.key)
            .map_err(|source| TlsError::Key { path: files.key.to_owned(), source })?;
        let chain = certificates(files.certificate)?;
        let clients = match files.client_authority {
            Some(path) => verifier(path)?,
            None => WebPkiClientVerifier::no_client_auth(),
        };
        Ok(Self::new(chain, key, clients, protocol)?)
    }

    fn new(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
        clients: Arc<dyn ClientCertVerifier>,
        protocol: &[u8],
    ) -> Result<Self, rustls::Error> {
        let end_point = chain.first().and_then(|leaf| end_point(leaf)).map(Arc::from);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(clients)
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

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let unreadable = |source| TlsError::Certificate { path: path.to_owned(), source };
    let chain = CertificateDer::pem_file_iter(path).map_err(unreadable)?.collect::<Result<Vec<_>, _>>();
    match chain.map_err(unreadable)? {
        chain if chain.is_empty() => Err(TlsError::NoCertificate { path: path.to_owned() }),
        chain => Ok(chain),
    }
}

/// Verifies the certificates of clients that show one; the others have passwords.
fn verifier(path: &Path) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let unusable = |source| TlsError::Authority { path: path.to_owned(), source };
    let mut roots = rustls::RootCertStore::empty();
    for certificate in certificates(path)? {
        roots.add(certificate).map_err(|error| unusable(error.into()))?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).allow_unauthenticated();
    verifier.build().map_err(|error| unusable(error.into()))
}

/// The common name in the certificate that a client has shown, and that was verified; `None` of one that has not exactly one.
pub(crate) fn client_name(stream: &TlsStream<TcpStream>) -> Option<String> {
    common_name(stream.get_ref().1.peer_certificates()?.first()?)
}

fn common_name(leaf: &CertificateDer<'_>) -> Option<String> {
    const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
    let certificate = x509_cert::Certificate::from_der(leaf.as_ref()).ok()?;
    let parts = certificate.tbs_certificate.subject.0.iter().flat_map(|parts| parts.0.iter());
    let mut names = parts.filter(|part| part.oid == COMMON_NAME).map(|part| &part.value);
    let (name, None) = (names.next()?, names.next()) else { return None };
    let is_text = matches!(name.tag(), Tag::Utf8String | Tag::PrintableString | Tag::Ia5String);
    let name = std::str::from_utf8(name.value()).ok().filter(|name| is_text && !name.contains('\0'))?;
    Some(name.to_owned())
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

    fn load(certificate: &Path, key: &Path) -> Result<Acceptor, TlsError> {
        Acceptor::load(&Files { certificate, key, client_authority: None }, HTTP2)
    }

    #[test]
    fn a_pair_loads_and_has_its_end_point() {
        let (certificate, key) = files("good");
        let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(&certificate, pair.cert.pem()).unwrap();
        std::fs::write(&key, pair.signing_key.serialize_pem()).unwrap();
        let acceptor = load(&certificate, &key).unwrap();
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
        assert!(matches!(load(&certificate, &key), Err(TlsError::Unusable(_))));
        std::fs::write(&certificate, "").unwrap();
        assert!(matches!(load(&certificate, &key), Err(TlsError::NoCertificate { .. })));
        std::fs::write(&key, "").unwrap();
        assert!(matches!(load(&certificate, &key), Err(TlsError::Key { .. })));
    }

    #[test]
    fn a_certificate_has_one_common_name_or_none() {
        let named = |names: &[&str]| {
            let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
            params.distinguished_name = rcgen::DistinguishedName::new();
            for name in names {
                params.distinguished_name.push(rcgen::DnType::CommonName, *name);
            }
            let certificate = params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap();
            common_name(certificate.der())
        };
        assert_eq!(named(&["ann"]).as_deref(), Some("ann"));
        assert_eq!(named(&["é \u{fe0f}"]).as_deref(), Some("é \u{fe0f}"));
        assert_eq!(named(&["ann\0root"]), None);
        assert_eq!(named(&[]), None);
    }

    #[test]
    fn an_authority_that_cannot_be_read_stops_the_start() {
        let (certificate, key) = files("authority");
        let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(&certificate, pair.cert.pem()).unwrap();
        std::fs::write(&key, pair.signing_key.serialize_pem()).unwrap();
        let with = |client_authority| {
            let files = Files { certificate: &certificate, key: &key, client_authority: Some(client_authority) };
            Acceptor::load(&files, HTTP2)
        };
        assert!(with(&certificate).is_ok());
        assert!(matches!(with(&key), Err(TlsError::NoCertificate { .. })));
        assert!(matches!(with(Path::new("/nowhere")), Err(TlsError::Certificate { .. })));
    }
}
