//! CSV that is read right without a definition, and what the server tells of how it was read.

use lakegate_tests::wire::{self, message};
use lakegate_tests::{Lake, TestServer};

/// The columns of a table with their types, as a client sees them.
async fn types(server: &TestServer, table: &str) -> Vec<String> {
    let sql = format!(
        "SELECT attname || ' ' || format_type(atttypid, atttypmod) FROM pg_attribute
         WHERE attrelid = '{table}'::regclass AND attnum > 0 ORDER BY attnum"
    );
    server.column(&sql).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn encodings_are_found() {
    let lake = Lake::default();
    let wide = |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
    lake.write("s/latin.csv", b"ville,t\nOrl\xE9ans,\x80 5\n".as_slice());
    lake.write("s/wide.csv", wide("ville,t\nOrléans,5\n"));
    lake.write("s/late.csv", {
        let mut text = b"a,b\n".to_vec();
        while text.len() < 17 << 20 {
            text.extend_from_slice(&[b'1', b',', b'x', b'\n'].repeat(1000));
        }
        text[(6 << 20) + 2] = 0xE9;
        text
    });
    let server = TestServer::start(&lake).await;
    assert_eq!(server.value("SELECT ville || t FROM s.latin").await, "Orléans€ 5");
    assert_eq!(server.value("SELECT ville FROM s.wide").await, "Orléans");
    let answer = server.wire().await.query("SELECT count(b) FROM s.late").await;
    let fault = answer.fault.expect("an error");
    assert_eq!(fault.state, "22021");
    assert!(fault.message.contains("s/late.csv") && fault.message.contains("line "), "{}", fault.message);
    assert!(fault.hint.unwrap_or_default().contains("encoding 'cp1252'"));
}

/// `a;b`, then `3,5;x`.
const BZIP2: &[u8] =
    b"\x42\x5a\x68\x39\x31\x41\x59\x26\x53\x59\xd1\xa2\x50\x1c\x00\x00\x03\xd9\x80\x00\x10\x00\x04\x0a\
    \x08\x30\x00\x00\x40\x20\x00\x22\x06\x4d\xa8\x43\x02\x20\xd3\x22\x2b\xc5\xdc\x91\x4e\x14\x24\x34\x68\x94\x07\x00";
const XZ: &[u8] = b"\xfd\x37\x7a\x58\x5a\x00\x00\x01\x69\x22\xde\x36\x02\x00\x21\x01\x0c\x00\x00\x00\x8f\x98\x41\x9c\
    \x01\x00\x09\x61\x3b\x62\x0a\x33\x2c\x35\x3b\x78\x0a\x00\x00\x00\xbb\x0e\x52\x29\x00\x01\x1e\x0a\xea\x63\x12\x14\
    \x90\x42\x99\x0d\x01\x00\x00\x00\x00\x01\x59\x5a";

/// With one record too many in each of two files, and a value that is no number in one of them.
fn ragged() -> (Lake, &'static str) {
    let lake = Lake::default();
    lake.write("s/t/1.csv", "n,a\n1,x\n2,y,z\nno,x\n3,z\n");
    lake.write("s/t/2.csv", "n,a\n4,x\n5,y,z\n");
    lake.write("s/u.csv", "n\n1\nno\n");
    let sql = "CREATE EXTERNAL TABLE s.t (n INT, a TEXT) STORED AS CSV LOCATION 's/t/' OPTIONS (on_error 'skip');
               CREATE EXTERNAL TABLE s.u (n INT) STORED AS CSV LOCATION 's/u.csv' OPTIONS (on_error 'skip');";
    (lake, sql)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_warns_once_per_table_of_what_it_left_out() {
    let (lake, sql) = ragged();
    let server = TestServer::with_sql(&lake, &[("tables/s.sql", sql)]).await;
    let mut client = server.wire().await;
    let of_t = "3 records of table \"s.t\" were left out";
    let of_u = "1 record of table \"s.u\" was left out";
    let warned = |answer: &wire::Answer| -> Vec<String> {
        for notice in &answer.notices {
            assert_eq!((notice.severity.as_str(), notice.state.as_str()), ("WARNING", "01000"));
            assert_eq!(notice.hint.as_deref(), Some("They are listed in system.rejects."));
        }
        answer.notices.iter().map(|notice| notice.message.clone()).collect()
    };
    for sql in [
        "SELECT a FROM s.t",
        "SELECT count(*) FROM s.t AS one JOIN s.t AS other ON one.n = other.n",
        "COPY (SELECT * FROM s.t) TO STDOUT",
    ] {
        let answer = client.query(sql).await;
        assert_eq!(warned(&answer), [of_t], "{sql}: {}", answer.trace);
        assert!(answer.trace.ends_with("NCZ"), "{sql}: {}", answer.trace);
    }
    let both = client.query("SELECT n FROM s.t UNION ALL SELECT n FROM s.u; SELECT 1; SELECT n FROM s.u").await;
    assert_eq!(warned(&both), [of_t, of_u, of_u]);
    assert_eq!(warned(&client.extended("SELECT n FROM s.u", 0).await), [of_u]);
    client.query("SET client_min_messages = 'error'").await;
    assert_eq!(warned(&client.query("SELECT n FROM s.u").await), [""; 0]);
    client.query("SET client_min_messages = 'warning'").await;
    assert_eq!(warned(&client.query("SELECT n FROM s.u").await), [of_u]);
    // A portal and a cursor tell when the last row was taken.
    client.query("BEGIN").await;
    client.send(&message::parse("", "SELECT n FROM s.t", &[])).await;
    client.send(&message::bind("p", "", &[], &[], &[])).await;
    for rows_max in [2, 1, 9] {
        client.send(&message::execute("p", rows_max)).await;
    }
    client.send(&message::sync()).await;
    let portal = wire::Answer::of(client.until_ready().await);
    assert_eq!((portal.trace.as_str(), warned(&portal)), ("12DDsDsNCZ", vec![of_t.to_owned()]));
    client.query("DECLARE c CURSOR FOR SELECT n FROM s.t").await;
    assert_eq!(warned(&client.query("FETCH 1 FROM c").await), [""; 0]);
    assert_eq!(warned(&client.query("FETCH ALL FROM c").await), [of_t]);
    client.query("COMMIT").await;
    assert_eq!(warned(&client.query("SELECT 1").await), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bzip2_and_xz_are_unpacked_or_told() {
    let lake = Lake::default();
    for (name, packed) in [("t.csv.bz2", BZIP2), ("u.csv.xz", XZ)] {
        lake.write(&format!("s/{name}"), packed);
        lake.write(&format!("cut/{name}"), &packed[..packed.len() - 12]);
    }
    let server = TestServer::start(&lake).await;
    for table in ["t", "u"] {
        assert_eq!(server.value(&format!("SELECT a::text || b FROM s.{table}")).await, "3.5x");
        assert_eq!(server.state(&format!("SELECT * FROM cut.{table}")).await, "XX001");
    }
    let reasons = server.column("SELECT reason FROM system.skipped_files ORDER BY key").await;
    assert_eq!(reasons, ["the bzip2 data ends too early", "the xz data ends too early"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn types_are_those_that_hold_all_values() {
    let lake = Lake::default();
    let filler = "1,2024-01-01,x,7,0000000000000000000000000000000000000000\n";
    let mut large = "n,d,w,i,pad\n".to_owned();
    while large.len() < 17 << 20 {
        large.push_str(filler);
    }
    large.push_str("2.5,N/A,y,word,0\n");
    lake.write("s/large.csv", large);
    lake.write(
        "s/t.csv",
        "date;gauge;level;id;code;seen\n20240131;NA;3,14;123456789012345678901;007;31/01/2024\n\
         20240201;5;-0,5;1;010;01/02/2024 \n",
    );
    let server = TestServer::start(&lake).await;
    let expected = ["n double precision", "d date", "w text", "i text", "pad text"];
    assert_eq!(types(&server, "s.large").await, expected);
    assert_eq!(server.value("SELECT count(*) - count(d) FROM s.large").await, "1");
    let expected = ["date date", "gauge bigint", "level double precision", "id numeric", "code text", "seen date"];
    assert_eq!(types(&server, "s.t").await.iter().map(|line| line.replace("(38,0)", "")).collect::<Vec<_>>(), expected);
    let sql =
        "SELECT date::text || ' ' || level::text || ' ' || id::text || ' ' || seen::text FROM s.t WHERE gauge IS NULL";
    assert_eq!(server.value(sql).await, "2024-01-31 3.14 123456789012345678901 2024-01-31");
}

/// The rule that `tests/formats` expects of random tables.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn words_for_null_are_texts_among_texts() {
    let lake = Lake::default();
    let text = "n,x,none,word\n1,1.5,\"\",NA\n2,\"NA\",,\\N\n3,\"\",\"\",\"\\N\"\n";
    lake.write("s/t.csv", text);
    let server = TestServer::start(&lake).await;
    assert_eq!(types(&server, "s.t").await, ["n bigint", "x double precision", "none text", "word text"]);
    let sql = "SELECT concat_ws('|', n, coalesce(x::text, '#'), coalesce(none, '#'), coalesce(word, '#'))
        FROM s.t ORDER BY n";
    assert_eq!(server.column(sql).await, ["1|1.5||NA", "2|#|#|#", "3|#||\\N"]);
    let sql = "SELECT count(*) FROM s.t WHERE none IS NULL";
    assert_eq!(server.value(sql).await, "1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn headers_are_found() {
    let lake = Lake::default();
    lake.write("s/none.csv", "Brest,94.5\nNice,2\n");
    lake.write(
        "s/bank.csv",
        "\"Data Source\",\"WDI\",\n\n\"Country Name\",\"Code\",\"1960\",\"1961\",\n\"Aruba\",\"ABW\",54608,,\n",
    );
    lake.write("s/giss.csv", "Land-Ocean: Global Means\nYear,Jan,Feb\n1880,-.18,***\n1881,-.2,-.15\n");
    let server = TestServer::start(&lake).await;
    assert_eq!(types(&server, "s.none").await, ["column_1 text", "column_2 double precision"]);
    let expected = ["Country Name text", "Code text", "1960 bigint", "1961 text"];
    assert_eq!(types(&server, "s.bank").await, expected);
    assert_eq!(types(&server, "s.giss").await, ["Year bigint", "Jan double precision", "Feb double precision"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn how_a_file_is_read_is_a_relation() {
    let lake = Lake::default();
    let mut text = "id;height;name\n".to_owned();
    for row in 0..99 {
        text.push_str(&format!("{row};{row},5;x\n"));
    }
    text.push_str("99;tall;y\n");
    lake.write("s/t.csv", text);
    let server = TestServer::start(&lake).await;
    server.value("SELECT count(*) FROM s.t").await;
    let dialect = |property: &str| {
        format!(
            "SELECT value || ' ' || confidence || ' ' || origin FROM system.csv_dialect WHERE property = '{property}'"
        )
    };
    assert_eq!(server.column(&dialect("delimiter")).await, ["; 1 detected"]);
    assert_eq!(server.column(&dialect("header")).await, ["true 1 detected"]);
    assert_eq!(server.column(&dialect("encoding")).await, ["UTF-8 1 detected"]);
    let sql = "SELECT column_name || ' ' || value || ' ' || confidence || ' ' || coalesce(counter_example, '-')
        FROM system.csv_dialect WHERE property = 'type'";
    let expected = ["id bigint 1 -", "height text 0.01 s/t.csv:101: tall", "name text 1 -"];
    assert_eq!(server.column(sql).await, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_records_are_errors_or_listed() {
    let lake = Lake::default();
    lake.write("s/t.csv", "n,a\n1,x\noops,y\n3,z\n4\n");
    lake.write("s/strict.csv", "n,a\n1,x\noops,y\n");
    let sql = "CREATE EXTERNAL TABLE s.t (n INT, a TEXT) STORED AS CSV LOCATION 's/t.csv' OPTIONS (on_error 'skip');
        CREATE EXTERNAL TABLE s.strict (n INT, a TEXT) STORED AS CSV LOCATION 's/strict.csv';";
    let server = TestServer::with_sql(&lake, &[("tables/t.sql", sql)]).await;
    assert_eq!(server.state("SELECT count(n) FROM s.strict").await, "22P02");
    for _ in 0..2 {
        assert_eq!(server.value("SELECT count(*) FROM s.t").await, "2");
        assert_eq!(server.value("SELECT string_agg(a, ' ' ORDER BY n) FROM s.t").await, "x z");
    }
    let sql = "SELECT line || ' ' || coalesce(column_name, '-') || ' ' || reason || ' ' || text || ' ' || file_rejects
        FROM system.rejects WHERE schema = 's' AND name = 't' ORDER BY line";
    assert_eq!(server.column(sql).await, ["3 n no value of type integer oops 2", "5 - 1 fields, expected 2 4 2"]);
}
