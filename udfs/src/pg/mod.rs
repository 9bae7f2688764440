//! PostgreSQL's functions that DataFusion lacks or answers differently, one file per function or family.

pub mod abs;
pub mod age;
pub mod any_value;
pub mod arithmetic;
pub mod array_agg;
pub mod array_compare;
pub mod array_items;
pub mod array_position;
pub mod array_slice;
pub mod array_subscript;
pub mod arrays;
pub mod avg;
pub mod bytes;
pub mod casts;
pub mod ceil;
pub mod characters;
pub(crate) mod civil;
pub mod coalesce;
pub mod convert;
pub mod date_bin;
pub mod date_part;
pub mod date_trunc;
pub mod dates;
pub mod day;
pub mod degrees;
pub mod encoding;
pub mod every;
pub mod extract;
pub mod extremes;
pub mod facts;
mod file_value;
pub mod format;
pub mod generate_series;
pub mod input;
pub mod integers;
pub mod interval;
pub mod json;
pub mod justify;
pub mod like;
pub mod like_escape;
pub mod make;
pub mod make_array;
pub mod matches;
pub mod matches_list;
pub mod min_max;
pub mod moment;
pub mod money;
pub mod numeric;
pub mod operators;
pub mod ordered_set;
pub(crate) mod out;
pub mod overlaps;
pub mod overlay;
pub(crate) mod part;
mod posix;
pub mod powers;
pub mod precision;
pub mod quote;
pub mod ranks;
pub mod regexp;
pub mod regexp_replace;
pub mod regexp_split;
pub mod round;
pub mod row_counts;
pub mod rows;
pub mod scales;
pub mod server;
pub mod sets;
pub mod shortest;
pub mod similar;
pub mod sized;
pub mod spans;
pub mod string_agg;
pub mod string_to_array;
pub mod substr;
pub mod substring;
pub mod sum;
pub mod tagged;
pub mod text_in;
pub mod text_out;
pub mod textcat;
pub mod tid;
pub mod timetz;
pub mod timezone;
pub mod to_char;
pub mod to_hex;
pub mod to_timestamp;
pub mod trim;
pub mod type_name;
pub(crate) mod unit;
pub mod variance;
pub mod with_ties;
pub(crate) mod zone;
pub mod zoned_times;

use std::sync::Arc;

use datafusion::logical_expr::{AggregateUDF, ScalarUDF};

pub use file_value::file_value;
pub use zone::abbreviations;

/// Aggregates.
pub(crate) fn aggregates() -> Vec<Arc<AggregateUDF>> {
    let mut all = vec![
        any_value::any_value(),
        array_agg::array_agg(),
        avg::avg(),
        every::every(),
        extremes::greatest(),
        extremes::least(),
        min_max::max(),
        min_max::min(),
        ordered_set::mode(),
        ordered_set::percentile_cont(),
        ordered_set::percentile_disc(),
        string_agg::string_agg(),
        sum::sum(),
    ];
    all.extend(json::aggregates());
    all.extend(variance::variances());
    all
}

/// Functions on texts and bytes.
pub(crate) fn text() -> Vec<Arc<ScalarUDF>> {
    vec![
        characters::ascii(),
        characters::chr(),
        characters::pg_size_pretty(),
        characters::split_part(),
        bytes::bit_count(),
        bytes::bit_length(),
        bytes::get_bit(),
        bytes::get_byte(),
        bytes::length(),
        bytes::octet_length(),
        bytes::set_bit(),
        bytes::set_byte(),
        convert::convert_from(),
        convert::convert_to(),
        encoding::decode(),
        encoding::encode(),
        format::format(),
        like::ilike(),
        like::like(),
        matches_list::matches_all(),
        matches_list::matches_any(),
        like_escape::like_escape(),
        matches::regexp_count(),
        matches::regexp_instr(),
        matches::regexp_like(),
        matches::regexp_match(),
        matches::regexp_matches(),
        matches::regexp_substr(),
        overlay::overlay(),
        quote::parse_ident(),
        quote::quote_ident(),
        quote::quote_literal(),
        quote::quote_nullable(),
        regexp_replace::regexp_replace(),
        regexp_split::regexp_split_to_array(),
        similar::similar_to_escape(),
        sized::levenshtein(),
        sized::lpad(),
        sized::repeat(),
        sized::rpad(),
        substr::substr(),
        substring::substring(),
        to_hex::to_hex(),
        trim::btrim(),
        trim::ltrim(),
        trim::rtrim(),
    ]
}

