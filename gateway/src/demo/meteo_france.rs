//! Look-alikes of Meteo-France's hourly files: a department and two years each, gzip, 204 columns.
//!
//! Owns: the files' traps. Station ids with a leading zero, `;`, hours as `AAAAMMJJHH`, unpadded `hhmm`, columns that
//! are empty for most stations or only in the first thousands of rows, stations one after the other, each with all its
//! hours, and a quality column beside every value. Rain at an hour covers the hour before it.

use std::io::{self, Write};

use chrono::{Datelike, NaiveDate, NaiveDateTime, TimeDelta, Timelike};
use flate2::{Compression, GzBuilder};

use super::output::Output;
use super::random::{Random, wave};
use crate::error::Error;

const SEED: u64 = 0x3E7E0;
const HOURS: i64 = (365 + 366) * 24;

/// The measured values in the order of the columns; each is followed by its quality `Q...`.
#[rustfmt::skip]
const PARAMETERS: [&str; 99] = [
    "RR1", "DRR1", "FF", "DD", "FXY", "DXY", "HXY", "FXI", "DXI", "HXI", "FF2", "DD2", "FXI2", "DXI2", "HXI2",
    "FXI3S", "DXI3S", "HFXI3S", "T", "TD", "TN", "HTN", "TX", "HTX", "DG", "T10", "T20", "T50", "T100", "TNSOL",
    "TN50", "TCHAUSSEE", "DHUMEC", "U", "UN", "HUN", "UX", "HUX", "DHUMI40", "DHUMI80", "TSV", "PMER", "PSTAT",
    "PMERMIN", "GEOP", "N", "NBAS", "CL", "CM", "CH", "N1", "C1", "B1", "N2", "C2", "B2", "N3", "C3", "B3", "N4",
    "C4", "B4", "VV", "DVV200", "WW", "W1", "W2", "SOL", "SOLNG", "TMER", "VVMER", "ETATMER", "DIRHOULE", "HVAGUE",
    "PVAGUE", "HNEIGEF", "NEIGETOT", "TSNEIGE", "TUBENEIGE", "HNEIGEFI3", "HNEIGEFI1", "ESNEIGE", "CHARGENEIGE",
    "GLO", "GLO2", "DIR", "DIR2", "DIF", "DIF2", "UV", "UV2", "UV_INDICE", "INFRAR", "INFRAR2", "INS", "INS2",
    "TLAGON", "TVEGETAUX", "ECOULEMENT",
];

struct Station {
    id: &'static str,
    name: &'static str,
    lat: &'static str,
    lon: &'static str,
    altitude_m: i32,
    /// Measures wind, humidity, pressure, clouds and sun too, not only rain and temperature.
    complete: bool,
}

const FILES: [(&str, [Station; 2]); 2] = [
    (
        "weather/meteo_france_hourly/H_07_latest-2023-2024.csv.gz",
        [
            Station {
                id: "07064001",
                name: "COLOMBIER-LE-JEUNE",
                lat: "45.009667",
                lon: "4.700333",
                altitude_m: 581,
                complete: false,
            },
            Station {
                id: "07131001",
                name: "LANAS",
                lat: "44.539167",
                lon: "4.366167",
                altitude_m: 280,
                complete: true,
            },
        ],
    ),
    (
        "weather/meteo_france_hourly/H_31_latest-2023-2024.csv.gz",
        [
            Station {
                id: "31042012",
                name: "LUCHON",
                lat: "42.800333",
                lon: "0.600833",
                altitude_m: 618,
                complete: false,
            },
            Station {
                id: "31069001",
                name: "TOULOUSE-BLAGNAC",
                lat: "43.621000",
                lon: "1.378833",
                altitude_m: 151,
                complete: true,
            },
        ],
    ),
];

pub(super) fn write(output: &mut Output) -> Result<(), Error> {
    for (index, (key, stations)) in FILES.iter().enumerate() {
        output.file(key, |writer| {
            let mut gzip = GzBuilder::new().write(writer, Compression::fast());
            let rows = write_department(&mut gzip, stations, SEED + index as u64)?;
            gzip.finish()?;
            Ok(rows)
        })?;
    }
    Ok(())
}

