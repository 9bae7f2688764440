//! The configuration: defaults < file < environment (`LAKEGATE__SECTION__KEY`) < flags. Unknown keys are refused.
//!
//! Owns: every key, its default and its meaning. Secrets print as `***`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use figment::Figment;
use figment::providers::{Env, Format, Toml};
use serde::Deserialize;

use crate::error::{Error, Result, SqlState};

/// Everything that an operator may set.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The one database name that clients may connect to; another is 3D000.
    pub database: String,
    /// The folder with `tables/*.sql`, `views/*.sql`, `materialized/*.sql` and `streams/*.sql`; absent is the same as empty.
    pub sql_dir: PathBuf,
    pub lake: catalog::Config,
    pub pg: Pg,
    pub flight: Flight,
    pub http: Http,
    pub auth: Auth,
    pub engine: Engine,
    pub streams: Streams,
    pub log: Log,
    pub audit: Audit,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Pg {
    pub listen: SocketAddr,
    /// PEM files. Both or neither; a bad file stops the start.
    pub tls_cert_file: Option<PathBuf>,
    pub tls_key_file: Option<PathBuf>,
    /// PEM certificates that sign those of clients: the common name is the role, and needs no password. Clients without a
    /// certificate still have one.
    pub tls_client_ca_file: Option<PathBuf>,
    /// Refuses clients that do not ask for TLS.
    pub tls_required: bool,
    pub max_connections: usize,
    /// Of `max_connections`, how many are kept for superusers.
    pub superuser_reserved_connections: usize,
    pub authentication_timeout_ms: u64,
    /// A client that takes no bytes for so long is cut.
    pub write_timeout_ms: u64,
    /// The largest message after authentication.
    pub message_bytes_max: usize,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Flight {
    pub listen: SocketAddr,
    /// PEM files. Both or neither; with them no client is served in the clear.
    pub tls_cert_file: Option<PathBuf>,
    pub tls_key_file: Option<PathBuf>,
    /// PEM certificates that sign those of clients: the common name is the role of a call that shows nothing else.
    pub tls_client_ca_file: Option<PathBuf>,
    /// Connections with a login, of which one carries all calls of a client; those of one more are 53300.
    pub max_connections: usize,
    /// Clients whose session is kept; the one that was idle longest makes room for the next.
    pub sessions_max: usize,
    /// A connection over which nobody has logged in for so long is cut.
    pub authentication_timeout_ms: u64,
    /// A client that takes no rows for so long loses them.
    pub write_timeout_ms: u64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Http {
    pub listen: SocketAddr,
    /// What bucket notifications to `/events` must bear; without it none are taken.
    pub events_token: Option<catalog::Secret>,
    /// Whether there is a console below `/console`; unset is where it needs a login or listens on loopback.
    pub console: Option<bool>,
    /// A proxy before the port ends TLS: `X-Forwarded-Proto: https` is believed, and a password taken over it.
    pub behind_tls: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Auth {
    /// TOML with `[[role]]` tables. Without it every loopback client is trusted, and no other address may be bound.
    pub roles_file: Option<PathBuf>,
    /// Signs the tokens and tickets of Flight: replicas with the same key take those of each other. Without it each has a
    /// key of its own, until it ends.
    pub token_key: Option<catalog::Secret>,
    /// The key before this one, whose tokens are still taken.
    pub previous_token_key: Option<catalog::Secret>,
    /// How long a token of Flight is good that nobody uses; the answers to one in use bring its next.
    pub token_lifetime_ms: u64,
    /// The identity provider whose tokens Flight takes; needs `roles_file`.
    pub jwt: Option<Jwt>,
}

/// JSON Web Tokens of OpenID Connect.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Jwt {
    /// What `iss` has to be, exactly.
    pub issuer: String,
    /// What has to be among `aud`.
    pub audience: String,
    /// The claim with the name of the role.
    pub role_claim: String,
    /// Where the keys are, as a JWK Set: a file, or an address. Without either the issuer's discovery tells it.
    pub jwks_file: Option<PathBuf>,
    pub jwks_url: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Engine {
    /// Memory of all queries together; 0 is 40 % of what the machine or its control group allows.
    pub memory_bytes_max: usize,
    /// Memory of one query; 0 is half of `memory_bytes_max`.
    pub query_memory_bytes_max: usize,
    /// Of `memory_bytes_max` what refreshes of materialized views have for themselves; 0 is a quarter, where SQL may write.
    pub jobs_memory_bytes_max: usize,
    /// What the whole process may hold before the statement with the most memory has to end; 0 is 85 % of what the machine
    /// or its control group allows.
    pub resident_bytes_max: usize,
    /// Where queries spill; unset is a folder in the system's temporary directory.
    pub spill_dir: Option<PathBuf>,
    pub spill_bytes_max: u64,
    /// Threads that plan, execute and encode; 0 is the number of cores.
    pub cpu_threads: usize,
    /// Threads beside them that refresh materialized views; 0 is half as many, and one at least.
    pub jobs_cpu_threads: usize,
    /// Statements that run at once; 0 is sixteen times the CPU threads.
    pub running_max: usize,
    /// Of them those that are heavy; 0 is as many as the CPU threads, and two at least.
    pub heavy_max: usize,
    /// A statement that opens files of so many bytes together is heavy.
    pub heavy_bytes_min: u64,
    /// Statements that wait for a place; one more is 53400.
    pub queued_max: usize,
    pub queue_timeout_ms: u64,
    /// The default of `statement_timeout`; 0 is no limit.
    pub statement_timeout_ms: u64,
    /// A statement that takes as long is logged with its plan, as a warning of target `slow`; 0 logs none.
    pub slow_statement_ms: u64,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Streams {
    /// Brokers of Kafka as `host:port`, which alone streams may read; none is that there are no streams.
    pub brokers: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// A filter of the `tracing` crate, as `info` or `lakegate=debug,warn`.
    pub filter: String,
    pub json: bool,
}

/// What the audit records, in the log with the target `audit`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Audit {
    pub level: AuditLevel,
    /// Whether records have the texts of statements, with their literals.
    pub statements: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuditLevel {
    #[default]
    Off,
    /// Statements that change something, and logins.
    Writes,
    /// Every statement, and logins.
    All,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            database: "lakegate".into(),
            sql_dir: "sql".into(),
            lake: catalog::Config::default(),
            pg: Pg::default(),
            flight: Flight::default(),
            http: Http::default(),
            auth: Auth::default(),
            engine: Engine::default(),
            streams: Streams::default(),
            log: Log::default(),
            audit: Audit::default(),
        }
    }
}

const fn loopback(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

impl Default for Pg {
    fn default() -> Self {
        Self {
            listen: loopback(5433),
            tls_cert_file: None,
            tls_key_file: None,
            tls_client_ca_file: None,
            tls_required: false,
            max_connections: 200,
            superuser_reserved_connections: 3,
            authentication_timeout_ms: 10_000,
            write_timeout_ms: 60_000,
            message_bytes_max: 16 << 20,
        }
    }
}

impl Default for Flight {
    fn default() -> Self {
        Self {
            listen: loopback(50051),
            tls_cert_file: None,
            tls_key_file: None,
            tls_client_ca_file: None,
            max_connections: 1000,
            sessions_max: 1000,
            authentication_timeout_ms: 10_000,
            write_timeout_ms: 300_000,
        }
    }
}

impl Default for Http {
    fn default() -> Self {
        Self { listen: loopback(8090), events_token: None, console: None, behind_tls: false }
    }
}

impl Default for Jwt {
    fn default() -> Self {
        let (issuer, audience) = (String::new(), String::new());
        Self { issuer, audience, role_claim: "sub".into(), jwks_file: None, jwks_url: None }
    }
}

impl Default for Auth {
    fn default() -> Self {
        Self { roles_file: None, token_key: None, previous_token_key: None, token_lifetime_ms: 3_600_000, jwt: None }
    }
}

impl Default for Engine {
    fn default() -> Self {
        Self {
            memory_bytes_max: 0,
            query_memory_bytes_max: 0,
            jobs_memory_bytes_max: 0,
            resident_bytes_max: 0,
            spill_dir: None,
            spill_bytes_max: 8 << 30,
            cpu_threads: 0,
            jobs_cpu_threads: 0,
            running_max: 0,
            heavy_max: 0,
            heavy_bytes_min: 256 << 20,
            queued_max: 64,
            queue_timeout_ms: 10_000,
            statement_timeout_ms: 0,
            slow_statement_ms: 0,
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { filter: "info".into(), json: false }
    }
}

impl Config {
    /// Reads the defaults, the file, and the environment, each over the one before.
    ///
    /// `file` must exist when named; the default `lakegate.toml` may be absent. An unknown key is an error.
    pub fn load(file: Option<&Path>) -> Result<Self> {
        let figment = match file {
            Some(file) if !file.is_file() => {
                let message = format!("could not read the configuration file \"{}\"", file.display());
                return Err(Error::new(SqlState::UndefinedFile, message));
            }
            Some(file) => Figment::from(Toml::file_exact(file)),
            None => Figment::from(Toml::file("lakegate.toml")),
        };
        let environment = Env::prefixed("LAKEGATE__").split("__");
        figment.merge(environment).extract().map_err(|error| invalid(&error))
    }
}

/// One line: which key, what is wrong, where it was set.
fn invalid(error: &figment::Error) -> Error {
    let key = error.path.join(".");
    let key = if key.is_empty() { String::new() } else { format!(" for {key}") };
    let place = error.metadata.as_ref().map(|metadata| format!(" (in {})", metadata.name)).unwrap_or_default();
    Error::new(SqlState::InvalidParameterValue, format!("bad setting{key}: {}{place}", error.kind))
}
