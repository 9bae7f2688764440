//! What PostgreSQL reads, and what it refuses.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;
use bytes::BytesMut;
use datafusion::scalar::ScalarValue;
use udfs::pg_type;

use super::*;
use crate::pg::encode::RowEncoder;
use crate::session::vars::{ByteaOutput, DateOrder, DateStyle, IntervalStyle};

/// The tag of a type that Arrow's own does not tell.
fn tag(oid: u32) -> Option<&'static str> {
    Some(match oid {
        types::OID => "oid",
        types::VARCHAR => "varchar",
        types::UUID => "uuid",
        types::JSON => "json",
        types::JSONB => "jsonb",
        types::INET => "inet",
        types::INT2VECTOR => "int2vector",
        types::OIDVECTOR => "oidvector",
        1_028 => "_oid",
        _ => return None,
    })
}

/// The column that holds a value of PostgreSQL's output.
fn column(oid: u32, output: &str) -> Field {
    let depth = output.bytes().take_while(|byte| *byte == b'{').count();
    let data_type = match types::element_of(oid) {
        Some(element) if depth > 1 => {
            let leaf = types::data_type_of(element).unwrap();
            (0..depth).fold(leaf, |inner, _| DataType::new_list(inner, true))
        }
        _ if oid == types::NUMERIC => {
            let scale = i8::try_from(output.split_once('.').map_or(0, |(_, fraction)| fraction.len())).unwrap();
            if output.len() > 38 { DataType::Decimal256(76, scale) } else { DataType::Decimal128(38, scale) }
        }
        _ => types::data_type_of(oid).unwrap(),
    };
    match tag(oid) {
        Some(tag) => pg_type::tagged("c", data_type, tag),
        None => Field::new("c", data_type, true),
    }
}

/// The bytes that a client gets for a value.
fn sent(scalar: &ScalarValue, field: &Field, format: Format, display: &Display) -> Result<Vec<u8>> {
    let schema = Arc::new(Schema::new(vec![field.clone()]));
    let batch = RecordBatch::try_new(Arc::clone(&schema), vec![scalar.to_array().unwrap()]).unwrap();
    let mut out = BytesMut::new();
    RowEncoder::new(&schema, &[format], display)?.encode(&batch, 0..1, &mut out)?;
    assert_eq!(out[0], b'D');
    assert_eq!(u32::from_be_bytes(out[1..5].try_into().unwrap()) as usize, out.len() - 1);
    assert_eq!(u32::from_be_bytes(out[7..11].try_into().unwrap()) as usize, out.len() - 11);
    Ok(out[11..].to_vec())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn set(display: &mut Display, name: &str, value: &str) {
    match (name, value) {
        ("timezone", zone) => display.time_zone = zone.parse().unwrap(),
        ("extra_float_digits", digits) => display.extra_float_digits = digits.parse().unwrap(),
        ("bytea_output", "escape") => display.bytea_output = ByteaOutput::Escape,
        ("bytea_output", _) => display.bytea_output = ByteaOutput::Hex,
        ("datestyle", "SQL, DMY") => display.date_style = DateStyle::Sql(DateOrder::Dmy),
        ("datestyle", "SQL, MDY") => display.date_style = DateStyle::Sql(DateOrder::Mdy),
        ("datestyle", "Postgres, MDY") => display.date_style = DateStyle::Postgres(DateOrder::Mdy),
        ("datestyle", "Postgres, DMY") => display.date_style = DateStyle::Postgres(DateOrder::Dmy),
        ("datestyle", "German, DMY") => display.date_style = DateStyle::German(DateOrder::Dmy),
        ("datestyle", "ISO, MDY") => display.date_style = DateStyle::Iso(DateOrder::Mdy),
        ("intervalstyle", "postgres_verbose") => display.interval_style = IntervalStyle::PostgresVerbose,
        ("intervalstyle", "iso_8601") => display.interval_style = IntervalStyle::Iso8601,
        _ => panic!("{name} = {value}"),
    }
}

/// What differs from PostgreSQL for one line of `values.tsv`.
fn difference(line: &str, display: &Display) -> Option<String> {
    let cells: Vec<&str> = line.split('\t').collect();
    let [oid, input, output, send] = cells.as_slice() else { panic!("{line}") };
    let oid: u32 = oid.parse().unwrap();
    if matches!(*output, "NaN" | "Infinity" | "-Infinity") && oid == types::NUMERIC {
        return None;
    }
    let field = column(oid, output);
    let target = field.data_type();
    let scalar = match decode(Some(input.as_bytes()), Format::Text, oid, target, display) {
        Ok(scalar) => scalar,
        Err(error) => return Some(format!("{line}\n    refused: {error}")),
    };
    let text = sent(&scalar, &field, Format::Text, display).map(|text| String::from_utf8(text).unwrap());
    if text.as_deref().ok() != Some(*output) {
        return Some(format!("{line}\n    text {text:?}"));
    }
    let binary = sent(&scalar, &field, Format::Binary, display).map(|bytes| hex(&bytes));
    // A jsonb is sent as PostgreSQL writes it, with its own blanks.
    if binary.as_deref().ok() != Some(*send) {
        return Some(format!("{line}\n    binary {binary:?}"));
    }
    match decode(Some(&unhex(send)), Format::Binary, oid, target, display) {
        Ok(again) if again == scalar => None,
        other => Some(format!("{line}\n    received {other:?}, not {scalar:?}")),
    }
}

#[test]
fn both_formats_are_postgres_s_own() {
    let mut display = Display::default();
    let mut differences = Vec::new();
    for line in include_str!("tests/values.tsv").lines().filter(|line| !line.starts_with('#')) {
        match line.strip_prefix("set\t") {
            Some(setting) => {
                let (name, value) = setting.split_once('\t').unwrap();
                set(&mut display, name, value);
            }
            None => differences.extend(difference(line, &display)),
        }
    }
    assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), differences.join("\n"));
}

