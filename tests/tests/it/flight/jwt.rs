//! Tokens of an identity provider: which are believed, and for how long.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lakegate_tests::flight::{Client, state};
use lakegate_tests::{Lake, TestServer};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING as ES256, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tonic::Code;

use super::access::open;
use super::one_text;
use crate::authentication::with_roles_and;

/// A key with which a provider signs.
struct Signer {
    kid: &'static str,
    pair: EcdsaKeyPair,
}

impl Signer {
    fn new(kid: &'static str) -> Self {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ES256, &random).unwrap();
        Self { kid, pair: EcdsaKeyPair::from_pkcs8(&ES256, document.as_ref(), &random).unwrap() }
    }

    fn jwk(&self) -> Value {
        let (x, y) = self.pair.public_key().as_ref()[1..].split_at(32);
        let [x, y] = [x, y].map(|number| URL_SAFE_NO_PAD.encode(number));
        json!({"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.kid, "x": x, "y": y})
    }

    /// As it stands in `authorization`.
    fn sign(&self, claims: &Value) -> String {
        let encoded = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let text = format!("{}.{}", encoded(&json!({"alg": "ES256", "kid": self.kid})), encoded(claims));
        let signature = self.pair.sign(&SystemRandom::new(), text.as_bytes()).unwrap();
        format!("Bearer {text}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

fn set(signers: &[&Signer]) -> Value {
    json!({"keys": signers.iter().map(|signer| signer.jwk()).collect::<Vec<_>>()})
}

/// An identity provider: what it answers by path, and how often it was asked.
#[derive(Clone)]
struct Provider {
    addr: SocketAddr,
    answers: Arc<Mutex<HashMap<String, (Value, usize)>>>,
}

impl Provider {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let provider = Self { addr: listener.local_addr().unwrap(), answers: Arc::default() };
        let serving = provider.clone();
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") && socket.read_buf(&mut request).await.is_ok_and(|read| read > 0)
                {
                }
                let request = String::from_utf8_lossy(&request).into_owned();
                let answer = serving.answer(request.split(' ').nth(1).unwrap_or_default());
                let _ = socket.write_all(answer.as_bytes()).await;
            }
        });
        provider
    }

    fn answer(&self, path: &str) -> String {
        match self.answers.lock().unwrap().get_mut(path) {
            Some((body, asked)) => {
                *asked += 1;
                let body = body.to_string();
                format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len())
            }
            None => "HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n".to_owned(),
        }
    }

    fn says(&self, path: &str, body: Value) {
        self.answers.lock().unwrap().entry(path.to_owned()).or_default().0 = body;
    }

    fn asked(&self, path: &str) -> usize {
        self.answers.lock().unwrap().get(path).map_or(0, |(_, asked)| *asked)
    }

