//! Schemas and tables, as the PostgreSQL catalogs have them.
//!
//! Owns: what a `relkind` is called. The catalogs are asked in SQL, in the caller's session: what it may not see is not
//! there.

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::{DataType, Schema};
use arrow_flight::sql::{CommandGetDbSchemas, CommandGetTables};
use datafusion::scalar::ScalarValue;

use super::super::Server;
use super::super::auth::Call;
use super::super::columns::Columns;
use crate::engine::Outcome;
use crate::error::{Error, Result};

/// As JDBC clients of PostgreSQL know them.
pub(super) const TYPES: &[&str] =
    &["FOREIGN TABLE", "MATERIALIZED VIEW", "SYSTEM TABLE", "SYSTEM VIEW", "TABLE", "VIEW"];

const SCHEMAS: &str = "SELECT n.nspname::text FROM pg_catalog.pg_namespace n ORDER BY 1";

/// An absent pattern is `%`. The type comes last, so that only what is asked for is opened for its schema.
const TABLES: &str = "\
SELECT n.nspname::text, c.relname::text, t.name \
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace, \
LATERAL (SELECT CASE WHEN n.nspname IN ('pg_catalog', 'information_schema', 'system') \
                     THEN CASE c.relkind WHEN 'v' THEN 'SYSTEM VIEW' ELSE 'SYSTEM TABLE' END \
                     ELSE CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' \
                                         WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END END) AS t(name) \
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname LIKE $1::text AND c.relname LIKE $2::text \
ORDER BY 1, 2";

/// The schema in which a name without one is looked up first, if any of the search path exists.
pub(in super::super) async fn current_schema(server: &Server, call: &Call) -> Result<Option<String>> {
    let rows = ask(server, call, "SELECT pg_catalog.current_schema()::text", Vec::new()).await?;
    Ok(rows.iter().flat_map(|batch| texts(batch, 0)).next().filter(|name| !name.is_empty()).map(str::to_owned))
}

pub(super) async fn schemas(server: &Server, call: &Call, asked: CommandGetDbSchemas) -> Result<RecordBatch> {
    let rows = ask(server, call, SCHEMAS, Vec::new()).await?;
    let mut builder = asked.into_builder();
    rows.iter().flat_map(|batch| texts(batch, 0)).for_each(|name| builder.append(&server.database, name));
    builder.build().map_err(Error::internal)
}

pub(super) async fn tables(server: &Server, call: &Call, asked: CommandGetTables) -> Result<RecordBatch> {
    let pattern = |given: &Option<String>| ScalarValue::from(given.as_deref().unwrap_or("%"));
    let patterns = vec![pattern(&asked.db_schema_filter_pattern), pattern(&asked.table_name_filter_pattern)];
    let is_ours = asked.catalog.as_ref().is_none_or(|catalog| *catalog == server.database);
    let rows = if is_ours { ask(server, call, TABLES, patterns).await? } else { Vec::new() };
    let (types, with_schema) = (asked.table_types.clone(), asked.include_schema);
    let mut builder = asked.into_builder();
    for batch in &rows {
        for ((schema, table), table_type) in texts(batch, 0).zip(texts(batch, 1)).zip(texts(batch, 2)) {
            if !types.is_empty() && !types.iter().any(|asked| asked == table_type) {
                continue;
            }
            let columns = if with_schema { columns(server, call, schema, table).await } else { Schema::empty() };
            builder.append(&server.database, schema, table, table_type, &columns).map_err(Error::internal)?;
        }
    }
    builder.build().map_err(Error::internal)
}

/// The columns of a table as a query of all of them has them; none of a table that cannot be read, for the others count.
async fn columns(server: &Server, call: &Call, schema: &str, table: &str) -> Schema {
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let sql = format!("SELECT * FROM {}.{}", quoted(schema), quoted(table));
    match server.prepare(&call.client, &call.begin(&call.client), &sql).await {
        Ok(prepared) => Columns::of(&prepared.columns, call.form.types).schema().as_ref().clone(),
        Err(_) => Schema::empty(),
    }
}

async fn ask(server: &Server, call: &Call, sql: &str, params: Vec<ScalarValue>) -> Result<Vec<RecordBatch>> {
    let session = &call.client.session;
    let guard = call.begin(&call.client);
    let prepared = server.prepare(&call.client, &guard, sql).await?;
    let params = params.into_iter().zip(&prepared.param_types);
    let params = params.map(|(value, field)| Ok(value.cast_to(field.data_type())?)).collect::<Result<_>>()?;
    let Outcome::Rows { mut stream, .. } = server.engine.execute(session, &guard, &prepared, params).await? else {
        return Err(Error::internal("a query without rows"));
    };
    let mut batches = Vec::new();
    while let Some(batch) = stream.next().await {
        batches.push(batch?);
    }
    session.activity().end();
    let plain = |batch: &RecordBatch| -> Result<RecordBatch> {
        let columns = batch.columns().iter().map(|column| arrow::compute::cast(column, &DataType::Utf8));
        let names = batch.schema().fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>();
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        Ok(RecordBatch::try_from_iter(names.into_iter().zip(columns))?)
    };
    batches.iter().map(plain).collect()
}

/// The texts of a column, without nulls.
fn texts(batch: &RecordBatch, at: usize) -> impl Iterator<Item = &str> {
    let column = batch.columns().get(at).and_then(|column| column.as_any().downcast_ref());
    column.into_iter().flat_map(|texts: &arrow::array::StringArray| texts.iter().map(Option::unwrap_or_default))
}
