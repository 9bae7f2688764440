//! What the first lines of a file look like: delimiter, lines before the header, and whether there is a header.
//!
//! Owns: what speaks for each. What is not sure is left as it is: the first line is the header. Pure.

use super::seen::{Class, Markers};
use super::split::{Delimiter, Field, Splitter, line_end, unescaped};
use super::{Options, slice};
use crate::format::value::{Kinds, classify_field, words};

/// In the order that decides between equals.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// The records that are looked at.
const RECORDS_MAX: usize = 200;

/// Words between blanks are columns where so many lines have as many, or where some of them are no words.
const BLANKS_RECORDS_MIN: usize = 3;

/// The lines that can stand before a header.
const PREAMBLE_RECORDS_MAX: usize = 50;

/// Words that are names of columns.
const NAME_WORDS: [&str; 32] = [
    "id",
    "name",
    "date",
    "time",
    "timestamp",
    "year",
    "month",
    "day",
    "hour",
    "week",
    "station",
    "country",
    "region",
    "city",
    "code",
    "key",
    "value",
    "type",
    "category",
    "lat",
    "lon",
    "latitude",
    "longitude",
    "price",
    "amount",
    "total",
    "index",
    "status",
    "unit",
    "label",
    "title",
    "description",
];

/// What the first lines show.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Head {
    pub(super) delimiter: Delimiter,
    /// The share of the records that have as many fields as most.
    pub(super) share: f64,
    /// Lines before the first record.
    pub(super) skip_lines: u64,
    pub(super) header: bool,
    /// Whether the names stand behind a `#`.
    pub(super) header_is_comment: bool,
    /// Whether the header, or that there is none, is more than a guess.
    pub(super) is_sure: bool,
    pub(super) line_end: &'static str,
}

