//! The catalogs through SQL, over a small lake whose tables tell when their columns are asked for.

mod lake;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use async_trait::async_trait;
use chrono::Utc;
use datafusion::catalog::{CatalogProvider, MemoryCatalogProvider, MemorySchemaProvider, SchemaProvider};
use datafusion::common::DataFusionError;
use datafusion::prelude::{SessionConfig, SessionContext};
use parking_lot::Mutex;

use super::*;
use crate::definition::{Commented, Name};
use crate::snapshot::{self, Kind, Snapshot, Table};

/// Knows every table but `broken`, and remembers who was asked for.
#[derive(Debug, Default)]
struct Columns {
    asked: Mutex<Vec<String>>,
}

#[async_trait]
impl ColumnSource for Columns {
    async fn columns(&self, table: &Table) -> Result<SchemaRef, crate::Error> {
        self.asked.lock().push(table.name.clone());
        if table.name == "broken" {
            let reason = "not a table".to_owned();
            return Err(crate::Error::View { view: table.name.clone(), reason });
        }
        Ok(Arc::new(Schema::new(vec![
            Field::new("station", DataType::Utf8View, false),
            Field::new("at", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), true),
            Field::new("Price", DataType::Decimal128(10, 2), true),
            Field::new("tags", DataType::List(Arc::new(Field::new("item", DataType::Utf8, true))), true),
        ])))
    }
}

struct Fixture {
    columns: Arc<Columns>,
    view: Arc<View>,
    context: SessionContext,
}

fn table(schema: &str, name: &str) -> (String, Arc<Table>) {
    let kind = Kind::View(snapshot::View {
        sql: format!("CREATE VIEW {name} AS SELECT * FROM {name}_files;"),
        search_path: None,
        file: format!("{name}.sql"),
    });
    (name.to_owned(), Arc::new(Table { schema: schema.to_owned(), name: name.to_owned(), kind, matview: None }))
}

fn fixture() -> Fixture {
    let public = BTreeMap::from([table("public", "weather"), table("public", "broken"), table("public", "MixedCase")]);
    let climate = BTreeMap::from([table("climate", "weather"), table("climate", "co2")]);
    let schemas = BTreeMap::from([("public".to_owned(), public), ("climate".to_owned(), climate)]);
    let columns = Arc::new(Columns::default());
    let comments = ["public", "climate"].map(|schema| {
        let name = Name { schema: schema.to_owned(), name: "weather".to_owned() };
        (Commented::Relation(name), "what the sky did".to_owned())
    });
    let comments = Arc::new(BTreeMap::from(comments));
    let (script, streams, sources, skipped, prose) = Default::default();
    let (version, taken_at) = (1, Utc::now());
    let snapshot = Snapshot { version, taken_at, schemas, comments, script, streams, sources, skipped, prose };
    let (view, context) = context(Arc::new(snapshot), Arc::<Columns>::clone(&columns));
    Fixture { columns, view, context }
}

