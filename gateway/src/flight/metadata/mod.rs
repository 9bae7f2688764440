//! Flight SQL's metadata commands.
//!
//! Owns: the schema of each answer, which FlightInfo and the rows share to the letter (ADBC compares them). Tickets are
//! the commands themselves: they tell nothing, and are answered as the caller may see it.
//! <https://github.com/apache/arrow/blob/main/format/FlightSql.proto>

mod keys;
mod relations;
mod sql_info;
mod types;

use std::pin::Pin;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow_flight::FlightData;
use arrow_flight::encode::FlightDataEncoderBuilder;
use arrow_flight::error::FlightError;
use arrow_flight::sql::Command;
use futures::stream::{self, Stream};
use futures::{StreamExt, TryStreamExt};
use tonic::Status;

use super::auth::Call;
use super::{Server, status};
use crate::error::{Error, Result};
pub(super) use relations::current_schema;

/// The columns that a command is answered with; `None` of a command that is none of these.
pub(super) fn schema(command: &Command) -> Option<SchemaRef> {
    Some(match command {
        Command::CommandGetCatalogs(asked) => asked.into_builder().schema(),
        Command::CommandGetDbSchemas(asked) => asked.clone().into_builder().schema(),
        Command::CommandGetTables(asked) => asked.clone().into_builder().schema(),
        Command::CommandGetTableTypes(asked) => asked.into_builder().schema(),
        Command::CommandGetPrimaryKeys(_) => keys::primary(),
        Command::CommandGetExportedKeys(_)
        | Command::CommandGetImportedKeys(_)
        | Command::CommandGetCrossReference(_) => keys::foreign(),
        Command::CommandGetSqlInfo(_) => Arc::new(arrow_flight::sql::metadata::SqlInfoDataBuilder::schema().clone()),
        Command::CommandGetXdbcTypeInfo(_) => types::all().ok()?.schema(),
        _ => return None,
    })
}

type Answers = Pin<Box<dyn Stream<Item = Result<FlightData, Status>> + Send>>;

pub(super) async fn rows(server: &Server, call: &Call, command: Command) -> Result<Answers> {
    let Some(schema) = schema(&command) else {
        return Err(Error::unsupported("a ticket of this kind is not supported"));
    };
    let rows = answer(server, call, command, &schema).await?;
    let encoder = FlightDataEncoderBuilder::new().with_schema(schema);
    Ok(encoder.build(stream::iter([Ok::<_, FlightError>(rows)])).map_err(status::of_stream).boxed())
}

async fn answer(server: &Server, call: &Call, command: Command, schema: &SchemaRef) -> Result<RecordBatch> {
    let built = match command {
        Command::CommandGetCatalogs(asked) => {
            let mut builder = asked.into_builder();
            builder.append(&server.database);
            builder.build()
        }
        Command::CommandGetDbSchemas(asked) => return relations::schemas(server, call, asked).await,
        Command::CommandGetTables(asked) => return relations::tables(server, call, asked).await,
        Command::CommandGetTableTypes(asked) => {
            let mut builder = asked.into_builder();
            relations::TYPES.iter().for_each(|table_type| builder.append(table_type));
            builder.build()
        }
        Command::CommandGetSqlInfo(asked) => sql_info::all(server.engine.is_writable())?.record_batch(asked.info),
        Command::CommandGetXdbcTypeInfo(asked) => types::all()?.record_batch(asked.data_type),
        // No table of a lake has keys.
        _ => Ok(RecordBatch::new_empty(Arc::clone(schema))),
    };
    built.map_err(Error::internal)
}
