//! The lake in a bucket of MinIO, a real server of others. `LAKEGATE_MINIO` names its program; without it nothing runs.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use lakegate_tests::{Lake, TestServer, server};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions};
use tempfile::TempDir;

const USER: &str = "user-of-the-tests";
const PASSWORD: &str = "password-of-the-tests";
const BUCKET: &str = "lake";

/// A running MinIO, which ends with this value.
struct Minio {
    process: Child,
    endpoint: String,
    _dir: TempDir,
}

impl Drop for Minio {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

impl Minio {
    async fn start(program: &Path) -> Self {
        let dir = tempfile::tempdir().unwrap();
        // On a single drive a folder is a bucket.
        std::fs::create_dir(dir.path().join(BUCKET)).unwrap();
        let addr = free_port();
        let process = Command::new(program)
            .args(["server", "--quiet", "--address", &addr.to_string()])
            .arg(dir.path())
            .env("MINIO_ROOT_USER", USER)
            .env("MINIO_ROOT_PASSWORD", PASSWORD)
            .env("MINIO_BROWSER", "off")
            .env("MINIO_UPDATE", "off")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let minio = Self { process, endpoint: format!("http://{addr}"), _dir: dir };
        let store = minio.object_store();
        let ready = async {
            let mut tick = tokio::time::interval(Duration::from_millis(100));
            while store.put(&"ready".into(), "yes".into()).await.is_err() {
                tick.tick().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), ready).await.expect("MinIO does not start");
        store.delete(&"ready".into()).await.unwrap();
        minio
    }

    fn object_store(&self) -> AmazonS3 {
        AmazonS3Builder::new()
            .with_bucket_name(BUCKET)
            .with_endpoint(&self.endpoint)
            .with_region("us-east-1")
            .with_allow_http(true)
            .with_access_key_id(USER)
            .with_secret_access_key(PASSWORD)
            .with_retry(object_store::RetryConfig { max_retries: 0, ..Default::default() })
            .build()
            .unwrap()
    }

    fn source(&self, prefix: &str) -> catalog::SourceConfig {
        catalog::SourceConfig {
            url: format!("s3://{BUCKET}/{prefix}"),
            endpoint: Some(self.endpoint.clone()),
            region: Some("us-east-1".into()),
            path_style: true,
            allow_http: true,
            access_key_id: Some(USER.into()),
            secret_access_key: Some(PASSWORD.into()),
        }
    }
}

/// A port that was free just now: MinIO cannot be told to choose one itself.
fn free_port() -> SocketAddr {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap()
}

fn program() -> Option<std::ffi::OsString> {
    let program = std::env::var_os("LAKEGATE_MINIO");
    if program.is_none() {
        println!("NOT RUN: MinIO: LAKEGATE_MINIO names no program");
    }
    program
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn minio_answers_as_a_folder_does() {
    let Some(program) = program() else { return };
    let minio = Minio::start(Path::new(&program)).await;
    let store = minio.object_store();
    let lake = crate::s3::sample();
    for key in lake.keys() {
        let content = std::fs::read(lake.path().join(&key)).unwrap();
        store.put(&format!("a/prefix/{key}").into(), content.into()).await.unwrap();
    }
    let local = TestServer::start(&lake).await;
    let lake = Lake::default();
    let mut config = server::config(&lake);
    config.lake.sources = vec![minio.source("a/prefix")];
    let remote = TestServer::with(config).await;
    crate::s3::assert_same_answers(&local, &remote).await;
    store.put(&"a/prefix/shop/fresh.csv".into(), "x\n7\n".into()).await.unwrap();
    remote.refresh().await;
    assert_eq!(remote.value("SELECT x FROM shop.fresh").await, "7");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn minio_keeps_its_conditions() {
    let Some(program) = program() else { return };
    let minio = Minio::start(Path::new(&program)).await;
    let put = |writer: usize| {
        let store = minio.object_store();
        async move {
            let options = PutOptions::from(PutMode::Create);
            store.put_opts(&"race".into(), format!("{writer}").into(), options).await.is_ok()
        }
    };
    let won = futures::future::join_all((0..8).map(put)).await;
    assert_eq!(won.into_iter().filter(|won| *won).count(), 1, "one writer wins");
}
