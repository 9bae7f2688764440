//! Functions that return rows of several columns.
//!
//! Owns: which they are, and what their columns are called. Must never know: what they compute.

use sqlparser::ast::{ObjectName, TableAlias, TableFactor};

use super::{expand, quoted};

/// The function that gives the rows of such a function as one list, and the names of their columns.
pub(super) fn composite(function: &str) -> Option<(&'static str, &'static [&'static str])> {
    Some(match function {
        "_pg_expandarray" => ("lakegate_expandarray", &["x", "n"]),
        "aclexplode" => ("lakegate_aclexplode", &["grantor", "grantee", "privilege_type", "is_grantable"]),
        "pg_options_to_table" => ("lakegate_options_to_table", &["option_name", "option_value"]),
        "pg_partition_tree" => ("lakegate_partition_tree", &["relid", "parentrelid", "isleaf", "level"]),
        _ => return None,
    })
}

/// Set-returning functions that the rewrite of FROM and select lists knows, beside the composite ones.
pub(super) const OF_ONE_COLUMN: &[&str] = &["pg_partition_ancestors"];

/// A function without arguments that is a relation.
pub(super) fn relation(relation: ObjectName, function: &str, alias: Option<TableAlias>) -> TableFactor {
    let own = || TableAlias { explicit: true, name: quoted(function), columns: Vec::new(), at: None };
    let mut factor = expand::table(relation);
    if let TableFactor::Table { alias: named, .. } = &mut factor {
        *named = Some(alias.unwrap_or_else(own));
    }
    factor
}
