//! Calls a function in a test as the engine does: coerced arguments, constants or columns.

use std::sync::Arc;

use arrow::datatypes::Field;
use datafusion::common::config::ConfigOptions;
use datafusion::common::{DataFusionError, ScalarValue};
use datafusion::execution::SessionStateBuilder;
use datafusion::logical_expr::type_coercion::functions::fields_with_udf;
use datafusion::logical_expr::{
    AggregateUDF, ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, WindowUDF,
};
use datafusion::prelude::{SessionConfig, SessionContext};

use crate::Error;

/// The flow of the Nile at Aswan from 1871 on (G. W. Cobb, Biometrika 65, 1978).
pub(crate) const NILE: [f64; 30] = [
    1120.0, 1160.0, 963.0, 1210.0, 1160.0, 1160.0, 813.0, 1230.0, 1370.0, 1140.0, 995.0, 935.0, 1110.0, 994.0, 1020.0,
    960.0, 1180.0, 799.0, 958.0, 1140.0, 1100.0, 1210.0, 1150.0, 1250.0, 1260.0, 1220.0, 1030.0, 1100.0, 774.0, 840.0,
];

/// The result of a call in time zone UTC, over constants or over a column of two equal rows.
pub(crate) fn call(udf: &ScalarUDF, args: &[ScalarValue], columns: bool) -> Result<ScalarValue, Error> {
    call_in("UTC", udf, args, columns)
}

/// The result of a call in a time zone.
pub(crate) fn call_in(zone: &str, udf: &ScalarUDF, args: &[ScalarValue], columns: bool) -> Result<ScalarValue, Error> {
    let given: Vec<_> = args.iter().map(|arg| Arc::new(Field::new("a", arg.data_type(), true))).collect();
    let arg_fields = fields_with_udf(&given, udf).unwrap_or_else(|error| panic!("{error}"));
    let scalars: Vec<_> =
        args.iter().zip(&arg_fields).map(|(arg, field)| arg.cast_to(field.data_type()).unwrap()).collect();
    let scalar_arguments: Vec<_> = scalars.iter().map(Some).collect();
    let return_field = udf
        .return_field_from_args(ReturnFieldArgs { arg_fields: &arg_fields, scalar_arguments: &scalar_arguments })
        .unwrap();
    let mut config = ConfigOptions::default();
    config.execution.time_zone = Some(zone.to_owned());
    let args = scalars
        .into_iter()
        .map(|value| match columns {
            true => ColumnarValue::Array(value.to_array_of_size(2).unwrap()),
            false => ColumnarValue::Scalar(value),
        })
        .collect();
    let call = ScalarFunctionArgs {
        args,
        arg_fields,
        number_rows: 2,
        return_field: Arc::clone(&return_field),
        config_options: Arc::new(config),
    };
    let result = match udf.invoke_with_args(call) {
        Ok(ColumnarValue::Scalar(value)) => value,
        Ok(ColumnarValue::Array(array)) => ScalarValue::try_from_array(&array, array.len() - 1).unwrap(),
        Err(DataFusionError::External(error)) => return Err(*error.downcast::<Error>().unwrap()),
        Err(error) => panic!("{error}"),
    };
    assert_eq!(&result.data_type(), return_field.data_type(), "{}", udf.name());
    Ok(result)
}

/// The result as text, NULL as `NULL`, an error as its message.
pub(crate) fn shown(udf: &ScalarUDF, args: &[ScalarValue]) -> String {
    let [constant, column] = [false, true].map(|columns| match call(udf, args, columns) {
        Ok(value) if value.is_null() => "NULL".to_owned(),
        Ok(value) => value.to_string(),
        Err(error) => error.to_string(),
    });
    assert_eq!(constant, column, "{}", udf.name());
    column
}

/// A text argument.
pub(crate) fn text(value: &str) -> ScalarValue {
    ScalarValue::Utf8(Some(value.to_owned()))
}

/// A timestamp argument.
pub(crate) fn moment(value: &str) -> ScalarValue {
    let micros = arrow::compute::kernels::cast_utils::string_to_timestamp_nanos(value).unwrap() / 1_000;
    ScalarValue::TimestampMicrosecond(Some(micros), None)
}

/// A timestamptz argument, written in UTC.
pub(crate) fn moment_tz(value: &str) -> ScalarValue {
    let micros = arrow::compute::kernels::cast_utils::string_to_timestamp_nanos(value).unwrap() / 1_000;
    ScalarValue::TimestampMicrosecond(Some(micros), Some(crate::function::utc()))
}

/// An interval argument.
pub(crate) fn span(value: &str) -> ScalarValue {
    ScalarValue::IntervalMonthDayNano(Some(crate::pg::interval::parse(value, Default::default()).unwrap()))
}

/// A session with every function, as a server has it, in UTC.
pub(crate) fn session() -> SessionContext {
    let mut config = SessionConfig::new();
    config.options_mut().sql_parser.parse_float_as_decimal = true;
    config.options_mut().execution.time_zone = Some("UTC".to_owned());
    let functions = crate::all();
    let mut state = SessionStateBuilder::new().with_config(config).with_default_features().build();
    let planners = functions.planners.into_iter().chain(state.expr_planners().iter().map(Arc::clone)).collect();
    state = SessionStateBuilder::new_from_existing(state).with_expr_planners(planners).build();
    let context = SessionContext::new_with_state(state);
    for udf in functions.scalar {
        context.register_udf(ScalarUDF::clone(&udf));
    }
    for udaf in functions.aggregate {
        context.register_udaf(AggregateUDF::clone(&udaf));
    }
    for udwf in functions.window {
        context.register_udwf(WindowUDF::clone(&udwf));
    }
    context
}
