//! What SQL has defined, as the lake keeps it: a script of statements that anybody can read and run.
//!
//! Owns: its text. Must never know: where it is kept, or whether what it defines exists.

use std::fmt::Write;

use super::alter::{self, OptionChange, OptionFault};
use super::grant;
use super::header::{self, Commented, Header, Name, quoted};
use super::rows::{RowRule, row_rule};
use super::split;
use crate::access::{ColumnMask, Grant, Granted, RowPolicy};
use crate::stream::Stream;

/// One version of all that SQL has defined.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Script {
    /// 0 if nothing was ever defined; every change is one more.
    pub version: u64,
    pub(super) statements: Vec<Kept>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kept {
    Schema(String),
    /// The body is what stands behind the name.
    Table {
        name: Name,
        body: String,
    },
    View {
        name: Name,
        body: String,
        search_path: Vec<String>,
    },
    Matview {
        name: Name,
        body: String,
        search_path: Vec<String>,
    },
    /// It has the name of no relation.
    Stream {
        name: Name,
        body: String,
    },
    Comment {
        on: Commented,
        text: String,
    },
    Grant(Grant),
    Rows(RowRule),
    /// A statement of another version of this server, as it is.
    Unknown(String),
}

/// What a name is in a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defined {
    Table,
    View,
    Matview,
}

impl Script {
    /// Reads what `text` wrote. A text that is no SQL is an error, with its line.
    pub(crate) fn read(version: u64, text: &str) -> Result<Self, (u64, String)> {
        let mut script = Self { version, statements: Vec::new() };
        let mut search_path = Vec::new();
        for piece in split::statements(text)? {
            script.statements.push(match header::read(piece.text) {
                Ok(Header::SearchPath(path)) => {
                    search_path = path;
                    continue;
                }
                Ok(Header::Schema(name)) => Kept::Schema(name),
                Ok(Header::Table { name, body }) => Kept::Table { name, body: body.to_owned() },
                Ok(Header::View { name, body }) => {
                    Kept::View { name, body: body.to_owned(), search_path: search_path.clone() }
                }
                Ok(Header::Matview { name, body }) => {
                    Kept::Matview { name, body: body.to_owned(), search_path: search_path.clone() }
                }
                Ok(Header::Stream { name, body }) => Kept::Stream { name, body: body.to_owned() },
                Ok(Header::Comment { on, text: Some(text) }) => Kept::Comment { on, text },
                Ok(Header::Comment { text: None, .. }) => continue,
                Ok(Header::Grant(grant)) => Kept::Grant(grant),
                Ok(Header::Rows) => match row_rule(piece.text, &search_path) {
                    Ok(rule) => Kept::Rows(rule),
                    Err(_) => Kept::Unknown(piece.text.to_owned()),
                },
                Err(_) => Kept::Unknown(piece.text.to_owned()),
            });
        }
        Ok(script)
    }

