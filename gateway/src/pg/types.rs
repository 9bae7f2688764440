//! Which PostgreSQL type a column or a parameter has on the wire: the map between Arrow types and standard OIDs.
//!
//! Owns: OIDs, type lengths and modifiers as RowDescription and ParameterDescription tell them. Must never know: how a
//! value is written. Only OIDs that every PostgreSQL has are ever used, for clients look no others up.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, IntervalUnit, TimeUnit};
use udfs::pg::numeric::kind::{self, Shown};
use udfs::pg_type;

pub(crate) const BOOL: u32 = 16;
pub(crate) const BYTEA: u32 = 17;
pub(crate) const CHAR: u32 = 18;
pub(crate) const NAME: u32 = 19;
pub(crate) const INT8: u32 = 20;
pub(crate) const INT2: u32 = 21;
pub(crate) const INT2VECTOR: u32 = 22;
pub(crate) const INT4: u32 = 23;
pub(crate) const REGPROC: u32 = 24;
pub(crate) const TEXT: u32 = 25;
pub(crate) const OID: u32 = 26;
pub(crate) const TID: u32 = 27;
pub(crate) const XID: u32 = 28;
pub(crate) const CID: u32 = 29;
pub(crate) const OIDVECTOR: u32 = 30;
pub(crate) const JSON: u32 = 114;
pub(crate) const XML: u32 = 142;
pub(crate) const PG_NODE_TREE: u32 = 194;
pub(crate) const CIDR: u32 = 650;
pub(crate) const FLOAT4: u32 = 700;
pub(crate) const FLOAT8: u32 = 701;
pub(crate) const UNKNOWN: u32 = 705;
pub(crate) const MONEY: u32 = 790;
pub(crate) const MACADDR: u32 = 829;
pub(crate) const INET: u32 = 869;
pub(crate) const ACLITEM: u32 = 1033;
pub(crate) const BPCHAR: u32 = 1042;
pub(crate) const VARCHAR: u32 = 1043;
pub(crate) const DATE: u32 = 1082;
pub(crate) const TIME: u32 = 1083;
pub(crate) const TIMESTAMP: u32 = 1114;
pub(crate) const TIMESTAMPTZ: u32 = 1184;
pub(crate) const INTERVAL: u32 = 1186;
pub(crate) const TIMETZ: u32 = 1266;
pub(crate) const NUMERIC: u32 = 1700;
pub(crate) const REGCLASS: u32 = 2205;
pub(crate) const REGTYPE: u32 = 2206;
pub(crate) const RECORD: u32 = 2249;
pub(crate) const REGPROCEDURE: u32 = 2202;
pub(crate) const REGOPER: u32 = 2203;
pub(crate) const REGOPERATOR: u32 = 2204;
pub(crate) const ANYARRAY: u32 = 2277;
pub(crate) const VOID: u32 = 2278;
pub(crate) const UUID: u32 = 2950;
pub(crate) const PG_LSN: u32 = 3220;
pub(crate) const JSONB: u32 = 3802;
pub(crate) const REGNAMESPACE: u32 = 4089;
pub(crate) const REGROLE: u32 = 4096;
pub(crate) const REGCONFIG: u32 = 3734;
pub(crate) const REGDICTIONARY: u32 = 3769;
pub(crate) const REGCOLLATION: u32 = 4191;
pub(crate) const PG_NDISTINCT: u32 = 3361;
pub(crate) const PG_DEPENDENCIES: u32 = 3402;
pub(crate) const PG_MCV_LIST: u32 = 5017;
pub(crate) const XID8: u32 = 5069;

