//! The demo as a whole: the same everywhere, with every trap, and with the row counts that it names.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::LazyLock;

use arrow::datatypes::DataType;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::*;

const FEW: usize = 1_000;

type Files = BTreeMap<String, Vec<u8>>;

/// The demo with few rows, written once for all tests that only read it.
static DEMO: LazyLock<(Summary, Files)> = LazyLock::new(|| {
    let dir = tempfile::tempdir().unwrap();
    (write(dir.path(), FEW).unwrap(), files(dir.path()))
});

fn read(key: &str) -> &'static [u8] {
    &DEMO.1[key]
}

/// Every file below `dir` by its key.
fn files(dir: &Path) -> Files {
    let mut found = BTreeMap::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let key = path.strip_prefix(dir).unwrap().to_str().unwrap().to_owned();
                found.insert(key, fs::read(path).unwrap());
            }
        }
    }
    found
}

fn gunzip(bytes: &[u8]) -> String {
    let mut text = String::new();
    flate2::read::GzDecoder::new(bytes).read_to_string(&mut text).unwrap();
    text
}

/// FNV-1a, enough to notice a changed byte.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3))
}

/// The records of a CSV text as a reader that honours quotes sees them.
fn records(text: &str, delimiter: char) -> Vec<Vec<String>> {
    let (mut records, mut record, mut cell, mut quoted) = (vec![], vec![], String::new(), false);
    for character in text.replace("\r\n", "\n").chars() {
        match character {
            '"' => quoted = !quoted,
            '\n' if !quoted => {
                record.push(std::mem::take(&mut cell));
                records.push(std::mem::take(&mut record));
            }
            other if other == delimiter && !quoted => record.push(std::mem::take(&mut cell)),
            other => cell.push(other),
        }
    }
    assert!(cell.is_empty() && record.is_empty() && !quoted, "the text ends within a record");
    records
}

#[test]
fn two_runs_write_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), FEW).unwrap();
    assert!(files(dir.path()) == DEMO.1);
}

#[test]
fn the_texts_are_the_same_on_every_machine() {
    let faostat = hash(read("climate/faostat_temperature_change.csv"));
    let online = hash(read("transactions/online/2024-03.csv"));
    let meteo = hash(gunzip(read("weather/meteo_france_hourly/H_07_latest-2023-2024.csv.gz")).as_bytes());
    assert_eq!(
        [faostat, online, meteo],
        [451_662_817_480_464_939, 13_644_488_246_385_585_142, 8_147_621_325_273_977_886]
    );
}

#[test]
fn the_summary_counts_what_is_there() {
    let (summary, files) = &*DEMO;
    assert_eq!(summary.files, files.len());
    assert_eq!(summary.bytes, files.values().map(|bytes| bytes.len() as u64).sum::<u64>());
    let fixed = 144 + 741 + 2_922 + 26_115 + 69_659 + 234 * 17 * 2 + 4 * 731 * 24 + 100_000;
    assert_eq!(summary.rows, fixed + FEW as u64 + FEW as u64 / 2);
}

#[test]
fn the_climate_file_is_windows_1252_with_quoted_commas() {
    let bytes = read("climate/faostat_temperature_change.csv");
    assert!(std::str::from_utf8(bytes).is_err());
    assert!(bytes.windows(11).any(|window| window == b"Dec\x96Jan\x96Feb"));
    assert!(bytes.windows(3).any(|window| window == b",\xB0c"));
    assert!(bytes.windows(13).any(|window| window == b"C\xF4te d'Ivoire"));
    let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
    let records = records(&text, ',');
    assert_eq!(records.len(), 1 + 234 * 17 * 2);
    assert!(records.iter().all(|record| record.len() == 8 + 63));
    assert!(records.iter().any(|record| record[2] == "China, Hong Kong SAR"));
    assert!(records[1][1].starts_with('\''));
    let ussr: Vec<_> = records.iter().filter(|record| record[2] == "USSR").collect();
    assert!(ussr.iter().all(|record| record[8 + 31..].iter().all(String::is_empty)));
}

#[test]
fn the_hourly_files_have_their_publishers_shape() {
    let text = gunzip(read("weather/meteo_france_hourly/H_07_latest-2023-2024.csv.gz"));
    let records = records(&text, ';');
    assert_eq!(records.len(), 1 + 2 * 731 * 24);
    assert!(records.iter().all(|record| record.len() == 204));
    assert_eq!((records[1][0].as_str(), records[1][5].as_str()), ("07064001", "2023010100"));
    assert_eq!(records[731 * 24][5], "2024123123");
    assert!(records[1..=731 * 24].iter().all(|record| record[0] == "07064001" && record[10].is_empty()));
    assert!(records[731 * 24 + 1..].iter().any(|record| !record[10].is_empty()));
    // 00:59 is written 59, so some times have one or two digits only.
    assert!(records[1..].iter().any(|record| (1..=2).contains(&record[48].len())));
    assert!(records[1..].iter().all(|record| record[48].len() < 2 || !record[48].starts_with('0')));
}

