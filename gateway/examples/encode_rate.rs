//! Prints how many rows a second one core encodes, by type and for a row of eight columns, in text and in binary.
//!
//! `cargo run --release -p lakegate --example encode_rate`

use std::sync::Arc;
use std::time::Instant;

use arrow::array::{
    ArrayRef, Date32Array, Decimal128Array, Float32Array, Float64Array, Int32Array, Int64Array, StringArray,
    StringViewArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{Field, Schema};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use bytes::BytesMut;
use lakegate::error::Result;
use lakegate::pg::encode::{Format, RowEncoder};
use lakegate::session::vars::Display;

const ROWS: usize = 65_536;
/// Rows of one call, about what fills a frame of 64 KiB.
const CALL_ROWS: usize = 512;
const ROUNDS: usize = 7;

/// Marsaglia's xorshift: the same values in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }

    fn integer(&mut self, bound: u64) -> i64 {
        self.below(bound).cast_signed()
    }
}

fn main() -> Result<()> {
    let utc = Display::default();
    let paris = Display { time_zone: chrono_tz::Tz::Europe__Paris, ..Display::default() };
    let columns = columns()?;
    for (name, column) in &columns {
        rate(name, vec![Arc::clone(column)], &utc)?;
    }
    for (name, column) in columns.iter().filter(|(name, _)| name.starts_with("timestamptz")) {
        rate(&format!("{name}, Paris"), vec![Arc::clone(column)], &paris)?;
    }
    rate("8 columns", columns.iter().take(8).map(|(_, column)| Arc::clone(column)).collect(), &utc)
}

/// The first eight make the row.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "any value will do")]
fn columns() -> Result<Vec<(&'static str, ArrayRef)>, ArrowError> {
    let mut random = Random(88_172_645_463_325_252);
    let rows = || 0..ROWS as i64;
    let start = 1_700_000_000_000_000;
    Ok(vec![
        ("int4", Arc::new(Int32Array::from_iter_values(rows().map(|_| random.integer(1_000_000) as i32)))),
        (
            "timestamptz",
            Arc::new(
                TimestampMicrosecondArray::from_iter_values(rows().map(|row| start + row * 1_234_567))
                    .with_timezone("UTC"),
            ),
        ),
        (
            "float8, 2 decimals",
            Arc::new(Float64Array::from_iter_values(rows().map(|_| random.below(1_000_000) as f64 / 100.0))),
        ),
        (
            "float8, 17 digits",
            Arc::new(Float64Array::from_iter_values(
                rows().map(|_| random.below(1 << 53) as f64 / (1_u64 << 53) as f64),
            )),
        ),
        (
            "float4, 1 decimal",
            Arc::new(Float32Array::from_iter_values(rows().map(|_| random.below(10_000) as f32 / 10.0))),
        ),
        (
            "numeric(6,2)",
            Arc::new(
                Decimal128Array::from_iter_values(rows().map(|_| random.integer(1_000_000).into()))
                    .with_precision_and_scale(6, 2)?,
            ),
        ),
        ("text", Arc::new(StringArray::from_iter_values(rows().map(|_| format!("station-{}", random.below(10_000)))))),
        (
            "int8, a tenth null",
            Arc::new(Int64Array::from_iter(
                rows().map(|row| (row % 10 != 0).then(|| random.integer(1_000_000_000_000))),
            )),
        ),
        (
            "text view",
            Arc::new(StringViewArray::from_iter_values(rows().map(|_| format!("station-{}", random.below(10_000))))),
        ),
        ("date", Arc::new(Date32Array::from_iter_values(rows().map(|_| random.integer(20_000) as i32)))),
        (
            "timestamptz, random",
            Arc::new(
                TimestampMicrosecondArray::from_iter_values(rows().map(|_| random.integer(1_700_000_000_000_000)))
                    .with_timezone("UTC"),
            ),
        ),
    ])
}

/// The best of some rounds, for other processes only ever slow one down.
#[expect(clippy::cast_precision_loss, reason = "a rate")]
fn rate(name: &str, columns: Vec<ArrayRef>, display: &Display) -> Result<()> {
    let fields: Vec<Field> = columns.iter().map(|column| Field::new("c", column.data_type().clone(), true)).collect();
    let schema = Arc::new(Schema::new(fields));
    let batch = RecordBatch::try_new(Arc::clone(&schema), columns)?;
    for format in [Format::Text, Format::Binary] {
        let encoder = RowEncoder::new(&schema, &vec![format; schema.fields().len()], display)?;
        let mut out = BytesMut::with_capacity(128 * 1024);
        let (mut best, mut bytes) = (f64::MAX, 0);
        for _ in 0..ROUNDS {
            let begin = Instant::now();
            bytes = 0;
            for from in (0..ROWS).step_by(CALL_ROWS) {
                out.clear();
                encoder.encode(&batch, from..from + CALL_ROWS, &mut out)?;
                bytes += out.len();
            }
            best = best.min(begin.elapsed().as_secs_f64());
        }
        let (rate, width) = (ROWS as f64 / best / 1e6, bytes / ROWS);
        println!("{name:28} {format:?}: {rate:7.2} M rows/s of {width} bytes");
    }
    Ok(())
}
