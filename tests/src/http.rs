//! A browser without a page: one request per connection, its cookie and its token.
//!
//! Owns: just enough of HTTP/1.1 to show every byte that comes back.

use std::net::SocketAddr;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub struct Browser {
    pub addr: SocketAddr,
    /// As in the request: `name=value`.
    pub cookie: Option<String>,
    pub token: String,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Whether the body came to its end.
    pub is_whole: bool,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The lines of a query.
    pub fn lines(&self) -> Vec<Value> {
        self.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// All rows of a query.
    pub fn rows(&self) -> Vec<Vec<Option<String>>> {
        let rows = self.lines().into_iter().filter_map(|line| line.get("rows").cloned());
        rows.flat_map(|rows| serde_json::from_value::<Vec<Vec<Option<String>>>>(rows).unwrap()).collect()
    }
}

impl Browser {
    pub fn new(addr: SocketAddr) -> Self {
        Self { addr, cookie: None, token: String::new() }
    }

    pub async fn login(addr: SocketAddr, user: &str, password: &str) -> Self {
        let mut browser = Self::new(addr);
        let answer = browser.enter(user, password).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let set = answer.header("set-cookie").unwrap();
        browser.cookie = Some(set.split(';').next().unwrap().to_owned());
        browser.token = answer.json()["token"].as_str().unwrap().to_owned();
        browser
    }

    /// The answer to a login.
    pub async fn enter(&self, user: &str, password: &str) -> Answer {
        let body = json!({ "user": user, "password": password }).to_string();
        self.post("/console/api/login", &[("content-type", "application/json")], &body).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.request("GET", path, &[], "").await
    }

    pub async fn post(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        self.request("POST", path, headers, body).await
    }

    pub async fn query(&self, sql: &str) -> Answer {
        self.query_at_most(sql, 1000).await
    }

    pub async fn query_at_most(&self, sql: &str, rows: usize) -> Answer {
        self.post("/console/api/query", &[("x-csrf-token", &self.token)], &Self::asked(sql, rows)).await
    }

    pub fn asked(sql: &str, rows: usize) -> String {
        json!({ "sql": sql, "rows_max": rows }).to_string()
    }

    /// Sends a query, and gives the connection on which its answer comes.
    pub async fn begin(&self, sql: &str) -> TcpStream {
        let body = Self::asked(sql, 1000);
        self.send("POST", "/console/api/query", &[("x-csrf-token", &self.token)], &body).await
    }

    pub async fn download(&self, sql: &str, format: &str) -> Answer {
        let field = |text: &str| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
        let body = format!("sql={}&format={format}&token={}", field(sql), field(&self.token));
        self.post("/console/api/download", &[("content-type", "application/x-www-form-urlencoded")], &body).await
    }

    async fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut stream = self.send(method, path, headers, body).await;
        let mut bytes = Vec::new();
        // A connection that breaks gives what came before.
        let _ = stream.read_to_end(&mut bytes).await;
        answer(&bytes)
    }

    async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> TcpStream {
        let mut head = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
        if !headers.iter().any(|(name, _)| *name == "host") {
            head += &format!("host: {}\r\n", self.addr);
        }
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        if let Some(cookie) = &self.cookie {
            head += &format!("cookie: {cookie}\r\n");
        }
        let mut stream = TcpStream::connect(self.addr).await.unwrap();
        stream.write_all(format!("{head}\r\n{body}").as_bytes()).await.unwrap();
        stream
    }
}

fn answer(bytes: &[u8]) -> Answer {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("no answer");
    let head = std::str::from_utf8(&bytes[..end]).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = lines.map(|line| line.split_once(':').unwrap());
    let headers: Vec<_> = headers.map(|(name, value)| (name.to_lowercase(), value.trim().to_owned())).collect();
    let is_chunked = headers.iter().any(|(name, value)| name == "transfer-encoding" && value == "chunked");
    let rest = &bytes[end + 4..];
    let (body, is_whole) = if is_chunked { unchunked(rest) } else { (rest.to_vec(), true) };
    Answer { status, headers, body, is_whole }
}

fn unchunked(mut rest: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    while let Some(at) = rest.windows(2).position(|window| window == b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..at]).unwrap(), 16).unwrap();
        rest = &rest[at + 2..];
        if size == 0 {
            return (body, true);
        }
        if rest.len() < size + 2 {
            break;
        }
        body.extend_from_slice(&rest[..size]);
        rest = &rest[size + 2..];
    }
    (body, false)
}
