//! The one door to planning and execution: every protocol and job goes `parse -> prepare -> execute`.
//!
//! Owns: DataFusion. Must never know: a wire protocol, a socket.

pub mod params;
pub mod statement;
pub mod stream;

use std::sync::Arc;

use arrow::datatypes::{DataType, SchemaRef};
use datafusion::scalar::ScalarValue;

use crate::error::{Error, Result};
use crate::session::{Session, StatementGuard};
pub use statement::{Prepared, Statement, Tag};
pub use stream::QueryStream;

pub struct Engine {}

/// What executing a statement gives.
pub enum Outcome {
    /// Rows, whose schema is `Prepared::columns`. The tag gets its row count from who sends them.
    Rows { stream: QueryStream, tag: Tag },
    /// No rows: a command was carried out.
    Done(Tag),
}

impl Engine {
    /// Splits and parses a message of the simple protocol; an empty or comment-only text gives no statement.
    /// Refuses too long and too deep texts (54001) before any recursion. Errors carry their position.
    pub fn parse(&self, _sql: &str) -> Result<Vec<Statement>> {
        Err(Error::unsupported("not built yet"))
    }

    /// Plans a statement on the CPU pool. `param_types` are those that the client declared; `None` is inferred.
    pub async fn prepare(
        &self,
        _session: &Arc<Session>,
        _guard: &StatementGuard,
        _statement: Statement,
        _param_types: &[Option<DataType>],
    ) -> Result<Prepared> {
        Err(Error::unsupported("not built yet"))
    }

    /// Runs a prepared statement with one value per parameter.
    pub async fn execute(
        &self,
        _session: &Arc<Session>,
        _guard: &StatementGuard,
        _prepared: &Prepared,
        _params: Vec<ScalarValue>,
    ) -> Result<Outcome> {
        Err(Error::unsupported("not built yet"))
    }

    /// Runs CPU-heavy work (encoding) on the CPU pool, away from the sockets.
    pub async fn on_cpu<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        tokio::task::spawn_blocking(work).await.map_err(Error::internal)
    }
}

/// The result columns of a statement that returns none.
pub fn no_columns() -> SchemaRef {
    Arc::new(arrow::datatypes::Schema::empty())
}
