//! Logs. They go to standard error, so that standard output stays the banner's, and have colours only where a person reads them.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

use crate::config;
use crate::error::{Error, Result, SqlState};

/// Starts logging for the life of the process.
pub fn start(config: &config::Log) -> Result<()> {
    let filter = EnvFilter::try_new(&config.filter)
        .map_err(|error| Error::new(SqlState::InvalidParameterValue, format!("invalid setting log.filter: {error}")))?;
    let builder = fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    let started = if config.json { builder.json().try_init() } else { builder.with_target(false).try_init() };
    started.map_err(|error| Error::internal(error.to_string()))
}
