//! Looks at the middle and the end of a large file, from a place where records begin for sure.
//!
//! Owns: how such a place is found. Where quoted line ends make it unsure, nothing is concluded.

use encoding_rs::{UTF_8, UTF_16BE, UTF_16LE};

use super::sample::Looking;
use super::seen::Place;
use super::slice;
use super::split::{Field, Splitter, line_end};
use crate::Error;
use crate::format::text::Text;
use crate::layout::Compression;

/// What is looked at in each of the two places.
const BYTES: u64 = 1 << 20;

/// The line starts that are tried.
const STARTS_MAX: usize = 16;

/// Looks at both places; true if a byte there is none of the encoding. A packed file cannot be entered midway.
pub(super) async fn look(looking: &mut Looking<'_>, text: &mut Text) -> Result<bool, Error> {
    let size = looking.file.file.bytes;
    if looking.file.file.compression != Compression::None {
        return Ok(false);
    }
    for (start, is_end) in [(size / 2, false), (size.saturating_sub(BYTES), true)] {
        // A unit of UTF-16 is not cut.
        let start = start & !1;
        if start <= text.offset() {
            continue;
        }
        let end = if is_end { size } else { size.min(start + BYTES) };
        let bytes = looking.file.bytes(start..end).await?;
        text.note(&bytes);
        match decoded(&bytes, text.encoding(), is_end) {
            Some(text) => part(looking, &text, start, is_end),
            None if text.encoding() == UTF_8 => return Ok(true),
            None => {}
        }
        tokio::task::yield_now().await;
    }
    Ok(false)
}

/// The text from the first line end on; `None` if it is none.
fn decoded(bytes: &[u8], encoding: &'static encoding_rs::Encoding, is_end: bool) -> Option<String> {
    if encoding == UTF_16LE || encoding == UTF_16BE {
        let (text, had_errors) = encoding.decode_without_bom_handling(bytes);
        return (!had_errors).then(|| text.into_owned());
    }
    // No encoding has these bytes inside a character.
    let first = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(bytes.len());
    let last = if is_end {
        bytes.len()
    } else {
        bytes.iter().rposition(|byte| matches!(byte, b'\n' | b'\r')).map_or(first, |at| at + 1)
    };
    encoding.decode_without_bom_handling_and_without_replacement(bytes.get(first..last)?).map(Into::into)
}

/// Looks at a part of the file, if records begin at one of its first lines.
fn part(looking: &mut Looking<'_>, text: &str, start: u64, is_end: bool) {
    if text.contains('\0') {
        return;
    }
    let mut at = 0;
    for _ in 0..STARTS_MAX {
        let rest = text.get(at..).unwrap_or_default();
        let Some(end) = rest.find(['\n', '\r']) else { return };
        let Some(used) = line_end(rest.get(end..).unwrap_or_default().as_bytes(), true) else { return };
        at += end + used;
        let rest = text.get(at..).unwrap_or_default();
        if records(looking, rest, is_end, |_, _| {}) {
            let mut rows = Vec::new();
            records(looking, rest, is_end, |from, fields| rows.push((from, fields.to_vec())));
            for (from, fields) in rows {
                looking.row(rest.get(from..).unwrap_or_default(), &fields, Place::Behind(start));
            }
            return;
        }
    }
}

/// Cuts all records; false if one of them makes it doubtful that they begin here.
fn records(looking: &Looking<'_>, text: &str, is_end: bool, mut each: impl FnMut(usize, &[Field])) -> bool {
    let mut splitter = Splitter::new(looking.layout.dialect);
    let quote = looking.layout.dialect.quote.map(char::from);
    let (mut at, mut fields) = (0, Vec::new());
    loop {
        let rest = text.get(at..).unwrap_or_default();
        match splitter.next(rest.as_bytes(), is_end, &mut fields) {
            Ok(Some(used)) => {
                let is_open =
                    |field: &Field| !field.quoted && quote.is_some_and(|quote| slice(rest, field).contains(quote));
                if !looking.layout.fits(&fields) || fields.iter().any(is_open) {
                    return false;
                }
                each(at, &fields);
                at += used;
            }
            // The rest is the start of a record that the next bytes end, or of a quote that they never close.
            Ok(None) => return at > 0 && text.len() - at < text.len() / 2,
            Err(_) => return false,
        }
    }
}
