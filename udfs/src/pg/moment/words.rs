//! The words of moments: months, days of the week, `today` and its like.
//!
//! Owns: PostgreSQL's table of date tokens. Zones are `zone`'s.

/// What a word means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::pg) enum Word {
    Month(i64),
    Weekday,
    Afternoon(bool),
    BeforeChrist(bool),
    Now,
    /// So many days from today.
    Day(i64),
    /// `allballs`: midnight of UTC.
    Midnight,
    Epoch,
    Late,
    Early,
    /// The next field is a Julian day.
    Julian,
    /// A unit, which labels the next field as what no moment has.
    Unit,
    /// The next field is a time.
    Time,
    /// One hour of summer time.
    Summer,
    Ignored,
}

/// The meaning of a word in small letters.
pub(in crate::pg) fn special(word: &str) -> Option<Word> {
    Some(match word {
        "jan" | "january" => Word::Month(1),
        "feb" | "february" => Word::Month(2),
        "mar" | "march" => Word::Month(3),
        "apr" | "april" => Word::Month(4),
        "may" => Word::Month(5),
        "jun" | "june" => Word::Month(6),
        "jul" | "july" => Word::Month(7),
        "aug" | "august" => Word::Month(8),
        "sep" | "sept" | "september" => Word::Month(9),
        "oct" | "october" => Word::Month(10),
        "nov" | "november" => Word::Month(11),
        "dec" | "december" => Word::Month(12),
        "mon" | "monday" | "tue" | "tues" | "tuesday" | "wed" | "weds" | "wednesday" | "thu" | "thur" | "thurs"
        | "thursday" | "fri" | "friday" | "sat" | "saturday" | "sun" | "sunday" => Word::Weekday,
        "am" => Word::Afternoon(false),
        "pm" => Word::Afternoon(true),
        "ad" => Word::BeforeChrist(false),
        "bc" => Word::BeforeChrist(true),
        "now" => Word::Now,
        "today" => Word::Day(0),
        "tomorrow" => Word::Day(1),
        "yesterday" => Word::Day(-1),
        "allballs" => Word::Midnight,
        "epoch" => Word::Epoch,
        "infinity" | "+infinity" => Word::Late,
        "-infinity" => Word::Early,
        "j" | "jd" | "julian" => Word::Julian,
        "d" | "h" | "m" | "mm" | "s" | "y" | "dow" | "doy" | "isodow" | "isoyear" => Word::Unit,
        "t" => Word::Time,
        "dst" => Word::Summer,
        "at" | "on" => Word::Ignored,
        _ => return None,
    })
}
