//! Texts of dates, times and intervals, in the many forms that PostgreSQL reads.

use super::Random;

const MONTHS: [&str; 14] = [
    "Jan", "February", "mar", "Apr", "May", "June", "jul", "August", "Sep", "sept", "October", "Nov", "December", "Foo",
];
const ZONES: [&str; 22] = [
    "Z",
    "UTC",
    "+00",
    "-00",
    "+05:45",
    "-08",
    "+0530",
    "+02:00",
    "-12:34:56",
    "Europe/Paris",
    "America/New_York",
    "Asia/Kathmandu",
    "EST",
    "PDT",
    "CET",
    "GMT",
    "zulu",
    "+15:59",
    "+16",
    "-1",
    "Nowhere/City",
    "msk",
];
/// The zones that sessions are in.
pub const SESSION_ZONES: [&str; 6] =
    ["UTC", "Europe/Paris", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "America/Sao_Paulo"];

fn year(random: &mut Random) -> i64 {
    match random.below(20) {
        0 => random.between(1, 99),
        1 => random.between(100, 1_900),
        2 => random.between(9_990, 10_010),
        3 => random.between(10_000, 294_000),
        _ => random.between(1_890, 2_060),
    }
}

/// A day of the proleptic calendar, seldom one that does not exist.
fn day(random: &mut Random) -> (i64, i64, i64) {
    let month = if random.one_in(60) { 13 } else { random.between(1, 12) };
    let day = if random.one_in(8) { random.between(27, 32) } else { random.between(1, 28) };
    (year(random), month, day)
}

fn plain_date(random: &mut Random) -> String {
    let (year, month, day) = day(random);
    let name = random.pick(&MONTHS);
    match random.below(24) {
        0 => format!("{month}/{day}/{year}"),
        1 => format!("{year}/{month}/{day}"),
        2 => format!("{year:04}{month:02}{day:02}"),
        3 => format!("{name} {day}, {year}"),
        4 => format!("{day} {name} {year}"),
        5 => format!("{year}-{name}-{day:02}"),
        6 => format!("{day}-{name}-{year}"),
        7 => format!("{year:04}.{:03}", random.between(1, 366)),
        8 => format!("{month:02}-{day:02}-{:02}", year % 100),
        9 => format!("{day}.{month}.{year}"),
        10 => format!("{name}-{day:02}-{year}"),
        11 => format!("J{}", random.between(0, 5_000_000)),
        12 => format!("{year}-{month}-{day}"),
        13 => format!("{:02}{month:02}{day:02}", year % 100),
        _ => format!("{year:04}-{month:02}-{day:02}"),
    }
}

fn with_era(random: &mut Random, text: String) -> String {
    match random.below(40) {
        0 => format!("{text} BC"),
        1 => format!("{text} AD"),
        2 => format!("{text} bc"),
        _ => text,
    }
}

pub fn date(random: &mut Random) -> String {
    const WORDS: [&str; 10] = [
        "infinity",
        "-infinity",
        "epoch",
        "4714-11-24 BC",
        "4714-11-23 BC",
        "5874897-12-31",
        "5874898-01-01",
        "0001-01-01",
        "0000-01-01",
        "2024-02-30",
    ];
    let text = match random.below(20) {
        0 => {
            let word = random.pick(&WORDS);
            random.cased(word)
        }
        1 => timestamp(random),
        _ => {
            let text = plain_date(random);
            with_era(random, text)
        }
    };
    random.disturbed(text)
}

fn plain_time(random: &mut Random) -> String {
    let hour = if random.one_in(30) { random.between(23, 25) } else { random.between(0, 23) };
    let (minute, second) = (random.between(0, 59), random.between(0, 59));
    match random.below(24) {
        0 => format!("{hour}:{minute:02}"),
        1 => format!("{hour:02}{minute:02}{second:02}"),
        2 => format!("{}:{minute:02} {}", random.between(0, 13), random.pick(&["AM", "pm", "Pm"])),
        3 => format!("{}:{minute:02}:{second:02}{}", random.between(1, 12), random.pick(&["AM", "pm"])),
        4 => format!("{hour:02}:{minute:02}:60"),
        5 => random
            .pick(&["24:00:00", "24:00:01", "23:59:59.999999", "23:59:59.9999999", "00:00:00", "allballs"])
            .to_owned(),
        6..=13 => {
            let places = 1 + random.below(8);
            format!("{hour:02}:{minute:02}:{second:02}.{}", random.digits(places))
        }
        14 => format!("{hour}:{minute}:{second}"),
        _ => format!("{hour:02}:{minute:02}:{second:02}"),
    }
}

pub fn time(random: &mut Random) -> String {
    let mut text = plain_time(random);
    if random.one_in(20) {
        text.push_str(random.pick(&ZONES));
    }
    if random.one_in(40) {
        text = format!("{} {text}", plain_date(random));
    }
    random.disturbed(text)
}

pub fn timetz(random: &mut Random) -> String {
    let mut text = plain_time(random);
    if !random.one_in(4) {
        if random.one_in(2) {
            text.push(' ');
        }
        text.push_str(random.pick(&ZONES));
    }
    random.disturbed(text)
}

