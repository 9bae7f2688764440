//! Grafana's SQL macros, in its order: the global ones as plain text, then `$name(arguments)`.
//!
//! Owns: `macros.go` of the PostgreSQL data source. Arguments are split at commas and end at the first `)`, so a macro
//! around a nested call breaks here as it breaks there.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};

use super::interval::{format, go_float, parse_s};

/// Expands the macros of a statement, or gives Grafana's error.
pub fn expand(sql: &str, from: DateTime<Utc>, to: DateTime<Utc>, interval: Duration) -> Result<String, String> {
    let sql = sql
        .replace("$__interval_ms", &interval.as_millis().to_string())
        .replace("$__interval", &format(interval))
        .replace("$__unixEpochFrom()", &from.timestamp().to_string())
        .replace("$__unixEpochTo()", &to.timestamp().to_string());
    let range = Range { from, to };
    let (mut expanded, mut rest) = (String::with_capacity(sql.len()), sql.as_str());
    while let Some(call) = Call::find(rest) {
        expanded += &rest[..call.start];
        let mut name = call.name;
        // Before Grafana 5.3 the alias came with the macro; a comma right after its first use still asks for it.
        if name == "__timeGroup" && first_use(&sql, call.text).starts_with(',') {
            name = "__timeGroupAlias";
        }
        expanded += &range.evaluate(name, &call.arguments)?;
        rest = &rest[call.start + call.text.len()..];
    }
    Ok(expanded + rest)
}

/// What follows the first use of a call in the whole statement.
fn first_use<'a>(sql: &'a str, call: &str) -> &'a str {
    sql.split_once(call).map_or("", |(_, after)| after)
}

/// A match of `\$([_a-zA-Z0-9]+)\(([^\)]*)\)`.
struct Call<'a> {
    start: usize,
    text: &'a str,
    name: &'a str,
    arguments: Vec<&'a str>,
}

impl<'a> Call<'a> {
    fn find(sql: &'a str) -> Option<Self> {
        for (start, _) in sql.match_indices('$') {
            let after = &sql[start + 1..];
            let length = after.find(|c: char| c != '_' && !c.is_ascii_alphanumeric()).unwrap_or(after.len());
            let (name, open) = after.split_at(length);
            let Some(inner) = open.strip_prefix('(').filter(|_| !name.is_empty()) else { continue };
            let Some(close) = inner.find(')') else { continue };
            let text = &sql[start..start + 1 + length + 1 + close + 1];
            let arguments = inner[..close].split(',').map(|argument| argument.trim_matches(' ')).collect();
            return Some(Self { start, text, name, arguments });
        }
        None
    }
}

struct Range {
    from: DateTime<Utc>,
    to: DateTime<Utc>,
}

impl Range {
    fn evaluate(&self, name: &str, arguments: &[&str]) -> Result<String, String> {
        let column = arguments.first().copied().unwrap_or_default();
        let (from, to) = (rfc3339_nano(self.from), rfc3339_nano(self.to));
        let (from_s, to_s) = (self.from.timestamp(), self.to.timestamp());
        let (from_ns, to_ns) = (nanoseconds(self.from)?, nanoseconds(self.to)?);
        Ok(match name {
            "__time" => format!("{column} AS \"time\""),
            "__timeEpoch" => format!("extract(epoch from {column}) as \"time\""),
            "__timeFilter" => format!("{column} BETWEEN '{from}' AND '{to}'"),
            "__timeFrom" => format!("'{from}'"),
            "__timeTo" => format!("'{to}'"),
            "__timeGroup" => group(&format!("extract(epoch from {column})"), name, arguments)?,
            "__timeGroupAlias" => format!("{} AS \"time\"", self.evaluate("__timeGroup", arguments)?),
            "__unixEpochFilter" => format!("{column} >= {from_s} AND {column} <= {to_s}"),
            "__unixEpochNanoFilter" => format!("{column} >= {from_ns} AND {column} <= {to_ns}"),
            "__unixEpochNanoFrom" => from_ns.to_string(),
            "__unixEpochNanoTo" => to_ns.to_string(),
            "__unixEpochGroup" => group(&format!("({column})"), name, arguments)?,
            "__unixEpochGroupAlias" => format!("{} AS \"time\"", self.evaluate("__unixEpochGroup", arguments)?),
            _ => return Err(format!("unknown macro {name:?}")),
        })
    }
}

fn group(seconds: &str, name: &str, arguments: &[&str]) -> Result<String, String> {
    let [_, interval, fill @ ..] = arguments else {
        return Err(format!("macro {name} needs time column and interval and optional fill value"));
    };
    // The fill happens in Grafana; a bad one is its error.
    if let [fill] = fill
        && !["NULL", "previous"].contains(fill)
        && fill.parse::<f64>().is_err()
    {
        return Err(format!("error parsing fill value {fill}"));
    }
    let interval = go_float(parse_s(interval.trim_matches('\''))?);
    Ok(format!("floor({seconds}/{interval})*{interval}"))
}

