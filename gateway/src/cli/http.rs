//! One request to a server's HTTP port, as the command line needs it: plain, and to the end of the answer.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

const ANSWER_BYTES_MAX: u64 = 64 << 20;

pub(super) struct Request<'a> {
    /// `host:port`.
    pub(super) host: &'a str,
    /// How long each of connecting, asking and reading may take.
    pub(super) patience: Duration,
    /// `None` is a GET.
    pub(super) body: Option<&'a str>,
    pub(super) path: &'a str,
    pub(super) headers: &'a [(&'a str, &'a str)],
}

pub(super) struct Answer {
    pub(super) status: u16,
    head: String,
    pub(super) body: String,
}

impl Answer {
    /// The value of a header.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(':'));
        lines.filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).next()
    }
}

impl Request<'_> {
    pub(super) fn send(&self) -> io::Result<Answer> {
        let address = self.host.to_socket_addrs()?.next().ok_or_else(|| broken("the name has no address"))?;
        let mut stream = TcpStream::connect_timeout(&address, self.patience)?;
        stream.set_read_timeout(Some(self.patience))?;
        stream.set_write_timeout(Some(self.patience))?;
        let (method, body) = self.body.map_or(("GET", ""), |body| ("POST", body));
        let mut text = format!("{method} {} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n", self.path, self.host);
        for (name, value) in self.headers {
            text += &format!("{name}: {value}\r\n");
        }
        text += &format!("content-length: {}\r\n\r\n{body}", body.len());
        stream.write_all(text.as_bytes())?;
        let mut bytes = Vec::new();
        stream.take(ANSWER_BYTES_MAX).read_to_end(&mut bytes)?;
        answer(&bytes).ok_or_else(|| broken("it does not speak HTTP"))
    }
}

/// Where a server that listens on all addresses can be asked.
pub(super) fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

fn answer(bytes: &[u8]) -> Option<Answer> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let (head, rest) = bytes.split_at(end);
    let head = std::str::from_utf8(head).ok()?.to_owned();
    let status = head.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    let mut answer = Answer { status, head, body: String::new() };
    let rest = rest.get(4..)?;
    let is_chunked = answer.header("transfer-encoding").is_some_and(|how| how.eq_ignore_ascii_case("chunked"));
    let body = if is_chunked { unchunked(rest)? } else { rest.to_vec() };
    answer.body = String::from_utf8(body).ok()?;
    Some(answer)
}

/// `None` of a body that breaks off.
fn unchunked(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let at = rest.windows(2).position(|window| window == b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(rest.get(..at)?).ok()?, 16).ok()?;
        if size == 0 {
            return Some(body);
        }
        let start = at + 2;
        let end = start.checked_add(size)?;
        body.extend_from_slice(rest.get(start..end)?);
        rest = rest.get(end.checked_add(2)?..)?;
    }
}

fn broken(message: &str) -> io::Error {
    io::Error::other(message.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_in_one_piece_and_in_chunks() {
        let plain = answer(b"HTTP/1.1 503 Busy\r\nSet-Cookie: a=b; Path=/\r\n\r\nno\n").unwrap();
        assert_eq!((plain.status, plain.header("set-cookie"), plain.body.as_str()), (503, Some("a=b; Path=/"), "no\n"));
        let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
        assert_eq!(answer(chunked).unwrap().body, "abcde");
        for bad in
            [&b"SSH-2.0"[..], b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab", b"HTTP/1.1 x\r\n\r\n"]
        {
            assert!(answer(bad).is_none());
        }
    }
}
