//! Every variable of a session. A new one is one line here.
//!
//! Defaults are PostgreSQL 16's where a client may depend on them. Variables that steer PostgreSQL's planner or its
//! storage are accepted, since drivers set them and no result can depend on them; their description says so.

use super::domain::{Domain, Unit};
use super::{limits, postgresql};
use Context::{Internal, Limit, User};
use Domain::*;

/// Who may change a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Context {
    User,
    /// The same, up to what the roles file says: 42501.
    Limit,
    /// Read-only: 55P02.
    Internal,
    /// What PostgreSQL sets from its configuration, at its start, or when a session starts: 55P02.
    Sighup,
    Postmaster,
    Backend,
    /// 42501 for everybody else.
    Superuser,
}

impl Context {
    /// `pg_settings.context`.
    pub(super) fn named(name: &str) -> Self {
        match name {
            "user" => Self::User,
            "superuser" => Self::Superuser,
            "sighup" => Self::Sighup,
            "postmaster" => Self::Postmaster,
            "backend" | "superuser-backend" => Self::Backend,
            _ => Self::Internal,
        }
    }
}

#[derive(Debug)]
pub struct Variable {
    pub name: &'static str,
    pub default: &'static str,
    pub domain: Domain,
    pub context: Context,
    /// Told to the client in ParameterStatus.
    pub reported: bool,
    pub description: &'static str,
}

impl Variable {
    /// The name in lower case: variables are found whatever the case.
    pub fn key(&self) -> String {
        self.name.to_ascii_lowercase()
    }
}

/// The variable with this lower-case name.
pub fn find(key: &str) -> Option<&'static Variable> {
    let ours =
        VARIABLES.iter().find(|variable| variable.name.eq_ignore_ascii_case(key) || alias(key) == Some(variable.name));
    ours.or_else(|| postgresql::other(key))
}

/// SHOW's multi-word spellings.
fn alias(key: &str) -> Option<&'static str> {
    match key {
        "time zone" | "time.zone" => Some("TimeZone"),
        "transaction isolation level" | "transaction.isolation.level" => Some("transaction_isolation"),
        "session authorization" | "session.authorization" => Some("session_authorization"),
        "names" => Some("client_encoding"),
        _ => None,
    }
}

const fn var(
    name: &'static str,
    default: &'static str,
    domain: Domain,
    context: Context,
    description: &'static str,
) -> Variable {
    Variable { name, default, domain, context, reported: false, description }
}

const fn reported(mut variable: Variable) -> Variable {
    variable.reported = true;
    variable
}

pub(crate) const NO_EFFECT: &str = "Accepted for clients that set it; has no effect on this server.";

const ISOLATION: Domain = Enum(&["serializable", "repeatable read", "read committed", "read uncommitted"]);

