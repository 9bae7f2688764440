//! Functions of climate and weather, with the names of the field, one file each or one for a close family.
//!
//! Owns: formulas with their published source. Must never know: which tables there are.

mod apparent_temperature;
mod convert_unit;
mod degree_days;
mod haversine;
mod heat_index;
mod humidity;
mod quantity;
mod sea_level_pressure;
mod wind;
mod wind_chill;

use std::sync::Arc;

use datafusion::logical_expr::ScalarUDF;

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
