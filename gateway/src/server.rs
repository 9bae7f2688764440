//! The server as one value: it binds, opens the lake, and starts every room.
//!
//! Owns: the order of the start (bad settings and busy ports fail before anything is served) and of the stop.

mod believed;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use catalog::Lake;
use tokio::net::TcpListener;

use self::believed::{authority, jwt, roles, roles_file, seal};
use crate::audit::Audit;
use crate::auth::Roles;
use crate::config::{self, Config};
use crate::engine::Engine;
use crate::error::{Error, Result, SqlState};
use crate::http::console::{Console, Settings};
use crate::session::{Registry, Vars};
use crate::shutdown::{self, Tasks};
use crate::socket::tls::{Acceptor, Files, HTTP2, POSTGRESQL, TlsError};
use crate::{flight, http, pg};

/// How long somebody who reads the metrics may still do so at the end.
const PROBES_GRACE: Duration = Duration::from_secs(1);

/// How long the start waits for the sources of the lake.
const ARRIVAL_PATIENCE: Duration = Duration::from_secs(5);

pub struct Server {
    lake: Arc<Lake>,
    engine: Arc<Engine>,
    database: String,
    pg: SocketAddr,
    flight: SocketAddr,
    http: SocketAddr,
    has_console: bool,
    tasks: Tasks,
    /// Ends last: who asks how the server is must hear that it stops, and not that it is gone.
    probes: Tasks,
}

impl Server {
    /// Starts everything, or nothing: when this fails no port is left open.
    pub async fn start(config: Config) -> Result<Self> {
        let roles = Arc::new(roles(&config)?);
        let (pg, flight) = (&config.pg, &config.flight);
        let pg_tls = tls("pg", [&pg.tls_cert_file, &pg.tls_key_file, &pg.tls_client_ca_file], POSTGRESQL)?;
        let flight_tls =
            tls("flight", [&flight.tls_cert_file, &flight.tls_key_file, &flight.tls_client_ca_file], HTTP2)?;
        if config.pg.tls_required && pg_tls.is_none() {
            let message = "bad setting for pg.tls_required: no certificate is set";
            return Err(Error::new(SqlState::InvalidParameterValue, message));
        }
        let defaults = defaults(&config, pg_tls.is_some())?;
        let events_token = events_token(&config.http)?;
        let seal = seal(&config.auth)?;
        let jwt = jwt(&config.auth)?;
        let pg_listener = bind("pg.listen", config.pg.listen).await?;
        let flight_listener = bind("flight.listen", config.flight.listen).await?;
        let http_listener = bind("http.listen", config.http.listen).await?;
        let lake = lake(&config).await?;
        let registry = Arc::new(Registry::default());
        let authority = authority(&roles);
        let engine = Engine::new(&config.engine, Arc::clone(&lake), Arc::clone(&registry), authority, pg::outputs)?;
        let engine = Arc::new(engine);
        if let Some(audit) = Audit::start(&config.audit, &config.database)? {
            engine.audit(Arc::clone(&audit));
            let _ = roles.audit.set(audit);
        }
        engine.allow_brokers(config.streams.brokers.clone());
        let roles_file = roles_file(&config, &roles, &engine, &registry);
        let server = Self {
            pg: address(&pg_listener)?,
            flight: address(&flight_listener)?,
            http: address(&http_listener)?,
            database: config.database.clone(),
            has_console: has_console(&config)?,
            tasks: Tasks::default(),
            probes: Tasks::default(),
            lake,
            engine,
        };
        let console = console(&server, (&registry, &roles), (&config, &defaults))?;
        let flight = flight::Server::new(flight::Parts {
            engine: Arc::clone(&server.engine),
            registry: Arc::clone(&registry),
            roles: Arc::clone(&roles),
            jwt: jwt.clone(),
            seal,
            token_lives: Duration::from_millis(config.auth.token_lifetime_ms),
            tls: flight_tls,
            config: config.flight,
            database: config.database.clone(),
            defaults: defaults.clone(),
            inputs: pg::inputs,
        });
        let pg = pg::Server {
            engine: Arc::clone(&server.engine),
            registry: Arc::clone(&registry),
            roles,
            tls: pg_tls,
            config: config.pg,
            database: config.database,
            defaults,
        };
        let http = http::State {
            lake: Arc::clone(&server.lake),
            engine: Arc::clone(&server.engine),
            registry,
            events_token,
            events: Arc::default(),
            console,
            stop: server.tasks.token(),
        };
        server.spawn((pg_listener, pg), (flight_listener, flight), (http_listener, http));
        if let Some(file) = roles_file {
            server.tasks.spawn("roles file", file.keep(server.tasks.token()));
        }
        if let Some(jwt) = jwt {
            server.tasks.spawn("keys of tokens", jwt.keep(server.tasks.token()));
        }
        Ok(server)
    }

