//! Functions of PostgreSQL that this server knows and does not have, or lets nobody call.
//!
//! Owns: which they are, and why. Must never know: arguments.

use crate::error::{Error, SqlState};

/// 42501 for a function that only PostgreSQL's administrator may call, 0A000 for one that this server will not have.
pub(super) fn refusal(name: &str) -> Option<Error> {
    if FORBIDDEN.iter().any(|member| is_member(name, member)) {
        let message = format!("permission denied for function {name}");
        return Some(
            Error::new(SqlState::InsufficientPrivilege, message)
                .hint("Only the files of the configured sources can be read, as tables."),
        );
    }
    let (_, hint) = FAMILIES.iter().find(|(family, _)| family.iter().any(|member| is_member(name, member)))?;
    Some(Error::unsupported(format!("function {name} is not supported")).hint(*hint))
}

/// A member that ends with `*` stands for all names that begin so.
fn is_member(name: &str, member: &str) -> bool {
    match member.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == member,
    }
}

/// They read files of the machine.
const FORBIDDEN: &[&str] = &["pg_ls_*", "pg_read_binary_file", "pg_read_file", "pg_stat_file"];

/// Families of functions, each with its hint.
const FAMILIES: &[(&[&str], &str)] = &[
    (
        &["currval", "lastval", "nextval", "setval"],
        "Tables of the lake have no sequences; row_number() numbers the rows of a query.",
    ),
    (&["lo_*", "loread", "lowrite"], "There are no large objects; values of type bytea hold bytes."),
    (
        &["pg_advisory_lock*", "pg_advisory_xact_lock*", "pg_advisory_unlock", "pg_try_advisory_*"],
        "Any number of servers may read one lake, so a lock of one of them would not keep others out.",
    ),
    (
        &[
            "phraseto_tsquery",
            "plainto_tsquery",
            "to_tsquery",
            "to_tsvector",
            "ts_*",
            "tsvector_*",
            "websearch_to_tsquery",
        ],
        "There is no text search; the operators LIKE, ILIKE and ~ match texts.",
    ),
    (
        &["cursor_to_xml*", "database_to_xml*", "query_to_xml*", "schema_to_xml*", "table_to_xml*", "xml*", "xpath*"],
        "There is no type xml.",
    ),
    (&["setseed"], "random() of this server cannot be made to repeat itself."),
    (
        &["pg_current_wal_*", "pg_last_wal_*", "pg_switch_wal", "pg_wal_*", "pg_walfile_*"],
        "There is no write-ahead log: the lake is read-only.",
    ),
    (&["pg_column_compression", "pg_column_size"], "Values of the lake are not stored as PostgreSQL stores them."),
    (&["dblink*"], "Other databases cannot be reached from here."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_functions_are_refused_as_unsupported() {
        for name in ["nextval", "lo_get", "pg_try_advisory_xact_lock", "xmlagg", "to_tsvector"] {
            assert_eq!(refusal(name).map(|error| error.state), Some(SqlState::FeatureNotSupported), "{name}");
        }
        assert_eq!(refusal("pg_read_file").map(|error| error.state), Some(SqlState::InsufficientPrivilege));
        for name in ["pg_advisory_unlock_all", "nosuch", "log"] {
            assert!(refusal(name).is_none(), "{name}");
        }
    }
}
