//! `/metrics`: the counters and gauges of the server in Prometheus' text format.
//!
//! <https://prometheus.io/docs/instrumenting/exposition_formats/>

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::State as Shared;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use catalog::pg_catalog::MatviewFact;
use catalog::{Name, Outcome, StreamFact, StreamState};
use chrono::Utc;

use super::State;
use crate::engine::{Counters, SECONDS};

enum Kind {
    Counter,
    Gauge,
}

pub(super) async fn text(Shared(state): Shared<State>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], render(&state))
}

fn render(state: &State) -> String {
    let counters = state.engine.counters();
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed) as f64;
    let snapshot = state.lake.snapshot();
    let mut out = String::new();
    use Kind::{Counter, Gauge};
    metric(&mut out, "statements_started_total", Counter, "Statements that began to run.", count(&counters.started));
    metric(&mut out, "statements_succeeded_total", Counter, "Statements that ended well.", count(&counters.succeeded));
    metric(&mut out, "statements_failed_total", Counter, "Statements that ended in an error.", count(&counters.failed));
    metric(
        &mut out,
        "statements_canceled_total",
        Counter,
        "Statements that their client or a timeout ended.",
        count(&counters.canceled),
    );
    let unanswered = state.engine.unanswered() as f64;
    let help = "Statements about the catalogs that ended in an error.";
    metric(&mut out, "catalog_statements_failed_total", Counter, help, unanswered);
    metric(&mut out, "rows_total", Counter, "Rows that left the engine.", count(&counters.rows));
    let seconds = count(&counters.microseconds) / 1e6;
    metric(&mut out, "statement_seconds_total", Counter, "Time that statements ran, in seconds.", seconds);
    durations(&mut out, counters);
    metric(
        &mut out,
        "sent_bytes_total",
        Counter,
        "Bytes of rows that were sent to clients.",
        count(&counters.bytes_sent),
    );
    let help = "Bytes that the store gave to statements.";
    metric(&mut out, "read_bytes_total", Counter, help, count(&counters.bytes_read));
    let help = "Files that statements opened.";
    metric(&mut out, "files_scanned_total", Counter, help, count(&counters.files_scanned));
    let help = "Files that the conditions of statements have ruled out.";
    metric(&mut out, "files_pruned_total", Counter, help, count(&counters.files_pruned));
    let help = "Reads that the local disk has answered in place of the store.";
    metric(&mut out, "cache_hits_total", Counter, help, count(&counters.cache_hits));
    metric(&mut out, "statements_running", Gauge, "Statements that run.", state.engine.running() as f64);
    metric(&mut out, "statements_queued", Gauge, "Statements that wait for a place.", state.engine.queued() as f64);
    let reserved = state.engine.memory_reserved() as f64;
    metric(&mut out, "memory_reserved_bytes", Gauge, "Memory that running queries have reserved.", reserved);
    let bytes_max = state.engine.memory_max() as f64;
    metric(&mut out, "memory_bytes_max", Gauge, "Memory that running queries may reserve.", bytes_max);
    let help = "Statements that ended because the process held too much memory.";
    metric(&mut out, "statements_evicted_total", Counter, help, state.engine.evicted() as f64);
    metric(&mut out, "connections", Gauge, "Clients logged in.", state.registry.living().len() as f64);
    let (taken, ignored) = (count(&state.events.taken), count(&state.events.ignored));
    metric(&mut out, "bucket_events_total", Counter, "Events about objects of the lake.", taken);
    metric(&mut out, "bucket_events_ignored_total", Counter, "Events about objects of no source.", ignored);
    let help = "Messages to /events without the token or of another form.";
    metric(&mut out, "bucket_events_refused_total", Counter, help, count(&state.events.refused));
    metric(&mut out, "tables", Gauge, "Relations of the lake.", snapshot.tables().count() as f64);
    metric(&mut out, "skipped_files", Gauge, "Files that cannot be read.", snapshot.skipped_files().len() as f64);
    let totals = state.lake.shadow_totals();
    metric(&mut out, "shadows", Gauge, "Files of text that are read from a shadow.", totals.shadows as f64);
    metric(&mut out, "shadow_packs", Gauge, "Shadows that small files share.", totals.packs as f64);
    metric(&mut out, "shadow_bytes", Gauge, "What shadows take on the disk.", totals.bytes as f64);
    metric(&mut out, "shadows_waiting", Gauge, "Files of text whose shadow is made or waits.", totals.waiting as f64);
    let help = "Files of text that queries read from their shadows.";
    metric(&mut out, "shadow_reads_total", Counter, help, totals.reads as f64);
    matviews(&mut out, state);
    streams(&mut out, state);
    metric(&mut out, "snapshot_version", Gauge, "The version of the snapshot of the lake.", snapshot.version as f64);
    out
}

