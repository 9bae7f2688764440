//! Names and numbers of encodings; the database has one, UTF8.

use datafusion::common::Result;

use super::function::{Argument, Spec};
use super::scope::Scope;
use crate::pg_catalog::rows::Cell;

pub(super) const FUNCTIONS: &[Spec] = &[
    Spec::new("pg_encoding_to_char", (1, 1), "name", name),
    Spec::new("pg_char_to_encoding", (1, 1), "int4", number),
    Spec::new("getdatabaseencoding", (0, 0), "name", |_, _| Ok("UTF8".into())),
];

/// PostgreSQL's encodings in the order of `pg_wchar.h`.
const NAMES: [&str; 42] = [
    "SQL_ASCII",
    "EUC_JP",
    "EUC_CN",
    "EUC_KR",
    "EUC_TW",
    "EUC_JIS_2004",
    "UTF8",
    "MULE_INTERNAL",
    "LATIN1",
    "LATIN2",
    "LATIN3",
    "LATIN4",
    "LATIN5",
    "LATIN6",
    "LATIN7",
    "LATIN8",
    "LATIN9",
    "LATIN10",
    "WIN1256",
    "WIN1258",
    "WIN866",
    "WIN874",
    "KOI8R",
    "WIN1251",
    "WIN1252",
    "ISO_8859_5",
    "ISO_8859_6",
    "ISO_8859_7",
    "ISO_8859_8",
    "WIN1250",
    "WIN1253",
    "WIN1254",
    "WIN1255",
    "WIN1257",
    "KOI8U",
    "SJIS",
    "BIG5",
    "GBK",
    "UHC",
    "GB18030",
    "JOHAB",
    "SHIFT_JIS_2004",
];

/// An unknown number has an empty name.
fn name<'a>(_: &'a Scope, arguments: &[Argument<'_>]) -> Result<Cell<'a>> {
    let Some(Argument::Int(number)) = arguments.first() else { return Ok(Cell::Null) };
    let name = usize::try_from(*number).ok().and_then(|number| NAMES.get(number));
    Ok(name.copied().unwrap_or_default().into())
}

/// An unknown name has the number -1; case and punctuation do not matter.
fn number<'a>(_: &'a Scope, arguments: &[Argument<'_>]) -> Result<Cell<'a>> {
    let Some(Argument::Text(name)) = arguments.first() else { return Ok(Cell::Null) };
    let plain = |name: &str| -> String {
        name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect()
    };
    let wanted = match plain(name).as_str() {
        "UNICODE" => "UTF8".to_owned(),
        other => other.to_owned(),
    };
    let found = (0_i32..).zip(NAMES).find(|(_, name)| plain(name) == wanted);
    Ok(found.map_or(-1, |(number, _)| number).into())
}
