//! `btrim(value [, what])`, `ltrim`, `rtrim` - without the characters, or bytes, of `what` at the ends.
//!
//! `what` is a set, not a word, and blanks where it is not given. NULL gives NULL.
//! <https://www.postgresql.org/docs/16/functions-string.html>
//!
//! ```sql
//! SELECT btrim('xyxtrimyyx', 'xyz'), btrim('\x0001'::bytea, '\x00'::bytea);  -- trim  \x01
//! ```

use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryBuilder};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::function::{Args, Overload, Ty, function_named, overload, some};

#[derive(Clone, Copy)]
struct Ends {
    left: bool,
    right: bool,
}

/// `btrim`.
pub fn btrim() -> Arc<ScalarUDF> {
    const BOTH: Ends = Ends { left: true, right: true };
    static OVERLOADS: [Overload; 3] = [
        overload(&[Ty::Text], Ty::Text, |args| texts(args, BOTH)),
        overload(&[Ty::Text, Ty::Text], Ty::Text, |args| texts(args, BOTH)),
        overload(&[Ty::Bytea, Ty::Bytea], Ty::Bytea, |args| bytes(args, BOTH)),
    ];
    // TRIM(x) is planned by this name.
    function_named(&["btrim", "trim"], &OVERLOADS)
}

/// `ltrim`.
pub fn ltrim() -> Arc<ScalarUDF> {
    const LEFT: Ends = Ends { left: true, right: false };
    static OVERLOADS: [Overload; 3] = [
        overload(&[Ty::Text], Ty::Text, |args| texts(args, LEFT)),
        overload(&[Ty::Text, Ty::Text], Ty::Text, |args| texts(args, LEFT)),
        overload(&[Ty::Bytea, Ty::Bytea], Ty::Bytea, |args| bytes(args, LEFT)),
    ];
    function_named(&["ltrim"], &OVERLOADS)
}

/// `rtrim`.
pub fn rtrim() -> Arc<ScalarUDF> {
    const RIGHT: Ends = Ends { left: false, right: true };
    static OVERLOADS: [Overload; 3] = [
        overload(&[Ty::Text], Ty::Text, |args| texts(args, RIGHT)),
        overload(&[Ty::Text, Ty::Text], Ty::Text, |args| texts(args, RIGHT)),
        overload(&[Ty::Bytea, Ty::Bytea], Ty::Bytea, |args| bytes(args, RIGHT)),
    ];
    function_named(&["rtrim"], &OVERLOADS)
}

fn texts(args: &Args<'_>, ends: Ends) -> Result<ArrayRef> {
    let texts = args.text(0)?;
    let sets = if args.len() > 1 { Some(args.text(1)?) } else { None };
    args.build_text(|row| {
        let mut text = some!(texts.get(row));
        let set = match &sets {
            Some(sets) => some!(sets.get(row)),
            None => " ",
        };
        let is_in_set = |c: char| set.contains(c);
        if ends.left {
            text = text.trim_start_matches(is_in_set);
        }
        if ends.right {
            text = text.trim_end_matches(is_in_set);
        }
        Ok(Some(text))
    })
}

fn bytes(args: &Args<'_>, ends: Ends) -> Result<ArrayRef> {
    let (values, sets) = (args.bytes(0)?, args.bytes(1)?);
    let mut out = BinaryBuilder::new();
    for row in 0..args.rows {
        let (Some(mut value), Some(set)) = (values.get(row), sets.get(row)) else {
            out.append_null();
            continue;
        };
        while let (true, Some((first, rest))) = (ends.left, value.split_first())
            && set.contains(first)
        {
            value = rest;
        }
        while let (true, Some((last, rest))) = (ends.right, value.split_last())
            && set.contains(last)
        {
            value = rest;
        }
        out.append_value(value);
    }
    Ok(Arc::new(out.finish()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{call, shown, text};
    use datafusion::common::ScalarValue;

    #[test]
    fn the_second_argument_is_a_set() {
        let bytes = |value: &[u8]| ScalarValue::Binary(Some(value.to_vec()));
        assert_eq!(shown(&btrim(), &[text("xyxtrimyyx"), text("xyz")]), "trim");
        assert_eq!(shown(&ltrim(), &[text("  a ")]), "a ");
        assert_eq!(shown(&rtrim(), &[text("éaé"), text("é")]), "éa");
        assert_eq!(shown(&btrim(), &[text(" \ta ")]), "\ta");
        assert_eq!(call(&btrim(), &[bytes(b"\x00\x01\x00"), bytes(b"\x00")], true), Ok(bytes(b"\x01")));
        assert_eq!(call(&ltrim(), &[bytes(b"\x00\x00"), bytes(b"\x00")], true), Ok(bytes(b"")));
    }
}
