//! A throw-away PostgreSQL, the oracle of the differential tests. `LAKEGATE_POSTGRES` names the folder of its programs.
//!
//! Owns: the cluster's life in a temporary folder. Must never know: what is compared.

use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::wire::{self, message};

/// A running server, which ends with this value.
pub struct Postgres {
    process: Child,
    addr: SocketAddr,
    _dir: TempDir,
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

impl Postgres {
    /// A new cluster with the defaults of initdb; `None`, loudly, when no programs are named.
    pub async fn start() -> Option<Self> {
        let Some(programs) = std::env::var_os("LAKEGATE_POSTGRES").filter(|programs| !programs.is_empty()) else {
            println!("NOT RUN: PostgreSQL: LAKEGATE_POSTGRES names no folder of programs");
            return None;
        };
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        std::fs::create_dir(&data).unwrap();
        let account = account();
        if let Some((user, group)) = account {
            chown(dir.path(), Some(user), Some(group)).unwrap();
            chown(&data, Some(user), Some(group)).unwrap();
        }
        let program = |name: &str| {
            let mut command = Command::new(Path::new(&programs).join(name));
            command.current_dir(dir.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            if let Some((user, group)) = account {
                command.uid(user).gid(group);
            }
            command
        };
        let options = ["-A", "trust", "-E", "UTF8", "--locale=C", "--lc-ctype=C.UTF-8", "-U", "lakegate", "--no-sync"];
        let made = program("initdb").arg("-D").arg(&data).args(options).status().unwrap();
        assert!(made.success(), "initdb fails");
        let addr = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
        let socket: OsString = dir.path().into();
        let process = program("postgres")
            .arg("-D")
            .arg(&data)
            .args(["-h", "127.0.0.1", "-p", &addr.port().to_string(), "-F", "-c", "shared_buffers=16MB", "-k"])
            .arg(socket)
            .spawn()
            .unwrap();
        let postgres = Self { process, addr, _dir: dir };
        tokio::time::timeout(Duration::from_secs(60), postgres.ready()).await.expect("PostgreSQL does not start");
        Some(postgres)
    }

    /// A raw connection, logged in.
    pub async fn wire(&self) -> wire::Client {
        wire::Client::login_with(self.addr, message::PROTOCOL_3_0, &[("database", "postgres")]).await
    }

    /// Waits for the first login that is not told to come later.
    async fn ready(&self) {
        let mut tick = tokio::time::interval(Duration::from_millis(50));
        loop {
            tick.tick().await;
            if TcpStream::connect(self.addr).await.is_err() {
                continue;
            }
            let mut client = wire::Client::open(self.addr).await;
            client
                .send(&message::startup(message::PROTOCOL_3_0, &[("user", "lakegate"), ("database", "postgres")]))
                .await;
            if client.until_ready().await.last().is_some_and(|last| last.tag == b'Z') {
                return;
            }
        }
    }
}

/// The account that runs PostgreSQL, which does not run as root: user and group. `None`: the tests' own.
fn account() -> Option<(u32, u32)> {
    let accounts = std::fs::read_to_string("/etc/passwd").unwrap();
    let own = std::fs::read_to_string("/proc/self/status").unwrap();
    let is_root =
        own.lines().any(|line| line.strip_prefix("Uid:").and_then(|ids| ids.split_whitespace().nth(1)) == Some("0"));
    let line = accounts.lines().find(|line| line.starts_with("postgres:")).filter(|_| is_root)?;
    let mut fields = line.split(':').skip(2).map(|id| id.parse::<u32>().unwrap());
    fields.next().zip(fields.next())
}