/// OID, `typname`, OID of its array (0: none), `typlen`.
type Row = (u32, &'static str, u32, i16);

const TYPES: &[Row] = &[
    (BOOL, "bool", 1000, 1),
    (BYTEA, "bytea", 1001, -1),
    (CHAR, "char", 1002, 1),
    (NAME, "name", 1003, 64),
    (INT8, "int8", 1016, 8),
    (INT2, "int2", 1005, 2),
    (INT2VECTOR, "int2vector", 1006, -1),
    (INT4, "int4", 1007, 4),
    (REGPROC, "regproc", 1008, 4),
    (TEXT, "text", 1009, -1),
    (OID, "oid", 1028, 4),
    (TID, "tid", 1010, 6),
    (XID, "xid", 1011, 4),
    (CID, "cid", 1012, 4),
    (OIDVECTOR, "oidvector", 1013, -1),
    (JSON, "json", 199, -1),
    (XML, "xml", 143, -1),
    (PG_NODE_TREE, "pg_node_tree", 0, -1),
    (CIDR, "cidr", 651, -1),
    (FLOAT4, "float4", 1021, 4),
    (FLOAT8, "float8", 1022, 8),
    (UNKNOWN, "unknown", 0, -2),
    (MONEY, "money", 791, 8),
    (MACADDR, "macaddr", 1040, 6),
    (INET, "inet", 1041, -1),
    (ACLITEM, "aclitem", 1034, 12),
    (BPCHAR, "bpchar", 1014, -1),
    (VARCHAR, "varchar", 1015, -1),
    (DATE, "date", 1182, 4),
    (TIME, "time", 1183, 8),
    (TIMESTAMP, "timestamp", 1115, 8),
    (TIMESTAMPTZ, "timestamptz", 1185, 8),
    (INTERVAL, "interval", 1187, 16),
    (TIMETZ, "timetz", 1270, 12),
    (NUMERIC, "numeric", 1231, -1),
    (REGCLASS, "regclass", 2210, 4),
    (REGTYPE, "regtype", 2211, 4),
    (RECORD, "record", 2287, -1),
    (REGPROCEDURE, "regprocedure", 2207, 4),
    (REGOPER, "regoper", 2208, 4),
    (REGOPERATOR, "regoperator", 2209, 4),
    (ANYARRAY, "anyarray", 0, -1),
    (VOID, "void", 0, 4),
    (UUID, "uuid", 2951, 16),
    (PG_LSN, "pg_lsn", 3221, 8),
    (JSONB, "jsonb", 3807, -1),
    (REGNAMESPACE, "regnamespace", 4090, 4),
    (REGROLE, "regrole", 4097, 4),
    (REGCONFIG, "regconfig", 3735, 4),
    (REGDICTIONARY, "regdictionary", 3770, 4),
    (REGCOLLATION, "regcollation", 4192, 4),
    (PG_NDISTINCT, "pg_ndistinct", 0, -1),
    (PG_DEPENDENCIES, "pg_dependencies", 0, -1),
    (PG_MCV_LIST, "pg_mcv_list", 0, -1),
    (XID8, "xid8", 271, 8),
];

/// The OID of a column's type: its tag's if that fits the Arrow type, else the Arrow type's.
pub fn oid_of(field: &Field) -> u32 {
    tagged(field).unwrap_or_else(|| natural(field.data_type()))
}

/// How many decimals the numerics of a column show: a declared scale, else those of the values.
pub(crate) fn shown(field: &Field) -> Shown {
    if pg_type::is_declared(field) { Shown::Fixed } else { kind::shown(plain(field.data_type())) }
}

/// The type modifier: precision and scale of a column that is declared with them, else -1.
pub fn typmod_of(field: &Field) -> i32 {
    if !pg_type::is_declared(field) || oid_of(field) != NUMERIC {
        return -1;
    }
    match plain(field.data_type()) {
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => ((i32::from(*precision) << 16) | (i32::from(*scale) & 0x7ff)) + 4,
        _ => -1,
    }
}

/// `pg_type.typlen`: -1 where values vary, -2 for a C string.
pub fn len_of(oid: u32) -> i16 {
    TYPES.iter().find(|row| row.0 == oid).map_or(-1, |row| row.3)
}

/// The Arrow type of a parameter that a client declared; `None` leaves it to be inferred.
pub fn data_type_of(oid: u32) -> Option<DataType> {
    Some(match oid {
        BOOL => DataType::Boolean,
        INT2 => DataType::Int16,
        INT4 => DataType::Int32,
        INT8 => DataType::Int64,
        OID | XID | CID | REGPROC | REGCLASS | REGTYPE | REGNAMESPACE | REGROLE | REGPROCEDURE | REGOPER
        | REGOPERATOR | REGCONFIG | REGDICTIONARY | REGCOLLATION => DataType::UInt32,
        FLOAT4 => DataType::Float32,
        FLOAT8 => DataType::Float64,
        NUMERIC => kind::OWN,
        MONEY => DataType::Decimal128(19, 2),
        BYTEA => DataType::Binary,
        DATE => DataType::Date32,
        TIME => DataType::Time64(TimeUnit::Microsecond),
        TIMESTAMP => DataType::Timestamp(TimeUnit::Microsecond, None),
        TIMESTAMPTZ => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        INTERVAL => DataType::Interval(IntervalUnit::MonthDayNano),
        TEXT | VARCHAR | BPCHAR | NAME | CHAR | JSON | JSONB | XML | UUID | INET | CIDR | MACADDR | TIMETZ | TID
        | PG_LSN => DataType::Utf8,
        0 | UNKNOWN => return None,
        other => DataType::List(Arc::new(Field::new_list_field(data_type_of(element_of(other)?)?, true))),
    })
}

/// A parameter that a client declared, tagged where its Arrow type does not tell its own; `None` leaves it to be inferred.
pub fn field_of(oid: u32) -> Option<FieldRef> {
    let data_type = data_type_of(oid)?;
    let tag = match TYPES.iter().find(|row| row.0 == oid) {
        // A numeric without a modifier has the scale of each of its values.
        Some(row) if oid == NUMERIC || natural(&data_type) != oid => Some(row.1.to_owned()),
        Some(_) => None,
        None if natural(&data_type) == oid => None,
        None => TYPES.iter().find(|row| row.2 == oid).map(|row| format!("_{}", row.1)),
    };
    Some(Arc::new(match tag {
        Some(tag) => pg_type::tagged("", data_type, &tag),
        None => Field::new("", data_type, true),
    }))
}

/// The OID that ParameterDescription tells for a parameter of an Arrow type.
pub fn param_oid(data_type: &DataType) -> u32 {
    natural(data_type)
}

/// The element type of an array or vector type.
pub(crate) fn element_of(oid: u32) -> Option<u32> {
    match oid {
        0 => None,
        INT2VECTOR => Some(INT2),
        OIDVECTOR => Some(OID),
        _ => TYPES.iter().find(|row| row.2 == oid).map(|row| row.0),
    }
}

/// The name of a type in PostgreSQL's messages.
pub(crate) fn sql_name(oid: u32) -> &'static str {
    match oid {
        BOOL => "boolean",
        INT2 => "smallint",
        INT4 => "integer",
        INT8 => "bigint",
        FLOAT4 => "real",
        FLOAT8 => "double precision",
        TIMESTAMPTZ => "timestamp with time zone",
        TIMETZ => "time with time zone",
        VARCHAR => "character varying",
        BPCHAR => "character",
        CHAR => "\"char\"",
        _ => TYPES.iter().find(|row| row.0 == oid).map_or("anyarray", |row| row.1),
    }
}

