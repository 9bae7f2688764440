//! Definitions that are right, and definitions that are not.

use super::*;

fn parse(file: &str, sql: &str) -> Definitions {
    Definitions::parse(&[(file.to_owned(), sql.to_owned())], &[])
}

#[test]
fn a_table_has_its_options() {
    let sql = "CREATE EXTERNAL TABLE Shop.\"Cd Now\" (Id TEXT, bought DATE, n INT, usd NUMERIC(12,2))
        STORED AS CSV LOCATION 'shop/cdnow.txt'
        OPTIONS (delimiter 'whitespace', header 'false', date_format '%Y%m%d', null_values 'NA,\\N', encoding 'cp1252');
        CREATE EXTERNAL TABLE t STORED AS NDJSON LOCATION 't/';";
    let all = parse("tables/a.sql", sql);
    assert!(all.faults.is_empty(), "{:?}", all.faults);
    let [cdnow, t] = all.tables.as_slice() else { panic!("two tables") };
    assert_eq!((cdnow.name.schema.as_str(), cdnow.name.name.as_str()), ("shop", "Cd Now"));
    let columns = cdnow.options.columns.as_ref().unwrap();
    assert_eq!(columns[0].0, "id");
    assert_eq!(columns[3].1, arrow::datatypes::DataType::Decimal128(12, 2));
    assert_eq!(cdnow.options.null_values, ["NA", "\\N"]);
    assert_eq!(cdnow.options.encoding.unwrap().name(), "windows-1252");
    assert_eq!(cdnow.options.header, Some(false));
    assert_eq!(cdnow.location.inner(0, "shop/cdnow.txt"), Some(""));
    assert_eq!(cdnow.location.inner(0, "shop/cdnow.txt2"), None);
    assert_eq!((t.name.schema.as_str(), t.location.inner(3, "t/a/b.json")), ("public", Some("a/b.json")));
}

#[test]
fn a_view_is_its_query() {
    let all =
        parse("views/a.sql", "create or replace view climate.v as\n  select 1 as a;\ncreate view w (x) as select 2");
    assert!(all.faults.is_empty(), "{:?}", all.faults);
    assert_eq!(all.views[0].sql, "select 1 as a");
    assert_eq!((all.views[0].name.schema.as_str(), all.views[0].name.name.as_str()), ("climate", "v"));
    assert_eq!(all.views[1].sql, "create view w (x) as select 2");
}

#[test]
fn a_bad_statement_stops_no_other() {
    let sql = "CREATE EXTERNAL TABLE a STORED AS CSV LOCATION '/etc/passwd';
        CREATE EXTERNAL TABLE b STORED AS CSV LOCATION 'x/../../y';
        CREATE EXTERNAL TABLE c STORED AS CSV LOCATION 'c' OPTIONS (delimeter ';');
        SELECT 1;
        CREATE EXTERNAL nonsense;
        CREATE EXTERNAL TABLE d STORED AS CSV LOCATION 's3://other/x';
        CREATE EXTERNAL TABLE good STORED AS CSV LOCATION 'good';";
    let all = parse("tables/a.sql", sql);
    assert_eq!(all.tables.len(), 1);
    let faults: Vec<String> = all.faults.iter().map(|fault| fault.error.to_string()).collect();
    assert_eq!(faults.len(), 6, "{faults:?}");
    assert!(faults[0].contains("permission denied for location \"/etc/passwd\""), "{}", faults[0]);
    assert!(faults[2].contains("line 3: unknown option \"delimeter\""), "{}", faults[2]);
    assert!(faults[3].contains("line 4"), "{}", faults[3]);
    assert!(faults[4].contains("line 5: Expected:"), "{}", faults[4]);
}
