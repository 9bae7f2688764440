//! The SQL functions that read the catalogs. One file per family; the list below is what exists.

mod access_methods;
mod acl;
mod comments;
mod definitions;
mod encoding;
mod function;
mod functiondef;
mod names;
mod operators;
mod privileges;
mod procs;
mod recovery;
mod registry;
mod scope;
mod sets;
mod sizes;
mod statistics;
mod types;
mod visibility;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use datafusion::logical_expr::ScalarUDF;

use super::rows::Cell;
use super::view::View;
use function::{Function, Spec};
pub use registry::Registry;
use sets::{Set, SetSpec};

const FAMILIES: [&[Spec]; 15] = [
    access_methods::FUNCTIONS,
    acl::FUNCTIONS,
    comments::FUNCTIONS,
    definitions::FUNCTIONS,
    encoding::FUNCTIONS,
    functiondef::FUNCTIONS,
    names::FUNCTIONS,
    privileges::FUNCTIONS,
    procs::FUNCTIONS,
    PARTITIONS,
    recovery::FUNCTIONS,
    sizes::FUNCTIONS,
    statistics::FUNCTIONS,
    types::FUNCTIONS,
    visibility::FUNCTIONS,
];

/// No relation here is a partition.
const PARTITIONS: &[Spec] =
    &[Spec::new("lakegate_partition_ancestors", (1, 1), "_regclass", |_, _| Ok(Cell::Ints(Vec::new())))];

const SETS: [&[SetSpec]; 2] = [acl::SETS, sets::PARTITIONS];

/// The names of all of them.
pub fn function_names() -> Vec<&'static str> {
    let listed = FAMILIES.iter().flat_map(|family| family.iter()).map(|spec| spec.name);
    listed.chain(SETS.iter().flat_map(|family| family.iter()).map(|spec| spec.name)).collect()
}

enum Listed {
    Value(Spec),
    Rows(SetSpec),
}

static BY_NAME: LazyLock<HashMap<&'static str, Listed>> = LazyLock::new(|| {
    let listed = FAMILIES.iter().flat_map(|family| family.iter()).copied().chain(statistics::all());
    let values = listed.map(|spec| (spec.name, Listed::Value(spec)));
    let rows = SETS.iter().flat_map(|family| family.iter()).map(|spec| (spec.name, Listed::Rows(*spec)));
    values.chain(rows).collect()
});

/// The function of this name, reading the given view.
pub fn function(name: &str, view: &Arc<View>) -> Option<Arc<ScalarUDF>> {
    Some(match BY_NAME.get(name)? {
        Listed::Value(spec) => Function::udf(*spec, view),
        Listed::Rows(spec) => Set::udf(*spec, view),
    })
}
