//! The patterns of dates and times: `YYYY-MM-DD HH24:MI`, `FMMonth`, `DDth`.
//!
//! Owns: cutting a pattern into nodes; it serves both directions.
//! <https://www.postgresql.org/docs/16/functions-formatting.html#FUNCTIONS-FORMATTING-DATETIME-TABLE>

/// One piece of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Node {
    Literal(char),
    Field { field: Field, case: Case, fill: bool, ordinal: Option<Case> },
}

/// How letters are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Case {
    Upper,
    Capital,
    Lower,
}

impl Case {
    /// Applies to a capitalised name.
    pub(crate) fn apply(self, name: &str) -> String {
        match self {
            Self::Upper => name.to_uppercase(),
            Self::Capital => name.to_owned(),
            Self::Lower => name.to_lowercase(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    /// `HH` and `HH12`.
    Hour12,
    Hour24,
    Minute,
    Second,
    Milli,
    Micro,
    /// `FF1` to `FF6`.
    Fraction(u32),
    SecondOfDay,
    /// `AM`, `PM`; dotted `A.M.`.
    HalfDay {
        dotted: bool,
    },
    /// `BC`, `AD`; dotted `B.C.`.
    Era {
        dotted: bool,
    },
    YearComma,
    /// The last digits of the year: 4 means all.
    Year(u32),
    IsoYear(u32),
    MonthName,
    MonthShort,
    Month,
    MonthRoman,
    DayName,
    DayShort,
    Day,
    DayOfYear,
    IsoDayOfYear,
    /// 1 is Sunday.
    DayOfWeek,
    /// 1 is Monday.
    IsoDayOfWeek,
    WeekOfMonth,
    WeekOfYear,
    IsoWeek,
    Century,
    Julian,
    Quarter,
    Zone,
    ZoneHour,
    ZoneMinute,
    Offset,
}

/// Longest first, so that `YYYY` is not read as `Y`.
const FIELDS: &[(&str, Field)] = &[
    ("MONTH", Field::MonthName),
    ("SSSSS", Field::SecondOfDay),
    ("Y,YYY", Field::YearComma),
    ("A.D.", Field::Era { dotted: true }),
    ("A.M.", Field::HalfDay { dotted: true }),
    ("B.C.", Field::Era { dotted: true }),
    ("HH12", Field::Hour12),
    ("HH24", Field::Hour24),
    ("IDDD", Field::IsoDayOfYear),
    ("IYYY", Field::IsoYear(4)),
    ("P.M.", Field::HalfDay { dotted: true }),
    ("SSSS", Field::SecondOfDay),
    ("YYYY", Field::Year(4)),
    ("DAY", Field::DayName),
    ("DDD", Field::DayOfYear),
    ("FF1", Field::Fraction(1)),
    ("FF2", Field::Fraction(2)),
    ("FF3", Field::Fraction(3)),
    ("FF4", Field::Fraction(4)),
    ("FF5", Field::Fraction(5)),
    ("FF6", Field::Fraction(6)),
    ("IYY", Field::IsoYear(3)),
    ("MON", Field::MonthShort),
    ("TZH", Field::ZoneHour),
    ("TZM", Field::ZoneMinute),
    ("YYY", Field::Year(3)),
    ("AD", Field::Era { dotted: false }),
    ("AM", Field::HalfDay { dotted: false }),
    ("BC", Field::Era { dotted: false }),
    ("CC", Field::Century),
    ("DD", Field::Day),
    ("DY", Field::DayShort),
    ("HH", Field::Hour12),
    ("ID", Field::IsoDayOfWeek),
    ("IW", Field::IsoWeek),
    ("IY", Field::IsoYear(2)),
    ("MI", Field::Minute),
    ("MM", Field::Month),
    ("MS", Field::Milli),
    ("OF", Field::Offset),
    ("PM", Field::HalfDay { dotted: false }),
    ("RM", Field::MonthRoman),
    ("SS", Field::Second),
    ("TZ", Field::Zone),
    ("US", Field::Micro),
    ("WW", Field::WeekOfYear),
    ("YY", Field::Year(2)),
    ("D", Field::DayOfWeek),
    ("I", Field::IsoYear(1)),
    ("J", Field::Julian),
    ("Q", Field::Quarter),
    ("W", Field::WeekOfMonth),
    ("Y", Field::Year(1)),
];

/// Cuts a pattern; what is no field stands for itself.
pub(crate) fn parse(pattern: &str) -> Vec<Node> {
    let mut nodes = Vec::new();
    let mut rest = pattern;
    while !rest.is_empty() {
        let (fill, tail) = prefix(rest);
        if let Some((field, case, mut tail)) = field(tail) {
            let ordinal = match tail.get(..2) {
                Some("TH") => Some(Case::Upper),
                Some("th") => Some(Case::Lower),
                _ => None,
            };
            if ordinal.is_some() {
                tail = &tail[2..];
            }
            nodes.push(Node::Field { field, case, fill, ordinal });
            rest = tail;
            continue;
        }
        if fill {
            // A prefix without a field is dropped.
            rest = tail;
            continue;
        }
        rest = literal(rest, &mut nodes);
    }
    nodes
}

/// Strips `FM`, `TM` (names of the locale, which are not padded) and `FX`, which has no effect here; true when padding is
/// off.
fn prefix(text: &str) -> (bool, &str) {
    let mut fill = false;
    let mut rest = text;
    loop {
        let tail =
            ["FM", "fm", "TM", "tm"].iter().find_map(|prefix| rest.strip_prefix(prefix)).map(|tail| (true, tail));
        let other = ["FX", "fx"].iter().find_map(|prefix| rest.strip_prefix(prefix)).map(|tail| (fill, tail));
        match tail.or(other) {
            Some((is_fill, tail)) => (fill, rest) = (is_fill || fill, tail),
            None => return (fill, rest),
        }
    }
}

fn field(text: &str) -> Option<(Field, Case, &str)> {
    FIELDS.iter().find_map(|(name, field)| {
        let head = text.get(..name.len())?;
        let case = if head == *name {
            Case::Upper
        } else if head.bytes().all(|b| !b.is_ascii_uppercase()) && head.eq_ignore_ascii_case(name) {
            Case::Lower
        } else if is_name(*field) && is_capital(head, name) {
            Case::Capital
        } else {
            return None;
        };
        Some((*field, case, &text[name.len()..]))
    })
}

fn is_name(field: Field) -> bool {
    matches!(field, Field::MonthName | Field::MonthShort | Field::DayName | Field::DayShort)
}

fn is_capital(head: &str, name: &str) -> bool {
    head.eq_ignore_ascii_case(name)
        && head.starts_with(|c: char| c.is_ascii_uppercase())
        && !head[1..].bytes().any(|b| b.is_ascii_uppercase())
}

fn literal<'a>(text: &'a str, nodes: &mut Vec<Node>) -> &'a str {
    let mut chars = text.chars();
    match chars.next() {
        Some('"') => {
            while let Some(c) = chars.next() {
                match c {
                    '"' => break,
                    '\\' => nodes.extend(chars.next().map(Node::Literal)),
                    c => nodes.push(Node::Literal(c)),
                }
            }
        }
        // A backslash only protects a double quote.
        Some('\\') if chars.as_str().starts_with('"') => nodes.extend(chars.next().map(Node::Literal)),
        Some(c) => nodes.push(Node::Literal(c)),
        None => {}
    }
    chars.as_str()
}