/// A context that has every relation and function, as `ann` with the path `public` sees them.
fn context(snapshot: Arc<Snapshot>, columns: Arc<dyn ColumnSource>) -> (Arc<View>, SessionContext) {
    let role = |name: &str, superuser| RoleFact {
        name: name.to_owned(),
        superuser,
        login: true,
        connection_limit: -1,
        member_of: Vec::new(),
    };
    let server = ServerFacts {
        roles: vec![role("ann", false), role("root", true)],
        access: Arc::default(),
        settings: Lazily::new(|| {
            vec![SettingFact { name: "TimeZone".into(), setting: "UTC".into(), ..Default::default() }]
        }),
        prepared: Lazily::new(Vec::new),
        cursors: Lazily::new(Vec::new),
        matviews: Lazily::new(Vec::new),
        streams: Lazily::new(Vec::new),
        queries: Lazily::new(Vec::new),
        activity: Lazily::new(|| {
            vec![ActivityFact { pid: 7, user: "ann".into(), query: "SELECT 1".into(), ..Default::default() }]
        }),
        started_at: Utc::now(),
    };
    let view = Arc::new(View {
        snapshot,
        database: "lakegate".to_owned(),
        user: "ann".to_owned(),
        search_path: vec!["public".to_owned()],
        server: Arc::new(server),
        columns,
        column_comments: ColumnComments::default(),
    });
    let context = SessionContext::new_with_config(SessionConfig::new().with_default_catalog_and_schema("l", "public"));
    let catalog = MemoryCatalogProvider::new();
    for schema in ["public", "pg_catalog", "information_schema", "system"] {
        let provider = MemorySchemaProvider::new();
        for name in relation_names(schema) {
            let relation = relation(&view, schema, name).unwrap();
            provider.register_table(name.to_owned(), relation).unwrap();
        }
        catalog.register_schema(schema, Arc::new(provider)).unwrap();
    }
    context.register_catalog("l", Arc::new(catalog));
    for function in function_names().into_iter().filter_map(|name| function(name, &view)) {
        context.register_udf(function.as_ref().clone());
    }
    (view, context)
}

impl Fixture {
    async fn batches(&self, sql: &str) -> Result<Vec<arrow::array::RecordBatch>, DataFusionError> {
        self.context.sql(sql).await?.collect().await
    }

    async fn rows(&self, sql: &str) -> Vec<String> {
        rows(&self.context, sql).await
    }

    async fn check(&self, sql: &str, expect: &[&str]) {
        assert_eq!(self.rows(sql).await, expect, "{sql}");
    }

    async fn value(&self, expression: &str) -> String {
        self.rows(&format!("SELECT {expression}")).await.concat()
    }

    async fn lookup_error(&self, expression: &str) -> LookupError {
        let error = self.batches(&format!("SELECT {expression}")).await.unwrap_err();
        match error.find_root() {
            DataFusionError::External(error) => error.downcast_ref::<LookupError>().unwrap().clone(),
            other => panic!("{expression}: {other}"),
        }
    }
}

