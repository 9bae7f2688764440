//! Every type that a written table may have, from every type of Arrow that stands for it; and those that no table has.

use arrow::array::{
    Array, BinaryArray, BooleanArray, Date32Array, Date64Array, Decimal128Array, Decimal256Array, DurationSecondArray,
    FixedSizeBinaryArray, Float32Array, Int8Array, Int16Array, Int32Array, LargeStringArray, ListArray, MapArray,
    NullArray, StringViewArray, StructArray, Time64MicrosecondArray, TimestampMicrosecondArray,
    TimestampMillisecondArray, TimestampNanosecondArray, TimestampSecondArray, UInt8Array, UInt16Array, UInt32Array,
    UInt64Array,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, i256};

use super::*;

fn of(values: impl Array + 'static) -> ArrayRef {
    Arc::new(values)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_type_of_a_table_goes_and_comes() {
    let server = TestServer::writable(&Lake::default()).await;
    let (mut client, mut wire) = (connect(&server).await, server.wire().await);
    let list = ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1), None]), None]);
    let half = cast(&Float32Array::from(vec![Some(0.5), None]), &DataType::Float16).unwrap();
    let at = 1_709_212_455_123_456;
    let columns = [
        ("b", of(BooleanArray::from(vec![Some(true), None])), "boolean", "t"),
        ("i8", of(Int8Array::from(vec![Some(-8), None])), "smallint", "-8"),
        ("i16", of(Int16Array::from(vec![Some(-16), None])), "smallint", "-16"),
        ("i32", of(Int32Array::from(vec![Some(-32), None])), "integer", "-32"),
        ("i64", of(Int64Array::from(vec![Some(-64), None])), "bigint", "-64"),
        ("u8", of(UInt8Array::from(vec![Some(255), None])), "smallint", "255"),
        ("u16", of(UInt16Array::from(vec![Some(65_535), None])), "integer", "65535"),
        ("u32", of(UInt32Array::from(vec![Some(u32::MAX), None])), "bigint", "4294967295"),
        ("u64", of(UInt64Array::from(vec![Some(u64::MAX), None])), "numeric", "18446744073709551615"),
        ("f16", half, "real", "0.5"),
        ("f32", of(Float32Array::from(vec![Some(0.5), None])), "real", "0.5"),
        ("f64", of(Float64Array::from(vec![Some(0.1), None])), "double precision", "0.1"),
        (
            "d128",
            of(Decimal128Array::from(vec![Some(1250), None]).with_precision_and_scale(10, 2).unwrap()),
            "numeric",
            "12.50",
        ),
        (
            "d256",
            of(Decimal256Array::from(vec![Some(i256::from_i128(1250)), None]).with_precision_and_scale(20, 3).unwrap()),
            "numeric",
            "1.250",
        ),
        ("s", of(StringArray::from(vec![Some("naïve 😀"), None])), "text", "naïve 😀"),
        ("ls", of(LargeStringArray::from(vec![Some("large"), None])), "text", "large"),
        (
            "sv",
            of(StringViewArray::from(vec![Some("a view that is no short one"), None])),
            "text",
            "a view that is no short one",
        ),
        ("bin", of(BinaryArray::from_opt_vec(vec![Some(b"\x00\xff"), None])), "bytea", "\\x00ff"),
        (
            "fixed",
            of(FixedSizeBinaryArray::try_from_sparse_iter_with_size([Some([1, 2]), None].into_iter(), 2).unwrap()),
            "bytea",
            "\\x0102",
        ),
        ("day", of(Date32Array::from(vec![Some(19_782), None])), "date", "2024-02-29"),
        ("day64", of(Date64Array::from(vec![Some(19_782 * 86_400_000), None])), "date", "2024-02-29"),
        (
            "ts",
            of(TimestampSecondArray::from(vec![Some(at / 1_000_000), None])),
            "timestamp without time zone",
            "2024-02-29 13:14:15",
        ),
        (
            "tm",
            of(TimestampMillisecondArray::from(vec![Some(at / 1000), None])),
            "timestamp without time zone",
            "2024-02-29 13:14:15.123",
        ),
        (
            "tu",
            of(TimestampMicrosecondArray::from(vec![Some(at), None])),
            "timestamp without time zone",
            "2024-02-29 13:14:15.123456",
        ),
        (
            "tn",
            of(TimestampNanosecondArray::from(vec![Some(at * 1000 + 7), None])),
            "timestamp without time zone",
            "2024-02-29 13:14:15.123456",
        ),
        (
            "tz",
            of(TimestampMicrosecondArray::from(vec![Some(at), None]).with_timezone("Europe/Paris")),
            "timestamp with time zone",
            "2024-02-29 13:14:15.123456+00",
        ),
        ("l", of(list), "ARRAY", "{1,NULL}"),
        ("n", of(NullArray::new(2)), "text", "NULL"),
    ];
    let given = batch(&columns.iter().map(|(name, values, _, _)| (*name, Arc::clone(values))).collect::<Vec<_>>());
    for mode in [CREATE, APPEND, REPLACE] {
        assert_eq!(client.ingest(&into("t", mode), vec![given.clone()]).await.unwrap(), 2);
    }
    let sql = "SELECT column_name || ' ' || data_type FROM information_schema.columns WHERE table_name = 't' \
               ORDER BY ordinal_position";
    let expected: Vec<String> = columns.iter().map(|(name, _, kind, _)| format!("{name} {kind}")).collect();
    assert_eq!(rows(&mut wire, sql).await, expected);
    ok(&mut wire, "SET timezone = 'UTC'").await;
    let shown = columns.iter().map(|(_, _, _, shown)| *shown).collect::<Vec<_>>().join("|");
    let nulls = vec!["NULL"; columns.len()].join("|");
    assert_eq!(rows(&mut wire, "SELECT * FROM t ORDER BY b").await, [shown, nulls]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_type_that_no_table_has_is_named_with_its_column() {
    let server = TestServer::writable(&Lake::default()).await;
    let mut client = connect(&server).await;
    let field = |name: &str| Arc::new(Field::new(name, DataType::Int32, false));
    let numbers = || of(Int32Array::from(vec![1]));
    let structs = StructArray::from(vec![(field("a"), numbers())]);
    let entries = StructArray::from(vec![(field("keys"), numbers()), (field("values"), numbers())]);
    let entries_of = Arc::new(Field::new("entries", entries.data_type().clone(), false));
    let offsets = arrow::buffer::OffsetBuffer::new(vec![0, 1].into());
    let map = MapArray::new(entries_of, offsets, entries, None, false);
    for (values, kind) in [
        (of(structs), "record"),
        (of(map), "map"),
        (of(Time64MicrosecondArray::from(vec![1])), "time without time zone"),
        (of(DurationSecondArray::from(vec![1])), "interval"),
        (of(Decimal256Array::from(vec![i256::ONE]).with_precision_and_scale(60, 2).unwrap()), "numeric"),
    ] {
        let told = refused(&mut client, &into("t", CREATE), vec![batch(&[("odd", values)])]).await;
        assert!(told.starts_with("0A000 column \"odd\" of type "), "{kind}: {told}");
    }
    // What a column of texts takes of an INSERT it takes here.
    client.update("CREATE TABLE t (odd text)").await.unwrap();
    let time = batch(&[("odd", of(Time64MicrosecondArray::from(vec![3_600_000_000])))]);
    client.ingest(&into("t", APPEND), vec![time]).await.unwrap();
    assert_eq!(server.value("SELECT odd FROM t").await, "01:00:00");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn texts_become_values_of_a_column_that_keeps_them_so() {
    let server = TestServer::writable(&Lake::default()).await;
    let mut client = connect(&server).await;
    client.update("CREATE TABLE t (a uuid, b jsonb)").await.unwrap();
    let given = |id: &str| {
        let json = StringArray::from(vec!["{\"y\": 1,\"x\":2}"]);
        batch(&[("a", of(StringArray::from(vec![id]))), ("b", of(json))])
    };
    let id = "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11";
    for mode in [APPEND, REPLACE] {
        assert_eq!(client.ingest(&into("t", mode), vec![given(id)]).await.unwrap(), 1);
    }
    let told = refused(&mut client, &into("t", APPEND), vec![given("nope")]).await;
    assert_eq!(told, "22P02 invalid input syntax for type uuid: \"nope\"");
    let mut wire = server.wire().await;
    let expected = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11|{\"x\": 2, \"y\": 1}";
    assert_eq!(rows(&mut wire, "SELECT * FROM t").await, [expected]);
    assert_eq!(rows(&mut wire, "SELECT pg_typeof(a)::text, pg_typeof(b)::text FROM t").await, ["uuid|jsonb"]);
}
