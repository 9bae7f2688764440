//! Lakegate: every object of a lake is a table, over the PostgreSQL wire protocol and Arrow Flight SQL.
//!
//! The map of the house is in `ARCHITECTURE.md`.

pub mod audit;
pub mod auth;
pub mod cli;
pub mod config;
pub mod demo;
pub mod engine;
pub mod error;
pub mod flight;
pub mod http;
pub mod pg;
pub mod server;
pub mod session;
pub mod shutdown;
pub mod socket;
mod stalled;
pub mod telemetry;
