//! Weather observations as a hive-partitioned Parquet table, the part of the demo that grows with `--rows`.
//!
//! Owns: the columns and the partitions. The departments `07` and `2A` make the partition column a text.

use std::io;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Decimal128Builder, Float32Builder, Float64Builder, RecordBatch, StringBuilder,
    TimestampMicrosecondBuilder,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};

use super::instants::{Instants, Slot};
use super::output::Output;
use super::parquet_file::{self, BATCH_ROWS};
use super::random::{Random, wave};
use crate::error::Error;

const SEED: u64 = 0x0B5E_27A7;
const YEARS: [i32; 2] = [2023, 2024];
const STATIONS: u64 = 3;

/// A department, its mean temperature and how far its year swings around it, in degrees.
const DEPARTMENTS: [(&str, f64, f64); 10] = [
    ("07", 12.4, 9.0),
    ("13", 15.6, 8.8),
    ("29", 11.8, 5.4),
    ("2A", 15.9, 7.6),
    ("31", 14.2, 8.4),
    ("44", 12.7, 6.9),
    ("59", 11.1, 7.4),
    ("67", 11.2, 9.4),
    ("69", 12.8, 9.1),
    ("75", 12.6, 8.0),
];

pub(super) fn write(output: &mut Output, rows: u64) -> Result<(), Error> {
    let schema = schema();
    let partitions = (YEARS.len() * DEPARTMENTS.len()) as u64;
    let mut partition = 0;
    for year in YEARS {
        for (department, mean, swing) in DEPARTMENTS {
            // The first partitions take what does not divide.
            let wanted = rows / partitions + u64::from(partition < rows % partitions);
            let seed = SEED + partition;
            partition += 1;
            if wanted == 0 {
                continue;
            }
            let key = format!("weather/observations/year={year}/department={department}/part-0.parquet");
            let climate = Climate { department, mean, swing };
            let mut observer = Observer { climate, year, random: Random::new(seed), front: 0.0 };
            let mut slots = Instants::of_year(year, STATIONS, wanted, seed);
            let batches = std::iter::from_fn(|| observer.batch(&mut slots, &schema).transpose());
            output.file(&key, |writer| parquet_file::write(writer, Arc::clone(&schema), batches))?;
        }
    }
    Ok(())
}

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("observation_at", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), false),
        Field::new("station", DataType::Utf8, false),
        Field::new("temperature", DataType::Float64, true),
        Field::new("humidity", DataType::Float32, true),
        Field::new("rain", DataType::Decimal128(6, 1), true),
        Field::new("wind", DataType::Float64, true),
        Field::new("pressure", DataType::Float64, true),
    ]))
}

struct Climate {
    department: &'static str,
    mean: f64,
    swing: f64,
}

struct Observer {
    climate: Climate,
    year: i32,
    random: Random,
    front: f64,
}

impl Observer {
    fn batch(&mut self, slots: &mut Instants, schema: &SchemaRef) -> io::Result<Option<RecordBatch>> {
        let mut columns = Columns::default();
        for slot in slots.take(BATCH_ROWS as usize) {
            self.observe(slot, &mut columns);
        }
        let arrays = columns.finish()?;
        if arrays.first().is_none_or(|array| array.is_empty()) {
            return Ok(None);
        }
        RecordBatch::try_new(Arc::clone(schema), arrays).map(Some).map_err(io::Error::other)
    }

    fn observe(&mut self, slot: Slot, columns: &mut Columns) {
        let day_of_epoch = slot.at_us as f64 / 86_400e6;
        let random = &mut self.random;
        self.front = 0.97 * self.front + 0.5 * random.around_zero();
        let warmer_year = if self.year == 2024 { 0.3 } else { 0.0 };
        let temperature = self.climate.mean + warmer_year - 0.7 * slot.lane as f64
            + self.climate.swing * wave(day_of_epoch / 365.25 - 0.30)
            + 4.0 * wave(day_of_epoch - 0.375)
            + 1.5 * self.front
            + 0.6 * random.around_zero();
        let humidity = (70.0 - 16.0 * wave(day_of_epoch - 0.375) - 8.0 * self.front).clamp(15.0, 100.0);
        let rain = if self.front < -0.8 { (60.0 * random.unit() * random.unit()) as i128 } else { 0 };
        let wind = (3.2 - 1.6 * self.front + 1.4 * random.around_zero()).max(0.0);
        let pressure = 1016.0 + 6.5 * self.front + 0.5 * random.around_zero();

        columns.observation_at.append_value(slot.at_us);
        columns.station.append_value(format!("{}{:03}001", self.climate.department, 20 + 7 * slot.lane));
        columns.temperature.append_option((!random.once_in(200)).then(|| tenths(temperature)));
        columns.humidity.append_option((!random.once_in(12)).then(|| humidity.round() as f32));
        columns.rain.append_value(rain);
        columns.wind.append_value(tenths(wind));
        columns.pressure.append_option((slot.lane != 2).then(|| tenths(pressure)));
    }
}

fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[derive(Default)]
struct Columns {
    observation_at: TimestampMicrosecondBuilder,
    station: StringBuilder,
    temperature: Float64Builder,
    humidity: Float32Builder,
    rain: Decimal128Builder,
    wind: Float64Builder,
    pressure: Float64Builder,
}

impl Columns {
    fn finish(mut self) -> io::Result<Vec<ArrayRef>> {
        let rain = self.rain.finish().with_precision_and_scale(6, 1).map_err(io::Error::other)?;
        Ok(vec![
            Arc::new(self.observation_at.finish().with_timezone("UTC")),
            Arc::new(self.station.finish()),
            Arc::new(self.temperature.finish()),
            Arc::new(self.humidity.finish()),
            Arc::new(rain),
            Arc::new(self.wind.finish()),
            Arc::new(self.pressure.finish()),
        ])
    }
}
