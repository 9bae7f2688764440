//! A lake in a temporary folder, and the files that tests put into it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use flate2::Compression;
use flate2::write::GzEncoder;
use parquet::arrow::ArrowWriter;
use tempfile::TempDir;

/// A folder of tables that goes away with its last clone.
#[derive(Clone)]
pub struct Lake {
    dir: Arc<TempDir>,
}

impl Default for Lake {
    fn default() -> Self {
        Self { dir: Arc::new(tempfile::tempdir().unwrap()) }
    }
}

impl Lake {
    /// A lake with the tables that most tests need: `weather.observations` (Parquet, 1,000 rows, 4 stations),
    /// `weather.stations` (CSV) and `shop.orders` (NDJSON).
    pub fn sample() -> Self {
        let lake = Self::default();
        lake.write("weather/observations/part-0.parquet", observations(0, 500));
        lake.write("weather/observations/part-1.parquet", observations(500, 500));
        lake.write("weather/stations.csv", STATIONS);
        lake.write("shop/orders.ndjson", ORDERS);
        lake
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Puts a file in its place at once, as an object store does: readers see the old one or the new one.
    pub fn write(&self, key: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(key);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut file = tempfile::NamedTempFile::new_in(self.dir.path()).unwrap();
        std::io::Write::write_all(&mut file, content.as_ref()).unwrap();
        file.persist(&path).unwrap();
        path
    }

    pub fn remove(&self, key: &str) {
        std::fs::remove_file(self.path().join(key)).unwrap();
    }

    /// Sets a file's time, for stores that tell versions apart by it.
    pub fn touch(&self, key: &str, age: Duration) {
        let file = std::fs::File::options().write(true).open(self.path().join(key)).unwrap();
        file.set_modified(SystemTime::now() - age).unwrap();
    }

    /// Every file below the root, by key.
    pub fn keys(&self) -> Vec<String> {
        let mut folders = vec![self.path().to_owned()];
        let mut keys = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    keys.push(path.strip_prefix(self.path()).unwrap().to_str().unwrap().to_owned());
                }
            }
        }
        keys.sort();
        keys
    }
}

const STATIONS: &str = "\
station,name,lat,\"Height m\"
S0,Ushuaia,-54.8,31
S1,\"Paris, Montsouris\",48.82,75
S2,Nairobi,-1.3,1795
S3,,,
";

const ORDERS: &str = r#"{"id":1,"customer":"ada","amount":12.5,"note":null}
{"id":2,"customer":"bob","amount":-3.25,"note":"refund"}
{"id":3,"customer":"ada","amount":100.0,"note":""}
"#;

pub fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    std::io::Write::write_all(&mut encoder, content).unwrap();
    encoder.finish().unwrap()
}

pub fn parquet(batch: &RecordBatch) -> Vec<u8> {
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    writer.write(batch).unwrap();
    writer.into_inner().unwrap()
}

/// A Parquet file of one column `name` with these numbers.
/// A file of Arrow IPC with its footer.
pub fn arrow_file(batch: &RecordBatch) -> Vec<u8> {
    let mut writer = arrow_ipc::writer::FileWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    writer.write(batch).unwrap();
    writer.into_inner().unwrap()
}

pub fn numbers(name: &str, values: impl IntoIterator<Item = i64>) -> Vec<u8> {
    let values: ArrayRef = Arc::new(Int64Array::from_iter_values(values));
    parquet(&RecordBatch::try_from_iter([(name, values)]).unwrap())
}

/// Hourly rows from 2026-01-01: `time timestamptz, station text, temp float8, n int8`; every tenth `temp` is null.
fn observations(first: i64, rows: i64) -> Vec<u8> {
    let hours = first..first + rows;
    let start = 1_767_225_600_000_000_i64;
    let times = TimestampMicrosecondArray::from_iter_values(hours.clone().map(|hour| start + hour * 3_600_000_000));
    let stations = StringArray::from_iter_values(hours.clone().map(|hour| format!("S{}", hour % 4)));
    let temps: Float64Array = hours.clone().map(|hour| (hour % 10 != 9).then(|| temperature(hour))).collect();
    let columns: [(&str, ArrayRef, bool); 4] = [
        ("time", Arc::new(times.with_timezone("UTC")), true),
        ("station", Arc::new(stations), true),
        ("temp", Arc::new(temps), true),
        ("n", Arc::new(Int64Array::from_iter_values(hours)), true),
    ];
    parquet(&RecordBatch::try_from_iter_with_nullable(columns).unwrap())
}

/// Quarters of a degree, so that sums are exact in any order.
fn temperature(hour: i64) -> f64 {
    f64::from(i32::try_from(hour % 97).unwrap()) * 0.25 - 5.0
}
