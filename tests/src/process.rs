//! A server in a process of its own, which a test may kill.
//!
//! Owns: its beginning and its end, also when the test fails. The process is the test's own binary, told to run the same test, which
//! begins with [`serves`]: so the server is of the very build that is tested.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use gateway::config::Config;
use gateway::server::Server;

/// Names the configuration of a process that serves.
const CONFIG: &str = "LAKEGATE_TESTS_CONFIG";
/// Stands before the address on standard output, where the harness of Rust writes as well.
const READY: &str = "Flight SQL at ";

pub struct Process {
    child: Child,
    addr: SocketAddr,
    /// Whoever prints needs a reader.
    _output: BufReader<ChildStdout>,
}

impl Process {
    /// Starts the process with a configuration file. `test` is the whole name of the test that calls.
    pub fn start(test: &str, config: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture"])
            .env(CONFIG, config)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        let addr = loop {
            line.clear();
            if output.read_line(&mut line).unwrap() == 0 {
                let ended = child.wait();
                panic!("the process serves nothing: {ended:?}");
            }
            if let Some((_, addr)) = line.split_once(READY) {
                break addr.trim().parse().unwrap();
            }
        };
        Self { child, addr, _output: output }
    }

    pub fn flight_addr(&self) -> SocketAddr {
        self.addr
    }

    /// As `kill -9`: nothing of it says goodbye.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may be dead already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// In a process that [`Process::start`] has begun: serves until the test that began it is gone, and is true. Else false.
pub async fn serves() -> bool {
    let Some(config) = std::env::var_os(CONFIG) else { return false };
    let server = Server::start(Config::load(Some(Path::new(&config))).unwrap()).await.unwrap();
    println!("{READY}{}", server.flight_addr());
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await.unwrap().unwrap();
    true
}
