//! `lakegate status`: one page about a server that runs, for who operates it.
//!
//! Owns: what is on the page, and its exit code: 0 of a server that is ready, 1 of one that is not, 2 of one that does not
//! answer. It asks the HTTP port, and the console there for what needs a login (PGUSER, PGPASSWORD).

use std::collections::HashMap;
use std::fmt::Write;
use std::process::ExitCode;
use std::time::Duration;

use serde_json::{Value, json};

use super::http::{Answer, Request, reachable};
use crate::config::Config;
use crate::error::{Error, Result, SqlState};

const NOT_READY: u8 = 1;
const UNREACHABLE: u8 = 2;

/// Lines of a list.
const LINES_MAX: usize = 20;

/// No answer of a healthy server takes longer.
const PATIENCE: Duration = Duration::from_secs(30);

type Row = Vec<Option<String>>;

/// A server as it is asked.
pub(super) struct Server {
    host: String,
    cookie: String,
    token: String,
}

/// Prints the page.
pub(super) fn status(url: Option<&str>, config: &Config) -> Result<ExitCode> {
    let mut server = Server::at(url, config)?;
    let ready = match server.get("/readyz") {
        Ok(ready) => ready,
        Err(error) => {
            println!("http://{} does not answer: {error}", server.host);
            return Ok(ExitCode::from(UNREACHABLE));
        }
    };
    let is_ready = ready.status == 200;
    let metrics = server.get("/metrics").map(|answer| samples(&answer.body)).unwrap_or_default();
    let mut page = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(page, "Lakegate at http://{}", server.host);
    line(&mut page, "ready", if is_ready { "yes" } else { ready.body.trim() });
    match server.login().and_then(|version| server.facts(&version, &metrics)) {
        Ok(facts) => page += &facts,
        Err(error) => {
            let hint = error.hint.map(|hint| format!(" {hint}")).unwrap_or_default();
            let why = if is_ready { "the rest needs the console" } else { "the rest is not to be had" };
            line(&mut page, "unknown", &format!("{why}: {}.{hint}", error.message));
            line(&mut page, "metrics", &known(&metrics));
        }
    }
    print!("{page}");
    Ok(if is_ready { ExitCode::SUCCESS } else { ExitCode::from(NOT_READY) })
}

/// Host and port of a URL.
fn host(url: &str) -> Result<String> {
    let bad = |message: String| Error::new(SqlState::InvalidParameterValue, message);
    let parsed = url::Url::parse(url).map_err(|error| bad(format!("bad URL \"{url}\": {error}")))?;
    if parsed.scheme() != "http" {
        return Err(bad(format!("bad URL \"{url}\": only http is spoken here"))
            .hint("Ask the server itself, or through a port that is forwarded."));
    }
    let host = parsed.host_str().ok_or_else(|| bad(format!("bad URL \"{url}\": it has no host")))?;
    Ok(format!("{host}:{}", parsed.port_or_known_default().unwrap_or(80)))
}

impl Server {
    /// The server of a URL, or else that of the configuration.
    pub(super) fn at(url: Option<&str>, config: &Config) -> Result<Self> {
        let host = match url {
            Some(url) => host(url)?,
            None => reachable(config.http.listen).to_string(),
        };
        Ok(Self { host, cookie: String::new(), token: String::new() })
    }

    fn get(&self, path: &str) -> std::io::Result<Answer> {
        Request { host: &self.host, patience: PATIENCE, path, headers: &[], body: None }.send()
    }

