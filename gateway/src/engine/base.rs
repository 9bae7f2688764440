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
use super::memory::{QueryPool, default_bytes, pool_of_all};
use super::planners::{ArrayLiterals, Money, Operators, Parameters, Subscripts};
use super::stores::FixedStores;
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
    outputs: Outputs,
}

/// What makes the output functions of a session: a protocol's, since the engine writes no value.
pub type Outputs = fn(&Display) -> Arc<dyn Output>;

impl Base {
    pub(super) fn new(config: &config::Engine, lake: &Lake, threads: usize, outputs: Outputs) -> Result<Self> {
        let bytes_max = if config.memory_bytes_max == 0 { default_bytes() } else { config.memory_bytes_max };
        let query_bytes_max =
            if config.query_memory_bytes_max == 0 { bytes_max / 2 } else { config.query_memory_bytes_max };
        let memory = pool_of_all(bytes_max);
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
        Ok(Self { state, without_functions, states: Mutex::default(), runtime, memory, query_bytes_max, outputs })
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

    /// What accounts for memory that a statement takes beside its query, as much as one query may take.
    pub(super) fn reservation(&self, name: &str) -> MemoryReservation {
        let pool: Arc<dyn MemoryPool> = Arc::new(QueryPool::new(Arc::clone(&self.memory), self.query_bytes_max));
        MemoryConsumer::new(name).register(&pool)
    }

    /// The memory and the spill files of one query, and where it counts what it reads.
    pub(super) fn task_context(&self, state: &SessionState, reads: &Arc<Reads>) -> Arc<TaskContext> {
        let pool = QueryPool::new(Arc::clone(&self.memory), self.query_bytes_max);
        let runtime = RuntimeEnv {
            memory_pool: Arc::new(pool),
            disk_manager: Arc::clone(&self.runtime.disk_manager),
            cache_manager: Arc::clone(&self.runtime.cache_manager),
            object_store_registry: Arc::clone(&self.runtime.object_store_registry),
        };
        Arc::new(TaskContext::new(
            None,
            state.session_id().to_owned(),
            state.config().clone().with_extension(Arc::new(LeftOut::default())).with_extension(Arc::clone(reads)),
            HashMap::new(),
            HashMap::new(),
            HashMap::new(),
            HashMap::new(),
            Arc::new(runtime),
        ))
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
