//! Every statement of the provisioned dashboards and alert rules, asked as Grafana asks it.

use std::path::PathBuf;
use std::time::Duration;

use chrono::Utc;
use lakegate_tests::grafana::{Dashboard, Statement, Values, dashboards, expand, rules};
use lakegate_tests::wire::{Answer, Client};
use lakegate_tests::{TestServer, server};

/// Types that Grafana takes for a time, a number, a text; another would be shown as raw text.
const TIMES: &[u32] = &[1082, 1114, 1184];
const NUMBERS: &[u32] = &[20, 21, 23, 700, 701, 1700];
const TEXTS: &[u32] = &[16, 25, 1042, 1043];

/// The first build of all views of the demo, on a busy machine.
const BUILT_WITHIN: Duration = Duration::from_secs(240);

fn provisioning() -> PathBuf {
    crate::tidy::root().join("grafana-provisioning")
}

/// The demo lake as it is when somebody looks at it: its views have been made.
async fn demo_server() -> TestServer {
    let lake = crate::demo::small();
    let mut config = server::config_writable(&lake);
    config.sql_dir = crate::tidy::root().join("sql");
    let server = TestServer::with(config).await.keeping(&lake);
    let built = async {
        let mut tick = tokio::time::interval(Duration::from_millis(200));
        while server.value("SELECT bool_and(is_populated) FROM system.matview_status").await != "t" {
            tick.tick().await;
        }
    };
    tokio::time::timeout(BUILT_WITHIN, built).await.unwrap();
    server
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_statement_of_every_dashboard_has_data() {
    let server = demo_server().await;
    let dashboards = dashboards(&provisioning().join("dashboards"), Utc::now());
    assert!(dashboards.len() >= 4, "only {} dashboards", dashboards.len());
    let mut client = server.wire().await;
    let mut wrong = Vec::new();
    for dashboard in dashboards {
        assert!(dashboard.statements.len() >= 9 && !dashboard.variables.is_empty(), "{}", dashboard.title);
        for (choice, values) in choices(&dashboard, &mut client).await {
            for statement in &dashboard.statements {
                // What no variable is in is the same for every choice.
                if choice != "as it opens" && !dashboard.variables.iter().any(|one| statement.sql.contains(&one.name)) {
                    continue;
                }
                let sql = dashboard.sent(&statement.sql, &values).unwrap();
                let answer = client.query(&sql).await;
                let found = faults(statement, &answer);
                let label = format!("{} / {} / {choice}", dashboard.title, statement.title);
                wrong.extend(found.into_iter().map(|fault| format!("{label}: {fault}\n{sql}")));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// The values of the variables as the dashboard opens, one of each, several and all.
async fn choices(dashboard: &Dashboard, client: &mut Client) -> Vec<(&'static str, Values)> {
    let mut choices = ["as it opens", "one", "several", "all"].map(|choice| (choice, Values::new()));
    for variable in &dashboard.variables {
        let answer = client.query(&variable.query).await;
        assert!(answer.fault.is_none(), "{}: {:?}", variable.query, answer.fault);
        let all: Vec<String> = answer.texts().into_iter().map(|row| row[0].clone().unwrap()).collect();
        let opening = variable.current.clone().unwrap_or_else(|| all.clone());
        assert!(opening.iter().all(|value| all.contains(value)), "{}: {opening:?} of {all:?}", variable.name);
        assert!(!variable.is_multi || all.len() > 1, "{} has {all:?}", variable.name);
        let takes = |count: usize| if variable.is_multi { all[..count].to_vec() } else { opening.clone() };
        let taken = [opening.clone(), takes(1), takes(all.len().min(2)), takes(all.len())];
        for ((_, values), taken) in choices.iter_mut().zip(taken) {
            values.insert(variable.name.clone(), taken);
        }
    }
    choices.into()
}

/// What Grafana could not show of an answer.
fn faults(statement: &Statement, answer: &Answer) -> Vec<String> {
    let mut wrong = Vec::new();
    if let Some(fault) = &answer.fault {
        return vec![format!("{} {}", fault.state, fault.message)];
    }
    if answer.rows.is_empty() {
        wrong.push("no rows".to_owned());
    }
    for column in &answer.columns {
        if ![TIMES, NUMBERS, TEXTS].iter().any(|oids| oids.contains(&column.oid)) {
            wrong.push(format!("Grafana cannot draw type {} of {}", column.oid, column.name));
        }
    }
    let of = |oids: &[u32]| answer.columns.iter().filter(|column| oids.contains(&column.oid)).count();
    match statement.format.as_str() {
        "time_series" => {
            wrong.extend(time_faults(answer));
            if of(NUMBERS) == 0 {
                wrong.push("nothing to draw".to_owned());
            }
        }
        "annotation" => {
            wrong.extend(time_faults(answer));
            if !answer.columns.iter().any(|column| column.name == "text") {
                wrong.push("no column named text".to_owned());
            }
        }
        // One number, and texts that become labels.
        "alert" if of(NUMBERS) != 1 || of(TEXTS) + 1 != answer.columns.len() => {
            wrong.push(format!("{} numbers and {} texts", of(NUMBERS), of(TEXTS)));
        }
        _ => {}
    }
    wrong
}

fn time_faults(answer: &Answer) -> Vec<String> {
    let Some(at) = answer.columns.iter().position(|column| column.name == "time") else {
        return vec!["no column named time".to_owned()];
    };
    let is_number = NUMBERS.contains(&answer.columns[at].oid);
    if !is_number && !TIMES.contains(&answer.columns[at].oid) {
        return vec!["time is no time".to_owned()];
    }
    let times: Vec<_> = answer.texts().into_iter().map(|row| row[at].clone()).collect();
    if times.contains(&None) {
        return vec!["a time is null".to_owned()];
    }
    let is_sorted = if is_number {
        times.iter().flatten().map(|time| time.parse::<f64>().unwrap()).is_sorted()
    } else {
        times.is_sorted()
    };
    if is_sorted { Vec::new() } else { vec!["times are not ascending".to_owned()] }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_alert_rule_has_a_number_for_what_it_watches() {
    let server = demo_server().await;
    let mut client = server.wire().await;
    let rules = rules(&provisioning().join("alerting/lakegate.yaml"));
    assert!(rules.len() >= 4, "only {} rules", rules.len());
    for rule in rules {
        let now = Utc::now();
        let sql = expand(&rule.sql, now - Duration::from_secs(600), now, Duration::from_secs(60)).unwrap();
        let answer = client.query(&sql).await;
        assert_eq!(faults(&rule, &answer), Vec::<String>::new(), "{}\n{sql}", rule.title);
    }
}
