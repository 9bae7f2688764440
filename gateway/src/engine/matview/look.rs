//! One look at a materialized view: its query planned over the lake as it is now, and the table that has its rows.
//!
//! Owns: that a view has the same rows whoever refreshes it: it is planned by a session of its own, in UTC and by the search path
//! of its definition.

use std::sync::Arc;

use arrow::datatypes::DataType;
use catalog::pg_catalog::pg_type_of;
use catalog::{Column, Kind, Lineage, Matview, Name, NewTable, Options, Scanned, Table, Target};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Expr, LogicalPlan, Volatility};

use super::decide::{Way, class};
use super::dirty::Dirty;
use super::made_of::MadeOf;
use super::stale::Judged;
use crate::auth::Role;
use crate::engine::plan::{self, Planned};
use crate::engine::write::create::{of_query, refuse_unknown};
use crate::engine::{Core, Prepared, parse};
use crate::error::{Error, Result, SqlState};
use crate::session::{Session, Vars};

/// The user of the sessions that refresh.
const USER: &str = "lakegate";

pub(super) struct Look {
    pub(super) name: Name,
    pub(super) table: Arc<Table>,
    pub(super) matview: Arc<Matview>,
    pub(super) session: Arc<Session>,
    /// The statement as it is told of.
    pub(super) prepared: Prepared,
    pub(super) planned: Planned,
    pub(super) columns: Vec<Column>,
    pub(super) made_of: MadeOf,
    /// What its rows depend on beside the files.
    pub(super) fingerprint: String,
    /// What in the query changes without a file that does.
    pub(super) changing: Option<String>,
    /// The table that has its rows.
    result: Option<Scanned>,
}

impl Look {
    pub(super) async fn at(core: &Arc<Core>, name: &Name, database: &str) -> Result<Self> {
        let looking = look(Arc::clone(core), name.clone(), database.to_owned());
        core.cpu.block(move |handle| handle.block_on(looking)).await?
    }

    /// The same, on the thread of a planner.
    pub(super) async fn in_place(core: &Arc<Core>, name: &Name, database: &str) -> Result<Self> {
        look(Arc::clone(core), name.clone(), database.to_owned()).await
    }

    /// Whether the files are those of a record, and nothing else changes the rows.
    pub(super) fn is_of(&self, base: &Lineage) -> bool {
        let now = &self.made_of.lineage;
        self.made_of.untold.is_none()
            && self.changing.is_none()
            && base.definition == self.fingerprint
            && base.sources.len() == now.len()
            && base.sources.iter().zip(now.iter()).all(|(before, now)| {
                before.table == now.table && before.columns == now.columns && before.difference(now).is_empty()
            })
    }

    /// How its rows follow the files, and why not better.
    pub(super) fn class(&self) -> Way {
        let (plan, options) = (&self.planned.plan, &self.matview.options);
        class((plan, &self.columns), (&self.made_of, self.changing.as_ref()), options)
    }

    /// The type of a column as the table shows it.
    pub(super) fn partition_type(&self, place: usize) -> Option<DataType> {
        let column = self.columns.get(place)?;
        let known = self.result.as_ref().and_then(|result| result.data_type(column.name()).cloned());
        Some(known.unwrap_or_else(|| column.field.data_type().clone()))
    }

    /// The places of the files of the table that are of partitions; `None` if that is not known of all.
    pub(super) fn partition_files(&self, place: usize, dirty: &Dirty) -> Option<Vec<usize>> {
        let ranges = self.result.as_ref()?.ranges(self.columns.get(place)?.name());
        let mut files = Vec::new();
        for (at, range) in ranges.into_iter().enumerate() {
            let is_dirty = match range? {
                (None, _) => dirty.has(None),
                (Some((least, greatest)), _) if least == greatest => dirty.has(Some(&least)),
                _ => return None,
            };
            files.extend(is_dirty.then_some(at));
        }
        Some(files)
    }

    /// The table that takes its rows, which may be made by that.
    pub(super) async fn target(&self, core: &Core) -> Result<Target> {
        let target = match &self.table.kind {
            Kind::Lake(_) => core.lake.target(&self.table).await?,
            Kind::View(_) => {
                let (name, columns, properties) = (self.name.clone(), self.columns.clone(), Target::of_view());
                let partition_by = self.matview.options.partition_by.clone();
                return Ok(core.lake.new_table(NewTable { name, columns, partition_by, properties }).await?);
            }
        };
        if !target.is_of_view() {
            let message = format!("table \"{}\" is not that of a materialized view", self.name.name);
            return Err(Error::new(SqlState::DuplicateTable, message)
                .detail("It has the name of the view, and rows that the view did not make.")
                .hint("Drop the table, or give the view another name."));
        }
        self.refuse_other_columns(&target)?;
        Ok(target)
    }

    /// The table keeps its columns, on which others count.
    fn refuse_other_columns(&self, target: &Target) -> Result<()> {
        let hint =
            "The view keeps its last rows. DROP MATERIALIZED VIEW and create it anew, or cast the column in its query.";
        let wrong = |message: String| Err(Error::new(SqlState::InvalidTableDefinition, message).hint(hint));
        if self.columns.len() != target.columns.len() {
            let (had, has) = (target.columns.len(), self.columns.len());
            return wrong(format!("the query of the materialized view has {has} columns and had {had}"));
        }
        for (column, known) in self.columns.iter().zip(target.columns.iter()) {
            let (is, was) = (pg_type_of(&column.field).sql_name(), pg_type_of(&known.field).sql_name());
            if column.name() != known.name() || is != was {
                let (name, known) = (column.name(), known.name());
                return wrong(format!(
                    "column \"{known}\" of the materialized view was {was}, and now is \"{name}\" {is}"
                ));
            }
        }
        Ok(())
    }
}