/// Looks at the first lines. `None` if they hold no whole record.
pub(super) fn look(text: &str, at_end: bool, options: &Options, may_be_blanks: bool) -> Option<Head> {
    let comments = if options.comment.is_none() { comments(text, at_end) } else { Comments::default() };
    let body = text.get(comments.bytes..).unwrap_or_default();
    let mut best: Option<(Score, Cut<'_>)> = None;
    for delimiter in candidates(options, may_be_blanks) {
        let cut = Cut::new(body, at_end, options, delimiter);
        let score = cut.score();
        if best.as_ref().is_none_or(|(known, _)| score > *known) {
            best = Some((score, cut));
        }
    }
    let (score, cut) = best?;
    cut.records.first()?;
    let mut head = Head {
        delimiter: cut.delimiter,
        share: score.permille as f64 / 1000.0,
        skip_lines: comments.lines,
        header: options.header.unwrap_or(true),
        header_is_comment: false,
        is_sure: options.header.is_some() || options.columns.is_some(),
        line_end: shown_line_end(text),
    };
    let first = cut.preamble();
    let verdict = cut.header_at(first);
    if options.header != Some(false) && comments.lines > 0 && verdict != Verdict::Header && first == 0 {
        // `#a,b` over `1,2`.
        let last = Cut::new(text.get(comments.last..).unwrap_or_default(), at_end, options, cut.delimiter);
        if score.width > 1 && last.width_of(0) == Some(score.width) {
            let skip_lines = comments.lines - 1;
            return Some(Head { skip_lines, header: true, header_is_comment: true, is_sure: true, ..head });
        }
    }
    if let Some((line, _)) = cut.records.get(first) {
        head.skip_lines += line - 1;
    }
    if !head.is_sure {
        head.header = verdict != Verdict::Data;
        head.is_sure = verdict != Verdict::Unknown;
    }
    Some(head)
}

fn candidates(options: &Options, may_be_blanks: bool) -> Vec<Delimiter> {
    match options.delimiter {
        Some(delimiter) => vec![delimiter],
        None => {
            let bytes = DELIMITERS.into_iter().map(Delimiter::Byte);
            bytes.chain(may_be_blanks.then_some(Delimiter::Blanks)).collect()
        }
    }
}

/// Lines at the top that begin with `#`, with blank ones between them.
#[derive(Default)]
struct Comments {
    lines: u64,
    bytes: usize,
    /// Where the last of them starts.
    last: usize,
}

fn comments(text: &str, at_end: bool) -> Comments {
    let (mut found, mut at, mut line) = (Comments::default(), 0, 0);
    while let Some(rest) = text.get(at..) {
        let is_comment = rest.starts_with('#');
        if !is_comment && !rest.starts_with(['\n', '\r']) {
            break;
        }
        let Some(end) = line_end(rest.as_bytes(), at_end) else { return Comments::default() };
        line += 1;
        if is_comment {
            found = Comments { lines: line, bytes: at + end, last: at };
        }
        at += end;
    }
    found
}

fn shown_line_end(text: &str) -> &'static str {
    let [crlf, cr, lf] = super::LINE_ENDS;
    match text.find(['\n', '\r']).and_then(|at| text.get(at..)) {
        Some(rest) if rest.starts_with("\r\n") => crlf,
        Some(rest) if rest.starts_with('\r') => cr,
        _ => lf,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
struct Score {
    /// Records that have as many fields as most, of a thousand.
    permille: usize,
    /// Fields that are numbers or moments, of a thousand.
    typed: usize,
    /// Fields of the first record.
    first: usize,
    width: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Header,
    Data,
    Unknown,
}

/// The first records under one delimiter.
struct Cut<'a> {
    text: &'a str,
    delimiter: Delimiter,
    options: &'a Options,
    /// The line of each record, and its fields, with places in `text`.
    records: Vec<(u64, Vec<Field>)>,
    is_faulty: bool,
}

impl<'a> Cut<'a> {
    fn new(text: &'a str, at_end: bool, options: &'a Options, delimiter: Delimiter) -> Self {
        let mut cut = Self { text, delimiter, options, records: Vec::new(), is_faulty: false };
        let mut splitter = Splitter::new(options.dialect(delimiter));
        let (mut at, mut fields) = (0, Vec::new());
        while cut.records.len() < RECORDS_MAX {
            let rest = text.get(at..).unwrap_or_default();
            match splitter.next(rest.as_bytes(), at_end, &mut fields) {
                Ok(Some(used)) => {
                    let moved =
                        fields.iter().map(|field| Field { start: at + field.start, end: at + field.end, ..*field });
                    cut.records.push((splitter.record_line(), moved.collect()));
                    at += used;
                }
                Ok(None) => break,
                Err(_) => {
                    cut.is_faulty = true;
                    break;
                }
            }
        }
        cut
    }

    fn width_of(&self, record: usize) -> Option<usize> {
        self.records.get(record).map(|(_, fields)| fields.len())
    }

    /// The number of fields that most records have, and how many have it.
    fn most(&self) -> (usize, usize) {
        let mut counts = std::collections::BTreeMap::new();
        for (_, fields) in &self.records {
            *counts.entry(fields.len()).or_insert(0_usize) += 1;
        }
        // Between equals, the wider: a title has fewer fields than a table.
        counts.into_iter().max_by_key(|(width, count)| (*count, *width)).unwrap_or_default()
    }

    /// Whether it may be a sentence, cut at the blanks between its words.
    fn is_phrase(&self) -> bool {
        let is_text = |record: usize| {
            let fields = 0..self.width_of(record).unwrap_or_default();
            fields.map(|field| self.class(record, field)).all(|class| matches!(class, Some(Class::Text)))
        };
        let records = self.records.len();
        self.delimiter == Delimiter::Blanks && records < BLANKS_RECORDS_MIN && (0..records).all(is_text)
    }

    fn score(&self) -> Score {
        let (width, count) = self.most();
        if width < 2 || self.is_phrase() {
            return Score { permille: 0, typed: 0, first: 0, width };
        }
        let all = self.records.len() + usize::from(self.is_faulty);
        let (mut typed, mut fields) = (0, 0);
        for record in 0..self.records.len().min(20) {
            for field in 0..self.width_of(record).unwrap_or_default() {
                fields += 1;
                typed += usize::from(!matches!(self.class(record, field), Some(Class::Text)));
            }
        }
        let first = self.width_of(0).unwrap_or_default();
        Score { permille: count * 1000 / all.max(1), typed: typed * 1000 / fields.max(1), first, width }
    }

    fn value(&self, record: usize, field: usize, scratch: &mut String) {
        scratch.clear();
        let Some(field) = self.records.get(record).and_then(|(_, fields)| fields.get(field)) else { return };
        let value = slice(self.text, field);
        if field.escaped {
            unescaped(value, &self.options.dialect(self.delimiter), scratch);
        } else {
            scratch.push_str(value);
        }
    }

    fn kinds(&self, record: usize, field: usize) -> Kinds {
        let mut value = String::new();
        self.value(record, field, &mut value);
        let value = value.trim_ascii();
        let is_null = Markers::of(value).is_some() || self.options.null_values.iter().any(|null| null == value);
        if is_null { Kinds::default() } else { classify_field(value, self.options.has_commas(self.delimiter)) }
    }

    fn is_empty(&self, record: usize, field: usize) -> bool {
        let mut value = String::new();
        self.value(record, field, &mut value);
        value.trim_ascii().is_empty()
    }

    /// `None` of no value.
    fn class(&self, record: usize, field: usize) -> Option<Class> {
        Class::of(self.kinds(record, field))
    }

    /// The class of the values below a record, and whether one of them is missing.
    fn below(&self, record: usize, field: usize) -> (Option<Class>, bool) {
        let (mut kinds, mut has_gaps) = (Kinds::default(), false);
        for below in record + 1..self.records.len() {
            let here = self.kinds(below, field);
            has_gaps |= here.is_empty();
            kinds.add(here);
        }
        (Class::of(kinds), has_gaps)
    }

    /// Records before the header: few, narrow ones, where the table below them is beyond doubt.
    fn preamble(&self) -> usize {
        let (width, _) = self.most();
        let fits = |fields: &[Field]| {
            let ends_empty = fields.last().is_some_and(|field| !field.quoted && field.start == field.end);
            fields.len() == width || (fields.len() == width + 1 && ends_empty)
        };
        let Some(first) = self.records.iter().position(|(_, fields)| fits(fields)) else { return 0 };
        let is_narrow = |fields: &[Field]| {
            let empty = fields.iter().rev().take_while(|field| field.start == field.end).count();
            (fields.len() - empty) * 2 <= width
        };
        let is_sure = (1..=PREAMBLE_RECORDS_MAX).contains(&first)
            && !self.is_faulty
            && self.records.len() > first + 1
            && self.records.iter().take(first).all(|(_, fields)| is_narrow(fields))
            && self.records.iter().skip(first).all(|(_, fields)| fits(fields))
            && self.options.header != Some(false)
            && self.header_at(first) == Verdict::Header;
        if is_sure { first } else { 0 }
    }

    /// Whether a record is the header of those below it.
    fn header_at(&self, record: usize) -> Verdict {
        let width = self.width_of(record).unwrap_or_default();
        let has_rows = self.records.len() > record + 1;
        let (mut same, mut has_name) = (0, false);
        for field in 0..width {
            let (below, has_gaps) = self.below(record, field);
            match (self.class(record, field), below) {
                (Some(Class::Text), below) => {
                    let mut name = String::new();
                    self.value(record, field, &mut name);
                    // A code with a leading zero is no name.
                    if name.trim_ascii().bytes().all(|byte| byte.is_ascii_digit()) {
                        continue;
                    }
                    if below.is_some_and(|below| below != Class::Text) {
                        return Verdict::Header;
                    }
                    has_name |=
                        words(&name).any(|word| NAME_WORDS.iter().any(|known| word.eq_ignore_ascii_case(known)));
                }
                // The name of an index is mostly left out, its values are not.
                (None, Some(_)) if !has_gaps && field == 0 && self.is_empty(record, field) => has_name = true,
                (Some(here @ (Class::Number | Class::Moment)), Some(there)) if here == there => same += 1,
                // A moment over numbers, a number over moments.
                (Some(Class::Number | Class::Moment), Some(Class::Number | Class::Moment)) => return Verdict::Header,
                (Some(Class::Number | Class::Moment), None) if !has_rows && self.years(record).is_empty() => same += 1,
                _ => {}
            }
        }
        if self.counts_up(record, has_name) {
            return Verdict::Header;
        }
        if same > 0 && !has_name && !self.rises(record) { Verdict::Data } else { Verdict::Unknown }
    }

    /// The numbers of a record, if all could be years.
    fn years(&self, record: usize) -> Vec<i64> {
        let numbers = self.integers(record);
        if numbers.iter().all(|year| (1000..3000).contains(year)) { numbers } else { Vec::new() }
    }

    fn integers(&self, record: usize) -> Vec<i64> {
        let mut value = String::new();
        let fields = 0..self.width_of(record).unwrap_or_default();
        let numbers = fields.filter_map(|field| {
            self.value(record, field, &mut value);
            value.trim_ascii().parse().ok()
        });
        numbers.collect()
    }

    /// Whether the integers of a record could be depths, levels or limits that name columns: `gene,10,25,50,100`.
    fn rises(&self, record: usize) -> bool {
        let rises =
            |numbers: &[i64]| numbers.len() > 3 && numbers.iter().zip(numbers.iter().skip(1)).all(|(a, b)| a < b);
        rises(&self.integers(record)) && !rises(&self.integers(record + 1))
    }

    /// Whether the numbers of a record are names: `Country,1960,1961,1962`, and the record below does not go on so.
    fn counts_up(&self, record: usize, has_name: bool) -> bool {
        let steady = |numbers: &[i64]| {
            let mut steps = numbers.iter().zip(numbers.iter().skip(1)).map(|(one, next)| next - one);
            match steps.next() {
                Some(step @ 1..) => steps.all(|next| next == step).then_some(step),
                _ => None,
            }
        };
        let numbers = self.integers(record);
        let next = self.integers(record + 1);
        match (steady(&numbers), numbers.first()) {
            (Some(_), _) if self.years(record).len() > 1 => self.years(record + 1).is_empty(),
            (Some(1), Some(0)) => numbers.len() > 2 && steady(&next).is_none(),
            (Some(1), Some(_)) => numbers.len() > if has_name { 2 } else { 4 } && steady(&next).is_none(),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> (char, u64, bool) {
        let head = look(text, true, &Options::default(), false).unwrap();
        let Delimiter::Byte(delimiter) = head.delimiter else { panic!("blanks") };
        (char::from(delimiter), head.skip_lines, head.header)
    }

    #[test]
    fn a_file_without_a_header_shows_it() {
        for (text, header) in [
            ("id,name\n1,x\n", true),
            ("1,x\n2,y\n", false),
            ("x,2.5\ny,3\n", false),
            ("2024-01-01,5\n2024-01-02,6\n", false),
            ("a,b\nc,d\n", true),
            ("a,b\n", true),
            ("7,2.5\n", false),
            ("Country,1960\n", true),
            ("Country,1960,1961\nAruba,54211,55438\n", true),
            ("1960,1961,1962\n5,6,7.5\n", true),
            ("1960,1970\n1961,1971\n", false),
            ("x,1960,1970\ny,1965,1980\n", false),
            ("Country,2020-01-31\nAruba,5\n", true),
            ("station,1,2,3\nABC,5,6,9\n", true),
            ("1,2,3\n4,5,6\n", false),
            (",0,1,2\n0,5,7,5\n", true),
            ("time,101,205\n2024-01-01,3.5,4.5\n", true),
            ("NA,1\n5,2\n", false),
            ("07064001,Nice,2024-01-01\n31069001,Blagnac,2024-01-01\n", false),
            ("name,NA\nx,1\n", true),
            ("NaN,1\n5,2\n", false),
            ("gene,10,25,50,100\nBRCA1,5,2,9,1\n", true),
            ("x,1,5,7,9\ny,2,6,7,9\n", false),
        ] {
            assert_eq!(of(text).2, header, "{text:?}");
        }
    }

    #[test]
    fn lines_before_the_header_are_skipped_if_that_is_sure() {
        for (text, expected) in [
            ("Land-Ocean: Global Means\nYear,Jan,Feb\n1880,-.18,-.24\n1881,-.19,***\n", (',', 1, true)),
            ("\u{201c}Title\u{201d}\n\nby me, 2024\na;b;c;d\n1;2,5;3;4\n2;2,5;3;4\n", (';', 3, true)),
            (
                "\"Data Source\",\"World Development Indicators\",\n\n\"Last Updated Date\",\"2024-06-28\",\n\n\
                 \"Country Name\",\"Country Code\",\"1960\",\"1961\",\n\"Aruba\",\"ABW\",\"54608\",\"55811\",\n",
                (',', 4, true),
            ),
            ("# station 7\n# it's, free\n\nyear,temp\n1880,1.5\n", (',', 3, true)),
            ("#year,temp\n1880,1.5\n", (',', 0, true)),
            ("#,Name\n1,Bulbasaur\n", (',', 0, true)),
            ("# note\n1,2.5\n2,3.5\n", (',', 1, false)),
            // Not sure: these stay as they are.
            ("a,b\nx,y,z\nu,v,w\n", (',', 0, true)),
            ("a,b\n1,2,3\n4,5,6\n", (',', 0, true)),
            ("a,b\n1,2\n3\n", (',', 0, true)),
        ] {
            assert_eq!(of(text), expected, "{text:?}");
        }
    }

    #[test]
    fn the_delimiter_is_the_one_that_every_record_has() {
        for (text, expected) in [
            ("a;b\n1,5;2,5\n3,5;4,5\n", ';'),
            ("1,5;2,5\n3,5;4,25\n", ';'),
            ("a,b\n\"x;y\",1\n", ','),
            ("a\tb\n1\t2\n", '\t'),
            ("a|b\nx, y, z|2\n", '|'),
            ("a\n1\n", ','),
            ("name\nLast, First\n", ','),
        ] {
            assert_eq!(of(text).0, expected, "{text:?}");
        }
        let blanks = look(" id  date\n 1  19970101\n", true, &Options::default(), true).unwrap();
        assert_eq!(blanks.delimiter, Delimiter::Blanks);
    }
}
