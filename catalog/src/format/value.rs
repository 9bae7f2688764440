//! What one text value can mean: a number, a date, a time, or only text.
//!
//! Owns: the forms that columns are recognised by. Pure, so that guess and reading never differ.

mod float;
mod kinds;
mod moment;

pub(crate) use float::float;
pub(crate) use kinds::Kinds;
pub(crate) use moment::{Form, Pattern, date, timestamp};

use moment::{compact, time};

/// The most digits of a number that stays exact.
const DIGITS_MAX: usize = 38;

/// Larger integers are rounded by a float.
const FLOAT_EXACT_MAX: u64 = 1 << 53;

/// Words of a column's name that make moments of digits, and words that make numbers of them after all.
const MOMENT_WORDS: [&str; 23] = [
    "date",
    "dates",
    "datetime",
    "time",
    "timestamp",
    "day",
    "dt",
    "ts",
    "jour",
    "datum",
    "fecha",
    "yyyymmdd",
    "yyyymmddhh",
    "yyyymmddhhmm",
    "yyyymmddhhmmss",
    "yyyymmddhhmiss",
    "yyyymmddhh24",
    "yyyymmddhh24mi",
    "yyyymmddhh24miss",
    "aaaammjj",
    "aaaammjjhh",
    "aaaammjjhhmn",
    "aaaammjjhhmm",
];
const NUMBER_WORDS: [&str; 8] = ["id", "key", "sk", "code", "count", "number", "num", "no"];

/// The kind of one value; blanks alone are no value.
pub(crate) fn classify(value: &str) -> Kinds {
    let value = value.trim_ascii();
    let Some(first) = value.bytes().next() else { return Kinds::default() };
    match first {
        b'0'..=b'9' | b'-' | b'.' => number(value).or_else(|| iso(value)).unwrap_or(Kinds::TEXT),
        _ => word(value, first),
    }
}

/// The kind of one value of delimited text, where `has_commas` tells whether a comma can stand before decimals.
pub(crate) fn classify_field(value: &str, has_commas: bool) -> Kinds {
    let value = value.trim_ascii();
    let Some(first) = value.bytes().next() else { return Kinds::default() };
    match first {
        b'0'..=b'9' | b'-' | b'.' => {}
        b',' if has_commas => {}
        _ => return word(value, first),
    }
    let decimals = || if has_commas { with_comma(value) } else { None };
    match number(value) {
        Some(Kinds::INTEGER) => integer(value),
        Some(Kinds::FLOAT) if has_commas => Kinds::FLOAT.with(point(value)),
        Some(kinds) => kinds,
        None => big(value).or_else(decimals).or_else(|| iso(value)).or_else(|| parted(value)).unwrap_or(Kinds::TEXT),
    }
}

fn word(value: &str, first: u8) -> Kinds {
    match first {
        b't' | b'T' | b'f' | b'F' if boolean(value).is_some() => Kinds::BOOLEAN,
        b'N' | b'i' | b'I' if matches!(value, "NaN" | "inf" | "Infinity") => Kinds::SPECIAL,
        _ => Kinds::TEXT,
    }
}

/// A number in the form in which it would be written again: a leading zero or a plus sign belongs to a code.
fn number(value: &str) -> Option<Kinds> {
    let digits = value.strip_prefix('-').unwrap_or(value).as_bytes();
    if matches!(value, "-inf" | "-Infinity") {
        return Some(Kinds::SPECIAL);
    }
    if matches!(digits, [b'0', b'0'..=b'9', ..]) {
        return None;
    }
    if digits.iter().all(u8::is_ascii_digit) {
        return value.parse::<i64>().ok().map(|_| Kinds::INTEGER);
    }
    let is_float = digits.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'-' | b'+'));
    (is_float && value.parse::<f64>().is_ok()).then_some(Kinds::FLOAT)
}

