//! Parquet files of other writers, which hold no schema of Arrow: their logical types are PostgreSQL's.

use std::sync::Arc;

use lakegate_tests::{Lake, TestServer, binary};
use parquet::basic::{LogicalType, Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, FixedLenByteArray, FixedLenByteArrayType, Int96, Int96Type};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;

fn primitive(name: &str, physical: Physical, logical: Option<LogicalType>, length: i32) -> Arc<Type> {
    let builder = Type::primitive_type_builder(name, physical).with_repetition(Repetition::OPTIONAL);
    let (precision, scale) = match &logical {
        Some(LogicalType::Decimal(decimal)) => (decimal.precision, decimal.scale),
        _ => (-1, -1),
    };
    let builder = builder.with_logical_type(logical).with_length(length).with_precision(precision).with_scale(scale);
    Arc::new(builder.build().unwrap())
}

/// A file as other writers make it: without Arrow's own schema.
fn foreign() -> Vec<u8> {
    let decimal = LogicalType::decimal(2, 20);
    let columns = vec![
        primitive("at", Physical::INT96, None, -1),
        primitive("id", Physical::FIXED_LEN_BYTE_ARRAY, Some(LogicalType::Uuid), 16),
        primitive("doc", Physical::BYTE_ARRAY, Some(LogicalType::Json), -1),
        primitive("kind", Physical::BYTE_ARRAY, Some(LogicalType::Enum), -1),
        primitive("raw", Physical::BYTE_ARRAY, Some(LogicalType::Bson), -1),
        primitive("price", Physical::FIXED_LEN_BYTE_ARRAY, Some(decimal), 9),
    ];
    let schema = Type::group_type_builder("schema").with_fields(columns).build().unwrap();
    let mut writer = SerializedFileWriter::new(Vec::new(), Arc::new(schema), Arc::default()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let mut instant = Int96::new();
    // 2400-01-01 00:00:00, beyond what nanoseconds of 64 bits hold: Julian day 2,597,642.
    instant.set_data(0, 0, 2_597_642);
    let mut next = group.next_column().unwrap().unwrap();
    next.typed::<Int96Type>().write_batch(&[instant], Some(&[1, 0]), None).unwrap();
    next.close().unwrap();
    let mut fixed = |bytes: Vec<u8>| {
        let mut next = group.next_column().unwrap().unwrap();
        next.typed::<FixedLenByteArrayType>()
            .write_batch(&[FixedLenByteArray::from(bytes)], Some(&[1, 0]), None)
            .unwrap();
        next.close().unwrap();
    };
    fixed((0..16).collect());
    for text in ["{\"b\": 1}", "red", "\u{1}"] {
        let mut next = group.next_column().unwrap().unwrap();
        next.typed::<ByteArrayType>().write_batch(&[ByteArray::from(text)], Some(&[1, 0]), None).unwrap();
        next.close().unwrap();
    }
    let mut next = group.next_column().unwrap().unwrap();
    let price = FixedLenByteArray::from(vec![0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x85]);
    next.typed::<FixedLenByteArrayType>().write_batch(&[price], Some(&[1, 0]), None).unwrap();
    next.close().unwrap();
    group.close().unwrap();
    writer.into_inner().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_of_other_writers_tell_their_types() {
    let lake = Lake::default();
    lake.write("s/foreign.parquet", foreign());
    let server = TestServer::start(&lake).await;
    let mut client = server.wire().await;
    let expected =
        ["2400-01-01 00:00:00", "00010203-0405-0607-0809-0a0b0c0d0e0f", "{\"b\": 1}", "red", "\\x01", "-1.23"];
    for format in [0, 1] {
        let answer = client.extended("SELECT * FROM s.foreign ORDER BY at", format).await;
        let oids: Vec<u32> = answer.columns.iter().map(|column| column.oid).collect();
        assert_eq!(oids, [1114, 2950, 114, 25, 17, 1700], "{:?}", answer.fault);
        let row = answer.columns.iter().zip(&answer.rows[0]).map(|(column, value)| match format {
            0 => String::from_utf8(value.as_ref().unwrap().to_vec()).unwrap(),
            _ => binary::text(column.oid, value.as_ref().unwrap()),
        });
        assert_eq!(row.collect::<Vec<_>>(), expected);
        assert!(answer.rows[1].iter().all(Option::is_none));
    }
    for sql in [
        "SELECT count(*) FROM s.foreign WHERE id = '00010203-0405-0607-0809-0A0B0C0D0E0F'",
        "SELECT count(*) FROM s.foreign WHERE id = uuid '00010203040506070809-0a0b0c0d0e0f' AND id < 'ffffffff-ffff-ffff-ffff-ffffffffffff'",
        "SELECT count(*) FROM s.foreign a JOIN s.foreign b USING (id)",
        "SELECT count(id) FROM s.foreign WHERE kind = 'red' AND raw = '\\x01' AND price = -1.23 AND at > '2399-12-31'",
        "SELECT count(DISTINCT id) FROM s.foreign",
    ] {
        assert_eq!(client.value(sql).await.as_deref(), Some("1"), "{sql}");
    }
    assert_eq!(client.query("SELECT 1 FROM s.foreign WHERE id = 'no uuid'").await.state(), "22P02");
}
