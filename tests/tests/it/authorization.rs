//! Who may do what: the roles file's grants over every door, against a model that knows nothing of the server.

mod catalogs;
mod columns;
mod grants;
mod masks;
mod matrix;
mod policies;
mod reload;
mod writes;

use std::collections::HashMap;

use lakegate_tests::{Lake, TestServer, server};
use tokio_postgres::{Client, NoTls};

use crate::authentication::{PASSWORD, VERIFIER};

/// A relation of the lake that the tests ask for.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Object {
    schema: &'static str,
    name: &'static str,
    /// As messages of PostgreSQL call it.
    kind: &'static str,
}

const fn object(schema: &'static str, name: &'static str, kind: &'static str) -> Object {
    Object { schema, name, kind }
}

const OBJECTS: &[Object] = &[
    object("shop", "orders", "table"),
    object("shop", "Mixed Case", "table"),
    object("shop", "offers", "table"),
    object("shop", "sink", "table"),
    object("shop", "big", "view"),
    object("shop", "bigger", "view"),
    object("shop", "totals", "materialized view"),
    object("weather", "stations", "table"),
    object("public", "loose", "table"),
];

/// A role: what it is a member of, and its lines of `grant`.
struct Role {
    name: &'static str,
    member_of: &'static [&'static str],
    grant: &'static [&'static str],
}

const TO_PUBLIC: &[&str] = &["SELECT ON shop.offers"];

const ROLES: &[Role] = &[
    Role { name: "nobody", member_of: &[], grant: &[] },
    Role { name: "looker", member_of: &[], grant: &["USAGE ON SCHEMA shop, weather"] },
    Role { name: "orders", member_of: &["looker"], grant: &["SELECT ON shop.orders, public.loose"] },
    Role {
        name: "viewer",
        member_of: &[],
        grant: &["USAGE ON SCHEMA shop", "SELECT ON shop.big, shop.bigger, shop.totals"],
    },
    Role { name: "mixed", member_of: &[], grant: &["USAGE ON SCHEMA shop", "SELECT ON shop.\"Mixed Case\""] },
    Role { name: "all_of_shop", member_of: &["looker"], grant: &["SELECT ON ALL TABLES IN SCHEMA shop"] },
    Role { name: "member", member_of: &["all_of_shop", "writer"], grant: &[] },
    Role { name: "deep", member_of: &["member"], grant: &["SELECT ON weather.stations"] },
    Role { name: "writer", member_of: &[], grant: &["USAGE ON SCHEMA shop", "INSERT ON shop.sink"] },
    Role { name: "editor", member_of: &["looker"], grant: &["SELECT, INSERT, UPDATE, DELETE ON shop.sink"] },
    Role {
        name: "blind",
        member_of: &[],
        grant: &["SELECT ON weather.stations, shop.orders, shop.sink", "ALL ON ALL TABLES IN SCHEMA shop"],
    },
];

const ADMIN: &str = "admin";

/// What the roles may do, read from their lines without the server's help.
struct Model {
    /// `role schema.relation PRIVILEGE`, `role SCHEMA schema PRIVILEGE`.
    held: HashMap<String, Vec<(String, String)>>,
}

impl Model {
    fn new() -> Self {
        let mut held: HashMap<String, Vec<(String, String)>> = HashMap::new();
        for role in ROLES {
            let mut lines: Vec<&str> = TO_PUBLIC.to_vec();
            let mut next = vec![role.name];
            while let Some(name) = next.pop() {
                let of = ROLES.iter().find(|role| role.name == name).unwrap();
                lines.extend(of.grant);
                next.extend(of.member_of);
            }
            held.insert(role.name.to_owned(), lines.iter().flat_map(|line| pairs(line)).collect());
        }
        Self { held }
    }

    fn has(&self, role: &str, on: &str, privilege: &str) -> bool {
        role == ADMIN
            || (on == "SCHEMA public" && privilege == "USAGE")
            || self.held[role].iter().any(|(known, held)| known == on && held == privilege)
    }

    fn uses(&self, role: &str, schema: &str) -> bool {
        self.has(role, &format!("SCHEMA {schema}"), "USAGE")
    }

    fn holds(&self, role: &str, object: Object, privilege: &str) -> bool {
        self.has(role, &format!("{}.{}", object.schema, object.name), privilege)
    }