    /// Serves every protocol at its listener, and keeps the lake up to date.
    fn spawn(
        &self,
        pg: (TcpListener, pg::Server),
        flight: (TcpListener, flight::Server),
        http: (TcpListener, http::State),
    ) {
        let stop = self.tasks.token();
        self.tasks.spawn("postgresql", pg::serve(pg.0, Arc::new(pg.1), stop.clone()));
        self.tasks.spawn("flight", flight::serve(flight.0, flight.1, stop.clone()));
        self.probes.spawn("http", http::serve(http.0, http.1, self.probes.token()));
        let (lake, token) = (Arc::clone(&self.lake), stop.clone());
        self.tasks.spawn("lake arrival", async move { lake.arrive_until(&token).await });
        let (lake, token) = (Arc::clone(&self.lake), stop.clone());
        self.spawn_once_here("lake poll", async move { lake.poll(token).await });
        let (lake, token) = (Arc::clone(&self.lake), stop.clone());
        self.spawn_once_here("lake warm", async move { lake.keep_warm(token).await });
        let (engine, database, token) = (Arc::clone(&self.engine), self.database.clone(), stop.clone());
        self.spawn_once_here("materialized views", async move { engine.keep_matviews(database, token).await });
        let (engine, database, token) = (Arc::clone(&self.engine), self.database.clone(), stop.clone());
        self.spawn_once_here("streams", async move { engine.keep_streams(database, token).await });
        let engine = Arc::clone(&self.engine);
        self.spawn_once_here("lake shadows", async move { engine.keep_shadows(stop).await });
    }

    /// Starts what must not look at a lake that was never listed: all tables would seem to be gone.
    fn spawn_once_here(&self, name: &'static str, work: impl Future<Output = ()> + Send + 'static) {
        let (lake, stop) = (Arc::clone(&self.lake), self.tasks.token());
        self.tasks.spawn(name, async move {
            if stop.run_until_cancelled(lake.arrived()).await.is_some() {
                work.await;
            }
        });
    }

    pub fn pg_addr(&self) -> SocketAddr {
        self.pg
    }

    pub fn flight_addr(&self) -> SocketAddr {
        self.flight
    }

    pub fn http_addr(&self) -> SocketAddr {
        self.http
    }

    /// Whether the HTTP port has one.
    pub fn has_console(&self) -> bool {
        self.has_console
    }

    pub fn lake(&self) -> &Arc<Lake> {
        &self.lake
    }

    pub fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    pub fn database(&self) -> &str {
        &self.database
    }

    /// Stops accepting, lets running statements end within the grace, then ends.
    pub async fn shutdown(&self) {
        self.tasks.stop(shutdown::GRACE).await;
        // A connection that was cut may hold the lake longer than the process lives.
        self.lake.close_shadows();
        self.probes.stop(PROBES_GRACE).await;
    }
}

/// The lake, listed if its sources answer soon. Until they do the server says that it is not ready: who restarts it would
/// mend nothing.
async fn lake(config: &Config) -> Result<Arc<Lake>> {
    let lake = Lake::begin(config.lake.clone(), &config.sql_dir)?;
    match tokio::time::timeout(ARRIVAL_PATIENCE, lake.arrive()).await {
        Ok(Err(error)) if !matches!(error, catalog::Error::Store { .. }) => Err(error.into()),
        Ok(_) | Err(_) => Ok(lake),
    }
}

