//! Whether a point or a comma stands before the decimals of each column of a file.
//!
//! Owns: what proves it. A mark that may stand between thousands proves nothing. Pure.

use super::seen::Seen;
use crate::format::value::Kinds;

/// Decides for each column, and makes texts of those that cannot be decided; true where it is a comma.
pub(super) fn settle(columns: &mut [Seen], given: Option<u8>) -> Vec<bool> {
    if given == Some(b'.') {
        return Vec::new();
    }
    let points = Kinds::POINT.with(Kinds::POINT_OR_GROUP);
    let proves_comma =
        columns.iter().any(|seen| seen.kinds.are_numbers() && seen.kinds.has(Kinds::COMMA) && !seen.kinds.has(points));
    let proves_point = columns
        .iter()
        .any(|seen| seen.kinds.are_numbers() && seen.kinds.has(Kinds::POINT) && !seen.kinds.has(Kinds::COMMAS));
    let is_comma = given == Some(b',') || (proves_comma && !proves_point);
    let mut commas = Vec::with_capacity(columns.len());
    for seen in &mut *columns {
        let kinds = seen.kinds;
        let comma = is_comma || kinds.has(Kinds::COMMA);
        let is_text = match (kinds.has(Kinds::COMMAS), kinds.has(points)) {
            (true, true) => true,
            (true, false) => !comma,
            // `3.5` is a number in any file without `3,5` in its column, `1.234` only if no comma makes a thousand of it.
            (false, true) => given == Some(b',') || (is_comma && !kinds.has(Kinds::POINT)),
            (false, false) => false,
        };
        seen.kinds =
            kinds.without(Kinds::COMMAS).without(points).with(if is_text { Kinds::TEXT } else { Kinds::default() });
        commas.push(comma && !is_text && !kinds.has(points));
    }
    if commas.contains(&true) { commas } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::value::classify_field;

    type Columns<'a> = &'a [&'a [&'a str]];

    fn of(columns: Columns<'_>, given: Option<u8>) -> Vec<&'static str> {
        let mut seen: Vec<Seen> = columns
            .iter()
            .map(|values| {
                let mut kinds = Kinds::default();
                values.iter().for_each(|value| kinds.add(classify_field(value, given != Some(b'.'))));
                let mut seen = Seen::default();
                seen.kinds = kinds;
                seen
            })
            .collect();
        let commas = settle(&mut seen, given);
        let shown = |(place, seen): (usize, &Seen)| match (commas.get(place), seen.kinds.are_numbers()) {
            (_, false) => "text",
            (Some(true), _) => "comma",
            _ => "point",
        };
        seen.iter().enumerate().map(shown).collect()
    }

    #[test]
    fn marks_are_decimal_only_if_a_value_proves_it() {
        let cases: [(Columns<'_>, Option<u8>, &[&str]); 11] = [
            (&[&["3,14", "2"]], None, &["comma"]),
            (&[&["3,14", "1,234"]], None, &["comma"]),
            (&[&["1,234"]], None, &["text"]),
            (&[&["1,234"], &["0,5"]], None, &["comma", "comma"]),
            (&[&["1.234"], &["0,5"]], None, &["text", "comma"]),
            (&[&["1.234"], &["5"]], None, &["point", "point"]),
            (&[&["48.85"], &["0,5"], &["1,234"]], None, &["point", "comma", "text"]),
            (&[&["3,14", "2.5"]], None, &["text"]),
            (&[&["1,234"]], Some(b','), &["comma"]),
            (&[&["1,234"], &["2.5"]], Some(b'.'), &["text", "point"]),
            (&[&["2.5"]], Some(b','), &["text"]),
        ];
        for (columns, given, expected) in cases {
            assert_eq!(of(columns, given), expected, "{columns:?} {given:?}");
        }
    }
}