pub fn timestamp(random: &mut Random) -> String {
    const WORDS: [&str; 12] = [
        "infinity",
        "-infinity",
        "epoch",
        "-INFINITY",
        "4714-11-24 00:00:00 BC",
        "4714-11-23 23:59:59.999999 BC",
        "294246-01-01 00:00:00",
        "294246-12-31 23:59:59.999999",
        "294278-01-01 00:00:00",
        "2024-03-10 02:30:00",
        "2024-11-03 01:30:00",
        "2024-10-27 02:30:00",
    ];
    if random.one_in(20) {
        let word = random.pick(&WORDS);
        let text = random.cased(word);
        return random.disturbed(text);
    }
    let mut text = plain_date(random);
    if !random.one_in(12) {
        text.push(if random.one_in(4) { 'T' } else { ' ' });
        text.push_str(&plain_time(random));
    }
    if random.one_in(4) {
        if random.one_in(2) {
            text.push(' ');
        }
        text.push_str(random.pick(&ZONES));
    }
    let text = with_era(random, text);
    random.disturbed(text)
}

/// A timestamp of our times, in the one form that needs no reader's skill: for functions.
pub fn clear_timestamp(random: &mut Random) -> String {
    let (year, month) = (random.between(1_900, 2_050), random.between(1, 12));
    let day = random.between(1, 28);
    let (hour, minute, second) = (random.between(0, 23), random.between(0, 59), random.between(0, 59));
    let fraction = if random.one_in(2) { format!(".{}", random.digits(6)) } else { String::new() };
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}{fraction}")
}

pub fn clear_date(random: &mut Random) -> String {
    clear_timestamp(random)[..10].to_owned()
}

pub fn clear_time(random: &mut Random) -> String {
    clear_timestamp(random)[11..].to_owned()
}

/// An interval of a few fields.
pub fn clear_interval(random: &mut Random) -> String {
    let mut parts = Vec::new();
    if random.one_in(2) {
        parts.push(format!("{} months", random.between(-40, 40)));
    }
    if random.one_in(2) {
        parts.push(format!("{} days", random.between(-400, 400)));
    }
    if parts.is_empty() || random.one_in(2) {
        parts.push(format!("{} seconds", random.between(-200_000, 200_000)));
        if random.one_in(2) {
            parts.push(format!("{} microseconds", random.between(-999_999, 999_999)));
        }
    }
    parts.join(" ")
}

pub fn interval(random: &mut Random) -> String {
    const UNITS: [&str; 30] = [
        "year",
        "years",
        "y",
        "mon",
        "months",
        "week",
        "w",
        "day",
        "days",
        "d",
        "hour",
        "hours",
        "h",
        "minute",
        "min",
        "m",
        "second",
        "secs",
        "s",
        "ms",
        "milliseconds",
        "us",
        "microsecond",
        "decade",
        "century",
        "c",
        "millennium",
        "yrs",
        "hrs",
        "fortnight",
    ];
    const WORDS: [&str; 12] = [
        "",
        "0",
        "@ 1 minute",
        "infinity",
        "178000000 years",
        "2147483647 days",
        "2147483648 days",
        "-2147483648 months",
        "P1Y2M3DT4H5M6S",
        "9223372036854775807 us",
        "300 years",
        "2562047:47:16.854775",
    ];
    let text = match random.below(14) {
        0 => random.pick(&WORDS).to_owned(),
        1 => iso8601(random),
        2 => format!("{}-{}", random.between(-200, 200), random.between(0, 13)),
        3 => format!(
            "{} {}:{:02}:{:02}",
            random.between(-40, 40),
            random.between(0, 30),
            random.between(0, 61),
            random.between(0, 61)
        ),
        4 => format!("{}{}:{:02}", random.pick(&["", "-", "+"]), random.between(0, 200), random.between(0, 59)),
        5 => format!(
            "{}-{} {} {}:{:02}:{:02}.{}",
            random.between(-20, 20),
            random.between(0, 11),
            random.between(-40, 40),
            random.between(-30, 30),
            random.between(0, 59),
            random.between(0, 59),
            random.digits(3)
        ),
        _ => {
            let mut parts: Vec<String> = (0..=random.below(4))
                .map(|_| {
                    let number = if random.one_in(4) {
                        super::numbers::decimal(random, 3, 4)
                    } else {
                        random.between(-99, 200).to_string()
                    };
                    let space = if random.one_in(4) { "" } else { " " };
                    format!("{number}{space}{}", random.pick(&UNITS))
                })
                .collect();
            if random.one_in(4) {
                parts.push(plain_time(random));
            }
            if random.one_in(8) {
                parts.push("ago".into());
            }
            parts.join(" ")
        }
    };
    random.disturbed(text)
}

fn iso8601(random: &mut Random) -> String {
    let mut text = "P".to_owned();
    for unit in ['Y', 'M', 'W', 'D'] {
        if random.one_in(2) {
            text.push_str(&format!("{}{unit}", random.between(-20, 50)));
        }
    }
    if random.one_in(2) {
        text.push('T');
        for unit in ['H', 'M', 'S'] {
            if random.one_in(2) {
                let fraction = if random.one_in(3) { format!(".{}", random.digits(3)) } else { String::new() };
                text.push_str(&format!("{}{fraction}{unit}", random.between(-20, 90)));
            }
        }
    }
    text
}