/// The histogram of the durations of statements.
fn durations(out: &mut String, counters: &Counters) {
    let _ = out.write_str(
        "# HELP lakegate_statement_seconds How long statements ran.\n# TYPE lakegate_statement_seconds histogram\n",
    );
    let mut sum = 0;
    for (bound, bucket) in SECONDS.iter().zip(&counters.durations) {
        sum += bucket.load(Ordering::Relaxed);
        let _ = writeln!(out, "lakegate_statement_seconds_bucket{{le=\"{bound}\"}} {sum}");
    }
    let ended = [&counters.succeeded, &counters.failed, &counters.canceled];
    let ended: u64 = ended.into_iter().map(|counter| counter.load(Ordering::Relaxed)).sum();
    let _ = writeln!(out, "lakegate_statement_seconds_bucket{{le=\"+Inf\"}} {}", ended.max(sum));
    let seconds = counters.microseconds.load(Ordering::Relaxed) as f64 / 1e6;
    let _ = writeln!(out, "lakegate_statement_seconds_sum {seconds}");
    let _ = writeln!(out, "lakegate_statement_seconds_count {}", ended.max(sum));
}

/// A series for each materialized view.
fn matviews(out: &mut String, state: &State) {
    let facts = state.engine.matviews();
    let series = |out: &mut String, name: &str, help: &str, value: &dyn Fn(&MatviewFact) -> Option<f64>| {
        let _ = write!(out, "# HELP lakegate_{name} {help}\n# TYPE lakegate_{name} gauge\n");
        for (fact, value) in facts.iter().filter_map(|fact| Some((fact, value(fact)?))) {
            let _ = writeln!(out, "lakegate_{name}{{view=\"{}\"}} {value}", label(&fact.name));
        }
    };
    let now = Utc::now();
    let staleness = |fact: &MatviewFact| {
        let good = fact.attempts.iter().rev().find(|attempt| attempt.outcome != Outcome::Failed)?;
        Some(now.signed_duration_since(good.started_at).as_seconds_f64().max(0.0))
    };
    let last = |fact: &MatviewFact| {
        let made = fact.attempts.iter().rev().find(|attempt| attempt.outcome == Outcome::Refreshed)?;
        Some((made.ended_at - made.started_at).as_seconds_f64())
    };
    let help = "Time since the lake was listed for the rows of a materialized view, or found as it was.";
    series(out, "matview_staleness_seconds", help, &staleness);
    series(out, "matview_refresh_seconds", "Time that the last refresh which made rows took.", &last);
    let help = "Jobs that failed to refresh a materialized view since the last that did not.";
    series(out, "matview_failures", help, &|fact| Some(f64::from(fact.failures)));
    let help = "Whether a materialized view is being refreshed by this server.";
    series(out, "matview_running", help, &|fact| Some(f64::from(u8::from(fact.running.is_some()))));
}

/// A series for each stream.
fn streams(out: &mut String, state: &State) {
    let facts = state.engine.streams();
    let series = |out: &mut String, name: &str, kind: &str, help: &str, value: &dyn Fn(&StreamFact) -> Option<f64>| {
        let _ = write!(out, "# HELP lakegate_{name} {help}\n# TYPE lakegate_{name} {kind}\n");
        for (fact, value) in facts.iter().filter_map(|fact| Some((fact, value(fact)?))) {
            let _ = writeln!(out, "lakegate_{name}{{stream=\"{}\"}} {value}", label(&fact.name));
        }
    };
    let help = "Records of the topic of a stream that are not in its table, where this server runs it.";
    series(out, "stream_lag_records", "gauge", help, &|fact| fact.lag().map(|lag| lag as f64));
    let help = "Whether a stream runs on this server.";
    let is_running = |fact: &StreamFact| Some(f64::from(u8::from(fact.state == StreamState::Running)));
    series(out, "stream_running", "gauge", help, &is_running);
    let help = "Whether a stream has stopped on this server, or reaches no broker.";
    let has_failed = |fact: &StreamFact| matches!(fact.state, StreamState::Failed | StreamState::Unreachable);
    series(out, "stream_failed", "gauge", help, &|fact| Some(f64::from(u8::from(has_failed(fact)))));
    let help = "Records that have become rows.";
    series(out, "stream_rows_total", "counter", help, &|fact| Some(fact.rows as f64));
    let help = "Records that are no rows, and are in the table of rejects.";
    series(out, "stream_rejects_total", "counter", help, &|fact| Some(fact.rejects as f64));
    let help = "Records that the topic had no more when they were to be read.";
    series(out, "stream_lost_total", "counter", help, &|fact| Some(fact.lost as f64));
}

/// The name of a view or a stream as a label has it.
fn label(view: &Name) -> String {
    let name = format!("{}.{}", view.schema, view.name);
    name.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

fn metric(out: &mut String, name: &str, kind: Kind, help: &str, value: f64) {
    let kind = match kind {
        Kind::Counter => "counter",
        Kind::Gauge => "gauge",
    };
    // Writing to a String cannot fail.
    let _ = write!(out, "# HELP lakegate_{name} {help}\n# TYPE lakegate_{name} {kind}\nlakegate_{name} {value}\n");
}
