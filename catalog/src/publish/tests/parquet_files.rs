//! Parquet.

use super::*;

#[tokio::test]
async fn files_are_united_by_name() {
    let times = TimestampMillisecondArray::from(vec![0]).with_timezone("+02:00");
    let lake = Fixture::new(&[
        (
            "s/t/k=1/a.parquet",
            &parquet([
                ("x", Arc::new(Int64Array::from(vec![1, 2]))),
                ("y", Arc::new(StringArray::from(vec!["a", "b"]))),
            ]),
        ),
        (
            "s/t/k=2/b.parquet",
            &parquet([("at", Arc::new(times)), ("x", Arc::new(arrow::array::Float64Array::from(vec![2.5])))]),
        ),
    ])
    .await;
    assert_eq!(lake.columns("s.t").await, "x Float64, y Utf8View, at Timestamp(µs, \"UTC\"), k Int64");
    let rows = lake.rows("s.t", "SELECT * FROM t ORDER BY x").await.unwrap();
    assert_eq!(rows, ["|1.0|a||1|", "|2.0|b||1|", "|2.5||1970-01-01T00:00:00Z|2|"]);
    assert_eq!(lake.rows("s.t", "SELECT y FROM t WHERE k = 1 AND x > 1").await.unwrap(), ["|b|"]);
    assert_eq!(lake.rows("s.t", "SELECT k, count(*) FROM t GROUP BY k ORDER BY k").await.unwrap(), ["|1|2|", "|2|1|"]);
    assert_eq!(lake.rows("s.t", "SELECT count(*), count(y), count(k) FROM t").await.unwrap(), ["|3|2|3|"]);
    assert_eq!(lake.rows("s.t", "SELECT count(*) FROM t WHERE k = 2").await.unwrap(), ["|1|"]);
    assert_eq!(lake.rows("s.t", "SELECT x FROM t LIMIT 1").await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_count_of_rows_reads_no_file() {
    let lake =
        Fixture::new(&[("s/t/k=1/a.parquet", &numbers("x", &[1, 2])), ("s/t/k=2/b.parquet", &numbers("x", &[3]))])
            .await;
    let context = lake.table("s.t").await.unwrap();
    lake.remove("s/t/k=1/a.parquet");
    lake.remove("s/t/k=2/b.parquet");
    let plan = context.sql("SELECT count(*) FROM t WHERE k = 1").await.unwrap();
    assert!(pretty_format_batches(&plan.collect().await.unwrap()).unwrap().to_string().contains("| 2 "));
}

#[tokio::test]
async fn a_bad_file_does_not_hide_its_neighbours() {
    let good = numbers("x", &[1]);
    let mut hostile = good.clone();
    let length = hostile.len();
    hostile[length - 8..length - 4].copy_from_slice(&0x7fff_ffff_u32.to_le_bytes());
    let lake = Fixture::new(&[
        ("s/t/1.parquet", &good),
        ("s/t/2.parquet", b"PAR1PAR1"),
        ("s/t/3.parquet", &good[..length / 2]),
        ("s/t/4.parquet", &hostile),
        ("s/t/5.parquet", b""),
        ("s/t/6.parquet", b"x,y\n1,2\n3,4\n5,6\n"),
        ("s/u.parquet", b"PAR1PAR1"),
    ])
    .await;
    assert_eq!(lake.skipped(), [("s/t/5.parquet".to_owned(), EMPTY.to_owned())]);
    lake.lake().warm(CancellationToken::new()).await;
    assert_eq!(lake.rows("s.t", "SELECT * FROM t").await.unwrap(), ["|1|"]);
    let skipped = lake.skipped();
    assert_eq!(skipped.len(), 6, "{skipped:?}");
    assert_eq!(skipped[0], ("s/t/2.parquet".to_owned(), "the file is too short for Parquet".to_owned()));
    assert!(skipped[2].1.contains("the footer cannot be 2147483647 bytes long"), "{skipped:?}");
    assert_eq!(
        lake.fails("s.u").await.to_string(),
        "could not read file \"s/u.parquet\" of table \"s.u\": the file is too short for Parquet"
    );
}

#[tokio::test]
async fn a_footer_of_noise_is_an_error() {
    for seed in 0..200_u64 {
        let mut random = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut noise = || {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random.to_le_bytes()[3]
        };
        let mut file = numbers("x", &[1, 2, 3]);
        let end = file.len() - 8;
        for _ in 0..4 {
            let at = end - 1 - usize::from(noise()) % 100;
            file[at] = noise();
        }
        let lake = Fixture::new(&[("s/t.parquet", &file)]).await;
        // Right or wrong, but no panic.
        let _ = lake.lake().snapshot().table("s", "t").unwrap().columns().await;
    }
}

const EMPTY: &str = crate::error::EMPTY;

#[tokio::test]
async fn footers_are_read_once() {
    let lake = Fixture::new(&[("s/t.parquet", &numbers("x", &[1, 2, 3]))]).await;
    let provider = lake.lake().snapshot().table("s", "t").unwrap().provider().await.unwrap();
    drop(provider);
    lake.rows("s.t", "SELECT x FROM t WHERE x > 1").await.unwrap();
    assert_eq!(lake.lake().footers_read(), 1);
    lake.rows("s.t", "SELECT x FROM t WHERE x > 2").await.unwrap();
    assert_eq!(lake.lake().footers_read(), 1);
}
