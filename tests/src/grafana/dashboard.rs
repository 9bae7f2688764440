//! Dashboards as Grafana provisions them: the classic JSON model, one file each.
//!
//! Owns: which statements a dashboard has, and what its variables stand for.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::{expand, interval};

/// Points of a panel of usual width.
const POINTS: u64 = 1000;
/// What a variable's value is that stands for all of them.
const ALL: &str = "$__all";

/// What the variables of a dashboard stand for, by name.
pub type Values = BTreeMap<String, Vec<String>>;

#[derive(Debug, Clone)]
pub struct Dashboard {
    pub title: String,
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
    pub variables: Vec<Variable>,
    pub statements: Vec<Statement>,
}

#[derive(Debug, Clone)]
pub struct Variable {
    pub name: String,
    /// Its values are the first column.
    pub query: String,
    pub is_multi: bool,
    pub includes_all: bool,
    /// The values that the dashboard opens with; `None` for all.
    pub current: Option<Vec<String>>,
}

/// One statement, variables and macros in it.
#[derive(Debug, Clone)]
pub struct Statement {
    /// The panel's title, or `annotation NAME`.
    pub title: String,
    /// `time_series`, `table`, or `annotation`.
    pub format: String,
    pub sql: String,
}

/// Every dashboard in `dir`, by file name; panics on one it cannot read. `now` is what their ranges are from.
pub fn dashboards(dir: &Path, now: DateTime<Utc>) -> Vec<Dashboard> {
    let mut paths: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    let read = |path: &Path| {
        let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
        let dashboard: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        read_dashboard(&dashboard, now)
    };
    paths.iter().map(|path| read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))).collect()
}

fn read_dashboard(dashboard: &Value, now: DateTime<Utc>) -> Result<Dashboard, String> {
    let mut statements = Vec::new();
    for panel in list(&dashboard["panels"]) {
        let inner = list(&panel["panels"]);
        for panel in inner.iter().chain([panel]) {
            for target in list(&panel["targets"]) {
                let format = target["format"].as_str().unwrap_or("time_series").to_owned();
                statements.push(Statement { title: text(&panel["title"])?, format, sql: text(&target["rawSql"])? });
            }
        }
    }
    for annotation in list(&dashboard["annotations"]["list"]) {
        if let Some(sql) = annotation["target"]["rawSql"].as_str() {
            let title = format!("annotation {}", text(&annotation["name"])?);
            statements.push(Statement { title, format: "annotation".to_owned(), sql: sql.to_owned() });
        }
    }
    let variables = list(&dashboard["templating"]["list"]).iter().filter(|variable| variable["type"] == "query");
    Ok(Dashboard {
        title: text(&dashboard["title"])?,
        from: moment(&dashboard["time"]["from"], now)?,
        to: moment(&dashboard["time"]["to"], now)?,
        variables: variables.map(read_variable).collect::<Result<_, _>>()?,
        statements,
    })
}

fn read_variable(variable: &Value) -> Result<Variable, String> {
    let current: Vec<String> = match &variable["current"]["value"] {
        Value::Array(values) => values.iter().map(text).collect::<Result<_, _>>()?,
        one => vec![text(one)?],
    };
    Ok(Variable {
        name: text(&variable["name"])?,
        query: text(&variable["query"])?,
        is_multi: variable["multi"] == true,
        includes_all: variable["includeAll"] == true,
        current: Some(current).filter(|values| values != &[ALL]),
    })
}

/// An end of a range: `now`, `now-24h`, or a moment.
fn moment(value: &Value, now: DateTime<Utc>) -> Result<DateTime<Utc>, String> {
    let end = text(value)?;
    match end.strip_prefix("now") {
        Some("") => Ok(now),
        Some(ago) => {
            let seconds = interval::parse_s(ago.trim_start_matches('-'))?;
            Ok(now - TimeDelta::seconds(seconds as i64))
        }
        None => end.parse().map_err(|error| format!("{end}: {error}")),
    }
}

impl Dashboard {
    /// A statement of it as the server gets it.
    pub fn sent(&self, sql: &str, values: &Values) -> Result<String, String> {
        let width = (self.to - self.from).to_std().map_err(|error| error.to_string())?;
        expand(&replace_variables(sql, &self.variables, values)?, self.from, self.to, self.interval(width))
    }

