//! Texts of literals beside values whose types they take.
//!
//! Owns: 22P02 and 22003 while a statement is planned, whether or not a row asks for the value.

use datafusion::common::Result;
use udfs::pg::input;

/// Refuses a text that is no value of the type with this name in SQL; other types read theirs later.
pub(super) fn check(text: &str, of: &str) -> Result<()> {
    match of {
        "smallint" => drop(input::whole(text, "smallint")?),
        "integer" => drop(input::whole(text, "integer")?),
        "bigint" => drop(input::whole(text, "bigint")?),
        "real" => drop(input::single(text)?),
        "double precision" => drop(input::double(text)?),
        "boolean" => drop(input::boolean(text)?),
        _ => {}
    }
    Ok(())
}
