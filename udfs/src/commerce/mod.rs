//! Functions of commerce, one file each, where SQL alone is clumsy; `sql/examples/transactions.sql` has the rest.
//!
//! Owns: formulas with their published source. Must never know: which tables there are.

mod abc_class;

use std::sync::Arc;

use datafusion::logical_expr::WindowUDF;

use crate::manual::Manual;

/// Their pages.
pub(crate) fn manuals() -> Vec<&'static Manual> {
    vec![&abc_class::ABC_CLASS]
}

/// The functions of a partition.
pub(crate) fn windows() -> Vec<Arc<WindowUDF>> {
    vec![abc_class::abc_class()]
}
