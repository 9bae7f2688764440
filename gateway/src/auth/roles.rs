//! The roles file, or the trust of a loopback server without one.
//!
//! Owns: reading the file, and what a login needs to know about a name. A name that does not exist gets a mock verifier:
//! always the same for the same name, so that asking twice tells nothing.
//!
//! ```toml
//! [[role]]
//! name = "grafana"
//! verifier = "SCRAM-SHA-256$4096:<salt>$<StoredKey>:<ServerKey>"   # from `lakegate hash-password`
//! connection_limit = 30
//! settings = { statement_timeout = "30s", search_path = "weather" }
//! grant = ["USAGE ON SCHEMA weather", "SELECT ON ALL TABLES IN SCHEMA weather"]
//! ```

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use figment::Figment;
use figment::providers::{Format, Toml};
use ring::rand::{SecureRandom, SystemRandom};
use serde::Deserialize;

use arc_swap::ArcSwap;
use catalog::{Access, Grant, Grantee, Member};

use super::Role;
use super::grants;
use super::limits::Limiter;
use super::policies;
use super::verifier::{ITERATIONS, Key, SALT_BYTES, Verifier, VerifierError, mac};
use crate::audit::Audit;
use crate::error::Error;

/// Whose members may make objects of the lake by COPY TO.
pub const WRITE_SERVER_FILES: &str = "pg_write_server_files";

/// Never read more than a file of roles can be.
const FILE_BYTES_MAX: u64 = 16 << 20;

#[derive(Debug, thiserror::Error)]
pub enum RolesError {
    #[error("cannot read the roles file {path}")]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("the roles file {path} may be written by everybody: take that right away (chmod o-w)")]
    WorldWritable { path: PathBuf },
    #[error("the roles file {path} is larger than {FILE_BYTES_MAX} bytes")]
    TooLarge { path: PathBuf },
    /// The text never holds a value of the file, only keys: values are secrets.
    #[error("the roles file is malformed: {0}")]
    Malformed(String),
    #[error("role \"{role}\"")]
    Verifier { role: String, source: VerifierError },
    #[error("role \"{0}\" is declared twice")]
    Duplicate(String),
    #[error("a role has no name")]
    NoName,
    #[error("role \"{role}\" is a member of \"{group}\", which does not exist")]
    NoGroup { role: String, group: String },
    #[error("role \"{0}\" is a member of itself")]
    Circle(String),
    #[error("grant \"{line}\" of {grantee}: {reason}")]
    Grant { line: String, grantee: String, reason: String },
    #[error("policy \"{line}\": {reason}")]
    Policy { line: String, reason: String },
    #[error("grants are declared, but authorization = \"all\" lets everybody do everything")]
    NotInForce,
    #[error("\"{0}\" cannot be the name of a role")]
    Reserved(String),
    #[error("the system gave no random bytes")]
    Random,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    authorization: Option<Authorization>,
    /// What everybody holds.
    #[serde(default)]
    grant_to_public: Vec<String>,
    /// Row policies, the tables on which they are asked, and column masks, as statements of SQL.
    #[serde(default)]
    policies: Vec<String>,
    #[serde(default)]
    role: Vec<Declaration>,
}

