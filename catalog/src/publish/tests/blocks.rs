//! Arrow IPC and Avro.

use arrow::array::{Array, DictionaryArray, ListArray, NullArray, StringViewArray, StructArray, UInt8Array};
use arrow::datatypes::{DataType, Field, Int8Type, Int32Type};
use arrow_avro::writer::AvroWriter;
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};

use super::*;

pub(super) fn batch(columns: &[(&str, ArrayRef)]) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.iter().map(|(name, array)| (*name, Arc::clone(array), true)))
        .unwrap()
}

fn options(compression: Option<CompressionType>) -> IpcWriteOptions {
    IpcWriteOptions::default().try_with_compression(compression).unwrap()
}

pub(super) fn file(batches: &[RecordBatch], compression: Option<CompressionType>) -> Vec<u8> {
    let schema = batches[0].schema();
    let mut writer = FileWriter::try_new_with_options(Vec::new(), &schema, options(compression)).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    writer.into_inner().unwrap()
}

fn stream(batches: &[RecordBatch], compression: Option<CompressionType>) -> Vec<u8> {
    let schema = batches[0].schema();
    let mut writer = StreamWriter::try_new_with_options(Vec::new(), &schema, options(compression)).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    writer.into_inner().unwrap()
}

pub(super) fn avro(batches: &[RecordBatch]) -> Vec<u8> {
    let mut writer = AvroWriter::new(Vec::new(), batches[0].schema().as_ref().clone()).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    writer.finish().unwrap();
    writer.into_inner()
}

/// A file of Avro by hand: rows of which each is its bytes.
fn container(schema: &str, codec: &str, blocks: &[(i64, &[u8])]) -> Vec<u8> {
    let mut file = b"Obj\x01".to_vec();
    let long = |value: i64, file: &mut Vec<u8>| {
        let mut rest = (value << 1 ^ value >> 63) as u64;
        while rest >= 0x80 {
            file.push((rest & 0x7f) as u8 | 0x80);
            rest >>= 7;
        }
        file.push(rest as u8);
    };
    long(2, &mut file);
    for text in ["avro.schema", schema, "avro.codec", codec] {
        long(text.len() as i64, &mut file);
        file.extend_from_slice(text.as_bytes());
    }
    long(0, &mut file);
    file.extend_from_slice(&[9; 16]);
    for (rows, bytes) in blocks {
        long(*rows, &mut file);
        long(bytes.len() as i64, &mut file);
        file.extend_from_slice(bytes);
        file.extend_from_slice(&[9; 16]);
    }
    file
}

pub(super) fn numbers(from: i64, to: i64) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(from..to))
}

fn texts(from: i64, to: i64) -> ArrayRef {
    Arc::new((from..to).map(|at| (at % 3 != 0).then(|| format!("text {at}"))).collect::<StringArray>())
}

#[tokio::test]
async fn files_of_all_kinds_are_one_table() {
    let batches = |from: i64| {
        [
            batch(&[("x", numbers(from, from + 20)), ("s", texts(from, from + 20))]),
            batch(&[("x", numbers(from + 20, from + 30)), ("s", texts(from + 20, from + 30))]),
        ]
    };
    let (lz4, zstd) = (Some(CompressionType::LZ4_FRAME), Some(CompressionType::ZSTD));
    let narrow = batch(&[("z", numbers(7, 8)), ("x", Arc::new(UInt8Array::from(vec![200])))]);
    let lake = Fixture::new(&[
        ("s/t/k=1/a.arrow", &file(&batches(0), None)),
        ("s/t/k=1/b.feather", &file(&batches(30), lz4)),
        ("s/t/k=1/c.ipc", &file(&batches(60), zstd)),
        ("s/t/k=2/a.arrows", &stream(&batches(90), None)),
        ("s/t/k=2/b.arrow", &stream(&batches(120), lz4)),
        ("s/t/k=2/c.arrow", &stream(&batches(150), zstd)),
        ("s/t/k=3/a.arrow", &file(std::slice::from_ref(&narrow), None)),
        ("s/u/a.avro", &avro(&batches(0))),
        ("s/u/b.avro", &avro(&[narrow.slice(0, 1)].map(|batch| batch.project(&[0]).unwrap()))),
    ])
    .await;
    assert_eq!(lake.columns("s.t").await, "x Int64, s Utf8View, z Int64, k Int64");
    let all = "SELECT count(*), count(s), sum(x), min(s), max(s), count(z) FROM t";
    assert_eq!(lake.rows("s.t", all).await.unwrap(), ["|181|120|16310|text 1|text 98|1|"]);
    assert_eq!(lake.rows("s.t", "SELECT count(*) FROM t WHERE k = 2").await.unwrap(), ["|90|"]);
    assert_eq!(lake.rows("s.t", "SELECT s FROM t WHERE x = 125").await.unwrap(), ["|text 125|"]);
    assert_eq!(lake.rows("s.t", "SELECT s, z, k FROM t WHERE x = 200").await.unwrap(), ["||7|3|"]);
    assert_eq!(lake.columns("s.u").await, "x Int64, s Utf8View, z Int64");
    assert_eq!(lake.rows("s.u", all).await.unwrap(), ["|31|20|435|text 1|text 8|1|"]);
    assert_eq!(
        lake.rows("s.u", "SELECT z, s FROM t WHERE x IS NULL OR x = 4 ORDER BY z").await.unwrap(),
        ["|7||", "||text 4|"]
    );
    assert_eq!(lake.rows("s.u", "SELECT count(*) FROM t").await.unwrap(), ["|31|"]);
}

