//! Packings that the decoder takes off a page to their end, however long that is.
//!
//! Owns: which pages are unpacked once before, to nowhere, so that none becomes larger than it claims.

use std::io::Read;

use parquet::basic::Compression;

use super::claims::{self, Fault};

/// What is unpacked at once.
const BLOCK_BYTES: usize = 64 << 10;

/// Looks at the packed bytes of a page that claims to become so many.
pub(super) fn check(compression: Compression, packed: &[u8], claimed: usize) -> Result<(), Fault> {
    match compression {
        // Small ones cannot become too large.
        Compression::GZIP(_)
            if claims::unpacked_max(compression, packed.len()).is_some_and(|most| most > claims::PAGE_BYTES_MAX) =>
        {
            read(flate2::read::MultiGzDecoder::new(packed), claimed)
        }
        Compression::BROTLI(_) => read(brotli::Decompressor::new(packed, BLOCK_BYTES), claimed),
        _ => Ok(()),
    }
}

/// Errors are left to the decoder, which meets them again.
fn read(mut unpacking: impl Read, claimed: usize) -> Result<(), Fault> {
    let (mut block, mut bytes) = (vec![0; BLOCK_BYTES], 0_usize);
    while let Ok(read @ 1..) = unpacking.read(&mut block) {
        bytes = bytes.saturating_add(read);
        if bytes > claimed {
            return Err(Fault::Damaged(format!("a page becomes larger than the {claimed} bytes that it claims")));
        }
    }
    Ok(())
}
