//! Who may log in, and as what.
//!
//! Owns: roles and their SCRAM verifiers. Must never show: a verifier or a password.

/// A role as the roles file declares it, or the one trusted role of a loopback server without a roles file.
#[derive(Debug, Clone)]
pub struct Role {
    pub name: String,
    pub superuser: bool,
    pub connection_limit: Option<usize>,
}
