//! The command line: `serve` (the default), `demo`, `hash-password`, `check`, `ready`, `refresh`, `replay`,
//! `status`, `functions`.
//!
//! Owns: what a person sees in the terminal. A failure is one line on standard error and a non-zero exit.

mod http;
mod ready;
mod refresh;
mod replay;
mod status;

use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::{Parser, Subcommand};

use crate::auth::Verifier;
use crate::config::Config;
use crate::error::{Error, Result, SqlState};
use crate::server::Server;
use crate::{demo, shutdown, telemetry};

const PASSWORD_CHARS_MIN: usize = 12;

/// Every object of a lake is a table, over the PostgreSQL wire protocol.
#[derive(Debug, Parser)]
#[command(name = "lakegate", version)]
struct Cli {
    /// The configuration file (TOML). Without it: lakegate.toml if there is one, else the defaults.
    #[arg(long, global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Starts the server; the default.
    Serve,
    /// Writes the demo lake into a folder.
    Demo {
        dir: PathBuf,
        /// Rows of the largest generated table.
        #[arg(long, default_value_t = demo::DEFAULT_ROWS)]
        rows: usize,
    },
    /// Reads a password from standard input and prints its SCRAM verifier for the roles file.
    HashPassword,
    /// Reads the configuration and the lake, lists what was found, and exits.
    Check,
    /// Asks the server of this configuration whether it is ready: for health checks of containers.
    Ready,
    /// Refreshes materialized views, says what was done, and exits: for jobs of cron.
    Refresh {
        /// Their names, as SQL writes them; without any all views of the lake, by name.
        views: Vec<String>,
        /// Reads everything again.
        #[arg(long)]
        full: bool,
    },
    /// Sends the rows of a file to a table or a topic, one after the other, at a pace that is changed while they go.
    Replay(replay::Asked),
    /// Tells how a server that runs is: exit code 0 if it is ready, 1 if not, 2 if it does not answer.
    Status {
        /// Its HTTP port, as http://127.0.0.1:8090; without it that of the configuration. PGUSER and PGPASSWORD log in.
        #[arg(long)]
        url: Option<String>,
    },
    /// Prints the manual of the functions that are not PostgreSQL's, as Markdown.
    Functions,
}

/// Runs the program.
pub fn main() -> ExitCode {
    ended(run(&Cli::parse()))
}

/// The same with arguments of its own, of which the first is the name of the program.
pub fn of(arguments: impl IntoIterator<Item = String>) -> ExitCode {
    let cli = Cli::try_parse_from(arguments);
    ended(cli.map_err(|error| Error::new(SqlState::SyntaxError, error.to_string())).and_then(|cli| run(&cli)))
}

