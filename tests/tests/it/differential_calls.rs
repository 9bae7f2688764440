//! The functions and operators that random arguments go through.

use lakegate_tests::differential::compare::Maker;
use lakegate_tests::differential::{Case, Random, moments, numbers, texts};

/// A call over `$1` ..., and what makes its arguments.
type Call = (&'static str, &'static [Maker]);

fn unit(random: &mut Random) -> String {
    let units = [
        "microseconds",
        "milliseconds",
        "second",
        "minute",
        "hour",
        "day",
        "week",
        "month",
        "quarter",
        "year",
        "decade",
        "century",
        "millennium",
        "Days",
        "fortnight",
    ];
    random.pick(&units).to_owned()
}

fn field(random: &mut Random) -> String {
    let fields = ["epoch", "dow", "isodow", "doy", "isoyear", "julian", "timezone", "timezone_hour", "timezone_minute"];
    if random.one_in(2) { random.pick(&fields).to_owned() } else { unit(random) }
}

fn zone(random: &mut Random) -> String {
    random.pick(&moments::SESSION_ZONES).to_owned()
}

fn time_format(random: &mut Random) -> String {
    const PARTS: [&str; 62] = [
        "YYYY", "YYY", "YY", "Y", "Y,YYY", "IYYY", "IYY", "IY", "I", "MM", "Mon", "MON", "mon", "Month", "MONTH",
        "month", "DD", "DDD", "IDDD", "D", "ID", "Day", "DAY", "day", "Dy", "DY", "dy", "HH", "HH12", "HH24", "MI",
        "SS", "SSSS", "MS", "US", "FF1", "FF2", "FF3", "FF4", "FF5", "FF6", "AM", "pm", "A.M.", "p.m.", "BC", "ad",
        "B.C.", "CC", "J", "Q", "RM", "rm", "W", "WW", "IW", "TZ", "tz", "TZH", "TZM", "OF", "SSSSS",
    ];
    const MARKS: [&str; 14] = ["-", "/", " ", ":", ".", "\"of\"", "\\\"", "T", "FM", "FM", ",", "é", "x", "th"];
    let mut text = String::new();
    for _ in 0..=random.below(4) {
        if random.one_in(6) {
            text.push_str("FM");
        }
        text.push_str(random.pick(&PARTS));
        if random.one_in(8) {
            text.push_str(random.pick(&["th", "TH"]));
        }
        if random.one_in(2) {
            text.push_str(random.pick(&MARKS));
        }
    }
    text
}

fn number_format(random: &mut Random) -> String {
    let whole = random.word("9990,", 7);
    let fraction = if random.one_in(2) {
        format!("{}{}", random.pick(&[".", "D"]), random.word("99900", 4))
    } else {
        String::new()
    };
    let before = random.pick(&["", "", "", "FM", "S", "MI", "PL", "SG", "$", "L", "FMS", "G"]);
    let after = random.pick(&["", "", "", "MI", "PR", "S", "%", "V99", "th", "EEEE", " \"x\""]);
    format!("{before}{whole}{fraction}{after}")
}

fn small(random: &mut Random) -> String {
    random.between(-12, 12).to_string()
}

fn regex(random: &mut Random) -> String {
    let mut text = String::new();
    for _ in 0..=random.below(4) {
        text.push_str(
            random.pick(&["a", "b", "c", "X", ".", "[ab]", "[^a]", "(a|b)", "é", "\\w", "\\s", "^", "$", "\\d"]),
        );
        text.push_str(random.pick(&["", "", "", "*", "+", "?", "{2}", "*?"]));
    }
    text
}

fn step(random: &mut Random) -> String {
    random
        .pick(&["1 hour", "6 hours", "1 day", "1 week", "1 month", "90 minutes", "1 day 1 hour", "-1 day", "-5 hours"])
        .to_owned()
}

fn tame_double(random: &mut Random) -> String {
    numbers::decimal(random, 6, 6)
}

