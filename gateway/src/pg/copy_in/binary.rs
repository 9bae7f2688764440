//! PostgreSQL's binary file. <https://www.postgresql.org/docs/16/sql-copy.html>

use bytes::{Buf, BytesMut};

use super::cells::{Cell, Rows};
use super::lines::bad;
use crate::error::{Error, Result, SqlState};

const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";
/// The signature, flags and the length of what follows them.
const HEAD_BYTES: usize = 19;
const ROW_BYTES_MAX: usize = 64 << 20;

#[derive(Default)]
pub(super) struct Binary {
    has_head: bool,
    is_over: bool,
}

impl Binary {
    pub(super) fn read(&mut self, bytes: &mut BytesMut, is_end: bool, rows: &mut Rows) -> Result<()> {
        if !self.has_head {
            if bytes.len() < HEAD_BYTES {
                return if is_end { Err(bad("COPY file signature not recognized")) } else { Ok(()) };
            }
            let Some(extension) = head(bytes)? else {
                return if is_end { Err(bad("invalid COPY file header (wrong length)")) } else { Ok(()) };
            };
            bytes.advance(HEAD_BYTES + extension);
            self.has_head = true;
        }
        while !rows.is_full() && !self.is_over {
            let Some(end) = self.row(bytes, rows)? else {
                if is_end {
                    return Err(bad("unexpected EOF in COPY data").context(rows.context()));
                }
                if bytes.len() > ROW_BYTES_MAX {
                    let message = format!("a row of COPY has more than {ROW_BYTES_MAX} bytes");
                    return Err(Error::new(SqlState::ProgramLimitExceeded, message));
                }
                return Ok(());
            };
            bytes.advance(end);
        }
        if self.is_over && !bytes.is_empty() {
            return Err(bad("received copy data after EOF marker"));
        }
        Ok(())
    }

    /// Takes a row, if all of it has come; gives its length.
    fn row(&mut self, bytes: &[u8], rows: &mut Rows) -> Result<Option<usize>> {
        let Some((count, mut rest)) = bytes.split_first_chunk::<2>() else { return Ok(None) };
        let count = i16::from_be_bytes(*count);
        if count == -1 {
            self.is_over = true;
            return Ok(Some(2));
        }
        let wanted = rows.columns();
        if usize::try_from(count) != Ok(wanted) {
            return Err(bad(format!("row field count is {count}, expected {wanted}")).context(rows.context()));
        }
        let mut cells = Vec::with_capacity(wanted);
        for _ in 0..wanted {
            let Some((length, after)) = rest.split_first_chunk::<4>() else { return Ok(None) };
            let length = i32::from_be_bytes(*length);
            let Ok(length) = usize::try_from(length) else {
                if length != -1 {
                    return Err(bad("invalid field size").context(rows.context()));
                }
                cells.push(Cell::Null);
                rest = after;
                continue;
            };
            let Some((value, after)) = after.split_at_checked(length) else { return Ok(None) };
            cells.push(Cell::Binary(value));
            rest = after;
        }
        rows.next_line(1);
        for (at, cell) in cells.into_iter().enumerate() {
            rows.push(at, cell)?;
        }
        rows.end_row();
        Ok(Some(bytes.len() - rest.len()))
    }
}

/// How long the extension is; `None` if not all of it has come.
fn head(bytes: &[u8]) -> Result<Option<usize>> {
    let (signature, rest) = bytes.split_at_checked(SIGNATURE.len()).unwrap_or((bytes, &[]));
    if signature != SIGNATURE {
        return Err(bad("COPY file signature not recognized"));
    }
    let (Some((flags, rest)), missing) = (rest.split_first_chunk::<4>(), bad("invalid COPY file header")) else {
        return Err(bad("invalid COPY file header (missing flags)"));
    };
    // The upper half is critical; what is not known there must not be passed over.
    if u32::from_be_bytes(*flags) >> 16 != 0 {
        return Err(bad("unrecognized critical flags in COPY file header"));
    }
    let (length, rest) = rest.split_first_chunk::<4>().ok_or(missing)?;
    let length =
        usize::try_from(i32::from_be_bytes(*length)).map_err(|_| bad("invalid COPY file header (wrong length)"))?;
    Ok((rest.len() >= length).then_some(length))
}
