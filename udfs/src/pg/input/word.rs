//! The texts of truth values and uuids.

use super::is_space;
use crate::Error;

/// `parse_bool`: any unambiguous beginning of the words.
pub fn boolean(text: &str) -> Result<bool, Error> {
    let word = text.trim_matches(is_space).to_ascii_lowercase();
    let begins = |whole: &str, least: usize| word.len() >= least && whole.starts_with(&word);
    match word.as_str() {
        "1" | "on" => Ok(true),
        "0" => Ok(false),
        _ if begins("true", 1) || begins("yes", 1) => Ok(true),
        _ if begins("false", 1) || begins("no", 1) || begins("off", 2) => Ok(false),
        _ => Err(Error::InvalidText { of: "boolean", value: text.to_owned() }),
    }
}

/// 32 digits, one hyphen allowed after every four, braces around them.
pub fn uuid(text: &str) -> Result<[u8; 16], Error> {
    read_uuid(text.as_bytes()).ok_or_else(|| Error::InvalidText { of: "uuid", value: text.to_owned() })
}

fn read_uuid(text: &[u8]) -> Option<[u8; 16]> {
    let (mut rest, braces) = match text {
        [b'{', rest @ ..] => (rest, true),
        rest => (rest, false),
    };
    let mut value = 0_u128;
    for byte in 0..16 {
        let [high, low, after @ ..] = rest else { return None };
        let digit = |digit: &u8| char::from(*digit).to_digit(16).map(u128::from);
        value = value << 8 | digit(high)? << 4 | digit(low)?;
        rest = match after {
            [b'-', after @ ..] if byte % 2 == 1 && byte < 15 => after,
            after => after,
        };
    }
    let end: &[u8] = if braces { b"}" } else { b"" };
    (rest == end).then(|| value.to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_by_their_beginnings() {
        for (text, expect) in [("t", true), (" TRUE\n", true), ("y", true), ("1", true), ("of", false), ("no", false)] {
            assert_eq!(boolean(text), Ok(expect), "{text}");
        }
        for bad in ["", "o", "2", "maybe", "truex"] {
            assert!(boolean(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn hyphens_stand_after_every_fourth_digit() {
        let value: [u8; 16] = std::array::from_fn(|at| u8::try_from(at).unwrap());
        for good in [
            "00010203-0405-0607-0809-0a0b0c0d0e0f",
            "{000102030405060708090A0B0C0D0E0F}",
            "0001-0203-0405-0607-0809-0a0b-0c0d-0e0f",
        ] {
            assert_eq!(uuid(good), Ok(value), "{good}");
        }
        for bad in [
            "",
            "0001020-30405060708090a0b0c0d0e0f",
            "{000102030405060708090a0b0c0d0e0f",
            "000102030405060708090a0b0c0d0e0f-",
            " 000102030405060708090a0b0c0d0e0f",
        ] {
            assert!(uuid(bad).is_err(), "{bad}");
        }
    }
}
