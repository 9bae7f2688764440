//! Columns of files in every type of Arrow and Parquet: each is a type of PostgreSQL, shown and compared as one.

use std::sync::Arc;

use arrow::array::*;
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use arrow::datatypes::*;
use lakegate_tests::lake::{arrow_file, parquet};
use lakegate_tests::{Lake, TestServer, binary};

/// A column, its OID, and what its rows show.
pub(crate) struct Column {
    pub(crate) name: &'static str,
    field: Field,
    array: ArrayRef,
    oid: u32,
    pub(crate) shown: &'static [&'static str],
}

fn column(name: &'static str, array: impl Array + 'static, oid: u32, shown: &'static [&'static str]) -> Column {
    let field = Field::new(name, array.data_type().clone(), true);
    Column { name, field, array: Arc::new(array), oid, shown }
}

fn numbers() -> Vec<Column> {
    let decimal = |precision, scale| {
        Decimal128Array::from(vec![Some(-12_345), None]).with_precision_and_scale(precision, scale).unwrap()
    };
    let dictionary: DictionaryArray<Int8Type> = vec![Some("b"), None].into_iter().collect();
    vec![
        column("int8", Int8Array::from(vec![Some(-128), None]), 21, &["-128", "NULL"]),
        column("uint8", UInt8Array::from(vec![Some(255), None]), 21, &["255", "NULL"]),
        column("uint16", UInt16Array::from(vec![Some(65_535), None]), 23, &["65535", "NULL"]),
        column("uint32", UInt32Array::from(vec![Some(u32::MAX), None]), 20, &["4294967295", "NULL"]),
        column("uint64", UInt64Array::from(vec![Some(u64::MAX), None]), 1700, &["18446744073709551615", "NULL"]),
        column("float16", Float32Array::from(vec![Some(1.5), None]).cast_to(&DataType::Float16), 700, &["1.5", "NULL"]),
        column(
            "decimal32",
            Decimal32Array::from(vec![Some(-12_345), None]).with_precision_and_scale(9, 2).unwrap(),
            1700,
            &["-123.45", "NULL"],
        ),
        column(
            "decimal64",
            Decimal64Array::from(vec![Some(12_345), None]).with_precision_and_scale(18, 4).unwrap(),
            1700,
            &["1.2345", "NULL"],
        ),
        column("decimal128", decimal(38, 10), 1700, &["-0.0000012345", "NULL"]),
        column(
            "decimal256",
            Decimal256Array::from(vec![i256::from_string("123456789012345678901234567890123456789012"), None])
                .with_precision_and_scale(76, 2)
                .unwrap(),
            1700,
            &["1234567890123456789012345678901234567890.12", "NULL"],
        ),
        column("dictionary", dictionary, 25, &["b", "NULL"]),
        column("large_utf8", LargeStringArray::from(vec![Some("é"), None]), 25, &["é", "NULL"]),
        column(
            "utf8_view",
            StringViewArray::from(vec![Some("a text longer than twelve bytes"), None]),
            25,
            &["a text longer than twelve bytes", "NULL"],
        ),
        column("large_binary", LargeBinaryArray::from(vec![Some(&b"\x01\xff"[..]), None]), 17, &["\\x01ff", "NULL"]),
        column("binary_view", BinaryViewArray::from(vec![Some(&b"\x01\xff"[..]), None]), 17, &["\\x01ff", "NULL"]),
        column(
            "fixed_binary",
            FixedSizeBinaryArray::try_from_sparse_iter_with_size([Some([1_u8, 2]), None].into_iter(), 2).unwrap(),
            17,
            &["\\x0102", "NULL"],
        ),
        column("null", NullArray::new(2), 25, &["NULL", "NULL"]),
    ]
}

/// A cast of the test's own arrays.
trait CastTo {
    fn cast_to(&self, to: &DataType) -> PrimitiveArray<Float16Type>;
}

impl CastTo for Float32Array {
    fn cast_to(&self, to: &DataType) -> PrimitiveArray<Float16Type> {
        arrow::compute::cast(self, to).unwrap().as_primitive().clone()
    }
}