#[test]
fn refuses_with_postgres_s_words() {
    let mut differences = Vec::new();
    for line in include_str!("tests/refused.tsv").lines() {
        let cells: Vec<&str> = line.split('\t').collect();
        let [oid, input, state, message] = cells.as_slice() else { panic!("{line}") };
        let oid: u32 = oid.parse().unwrap();
        let target = types::data_type_of(oid).unwrap();
        match decode(Some(input.as_bytes()), Format::Text, oid, &target, &Display::default()) {
            Err(error) if error.state.code() == *state && error.message == *message => {}
            other => differences.push(format!("{line}\n    {other:?}")),
        }
    }
    assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), differences.join("\n"));
}

fn text(value: &str, oid: u32, target: DataType) -> Result<ScalarValue> {
    decode(Some(value.as_bytes()), Format::Text, oid, &target, &Display::default())
}

#[test]
fn an_undeclared_parameter_has_the_type_of_the_plan() {
    assert_eq!(text(" 42 ", 0, DataType::Int32).unwrap(), ScalarValue::Int32(Some(42)));
    assert_eq!(text("42", types::UNKNOWN, DataType::Int64).unwrap(), ScalarValue::Int64(Some(42)));
    assert_eq!(
        text("1.50", types::VARCHAR, DataType::Decimal128(6, 2)).unwrap(),
        ScalarValue::Decimal128(Some(150), 6, 2)
    );
    assert_eq!(text("x", 0, DataType::Utf8View).unwrap(), ScalarValue::Utf8View(Some("x".to_owned())));
    let null = decode(None, Format::Binary, 0, &DataType::Int32, &Display::default()).unwrap();
    assert_eq!(null, ScalarValue::Int32(None));
}

