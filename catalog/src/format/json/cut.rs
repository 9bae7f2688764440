//! Where one JSON value ends and the next begins: on lines, one after the other, or in an array.
//!
//! Owns: the three forms of a file. A value is cut by its braces and quotes alone; whether it is right its decoder tells. Pure.

use std::ops::Range;

/// How the values of a file are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// One on each line.
    Lines,
    /// One after the other, over several lines, as a program prints them for people.
    Values,
    /// `[value, value]`, and nothing else.
    Array,
}

/// What is found in a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Cut {
    Value(Range<usize>),
    /// Nothing is left, if this is the end of the file; so many bytes are used up.
    End(usize),
    /// Behind so many bytes that are used up, a value begins that ends later.
    Open(usize),
}

/// What stands where a value should.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) at: usize,
    pub(super) reason: &'static str,
}

/// Cuts values; remembers how far an open one was looked at, so that each byte is looked at once.
#[derive(Debug)]
pub(super) struct Cutter {
    is_array: bool,
    place: Place,
    value: Open,
}

/// Where in an array the next value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Before,
    First,
    Next,
    /// Behind a value.
    Behind,
    After,
}

/// A value that has not ended: how far it goes, and what is open there.
#[derive(Debug, Default)]
struct Open {
    scanned: usize,
    depth: usize,
    in_string: bool,
    escaped: bool,
}

impl Form {
    /// The form of a file by its beginning; `None` if there is too little of it.
    pub(super) fn of(text: &str, at_end: bool) -> Option<Self> {
        let begin = text.find(|c: char| !c.is_ascii_whitespace())?;
        let rest = text.get(begin..)?;
        if rest.starts_with('[') {
            return Some(Self::Array);
        }
        let line = rest.find('\n').unwrap_or(rest.len());
        match Cutter::new(Self::Values).next(rest) {
            Ok(Cut::Value(value)) if value.end <= line => Some(Self::Lines),
            Ok(Cut::Value(_)) => Some(Self::Values),
            _ if line < rest.len() && rest.starts_with('{') => Some(Self::Values),
            _ => (line < rest.len() || at_end).then_some(Self::Lines),
        }
    }
}

impl Cutter {
    pub(super) fn new(form: Form) -> Self {
        Self { is_array: form == Form::Array, place: Place::Before, value: Open::default() }
    }

    /// Whether the file may end here.
    pub(super) fn may_end(&self) -> bool {
        !self.is_array || self.place == Place::After
    }

    /// The next value of a text that begins where the last one was used up.
    pub(super) fn next(&mut self, text: &str) -> Result<Cut, Fault> {
        let bytes = text.as_bytes();
        let (mut at, mut place) = (0, self.place);
        loop {
            while bytes.get(at).is_some_and(u8::is_ascii_whitespace) {
                at += 1;
            }
            let Some(byte) = bytes.get(at) else {
                self.place = place;
                return Ok(Cut::End(at));
            };
            // After a fault nothing is used up, and the next look finds it again.
            match (self.is_array, place, byte) {
                (true, Place::Before, b'[') => place = Place::First,
                (true, Place::Behind, b',') => place = Place::Next,
                (true, Place::First | Place::Behind, b']') => place = Place::After,
                (true, Place::Behind, _) => {
                    return Err(Fault { at, reason: "a comma or the end of the array is missing" });
                }
                (true, Place::After, _) => return Err(Fault { at, reason: "text follows the end of the array" }),
                (true, Place::Next, b',' | b']') => {
                    return Err(Fault { at, reason: "a value of the array is missing" });
                }
                (false, _, _) | (true, Place::Before | Place::First | Place::Next, _) => break,
            }
            at += 1;
        }
        self.place = place;
        match self.value.end(bytes.get(at..).unwrap_or_default()) {
            Some(length) => {
                self.value = Open::default();
                self.place = Place::Behind;
                Ok(Cut::Value(at..at + length))
            }
            None => Ok(Cut::Open(at)),
        }
    }
}

