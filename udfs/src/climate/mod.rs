//! Functions of climate and weather, with the names of the field, one file each or one for a close family.
//!
//! Owns: formulas with their published source. Must never know: which tables there are.

mod apparent_temperature;
mod circular_mean;
mod convert_unit;
mod degree_days;
mod haversine;
mod heat_index;
mod humidity;
mod normals;
mod quantity;
mod return_period;
mod sea_level_pressure;
mod special;
mod spi;
mod trend;
mod wind;
mod wind_chill;

use std::sync::Arc;

use datafusion::logical_expr::{AggregateUDF, ScalarUDF, WindowUDF};

use crate::manual::Manual;

/// Their pages.
pub(crate) fn manuals() -> Vec<&'static Manual> {
    vec![
        &convert_unit::CONVERT_UNIT,
        &humidity::DEW_POINT,
        &humidity::RELATIVE_HUMIDITY,
        &humidity::SATURATION_VAPOUR_PRESSURE,
        &humidity::VAPOUR_PRESSURE_DEFICIT,
        &heat_index::HEAT_INDEX,
        &wind_chill::WIND_CHILL,
        &apparent_temperature::APPARENT_TEMPERATURE,
        &apparent_temperature::HUMIDEX,
        &wind::WIND_U,
        &wind::WIND_V,
        &wind::WIND_SPEED,
        &wind::WIND_DIRECTION,
        &sea_level_pressure::SEA_LEVEL_PRESSURE,
        &degree_days::HEATING_DEGREE_DAYS,
        &degree_days::COOLING_DEGREE_DAYS,
        &degree_days::GROWING_DEGREE_DAYS,
        &haversine::HAVERSINE,
        &circular_mean::CIRCULAR_MEAN,
        &normals::CLIMATE_NORMAL,
        &normals::ANOMALY,
        &spi::SPI,
        &trend::SENS_SLOPE,
        &trend::MANN_KENDALL_TAU,
        &trend::MANN_KENDALL_P,
        &return_period::RETURN_LEVEL,
        &return_period::RETURN_PERIOD,
        &return_period::RETURN_LEVEL_GEV,
        &return_period::RETURN_PERIOD_GEV,
    ]
}

/// The functions of one row.
pub(crate) fn scalars() -> Vec<Arc<ScalarUDF>> {
    let families =
        [humidity::functions(), wind::functions(), degree_days::functions(), apparent_temperature::functions()];
    let alone = [
        convert_unit::convert_unit(),
        haversine::haversine(),
        heat_index::heat_index(),
        sea_level_pressure::sea_level_pressure(),
        wind_chill::wind_chill(),
    ];
    families.into_iter().flatten().chain(alone).collect()
}

/// The functions of a group.
pub(crate) fn aggregates() -> Vec<Arc<AggregateUDF>> {
    let alone = [circular_mean::circular_mean(), normals::climate_normal()];
    alone.into_iter().chain(trend::aggregates()).chain(return_period::aggregates()).collect()
}

/// The functions of a partition.
pub(crate) fn windows() -> Vec<Arc<WindowUDF>> {
    vec![normals::anomaly(), spi::spi()]
}