#[test]
fn a_declared_type_is_cast_exactly_or_not_at_all() {
    let binary =
        |bytes: &[u8], oid, target: DataType| decode(Some(bytes), Format::Binary, oid, &target, &Display::default());
    assert_eq!(binary(&[0, 7], types::INT2, DataType::Int64).unwrap(), ScalarValue::Int64(Some(7)));
    assert_eq!(binary(&[0, 7], types::INT2, DataType::Float64).unwrap(), ScalarValue::Float64(Some(7.0)));
    assert_eq!(
        binary(&[0, 7], types::INT2, DataType::Decimal128(6, 2)).unwrap(),
        ScalarValue::Decimal128(Some(700), 6, 2)
    );
    assert_eq!(binary(&[0, 7], types::INT2, DataType::Utf8).unwrap(), ScalarValue::Utf8(Some("7".to_owned())));
    let state = |result: Result<ScalarValue>| result.unwrap_err().state.code();
    assert_eq!(state(binary(&70_000_i32.to_be_bytes(), types::INT4, DataType::Int16)), "22003");
    assert_eq!(state(binary(&0.5_f64.to_be_bytes(), types::FLOAT8, DataType::Int32)), "22003");
    assert_eq!(state(text("1.005", 0, DataType::Decimal128(6, 2))), "22003");
    assert_eq!(state(text("10000", 0, DataType::Decimal128(6, 2))), "22003");
    assert_eq!(state(text("NaN", 0, DataType::Decimal128(6, 2))), "0A000");
    assert_eq!(state(binary(&[1], types::BOOL, DataType::Int32)), "42846");
}

#[test]
fn a_timestamp_crosses_zones_by_the_session() {
    let display = Display { time_zone: chrono_tz::Tz::Europe__Paris, ..Display::default() };
    let utc = DataType::Timestamp(arrow::datatypes::TimeUnit::Millisecond, Some("UTC".into()));
    let noon = decode(Some(b"2026-07-01 12:00"), Format::Text, types::TIMESTAMP, &utc, &display).unwrap();
    assert_eq!(noon, ScalarValue::TimestampMillisecond(Some(1_782_900_000_000), Some("UTC".into())));
    let wall = DataType::Timestamp(arrow::datatypes::TimeUnit::Second, None);
    let noon = decode(Some(b"2026-07-01 10:00Z"), Format::Text, types::TIMESTAMPTZ, &wall, &display).unwrap();
    assert_eq!(noon, ScalarValue::TimestampSecond(Some(1_782_907_200), None));
    let day = decode(Some(b"2026-07-01"), Format::Text, types::DATE, &wall, &display).unwrap();
    assert_eq!(day, ScalarValue::TimestampSecond(Some(1_782_864_000), None));
    assert!(decode(Some(b"2026-07-01 10:00:00.5"), Format::Text, 0, &wall, &display).is_err());
}

#[test]
fn integers_take_the_forms_of_postgres_16() {
    for (input, expect) in [("0x1F", 31), ("0b101", 5), ("0o17", 15), ("1_000", 1_000), ("-0xff", -255)] {
        assert_eq!(text(input, types::INT4, DataType::Int32).unwrap(), ScalarValue::Int32(Some(expect)), "{input}");
    }
    for input in ["1__0", "_1", "1_", "0x", "0xg"] {
        assert!(text(input, types::INT4, DataType::Int32).is_err(), "{input}");
    }
}

#[test]
fn binary_of_a_wrong_length_is_refused() {
    let fixed = [16, 20, 21, 23, 26, 700, 701, 1_082, 1_083, 1_114, 1_184, 1_186, 2_950];
    for oid in fixed {
        for length in [0, 3, 5, 17] {
            let target = types::data_type_of(oid).unwrap();
            let error = decode(Some(&vec![0; length]), Format::Binary, oid, &target, &Display::default()).unwrap_err();
            // As PostgreSQL: too few bytes break the message, too many are left over.
            let is_short = length < usize::try_from(types::len_of(oid)).unwrap();
            assert_eq!(error.state.code(), if is_short { "08P01" } else { "22P03" }, "{oid} {length}");
        }
    }
    let list = DataType::new_list(DataType::Int32, true);
    for bytes in [&[][..], &[0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 23, 127, 255, 255, 255, 0, 0, 0, 1]] {
        assert!(decode(Some(bytes), Format::Binary, 1_007, &list, &Display::default()).is_err());
    }
}