#[test]
fn the_shop_files_have_every_trap() {
    let month = |month| read(&format!("transactions/online/2024-{month:02}.csv"));
    assert!(month(2).starts_with(b"\xEF\xBB\xBFtransaction_id,"));
    assert!(std::str::from_utf8(month(3)).unwrap().lines().next().unwrap().ends_with("status"));
    assert!(month(3).windows(8).any(|window| window == b"status\r\n"));
    assert!(month(4).starts_with(b"transaction_date,transaction_id,"));
    assert_eq!(month(8).split(|byte| *byte == b'\n').count(), 2);
    assert!(month(9).is_empty());
    let december = std::str::from_utf8(month(12)).unwrap();
    for trap in ["High Street\nFlat 2\"", ",\"\",", ",NA,", ",NULL,", ",\\N,", ",,", ",-", ",refunded"] {
        assert!(december.contains(trap), "{trap:?}");
    }
}

#[test]
fn the_shop_has_a_hundred_thousand_rows_and_two_thousand_repeats() {
    let (mut rows, mut ids, mut refunds) = (0, std::collections::BTreeSet::new(), 0);
    for month in 1..=12 {
        let text = std::str::from_utf8(read(&format!("transactions/online/2024-{month:02}.csv"))).unwrap();
        let records = records(text.trim_start_matches('\u{FEFF}'), ',');
        let Some((header, body)) = records.split_first() else { continue };
        let place = |name| header.iter().position(|column| column == name).unwrap();
        let (id, amount) = (place("transaction_id"), place("amount"));
        assert_eq!(header.len(), if month == 10 { 15 } else { 14 });
        for record in body {
            assert_eq!(record.len(), header.len());
            assert_eq!(record[amount].split_once('.').unwrap().1.len(), 2);
            refunds += usize::from(record[amount].starts_with('-'));
            ids.insert(record[id].clone());
            rows += 1;
        }
    }
    assert_eq!((rows, ids.len(), refunds), (100_000, 98_000, 1_000));
}

#[test]
fn the_parquet_tables_have_the_rows_asked_for() {
    let (mut observations, mut archive) = (0, 0);
    for (key, bytes) in &DEMO.1 {
        if !key.ends_with(".parquet") {
            continue;
        }
        let reader = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from_static(bytes)).unwrap();
        let rows = reader.metadata().file_metadata().num_rows();
        let DataType::Timestamp(_, Some(zone)) = reader.schema().field(0).data_type() else { panic!("{key}") };
        assert_eq!(&**zone, "UTC");
        if key.starts_with("weather/observations/") { observations += rows } else { archive += rows }
    }
    assert_eq!((observations, archive), (FEW as i64, FEW as i64 / 2));
    assert!(DEMO.1.contains_key("weather/observations/year=2023/department=2A/part-0.parquet"));
}

#[test]
fn no_rows_give_the_other_tables() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), 0).unwrap();
    assert!(!dir.path().join("weather/observations").exists());
    assert!(dir.path().join("weather/nyc_airports_hourly_2013.csv").exists());
}

#[test]
fn a_folder_with_files_of_others_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("mine.csv"), "a\n1\n").unwrap();
    assert!(!wanted(dir.path()).unwrap());
    assert!(write(dir.path(), FEW).unwrap_err().message.ends_with("is not empty"));
    assert_eq!(files(dir.path()).len(), 1);
}

#[test]
fn a_run_that_broke_off_is_taken_up_again() {
    let broken = tempfile::tempdir().unwrap();
    write(broken.path(), 0).unwrap();
    fs::create_dir(broken.path().join(UNFINISHED)).unwrap();
    fs::write(broken.path().join(UNFINISHED).join("half.csv"), "a\n").unwrap();
    fs::remove_dir_all(broken.path().join("weather")).unwrap();
    assert!(wanted(broken.path()).unwrap());
    write(broken.path(), FEW).unwrap();
    assert_eq!(
        files(broken.path()).get("weather/seattle_new_york_daily.csv"),
        DEMO.1.get("weather/seattle_new_york_daily.csv")
    );
    assert!(!broken.path().join(UNFINISHED).exists());
    assert!(!wanted(broken.path()).unwrap());
}
