//! What one statement sees: one snapshot of the lake, one session's names and functions.
//!
//! Owns: name resolution (search path, case, pg_catalog), as PostgreSQL resolves. Must never do: I/O while planning;
//! the tables of a statement are opened before, by `resolve`.

mod names;
mod rights;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow::datatypes::{DataType, SchemaRef};
use catalog::pg_catalog;
use catalog::{Kind, Privilege, Snapshot, Table, View};
use datafusion::common::{DataFusionError, Result as PlanResult, TableReference};
use datafusion::config::ConfigOptions;
use datafusion::datasource::cte_worktable::CteWorkTable;
use datafusion::datasource::provider_as_source;
use datafusion::execution::SessionState;
use datafusion::logical_expr::planner::{ContextProvider, ExprPlanner, RelationPlanner, TypePlanner};
use datafusion::logical_expr::{AggregateUDF, Expr, HigherOrderUDF, ScalarUDF, TableSource, Volatility, WindowUDF};
use parking_lot::Mutex;
use sqlparser::ast::{Ident, ObjectName};

use super::facts;
use super::matview::Judged;
use super::tokens::versions::{self, Written};
use super::{session_functions, system_columns};
use crate::error::{Error, SqlState};
use crate::session::{Registry, Session, fold};

/// Schema and name of rows that a client sends; only a statement over such rows knows them.
pub(super) const GIVEN: (&str, &str) = ("client", "rows");

/// Relations by their real schema and name.
pub(super) type Sources = HashMap<(String, String), Arc<dyn TableSource>>;

pub(crate) struct Scope {
    pub snapshot: Arc<Snapshot>,
    pub(super) state: Arc<SessionState>,
    pub(super) session: Arc<Session>,
    /// The text in which errors say where they are.
    message: Arc<str>,
    pub(super) view: Arc<pg_catalog::View>,
    search_path: Vec<String>,
    /// Whether the statement names `xmin`, `ctid` or another column that `*` leaves out.
    pub(super) names_system_columns: bool,
    sources: Sources,
    /// The tables of the lake that have system columns here, and how many.
    with_system_columns: HashMap<(String, String), usize>,
    registry: Arc<Registry>,
    /// Whether what is read is checked: the statement itself is, and a view that it names is not.
    pub(super) is_checked: bool,
    /// Names that the statement gives to queries of its own.
    pub(super) ctes: HashSet<String>,
    /// The relations of the lake that were opened to be read, by the names that they have in the plan.
    opened: HashMap<(String, String), Arc<Table>>,
    /// Whether columns of some may not be read.
    has_marks: bool,
    /// Those of them that the plan reads.
    read: Mutex<HashSet<(String, String)>>,
    /// What was found of the materialized views of the statement.
    pub(super) judged: Arc<Judged>,
    /// The rows of the whole FROM list, where they are there already.
    pub(super) joined: Option<Arc<dyn TableSource>>,
    /// The functions that were looked for: one of a name, since plans compare them.
    functions: Mutex<HashMap<String, Option<Arc<ScalarUDF>>>>,
}

/// Where a name leads.
pub(super) enum Found {
    Lake(Arc<Table>),
    /// A relation of `pg_catalog`, `information_schema` or `system`, or the rows that a client sends.
    Catalog {
        schema: String,
        name: String,
    },
    /// A table as it was; its name in this statement has the version.
    Earlier {
        table: Arc<Table>,
        name: String,
        version: Written,
    },
}