impl Open {
    /// The length of the value that the bytes begin with, if it ends in them.
    fn end(&mut self, bytes: &[u8]) -> Option<usize> {
        while let Some(byte) = bytes.get(self.scanned) {
            self.scanned += 1;
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' if self.in_string => self.escaped = true,
                b'"' => {
                    self.in_string = !self.in_string;
                    if !self.in_string && self.depth == 0 {
                        return Some(self.scanned);
                    }
                }
                _ if self.in_string => {}
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' if self.depth > 0 => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return Some(self.scanned);
                    }
                }
                b',' | b'}' | b']' if self.depth == 0 => return Some((self.scanned - 1).max(1)),
                byte if self.depth == 0 && byte.is_ascii_whitespace() => return Some(self.scanned - 1),
                _ => {}
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values of a text that comes in pieces of `step` bytes, `!` and the error, or `?` if it ends too early.
    fn values(form: Form, text: &str, step: usize) -> Vec<String> {
        let (mut cutter, mut buffer, mut found) = (Cutter::new(form), String::new(), Vec::new());
        let mut rest = text;
        loop {
            match cutter.next(&buffer) {
                Ok(Cut::Value(value)) => {
                    found.push(buffer[value.clone()].to_owned());
                    buffer.drain(..value.end);
                }
                Ok(Cut::End(used) | Cut::Open(used)) if !rest.is_empty() => {
                    buffer.drain(..used);
                    let (next, later) = rest.split_at(step.min(rest.len()));
                    buffer.push_str(next);
                    rest = later;
                }
                Ok(Cut::End(_)) if cutter.may_end() => return found,
                Ok(_) => {
                    found.push("?".to_owned());
                    return found;
                }
                Err(error) => {
                    found.push(format!("!{}", error.reason));
                    return found;
                }
            }
        }
    }

    #[test]
    fn values_are_cut_whatever_the_pieces() {
        let nested = r#"{"a": "}]\"{", "b": [1, {"c": []}]}"#;
        for step in [1, 2, 3, 7, 1000] {
            let check = |form, text: &str, expected: &[&str]| {
                assert_eq!(values(form, text, step), expected, "{text} in steps of {step}");
            };
            check(Form::Values, &format!("{nested}\n\n{nested}{{}}"), &[nested, nested, "{}"]);
            check(Form::Array, &format!(" [ {nested} ,\n{{}}, 7 , \"x,]\" ] \n"), &[nested, "{}", "7", "\"x,]\""]);
            check(Form::Array, "[]", &[]);
            check(Form::Array, "[{}", &["{}", "?"]);
            check(Form::Array, "[{},", &["{}", "?"]);
            check(Form::Array, "[{\"a\": 1", &["?"]);
            check(Form::Array, "[{},]", &["{}", "!a value of the array is missing"]);
            check(Form::Array, "[{} {}]", &["{}", "!a comma or the end of the array is missing"]);
            check(Form::Array, "[{}] {}", &["{}", "!text follows the end of the array"]);
        }
    }

    #[test]
    fn the_form_is_told_by_the_beginning() {
        for (text, at_end, expected) in [
            ("{\"a\": 1}\n{\"a\": 2}", false, Some(Form::Lines)),
            ("\n {\"a\": 1}", true, Some(Form::Lines)),
            ("{\n  \"a\": 1\n}\n", false, Some(Form::Values)),
            ("{\"a\":\n", false, Some(Form::Values)),
            ("  [\n{}", false, Some(Form::Array)),
            ("{\"a\": 1", false, None),
            ("{\"a\": 1", true, Some(Form::Lines)),
            ("not json\n", false, Some(Form::Lines)),
            (" \n", true, None),
        ] {
            assert_eq!(Form::of(text, at_end), expected, "{text}");
        }
    }
}
