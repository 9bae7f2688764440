//! Delta tables, as their logs tell them.

use arrow::array::{Array, BooleanArray, Date32Array, Decimal128Array, Int32Array, StructArray};
use arrow::datatypes::{DataType, Field, Schema};
use serde_json::{Value, json};

use super::*;

/// The key of a commit.
pub(super) fn commit(table: &str, version: u64) -> String {
    format!("{table}/_delta_log/{version:020}.json")
}

pub(super) fn lines(actions: &[Value]) -> Vec<u8> {
    actions.iter().map(|action| format!("{action}\n")).collect::<String>().into_bytes()
}

pub(super) fn protocol() -> Value {
    json!({"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}})
}

pub(super) fn features(features: &[&str]) -> Value {
    json!({"protocol": {"minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": features, "writerFeatures": features}})
}

pub(super) fn columns(fields: &Value, partitions: &[&str]) -> Value {
    let schema = json!({"type": "struct", "fields": fields}).to_string();
    json!({"metaData": {"id": "1", "format": {"provider": "parquet", "options": {}}, "schemaString": schema,
        "partitionColumns": partitions, "configuration": {}}})
}

pub(super) fn field(name: &str, data_type: &Value) -> Value {
    json!({"name": name, "type": data_type, "nullable": true, "metadata": {}})
}

pub(super) fn add(path: &str, content: &[u8]) -> Value {
    json!({"add": {"path": path, "partitionValues": {}, "size": content.len(), "modificationTime": 0, "dataChange": true}})
}

pub(super) fn with(mut action: Value, name: &str, value: Value) -> Value {
    action["add"][name] = value;
    action
}

pub(super) fn remove(path: &str) -> Value {
    json!({"remove": {"path": path, "deletionTimestamp": 0, "dataChange": true}})
}

pub(super) fn x() -> Value {
    columns(&json!([field("x", &json!("long"))]), &[])
}

/// Rows of a log as a checkpoint.
pub(super) fn checkpoint(actions: &[Value]) -> Vec<u8> {
    let text = |name| Field::new(name, DataType::Utf8, true);
    let map = |name: &str, value: bool| {
        let pair = vec![Field::new("key", DataType::Utf8, false), Field::new("value", DataType::Utf8, value)];
        let entries = Field::new("key_value", DataType::Struct(pair.into()), false);
        Field::new(name, DataType::Map(Arc::new(entries), false), true)
    };
    let list = |name| Field::new(name, DataType::new_list(DataType::Utf8, true), true);
    let group = |name, fields: Vec<Field>| Field::new(name, DataType::Struct(fields.into()), true);
    let number = |name, data_type| Field::new(name, data_type, true);
    let add = vec![text("path"), map("partitionValues", true), number("size", DataType::Int64), text("stats")];
    let meta = vec![
        group("format", vec![text("provider")]),
        text("schemaString"),
        list("partitionColumns"),
        map("configuration", true),
    ];
    let protocol = vec![number("minReaderVersion", DataType::Int32), list("readerFeatures")];
    let schema = Schema::new(vec![
        group("add", add),
        group("metaData", meta),
        group("protocol", protocol),
        group("sidecar", vec![text("path"), number("sizeInBytes", DataType::Int64)]),
        group("remove", vec![text("path")]),
    ]);
    let text = lines(actions);
    let mut reader = arrow_json::ReaderBuilder::new(Arc::new(schema)).build(text.as_slice()).unwrap();
    let batch = reader.next().unwrap().unwrap();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

#[tokio::test]
async fn a_table_has_the_files_that_its_log_names() {
    let (one, two, three) = (numbers("x", &[1, 2]), numbers("x", &[3]), numbers("x", &[4, 5, 6]));
    let lake = Fixture::new(&[
        ("s/t/a.parquet", &one),
        ("s/t/b.parquet", &two),
        ("s/t/never.parquet", &three),
        ("s/other/c.parquet", &three),
        (&commit("s/t", 0), &lines(&[protocol(), x(), add("a.parquet", &one)])),
    ])
    .await;
    assert_eq!(lake.names(), ["s.other", "s.t"]);
    assert_eq!(lake.skipped(), []);
    let rows = async || lake.rows("s.t", "SELECT x FROM t ORDER BY x").await.unwrap();
    assert_eq!(rows().await, ["|1|", "|2|"]);
    lake.write(&commit("s/t", 1), &lines(&[add("b.parquet", &two)]));
    assert_eq!(rows().await, ["|1|", "|2|"], "a snapshot is one version");
    assert!(lake.lake().refresh().await.unwrap());
    assert_eq!(rows().await, ["|1|", "|2|", "|3|"]);
    lake.write("s/t/c.parquet", &three);
    lake.write(&commit("s/t", 2), &lines(&[remove("a.parquet"), remove("b.parquet"), add("c.parquet", &three)]));
    assert!(lake.lake().refresh().await.unwrap());
    assert_eq!(rows().await, ["|4|", "|5|", "|6|"]);
    assert_eq!(lake.rows("s.t", "SELECT count(*) FROM t").await.unwrap(), ["|3|"]);
    assert!(!lake.lake().refresh().await.unwrap());
    let snapshot = lake.lake().snapshot();
    let Kind::Lake(table) = &snapshot.table("s", "t").unwrap().kind else { panic!("a table") };
    assert_eq!(table.format(), "delta");
    assert_eq!(table.files().iter().map(|file| file.path.as_ref()).collect::<Vec<_>>(), ["s/t/c.parquet"]);
}

#[tokio::test]
async fn names_are_those_of_folders() {
    let (data, log) = (numbers("x", &[1]), lines(&[protocol(), x(), add("a.parquet", &numbers("x", &[1]))]));
    let tables = ["t", "s/t", "s/deep/er", "s/deep/other", "_hidden/t", "s/both"];
    let files: Vec<_> = tables.iter().flat_map(|t| [format!("{t}/a.parquet"), commit(t, 0)]).collect();
    let mut files: Vec<(&str, &[u8])> =
        files.iter().map(|key| (key.as_str(), if key.ends_with("json") { &log[..] } else { &data[..] })).collect();
    files.push(("s/both.csv", b"y\n1\n"));
    files.push(("s/t/sub/b.parquet", &data));
    let sql = "CREATE EXTERNAL TABLE own.name STORED AS DELTA LOCATION '_hidden/t';
        CREATE EXTERNAL TABLE own.none STORED AS DELTA LOCATION 'nowhere'";
    let lake = Fixture::defined(&files, "tables/a.sql", sql).await;
    assert_eq!(lake.names(), ["own.name", "public.t", "s.both", "s.deep", "s.t"]);
    for table in lake.names() {
        assert_eq!(lake.rows(&table, "SELECT * FROM t").await.unwrap(), ["|1|"], "{table}");
    }
    let expected = [
        ("s/both.csv", "a Delta table has the same name"),
        ("s/deep/other/_delta_log", "another Delta table has the same name"),
        ("tables/a.sql", "no file at its location"),
    ];
    let mut skipped = lake.skipped();
    skipped.sort();
    assert_eq!(skipped, expected.map(|(key, reason)| (key.to_owned(), reason.to_owned())));
}

#[tokio::test]
async fn partitions_have_types_and_their_places() {
    let data = parquet([("x", Arc::new(Int64Array::from(vec![7, 8])))]);
    let table = columns(
        &json!([
            field("day", &json!("date")),
            field("x", &json!("long")),
            field("n", &json!("decimal(6,2)")),
            field("at", &json!("timestamp")),
            field("word", &json!("string")),
            field("yes", &json!("boolean"))
        ]),
        &["word", "day", "n", "at", "yes"],
    );
    let values = [
        json!({"day": "2024-02-29", "n": "1.50", "at": "2024-02-29 12:00:00.25", "word": "a b/%", "yes": "true"}),
        json!({"day": null, "n": "-3", "at": "1969-12-31T23:59:59.000000Z", "word": "", "yes": "false"}),
        json!({"day": "0001-01-01"}),
    ];
    let paths = ["word=a%2520b%252F%2525/p%20q.parquet", "word=__HIVE_DEFAULT_PARTITION__/b.parquet", "c.parquet"];
    let keys = ["s/t/word=a%20b%2F%25/p q.parquet", "s/t/word=__HIVE_DEFAULT_PARTITION__/b.parquet", "s/t/c.parquet"];
    let adds = paths.iter().zip(values).map(|(path, values)| with(add(path, &data), "partitionValues", values));
    let log = lines(&[protocol(), table].into_iter().chain(adds).collect::<Vec<_>>());
    let mut files: Vec<(&str, &[u8])> = keys.iter().map(|key| (*key, &data[..])).collect();
    let key = commit("s/t", 0);
    files.push((&key, &log));
    let lake = Fixture::new(&files).await;
    let expected = "day Date32, x Int64, n Decimal128(6, 2), at Timestamp(µs, \"UTC\"), word Utf8View, yes Boolean";
    assert_eq!(lake.columns("s.t").await, expected);
    let rows = lake.rows("s.t", "SELECT * FROM t WHERE x = 7 ORDER BY day").await.unwrap();
    let expected = [
        "|0001-01-01|7|||||",
        "|2024-02-29|7|1.50|2024-02-29T12:00:00.250Z|a b/%|true|",
        "||7|-3.00|1969-12-31T23:59:59Z||false|",
    ];
    assert_eq!(rows, expected);
    assert_eq!(
        lake.rows("s.t", "SELECT word, x FROM t WHERE day > '2000-01-01'").await.unwrap(),
        ["|a b/%|7|", "|a b/%|8|"]
    );
    assert_eq!(lake.rows("s.t", "SELECT count(*) FROM t WHERE yes").await.unwrap(), ["|2|"]);
    assert_eq!(lake.rows("s.t", "SELECT max(n), min(day), count(word) FROM t").await.unwrap(), ["|1.50|0001-01-01|2|"]);
}

#[tokio::test]
async fn columns_are_those_of_the_metadata() {
    let old = parquet([("x", Arc::new(Int32Array::from(vec![1])))]);
    let days = Date32Array::from(vec![0]);
    let point = StructArray::from(vec![(
        Arc::new(Field::new("b", DataType::Int64, true)),
        Arc::new(Int64Array::from(vec![5])) as ArrayRef,
    )]);
    let (keys, values) = (arrow::array::StringBuilder::new(), arrow::array::Int64Builder::new());
    let mut pairs = arrow::array::MapBuilder::new(None, keys, values);
    pairs.keys().append_value("a");
    pairs.values().append_value(1);
    pairs.append(true).unwrap();
    let new = parquet([
        ("dropped", Arc::new(BooleanArray::from(vec![true]))),
        ("m", Arc::new(Decimal128Array::from(vec![250]).with_precision_and_scale(10, 2).unwrap())),
        ("x", Arc::new(Int64Array::from(vec![2]))),
        ("d", Arc::new(days)),
        ("p", Arc::new(point)),
        ("at", Arc::new(arrow::array::TimestampNanosecondArray::from(vec![1_500]))),
        ("pairs", Arc::new(pairs.finish())),
    ]);
    let point = json!({"type": "struct", "fields": [field("a", &json!("string")), field("b", &json!("long"))]});
    let list = json!({"type": "array", "elementType": "string", "containsNull": true});
    let table = columns(
        &json!([
            field("x", &json!("long")),
            field("d", &json!("date")),
            field("m", &json!("decimal(12,2)")),
            field("p", &point),
            field("l", &list),
            field("at", &json!("timestamp_ntz")),
            field(
                "pairs",
                &json!({"type": "map", "keyType": "string", "valueType": "long", "valueContainsNull": true})
            )
        ]),
        &[],
    );
    let log = lines(&[
        features(&["typeWidening", "timestampNtz"]),
        table,
        add("old.parquet", &old),
        add("new.parquet", &new),
    ]);
    let lake = Fixture::new(&[("s/t/old.parquet", &old), ("s/t/new.parquet", &new), (&commit("s/t", 0), &log)]).await;
    let rows = lake.rows("s.t", "SELECT * FROM t ORDER BY x").await.unwrap();
    assert_eq!(rows, ["|1|||||||", "|2|1970-01-01|2.50|{a: , b: 5}||1970-01-01T00:00:00.000001|{a: 1}|"]);
    assert_eq!(lake.rows("s.t", "SELECT count(d), min(x) FROM t").await.unwrap(), ["|1|1|"]);
}

#[tokio::test]
async fn columns_are_found_under_their_names_in_files() {
    let mapped = |name: &str, data_type: Value, physical: &str, id: i32| {
        json!({"name": name, "type": data_type, "nullable": true, "metadata": {
            "delta.columnMapping.physicalName": physical, "delta.columnMapping.id": id}})
    };
    let id = |id: i32| std::collections::HashMap::from([("PARQUET:field_id".to_owned(), id.to_string())]);
    let inner = Field::new("col-3", DataType::Int64, true).with_metadata(id(3));
    let group = StructArray::from(vec![(Arc::new(inner), Arc::new(Int64Array::from(vec![30, 31, 32])) as ArrayRef)]);
    let item = Arc::new(Field::new("item", group.data_type().clone(), true));
    let offsets = arrow::buffer::OffsetBuffer::from_lengths([0, 2, 1]);
    let list = arrow::array::ListArray::new(item, offsets, Arc::new(group.clone()), None);
    let schema = Schema::new(vec![
        Field::new("a", DataType::Int64, true).with_metadata(id(1)),
        Field::new("col-2", group.data_type().clone(), true).with_metadata(id(2)),
        Field::new("gone", DataType::Int64, true).with_metadata(id(9)),
        Field::new("col-6", list.data_type().clone(), true).with_metadata(id(6)),
    ]);
    let numbers = |values: Vec<i64>| Arc::new(Int64Array::from(values)) as ArrayRef;
    let columns_of = vec![numbers(vec![1, 2, 3]), Arc::new(group), numbers(vec![0, 0, 0]), Arc::new(list)];
    let batch = RecordBatch::try_new(Arc::new(schema), columns_of).unwrap();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    let data = writer.into_inner().unwrap();
    for mode in ["name", "id"] {
        let group = json!({"type": "struct", "fields": [mapped("within", json!("long"), "col-3", 3)]});
        let list = json!({"type": "array", "elementType": group, "containsNull": true});
        // The column "a" is called "b" now, and another is called "a".
        let fields = json!([
            mapped("b", json!("long"), "a", 1),
            mapped("g h", group, "col-2", 2),
            mapped("a", json!("long"), "col-4", 4),
            mapped("k", json!("long"), "col-5", 5),
            mapped("l", list, "col-6", 6)
        ]);
        let mut table = columns(&fields, &["k"]);
        table["metaData"]["configuration"]["delta.columnMapping.mode"] = json!(mode);
        let stats = json!({"numRecords": 3, "minValues": {"a": 1}, "maxValues": {"a": 3}, "nullCount": {"a": 0}});
        let add = with(add("d.parquet", &data), "stats", json!(stats.to_string()));
        let add = with(add, "partitionValues", json!({"col-5": "77"}));
        let protocol = json!({"protocol": {"minReaderVersion": 2, "minWriterVersion": 5}});
        let lake =
            Fixture::new(&[("s/t/d.parquet", &data), (&commit("s/t", 0), &lines(&[protocol, table, add]))]).await;
        let rows = lake.rows("s.t", "SELECT * FROM t WHERE b > 1 ORDER BY b").await.unwrap();
        assert_eq!(
            rows,
            ["|2|{within: 31}||77|[{within: 30}, {within: 31}]|", "|3|{within: 32}||77|[{within: 32}]|"],
            "{mode}"
        );
        let rows = lake.rows("s.t", "SELECT \"g h\"['within'], k FROM t WHERE b = 3 AND a IS NULL").await.unwrap();
        assert_eq!(rows, ["|32|77|"], "{mode}");
        assert!(lake.rows("s.t", "SELECT 1 FROM t WHERE b > 3").await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn statistics_rule_files_out_before_any_footer_is_read() {
    let files: Vec<Vec<u8>> = (0..4).map(|at| numbers("x", &[at * 10, at * 10 + 9])).collect();
    let adds = files.iter().enumerate().map(|(at, data)| {
        let stats = json!({"numRecords": 2, "minValues": {"x": at * 10}, "maxValues": {"x": at * 10 + 9}, "nullCount": {"x": 0}});
        with(add(&format!("{at}.parquet"), data), "stats", json!(stats.to_string()))
    });
    let log = lines(&[protocol(), x()].into_iter().chain(adds).collect::<Vec<_>>());
    let keys: Vec<String> = (0..4).map(|at| format!("s/t/{at}.parquet")).collect();
    let mut all: Vec<(&str, &[u8])> = keys.iter().zip(&files).map(|(key, data)| (key.as_str(), &data[..])).collect();
    let key = commit("s/t", 0);
    all.push((&key, &log));
    let lake = Fixture::new(&all).await;
    assert_eq!(lake.rows("s.t", "SELECT count(*) FROM t").await.unwrap(), ["|8|"]);
    assert_eq!(lake.lake().footers_read(), 0);
    assert_eq!(
        lake.rows("s.t", "SELECT x FROM t WHERE x BETWEEN 15 AND 25 ORDER BY x").await.unwrap(),
        ["|19|", "|20|"]
    );
    assert_eq!(lake.lake().footers_read(), 2);
    assert_eq!(lake.rows("s.t", "SELECT min(x), max(x) FROM t").await.unwrap(), ["|0|39|"]);
    assert_eq!(lake.lake().footers_read(), 4, "the values of a log are hints");
}

#[tokio::test]
async fn a_checkpoint_stands_for_what_is_before_it() {
    let (one, two) = (numbers("x", &[1]), numbers("x", &[2]));
    let data = [("s/t/a.parquet", &one[..]), ("s/t/b.parquet", &two[..])];
    let hint = ("s/t/_delta_log/_last_checkpoint", &b"{\"version\":99,\"size\":1}"[..]);
    let key = |end: &str| format!("s/t/_delta_log/00000000000000000007.checkpoint{end}");
    let whole = checkpoint(&[protocol(), x(), add("a.parquet", &one)]);
    let (first, second) = (checkpoint(&[protocol(), x()]), checkpoint(&[add("a.parquet", &one)]));
    let sidecar = json!({"sidecar": {"path": "s1.parquet", "sizeInBytes": second.len(), "modificationTime": 0}});
    let named = checkpoint(&[features(&["v2Checkpoint"]), x(), sidecar.clone()]);
    let text = lines(&[json!({"checkpointMetadata": {"version": 7}}), features(&["v2Checkpoint"]), x(), sidecar]);
    let uuid = "80a083e8-7026-4e79-81be-64bd76c43a11";
    let cases: [Vec<(String, &[u8])>; 4] = [
        vec![(key(".parquet"), &whole)],
        vec![(key(".0000000001.0000000002.parquet"), &first), (key(".0000000002.0000000002.parquet"), &second)],
        vec![(key(&format!(".{uuid}.parquet")), &named), ("s/t/_delta_log/_sidecars/s1.parquet".into(), &second)],
        vec![(key(&format!(".{uuid}.json")), &text), ("s/t/_delta_log/_sidecars/s1.parquet".into(), &second)],
    ];
    let next = (commit("s/t", 8), lines(&[add("b.parquet", &two)]));
    for (at, checkpoint) in cases.into_iter().enumerate() {
        let checkpoint: Vec<(&str, &[u8])> = checkpoint.iter().map(|(key, content)| (key.as_str(), *content)).collect();
        let lake = Fixture::new(&[&data[..], &[hint], &checkpoint].concat()).await;
        assert_eq!(lake.rows("s.t", "SELECT x FROM t ORDER BY x").await.unwrap(), ["|1|"], "{at}");
        lake.write(&next.0, &next.1);
        lake.lake().refresh().await.unwrap();
        assert_eq!(lake.rows("s.t", "SELECT x FROM t ORDER BY x").await.unwrap(), ["|1|", "|2|"], "{at}");
    }
}

#[tokio::test]
async fn a_table_may_have_no_file() {
    let table = columns(&json!([field("x", &json!("long")), field("k", &json!("string"))]), &["k"]);
    let lake = Fixture::new(&[(&commit("s/t", 0), &lines(&[protocol(), table]))]).await;
    assert!(lake.rows("s.t", "SELECT * FROM t WHERE k = 'a'").await.unwrap().is_empty());
    assert_eq!(lake.rows("s.t", "SELECT count(*), max(x), min(k) FROM t").await.unwrap(), ["|0|||"]);
}
