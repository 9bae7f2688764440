//! What PostgreSQL prints and sends, and round trips.

use std::sync::Arc;

use arrow::array::*;
use arrow::buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::*;
use bytes::BytesMut;
use udfs::pg_type;

use super::*;
use crate::error::Result;
use crate::session::vars::{ByteaOutput, Display};

/// The cells of one column: `None` is a null.
fn cells(array: ArrayRef, field: Field, format: Format, display: &Display) -> Result<Vec<Option<Vec<u8>>>> {
    let schema = Arc::new(Schema::new(vec![field]));
    let batch = RecordBatch::try_new(Arc::clone(&schema), vec![array]).unwrap();
    let mut out = BytesMut::new();
    RowEncoder::new(&schema, &[format], display)?.encode(&batch, 0..batch.num_rows(), &mut out)?;
    Ok(rows(&out).into_iter().map(|mut row| row.remove(0)).collect())
}

/// Reads DataRow messages.
fn rows(mut bytes: &[u8]) -> Vec<Vec<Option<Vec<u8>>>> {
    let mut rows = Vec::new();
    while !bytes.is_empty() {
        assert_eq!(bytes[0], b'D');
        let (message, rest) = bytes[1..].split_at(u32::from_be_bytes(bytes[1..5].try_into().unwrap()) as usize);
        let count = u16::from_be_bytes(message[4..6].try_into().unwrap());
        let mut at = 6;
        let row = (0..count).map(|_| {
            let length = i32::from_be_bytes(message[at..at + 4].try_into().unwrap());
            at += 4;
            (length >= 0).then(|| {
                let end = at + length as usize;
                message[std::mem::replace(&mut at, end)..end].to_vec()
            })
        });
        rows.push(row.collect());
        assert_eq!(at, message.len());
        bytes = rest;
    }
    rows
}

fn shown(array: impl Array + 'static, field: Option<Field>, display: &Display) -> Vec<String> {
    let field = field.unwrap_or_else(|| Field::new("c", array.data_type().clone(), true));
    let cells = cells(Arc::new(array), field, Format::Text, display).unwrap();
    cells.into_iter().map(|cell| cell.map_or("<null>".to_owned(), |cell| String::from_utf8(cell).unwrap())).collect()
}

fn text(array: impl Array + 'static) -> Vec<String> {
    shown(array, None, &Display::default())
}

fn binary(array: impl Array + 'static) -> Result<Vec<Option<Vec<u8>>>> {
    let field = Field::new("c", array.data_type().clone(), true);
    cells(Arc::new(array), field, Format::Binary, &Display::default())
}

#[test]
fn a_row_is_one_message_with_its_nulls() {
    let schema = Schema::new(vec![Field::new("a", DataType::Int32, true), Field::new("b", DataType::Utf8, true)]);
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int32Array::from(vec![Some(1), None, Some(3)])),
        Arc::new(StringArray::from(vec![None, Some(""), Some("x")])),
    ];
    let batch = RecordBatch::try_new(Arc::new(schema.clone()), columns).unwrap();
    let encoder = RowEncoder::new(&schema, &[Format::Binary, Format::Text], &Display::default()).unwrap();
    let mut out = BytesMut::from(&b"before"[..]);
    encoder.encode(&batch, 1..3, &mut out).unwrap();
    assert_eq!(&out[..6], b"before");
    let expect = vec![vec![None, Some(vec![])], vec![Some(vec![0, 0, 0, 3]), Some(b"x".to_vec())]];
    assert_eq!(rows(&out[6..]), expect);
    encoder.encode(&batch, 3..3, &mut out).unwrap();
    encoder.encode(&batch, 2..9, &mut out).unwrap();
    assert_eq!(rows(&out[6..]).len(), 3);
}

#[test]
fn an_encoder_is_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<RowEncoder>();
}

#[test]
fn large_rows_and_many_rows_grow_the_buffer() {
    let long = "x".repeat(100_000);
    let array = StringArray::from_iter_values((0..50).map(|row| &long[..row * 2_000]));
    let lengths: Vec<usize> = text(array).iter().map(String::len).collect();
    assert_eq!(lengths, (0..50).map(|row| row * 2_000).collect::<Vec<_>>());
}

#[test]
fn the_rows_before_a_failed_one_are_complete() {
    let schema = Schema::new(vec![Field::new("t", DataType::Timestamp(TimeUnit::Second, None), true)]);
    let column: ArrayRef = Arc::new(TimestampSecondArray::from(vec![0, i64::MAX - 1, 1]));
    let batch = RecordBatch::try_new(Arc::new(schema.clone()), vec![column]).unwrap();
    for format in [Format::Text, Format::Binary] {
        let mut out = BytesMut::new();
        let encoder = RowEncoder::new(&schema, &[format], &Display::default()).unwrap();
        let error = encoder.encode(&batch, 0..3, &mut out).unwrap_err();
        assert_eq!((error.state.code(), error.message.as_str()), ("22008", "timestamp out of range"));
        assert_eq!(rows(&out).len(), 1);
    }
}

