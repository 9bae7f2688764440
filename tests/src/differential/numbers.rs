//! Texts of truth values and numbers, many at the edges of their types, some of no type.

use super::Random;

pub fn boolean(random: &mut Random) -> String {
    const WORDS: [&str; 16] =
        ["t", "f", "true", "false", "yes", "no", "on", "off", "1", "0", "y", "n", "of", "o", "tru", "truex"];
    let word = random.pick(&WORDS);
    let text = random.cased(word);
    random.disturbed(text)
}

/// An integer, near a power of two as often as not.
fn whole(random: &mut Random) -> i128 {
    match random.below(6) {
        0 => random.between(-3, 3).into(),
        1 => random.between(-100_000, 100_000).into(),
        2 => random.bits().cast_signed().into(),
        _ => {
            let power: i128 = 1 << random.pick(&[8, 15, 16, 31, 32, 62, 63, 64]);
            let near = power + i128::from(random.between(-2, 2));
            if random.one_in(2) { -near } else { near }
        }
    }
}

pub fn integer(random: &mut Random) -> String {
    let number = whole(random);
    let text = match random.below(12) {
        0 => format!("+{number}"),
        1 => format!("{number:025}"),
        2 => format!("{number}.0"),
        3 => format!("{number}e1"),
        _ => number.to_string(),
    };
    random.disturbed(text)
}

pub fn small(random: &mut Random) -> String {
    let number = random.between(-33_000, 33_000).to_string();
    if random.one_in(2) { random.disturbed(number) } else { integer(random) }
}

pub fn middle(random: &mut Random) -> String {
    let number = random.between(-2_147_483_700, 2_147_483_700).to_string();
    if random.one_in(2) { random.disturbed(number) } else { integer(random) }
}

pub fn single(random: &mut Random) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "any bits will do")]
    let number = f32::from_bits(random.bits() as u32);
    let text = match random.below(4) {
        0 => format!("{number:e}"),
        1 if number.abs() < 1e20 && number.abs() > 1e-10 => format!("{number}"),
        _ => return double(random),
    };
    random.disturbed(text)
}

pub fn double(random: &mut Random) -> String {
    const WORDS: [&str; 26] = [
        "NaN",
        "Infinity",
        "-Infinity",
        "inf",
        "-inf",
        "+inf",
        "nan",
        "infinit",
        "1e308",
        "1.7976931348623157e308",
        "1.8e308",
        "4.9e-324",
        "2e-324",
        "1e-400",
        "-0",
        "0",
        "3.4028235e38",
        "3.5e38",
        "1e-45",
        "1e-46",
        ".5",
        "5.",
        "1e",
        "0x10",
        "1e15",
        "1e16",
    ];
    let text = match random.below(6) {
        0 => {
            let word = random.pick(&WORDS);
            random.cased(word)
        }
        1 => format!("{:e}", f64::from_bits(random.bits())),
        2 => decimal(random, 18, 18),
        3 => format!("{}e{}", decimal(random, 3, 17), random.between(-30, 30)),
        4 => whole(random).to_string(),
        _ => format!("{}{}e{}", if random.one_in(2) { "-" } else { "" }, random.digits(17), random.between(-340, 300)),
    };
    random.disturbed(text)
}

/// Digits with a point among them.
pub fn decimal(random: &mut Random, whole: usize, fraction: usize) -> String {
    let sign = if random.one_in(2) { "-" } else { "" };
    let (whole, fraction) = (1 + random.below(whole), random.below(fraction + 1));
    let mut text = format!("{sign}{}", random.digits(whole));
    if fraction > 0 {
        text.push('.');
        text.push_str(&random.digits(fraction));
    }
    text
}

pub fn numeric(random: &mut Random) -> String {
    const WORDS: [&str; 16] = [
        "0",
        "-0",
        "0.00",
        "-0.000",
        "1e5",
        "1E-5",
        ".5",
        "5.",
        "+1.10",
        "1e",
        "1 2",
        "99999.99999",
        "0.00005",
        "10000",
        "100000000",
        "1e3",
    ];
    let text = match random.below(8) {
        0 => random.pick(&WORDS).to_owned(),
        1 => format!("{}e{}", decimal(random, 4, 4), random.between(-12, 12)),
        2 => decimal(random, 30, 10),
        3 => decimal(random, 1, 30),
        4 => whole(random).to_string(),
        _ => decimal(random, 9, 9),
    };
    random.disturbed(text)
}

/// Numerics whose precision Arrow holds in 128 bits, for arithmetic.
pub fn short_numeric(random: &mut Random) -> String {
    match random.below(8) {
        0 => "0".to_owned(),
        1 => random.pick(&["1", "-1", "0.5", "-0.5", "2", "10", "100", "0.01", "1.5", "2.5", "-2.5"]).to_owned(),
        2 => decimal(random, 12, 2),
        _ => decimal(random, 6, 5),
    }
}

pub fn money(random: &mut Random) -> String {
    let number = match random.below(4) {
        0 => decimal(random, 14, 4),
        1 => whole(random).to_string(),
        _ => decimal(random, 6, 2),
    };
    let text = match random.below(8) {
        0 => format!("${number}"),
        1 => format!("({number})"),
        2 => format!("-${}", number.trim_start_matches('-')),
        3 => "$1,234,567.89".to_owned(),
        4 => format!("{number}-"),
        _ => number,
    };
    random.disturbed(text)
}