fn nanoseconds(at: DateTime<Utc>) -> Result<i64, String> {
    at.timestamp_nanos_opt().ok_or_else(|| format!("{at} has no nanoseconds"))
}

/// Go's `RFC3339Nano`: no more digits of a second than needed.
fn rfc3339_nano(at: DateTime<Utc>) -> String {
    let full = at.to_rfc3339_opts(SecondsFormat::Nanos, true);
    let digits = full.trim_end_matches('Z').trim_end_matches('0').trim_end_matches('.');
    format!("{digits}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sql: &str, expected: &str) {
        let from = "2026-01-01T00:00:00Z".parse().unwrap();
        let to = "2026-01-02T12:34:56.789Z".parse().unwrap();
        assert_eq!(expand(sql, from, to, Duration::from_secs(60)).as_deref(), Ok(expected));
    }

    fn error(sql: &str) -> String {
        let at = "2026-01-01T00:00:00Z".parse().unwrap();
        expand(sql, at, at, Duration::from_secs(60)).unwrap_err()
    }

    #[test]
    fn time_and_time_epoch_name_the_axis() {
        check("SELECT $__time(c)", "SELECT c AS \"time\"");
        check("SELECT $__timeEpoch(c)", "SELECT extract(epoch from c) as \"time\"");
    }

    #[test]
    fn filters_compare_with_the_range() {
        check("$__timeFilter(c)", "c BETWEEN '2026-01-01T00:00:00Z' AND '2026-01-02T12:34:56.789Z'");
        check("c > $__timeFrom() AND c < $__timeTo()", "c > '2026-01-01T00:00:00Z' AND c < '2026-01-02T12:34:56.789Z'");
        check("$__unixEpochFilter(c)", "c >= 1767225600 AND c <= 1767357296");
        check("$__unixEpochNanoFilter(c)", "c >= 1767225600000000000 AND c <= 1767357296789000000");
        check("$__unixEpochNanoFrom() $__unixEpochNanoTo()", "1767225600000000000 1767357296789000000");
        check("$__unixEpochFrom() $__unixEpochTo()", "1767225600 1767357296");
    }

    #[test]
    fn groups_are_floors_of_the_epoch() {
        check("GROUP BY $__timeGroup(c,'5m')", "GROUP BY floor(extract(epoch from c)/300)*300");
        check("$__timeGroup(c, '500ms') x", "floor(extract(epoch from c)/0.5)*0.5 x");
        check("$__timeGroup(c,1y)", "floor(extract(epoch from c)/3.1536e+07)*3.1536e+07");
        check("$__timeGroup(c,1w)", "floor(extract(epoch from c)/604800)*604800");
        check("$__timeGroupAlias(c,'5m',NULL) x", "floor(extract(epoch from c)/300)*300 AS \"time\" x");
        check("$__unixEpochGroup(c,'5m') x", "floor((c)/300)*300 x");
        check("$__unixEpochGroupAlias(c,'5m',previous) x", "floor((c)/300)*300 AS \"time\" x");
    }

    #[test]
    fn a_group_before_a_comma_gets_its_alias() {
        check(
            "$__timeGroup(c,'5m'), v GROUP BY $__timeGroup(c,'1h')",
            "floor(extract(epoch from c)/300)*300 AS \"time\", v GROUP BY floor(extract(epoch from c)/3600)*3600",
        );
        // The first use decides for all that are written alike.
        check(
            "$__timeGroup(c,'5m') $__timeGroup(c,'5m'),",
            "floor(extract(epoch from c)/300)*300 floor(extract(epoch from c)/300)*300,",
        );
    }

    #[test]
    fn intervals_are_replaced_before_macros() {
        check("$__interval_ms $__interval", "60000 1m");
        check("$__timeGroup(c,$__interval) x", "floor(extract(epoch from c)/60)*60 x");
    }

    #[test]
    fn other_dollars_are_left_alone() {
        check("SELECT $1, '$', $tag$text$tag$", "SELECT $1, '$', $tag$text$tag$");
    }

    #[test]
    fn an_argument_ends_at_the_first_parenthesis() {
        check("$__time(max(c))", "max(c AS \"time\")");
    }

    #[test]
    fn errors_are_grafanas() {
        assert_eq!(error("$__nothing(c)"), "unknown macro \"__nothing\"");
        assert!(error("$__timeGroup(c)").contains("needs time column and interval"));
        assert_eq!(error("$__timeGroup(c,'x')"), "error parsing interval x");
        assert_eq!(error("$__timeGroup(c,'5m',often)"), "error parsing fill value often");
    }
}