/// The Arrow type below encodings that the wire does not show.
pub(crate) fn plain(data_type: &DataType) -> &DataType {
    match data_type {
        DataType::Dictionary(_, values) => plain(values),
        DataType::RunEndEncoded(_, values) => plain(values.data_type()),
        other => other,
    }
}

/// The field of a list's elements.
pub(crate) fn list_item(data_type: &DataType) -> Option<&Field> {
    match data_type {
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::FixedSizeList(item, _)
        | DataType::ListView(item)
        | DataType::LargeListView(item) => Some(item),
        _ => None,
    }
}

/// The OID of a field's tag. A cast carries the tag along, so one that no longer fits its Arrow type does not count.
fn tagged(field: &Field) -> Option<u32> {
    let tag = pg_type::tag(field)?;
    if let Some(oid) = pg_type::row_type(tag) {
        return fits(RECORD, plain(field.data_type())).then_some(oid);
    }
    let oid = TYPES.iter().find(|row| row.1 == tag).map(|row| row.0).or_else(|| {
        let element = tag.strip_prefix('_')?;
        TYPES.iter().find(|row| row.1 == element && row.2 != 0).map(|row| row.2)
    })?;
    fits(oid, plain(field.data_type())).then_some(oid)
}

fn fits(oid: u32, data_type: &DataType) -> bool {
    use DataType as D;
    let is_text = matches!(data_type, D::Utf8 | D::LargeUtf8 | D::Utf8View);
    match oid {
        OID | XID | CID | REGPROC | REGCLASS | REGTYPE | REGNAMESPACE | REGROLE | REGPROCEDURE | REGOPER
        | REGOPERATOR | REGCONFIG | REGDICTIONARY | REGCOLLATION => data_type.is_integer(),
        XID8 => matches!(data_type, D::UInt64) || is_text,
        TID => is_text || matches!(data_type, D::FixedSizeBinary(6)),
        NAME | CHAR | ANYARRAY | PG_NDISTINCT | PG_DEPENDENCIES | PG_MCV_LIST | XML | PG_NODE_TREE | CIDR | MACADDR
        | INET | ACLITEM | BPCHAR | VARCHAR | TIMETZ | PG_LSN => is_text,
        MONEY => is_text || matches!(data_type, D::Decimal128(_, 2)),
        JSON | JSONB => is_text || matches!(data_type, D::Map(..) | D::Union(..)),
        RECORD => matches!(data_type, D::Struct(_)),
        UUID => is_text || matches!(data_type, D::FixedSizeBinary(16)),
        UNKNOWN | VOID => is_text || matches!(data_type, D::Null),
        _ => match (element_of(oid), list_item(data_type)) {
            (Some(element), Some(item)) => {
                let inner = plain(item.data_type());
                natural(inner) == element || fits(element, inner)
            }
            _ => false,
        },
    }
}

