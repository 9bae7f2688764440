//! Functions without arguments that are relations: `pg_get_keywords()`, `pg_show_all_settings()` ...
//!
//! Owns: which view shows the same rows, and the columns of those that none shows, as `pg_proc` declares them. Must never
//! know: how a query calls them.

use super::columns::{ColumnDef, RelationDef, lines};
use super::types;

/// The functions and the views that show all that they return.
const OF_VIEWS: [(&str, &str); 10] = [
    ("pg_cursor", "pg_cursors"),
    ("pg_hba_file_rules", "pg_hba_file_rules"),
    ("pg_ident_file_mappings", "pg_ident_file_mappings"),
    ("pg_lock_status", "pg_locks"),
    ("pg_prepared_statement", "pg_prepared_statements"),
    ("pg_show_all_file_settings", "pg_file_settings"),
    ("pg_show_all_settings", "pg_settings"),
    ("pg_stat_get_slru", "pg_stat_slru"),
    ("pg_timezone_abbrevs", "pg_timezone_abbrevs"),
    ("pg_timezone_names", "pg_timezone_names"),
];

/// The functions whose rows no view shows as they are, and the names of the relations that stand for them.
const OWN: [(&str, &str); 7] = [
    ("pg_available_extension_versions", "pg_available_extension_versions()"),
    ("pg_available_extensions", "pg_available_extensions()"),
    ("pg_get_keywords", "pg_get_keywords()"),
    ("pg_get_replication_slots", "pg_get_replication_slots()"),
    ("pg_prepared_xact", "pg_prepared_xact()"),
    ("pg_show_replication_origin_status", "pg_show_replication_origin_status()"),
    ("pg_stat_get_wal_senders", "pg_stat_get_wal_senders()"),
];

/// The relation of `pg_catalog` that a function without arguments is.
pub fn relation_of_function(function: &str) -> Option<&'static str> {
    OF_VIEWS.iter().chain(&OWN).find(|(name, _)| *name == function).map(|(_, relation)| *relation)
}

/// The relations of [`OWN`], with the result columns of their functions.
pub(crate) fn definitions() -> Vec<RelationDef> {
    let procs = lines(include_str!("data/pg_proc.tsv")).filter_map(|line| {
        let cells: Vec<&str> = line.split('\t').collect();
        let (_, relation) = OWN.iter().find(|(name, _)| cells.get(1) == Some(name))?;
        let array = |at: usize| -> Option<Vec<&'static str>> {
            Some(cells.get(at)?.strip_prefix('{')?.strip_suffix('}')?.split(',').collect())
        };
        let columns = array(20)?.into_iter().zip(array(22)?).filter_map(|(of, name)| {
            let type_name = types::by_oid(of.parse().ok()?)?.name;
            Some(ColumnDef { name: name.trim_matches('"'), type_name, not_null: false })
        });
        Some(RelationDef::new("pg_catalog", relation, 0, "v", columns.collect()))
    });
    procs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pg_catalog::columns;

    #[test]
    fn every_function_has_a_relation_with_columns() {
        for (_, relation) in OF_VIEWS.iter().chain(&OWN) {
            assert!(columns::find("pg_catalog", relation).is_some_and(|found| !found.columns.is_empty()), "{relation}");
        }
    }
}
