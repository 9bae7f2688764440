//! The patterns of dates and times: `YYYY-MM-DD HH24:MI`, `FMMonth`, `DDth`.
//!
//! Owns: cutting a pattern into nodes; it serves both directions.
//! <https://www.postgresql.org/docs/16/functions-formatting.html#FUNCTIONS-FORMATTING-DATETIME-TABLE>

/// One piece of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Node {
    Literal(char),
    Field { field: Field, case: Case, name: Name, ordinal: Option<Case> },
}

/// What stands in front of a field, which says how its text is filled up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Name {
    Padded,
    /// `FM`: neither zeros nor spaces.
    Filled,
    /// `TM`: the names of the locale, without spaces.
    Local,
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

/// Cuts a pattern; what is no field stands for itself. As in PostgreSQL one prefix stands before a field and one suffix
/// behind it, and a prefix without a field is dropped.
pub(crate) fn parse(pattern: &str) -> Vec<Node> {
    let mut nodes = Vec::new();
    let mut rest = pattern;
    while !rest.is_empty() {
        let (name, tail) = prefix(rest);
        if let Some((field, case, tail)) = field(tail) {
            let (ordinal, tail) = suffix(tail);
            nodes.push(Node::Field { field, case, name, ordinal });
            rest = tail;
        } else if let Some(tail) = ["FX", "fx"].iter().find_map(|exact| tail.strip_prefix(exact)) {
            // A field of its own without a text.
            rest = suffix(tail).1;
        } else {
            let (characters, tail) = literal(tail);
            nodes.extend(characters.into_iter().map(Node::Literal));
            rest = tail;
        }
    }
    nodes
}

fn prefix(text: &str) -> (Name, &str) {
    let prefixes = [("FM", Name::Filled), ("fm", Name::Filled), ("TM", Name::Local), ("tm", Name::Local)];
    let found = prefixes.iter().find_map(|(prefix, name)| Some((*name, text.strip_prefix(prefix)?)));
    found.unwrap_or((Name::Padded, text))
}

/// `SP` (spelled out) is read and has no effect.
fn suffix(text: &str) -> (Option<Case>, &str) {
    let suffixes = [("TH", Some(Case::Upper)), ("th", Some(Case::Lower)), ("SP", None)];
    let found = suffixes.iter().find_map(|(suffix, case)| Some((*case, text.strip_prefix(suffix)?)));
    found.unwrap_or((None, text))
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

/// The characters that the beginning of a pattern stands for, and what follows.
pub(super) fn literal(text: &str) -> (Vec<char>, &str) {
    let mut found = Vec::new();
    let mut chars = text.chars();
    match chars.next() {
        Some('"') => {
            while let Some(c) = chars.next() {
                match c {
                    '"' => break,
                    // It protects the next character, if there is one.
                    '\\' => found.push(chars.next().unwrap_or('\\')),
                    c => found.push(c),
                }
            }
        }
        // A backslash only protects a double quote.
        Some('\\') if chars.as_str().starts_with('"') => found.extend(chars.next()),
        Some(c) => found.push(c),
        None => {}
    }
    (found, chars.as_str())
}
