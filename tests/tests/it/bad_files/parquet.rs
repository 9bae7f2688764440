//! Parquet: the cases T4.01 to T4.31.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray};
use arrow::datatypes::{DataType, Field, Schema};
use lakegate_tests::lake::{gzip, numbers, parquet};
use lakegate_tests::{Lake, TestServer};

use super::forge::{
    self, BYTE_ARRAY, Column, DELTA_BYTES, DELTA_LENGTH, DICTIONARY, GZIP, INT64, PLAIN, Page, SNAPPY, Thrift, ZSTD,
};
use super::{check, fails, gives};

const XX001: &str = "XX001";

/// A good file, and the place of its footer's length.
fn whole() -> (Vec<u8>, usize) {
    let whole = numbers("x", 0..1000);
    let at = whole.len() - 8;
    (whole, at)
}

fn with_length(length: u32) -> Vec<u8> {
    let (mut file, at) = whole();
    file[at..at + 4].copy_from_slice(&length.to_le_bytes());
    file
}

/// The file with some of it zeroed: its footer, or its pages.
fn zeroed(footer: bool) -> Vec<u8> {
    let (mut file, at) = whole();
    let length = u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
    let start = at - usize::try_from(length).unwrap();
    if footer {
        file[start..at].fill(0);
    } else {
        file[4..start].fill(0);
    }
    file
}