/// Certificate and key, or neither; one that cannot be used stops the start, since clients must never be served in the clear by
/// accident.
fn tls(
    protocol: &str,
    [certificate, key, client_authority]: [&Option<PathBuf>; 3],
    alpn: &[u8],
) -> Result<Option<Acceptor>> {
    let pair = format!("{protocol}.tls_cert_file and {protocol}.tls_key_file");
    match (certificate, key) {
        (Some(certificate), Some(key)) => {
            let files = Files { certificate, key, client_authority: client_authority.as_deref() };
            let setting = |error: &TlsError| match error {
                TlsError::Authority { .. } => format!("{protocol}.tls_client_ca_file"),
                _ => pair.clone(),
            };
            Acceptor::load(&files, alpn).map(Some).map_err(|error| bad_setting(&setting(&error), &error))
        }
        (None, None) if client_authority.is_some() => {
            let message = format!("bad setting: {protocol}.tls_client_ca_file needs {pair}");
            Err(Error::new(SqlState::InvalidParameterValue, message))
        }
        (None, None) => Ok(None),
        _ => {
            let message = format!("bad setting: {pair} go together");
            Err(Error::new(SqlState::InvalidParameterValue, message))
        }
    }
}

/// A token that could be guessed stops the start.
fn events_token(config: &config::Http) -> Result<Option<catalog::Secret>> {
    let shortest = http::events::TOKEN_CHARS_MIN;
    match &config.events_token {
        Some(token) if token.reveal().chars().count() < shortest => {
            let message = format!("bad setting for http.events_token: it has fewer than {shortest} characters");
            Err(Error::new(SqlState::InvalidParameterValue, message))
        }
        token => Ok(token.clone()),
    }
}

/// Whether there is a console. Without a login it is for this machine alone.
fn has_console(config: &Config) -> Result<bool> {
    let is_safe = config.http.listen.ip().is_loopback() || config.auth.roles_file.is_some();
    if config.http.console == Some(true) && !is_safe {
        let message = "bad setting for http.console: a console without roles may be on loopback only";
        let error = Error::new(SqlState::InvalidParameterValue, message);
        return Err(error.hint("Set auth.roles_file, or let http.listen be on 127.0.0.1."));
    }
    Ok(config.http.console.unwrap_or(is_safe))
}

/// The console, unless it is off.
fn console(
    server: &Server,
    (registry, roles): (&Arc<Registry>, &Arc<Roles>),
    (config, defaults): (&Config, &Vars),
) -> Result<Option<Arc<Console>>> {
    if !server.has_console {
        return Ok(None);
    }
    let settings = Settings {
        database: config.database.clone(),
        defaults: defaults.clone(),
        login_lives: Duration::from_millis(config.auth.token_lifetime_ms),
        is_behind_tls: config.http.behind_tls,
    };
    let rooms = (Arc::clone(&server.engine), Arc::clone(registry));
    Ok(Some(Console::new(rooms, Arc::clone(roles), seal(&config.auth)?, settings)))
}

/// One line with the whole chain of causes.
fn bad_setting(setting: &str, error: &dyn std::error::Error) -> Error {
    let mut message = format!("bad setting for {setting}: {error}");
    let mut cause = error.source();
    while let Some(inner) = cause {
        message += &format!(": {inner}");
        cause = inner.source();
    }
    Error::new(SqlState::InvalidParameterValue, message)
}

/// The variables that every session starts with.
fn defaults(config: &Config, tls: bool) -> Result<Vars> {
    let mut vars = Vars::default();
    vars.set_server("max_connections", &config.pg.max_connections.to_string())?;
    vars.set_server("port", &config.pg.listen.port().to_string())?;
    vars.set_server("ssl", if tls { "on" } else { "off" })?;
    vars.set_server("statement_timeout", &format!("{}ms", config.engine.statement_timeout_ms))?;
    Ok(vars)
}

async fn bind(setting: &str, address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        Error::new(SqlState::IoError, format!("could not listen on {address}: {error}"))
            .hint(format!("Choose another address with {setting}."))
    })
}

fn address(listener: &TcpListener) -> Result<SocketAddr> {
    listener.local_addr().map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_no_console_where_nobody_is_asked_who_he_is() {
        let config = |listen: &str, console, roles: Option<&str>| {
            let mut config = Config::default();
            (config.http.listen, config.http.console) = (listen.parse().unwrap(), console);
            config.auth.roles_file = roles.map(PathBuf::from);
            has_console(&config).map_err(|error| error.state)
        };
        assert_eq!(config("127.0.0.1:8090", None, None), Ok(true));
        assert_eq!(config("0.0.0.0:8090", None, None), Ok(false));
        assert_eq!(config("0.0.0.0:8090", Some(true), None), Err(SqlState::InvalidParameterValue));
        assert_eq!(config("0.0.0.0:8090", None, Some("roles.toml")), Ok(true));
        assert_eq!(config("127.0.0.1:8090", Some(false), Some("roles.toml")), Ok(false));
    }
}