/// The cells of a query of one column.
async fn cells(lake: &Fixture, sql: &str) -> Vec<i64> {
    let rows = lake.rows("s.t", sql).await.unwrap();
    rows.iter().map(|row| row.trim_matches('|').parse().unwrap()).collect()
}

#[tokio::test]
async fn blocks_that_are_decoded_side_by_side_keep_their_order() {
    // Blocks of all sizes, some without a row.
    let sizes: Vec<i64> = (0..60).map(|at| (at * 37) % 401).collect();
    let ends = sizes.iter().scan(0, |end, size| {
        *end += size;
        Some(*end)
    });
    let block = |(size, end): (&i64, i64)| batch(&[("x", numbers(end - size, end)), ("s", texts(end - size, end))]);
    let batches: Vec<RecordBatch> = sizes.iter().zip(ends).map(block).collect();
    let all: Vec<i64> = (0..sizes.iter().sum()).collect();
    for (name, bytes) in [
        ("t.arrow", file(&batches, None)),
        ("t.feather", file(&batches, Some(CompressionType::ZSTD))),
        ("t.arrows", stream(&batches, Some(CompressionType::LZ4_FRAME))),
        ("t.avro", avro(&batches)),
    ] {
        let lake = Fixture::new(&[(&format!("s/{name}"), &bytes)]).await;
        assert_eq!(cells(&lake, "SELECT x FROM t").await, all, "{name}");
        assert_eq!(cells(&lake, "SELECT x FROM t LIMIT 700").await, all[..700], "{name}");
        let texts = cells(&lake, "SELECT count(*) FROM t WHERE s = 'text ' || x").await;
        assert_eq!(texts, [all.iter().filter(|x| *x % 3 != 0).count() as i64], "{name}");
    }
}

#[tokio::test]
async fn dictionaries_that_change_between_blocks_are_those_of_their_blocks() {
    let words = |of: &str| {
        let words: Vec<String> = (0..40).map(|at| format!("{of}{}", at % 4)).collect();
        let words: DictionaryArray<Int32Type> = words.iter().map(|word| Some(word.as_str())).collect();
        batch(&[("s", Arc::new(words))])
    };
    let all: Vec<RecordBatch> = (0..30).map(|at| words(&format!("{at}."))).collect();
    let lake = Fixture::new(&[("s/t.arrows", &stream(&all, None))]).await;
    let expected: Vec<String> = (0..1_200).map(|row| format!("|{}.{}|", row / 40, row % 4)).collect();
    assert_eq!(lake.rows("s.t", "SELECT s FROM t").await.unwrap(), expected);
}

