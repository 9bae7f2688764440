//! Texts of literals beside values whose types they take.
//!
//! Owns: 22P02 and 22003 while a statement is planned, whether or not a row asks for the value.

use datafusion::common::Result;
use udfs::pg::input;

/// Refuses a text that is no value of the type with this name in SQL; other types read theirs later.
pub(super) fn check(text: &str, of: &str) -> Result<()> {
    let whole = |of, range| input::integer(text, of, range).map(drop);
    match of {
        "smallint" => whole("smallint", i16::MIN.into()..=i16::MAX.into())?,
        "integer" => whole("integer", i32::MIN.into()..=i32::MAX.into())?,
        "bigint" => whole("bigint", i64::MIN.into()..=i64::MAX.into())?,
        "real" => drop(input::single(text)?),
        "double precision" => drop(input::double(text)?),
        "boolean" => drop(input::boolean(text)?),
        _ => {}
    }
    Ok(())
}