/// The places of the columns by whose values rows lie in folders.
pub(super) fn partition_places(options: &Options, columns: &[Column]) -> Vec<usize> {
    let place = |name: &String| columns.iter().position(|column| column.name() == name);
    options.partition_by.iter().filter_map(place).collect()
}

async fn look(core: Arc<Core>, name: Name, database: String) -> Result<Look> {
    let snapshot = core.lake.snapshot();
    let found = snapshot.named(&name).and_then(|table| Some((Arc::clone(table), table.matview.clone()?)));
    let Some((table, matview)) = found else {
        let message = format!("materialized view \"{}\" does not exist", name.name);
        return Err(Error::new(SqlState::UndefinedTable, message));
    };
    let session = session(&core, database)?;
    let planned = planned(&core, &session, &matview, Default::default()).await?;
    let columns = of_query(&planned, &matview.columns)?;
    refuse_unknown(&matview.options.partition_by, &columns)?;
    let made_of = MadeOf::of(&planned.plan)?;
    let changing = changing(&planned.plan);
    let fingerprint = matview.fingerprint(&planned.plan.display_indent_schema().to_string());
    let result = match &table.kind {
        Kind::Lake(_) => Scanned::of(table.provider().await?.as_ref()),
        Kind::View(_) => None,
    };
    let text: Arc<str> = format!("REFRESH MATERIALIZED VIEW {name}").into();
    let mut statements = parse::statements(&matview.query)?;
    let statement = statements.pop().ok_or_else(|| Error::internal("a view without a statement"))?;
    let statement = crate::engine::Statement { text, ..statement };
    let prepared = Prepared::query(statement, planned.clone());
    Ok(Look { name, table, matview, session, prepared, planned, columns, made_of, fingerprint, changing, result })
}

/// What the query of a view is made of and how its rows would follow that, before it is defined.
pub(super) fn kind(planned: &Planned, matview: &Matview, columns: &[Column]) -> Result<(MadeOf, Way)> {
    let made_of = MadeOf::of(&planned.plan)?;
    let changing = changing(&planned.plan);
    let class = class((&planned.plan, columns), (&made_of, changing.as_ref()), &matview.options);
    Ok((made_of, class))
}

/// A session that no client has.
pub(in crate::engine) fn session(core: &Core, database: String) -> Result<Arc<Session>> {
    let role = Role { name: USER.to_owned(), superuser: true, connection_limit: None, read_only: false };
    let (id, _) = core.registry.allocate(4)?;
    Ok(Arc::new(Session::new(id, database, Arc::new(role), None, Vars::default()).of_server()))
}

/// Plans the query of a view, among `depth` others around it.
pub(super) async fn planned(
    core: &Arc<Core>,
    session: &Arc<Session>,
    matview: &Matview,
    within: (Arc<Judged>, usize),
) -> Result<Planned> {
    let mut statements = parse::statements(&matview.query)?;
    let statement = statements.pop().filter(|_| statements.is_empty());
    let query = statement.as_ref().and_then(|statement| Some((statement, plan::view_query(&statement.ast)?)));
    let Some((statement, query)) = query else {
        return Err(Error::new(SqlState::SyntaxError, "a materialized view has one query"));
    };
    let (message, path) = (Arc::clone(&statement.message), matview.view.search_path.clone());
    plan::query_in(Arc::clone(core), Arc::clone(session), (Box::new(query.clone()), path), message, within).await
}

/// The first call in a plan whose value is not that of its arguments alone.
pub(super) fn volatile(plan: &LogicalPlan) -> Option<String> {
    call(plan, &|expr| match expr {
        Expr::ScalarFunction(call) => call.func.signature().volatility == Volatility::Volatile,
        _ => false,
    })
}

/// Whether rows of the same files can be others at another time or in another session.
pub(in crate::engine) fn changes_by_itself(plan: &LogicalPlan) -> bool {
    volatile(plan).is_some() || changing(plan).is_some()
}

/// What changes by itself: the time, the session.
fn changing(plan: &LogicalPlan) -> Option<String> {
    let found = call(plan, &|expr| match expr {
        Expr::ScalarFunction(call) => {
            let is_of_nothing = call.args.iter().all(|argument| argument.column_refs().is_empty());
            // The age of a moment is that of today.
            let is_age = call.func.name() == "age" && call.args.len() == 1;
            call.func.signature().volatility == Volatility::Stable && (is_of_nothing || is_age)
        }
        _ => false,
    });
    found.map(|function| format!("{function}() changes by itself"))
}

fn call(plan: &LogicalPlan, is_it: &dyn Fn(&Expr) -> bool) -> Option<String> {
    let mut found = None;
    let walked = plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expr| {
            expr.apply(|expr| {
                if let Expr::ScalarFunction(call) = expr
                    && is_it(expr)
                {
                    found = Some(call.func.name().to_owned());
                    return Ok(TreeNodeRecursion::Stop);
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    });
    // A plan that cannot be walked is one that nothing is known of.
    walked.map_or_else(|error| Some(error.to_string()), |_| found)
}
