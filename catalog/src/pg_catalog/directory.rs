//! Every schema and relation of a snapshot with its OID, in both directions.
//!
//! Owns: how OIDs are given. Must never know: a file of the lake, or who asks.
//!
//! OIDs of PostgreSQL's own objects are PostgreSQL's. Those of the lake are a hash of the name, so that they are the
//! same after a restart and on every replica; names that meet in one OID are moved on in their alphabetical order.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, Tokenizer};

use super::columns::{self, RelationDef};
use super::types;
use crate::definition::{Commented, Name};
use crate::snapshot::{Kind, Snapshot, Table};

/// The role that owns everything: PostgreSQL's bootstrap superuser.
pub(crate) const OWNER: u32 = 10;
/// The database's OID: the first that PostgreSQL gives to an object of a user.
pub(crate) const DATABASE: u32 = 16384;
pub(crate) const PG_CATALOG: u32 = 11;
pub(crate) const PUBLIC: u32 = 2200;
const HASHED_MIN: u32 = 16385;
const HASHED_MAX: u32 = i32::MAX as u32;

#[derive(Debug)]
pub(crate) struct Directory {
    pub(crate) schemas: Vec<SchemaEntry>,
    pub(crate) relations: Vec<RelationEntry>,
    by_oid: HashMap<u32, usize>,
    by_type: HashMap<u32, usize>,
    by_name: HashMap<(Arc<str>, Arc<str>), usize>,
}

#[derive(Debug)]
pub(crate) struct SchemaEntry {
    pub(crate) oid: u32,
    pub(crate) name: Arc<str>,
    pub(crate) comment: Option<Cow<'static, str>>,
}

#[derive(Debug)]
pub(crate) struct RelationEntry {
    pub(crate) oid: u32,
    pub(crate) schema_oid: u32,
    pub(crate) schema: Arc<str>,
    pub(crate) name: Arc<str>,
    /// The type of its rows and the type of arrays of those; 0 where there is none.
    pub(crate) row_type: u32,
    pub(crate) row_array: u32,
    pub(crate) comment: Option<String>,
    pub(crate) source: Source,
}

/// Where a relation's columns and rows are from.
#[derive(Debug)]
pub(crate) enum Source {
    /// The server's own schemas.
    Server(&'static RelationDef),
    /// The lake.
    Lake(Arc<Table>),
}

impl RelationEntry {
    /// Whether SQL may change its rows.
    pub(crate) fn is_writable(&self) -> bool {
        matches!(&self.source, Source::Lake(table) if table.is_writable() && table.matview.is_none())
    }

    /// `pg_class.relkind`.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.source {
            Source::Server(relation) => relation.kind,
            Source::Lake(table) => match table.kind {
                _ if table.matview.is_some() => "m",
                Kind::Lake(_) => "r",
                Kind::View(_) => "v",
            },
        }
    }

    /// Whether it has rows to be read: a materialized view may have none yet.
    pub(crate) fn is_populated(&self) -> bool {
        !matches!(&self.source, Source::Lake(table) if table.matview.is_some() && matches!(table.kind, Kind::View(_)))
    }

    pub(crate) fn table(&self) -> Option<&Arc<Table>> {
        match &self.source {
            Source::Server(_) => None,
            Source::Lake(table) => Some(table),
        }
    }

    /// The query of a view of the lake, as a statement that ends with a semicolon.
    pub(crate) fn definition(&self) -> Option<String> {
        Some(format!(" {};", view_query(self.view_sql()?)))
    }

    /// The SQL of a view of the lake.
    fn view_sql(&self) -> Option<&str> {
        self.table()?.query().map(|view| view.sql.as_str())
    }
}

/// The server's own schemas: name, OID, remark.
const SCHEMAS: [(&str, u32, &str); 5] = [
    ("information_schema", 13207, ""),
    ("pg_catalog", PG_CATALOG, "system catalog schema"),
    ("pg_toast", 99, "reserved schema for TOAST tables"),
    ("public", PUBLIC, "standard public schema"),
    ("system", 13900, "what the server knows of its lake"),
];

/// The directory of the newest snapshot; most statements see the same one.
static LAST: Mutex<Option<(Weak<Snapshot>, Arc<Directory>)>> = Mutex::new(None);