#[tokio::test]
async fn a_damaged_block_is_an_error_behind_those_before() {
    let blocks: Vec<Vec<u8>> =
        (0..40_i64).map(|at| [vec![(at * 2) as u8], vec![0; usize::from(at == 33)]].concat()).collect();
    let blocks: Vec<(i64, &[u8])> = blocks.iter().map(|bytes| (1, bytes.as_slice())).collect();
    let schema = r#"{"type": "record", "name": "r", "fields": [{"name": "x", "type": "long"}]}"#;
    let lake = Fixture::new(&[("s/t.avro", &container(schema, "null", &blocks))]).await;
    let error = lake.fails("s.t").await.to_string();
    assert!(error.contains("s/t.avro") && error.contains("a block holds more than its rows"), "{error}");
    let batches: Vec<RecordBatch> = (0..40).map(|at| batch(&[("x", numbers(at * 10, at * 10 + 10))])).collect();
    let mut packed = file(&batches, Some(CompressionType::ZSTD));
    let magic: Vec<usize> = (0..packed.len() - 4).filter(|at| packed[*at..].starts_with(b"\x28\xb5\x2f\xfd")).collect();
    packed[magic[33]] = 0;
    let lake = Fixture::new(&[("s/t.arrow", &packed)]).await;
    let error = lake.fails("s.t").await.to_string();
    assert!(error.contains("s/t.arrow") && error.contains("a buffer cannot be decompressed"), "{error}");
    assert_eq!(cells(&lake, "SELECT x FROM t LIMIT 5").await, [0, 1, 2, 3, 4]);
}

#[tokio::test]
async fn columns_of_large_blocks_are_read_alone() {
    let rows = batch(&[
        ("a", numbers(0, 200_000)),
        ("b", numbers(1, 200_001)),
        ("s", texts(0, 200_000)),
        ("c", numbers(2, 200_002)),
    ]);
    for compression in [None, Some(CompressionType::LZ4_FRAME)] {
        let lake = Fixture::new(&[("s/t.arrow", &file(&[rows.clone(), rows.clone()], compression))]).await;
        let sums = lake.rows("s.t", "SELECT sum(b), count(*), max(b) FROM t").await.unwrap();
        assert_eq!(sums, ["|40000200000|400000|200000|"]);
        let sums = lake.rows("s.t", "SELECT sum(c) - sum(a), count(s) FROM t").await.unwrap();
        assert_eq!(sums, ["|800000|266666|"]);
        assert_eq!(
            lake.rows("s.t", "SELECT s, c FROM t WHERE a = 199999 LIMIT 1").await.unwrap(),
            ["|text 199999|200001|"]
        );
    }
}

#[tokio::test]
async fn columns_of_all_types_come_back_alone_and_together() {
    let dictionary: DictionaryArray<Int8Type> = [Some("b"), None, Some("b"), Some("a")].into_iter().collect();
    let lists = ListArray::from_iter_primitive::<Int32Type, _, _>([
        Some(vec![Some(1), None]),
        None,
        Some(vec![]),
        Some(vec![Some(4)]),
    ]);
    let views = StringViewArray::from(vec![Some("short"), Some("one that is longer than twelve"), None, Some("")]);
    let structs = StructArray::from(vec![
        (Arc::new(Field::new("a", DataType::Int64, true)), numbers(0, 4)),
        (Arc::new(Field::new("d", dictionary.data_type().clone(), true)), Arc::new(dictionary.clone()) as ArrayRef),
    ]);
    let columns: [(&str, ArrayRef); 7] = [
        ("id", numbers(0, 4)),
        ("d", Arc::new(dictionary)),
        ("l", Arc::new(lists)),
        ("v", Arc::new(views)),
        ("n", Arc::new(NullArray::new(4))),
        ("r", Arc::new(structs)),
        ("z", texts(0, 4)),
    ];
    let whole = batch(&columns);
    for compression in [None, Some(CompressionType::ZSTD), Some(CompressionType::LZ4_FRAME)] {
        for bytes in
            [file(&[whole.clone(), whole.clone()], compression), stream(&[whole.clone(), whole.clone()], compression)]
        {
            let lake = Fixture::new(&[("s/t.arrow", &bytes)]).await;
            assert_eq!(
                lake.rows("s.t", "SELECT id FROM t WHERE d = 'b' ORDER BY id").await.unwrap(),
                ["|0|", "|0|", "|2|", "|2|"]
            );
            let all = lake.rows("s.t", "SELECT * FROM t").await.unwrap();
            assert_eq!(all.len(), 8);
            assert!(all[..4] == all[4..], "{all:?}");
            assert_eq!(
                all[1],
                "|1||||one that is longer than twelve||{a: 1, d: }|text 1|".replace("||||", "|||"),
                "{all:?}"
            );
            for (name, _) in &columns {
                let alone = lake.rows("s.t", &format!("SELECT {name} FROM t")).await.unwrap();
                let at = columns.iter().position(|(known, _)| known == name).unwrap();
                let cell = |row: &String| format!("|{}|", row.split('|').nth(at + 1).unwrap());
                assert_eq!(alone, all.iter().map(cell).collect::<Vec<_>>(), "{name}");
            }
            assert_eq!(lake.rows("s.t", "SELECT count(*) FROM t").await.unwrap(), ["|8|"]);
        }
    }
}