    /// The statements, each with a semicolon on a line of its own: a comment at its end takes none in.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        let mut path: &[String] = &[];
        for statement in &self.statements {
            if let Kept::View { search_path, .. }
            | Kept::Matview { search_path, .. }
            | Kept::Rows(RowRule::Policy(RowPolicy { search_path, .. }))
            | Kept::Rows(RowRule::Mask(ColumnMask { search_path, .. })) = statement
                && search_path != path
            {
                let schemas: Vec<String> = search_path.iter().map(|schema| quoted(schema)).collect();
                let _ = writeln!(text, "SET search_path = {}\n;", schemas.join(", "));
                path = search_path;
            }
            let _ = writeln!(text, "{}\n;", statement.text());
        }
        text
    }

    pub fn defines(&self, schema: &str, name: &str) -> Option<Defined> {
        self.statements.iter().find_map(|kept| match kept {
            Kept::Table { name: known, .. } if known.is(schema, name) => Some(Defined::Table),
            Kept::View { name: known, .. } if known.is(schema, name) => Some(Defined::View),
            Kept::Matview { name: known, .. } if known.is(schema, name) => Some(Defined::Matview),
            _ => None,
        })
    }

    pub fn defines_schema(&self, schema: &str) -> bool {
        self.statements.iter().any(|kept| matches!(kept, Kept::Schema(known) if known == schema))
    }

    /// Whether a table or a view is defined in the schema.
    pub fn has_relations_in(&self, schema: &str) -> bool {
        self.statements.iter().any(|kept| kept.name().is_some_and(|name| name.schema == schema))
    }

    pub fn create_schema(&mut self, schema: &str) {
        self.statements.push(Kept::Schema(schema.to_owned()));
    }

    pub fn drop_schema(&mut self, schema: &str) {
        self.statements.retain(|kept| match kept {
            Kept::Schema(known) => known != schema,
            Kept::Comment { on: Commented::Schema(known), .. } => known != schema,
            Kept::Grant(grant) => grant.on != Granted::Schema(schema.to_owned()),
            _ => true,
        });
    }

    /// Puts a table's or a view's definition in the place of an older one, or at the end. `statement` is one of
    /// CREATE EXTERNAL TABLE or CREATE [MATERIALIZED] VIEW, `search_path` that of a view; another is an error that says what was expected.
    /// The name in it is not looked at.
    pub fn define(&mut self, name: Name, statement: &str, search_path: &[String]) -> Result<(), String> {
        let (kind, body) = header::body(statement).map_err(|error| error.to_string())?;
        let (body, search_path) = (body.to_owned(), search_path.to_vec());
        let kept = match kind {
            Defined::View => Kept::View { name, body, search_path },
            Defined::Matview => Kept::Matview { name, body, search_path },
            Defined::Table => Kept::Table { name, body },
        };
        match self.statements.iter_mut().find(|known| known.name() == kept.name()) {
            Some(known) => *known = kept,
            None => self.statements.push(kept),
        }
        Ok(())
    }

    /// Whether a stream of this name is defined.
    pub fn has_stream(&self, stream: &Name) -> bool {
        self.statements.iter().any(|kept| matches!(kept, Kept::Stream { name, .. } if name == stream))
    }

    /// Puts a stream in the place of an older one, or at the end.
    pub fn define_stream(&mut self, stream: &Stream) -> Result<(), String> {
        let body = header::stream_body(&stream.text()).map_err(|error| error.to_string())?.to_owned();
        let known =
            self.statements.iter_mut().find(|kept| matches!(kept, Kept::Stream { name, .. } if *name == stream.name));
        let kept = Kept::Stream { name: stream.name.clone(), body };
        match known {
            Some(known) => *known = kept,
            None => self.statements.push(kept),
        }
        Ok(())
    }

    pub fn drop_stream(&mut self, stream: &Name) {
        self.statements.retain(|kept| !matches!(kept, Kept::Stream { name, .. } if name == stream));
    }

    /// What SQL has granted.
    pub fn grants(&self) -> impl Iterator<Item = &Grant> {
        self.statements.iter().filter_map(|kept| match kept {
            Kept::Grant(grant) => Some(grant),
            _ => None,
        })
    }

    pub fn grant(&mut self, grant: Grant) {
        let known = self.statements.iter_mut().find_map(|kept| match kept {
            Kept::Grant(known) if known.is_beside(&grant) => Some(known),
            _ => None,
        });
        match known {
            Some(known) => known.privileges = known.privileges.and(grant.privileges),
            None => self.statements.push(Kept::Grant(grant)),
        }
    }

    /// Takes privileges away; those of a whole relation take those of its columns with them.
    pub fn revoke(&mut self, revoked: &Grant) {
        for kept in &mut self.statements {
            if let Kept::Grant(known) = kept
                && known.grantee == revoked.grantee
                && known.on == revoked.on
                && (revoked.columns.is_empty() || !known.columns.is_empty())
            {
                known.take(revoked);
            }
        }
        self.statements.retain(|kept| !matches!(kept, Kept::Grant(grant) if grant.privileges.is_empty()));
    }

    /// Takes a definition away, with the comments and grants on it.
    pub fn drop(&mut self, schema: &str, name: &str) {
        self.statements
            .retain(|kept| !kept.name().or_else(|| kept.told_of()).is_some_and(|known| known.is(schema, name)));
    }

    /// Gives a definition and the comments on it another name.
    pub fn rename(&mut self, from: &Name, to: &Name) {
        let names = self.statements.iter_mut().filter_map(|kept| match kept {
            Kept::Table { name, .. }
            | Kept::View { name, .. }
            | Kept::Matview { name, .. }
            | Kept::Comment { on: Commented::Relation(name) | Commented::Column(name, _), .. }
            | Kept::Grant(Grant { on: Granted::Relation(name), .. }) => Some(name),
            Kept::Rows(rule) => Some(rule.on_mut()),
            _ => None,
        });
        names.filter(|name| *name == from).for_each(|name| name.clone_from(to));
    }

    /// Changes the options of a table; gives the statement that defines it then.
    pub fn change_options(&mut self, of: &Name, changes: &[OptionChange]) -> Result<String, OptionFault> {
        let kept = self.statements.iter_mut().find(|kept| matches!(kept, Kept::Table { name, .. } if name == of));
        let missing = || OptionFault::Unreadable("it is not there".to_owned());
        let kept = kept.ok_or_else(missing)?;
        let text = alter::changed(&kept.text(), changes)?;
        let (_, body) = header::body(&text).map_err(|error| OptionFault::Unreadable(error.to_string()))?;
        *kept = Kept::Table { name: of.clone(), body: body.to_owned() };
        Ok(text)
    }

    pub fn has_comment(&self, on: &Commented) -> bool {
        self.statements.iter().any(|kept| matches!(kept, Kept::Comment { on: known, .. } if known == on))
    }

    /// Sets a comment, or takes it away.
    pub fn comment(&mut self, on: Commented, text: Option<String>) {
        self.statements.retain(|kept| !matches!(kept, Kept::Comment { on: known, .. } if *known == on));
        self.statements.extend(text.filter(|text| !text.is_empty()).map(|text| Kept::Comment { on, text }));
    }
}

