//! Dashboards as Grafana provisions them: the classic JSON model, one file each.
//!
//! Owns: which statements a dashboard has and what its variables stand for when it opens.

use std::fs;
use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::interval;

/// Points of a panel of usual width.
const POINTS: u64 = 1000;

/// One statement of a dashboard, variables replaced and macros not yet.
#[derive(Debug, Clone)]
pub struct Panel {
    pub dashboard: String,
    /// The panel's title, or `variable NAME` for the statement that lists a variable's values.
    pub title: String,
    /// `time_series` or `table`.
    pub format: String,
    pub sql: String,
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
    /// What Grafana gives `$__interval` for the range.
    pub interval: Duration,
}

/// Every statement of every dashboard in `dir` and the folders below, by file name; panics on one it cannot read.
pub fn panels(dir: &Path) -> Vec<Panel> {
    let mut found = Vec::new();
    if let Err(error) = read_folder(dir, &mut found) {
        panic!("{}: {error}", dir.display());
    }
    found
}

fn read_folder(dir: &Path, found: &mut Vec<Panel>) -> Result<(), String> {
    let entries = fs::read_dir(dir).map_err(|error| error.to_string())?;
    let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            read_folder(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "json") {
            let text = fs::read_to_string(&path).map_err(|error| error.to_string())?;
            let dashboard = serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
            read_dashboard(&dashboard, found).map_err(|error| format!("{}: {error}", path.display()))?;
        }
    }
    Ok(())
}

fn read_dashboard(dashboard: &Value, found: &mut Vec<Panel>) -> Result<(), String> {
    let range = |end: &str| {
        let text = dashboard["time"][end].as_str().ok_or_else(|| format!("no time.{end}"))?;
        text.parse::<DateTime<Utc>>().map_err(|error| format!("time.{end}: {error}"))
    };
    let (from, to) = (range("from")?, range("to")?);
    let width = (to - from).to_std().map_err(|error| error.to_string())?;
    let variables = list(&dashboard["templating"]["list"]);
    let mut add = |title: String, format: &str, sql: &str| -> Result<(), String> {
        found.push(Panel {
            dashboard: text(&dashboard["title"])?,
            title,
            format: format.to_owned(),
            sql: replace_variables(sql, variables)?,
            from,
            to,
            interval: interval::rounded(width, POINTS),
        });
        Ok(())
    };
    for variable in variables {
        if variable["type"] == "query" {
            add(format!("variable {}", text(&variable["name"])?), "table", &text(&variable["query"])?)?;
        }
    }
    for panel in list(&dashboard["panels"]) {
        let inner = list(&panel["panels"]);
        for panel in inner.iter().chain([panel]) {
            for target in list(&panel["targets"]) {
                let format = target["format"].as_str().unwrap_or("time_series");
                add(text(&panel["title"])?, format, &text(&target["rawSql"])?)?;
            }
        }
    }
    Ok(())
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> Result<String, String> {
    value.as_str().map(str::to_owned).ok_or_else(|| format!("{value} is not a text"))
}

/// Replaces `$name`, `${name}`, `${name:format}` and `[[name]]`; names that are no variable stay.
fn replace_variables(sql: &str, variables: &[Value]) -> Result<String, String> {
    let (mut replaced, mut rest) = (String::with_capacity(sql.len()), sql);
    while let Some(start) = rest.find(['$', '[']) {
        replaced += &rest[..start];
        rest = &rest[start..];
        let (reference, name, format) = reference(rest);
        let variable = variables.iter().find(|variable| variable["name"] == name);
        match variable {
            Some(variable) => replaced += &value(variable, format)?,
            None => replaced += reference,
        }
        rest = &rest[reference.len()..];
    }
    Ok(replaced + rest)
}

/// What stands at the start of `sql`: the whole reference, the variable's name and the format.
fn reference(sql: &str) -> (&str, &str, &str) {
    let enclosed = |open: &str, close: &str| {
        let inner = sql.strip_prefix(open)?;
        let length = inner.find(close)?;
        Some((&sql[..open.len() + length + close.len()], &inner[..length]))
    };
    if let Some((whole, inner)) = enclosed("${", "}").or_else(|| enclosed("[[", "]]")) {
        let (name, format) = inner.split_once(':').unwrap_or((inner, ""));
        return (whole, name, format);
    }
    let word = sql[1..].find(|c: char| c != '_' && !c.is_ascii_alphanumeric()).unwrap_or(sql.len() - 1);
    let (whole, word) = (&sql[..1 + word], &sql[1..1 + word]);
    if sql.starts_with('$') { (whole, word, "") } else { (&sql[..1], "", "") }
}

/// A variable's current value as the PostgreSQL data source writes it: several are quoted, one alone is only escaped.
fn value(variable: &Value, format: &str) -> Result<String, String> {
    let current = &variable["current"]["value"];
    let values: Vec<String> = match current {
        Value::Array(values) => values.iter().map(text).collect::<Result<_, _>>()?,
        one => vec![text(one)?],
    };
    if values.iter().any(|value| value == "$__all") {
        return Err(format!("variable {} opens with all values, which only Grafana knows", variable["name"]));
    }
    let several = variable["multi"] == true || variable["includeAll"] == true;
    let escaped = values.iter().map(|value| value.replace('\'', "''"));
    Ok(match format {
        "" if !several => escaped.collect::<Vec<_>>().join(","),
        "" | "sqlstring" => escaped.map(|value| format!("'{value}'")).collect::<Vec<_>>().join(","),
        "raw" | "csv" => values.join(","),
        other => return Err(format!("variable format {other} is not known here")),
    })
}

#[cfg(test)]
mod tests {
    use super::super::expand;
    use super::*;

    fn variables() -> Vec<Value> {
        let list = serde_json::json!([
            {"name": "area", "multi": true, "current": {"value": ["France", "Côte d'Ivoire"]}},
            {"name": "city", "multi": false, "current": {"value": "Val d'Or"}},
        ]);
        list.as_array().unwrap().clone()
    }

    #[test]
    fn variables_are_written_as_the_data_source_writes_them() {
        for (sql, expected) in [
            ("IN ($area)", "IN ('France','Côte d''Ivoire')"),
            ("IN (${area})", "IN ('France','Côte d''Ivoire')"),
            ("= '$city'", "= 'Val d''Or'"),
            ("= '[[city]]'", "= 'Val d''Or'"),
            ("= ${city:sqlstring}", "= 'Val d''Or'"),
            ("${area:csv}", "France,Côte d'Ivoire"),
            ("$areas $__timeFilter(c) x[1] $", "$areas $__timeFilter(c) x[1] $"),
        ] {
            assert_eq!(replace_variables(sql, &variables()).as_deref(), Ok(expected), "{sql}");
        }
        assert!(replace_variables("${city:json}", &variables()).is_err());
    }

    #[test]
    fn every_provisioned_statement_expands() {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../grafana-provisioning/dashboards");
        let panels = panels(&dir);
        for dashboard in ["Climate", "Weather", "Transactions"] {
            assert!(panels.iter().filter(|panel| panel.dashboard == dashboard).count() >= 5, "{dashboard}");
        }
        for panel in panels {
            let sql = expand(&panel.sql, panel.from, panel.to, panel.interval).unwrap();
            assert!(!sql.contains('$'), "{}, {}: {sql}", panel.dashboard, panel.title);
        }
    }
}
