//! A server in this process, on ports of its own, over a lake of the test.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use gateway::config::Config;
use gateway::server::Server;
use tempfile::TempDir;
use tokio_postgres::NoTls;

use crate::lake::Lake;
use crate::{s3, wire};

/// How long a lake is waited for that is still being listed, and how often it is looked at.
const LOOK: Duration = Duration::from_millis(50);
const LOOKS: usize = 1_200;

/// A started server. It stops when the test's runtime does.
pub struct TestServer {
    pub server: Server,
    /// What must stay while the server runs: the lake, and a folder with `tables/` and `views/`.
    kept: (Option<Lake>, Option<TempDir>),
}

impl TestServer {
    /// A server over a local lake, with defaults.
    pub async fn start(lake: &Lake) -> Self {
        Self::with(config(lake)).await.keeping(lake)
    }

    /// A server that may write to a local lake.
    pub async fn writable(lake: &Lake) -> Self {
        Self::with(config_writable(lake)).await.keeping(lake)
    }

    /// A server that may write below a prefix of a bucket.
    pub async fn writable_s3(store: &s3::Server, prefix: &str) -> Self {
        let mut config = config_s3(store, prefix);
        config.lake.sources.iter_mut().for_each(|source| source.writable = true);
        Self::with(config).await
    }

    /// Keeps the lake as long as the server.
    pub fn keeping(mut self, lake: &Lake) -> Self {
        self.kept.0 = Some(lake.clone());
        self
    }

    /// A server over a prefix of a bucket.
    pub async fn start_s3(store: &s3::Server, prefix: &str) -> Self {
        Self::with(config_s3(store, prefix)).await
    }

    /// The same, which keeps nothing of what it reads: every query asks the store.
    pub async fn start_s3_unkept(store: &s3::Server, prefix: &str) -> Self {
        let mut config = config_s3(store, prefix);
        (config.lake.cache_bytes_max, config.lake.range_cache_bytes_max) = (0, 0);
        Self::with(config).await
    }

    /// A server with views and tables from files: pairs of a path below the SQL folder and its text.
    pub async fn with_sql(lake: &Lake, files: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let mut config = config(lake);
        config.sql_dir = dir.path().to_owned();
        let mut server = Self::with(config).await.keeping(lake);
        server.kept.1 = Some(dir);
        server
    }

    pub async fn with(config: Config) -> Self {
        let server = Server::start(config).await.unwrap();
        // A store that answers slowly is listed behind the start; one that refuses is not waited for.
        let lake = server.lake();
        for _ in 0..LOOKS {
            if !matches!(lake.awaited(), Some(catalog::Error::Awaited { failed: None })) {
                break;
            }
            let _ = tokio::time::timeout(LOOK, lake.arrived()).await;
        }
        Self { server, kept: (None, None) }
    }

    pub fn addr(&self) -> SocketAddr {
        self.server.pg_addr()
    }

    /// Looks at the lake now, instead of at the next poll.
    pub async fn refresh(&self) {
        self.server.lake().refresh().await.unwrap();
    }

    /// A raw connection, logged in.
    pub async fn wire(&self) -> wire::Client {
        wire::Client::login(self.addr()).await
    }