impl Scope {
    #[expect(clippy::too_many_arguments, reason = "each is another part of what a statement sees")]
    pub(super) fn new(
        snapshot: Arc<Snapshot>,
        state: Arc<SessionState>,
        session: Arc<Session>,
        message: Arc<str>,
        columns: Arc<dyn pg_catalog::ColumnSource>,
        server: Arc<pg_catalog::ServerFacts>,
        registry: &Arc<Registry>,
    ) -> Self {
        let mut search_path = session.vars().search_path(session.user());
        // As in PostgreSQL, a schema that its user may not look into is not looked into.
        let access = &server.access;
        search_path.retain(|schema| access.on_schema(Some(session.user()), schema).has(Privilege::Usage));
        let view = Arc::new(pg_catalog::View {
            snapshot: Arc::clone(&snapshot),
            database: session.database.clone(),
            user: session.user().to_owned(),
            search_path: facts::existing(&snapshot, &search_path),
            server,
            columns,
            column_comments: pg_catalog::ColumnComments::default(),
        });
        Self {
            snapshot,
            state,
            session,
            message,
            view,
            search_path,
            names_system_columns: false,
            sources: Sources::new(),
            with_system_columns: HashMap::new(),
            registry: Arc::clone(registry),
            is_checked: false,
            ctes: HashSet::new(),
            opened: HashMap::new(),
            has_marks: false,
            read: Mutex::default(),
            judged: Arc::default(),
            joined: None,
            functions: Mutex::default(),
        }
    }

    /// Looks for names as a view does that was defined with this path.
    pub(super) fn search_in(&mut self, path: Vec<String>) {
        self.search_path = path;
    }

    pub(super) fn search_path(&self) -> &[String] {
        &self.search_path
    }

    pub(super) fn add(&mut self, schema: &str, name: &str, source: Arc<dyn TableSource>) {
        self.sources.insert((schema.to_owned(), name.to_owned()), source);
    }

    /// Adds a table with its system columns.
    pub(super) fn add_with_system_columns(&mut self, table: &Table, source: Arc<dyn TableSource>) -> PlanResult<()> {
        let Some(identity) = pg_catalog::identity(&self.view, &table.schema, &table.name) else {
            self.add(&table.schema, &table.name, source);
            return Ok(());
        };
        let schema = source.schema();
        let own: Vec<&String> = schema.fields().iter().map(|field| field.name()).collect();
        let added = system_columns::names(own.iter().copied()).len();
        self.with_system_columns.insert((table.schema.clone(), table.name.clone()), added);
        self.add(&table.schema, &table.name, system_columns::with(source, identity)?);
        Ok(())
    }

    /// Adds a table whose last columns, so many, `*` leaves out.
    pub(super) fn add_with_hidden_columns(&mut self, table: &Table, source: Arc<dyn TableSource>, hidden: usize) {
        self.with_system_columns.insert((table.schema.clone(), table.name.clone()), hidden);
        self.add(&table.schema, &table.name, source);
    }

    pub(super) fn has(&self, schema: &str, name: &str) -> bool {
        self.sources.contains_key(&(schema.to_owned(), name.to_owned()))
    }

    /// Whether the statement takes rows that its client sends.
    pub(super) fn has_given(&self) -> bool {
        self.has(GIVEN.0, GIVEN.1)
    }

    /// Whether the statement reads files, so that it must be admitted.
    pub(super) fn reads_lake(&self) -> bool {
        let is_of_lake = |(schema, name): &(String, String)| {
            self.snapshot.table(schema, name).is_some() || versions::is_marked(name)
        };
        self.sources.keys().any(is_of_lake)
    }

    /// Finds a relation as written: exact first, then whatever its case if that is one only. Quoted parts match exactly.
    pub(super) fn find(&self, name: &ObjectName) -> Option<Found> {
        self.find_by(name, &self.search_path)
    }

    /// Finds a relation by another search path.
    pub(super) fn find_by(&self, name: &ObjectName, path: &[String]) -> Option<Found> {
        let Some((plain, version)) = versions::split(name) else { return self.find_plain(name, path) };
        match self.find_plain(&plain, path)? {
            Found::Lake(table) => {
                let name = versions::marked(&Ident::with_quote('"', &table.name), &version);
                Some(Found::Earlier { table, name, version })
            }
            other => Some(other),
        }
    }