fn write_department(writer: &mut impl Write, stations: &[Station], seed: u64) -> io::Result<u64> {
    let mut line = String::from("NUM_POSTE;NOM_USUEL;LAT;LON;ALTI;AAAAMMJJHH");
    for name in PARAMETERS {
        line += &format!(";{name};Q{name}");
    }
    line.push('\n');
    writer.write_all(line.as_bytes())?;

    let mut random = Random::new(seed);
    let mut rows = 0;
    let first = NaiveDate::from_ymd_opt(2023, 1, 1).unwrap_or_default().and_time(chrono::NaiveTime::MIN);
    for station in stations {
        let mut weather = Weather::default();
        for hour in 0..HOURS {
            let at = first + TimeDelta::hours(hour);
            weather.step(&mut random, at, station.altitude_m);
            line.clear();
            line += &format!(
                "{};{};{};{};{};{}",
                station.id,
                station.name,
                station.lat,
                station.lon,
                station.altitude_m,
                at.format("%Y%m%d%H")
            );
            for cell in row(&mut random, &weather, at, station.complete) {
                cell.push_to(&mut line);
            }
            line.push('\n');
            writer.write_all(line.as_bytes())?;
            rows += 1;
        }
    }
    Ok(rows)
}

/// What the sky does at one station, from hour to hour.
#[derive(Default)]
struct Weather {
    temperature: f64,
    front: f64,
    rain_mm: f64,
    wind: f64,
    direction: i32,
    humidity: f64,
    pressure: f64,
    clouds: i32,
}

impl Weather {
    fn step(&mut self, random: &mut Random, at: NaiveDateTime, altitude_m: i32) {
        let year = f64::from(at.ordinal0()) / 365.25;
        let day = f64::from(at.hour()) / 24.0;
        self.front = 0.97 * self.front + 0.6 * random.around_zero();
        self.temperature = 13.5 - 0.0065 * f64::from(altitude_m)
            + 8.5 * wave(year - 0.30)
            + 4.5 * wave(day - 0.375)
            + 2.0 * self.front
            + 0.5 * random.around_zero();
        let wet = self.front < -0.9;
        self.rain_mm = if wet && !random.once_in(3) { 5.0 * random.unit() * random.unit() } else { 0.0 };
        self.wind = (3.0 - 1.8 * self.front + 1.5 * random.around_zero()).max(0.0);
        self.direction = if self.front < 0.0 { 300 } else { 130 } + (random.below(7) as i32 - 3) * 10;
        self.humidity =
            (68.0 - 18.0 * wave(day - 0.375) - 9.0 * self.front + 5.0 * random.around_zero()).clamp(18.0, 100.0);
        self.pressure = 1016.0 + 6.0 * self.front + 0.8 * random.around_zero();
        self.clouds = (4.0 - 3.0 * self.front + 2.0 * random.around_zero()).clamp(0.0, 8.0) as i32;
    }
}

/// A value in tenths or whole units, with its quality; or nothing, as most cells.
#[derive(Clone, Copy, Default)]
enum Cell {
    #[default]
    Empty,
    Tenths(i64, u8),
    Whole(i64, u8),
}

impl Cell {
    fn push_to(self, line: &mut String) {
        match self {
            Self::Empty => line.push_str(";;"),
            Self::Tenths(value, quality) => {
                let sign = if value < 0 { "-" } else { "" };
                *line += &format!(";{sign}{}.{};{quality}", value.abs() / 10, value.abs() % 10);
            }
            Self::Whole(value, quality) => *line += &format!(";{value};{quality}"),
        }
    }
}

/// Fills the cells of a row by name; a value in fifty is missing.
struct Row<'a> {
    cells: [Cell; PARAMETERS.len()],
    random: &'a mut Random,
    /// 0 in the last month, which nobody has checked yet; 1 before.
    quality: u8,
}

impl Row<'_> {
    fn tenths(&mut self, column: usize, value: f64) {
        let quality = self.quality();
        self.set(column, Cell::Tenths((value * 10.0).round() as i64, quality));
    }

    fn whole(&mut self, column: usize, value: impl Into<i64>) {
        let quality = self.quality();
        self.set(column, Cell::Whole(value.into(), quality));
    }

    /// A minute of the hour that ends at `at`, as `hhmm` without leading zeros: 59 is 00:59.
    fn minute(&mut self, column: usize, at: NaiveDateTime) {
        let minute = self.random.below(60) as i64;
        let hour = i64::from((at.hour() + 23) % 24);
        self.set(column, Cell::Whole(hour * 100 + minute, 9));
    }

    fn quality(&mut self) -> u8 {
        if self.random.once_in(500) { 2 } else { self.quality }
    }

    fn set(&mut self, column: usize, cell: Cell) {
        if !self.random.once_in(50)
            && let Some(place) = self.cells.get_mut(column)
        {
            *place = cell;
        }
    }
}