fn integer(value: &str) -> Kinds {
    let mut kinds = Kinds::INTEGER;
    if value.len() > 15 && value.parse::<i64>().is_ok_and(|number| number.unsigned_abs() > FLOAT_EXACT_MAX) {
        kinds.add(Kinds::WIDE);
    }
    let parts = match value.len() {
        8 => 0,
        10 => 1,
        12 => 2,
        14 => 3,
        _ => return kinds.with(Kinds::NOT_COMPACT),
    };
    // Other years are numbers that happen to look like days.
    let is_of_our_time = matches!(value.get(..2), Some("18" | "19" | "20" | "21"));
    let is_moment = is_of_our_time && compact(value, value.len()).is_some();
    let form = if is_moment { Kinds::COMPACT.get(parts).copied() } else { None };
    kinds.with(form.unwrap_or(Kinds::NOT_COMPACT))
}

fn big(value: &str) -> Option<Kinds> {
    let digits = value.strip_prefix('-').unwrap_or(value).as_bytes();
    let is_big = (19..=DIGITS_MAX).contains(&digits.len())
        && digits.iter().all(u8::is_ascii_digit)
        && digits.first() != Some(&b'0');
    is_big.then(|| Kinds::INTEGER.with(Kinds::BIG).with(Kinds::NOT_COMPACT))
}

/// Whether the point of a float stands before decimals for sure.
fn point(value: &str) -> Kinds {
    match value.split_once('.') {
        None => Kinds::default(),
        Some((whole, decimals)) if may_be_group(whole, decimals) => Kinds::POINT_OR_GROUP,
        Some(_) => Kinds::POINT,
    }
}

/// A number with a comma before its decimals.
fn with_comma(value: &str) -> Option<Kinds> {
    let (whole, decimals) = value.split_once(',')?;
    let digits = whole.strip_prefix('-').unwrap_or(whole).as_bytes();
    let is_whole = digits.iter().all(u8::is_ascii_digit) && !matches!(digits, [b'0', b'0'..=b'9', ..]);
    let (mantissa, exponent) = decimals.split_once(['e', 'E']).unwrap_or((decimals, "0"));
    let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
    let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !(is_whole && are_digits(mantissa) && are_digits(exponent)) {
        return None;
    }
    Some(Kinds::FLOAT.with(if may_be_group(whole, decimals) { Kinds::COMMA_OR_GROUP } else { Kinds::COMMA }))
}

/// Whether the mark between these digits could stand between thousands.
fn may_be_group(whole: &str, decimals: &str) -> bool {
    let whole = whole.strip_prefix('-').unwrap_or(whole).as_bytes();
    let is_group = decimals.len() == 3 && decimals.bytes().all(|byte| byte.is_ascii_digit());
    is_group && (1..=3).contains(&whole.len()) && whole.first() != Some(&b'0')
}

fn iso(value: &str) -> Option<Kinds> {
    if date(value).is_some() {
        return Some(Kinds::DATE);
    }
    let (_, has_offset) = timestamp(value)?;
    Some(if has_offset { Kinds::INSTANT } else { Kinds::TIMESTAMP })
}

/// A day as three numbers, perhaps with a clock.
fn parted(value: &str) -> Option<Kinds> {
    let between = value.bytes().find(|byte| !byte.is_ascii_digit())?;
    let (kind, forms) = match (between, value.bytes().position(|byte| byte == between)?) {
        (b'/', 4) => (Kinds::YEAR_FIRST, [Form::YearFirst, Form::YearFirst]),
        (b'/', _) => (Kinds::SLASHED, [Form::DayFirst { between }, Form::MonthFirst]),
        (b'.', _) => (Kinds::DOTTED, [Form::DayFirst { between }, Form::DayFirst { between }]),
        _ => return None,
    };
    let [one, other] = forms.map(|form| form.parted(value));
    let (_, rest) = one.or(other)?;
    let mut kinds = kind;
    if !rest.is_empty() {
        time(rest.strip_prefix([' ', 'T'])?)?;
        kinds.add(Kinds::CLOCK);
    }
    if kind == Kinds::YEAR_FIRST {
        return Some(kinds);
    }
    if one.is_none() {
        kinds.add(Kinds::NOT_DAY_FIRST);
    }
    // In a dotted day the month is never first, so a value over 12 in front is what proves the order.
    let month_first = if kind == Kinds::DOTTED { first_number(value) <= 12 } else { other.is_some() };
    if !month_first {
        kinds.add(Kinds::NOT_MONTH_FIRST);
    }
    Some(kinds)
}