#[test]
fn an_array_of_a_size_that_none_has_is_refused_before_its_elements() {
    let list = DataType::new_list(DataType::Int32, true);
    let head = |bounds: &[[i32; 2]]| -> Vec<u8> {
        let dimensions = i32::try_from(bounds.len()).unwrap();
        [dimensions, 0, 23].iter().chain(bounds.iter().flatten()).flat_map(|word| word.to_be_bytes()).collect()
    };
    let size = "array size exceeds the maximum allowed (134217727)";
    let cases: [(&[[i32; 2]], &str); 6] = [
        (&[[3, 1], [0, 0], [-2, 1]], size),
        (&[[4, 1], [8, 1], [0x54be_bcde, 1], [0, -1]], size),
        (&[[0, 1], [i32::MAX, 1], [-1, 1]], size),
        (&[[134_217_728, 1]], size),
        (&[[1, i32::MAX]], "array lower bound is too large: 2147483647"),
        (&[[0, 1], [1, i32::MAX]], "array lower bound is too large: 2147483647"),
    ];
    for (bounds, message) in cases {
        let error = decode(Some(&head(bounds)), Format::Binary, 1_007, &list, &Display::default()).unwrap_err();
        assert_eq!((error.state.code(), error.message.as_str()), ("54000", message), "{bounds:?}");
    }
    let none = decode(Some(&head(&[[0, 1], [i32::MAX, -5]])), Format::Binary, 1_007, &list, &Display::default());
    assert!(none.is_ok());
}

#[test]
fn text_must_be_utf8_without_zeros() {
    let error = |bytes: &[u8]| decode(Some(bytes), Format::Text, 25, &DataType::Utf8, &Display::default()).unwrap_err();
    assert_eq!(error(b"a\xffb").message, "invalid byte sequence for encoding \"UTF8\": 0xff");
    assert_eq!(error(b"a\0").message, "invalid byte sequence for encoding \"UTF8\": 0x00");
    assert_eq!(error(b"\xff").state.code(), "22021");
}