const N: Maker = numbers::short_numeric;
const F: Maker = tame_double;
const TS: Maker = moments::clear_timestamp;
const D: Maker = moments::clear_date;
const T: Maker = moments::clear_time;
const I: Maker = moments::clear_interval;
const S: Maker = texts::short;
const C: Maker = texts::count;

const CALLS: &[Call] = &[
    ("date_trunc($1, $2::timestamp)", &[unit, TS]),
    ("date_trunc($1, $2::timestamptz)", &[unit, TS]),
    ("date_trunc($1, $2::interval)", &[unit, I]),
    ("date_trunc($1, $2::timestamptz, $3)", &[unit, TS, zone]),
    ("date_part($1, $2::timestamp)", &[field, TS]),
    ("date_part($1, $2::timestamptz)", &[field, TS]),
    ("date_part($1, $2::date)", &[field, D]),
    ("date_part($1, $2::time)", &[field, T]),
    ("date_part($1, $2::interval)", &[field, I]),
    ("extract(epoch FROM $1::timestamptz), extract(second FROM $1::timestamptz)", &[TS]),
    (
        "extract(epoch FROM $1::interval), extract(millennium FROM $1::interval), extract(quarter FROM $1::interval)",
        &[I],
    ),
    ("extract(isoyear FROM $1::date), extract(week FROM $1::date), extract(julian FROM $1::date)", &[TS]),
    ("age($1::timestamp, $2::timestamp)", &[TS, TS]),
    ("age($1::timestamptz, $2::timestamptz)", &[TS, TS]),
    ("to_char($1::timestamp, $2)", &[TS, time_format]),
    ("to_char($1::timestamptz, $2)", &[TS, time_format]),
    ("to_char($1::interval, $2)", &[I, time_format]),
    ("to_char($1::numeric, $2)", &[N, number_format]),
    ("to_char($1::int4, $2)", &[small, number_format]),
    ("to_char($1::float8, $2)", &[F, number_format]),
    ("$1::timestamp + $2::interval, $1::timestamp - $2::interval", &[TS, I]),
    ("$1::timestamptz + $2::interval, $1::timestamptz - $2::interval", &[TS, I]),
    ("$1::date + $2::interval, $1::date - $2::int4, $1::date + $3::time", &[D, I, T]),
    ("$1::date - $2::int4, $1::date + $2::int4, $1::date - $3::date", &[D, small, D]),
    ("$1::time + $2::interval, $1::time - $2::interval, $1::time - $3::time", &[T, I, T]),
    ("$1::timestamp - $2::timestamp, $1::timestamptz - $2::timestamptz", &[TS, TS]),
    ("$1::interval + $2::interval, $1::interval - $2::interval, -$1::interval", &[I, I]),
    ("$1::interval * $2::float8, $1::interval / $2::float8", &[I, F]),
    ("$1::interval = $2::interval, $1::interval < $2::interval", &[I, I]),
    ("justify_days($1::interval), justify_hours($1::interval), justify_interval($1::interval)", &[I]),
    ("$1::timestamp AT TIME ZONE $2, $1::timestamptz AT TIME ZONE $2", &[TS, zone]),
    ("$1::timestamptz::date, $1::timestamptz::time, $1::timestamptz::timestamp, $1::timestamp::timestamptz", &[TS]),
    ("date_bin($1::interval, $2::timestamp, $3::timestamp)", &[step, TS, TS]),
    ("make_date($1::int4 + 2000, $2::int4, $3::int4)", &[small, small, small]),
    ("make_interval(days => $1::int4, hours => $2::int4, secs => $3::float8)", &[small, small, F]),
    ("$1::numeric + $2::numeric, $1::numeric - $2::numeric, $1::numeric * $2::numeric", &[N, N]),
    ("$1::numeric / $2::numeric", &[N, N]),
    ("$1::numeric % $2::numeric, mod($1::numeric, $2::numeric)", &[N, N]),
    ("round($1::numeric), trunc($1::numeric), ceil($1::numeric), floor($1::numeric), sign($1::numeric)", &[N]),
    ("round($1::numeric, 2), round($1::numeric, 0), trunc($1::numeric, 1), round($1::numeric, -2)", &[N]),
    ("abs($1::numeric), -$1::numeric, $1::numeric::int4, $1::numeric::float8", &[N]),
    ("$1::numeric = $2::numeric, $1::numeric < $2::numeric", &[N, N]),
    ("div($1::numeric, $2::numeric)", &[N, N]),
    ("sqrt(abs($1::numeric))", &[N]),
    ("ln(abs($1::numeric)), exp($2::numeric / 1000)", &[N, N]),
    ("power(abs($1::numeric), 2), power(2, $2::int4)", &[N, small]),
    ("gcd($1::int4, $2::int4), lcm($1::int4, $2::int4)", &[small, small]),
    ("$1::int4 + $2::int4", &[numbers::middle, numbers::middle]),
    ("$1::int4 - $2::int4", &[numbers::middle, numbers::middle]),
    ("$1::int4 * $2::int4", &[numbers::middle, small]),
    ("$1::int4 / $2::int4, $1::int4 % $2::int4", &[numbers::middle, small]),
    ("$1::int2 * $2::int2, $1::int2 / $2::int2, $1::int2 + $2::int2", &[numbers::small, small]),
    ("$1::int8 + $2::int8, $1::int8 - $2::int8", &[numbers::integer, numbers::integer]),
    ("$1::int8 * $2::int8", &[numbers::integer, small]),
    ("$1::int8 / $2::int8, $1::int8 % $2::int8, -$1::int8", &[numbers::integer, small]),
    ("abs($1::int4), -$1::int4, $1::int4::int2", &[numbers::middle]),
    (
        "$1::int4 & $2::int4, $1::int4 | $2::int4, $1::int4 # $2::int4, ~$1::int4, $1::int4 << 3, $1::int4 >> 2",
        &[numbers::middle, numbers::middle],
    ),
    ("$1::float8 + $2::float8, $1::float8 * $2::float8, $1::float8 / $2::float8", &[F, F]),
    ("$1::float8 * $2::float8", &[numbers::double, numbers::double]),
    ("$1::float4 + $2::float4, $1::float4 * $2::float8", &[F, F]),
    ("$1::float8::int4, $1::float8::int8, $1::float8::numeric, $1::float8::float4", &[F]),
    ("round($1::float8), trunc($1::float8), ceil($1::float8), floor($1::float8), sign($1::float8)", &[F]),
    ("width_bucket($1::float8, $2::float8, $3::float8, $4::int4)", &[F, F, F, small]),
    ("width_bucket($1::numeric, $2::numeric, $3::numeric, $4::int4)", &[N, N, N, small]),
    ("substr($1, $2::int4), substr($1, $2::int4, $3::int4), substring($1 FROM $2::int4 FOR $3::int4)", &[S, C, C]),
    ("left($1, $2::int4), right($1, $2::int4)", &[S, C]),
    ("lpad($1, $2::int4, $3), rpad($1, $2::int4, $3), lpad($1, $2::int4)", &[S, C, S]),
    ("position($2 IN $1), strpos($1, $2)", &[S, S]),
    ("split_part($1, $2, $3::int4)", &[S, S, C]),
    ("translate($1, $2, $3), replace($1, $2, $3)", &[S, S, S]),
    ("overlay($1 PLACING $2 FROM $3::int4)", &[S, S, C]),
    ("overlay($1 PLACING $2 FROM $3::int4 FOR $4::int4)", &[S, S, C, C]),
    ("trim($1), ltrim($1), rtrim($1), btrim($1, $2), ltrim($1, $2), rtrim($1, $2)", &[S, S]),
    ("trim(BOTH $2 FROM $1), trim(LEADING $2 FROM $1), trim(TRAILING $2 FROM $1)", &[S, S]),
    ("length($1), octet_length($1), char_length($1), bit_length($1), ascii($1), reverse($1), md5($1)", &[texts::text]),
    ("lower($1), upper($1), initcap($1)", &[|random| random.word("abAB zZ9_-", 12)]),
    ("repeat($1, $2::int4), chr(abs($2::int4) + 65), to_hex($2::int4)", &[S, C]),
    ("starts_with($1, $2), $1 ^@ $2, concat($1, $2), concat_ws('-', $1, $2), $1 || $2", &[S, S]),
    ("string_to_array($1, $2), array_to_string(string_to_array($1, $2), '+', '*')", &[S, S]),
    ("quote_literal($1), quote_ident($1), quote_nullable($1)", &[texts::text]),
    ("$1 LIKE $2, $1 NOT LIKE $2, $1 ILIKE $2", &[S, texts::pattern]),
    ("$1 LIKE $2 ESCAPE 'X'", &[S, texts::pattern]),
    ("$1 SIMILAR TO $2", &[S, texts::pattern]),
    ("$1 ~ $2, $1 ~* $2, $1 !~ $2", &[S, regex]),
    ("regexp_replace($1, $2, $3), regexp_replace($1, $2, $3, 'g')", &[S, regex, |random| random.word("xy", 3)]),
    ("substring($1 FROM $2), regexp_match($1, $2)", &[S, regex]),
    (
        "encode($1::bytea, 'hex'), encode($1::bytea, 'base64'), encode($1::bytea, 'escape'), md5($1::bytea)",
        &[texts::bytea],
    ),
    ("$1 < $2, $1 <= $2, greatest($1, $2), least($1, $2), nullif($1, $2), coalesce($1, $2)", &[S, S]),
    (
        "(SELECT string_agg(x::text, ',') FROM generate_series($1::timestamptz, $1::timestamptz + interval '9 days', $2::interval) t(x))",
        &[
            |random| {
                random
                    .pick(&[
                        "2024-03-28 01:30",
                        "2024-10-25 02:15",
                        "2024-03-07 02:30",
                        "2024-11-01 01:00",
                        "2018-11-01 00:00",
                        "2024-04-05 01:45",
                    ])
                    .to_owned()
            },
            step,
        ],
    ),
    (
        "(SELECT string_agg(x::text, ',') FROM generate_series($1::timestamp, $1::timestamp + interval '40 days', $2::interval) t(x))",
        &[TS, step],
    ),
    (
        "(SELECT string_agg(x::text, ',') FROM generate_series($1::int4, $2::int4, $3::int4) t(x))",
        &[small, small, |random| random.between(-3, 4).to_string()],
    ),
    ("to_date($1, 'YYYY-MM-DD'), to_timestamp($1, 'YYYY-MM-DD HH24:MI:SS.US')", &[TS]),
    ("to_timestamp($1::float8)", &[|random| numbers::decimal(random, 10, 6)]),
    ("isfinite($1::timestamp), $1::timestamp > $2::date, $1::date = $2::timestamp", &[TS, TS]),
    (
        "$1::timestamp BETWEEN $2::timestamp AND $3::timestamp, ($1::timestamp, $2::timestamp) OVERLAPS ($3::timestamp, $4::interval)",
        &[TS, TS, TS, I],
    ),
];

/// Calls by their beginnings, and how ours may refuse results that Arrow's types do not hold.
const REFUSED: &[(&str, &[&str])] = &[
    ("$1::interval * ", &["22008"]),
    ("ln(abs($1::numeric)), exp(", &["22003"]),
    ("power(abs($1::numeric), 2)", &["22003"]),
];

/// Calls that do not answer as PostgreSQL does yet, and what differs. The list may only shrink.
pub(super) const OPEN: &[(&str, &str)] = &[];

pub(super) fn all() -> Vec<Case> {
    let case = |(call, makers): &Call| Case {
        name: format!("call {call}"),
        sql: format!("SELECT {call}"),
        makers: makers.to_vec(),
        refusals: REFUSED.iter().find(|(begin, _)| call.starts_with(begin)).map_or(&[], |(_, states)| *states),
        newer: None,
        any_scale: false,
    };
    CALLS.iter().map(case).collect()
}
