//! Where the demo's files go: folders made as needed, rows and bytes counted, every failure with its file.
//!
//! Owns: writing a file. Must never know: what is in it.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::{Summary, io_error};
use crate::error::Error;

/// A folder that is being filled.
pub(super) struct Output {
    dir: PathBuf,
    summary: Summary,
}

impl Output {
    pub(super) fn new(dir: PathBuf) -> Self {
        Self { dir, summary: Summary::default() }
    }

    /// Writes the file at `key` below the folder; `fill` gives the number of rows.
    pub(super) fn file(
        &mut self,
        key: &str,
        fill: impl FnOnce(&mut BufWriter<File>) -> io::Result<u64>,
    ) -> Result<(), Error> {
        let path = self.dir.join(key);
        let (rows, bytes) = write_file(&path, fill).map_err(|source| io_error(&path, source))?;
        self.summary.add(&Summary { files: 1, rows, bytes });
        Ok(())
    }

    pub(super) fn finish(self) -> Summary {
        self.summary
    }
}

fn write_file(path: &Path, fill: impl FnOnce(&mut BufWriter<File>) -> io::Result<u64>) -> io::Result<(u64, u64)> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut writer = BufWriter::with_capacity(1 << 18, File::create(path)?);
    let rows = fill(&mut writer)?;
    writer.flush()?;
    Ok((rows, writer.get_ref().metadata()?.len()))
}

/// Writes `hundredths` with a decimal point, as `-12.05`.
pub(super) fn hundredths(writer: &mut impl Write, hundredths: i64) -> io::Result<()> {
    let sign = if hundredths < 0 { "-" } else { "" };
    let absolute = hundredths.unsigned_abs();
    write!(writer, "{sign}{}.{:02}", absolute / 100, absolute % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hundredths_keep_their_sign_and_zeros() {
        for (value, text) in [(0, "0.00"), (5, "0.05"), (-5, "-0.05"), (1230, "12.30"), (-123_456, "-1234.56")] {
            let mut written = Vec::new();
            hundredths(&mut written, value).unwrap();
            assert_eq!(String::from_utf8(written).unwrap(), text);
        }
    }
}
