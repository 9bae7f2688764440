//! The harness of the tests: servers in process, lakes, an S3 server with faults, raw wire clients. Never shipped.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a harness reports by panicking")]

pub mod binary;
pub mod differential;
pub mod flight;
pub mod grafana;
pub mod http;
pub mod lake;
pub mod postgres;
pub mod process;
pub mod s3;
pub mod server;
pub mod slt;
pub mod wire;

pub use lake::Lake;
pub use process::Process;
pub use server::{Authority, Certificate, Identity, TestServer};