/// Whether roles may do only what they are granted. A file without a word about it means so as soon as it grants anything.
#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Authorization {
    Grants,
    All,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Declaration {
    name: String,
    /// Unless said, a role with a verifier may log in. One without has no password: certificates and tokens prove it.
    login: Option<bool>,
    verifier: Option<String>,
    #[serde(default)]
    superuser: bool,
    /// Whether no row policy binds it.
    #[serde(default)]
    bypassrls: bool,
    connection_limit: Option<usize>,
    #[serde(default)]
    read_only: bool,
    #[serde(default)]
    settings: BTreeMap<String, Setting>,
    #[serde(default)]
    member_of: Vec<String>,
    #[serde(default)]
    grant: Vec<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Setting {
    Text(String),
    Integer(i64),
    Boolean(bool),
    Real(f64),
}

impl Setting {
    fn into_text(self) -> String {
        match self {
            Setting::Text(text) => text,
            Setting::Integer(number) => number.to_string(),
            Setting::Boolean(true) => "on".into(),
            Setting::Boolean(false) => "off".into(),
            Setting::Real(number) => number.to_string(),
        }
    }
}

struct Entry {
    role: Arc<Role>,
    login: bool,
    verifier: Option<Verifier>,
    settings: Arc<[(String, String)]>,
    member_of: Vec<String>,
}

pub struct Roles {
    declared: ArcSwap<Declared>,
    mock_key: Key,
    pub limiter: Limiter,
    /// Who is told of logins.
    pub audit: OnceLock<Arc<Audit>>,
}

/// What a roles file says, or that there is none.
struct Declared {
    /// `None` trusts every client as a superuser of the name that it gives.
    entries: Option<HashMap<String, Entry>>,
    access: Arc<Access>,
}

/// What proves a name, and what the name is worth once proven.
pub struct Credential {
    pub verifier: Verifier,
    /// `None` for a mock: no proof may succeed, whatever the exchange says.
    pub login: Option<Login>,
}

/// A role that has proven itself.
pub struct Login {
    pub role: Arc<Role>,
    /// `false` is PostgreSQL's `role "x" is not permitted to log in`.
    pub permitted: bool,
    /// Variables that the role starts with, in the order of their names.
    pub settings: Arc<[(String, String)]>,
}

impl Roles {
    /// Every client is a superuser: only for a server that listens on loopback.
    pub fn trust() -> Result<Self, RolesError> {
        Self::new(None, Access::of_everybody())
    }

    pub fn load(path: &Path) -> Result<Self, RolesError> {
        let unreadable = |source| RolesError::Unreadable { path: path.to_owned(), source };
        let metadata = std::fs::metadata(path).map_err(unreadable)?;
        #[cfg(unix)]
        if std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o002 != 0 {
            return Err(RolesError::WorldWritable { path: path.to_owned() });
        }
        if metadata.len() > FILE_BYTES_MAX {
            return Err(RolesError::TooLarge { path: path.to_owned() });
        }
        Self::parse(&std::fs::read_to_string(path).map_err(unreadable)?)
    }

    pub fn parse(text: &str) -> Result<Self, RolesError> {
        let file: File = Figment::from(Toml::string(text)).extract().map_err(|error| describe(&error))?;
        let access = access(&file)?;
        let mut entries = HashMap::with_capacity(file.role.len());
        for declaration in file.role {
            let name = declaration.name.clone();
            if entries.insert(name.clone(), entry(declaration)?).is_some() {
                return Err(RolesError::Duplicate(name));
            }
        }
        for (role, entry) in &entries {
            if let Some(group) = entry.member_of.iter().find(|group| !is_known(&entries, group)) {
                return Err(RolesError::NoGroup { role: role.clone(), group: group.clone() });
            }
        }
        Self::new(Some(entries), access)
    }

    fn new(entries: Option<HashMap<String, Entry>>, access: Access) -> Result<Self, RolesError> {
        let mut mock_key = Key::default();
        SystemRandom::new().fill(&mut mock_key).map_err(|_| RolesError::Random)?;
        let declared = ArcSwap::from_pointee(Declared { entries, access: Arc::new(access) });
        Ok(Self { declared, mock_key, limiter: Limiter::default(), audit: OnceLock::new() })
    }

    /// The login of a server that trusts, `None` where a password is asked for.
    pub fn trusted(&self, name: &str) -> Option<Login> {
        if self.declared.load().entries.is_some() {
            return None;
        }
        let role = Role { name: name.to_owned(), superuser: true, connection_limit: None, read_only: false };
        Some(Login { role: Arc::new(role), permitted: true, settings: Arc::new([]) })
    }

    /// What a name is worth that has proven itself before; `None` if it does not exist any more.
    pub fn proven(&self, name: &str) -> Option<Login> {
        self.trusted(name).or_else(|| {
            let declared = self.declared.load();
            declared.entries.as_ref().and_then(|entries| entries.get(name)).map(Entry::login)
        })
    }

    /// Tells the audit, if there is one, how a login has ended.
    pub fn logged_in(&self, name: &str, from: (&'static str, IpAddr), end: Result<(), &Error>) {
        if let Some(audit) = self.audit.get() {
            audit.login(name, from, end.err().map(|error| error.state));
        }
    }

    /// The credential of a name, whether it exists or not.
    pub fn credential(&self, name: &str) -> Credential {
        let declared = self.declared.load();
        let mock = self.mock(&declared, name);
        match declared.entries.as_ref().and_then(|entries| entries.get(name)) {
            Some(entry @ Entry { verifier: Some(verifier), .. }) => {
                Credential { verifier: verifier.clone(), login: Some(entry.login()) }
            }
            Some(_) | None => Credential { verifier: mock, login: None },
        }
    }

    /// Looks like the verifier of some other role: its iterations, the length of its salt.
    fn mock(&self, declared: &Declared, name: &str) -> Verifier {
        let salt = mac(&self.mock_key, format!("salt:{name}").as_bytes());
        let models: Vec<&Verifier> =
            declared.entries.iter().flatten().filter_map(|(_, entry)| entry.verifier.as_ref()).collect();
        let mut shapes: Vec<_> =
            models.iter().map(|model| (model.iterations, model.salt.len().min(salt.len()))).collect();
        shapes.sort_unstable();
        let pick = salt.last().map_or(0, |byte| usize::from(*byte));
        let shape = shapes.get(pick % shapes.len().max(1)).copied();
        let (iterations, salt_bytes) = shape.unwrap_or((ITERATIONS, SALT_BYTES));
        Verifier {
            iterations,
            salt: salt.iter().copied().take(salt_bytes).collect(),
            stored_key: mac(&self.mock_key, format!("stored:{name}").as_bytes()),
            server_key: mac(&self.mock_key, format!("server:{name}").as_bytes()),
        }
    }

    /// What each role may do.
    pub fn access(&self) -> Arc<Access> {
        Arc::clone(&self.declared.load().access)
    }

    /// Takes what another file says in the place of what was.
    pub fn replace(&self, fresh: Self) {
        self.declared.store(fresh.declared.into_inner());
    }

    /// Every declared role, by name, whether it may log in, and the roles that it is a member of.
    pub fn list(&self) -> Vec<(Arc<Role>, bool, Vec<String>)> {
        let declared = self.declared.load();
        let mut list: Vec<_> = declared
            .entries
            .iter()
            .flatten()
            .map(|(_, entry)| (Arc::clone(&entry.role), entry.login, entry.member_of.clone()))
            .collect();
        list.sort_by(|one, two| one.0.name.cmp(&two.0.name));
        list
    }
}

impl Entry {
    fn login(&self) -> Login {
        Login { role: Arc::clone(&self.role), permitted: self.login, settings: Arc::clone(&self.settings) }
    }
}

/// A role of the file, or one that PostgreSQL has from the start and that means something here.
fn is_known(entries: &HashMap<String, Entry>, group: &str) -> bool {
    entries.contains_key(group) || group == WRITE_SERVER_FILES
}

/// What the roles of a file may do.
fn access(file: &File) -> Result<Access, RolesError> {
    let members: Vec<Member> = file
        .role
        .iter()
        .map(|role| Member {
            name: role.name.clone(),
            is_superuser: role.superuser,
            bypasses_rls: role.bypassrls,
            member_of: role.member_of.clone(),
        })
        .collect();
    let mut grants = lines(&file.grant_to_public, &Grantee::Public, "everybody")?;
    for role in &file.role {
        grants.extend(lines(&role.grant, &Grantee::Role(role.name.clone()), &format!("role \"{}\"", role.name))?);
    }
    let is_role = |name: &str| file.role.iter().any(|role| role.name == name);
    let rules =
        policies::of_lines(&file.policies, &is_role).map_err(|(line, reason)| RolesError::Policy { line, reason })?;
    let is_closed = !grants.is_empty() || !rules.is_empty();
    let is_enforced = match file.authorization {
        Some(Authorization::All) if is_closed => return Err(RolesError::NotInForce),
        Some(said) => said == Authorization::Grants,
        None => is_closed,
    };
    let access = if is_enforced { Access::of_grants(&members, grants) } else { Access::of_members(&members) };
    let access = access.map_err(RolesError::Circle)?;
    Ok(access.with_policies(rules.policies, rules.switches).with_masks(rules.masks))
}

fn lines(lines: &[String], of: &Grantee, grantee: &str) -> Result<Vec<Grant>, RolesError> {
    let mut grants = Vec::new();
    for line in lines {
        grants.extend(grants::of_line(line, of).map_err(|error| RolesError::Grant {
            line: line.clone(),
            grantee: grantee.to_owned(),
            reason: error.message,
        })?);
    }
    Ok(grants)
}

fn entry(declaration: Declaration) -> Result<Entry, RolesError> {
    let Declaration { name, login, verifier, settings, member_of, .. } = declaration;
    let (superuser, connection_limit, read_only) =
        (declaration.superuser, declaration.connection_limit, declaration.read_only);
    if name.is_empty() {
        return Err(RolesError::NoName);
    }
    if name == "public" || name.starts_with("pg_") {
        return Err(RolesError::Reserved(name));
    }
    let verifier = verifier
        .map(|text| Verifier::parse(&text))
        .transpose()
        .map_err(|source| RolesError::Verifier { role: name.clone(), source })?;
    let login = login.unwrap_or(verifier.is_some());
    let role = Role { name, superuser, connection_limit, read_only };
    let settings = settings.into_iter().map(|(name, value)| (name, value.into_text())).collect();
    Ok(Entry { role: Arc::new(role), login, verifier, settings, member_of })
}

/// Names the key that is wrong, and of the reasons only those that quote no value.
fn describe(error: &figment::Error) -> RolesError {
    use figment::error::Kind;
    let first = error.clone().into_iter().next();
    let (key, reason) = match &first {
        None => (String::new(), "unknown cause".to_owned()),
        Some(error) => {
            let reason = match &error.kind {
                Kind::UnknownField(field, _) => format!("unknown key \"{field}\""),
                Kind::MissingField(field) => format!("missing key \"{field}\""),
                Kind::InvalidType(_, expected) => format!("expected {expected}"),
                Kind::DuplicateField(field) => format!("key \"{field}\" occurs twice"),
                _ => "it is not TOML of the documented form".to_owned(),
            };
            (error.path.join("."), reason)
        }
    };
    RolesError::Malformed(if key.is_empty() { reason } else { format!("{key}: {reason}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
        [[role]]
        name = "reader"

        [[role]]
        name = "grafana"
        verifier = "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
        connection_limit = 30
        member_of = ["reader"]
        settings = { statement_timeout = "30s", extra_float_digits = 2, default_transaction_read_only = true }
    "#;

    #[test]
    fn a_role_without_a_verifier_is_proven_otherwise_or_not_at_all() {
        let roles = Roles::parse("[[role]]\nname = \"ann\"\nlogin = true\n[[role]]\nname = \"group\"").unwrap();
        assert!(roles.proven("ann").is_some_and(|login| login.permitted));
        assert!(roles.proven("group").is_some_and(|login| !login.permitted));
        assert!(roles.proven("eve").is_none());
        assert!(roles.credential("ann").login.is_none(), "no password proves it");
    }

    #[test]
    fn a_declared_role_has_its_verifier_and_settings() {
        let roles = Roles::parse(FILE).unwrap();
        let credential = roles.credential("grafana");
        assert!(credential.verifier.matches("pencil"));
        let login = credential.login.unwrap();
        assert!(login.permitted && !login.role.superuser);
        assert_eq!(login.role.connection_limit, Some(30));
        let settings: Vec<_> = login.settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(
            settings,
            [("default_transaction_read_only", "on"), ("extra_float_digits", "2"), ("statement_timeout", "30s")]
        );
    }

    #[test]
    fn an_unknown_name_looks_like_a_known_one() {
        let roles = Roles::parse(FILE).unwrap();
        let (one, two) = (roles.credential("mallory"), roles.credential("mallory"));
        assert!(one.login.is_none() && one.verifier == two.verifier);
        assert_eq!((one.verifier.iterations.get(), one.verifier.salt.len()), (4096, 16));
        assert_ne!(one.verifier.salt, roles.credential("eve").verifier.salt);
        // A role that may not log in is as unknown.
        assert!(roles.credential("reader").login.is_none());
        assert!(roles.trusted("mallory").is_none());
    }

    #[test]
    fn a_bad_file_stops_the_start_without_showing_values() {
        for (text, part) in [
            ("[[role]]\nname = \"a\"\npassword = \"hunter2\"", "unknown key \"password\""),
            ("[[role]]\nlogin = true", "missing key \"name\""),
            ("[[role]]\nname = \"a\"\n[[role]]\nname = \"a\"", "declared twice"),
            ("[[role]]\nname = \"a\"\nmember_of = [\"b\"]", "does not exist"),
            ("[[role]]\nname = \"\"", "no name"),
            ("[[role]]\nname = \"public\"", "cannot be the name of a role"),
            ("[[role]]\nname = \"a\"\nmember_of = [\"b\"]\n[[role]]\nname = \"b\"\nmember_of = [\"a\"]", "of itself"),
            ("[[role]]\nname = \"a\"\ngrant = [\"FLY ON t\"]", "unrecognized privilege type"),
            ("authorization = \"all\"\n[[role]]\nname = \"a\"\ngrant = [\"SELECT ON t\"]", "lets everybody"),
            ("policies = [\"CREATE POLICY p ON t USING (\"]\n[[role]]\nname = \"a\"", "found: EOF"),
            ("policies = [\"CREATE POLICY p ON t TO b USING (true)\"]\n[[role]]\nname = \"a\"", "does not exist"),
            ("policies = [\"CREATE MASK m ON t (a) USING (\"]\n[[role]]\nname = \"a\"", "found: EOF"),
            ("policies = [\"CREATE MASK m ON t (a) TO b USING (1)\"]\n[[role]]\nname = \"a\"", "does not exist"),
            (
                "policies = [\"CREATE MASK m ON t (a) USING (1)\", \"CREATE MASK n ON t (a) USING (2)\"]",
                "for the same column and role",
            ),
            ("authorization = \"all\"\npolicies = [\"ALTER TABLE t ENABLE ROW LEVEL SECURITY\"]", "lets everybody"),
            ("authorization = \"hunter2\"", "malformed"),
            ("hunter2 = [", "malformed"),
            ("[[role]]\nname = \"a\"\nsuperuser = \"hunter2\"", "malformed"),
        ] {
            let error = Roles::parse(text).err().unwrap().to_string();
            assert!(error.contains(part) && !error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn grants_are_in_force_as_soon_as_there_are_any_or_the_file_says_so() {
        for (text, expect) in [
            (FILE.to_owned(), false),
            (format!("authorization = \"all\"\n{FILE}"), false),
            (format!("authorization = \"grants\"\n{FILE}"), true),
            (format!("grant_to_public = [\"SELECT ON t\"]\n{FILE}"), true),
            (format!("{FILE}\n[[role]]\nname = \"z\"\ngrant = [\"SELECT ON t\"]"), true),
        ] {
            let roles = Roles::parse(&text).unwrap();
            assert_eq!(roles.access().is_enforced(), expect, "{text}");
            assert!(roles.access().is_member("grafana", "reader"));
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_world_writable_file_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let path = std::env::temp_dir().join(format!("lakegate-roles-{}.toml", std::process::id()));
        std::fs::write(&path, FILE).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert!(Roles::load(&path).is_ok());
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o606)).unwrap();
        assert!(matches!(Roles::load(&path), Err(RolesError::WorldWritable { .. })));
        std::fs::remove_file(&path).unwrap();
    }
}
