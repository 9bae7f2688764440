//! The decimal digits of a number, rounded to the places that a pattern shows.
//!
//! Owns: rounding. Must never know: patterns.

/// A number to write.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value {
    /// A mantissa with its scale.
    Exact(i128, i8),
    Float(f64),
}

impl Value {
    /// The sign and the digits with `places` decimals, after a shift of the point to the right.
    pub(super) fn rounded(self, shift: usize, places: usize) -> (bool, String) {
        match self {
            Self::Float(value) => {
                let scaled = value * 10_f64.powi(i32::try_from(shift).unwrap_or(0));
                (value < 0.0, format!("{:.places$}", scaled.abs()))
            }
            Self::Exact(mantissa, scale) => {
                let digits = mantissa.unsigned_abs().to_string();
                let scale = i64::from(scale) - i64::try_from(shift).unwrap_or(0);
                (mantissa < 0, exact(&digits, scale, places))
            }
        }
    }
}

/// `digits / 10^scale` with `places` decimals, a half rounded away from zero.
fn exact(digits: &str, scale: i64, places: usize) -> String {
    let mut digits = digits.to_owned();
    let scale = match usize::try_from(scale) {
        Ok(scale) => scale,
        Err(_) => {
            digits.push_str(&"0".repeat(usize::try_from(-scale).unwrap_or(0)));
            0
        }
    };
    if digits.len() <= scale {
        digits.insert_str(0, &"0".repeat(scale + 1 - digits.len()));
    }
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    if fraction.len() <= places {
        let padding = "0".repeat(places - fraction.len());
        return if places == 0 { whole.to_owned() } else { format!("{whole}.{fraction}{padding}") };
    }
    let (kept, cut) = fraction.split_at(places);
    let mut joined: Vec<u8> = whole.bytes().chain(kept.bytes()).collect();
    if cut.as_bytes().first().is_some_and(|digit| *digit >= b'5') {
        let mut carry = true;
        for digit in joined.iter_mut().rev() {
            if !carry {
                break;
            }
            carry = *digit == b'9';
            *digit = if carry { b'0' } else { *digit + 1 };
        }
        if carry {
            joined.insert(0, b'1');
        }
    }
    let mut text: String = joined.into_iter().map(char::from).collect();
    if places > 0 {
        text.insert(text.len() - places, '.');
    }
    text
}
