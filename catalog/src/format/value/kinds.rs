//! The kinds of the values of a column, as a set.
//!
//! Owns: which type holds which kinds. What a value shows is only ever added, so the order of values never matters.

use arrow::datatypes::{DataType, TimeUnit};
use serde::{Deserialize, Serialize};

use super::Form;

/// A set of the kinds of the values of a column.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kinds(u32);

impl Kinds {
    pub(crate) const INTEGER: Self = Self(1);
    pub(crate) const FLOAT: Self = Self(1 << 1);
    /// `NaN` and the infinities: numbers among numbers, else words.
    pub(crate) const SPECIAL: Self = Self(1 << 2);
    pub(crate) const BOOLEAN: Self = Self(1 << 3);
    pub(crate) const DATE: Self = Self(1 << 4);
    pub(crate) const TIMESTAMP: Self = Self(1 << 5);
    /// A time with an offset.
    pub(crate) const INSTANT: Self = Self(1 << 6);
    pub(crate) const TEXT: Self = Self(1 << 7);

    /// Integers that a float would round.
    pub(crate) const WIDE: Self = Self(1 << 8);
    /// Integers that `bigint` does not hold, of up to 38 digits.
    pub(crate) const BIG: Self = Self(1 << 9);
    /// A point before decimals, and one that may stand between thousands: `1.234`.
    pub(crate) const POINT: Self = Self(1 << 10);
    pub(crate) const POINT_OR_GROUP: Self = Self(1 << 11);
    /// The same of a comma.
    pub(crate) const COMMA: Self = Self(1 << 12);
    pub(crate) const COMMA_OR_GROUP: Self = Self(1 << 13);

    /// Integers that are `YYYYMMDD`, with hour, with minute, with second, and integers that are none of them.
    pub(crate) const COMPACT: [Self; 4] = [Self(1 << 14), Self(1 << 15), Self(1 << 16), Self(1 << 17)];
    pub(crate) const NOT_COMPACT: Self = Self(1 << 18);
    /// `2024/01/31`.
    pub(crate) const YEAR_FIRST: Self = Self(1 << 19);
    /// Days and months before a year, apart by `/` or `.`; and values that the one or the other order does not allow.
    pub(crate) const SLASHED: Self = Self(1 << 20);
    pub(crate) const DOTTED: Self = Self(1 << 21);
    pub(crate) const NOT_DAY_FIRST: Self = Self(1 << 22);
    pub(crate) const NOT_MONTH_FIRST: Self = Self(1 << 23);
    /// One of the three with a time of the day.
    pub(crate) const CLOCK: Self = Self(1 << 24);

    const INTEGERS: Self = Self(Self::INTEGER.0 | Self::WIDE.0 | Self::BIG.0 | Self::COMPACTS.0 | Self::NOT_COMPACT.0);
    const COMPACTS: Self = Self(0b1111 << 14);
    const NUMBERS: Self = Self(
        Self::INTEGERS.0 | Self::FLOAT.0 | Self::SPECIAL.0 | Self::POINT.0 | Self::POINT_OR_GROUP.0 | Self::COMMAS.0,
    );
    pub(crate) const COMMAS: Self = Self(Self::COMMA.0 | Self::COMMA_OR_GROUP.0);
    const OTHER_MOMENTS: Self = Self(
        Self::YEAR_FIRST.0
            | Self::SLASHED.0
            | Self::DOTTED.0
            | Self::NOT_DAY_FIRST.0
            | Self::NOT_MONTH_FIRST.0
            | Self::CLOCK.0,
    );
    const MOMENTS: Self = Self(Self::DATE.0 | Self::TIMESTAMP.0 | Self::INSTANT.0 | Self::OTHER_MOMENTS.0);

    pub(crate) fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }

    pub(crate) const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    fn within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    pub(crate) fn are_numbers(self) -> bool {
        !self.is_empty() && self.within(Self::NUMBERS)
    }

    pub(crate) fn are_moments(self) -> bool {
        !self.is_empty() && self.within(Self::MOMENTS)
    }

    /// The narrowest type that holds every value. A column without values is text.
    pub(crate) fn data_type(self) -> DataType {
        self.reading("").0
    }

    /// The type, and how the moments of a column with this name are written.
    pub(crate) fn reading(self, name: &str) -> (DataType, Form) {
        let iso = |data_type| (data_type, Form::Iso);
        if self.is_empty() || self == Self::SPECIAL {
            iso(DataType::Utf8View)
        } else if self.within(Self::INTEGERS) {
            self.integers(name)
        } else if self.within(Self::NUMBERS) && !self.has(Self::WIDE.with(Self::BIG)) {
            iso(DataType::Float64)
        } else if self == Self::BOOLEAN {
            iso(DataType::Boolean)
        } else if self == Self::DATE {
            iso(DataType::Date32)
        } else if self.within(Self::DATE.with(Self::TIMESTAMP)) {
            iso(timestamp(false))
        } else if self == Self::INSTANT {
            iso(timestamp(true))
        } else if self.within(Self::OTHER_MOMENTS) {
            self.other_moments()
        } else {
            iso(DataType::Utf8View)
        }
    }

    fn integers(self, name: &str) -> (DataType, Form) {
        if self.has(Self::BIG) {
            return (DataType::Decimal128(38, 0), Form::Iso);
        }
        let mut forms = (0_u8..4).zip(Self::COMPACT).filter(|(_, compact)| self.has(*compact)).map(|(parts, _)| parts);
        match (forms.next(), forms.next()) {
            (Some(parts), None) if !self.has(Self::NOT_COMPACT) && super::names_a_moment(name) => {
                let data_type = if parts == 0 { DataType::Date32 } else { timestamp(false) };
                (data_type, Form::Compact { digits: 8 + 2 * parts })
            }
            _ => (DataType::Int64, Form::Iso),
        }
    }

    /// Days and months are told apart only if a value shows which is which.
    fn other_moments(self) -> (DataType, Form) {
        let day_first = !self.has(Self::NOT_DAY_FIRST) && self.has(Self::NOT_MONTH_FIRST);
        let month_first = self.has(Self::NOT_DAY_FIRST) && !self.has(Self::NOT_MONTH_FIRST);
        let form = match (self.has(Self::YEAR_FIRST), self.has(Self::SLASHED), self.has(Self::DOTTED)) {
            (true, false, false) => Some(Form::YearFirst),
            (false, true, false) if day_first => Some(Form::DayFirst { between: b'/' }),
            (false, true, false) if month_first => Some(Form::MonthFirst),
            (false, false, true) if day_first => Some(Form::DayFirst { between: b'.' }),
            _ => None,
        };
        match form {
            Some(form) => (if self.has(Self::CLOCK) { timestamp(false) } else { DataType::Date32 }, form),
            None => (DataType::Utf8View, Form::Iso),
        }
    }
}

fn timestamp(has_zone: bool) -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, has_zone.then(|| "UTC".into()))
}
