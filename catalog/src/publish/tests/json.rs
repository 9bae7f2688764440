//! JSON that is not on lines.

use super::*;

#[tokio::test]
async fn arrays_and_values_over_several_lines_are_read_as_lines_are() {
    let lines = "{\"x\": 1, \"y\": \"a\"}\n\n{\"x\": 2, \"z\": {\"k\": [1, 2]}}\n";
    let array = "\n[\n  {\"x\": 1, \"y\": \"a\"},\n  {\n    \"x\": 2,\n    \"z\": {\"k\": [1, 2]}\n  }\n]\n";
    let values = "{\n  \"x\": 1,\n  \"y\": \"a\"\n}\n{\n  \"x\": 2,\n  \"z\": {\"k\": [1, 2]}\n}";
    let one_line = "[{\"x\":1,\"y\":\"a\"},{\"x\":2,\"z\":{\"k\":[1,2]}}]";
    let lake = Fixture::new(&[
        ("s/lines.json", lines.as_bytes()),
        ("s/array.json", array.as_bytes()),
        ("s/values.json", values.as_bytes()),
        ("s/one_line.json.gz", &gzip(one_line.as_bytes())),
    ])
    .await;
    for table in ["s.lines", "s.array", "s.values", "s.one_line"] {
        assert!(lake.columns(table).await.starts_with("x Int64, y Utf8View, z Struct("), "{table}");
        assert_eq!(lake.rows(table, "SELECT x, y FROM t").await.unwrap(), ["|1|a|", "|2||"], "{table}");
        assert_eq!(lake.rows(table, "SELECT count(z) FROM t").await.unwrap(), ["|1|"], "{table}");
    }
}

#[tokio::test]
async fn a_large_array_comes_in_pieces() {
    let rows: Vec<String> = (0..60_000).map(|at| format!("{{\"at\": {at}, \"text\": \"]}},{at}\"}}")).collect();
    let lake = Fixture::new(&[("s/t.json", format!("[{}]", rows.join(",\n")).as_bytes())]).await;
    let sql = "SELECT count(*), sum(at), max(length(text)) FROM t";
    assert_eq!(lake.rows("s.t", sql).await.unwrap(), ["|60000|1799970000|8|"]);
}

#[tokio::test]
async fn what_is_no_array_of_objects_is_told_with_its_line() {
    for (text, expected) in [
        ("[{\"x\": 1},\n{\"x\": 2}", "line 2: the array does not end"),
        ("[{\"x\": 1},\n{\"x\": 2},\n", "line 3: the array does not end"),
        ("[{\"x\": 1},\n{\"x\": ", "line 2: a value does not end"),
        ("[{\"x\": 1}\n{\"x\": 2}]", "line 2: a comma or the end of the array is missing"),
        ("[{\"x\": 1},\n]", "line 2: a value of the array is missing"),
        ("[{\"x\": 1}]\n[{\"x\": 2}]", "line 2: text follows the end of the array"),
        ("{\n\"x\": 1\n}\n{\n\"x\": ", "line 4: a value does not end"),
        ("[{\"x\": 1},\n2]", "line 2: "),
        ("[1, 2]", "line 1: "),
        ("[{\"x\": 1},\n{\"x\": 1 2}]", "line 2: "),
    ] {
        let lake = Fixture::new(&[("s/t.json", text.as_bytes())]).await;
        let error = lake.fails("s.t").await.to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
}
