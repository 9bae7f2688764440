//! `lakegate replay`: the rows of a file, one after the other at a pace that is changed while they go, into a table or a topic.
//!
//! Owns: when the next row goes, and what is told: one line while rows go, and where to go on at the end. Exit code 0 is that the file
//! has ended or that `quit` was said, 130 that a signal came, 1 a failure.

mod pace;
mod rows;
mod sink;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use crate::config::Config;
use crate::error::{Error, Result, SqlState};
use crate::shutdown;
use pace::{Pace, Told};
use rows::Rows;
use sink::Sink;

const INTERRUPTED: u8 = 130;

/// How often it is looked whether a signal came.
const LOOK: Duration = Duration::from_millis(200);

/// How often a line is written.
const LINE: Duration = Duration::from_secs(1);

/// What is asked for.
#[derive(Debug, clap::Args)]
pub(super) struct Asked {
    /// A file of CSV with a header, NDJSON or Parquet; the first two also as .gz.
    file: PathBuf,
    /// A table as [schema.]name of the server at --url, or a topic as kafka://broker:9092/topic.
    #[arg(long)]
    to: String,
    /// The time between two rows, as 50ms or 2s; 0 is as fast as it goes. On standard input `+` halves it and `-` doubles it,
    /// `rate 100` is rows a second, and there are `interval 50ms`, `pause`, `resume` and `quit`.
    #[arg(long, default_value = "50ms")]
    interval: String,
    /// Begins anew at the end of the file.
    #[arg(long = "loop")]
    is_loop: bool,
    /// The first row, from 1.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// The HTTP port of the server of a table; without it that of the configuration. PGUSER and PGPASSWORD log in.
    #[arg(long)]
    url: Option<String>,
}

pub(super) fn replay(asked: &Asked, config: &Config) -> Result<ExitCode> {
    let interval = pace::interval(&asked.interval).ok_or_else(|| {
        let message = format!("bad interval \"{}\"", asked.interval);
        Error::new(SqlState::InvalidParameterValue, message).hint("It is as in 50ms or 2s.")
    })?;
    let mut sink = Sink::open(&asked.to, asked.url.as_deref(), config)?;
    let stop = signals();
    let mut run = Run { pace: Pace::new(interval), said: commands(), stop: &stop, next: asked.from.max(1), sent: 0 };
    let mut is_ended = false;
    while !is_ended {
        let rows = Rows::open(&asked.file)?;
        let before = run.sent;
        is_ended = run.rows(rows, &mut sink)? || !asked.is_loop || run.sent == before;
        if !is_ended {
            run.next = 1;
        }
    }
    sink.end()?;
    eprintln!("\n{} rows were replayed to {}; go on with --from {}", run.sent, asked.to, run.next);
    Ok(if stop.load(Ordering::Relaxed) { ExitCode::from(INTERRUPTED) } else { ExitCode::SUCCESS })
}

struct Run<'a> {
    pace: Pace,
    said: Receiver<String>,
    stop: &'a AtomicBool,
    /// The row of the file that goes next, from 1.
    next: u64,
    sent: u64,
}

impl Run<'_> {
    /// Sends the rows of the file from the next one on; true if it shall end.
    fn rows(&mut self, rows: Rows, sink: &mut Sink) -> Result<bool> {
        let (mut last, mut told_at) = (None, Instant::now());
        for row in rows.skip(usize::try_from(self.next - 1).unwrap_or(usize::MAX)) {
            if self.waits(last, sink)? {
                return Ok(true);
            }
            sink.send(row?)?;
            (self.sent, self.next) = (self.sent + 1, self.next + 1);
            let now = Instant::now();
            // Who is late does not hurry for more than a moment.
            last = Some(last.map_or(now, |last| (last + self.pace.interval).max(now.checked_sub(LOOK).unwrap_or(now))));
            if told_at.elapsed() >= LINE {
                eprint!("\rrow {}, {} sent, {}    ", self.next - 1, self.sent, self.pace);
                told_at = Instant::now();
            }
        }
        Ok(false)
    }

    /// Waits until the row behind the last one is due, and listens; true if it shall end.
    fn waits(&mut self, last: Option<Instant>, sink: &mut Sink) -> Result<bool> {
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return Ok(true);
            }
            // What is said changes when that is.
            let due = last.map(|last| last + self.pace.interval);
            let left = due.map_or(Duration::ZERO, |due| due.saturating_duration_since(Instant::now()));
            let is_due = left.is_zero() && !self.pace.is_paused;
            let patience = if self.pace.is_paused { LOOK } else { left.min(LOOK) };
            let said = match is_due {
                true => self.said.try_recv().ok(),
                false => match self.said.recv_timeout(patience) {
                    Ok(said) => Some(said),
                    Err(error) => {
                        // With standard input closed nobody says anything any more.
                        if error == std::sync::mpsc::RecvTimeoutError::Disconnected {
                            std::thread::sleep(patience);
                        }
                        None
                    }
                },
            };
            match said.map(|said| self.pace.hear(&said)) {
                Some(Told::Quit) => return Ok(true),
                Some(Told::Changed) => eprintln!("\r{}    ", self.pace),
                Some(Told::Unknown) => eprintln!("\rthere are +, -, rate N, interval 50ms, pause, resume and quit"),
                None if is_due => return Ok(false),
                None => sink.rest()?,
            }
        }
    }
}

/// Whether a signal has come that asks to end.
fn signals() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let heard = Arc::clone(&stop);
    std::thread::spawn(move || {
        if let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() {
            runtime.block_on(shutdown::requested());
            heard.store(true, Ordering::Relaxed);
        }
    });
    stop
}

/// The lines of standard input.
fn commands() -> Receiver<String> {
    let (said, heard) = channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lines() {
            let Ok(line) = line else { return };
            if said.send(line).is_err() {
                return;
            }
        }
    });
    heard
}

/// The name of a file without `.gz`, in small letters.
fn plain_name(file: &Path) -> (String, bool) {
    let name = file.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    match name.strip_suffix(".gz") {
        Some(inner) => (inner.to_owned(), true),
        None => (name, false),
    }
}
