//! The demo lake: three domains of real files and look-alikes, the same bytes on every machine.
//!
//! Owns: which files there are and how they come into a folder whole. Must never know: how a lake is read; no file of
//! the demo is special to any other module, what a file needs to be told apart stands in `sql/tables/`.

mod archive;
mod faostat;
mod instants;
mod meteo_france;
mod observations;
mod online;
mod output;
mod parquet_file;
mod random;
mod real;
mod shop;

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;
use std::thread;

use output::Output;

use crate::error::{Error, SqlState};

/// The rows of the tables that grow when nobody says otherwise.
pub const DEFAULT_ROWS: usize = 500_000;

/// Files are written here first, so that a broken off run never looks like a lake.
const UNFINISHED: &str = ".unfinished";

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    pub files: usize,
    pub rows: u64,
    pub bytes: u64,
}

impl Summary {
    fn add(&mut self, other: &Self) {
        self.files += other.files;
        self.rows += other.rows;
        self.bytes += other.bytes;
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let megabytes = self.bytes as f64 / 1e6;
        write!(f, "{} rows in {} files, {megabytes:.1} MB", self.rows, self.files)
    }
}

fn io_error(path: &Path, source: io::Error) -> Error {
    Error::new(SqlState::IoError, format!("could not write \"{}\"", path.display()))
        .detail(format!("{source}."))
        .caused_by(source)
}

/// Whether `dir` is missing, empty, or left unfinished by an earlier run.
pub fn wanted(dir: &Path) -> Result<bool, Error> {
    if !dir.exists() {
        return Ok(true);
    }
    let mut empty = true;
    for entry in fs::read_dir(dir).map_err(|source| io_error(dir, source))? {
        if entry.map_err(|source| io_error(dir, source))?.file_name() == UNFINISHED {
            return Ok(true);
        }
        empty = false;
    }
    Ok(empty)
}

/// Writes the demo into `dir`, which must be `wanted`. `weather.observations` gets `rows` rows and
/// `transactions.online_archive` half as many; the other tables do not grow.
pub fn write(dir: &Path, rows: usize) -> Result<Summary, Error> {
    if !wanted(dir)? {
        let message = format!("folder \"{}\" is not empty", dir.display());
        return Err(Error::new(SqlState::ObjectNotInPrerequisiteState, message)
            .hint("Name a folder that is empty or does not exist."));
    }
    let unfinished = dir.join(UNFINISHED);
    let at_unfinished = |source| io_error(&unfinished, source);
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished).map_err(at_unfinished)?;
    }
    fs::create_dir_all(&unfinished).map_err(at_unfinished)?;
    let summary = write_files(&unfinished, rows as u64)?;
    for schema in ["climate", "weather", "transactions"] {
        let target = dir.join(schema);
        // One that is there was moved, whole, by the run that broke off.
        if !target.exists() {
            fs::rename(unfinished.join(schema), &target).map_err(|source| io_error(&target, source))?;
        }
    }
    fs::remove_dir_all(&unfinished).map_err(at_unfinished)?;
    Ok(summary)
}

/// Writes all files, the independent ones on a second thread.
fn write_files(dir: &Path, rows: u64) -> Result<Summary, Error> {
    let parquet = || -> Result<Summary, Error> {
        let mut output = Output::new(dir.to_owned());
        observations::write(&mut output, rows)?;
        archive::write(&mut output, rows / 2)?;
        Ok(output.finish())
    };
    let text = || -> Result<Summary, Error> {
        let mut output = Output::new(dir.to_owned());
        real::write(&mut output)?;
        faostat::write(&mut output)?;
        meteo_france::write(&mut output)?;
        online::write(&mut output)?;
        Ok(output.finish())
    };
    thread::scope(|scope| {
        let parquet = scope.spawn(parquet);
        let mut summary = text()?;
        summary.add(&parquet.join().map_err(|_| Error::internal("a thread that writes the demo lake ended early"))??);
        Ok(summary)
    })
}

#[cfg(test)]
mod tests;
