//! The store behind HTTP on a free port of the loopback.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::net::TcpSocket;

use super::fault::Faults;
use super::store::Store;
use crate::lake::Lake;

pub const BUCKET: &str = "lake";
const ACCESS_KEY: &str = "access-key-of-the-tests";
const SECRET_KEY: &str = "secret-key-of-the-tests";

/// A running server with one bucket. It stops when the test's runtime does.
pub struct Server {
    addr: SocketAddr,
    dir: TempDir,
    pub faults: Arc<Faults>,
}

impl Server {
    pub async fn start() -> Self {
        let (server, socket) = Self::closed();
        server.open(socket);
        server
    }

    /// A server that nobody reaches before `open`; until then its port is kept.
    pub fn closed() -> (Self, TcpSocket) {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((std::net::Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        let (addr, dir) = (socket.local_addr().unwrap(), tempfile::tempdir().unwrap());
        std::fs::create_dir(dir.path().join(BUCKET)).unwrap();
        (Self { addr, dir, faults: Arc::default() }, socket)
    }

    /// Serves from now on.
    pub fn open(&self, socket: TcpSocket) {
        let faults = Arc::clone(&self.faults);
        let files = FileSystem::new(self.dir.path()).unwrap();
        let mut builder = S3ServiceBuilder::new(Store::new(files, faults));
        builder.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        let service = builder.build();
        let listener = socket.listen(1024).unwrap();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let service = service.clone();
                tokio::spawn(async move {
                    let http = Builder::new(TokioExecutor::new());
                    // A connection that a client or a fault breaks off is the business of the test.
                    drop(http.serve_connection(TokioIo::new(socket), service).await);
                });
            }
        });
    }

    /// A lake's source below a prefix of the bucket.
    pub fn source(&self, prefix: &str) -> catalog::SourceConfig {
        catalog::SourceConfig {
            url: format!("s3://{BUCKET}/{prefix}"),
            endpoint: Some(format!("http://{}", self.addr)),
            region: Some("us-east-1".into()),
            path_style: true,
            allow_http: true,
            access_key_id: Some(ACCESS_KEY.into()),
            secret_access_key: Some(SECRET_KEY.into()),
            writable: false,
        }
    }

    /// The same store for the test's own hands.
    pub fn object_store(&self) -> object_store::aws::AmazonS3 {
        object_store::aws::AmazonS3Builder::new()
            .with_bucket_name(BUCKET)
            .with_endpoint(format!("http://{}", self.addr))
            .with_region("us-east-1")
            .with_allow_http(true)
            .with_access_key_id(ACCESS_KEY)
            .with_secret_access_key(SECRET_KEY)
            .with_retry(object_store::RetryConfig { max_retries: 0, ..Default::default() })
            .build()
            .unwrap()
    }

    /// Puts one object, at once.
    pub async fn put(&self, key: &str, content: impl Into<bytes::Bytes>) {
        use object_store::ObjectStoreExt;
        self.object_store().put(&exactly(key), content.into().into()).await.unwrap();
    }

    pub async fn delete(&self, key: &str) {
        use object_store::ObjectStoreExt;
        self.object_store().delete(&exactly(key)).await.unwrap();
    }

    /// Copies a local lake below a prefix.
    pub async fn upload(&self, lake: &Lake, prefix: &str) {
        for key in lake.keys() {
            let content = std::fs::read(lake.path().join(&key)).unwrap();
            self.put(&format!("{prefix}/{key}"), content).await;
        }
    }

    /// Where the objects lie, to break them behind the server's back.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }
}

/// A key as it is: `Path::from` would write its percent signs anew.
fn exactly(key: &str) -> object_store::path::Path {
    object_store::path::Path::parse(key).unwrap()
}
