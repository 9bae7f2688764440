//! What a function refuses, as PostgreSQL's conditions.
//!
//! Owns: the variants and PostgreSQL's primary messages. Must never know: how a protocol reports them; who reports
//! reads the variant, never the text. A function returns them inside `DataFusionError::External`.
//! <https://www.postgresql.org/docs/16/errcodes-appendix.html>

use datafusion::common::DataFusionError;

/// A condition that PostgreSQL raises for a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// 22003: the result does not fit its type (`integer`, `bigint`, `smallint`, `value` ...).
    #[error("{0} out of range")]
    NumericOverflow(&'static str),
    /// 22003: a text that reads as a number too large for its type.
    #[error("value \"{value}\" is out of range for type {of}")]
    ValueOutOfRange { value: String, of: &'static str },
    /// 22003: of a float.
    #[error("value out of range: overflow")]
    Overflow,
    /// 22003: of a float.
    #[error("value out of range: underflow")]
    Underflow,
    /// 22003: a text that a float cannot tell from infinity or zero.
    #[error("\"{value}\" is out of range for type {of}")]
    FloatOutOfRange { value: String, of: &'static str },
    /// 22003: too large for the declared precision and scale.
    #[error("numeric field overflow")]
    NumericFieldOverflow { precision: u8, scale: i8 },
    /// 22003: too large for any numeric.
    #[error("value overflows numeric format")]
    NumericFormatOverflow,
    /// 22003.
    #[error("percentile value {0} is not between 0 and 1")]
    PercentileOutOfRange(String),
    /// 2201W.
    #[error("LIMIT must not be negative")]
    NegativeLimit,
    /// 2201X.
    #[error("OFFSET must not be negative")]
    NegativeOffset,
    /// 22012.
    #[error("division by zero")]
    DivisionByZero,
    /// 42883: no function takes these arguments; the message is the variant's.
    #[error("{0}")]
    UndefinedFunction(String),
    /// 22023: the message is the variant's.
    #[error("{0}")]
    InvalidParameter(String),
    /// 22P02.
    #[error("invalid input syntax for type {of}: \"{value}\"")]
    InvalidText { of: &'static str, value: String },
    /// 22P02: PostgreSQL says this of jsonb too.
    #[error("invalid input syntax for type json")]
    InvalidJson { detail: String },
    /// 22P02: the message is the variant's.
    #[error("{0}")]
    InvalidPathElement(String),
    /// 22P05.
    #[error("unsupported Unicode escape sequence")]
    UntranslatableCharacter,
    /// 22023: the message is the variant's.
    #[error("{message}")]
    ParameterWithHint { message: String, hint: String },
    /// 22P02: of texts that no message repeats.
    #[error("invalid input syntax for type {of}")]
    InvalidSyntax { of: &'static str },
    /// 22P02.
    #[error("malformed array literal: \"{literal}\"")]
    MalformedArray { literal: String, detail: &'static str },
    /// 22007.
    #[error("invalid input syntax for type {of}: \"{value}\"")]
    InvalidDatetime { of: &'static str, value: String },
    /// 22007: a text that does not follow its pattern; the message is the variant's.
    #[error("{0}")]
    InvalidDatetimeFormat(String),
    /// 22007: a field of the calendar in the pattern of an interval.
    #[error("invalid format specification for an interval value")]
    IntervalFormat,
    /// 42601: pieces of a pattern that may not stand together; the message is the variant's.
    #[error("{message}")]
    PatternSyntax { message: &'static str, detail: Option<&'static str> },
    /// 22008: the message is the variant's.
    #[error("{0}")]
    DatetimeOverflow(String),
    /// 22008: a value of a file is beyond this type of moments or spans.
    #[error("{0} out of range")]
    FileValue(&'static str),
    /// 22008: a month or a day that no calendar has, perhaps for another order of fields was meant.
    #[error("date/time field value out of range: \"{0}\"")]
    DatetimeField(String),
    /// 22009.
    #[error("time zone displacement out of range: \"{0}\"")]
    ZoneDisplacement(String),
    /// 22011.
    #[error("negative substring length not allowed")]
    NegativeSubstring,
    /// 2201B: the message is the variant's.
    #[error("invalid regular expression: {0}")]
    InvalidRegularExpression(&'static str),
    /// 22015.
    #[error("interval field value out of range: \"{0}\"")]
    IntervalFieldOverflow(String),
    /// 22015 in PostgreSQL's code for results, 22008 on the wire.
    #[error("interval out of range")]
    IntervalOverflow,
    /// 2201E.
    #[error("{0}")]
    InvalidLogarithm(&'static str),
    /// 2201F.
    #[error("{0}")]
    InvalidPower(&'static str),
    /// 2201G.
    #[error("{0}")]
    InvalidWidthBucket(&'static str),
    /// 54000.
    #[error("{0}")]
    LimitExceeded(String),
    /// 53200: nothing is left for a value.
    #[error("out of memory")]
    OutOfMemory { bytes: usize },
    /// 54000: a text beyond PostgreSQL's gigabyte.
    #[error("out of memory")]
    ValueTooLarge { bytes: usize },
    /// 0A000.
    #[error("{0}")]
    Unsupported(String),
    /// 42804: the message is the variant's.
    #[error("{0}")]
    DatatypeMismatch(String),
    /// 42704.
    #[error("{0}")]
    UndefinedObject(String),
    /// 22004.
    #[error("{0}")]
    NullNotAllowed(String),
    /// 22021: bytes that are no text; the message is the variant's.
    #[error("{0}")]
    InvalidBytes(String),
    /// 22P05: a character that an encoding lacks; the message is the variant's.
    #[error("{0}")]
    Untranslatable(String),
    /// 22025: the message is the variant's.
    #[error("{0}")]
    InvalidEscape(String),
    /// 22025.
    #[error("invalid escape string")]
    EscapeString,
    /// 2202E.
    #[error("{0}")]
    ArraySubscript(String),
}

impl Error {
    /// PostgreSQL's DETAIL, where it gives one.
    pub fn detail(&self) -> Option<String> {
        let (precision, scale) = match self {
            Self::NumericFieldOverflow { precision, scale } => (precision, scale),
            Self::OutOfMemory { bytes } => return Some(format!("Failed on request of size {bytes}.")),
            Self::ValueTooLarge { bytes } => {
                return Some(format!("Cannot enlarge string buffer to {bytes} bytes: a value has 1073741823 at most."));
            }
            Self::InvalidJson { detail } => return Some(detail.clone()),
            Self::UntranslatableCharacter => return Some("\\u0000 cannot be converted to text.".to_owned()),
            Self::PatternSyntax { detail, .. } => return detail.map(str::to_owned),
            Self::MalformedArray { detail, .. } => return Some((*detail).to_owned()),
            _ => return None,
        };
        let limit = match i16::from(*precision) - i16::from(*scale) {
            0 => "1".to_owned(),
            digits => format!("10^{digits}"),
        };
        Some(format!(
            "A field with precision {precision}, scale {scale} must round to an absolute value less than {limit}."
        ))
    }
}

impl From<Error> for DataFusionError {
    fn from(error: Error) -> Self {
        Self::External(Box::new(error))
    }
}

/// A timestamp or date beyond what its type holds.
pub(crate) fn timestamp_out_of_range() -> Error {
    Error::DatetimeOverflow("timestamp out of range".to_owned())
}