/// In the order of SHOW ALL: by name.
pub static VARIABLES: &[Variable] = &[
    reported(var(
        "application_name",
        "",
        Text,
        User,
        "Sets the application name to be reported in statistics and logs.",
    )),
    var("array_nulls", "on", Only("on"), User, "Enables input of NULL elements in arrays."),
    var("backslash_quote", "safe_encoding", Enum(&["safe_encoding", "on", "off"]), User, NO_EFFECT),
    var("block_size", "8192", Text, Internal, "Shows the size of a disk block."),
    var("bytea_output", "hex", Enum(&["escape", "hex"]), User, "Sets the output format for bytea."),
    var("check_function_bodies", "on", Bool, User, NO_EFFECT),
    reported(var("client_encoding", "UTF8", Utf8, User, "Sets the client's character set encoding.")),
    var("client_min_messages", "notice", LEVELS, User, "Sets the message levels that are sent to the client."),
    var("cpu_operator_cost", "0.0025", Real(0.0, 1e300), User, NO_EFFECT),
    var("cursor_tuple_fraction", "0.1", Real(0.0, 1.0), User, NO_EFFECT),
    reported(var("DateStyle", "ISO, MDY", DateStyle, User, "Sets the display format for date and time values.")),
    var("deadlock_timeout", "1s", Milliseconds, User, NO_EFFECT),
    var("default_statistics_target", "100", Integer(1, 10000), User, NO_EFFECT),
    var("default_tablespace", "", Text, User, NO_EFFECT),
    var("default_text_search_config", "pg_catalog.english", Text, User, NO_EFFECT),
    var("default_transaction_deferrable", "off", Bool, User, "Sets the default deferrable status of new transactions."),
    var(
        "default_transaction_isolation",
        "read committed",
        ISOLATION,
        User,
        "Sets the isolation level of new transactions.",
    ),
    reported(var(
        "default_transaction_read_only",
        "off",
        Bool,
        User,
        "Sets the default read-only status of new transactions.",
    )),
    var("effective_cache_size", "4GB", Kilobytes, User, NO_EFFECT),
    var("enable_bitmapscan", "on", Bool, User, NO_EFFECT),
    var("enable_hashagg", "on", Bool, User, NO_EFFECT),
    var("enable_hashjoin", "on", Bool, User, NO_EFFECT),
    var("enable_indexonlyscan", "on", Bool, User, NO_EFFECT),
    var("enable_indexscan", "on", Bool, User, NO_EFFECT),
    var("enable_material", "on", Bool, User, NO_EFFECT),
    var("enable_mergejoin", "on", Bool, User, NO_EFFECT),
    var("enable_nestloop", "on", Bool, User, NO_EFFECT),
    var("enable_seqscan", "on", Bool, User, NO_EFFECT),
    var("enable_sort", "on", Bool, User, NO_EFFECT),
    var("escape_string_warning", "on", Bool, User, NO_EFFECT),
    var(
        "extra_float_digits",
        "1",
        Integer(-15, 3),
        User,
        "Sets the number of digits displayed for floating-point values.",
    ),
    var("from_collapse_limit", "8", Integer(1, 2147483647), User, NO_EFFECT),
    var("geqo", "on", Bool, User, NO_EFFECT),
    var("gin_fuzzy_search_limit", "0", Integer(0, 2147483647), User, NO_EFFECT),
    var(
        "idle_in_transaction_session_timeout",
        "0",
        Milliseconds,
        User,
        "Sets the maximum allowed idle time between queries, when in a transaction.",
    ),
    var(
        "idle_session_timeout",
        "0",
        Milliseconds,
        User,
        "Sets the maximum allowed idle time between queries, when not in a transaction.",
    ),
    reported(var("in_hot_standby", "off", Text, Internal, "Shows whether hot standby is currently active.")),
    reported(var("integer_datetimes", "on", Text, Internal, "Shows whether datetimes are integer based.")),
    reported(var(
        "IntervalStyle",
        "postgres",
        Enum(&["postgres", "postgres_verbose", "sql_standard", "iso_8601"]),
        User,
        "Sets the display format for interval values.",
    )),
    reported(var("is_superuser", "off", Text, Internal, "Shows whether the current user is a superuser.")),
    var("jit", "off", Bool, User, NO_EFFECT),
    var("join_collapse_limit", "8", Integer(1, 2147483647), User, NO_EFFECT),
    var(
        "lakegate.max_result_bytes",
        "-1",
        limits::BYTES,
        Limit,
        "Sets how large the result of a statement may be; -1 is no limit.",
    ),
    var(
        "lakegate.max_result_rows",
        "-1",
        limits::COUNT,
        Limit,
        "Sets how many rows the result of a statement may have; -1 is no limit.",
    ),
    var(
        "lakegate.max_running",
        "-1",
        limits::COUNT,
        Limit,
        "Sets how many statements of the role run at once; -1 is no limit.",
    ),
    var(
        "lakegate.max_scan_bytes",
        "-1",
        limits::BYTES,
        Limit,
        "Sets how large the files that a statement opens may be; -1 is no limit.",
    ),
    var(
        "lakegate.max_staleness",
        "-1",
        Units(Unit::Milliseconds(1_000), -1, 2_147_483_647),
        User,
        "Sets how old the rows of materialized views may be, where they may be older; -1 is as each view says.",
    ),
    var(
        "lakegate.memory_limit",
        "-1",
        limits::BYTES,
        Limit,
        "Sets the memory of all statements of the role together; -1 is no limit.",
    ),
    var(
        "lakegate.on_stale",
        "view",
        Enum(&["view", "error", "base"]),
        User,
        "Sets what is answered for a materialized view that is too old; view is as each view says.",
    ),
    var("lc_messages", "C", Text, User, NO_EFFECT),
    var("lc_monetary", "C", Text, User, NO_EFFECT),
    var("lc_numeric", "C", Text, User, NO_EFFECT),
    var("lc_time", "C", Text, User, NO_EFFECT),
    var("listen_addresses", "localhost", Text, Internal, "Sets the host name or IP address(es) to listen to."),
    var("lo_compat_privileges", "off", Bool, User, NO_EFFECT),
    var("lock_timeout", "0", Milliseconds, User, NO_EFFECT),
    var("log_min_duration_statement", "-1", Text, Internal, NO_EFFECT),
    var("log_statement", "none", Text, Internal, NO_EFFECT),
    var("maintenance_work_mem", "64MB", Kilobytes, User, NO_EFFECT),
    var("max_connections", "200", Text, Internal, "Sets the maximum number of concurrent connections."),
    var("max_identifier_length", "63", Text, Internal, "Shows the maximum identifier length."),
    var("max_index_keys", "32", Text, Internal, "Shows the maximum number of index keys."),
    var("max_parallel_workers_per_gather", "2", Integer(0, 1024), User, NO_EFFECT),
    var(
        "max_prepared_transactions",
        "0",
        Text,
        Internal,
        "Sets the maximum number of simultaneously prepared transactions.",
    ),
    var("password_encryption", "scram-sha-256", Text, Internal, "Chooses the algorithm for encrypting passwords."),
    var("port", "5433", Text, Internal, "Sets the TCP port the server listens on."),
    var("quote_all_identifiers", "off", Bool, User, NO_EFFECT),
    var("random_page_cost", "4", Real(0.0, 1e300), User, NO_EFFECT),
    var("role", "none", Only("none"), User, "Sets the current role."),
    var("row_security", "on", Bool, User, "Enables row security."),
    var(
        "search_path",
        "\"$user\", public",
        SearchPath,
        User,
        "Sets the schema search order for names that are not schema-qualified.",
    ),
    var("seq_page_cost", "1", Real(0.0, 1e300), User, NO_EFFECT),
    reported(var("server_encoding", "UTF8", Text, Internal, "Shows the server (database) character set encoding.")),
    reported(var("server_version", "16.6", Text, Internal, "Shows the server version.")),
    var("server_version_num", "160006", Text, Internal, "Shows the server version as an integer."),
    reported(var("session_authorization", "", Text, Internal, "Sets the session user name.")),
    var("session_replication_role", "origin", Enum(&["origin", "replica", "local"]), User, NO_EFFECT),
    var("ssl", "off", Text, Internal, "Enables SSL connections."),
    reported(var(
        "standard_conforming_strings",
        "on",
        Only("on"),
        User,
        "Causes '...' strings to treat backslashes literally.",
    )),
    var("statement_timeout", "0", Milliseconds, User, "Sets the maximum allowed duration of any statement."),
    var("synchronize_seqscans", "on", Bool, User, NO_EFFECT),
    var("synchronous_commit", "on", Enum(&["local", "remote_write", "remote_apply", "on", "off"]), User, NO_EFFECT),
    var("tcp_keepalives_idle", "60", Integer(0, 2147483647), User, NO_EFFECT),
    var("temp_buffers", "8MB", Kilobytes, User, NO_EFFECT),
    var(
        "temp_file_limit",
        "-1",
        limits::BYTES,
        Limit,
        "Limits the total size of the temporary files of a statement; -1 is no limit.",
    ),
    var("temp_tablespaces", "", Text, User, NO_EFFECT),
    reported(var("TimeZone", "UTC", TimeZone, User, "Sets the time zone for displaying and interpreting time stamps.")),
    var("transaction_deferrable", "off", Bool, User, "Whether to defer a read-only serializable transaction."),
    var("transaction_isolation", "read committed", ISOLATION, User, "Sets the current transaction's isolation level."),
    var("transaction_read_only", "off", Bool, User, "Sets the current transaction's read-only status."),
    var("transform_null_equals", "off", Only("off"), User, "Treats \"expr=NULL\" as \"expr IS NULL\"."),
    var("work_mem", "4MB", Kilobytes, User, NO_EFFECT),
    var("xmlbinary", "base64", Enum(&["base64", "hex"]), User, NO_EFFECT),
    var("xmloption", "content", Enum(&["content", "document"]), User, NO_EFFECT),
];

const LEVELS: Domain =
    Enum(&["debug5", "debug4", "debug3", "debug2", "debug1", "debug", "log", "notice", "warning", "error"]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_defaults_lie_in_their_domains() {
        let keys: Vec<String> = VARIABLES.iter().map(Variable::key).collect();
        assert!(keys.is_sorted(), "{keys:?}");
        for variable in VARIABLES {
            let checked = variable.domain.check(variable.name, variable.default);
            assert_eq!(checked.as_deref().ok(), Some(variable.default), "{}", variable.name);
        }
    }
}
