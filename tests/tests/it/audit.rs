//! The audit: what is written of statements and logins, and what is not.

use std::io::Write;

use lakegate_tests::flight;
use lakegate_tests::{Lake, Process, process};
use serde_json::Value;
use tempfile::NamedTempFile;
use tokio_postgres::{Client, NoTls};

use super::authentication::{PASSWORD, VERIFIER};
use super::write::until;

fn file(text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

fn roles() -> NamedTempFile {
    file(&format!(
        "policies = ['ALTER TABLE lab.t ENABLE ROW LEVEL SECURITY', 'CREATE POLICY own ON lab.t USING (b = current_user)']\n\
         [[role]]\nname = 'ann'\nverifier = '{VERIFIER}'\ngrant = ['USAGE ON SCHEMA lab', 'SELECT, INSERT ON lab.t']\n\
         [[role]]\nname = 'admin'\nverifier = '{VERIFIER}'\nsuperuser = true\n"
    ))
}

fn config(lake: &Lake, roles: &NamedTempFile, audit: &str) -> NamedTempFile {
    let listen: String =
        ["pg", "flight", "http"].iter().map(|protocol| format!("{protocol}.listen = \"127.0.0.1:0\"\n")).collect();
    file(&format!(
        "{listen}sql_dir = \"no-sql-folder\"\nauth.roles_file = {:?}\nlog.json = true\nlog.filter = \"audit=info\"\n{audit}\n\
         [lake]\nmanifest = false\npoll_interval_ms = 3600000\nsources = [{{ url = {:?}, writable = true }}]\n",
        roles.path().to_str().unwrap(),
        lake.path().to_str().unwrap()
    ))
}

async fn connect(process: &Process, role: &str, password: &str) -> Result<Client, tokio_postgres::Error> {
    let mut config = tokio_postgres::Config::new();
    config.host("127.0.0.1").port(process.pg_addr().port()).user(role).password(password).dbname("lakegate");
    let (client, connection) = config.connect(NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// What a server writes of a handful of statements, each as its fields in this order.
async fn written(test: &str, audit: &str) -> Vec<String> {
    let (lake, log) = (Lake::default(), NamedTempFile::new().unwrap());
    let roles = roles();
    let config = config(&lake, &roles, audit);
    let process = Process::logged(test, config.path(), log.reopen().unwrap());
    assert!(connect(&process, "ann", "hunter2").await.is_err());
    let admin = connect(&process, "admin", PASSWORD).await.unwrap();
    for sql in
        ["CREATE SCHEMA lab", "CREATE TABLE lab.t (a int, b text)", "INSERT INTO lab.t VALUES (1, 'ann'), (2, 'bob')"]
    {
        admin.simple_query(sql).await.unwrap();
    }
    let ann = connect(&process, "ann", PASSWORD).await.unwrap();
    ann.simple_query("SELECT 'hunter2' FROM lab.t x, lab.t y").await.unwrap();
    ann.simple_query("INSERT INTO lab.t VALUES (3, 'hunter2')").await.unwrap_err();
    ann.simple_query("PREPARE p AS INSERT INTO lab.t SELECT a, b FROM lab.t; EXECUTE p").await.unwrap();
    ann.simple_query("DELETE FROM lab.t WHERE b = 'hunter2'").await.unwrap_err();
    let mut client = flight::Client::open(process.flight_addr()).await;
    client.handshake(Some(&super::flight::basic("ann", PASSWORD))).await.unwrap();
    client.query("SELECT a FROM lab.t").await.unwrap();
    let text = || std::fs::read_to_string(log.path()).unwrap();
    admin.simple_query("DROP TABLE lab.t").await.unwrap();
    until(|| text().contains("\"DROP TABLE\"")).await;
    let fields =
        ["message", "role", "protocol", "kind", "reads", "writes", "policies", "rows", "sqlstate", "statement"];
    let lines = text();
    let told = lines.lines().map(|line| {
        let record: Value = serde_json::from_str(line).unwrap();
        assert_eq!((&record["target"], &record["fields"]["database"]), (&"audit".into(), &"lakegate".into()), "{line}");
        assert_eq!(record["fields"]["client"], "127.0.0.1", "{line}");
        let shown = fields.map(|field| match &record["fields"][field] {
            Value::Null => "-".to_owned(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        });
        shown.join("|").trim_end_matches("|-").to_owned()
    });
    told.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_is_told_with_its_relations_and_policies_and_without_literals() {
    if process::serves().await {
        return;
    }
    let test = "audit::a_statement_is_told_with_its_relations_and_policies_and_without_literals";
    let told = written(test, "audit.level = \"all\"").await;
    assert!(!told.iter().any(|line| line.contains("hunter2")), "{told:#?}");
    assert_eq!(
        told,
        [
            "login|ann|postgresql|-|-|-|-|-|28P01",
            "login|admin|postgresql|-|-|-|-|-|00000",
            "statement|admin|postgresql|CREATE SCHEMA||||0|00000",
            "statement|admin|postgresql|CREATE TABLE||lab.t||0|00000",
            "statement|admin|postgresql|INSERT||lab.t||2|00000",
            "login|ann|postgresql|-|-|-|-|-|00000",
            "statement|ann|postgresql|SELECT|lab.t||own on lab.t|1|00000",
            "statement|ann|postgresql|INSERT||lab.t|own on lab.t|0|42501",
            "statement|ann|postgresql|PREPARE||||0|00000",
            "statement|ann|postgresql|INSERT|lab.t|lab.t|own on lab.t|1|00000",
            "statement|ann|postgresql|DELETE||||0|42501",
            "login|ann|flight|-|-|-|-|-|00000",
            "statement|ann|flight|SELECT|lab.t||own on lab.t|2|00000",
            "statement|admin|postgresql|DROP TABLE||lab.t||0|00000",
        ]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_alone_are_told_with_their_texts_where_that_is_asked_for() {
    if process::serves().await {
        return;
    }
    let test = "audit::writes_alone_are_told_with_their_texts_where_that_is_asked_for";
    let told = written(test, "audit.level = \"writes\"\naudit.statements = true").await;
    assert!(told.iter().all(|line| !line.contains("|SELECT|") && !line.contains("|PREPARE|")), "{told:#?}");
    let inserted =
        "statement|ann|postgresql|INSERT||lab.t|own on lab.t|0|42501|INSERT INTO lab.t VALUES (3, 'hunter2')";
    assert!(told.iter().any(|line| line == inserted), "{told:#?}");
    assert_eq!(told.iter().filter(|line| line.starts_with("login|")).count(), 4, "{told:#?}");
}
