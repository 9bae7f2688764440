//! Texts of strings, bytes, identifiers, documents and arrays.

use super::Random;

const LETTERS: &str = "abcABC019 _%\\'\"{},.;:-+éßÀ漢😀\t\n~^$|*?()[]";

pub fn text(random: &mut Random) -> String {
    match random.below(10) {
        0 => String::new(),
        1 => "NULL".to_owned(),
        2 => random.word("a b", 80),
        _ => random.word(LETTERS, 12),
    }
}

/// Few letters, so that patterns match and parts are found.
pub fn short(random: &mut Random) -> String {
    random.word("abcXé ", 8)
}

pub fn pattern(random: &mut Random) -> String {
    random.word("abcX%_é", 6)
}

pub fn count(random: &mut Random) -> String {
    random.between(-9, 12).to_string()
}

pub fn bytea(random: &mut Random) -> String {
    let text = match random.below(4) {
        0 => {
            let bytes: Vec<String> = (0..random.below(8))
                .map(|_| match random.below(3) {
                    0 => format!("\\{:03o}", random.below(256)),
                    1 => "\\\\".to_owned(),
                    _ => random.word("ab z~", 3),
                })
                .collect();
            bytes.concat()
        }
        1 => random.word("abc é\\x01", 8),
        _ => {
            let bytes: Vec<String> = (0..random.below(20))
                .map(|_| {
                    let space = if random.one_in(30) { " " } else { "" };
                    format!("{:02x}{space}", random.below(256))
                })
                .collect();
            let digits = random.cased(&bytes.concat());
            format!("\\x{digits}")
        }
    };
    random.disturbed(text)
}

pub fn uuid(random: &mut Random) -> String {
    let digits = format!("{:016x}{:016x}", random.bits(), random.bits());
    let hyphened = |at: &[usize]| {
        let mut text = digits.clone();
        at.iter().rev().for_each(|at| text.insert(*at, '-'));
        text
    };
    let text = match random.below(8) {
        0 => digits,
        1 => format!("{{{}}}", hyphened(&[8, 12, 16, 20])),
        2 => hyphened(&[4, 8, 12, 16, 20, 24, 28]),
        3 => hyphened(&[4, 20]),
        4 => hyphened(&[5]),
        5 => random.cased(&hyphened(&[8, 12, 16, 20])),
        _ => hyphened(&[8, 12, 16, 20]),
    };
    random.disturbed(text)
}

pub fn json(random: &mut Random) -> String {
    let text = document(random, 0);
    random.disturbed(text)
}

fn document(random: &mut Random, depth: usize) -> String {
    let space = |random: &mut Random| random.pick(&["", "", "", " ", "\n", "\t "]);
    let text = match random.below(if depth > 3 { 7 } else { 10 }) {
        0 => random.pick(&["null", "true", "false"]).to_owned(),
        1 => random.between(-1_000, 1_000).to_string(),
        2 => super::numbers::decimal(random, 20, 8),
        3 => random
            .pick(&[
                "1e5",
                "1E-5",
                "-0",
                "-0.0",
                "1.50",
                "01",
                "1e400",
                "12345678901234567890123",
                "1.",
                ".5",
                "1e+2",
                "NaN",
            ])
            .to_owned(),
        4..=6 => string(random),
        7 => {
            let items: Vec<String> = (0..random.below(4)).map(|_| document(random, depth + 1)).collect();
            format!("[{}{}]", space(random), items.join(","))
        }
        _ => {
            let members: Vec<String> = (0..random.below(5))
                .map(|_| {
                    let key = if random.one_in(2) { format!("\"{}\"", random.word("abA1", 3)) } else { string(random) };
                    format!("{}{key}{}:{}", space(random), space(random), document(random, depth + 1))
                })
                .collect();
            format!("{{{}}}", members.join(","))
        }
    };
    format!("{}{text}{}", space(random), space(random))
}

fn string(random: &mut Random) -> String {
    let parts: Vec<String> = (0..random.below(5))
        .map(|_| match random.below(10) {
            0 => random.pick(&["\\n", "\\t", "\\\"", "\\\\", "\\/", "\\b", "\\f", "\\r"]).to_owned(),
            1 => format!("\\u{:04x}", random.below(0x10000)),
            2 => random
                .pick(&["\\u0041", "\\u00e9", "\\ud83d\\ude00", "\\u0000", "\\ud800", "\\x", "\u{1}", "\u{7f}"])
                .to_owned(),
            _ => random.word("abcé漢😀 /'", 4),
        })
        .collect();
    format!("\"{}\"", parts.concat())
}

/// An array of what `element` makes.
pub fn array(random: &mut Random, element: fn(&mut Random) -> String) -> String {
    let dimensions = match random.below(10) {
        0 => vec![1 + random.below(3), 1 + random.below(3)],
        1 => vec![1 + random.below(2), 1 + random.below(2), 1 + random.below(2)],
        2 => vec![0],
        _ => vec![1 + random.below(4)],
    };
    let mut text = level(random, &dimensions, element);
    if random.one_in(40) {
        text = format!("[{}:{}]={text}", 1, dimensions[0]);
    }
    random.disturbed(text)
}

fn level(random: &mut Random, dimensions: &[usize], element: fn(&mut Random) -> String) -> String {
    let items: Vec<String> = (0..dimensions[0])
        .map(|_| match dimensions {
            [_, inner @ ..] if !inner.is_empty() => level(random, inner, element),
            _ if random.one_in(6) => random.pick(&["NULL", "null", "NuLL"]).to_owned(),
            _ => {
                let item = element(random);
                let plain = !item.is_empty() && !item.contains(|c: char| c.is_whitespace() || "{},\"\\".contains(c));
                match plain && !random.one_in(3) {
                    true => item,
                    false => format!("\"{}\"", item.replace('\\', "\\\\").replace('"', "\\\"")),
                }
            }
        })
        .collect();
    let comma = random.pick(&[",", ",", ",", " , ", ", "]);
    format!("{{{}}}", items.join(comma))
}