    /// A connection of a real driver.
    pub async fn client(&self) -> tokio_postgres::Client {
        let (client, connection) = self.driver().connect(NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }

    pub fn driver(&self) -> tokio_postgres::Config {
        let mut config = tokio_postgres::Config::new();
        config.host(self.addr().ip().to_string()).port(self.addr().port()).user("lakegate").dbname("lakegate");
        config
    }

    /// The first column of the rows of a query, as text.
    pub async fn column(&self, sql: &str) -> Vec<String> {
        let mut client = self.wire().await;
        let answer = client.query(sql).await;
        assert!(answer.fault.is_none(), "{sql}: {:?}", answer.fault);
        answer.texts().into_iter().map(|row| row[0].clone().unwrap_or_else(|| "NULL".into())).collect()
    }

    /// The rows of some queries, asked one after the other, as texts.
    pub async fn answers(&self, questions: &[&str]) -> Vec<Vec<Vec<Option<String>>>> {
        let mut client = self.wire().await;
        let mut answers = Vec::new();
        for sql in questions {
            let answer = client.query(sql).await;
            assert_eq!(answer.state(), "00000", "{sql}: {:?}", answer.fault);
            answers.push(answer.texts());
        }
        answers
    }

    /// The one value of a query, as text.
    pub async fn value(&self, sql: &str) -> String {
        let mut values = self.column(sql).await;
        assert_eq!(values.len(), 1, "{sql}");
        values.remove(0)
    }

    /// The SQLSTATE of a query that runs on a connection of its own; `00000` when it succeeds.
    pub async fn state(&self, sql: &str) -> String {
        self.wire().await.query(sql).await.state().to_owned()
    }
}

/// Defaults on free ports of the loopback, over a local lake that is polled seldom: tests refresh it themselves.
pub fn config(lake: &Lake) -> Config {
    let mut config = Config::default();
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    config.pg.listen = any;
    config.flight.listen = any;
    config.http.listen = any;
    config.sql_dir = lake.path().join("no-sql-folder");
    config.lake.poll_interval_ms = 3_600_000;
    // Tests count requests and share folders.
    config.lake.manifest = false;
    config.lake.sources =
        vec![catalog::SourceConfig { url: lake.path().to_str().unwrap().to_owned(), ..Default::default() }];
    config
}

/// The same, whose source SQL may write.
pub fn config_writable(lake: &Lake) -> Config {
    let mut config = config(lake);
    config.lake.sources.iter_mut().for_each(|source| source.writable = true);
    config
}

/// The same over a prefix of a bucket.
pub fn config_s3(store: &s3::Server, prefix: &str) -> Config {
    let mut config = config(&Lake::default());
    config.lake.sources = vec![store.source(prefix)];
    config
}

/// A certificate for `localhost`, as PEM files in a folder, and as a trust store for clients.
pub struct Certificate {
    dir: TempDir,
    pub roots: Arc<rustls::RootCertStore>,
}

impl Default for Certificate {
    fn default() -> Self {
        let generated = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("cert.pem"), generated.cert.pem()).unwrap();
        std::fs::write(dir.path().join("key.pem"), generated.signing_key.serialize_pem()).unwrap();
        let mut roots = rustls::RootCertStore::empty();
        roots.add(generated.cert.der().clone()).unwrap();
        Self { dir, roots: Arc::new(roots) }
    }
}

impl Certificate {
    /// Lets the server of this configuration speak TLS.
    pub fn install(&self, config: &mut Config) {
        config.pg.tls_cert_file = Some(self.dir.path().join("cert.pem"));
        config.pg.tls_key_file = Some(self.dir.path().join("key.pem"));
    }

    /// The same for Flight.
    pub fn install_for_flight(&self, config: &mut Config) {
        config.flight.tls_cert_file = Some(self.dir.path().join("cert.pem"));
        config.flight.tls_key_file = Some(self.dir.path().join("key.pem"));
    }

    /// A client that believes the server, and shows who it is if it can.
    pub fn client(&self, identity: Option<Identity>, alpn: &[&str]) -> rustls::ClientConfig {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(Arc::clone(&self.roots));
        let mut config = match identity {
            Some(Identity { certificate, key }) => config.with_client_auth_cert(vec![certificate], key).unwrap(),
            None => config.with_no_client_auth(),
        };
        config.alpn_protocols = alpn.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        config
    }

    /// Shakes hands over a stream on which the server waits for TLS.
    pub async fn connect(&self, stream: Box<dyn wire::Stream>, alpn: &[&str]) -> std::io::Result<wire::Client> {
        self.connect_as(None, stream, alpn).await
    }

    /// The same with a certificate of the client's own.
    pub async fn connect_as(
        &self,
        identity: Option<Identity>,
        stream: Box<dyn wire::Stream>,
        alpn: &[&str],
    ) -> std::io::Result<wire::Client> {
        let config = self.client(identity, alpn);
        let name = rustls::pki_types::ServerName::try_from("localhost").unwrap();
        let stream = tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
        Ok(wire::Client::over(Box::new(stream)))
    }
}

/// What a client shows of itself in the handshake.
pub struct Identity {
    certificate: rustls::pki_types::CertificateDer<'static>,
    key: rustls::pki_types::PrivateKeyDer<'static>,
}

/// Signs the certificates of clients.
pub struct Authority {
    file: tempfile::NamedTempFile,
    issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
}

impl Default for Authority {
    fn default() -> Self {
        let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key = rcgen::KeyPair::generate().unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), params.self_signed(&key).unwrap().pem()).unwrap();
        Self { file, issuer: rcgen::Issuer::new(params, key) }
    }
}

impl Authority {
    /// The certificate of the authority itself.
    pub fn file(&self) -> &std::path::Path {
        self.file.path()
    }

    /// A certificate whose common name is this.
    pub fn identity(&self, name: &str) -> Identity {
        let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let key = rustls::pki_types::PrivatePkcs8KeyDer::from(key.serialize_der()).into();
        Identity { certificate: certificate.der().clone(), key }
    }
}