fn with_end(end: &[u8; 4]) -> Vec<u8> {
    let (mut file, at) = whole();
    file[at + 4..].copy_from_slice(end);
    file
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_that_are_no_parquet() {
    let (good, _) = whole();
    let footerless = forge::ended(b"PAR1".to_vec(), b"");
    check(vec![
        fails("T4.01 zero bytes", "zero.parquet", "", XX001, "file is empty (0 bytes)"),
        fails("T4.02 four bytes", "four.parquet", "PAR1", XX001, "the file is too short for Parquet"),
        fails("T4.03 two magics", "eight.parquet", "PAR1PAR1", XX001, "the file is too short for Parquet"),
        fails("T4.04 half of it", "half.parquet", &good[..good.len() / 2], XX001, "does not end as Parquet does"),
        fails("T4.05 one byte less", "less.parquet", &good[..good.len() - 1], XX001, "does not end as Parquet does"),
        fails("T4.06 wrong magic", "magic.parquet", with_end(b"PARX"), XX001, "does not end as Parquet does"),
        fails("T4.07 footer of -1", "minus.parquet", with_length(u32::MAX), XX001, "the footer cannot be 4294967295"),
        fails("T4.08 footer of 2 GiB", "large.parquet", with_length(1 << 31), XX001, "the footer cannot be 2147483648"),
        fails("T4.09 footer of 0", "none.parquet", with_length(0), XX001, "the footer cannot be 0 bytes long"),
        fails("T4.09 no footer", "bare.parquet", footerless, XX001, "the footer cannot be 0 bytes long"),
        fails("T4.10 footer zeroed", "zeros.parquet", zeroed(true), XX001, "the footer is damaged"),
        fails("T4.11 data zeroed", "data.parquet", zeroed(false), XX001, "is damaged: "),
        fails("T4.12 CSV by its bytes", "text.parquet", "a,b\n1,2\n3,4\n5,6\n", XX001, "does not end as Parquet does"),
        fails("T4.13 gzip by its bytes", "gzip.parquet", gzip(&good), XX001, "does not end as Parquet does"),
        fails("T4.14 encrypted", "secret.parquet", with_end(b"PARE"), XX001, "the file is encrypted"),
    ])
    .await;
}

/// A footer with a list of so many elements of a kind, in a field that the format does not have.
fn list_of(kind: u8, size: usize, elements: &[u8]) -> Vec<u8> {
    let mut footer = forge::footer(&[], 0, Vec::new());
    footer.list(15, kind, size);
    forge::with_footer(b"PAR1".to_vec(), footer.raw(elements))
}

/// A footer of a column in structures in structures, perhaps with Arrow's description of them beside.
fn nested(levels: usize, with_arrow: bool) -> Vec<u8> {
    let group = |_| Thrift::default().i32(3, 0).text(4, "s").i32(5, 1);
    let leaf = Thrift::default().i32(1, INT64).i32(3, 0).text(4, "leaf");
    let mut elements: Vec<Thrift> = (0..levels).map(group).chain([leaf]).collect();
    let root = Thrift::default().text(4, "schema").i32(5, 1);
    elements.insert(0, root);
    let footer = Thrift::default().i32(1, 1).structures(2, elements).i64(3, 0).structures(4, []);
    let leaf = Field::new("leaf", DataType::Int64, false);
    let column = (0..levels).fold(leaf, |inner, _| Field::new_struct("s", vec![inner], false));
    let described = ::parquet::arrow::encode_arrow_schema(&Schema::new(vec![column]));
    let footer = match with_arrow {
        true => footer.structures(5, [Thrift::default().text(1, "ARROW:schema").text(2, &described)]),
        false => footer,
    };
    forge::with_footer(b"PAR1".to_vec(), footer)
}

/// A footer with so many columns, and no row.
fn wide(columns: usize) -> Vec<u8> {
    let element = |at| Thrift::default().i32(1, INT64).i32(3, 1).text(4, &format!("c{at}"));
    let elements: Vec<Thrift> = (0..columns).map(element).collect();
    forge::with_footer(b"PAR1".to_vec(), forge::footer(&elements, 0, Vec::new()))
}

/// A footer with so many row groups of one column without a row.
fn grouped(groups: usize) -> Vec<u8> {
    let element = Thrift::default().i32(1, INT64).i32(3, 1).text(4, "x");
    let metadata = Thrift::default().i32(1, INT64).raw(&[0x19, 0x05, 0x19, 0x18, 0x01, b'x', 0x15, 0x00]);
    // Field 4 was written raw: what follows is told from there.
    let metadata = metadata.raw(&[0x16, 0x00, 0x16, 0x00, 0x16, 0x00, 0x26, 0x08]);
    let chunk = Thrift::default().i64(2, 4).structure(3, metadata);
    let group = Thrift::default().structures(1, [chunk]).i64(2, 0).i64(3, 0);
    forge::with_footer(b"PAR1".to_vec(), forge::footer(&[element], 0, vec![group; groups]))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn footers_that_ask_for_too_much() {
    const DAMAGED: &str = "the footer is damaged";
    check(vec![
        fails("T4.15 a list of 2^31 structures", "structs.parquet", list_of(12, 1 << 31, b""), XX001, DAMAGED),
        fails("T4.15 a list of 2^31 truths", "truths.parquet", list_of(1, 1 << 31, b""), XX001, DAMAGED),
        fails("T4.15 a list of 2^31 texts", "texts.parquet", list_of(8, 1 << 31, b"\x01x"), XX001, DAMAGED),
        fails("T4.15 lists in lists", "lists.parquet", list_of(9, 100, &[0x19; 200]), XX001, DAMAGED),
        gives("T4.17 nested 20 deep", "shallow.parquet", nested(20, true), ""),
        gives("T4.17 nested 60 deep", "middle.parquet", nested(60, false), ""),
        fails("T4.17 nested 120 deep", "deep.parquet", nested(120, true), "54000", "nested in 121 levels"),
        fails("T4.18 20,000 columns", "wide.parquet", wide(20_000), "54011", "has 20000 columns"),
        fails("T4.19 a million row groups", "groups.parquet", grouped(1_000_000), "54000", "row groups"),
        gives("T4.19 a thousand row groups", "few.parquet", grouped(1_000), "0").asking("SELECT count(x) FROM t"),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t4_16_a_footer_of_600_mib_is_not_read() {
    let lake = Lake::default();
    // With nothing in it: the length alone is at its end.
    let path = lake.write("bad/long.parquet", b"PAR1");
    let file = std::fs::File::options().write(true).open(path).unwrap();
    let footer = 600_u32 << 20;
    file.set_len(4 + u64::from(footer)).unwrap();
    std::os::unix::fs::FileExt::write_all_at(
        &file,
        &[&footer.to_le_bytes()[..], b"PAR1"].concat(),
        4 + u64::from(footer),
    )
    .unwrap();
    let server = TestServer::start(&lake).await;
    let fault = server.wire().await.query("SELECT * FROM bad.long").await.fault.unwrap();
    assert_eq!(fault.state, "54000", "{fault:?}");
    assert!(fault.message.contains("\"bad/long.parquet\""), "{}", fault.message);
    assert!(fault.message.contains("the footer of 629145600 bytes is larger than 67108864"), "{}", fault.message);
}

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

/// A page that claims more than it is.
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
    let structure = |level| {
        let page = Page::data(3, PLAIN, &forge::levels(&forge::run(3, level), &longs(&[1, 2, 3])));
        forge::file(3, &[Column::new("x", INT64, [page]).optional().inside("s")])
    };
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
        gives("T4.23 a level too high is none of the greatest: a NULL", "high.parquet", structure(3), "()\n()\n()"),
        gives("levels in structures", "structure.parquet", structure(2), "(1)\n(2)\n(3)"),
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
        gives("T4.29 a Bloom filter outside the file is not needed", "bloom.parquet", bloom, "2")
            .asking("SELECT x FROM t WHERE x = 2"),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t4_27_an_instant_beyond_all_microseconds_is_an_error() {
    let lake = Lake::default();
    let far: ArrayRef = Arc::new(TimestampMillisecondArray::from(vec![i64::MAX]));
    let far = parquet(&RecordBatch::try_from_iter([("x", far)]).unwrap());
    lake.write("s/t.parquet", far);
    let server = TestServer::start(&lake).await;
    assert!(server.state("SELECT * FROM s.t").await.starts_with("22"));
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
