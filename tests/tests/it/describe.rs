//! Names and types of result columns: clients decide by them (`tests/slt/columns.txt`, recorded from PostgreSQL).

use lakegate_tests::wire::message;
use lakegate_tests::{Lake, TestServer};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn columns_have_the_names_and_types_of_postgres() {
    let text = include_str!("../../slt/columns.txt");
    let server = TestServer::start(&Lake::default()).await;
    let mut client = server.wire().await;
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let mut wrong = Vec::new();
    for pair in lines.chunks(2) {
        let [sql, expected] = pair else { panic!("a statement without its columns") };
        client.send(&[message::parse("", sql, &[]), message::describe(b'S', ""), message::sync()].concat()).await;
        let messages = client.until_ready().await;
        let told = match messages.iter().find(|message| b"TE".contains(&message.tag)) {
            Some(found) if found.tag == b'T' => {
                let columns = found.columns().into_iter().map(|column| format!("{}:{}", column.name, column.oid));
                columns.collect::<Vec<_>>().join(", ")
            }
            found => format!("{:?}", found.and_then(message::Message::fault)),
        };
        if told != expected.trim() {
            wrong.push(format!("{sql}\n  PostgreSQL: {}\n  Lakegate:   {told}", expected.trim()));
        }
    }
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n"));
}
