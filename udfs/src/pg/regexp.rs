//! The patterns of the functions on regular expressions, with their flags.
//!
//! Owns: the letters of flags, PostgreSQL's conditions 2201B, 0A000 and 54000, and that a pattern is compiled again only
//! when it differs from the row before. Must never know: what is done with a match.
//! <https://www.postgresql.org/docs/16/functions-matching.html#POSIX-SYNTAX-DETAILS>

use arrow::array::StringArray;
use datafusion::common::Result;

use super::posix::{Expression, Mistake, Options};
use crate::Error;
use crate::function::{Args, Column};

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Flags {
    /// All matches are meant, not the first; which functions take it is theirs to say.
    pub(crate) global: bool,
    options: Options,
}

impl Flags {
    /// 22023 for a letter that is none.
    pub(crate) fn read(letters: &str) -> Result<Self, Error> {
        let mut flags = Self::default();
        for letter in letters.chars() {
            if letter == 'g' {
                flags.global = true;
            } else if !flags.options.set(letter) {
                return Err(Error::InvalidParameter(format!("invalid regular expression option: \"{letter}\"")));
            }
        }
        Ok(flags)
    }
}

/// Compiles a pattern; 2201B for what is none, 0A000 for what is not supported.
pub(crate) fn compile(pattern: &str, flags: Flags) -> Result<Expression, Error> {
    Expression::new(pattern, flags.options).map_err(Error::from)
}

impl From<Mistake> for Error {
    fn from(mistake: Mistake) -> Self {
        match mistake {
            Mistake::Invalid(words) => Self::InvalidRegularExpression(words),
            Mistake::Unsupported(words) => Self::Unsupported(words.to_owned()),
            Mistake::Steps => Self::LimitExceeded("regular expression needs too many steps".to_owned()),
        }
    }
}

/// Whether a pattern is letters, perhaps anchored, which every engine reads alike.
pub fn is_plain(pattern: &str) -> bool {
    let body = pattern.strip_prefix('^').unwrap_or(pattern);
    let body = body.strip_suffix('$').unwrap_or(body);
    body.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '/' | ':' | ',' | '@' | '='))
}

/// The patterns of a call, as its second argument, and their flags.
pub(crate) struct Patterns<'a> {
    patterns: Column<'a, StringArray>,
    flags: Option<Column<'a, StringArray>>,
    /// What has no "global" option.
    refuses_global: Option<&'static str>,
    last: Option<(&'a str, &'a str, Expression, Flags)>,
}

impl<'a> Patterns<'a> {
    /// The flags are the argument of this index, if there are so many. A function that is named does not take `g`.
    pub(crate) fn new(args: &'a Args<'_>, flags: usize, refuses_global: Option<&'static str>) -> Result<Self> {
        let flags = if args.len() > flags { Some(args.text(flags)?) } else { None };
        Ok(Self { patterns: args.text(1)?, flags, refuses_global, last: None })
    }

    pub(crate) fn get(&mut self, row: usize) -> Result<Option<(&Expression, Flags)>, Error> {
        let Some(pattern) = self.patterns.get(row) else { return Ok(None) };
        let flags = match &self.flags {
            Some(flags) => match flags.get(row) {
                Some(flags) => flags,
                None => return Ok(None),
            },
            None => "",
        };
        if !matches!(&self.last, Some((known, with, ..)) if (*known, *with) == (pattern, flags)) {
            let read = Flags::read(flags)?;
            if let Some(function) = self.refuses_global.filter(|_| read.global) {
                return Err(no_global(function));
            }
            self.last = Some((pattern, flags, compile(pattern, read)?, read));
        }
        Ok(self.last.as_ref().map(|(_, _, expression, flags)| (expression, *flags)))
    }
}

fn no_global(function: &str) -> Error {
    let message = format!("{function}() does not support the \"global\" option");
    if function == "regexp_match" {
        return Error::ParameterWithHint { message, hint: "Use the regexp_matches function instead.".to_owned() };
    }
    Error::InvalidParameter(message)
}

/// 22023 for a number below the least.
pub(crate) fn parameter(name: &str, value: i64, least: i64) -> Result<usize, Error> {
    match usize::try_from(value) {
        Ok(number) if value >= least => Ok(number),
        _ => Err(Error::InvalidParameter(format!("invalid value for parameter \"{name}\": {value}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_named_as_in_postgres() {
        for (pattern, expect) in [
            ("(", "parentheses () not balanced"),
            ("a)", "parentheses () not balanced"),
            ("[", "brackets [] not balanced"),
            ("*", "quantifier operand invalid"),
            ("^*", "quantifier operand invalid"),
            ("a**", "quantifier operand invalid"),
            ("a\\", "invalid escape \\ sequence"),
            ("a{2,1}", "invalid repetition count(s)"),
            ("a{1", "braces {} not balanced"),
            ("[b-a]", "invalid character range"),
            ("[[:foo:]]", "invalid character class"),
            ("\\1(a)", "invalid backreference number"),
            ("(?z)a", "invalid embedded option"),
        ] {
            let mistake = compile(pattern, Flags::default()).err();
            assert_eq!(mistake, Some(Error::InvalidRegularExpression(expect)), "{pattern}");
        }
        assert!(matches!(compile("(?b)a", Flags::default()), Err(Error::Unsupported(_))));
        assert!(is_plain("^ab-1$") && !is_plain("a.b") && !is_plain("a%"));
    }
}