fn natural(data_type: &DataType) -> u32 {
    match data_type {
        DataType::Boolean => BOOL,
        DataType::Int8 | DataType::Int16 | DataType::UInt8 => INT2,
        DataType::Int32 | DataType::UInt16 => INT4,
        DataType::Int64 | DataType::UInt32 => INT8,
        DataType::Float16 | DataType::Float32 => FLOAT4,
        DataType::Float64 => FLOAT8,
        DataType::UInt64
        | DataType::Decimal32(..)
        | DataType::Decimal64(..)
        | DataType::Decimal128(..)
        | DataType::Decimal256(..) => NUMERIC,
        DataType::Null | DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => TEXT,
        DataType::Date32 | DataType::Date64 => DATE,
        DataType::Timestamp(_, None) => TIMESTAMP,
        DataType::Timestamp(_, Some(_)) => TIMESTAMPTZ,
        DataType::Time32(_) | DataType::Time64(_) => TIME,
        DataType::Interval(_) | DataType::Duration(_) => INTERVAL,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => BYTEA,
        DataType::Struct(_) => RECORD,
        DataType::Map(..) | DataType::Union(..) => JSON,
        DataType::Dictionary(_, values) => natural(values),
        DataType::RunEndEncoded(_, values) => oid_of(values),
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::FixedSizeList(item, _)
        | DataType::ListView(item)
        | DataType::LargeListView(item) => array_of(oid_of(item)),
    }
}

/// The array type over an element; an array of arrays has the same type with one more dimension.
fn array_of(element: u32) -> u32 {
    if element != INT2VECTOR && element != OIDVECTOR && element_of(element).is_some() {
        return element;
    }
    match TYPES.iter().find(|row| row.0 == element) {
        Some((_, _, array, _)) if *array != 0 => *array,
        _ => 1009,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_decides_only_where_it_fits_the_arrow_type() {
        let oid = |data_type, tag| oid_of(&pg_type::tagged("c", data_type, tag));
        assert_eq!(oid(DataType::UInt32, "oid"), 26);
        assert_eq!(oid(DataType::Utf8, "oid"), 25);
        assert_eq!(oid(DataType::Utf8View, "name"), 19);
        assert_eq!(oid(DataType::Int64, "regclass"), 2205);
        assert_eq!(oid(DataType::FixedSizeBinary(16), "uuid"), 2950);
        assert_eq!(oid(DataType::new_list(DataType::Utf8, true), "_name"), 1003);
        assert_eq!(oid(DataType::new_list(DataType::Utf8, true), "_aclitem"), 1034);
        assert_eq!(oid(DataType::new_list(DataType::UInt32, true), "_oid"), 1028);
        assert_eq!(oid(DataType::new_list(DataType::Int16, true), "int2vector"), 22);
        assert_eq!(oid(DataType::Utf8, "no such type"), 25);
    }

    #[test]
    fn nested_lists_flatten_to_one_array_type() {
        let list = DataType::new_list(DataType::Int32, true);
        assert_eq!(param_oid(&list), 1007);
        assert_eq!(param_oid(&DataType::new_list(list, true)), 1007);
        let row = DataType::Struct(arrow::datatypes::Fields::empty());
        assert_eq!(param_oid(&DataType::new_list(row, true)), 2287);
    }

    #[test]
    fn a_declared_numeric_tells_precision_and_scale() {
        let computed = Field::new("n", DataType::Decimal128(6, 2), true);
        assert_eq!(typmod_of(&computed), -1);
        assert_eq!(typmod_of(&pg_type::declared(computed)), ((6 << 16) | 2) + 4);
        assert_eq!(typmod_of(&pg_type::declared(Field::new("n", DataType::UInt64, true))), -1);
    }

    #[test]
    fn every_type_that_a_client_may_declare_keeps_its_oid() {
        for (oid, _, array, _) in TYPES.iter().copied() {
            let Some(data_type) = data_type_of(oid) else { continue };
            if matches!(data_type, DataType::Utf8 | DataType::UInt32) {
                continue;
            }
            if matches!(oid, INT2VECTOR | OIDVECTOR | MONEY) {
                continue;
            }
            assert_eq!(param_oid(&data_type), oid);
            assert_eq!(param_oid(&DataType::new_list(data_type, true)), array);
        }
    }
}
