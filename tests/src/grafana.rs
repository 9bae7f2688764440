//! What Grafana sends for a dashboard: its macros and variables expanded as its PostgreSQL data source does.
//!
//! Owns: reading dashboards and expanding their SQL. Must never know: the server that answers.
//! <https://grafana.com/docs/grafana/latest/datasources/postgres/#macros>

mod dashboard;
mod interval;
mod macros;

pub use dashboard::{Panel, panels};
pub use interval::rounded as interval;
pub use macros::expand;
