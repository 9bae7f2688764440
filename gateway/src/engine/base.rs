//! What every plan starts from: functions, rules, stores, memory, settings of DataFusion.
//!
//! Owns: each setting of DataFusion that is not its default, with the reason. Clients can change none of them.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use catalog::{Lake, LeftOut, Reads};
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool, MemoryReservation};
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::{SessionState, SessionStateBuilder, SessionStateDefaults, TaskContext};
use datafusion::logical_expr::planner::ExprPlanner;
use datafusion::prelude::SessionConfig;
use parking_lot::Mutex;
use udfs::settings::{self, Output, ReadSettings};

use super::analyze;
use super::memory::{Pools, Pressure, QueryPool, Watchdog, default_bytes, default_resident_bytes, pool_of_all};
use super::planners::{ArrayLiterals, Money, Operators, Parameters, Subscripts};
use super::stores::FixedStores;
use super::temp_files;
use crate::config;
use crate::error::{Error, Result};
use crate::session::Session;
use crate::session::vars::Display;

/// Kinds of sessions whose state is kept.
const STATES_MAX: usize = 16;

pub(super) struct Base {
    state: SessionState,
    /// The same without the functions, which a plan has in itself: a copy of them takes longer than many a statement.
    without_functions: SessionState,
    /// The states of the sessions seen last, by what differs between them.
    states: Mutex<VecDeque<(Display, Arc<SessionState>)>>,
    runtime: Arc<RuntimeEnv>,
    pub memory: Arc<dyn MemoryPool>,
    query_bytes_max: usize,
    /// The memory of refreshes; without it they have that of all.
    jobs: Option<Arc<dyn MemoryPool>>,
    /// Of the queries that run.
    pools: Arc<Pools>,
    pub pressure: Arc<Pressure>,
    _watchdog: Watchdog,
    outputs: Outputs,
}

/// What makes the output functions of a session: a protocol's, since the engine writes no value.
pub type Outputs = fn(&Display) -> Arc<dyn Output>;

impl Base {
    pub(super) fn new(config: &config::Engine, lake: &Lake, threads: usize, outputs: Outputs) -> Result<Self> {
        let bytes_max = if config.memory_bytes_max == 0 { default_bytes() } else { config.memory_bytes_max };
        let query_bytes_max =
            if config.query_memory_bytes_max == 0 { bytes_max / 2 } else { config.query_memory_bytes_max };
        let jobs_bytes_max = match (lake.is_writable(), config.jobs_memory_bytes_max) {
            (false, _) => 0,
            (true, 0) => bytes_max / 4,
            (true, bytes) => bytes.min(bytes_max / 2),
        };
        let jobs = (jobs_bytes_max > 0).then(|| pool_of_all(jobs_bytes_max));
        let memory = pool_of_all(bytes_max - jobs_bytes_max);
        let runtime = RuntimeEnvBuilder::new()
            .with_object_store_registry(Arc::new(FixedStores::new(lake.object_stores())))
            .with_memory_pool(Arc::clone(&memory))
            .with_disk_manager_builder(spill(config))
            // The manifest lists and its own cache keeps footers: DataFusion's caches would only grow stale.
            .with_object_list_cache_limit(0)
            .with_metadata_cache_limit(0)
            .with_file_statistics_cache_limit(0)
            .build_arc()?;
        // The first planner that answers wins.
        let mut planners: Vec<Arc<dyn ExprPlanner>> = vec![Arc::new(Parameters), Arc::new(Money)];
        planners.extend(udfs::all().planners);
        planners.push(Arc::new(ArrayLiterals));
        planners.push(Arc::new(Subscripts));
        planners.push(Arc::new(Operators));
        planners.extend(SessionStateDefaults::default_expr_planners());
        let builder = SessionStateBuilder::new()
            .with_default_features()
            .with_expr_planners(planners)
            .with_config(session_config(threads))
            .with_runtime_env(Arc::clone(&runtime))
            .with_analyzer_rules(analyze::rules())
            .with_optimizer_rules(analyze::optimizer_rules())
            .with_physical_optimizer_rules(analyze::physical_rules())
            .with_query_planner(analyze::query_planner());
        let mut state = builder.build();
        register(&mut state)?;
        let without_functions = without_functions(&state);
        let resident_bytes_max = match config.resident_bytes_max {
            0 => default_resident_bytes(),
            bytes => bytes,
        };
        let (pools, pressure) = (Arc::new(Pools::default()), Pressure::new(resident_bytes_max));
        Ok(Self {
            state,
            without_functions,
            states: Mutex::default(),
            runtime,
            memory,
            query_bytes_max,
            jobs,
            _watchdog: Watchdog::start(&pressure, &pools)?,
            pools,
            pressure,
            outputs,
        })
    }

    pub(super) fn output(&self, display: &Display) -> Arc<dyn Output> {
        (self.outputs)(display)
    }

    /// What a statement is planned with: the session's time zone and order of dates are in it.
    pub(super) fn state(&self, session: &Session) -> Arc<SessionState> {
        let display = session.vars().display();
        let mut states = self.states.lock();
        if let Some((_, known)) = states.iter().find(|(of, _)| *of == display) {
            return Arc::clone(known);
        }
        let state = Arc::new(self.state_of(&display));
        states.truncate(STATES_MAX - 1);
        states.push_front((display, Arc::clone(&state)));
        state
    }

    /// What one run of a statement is optimised with, of what it was planned with.
    pub(super) fn run_state(&self, planned: &SessionState) -> SessionState {
        let mut state = self.without_functions.clone();
        *state.config_mut() = planned.config().clone();
        state
    }