    fn issuer(&self) -> String {
        format!("http://{}/realm", self.addr)
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn claims(issuer: &str, role: &str) -> Value {
    json!({"iss": issuer, "aud": ["lakegate", "other"], "exp": now() + 600, "sub": "a-b-c", "preferred_username": role})
}

async fn server(change: impl FnOnce(&mut gateway::config::Jwt)) -> TestServer {
    with_roles_and(&Lake::default(), |config| {
        let mut jwt = gateway::config::Jwt {
            audience: "lakegate".into(),
            role_claim: "preferred_username".into(),
            ..Default::default()
        };
        change(&mut jwt);
        config.auth.jwt = Some(jwt);
    })
    .await
}

async fn showing(server: &TestServer, token: String) -> Client {
    let mut client = open(server).await;
    client.authorization = Some(token);
    client
}

async fn refused(server: &TestServer, token: String) -> String {
    let refused = showing(server, token).await.query("SELECT 1").await.unwrap_err();
    assert_eq!((refused.code(), state(&refused)), (Code::Unauthenticated, "28000"), "{}", refused.message());
    refused.message().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_of_the_provider_is_the_role_that_it_names() {
    let (signer, stranger, issuer) = (Signer::new("one"), Signer::new("one"), "https://id.example");
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), set(&[&signer]).to_string()).unwrap();
    let server = server(|jwt| {
        jwt.issuer = issuer.to_owned();
        jwt.jwks_file = Some(file.path().to_owned());
    })
    .await;
    let good = signer.sign(&claims(issuer, "reader"));
    let mut client = showing(&server, good.clone()).await;
    assert_eq!(one_text(&mut client, "SELECT current_user::text").await, "reader");
    // Its session is one, over any connection.
    let pid = one_text(&mut client, "SELECT pg_backend_pid()::text").await;
    let mut other = showing(&server, good.clone()).await;
    assert_eq!(one_text(&mut other, "SELECT pg_backend_pid()::text").await, pid);
    let mut admin = showing(&server, signer.sign(&claims(issuer, "admin"))).await;
    assert_eq!(one_text(&mut admin, "SELECT current_user::text").await, "admin");
    // A handshake gives it back: a token of the server's own could outlive it.
    let mut shaken = open(&server).await;
    shaken.handshake(Some(&good)).await.unwrap();
    assert_eq!(shaken.authorization.as_deref(), Some(good.as_str()));
    let changed = |claim: &str, value: Value| {
        let mut claims = claims(issuer, "reader");
        claims[claim] = value;
        signer.sign(&claims)
    };
    for (token, message) in [
        (stranger.sign(&claims(issuer, "reader")), "its signature is wrong"),
        (Signer::new("two").sign(&claims(issuer, "reader")), "its key is none of the identity provider's"),
        (changed("iss", json!("https://id.example.org")), "it is of another issuer"),
        (changed("aud", json!("other")), "it is for another audience"),
        (changed("exp", json!(now() - 61)), "it has expired"),
        (changed("nbf", json!(now() + 600)), "it is not good yet"),
        (changed("preferred_username", json!(null)), "it names no role"),
        (changed("preferred_username", json!("nobody")), "its role does not exist"),
        ("Bearer a.b.c".to_owned(), "it has not the form of a JSON Web Token"),
        ("Bearer abc".to_owned(), "it was not made here"),
    ] {
        assert_eq!(refused(&server, token).await, format!("bad token: {message}"));
    }
    // Nobody changes what was signed.
    let parts: Vec<&str> = good.split('.').collect();
    let admin = URL_SAFE_NO_PAD.encode(claims(issuer, "admin").to_string());
    assert_eq!(
        refused(&server, format!("{}.{admin}.{}", parts[0], parts[2])).await,
        "bad token: its signature is wrong"
    );
    let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
    let unsigned = format!("Bearer {none}.{admin}.");
    assert_eq!(refused(&server, unsigned).await, "bad token: it is signed in a way that is not taken here");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_found_by_discovery_and_asked_for_again_when_they_change() {
    let (old, new) = (Signer::new("old"), Signer::new("new"));
    let provider = Provider::start().await;
    let issuer = provider.issuer();
    let document = "/realm/.well-known/openid-configuration";
    // It is not there when the first server starts.
    let early = server(|jwt| jwt.issuer = issuer.clone()).await;
    assert!(refused(&early, old.sign(&claims(&issuer, "reader"))).await.contains("its key is none"));
    let jwks_uri = format!("http://{}/keys", provider.addr);
    provider.says(document, json!({"issuer": issuer, "jwks_uri": jwks_uri}));
    provider.says("/keys", set(&[&old]));
    let server = server(|jwt| jwt.issuer = issuer.clone()).await;
    while provider.asked("/keys") == 0 {
        tokio::task::yield_now().await;
    }
    let mut client = showing(&server, old.sign(&claims(&issuer, "reader"))).await;
    assert_eq!(one_text(&mut client, "SELECT current_user::text").await, "reader");
    provider.says("/keys", set(&[&new]));
    let mut client = showing(&server, new.sign(&claims(&issuer, "admin"))).await;
    assert_eq!(one_text(&mut client, "SELECT current_user::text").await, "admin");
    // Tokens with keys that nobody has do not make it ask and ask.
    let asked = provider.asked("/keys");
    for _ in 0..20 {
        assert!(refused(&server, old.sign(&claims(&issuer, "reader"))).await.contains("its key is none"));
    }
    assert_eq!(provider.asked("/keys"), asked);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_of_another_issuer_is_not_believed() {
    let (signer, provider) = (Signer::new("one"), Provider::start().await);
    let issuer = provider.issuer();
    let jwks_uri = format!("http://{}/keys", provider.addr);
    provider.says("/realm/.well-known/openid-configuration", json!({"issuer": "https://other", "jwks_uri": jwks_uri}));
    provider.says("/keys", set(&[&signer]));
    let server = server(|jwt| jwt.issuer = issuer.clone()).await;
    assert!(refused(&server, signer.sign(&claims(&issuer, "reader"))).await.contains("its key is none"));
    assert_eq!(provider.asked("/keys"), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_provider_no_token_of_one_is_believed() {
    let server = crate::authentication::with_roles(&Lake::default()).await;
    let token = Signer::new("one").sign(&claims("https://id.example", "reader"));
    assert_eq!(refused(&server, token).await, "bad token: it was not made here");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_that_would_believe_anybody_stop_the_start() {
    let lake = Lake::default();
    for (change, message) in [
        (json!({}), "issuer is not set"),
        (json!({"issuer": "https://id.example"}), "audience is not set"),
        (json!({"issuer": "http://id.example", "audience": "a"}), "https://"),
        (json!({"issuer": "https://id.example", "audience": "a", "jwks_url": "http://id.example/keys"}), "https://"),
        (json!({"issuer": "https://i", "audience": "a", "jwks_url": "https://i", "jwks_file": "f"}), "not both"),
        (json!({"issuer": "https://i", "audience": "a", "jwks_file": "no-such-file"}), "cannot read"),
    ] {
        let mut config = lakegate_tests::server::config(&lake);
        let roles = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(roles.path(), "").unwrap();
        config.auth.roles_file = Some(roles.path().to_owned());
        config.auth.jwt = Some(serde_json::from_value(change.clone()).unwrap());
        let error = gateway::server::Server::start(config).await.err().unwrap();
        assert!(error.message.contains("auth.jwt") && error.message.contains(message), "{change}: {}", error.message);
    }
    let mut config = lakegate_tests::server::config(&lake);
    config.auth.jwt = Some(serde_json::from_value(json!({"issuer": "https://i", "audience": "a"})).unwrap());
    let error = gateway::server::Server::start(config).await.err().unwrap();
    assert_eq!(error.message, "bad setting: auth.jwt needs auth.roles_file");
}