fn first_number(value: &str) -> u32 {
    let digits = value.bytes().take_while(u8::is_ascii_digit);
    digits.fold(0, |number, digit| number * 10 + u32::from(digit - b'0'))
}

/// Whether the name of a column says that its digits are days or times.
fn names_a_moment(name: &str) -> bool {
    let has = |list: &[&str]| words(name).any(|word| list.iter().any(|known| word.eq_ignore_ascii_case(known)));
    has(&MOMENT_WORDS) && !has(&NUMBER_WORDS)
}

/// The words of a name: between signs, and where a capital follows a small letter.
pub(crate) fn words(name: &str) -> impl Iterator<Item = &str> {
    let parts = name.split(|char: char| !char.is_alphanumeric()).filter(|part| !part.is_empty());
    parts.flat_map(|part| {
        let mut rest = Some(part);
        std::iter::from_fn(move || {
            let text = rest?;
            let mut chars = text.char_indices().zip(text.chars().skip(1));
            let cut = chars.find(|((_, one), next)| one.is_lowercase() && next.is_uppercase());
            let at = cut.map(|((at, one), _)| at + one.len_utf8());
            rest = at.and_then(|at| text.get(at..));
            at.map_or(Some(text), |at| text.get(..at))
        })
    })
}

/// `true` or `false`, in any case.
pub(crate) fn boolean(value: &str) -> Option<bool> {
    if value.eq_ignore_ascii_case("true") {
        Some(true)
    } else if value.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::{DataType, TimeUnit};

    use super::*;

    #[test]
    fn values_have_kinds() {
        let cases = [
            ("0", Kinds::INTEGER),
            ("-12", Kinds::INTEGER),
            (" 5 ", Kinds::INTEGER),
            ("9223372036854775808", Kinds::TEXT),
            ("07064001", Kinds::TEXT),
            ("-07", Kinds::TEXT),
            ("+33612345678", Kinds::TEXT),
            ("-0.17", Kinds::FLOAT),
            (".5", Kinds::FLOAT),
            ("1e-5", Kinds::FLOAT),
            ("00.5", Kinds::TEXT),
            ("1-5", Kinds::TEXT),
            ("-", Kinds::TEXT),
            ("NaN", Kinds::SPECIAL),
            ("True", Kinds::BOOLEAN),
            ("t", Kinds::TEXT),
            ("2024-02-29", Kinds::DATE),
            ("2023-02-29", Kinds::TEXT),
            ("2024-01-01T00:00:00", Kinds::TIMESTAMP),
            ("2024-01-01 00:00", Kinds::TIMESTAMP),
            ("2013-01-01T06:00:00Z", Kinds::INSTANT),
            ("2013-01-01 06:00:00.25+02", Kinds::INSTANT),
            ("2013-01-01T25:00:00Z", Kinds::TEXT),
            ("", Kinds::default()),
            ("  ", Kinds::default()),
            ("é", Kinds::TEXT),
        ];
        for (value, kind) in cases {
            assert_eq!(classify(value), kind, "{value:?}");
        }
    }

    #[test]
    fn kinds_widen_to_one_type() {
        let of = |values: &[&str]| {
            let mut kinds = Kinds::default();
            values.iter().for_each(|value| kinds.add(classify(value)));
            kinds.data_type()
        };
        assert_eq!(of(&["1", "2"]), DataType::Int64);
        assert_eq!(of(&["1", "2.5", "NaN"]), DataType::Float64);
        assert_eq!(of(&["1", "x"]), DataType::Utf8View);
        assert_eq!(of(&["NaN"]), DataType::Utf8View);
        assert_eq!(of(&["2024-01-01", "2024-01-01 10:00:00"]), DataType::Timestamp(TimeUnit::Microsecond, None));
        assert_eq!(of(&["2024-01-01 10:00:00", "2024-01-01 10:00:00Z"]), DataType::Utf8View);
        assert_eq!(of(&["", ""]), DataType::Utf8View);
    }

    #[test]
    fn times_are_microseconds() {
        assert_eq!(timestamp("1970-01-02T00:00:01Z"), Some((86_401_000_000, true)));
        assert_eq!(timestamp("1970-01-01 02:00:00.0000015+02:00"), Some((2, true)));
        assert_eq!(timestamp("1970-01-01 00:01"), Some((60_000_000, false)));
        assert_eq!(date("1969-12-31"), Some(-1));
    }

    #[test]
    fn patterns_need_not_have_every_part() {
        let hours = Pattern::new("%Y%m%d%H").unwrap();
        assert_eq!(hours.timestamp("1970010203"), Some(((24 + 3) * 3_600_000_000, false)));
        assert_eq!(hours.timestamp("1970010224"), None);
        assert_eq!(Pattern::new("%Y%m%d").unwrap().date("19970101"), Some(9862));
        assert_eq!(Pattern::new("%Y%m%d").unwrap().timestamp("19700102"), Some((86_400_000_000, false)));
        assert!(Pattern::new("%Q").is_none());
    }

    fn kinds_of(values: &[&str], has_commas: bool) -> Kinds {
        let mut kinds = Kinds::default();
        values.iter().for_each(|value| kinds.add(classify_field(value, has_commas)));
        kinds
    }

    #[test]
    fn moments_are_recognised_when_header_and_values_say_so() {
        let day = |form: Form| (DataType::Date32, form);
        let time = |form: Form| (DataType::Timestamp(TimeUnit::Microsecond, None), form);
        let plain = |data_type: DataType| (data_type, Form::Iso);
        let slash = Form::DayFirst { between: b'/' };
        let cases: [(&str, &[&str], (DataType, Form)); 20] = [
            ("AAAAMMJJ", &["20240101", "20241231"], day(Form::Compact { digits: 8 })),
            ("AAAAMMJJHH", &["2024010100", "2024010123"], time(Form::Compact { digits: 10 })),
            ("obs_time", &["202401012359"], time(Form::Compact { digits: 12 })),
            ("tradeDate", &["20240101235959"], time(Form::Compact { digits: 14 })),
            ("Day", &["20240101", "20240132"], plain(DataType::Int64)),
            ("day", &["1", "31"], plain(DataType::Int64)),
            ("date_key", &["20240101"], plain(DataType::Int64)),
            ("customer", &["20240101"], plain(DataType::Int64)),
            ("update", &["20240101"], plain(DataType::Int64)),
            ("timestamp", &["1700000000", "1712345678"], plain(DataType::Int64)),
            ("timestamp", &["1700000000000"], plain(DataType::Int64)),
            ("x", &["2024/01/31", "2024/2/1"], day(Form::YearFirst)),
            ("x", &["2024/01/31 10:00", "2024/02/01"], time(Form::YearFirst)),
            ("x", &["01/02/2024", "31/01/2024"], day(slash.clone())),
            ("x", &["01/02/2024", "01/31/2024 23:59:59"], time(Form::MonthFirst)),
            ("x", &["01/02/2024", "02/01/2024"], plain(DataType::Utf8View)),
            ("x", &["31/01/2024", "01/31/2024"], plain(DataType::Utf8View)),
            ("x", &["31.01.2024", "01.02.2024"], day(Form::DayFirst { between: b'.' })),
            ("x", &["01.02.2024"], plain(DataType::Utf8View)),
            ("x", &["31/01/2024", "2024-01-31"], plain(DataType::Utf8View)),
        ];
        for (name, values, expected) in cases {
            assert_eq!(kinds_of(values, false).reading(name), expected, "{name} {values:?}");
        }
    }

    #[test]
    fn moments_are_read_in_their_form() {
        let day = date("2024-01-31").unwrap();
        for (form, value) in [
            (Form::Compact { digits: 8 }, "20240131"),
            (Form::YearFirst, "2024/1/31"),
            (Form::DayFirst { between: b'/' }, "31/01/2024"),
            (Form::DayFirst { between: b'.' }, "31.1.2024"),
            (Form::MonthFirst, "1/31/2024"),
        ] {
            assert_eq!(form.date(value), Some(day), "{form:?}");
            assert_eq!(form.timestamp(value), Some((i64::from(day) * 86_400_000_000, false)), "{form:?}");
        }
        let clock = timestamp("2024-01-31 23:05:07");
        assert_eq!(Form::Compact { digits: 14 }.timestamp("20240131230507"), clock);
        assert_eq!(Form::MonthFirst.timestamp("01/31/2024 23:05:07"), clock);
        for (form, value) in [
            (Form::Compact { digits: 8 }, "2024013"),
            (Form::Compact { digits: 10 }, "2024013124"),
            (Form::DayFirst { between: b'/' }, "1/31/2024"),
            (Form::DayFirst { between: b'/' }, "31/01/24"),
            (Form::MonthFirst, "31/01/2024"),
        ] {
            assert_eq!(form.timestamp(value), None, "{form:?} {value}");
        }
    }

    #[test]
    fn large_integers_stay_exact() {
        let cases: [(&[&str], DataType); 6] = [
            (&["1", "9223372036854775808"], DataType::Decimal128(38, 0)),
            (&["-99999999999999999999999999999999999999"], DataType::Decimal128(38, 0)),
            (&["100000000000000000000000000000000000000"], DataType::Utf8View),
            (&["9223372036854775808", "0.5"], DataType::Utf8View),
            (&["9007199254740993", "0.5"], DataType::Utf8View),
            (&["9007199254740992", "0.5"], DataType::Float64),
        ];
        for (values, expected) in cases {
            assert_eq!(kinds_of(values, false).data_type(), expected, "{values:?}");
        }
    }

    #[test]
    fn commas_before_decimals_are_no_thousands() {
        let cases = [
            ("3,14", Kinds::FLOAT.with(Kinds::COMMA)),
            ("-,5", Kinds::FLOAT.with(Kinds::COMMA)),
            ("0,123", Kinds::FLOAT.with(Kinds::COMMA)),
            ("1,5e-3", Kinds::FLOAT.with(Kinds::COMMA)),
            ("1,234", Kinds::FLOAT.with(Kinds::COMMA_OR_GROUP)),
            ("1.234", Kinds::FLOAT.with(Kinds::POINT_OR_GROUP)),
            ("1.5", Kinds::FLOAT.with(Kinds::POINT)),
            ("1.234,5", Kinds::TEXT),
            ("1,234,567", Kinds::TEXT),
            ("01,5", Kinds::TEXT),
            ("1,", Kinds::TEXT),
        ];
        for (value, kinds) in cases {
            assert_eq!(classify_field(value, true), kinds, "{value}");
        }
        assert_eq!(classify_field("3,14", false), Kinds::TEXT);
    }

    #[test]
    fn names_have_words() {
        let of = |name: &'static str| words(name).collect::<Vec<_>>();
        assert_eq!(of("obs_dateTime (UTC)"), ["obs", "date", "Time", "UTC"]);
        assert_eq!(of("AAAAMMJJ"), ["AAAAMMJJ"]);
    }
}
