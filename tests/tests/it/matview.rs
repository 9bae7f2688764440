//! Materialized views: after a refresh their rows are those of their query, however little was read for it, whatever fails and
//! whoever else refreshes.

mod asked;
mod budget;
mod dangers;
mod histories;
mod jobs;
mod races;
mod stale;

use lakegate_tests::wire::Client;
use lakegate_tests::{Lake, TestServer};

use crate::write::{ok, rows};

/// A lake, a server that may write it, and a client.
pub(crate) struct Place {
    pub(crate) lake: Lake,
    server: TestServer,
    pub(crate) client: Client,
}

impl Place {
    pub(crate) async fn new(files: &[(&str, &str)]) -> Self {
        let lake = Lake::default();
        for (key, text) in files {
            lake.write(key, text);
        }
        let server = TestServer::writable(&lake).await;
        let client = server.wire().await;
        Self { lake, server, client }
    }

    pub(crate) async fn ok(&mut self, sql: &str) {
        ok(&mut self.client, sql).await;
    }

    /// Makes a view of a query.
    pub(crate) async fn view(&mut self, name: &str, options: &str, query: &str) {
        self.server.refresh().await;
        self.ok(&creation(name, options, query)).await;
        same(&mut self.client, name, query, "created").await;
    }

    /// Refreshes a view, which has the rows of its query then, and tells how it was done: outcome, class and why not less.
    pub(crate) async fn fresh(&mut self, name: &str, query: &str) -> String {
        self.ok(&format!("REFRESH MATERIALIZED VIEW {name}")).await;
        let how = how(&mut self.client, name).await;
        same(&mut self.client, name, query, &how).await;
        how
    }
}

/// The statement that makes a view of a query.
pub(crate) fn creation(name: &str, options: &str, query: &str) -> String {
    let with = if options.is_empty() { String::new() } else { format!("WITH ({options})") };
    format!("CREATE MATERIALIZED VIEW {name} {with} AS {query}")
}

/// How the last refresh of a view was done.
pub(crate) async fn how(client: &mut Client, name: &str) -> String {
    let sql = format!(
        "SELECT outcome || coalesce(' ' || class, '') || coalesce(': ' || reason, '') FROM system.matview_refreshes
         WHERE name = '{name}' ORDER BY started_at DESC LIMIT 1"
    );
    rows(client, &sql).await.pop().unwrap_or_default()
}

/// Whether a view has the rows of its query, and each as often.
pub(crate) async fn same(client: &mut Client, name: &str, query: &str, when: &str) {
    let mut found = rows(client, &format!("SELECT * FROM {name}")).await;
    let mut expected = rows(client, query).await;
    found.sort();
    expected.sort();
    assert_eq!(found, expected, "{name}, {when}: {query}");
}
