//! Integers as Avro writes them. <https://avro.apache.org/docs/1.12.0/specification/#primitive-types-1>

/// An integer in zigzag and groups of seven bits, and what is behind it.
pub(super) fn long(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let mut value = 0_u64;
    for (at, byte) in bytes.iter().take(10).enumerate() {
        let bits = u64::from(byte & 0x7f);
        if at == 9 && bits > 1 {
            return None;
        }
        value |= bits << (7 * at);
        if byte & 0x80 == 0 {
            let signed = (value >> 1).cast_signed() ^ -((value & 1).cast_signed());
            return Some((signed, bytes.get(at + 1..)?));
        }
    }
    None
}

/// The same the other way.
pub(super) fn write_long(value: i64, out: &mut Vec<u8>) {
    let mut rest = ((value << 1) ^ (value >> 63)).cast_unsigned();
    while rest >= 0x80 {
        out.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_read_as_they_are_written() {
        for value in [0, 1, -1, 63, -64, 64, 300, i64::MAX, i64::MIN] {
            let mut bytes = Vec::new();
            write_long(value, &mut bytes);
            bytes.push(7);
            assert_eq!(long(&bytes), Some((value, [7].as_slice())));
            assert_eq!(long(&bytes[..bytes.len() - 2]), None);
        }
        assert_eq!(long(&[0xff; 11]), None);
    }
}
