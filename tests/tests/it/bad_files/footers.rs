//! Parquet by its end: what is no Parquet, and footers that ask for too much. The cases T4.01 to T4.19.

use arrow::datatypes::{DataType, Field, Schema};
use lakegate_tests::lake::{gzip, numbers};
use lakegate_tests::{Lake, TestServer};

use super::forge::{self, INT64, Thrift};
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
