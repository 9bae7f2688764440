//! SET and RESET in all their spellings.

use sqlparser::ast::{
    ContextModifier, Expr, Ident, ObjectName, Reset, Set, SetSessionAuthorizationParamKind, TransactionAccessMode,
    TransactionIsolationLevel, TransactionMode, UnaryOperator, Value,
};

use crate::error::{Error, Result, SqlState};
use crate::session::vars::Scope;
use crate::session::{Notice, Session, SessionEffect, fold};

pub(super) fn set(session: &Session, command: &Set) -> Result<()> {
    match command {
        Set::SingleAssignment { scope, variable, values, .. } => {
            let scope = match scope {
                Some(ContextModifier::Local) => Scope::Local,
                Some(ContextModifier::Session) | None => Scope::Session,
                Some(ContextModifier::Global) => return Err(Error::unsupported("SET GLOBAL is not supported")),
            };
            assign(session, &variable_name(variable), values, scope)
        }
        Set::SetTimeZone { local, value } => {
            let scope = if *local { Scope::Local } else { Scope::Session };
            assign(session, "timezone", std::slice::from_ref(value), scope)
        }
        Set::SetNames { charset_name, .. } => {
            session.vars().set("client_encoding", &charset_name.value, Scope::Session)
        }
        Set::SetNamesDefault {} => session.vars().reset("client_encoding"),
        Set::SetTransaction { modes, snapshot: None, session: characteristics } => {
            modes.iter().try_for_each(|mode| set_mode(session, mode, *characteristics))
        }
        Set::SetTransaction { .. } => Err(Error::unsupported("SET TRANSACTION SNAPSHOT is not supported")),
        Set::SetRole { role_name, .. } => set_role(session, role_name.as_ref()),
        Set::SetSessionAuthorization(param) => match &param.kind {
            SetSessionAuthorizationParamKind::Default => Ok(()),
            SetSessionAuthorizationParamKind::User(name) => set_role(session, Some(name)),
        },
        Set::ParenthesizedAssignments { .. } | Set::MultipleAssignments { .. } | Set::SetSessionParam(_) => {
            Err(Error::new(SqlState::SyntaxError, "syntax error in SET").hint("Write SET name TO value."))
        }
    }
}

pub(super) fn reset(session: &Session, what: &Reset) -> Result<()> {
    match what {
        Reset::ALL => session.vars().reset_all(),
        Reset::ConfigurationParameter(name) => session.vars().reset(&variable_name(name))?,
    }
    Ok(())
}

/// `a.b` stays with its dot; quotes around the parts do not matter to variables.
fn variable_name(name: &ObjectName) -> String {
    let parts: Vec<&str> = name.0.iter().filter_map(|part| part.as_ident()).map(|ident| ident.value.as_str()).collect();
    parts.join(".")
}

fn assign(session: &Session, name: &str, values: &[Expr], scope: Scope) -> Result<()> {
    if let [Expr::Identifier(word)] = values
        && word.quote_style.is_none()
        && (word.value.eq_ignore_ascii_case("default")
            || (name.eq_ignore_ascii_case("timezone") && word.value.eq_ignore_ascii_case("local")))
    {
        return session.vars().reset(name);
    }
    let value = if name.eq_ignore_ascii_case("search_path") {
        values.iter().map(path_element).collect::<Result<Vec<_>>>()?.join(", ")
    } else {
        values.iter().map(text_of).collect::<Result<Vec<_>>>()?.join(", ")
    };
    if scope == Scope::Local && !session.transaction().is_in_block() {
        let message = "SET LOCAL can only be used in transaction blocks";
        return session.push_effect(SessionEffect::Notice(Notice::warning(SqlState::NoActiveSqlTransaction, message)));
    }
    session.vars().set(name, &value, scope)
}

/// The text of a value: literals as they are, words as they are, numbers with their sign.
fn text_of(value: &Expr) -> Result<String> {
    match value {
        Expr::Identifier(word) => Ok(word.value.clone()),
        Expr::CompoundIdentifier(words) => {
            Ok(words.iter().map(|word| word.value.as_str()).collect::<Vec<_>>().join("."))
        }
        Expr::Value(value) => match &value.value {
            Value::Boolean(on) => Ok(if *on { "true" } else { "false" }.to_owned()),
            Value::Null => Err(not_a_value("NULL")),
            other => other.clone().into_string().map_or_else(|| Ok(other.to_string()), Ok),
        },
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => Ok(format!("-{}", text_of(expr)?)),
        Expr::UnaryOp { op: UnaryOperator::Plus, expr } => text_of(expr),
        Expr::Interval(interval) => text_of(&interval.value).map(|text| text.trim_end_matches(":00").to_owned()),
        Expr::Cast { expr, .. } => text_of(expr),
        Expr::TypedString(typed) => Ok(typed.value.value.clone().into_string().unwrap_or_default()),
        other => Err(not_a_value(&other.to_string())),
    }
}

/// A schema of a path, quoted again if it needs to be, since the path is one text.
fn path_element(value: &Expr) -> Result<String> {
    let text = text_of(value)?;
    let plain = text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    let is_word = matches!(value, Expr::Identifier(word) if word.quote_style.is_none());
    match value {
        _ if is_word => Ok(text.to_lowercase()),
        // SET search_path TO 'a, b' is one name in PostgreSQL; set_config('search_path', 'a, b') is two.
        _ if plain => Ok(text),
        _ => Ok(format!("\"{}\"", text.replace('"', "\"\""))),
    }
}

fn not_a_value(text: &str) -> Error {
    Error::new(SqlState::SyntaxError, format!("syntax error at or near \"{text}\""))
        .detail("A setting takes a literal or a word.")
}

pub(super) fn set_mode(session: &Session, mode: &TransactionMode, characteristics: bool) -> Result<()> {
    let (name, value) = match mode {
        TransactionMode::AccessMode(TransactionAccessMode::ReadOnly) => ("read_only", "on"),
        TransactionMode::AccessMode(TransactionAccessMode::ReadWrite) => ("read_only", "off"),
        TransactionMode::IsolationLevel(level) => ("isolation", isolation(*level)?),
    };
    let (prefix, scope) =
        if characteristics { ("default_transaction", Scope::Session) } else { ("transaction", Scope::Local) };
    session.vars().set(&format!("{prefix}_{name}"), value, scope)
}

/// Every statement reads one snapshot of the lake, so each level is honoured by what happens anyway, except that a
/// block does not pin one snapshot for all its statements.
fn isolation(level: TransactionIsolationLevel) -> Result<&'static str> {
    match level {
        TransactionIsolationLevel::ReadUncommitted => Ok("read uncommitted"),
        TransactionIsolationLevel::ReadCommitted => Ok("read committed"),
        TransactionIsolationLevel::RepeatableRead => Ok("repeatable read"),
        TransactionIsolationLevel::Serializable => Ok("serializable"),
        TransactionIsolationLevel::Snapshot => {
            Err(Error::new(SqlState::SyntaxError, "syntax error at or near \"SNAPSHOT\""))
        }
    }
}

fn set_role(session: &Session, name: Option<&Ident>) -> Result<()> {
    match name {
        None => Ok(()),
        Some(name) if name.value.eq_ignore_ascii_case("none") || fold(name) == session.user() => Ok(()),
        Some(name) => Err(Error::new(
            SqlState::InsufficientPrivilege,
            format!("permission denied to set role \"{}\"", fold(name)),
        )),
    }
}
