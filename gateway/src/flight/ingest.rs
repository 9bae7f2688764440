//! CommandStatementIngest: rows of a client, for one table.
//!
//! Owns: what its message asks for, and that what is not done is refused before a row is taken. Must never know: how rows are
//! written. <https://arrow.apache.org/docs/format/FlightSql.html>

use arrow_flight::sql::{CommandStatementIngest, TableDefinitionOptions, TableExistsOption, TableNotExistOption};
use tonic::metadata::MetadataMap;

use super::auth::Call;
use super::clients::Client;
use super::put::Put;
use super::status::malformed;
use super::{Server, actions};
use crate::engine::{Given, IfExists, Load};
use crate::error::{Error, Result, SqlState};

/// The option that names a load, so that it can be sent twice.
const ID: &str = "lakegate.ingest_id";
/// The same as a header, which ADBC's clients can set.
const ID_HEADER: &str = "lakegate-ingest-id";

/// The id in the headers of a call.
pub(super) fn id(metadata: &MetadataMap) -> Result<Option<String>> {
    let Some(id) = metadata.get(ID_HEADER) else { return Ok(None) };
    let id = id.to_str().map_err(|_| {
        Error::new(SqlState::InvalidParameterValue, format!("invalid value for header \"{ID_HEADER}\""))
    })?;
    Ok(Some(id.to_owned()))
}

/// Writes all rows in one commit, or none; gives how many they are.
pub(super) async fn load(server: &Server, call: &Call, asked: CommandStatementIngest, put: Put) -> Result<i64> {
    let guard = call.begin(&call.client);
    let _active = Active(&call.client);
    let loaded = async {
        let load = server.asked_of(call, asked)?;
        let (columns, rows) = put.rows()?;
        server.engine.load(&call.client.session, &guard, load, Given::new(columns, rows)?).await
    };
    let count = server.settled(&call.client, loaded.await)?;
    Ok(i64::try_from(count).unwrap_or(i64::MAX))
}

/// A session that runs a statement, until the call is over or its client is gone.
struct Active<'a>(&'a Client);

impl Drop for Active<'_> {
    fn drop(&mut self) {
        self.0.session.activity().end();
    }
}

impl Server {
    fn asked_of(&self, call: &Call, asked: CommandStatementIngest) -> Result<Load> {
        let CommandStatementIngest { table_definition_options, table, schema, catalog, temporary, .. } = asked;
        if temporary {
            return Err(Error::unsupported("temporary tables are not supported"));
        }
        actions::check_no_transaction(asked.transaction_id.as_ref())?;
        if let Some(catalog) = catalog.filter(|catalog| *catalog != self.database) {
            let message = format!("database \"{catalog}\" does not exist");
            return Err(Error::new(SqlState::InvalidCatalogName, message));
        }
        if table.is_empty() {
            return Err(Error::new(SqlState::InvalidName, "no table was named"));
        }
        let mut id = call.load_id.clone();
        for (name, value) in asked.options {
            if name != ID {
                let message = format!("unrecognized option of an ingest: \"{name}\"");
                return Err(Error::new(SqlState::InvalidParameterValue, message).hint(format!("There is {ID}.")));
            }
            id = Some(value);
        }
        let (creates, if_exists) = definition(&table_definition_options.unwrap_or_default())?;
        Ok(Load { schema, table, creates, if_exists, id, advance: None })
    }
}

/// What becomes of the table. A client must say it, as the specification has it.
fn definition(options: &TableDefinitionOptions) -> Result<(bool, IfExists)> {
    let unknown = |_| malformed("table definition options");
    let unsaid = |what: &str, values: &str| {
        let message = format!("the ingest does not say what to do if the table {what}");
        Error::new(SqlState::InvalidParameterValue, message).hint(format!("Available values: {values}."))
    };
    let creates = match TableNotExistOption::try_from(options.if_not_exist).map_err(unknown)? {
        TableNotExistOption::Create => true,
        TableNotExistOption::Fail => false,
        TableNotExistOption::Unspecified => return Err(unsaid("does not exist", "CREATE, FAIL")),
    };
    let if_exists = match TableExistsOption::try_from(options.if_exists).map_err(unknown)? {
        TableExistsOption::Fail => IfExists::Fail,
        TableExistsOption::Append => IfExists::Append,
        TableExistsOption::Replace => IfExists::Replace,
        TableExistsOption::Unspecified => return Err(unsaid("exists", "FAIL, APPEND, REPLACE")),
    };
    Ok((creates, if_exists))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_becomes_of_the_table_is_said() {
        let asked = |if_not_exist, if_exists| {
            let asked = definition(&TableDefinitionOptions { if_not_exist, if_exists });
            asked.map_err(|error| error.state)
        };
        assert_eq!(asked(1, 1), Ok((true, IfExists::Fail)));
        assert_eq!(asked(2, 2), Ok((false, IfExists::Append)));
        assert_eq!(asked(1, 3), Ok((true, IfExists::Replace)));
        assert_eq!([asked(0, 2), asked(2, 0)], [const { Err(SqlState::InvalidParameterValue) }; 2]);
        assert_eq!([asked(3, 1), asked(1, 4)], [const { Err(SqlState::ProtocolViolation) }; 2]);
    }
}
