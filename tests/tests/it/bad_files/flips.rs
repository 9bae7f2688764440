//! T4.32: files of which one bit is another. With checksums of pages no row is another; never is there a panic.

use lakegate_tests::lake::{gzip, numbers};
use lakegate_tests::{Lake, TestServer};

use super::Cells;
use super::forge::{self, BYTE_ARRAY, Column, DICTIONARY, INT64, PLAIN, Page};

/// Numbers below the one that is asked for, always the same ones.
fn random(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed;
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % u64::try_from(below).unwrap()).unwrap()
    }
}

/// Three columns of 200 rows, with a checksum of each page.
fn summed() -> Vec<u8> {
    let longs = |values: Vec<i64>| -> Vec<u8> { values.iter().flat_map(|value| value.to_le_bytes()).collect() };
    let words: Vec<u8> = (0..200_u8).flat_map(|at| [&[3, 0, 0, 0][..], &[b'a' + at % 26; 3]].concat()).collect();
    let places = [&[1][..], &forge::run(150, 1), &forge::run(50, 0)].concat();
    let dictionary = [Page::dictionary(2, &longs(vec![7, 8])), Page::data(200, DICTIONARY, &places)];
    let numbers = [Page::data(200, PLAIN, &longs((0..200).collect()))];
    let columns = [
        Column::new("n", INT64, numbers),
        Column::new("w", BYTE_ARRAY, [Page::data(200, PLAIN, &words)]).text(),
        Column::new("d", INT64, dictionary),
    ];
    forge::file(200, &columns)
}

/// The rows of a table of one file, or the error.
async fn rows(server: &TestServer, table: &str) -> Result<Vec<String>, (String, String)> {
    let answer = server.wire().await.query(&format!("SELECT * FROM s.{table}")).await;
    match answer.fault.as_ref() {
        Some(fault) => Err((fault.state.clone(), fault.message.clone())),
        None => Ok(answer.texts().into_iter().map(|row| row.join_cells()).collect()),
    }
}

/// Each file with one bit turned over, at so many places before `end`, and what came of it.
pub(super) async fn flipped(
    content: &[u8],
    ending: &str,
    (end, flips): (usize, usize),
) -> (Vec<String>, Vec<Result<Vec<String>, (String, String)>>) {
    let lake = Lake::default();
    lake.write(&format!("s/good.{ending}"), content);
    let mut random = random(0x9E37_79B9_7F4A_7C15);
    for at in 0..flips {
        let mut bad = content.to_vec();
        bad[random(end)] ^= 1 << random(8);
        lake.write(&format!("s/t{at}.{ending}"), bad);
    }
    let server = TestServer::start(&lake).await;
    let good = rows(&server, "good").await.unwrap();
    let mut all = Vec::with_capacity(flips);
    for at in 0..flips {
        let answer = rows(&server, &format!("t{at}")).await;
        if let Err((state, message)) = &answer {
            // A name or a type in the footer can be another, and then the table is; but nothing may have panicked.
            assert_ne!(state, "XX000", "{at}: {message}");
            assert!(message.contains(&format!("s/t{at}.{ending}")), "{at}: {state} {message}");
        }
        all.push(answer);
    }
    assert_eq!(rows(&server, "good").await.unwrap(), good);
    (good, all)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_checksums_no_row_is_another() {
    let content = summed();
    let at = content.len() - 8;
    let footer = usize::try_from(u32::from_le_bytes(content[at..at + 4].try_into().unwrap())).unwrap();
    let (good, all) = flipped(&content, "parquet", (at - footer, 300)).await;
    for (at, answer) in all.iter().enumerate() {
        assert!(answer.as_ref().is_err() || answer.as_ref().is_ok_and(|rows| *rows == good), "{at}: {answer:?}");
    }
    assert!(all.iter().filter(|answer| answer.is_err()).count() > 250);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn anywhere_nothing_panics() {
    let (content, written) = (summed(), numbers("n", 0..3_000));
    flipped(&content, "parquet", (content.len(), 200)).await;
    flipped(&written, "parquet", (written.len(), 300)).await;
    let packed = gzip("a,b,c\n1,x,2024-01-01\n".repeat(50).as_bytes());
    flipped(&packed, "csv.gz", (packed.len(), 100)).await;
}
