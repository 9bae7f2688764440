//! A value between its wire form and the plan's type: what PostgreSQL itself would hold.

use arrow::datatypes::IntervalMonthDayNano;

use super::exact::Exact;

/// One parameter, not null.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Bool(bool),
    Integer(i128),
    Single(f32),
    Double(f64),
    Numeric(Exact),
    Text(String),
    Bytes(Vec<u8>),
    Uuid([u8; 16]),
    /// Days since 1970-01-01.
    Date(When),
    /// Microseconds since 1970-01-01; of UTC if `zoned`, else of the wall clock.
    Timestamp {
        at: When,
        zoned: bool,
    },
    /// Microseconds since midnight.
    Time(i64),
    Interval(IntervalMonthDayNano),
    Array(Array),
}

/// An array: elements in order, and how many each dimension has. An empty array has no dimensions.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Array {
    pub(super) element_oid: u32,
    pub(super) dimensions: Vec<usize>,
    pub(super) elements: Vec<Option<Value>>,
}

/// A day or an instant, which may be infinitely early or late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    Early,
    Late,
    At(i64),
}
