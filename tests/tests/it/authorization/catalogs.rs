//! What the catalogs tell a role: what it may do, and of tables that it may not read neither keys nor values.

use arrow::array::AsArray;
use arrow_flight::sql::CommandGetTables;
use lakegate_tests::flight;

use super::{ADMIN, Model, OBJECTS, ROLES, column, connect, outcome, started};
use crate::authentication::PASSWORD;

const PRIVILEGES: [&str; 5] = ["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn has_table_privilege_tells_what_is_granted() {
    let (server, model) = (started().await, Model::new());
    let admin = connect(&server, ADMIN).await;
    for role in ROLES {
        let own = connect(&server, role.name).await;
        for object in OBJECTS {
            let name = format!("{}.\"{}\"", object.schema, object.name);
            let asked = PRIVILEGES.map(|privilege| format!("has_table_privilege('{name}', '{privilege}')::text"));
            let by_other = PRIVILEGES.map(|privilege| {
                format!("has_table_privilege('{}', '{name}'::regclass::oid, '{privilege}')::text", role.name)
            });
            let expect = PRIVILEGES.map(|privilege| model.holds(role.name, *object, privilege).to_string()).join(",");
            let ask = |list: [String; 5]| format!("SELECT concat_ws(',', {})", list.join(", "));
            assert_eq!(column(&own, &ask(asked)).await, [expect.as_str()], "{} of {name}", role.name);
            assert_eq!(column(&admin, &ask(by_other)).await, [expect.as_str()], "{} of {name}", role.name);
        }
        for schema in ["shop", "weather", "public"] {
            let sql = format!("SELECT has_schema_privilege('{schema}', 'USAGE')::text");
            assert_eq!(column(&own, &sql).await, [model.uses(role.name, schema).to_string()], "{}: {sql}", role.name);
        }
        let sql = "SELECT has_schema_privilege('shop', 'CREATE')::text";
        assert_eq!(column(&own, sql).await, ["false"], "{}", role.name);
    }
    let asked = "SELECT pg_has_role('deep', 'writer', 'USAGE')::text || pg_has_role('writer', 'deep', 'MEMBER')::text";
    assert_eq!(column(&admin, asked).await, ["truefalse"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn information_schema_shows_what_a_role_may_do_something_with() {
    let (server, model) = (started().await, Model::new());
    for role in ROLES.iter().map(|role| role.name).chain([ADMIN]) {
        let client = connect(&server, role).await;
        let expect = |is_seen: &dyn Fn(super::Object) -> bool| {
            let seen = OBJECTS.iter().filter(|object| is_seen(**object));
            let mut seen: Vec<String> = seen.map(|object| format!("{}.{}", object.schema, object.name)).collect();
            seen.sort();
            seen
        };
        let any = expect(&|object| PRIVILEGES.iter().any(|privilege| model.holds(role, object, privilege)));
        let of_lake = "table_schema IN ('shop', 'weather', 'public') AND table_name <> 'observations'";
        for relation in ["tables", "columns"] {
            let sql = format!(
                "SELECT DISTINCT table_schema || '.' || table_name FROM information_schema.{relation} WHERE {of_lake}"
            );
            assert_eq!(column(&client, &sql).await, any, "{role}: {relation}");
        }
        let readable = expect(&|object| model.missing(role, object, "SELECT").is_none());
        let files: Vec<String> = readable.iter().filter(|name| !name.starts_with("shop.big")).cloned().collect();
        let sql = "SELECT DISTINCT schema || '.' || \"table\" FROM system.objects WHERE \"table\" <> 'observations'";
        assert_eq!(column(&client, sql).await, files, "{role}");
        let sql = "SELECT schema || '.' || name FROM system.tables WHERE name <> 'observations'";
        assert_eq!(column(&client, sql).await, readable, "{role}");
        let sql = "SELECT DISTINCT source_table FROM system.matview_lineage";
        let is_told =
            model.missing(role, OBJECTS[6], "SELECT").is_none() && model.missing(role, OBJECTS[7], "SELECT").is_none();
        let lineage = if is_told { vec!["weather.stations".to_owned()] } else { Vec::new() };
        assert_eq!(column(&client, sql).await, lineage, "{role}");
        let views = "SELECT count(view_definition)::text FROM information_schema.views WHERE table_schema = 'shop'";
        assert_eq!(column(&client, views).await, [if role == ADMIN { "2" } else { "0" }], "{role}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn access_control_lists_are_those_of_postgresql() {
    let server = started().await;
    let client = connect(&server, "nobody").await;
    for (sql, expect) in [
        (
            "SELECT relacl::text FROM pg_class WHERE oid = 'shop.orders'::regclass",
            "{admin=arwdDxtm/admin,all_of_shop=r/admin,blind=arwdDxtm/admin,orders=r/admin}",
        ),
        (
            "SELECT relacl::text FROM pg_class WHERE oid = 'public.loose'::regclass",
            "{admin=arwdDxtm/admin,orders=r/admin}",
        ),
        ("SELECT relacl::text FROM pg_class WHERE oid = 'weather.observations'::regclass", "NULL"),
        ("SELECT nspacl::text FROM pg_namespace WHERE nspname = 'weather'", "{admin=UC/admin,looker=U/admin}"),
        ("SELECT nspacl::text FROM pg_namespace WHERE nspname = 'public'", "{admin=UC/admin,=U/admin}"),
        (
            "SELECT string_agg(m.rolname, ',' ORDER BY m.rolname) FROM pg_auth_members a \
             JOIN pg_roles m ON m.oid = a.member JOIN pg_roles g ON g.oid = a.roleid WHERE g.rolname = 'looker'",
            "all_of_shop,editor,orders",
        ),
        ("SELECT string_agg(role_name, ',' ORDER BY role_name) FROM information_schema.enabled_roles", "nobody"),
        (
            "SELECT string_agg(grantee || ' ' || privilege_type, ',' ORDER BY grantee, privilege_type) \
             FROM information_schema.table_privileges WHERE table_schema = 'shop' AND table_name = 'offers'",
            "PUBLIC SELECT",
        ),
    ] {
        assert_eq!(column(&client, sql).await, [expect], "{sql}");
    }
    let writer = connect(&server, "member").await;
    let sql = "SELECT grantee || ' ' || privilege_type FROM information_schema.role_table_grants \
               WHERE table_schema = 'shop' AND table_name = 'sink'";
    assert_eq!(column(&writer, sql).await, ["all_of_shop SELECT", "writer INSERT"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_error_tells_nothing_of_a_table_that_may_not_be_read() {
    let server = started().await;
    let client = connect(&server, "looker").await;
    // Neither a column that is not there nor a cast that fails comes first.
    for sql in ["SELECT nothing FROM shop.orders", "SELECT 1 / 0 FROM shop.orders", "SELECT item::int FROM shop.orders"]
    {
        let end = outcome(&client, sql).await;
        assert_eq!(end, ("42501".into(), "permission denied for table orders".into()), "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flight_tells_no_columns_of_a_table_that_may_not_be_read() {
    let server = started().await;
    let mut client = flight::Client::open(server.server.flight_addr()).await;
    client.handshake(Some(&crate::flight::basic("orders", PASSWORD))).await.unwrap();
    let asked = |table: &str| CommandGetTables {
        db_schema_filter_pattern: Some("shop".to_owned()),
        table_name_filter_pattern: Some(table.to_owned()),
        include_schema: true,
        ..Default::default()
    };
    let mut told = Vec::new();
    for table in ["orders", "sink"] {
        let rows = client.rows(&asked(table)).await.unwrap();
        let schema = rows.batches[0].column_by_name("table_schema").unwrap().as_binary::<i32>().value(0).len();
        told.push(schema);
    }
    assert!(told[0] > 2 * told[1], "{told:?}");
}
