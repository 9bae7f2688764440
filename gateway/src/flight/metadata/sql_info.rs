//! What this server can do, id by id.
//!
//! Owns: every id of the specification. Clients read all of them at once, and some fail at the first that is missing (the
//! JDBC driver with a NullPointerException). The type of a value decides its branch of the union.

use arrow_flight::sql::SqlInfo::{self, *};
use arrow_flight::sql::metadata::{SqlInfoData, SqlInfoDataBuilder};

use crate::error::{Error, Result};

const BOOLS: &[(SqlInfo, bool)] = &[
    (FlightSqlServerSql, true),
    (FlightSqlServerSubstrait, false),
    (FlightSqlServerCancel, true),
    (FlightSqlServerIngestTransactionsSupported, false),
    (SqlDdlCatalog, false),
    (SqlDdlSchema, false),
    // CREATE EXTERNAL TABLE, if nothing else.
    (SqlDdlTable, true),
    (SqlAllTablesAreSelectable, true),
    (SqlSupportsColumnAliasing, true),
    (SqlNullPlusNullIsNull, true),
    (SqlSupportsTableCorrelationNames, true),
    (SqlSupportsDifferentTableCorrelationNames, false),
    (SqlSupportsExpressionsInOrderBy, true),
    (SqlSupportsOrderByUnrelated, true),
    (SqlSupportsLikeEscapeClause, true),
    (SqlSupportsNonNullableColumns, true),
    (SqlSupportsIntegrityEnhancementFacility, false),
    (SqlCatalogAtStart, true),
    (SqlSelectForUpdateSupported, false),
    (SqlStoredProceduresSupported, false),
    (SqlCorrelatedSubqueriesSupported, true),
    (SqlMaxRowSizeIncludesBlobs, true),
    (SqlTransactionsSupported, false),
    (SqlDataDefinitionCausesTransactionCommit, false),
    (SqlDataDefinitionsInTransactionsIgnored, false),
    (SqlBatchUpdatesSupported, false),
    (SqlSavepointsSupported, false),
    (SqlNamedParametersSupported, false),
    (SqlLocatorsUpdateCopy, false),
    (SqlStoredFunctionsUsingCallSyntaxSupported, false),
];

/// Ordinals and bit masks of the enumerations of the specification.
const MASKS: &[(SqlInfo, i32)] = &[
    // SQL_SUPPORTED_TRANSACTION_NONE
    (FlightSqlServerTransaction, 0),
    (FlightSqlServerStatementTimeout, 0),
    (FlightSqlServerTransactionTimeout, 0),
    // SQL_CASE_SENSITIVITY_LOWERCASE, and CASE_INSENSITIVE is not what quotes do: they keep the case.
    (SqlIdentifierCase, 3),
    (SqlQuotedIdentifierCase, 1),
    // SQL_NULLS_SORTED_HIGH
    (SqlNullOrdering, 0),
    // UNRELATED and BEYOND_SELECT
    (SqlSupportedGroupBy, 0b11),
    // MINIMUM, CORE
    (SqlSupportedGrammar, 0b11),
    // ENTRY
    (SqlAnsi92SupportedLevel, 0b1),
    // FULL
    (SqlOuterJoinsSupportLevel, 2),
    (SqlSchemasSupportedActions, 0),
    (SqlCatalogsSupportedActions, 0),
    (SqlSupportedPositionedCommands, 0),
    // In comparisons, EXISTS, IN and quantified.
    (SqlSupportedSubqueries, 0b1111),
    // UNION, UNION ALL
    (SqlSupportedUnions, 0b11),
    // SQL_TRANSACTION_NONE
    (SqlDefaultTransactionIsolation, 0),
    (SqlSupportedTransactionsIsolationLevels, 0b1),
    // FORWARD_ONLY
    (SqlSupportedResultSetTypes, 0b10),
    // READ_ONLY of forward-only results
    (SqlSupportedConcurrenciesForResultSetUnspecified, 0),
    (SqlSupportedConcurrenciesForResultSetForwardOnly, 0b10),
    (SqlSupportedConcurrenciesForResultSetScrollSensitive, 0),
    (SqlSupportedConcurrenciesForResultSetScrollInsensitive, 0),
];