fn moments() -> Vec<Column> {
    let day = 86_400_000_i64;
    vec![
        column("date64", Date64Array::from(vec![Some(-day), None]), 1082, &["1969-12-31", "NULL"]),
        column("time32_s", Time32SecondArray::from(vec![Some(3_661), None]), 1083, &["01:01:01", "NULL"]),
        column("time32_ms", Time32MillisecondArray::from(vec![Some(3_661_500), None]), 1083, &["01:01:01.5", "NULL"]),
        column("time64_us", Time64MicrosecondArray::from(vec![Some(1), None]), 1083, &["00:00:00.000001", "NULL"]),
        column("time64_ns", Time64NanosecondArray::from(vec![Some(1_999), None]), 1083, &["00:00:00.000001", "NULL"]),
        column("timestamp_s", TimestampSecondArray::from(vec![Some(-1), None]), 1114, &["1969-12-31 23:59:59", "NULL"]),
        column(
            "timestamp_ms",
            TimestampMillisecondArray::from(vec![Some(1), None]),
            1114,
            &["1970-01-01 00:00:00.001", "NULL"],
        ),
        column(
            "timestamp_us",
            TimestampMicrosecondArray::from(vec![Some(1), None]),
            1114,
            &["1970-01-01 00:00:00.000001", "NULL"],
        ),
        column(
            "timestamp_ns",
            TimestampNanosecondArray::from(vec![Some(1_999), None]),
            1114,
            &["1970-01-01 00:00:00.000001", "NULL"],
        ),
        column(
            "timestamptz_ns",
            TimestampNanosecondArray::from(vec![Some(1_000), None]).with_timezone("+05:30"),
            1184,
            &["1970-01-01 00:00:00.000001+00", "NULL"],
        ),
        column(
            "timestamptz_s",
            TimestampSecondArray::from(vec![Some(0), None]).with_timezone("Europe/Paris"),
            1184,
            &["1970-01-01 00:00:00+00", "NULL"],
        ),
        column("duration_s", DurationSecondArray::from(vec![Some(-90_061), None]), 1186, &["-25:01:01", "NULL"]),
        column("duration_ms", DurationMillisecondArray::from(vec![Some(1), None]), 1186, &["00:00:00.001", "NULL"]),
        column("duration_us", DurationMicrosecondArray::from(vec![Some(1), None]), 1186, &["00:00:00.000001", "NULL"]),
        column(
            "duration_ns",
            DurationNanosecondArray::from(vec![Some(1_999), None]),
            1186,
            &["00:00:00.000001", "NULL"],
        ),
        column("interval_ym", IntervalYearMonthArray::from(vec![Some(14), None]), 1186, &["1 year 2 mons", "NULL"]),
        column(
            "interval_dt",
            IntervalDayTimeArray::from(vec![Some(IntervalDayTime::new(3, 1_500)), None]),
            1186,
            &["3 days 00:00:01.5", "NULL"],
        ),
    ]
}

