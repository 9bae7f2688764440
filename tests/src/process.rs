//! A server in a process of its own, which a test may kill.
//!
//! Owns: its beginning and its end, also when the test fails. The process is the test's own binary, told to run the same test, which
//! begins with [`serves`]: so the server is of the very build that is tested.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use gateway::config::Config;
use gateway::server::Server;

/// Names the configuration of a process that serves.
const CONFIG: &str = "LAKEGATE_TESTS_CONFIG";
/// Stands before the address on standard output, where the harness of Rust writes as well.
const READY: &str = "Flight SQL and PostgreSQL at ";
/// Is there in a process whose log somebody reads.
const LOGS: &str = "LAKEGATE_TESTS_LOGS";

pub struct Process {
    child: Child,
    /// Of Flight SQL and PostgreSQL.
    addrs: [SocketAddr; 2],
    /// Whoever prints needs a reader.
    _output: BufReader<ChildStdout>,
}

impl Process {
    /// Starts the process with a configuration file. `test` is the whole name of the test that calls.
    pub fn start(test: &str, config: &Path) -> Self {
        Self::begin(Command::new(std::env::current_exe().unwrap()), test, config)
    }

    /// The same with its log in a file.
    pub fn logged(test: &str, config: &Path, log: File) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.env(LOGS, "1").stderr(log);
        Self::begin(command, test, config)
    }

    /// The same in a control group, if there is one.
    pub fn start_in(group: Option<&Group>, test: &str, config: &Path) -> Self {
        let Some(group) = group else { return Self::start(test, config) };
        let mut command = Command::new("sh");
        command.args(["-c", "echo $$ > \"$0\" && exec \"$@\""]).arg(group.folder.join("cgroup.procs"));
        command.arg(std::env::current_exe().unwrap());
        Self::begin(command, test, config)
    }

    fn begin(mut command: Command, test: &str, config: &Path) -> Self {
        let mut child = command
            .args(["--exact", test, "--nocapture"])
            .env(CONFIG, config)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        let addrs = loop {
            line.clear();
            if output.read_line(&mut line).unwrap() == 0 {
                let ended = child.wait();
                panic!("the process serves nothing: {ended:?}");
            }
            if let Some((_, addrs)) = line.split_once(READY) {
                let (flight, pg) = addrs.trim().split_once(' ').unwrap();
                break [flight.parse().unwrap(), pg.parse().unwrap()];
            }
        };
        Self { child, addrs, _output: output }
    }

    pub fn flight_addr(&self) -> SocketAddr {
        self.addrs[0]
    }

    pub fn pg_addr(&self) -> SocketAddr {
        self.addrs[1]
    }

    /// The most that it has held, in bytes.
    pub fn peak_bytes(&self) -> usize {
        self.status("VmHWM:")
    }

    /// What it holds.
    pub fn resident_bytes(&self) -> usize {
        self.status("VmRSS:")
    }

    fn status(&self, name: &str) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.split_whitespace().next().unwrap().parse::<usize>().unwrap() << 10
    }

    /// Its open files, sockets among them.
    pub fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).unwrap().count()
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

/// A control group of so many bytes below that of the tests.
pub struct Group {
    folder: PathBuf,
}

impl Group {
    /// `None` where none may be made.
    pub fn of(bytes: usize) -> Option<Self> {
        let told = std::fs::read_to_string("/proc/self/cgroup").ok()?;
        told.lines().find_map(|line| {
            let mut parts = line.splitn(3, ':').skip(1);
            let (root, limit) = match parts.next()? {
                "" => ("/sys/fs/cgroup", "memory.max"),
                "memory" => ("/sys/fs/cgroup/memory", "memory.limit_in_bytes"),
                _ => return None,
            };
            let above = Path::new(root).join(parts.next()?.trim_start_matches('/'));
            let folder = above.join(format!("lakegate-it-{}", std::process::id()));
            std::fs::create_dir(&folder).ok()?;
            let group = Self { folder };
            std::fs::write(group.folder.join(limit), bytes.to_string()).ok()?;
            Some(group)
        })
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Whoever was in it has ended; one that stays holds nothing.
        let _ = std::fs::remove_dir(&self.folder);
    }
}

/// In a process that [`Process::start`] has begun: serves until the test that began it is gone, and is true. Else false.
pub async fn serves() -> bool {
    let Some(config) = std::env::var_os(CONFIG) else { return false };
    let config = Config::load(Some(Path::new(&config))).unwrap();
    if std::env::var_os(LOGS).is_some() {
        gateway::telemetry::start(&config.log).unwrap();
    }
    let server = Server::start(config).await.unwrap();
    println!("{READY}{} {}", server.flight_addr(), server.pg_addr());
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await.unwrap().unwrap();
    true
}
