//! The demo's real files, in the binary byte for byte. `data/SOURCES.md` names their origins and terms.
//!
//! Owns: which file goes where. Must never know: what is in one.

use std::io::Write;

use super::output::Output;
use crate::error::Error;

struct Real {
    key: &'static str,
    bytes: &'static [u8],
    rows: u64,
}

const FILES: [Real; 5] = [
    Real { key: "climate/global_temp.csv", bytes: include_bytes!("data/global_temp.csv"), rows: 144 },
    Real { key: "climate/co2_concentration.csv", bytes: include_bytes!("data/co2_concentration.csv"), rows: 741 },
    Real {
        key: "weather/seattle_new_york_daily.csv",
        bytes: include_bytes!("data/seattle_new_york_daily.csv"),
        rows: 2_922,
    },
    Real {
        key: "weather/nyc_airports_hourly_2013.csv",
        bytes: include_bytes!("data/nyc_airports_hourly_2013.csv"),
        rows: 26_115,
    },
    Real { key: "transactions/cdnow_master.txt", bytes: include_bytes!("data/cdnow_master.txt"), rows: 69_659 },
];

pub(super) fn write(output: &mut Output) -> Result<(), Error> {
    FILES.iter().try_for_each(|file| {
        output.file(file.key, |writer| {
            writer.write_all(file.bytes)?;
            Ok(file.rows)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rows_are_those_that_the_sources_name() {
        for file in &FILES {
            let lines = file.bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count();
            assert_eq!(lines as u64, file.rows + 1, "{}", file.key);
        }
    }
}