    /// What is missing for a privilege on a relation, in PostgreSQL's words.
    fn missing(&self, role: &str, object: Object, privilege: &str) -> Option<String> {
        if !self.uses(role, object.schema) {
            return Some(format!("permission denied for schema {}", object.schema));
        }
        let denied = || format!("permission denied for {} {}", object.kind, object.name);
        (!self.holds(role, object, privilege)).then(denied)
    }
}

/// Objects and privileges of one line.
fn pairs(line: &str) -> Vec<(String, String)> {
    let (privileges, on) = line.split_once(" ON ").unwrap();
    let privileges: Vec<&str> = match privileges {
        "ALL" => vec!["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "MAINTAIN"],
        list => list.split(", ").collect(),
    };
    let objects: Vec<String> = match (on.strip_prefix("SCHEMA "), on.strip_prefix("ALL TABLES IN SCHEMA ")) {
        (Some(schemas), _) => schemas.split(", ").map(|schema| format!("SCHEMA {schema}")).collect(),
        (_, Some(schema)) => {
            let of = OBJECTS.iter().filter(|object| object.schema == schema);
            of.map(|object| format!("{}.{}", object.schema, object.name)).collect()
        }
        _ => on.split(", ").map(|name| name.replace('"', "")).collect(),
    };
    objects.iter().flat_map(|on| privileges.iter().map(|held| (on.clone(), (*held).to_owned()))).collect()
}

fn roles_file(of: &[Role], to_public: &[&str]) -> String {
    let list = |items: &[&str]| items.iter().map(|item| format!("'{item}'")).collect::<Vec<_>>().join(", ");
    let mut file = format!("grant_to_public = [{}]\n", list(to_public));
    for role in of {
        file += &format!(
            "[[role]]\nname = \"{}\"\nverifier = \"{VERIFIER}\"\nmember_of = [{}]\ngrant = [{}]\n",
            role.name,
            list(role.member_of),
            list(role.grant)
        );
    }
    file + &format!("[[role]]\nname = \"{ADMIN}\"\nverifier = \"{VERIFIER}\"\nsuperuser = true\n")
}

/// A server whose lake may be written, with a roles file.
async fn with_roles_file(lake: &Lake, text: &str) -> TestServer {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
    let mut config = server::config_writable(lake);
    config.pg.max_connections = 200;
    config.auth.roles_file = Some(file.path().to_owned());
    TestServer::with(config).await.keeping(lake)
}

/// The lake of [`OBJECTS`].
async fn started() -> TestServer {
    let lake = Lake::sample();
    lake.write("shop/Mixed Case.csv", "a,b\n1,x\n");
    lake.write("shop/offers.csv", "a,b\n1,x\n");
    lake.write("loose.csv", "a,b\n1,x\n");
    let server = with_roles_file(&lake, &roles_file(ROLES, TO_PUBLIC)).await;
    let admin = connect(&server, ADMIN).await;
    for sql in [
        "CREATE TABLE shop.sink (a bigint, b text)",
        "INSERT INTO shop.sink VALUES (1, 'x')",
        "CREATE VIEW shop.big AS SELECT * FROM shop.orders",
        "CREATE VIEW shop.bigger AS SELECT b.*, s.* FROM shop.big b CROSS JOIN weather.stations s",
        "CREATE MATERIALIZED VIEW shop.totals AS SELECT count(*) AS n FROM weather.stations",
    ] {
        assert_eq!(outcome(&admin, sql).await, ("00000".into(), String::new()), "{sql}");
    }
    server
}

async fn connect(server: &TestServer, role: &str) -> Client {
    let mut config = server.driver();
    let (client, connection) = config.user(role).password(PASSWORD).connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// How a text ends: the SQLSTATE and the message, or `00000`.
async fn outcome(client: &Client, sql: &str) -> (String, String) {
    told(client.simple_query(sql).await)
}

fn told<T>(result: Result<T, tokio_postgres::Error>) -> (String, String) {
    match result {
        Ok(_) => ("00000".to_owned(), String::new()),
        Err(error) => match error.as_db_error() {
            Some(error) => (error.code().code().to_owned(), error.message().to_owned()),
            None => ("?".to_owned(), error.to_string()),
        },
    }
}

/// The first column of all rows, sorted.
async fn column(client: &Client, sql: &str) -> Vec<String> {
    let rows = client.simple_query(sql).await.unwrap();
    let mut values: Vec<String> = rows
        .iter()
        .filter_map(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or("NULL").to_owned()),
            _ => None,
        })
        .collect();
    values.sort();
    values
}
