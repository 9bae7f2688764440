//! Functions on Arrow arrays, with PostgreSQL's, Timescale's and the climate field's names.
//!
//! Owns: what a function computes. Must never know: tokio, the catalog, I/O.

mod aggregate;
pub(crate) mod climate;
mod collect;
pub(crate) mod commerce;
mod error;
mod function;
pub mod manual;
mod numbers;
mod partition;
pub mod pg;
pub mod pg_type;
pub mod room;
pub mod settings;
mod sums;
#[cfg(test)]
mod testing;
pub mod time;

use std::sync::Arc;

use datafusion::catalog::TableFunction;
use datafusion::logical_expr::planner::ExprPlanner;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF, WindowUDF};

pub use error::Error;
pub use manual::{Manual, manuals};

/// Everything that a session registers, after DataFusion's own functions, so that these win.
#[derive(Debug, Default)]
pub struct Functions {
    pub scalar: Vec<Arc<ScalarUDF>>,
    pub aggregate: Vec<Arc<AggregateUDF>>,
    pub window: Vec<Arc<WindowUDF>>,
    pub table: Vec<Arc<TableFunction>>,
    /// Planners of special syntax (`EXTRACT`); they go before DataFusion's, whose first answer wins.
    pub planners: Vec<Arc<dyn ExprPlanner>>,
}

/// Every function.
pub fn all() -> Functions {
    let mut scalar = pg::arithmetic::functions();
    scalar.extend(pg::numeric::cast::functions());
    scalar.extend(pg::numeric::divide::functions());
    scalar.push(pg::numeric::multiply::multiply());
    scalar.push(pg::numeric::text::udf());
    scalar.extend(pg::text());
    scalar.extend(pg::arrays());
    scalar.extend(pg::math());
    scalar.extend(pg::values());
    scalar.extend(pg::datetime());
    scalar.extend(pg::server());
    scalar.extend(pg::sets::functions());
    scalar.extend(time::functions());
    scalar.extend(climate::scalars());
    let mut aggregate = pg::aggregates();
    aggregate.extend(time::aggregates());
    aggregate.extend(climate::aggregates());
    let mut window = pg::ranks::ranks();
    window.extend(climate::windows());
    window.extend(commerce::windows());
    Functions {
        scalar,
        aggregate,
        window,
        planners: vec![Arc::new(pg::extract::Syntax), Arc::new(pg::operators::Operators)],
        ..Functions::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::common::ScalarValue;

    #[test]
    fn no_name_is_taken_twice() {
        let functions = all();
        let scalar = functions
            .scalar
            .iter()
            .flat_map(|udf| [udf.name()].into_iter().chain(udf.aliases().iter().map(String::as_str)));
        let aggregate = functions.aggregate.iter().map(|udf| udf.name());
        let mut names: Vec<_> = scalar.chain(aggregate).collect();
        names.sort_unstable();
        let twice: Vec<_> = names.windows(2).filter(|pair| pair[0] == pair[1]).collect();
        assert!(twice.is_empty(), "{twice:?}");
    }

    /// Each line is true in PostgreSQL 15 with time zone UTC.
    #[tokio::test]
    async fn what_is_true_in_postgres_is_true_here() {
        let mut failed = Vec::new();
        for line in include_str!("true_in_postgres.sql").lines().filter(|line| !line.starts_with("--")) {
            let answer = match crate::testing::session().sql(&format!("SELECT {line}")).await {
                Ok(frame) => frame.collect().await,
                Err(error) => Err(error),
            };
            match answer.and_then(|batches| ScalarValue::try_from_array(batches[0].column(0), 0)) {
                Ok(ScalarValue::Boolean(Some(true))) => {}
                Ok(other) => failed.push(format!("{line}: {other}")),
                Err(error) => failed.push(format!("{line}: {error}")),
            }
        }
        assert!(failed.is_empty(), "{}", failed.join("\n"));
    }
}
