//! The settings that decide how a value looks on the wire.

use chrono_tz::Tz;

use super::domain;

/// Read once per stream, never per row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Display {
    pub time_zone: Tz,
    pub date_style: DateStyle,
    pub interval_style: IntervalStyle,
    /// At 1 and above (the default) floats print their shortest exact form; below, `15 + extra_float_digits` digits.
    pub extra_float_digits: i32,
    pub bytea_output: ByteaOutput,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateOrder {
    Ymd,
    Dmy,
    Mdy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateStyle {
    Iso(DateOrder),
    Postgres(DateOrder),
    Sql(DateOrder),
    German(DateOrder),
}

impl DateStyle {
    /// The order of fields in texts that are read.
    pub fn order(self) -> udfs::pg::moment::Order {
        use udfs::pg::moment::Order;
        match self {
            Self::Iso(order) | Self::Postgres(order) | Self::Sql(order) | Self::German(order) => match order {
                DateOrder::Ymd => Order::Ymd,
                DateOrder::Dmy => Order::Dmy,
                DateOrder::Mdy => Order::Mdy,
            },
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntervalStyle {
    Postgres,
    PostgresVerbose,
    SqlStandard,
    Iso8601,
}

impl IntervalStyle {
    /// The style by which texts of intervals are read and written.
    pub fn of_texts(self) -> udfs::pg::interval::Style {
        use udfs::pg::interval::Style;
        match self {
            Self::Postgres => Style::Postgres,
            Self::PostgresVerbose => Style::PostgresVerbose,
            Self::SqlStandard => Style::SqlStandard,
            Self::Iso8601 => Style::Iso8601,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByteaOutput {
    Hex,
    Escape,
}

impl Default for Display {
    fn default() -> Self {
        Self {
            time_zone: Tz::UTC,
            date_style: DateStyle::Iso(DateOrder::Mdy),
            interval_style: IntervalStyle::Postgres,
            extra_float_digits: 1,
            bytea_output: ByteaOutput::Hex,
        }
    }
}

impl Display {
    /// Reads the settings by name; every value has passed its domain's check.
    pub(super) fn from_vars(get: impl Fn(&str) -> String) -> Self {
        Self {
            time_zone: domain::parse_time_zone(&get("timezone")).unwrap_or(Tz::UTC),
            date_style: date_style(&get("datestyle")),
            interval_style: match get("intervalstyle").as_str() {
                "postgres_verbose" => IntervalStyle::PostgresVerbose,
                "sql_standard" => IntervalStyle::SqlStandard,
                "iso_8601" => IntervalStyle::Iso8601,
                _ => IntervalStyle::Postgres,
            },
            extra_float_digits: get("extra_float_digits").parse().unwrap_or(1),
            bytea_output: if get("bytea_output") == "escape" { ByteaOutput::Escape } else { ByteaOutput::Hex },
        }
    }
}

/// Reads the normalised form `ISO, MDY`.
fn date_style(value: &str) -> DateStyle {
    let (style, order) = value.split_once(", ").unwrap_or((value, "MDY"));
    let order = match order {
        "YMD" => DateOrder::Ymd,
        "DMY" => DateOrder::Dmy,
        _ => DateOrder::Mdy,
    };
    match style {
        "Postgres" => DateStyle::Postgres(order),
        "SQL" => DateStyle::Sql(order),
        "German" => DateStyle::German(order),
        _ => DateStyle::Iso(order),
    }
}
