//! Every SQLSTATE that this server may answer, from PostgreSQL's Appendix A.
//!
//! Owns: the code of each condition. No arm is a wildcard, so a new condition does not compile without its code.
//! <https://www.postgresql.org/docs/16/errcodes-appendix.html>

macro_rules! sqlstates {
    ($($name:ident = $code:literal),* $(,)?) => {
        /// A condition by PostgreSQL's name for it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum SqlState { $($name),* }

        impl SqlState {
            /// Every condition, for tests that walk the table.
            pub const ALL: &'static [SqlState] = &[$(SqlState::$name),*];

            /// The five characters that go over the wire.
            pub fn code(self) -> &'static str {
                match self { $(SqlState::$name => $code),* }
            }
        }
    };
}

sqlstates! {
    // Class 00, 01: success and warning
    SuccessfulCompletion = "00000",
    Warning = "01000",
    // Class 08: connection
    ConnectionFailure = "08006",
    ProtocolViolation = "08P01",
    // Class 0A: feature
    FeatureNotSupported = "0A000",
    // PostgreSQL has no condition of its own for a plan whose columns are no longer those that were told.
    ResultTypeChanged = "0A000",
    // Class 0L: grants
    InvalidGrantOperation = "0LP01",
    // Class 21: cardinality
    CardinalityViolation = "21000",
    // Class 22: data
    DataException = "22000",
    StringDataRightTruncation = "22001",
    NullValueNotAllowed = "22004",
    NumericValueOutOfRange = "22003",
    InvalidDatetimeFormat = "22007",
    DatetimeFieldOverflow = "22008",
    InvalidTimeZoneDisplacementValue = "22009",
    SubstringError = "22011",
    DivisionByZero = "22012",
    IntervalFieldOverflow = "22015",
    InvalidRowCountInLimitClause = "2201W",
    InvalidRowCountInResultOffsetClause = "2201X",
    CharacterNotInRepertoire = "22021",
    InvalidParameterValue = "22023",
    InvalidEscapeSequence = "22025",
    InvalidRegularExpression = "2201B",
    InvalidArgumentForLogarithm = "2201E",
    InvalidArgumentForPowerFunction = "2201F",
    InvalidArgumentForWidthBucketFunction = "2201G",
    ArraySubscriptError = "2202E",
    InvalidTablesampleArgument = "2202H",
    InvalidTextRepresentation = "22P02",
    InvalidBinaryRepresentation = "22P03",
    BadCopyFileFormat = "22P04",
    UntranslatableCharacter = "22P05",
    // Class 23: constraints
    NotNullViolation = "23502",
    // Class 25: transaction
    ActiveSqlTransaction = "25001",
    ReadOnlySqlTransaction = "25006",
    NoActiveSqlTransaction = "25P01",
    InFailedSqlTransaction = "25P02",
    IdleInTransactionSessionTimeout = "25P03",
    // Class 2B: dependent privileges
    DependentObjectsStillExist = "2BP01",
    // Class 26, 34, 3B, 3D, 3F: names of the session
    InvalidSqlStatementName = "26000",
    InvalidAuthorizationSpecification = "28000",
    InvalidPassword = "28P01",
    InvalidCursorName = "34000",
    InvalidSavepointSpecification = "3B001",
    InvalidCatalogName = "3D000",
    InvalidSchemaName = "3F000",
    SerializationFailure = "40001",
    StatementCompletionUnknown = "40003",
    // Class 42: syntax and access
    SyntaxErrorOrAccessRuleViolation = "42000",
    SyntaxError = "42601",
    InsufficientPrivilege = "42501",
    CannotCoerce = "42846",
    GroupingError = "42803",
    WindowingError = "42P20",
    InvalidName = "42602",
    ReservedName = "42939",
    DatatypeMismatch = "42804",
    IndeterminateDatatype = "42P18",
    WrongObjectType = "42809",
    UndefinedColumn = "42703",
    UndefinedFunction = "42883",
    UndefinedTable = "42P01",
    UndefinedParameter = "42P02",
    UndefinedObject = "42704",
    DuplicateColumn = "42701",
    DuplicateCursor = "42P03",
    DuplicatePreparedStatement = "42P05",
    DuplicateAlias = "42712",
    DuplicateSchema = "42P06",
    DuplicateTable = "42P07",
    DuplicateObject = "42710",
    AmbiguousColumn = "42702",
    AmbiguousFunction = "42725",
    InvalidColumnReference = "42P10",
    InvalidTableDefinition = "42P16",
    InvalidObjectDefinition = "42P17",
    // Class 53: resources
    DiskFull = "53100",
    OutOfMemory = "53200",
    TooManyConnections = "53300",
    ConfigurationLimitExceeded = "53400",
    // Class 54: limits
    ProgramLimitExceeded = "54000",
    StatementTooComplex = "54001",
    TooManyColumns = "54011",
    // Class 55, 57: state and operator
    ObjectNotInPrerequisiteState = "55000",
    ObjectInUse = "55006",
    CantChangeRuntimeParam = "55P02",
    QueryCanceled = "57014",
    AdminShutdown = "57P01",
    CannotConnectNow = "57P03",
    IdleSessionTimeout = "57P05",
    // Class 58: system
    SystemError = "58000",
    IoError = "58030",
    UndefinedFile = "58P01",
    DuplicateFile = "58P02",
    // Class XX: ours
    InternalError = "XX000",
    DataCorrupted = "XX001",
}
