//! Arrow IPC and Avro: files that are cut, forged, or have one bit turned over.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow_avro::writer::AvroWriter;
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
use lakegate_tests::lake::arrow_file;

use super::flips::flipped;
use super::{check, fails, gives};

const XX001: &str = "XX001";

fn batch(rows: i64) -> RecordBatch {
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..rows));
    let words: ArrayRef = Arc::new((0..rows).map(|at| Some(format!("word {at}"))).collect::<StringArray>());
    RecordBatch::try_from_iter([("x", numbers), ("w", words)]).unwrap()
}

fn packed(rows: i64, compression: CompressionType) -> Vec<u8> {
    let options = IpcWriteOptions::default().try_with_compression(Some(compression)).unwrap();
    let batch = batch(rows);
    let mut writer = FileWriter::try_new_with_options(Vec::new(), &batch.schema(), options).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

fn stream(rows: i64) -> Vec<u8> {
    let batch = batch(rows);
    let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

fn avro(rows: i64) -> Vec<u8> {
    let batch = batch(rows);
    let mut writer = AvroWriter::new(Vec::new(), batch.schema().as_ref().clone()).unwrap();
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
    writer.into_inner()
}

/// Another length of the footer.
fn footer(length: i32) -> Vec<u8> {
    let mut file = arrow_file(&batch(3));
    let at = file.len() - 10;
    file[at..at + 4].copy_from_slice(&length.to_le_bytes());
    file
}

/// The claim of the first buffer that it has `from` bytes without compression.
fn claiming(mut file: Vec<u8>, from: i64, to: i64) -> Vec<u8> {
    let at = file.windows(8).position(|bytes| bytes == from.to_le_bytes()).unwrap();
    file[at..at + 8].copy_from_slice(&to.to_le_bytes());
    file
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_of_blocks_that_are_not_what_they_claim() {
    let whole = avro(3);
    let second = [whole.as_slice(), &whole[whole.len() - 16..], &[0; 40]].concat();
    let mut marker = whole.clone();
    *marker.last_mut().unwrap() ^= 1;
    let lz4 = |claim| claiming(packed(1_000, CompressionType::LZ4_FRAME), 8_000, claim);
    let zstd = |claim| claiming(packed(1_000, CompressionType::ZSTD), 8_000, claim);
    check(vec![
        gives("a file", "whole.arrow", arrow_file(&batch(2)), "0|word 0\n1|word 1"),
        gives("a stream", "stream.arrows", stream(2), "0|word 0\n1|word 1"),
        gives("a container", "container.avro", avro(2), "0|word 0\n1|word 1"),
        gives("packed", "packed.feather", packed(2, CompressionType::ZSTD), "0|word 0\n1|word 1"),
        fails("the footer is larger than the file", "footer.arrow", footer(i32::MAX), XX001, "cannot be 2147483647"),
        fails("the footer is less than nothing", "negative.arrow", footer(-1), XX001, "cannot be -1 bytes long"),
        fails("no footer", "half.arrow", &arrow_file(&batch(99))[..900], XX001, "ends without its footer"),
        fails("a stream is cut", "stopped.arrows", &stream(99)[..900], XX001, "ends within a message"),
        fails("a buffer of a terabyte in LZ4", "lz4.arrow", lz4(1 << 40), "54000", "more than 536870912"),
        fails("a buffer of a terabyte in ZSTD", "zstd.arrow", zstd(1 << 40), "54000", "more than 536870912"),
        fails("a buffer holds less than it claims", "more.arrow", lz4(9_000), XX001, "cannot be decompressed"),
        fails("a buffer holds more than it claims", "less.arrow", zstd(7_992), XX001, "cannot be decompressed"),
        fails("text", "text.arrow", "a,b\n1,2\n", XX001, "it is no Arrow file"),
        fails("the first Feather", "old.feather", "FEA1....", "0A000", "the first version of Feather"),
        fails("text", "words.avro", "a,b\n1,2\n", XX001, "it is no Avro file"),
        fails("a container is cut", "cut.avro", &whole[..whole.len() - 20], XX001, "ends within a block"),
        fails("its head is cut", "head.avro", &whole[..30], XX001, "ends within its head"),
        fails("another marker", "marker.avro", marker, XX001, "does not end with the file's marker"),
        fails("noise behind it", "noise.avro", second, XX001, "its data is damaged"),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_bit_of_a_file_of_blocks_makes_nothing_panic() {
    for (ending, content) in [
        ("arrow", packed(200, CompressionType::LZ4_FRAME)),
        ("arrows", stream(200)),
        ("feather", arrow_file(&batch(200))),
        ("avro", avro(200)),
    ] {
        flipped(&content, ending, (content.len(), 60)).await;
    }
}