impl Directory {
    pub(crate) fn of(snapshot: &Arc<Snapshot>) -> Arc<Self> {
        // The `Weak` keeps the address from being used again.
        if let Some((last, directory)) = LAST.lock().as_ref()
            && std::ptr::eq(last.as_ptr(), Arc::as_ptr(snapshot))
        {
            return Arc::clone(directory);
        }
        let directory = Arc::new(Self::build(snapshot));
        *LAST.lock() = Some((Arc::downgrade(snapshot), Arc::clone(&directory)));
        directory
    }

    fn build(snapshot: &Snapshot) -> Self {
        let mut oids = Oids::default();
        let mut schemas: BTreeMap<Arc<str>, SchemaEntry> = BTreeMap::new();
        let given = |on: Commented| snapshot.comments.get(&on).cloned();
        for (name, oid, comment) in SCHEMAS {
            let comment = given(Commented::Schema(name.to_owned())).map(Cow::Owned).unwrap_or(Cow::Borrowed(comment));
            let name: Arc<str> = name.into();
            let comment = Some(comment).filter(|comment| !comment.is_empty());
            schemas.insert(Arc::clone(&name), SchemaEntry { oid: oids.fixed(oid), name, comment });
        }
        for relation in columns::all() {
            oids.fixed(relation.oid);
        }
        for name in snapshot.schemas.keys() {
            let name: Arc<str> = name.as_str().into();
            let comment = given(Commented::Schema(name.to_string())).map(Cow::Owned);
            let entry = || SchemaEntry { oid: oids.hashed(&name), name: Arc::clone(&name), comment };
            schemas.entry(Arc::clone(&name)).or_insert_with(entry);
        }
        let oid_of = |schema: &str| schemas.get(schema).map_or(0, |schema| schema.oid);
        let mut relations: Vec<RelationEntry> = columns::all().iter().map(|def| own(def, oid_of(def.schema))).collect();
        for (schema, tables) in snapshot.schemas.iter().filter(|(schema, _)| !is_own(schema)) {
            let (schema_oid, schema): (u32, Arc<str>) = (oid_of(schema), schema.as_str().into());
            for (name, table) in tables {
                let named = Name { schema: schema.to_string(), name: name.clone() };
                relations.push(RelationEntry {
                    comment: given(Commented::Relation(named)),
                    oid: oids.hashed(&format!("{schema}.{name}")),
                    row_type: oids.hashed(&format!("type {schema}.{name}")),
                    row_array: oids.hashed(&format!("type {schema}.{name}[]")),
                    schema_oid,
                    schema: Arc::clone(&schema),
                    name: name.as_str().into(),
                    source: Source::Lake(Arc::clone(table)),
                });
            }
        }
        Self::indexed(schemas.into_values().collect(), relations)
    }

    fn indexed(schemas: Vec<SchemaEntry>, relations: Vec<RelationEntry>) -> Self {
        let by_oid = relations.iter().enumerate().map(|(at, relation)| (relation.oid, at)).collect();
        let lake = relations.iter().enumerate().filter(|(_, relation)| relation.row_array != 0);
        let by_type = lake.flat_map(|(at, of)| [(of.row_type, at), (of.row_array, at)]).collect();
        let by_name = relations
            .iter()
            .enumerate()
            .map(|(at, relation)| ((Arc::clone(&relation.schema), Arc::clone(&relation.name)), at))
            .collect();
        Self { schemas, relations, by_oid, by_type, by_name }
    }

    pub(crate) fn relation(&self, oid: u32) -> Option<&RelationEntry> {
        self.by_oid.get(&oid).and_then(|at| self.relations.get(*at))
    }

    /// The relation of the lake whose rows, or arrays of whose rows, have this type.
    pub(crate) fn of_type(&self, oid: u32) -> Option<&RelationEntry> {
        self.by_type.get(&oid).and_then(|at| self.relations.get(*at))
    }

    pub(crate) fn named(&self, schema: &str, name: &str) -> Option<&RelationEntry> {
        self.by_name.get(&(schema.into(), name.into())).and_then(|at| self.relations.get(*at))
    }

    /// The relation whose name is the same but for the case of letters, if there is only one.
    pub(crate) fn named_in_any_case(&self, schema: &str, name: &str) -> Option<&RelationEntry> {
        let name = name.to_lowercase();
        let mut found = self
            .relations
            .iter()
            .filter(|relation| relation.schema.as_ref() == schema && relation.name.to_lowercase() == name);
        found.next().filter(|_| found.next().is_none())
    }

