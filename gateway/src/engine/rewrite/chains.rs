//! Long chains of AND and of OR, as trees of few levels.
//!
//! Owns: that planning them takes as long as they are: of a chain, every rule would look at each operand once for each
//! operator behind it. The operands keep their order. Must never know: what is combined.

use std::ops::ControlFlow;

use sqlparser::ast::{BinaryOperator, Expr, Query, VisitMut, VisitorMut};

use super::syntax::taken;

/// The operators in a row from which on it matters.
const LONG: usize = 16;

/// Rewrites the chains of the query and of every query in it.
pub(super) fn balance(query: &mut Query) {
    let _ = query.visit(&mut Chains);
}

struct Chains;

impl VisitorMut for Chains {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        let Expr::BinaryOp { op: op @ (BinaryOperator::And | BinaryOperator::Or), .. } = &*expr else {
            return ControlFlow::Continue(());
        };
        let op = op.clone();
        if length(expr, &op) >= LONG {
            *expr = tree(operands(taken(expr), &op), &op);
        }
        ControlFlow::Continue(())
    }
}

fn length(mut expr: &Expr, of: &BinaryOperator) -> usize {
    let mut length = 0;
    while let Expr::BinaryOp { left, op, .. } = expr
        && op == of
    {
        length += 1;
        expr = left;
    }
    length
}

/// The operands of a chain, in their order.
fn operands(mut expr: Expr, of: &BinaryOperator) -> Vec<Expr> {
    let mut operands = Vec::new();
    loop {
        match expr {
            Expr::BinaryOp { left, op, right } if op == *of => {
                operands.push(*right);
                expr = *left;
            }
            first => {
                operands.push(first);
                operands.reverse();
                return operands;
            }
        }
    }
}

fn tree(mut level: Vec<Expr>, op: &BinaryOperator) -> Expr {
    while level.len() > 1 {
        let mut above = Vec::with_capacity(level.len().div_ceil(2));
        let mut exprs = level.into_iter();
        while let Some(left) = exprs.next() {
            above.push(match exprs.next() {
                Some(right) => Expr::BinaryOp { left: Box::new(left), op: op.clone(), right: Box::new(right) },
                None => left,
            });
        }
        level = above;
    }
    level.pop().unwrap_or_else(|| Expr::value(sqlparser::ast::Value::Null))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlparser::ast::visit_expressions;
    use sqlparser::dialect::PostgreSqlDialect;
    use sqlparser::parser::Parser;

    #[test]
    fn a_chain_keeps_its_operands_in_order_and_loses_its_depth() {
        let conditions = |count: usize| (0..count).map(|at| format!("a = {at}")).collect::<Vec<_>>().join(" OR ");
        for count in [2, 17, 100] {
            let sql = format!("SELECT 1 FROM t WHERE {} AND b", conditions(count));
            let mut query = Parser::new(&PostgreSqlDialect {}).try_with_sql(&sql).unwrap().parse_query().unwrap();
            balance(&mut query);
            // The text of a tree has no parentheses.
            assert_eq!(query.to_string(), sql);
            let mut longest = 0;
            let _ = visit_expressions(&query, |expr| {
                longest = longest.max(length(expr, &BinaryOperator::Or));
                ControlFlow::<()>::Continue(())
            });
            assert!(longest <= LONG, "{longest}");
        }
    }
}
