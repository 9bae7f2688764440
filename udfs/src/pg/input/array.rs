//! The text of arrays, `{1,NULL,"a b"}`.
//!
//! Owns: the grammar of `array_in`. Must never know: what an element means; its own reader does.
//! <https://www.postgresql.org/docs/16/arrays.html#ARRAYS-IO>

use super::is_space;
use crate::Error;

const DIMENSIONS_MAX: usize = 6;

/// The texts of an array's elements in their order, and how many each dimension has: none of an empty array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elements {
    pub dimensions: Vec<usize>,
    /// `None` is NULL.
    pub texts: Vec<Option<String>>,
}

/// The elements that a text names.
pub fn array(literal: &str) -> Result<Elements, Error> {
    let malformed = |detail: &'static str| Error::MalformedArray { literal: literal.to_owned(), detail };
    let (bounds, body) = bounds(literal.trim_start_matches(is_space)).map_err(|refused| match refused {
        Bad::Syntax(detail) => malformed(detail),
        Bad::Order => Error::ArraySubscript("upper bound cannot be less than lower bound".to_owned()),
    })?;
    if !body.starts_with('{') {
        return Err(malformed("Array value must start with \"{\" or dimension information."));
    }
    let mut reader = Reader { rest: body, dimensions: Vec::new(), texts: Vec::new(), leaf_depth: None };
    reader.list(0).map_err(|refused| match refused {
        Refused::Malformed(detail) => malformed(detail),
        Refused::Deep => Error::LimitExceeded(format!(
            "number of array dimensions ({}) exceeds the maximum allowed ({DIMENSIONS_MAX})",
            DIMENSIONS_MAX + 1
        )),
    })?;
    if !reader.rest.trim_start_matches(is_space).is_empty() {
        return Err(malformed("Junk after closing right brace."));
    }
    let found: Vec<Option<i64>> = reader.dimensions.iter().map(|length| i64::try_from((*length)?).ok()).collect();
    if !bounds.is_empty() && found != bounds.iter().map(|(first, last)| Some(last - first + 1)).collect::<Vec<_>>() {
        return Err(malformed("Specified array dimensions do not match array contents."));
    }
    if let Some((first, _)) = bounds.iter().find(|(_, last)| *last == i64::from(i32::MAX)) {
        return Err(Error::LimitExceeded(format!("array lower bound is too large: {first}")));
    }
    if bounds.iter().any(|(first, _)| *first != 1) {
        return Err(Error::Unsupported("arrays whose first subscript is not 1 are not supported".to_owned()));
    }
    let mut dimensions: Vec<usize> = reader.dimensions.into_iter().flatten().collect();
    if reader.texts.is_empty() {
        dimensions.clear();
    }
    Ok(Elements { dimensions, texts: reader.texts })
}

enum Bad {
    Syntax(&'static str),
    Order,
}

/// The first and the last subscript of a dimension.
type Bounds = (i64, i64);

/// The first and last subscripts of `[1:2][3]={...}`, and what follows them.
fn bounds(literal: &str) -> Result<(Vec<Bounds>, &str), Bad> {
    let (mut bounds, mut rest) = (Vec::new(), literal);
    while let Some(after) = rest.strip_prefix('[') {
        let (pair, after) = after.split_once(']').ok_or(Bad::Syntax("Missing \"]\" after array dimensions."))?;
        let (first, last) = pair.split_once(':').unwrap_or(("1", pair));
        let (first, last) = (subscript(first)?, subscript(last)?);
        if last < first {
            return Err(Bad::Order);
        }
        bounds.push((first, last));
        rest = after.trim_start_matches(is_space);
    }
    if bounds.is_empty() {
        return Ok((bounds, rest));
    }
    let body = rest.strip_prefix('=').ok_or(Bad::Syntax("Missing \"=\" after array dimensions."))?;
    Ok((bounds, body.trim_start_matches(is_space)))
}

/// A subscript of digits and signs, of which C's `atoi` reads what it can: PostgreSQL 16 takes `1-1` for 1.
fn subscript(text: &str) -> Result<i64, Bad> {
    let bad = Bad::Syntax("\"[\" must introduce explicitly-specified array dimensions.");
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'+')) {
        return Err(bad);
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let digits = unsigned.len() - unsigned.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    match text.get(..text.len() - unsigned.len() + digits) {
        Some(number) if digits > 0 => number.parse::<i32>().map(i64::from).map_err(|_| bad),
        _ => Ok(0),
    }
}

struct Reader<'a> {
    rest: &'a str,
    /// The length of each dimension, once its first list has ended.
    dimensions: Vec<Option<usize>>,
    texts: Vec<Option<String>>,
    leaf_depth: Option<usize>,
}

enum Refused {
    Malformed(&'static str),
    Deep,
}

const RAGGED: Refused = Refused::Malformed("Multidimensional arrays must have sub-arrays with matching dimensions.");
const END: Refused = Refused::Malformed("Unexpected end of input.");

impl Reader<'_> {
    fn peek(&mut self) -> Option<char> {
        self.rest = self.rest.trim_start_matches(is_space);
        self.rest.chars().next()
    }

