//! The tokens of a JSON text, as PostgreSQL's `json_lex` finds them.
//!
//! Owns: where a token ends, and which texts are none (22P02 with PostgreSQL's DETAIL). Must never know: their order.
//! <https://www.rfc-editor.org/rfc/rfc8259>

use super::strings::unescape;
use crate::Error;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    ObjectStart,
    ObjectEnd,
    ArrayStart,
    ArrayEnd,
    Comma,
    Colon,
    String,
    Number,
    True,
    False,
    Null,
    End,
}

/// A token with its text; a string's has its quotes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lexeme<'a> {
    pub(super) token: Token,
    pub(super) text: &'a str,
}

pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
    /// Whether strings must stand for texts: of two mistakes the first is told.
    is_text: bool,
}

/// 22P02.
pub(super) fn invalid(detail: impl Into<String>) -> Error {
    Error::InvalidJson { detail: detail.into() }
}

pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// What PostgreSQL counts as part of a word, to show the whole of a bad one.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str, is_text: bool) -> Self {
        Self { text, at: 0, is_text }
    }

    pub(super) fn next(&mut self) -> Result<Lexeme<'a>, Error> {
        while self.peek(0).is_some_and(is_space) {
            self.at += 1;
        }
        let start = self.at;
        let Some(first) = self.peek(0) else { return Ok(Lexeme { token: Token::End, text: "" }) };
        let token = match first {
            b'{' => self.one(Token::ObjectStart),
            b'}' => self.one(Token::ObjectEnd),
            b'[' => self.one(Token::ArrayStart),
            b']' => self.one(Token::ArrayEnd),
            b',' => self.one(Token::Comma),
            b':' => self.one(Token::Colon),
            b'"' => self.string(start)?,
            b'-' | b'0'..=b'9' => self.number(start)?,
            _ => self.word(start)?,
        };
        Ok(Lexeme { token, text: self.since(start) })
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.text.as_bytes().get(self.at + ahead).copied()
    }

    fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    fn one(&mut self, token: Token) -> Token {
        self.at += 1;
        token
    }

    fn bad(&self, start: usize) -> Error {
        invalid(format!("Token \"{}\" is invalid.", self.since(start)))
    }

    fn skip_word(&mut self) {
        while self.peek(0).is_some_and(is_word) {
            self.at += 1;
        }
    }

    fn word(&mut self, start: usize) -> Result<Token, Error> {
        self.skip_word();
        match self.since(start) {
            "true" => Ok(Token::True),
            "false" => Ok(Token::False),
            "null" => Ok(Token::Null),
            "" => {
                self.at += 1;
                Err(self.bad(start))
            }
            _ => Err(self.bad(start)),
        }
    }

    fn digits(&mut self) -> bool {
        let from = self.at;
        while self.peek(0).is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        self.at > from
    }

    fn number(&mut self, start: usize) -> Result<Token, Error> {
        let mut good = true;
        if self.peek(0) == Some(b'-') {
            self.at += 1;
        }
        if self.peek(0) == Some(b'0') {
            self.at += 1;
        } else {
            good = self.digits();
        }
        if good && self.peek(0) == Some(b'.') {
            self.at += 1;
            good = self.digits();
        }
        if good && matches!(self.peek(0), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(0), Some(b'+' | b'-')) {
                self.at += 1;
            }
            good = self.digits();
        }
        let end = self.at;
        self.skip_word();
        if good && self.at == end { Ok(Token::Number) } else { Err(self.bad(start)) }
    }

    fn string(&mut self, start: usize) -> Result<Token, Error> {
        let end = self.string_end(start);
        if self.is_text {
            unescape(self.since(start))?;
        }
        end
    }

    fn string_end(&mut self, start: usize) -> Result<Token, Error> {
        self.at += 1;
        loop {
            match self.peek(0) {
                None => return Err(self.bad(start)),
                Some(b'"') => return Ok(self.one(Token::String)),
                Some(byte @ 0..=31) => {
                    return Err(invalid(format!("Character with value 0x{byte:02x} must be escaped.")));
                }
                Some(b'\\') => self.escape(start)?,
                Some(_) => self.at += 1,
            }
        }
    }

    fn escape(&mut self, start: usize) -> Result<(), Error> {
        match self.peek(1) {
            None => {
                self.at += 1;
                Err(self.bad(start))
            }
            Some(b'u') => {
                if !(2..6).all(|ahead| self.peek(ahead).is_some_and(|byte| byte.is_ascii_hexdigit())) {
                    return Err(invalid("\"\\u\" must be followed by four hexadecimal digits."));
                }
                self.at += 6;
                Ok(())
            }
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.at += 2;
                Ok(())
            }
            Some(_) => {
                let escaped = self.text.get(self.at + 1..).and_then(|rest| rest.chars().next());
                Err(invalid(format!("Escape sequence \"\\{}\" is invalid.", escaped.unwrap_or_default())))
            }
        }
    }
}
