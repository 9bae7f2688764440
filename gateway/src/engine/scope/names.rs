//! What the rewrite of a statement asks of its scope.
//!
//! Must never do: I/O, or find what `resolve` has not opened.

use arrow::datatypes::Field;
use catalog::pg_catalog;
use datafusion::common::DFSchema;
use datafusion::logical_expr::ExprSchemable;
use datafusion::sql::planner::{PlannerContext, SqlToRel};
use sqlparser::ast::{Ident, ObjectName};

use super::{Found, Scope, relation_of};
use crate::engine::plan;
use crate::engine::rewrite::Names;

impl Names for Scope {
    fn columns(&self, table: &ObjectName) -> Option<Vec<String>> {
        let mut columns = self.all_columns(table)?;
        let hidden = self.hidden(table, columns.len());
        columns.truncate(columns.len() - hidden);
        Some(columns)
    }

    fn system_columns(&self, table: &ObjectName) -> Vec<String> {
        let mut columns = self.all_columns(table).unwrap_or_default();
        let hidden = self.hidden(table, columns.len());
        columns.split_off(columns.len() - hidden)
    }

    fn table(&self, written: &ObjectName) -> crate::error::Result<Option<ObjectName>> {
        let exact = |schema: &str, name: &str| {
            ObjectName::from(vec![Ident::with_quote('"', schema), Ident::with_quote('"', name)])
        };
        Ok(self.find(written).map(|found| match found {
            Found::Lake(table) => exact(&table.schema, &table.name),
            Found::Catalog { schema, name } => exact(&schema, &name),
            Found::Earlier { table, name, .. } => exact(&table.schema, &name),
        }))
    }

    fn row_type(&self, table: &ObjectName) -> Option<u32> {
        let [schema, name] = table.0.as_slice() else { return None };
        self.view.row_type(&schema.as_ident()?.value, &name.as_ident()?.value)
    }

    fn database(&self) -> &str {
        &self.session.database
    }

    fn interval_style(&self) -> udfs::pg::interval::Style {
        self.session.vars().display().interval_style.of_texts()
    }

    fn moments(&self) -> (udfs::pg::moment::Order, chrono_tz::Tz) {
        let display = self.session.vars().display();
        (display.date_style.order(), display.time_zone)
    }

    fn relation_of(&self, function: &str) -> Option<ObjectName> {
        relation_of(function)
    }

    fn is_type(&self, name: &str) -> bool {
        pg_catalog::is_type(name)
    }

    fn message(&self) -> Option<&str> {
        Some(&self.message)
    }

    fn constant_type(&self, expr: &sqlparser::ast::Expr) -> Option<Field> {
        let planner = SqlToRel::new_with_options(self, plan::options());
        let schema = DFSchema::empty();
        let expr = planner.sql_to_expr(expr.clone(), &schema, &mut PlannerContext::new()).ok()?;
        let (_, field) = expr.to_field(&schema).ok()?;
        Some(field.as_ref().clone())
    }

    fn is_aggregate(&self, name: &str) -> bool {
        self.state.aggregate_functions().contains_key(name)
    }

    fn is_function(&self, name: &str) -> bool {
        self.scalar_function(name).is_some()
            || self.state.aggregate_functions().contains_key(name)
            || self.state.window_functions().contains_key(name)
            || self.state.table_functions().contains_key(name)
            || self.state.higher_order_functions().contains_key(name)
    }
}
