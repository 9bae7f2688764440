//! Errors of functions: PostgreSQL's conditions by their variant.

use crate::error::{Error, SqlState};

impl From<udfs::Error> for Error {
    fn from(error: udfs::Error) -> Self {
        function(&error)
    }
}

pub(super) fn function(error: &udfs::Error) -> Error {
    let report = Error::new(state(error), error.to_string());
    match error {
        udfs::Error::DatetimeField(_) => report.hint("Perhaps you need a different \"datestyle\" setting."),
        _ => report,
    }
}

fn state(error: &udfs::Error) -> SqlState {
    use udfs::Error as Function;
    match error {
        Function::NumericOverflow(_) | Function::ValueOutOfRange { .. } => SqlState::NumericValueOutOfRange,
        Function::DivisionByZero => SqlState::DivisionByZero,
        Function::InvalidParameter(_) => SqlState::InvalidParameterValue,
        Function::InvalidText { .. } => SqlState::InvalidTextRepresentation,
        Function::InvalidDatetime { .. } | Function::InvalidDatetimeFormat(_) => SqlState::InvalidDatetimeFormat,
        Function::DatetimeOverflow(_) | Function::DatetimeField(_) | Function::IntervalOverflow => {
            SqlState::DatetimeFieldOverflow
        }
        Function::ZoneDisplacement(_) => SqlState::InvalidTimeZoneDisplacementValue,
        Function::NegativeSubstring => SqlState::SubstringError,
        Function::InvalidRegularExpression(_) => SqlState::InvalidRegularExpression,
        Function::IntervalFieldOverflow(_) => SqlState::IntervalFieldOverflow,
        Function::InvalidLogarithm(_) => SqlState::InvalidArgumentForLogarithm,
        Function::InvalidPower(_) => SqlState::InvalidArgumentForPowerFunction,
        Function::InvalidWidthBucket(_) => SqlState::InvalidArgumentForWidthBucketFunction,
        Function::LimitExceeded(_) => SqlState::ProgramLimitExceeded,
        Function::Unsupported(_) => SqlState::FeatureNotSupported,
        Function::UndefinedObject(_) => SqlState::UndefinedObject,
        Function::NullNotAllowed(_) => SqlState::NullValueNotAllowed,
        Function::ArraySubscript(_) => SqlState::ArraySubscriptError,
    }
}
