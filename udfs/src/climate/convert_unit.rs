//! `convert_unit(value, from, to)` - a number in another unit.
//!
//! Owns: the units of weather and what they are worth. Must never know: which column is in which.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::Float64Type;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::quantity::{of_numbers, strict};
use crate::Error;
use crate::function::{Args, Overload, Ty, function, overload, some};
use crate::manual::Manual;

pub(super) static CONVERT_UNIT: Manual = Manual {
    name: "convert_unit",
    calls: &[("(value double precision, from_unit text, to_unit text)", "double precision")],
    meaning: "A number in another unit, whose names may be in any case. Of temperature: C, F, K. Of speed: m/s, km/h, mph, \
              kn. Of pressure: Pa, hPa, mbar, kPa, bar, atm, mmHg, inHg, psi. Of length and precipitation: mm, cm, m, km, in, \
              ft, yd, mi, nmi. Of mass: g, kg, t, oz, lb.",
    nulls: strict!("A unit that is none of these, and two of different kinds, are 22023 with those that there are."),
    example: ("SELECT convert_unit(98.6, 'F', 'C')", "37.0"),
    source: "NIST Special Publication 811, Guide for the Use of the International System of Units, appendix B",
};

/// The function.
pub(super) fn convert_unit() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 1] = [overload(&[Ty::Float, Ty::Text, Ty::Text], Ty::Float, convert)];
    function("convert_unit", &OVERLOADS)
}

/// `(value - zero) * above / below` is the value in the first unit of its kind.
#[derive(Debug, PartialEq)]
struct Unit {
    name: &'static str,
    kind: &'static str,
    zero: f64,
    above: f64,
    below: f64,
}

const fn unit(kind: &'static str, name: &'static str, above: f64, below: f64) -> Unit {
    Unit { name, kind, zero: 0.0, above, below }
}

static UNITS: [Unit; 30] = [
    unit("temperature", "C", 1.0, 1.0),
    Unit { name: "F", kind: "temperature", zero: 32.0, above: 5.0, below: 9.0 },
    Unit { name: "K", kind: "temperature", zero: 273.15, above: 1.0, below: 1.0 },
    unit("speed", "m/s", 1.0, 1.0),
    unit("speed", "km/h", 1000.0, 3600.0),
    unit("speed", "mph", 1609.344, 3600.0),
    unit("speed", "kn", 1852.0, 3600.0),
    unit("pressure", "Pa", 1.0, 1.0),
    unit("pressure", "hPa", 100.0, 1.0),
    unit("pressure", "mbar", 100.0, 1.0),
    unit("pressure", "kPa", 1000.0, 1.0),
    unit("pressure", "bar", 100_000.0, 1.0),
    unit("pressure", "atm", 101_325.0, 1.0),
    unit("pressure", "mmHg", 133.322_387_415, 1.0),
    unit("pressure", "inHg", 3_386.388_640_341, 1.0),
    unit("pressure", "psi", 6_894.757_293_168_361, 1.0),
    unit("length", "mm", 1.0, 1000.0),
    unit("length", "cm", 1.0, 100.0),
    unit("length", "m", 1.0, 1.0),
    unit("length", "km", 1000.0, 1.0),
    unit("length", "in", 254.0, 10_000.0),
    unit("length", "ft", 3048.0, 10_000.0),
    unit("length", "yd", 9144.0, 10_000.0),
    unit("length", "mi", 1_609_344.0, 1000.0),
    unit("length", "nmi", 1852.0, 1.0),
    unit("mass", "g", 1.0, 1000.0),
    unit("mass", "kg", 1.0, 1.0),
    unit("mass", "t", 1000.0, 1.0),
    unit("mass", "oz", 28_349_523_125.0, 1_000_000_000_000.0),
    unit("mass", "lb", 45_359_237.0, 100_000_000.0),
];

fn names(of: impl Fn(&Unit) -> bool) -> String {
    UNITS.iter().filter(|unit| of(unit)).map(|unit| unit.name).collect::<Vec<_>>().join(", ")
}

