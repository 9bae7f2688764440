//! Rows that are deleted from files which still have them.

use arrow::datatypes::{DataType, Field, Schema};
use serde_json::json;

use super::delta::{add, commit, features, lines, remove, with, x};
use super::*;

#[tokio::test]
async fn deleted_rows_are_not_read() {
    let data = numbers("x", &(0..100).collect::<Vec<_>>());
    // The example of the protocol: the rows 3, 4, 7, 11, 18, 29.
    let inline = json!({"storageType": "i", "pathOrInlineDv": "^Bg9^0rr910000000000iXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L",
        "sizeInBytes": 44, "cardinality": 6});
    let stats = json!({"numRecords": 100, "minValues": {"x": 0}, "maxValues": {"x": 99}, "nullCount": {"x": 0}});
    let add = with(with(add("d.parquet", &data), "deletionVector", inline), "stats", json!(stats.to_string()));
    let log = lines(&[features(&["deletionVectors"]), x(), add]);
    let lake = Fixture::new(&[("s/t/d.parquet", &data), (&commit("s/t", 0), &log)]).await;
    assert_eq!(lake.rows("s.t", "SELECT count(*) FROM t").await.unwrap(), ["|94|"]);
    let rows = lake.rows("s.t", "SELECT x FROM t WHERE x < 13 ORDER BY x").await.unwrap();
    assert_eq!(rows, ["|0|", "|1|", "|2|", "|5|", "|6|", "|8|", "|9|", "|10|", "|12|"]);
    assert_eq!(lake.rows("s.t", "SELECT count(x), sum(x) FROM t").await.unwrap(), ["|94|4878|"]);
    assert_eq!(lake.rows("s.t", "SELECT x FROM t WHERE x > 2 LIMIT 1").await.unwrap(), ["|5|"]);
}

#[tokio::test]
async fn deleted_rows_of_many_files_are_in_one_beside_them() {
    let schema = || Arc::new(Schema::new(vec![Field::new("x", DataType::Int64, true)]));
    let properties = parquet::file::properties::WriterProperties::builder()
        .set_max_row_group_row_count(Some(100))
        .set_data_page_row_count_limit(10)
        .set_write_batch_size(10);
    let mut writer = ArrowWriter::try_new(Vec::new(), schema(), Some(properties.build())).unwrap();
    let values: ArrayRef = Arc::new(Int64Array::from_iter_values(0..1000));
    writer.write(&RecordBatch::try_new(schema(), vec![values]).unwrap()).unwrap();
    let data = writer.into_inner().unwrap();
    // One container of an array each: every tenth row, and the rows 100 to 399.
    let bitmap = |rows: &[u16]| {
        let mut bytes = 1_681_511_377_u32.to_le_bytes().to_vec();
        bytes.extend([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        bytes.extend([12_346_u32.to_le_bytes(), 1_u32.to_le_bytes()].concat());
        bytes.extend([[0, 0], (u16::try_from(rows.len()).unwrap() - 1).to_le_bytes()].concat());
        bytes.extend(16_u32.to_le_bytes());
        rows.iter().for_each(|row| bytes.extend(row.to_le_bytes()));
        bytes
    };
    let mut file = vec![1];
    let mut vector = |rows: &[u16]| {
        let (bytes, offset) = (bitmap(rows), file.len());
        file.extend(u32::try_from(bytes.len()).unwrap().to_be_bytes());
        file.extend(&bytes);
        file.extend(crc32fast::hash(&bytes).to_be_bytes());
        json!({"storageType": "u", "pathOrInlineDv": "ab^-aqEH.-t@S}K{vb[*k^", "offset": offset,
            "sizeInBytes": bytes.len(), "cardinality": rows.len()})
    };
    let tens: Vec<u16> = (0..100).map(|at| at * 10).collect();
    let middle: Vec<u16> = (100..400).collect();
    let adds = [("a.parquet", vector(&tens)), ("b.parquet", vector(&middle))];
    let adds = adds.map(|(path, vector)| with(add(path, &data), "deletionVector", vector));
    let [a, b] = adds;
    let key = "s/t/ab/deletion_vector_d2c639aa-8816-431a-aaf6-d3fe2512ff61.bin";
    let files = [
        ("s/t/a.parquet", &data[..]),
        ("s/t/b.parquet", &data),
        (key, &file),
        (
            &commit("s/t", 0),
            &lines(&[features(&["deletionVectors"]), x(), add("a.parquet", &data), add("b.parquet", &data)]),
        ),
        (&commit("s/t", 1), &lines(&[remove("a.parquet"), a, remove("b.parquet"), b])),
    ];
    let lake = Fixture::new(&files).await;
    for (sql, expected) in [
        ("SELECT count(*) FROM t", "|1600|"),
        ("SELECT sum(x) FROM t", "|874650|"),
        ("SELECT count(*) FROM t WHERE x BETWEEN 95 AND 405", "|291|"),
        ("SELECT count(*) FROM t WHERE x % 10 = 0", "|70|"),
        ("SELECT min(x), max(x) FROM t WHERE x >= 110 AND x < 400", "|111|399|"),
        ("SELECT count(*) FROM (SELECT x FROM t WHERE x >= 100 LIMIT 50)", "|50|"),
        ("SELECT x FROM t WHERE x > 298 ORDER BY x LIMIT 1", "|299|"),
    ] {
        assert_eq!(lake.rows("s.t", sql).await.unwrap(), [expected], "{sql}");
    }
    let mut damaged = file.clone();
    damaged[30] ^= 1;
    lake.write(key, &damaged);
    lake.lake().refresh().await.unwrap();
    let error = lake.rows("s.t", "SELECT x FROM t").await.expect_err("an error").to_string();
    assert!(error.ends_with("cannot be used: its checksum is wrong"), "{error}");
}
