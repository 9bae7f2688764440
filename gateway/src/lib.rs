//! Lakegate: every object of a lake is a table, over the PostgreSQL wire protocol and Arrow Flight SQL.
//!
//! The map of the house is in `ARCHITECTURE.md`.

pub mod auth;
pub mod config;
pub mod engine;
pub mod error;
pub mod session;
