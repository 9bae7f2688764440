//! Whether a text is a regular expression.
//!
//! Owns: PostgreSQL's condition 2201B and its words for the commonest mistakes. Must never know: what is matched.
//! <https://www.postgresql.org/docs/16/functions-matching.html#POSIX-SYNTAX-DETAILS>

use crate::Error;

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
        assert!(matches!(check("(?=a)b"), Err(Error::Unsupported(_))));
    }
}