    fn state_of(&self, display: &Display) -> SessionState {
        let mut state = self.state.clone();
        let options = state.config_mut().options_mut();
        options.execution.time_zone = Some(display.time_zone.name().to_owned());
        options.extensions.insert(ReadSettings::new(display.date_style.order(), display.interval_style.of_texts()));
        options.extensions.insert(settings::Outputs((self.outputs)(display)));
        state
    }

    /// The memory of what jobs write.
    pub(super) fn jobs_memory(&self) -> &Arc<dyn MemoryPool> {
        self.jobs.as_ref().unwrap_or(&self.memory)
    }

    /// What accounts for memory that a statement takes beside its query, as much as one query may take.
    pub(super) fn reservation(&self, name: &str) -> MemoryReservation {
        let pool: Arc<dyn MemoryPool> = Arc::new(QueryPool::new(Arc::clone(&self.memory), self.query_bytes_max));
        MemoryConsumer::new(name).register(&pool)
    }

    /// The memory and the spill files of one query of a session, and where it counts what it reads.
    pub(super) fn task_context(
        &self,
        state: &SessionState,
        session: &Session,
        reads: &Arc<Reads>,
    ) -> Result<(Arc<TaskContext>, Arc<QueryPool>)> {
        let limits = session.vars().limits();
        if session.is_of_server
            && let Some(jobs) = &self.jobs
        {
            let pool = self.pools.add(QueryPool::new(Arc::clone(jobs), usize::MAX));
            return self.context_in(state, reads, pool, limits.temp_file_bytes);
        }
        let bytes = |limit: u64| usize::try_from(limit).unwrap_or(usize::MAX);
        let all = match limits.role_memory_bytes {
            Some(max) => self.pools.of_role(session.user(), &self.memory, bytes(max)),
            None => Arc::clone(&self.memory),
        };
        let query_bytes_max = limits.memory_bytes.map_or(usize::MAX, bytes).min(self.query_bytes_max);
        let pool = self.pools.add(QueryPool::new(all, query_bytes_max));
        self.context_in(state, reads, pool, limits.temp_file_bytes)
    }

    fn context_in(
        &self,
        state: &SessionState,
        reads: &Arc<Reads>,
        pool: Arc<QueryPool>,
        temp_file_bytes: Option<u64>,
    ) -> Result<(Arc<TaskContext>, Arc<QueryPool>)> {
        let runtime = RuntimeEnv {
            memory_pool: Arc::clone(&pool) as _,
            disk_manager: temp_files::of_query(&self.runtime.disk_manager, temp_file_bytes)?,
            cache_manager: Arc::clone(&self.runtime.cache_manager),
            object_store_registry: Arc::clone(&self.runtime.object_store_registry),
        };
        let context = TaskContext::new(
            None,
            state.session_id().to_owned(),
            state.config().clone().with_extension(Arc::new(LeftOut::default())).with_extension(Arc::clone(reads)),
            HashMap::new(),
            HashMap::new(),
            HashMap::new(),
            HashMap::new(),
            Arc::new(runtime),
        );
        Ok((Arc::new(context), pool))
    }
}

fn spill(config: &config::Engine) -> DiskManagerBuilder {
    let mode = match &config.spill_dir {
        Some(dir) => DiskManagerMode::Directories(vec![dir.clone()]),
        None => DiskManagerMode::OsTmpDirectory,
    };
    DiskManagerBuilder::default().with_mode(mode).with_max_temp_directory_size(config.spill_bytes_max)
}

fn session_config(threads: usize) -> SessionConfig {
    let mut config = SessionConfig::new()
        .with_target_partitions(threads)
        .with_create_default_catalog_and_schema(false)
        .with_information_schema(false);
    let options = config.options_mut();
    // PostgreSQL sorts NULL above every value; so does DataFusion's default, kept here in writing.
    options.sql_parser.default_null_ordering = "nulls_max".to_owned();
    options.sql_parser.parse_float_as_decimal = true;
    options.execution.parquet.pushdown_filters = true;
    // The scan itself has ordered them, by more than the bytes of their columns.
    options.execution.parquet.reorder_filters = false;
    // Nanoseconds, which INT96 could hold, end in 1677 and 2262.
    options.execution.parquet.coerce_int96 = Some("us".to_owned());
    // A recursive query without an end runs until its deadline, as in PostgreSQL.
    options.execution.enable_recursive_ctes = true;
    config
}

/// DISTINCT ON is rewritten with this aggregate; no other function is looked for behind the planning of names.
const OF_REWRITES: &str = "first_value";

fn without_functions(state: &SessionState) -> SessionState {
    let kept = state.aggregate_functions().get(OF_REWRITES).cloned();
    SessionStateBuilder::new_from_existing(state.clone())
        .with_scalar_functions(Vec::new())
        .with_higher_order_functions(Vec::new())
        .with_aggregate_functions(kept.into_iter().collect())
        .with_window_functions(Vec::new())
        .with_table_functions(HashMap::new())
        .build()
}

/// Our functions replace DataFusion's of the same name.
fn register(state: &mut SessionState) -> Result<()> {
    use datafusion::execution::FunctionRegistry;
    let functions = udfs::all();
    for udf in functions.scalar {
        // An alias of DataFusion's, such as mean, that would be both.
        state.deregister_udaf(udf.name())?;
        state.register_udf(udf).map_err(Error::from)?;
    }
    for udaf in functions.aggregate {
        state.register_udaf(udaf).map_err(Error::from)?;
    }
    for udwf in functions.window {
        state.register_udwf(udwf).map_err(Error::from)?;
    }
    Ok(())
}
