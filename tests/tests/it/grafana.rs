//! Every panel of the provisioned dashboards, asked as Grafana asks it.

use lakegate_tests::grafana::{expand, panels};
use lakegate_tests::{TestServer, server};

/// Types that Grafana takes for a time, a number, a text; another would be shown as raw text.
const TIMES: &[u32] = &[1082, 1114, 1184];
const NUMBERS: &[u32] = &[20, 21, 23, 700, 701, 1700];
const TEXTS: &[u32] = &[16, 25, 1042, 1043];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_panel_of_every_dashboard_has_data() {
    let root = crate::tidy::root();
    let panels = panels(&root.join("grafana-provisioning/dashboards"));
    assert!(panels.len() >= 9, "only {} panels", panels.len());
    let lake = crate::demo::small();
    let mut config = server::config(&lake);
    config.sql_dir = root.join("sql");
    let server = TestServer::with(config).await;
    let mut client = server.wire().await;
    let mut wrong = Vec::new();
    for panel in panels {
        let label = format!("{} / {}", panel.dashboard, panel.title);
        let sql = expand(&panel.sql, panel.from, panel.to, panel.interval).unwrap();
        let answer = client.query(&sql).await;
        if let Some(fault) = answer.fault {
            wrong.push(format!("{label}: {} {}\n{sql}", fault.state, fault.message));
            continue;
        }
        if answer.rows.is_empty() {
            wrong.push(format!("{label}: no rows\n{sql}"));
        }
        for column in &answer.columns {
            let known = [TIMES, NUMBERS, TEXTS].iter().any(|oids| oids.contains(&column.oid));
            if !known {
                wrong.push(format!("{label}: Grafana cannot draw type {} of {}", column.oid, column.name));
            }
        }
        if panel.format == "time_series" {
            let Some(at) = answer.columns.iter().position(|column| column.name == "time") else {
                wrong.push(format!("{label}: no column named time"));
                continue;
            };
            let number = NUMBERS.contains(&answer.columns[at].oid);
            if !number && !TIMES.contains(&answer.columns[at].oid) {
                wrong.push(format!("{label}: time is no time"));
            }
            let times: Vec<_> = answer.texts().into_iter().map(|row| row[at].clone()).collect();
            let sorted = if number {
                times.iter().map(|time| time.as_ref().unwrap().parse::<f64>().unwrap()).is_sorted()
            } else {
                times.is_sorted()
            };
            if !sorted || times.contains(&None) {
                wrong.push(format!("{label}: times are not ascending or null"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