/// The rows, with `|` between the columns.
async fn rows(context: &SessionContext, sql: &str) -> Vec<String> {
    let frame = context.sql(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    let batches = frame.collect().await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    let options = FormatOptions::default().with_null("~");
    let mut rows = Vec::new();
    for batch in batches {
        let columns: Vec<_> =
            batch.columns().iter().map(|column| ArrayFormatter::try_new(column, &options).unwrap()).collect();
        for row in 0..batch.num_rows() {
            let cells: Vec<String> = columns.iter().map(|column| column.value(row).to_string()).collect();
            rows.push(cells.join("|"));
        }
    }
    rows
}

#[tokio::test]
async fn every_relation_can_be_read() {
    let fixture = fixture();
    for relation in columns::all() {
        let sql = format!("SELECT * FROM {}.\"{}\"", relation.schema, relation.name);
        let batches = fixture.batches(&sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
        for batch in batches {
            assert_eq!(batch.schema().fields(), relation.readable.fields(), "{sql}");
        }
    }
}

#[tokio::test]
async fn every_listed_relation_is_in_the_list_of_columns() {
    for relation in RELATIONS {
        assert!(relation.columns().is_ok(), "{}.{}", relation.schema(), relation.name());
    }
    for relation in columns::all() {
        assert!(!relation.columns.is_empty(), "{}.{}", relation.schema, relation.name);
        for (column, field) in relation.columns.iter().zip(relation.arrow.fields()) {
            let of = types::by_name(column.type_name).unwrap();
            let expect = if of.base == 0 { of.oid } else { of.base };
            let place = format!("{}.{}", relation.name, column.name);
            assert_eq!(pg_type_of(field).oid, expect, "{place} of type {}", column.type_name);
        }
    }
}

#[tokio::test]
async fn oids_are_unique_and_the_same_every_time() {
    let sql = "SELECT oid FROM pg_catalog.pg_class ORDER BY oid";
    let oids = fixture().rows(sql).await;
    assert_eq!(oids.iter().collect::<HashSet<_>>().len(), oids.len());
    assert_eq!(fixture().rows(sql).await, oids);
}

#[tokio::test]
async fn psql_lists_what_is_visible() {
    let sql = "SELECT n.nspname, c.relname, c.relkind, pg_get_userbyid(c.relowner)
        FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN pg_catalog.pg_am am ON am.oid = c.relam
        WHERE c.relkind IN ('r','p','v','m','S','f','') AND n.nspname <> 'pg_catalog'
        AND n.nspname <> 'information_schema' AND pg_table_is_visible(c.oid) ORDER BY 1, 2";
    let expect = ["public|MixedCase|v|root", "public|broken|v|root", "public|weather|v|root"];
    fixture().check(sql, &expect).await;
}

#[tokio::test]
async fn columns_are_those_of_the_table() {
    let fixture = fixture();
    let oid = fixture.value("CAST(to_regclass('public.weather') AS BIGINT)").await;
    let sql = format!(
        "SELECT attname, format_type(atttypid, atttypmod), attnotnull, attnum, attlen FROM pg_catalog.pg_attribute
         WHERE attrelid = {oid} AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
    );
    let expect = [
        "station|text|true|1|-1",
        "at|timestamp with time zone|false|2|8",
        "Price|numeric(10,2)|false|3|-1",
        "tags|text[]|false|4|-1",
    ];
    fixture.check(&sql, &expect).await;
    assert_eq!(*fixture.columns.asked.lock(), ["weather"]);
}

/// The values are PostgreSQL 15.18's.
#[tokio::test]
async fn information_schema_tells_sizes() {
    let fixture = fixture();
    let sql = "SELECT column_name, ordinal_position, is_nullable, data_type, udt_name, character_octet_length,
        numeric_precision, numeric_precision_radix, numeric_scale, datetime_precision
        FROM information_schema.columns WHERE table_schema = 'climate' AND table_name IN ('co2') ORDER BY 2";
    let expect = [
        "station|1|NO|text|text|1073741824|~|~|~|~",
        "at|2|YES|timestamp with time zone|timestamptz|~|~|~|~|6",
        "Price|3|YES|numeric|numeric|~|10|10|2|~",
        "tags|4|YES|ARRAY|_text|~|~|~|~|~",
    ];
    fixture.check(sql, &expect).await;
    assert_eq!(*fixture.columns.asked.lock(), ["co2"]);
}

#[tokio::test]
async fn the_owner_reads_by_name_and_everybody_as_public() {
    let ask = |view: &str| {
        format!(
            "SELECT grantor, grantee, privilege_type FROM information_schema.{view} WHERE table_name = 'co2' ORDER BY 2"
        )
    };
    let fixture = fixture();
    fixture.check(&ask("table_privileges"), &["root|PUBLIC|SELECT", "root|root|SELECT"]).await;
    fixture.check(&ask("role_table_grants"), &["root|root|SELECT"]).await;
}

#[tokio::test]
async fn a_join_opens_only_the_tables_that_it_finds() {
    let fixture = fixture();
    let sql = "SELECT a.attname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
        WHERE c.relname = 'co2' AND a.attnum = 1";
    fixture.check(sql, &["station"]).await;
    assert_eq!(*fixture.columns.asked.lock(), ["co2"]);
}

#[tokio::test]
async fn a_table_that_cannot_be_opened_has_no_columns() {
    let sql = "SELECT DISTINCT table_name FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1";
    fixture().check(sql, &["MixedCase", "weather"]).await;
}

#[tokio::test]
async fn relations_of_names_open_nothing() {
    let fixture = fixture();
    for relation in ["pg_catalog.pg_class", "information_schema.tables", "pg_catalog.pg_tables", "system.tables"] {
        fixture.rows(&format!("SELECT * FROM {relation}")).await;
    }
    assert!(fixture.columns.asked.lock().is_empty());
}

#[tokio::test]
async fn names_become_oids_and_back() {
    let fixture = fixture();
    for (expression, expect) in [
        ("lakegate_regclass_out(lakegate_regclass_in('weather'))", "weather"),
        ("lakegate_regclass_out(lakegate_regclass_in('climate.weather'))", "climate.weather"),
        ("lakegate_regclass_out(lakegate_regclass_in('mixedcase'))", "\"MixedCase\""),
        ("lakegate_regclass_out(lakegate_regclass_in('lakegate.climate.co2'))", "climate.co2"),
        ("lakegate_regclass_in('pg_class')", "1259"),
        ("lakegate_regclass_in('1259')", "1259"),
        ("lakegate_regclass_out(1259)", "pg_class"),
        ("lakegate_regclass_out('1259')", "pg_class"),
        ("lakegate_regclass_out(arrow_cast(1259, 'UInt32'))", "pg_class"),
        ("lakegate_regclass_out(4)", "4"),
        ("lakegate_regclass_out(0)", "-"),
        ("lakegate_regclass_in(NULL)", "~"),
        ("to_regclass('nowhere')", "~"),
        ("to_regclass('\"mixedcase\"')", "~"),
        ("lakegate_regtype_in('timestamp with time zone')", "1184"),
        ("lakegate_regtype_out(1184)", "timestamp with time zone"),
        ("lakegate_regtype_out(1009)", "text[]"),
        ("lakegate_regnamespace_in('public')", "2200"),
        ("lakegate_regnamespace_out(11)", "pg_catalog"),
        ("lakegate_regproc_in('array_in')", "750"),
        ("lakegate_regproc_out(750)", "array_in"),
        ("lakegate_regproc_out(2108)", "pg_catalog.sum"),
        ("lakegate_regrole_in('root')", "10"),
        ("lakegate_regrole_out(10)", "root"),
    ] {
        assert_eq!(fixture.value(expression).await, expect, "{expression}");
    }
}

#[tokio::test]
async fn names_that_mean_nothing_are_errors() {
    let fixture = fixture();
    let name = |name: &str| name.to_owned();
    for (expression, expect) in [
        ("lakegate_regclass_in('nowhere')", LookupError::UndefinedTable(name("nowhere"))),
        ("lakegate_regclass_in('a.b.c')", LookupError::CrossDatabase(name("a.b.c"))),
        ("lakegate_regtype_in('nothing')", LookupError::UndefinedType(name("nothing"))),
        ("lakegate_regnamespace_in('nowhere')", LookupError::UndefinedSchema(name("nowhere"))),
        ("lakegate_regproc_in('sum')", LookupError::AmbiguousFunction(name("sum"))),
        ("lakegate_regproc_in('nothing')", LookupError::UndefinedFunction(name("nothing"))),
        ("lakegate_regrole_in('nobody')", LookupError::UndefinedRole(name("nobody"))),
        ("has_table_privilege('weather', 'FLY')", LookupError::UnknownPrivilege(name("FLY"))),
        ("pg_get_functiondef(2108)", LookupError::IsAggregate(name("sum"))),
        ("pg_table_size('nowhere')", LookupError::UndefinedTable(name("nowhere"))),
    ] {
        assert_eq!(fixture.lookup_error(expression).await, expect, "{expression}");
    }
}

#[tokio::test]
async fn functions_answer_as_postgresql() {
    let fixture = fixture();
    for (expression, expect) in [
        ("format_type(1700, 655366)", "numeric(10,2)"),
        ("format_type(1043, NULL)", "character varying"),
        ("format_type(NULL, 1)", "~"),
        ("pg_get_viewdef(to_regclass('weather'), true)", " SELECT * FROM weather_files;"),
        ("pg_get_viewdef('weather')", " SELECT * FROM weather_files;"),
        ("obj_description(to_regclass('weather'), 'pg_class')", "what the sky did"),
        ("obj_description(2200, 'pg_namespace')", "standard public schema"),
        ("obj_description(23, 'pg_type')", "-2 billion to 2 billion integer, 4-byte storage"),
        ("col_description(to_regclass('weather'), 1)", "~"),
        ("pg_encoding_to_char(6)", "UTF8"),
        ("pg_char_to_encoding('utf-8')", "6"),
        ("pg_get_userbyid(10)", "root"),
        ("pg_get_userbyid(3)", "unknown (OID=3)"),
        ("pg_get_function_result(870)", "text"),
        (
            "pg_get_functiondef(1293)",
            "CREATE OR REPLACE FUNCTION pg_catalog.unnest(anymultirange)\n RETURNS SETOF anyrange\n LANGUAGE internal\n \
             IMMUTABLE PARALLEL SAFE STRICT ROWS 100\nAS $function$multirange_unnest$function$\n",
        ),
        ("pg_get_functiondef(1386)", "~"),
        ("pg_get_function_arguments(3539)", "text, VARIADIC \"any\""),
        ("pg_type_is_visible(23)", "true"),
        ("pg_function_is_visible(870)", "true"),
        ("pg_table_is_visible(to_regclass('climate.weather'))", "false"),
        ("pg_table_is_visible(5)", "~"),
        ("has_database_privilege('lakegate', 'CONNECT')", "true"),
        ("has_table_privilege('weather', 'SELECT')", "true"),
        ("has_table_privilege('ann', 'weather', 'INSERT')", "false"),
        ("has_schema_privilege('climate', 'USAGE, CREATE')", "true"),
        ("pg_has_role('root', 'USAGE')", "false"),
        ("pg_has_role('root', 'ann', 'MEMBER')", "true"),
        ("pg_relation_is_publishable(to_regclass('weather'))", "false"),
    ] {
        assert_eq!(fixture.value(expression).await, expect, "{expression}");
    }
}

#[tokio::test]
async fn roles_have_one_owner() {
    let fixture = fixture();
    let sql = "SELECT rolname, rolsuper, oid = 10, rolpassword FROM pg_catalog.pg_roles ORDER BY 1";
    fixture.check(sql, &["ann|false|false|********", "root|true|true|********"]).await;
    fixture.check("SELECT count(rolpassword) FROM pg_catalog.pg_authid", &["0"]).await;
    fixture.check("SELECT usename, usesysid IS NOT NULL FROM pg_catalog.pg_stat_activity", &["ann|true"]).await;
}

#[tokio::test]
async fn zones_tell_what_holds_now() {
    let sql = "SELECT abbrev, CAST(utc_offset AS TEXT), is_dst FROM pg_catalog.pg_timezone_names
        WHERE name = 'Asia/Kolkata'";
    fixture().check(sql, &["IST|5 hours 30 mins|false"]).await;
    let sql = "SELECT abbrev, CAST(utc_offset AS TEXT), is_dst, count(*) OVER () FROM pg_catalog.pg_timezone_abbrevs
        WHERE abbrev IN ('ACDT', 'MSK', 'UT') ORDER BY 1";
    let expect = ["ACDT|10 hours 30 mins|true|3", "MSK|3 hours|false|3", "UT|0 secs|false|3"];
    fixture().check(sql, &expect).await;
}

#[tokio::test]
async fn an_oid_may_be_compared_with_any_integer() {
    let fixture = fixture();
    for literal in ["1259", "CAST(1259 AS INT)", "arrow_cast(1259, 'UInt32')", "to_regclass('pg_class')"] {
        let sql = format!("SELECT relname FROM pg_catalog.pg_class WHERE oid = {literal}");
        fixture.check(&sql, &["pg_class"]).await;
    }
    assert_eq!(fixture.view.directory().relation(1259).map(|relation| relation.name.as_ref()), Some("pg_class"));
}