    fn find_plain(&self, name: &ObjectName, path: &[String]) -> Option<Found> {
        let parts: Vec<&Ident> = name.0.iter().filter_map(|part| part.as_ident()).collect();
        match parts.as_slice() {
            [table] => self.find_unqualified(table, path),
            [schema, table] => self.find_in(schema, table),
            [database, schema, table] if fold(database) == self.session.database => self.find_in(schema, table),
            _ => None,
        }
    }

    fn find_unqualified(&self, table: &Ident, path: &[String]) -> Option<Found> {
        self.catalog_relation("pg_catalog", &fold(table))
            .or_else(|| path.iter().find_map(|schema| self.find_in(&Ident::with_quote('"', schema), table)))
    }

    fn find_in(&self, schema: &Ident, table: &Ident) -> Option<Found> {
        self.catalog_relation(&fold(schema), &fold(table)).or_else(|| {
            let schema = any_case(schema, self.snapshot.schemas.keys())?;
            let tables = self.snapshot.schemas.get(schema)?;
            let table = any_case(table, tables.keys())?;
            tables.get(table).map(|table| Found::Lake(Arc::clone(table)))
        })
    }

    fn catalog_relation(&self, schema: &str, name: &str) -> Option<Found> {
        let is_given = schema == GIVEN.0 && self.has(schema, name);
        (is_given || pg_catalog::is_relation(schema, name))
            .then(|| Found::Catalog { schema: schema.to_owned(), name: name.to_owned() })
    }

    /// The source of a name that `resolve` has opened.
    fn source(&self, name: &ObjectName) -> Option<&Arc<dyn TableSource>> {
        self.sources.get(&self.key(name)?)
    }

    fn key(&self, name: &ObjectName) -> Option<(String, String)> {
        Some(match self.find(name)? {
            Found::Lake(table) => (table.schema.clone(), table.name.clone()),
            Found::Catalog { schema, name } => (schema, name),
            Found::Earlier { table, name, .. } => (table.schema.clone(), name),
        })
    }

    /// Every column of an opened relation, its system columns last.
    fn all_columns(&self, table: &ObjectName) -> Option<Vec<String>> {
        let source = self.source(table)?;
        Some(source.schema().fields().iter().map(|field| field.name().clone()).collect())
    }

    /// How many of the last columns of an opened relation are system columns.
    fn hidden(&self, table: &ObjectName, width: usize) -> usize {
        let hidden = match self.find(table) {
            Some(Found::Catalog { schema, name }) if pg_catalog::has_system_columns(&schema, &name) => {
                pg_catalog::SYSTEM_COLUMNS.len()
            }
            Some(Found::Lake(table)) => {
                self.with_system_columns.get(&(table.schema.clone(), table.name.clone())).copied().unwrap_or_default()
            }
            _ => 0,
        };
        hidden.min(width)
    }

    /// Whether a function answers differently each time that it is called.
    pub(super) fn is_volatile(&self, function: &ObjectName) -> bool {
        let name = function.0.last().and_then(|part| part.as_ident()).map(fold);
        let function = name.and_then(|name| self.scalar_function(&name));
        function.is_some_and(|function| function.signature().volatility == Volatility::Volatile)
    }

    pub(super) fn scalar_function(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        let mut functions = self.functions.lock();
        if let Some(known) = functions.get(name) {
            return known.clone();
        }
        let found = session_functions::find(name, &self.session, &self.registry, &self.view)
            .or_else(|| self.state.scalar_functions().get(name).cloned())
            .or_else(|| pg_catalog::function(name, &self.view));
        functions.insert(name.to_owned(), found.clone());
        found
    }
}

/// The relation that a function without arguments is.
pub(super) fn relation_of(function: &str) -> Option<ObjectName> {
    let relation = pg_catalog::relation_of_function(function)?;
    Some(ObjectName::from(vec![Ident::with_quote('"', "pg_catalog"), Ident::with_quote('"', relation)]))
}