impl Kept {
    /// The name that it defines.
    fn name(&self) -> Option<&Name> {
        match self {
            Self::Table { name, .. } | Self::View { name, .. } | Self::Matview { name, .. } => Some(name),
            Self::Schema(_)
            | Self::Stream { .. }
            | Self::Comment { .. }
            | Self::Grant(_)
            | Self::Rows(_)
            | Self::Unknown(_) => None,
        }
    }

    /// The relation that it is a comment, a grant, a row policy or a mask on.
    fn told_of(&self) -> Option<&Name> {
        match self {
            Self::Comment { on: Commented::Relation(name) | Commented::Column(name, _), .. } => Some(name),
            Self::Grant(Grant { on: Granted::Relation(name), .. }) => Some(name),
            Self::Rows(rule) => Some(rule.on()),
            _ => None,
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Schema(name) => format!("CREATE SCHEMA {}", quoted(name)),
            Self::Table { name, body } => format!("CREATE EXTERNAL TABLE {name} {body}"),
            Self::View { name, body, .. } => format!("CREATE VIEW {name} {body}"),
            Self::Matview { name, body, .. } => format!("CREATE MATERIALIZED VIEW {name} {body}"),
            Self::Stream { name, body } => format!("CREATE STREAM {name} {body}"),
            Self::Comment { on, text } => {
                let text = text.replace('\'', "''");
                match on {
                    Commented::Schema(schema) => format!("COMMENT ON SCHEMA {} IS '{text}'", quoted(schema)),
                    Commented::Relation(name) => format!("COMMENT ON TABLE {name} IS '{text}'"),
                    Commented::Column(name, column) => {
                        format!("COMMENT ON COLUMN {name}.{} IS '{text}'", quoted(column))
                    }
                }
            }
            Self::Grant(grant) => grant::text(grant),
            Self::Rows(rule) => rule.text(),
            Self::Unknown(text) => text.clone(),
        }
    }
}

impl Name {
    fn is(&self, schema: &str, name: &str) -> bool {
        self.schema == schema && self.name == name
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Grantee, Privilege, Privileges};

    fn named(name: &str) -> Name {
        Name { schema: "s".to_owned(), name: name.to_owned() }
    }

    fn script() -> Script {
        let mut script = Script { version: 3, ..Default::default() };
        script.create_schema("s");
        script
            .define(named("t"), "CREATE EXTERNAL TABLE x STORED AS CSV LOCATION 'a;b' OPTIONS (quote '''')", &[])
            .unwrap();
        let path = ["weather".to_owned(), "Pub\"lic".to_owned()];
        script.define(named("v"), "CREATE OR REPLACE VIEW x (a) AS\n  SELECT ';' -- the end;", &path).unwrap();
        script.define(named("w"), "CREATE VIEW db.y.x AS SELECT 1", &["public".to_owned()]).unwrap();
        script.comment(Commented::Column(named("v"), "A".to_owned()), Some("it's; \\ 'so'".to_owned()));
        script.comment(Commented::Schema("s".to_owned()), Some("$$".to_owned()));
        let columns = ["a".to_owned(), "B \"c".to_owned()].into();
        let privileges = Privileges::NONE.with(Privilege::Select);
        let (on, to) = (Granted::Relation(named("v")), Grantee::Role("Ro le".to_owned()));
        script.grant(Grant { grantee: to, privileges, on, columns });
        let (on, columns) = (Granted::Schema("s".to_owned()), Default::default());
        script.grant(Grant { grantee: Grantee::Public, privileges: Privileges::OF_SCHEMAS, on, columns });
        script
    }

