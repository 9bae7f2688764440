//! Subscripts and fields: `relation.column[1]`, `(row).field`.
//!
//! Owns: where the name of a column ends and what is taken of its value begins. Must never know: a plan.

use sqlparser::ast::{AccessExpr, Expr, Value};

use super::folded;
use super::scope::Scope;
use crate::error::Result;

/// `relation.column[1]`: the parser takes the column for a field of something called like the relation.
pub(super) fn qualify(root: &mut Expr, access_chain: &mut Vec<AccessExpr>, scope: &Scope<'_>) -> Result<()> {
    let mut parts = match &*root {
        Expr::Identifier(ident) => vec![ident.clone()],
        _ => return Ok(()),
    };
    let names = access_chain.iter().map_while(|access| match access {
        AccessExpr::Dot(Expr::Identifier(ident)) => Some(ident.clone()),
        _ => None,
    });
    parts.extend(names);
    for width in 1..parts.len() {
        let (qualifier, rest) = parts.split_at(width);
        let Some(column) = rest.first() else { break };
        if scope.sees(qualifier)? {
            *root = Expr::CompoundIdentifier(qualifier.iter().chain([column]).cloned().collect());
            access_chain.drain(..width);
            return Ok(());
        }
    }
    Ok(())
}

/// `(row).field` names a field, not a column in sight: as a text it is safe from being resolved.
pub(super) fn as_text(access_chain: &mut [AccessExpr]) {
    for access in access_chain {
        if let AccessExpr::Dot(field) = access
            && let Expr::Identifier(ident) = field
        {
            *field = Expr::value(Value::SingleQuotedString(folded(ident)));
        }
    }
}
