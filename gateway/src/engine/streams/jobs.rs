//! The streams that run here: those that are defined, but for what is paused.
//!
//! Owns: that a stream which is changed ends before it begins anew. Which of the replicas runs it is the lease's.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use catalog::{Name, Stream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::run::Run;
use crate::engine::Engine;

/// How often it is looked whether a stream was defined, changed or dropped.
const TICK: Duration = Duration::from_millis(250);

/// One stream that runs.
struct Running {
    stream: Arc<Stream>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Engine {
    /// The brokers that streams may read, as the configuration has them.
    pub fn allow_brokers(&self, brokers: Vec<String>) {
        self.core.streams.allow(brokers);
    }

    /// Runs the streams of the lake, until `stop`.
    pub async fn keep_streams(&self, database: String, stop: CancellationToken) {
        if !self.core.lake.is_writable() {
            return;
        }
        let mut running: BTreeMap<Name, Running> = BTreeMap::new();
        while stop.run_until_cancelled(tokio::time::sleep(TICK)).await.is_some() {
            let snapshot = self.core.lake.snapshot();
            let names: BTreeSet<Name> = snapshot.streams.iter().map(|stream| stream.name.clone()).collect();
            let is_kept = |name: &Name, known: &Running| {
                snapshot.stream(name).is_some_and(|stream| *stream == known.stream) && !known.task.is_finished()
            };
            let ended: Vec<Name> =
                running.iter().filter(|(name, known)| !is_kept(name, known)).map(|(name, _)| name.clone()).collect();
            for name in ended {
                if let Some(known) = running.remove(&name) {
                    known.end().await;
                }
            }
            self.core.streams.keep(&names);
            for stream in snapshot.streams.iter().filter(|stream| !stream.options.is_paused) {
                running.entry(stream.name.clone()).or_insert_with(|| self.run_stream(stream, &database));
            }
        }
        for known in running.values() {
            known.stop.cancel();
        }
        for (_, known) in running {
            known.end().await;
        }
    }

    fn run_stream(&self, stream: &Arc<Stream>, database: &str) -> Running {
        let stop = CancellationToken::new();
        let run = Run {
            core: Arc::clone(&self.core),
            stream: Arc::clone(stream),
            known: self.core.streams.known(&stream.name),
            database: database.to_owned(),
            stop: stop.clone(),
        };
        Running { stream: Arc::clone(stream), stop, task: tokio::spawn(run.keep()) }
    }
}

impl Running {
    /// Waits until it has ended: a commit that is on its way comes to its end.
    async fn end(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::error!(stream = %self.stream.name, %error, "a stream has broken off");
        }
    }
}