fn lists() -> Vec<Column> {
    let ints = || Int16Array::from(vec![Some(1), None, Some(3), Some(4)]);
    let item = Arc::new(Field::new_list_field(DataType::Int16, true));
    let list = || ListArray::new(Arc::clone(&item), OffsetBuffer::from_lengths([2, 2]), Arc::new(ints()), None);
    let inner = Arc::new(Field::new_list_field(list().data_type().clone(), true));
    let rows = Field::new(
        "entries",
        DataType::Struct(
            vec![Field::new("keys", DataType::Utf8, false), Field::new("values", DataType::Int16, true)].into(),
        ),
        false,
    );
    let entries = StructArray::from(vec![
        (
            Arc::new(Field::new("keys", DataType::Utf8, false)),
            Arc::new(StringArray::from(vec!["a", "b", "c\"", "a"])) as ArrayRef,
        ),
        (Arc::new(Field::new("values", DataType::Int16, true)), Arc::new(ints()) as ArrayRef),
    ]);
    let map = MapArray::new(Arc::new(rows), OffsetBuffer::from_lengths([2, 2]), entries, None, false);
    let instants: ArrayRef = Arc::new(TimestampNanosecondArray::from(vec![Some(1_000), None]));
    vec![
        column("list", list(), 1005, &["{1,NULL}", "{3,4}"]),
        column(
            "large_list",
            LargeListArray::new(Arc::clone(&item), OffsetBuffer::from_lengths([4, 0]), Arc::new(ints()), None),
            1005,
            &["{1,NULL,3,4}", "{}"],
        ),
        column(
            "fixed_list",
            FixedSizeListArray::new(Arc::clone(&item), 2, Arc::new(ints()), None),
            1005,
            &["{1,NULL}", "{3,4}"],
        ),
        column(
            "list_view",
            ListViewArray::new(
                Arc::clone(&item),
                ScalarBuffer::from(vec![0, 2]),
                ScalarBuffer::from(vec![2, 2]),
                Arc::new(ints()),
                None,
            ),
            1005,
            &["{1,NULL}", "{3,4}"],
        ),
        column(
            "nested",
            ListArray::new(inner, OffsetBuffer::from_lengths([2, 0]), Arc::new(list()), None),
            1005,
            &["{{1,NULL},{3,4}}", "{}"],
        ),
        column(
            "instants",
            ListArray::new(
                Arc::new(Field::new_list_field(instants.data_type().clone(), true)),
                OffsetBuffer::from_lengths([1, 1]),
                instants,
                None,
            ),
            1115,
            &["{\"1970-01-01 00:00:00.000001\"}", "{NULL}"],
        ),
        column("map", map, 114, &["{\"a\":1,\"b\":null}", "{\"c\\\"\":3,\"a\":4}"]),
    ]
}

/// Types that Parquet does not have.
fn of_arrow_alone() -> Vec<Column> {
    let runs = RunArray::try_new(&Int32Array::from(vec![1, 2]), &StringArray::from(vec![Some("a"), None])).unwrap();
    let mut union = UnionBuilder::new_dense();
    union.append::<Int32Type>("n", 7).unwrap();
    union.append::<Float64Type>("x", 1.5).unwrap();
    vec![column("runs", runs, 25, &["a", "NULL"]), column("union", union.build().unwrap(), 114, &["7", "1.5"])]
}

/// A column of every type.
pub(crate) fn columns() -> Vec<Column> {
    numbers().into_iter().chain(moments()).chain(lists()).chain(of_arrow_alone()).collect()
}

pub(crate) fn write(lake: &Lake, columns: &[Column]) {
    for column in columns {
        let schema = Arc::new(Schema::new(vec![column.field.clone().with_name("c")]));
        let batch = RecordBatch::try_new(schema, vec![Arc::clone(&column.array)]).unwrap();
        // Parquet has no such types.
        if !matches!(column.array.data_type(), DataType::Union(..) | DataType::RunEndEncoded(..)) {
            lake.write(&format!("types/{}.parquet", column.name), parquet(&batch));
        }
        lake.write(&format!("ipc/{}.arrow", column.name), arrow_file(&batch));
    }
}

