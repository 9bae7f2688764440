//! The lake in a bucket of MinIO, a real server of others. `LAKEGATE_MINIO` names its program; without it nothing runs.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use lakegate_tests::{Lake, TestServer, server};
use object_store::aws::{AmazonS3, AmazonS3Builder, AwsAuthorizer, AwsCredential};
use object_store::client::{HttpConnector, HttpRequest, ReqwestConnector};
use object_store::{ClientOptions, ObjectStore, ObjectStoreExt, PutMode, PutOptions};
use tempfile::TempDir;

const USER: &str = "user-of-the-tests";
const PASSWORD: &str = "password-of-the-tests";
const BUCKET: &str = "lake";
const TOKEN: &str = "token-of-the-tests";

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
        Self::notifying(program, None).await
    }

    /// Starts it; with the address of one, it can send events to a server.
    async fn notifying(program: &Path, events: Option<SocketAddr>) -> Self {
        let webhook = events.map(|addr| {
            [
                ("MINIO_NOTIFY_WEBHOOK_ENABLE_LAKEGATE", "on".to_owned()),
                ("MINIO_NOTIFY_WEBHOOK_ENDPOINT_LAKEGATE", format!("http://{addr}/events")),
                ("MINIO_NOTIFY_WEBHOOK_AUTH_TOKEN_LAKEGATE", TOKEN.to_owned()),
            ]
        });
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
            .envs(webhook.into_iter().flatten())
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

    /// Lets the bucket tell of every object that is written or deleted.
    async fn notify(&self) {
        let events =
            ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"].map(|event| format!("<Event>{event}</Event>")).concat();
        let body = format!(
            "<NotificationConfiguration><QueueConfiguration><Queue>arn:minio:sqs::LAKEGATE:webhook</Queue>{events}\
             </QueueConfiguration></NotificationConfiguration>"
        );
        let credential = AwsCredential { key_id: USER.to_owned(), secret_key: PASSWORD.to_owned(), token: None };
        let uri = format!("{}/{BUCKET}?notification=", self.endpoint);
        let mut request = HttpRequest::new(body.into());
        *request.method_mut() = "PUT".parse().unwrap();
        *request.uri_mut() = uri.parse().unwrap();
        AwsAuthorizer::new(&credential, "s3", "us-east-1").authorize(&mut request, None);
        let client = ReqwestConnector::default().connect(&ClientOptions::new().with_allow_http(true)).unwrap();
        let answer = client.execute(request).await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.status());
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
            writable: false,
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn minio_tells_of_its_objects() {
    let Some(program) = program() else { return };
    let http = free_port();
    let minio = Minio::notifying(Path::new(&program), Some(http)).await;
    let store = minio.object_store();
    store.put(&"a/prefix/shop/items/a.csv".into(), "x\n1\n".into()).await.unwrap();
    let mut config = server::config(&Lake::default());
    config.lake.sources = vec![minio.source("a/prefix")];
    config.lake.poll_interval_ms = 3_600_000;
    config.http.listen = http;
    config.http.events_token = Some(TOKEN.into());
    let server = TestServer::with(config).await;
    minio.notify().await;
    let mut client = server.wire().await;
    assert_eq!(client.query("SELECT sum(x) FROM shop.items").await.text().unwrap(), "1");
    let mut times = Vec::new();
    for at in 2..=40_u32 {
        let put_at = Instant::now();
        store.put(&format!("a/prefix/shop/items/é {at}.csv").into(), "x\n1\n".into()).await.unwrap();
        crate::events::until(&server, "SELECT sum(x) FROM shop.items", &at.to_string()).await;
        times.push(put_at.elapsed());
    }
    times.sort_unstable();
    println!("from PUT to the row: median {:?}, slowest {:?}", times[times.len() / 2], times.last());
    store.delete(&"a/prefix/shop/items/é 2.csv".into()).await.unwrap();
    crate::events::until(&server, "SELECT sum(x) FROM shop.items", "39").await;
}