const RECORD: &str = r#"{"type": "record", "name": "r", "fields": [
    {"name": "e", "type": {"type": "enum", "name": "E", "symbols": ["x", "y"]}},
    {"name": "f", "type": ["null", "E"], "default": null, "aliases": ["e"]},
    {"name": "d", "type": {"type": "int", "logicalType": "date"}},
    {"name": "p", "type": {"type": "bytes", "logicalType": "decimal", "precision": 5, "scale": 2}},
    {"name": "u", "type": {"type": "string", "logicalType": "uuid"}},
    {"name": "t", "type": {"type": "long", "logicalType": "timestamp-millis"}},
    {"name": "w", "type": {"type": "long", "logicalType": "local-timestamp-micros"}},
    {"name": "m", "type": ["null", "int", "string"]},
    {"name": "a", "type": {"type": "array", "items": "long"}},
    {"name": "n", "type": "null"},
    {"name": "g", "type": {"type": "map", "values": ["null", "E"]}},
    {"name": "z", "type": "float"}]}"#;

/// A row of `RECORD`.
fn row(symbol: u8) -> Vec<u8> {
    let mut row = vec![symbol << 1, 2, symbol << 1, 2, 4, 0xff, 0x38, 72];
    row.extend_from_slice(b"00010203-0405-0607-0809-0a0b0c0d0e0f");
    row.extend_from_slice(&[2, 4, 4, 4, b'h', b'i', 4, 6, 8, 0]);
    row.extend_from_slice(&[4, 2, b'k', 2, symbol << 1, 2, b'l', 0, 0, 0, 0, 0, 0x40]);
    row
}

#[tokio::test]
async fn avro_types_and_codecs_are_read() {
    use std::io::Write;
    let rows = [row(0), row(1)].concat();
    let mut deflate = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
    deflate.write_all(&rows).unwrap();
    let mut snappy = snap::raw::Encoder::new().compress_vec(&rows).unwrap();
    snappy.extend_from_slice(&crc32fast::hash(&rows).to_be_bytes());
    let packed = [
        ("null", rows.clone()),
        ("deflate", deflate.finish().unwrap()),
        ("snappy", snappy),
        ("zstandard", zstd::encode_all(rows.as_slice(), 1).unwrap()),
    ];
    for (codec, bytes) in packed {
        let lake = Fixture::new(&[("s/t.avro", &container(RECORD, codec, &[(2, &bytes), (2, &bytes)]))]).await;
        let expected = "e Utf8View, f Utf8View, d Date32, p Decimal128(5, 2), u Utf8View, t Timestamp(µs, \"UTC\"), w Timestamp(µs)";
        assert!(lake.columns("s.t").await.starts_with(expected), "{}", lake.columns("s.t").await);
        let shown = lake.rows("s.t", "SELECT e, f, d, p, u, t, w, a FROM t").await.unwrap();
        let row = |symbol| {
            format!(
                "|{symbol}|{symbol}|1970-01-02|-2.00|00010203-0405-0607-0809-0a0b0c0d0e0f|1970-01-01T00:00:00.001Z|1970-01-01T00:00:00.000002|[3, 4]|"
            )
        };
        assert_eq!(shown, [row("x"), row("y"), row("x"), row("y")], "{codec}");
        // The type of `f` is named by `e`.
        assert_eq!(lake.rows("s.t", "SELECT f, p FROM t WHERE e = 'y'").await.unwrap(), ["|y|-2.00|", "|y|-2.00|"]);
        assert_eq!(lake.rows("s.t", "SELECT count(*) FROM t").await.unwrap(), ["|4|"]);
    }
}

