//! Names that mean nothing.
//!
//! Owns: one variant per condition of PostgreSQL, with PostgreSQL's primary message.

use datafusion::common::DataFusionError;

/// A name in an argument that cannot be resolved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LookupError {
    /// 42P01.
    #[error("relation \"{0}\" does not exist")]
    UndefinedTable(String),
    /// 3F000.
    #[error("schema \"{0}\" does not exist")]
    UndefinedSchema(String),
    /// 3D000.
    #[error("database \"{0}\" does not exist")]
    UndefinedDatabase(String),
    /// 42704.
    #[error("tablespace \"{0}\" does not exist")]
    UndefinedTablespace(String),
    /// 42704.
    #[error("type \"{0}\" does not exist")]
    UndefinedType(String),
    /// 42704.
    #[error("role \"{0}\" does not exist")]
    UndefinedRole(String),
    /// 42883.
    #[error("function \"{0}\" does not exist")]
    UndefinedFunction(String),
    /// 42725.
    #[error("more than one function named \"{0}\"")]
    AmbiguousFunction(String),
    /// 42883.
    #[error("operator does not exist: {0}")]
    UndefinedOperator(String),
    /// 42725.
    #[error("more than one operator named {0}")]
    AmbiguousOperator(String),
    /// 42704.
    #[error("collation \"{0}\" for encoding \"UTF8\" does not exist")]
    UndefinedCollation(String),
    /// 22P02.
    #[error("expected a left parenthesis")]
    ExpectedParenthesis,
    /// 42809.
    #[error("\"{0}\" is an aggregate function")]
    IsAggregate(String),
    /// 55000.
    #[error("recovery is not in progress")]
    NotInRecovery,
    /// 42602.
    #[error("invalid name syntax")]
    InvalidName,
    /// 42601.
    #[error("improper relation name (too many dotted names): {0}")]
    TooManyParts(String),
    /// 0A000.
    #[error("cross-database references are not implemented: {0}")]
    CrossDatabase(String),
    /// 22023.
    #[error("unrecognized privilege type: \"{0}\"")]
    UnknownPrivilege(String),
}

impl From<LookupError> for DataFusionError {
    fn from(error: LookupError) -> Self {
        Self::External(Box::new(error))
    }
}