fn row(random: &mut Random, weather: &Weather, at: NaiveDateTime, complete: bool) -> [Cell; PARAMETERS.len()] {
    let quality = u8::from((at.year(), at.month()) != (2024, 12));
    let mut row = Row { cells: [Cell::Empty; PARAMETERS.len()], random, quality };
    row.tenths(const { column("RR1") }, weather.rain_mm);
    row.tenths(const { column("T") }, weather.temperature);
    row.tenths(const { column("TN") }, weather.temperature - 0.4);
    row.minute(const { column("HTN") }, at);
    row.tenths(const { column("TX") }, weather.temperature + 0.5);
    row.minute(const { column("HTX") }, at);
    if complete {
        fill_complete(&mut row, weather, at);
    }
    row.cells
}

/// The columns that only a station with all instruments has.
fn fill_complete(row: &mut Row<'_>, weather: &Weather, at: NaiveDateTime) {
    row.whole(const { column("DRR1") }, (weather.rain_mm * 12.0).min(60.0) as i64);
    row.tenths(const { column("FF") }, weather.wind);
    row.whole(const { column("DD") }, weather.direction);
    row.tenths(const { column("FXY") }, weather.wind * 1.2);
    row.whole(const { column("DXY") }, weather.direction);
    row.minute(const { column("HXY") }, at);
    row.tenths(const { column("FXI") }, weather.wind * 1.8);
    row.whole(const { column("DXI") }, weather.direction);
    row.minute(const { column("HXI") }, at);
    row.tenths(const { column("TD") }, weather.temperature - (100.0 - weather.humidity) / 5.0);
    row.whole(const { column("DG") }, if weather.temperature < 0.0 { 60 } else { 0 });
    row.whole(const { column("U") }, weather.humidity as i64);
    row.whole(const { column("UN") }, (weather.humidity - 2.0) as i64);
    row.minute(const { column("HUN") }, at);
    row.whole(const { column("UX") }, (weather.humidity + 2.0).min(100.0) as i64);
    row.minute(const { column("HUX") }, at);
    row.tenths(const { column("PMER") }, weather.pressure);
    row.tenths(const { column("PSTAT") }, weather.pressure - 18.5);
    row.whole(const { column("N") }, weather.clouds);
    let visibility_m = if weather.humidity > 96.0 { 400 } else { 60_000 - (weather.humidity * 500.0) as i64 };
    row.whole(const { column("VV") }, visibility_m);
    let daylight = (wave(f64::from(at.hour()) / 24.0 - 0.25) * f64::from(10 - weather.clouds) / 10.0).max(0.0);
    row.whole(const { column("GLO") }, (daylight * 320.0) as i64);
    row.whole(const { column("INS") }, (daylight * 60.0) as i64);
}

/// The place of a parameter; a name that is not in the list runs over its end, which does not compile.
const fn column(name: &str) -> usize {
    let mut at = 0;
    while !same(PARAMETERS[at].as_bytes(), name.as_bytes()) {
        at += 1;
    }
    at
}

const fn same(left: &[u8], right: &[u8]) -> bool {
    let mut at = 0;
    while at < left.len() && at < right.len() && left[at] == right[at] {
        at += 1;
    }
    at == left.len() && at == right.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_stand_where_the_publisher_puts_them() {
        for (name, position) in [("RR1", 7), ("FF", 11), ("DD", 13), ("T", 43), ("TN", 47), ("TX", 51), ("U", 73)] {
            assert_eq!(7 + 2 * column(name), position, "{name}");
        }
        assert_eq!(7 + 2 * column("PMER"), 89);
        assert_eq!(7 + 2 * column("VV"), 131);
        assert_eq!(6 + 2 * PARAMETERS.len(), 204);
    }

    #[test]
    fn negative_tenths_keep_their_sign() {
        let mut line = String::new();
        Cell::Tenths(-4, 1).push_to(&mut line);
        Cell::Empty.push_to(&mut line);
        Cell::Whole(59, 9).push_to(&mut line);
        assert_eq!(line, ";-0.4;1;;;59;9");
    }
}