fn named(name: &str) -> Result<&'static Unit, Error> {
    UNITS.iter().find(|unit| unit.name.eq_ignore_ascii_case(name.trim())).ok_or_else(|| Error::ParameterWithHint {
        message: format!("unit \"{name}\" is not known"),
        hint: format!("The units are {}.", names(|_| true)),
    })
}

fn pair(from: &str, to: &str) -> Result<(&'static Unit, &'static Unit), Error> {
    let (one, other) = (named(from)?, named(to)?);
    if one.kind == other.kind {
        return Ok((one, other));
    }
    let message = format!("unit \"{}\" is of {}, \"{}\" of {}", one.name, one.kind, other.name, other.kind);
    let hint = format!("The units of {} are {}.", one.kind, names(|unit| unit.kind == one.kind));
    Err(Error::ParameterWithHint { message, hint })
}

fn converted(value: f64, from: &Unit, to: &Unit) -> f64 {
    if from == to {
        return value;
    }
    (value - from.zero) * (from.above * to.below) / (from.below * to.above) + to.zero
}

fn convert(args: &Args<'_>) -> Result<ArrayRef> {
    let (values, from, to) = (args.float(0)?, args.text(1)?, args.text(2)?);
    let mut last = None;
    args.build::<Float64Type>(|row| {
        let (value, from, to) = (some!(values.get(row)), some!(from.get(row)), some!(to.get(row)));
        let (one, other) = match last {
            Some((known, units)) if known == (from, to) => units,
            _ => last.insert(((from, to), pair(from, to)?)).1,
        };
        Ok(of_numbers([value], |[value]| Ok(Some(converted(value, one, other))))?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{call, shown, text};
    use datafusion::common::ScalarValue;

    /// Factors of NIST SP 811, appendix B.8, and fixed points of the scales of temperature.
    #[test]
    fn units_are_worth_what_the_standard_says() {
        for (value, from, to, expect) in [
            (212.0, "F", "C", 100.0),
            (-40.0, "f", "c", -40.0),
            (0.0, "K", "F", -459.67),
            (36.0, "km/h", "m/s", 10.0),
            (60.0, "mph", "km/h", 96.560_64),
            (1.0, "kn", "m/s", 0.514_444_444_444_444_4),
            (1.0, "atm", "hPa", 1013.25),
            (1.0, "bar", "mbar", 1000.0),
            (29.92, "inHg", "hPa", 1_013.207_481),
            (760.0, "mmHg", "atm", 1.000_000_142),
            (1.0, "psi", "kPa", 6.894_757),
            (1.0, "in", "mm", 25.4),
            (1.0, "mi", "ft", 5280.0),
            (1.0, "nmi", "km", 1.852),
            (3.0, "ft", "yd", 1.0),
            (16.0, "oz", "lb", 1.0),
            (1.0, "lb", "g", 453.592_37),
            (1.0, "t", "kg", 1000.0),
        ] {
            let (one, other) = pair(from, to).unwrap();
            let gives = converted(value, one, other);
            assert!((gives - expect).abs() <= 1e-6 * expect.abs().max(1e-6), "{value} {from} in {to}: {gives}");
            let back = converted(gives, other, one);
            assert!((back - value).abs() < 1e-9 * value.abs().max(1.0), "{back} {from}, not {value}");
        }
    }

    #[test]
    fn what_is_no_unit_or_of_another_kind_is_refused() {
        let given = |from, to| [ScalarValue::Float64(Some(1.0)), text(from), text(to)];
        assert_eq!(shown(&convert_unit(), &given("furlong", "m")), "unit \"furlong\" is not known");
        assert_eq!(shown(&convert_unit(), &given("mm", "kg")), "unit \"mm\" is of length, \"kg\" of mass");
        let error = call(&convert_unit(), &given("mm", "kg"), true).unwrap_err();
        let hint = "The units of length are mm, cm, m, km, in, ft, yd, mi, nmi.".to_owned();
        assert!(matches!(error, Error::ParameterWithHint { hint: told, .. } if told == hint));
        let nothing = [ScalarValue::Float64(Some(f64::NAN)), text("C"), text("F")];
        assert_eq!(shown(&convert_unit(), &nothing), "NaN");
        assert_eq!(shown(&convert_unit(), &[ScalarValue::Float64(None), text("C"), text("F")]), "NULL");
    }
}
