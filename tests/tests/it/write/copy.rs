//! COPY FROM STDIN: every form, and where what is wrong stands.

use futures::SinkExt;
use lakegate_tests::{Lake, TestServer};
use tokio_postgres::types::Type;

use super::{ok, rows};

/// NULL of whatever type.
#[derive(Debug)]
struct Null;

impl tokio_postgres::types::ToSql for Null {
    fn to_sql(
        &self,
        _: &Type,
        _: &mut bytes::BytesMut,
    ) -> Result<tokio_postgres::types::IsNull, Box<dyn std::error::Error + Sync + Send>> {
        Ok(tokio_postgres::types::IsNull::Yes)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    tokio_postgres::types::to_sql_checked!();
}

/// Sends a COPY with its data in small pieces; gives the number of rows, or the whole error.
async fn copy(client: &tokio_postgres::Client, sql: &str, data: &[u8]) -> Result<u64, String> {
    let shown = |error: tokio_postgres::Error| {
        let error = error.as_db_error().unwrap();
        format!("{} {} [{}]", error.code().code(), error.message(), error.where_().unwrap_or_default())
    };
    let sink = client.copy_in(sql).await.map_err(shown)?;
    let mut sink = Box::pin(sink);
    for piece in data.chunks(7) {
        if sink.send(bytes::Bytes::copy_from_slice(piece)).await.is_err() {
            break;
        }
    }
    sink.as_mut().finish().await.map_err(shown)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_come_as_text_as_csv_and_as_binary() {
    let server = TestServer::writable(&Lake::default()).await;
    let (client, mut wire) = (server.client().await, server.wire().await);
    let columns = "a int, b text, n numeric(6,2), d date, t timestamptz, f float8, ok bool";
    ok(&mut wire, &format!("CREATE TABLE t ({columns})")).await;
    let text = "1\ta\\tb\\\\\t1.005\t2026-01-02\t2026-01-02 03:04+00\t1e3\tt\n2\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N\n";
    assert_eq!(copy(&client, "COPY t FROM STDIN", text.as_bytes()).await, Ok(2));
    let csv = "a,b\r\n3,\"x,\"\"y\"\"\nz\"\r\n4,\r\n5,\"\"\r\n";
    assert_eq!(copy(&client, "COPY t (a, b) FROM STDIN WITH (FORMAT csv, HEADER)", csv.as_bytes()).await, Ok(3));
    let other = "6|''|x\n7||\n";
    let sql = "COPY t (a, b, f) FROM STDIN (FORMAT csv, DELIMITER '|', QUOTE '''', NULL 'x', FORCE_NOT_NULL (b))";
    assert_eq!(copy(&client, sql, "6|'''q'|x\n".as_bytes()).await, Ok(1), "{other}");
    let sink = client.copy_in("COPY t (a, b, n, f) FROM STDIN BINARY").await.unwrap();
    let types = [Type::INT4, Type::TEXT, Type::NUMERIC, Type::FLOAT8];
    let mut writer = Box::pin(tokio_postgres::binary_copy::BinaryCopyInWriter::new(sink, &types));
    writer.as_mut().write(&[&8_i32, &"bin", &Null, &0.5_f64]).await.unwrap();
    assert_eq!(writer.as_mut().finish().await.unwrap(), 1);
    ok(&mut wire, "SET timezone = 'UTC'").await;
    let all = rows(&mut wire, "SELECT *, b = '' FROM t ORDER BY a").await;
    assert_eq!(
        all,
        [
            "1|a\tb\\|1.01|2026-01-02|2026-01-02 03:04:00+00|1000|t|f",
            "2|NULL|NULL|NULL|NULL|NULL|NULL|NULL",
            "3|x,\"y\"\nz|NULL|NULL|NULL|NULL|NULL|f",
            "4|NULL|NULL|NULL|NULL|NULL|NULL|NULL",
            "5||NULL|NULL|NULL|NULL|NULL|t",
            "6|'q|NULL|NULL|NULL|NULL|NULL|f",
            "8|bin|NULL|NULL|NULL|0.5|NULL|f",
        ]
    );
    let many: String = (0..30_000).map(|n| format!("{n}\tvalue {n}\n")).collect();
    assert_eq!(copy(&client, "COPY t (a, b) FROM STDIN", many.as_bytes()).await, Ok(30_000));
    assert_eq!(rows(&mut wire, "SELECT count(*), sum(a) FROM t WHERE b LIKE 'value %'").await, ["30000|449985000"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_is_told_with_its_place_and_nothing_is_kept() {
    let server = TestServer::writable(&Lake::default()).await;
    let (client, mut wire) = (server.client().await, server.wire().await);
    ok(&mut wire, "CREATE TABLE t (a int NOT NULL, n numeric(4,1))").await;
    let wrong = [
        (
            "COPY t FROM STDIN",
            "1\t2\nx\t3\n",
            "22P02 invalid input syntax for type integer: \"x\" [COPY t, line 2, column a: \"x\"]",
        ),
        ("COPY t FROM STDIN", "1\n", "22P04 missing data for column \"n\" [COPY t, line 1: \"1\"]"),
        ("COPY t FROM STDIN", "1\t2\t3\n", "22P04 extra data after last expected column [COPY t, line 1: \"1\t2\t3\"]"),
        ("COPY t FROM STDIN", "1\t12345\n", "22003 numeric field overflow [COPY t, line 1, column n: \"12345\"]"),
        ("COPY t FROM STDIN CSV", "1,\"2\n", "22P04 unterminated CSV quoted field [COPY t, line 1]"),
        ("COPY t FROM STDIN BINARY", "nothing of the kind", "22P04 COPY file signature not recognized []"),
    ];
    for (sql, data, expected) in wrong {
        assert_eq!(copy(&client, sql, data.as_bytes()).await, Err(expected.to_owned()), "{sql} {data}");
    }
    let null = copy(&client, "COPY t FROM STDIN", b"\\N\t1\n").await.unwrap_err();
    assert!(null.starts_with("23502 null value in column \"a\" of relation \"t\" violates not-null"), "{null}");
    let nope = copy(&client, "COPY t (nope) FROM STDIN", b"").await.unwrap_err();
    assert!(nope.starts_with("42703 column \"nope\" of relation \"t\" does not exist"), "{nope}");
    // The connection is as good as before.
    assert_eq!(copy(&client, "COPY t FROM STDIN", b"7\t1\n\\.\n").await, Ok(1));
    assert_eq!(rows(&mut wire, "SELECT a, n FROM t").await, ["7|1.0"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn texts_of_a_type_are_read_as_its_values() {
    let server = TestServer::writable(&Lake::default()).await;
    let (client, mut wire) = (server.client().await, server.wire().await);
    ok(&mut wire, "CREATE TABLE t (a uuid, b jsonb, c json)").await;
    let text = "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11\t{\"y\": 1,\"x\":2}\t{\"y\": 1}\n\\N\t\\N\t\\N\n";
    assert_eq!(copy(&client, "COPY t FROM STDIN", text.as_bytes()).await, Ok(2));
    for (line, expected) in [
        ("nope\t1\t1\n", "22P02 invalid input syntax for type uuid: \"nope\" [COPY t, line 1, column a: \"nope\"]"),
        ("\\N\t{\t1\n", "22P02 invalid input syntax for type json [COPY t, line 1, column b: \"{\"]"),
        ("\\N\t1\t{\n", "22P02 invalid input syntax for type json [COPY t, line 1, column c: \"{\"]"),
    ] {
        assert_eq!(copy(&client, "COPY t FROM STDIN", line.as_bytes()).await, Err(expected.to_owned()));
    }
    let head = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
    let row = [&[0, 1, 0, 0, 0, 16][..], &1_u128.to_be_bytes(), &(-1_i16).to_be_bytes()].concat();
    assert_eq!(copy(&client, "COPY t (a) FROM STDIN BINARY", &[&head[..], &row].concat()).await, Ok(1));
    let all = rows(&mut wire, "SELECT * FROM t ORDER BY a").await;
    assert_eq!(
        all,
        [
            "00000000-0000-0000-0000-000000000001|NULL|NULL",
            "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11|{\"x\": 2, \"y\": 1}|{\"y\": 1}",
            "NULL|NULL|NULL",
        ]
    );
}