fn ended(ended: Result<ExitCode>) -> ExitCode {
    match ended {
        Ok(code) => code,
        Err(error) => {
            let hint = error.hint.as_deref().map(|hint| format!(" {hint}")).unwrap_or_default();
            let detail = error.detail.as_deref().map(|detail| format!(" {detail}")).unwrap_or_default();
            eprintln!("lakegate: {error}.{detail}{hint}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> Result<ExitCode> {
    let done = match cli.command.as_ref().unwrap_or(&Command::Serve) {
        Command::Demo { dir, rows } => write_demo(dir, *rows),
        Command::HashPassword => hash_password(),
        Command::Functions => {
            print!("{}", udfs::manual::markdown());
            Ok(())
        }
        Command::Serve => serve(Config::load(cli.config.as_deref())?),
        Command::Check => check(Config::load(cli.config.as_deref())?),
        Command::Ready => ready::ready(Config::load(cli.config.as_deref())?.http.listen),
        Command::Refresh { views, full } => {
            io_runtime()?.block_on(refresh::refresh(Config::load(cli.config.as_deref())?, views, *full))
        }
        Command::Replay(asked) => return replay::replay(asked, &Config::load(cli.config.as_deref())?),
        Command::Status { url } => return status::status(url.as_deref(), &Config::load(cli.config.as_deref())?),
    };
    done.map(|()| ExitCode::SUCCESS)
}

fn write_demo(dir: &Path, rows: usize) -> Result<()> {
    let summary = demo::write(dir, rows)?;
    println!("{summary}");
    Ok(())
}

fn hash_password() -> Result<()> {
    let mut password = String::new();
    std::io::stdin().lock().read_line(&mut password).map_err(Error::internal)?;
    println!("{}", verifier(password.trim_end_matches(['\r', '\n']))?);
    Ok(())
}

/// The roles file knows only verifiers, so this is the one place that can ask for a password worth the name.
fn verifier(password: &str) -> Result<String> {
    if password.chars().count() < PASSWORD_CHARS_MIN {
        let message = format!("a password needs at least {PASSWORD_CHARS_MIN} characters");
        return Err(Error::new(SqlState::InvalidPassword, message));
    }
    let verifier = Verifier::from_password(password);
    Ok(verifier.map_err(|error| Error::new(SqlState::InvalidPassword, error.to_string()))?.to_text())
}

/// Frames of futures are large in debug builds, and a stack that overflows ends the process.
const IO_STACK_BYTES: usize = 8 << 20;

/// The threads of sockets and timers; queries have their own pool.
fn io_runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("lakegate-io")
        .thread_stack_size(IO_STACK_BYTES)
        .enable_all()
        .build()
        .map_err(Error::internal)
}

fn serve(config: Config) -> Result<()> {
    let began_at = Instant::now();
    telemetry::start(&config.log)?;
    let filled = fill_default_lake(&config)?;
    let runtime = io_runtime()?;
    runtime.block_on(async {
        let server = Server::start(config).await?;
        let banner = banner(&server, began_at, filled.as_ref());
        // A closed standard output is no reason to stop serving.
        let _ = std::io::stdout().lock().write_all(banner.as_bytes());
        shutdown::requested().await;
        server.shutdown().await;
        Ok(())
    })
}

/// The embedded default, a folder that is missing or empty, is filled with the demo lake. A configured lake never is.
fn fill_default_lake(config: &Config) -> Result<Option<demo::Summary>> {
    match config.lake.sources.as_slice() {
        [source] if source.url == catalog::DEFAULT_LAKE && demo::wanted(Path::new(&source.url))? => {
            demo::write(Path::new(&source.url), demo::DEFAULT_ROWS).map(Some)
        }
        _ => Ok(None),
    }
}

fn banner(server: &Server, began_at: Instant, filled: Option<&demo::Summary>) -> String {
    let pg = server.pg_addr();
    let snapshot = server.lake().snapshot();
    let (tables, skipped) = (snapshot.tables().count(), snapshot.skipped_files().len());
    let mut text = format!("Lakegate {}\n", env!("CARGO_PKG_VERSION"));
    if filled.is_some() {
        text += &format!("  demo lake    written to {}\n", catalog::DEFAULT_LAKE);
    }
    text += &format!("  PostgreSQL   {pg}\n");
    text += &format!("  Flight SQL   {}\n", server.flight_addr());
    text += &format!("  HTTP         http://{}  (healthz, readyz, metrics)\n", server.http_addr());
    if server.has_console() {
        text += &format!("  console      http://{}/console/\n", server.http_addr());
    }
    text += &format!("  tables       {tables}");
    if skipped > 0 {
        text += &format!(" ({skipped} files skipped: SELECT * FROM system.skipped_files)");
    }
    text += &match server.lake().awaited() {
        Some(awaited) => format!("\n  not ready    {}\n\n", awaited.detail().unwrap_or_default()),
        None => format!("\n  ready in     {} ms\n\n", began_at.elapsed().as_millis()),
    };
    text += &format!("  psql -h {} -p {} -d {}\n", pg.ip(), pg.port(), server.database());
    text
}

fn check(config: Config) -> Result<()> {
    let runtime = io_runtime()?;
    runtime.block_on(async {
        let lake = catalog::Lake::open(config.lake, &config.sql_dir).await?;
        lake.warm(tokio_util::sync::CancellationToken::new()).await;
        let snapshot = lake.snapshot();
        for table in snapshot.tables() {
            println!("table    {}.{}", table.schema, table.name);
        }
        let skipped = snapshot.skipped_files();
        for file in &skipped {
            println!("skipped  {}: {}", file.key, file.reason);
        }
        if skipped.is_empty() {
            return Ok(());
        }
        let message = format!("{} files of the lake cannot be read", skipped.len());
        Err(Error::new(SqlState::DataCorrupted, message))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_password_gets_no_verifier() {
        for password in ["", "hunter2", "elf letters"] {
            assert!(verifier(password).is_err(), "{password}");
        }
        assert!(verifier("zwölf Zeichen").is_ok_and(|text| text.starts_with("SCRAM-SHA-256$4096:")));
    }
}
