//! Whether a text is a regular expression, and which.
//!
//! Owns: PostgreSQL's condition 2201B and its words for the commonest mistakes, its flags, and the escapes that another
//! engine spells otherwise. Must never know: what is matched.
//! <https://www.postgresql.org/docs/16/functions-matching.html#POSIX-SYNTAX-DETAILS>

use regex::{Regex, RegexBuilder};

use crate::Error;

/// The embedded options of PostgreSQL, as letters.
/// <https://www.postgresql.org/docs/16/functions-matching.html#POSIX-EMBEDDED-OPTIONS-TABLE>
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Flags {
    /// All matches are meant, not the first; which functions take it is theirs to say.
    pub(crate) global: bool,
    insensitive: bool,
    /// `^` and `$` match at line ends.
    lines: bool,
    /// `.` and brackets with `^` do not match a newline.
    partial: bool,
    expanded: bool,
    literal: bool,
}

impl Flags {
    /// 22023 for a letter that is none.
    pub(crate) fn read(letters: &str) -> Result<Self, Error> {
        let mut flags = Self::default();
        for letter in letters.chars() {
            match letter {
                'g' => flags.global = true,
                'i' => flags.insensitive = true,
                'c' => flags.insensitive = false,
                'm' | 'n' => (flags.lines, flags.partial) = (true, true),
                's' => (flags.lines, flags.partial) = (false, false),
                'p' => (flags.lines, flags.partial) = (false, true),
                'w' => (flags.lines, flags.partial) = (true, false),
                'x' => flags.expanded = true,
                't' => flags.expanded = false,
                'q' => flags.literal = true,
                // Advanced and extended expressions are what this engine reads.
                'a' | 'e' => {}
                'b' => {
                    return Err(Error::Unsupported("basic regular expressions are not supported".to_owned()));
                }
                _ => return Err(Error::InvalidParameter(format!("invalid regular expression option: \"{letter}\""))),
            }
        }
        Ok(flags)
    }
}

/// Compiles a pattern; 2201B or 0A000 as [`check`].
pub(crate) fn compile(pattern: &str, flags: Flags) -> Result<Regex, Error> {
    let pattern = if flags.literal { regex::escape(pattern) } else { translated(pattern) };
    let built = RegexBuilder::new(&pattern)
        .case_insensitive(flags.insensitive)
        .multi_line(flags.lines)
        .dot_matches_new_line(!flags.partial)
        .ignore_whitespace(flags.expanded)
        .build();
    match built {
        Ok(regex) => Ok(regex),
        Err(_) => {
            check(&pattern)?;
            Err(Error::InvalidRegularExpression("regular expression is too complex"))
        }
    }
}

/// PostgreSQL's constraint escapes in the words of the engine.
fn translated(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('y') => out.push_str("\\b"),
            Some('Y') => out.push_str("\\B"),
            Some('m') => out.push_str("\\b{start}"),
            Some('M') => out.push_str("\\b{end}"),
            Some('Z') => out.push_str("\\z"),
            Some(other) => out.extend(['\\', other]),
            None => out.push('\\'),
        }
    }
    out
}

/// Refuses what is no regular expression (2201B), and what PostgreSQL's engine has and this server's has not (0A000).
pub fn check(pattern: &str) -> Result<(), Error> {
    if regex::Regex::new(pattern).is_ok() {
        return Ok(());
    }
    let looks_around = ["(?=", "(?!", "(?<=", "(?<!"].into_iter().any(|group| pattern.contains(group));
    let refers_back = pattern.as_bytes().windows(2).any(|pair| matches!(pair, [b'\\', b'1'..=b'9']));
    if looks_around || refers_back {
        let message = "lookaround constraints and back references in regular expressions are not supported";
        return Err(Error::Unsupported(message.to_owned()));
    }
    Err(Error::InvalidRegularExpression(mistake(pattern)))
}

fn mistake(pattern: &str) -> &'static str {
    let (mut open, mut in_brackets, mut escaped) = (0_i32, false, false);
    let mut before = None;
    for c in pattern.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ']' if in_brackets => in_brackets = false,
            _ if in_brackets => {}
            '[' => in_brackets = true,
            '(' => open += 1,
            ')' if open == 0 => return "parentheses () not balanced",
            ')' => open -= 1,
            '*' | '+' if matches!(before, None | Some('(' | '|')) => return "quantifier operand invalid",
            _ => {}
        }
        before = Some(c);
    }
    if in_brackets {
        "brackets [] not balanced"
    } else if open > 0 {
        "parentheses () not balanced"
    } else if escaped {
        "invalid escape \\ sequence"
    } else {
        "invalid repetition count(s)"
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
            ("a\\", "invalid escape \\ sequence"),
        ] {
            assert_eq!(check(pattern), Err(Error::InvalidRegularExpression(expect)), "{pattern}");
        }
        assert_eq!(check("^a(b|c)+[0-9]$"), Ok(()));
        assert!(compile("a.b", Flags::default()).unwrap().is_match("a\nb"));
        assert!(!compile("a.b", Flags::read("n").unwrap()).unwrap().is_match("a\nb"));
        assert!(compile("\\mfoo\\M", Flags::default()).unwrap().is_match("a foo b"));
        assert!(compile("A.", Flags::read("iq").unwrap()).unwrap().is_match("a."));
        assert!(matches!(check("(?=a)b"), Err(Error::Unsupported(_))));
    }
}
