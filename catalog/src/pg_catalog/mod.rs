//! The catalogs: `pg_catalog`, `information_schema` and `system` as tables and functions of one statement.
//!
//! Every relation of PostgreSQL exists with its columns (`data/columns.tsv`); those of [`RELATIONS`] have rows. To give
//! another one rows, write its file and add it to the list. Must never know: a session or a wire protocol.
//! <https://www.postgresql.org/docs/16/catalogs.html>

mod acl;
mod attributes;
mod coercion;
mod column_comments;
mod columns;
mod directory;
mod dump;
mod error;
mod format_type;
mod functions;
mod ident;
mod information_schema;
mod own_functions;
mod pg_attribute;
mod pg_auth_members;
mod pg_authid;
mod pg_class;
mod pg_database;
mod pg_description;
mod pg_matviews;
mod pg_namespace;
mod pg_policy;
mod pg_prepared_statements;
mod pg_rewrite;
mod pg_roles;
mod pg_settings;
mod pg_stat_activity;
mod pg_tables;
mod pg_timezone_abbrevs;
mod pg_timezone_names;
mod pg_type;
mod pg_user;
mod pg_views;
mod provider;
pub(crate) mod relation;
mod relation_functions;
mod roles;
pub(crate) mod rows;
mod scan;
mod signatures;
mod statistics;
pub(crate) mod system_columns;
#[cfg(test)]
mod tests;
mod types;
pub(crate) mod view;
mod visible;

use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::datasource::empty::EmptyTable;

use self::provider::Provider;
use self::relation::Relation;
use crate::system;

pub use self::coercion::common_type;
pub use self::column_comments::ColumnComments;
pub use self::columns::needs_tag;
pub use self::error::LookupError;
pub use self::functions::{Registry, function, function_names};
pub use self::relation_functions::relation_of_function;
pub use self::signatures::{Chosen, Given, choose, refuses_text};
pub use self::system_columns::{SYSTEM_COLUMNS, TableIdentity, current_transaction, has_system_columns, identity};
pub use self::types::{PgTypeInfo, is_type, pg_type_of};
pub use self::view::{
    ActivityFact, ColumnSource, CursorFact, Lazily, MatviewFact, PreparedFact, QueryFact, RoleFact, ServerFacts,
    SettingFact, View,
};

/// The relations that have rows.
static RELATIONS: &[&dyn Relation] = &[
    &dump::PG_AGGREGATE,
    &dump::PG_AM,
    &pg_attribute::PgAttribute,
    &pg_auth_members::PgAuthMembers,
    &pg_authid::PgAuthid,
    &dump::PG_CAST,
    &pg_class::PgClass,
    &dump::PG_COLLATION,
    &pg_database::PgDatabase,
    &pg_description::PgDescription,
    &dump::PG_GET_KEYWORDS,
    &dump::PG_LANGUAGE,
    &pg_matviews::PgMatviews,
    &pg_namespace::PgNamespace,
    &dump::PG_OPCLASS,
    &dump::PG_OPERATOR,
    &dump::PG_OPFAMILY,
    &pg_policy::PgPolicies,
    &pg_policy::PgPolicy,
    &dump::PG_PROC,
    &dump::PG_RANGE,
    &pg_prepared_statements::PgCursors,
    &pg_prepared_statements::PgPreparedStatements,
    &pg_rewrite::PgRewrite,
    &pg_roles::PgRoles,
    &pg_settings::PgSettings,
    &pg_stat_activity::PgStatActivity,
    &pg_tables::PgTables,
    &dump::PG_TABLESPACE,
    &pg_timezone_abbrevs::PgTimezoneAbbrevs,
    &pg_timezone_names::PgTimezoneNames,
    &pg_type::PgType,
    &pg_user::PgUser,
    &statistics::STAT_ALL,
    &statistics::STAT_ARCHIVER,
    &statistics::STAT_BGWRITER,
    &statistics::STAT_CONFLICTS,
    &statistics::STAT_DATABASE,
    &statistics::STAT_SYSTEM,
    &statistics::STAT_USER,
    &statistics::STAT_WAL,
    &statistics::STAT_XACT_ALL,
    &statistics::STAT_XACT_SYSTEM,
    &statistics::STAT_XACT_USER,
    &statistics::STATIO_ALL,
    &statistics::STATIO_SYSTEM,
    &statistics::STATIO_USER,
    &pg_views::PgViews,
    &information_schema::catalog_name::CatalogName,
    &information_schema::character_sets::CharacterSets,
    &information_schema::collations::Applicability,
    &information_schema::collations::Collations,
    &information_schema::columns::Columns,
    &information_schema::enabled_roles::EnabledRoles,
    &information_schema::schemata::Schemata,
    &dump::SQL_FEATURES,
    &dump::SQL_IMPLEMENTATION_INFO,
    &dump::SQL_PARTS,
    &dump::SQL_SIZING,
    &information_schema::table_privileges::ROLE_TABLE_GRANTS,
    &information_schema::table_privileges::TABLE_PRIVILEGES,
    &information_schema::tables::Tables,
    &information_schema::views::Views,
    &system::csv_dialect::CsvDialect,
    &system::freshness::Freshness,
    &system::masks::Masks,
    &system::matview_lineage::MatviewLineage,
    &system::matview_progress::MatviewProgress,
    &system::matview_refreshes::MatviewRefreshes,
    &system::matview_status::MatviewStatus,
    &system::objects::Objects,
    &system::queries::Queries,
    &system::rejects::Rejects,
    &system::schema_drift::SchemaDrift,
    &system::shadows::Shadows,
    &system::skipped_files::SkippedFiles,
    &system::sources::Sources,
    &system::stream_partitions::StreamPartitions,
    &system::streams::Streams,
    &system::tables::Tables,
];

/// A relation of `pg_catalog`, `information_schema` or `system`, as the statement of `view` sees it.
pub fn relation(view: &Arc<View>, schema: &str, name: &str) -> Option<Arc<dyn TableProvider>> {
    let def = columns::find(schema, name)?;
    let columns = Arc::clone(&def.readable);
    let with_rows = RELATIONS.iter().find(|relation| relation.schema() == schema && relation.name() == name);
    Some(match with_rows {
        Some(relation) => Arc::new(Provider::new(*relation, Arc::clone(view), columns)),
        None => Arc::new(EmptyTable::new(columns)),
    })
}

/// Whether one of the server's own schemas has a relation of this name, or a function that is one.
pub fn is_relation(schema: &str, name: &str) -> bool {
    columns::find(schema, name).is_some()
}

/// The names of the relations of one of the server's own schemas.
pub fn relation_names(schema: &str) -> Vec<&'static str> {
    columns::all().iter().filter(|relation| relation.schema == schema).map(|relation| relation.name).collect()
}
