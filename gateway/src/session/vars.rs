//! The variables of one session (SET, SHOW, RESET, `current_setting`), with PostgreSQL's names and rules.

use std::time::Duration;

use chrono_tz::Tz;

use crate::error::Result;

/// The variables of one session: the server's defaults, what the client set at start-up, what it set since.
#[derive(Debug, Clone, Default)]
pub struct Vars {}

/// The settings that decide how a value looks on the wire, read once per stream.
#[derive(Debug, Clone)]
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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntervalStyle {
    Postgres,
    PostgresVerbose,
    SqlStandard,
    Iso8601,
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

/// How long a setting lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    Session,
    /// `SET LOCAL`: until the end of the transaction block.
    Local,
}

impl Vars {
    /// The value as SHOW prints it. Unknown: 42704.
    pub fn get(&self, _name: &str) -> Result<String> {
        Err(crate::error::Error::unsupported("not built yet"))
    }

    /// Checks and sets. Unknown: 42704; a value out of its domain: 22023; read-only: 55P02.
    pub fn set(&mut self, _name: &str, _value: &str, _scope: Scope) -> Result<()> {
        Err(crate::error::Error::unsupported("not built yet"))
    }

    /// Sets what the start-up packet brings (`TimeZone`, `application_name`, `options=-c name=value` ...): these become
    /// the values that RESET returns to. Unknown names: 42704.
    pub fn set_startup(&mut self, _name: &str, _value: &str) -> Result<()> {
        Err(crate::error::Error::unsupported("not built yet"))
    }

    /// Every variable that ParameterStatus reports, with its value now: sent once after authentication.
    pub fn reported(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// The reported variables that changed since the last call: sent before ReadyForQuery.
    pub fn take_changed(&mut self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    pub fn display(&self) -> Display {
        Display::default()
    }

    pub fn statement_timeout(&self) -> Option<Duration> {
        None
    }

    pub fn idle_session_timeout(&self) -> Option<Duration> {
        None
    }

    pub fn idle_in_transaction_session_timeout(&self) -> Option<Duration> {
        None
    }
}
