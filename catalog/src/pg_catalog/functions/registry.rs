//! The names of OIDs as one statement sees them: how values of `regclass` and its kin look in text.
//!
//! Owns: which type names which objects. Must never know: a wire protocol.
//! <https://www.postgresql.org/docs/16/datatype-oid.html>

use std::sync::{Arc, OnceLock};

use super::scope::Scope;
use super::{names, operators};
use crate::pg_catalog::view::View;

/// Names by OID, looked up from the first value on.
#[derive(Debug)]
pub struct Registry {
    view: Arc<View>,
    scope: OnceLock<Scope>,
}

impl Registry {
    pub fn new(view: Arc<View>) -> Self {
        Self { view, scope: OnceLock::new() }
    }

    /// The text of a value of the type `pg_type`; `None` for a type whose values are plain numbers.
    pub fn text(&self, pg_type: &str, oid: u32) -> Option<String> {
        let name = match pg_type {
            "regclass" => names::relation_name,
            "regnamespace" => names::schema_name,
            "regoper" => operators::name,
            "regoperator" => operators::signature,
            "regproc" => names::function_name,
            "regprocedure" => names::procedure_name,
            "regrole" => names::role_name,
            "regtype" => names::type_name,
            _ => return None,
        };
        Some(match oid {
            0 => "-".to_owned(),
            oid => {
                let scope = self.scope.get_or_init(|| Scope::new(&self.view));
                name(scope, oid).unwrap_or_else(|| oid.to_string())
            }
        })
    }
}