#[test]
fn units_meet_in_microseconds() {
    assert_eq!(
        text(TimestampNanosecondArray::from(vec![1_999, -1])),
        ["1970-01-01 00:00:00.000001", "1969-12-31 23:59:59.999999"]
    );
    assert_eq!(
        text(TimestampMillisecondArray::from(vec![1_500, i64::MAX, i64::MIN])),
        ["1970-01-01 00:00:01.5", "infinity", "-infinity"]
    );
    assert_eq!(text(Date64Array::from(vec![86_400_000, -1])), ["1970-01-02", "1969-12-31"]);
    assert_eq!(text(Time32SecondArray::from(vec![3_661])), ["01:01:01"]);
    assert_eq!(text(Time64NanosecondArray::from(vec![1_500_000])), ["00:00:00.0015"]);
    assert_eq!(text(DurationSecondArray::from(vec![90_061])), ["25:01:01"]);
    assert_eq!(text(IntervalYearMonthArray::from(vec![14])), ["1 year 2 mons"]);
    let beyond = Time32SecondArray::from(vec![86_401]);
    assert_eq!(binary(beyond).unwrap_err().message, "time out of range");
    assert_eq!(binary(Date32Array::from(vec![i32::MAX - 1])).unwrap_err().message, "date out of range");
}

#[test]
fn every_integer_and_decimal_type_prints() {
    assert_eq!(text(UInt64Array::from(vec![u64::MAX])), ["18446744073709551615"]);
    assert_eq!(text(Int8Array::from(vec![i8::MIN])), ["-128"]);
    assert_eq!(text(Decimal32Array::from(vec![-5]).with_precision_and_scale(6, 2).unwrap()), ["-0.05"]);
    assert_eq!(text(Decimal64Array::from(vec![12_345]).with_precision_and_scale(10, 3).unwrap()), ["12.345"]);
    assert_eq!(text(Decimal128Array::from(vec![12, 0]).with_precision_and_scale(4, -3).unwrap()), ["12000", "0"]);
    let binary = binary(Decimal128Array::from(vec![12, -12_345]).with_precision_and_scale(5, -3).unwrap()).unwrap();
    assert_eq!(binary[0].as_deref(), Some(&[0, 2, 0, 1, 0, 0, 0, 0, 0, 1, 7, 208][..]));
    assert_eq!(binary[1].as_deref(), Some(&[0, 2, 0, 1, 64, 0, 0, 0, 4, 210, 19, 136][..]));
}

#[test]
fn an_oid_is_sent_unsigned_and_must_fit() {
    let oid = |value: i64, format| {
        let field = pg_type::tagged("c", DataType::Int64, "oid");
        cells(Arc::new(Int64Array::from(vec![value])), field, format, &Display::default())
    };
    assert_eq!(oid(4_294_967_295, Format::Binary).unwrap(), [Some(vec![255; 4])]);
    assert_eq!(oid(5, Format::Text).unwrap(), [Some(b"5".to_vec())]);
    assert_eq!(oid(-1, Format::Binary).unwrap_err().state.code(), "22003");
}

#[test]
fn encodings_are_not_shown() {
    let keys = Int8Array::from(vec![Some(1), None, Some(0), Some(2)]);
    let dictionary = DictionaryArray::new(keys, Arc::new(StringArray::from(vec![Some("a"), Some("b"), None])));
    assert_eq!(text(dictionary.clone()), ["b", "<null>", "a", "<null>"]);
    assert_eq!(text(dictionary.slice(1, 2)), ["<null>", "a"]);
    let empty = DictionaryArray::new(Int8Array::from(vec![None]), Arc::new(StringArray::from(Vec::<&str>::new())));
    assert_eq!(text(empty), ["<null>"]);
    let runs =
        RunArray::try_new(&Int32Array::from(vec![2, 3, 5]), &Int64Array::from(vec![Some(7), None, Some(9)])).unwrap();
    assert_eq!(text(runs.clone()), ["7", "7", "<null>", "9", "9"]);
    assert_eq!(text(runs.slice(1, 3)), ["7", "<null>", "9"]);
    assert_eq!(text(NullArray::new(2)), ["<null>", "<null>"]);
    assert_eq!(
        text(StringViewArray::from(vec!["a string longer than twelve", "b"])),
        ["a string longer than twelve", "b"]
    );
}