    pub(crate) fn schema(&self, name: &str) -> Option<&SchemaEntry> {
        self.schemas.iter().find(|schema| schema.name.as_ref() == name)
    }

    pub(crate) fn schema_of_oid(&self, oid: u32) -> Option<&SchemaEntry> {
        self.schemas.iter().find(|schema| schema.oid == oid)
    }
}

/// The query of `CREATE VIEW name AS query`. Only the name and a list of columns in parentheses stand before `AS`.
fn view_query(sql: &str) -> String {
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, sql).with_unescape(false).tokenize().unwrap_or_default();
    let is = |token: &Token, keyword| matches!(token, Token::Word(word) if word.keyword == keyword);
    // Comments are white space here; one at the end would swallow a semicolon after it.
    let is_blank = |token: &Token| matches!(token, Token::Whitespace(_) | Token::SemiColon);
    let first = tokens.iter().position(|token| !is_blank(token)).unwrap_or_default();
    let end = tokens.iter().rposition(|token| !is_blank(token)).map_or(0, |last| last + 1);
    let mut depth = 0_i32;
    let after_as = tokens.iter().position(|token| {
        match token {
            Token::LParen => depth += 1,
            Token::RParen => depth -= 1,
            _ => {}
        }
        depth == 0 && is(token, Keyword::AS)
    });
    let start = match (tokens.get(first), after_as) {
        (Some(token), Some(at)) if is(token, Keyword::CREATE) => at + 1,
        _ => first,
    };
    let query: String = tokens.iter().take(end).skip(start).map(ToString::to_string).collect();
    query.trim().to_owned()
}

fn own(def: &'static RelationDef, schema_oid: u32) -> RelationEntry {
    RelationEntry {
        oid: def.oid,
        schema_oid,
        schema: def.schema.into(),
        name: def.name.into(),
        row_type: types::row_type(def.oid),
        row_array: 0,
        comment: None,
        source: Source::Server(def),
    }
}

/// Schemas that belong to the server: a folder of the lake with such a name cannot replace them.
fn is_own(schema: &str) -> bool {
    matches!(schema, "pg_catalog" | "information_schema" | "system" | "pg_toast")
}

/// The OID of a role: roles have no order but their names.
pub(crate) fn role_oid(name: &str) -> u32 {
    fold(&format!("role {name}"))
}

#[derive(Default)]
struct Oids {
    taken: HashSet<u32>,
}

impl Oids {
    fn fixed(&mut self, oid: u32) -> u32 {
        self.taken.insert(oid);
        oid
    }

    fn hashed(&mut self, name: &str) -> u32 {
        let mut oid = fold(name);
        while !self.taken.insert(oid) {
            oid = if oid == HASHED_MAX { HASHED_MIN } else { oid + 1 };
        }
        oid
    }
}

/// FNV-1a of 64 bits, folded into the OIDs that PostgreSQL gives to the objects of users.
fn fold(name: &str) -> u32 {
    let hash = name
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    let range = u64::from(HASHED_MAX - HASHED_MIN) + 1;
    HASHED_MIN + u32::try_from(hash % range).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Clients keep OIDs: these may never change.
    #[test]
    fn oids_are_stable() {
        assert_eq!(Oids::default().hashed("weather.stations"), 1_404_499_576);
    }

    #[test]
    fn a_view_is_defined_by_its_query() {
        for (sql, query) in [
            ("CREATE VIEW a.b AS SELECT 1 AS x", "SELECT 1 AS x"),
            ("-- why\nCREATE OR REPLACE VIEW v (a, \"as\") AS\n  SELECT 'it''s' -- so\n;", "SELECT 'it''s'"),
            ("SELECT a AS b FROM t;", "SELECT a AS b FROM t"),
        ] {
            assert_eq!(view_query(sql), query);
        }
    }

    #[test]
    fn names_that_meet_move_on() {
        let mut oids = Oids::default();
        let first = oids.hashed("a");
        assert_eq!(oids.hashed("a"), first + 1);
    }

    #[test]
    fn oids_of_the_servers_own_relations_are_unique() {
        let mut seen = HashSet::new();
        for relation in columns::all() {
            assert!(seen.insert(relation.oid), "{}.{}", relation.schema, relation.name);
            assert!(relation.oid < DATABASE);
        }
    }
}
