//! The SQL functions that read the catalogs. One file per family; the list below is what exists.

mod comments;
mod definitions;
mod encoding;
mod function;
mod names;
mod privileges;
mod procs;
mod registry;
mod scope;
mod sizes;
mod types;
mod visibility;

use std::sync::Arc;

use datafusion::logical_expr::ScalarUDF;

use super::view::View;
use function::{Function, Spec};
pub use registry::Registry;

const FAMILIES: [&[Spec]; 9] = [
    comments::FUNCTIONS,
    definitions::FUNCTIONS,
    encoding::FUNCTIONS,
    names::FUNCTIONS,
    privileges::FUNCTIONS,
    procs::FUNCTIONS,
    sizes::FUNCTIONS,
    types::FUNCTIONS,
    visibility::FUNCTIONS,
];

/// Every function, reading the given view.
pub fn functions(view: &Arc<View>) -> Vec<Arc<ScalarUDF>> {
    FAMILIES.iter().flat_map(|family| family.iter()).map(|spec| Function::udf(*spec, view)).collect()
}
