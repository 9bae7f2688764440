//! Parquet by its pages: the cases T4.20 to T4.31.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray, TimestampSecondArray};
use lakegate_tests::lake::{gzip, parquet};
use lakegate_tests::{Lake, TestServer};

use super::forge::{
    self, BROTLI, BYTE_ARRAY, Column, DELTA_BYTES, DELTA_LENGTH, DICTIONARY, GZIP, INT64, LZ4_RAW, PLAIN, Page, SNAPPY,
    Thrift, ZSTD,
};
use super::{check, fails, gives};

const XX001: &str = "XX001";

/// A column of numbers with these pages, in a file that claims to have so many rows.
fn column(rows: i64, pages: impl Into<Vec<Page>>) -> Vec<u8> {
    forge::file(rows, &[Column::new("x", INT64, pages)])
}

fn longs(values: &[i64]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// The number 7 under the first place of a dictionary, and then a page that names its places.
fn places(rows: i64, width: u8, run: &[u8]) -> Vec<u8> {
    let pages = [Page::dictionary(1, &longs(&[7])), Page::data(rows, DICTIONARY, &[&[width], run].concat())];
    column(rows, pages)
}

fn texts(rows: i64, encoding: i64, bytes: &[u8]) -> Vec<u8> {
    forge::file(rows, &[Column::new("x", BYTE_ARRAY, [Page::data(rows, encoding, bytes)]).text()])
}

/// Forty times the letter x.
const BROTLI_OF_40: &[u8] = b"\x1b'\x00\x00$\xf0\xc2\x99@\x02";

/// A page that claims more than it is, or less.
fn packed(codec: i64, bytes: &[u8], claimed: i64) -> Vec<u8> {
    let page = Page::data(1, PLAIN, bytes).claiming(claimed);
    forge::file(1, &[Column::new("x", INT64, [page]).packed(codec)])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_that_are_not_what_they_claim() {
    const ALL: &str = "SELECT sum(x) FROM t";
    let three = || [Page::data(3, PLAIN, &longs(&[1, 2, 3]))];
    let one = || Page::data(1_000_000_000, PLAIN, &longs(&[1]));
    let level = |level| forge::levels(&forge::run(3, level), &longs(&[1, 2, 3]));
    let levels = |values: &[u8]| forge::file(3, &[Column::new("x", INT64, [Page::data(3, PLAIN, values)]).optional()]);
    let words = [Page::dictionary(0x7fff_ffff, b"\x01\0\0\0a"), Page::data(1, DICTIONARY, b"\x01\x02\x00")];
    let differences = |values| [forge::varint(128), forge::varint(4), forge::varint(values), vec![0]].concat();
    let lengths = differences(1 << 40);
    let shared = [differences(1), differences(1 << 40)].concat();
    let none = [differences(1), b"x".to_vec()].concat();
    check(vec![
        gives("as it should be", "good.parquet", column(3, three()), "6").asking(ALL),
        fails("T4.20 fewer rows than told", "few.parquet", column(5, three()), XX001, "3 rows in its pages and 5"),
        fails("T4.20 more rows than told", "many.parquet", column(2, three()), XX001, "3 rows in its pages and 2"),
        fails("T4.20 no page", "empty.parquet", column(3, []), XX001, "0 rows in its pages and 3").asking(ALL),
        fails("T4.21 10^9 values in a page", "values.parquet", column(1_000_000_000, [one()]), XX001, "").asking(ALL),
        fails(
            "T4.21 2^31 words in a dictionary",
            "words.parquet",
            forge::file(1, &[Column::new("x", BYTE_ARRAY, words).text()]),
            XX001,
            "a dictionary of 5 bytes",
        ),
        fails(
            "T4.21 2^40 lengths in a page",
            "lengths.parquet",
            texts(1, DELTA_LENGTH, &lengths),
            XX001,
            "1099511627776",
        ),
        fails("T4.21 2^40 lengths of rests", "rests.parquet", texts(1, DELTA_BYTES, &shared), XX001, "1099511627776"),
        gives("lengths as they should be", "length.parquet", texts(1, DELTA_LENGTH, &none), ""),
        fails(
            "T4.22 a place beyond the dictionary",
            "place.parquet",
            places(3, 3, &forge::run(3, 5)),
            XX001,
            "its data is damaged",
        )
        .asking(ALL),
        fails(
            "T4.22 a width of 200 bits",
            "bits.parquet",
            places(3, 200, &forge::run(3, 0)),
            XX001,
            "its data is damaged",
        )
        .asking(ALL),
        gives("levels as they should be", "levels.parquet", levels(&level(1)), "6").asking(ALL),
        fails(
            "T4.23 levels that end",
            "ends.parquet",
            levels(&forge::levels(&forge::run(2, 1), &longs(&[1, 2]))),
            XX001,
            "its data is damaged",
        )
        .asking(ALL),
        fails(
            "T4.24 zeros of 32 GiB in a page of 1 MiB",
            "bomb.parquet",
            packed(ZSTD, &forge::zstd_zeros(1 << 18), 1 << 20),
            XX001,
            "its data is damaged",
        ),
        fails(
            "T4.24 a page of 2 GiB",
            "claim.parquet",
            packed(ZSTD, &forge::zstd_zeros(1 << 14), 0x7fff_ffff),
            "54000",
            "a page has 2147483647 bytes",
        ),
        fails(
            "T4.24 the same of gzip",
            "gzip.parquet",
            packed(GZIP, b"\x1f\x8b", 0x7fff_ffff),
            XX001,
            "cannot hold the 2147483647",
        ),
        fails(
            "T4.24 gzip of a gigabyte in a page of 1 MiB",
            "gzips.parquet",
            packed(GZIP, &gzip(&vec![0; 1 << 20]).repeat(1 << 10), 1 << 20),
            XX001,
            "becomes larger than the 1048576 bytes",
        ),
        fails(
            "T4.24 Brotli that is longer",
            "brotli.parquet",
            packed(BROTLI, BROTLI_OF_40, 8),
            XX001,
            "becomes larger than the 8 bytes",
        ),
        fails(
            "T4.24 the same of Snappy",
            "snappy.parquet",
            packed(SNAPPY, b"\xff\xff\xff\xff\x07", 0x7fff_ffff),
            XX001,
            "cannot hold the 2147483647",
        ),
        fails(
            "T4.26 bytes that are no UTF-8",
            "utf8.parquet",
            texts(1, PLAIN, b"\x02\0\0\0\xff\xfe"),
            XX001,
            "its data is damaged",
        ),
        fails(
            "T4.26 the same in a dictionary",
            "word.parquet",
            forge::file(
                1,
                &[Column::new(
                    "x",
                    BYTE_ARRAY,
                    [Page::dictionary(1, b"\x02\0\0\0\xff\xfe"), Page::data(1, DICTIONARY, b"\x01\x02\x00")],
                )
                .text()],
            ),
            XX001,
            "its data is damaged",
        ),
    ])
    .await;
}

/// Three numbers in a structure that can be NULL, as they can, with the same level each.
fn structure(level: u8, packed: fn(&[u8]) -> Vec<u8>, codec: i64) -> Vec<u8> {
    let page = forge::levels(&forge::run(3, level), &longs(&[1, 2, 3]));
    let claimed = i64::try_from(page.len()).unwrap();
    let page = Page::data(3, PLAIN, &packed(&page)).claiming(claimed);
    forge::file(3, &[Column::new("x", INT64, [page]).optional().inside("s").packed(codec)])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t4_23_no_level_is_above_the_highest_of_its_column() {
    const ALL: &str = "SELECT sum(x) FROM t";
    const ROWS: &str = "(1)\n(2)\n(3)";
    const HIGH: &str = "a page has a definition level of 3, and the highest of its column is 2";
    let runs = |runs: &[u8]| forge::levels(runs, &longs(&[1, 2, 3]));
    let flat = |pages: Vec<Page>| forge::file(3, &[Column::new("x", INT64, pages).optional()]);
    let second = |level| flat(vec![Page::second(3, PLAIN, &forge::run(3, level), &longs(&[1, 2, 3]))]);
    // Eight levels of two bits: 2, 1, 3, and nothing.
    let mixed = Page::data(3, PLAIN, &runs(&[3, 0b11_01_10, 0]));
    let mixed = forge::file(3, &[Column::new("x", INT64, [mixed]).optional().inside("s")]);
    // Repetition levels, then definition levels.
    let lists = |level| {
        let repetition = [forge::run(1, 0), forge::run(2, level)].concat();
        let page = [forge::levels(&repetition, &[]), runs(&forge::run(3, 1))].concat();
        forge::file(1, &[Column::new("x", INT64, [Page::data(3, PLAIN, &page)]).repeated()])
    };
    let plain: fn(&[u8]) -> Vec<u8> = <[u8]>::to_vec;
    // One literal, one block, one block.
    let snappy: fn(&[u8]) -> Vec<u8> = |page| [&[30, 29 << 2], page].concat();
    let zstd: fn(&[u8]) -> Vec<u8> = |page| [b"\x28\xb5\x2f\xfd\x00\x38", &[30 << 3 | 1, 0, 0][..], page].concat();
    let lz4: fn(&[u8]) -> Vec<u8> = |page| [&[15 << 4, 30 - 15], page].concat();
    check(vec![
        gives("in a structure", "structure.parquet", structure(2, plain, 0), ROWS),
        gives("in Snappy", "snappy.parquet", structure(2, snappy, SNAPPY), ROWS),
        gives("in gzip", "gzip.parquet", structure(2, gzip, GZIP), ROWS),
        gives("in Zstandard", "zstd.parquet", structure(2, zstd, ZSTD), ROWS),
        gives("in LZ4", "lz4.parquet", structure(2, lz4, LZ4_RAW), ROWS),
        gives("in a page of the second kind", "second.parquet", second(1), "6").asking(ALL),
        gives("in lists", "list.parquet", lists(1), "{1,2,3}"),
        fails("T4.23 in a structure", "high.parquet", structure(3, plain, 0), XX001, HIGH),
        fails("T4.23 in Snappy", "snappy_high.parquet", structure(3, snappy, SNAPPY), XX001, HIGH),
        fails("T4.23 in gzip", "gzip_high.parquet", structure(3, gzip, GZIP), XX001, HIGH),
        fails("T4.23 in Zstandard", "zstd_high.parquet", structure(3, zstd, ZSTD), XX001, HIGH),
        fails("T4.23 in LZ4", "lz4_high.parquet", structure(3, lz4, LZ4_RAW), XX001, HIGH),
        fails("T4.23 among packed ones", "mixed.parquet", mixed, XX001, HIGH),
        fails(
            "T4.23 of a column that is no structure",
            "flat.parquet",
            flat(vec![Page::data(3, PLAIN, &runs(&forge::run(3, 2)))]),
            XX001,
            "a definition level of 2, and the highest of its column is 1",
        )
        .asking(ALL),
        fails(
            "T4.23 behind a page without fault",
            "later.parquet",
            flat(vec![
                Page::data(2, PLAIN, &forge::levels(&forge::run(2, 1), &longs(&[1, 2]))),
                Page::data(1, PLAIN, &forge::levels(&forge::run(1, 7), &longs(&[3]))),
            ]),
            XX001,
            "a definition level of 7",
        )
        .asking(ALL),
        fails("T4.23 in a page of the second kind", "second_high.parquet", second(2), XX001, "a definition level of 2")
            .asking(ALL),
        fails("T4.23 of lists", "list_high.parquet", lists(3), XX001, "a repetition level of 3, and the highest")
            .asking("SELECT count(x) FROM t"),
    ])
    .await;
}

/// A decimal of more digits than PostgreSQL's float could tell apart, and than Arrow's smaller type holds.
fn digits(precision: i64) -> Column {
    let schema: fn(Thrift) -> Thrift = match precision {
        39 => |thrift| thrift.i32(6, 5).i32(7, 0).i32(8, 39),
        _ => |thrift| thrift.i32(6, 5).i32(7, 0).i32(8, 100),
    };
    Column::new("x", BYTE_ARRAY, [Page::data(1, PLAIN, b"\x01\0\0\0\x07")]).with_schema(schema)
}

fn column_of_three(change: impl FnOnce(Column) -> Column) -> Vec<u8> {
    forge::file(3, &[change(Column::new("x", INT64, [Page::data(3, PLAIN, &longs(&[1, 2, 3]))]))])
}

fn outside(place: fn(Thrift) -> Thrift) -> Vec<u8> {
    column_of_three(|column| column.with_place(place))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_and_places_that_cannot_be() {
    // The list of the pages, and no page.
    let list = b"\x19\xfc\xff\xff\xff\xff\x07\x00";
    let listed = column_of_three(|column| column.behind(list).with_place(|thrift| thrift.i64(4, 4).i32(5, 8)));
    let page = Page::data(3, PLAIN, &longs(&[1, 2, 3]));
    // Statistics with a length and no bytes.
    let least =
        page.with_header(|thrift| thrift.structure(5, Thrift::default().raw(&[0x58]).raw(&forge::varint(1 << 42))));
    let least = column(3, [least]);
    let bloom = column_of_three(|column| column.with_metadata(|thrift| thrift.i64(14, 1 << 40)));
    check(vec![
        gives("T4.27 a decimal of 39 digits is read", "d39.parquet", forge::file(1, &[digits(39)]), "7"),
        fails("T4.27 a decimal of 100 digits", "d100.parquet", forge::file(1, &[digits(100)]), XX001, "damaged"),
        fails(
            "T4.28 a column index outside the file",
            "index.parquet",
            outside(|thrift| thrift.i64(6, 1 << 40).i32(7, 100)),
            XX001,
            "the page index is damaged",
        ),
        fails(
            "T4.28 an offset index outside the file",
            "offsets.parquet",
            outside(|thrift| thrift.i64(4, 1 << 40).i32(5, 100)),
            XX001,
            "the page index is damaged",
        ),
        fails("T4.28 an offset index of 2^31 pages", "pages.parquet", listed, XX001, "the page index is damaged"),
        fails("T4.21 a least value of 2^42 bytes", "least.parquet", least, XX001, "the header of a page is damaged"),
        gives("T4.29 a Bloom filter outside the file is not needed", "bloom.parquet", bloom, "2")
            .asking("SELECT x FROM t WHERE x = 2"),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t4_27_an_instant_beyond_all_microseconds_is_an_error() {
    let lake = Lake::default();
    let far: ArrayRef = Arc::new(TimestampMillisecondArray::from(vec![i64::MAX]));
    lake.write("s/t.parquet", of(vec![("x", far)]));
    let far: ArrayRef = Arc::new(TimestampSecondArray::from(vec![i64::MAX / 10]));
    lake.write("s/u.parquet", of(vec![("x", far)]));
    let server = TestServer::start(&lake).await;
    for (table, sql) in [
        ("t", "SELECT * FROM s.t"),
        ("t", "SELECT max(x) FROM s.t"),
        ("u", "SELECT * FROM s.u"),
        ("u", "SELECT 1 FROM s.u WHERE x > '2024-01-01'"),
    ] {
        let fault = server.wire().await.query(sql).await.fault.expect(sql);
        assert_eq!(fault.state, "22008", "{sql}: {}", fault.message);
        let end = format!(" out of range in file \"s/{table}.parquet\" of table \"s.{table}\"");
        assert!(fault.message.ends_with(&end), "{sql}: {}", fault.message);
    }
    assert_eq!(server.value("SELECT count(*) FROM s.t").await, "1");
}

fn of(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    parquet(&RecordBatch::try_from_iter(columns).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t4_30_and_31_files_of_one_table_that_differ() {
    let lake = Lake::default();
    let long = || -> ArrayRef { Arc::new(Int64Array::from(vec![1])) };
    let text = || -> ArrayRef { Arc::new(StringArray::from(vec!["a"])) };
    let bytes: ArrayRef = Arc::new(arrow::array::BinaryArray::from(vec![&b"\x01"[..]]));
    lake.write("s/missing/1.parquet", of(vec![("x", long()), ("y", text())]));
    lake.write("s/missing/2.parquet", of(vec![("x", long())]));
    lake.write("s/changed/1.parquet", of(vec![("x", long())]));
    lake.write("s/changed/2.parquet", of(vec![("x", text())]));
    lake.write("s/other/1.parquet", of(vec![("x", long())]));
    lake.write("s/other/2.parquet", of(vec![("x", bytes)]));
    let server = TestServer::start(&lake).await;
    assert_eq!(server.column("SELECT y FROM s.missing ORDER BY y").await, ["a", "NULL"]);
    assert_eq!(server.column("SELECT x FROM s.changed ORDER BY x").await, ["1", "a"]);
    assert_eq!(server.column("SELECT x FROM s.other").await, ["1"]);
    let skipped = server.column("SELECT key || ': ' || reason FROM system.skipped_files").await;
    assert_eq!(skipped, ["s/other/2.parquet: column \"x\" is BinaryView here and Int64 in the files before"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t4_25_fifty_million_rows_in_one_run_are_read() {
    let rows = 50_000_000;
    let lake = Lake::default();
    lake.write("s/t.parquet", places(rows, 1, &forge::run(usize::try_from(rows).unwrap(), 0)));
    let server = TestServer::start(&lake).await;
    let started = std::time::Instant::now();
    assert_eq!(server.value("SELECT max(x) - min(x) + count(x) FROM s.t").await, "50000000");
    eprintln!("50,000,000 rows in {} ms", started.elapsed().as_millis());
}
