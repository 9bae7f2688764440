//! The relations of `information_schema` that have rows: names of the SQL standard, types of PostgreSQL.

pub(crate) mod catalog_name;
pub(crate) mod character_sets;
pub(crate) mod collations;
pub(crate) mod columns;
pub(crate) mod enabled_roles;
pub(crate) mod schemata;
pub(crate) mod table_privileges;
pub(crate) mod tables;
pub(crate) mod views;

/// The schema's name.
pub(crate) const SCHEMA: &str = "information_schema";