    #[test]
    fn what_is_written_is_read_back() {
        let script = script();
        assert_eq!(Script::read(3, &script.text()).unwrap(), script);
        assert_eq!(Script::read(0, "").unwrap(), Script::default());
        let foreign = "CREATE SERVER m AS SELECT 1\n;\n";
        assert_eq!(Script::read(1, foreign).unwrap().text(), foreign);
        let mut script = Script { version: 1, ..Script::default() };
        let kept = "CREATE MATERIALIZED VIEW m WITH (refresh = manual) AS SELECT 1";
        script.define(named("m"), kept, &["s".to_owned()]).unwrap();
        assert_eq!(script.defines("s", "m"), Some(Defined::Matview));
        assert_eq!(Script::read(1, &script.text()).unwrap(), script);
        assert!(Script::read(1, "CREATE VIEW 'a").is_err());
    }

    #[test]
    fn a_definition_is_replaced_renamed_and_dropped_with_its_comments() {
        let mut script = script();
        script.define(named("v"), "CREATE VIEW v AS SELECT 2", &[]).unwrap();
        assert!(script.text().contains("CREATE VIEW \"s\".\"v\" AS SELECT 2"), "{}", script.text());
        script.rename(&named("v"), &named("u"));
        assert_eq!((script.defines("s", "v"), script.defines("s", "u")), (None, Some(Defined::View)));
        assert!(script.text().contains("COMMENT ON COLUMN \"s\".\"u\".\"A\""), "{}", script.text());
        script.drop("s", "u");
        assert!(!script.text().contains("\"u\""), "{}", script.text());
        assert!(script.has_relations_in("s") && script.defines_schema("s"));
        script.drop_schema("s");
        assert!(!script.defines_schema("s") && !script.text().contains("SCHEMA"));
    }

    #[test]
    fn a_stream_has_the_name_of_no_relation() {
        let mut script = script();
        let stream = |text: &str| Stream::read(named("v"), text).unwrap();
        let text = "CREATE STREAM x (a int) INTO \"T\" FROM KAFKA WITH (topic = 't')";
        script.define_stream(&stream(text)).unwrap();
        let paused = Stream { options: stream(text).options.paused(true), ..stream(text) };
        script.define_stream(&paused).unwrap();
        assert_eq!(Script::read(3, &script.text()).unwrap(), script);
        assert_eq!((script.has_stream(&named("v")), script.defines("s", "v")), (true, Some(Defined::View)));
        assert!(script.text().contains("INTO \"s\".\"T\" FROM KAFKA WITH (topic = 't', paused = 'true')"));
        script.drop("s", "v");
        assert!(script.has_stream(&named("v")));
        script.drop_stream(&named("v"));
        assert!(!script.text().contains("STREAM"));
    }

    #[test]
    fn a_comment_is_replaced_and_taken_away() {
        let mut script = Script::default();
        let on = || Commented::Relation(named("t"));
        script.comment(on(), Some("a".to_owned()));
        script.comment(on(), Some("b".to_owned()));
        assert_eq!(script.text(), "COMMENT ON TABLE \"s\".\"t\" IS 'b'\n;\n");
        script.comment(on(), None);
        assert_eq!(script.text(), "");
    }

    #[test]
    fn what_is_granted_is_revoked() {
        let grant = |privileges: &[Privilege], columns: &[&str]| Grant {
            grantee: Grantee::Role("r".to_owned()),
            privileges: privileges.iter().copied().collect(),
            on: Granted::Relation(named("t")),
            columns: columns.iter().map(|column| (*column).to_owned()).collect(),
        };
        let told = |script: &Script| -> Vec<String> {
            script.grants().map(|grant| format!("{}{:?}", grant.privileges.letters(), grant.columns)).collect()
        };
        let mut script = Script::default();
        script.grant(grant(&[Privilege::Select], &[]));
        script.grant(grant(&[Privilege::Insert], &[]));
        script.grant(grant(&[Privilege::Select], &["a", "b"]));
        assert_eq!(told(&script), ["ar{}", "r{\"a\", \"b\"}"]);
        // One of a column leaves the others, and the whole.
        script.revoke(&grant(&[Privilege::Select], &["a"]));
        assert_eq!(told(&script), ["ar{}", "r{\"b\"}"]);
        script.revoke(&grant(&[Privilege::Select], &[]));
        assert_eq!(told(&script), ["a{}"]);
        script.drop("s", "t");
        assert!(told(&script).is_empty());
    }
}
