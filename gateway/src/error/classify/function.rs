//! Errors of functions: PostgreSQL's conditions by their variant.

use crate::error::{Error, SqlState};

impl From<udfs::Error> for Error {
    fn from(error: udfs::Error) -> Self {
        function(&error)
    }
}

pub(super) fn function(error: &udfs::Error) -> Error {
    let ours = Error::new(state(error), error.to_string());
    match (error, error.detail()) {
        (udfs::Error::UndefinedFunction(_), _) => ours
            .hint("No function matches the given name and argument types. You might need to add explicit type casts."),
        (udfs::Error::DatetimeField(_), _) => ours.hint("Perhaps you need a different \"datestyle\" setting."),
        (udfs::Error::IntervalFormat, _) => ours.hint("Intervals are not tied to specific calendar dates."),
        (udfs::Error::EscapeString, _) => ours.hint("Escape string must be empty or one character."),
        (udfs::Error::ParameterWithHint { hint, .. }, _) => ours.hint(hint.clone()),
        (_, Some(detail)) => ours.detail(detail),
        (_, None) => ours,
    }
}

fn state(error: &udfs::Error) -> SqlState {
    use udfs::Error as Function;
    match error {
        Function::NumericOverflow(_)
        | Function::ValueOutOfRange { .. }
        | Function::FloatOutOfRange { .. }
        | Function::PercentileOutOfRange(_)
        | Function::Overflow
        | Function::Underflow
        | Function::NumericFieldOverflow { .. }
        | Function::NumericFormatOverflow => SqlState::NumericValueOutOfRange,
        Function::OutOfMemory { .. } => SqlState::OutOfMemory,
        Function::ValueTooLarge { .. } => SqlState::ProgramLimitExceeded,
        Function::UndefinedFunction(_) => SqlState::UndefinedFunction,
        Function::NegativeLimit => SqlState::InvalidRowCountInLimitClause,
        Function::NegativeOffset => SqlState::InvalidRowCountInResultOffsetClause,
        Function::DivisionByZero => SqlState::DivisionByZero,
        Function::InvalidParameter(_) | Function::ParameterWithHint { .. } => SqlState::InvalidParameterValue,
        Function::UntranslatableCharacter => SqlState::UntranslatableCharacter,
        Function::InvalidText { .. }
        | Function::InvalidSyntax { .. }
        | Function::MalformedArray { .. }
        | Function::InvalidJson { .. }
        | Function::InvalidPathElement(_) => SqlState::InvalidTextRepresentation,
        Function::InvalidDatetime { .. } | Function::InvalidDatetimeFormat(_) | Function::IntervalFormat => {
            SqlState::InvalidDatetimeFormat
        }
        Function::PatternSyntax { .. } => SqlState::SyntaxError,
        Function::DatetimeOverflow(_)
        | Function::DatetimeField(_)
        | Function::IntervalOverflow
        | Function::FileValue(_) => SqlState::DatetimeFieldOverflow,
        Function::ZoneDisplacement(_) => SqlState::InvalidTimeZoneDisplacementValue,
        Function::NegativeSubstring => SqlState::SubstringError,
        Function::InvalidRegularExpression(_) => SqlState::InvalidRegularExpression,
        Function::IntervalFieldOverflow(_) => SqlState::IntervalFieldOverflow,
        Function::InvalidLogarithm(_) => SqlState::InvalidArgumentForLogarithm,
        Function::InvalidPower(_) => SqlState::InvalidArgumentForPowerFunction,
        Function::InvalidWidthBucket(_) => SqlState::InvalidArgumentForWidthBucketFunction,
        Function::LimitExceeded(_) => SqlState::ProgramLimitExceeded,
        Function::Unsupported(_) => SqlState::FeatureNotSupported,
        Function::DatatypeMismatch(_) => SqlState::DatatypeMismatch,
        Function::UndefinedObject(_) => SqlState::UndefinedObject,
        Function::NullNotAllowed(_) => SqlState::NullValueNotAllowed,
        Function::InvalidEscape(_) | Function::EscapeString => SqlState::InvalidEscapeSequence,
        Function::InvalidBytes(_) => SqlState::CharacterNotInRepertoire,
        Function::Untranslatable(_) => SqlState::UntranslatableCharacter,
        Function::ArraySubscript(_) => SqlState::ArraySubscriptError,
    }
}