/// The tables of a column: one for each format.
pub(crate) fn tables(column: &Column) -> Vec<String> {
    let in_parquet = !matches!(column.array.data_type(), DataType::Union(..) | DataType::RunEndEncoded(..));
    let schemas = if in_parquet { ["types", "ipc"].as_slice() } else { &["ipc"] };
    schemas.iter().map(|schema| format!("{schema}.\"{}\"", column.name)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_type_of_arrow_is_a_type_of_postgres_in_both_formats() {
    let lake = Lake::default();
    let columns = columns();
    write(&lake, &columns);
    let server = TestServer::start(&lake).await;
    let mut client = server.wire().await;
    let mut wrong = Vec::new();
    for (column, table) in
        columns.iter().flat_map(|column| tables(column).into_iter().map(move |table| (column, table)))
    {
        let expected: Vec<&str> = column.shown.to_vec();
        let texts = client.query(&format!("SELECT c FROM {table}")).await;
        let oid = texts.columns.first().map(|column| column.oid);
        let shown: Vec<String> =
            texts.texts().into_iter().map(|row| row[0].clone().unwrap_or_else(|| "NULL".into())).collect();
        if oid != Some(column.oid) || shown != expected {
            wrong.push(format!("{table}: {oid:?} {shown:?} {:?}", texts.fault));
            continue;
        }
        let bytes = client.extended(&format!("SELECT c FROM {table}"), 1).await;
        let shown: Vec<String> = bytes
            .rows
            .iter()
            .map(|row| row[0].as_ref().map_or("NULL".into(), |value| binary::text(column.oid, value)))
            .collect();
        if shown != expected {
            wrong.push(format!("{} in binary: {shown:?} {:?}", column.name, bytes.fault));
        }
        let cast = client.query(&format!("SELECT c::text FROM {table}")).await;
        let shown: Vec<String> =
            cast.texts().into_iter().map(|row| row[0].clone().unwrap_or_else(|| "NULL".into())).collect();
        if shown != expected && cast.state() != "0A000" {
            wrong.push(format!("{} as text: {shown:?} {:?}", column.name, cast.fault));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn columns_of_every_type_compare_group_and_sort() {
    let lake = Lake::default();
    let columns: Vec<Column> = numbers().into_iter().chain(moments()).chain(lists()).collect();
    write(&lake, &columns);
    let server = TestServer::start(&lake).await;
    let mut client = server.wire().await;
    let mut wrong = Vec::new();
    for (column, table) in
        columns.iter().flat_map(|column| tables(column).into_iter().map(move |table| (column, table)))
    {
        let first = column.shown[0];
        let literal = first.replace('\'', "''");
        let compares = column.oid != 114;
        // PostgreSQL takes the least of bytes since version 18.
        let has_least = compares && column.oid != 17;
        let is_array = matches!(column.oid, 1005 | 1115);
        let rows = i32::from(first != "NULL").to_string();
        for (sql, holds, expected) in [
            (format!("SELECT count(*) FROM {table} WHERE c = '{literal}'"), compares, rows.as_str()),
            (
                format!("SELECT count(*) FROM (SELECT DISTINCT c FROM {table}) t"),
                compares,
                if first == "NULL" { "1" } else { "2" },
            ),
            (format!("SELECT count(*) FROM {table} a JOIN {table} b ON a.c = b.c"), compares, ""),
            (
                format!("SELECT count(*) FROM (SELECT c, count(*) FROM {table} GROUP BY c ORDER BY c DESC) t"),
                compares,
                "",
            ),
            (
                format!("SELECT count(*) FROM {table} WHERE c IS NOT NULL AND c >= '{literal}' AND c IN ('{literal}')"),
                compares,
                rows.as_str(),
            ),
            (
                format!("SELECT coalesce(min(c)::text, 'NULL') FROM {table}"),
                has_least,
                if is_array { "" } else { first },
            ),
            (format!("SELECT coalesce(max(c)::text, 'NULL') FROM {table}"), has_least, ""),
        ] {
            let answer = client.query(&sql).await;
            let fine = match &answer.fault {
                None => !holds || expected.is_empty() || answer.text().as_deref() == Some(expected),
                // Documents have no order, nor arrays of arrays one of ours.
                Some(fault) => (!holds || is_array) && ["42883", "0A000"].contains(&fault.state.as_str()),
            };
            if !fine {
                wrong.push(format!("{} {sql}: {:?} {:?}", column.name, answer.text(), answer.fault));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instant_beyond_postgres_is_22008() {
    let lake = Lake::default();
    let columns = [
        column("seconds", TimestampSecondArray::from(vec![i64::MAX / 10]), 1114, &[]),
        column("early", TimestampMillisecondArray::from(vec![-300_000_000_000_000]), 1114, &[]),
        column("span", DurationSecondArray::from(vec![i64::MAX / 10]), 1186, &[]),
        column("day", Date64Array::from(vec![i64::MAX / 2]), 1082, &[]),
    ];
    write(&lake, &columns);
    let server = TestServer::start(&lake).await;
    for column in &columns {
        for table in tables(column) {
            assert_eq!(server.state(&format!("SELECT c FROM {table}")).await, "22008", "{table}");
        }
    }
}
