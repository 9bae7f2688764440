//! The rules of the server, each proved over its wire. One binary, so that the harness is linked once.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests report by panicking")]

mod arrow_types;
mod asof;
mod attacks;
mod authentication;
mod bad_files;
mod cancel;
mod catalogs;
mod clients_sql;
mod conditions;
mod crashes;
mod csv;
mod definitions;
mod delta;
mod demo;
mod describe;
mod differential;
mod events;
mod extended;
mod faults;
mod files;
mod flight;
mod gapfill;
mod grafana;
mod hostile;
mod http;
mod implied_ranges;
mod lake;
mod limits;
mod matview;
mod minio;
mod overwrite;
mod parameters;
mod parquet_types;
mod remembered;
mod rows;
mod s3;
mod sessions;
mod shadows;
mod slt;
mod startup;
mod statements;
mod tidy;
mod tidy_crates;
mod write;
