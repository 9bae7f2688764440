//! Special functions that the standard library lacks: gamma, its tails, and the quantiles of the normal distribution.
//!
//! Owns: their approximations. Must never know: what is computed with them.

/// J. F. Monahan and P. Godfrey's coefficients of the approximation of Lanczos, for 7 and 9 terms.
const LANCZOS: [f64; 8] = [
    676.5203681218851,
    -1259.1392167224028,
    771.3234287776531,
    -176.6150291621406,
    12.507343278686905,
    -0.13857109526572012,
    9.984369578019572e-6,
    1.5056327351493116e-7,
];

/// The logarithm of gamma of a positive number.
pub(super) fn ln_gamma(x: f64) -> f64 {
    if x < 0.5 {
        // The reflection formula, which needs no sign between 0 and 1.
        return (std::f64::consts::PI / (std::f64::consts::PI * x).sin()).ln() - ln_gamma(1.0 - x);
    }
    let x = x - 1.0;
    let terms = LANCZOS.iter().zip(1..).map(|(of, at)| of / (x + f64::from(at)));
    let sum = 0.9999999999998099 + terms.sum::<f64>();
    let t = x + 7.5;
    0.5 * (2.0 * std::f64::consts::PI).ln() + (x + 0.5) * t.ln() - t + sum.ln()
}

/// The shares of the gamma distribution of this shape below and above `x`: the series where it converges, else Lentz's
/// continued fraction (Press et al., Numerical Recipes, 6.2).
pub(super) fn gamma_tails(shape: f64, x: f64) -> (f64, f64) {
    const TERMS_MAX: u32 = 10_000;
    if x <= 0.0 {
        return (0.0, 1.0);
    }
    let scale = (shape * x.ln() - x - ln_gamma(shape)).exp();
    if x < shape + 1.0 {
        let (mut term, mut sum) = (1.0 / shape, 1.0 / shape);
        for at in 1..TERMS_MAX {
            term *= x / (shape + f64::from(at));
            sum += term;
            if term < sum * f64::EPSILON {
                break;
            }
        }
        let below = (sum * scale).min(1.0);
        return (below, 1.0 - below);
    }
    let mut b = x + 1.0 - shape;
    let (mut c, mut d) = (1.0 / f64::MIN_POSITIVE, 1.0 / b);
    let mut fraction = d;
    for at in 1..TERMS_MAX {
        let at = f64::from(at);
        let a = -at * (at - shape);
        b += 2.0;
        d = 1.0 / (a * d + b);
        c = b + a / c;
        fraction *= d * c;
        if (d * c - 1.0).abs() < f64::EPSILON {
            break;
        }
    }
    let above = (fraction * scale).min(1.0);
    (1.0 - above, above)
}

/// The probability that a normal number is as far from 0 as this, on either side.
pub(super) fn two_tails(z: f64) -> f64 {
    gamma_tails(0.5, z * z / 2.0).1
}

/// The normal number below which this share is; the share above it is given as well, for it may be the smaller one.
/// M. J. Wichura, Algorithm AS 241, Applied Statistics 37 (1988).
pub(super) fn quantile(below: f64, above: f64) -> f64 {
    let middle = below - 0.5;
    if middle.abs() <= 0.425 {
        let r = 0.180625 - middle * middle;
        return middle * polynomial(&MIDDLE_ABOVE, r) / polynomial(&MIDDLE_BELOW, r);
    }
    let r = (-below.min(above).ln()).sqrt();
    let z = if r <= 5.0 {
        polynomial(&OUTER_ABOVE, r - 1.6) / polynomial(&OUTER_BELOW, r - 1.6)
    } else {
        polynomial(&FAR_ABOVE, r - 5.0) / polynomial(&FAR_BELOW, r - 5.0)
    };
    if middle < 0.0 { -z } else { z }
}

/// The coefficients begin with that of the highest power.
fn polynomial(of: &[f64; 8], x: f64) -> f64 {
    of.iter().fold(0.0, |value, coefficient| value * x + coefficient)
}

const MIDDLE_ABOVE: [f64; 8] = [
    2509.0809287301227,
    33430.57558358813,
    67265.7709270087,
    45921.95393154987,
    13731.69376550946,
    1971.5909503065513,
    133.14166789178438,
    3.3871328727963665,
];
const MIDDLE_BELOW: [f64; 8] = [
    5226.495278852854,
    28729.085735721943,
    39307.89580009271,
    21213.794301586597,
    5394.196021424751,
    687.1870074920579,
    42.31333070160091,
    1.0,
];
const OUTER_ABOVE: [f64; 8] = [
    0.0007745450142783414,
    0.022723844989269184,
    0.2417807251774506,
    1.2704582524523684,
    3.6478483247632045,
    5.769497221460691,
    4.630337846156546,
    1.4234371107496835,
];
const OUTER_BELOW: [f64; 8] = [
    1.0507500716444169e-09,
    0.0005475938084995345,
    0.015198666563616457,
    0.14810397642748008,
    0.6897673349851,
    1.6763848301838038,
    2.053191626637759,
    1.0,
];
const FAR_ABOVE: [f64; 8] = [
    2.0103343992922881e-07,
    2.7115555687434876e-05,
    0.0012426609473880784,
    0.026532189526576124,
    0.29656057182850487,
    1.7848265399172913,
    5.463784911164114,
    6.657904643501103,
];
const FAR_BELOW: [f64; 8] = [
    2.0442631033899397e-15,
    1.421511758316446e-07,
    1.8463183175100548e-05,
    0.0007868691311456133,
    0.014875361290850615,
    0.1369298809227358,
    0.599832206555888,
    1.0,
];

#[cfg(test)]
mod tests {
    use super::*;

    fn near(gives: f64, expect: f64, what: &str) {
        assert!((gives - expect).abs() <= 1e-12 * expect.abs().max(1e-3), "{what}: {gives}, not {expect}");
    }

    /// SciPy 1.17.
    #[test]
    fn special_functions_are_those_of_scipy() {
        for (x, expect) in [
            (0.3, 1.0957979948180756),
            (0.5, 0.5723649429247004),
            (1.7, -0.0958076974070654),
            (4.2, 2.0485556369605895),
            (10.3, 13.48203678613836),
        ] {
            near(ln_gamma(x), expect, "ln_gamma");
        }
        for (shape, x, below, above) in [
            (0.5, 0.1, 0.34527915398142317, 0.6547208460185768),
            (0.5, 3.0, 0.9856941215645704, 0.014305878435429641),
            (2.5, 1.0, 0.15085496391539038, 0.8491450360846096),
            (2.5, 9.0, 0.9970535954121197, 0.0029464045878802923),
            (30.0, 20.0, 0.021818217525557418, 0.9781817824744425),
            (30.0, 50.0, 0.999083171138544, 0.0009168288614560842),
        ] {
            near(gamma_tails(shape, x).0, below, "below");
            near(gamma_tails(shape, x).1, above, "above");
        }
        for (share, expect) in [
            (1e-10, -6.361340902404056),
            (0.001, -3.090232306167813),
            (0.02425, -1.972961051311885),
            (0.3, -0.5244005127080409),
            (0.5, 0.0),
            (0.9, 1.2815515655446004),
        ] {
            near(quantile(share, 1.0 - share), expect, "quantile");
            near(quantile(1.0 - share, share), -expect, "quantile");
        }
        for (z, expect) in
            [(0.0, 1.0), (0.5, 0.6170750774519738), (-1.96, 0.04999579029644087), (5.0, 5.733031437583866e-7)]
        {
            near(two_tails(z), expect, "two_tails");
        }
    }
}
