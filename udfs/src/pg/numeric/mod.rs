//! PostgreSQL's `numeric` in Arrow's decimals, whose columns have one scale where PostgreSQL's values have one each.

pub mod cast;
pub(crate) mod digits;
pub mod divide;
pub mod exact;
pub mod kind;
pub mod multiply;
pub(crate) mod real;
pub mod text;

/// A number without an exponent and without a sign other than minus, where 38 digits hold it.
pub fn plain(text: &str) -> Option<String> {
    let number = digits::read(text)?;
    let scale = number.scale();
    let mantissa = number.mantissa(scale).filter(|value| value.unsigned_abs() < 10_u128.pow(38))?;
    let scale = usize::try_from(scale).ok().filter(|scale| *scale <= 38)?;
    let mut plain = String::new();
    text::point(&mantissa.to_string(), scale, &mut plain);
    Some(plain)
}