/// Functions on arrays.
pub(crate) fn arrays() -> Vec<Arc<ScalarUDF>> {
    vec![
        arrays::array_dims(),
        arrays::array_length(),
        arrays::array_lower(),
        arrays::array_ndims(),
        arrays::array_upper(),
        arrays::cardinality(),
        array_compare::array_compare(),
        array_position::array_position(),
        array_position::array_positions(),
        array_items::array_fill(),
        array_items::array_remove(),
        array_items::array_replace(),
        array_items::flatten(),
        array_items::trim_array(),
        array_slice::array_slice(),
        array_subscript::array_subscript(),
        generate_series::generate_series(),
        make_array::make_array(),
        string_to_array::string_to_array(),
    ]
}

/// Functions on JSON and rows.
pub(crate) fn values() -> Vec<Arc<ScalarUDF>> {
    let mut all = json::functions();
    all.extend(rows::functions());
    all.extend(coalesce::functions());
    all.push(tagged::tagged());
    all
}

/// Functions on numbers.
pub(crate) fn math() -> Vec<Arc<ScalarUDF>> {
    vec![
        abs::abs(),
        casts::named(),
        ceil::ceil(),
        ceil::floor(),
        degrees::acos(),
        degrees::acosd(),
        degrees::acosh(),
        degrees::asin(),
        degrees::asind(),
        degrees::atan2d(),
        degrees::atand(),
        degrees::atanh(),
        degrees::cos(),
        degrees::cosd(),
        degrees::cot(),
        degrees::cotd(),
        degrees::sin(),
        degrees::sind(),
        degrees::tan(),
        degrees::tand(),
        integers::div(),
        integers::factorial(),
        integers::gcd(),
        integers::lcm(),
        integers::modulo(),
        integers::sign(),
        integers::width_bucket(),
        money::divided(),
        money::part(),
        money::ratio(),
        money::times(),
        powers::exp(),
        powers::ln(),
        powers::log(),
        powers::log10(),
        powers::power(),
        powers::sqrt(),
        round::round(),
        round::trunc(),
        scales::min_scale(),
        scales::scale(),
        scales::trim_scale(),
        to_char::to_number(),
    ]
}

/// Functions on dates, times and intervals.
pub(crate) fn datetime() -> Vec<Arc<ScalarUDF>> {
    vec![
        age::age(),
        age::isfinite(),
        dates::add(),
        dates::diff(),
        dates::sub(),
        day::day(),
        day::midnight(),
        date_bin::date_bin(),
        date_part::date_part(),
        date_trunc::date_trunc(),
        extract::extract(),
        justify::justify_days(),
        justify::justify_hours(),
        justify::justify_interval(),
        make::make_date(),
        make::make_interval(),
        make::make_time(),
        make::make_timestamp(),
        make::make_timestamptz(),
        overlaps::overlaps(),
        precision::precision(),
        spans::divided(),
        spans::order(),
        spans::between(),
        spans::times(),
        timetz::timetz(),
        zoned_times::add(),
        zoned_times::order(),
        zoned_times::sub(),
        timezone::timezone(),
        to_char::to_char(),
        to_timestamp::to_date(),
        to_timestamp::to_timestamp(),
    ]
}

/// Functions about the server.
pub(crate) fn server() -> Vec<Arc<ScalarUDF>> {
    vec![
        facts::num_nonnulls(),
        facts::num_nulls(),
        facts::pg_size_bytes(),
        facts::timeofday(),
        server::gen_random_uuid(),
        server::pg_client_encoding(),
        row_counts::limit(),
        row_counts::offset(),
        server::pg_is_in_recovery(),
        tid::tid_in(),
        tid::tid_of(),
        tid::tid_out(),
        type_name::type_name(),
        with_ties::with_ties(),
    ]
}
