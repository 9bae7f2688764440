//! Where the last whole record of a text ends, mostly found by its quotes alone, so that the records before can be cut
//! elsewhere.
//!
//! Pure. It agrees with `split` on all text that `split` can cut; of other text it only promises to end.

use memchr::{memchr, memchr2, memrchr2};

use super::split::{Cursor, Delimiter, Dialect, Splitter};

/// The length of the records that surely are whole; the text begins with a record, and more of it may come.
pub(super) fn last_record_end(text: &[u8], dialect: Dialect) -> Option<usize> {
    if dialect.comment.is_some() {
        return cut(text, dialect);
    }
    // A return at the end may be the first half of a line end.
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    let (mut at, mut last) = (0, None);
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let quote = dialect.quote.and_then(|quote| memchr(quote, rest));
        let plain = rest.get(..quote.unwrap_or(rest.len())).unwrap_or_default();
        if let Some(end) = memrchr2(b'\n', b'\r', plain) {
            last = Some(at + end + 1);
        }
        let Some(quote) = quote else { return last };
        let line = text.get(last.unwrap_or(0)..at + quote).unwrap_or_default();
        at = match opens(line, dialect) {
            false => at + quote + 1,
            true => match closed(text, at + quote, dialect) {
                Some(behind) => behind,
                None => return last,
            },
        };
    }
}

/// The same by cutting all of them: quotes mean nothing in comments, which can end otherwise than records.
fn cut(text: &[u8], dialect: Dialect) -> Option<usize> {
    let (mut splitter, mut fields, mut cursor) = (Splitter::new(dialect), Vec::new(), Cursor::new(text, false));
    while splitter.cut(&mut cursor, &mut fields) == Ok(true) {}
    Some(cursor.at()).filter(|end| *end > 0)
}

/// Whether a quote behind this part of a line is the first byte of its field.
fn opens(before: &[u8], dialect: Dialect) -> bool {
    let is_delimiter = |byte: u8| match dialect.delimiter {
        Delimiter::Byte(delimiter) => byte == delimiter,
        Delimiter::Blanks => matches!(byte, b' ' | b'\t'),
    };
    let is_skipped = |byte: u8| dialect.skip_leading_blank && byte == b' ' && !is_delimiter(byte);
    let field = before.iter().rposition(|byte| !is_skipped(*byte));
    field.and_then(|last| before.get(last)).is_none_or(|last| is_delimiter(*last))
}

/// The place behind the quote that closes a field.
fn closed(text: &[u8], opened: usize, dialect: Dialect) -> Option<usize> {
    let quote = dialect.quote?;
    let escape = dialect.escape.unwrap_or(quote);
    let mut at = opened + 1;
    loop {
        at += memchr2(quote, escape, text.get(at..)?)?;
        let (byte, next) = (text.get(at)?, text.get(at + 1)?);
        if *byte == quote && *next != quote {
            return Some(at + 1);
        }
        at += 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Dialect = Dialect {
        delimiter: Delimiter::Byte(b','),
        quote: Some(b'"'),
        escape: None,
        comment: None,
        skip_leading_blank: false,
    };

    const DIALECTS: [Dialect; 5] = [
        PLAIN,
        Dialect { escape: Some(b'\\'), comment: Some(b'#'), skip_leading_blank: true, ..PLAIN },
        Dialect { delimiter: Delimiter::Blanks, ..PLAIN },
        Dialect { quote: None, comment: Some(b'#'), ..PLAIN },
        Dialect {
            delimiter: Delimiter::Byte(b' '),
            quote: Some(b'\''),
            escape: Some(b'\''),
            skip_leading_blank: true,
            ..PLAIN
        },
    ];

    /// Where the last whole record ends when all are cut; `None` if the text cannot be cut.
    fn all(text: &[u8], dialect: Dialect) -> Option<usize> {
        let (mut splitter, mut fields, mut at) = (Splitter::new(dialect), Vec::new(), 0);
        while let Some(used) = splitter.next(&text[at..], false, &mut fields).ok()? {
            at += used;
        }
        Some(at)
    }

    #[test]
    fn it_agrees_with_the_splitter() {
        let mut seed = 1_u64;
        let mut next = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            seed >> 33
        };
        let (mut cuts, mut ends) = (0, 0);
        for round in 0..200_000_usize {
            let dialect = DIALECTS[round % DIALECTS.len()];
            let length = next() % 24;
            let text: Vec<u8> = (0..length).map(|_| b"\"\"',,\n\r\n a#\\ "[(next() % 13) as usize]).collect();
            let Some(expected) = all(&text, dialect) else { continue };
            let found = last_record_end(&text, dialect).unwrap_or(0);
            // Lines without a record at the end may be on either side.
            let rest = all(&text[expected.min(found)..], dialect);
            assert!(
                found == expected || (found > expected && rest == Some(0)),
                "{:?} {dialect:?}",
                text.escape_ascii()
            );
            cuts += 1;
            ends += usize::from(found > 0);
        }
        assert!(cuts > 100_000 && ends > 50_000, "{cuts} {ends}");
    }
}