#[test]
fn every_list_is_an_array() {
    let item = Arc::new(Field::new_list_field(DataType::Int32, true));
    let values: ArrayRef = Arc::new(Int32Array::from(vec![Some(1), None, Some(3), Some(4)]));
    let nulls = Some(NullBuffer::from(vec![true, false, true]));
    let list =
        ListArray::new(Arc::clone(&item), OffsetBuffer::new(vec![0, 2, 2, 4].into()), Arc::clone(&values), nulls);
    assert_eq!(text(list.clone()), ["{1,NULL}", "<null>", "{3,4}"]);
    assert_eq!(text(list.slice(2, 1)), ["{3,4}"]);
    let large =
        LargeListArray::new(Arc::clone(&item), OffsetBuffer::new(vec![0, 0, 4].into()), Arc::clone(&values), None);
    assert_eq!(text(large), ["{}", "{1,NULL,3,4}"]);
    let fixed = FixedSizeListArray::new(Arc::clone(&item), 2, Arc::clone(&values), None);
    assert_eq!(text(fixed.clone()), ["{1,NULL}", "{3,4}"]);
    assert_eq!(text(fixed.slice(1, 1)), ["{3,4}"]);
    let (offsets, sizes) = (ScalarBuffer::from(vec![2, 0]), ScalarBuffer::from(vec![2, 1]));
    assert_eq!(text(ListViewArray::new(item, offsets, sizes, values, None)), ["{3,4}", "{1}"]);
    let outer = Arc::new(Field::new_list_field(list.data_type().clone(), true));
    let nested = ListArray::new(outer, OffsetBuffer::new(vec![0, 1, 3].into()), Arc::new(list), None);
    assert_eq!(text(nested.clone()), ["{{1,NULL}}", "{NULL,{3,4}}"]);
    assert_eq!(binary(nested).unwrap_err().state.code(), "2202E");
}

