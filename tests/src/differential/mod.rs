//! Random statements that a real PostgreSQL and ours must answer with the same bytes.
//!
//! Owns: the values, their way to both servers, and the report of what differs.

pub mod compare;
pub mod moments;
pub mod numbers;
pub mod random;
pub mod texts;

pub use compare::{Case, Pair};
pub use random::Random;