    /// What Grafana gives `$__interval` for the range.
    fn interval(&self, width: Duration) -> Duration {
        interval::rounded(width, POINTS)
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> Result<String, String> {
    value.as_str().map(str::to_owned).ok_or_else(|| format!("{value} is not a text"))
}

/// Replaces `$name`, `${name}`, `${name:format}` and `[[name]]`; names that are no variable stay.
fn replace_variables(sql: &str, variables: &[Variable], values: &Values) -> Result<String, String> {
    let (mut replaced, mut rest) = (String::with_capacity(sql.len()), sql);
    while let Some(start) = rest.find(['$', '[']) {
        replaced += &rest[..start];
        rest = &rest[start..];
        let (reference, name, format) = reference(rest);
        match variables.iter().find(|variable| variable.name == name) {
            Some(variable) => replaced += &written(variable, values, format)?,
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

/// A variable's values as the PostgreSQL data source writes them: quoted if there may be several, one alone is only escaped.
fn written(variable: &Variable, values: &Values, format: &str) -> Result<String, String> {
    let values = values.get(&variable.name).ok_or_else(|| format!("variable {} has no values", variable.name))?;
    let escaped = values.iter().map(|value| value.replace('\'', "''"));
    Ok(match format {
        "" if !variable.is_multi && !variable.includes_all => escaped.collect::<Vec<_>>().join(","),
        "" | "sqlstring" => escaped.map(|value| format!("'{value}'")).collect::<Vec<_>>().join(","),
        "raw" | "csv" => values.join(","),
        other => return Err(format!("variable format {other} is not known here")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variable(name: &str, is_multi: bool) -> Variable {
        Variable { name: name.to_owned(), query: String::new(), is_multi, includes_all: false, current: None }
    }

    #[test]
    fn variables_are_written_as_the_data_source_writes_them() {
        let variables = [variable("area", true), variable("city", false)];
        let of = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>();
        let values: Values =
            [("area".to_owned(), of(&["France", "Côte d'Ivoire"])), ("city".to_owned(), of(&["Val d'Or"]))].into();
        for (sql, expected) in [
            ("IN ($area)", "IN ('France','Côte d''Ivoire')"),
            ("IN (${area})", "IN ('France','Côte d''Ivoire')"),
            ("= '$city'", "= 'Val d''Or'"),
            ("= '[[city]]'", "= 'Val d''Or'"),
            ("= ${city:sqlstring}", "= 'Val d''Or'"),
            ("${area:csv}", "France,Côte d'Ivoire"),
            ("$areas $__timeFilter(c) x[1] $", "$areas $__timeFilter(c) x[1] $"),
        ] {
            assert_eq!(replace_variables(sql, &variables, &values).as_deref(), Ok(expected), "{sql}");
        }
        assert!(replace_variables("${city:json}", &variables, &values).is_err());
        assert!(replace_variables("$city", &variables, &Values::new()).is_err());
    }

    #[test]
    fn ranges_are_moments_or_from_now() {
        let now = "2026-01-02T00:00:00Z".parse().unwrap();
        for (end, expected) in [
            ("now", "2026-01-02T00:00:00Z"),
            ("now-24h", "2026-01-01T00:00:00Z"),
            ("2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z"),
        ] {
            assert_eq!(moment(&Value::from(end), now), Ok(expected.parse().unwrap()), "{end}");
        }
        assert!(moment(&Value::from("yesterday"), now).is_err());
    }

    /// What a dashboard has that was saved from a running Grafana, and that another refuses or shows empty.
    #[test]
    fn dashboards_have_no_traces_of_an_export() {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../grafana-provisioning/dashboards");
        let mut uids = Vec::new();
        for entry in fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "json") {
                let written = fs::read_to_string(&path).unwrap();
                let dashboard: Value = serde_json::from_str(&written).unwrap();
                assert!(dashboard["id"].is_null(), "{}", path.display());
                assert!(!written.contains("__inputs") && !written.contains("${DS_"), "{}", path.display());
                uids.push(text(&dashboard["uid"]).unwrap());
                let panels = list(&dashboard["panels"]);
                let mut ids: Vec<_> = panels.iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
                ids.sort_unstable();
                ids.dedup();
                assert_eq!(ids.len(), panels.len(), "{}: an id is there twice", path.display());
                for panel in panels {
                    assert_eq!(panel["datasource"]["uid"], "lakegate", "{}", panel["title"]);
                }
            }
        }
        uids.sort();
        let expected = ["climate", "operations", "transactions", "weather"].map(|name| format!("lakegate-{name}"));
        assert_eq!(uids, expected);
    }
}