    fn skip(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = self.rest.get(c.len_utf8()..).unwrap_or_default();
        Some(c)
    }

    /// Reads `{...}`; the brace is there.
    fn list(&mut self, depth: usize) -> Result<(), Refused> {
        if depth == DIMENSIONS_MAX {
            return Err(Refused::Deep);
        }
        self.skip();
        if self.dimensions.len() == depth {
            self.dimensions.push(None);
        }
        let mut length = 0;
        if self.peek() == Some('}') {
            // Up to PostgreSQL 16 only the whole array may have no elements.
            if depth > 0 {
                return Err(Refused::Malformed("Unexpected \"}\" character."));
            }
            self.skip();
        } else {
            loop {
                match self.peek().ok_or(END)? {
                    '{' => self.list(depth + 1)?,
                    _ => self.element(depth)?,
                }
                length += 1;
                match (self.peek(), self.skip()) {
                    (Some(','), _) => {}
                    (Some('}'), _) => break,
                    (None, _) => return Err(END),
                    _ => return Err(Refused::Malformed("Unexpected array element.")),
                }
            }
        }
        match self.dimensions.get_mut(depth) {
            Some(Some(known)) if *known != length => Err(RAGGED),
            Some(known) => {
                *known = Some(length);
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn element(&mut self, depth: usize) -> Result<(), Refused> {
        if *self.leaf_depth.get_or_insert(depth) != depth || self.dimensions.len() > depth + 1 {
            return Err(RAGGED);
        }
        if self.peek() == Some('"') {
            let text = self.quoted()?;
            self.texts.push(Some(text));
            return Ok(());
        }
        let mut text = String::new();
        let mut is_escaped = false;
        let mut kept = 0;
        while let Some(c) = self.rest.chars().next().filter(|c| !matches!(c, ',' | '}')) {
            match c {
                '{' => return Err(Refused::Malformed("Unexpected \"{\" character.")),
                '"' => return Err(Refused::Malformed("Incorrectly quoted array element.")),
                '\\' => {
                    self.skip();
                    text.push(self.skip().ok_or(END)?);
                    is_escaped = true;
                    kept = text.len();
                }
                c => {
                    self.skip();
                    text.push(c);
                    if !is_space(c) {
                        kept = text.len();
                    }
                }
            }
        }
        text.truncate(kept);
        if text.is_empty() {
            return Err(Refused::Malformed("Unexpected \",\" or \"}\" character."));
        }
        let is_null = !is_escaped && text.eq_ignore_ascii_case("null");
        self.texts.push((!is_null).then_some(text));
        Ok(())
    }

    /// Reads to the closing quote; the opening one is there.
    fn quoted(&mut self) -> Result<String, Refused> {
        let mut text = String::new();
        self.skip();
        loop {
            match self.skip().ok_or(END)? {
                '"' => return Ok(text),
                '\\' => text.push(self.skip().ok_or(END)?),
                c => text.push(c),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_are_read_as_postgres_reads_them() {
        type Case = (&'static str, &'static [usize], &'static [Option<&'static str>]);
        let cases: [Case; 4] = [
            ("{}", &[], &[]),
            (" { 1 , NULL } ", &[2], &[Some("1"), None]),
            ("{a b,\"c,\\\"d\",\"NULL\",\\NULL}", &[4], &[Some("a b"), Some("c,\"d"), Some("NULL"), Some("NULL")]),
            ("{{1,2},{3,4}}", &[2, 2], &[Some("1"), Some("2"), Some("3"), Some("4")]),
        ];
        for (literal, dimensions, texts) in cases {
            let texts = texts.iter().map(|text| text.map(str::to_owned)).collect();
            assert_eq!(array(literal), Ok(Elements { dimensions: dimensions.to_vec(), texts }), "{literal}");
        }
        for bad in [
            "",
            "1,2",
            "{1",
            "{1}}",
            "{,}",
            "{1,}",
            "{{1},2}",
            "{{1,2},{3}}",
            "{a\"b\"}",
            "{{}}",
            "{{},{}}",
            "{{1},{}}",
            "{ { } }",
        ] {
            assert!(matches!(array(bad), Err(Error::MalformedArray { .. })), "{bad}");
        }
        assert!(matches!(array("{{{{{{{1}}}}}}}"), Err(Error::LimitExceeded(_))));
        assert_eq!(array("[1:1]={1}").map(|read| read.dimensions), Ok(vec![1]));
        assert_eq!(array("[1-1]={1}").map(|read| read.dimensions), Ok(vec![1]));
        assert!(matches!(array("[1:2]={1}"), Err(Error::MalformedArray { .. })));
        assert!(matches!(array("[2:1]={1}"), Err(Error::ArraySubscript(_))));
        assert!(matches!(array("[2:2]={1}"), Err(Error::Unsupported(_))));
        assert!(matches!(array("[2147483647:2147483647]={1}"), Err(Error::LimitExceeded(_))));
    }
}