#[test]
fn structs_are_rows_and_maps_and_unions_json() {
    let inner: ArrayRef =
        Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(vec![Some(vec![Some(1), None]), None]));
    let object = StructArray::from(vec![
        (
            Arc::new(Field::new("n", DataType::Float64, true)),
            Arc::new(Float64Array::from(vec![1.5, f64::NAN])) as ArrayRef,
        ),
        (
            Arc::new(Field::new("s", DataType::Utf8, true)),
            Arc::new(StringArray::from(vec![Some("a\"\n\u{1}é"), None])) as ArrayRef,
        ),
        (
            Arc::new(Field::new("b", DataType::Boolean, true)),
            Arc::new(BooleanArray::from(vec![true, false])) as ArrayRef,
        ),
        (
            Arc::new(Field::new("t", DataType::Timestamp(TimeUnit::Second, Some("UTC".into())), true)),
            Arc::new(TimestampSecondArray::from(vec![0, 1]).with_timezone("UTC")) as ArrayRef,
        ),
        (Arc::new(Field::new("l", inner.data_type().clone(), true)), inner),
        (
            Arc::new(pg_type::tagged("j", DataType::Utf8, "json")),
            Arc::new(StringArray::from(vec!["{}", "1"])) as ArrayRef,
        ),
    ]);
    let rows = [
        "(1.5,\"a\"\"\n\u{1}é\",t,\"1970-01-01 00:00:00+00\",\"{1,NULL}\",{})",
        "(NaN,,f,\"1970-01-01 00:00:01+00\",,1)",
    ];
    let json = [
        r#"{"n":1.5,"s":"a\"\n\u0001é","b":true,"t":"1970-01-01T00:00:00+00:00","l":[1,null],"j":{}}"#,
        r#"{"n":"NaN","s":null,"b":false,"t":"1970-01-01T00:00:01+00:00","l":null,"j":1}"#,
    ];
    assert_eq!(text(object.clone()), rows);
    let sent = binary(object.clone()).unwrap();
    let (oids, fields) = sent_fields(sent[1].as_deref().unwrap());
    assert_eq!(oids, [701, 25, 16, 1184, 1007, 114]);
    assert_eq!(fields[0].as_deref(), Some(&f64::NAN.to_be_bytes()[..]));
    assert_eq!((fields[1].as_deref(), fields[5].as_deref()), (None, Some(&b"1"[..])));
    let item = Arc::new(Field::new_list_field(object.data_type().clone(), true));
    let list = ListArray::new(item, OffsetBuffer::new(vec![0, 0, 1].into()), Arc::new(object.slice(1, 1)), None);
    assert_eq!(text(list)[1], r#"{"(NaN,,f,\"1970-01-01 00:00:01+00\",,1)"}"#);
    let keys = Arc::new(Field::new("key", DataType::Int32, false));
    let values = Arc::new(Field::new("value", object.data_type().clone(), true));
    let entries = StructArray::new(
        vec![keys, values].into(),
        vec![Arc::new(Int32Array::from(vec![7, 8])) as ArrayRef, Arc::new(object)],
        None,
    );
    let field = Arc::new(Field::new("entries", entries.data_type().clone(), false));
    let of_rows = MapArray::new(field, OffsetBuffer::new(vec![0, 1, 2].into()), entries, None, false);
    assert_eq!(text(of_rows), [format!("{{\"7\":{}}}", json[0]), format!("{{\"8\":{}}}", json[1])]);
    let mut map = MapBuilder::new(None, Int32Builder::new(), StringBuilder::new());
    map.keys().append_value(7);
    map.values().append_value("x");
    map.append(true).unwrap();
    map.append(false).unwrap();
    assert_eq!(text(map.finish()), [r#"{"7":"x"}"#, "<null>"]);
    let mut union = UnionBuilder::new_dense();
    union.append::<Int32Type>("a", 1).unwrap();
    union.append::<Float64Type>("b", 2.5).unwrap();
    union.append_null::<Int32Type>("a").unwrap();
    assert_eq!(text(union.build().unwrap()), ["1", "2.5", "<null>"]);
}

/// The OIDs and the bytes of the fields of a row in binary.
fn sent_fields(mut row: &[u8]) -> (Vec<u32>, Vec<Option<Vec<u8>>>) {
    let number = |row: &mut &[u8]| {
        let (head, rest) = row.split_first_chunk::<4>().unwrap();
        *row = rest;
        i32::from_be_bytes(*head)
    };
    let count = number(&mut row);
    let (mut oids, mut fields) = (Vec::new(), Vec::new());
    for _ in 0..count {
        oids.push(number(&mut row).cast_unsigned());
        fields.push(usize::try_from(number(&mut row)).ok().map(|length| {
            let (value, rest) = row.split_at(length);
            row = rest;
            value.to_vec()
        }));
    }
    assert!(row.is_empty());
    (oids, fields)
}

#[test]
fn types_that_arrow_holds_as_text_have_their_binary_form() {
    let send = |tag: &str, value: &str| {
        let field = pg_type::tagged("c", DataType::Utf8, tag);
        cells(Arc::new(StringArray::from(vec![value])), field, Format::Binary, &Display::default())
            .map(|mut cells| cells.remove(0).unwrap())
    };
    assert_eq!(send("jsonb", "{}").unwrap(), b"\x01{}");
    assert_eq!(send("char", "r").unwrap(), b"r");
    assert_eq!(send("char", "").unwrap(), [0]);
    assert_eq!(send("void", "").unwrap(), b"");
    assert_eq!(send("tid", "(7,3)").unwrap(), [0, 0, 0, 7, 0, 3]);
    assert_eq!(send("pg_lsn", "16/B374D848").unwrap(), [0, 0, 0, 0x16, 0xb3, 0x74, 0xd8, 0x48]);
    assert_eq!(send("timetz", "01:02:03.5+02").unwrap(), [0, 0, 0, 0, 0xdd, 0xf0, 0x19, 0xe0, 0xff, 0xff, 0xe3, 0xe0]);
    assert_eq!(send("money", "-$1,234.50").unwrap(), (-123_450_i64).to_be_bytes());
    assert_eq!(send("macaddr", "08:00:2b:01:02:03").unwrap(), [8, 0, 0x2b, 1, 2, 3]);
    assert_eq!(send("uuid", "no uuid").unwrap_err().state.code(), "22P02");
    let uuid = FixedSizeBinaryArray::try_from_iter([[0xa0_u8; 16]].into_iter()).unwrap();
    let field = pg_type::tagged("c", DataType::FixedSizeBinary(16), "uuid");
    assert_eq!(shown(uuid, Some(field), &Display::default()), ["a0a0a0a0-a0a0-a0a0-a0a0-a0a0a0a0a0a0"]);
}

#[test]
fn aclitem_has_no_binary_form() {
    let field = pg_type::tagged("c", DataType::new_list(DataType::Utf8, true), "_aclitem");
    let error = RowEncoder::new(&Schema::new(vec![field]), &[Format::Binary], &Display::default()).unwrap_err();
    assert_eq!(error.state.code(), "42883");
}

#[test]
fn bytea_escapes_where_asked() {
    let display = Display { bytea_output: ByteaOutput::Escape, ..Display::default() };
    assert_eq!(shown(BinaryArray::from_vec(vec![b"a\\\x00\xff"]), None, &display), [r"a\\\000\377"]);
}
