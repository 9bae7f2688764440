//! Who may log in, and as what.
//!
//! Owns: roles with what they are granted and their row policies, their SCRAM verifiers, and whose tokens are believed. Must never
//! show: a verifier, a password or a token.

pub mod grants;
pub mod jwt;
pub mod limits;
pub mod password;
mod policies;
pub mod reload;
pub mod roles;
pub mod scram;
pub mod seal;
pub mod verifier;

pub use jwt::Jwt;
pub use roles::{Credential, Login, Roles};
pub use seal::Seal;
pub use verifier::Verifier;

/// A role as the roles file declares it, or the one trusted role of a loopback server without a roles file.
#[derive(Debug, Clone)]
pub struct Role {
    pub name: String,
    pub superuser: bool,
    pub connection_limit: Option<usize>,
    /// Whether it changes nothing, whatever it is granted.
    pub read_only: bool,
}

/// Whether two secrets are equal, in a time that depends on their lengths only.
pub fn equal(one: &[u8], two: &[u8]) -> bool {
    let difference = one.iter().zip(two).fold(0, |difference, (one, two)| difference | (one ^ two));
    // The hint keeps the compiler from ending the loop at the first difference.
    one.len() == two.len() && std::hint::black_box(difference) == 0
}

#[cfg(test)]
mod tests {
    #[test]
    fn secrets_are_equal_in_every_byte_and_in_length() {
        assert!(super::equal(b"abc", b"abc") && super::equal(b"", b""));
        assert!(!super::equal(b"abc", b"abd") && !super::equal(b"abc", b"ab") && !super::equal(b"", b"a"));
    }
}
