//! A look-alike of FAOSTAT's bulk file of temperature change: one row an area, month and element, one column a year.
//!
//! Owns: the file's traps. Windows-1252 (0x96 in season names, 0xB0 in the unit, accents in area names), quoted
//! commas, an apostrophe before the M49 code, areas that exist for some years only, empty cells.

use std::io::{self, Write};

use super::output::Output;
use super::random::{Random, wave};
use crate::error::Error;

const SEED: u64 = 0xFA0_57A7;
const FIRST_YEAR: u16 = 1961;
const LAST_YEAR: u16 = 2023;

const PERIODS: [(u16, &str); 17] = [
    (7001, "January"),
    (7002, "February"),
    (7003, "March"),
    (7004, "April"),
    (7005, "May"),
    (7006, "June"),
    (7007, "July"),
    (7008, "August"),
    (7009, "September"),
    (7010, "October"),
    (7011, "November"),
    (7012, "December"),
    (7016, "Dec–Jan–Feb"),
    (7017, "Mar–Apr–May"),
    (7018, "Jun–Jul–Aug"),
    (7019, "Sep–Oct–Nov"),
    (7020, "Meteorological year"),
];

/// An area and the years in which it existed.
struct Area {
    name: &'static str,
    from: u16,
    to: u16,
}

pub(super) fn write(output: &mut Output) -> Result<(), Error> {
    output.file("climate/faostat_temperature_change.csv", |writer| {
        let mut random = Random::new(SEED);
        write_line(writer, &header())?;
        let mut rows = 0;
        for (index, area) in areas().enumerate() {
            let warming = 0.020 + 0.012 * random.unit();
            let code = index + 1;
            for (period_code, period) in PERIODS {
                // The M49 code begins with an apostrophe, which keeps spreadsheets from reading a number.
                let key = format!("{code},'{code:03},{},{period_code},{period}", Quoted(area.name));
                let line = format!("{key},7271,Temperature change,°c{}", changes(&mut random, &area, warming));
                write_line(writer, &line)?;
                let line = format!("{key},6078,Standard Deviation,°c{}", deviations(&mut random, &area));
                write_line(writer, &line)?;
                rows += 2;
            }
        }
        Ok(rows)
    })
}

fn header() -> String {
    let mut line = String::from("Area Code,Area Code (M49),Area,Months Code,Months,Element Code,Element,Unit");
    for year in FIRST_YEAR..=LAST_YEAR {
        line += &format!(",Y{year}");
    }
    line
}

/// Reads `name` or `name|from|to` lines.
fn areas() -> impl Iterator<Item = Area> {
    include_str!("data/areas.txt").lines().map(|line| {
        let mut parts = line.split('|');
        let name = parts.next().unwrap_or_default();
        let mut year = |missing| parts.next().and_then(|year| year.parse().ok()).unwrap_or(missing);
        Area { name, from: year(FIRST_YEAR), to: year(LAST_YEAR) }
    })
}

/// The change against 1951-1980: none before 1975, `warming` degrees a year after it, and weather on top.
fn changes(random: &mut Random, area: &Area, warming: f64) -> String {
    cells(area, |year| {
        let trend = warming * f64::from(year.saturating_sub(1975));
        let value = trend + 0.15 * wave(f64::from(year) / 7.3) + 0.6 * random.around_zero();
        (!random.once_in(40)).then_some(value)
    })
}

/// The standard deviation of an area and period: the same in every year.
fn deviations(random: &mut Random, area: &Area) -> String {
    let value = 0.25 + 0.5 * random.unit();
    cells(area, |_| Some(value))
}

fn cells(area: &Area, mut value: impl FnMut(u16) -> Option<f64>) -> String {
    let mut line = String::with_capacity(500);
    for year in FIRST_YEAR..=LAST_YEAR {
        line.push(',');
        if let Some(value) = value(year).filter(|_| (area.from..=area.to).contains(&year)) {
            line += &format!("{value:.3}");
        }
    }
    line
}

/// A text in quotes when it has a comma.
struct Quoted(&'static str);

impl std::fmt::Display for Quoted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.contains(',') { write!(f, "\"{}\"", self.0) } else { f.write_str(self.0) }
    }
}

/// Writes a line in Windows-1252, which is Latin-1 but for a few signs; of those the file has the dash.
fn write_line(writer: &mut impl Write, line: &str) -> io::Result<()> {
    let mut bytes = Vec::with_capacity(line.len() + 1);
    for character in line.chars() {
        let byte = match character {
            '–' => 0x96,
            other => u8::try_from(other)
                .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, format!("{other:?} is not in Windows-1252")))?,
        };
        bytes.push(byte);
    }
    bytes.push(b'\n');
    writer.write_all(&bytes)
}
