//! An S3 server in this process, atomic per key, that counts requests and fails as it is told.

mod fault;
mod server;
mod store;

pub use fault::{Fault, Faults, Operation};
pub use server::{BUCKET, Server};