    fn post(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Result<Answer> {
        let body = body.to_string();
        let answer = Request { host: &self.host, patience: PATIENCE, path, headers, body: Some(&body) }.send();
        let answer = answer.map_err(|error| Error::new(SqlState::ConnectionFailure, error.to_string()))?;
        match answer.status {
            200 => Ok(answer),
            404 => Err(Error::new(SqlState::FeatureNotSupported, "it is off").hint("Set http.console.")),
            _ => Err(failure(&answer.body)),
        }
    }

    /// Logs in; gives the version of the server.
    pub(super) fn login(&mut self) -> Result<String> {
        let of = |name: &str| std::env::var(name).unwrap_or_default();
        let user = Some(of("PGUSER")).filter(|user| !user.is_empty()).unwrap_or_else(|| "lakegate".to_owned());
        let credentials = json!({ "user": user, "password": of("PGPASSWORD") });
        let answer = self.post("/console/api/login", &[("content-type", "application/json")], &credentials);
        let answer = answer.map_err(|error| match error.state {
            SqlState::FeatureNotSupported => error,
            _ => error.hint("PGUSER and PGPASSWORD say who asks."),
        })?;
        let told: Value = serde_json::from_str(&answer.body).map_err(Error::internal)?;
        let text = |name: &str| told.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        self.token = text("token");
        let cookie = answer.header("set-cookie").and_then(|cookie| cookie.split(';').next());
        self.cookie = cookie.unwrap_or_default().to_owned();
        Ok(text("version"))
    }

    pub(super) fn query(&self, sql: &str) -> Result<Vec<Row>> {
        let headers = [("cookie", self.cookie.as_str()), ("x-csrf-token", self.token.as_str())];
        let asked = json!({ "sql": sql, "rows_max": 1000, "application_name": "lakegate" });
        let answer = self.post("/console/api/query", &headers, &asked)?;
        let mut rows = Vec::new();
        for line in answer.body.lines() {
            let mut line: Value = serde_json::from_str(line).map_err(Error::internal)?;
            if line.get("error").is_some() {
                return Err(failure(&line.to_string()));
            }
            if let Some(more) = line.get_mut("rows") {
                rows.extend(serde_json::from_value::<Vec<Row>>(more.take()).map_err(Error::internal)?);
            }
        }
        Ok(rows)
    }

    /// The lines that need a login.
    fn facts(&self, version: &str, metrics: &HashMap<String, f64>) -> Result<String> {
        let mut page = String::new();
        let one = |sql: &str| self.query(sql).map(|rows| rows.into_iter().next().unwrap_or_default());
        line(&mut page, "version", version);
        let since = one(
            "SELECT date_trunc('second', pg_postmaster_start_time()), date_trunc('second', now() - pg_postmaster_start_time())",
        )?;
        line(&mut page, "up", &format!("{} (since {})", cell(&since, 1), cell(&since, 0)));
        let sources =
            self.query("SELECT source, date_trunc('second', listed_at), write_test FROM system.sources ORDER BY 1")?;
        list(&mut page, "sources", &sources, |row| {
            let write = row.get(2).cloned().flatten().map(|test| format!(", writes: {test}")).unwrap_or_default();
            format!("{}, listed at {}{write}", cell(row, 0), cell(row, 1))
        });
        let tables = one("SELECT count(*) FILTER (WHERE kind = 'table'), count(*) FILTER (WHERE kind = 'view'), \
                          count(*) FILTER (WHERE kind = 'materialized view') FROM system.tables")?;
        let newest = one(
            "SELECT date_trunc('second', max(newest_at)), date_trunc('second', now() - max(newest_at)) FROM system.tables",
        )?;
        let newest = match newest.first().cloned().flatten() {
            Some(at) => format!("; newest object {at}, {} ago", cell(&newest, 1)),
            None => String::new(),
        };
        let counts = (cell(&tables, 0), cell(&tables, 1), cell(&tables, 2));
        line(
            &mut page,
            "tables",
            &format!("{}, views {}, materialized views {}{newest}", counts.0, counts.1, counts.2),
        );
        let skipped = self.query("SELECT key, reason FROM system.skipped_files ORDER BY 1")?;
        list(&mut page, "skipped", &skipped, |row| format!("{}: {}", cell(row, 0), cell(row, 1)));
        let failing = "SELECT schema || '.' || name, failures, last_error FROM system.matview_status WHERE failures > 0 ORDER BY 1";
        list(&mut page, "failing", &self.query(failing)?, |row| {
            format!("{} ({} times): {}", cell(row, 0), cell(row, 1), cell(row, 2))
        });
        let sessions = one(
            "SELECT count(*), count(*) FILTER (WHERE state = 'active') FROM pg_stat_activity WHERE pid <> pg_backend_pid()",
        )?;
        line(&mut page, "sessions", &format!("{}, active {}", cell(&sessions, 0), cell(&sessions, 1)));
        let running = "SELECT pid, role, date_trunc('second', duration), left(coalesce(query, 'of another role'), 80) \
                       FROM system.queries WHERE ended_at IS NULL AND pid <> pg_backend_pid() ORDER BY id";
        list(&mut page, "running", &self.query(running)?, |row| {
            let text = cell(row, 3).split_whitespace().collect::<Vec<_>>().join(" ");
            format!("{} {} {} {text}", cell(row, 0), cell(row, 1), cell(row, 2))
        });
        line(&mut page, "metrics", &known(metrics));
        Ok(page)
    }
}

fn cell(row: &Row, at: usize) -> &str {
    row.get(at).and_then(Option::as_deref).unwrap_or("-")
}

fn line(page: &mut String, name: &str, text: &str) {
    let _ = writeln!(page, "  {name:<10} {text}");
}

/// How many, and the first of them.
fn list(page: &mut String, name: &str, rows: &[Row], text: impl Fn(&Row) -> String) {
    line(page, name, &rows.len().to_string());
    for row in rows.iter().take(LINES_MAX) {
        let _ = writeln!(page, "               {}", text(row));
    }
    if rows.len() > LINES_MAX {
        let _ = writeln!(page, "               and {} more", rows.len() - LINES_MAX);
    }
}

/// What is known without a login.
fn known(metrics: &HashMap<String, f64>) -> String {
    let of = |name: &str| metrics.get(&format!("lakegate_{name}")).copied().unwrap_or_default();
    let mebibytes = |name: &str| of(name) / f64::from(1 << 20);
    format!(
        "memory reserved {:.0} of {:.0} MiB, shadows {} ({:.0} MiB), statements queued {}, failed {} of {}",
        mebibytes("memory_reserved_bytes"),
        mebibytes("memory_bytes_max"),
        of("shadows"),
        mebibytes("shadow_bytes"),
        of("statements_queued"),
        of("statements_failed_total"),
        of("statements_started_total"),
    )
}

/// The samples without labels.
fn samples(text: &str) -> HashMap<String, f64> {
    let samples = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.rsplit_once(' '));
    samples.filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?))).collect()
}

fn failure(body: &str) -> Error {
    let told: Value = serde_json::from_str(body).unwrap_or_default();
    let message = told.get("error").and_then(|error| error.get("message")).and_then(Value::as_str);
    Error::new(SqlState::ConnectionFailure, message.unwrap_or("the answer is no answer of a console"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_a_host_and_a_port() {
        assert_eq!(host("http://localhost:8090").unwrap(), "localhost:8090");
        assert_eq!(host("http://[::1]/").unwrap(), "[::1]:80");
        for bad in ["https://localhost", "localhost:8090", "http://"] {
            assert!(host(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn samples_are_read_and_shown() {
        let text = "# HELP x\nlakegate_memory_reserved_bytes 1048576\nlakegate_memory_bytes_max 4194304\nlakegate_x{a=\"b\"} 1\n";
        assert!(known(&samples(text)).starts_with("memory reserved 1 of 4 MiB, shadows 0"));
    }
}