#[test]
fn words_of_the_clock_are_read() {
    for word in ["now", "today", "tomorrow", "yesterday", " NOW "] {
        for oid in [types::DATE, types::TIMESTAMP, types::TIMESTAMPTZ] {
            let target = types::data_type_of(oid).unwrap();
            assert!(text(word, oid, target).is_ok(), "{word} {oid}");
        }
    }
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    fn returns(scalar: &ScalarValue, field: &Field, display: &Display) {
        let oid = types::oid_of(field);
        for format in [Format::Text, Format::Binary] {
            let bytes = sent(scalar, field, format, display).unwrap();
            let again = decode(Some(&bytes), format, oid, field.data_type(), display).unwrap();
            assert_eq!(&again, scalar, "{format:?} {}", String::from_utf8_lossy(&bytes));
        }
    }

    fn plain(scalar: ScalarValue) {
        // A declared numeric shows all of its decimals.
        let field = udfs::pg_type::declared(Field::new("c", scalar.data_type(), true));
        returns(&scalar, &field, &Display::default());
    }

    proptest! {
        #[test]
        fn nothing_that_a_client_sends_panics(
            bytes in proptest::collection::vec(any::<u8>(), 0..40),
            text in "[-+0-9a-zA-Z:., {}\"\\\\/]{0,24}",
            oid in proptest::sample::select(vec![16_u32, 17, 20, 21, 22, 23, 25, 26, 30, 114, 700, 701, 869, 1_007, 1_009,
                1_082, 1_083, 1_114, 1_184, 1_186, 1_231, 1_700, 2_950, 3_802]),
        ) {
            let target = types::data_type_of(oid).unwrap();
            let _ = decode(Some(&bytes), Format::Binary, oid, &target, &Display::default());
            let _ = decode(Some(text.as_bytes()), Format::Text, oid, &target, &Display::default());
        }

        #[test]
        fn integers_return(small in any::<i16>(), normal in any::<i32>(), big in any::<i64>(), huge in any::<u64>()) {
            plain(ScalarValue::Int16(Some(small)));
            plain(ScalarValue::Int32(Some(normal)));
            plain(ScalarValue::Int64(Some(big)));
            plain(ScalarValue::UInt64(Some(huge)));
        }

        #[test]
        fn floats_return(single in any::<f32>(), double in any::<f64>()) {
            prop_assume!(!single.is_nan() && !double.is_nan());
            plain(ScalarValue::Float32(Some(single)));
            plain(ScalarValue::Float64(Some(double)));
        }

        #[test]
        fn short_decimals_print_as_they_are(digits in 0_u64..1_000_000_000, places in 0_u32..7) {
            let value = digits as f64 / 10_f64.powi(places as i32);
            let bytes = sent(&ScalarValue::Float64(Some(value)), &Field::new("c", DataType::Float64, true), Format::Text, &Display::default());
            let text = String::from_utf8(bytes.unwrap()).unwrap();
            if value == 0.0 || value >= 1e-4 {
                prop_assert_eq!(text, value.to_string());
            }
        }

        #[test]
        fn decimals_return(digits in -10_i128.pow(38) + 1..10_i128.pow(38), scale in 0_i8..38) {
            plain(ScalarValue::Decimal128(Some(digits), 38, scale));
            plain(ScalarValue::Decimal128(Some(digits / 10_i128.pow(30)), 38, scale));
            plain(ScalarValue::Decimal256(Some(arrow::datatypes::i256::from_i128(digits)), 76, scale));
        }

        #[test]
        fn instants_return(micros in -210_866_803_200_000_000..i64::MAX, day in -2_440_588..2_145_042_905_i32) {
            plain(ScalarValue::TimestampMicrosecond(Some(micros), None));
            plain(ScalarValue::TimestampMicrosecond(Some(micros), Some("UTC".into())));
            plain(ScalarValue::Date32(Some(day)));
            plain(ScalarValue::Time64Microsecond(Some(micros.rem_euclid(86_400_000_000))));
        }

        #[test]
        fn instants_return_in_every_zone(seconds in -1_500_000_000..9_000_000_000_i64, zone in 0..chrono_tz::TZ_VARIANTS.len()) {
            let display = Display { time_zone: chrono_tz::TZ_VARIANTS[zone], ..Display::default() };
            let scalar = ScalarValue::TimestampMicrosecond(Some(seconds * 1_000_000), Some("UTC".into()));
            returns(&scalar, &Field::new("c", scalar.data_type(), true), &display);
        }

        #[test]
        fn intervals_return(months in any::<i32>(), days in any::<i32>(), micros in -9_000_000_000_000_000..9_000_000_000_000_000_i64) {
            let nanoseconds = micros * 1_000;
            plain(ScalarValue::IntervalMonthDayNano(Some(arrow::datatypes::IntervalMonthDayNano { months, days, nanoseconds })));
        }

        #[test]
        fn strings_and_bytes_return(text in "[^\0]{0,20}", bytes in proptest::collection::vec(any::<u8>(), 0..20)) {
            plain(ScalarValue::Utf8(Some(text)));
            plain(ScalarValue::Binary(Some(bytes.clone())));
            let display = Display { bytea_output: ByteaOutput::Escape, ..Display::default() };
            let scalar = ScalarValue::Binary(Some(bytes));
            returns(&scalar, &Field::new("c", DataType::Binary, true), &display);
        }

        #[test]
        fn arrays_return(values in proptest::collection::vec(proptest::option::of("[ -~é]{0,6}"), 0..6)) {
            let strings: Vec<ScalarValue> = values.into_iter().map(ScalarValue::Utf8).collect();
            plain(ScalarValue::List(ScalarValue::new_list_nullable(&strings, &DataType::Utf8)));
        }
    }
}
