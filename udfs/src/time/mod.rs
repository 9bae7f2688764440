//! Functions on time series, with Timescale's names, one file each.

mod accessors;
mod approximate;
pub mod auto_bucket;
mod counters;
mod downsampling;
pub mod first_last;
pub mod histogram;
pub mod interpolate;
pub mod locf;
mod points;
pub mod seasons;
pub mod solar;
mod summaries;
#[cfg(test)]
mod testing;
pub mod time_bucket;
pub mod time_bucket_gapfill;
mod time_weight;
pub mod width;

use std::sync::Arc;

use datafusion::logical_expr::{AggregateUDF, ScalarUDF};

pub use accessors::Called;

use crate::manual::Manual;

/// Their pages.
pub(crate) fn manuals() -> Vec<&'static Manual> {
    let mut all = vec![&first_last::FIRST, &first_last::LAST, &histogram::MANUAL, &time_bucket::MANUAL];
    all.extend([&approximate::COUNT, &approximate::PERCENTILE, &downsampling::LTTB, &downsampling::M4]);
    all.extend(counters::manuals());
    all.extend([&time_bucket_gapfill::MANUAL, &locf::MANUAL, &interpolate::MANUAL]);
    all.extend(&time_weight::MANUALS);
    all.extend(summaries::manuals());
    all.extend([&auto_bucket::MANUAL, &seasons::YEAR, &seasons::SEASON, &solar::SOLAR, &solar::MEAN, &solar::DAY]);
    all
}

/// The aggregates.
pub(crate) fn aggregates() -> Vec<Arc<AggregateUDF>> {
    let mut all = vec![first_last::first(), first_last::last(), histogram::histogram()];
    all.extend(approximate::aggregates());
    all.extend(counters::aggregates());
    all.extend(downsampling::aggregates());
    all.extend(time_weight::aggregates());
    all.extend(summaries::aggregates());
    all
}

/// The functions of one row.
pub(crate) fn functions() -> Vec<Arc<ScalarUDF>> {
    let mut all = vec![
        auto_bucket::auto_bucket(),
        seasons::hydrological_year(),
        seasons::meteorological_season(),
        solar::mean_solar_time(),
        solar::solar_day(),
        solar::solar_time(),
        time_bucket::time_bucket(),
        time_bucket_gapfill::time_bucket_gapfill(),
        locf::locf(),
        interpolate::interpolate(),
    ];
    all.extend(accessors::functions(&all_accessors()));
    all
}

fn all_accessors() -> Vec<accessors::Accessor> {
    let mut all = counters::accessors();
    all.extend(time_weight::accessors());
    all.extend(summaries::accessors());
    all
}

/// What `summary -> name(...)` calls, with so many arguments in the parentheses; also what the name alone is for a record,
/// where PostgreSQL has an aggregate of the name.
pub fn accessor(name: &str, arguments: usize) -> Option<Called> {
    accessors::called(&all_accessors(), name, arguments)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_function_has_a_page() {
        let (aggregates, functions) = (aggregates(), functions());
        let names = aggregates.iter().map(|udaf| udaf.name()).chain(functions.iter().map(|udf| udf.name()));
        let names = names.filter(|name| !name.starts_with("lakegate_"));
        let pages = manuals().into_iter().map(|manual| manual.name);
        assert_eq!(names.collect::<BTreeSet<_>>(), pages.collect::<BTreeSet<_>>());
    }
}
