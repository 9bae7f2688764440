//! Functions on Arrow arrays, with PostgreSQL's, Timescale's and the climate field's names.
//!
//! Owns: what a function computes. Must never know: tokio, the catalog, I/O.

pub mod pg_type;