/// The key that an identifier means.
fn any_case<'a>(name: &Ident, mut keys: impl Iterator<Item = &'a String> + Clone) -> Option<&'a String> {
    let exact = fold(name);
    if let Some(key) = keys.clone().find(|key| **key == exact) {
        return Some(key);
    }
    if name.quote_style.is_some() {
        return None;
    }
    let mut same = keys.by_ref().filter(|key| key.to_lowercase() == exact);
    let first = same.next()?;
    same.next().is_none().then_some(first)
}

fn object_name(reference: &TableReference) -> ObjectName {
    let parts = [reference.catalog(), reference.schema(), Some(reference.table())];
    ObjectName::from(parts.into_iter().flatten().map(|part| Ident::with_quote('"', part)).collect::<Vec<_>>())
}

pub(super) fn undefined_table(name: impl std::fmt::Display) -> Error {
    Error::new(SqlState::UndefinedTable, format!("relation \"{name}\" does not exist"))
}

impl ContextProvider for Scope {
    fn get_table_source(&self, name: TableReference) -> PlanResult<Arc<dyn TableSource>> {
        if self.is_of_cte(&name) {
            return Err(DataFusionError::External(Box::new(undefined_table(name))));
        }
        let key = self.key(&object_name(&name));
        self.read.lock().extend(key.clone());
        let found = key.and_then(|key| self.sources.get(&key)).cloned();
        found.ok_or_else(|| DataFusionError::External(Box::new(undefined_table(name))))
    }

    fn get_table_function_source(&self, name: &str, args: Vec<Expr>) -> PlanResult<Arc<dyn TableSource>> {
        let function = self.state.table_functions().get(name).ok_or_else(|| {
            let error = Error::new(SqlState::UndefinedFunction, format!("function {name} does not exist"));
            DataFusionError::External(Box::new(error))
        })?;
        let args = datafusion::catalog::TableFunctionArgs::new(&args, self.state.as_ref());
        Ok(provider_as_source(function.create_table_provider_with_args(args)?))
    }

    fn create_cte_work_table(&self, name: &str, schema: SchemaRef) -> PlanResult<Arc<dyn TableSource>> {
        Ok(provider_as_source(Arc::new(CteWorkTable::new(name, schema))))
    }

    fn get_expr_planners(&self) -> &[Arc<dyn ExprPlanner>] {
        self.state.expr_planners()
    }

    fn get_relation_planners(&self) -> &[Arc<dyn RelationPlanner>] {
        self.state.relation_planners()
    }

    fn get_type_planner(&self) -> Option<Arc<dyn TypePlanner>> {
        let zone = self.session.vars().display().time_zone.name().into();
        Some(Arc::new(super::types::PgTypes { zone }))
    }

    fn get_function_meta(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        self.scalar_function(name)
    }

    fn get_higher_order_meta(&self, name: &str) -> Option<Arc<HigherOrderUDF>> {
        self.state.higher_order_functions().get(name).cloned()
    }

    fn get_aggregate_meta(&self, name: &str) -> Option<Arc<AggregateUDF>> {
        self.state.aggregate_functions().get(name).cloned()
    }

    fn get_window_meta(&self, name: &str) -> Option<Arc<WindowUDF>> {
        self.state.window_functions().get(name).cloned()
    }

    fn get_variable_type(&self, _variable_names: &[String]) -> Option<DataType> {
        None
    }

    fn options(&self) -> &ConfigOptions {
        self.state.config_options()
    }

    fn udf_names(&self) -> Vec<String> {
        self.state.scalar_functions().keys().cloned().collect()
    }

    fn higher_order_function_names(&self) -> Vec<String> {
        self.state.higher_order_functions().keys().cloned().collect()
    }

    fn udaf_names(&self) -> Vec<String> {
        self.state.aggregate_functions().keys().cloned().collect()
    }

    fn udwf_names(&self) -> Vec<String> {
        self.state.window_functions().keys().cloned().collect()
    }
}

pub(super) fn view_of(table: &Table) -> Option<&View> {
    match &table.kind {
        Kind::View(view) => Some(view),
        Kind::Lake(_) => None,
    }
}