#[tokio::test]
async fn columns_of_avro_are_the_same_in_any_company() {
    let rows = [row(0), row(1)].concat();
    let lake = Fixture::new(&[("s/t.avro", &container(RECORD, "null", &[(2, &rows)]))]).await;
    let names = ["e", "f", "d", "p", "u", "t", "w", "m", "a", "n", "g", "z"];
    let all = lake.rows("s.t", "SELECT * FROM t").await.unwrap();
    assert!(all[0].ends_with("|[3, 4]||{k: x, l: }|2.0|"), "{all:?}");
    for (at, name) in names.iter().enumerate() {
        for (beside, other) in names.iter().enumerate().skip(at) {
            let shown = lake.rows("s.t", &format!("SELECT {name}, {other} AS x FROM t")).await.unwrap();
            let cells = |row: &String| {
                let cells: Vec<&str> = row.split('|').collect();
                format!("|{}|{}|", cells[at + 1], cells[beside + 1])
            };
            assert_eq!(shown, all.iter().map(cells).collect::<Vec<_>>(), "{name} {other}");
        }
    }
}

#[tokio::test]
async fn a_file_that_lies_is_an_error() {
    let good = row(0);
    let longer = [good.as_slice(), &[0]].concat();
    let mut lz4 = file(&[batch(&[("x", numbers(0, 1000))])], Some(CompressionType::LZ4_FRAME));
    // The size of the first buffer without compression.
    let claim = lz4.windows(8).position(|bytes| bytes == 8000_i64.to_le_bytes()).unwrap();
    lz4[claim..claim + 8].copy_from_slice(&(1_i64 << 40).to_le_bytes());
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("few.avro", container(RECORD, "null", &[(1, &longer)]), "a block holds more than its rows"),
        ("many.avro", container(RECORD, "null", &[(2, &good)]), "a row does not end where its values do"),
        ("huge.avro", container(RECORD, "null", &[(1 << 40, &good)]), "a number of rows that cannot be"),
        ("codec.avro", container(RECORD, "lzo", &[(1, &good)]), "the Avro codec \"lzo\" is not supported"),
        ("magic.avro", b"Obj\x02".to_vec(), "it is no Avro file"),
        ("claim.arrow", lz4, "a batch has 1099511627776 bytes"),
        ("magic.arrow", b"PAR1PAR1".to_vec(), "it is no Arrow file"),
        ("old.feather", b"FEA1....FEA1".to_vec(), "the first version of Feather is not supported"),
        (
            "cut.arrow",
            file(&[batch(&[("x", numbers(0, 9))])], None)[..300].to_vec(),
            "the file ends without its footer",
        ),
        (
            "cut.arrows",
            stream(&[batch(&[("x", numbers(0, 999))])], None)[..700].to_vec(),
            "the file ends within a message",
        ),
    ];
    let files: Vec<(String, &[u8])> =
        cases.iter().map(|(name, bytes, _)| (format!("s/{name}"), bytes.as_slice())).collect();
    for ((key, bytes), (name, _, reason)) in files.iter().zip(&cases) {
        let lake = Fixture::new(&[(key, bytes)]).await;
        let error = lake.fails(&format!("s.{}", name.split('.').next().unwrap())).await;
        assert!(error.to_string().contains(reason) && error.to_string().contains(key), "{name}: {error}");
        assert!(error.is_of_content());
    }
}

#[tokio::test]
async fn noise_is_right_or_an_error() {
    let rows = batch(&[
        ("x", numbers(0, 50)),
        ("s", texts(0, 50)),
        ("l", Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>((0..50).map(|at| Some(vec![Some(at)]))))),
    ]);
    let simple = [rows.project(&[0, 1]).unwrap()];
    for (name, bytes) in [
        ("t.arrow", file(&[rows.clone(), rows.clone()], None)),
        ("t.arrows", stream(std::slice::from_ref(&rows), Some(CompressionType::LZ4_FRAME))),
        ("t.feather", file(std::slice::from_ref(&rows), Some(CompressionType::ZSTD))),
        ("t.avro", avro(&simple)),
    ] {
        let mut next = random(11);
        for _ in 0..150 {
            let mut noisy = bytes.clone();
            for _ in 0..1 + next(3) {
                let at = next(noisy.len() as u64) as usize;
                noisy[at] ^= 1 << next(8);
            }
            if next(4) == 0 {
                noisy.truncate(next(noisy.len() as u64) as usize + 1);
            }
            let lake = Fixture::new(&[(&format!("s/{name}"), &noisy)]).await;
            let Ok(context) = lake.table("s.t").await else { continue };
            for sql in ["SELECT * FROM t", "SELECT count(*) FROM t", "SELECT s FROM t"] {
                // Right or wrong, but no panic and no end of memory.
                let Ok(plan) = context.sql(sql).await else { continue };
                let _ = plan.collect().await;
            }
        }
    }
}
