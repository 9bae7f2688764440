//! What Grafana sends for a dashboard: its macros and variables expanded as its PostgreSQL data source does.
//!
//! Owns: reading dashboards and alert rules, and expanding their SQL. Must never know: the server that answers.
//! <https://grafana.com/docs/grafana/latest/datasources/postgres/#macros>

mod dashboard;
mod interval;
mod macros;
mod rules;

pub use dashboard::{Dashboard, Statement, Values, Variable, dashboards};
pub use interval::rounded as interval;
pub use macros::expand;
pub use rules::rules;
