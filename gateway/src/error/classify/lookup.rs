//! Errors of names that a catalog function could not find, by PostgreSQL's codes.

use catalog::pg_catalog::LookupError;

use crate::error::{Error, SqlState};

pub(super) fn lookup(error: &LookupError) -> Error {
    Error::new(state(error), error.to_string())
}

fn state(error: &LookupError) -> SqlState {
    match error {
        LookupError::UndefinedTable(_) => SqlState::UndefinedTable,
        LookupError::UndefinedSchema(_) => SqlState::InvalidSchemaName,
        LookupError::UndefinedDatabase(_) => SqlState::InvalidCatalogName,
        LookupError::UndefinedTablespace(_)
        | LookupError::UndefinedType(_)
        | LookupError::UndefinedRole(_)
        | LookupError::UndefinedCollation(_) => SqlState::UndefinedObject,
        LookupError::UndefinedFunction(_) | LookupError::UndefinedOperator(_) => SqlState::UndefinedFunction,
        LookupError::AmbiguousFunction(_) | LookupError::AmbiguousOperator(_) => SqlState::AmbiguousFunction,
        LookupError::ExpectedParenthesis => SqlState::InvalidTextRepresentation,
        LookupError::IsAggregate(_) => SqlState::WrongObjectType,
        LookupError::NotInRecovery => SqlState::ObjectNotInPrerequisiteState,
        LookupError::InvalidName => SqlState::InvalidName,
        LookupError::TooManyParts(_) => SqlState::SyntaxError,
        LookupError::CrossDatabase(_) => SqlState::FeatureNotSupported,
        LookupError::UnknownPrivilege(_) => SqlState::InvalidParameterValue,
    }
}