/// 0 is no limit, or one that is not known. Names are as long as PostgreSQL's.
const NUMBERS: &[(SqlInfo, i64)] = &[
    (SqlMaxBinaryLiteralLength, 0),
    (SqlMaxCharLiteralLength, 0),
    (SqlMaxColumnNameLength, 63),
    (SqlMaxColumnsInGroupBy, 0),
    (SqlMaxColumnsInIndex, 0),
    (SqlMaxColumnsInOrderBy, 0),
    (SqlMaxColumnsInSelect, 1664),
    (SqlMaxColumnsInTable, 1600),
    (SqlMaxConnections, 0),
    (SqlMaxCursorNameLength, 63),
    (SqlMaxIndexLength, 0),
    (SqlDbSchemaNameLength, 63),
    (SqlMaxProcedureNameLength, 63),
    (SqlMaxCatalogNameLength, 63),
    (SqlMaxRowSize, 0),
    (SqlMaxStatementLength, 0),
    (SqlMaxStatements, 0),
    (SqlMaxTableNameLength, 63),
    (SqlMaxTablesInSelect, 0),
    (SqlMaxUsernameLength, 63),
];

const TEXTS: &[(SqlInfo, &str)] = &[
    (FlightSqlServerName, "Lakegate"),
    (FlightSqlServerVersion, env!("CARGO_PKG_VERSION")),
    // The format, not a library.
    (FlightSqlServerArrowVersion, "1.5"),
    (FlightSqlServerSubstraitMinVersion, ""),
    (FlightSqlServerSubstraitMaxVersion, ""),
    (SqlIdentifierQuoteChar, "\""),
    (SqlSearchStringEscape, "\\"),
    (SqlExtraNameCharacters, "$"),
    (SqlSchemaTerm, "schema"),
    (SqlProcedureTerm, "function"),
    (SqlCatalogTerm, "database"),
];

/// The functions of JDBC's escape `{fn ...}` that have the same name here, and the words that SQL:2003 does not reserve.
const LISTS: &[(SqlInfo, &[&str])] = &[
    (SqlKeywords, &["analyze", "explain", "ilike", "limit", "offset", "refresh", "returning", "show"]),
    (
        SqlNumericFunctions,
        &[
            "abs", "acos", "asin", "atan", "atan2", "ceiling", "cos", "cot", "degrees", "exp", "floor", "log", "log10",
            "mod", "pi", "power", "radians", "round", "sign", "sin", "sqrt", "tan",
        ],
    ),
    (
        SqlStringFunctions,
        &["ascii", "concat", "left", "lower", "ltrim", "repeat", "replace", "right", "rtrim", "substring", "upper"],
    ),
    (SqlSystemFunctions, &["current_database", "current_user", "version"]),
    (
        SqlDatetimeFunctions,
        &[
            "age",
            "current_date",
            "current_timestamp",
            "date_bin",
            "date_part",
            "date_trunc",
            "extract",
            "now",
            "to_char",
        ],
    ),
];

/// `is_writable`: whether a source of the lake may be written.
pub(super) fn all(is_writable: bool) -> Result<SqlInfoData> {
    let mut builder = SqlInfoDataBuilder::new();
    builder.append(FlightSqlServerReadOnly, !is_writable);
    builder.append(FlightSqlServerBulkIngestion, is_writable);
    BOOLS.iter().for_each(|(id, value)| builder.append(*id, *value));
    MASKS.iter().for_each(|(id, value)| builder.append(*id, *value));
    NUMBERS.iter().for_each(|(id, value)| builder.append(*id, *value));
    TEXTS.iter().for_each(|(id, value)| builder.append(*id, *value));
    LISTS.iter().for_each(|(id, value)| builder.append(*id, *value));
    // CONVERT of ODBC is not SQL here: CAST is.
    builder.append(SqlSupportsConvert, std::collections::BTreeMap::new());
    builder.build().map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_id_is_missing() {
        let asked = (0..=11).chain([100, 101]).chain(500..=576);
        for id in asked {
            assert_eq!(all(true).unwrap().record_batch([id]).unwrap().num_rows(), 1, "{id}");
        }
        assert_eq!(all(true).unwrap().record_batch([]).unwrap().num_rows(), 12 + 2 + 77);
        assert_eq!(all(true).unwrap().record_batch([9999]).unwrap().num_rows(), 0);
    }
}
