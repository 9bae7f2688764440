//! `string_to_array(text, delimiter text [, null text]) -> text[]` - splits a text.
//!
//! A NULL delimiter splits between all characters, an empty one keeps the text whole, an empty text gives an empty array.
//! Parts equal to `null` become NULL. A NULL text gives NULL.
//! <https://www.postgresql.org/docs/16/functions-string.html>
//!
//! ```sql
//! SELECT string_to_array('a,b,,c', ',', '');  -- {a,b,NULL,c}
//! ```

use std::sync::Arc;

use arrow::array::{ArrayRef, ListBuilder, StringBuilder};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::function::{Args, Overload, Ty, function, overload};

/// The function.
pub fn string_to_array() -> Arc<ScalarUDF> {
    static OVERLOADS: [Overload; 2] = [
        overload(&[Ty::Text, Ty::Text], Ty::TextArray, kernel),
        overload(&[Ty::Text, Ty::Text, Ty::Text], Ty::TextArray, kernel),
    ];
    function("string_to_array", &OVERLOADS)
}

fn kernel(args: &Args<'_>) -> Result<ArrayRef> {
    let (texts, delimiters) = (args.text(0)?, args.text(1)?);
    let nulls = if args.len() > 2 { Some(args.text(2)?) } else { None };
    let mut out = ListBuilder::new(StringBuilder::new());
    for row in 0..args.rows {
        let Some(text) = texts.get(row) else {
            out.append(false);
            continue;
        };
        let null = nulls.as_ref().and_then(|nulls| nulls.get(row));
        let mut add = |part: &str| out.values().append_option((Some(part) != null).then_some(part));
        match delimiters.get(row) {
            _ if text.is_empty() => {}
            None => text.char_indices().for_each(|(at, c)| add(&text[at..at + c.len_utf8()])),
            Some("") => add(text),
            Some(delimiter) => text.split(delimiter).for_each(add),
        }
        out.append(true);
    }
    Ok(Arc::new(out.finish()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{call, shown, text};
    use arrow::array::Array;
    use datafusion::common::ScalarValue;

    #[test]
    fn splits_are_postgres_s() {
        let null = || ScalarValue::Utf8(None);
        let given = call(&string_to_array(), &[text("a,b,,c"), text(","), text("")], true);
        let Ok(ScalarValue::List(list)) = given else { panic!("{given:?}") };
        assert!(list.value(0).is_null(2) && list.value(0).len() == 4);
        assert_eq!(shown(&string_to_array(), &[text("abc"), null()]), "[a, b, c]");
        assert_eq!(shown(&string_to_array(), &[text("abc"), text("")]), "[abc]");
        assert_eq!(shown(&string_to_array(), &[text(""), text(",")]), "[]");
        assert_eq!(shown(&string_to_array(), &[null(), text(",")]), "NULL");
    }
}
