//! A load: rows that a client sends in columns, into a table that is there, or one that is made of them.
//!
//! Owns: which statement it is, an INSERT or a CREATE TABLE AS, and that a load with an id is made once, however often it is
//! sent. Must never know: how the rows travel.

use std::collections::HashMap;
use std::sync::Arc;

use catalog::{Advance, Column};
use datafusion::catalog::streaming::StreamingTable;
use datafusion::physical_plan::streaming::PartitionStream;
use sqlparser::ast::{Ident, ObjectName, Statement as Ast};

use super::block::refused;
use super::given::Given;
use super::{Asked, Write, create, insert};
use crate::engine::define::{already_exists, kind, name_of};
use crate::engine::plan::Over;
use crate::engine::run::Run;
use crate::engine::scope::{Found, GIVEN, undefined_table};
use crate::engine::{Core, Count, Engine, Outcome, Prepared, Statement, Tag, parse};
use crate::error::{Error, Result, SqlState};
use crate::session::{Session, StatementGuard, transaction};

/// The log keeps ids.
const ID_BYTES_MAX: usize = 256;

/// What a client asks for with its rows.
#[derive(Debug)]
pub struct Load {
    /// `None` is the search path's.
    pub schema: Option<String>,
    pub table: String,
    /// Whether a table is made if there is none.
    pub creates: bool,
    pub if_exists: IfExists,
    /// What the client calls it. A load that was committed is not made again.
    pub id: Option<String>,
    /// Of a stream: how far it comes with these rows.
    pub advance: Option<Advance>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfExists {
    Fail,
    Append,
    Replace,
}

impl Engine {
    /// Writes all rows in one commit, or none; gives how many they are.
    pub async fn load(&self, session: &Arc<Session>, guard: &StatementGuard, load: Load, given: Given) -> Result<u64> {
        self.check_open()?;
        load.check(session)?;
        let statement = self.parse(load.insert(&given)).await?.pop();
        let statement = statement.ok_or_else(|| Error::internal("a load is no statement"))?;
        session.activity().start(&statement.text);
        let (load, given) = (Arc::new(load), Arc::new(given));
        let running = self.core.log.begin(session, &statement.text);
        let guard = &running.guard(guard);
        let loaded = guard.run(Box::pin(self.make(session, guard, (&load, &statement), &given))).await;
        loaded.iter().for_each(|rows| running.entry.add_rows(*rows));
        running.finish(loaded.as_ref().err().map(|error| error.state));
        loaded
    }

    async fn make(
        &self,
        session: &Arc<Session>,
        guard: &StatementGuard,
        (load, statement): (&Arc<Load>, &Statement),
        given: &Arc<Given>,
    ) -> Result<u64> {
        let mut known = self.known(session, load, statement).await?;
        if known.is_none() {
            match self.write(session, guard, (load, statement), given).await {
                Ok(count) => return Ok(count),
                Err(error) => known = Some(self.known_after(error, session, load, statement).await?),
            }
        }
        // Clients take an answer that comes before their last row for a failure.
        given.drain().await?;
        known.ok_or_else(|| Error::internal("a load has no end"))
    }

    async fn write(
        &self,
        session: &Arc<Session>,
        guard: &StatementGuard,
        (load, statement): (&Arc<Load>, &Statement),
        given: &Arc<Given>,
    ) -> Result<u64> {
        let core = &self.core;
        let provider =
            StreamingTable::try_new(Arc::clone(given.schema()), vec![Arc::clone(given) as Arc<dyn PartitionStream>])?;
        let over = Some(Over::Given(Arc::new(provider)));
        let (core_, session_, statement) = (Arc::clone(core), Arc::clone(session), statement.clone());
        let asked = Asked { core: core_, session: session_, statement, declared: Vec::new(), over };
        let load = Arc::clone(load);
        let planning = Box::pin(async move { load.prepare(asked).await });
        let prepared = core.cpu.block(move |handle| handle.block_on(planning)).await??;
        core.log.tell(guard, &prepared);
        let run = Run { core, session, guard, prepared: &prepared, params: Vec::new() };
        match run.execute().await? {
            Outcome::Done(Tag { count: Count::Changed(rows), .. }) => Ok(rows),
            _ => Err(Error::internal("a load does not count its rows")),
        }
    }

    /// How many rows the load has written, if it was committed before.
    async fn known(&self, session: &Arc<Session>, load: &Arc<Load>, statement: &Statement) -> Result<Option<u64>> {
        if load.id.is_none() {
            return Ok(None);
        }
        let (core, load, session) = (Arc::clone(&self.core), Arc::clone(load), Arc::clone(session));
        let message = Arc::clone(&statement.message);
        let looking = Box::pin(async move { load.known(&core, &session, &message).await });
        self.core.cpu.block(move |handle| handle.block_on(looking)).await?
    }

    /// The same after a failure that the load itself may have caused, sent a second time to another replica or at once.
    async fn known_after(
        &self,
        error: Error,
        session: &Arc<Session>,
        load: &Arc<Load>,
        statement: &Statement,
    ) -> Result<u64> {
        let may_be_own = matches!(
            error.state,
            SqlState::SerializationFailure | SqlState::DuplicateTable | SqlState::StatementCompletionUnknown
        );
        if load.id.is_none() || !may_be_own || self.core.lake.refresh().await.is_err() {
            return Err(error);
        }
        self.known(session, load, statement).await.ok().flatten().ok_or(error)
    }
}

impl Load {
    fn check(&self, session: &Session) -> Result<()> {
        if session.transaction().status == transaction::Status::Failed {
            return Err(transaction::aborted());
        }
        let Some(id) = &self.id else { return Ok(()) };
        if id.is_empty() || id.len() > ID_BYTES_MAX {
            return Err(Error::new(SqlState::InvalidParameterValue, "invalid id of a load")
                .detail(format!("An id has at least one and at most {ID_BYTES_MAX} bytes.")));
        }
        if session.transaction().is_in_block() {
            return Err(refused("a load with an id cannot run inside a transaction block"));
        }
        Ok(())
    }

    fn name(&self) -> ObjectName {
        let parts = self.schema.iter().chain([&self.table]);
        ObjectName::from(parts.map(|part| Ident::with_quote('"', part)).collect::<Vec<_>>())
    }

    /// The load as the statement that it is to a table that is there.
    fn insert(&self, given: &Given) -> String {
        let columns = given.schema().fields().iter().map(|field| Ident::with_quote('"', field.name()).to_string());
        let columns = columns.collect::<Vec<_>>().join(", ");
        format!("INSERT INTO {} ({columns}) SELECT * FROM {}.{}", self.name(), GIVEN.0, GIVEN.1)
    }

    fn create(&self) -> String {
        format!("CREATE TABLE {} AS SELECT * FROM {}.{}", self.name(), GIVEN.0, GIVEN.1)
    }

    async fn known(&self, core: &Arc<Core>, session: &Arc<Session>, message: &Arc<str>) -> Result<Option<u64>> {
        match (&self.id, core.scope(session, message).find(&self.name())) {
            (Some(id), Some(Found::Lake(table))) if table.is_writable() => {
                Ok(core.lake.target(&table).await?.loaded(id))
            }
            _ => Ok(None),
        }
    }

    async fn prepare(&self, asked: Asked) -> Result<Prepared> {
        let (name, scope) = (self.name(), asked.scope());
        let is_there = asked.written(&scope, &name).is_some() || scope.find(&name).is_some();
        let prepared = match (is_there, self.if_exists) {
            (true, IfExists::Fail) => Err(already_exists(&self.table)),
            (true, IfExists::Append) => self.append(asked, false).await,
            (true, IfExists::Replace) => self.replace(asked).await,
            (false, _) if self.creates => {
                let (asked, create) = self.creation(asked).await?;
                Ok(Prepared::write(asked.statement, Write::Create(create)))
            }
            (false, _) => Err(undefined_table(match &self.schema {
                Some(schema) => format!("{schema}.{}", self.table),
                None => self.table.clone(),
            })),
        };
        prepared.map_err(|mut error| {
            // The client has not written the text in which it counts.
            error.position = None;
            error
        })
    }

    async fn append(&self, asked: Asked, replaces: bool) -> Result<Prepared> {
        let ast = Arc::clone(&asked.statement.ast);
        let Ast::Insert(ast) = ast.as_ref() else { return Err(Error::internal("a load is no INSERT")) };
        let mut insert = insert::plan(&asked, ast).await?;
        (insert.replaces, insert.id) = (replaces, self.id.clone());
        insert.advance.clone_from(&self.advance);
        Ok(Prepared::write(asked.statement, Write::Insert(insert)))
    }

    async fn creation(&self, asked: Asked) -> Result<(Asked, create::Create)> {
        let statement = parse::statements(&self.create())?.pop();
        let statement = statement.ok_or_else(|| Error::internal("a load is no statement"))?;
        let ast = Arc::clone(&statement.ast);
        let Ast::CreateTable(ast) = ast.as_ref() else { return Err(Error::internal("a load makes no table")) };
        let asked = Asked { statement, ..asked };
        let mut create = create::plan(&asked, ast).await?;
        create.id = self.id.clone();
        Ok((asked, create))
    }

    /// Of the same columns a table keeps what was declared of it; of others it is made anew.
    async fn replace(&self, asked: Asked) -> Result<Prepared> {
        let (name, insert) = (self.name(), asked.statement.clone());
        let target = asked.target(&name, "replace").await?;
        let (asked, mut create) = self.creation(asked).await?;
        // Rows of Arrow have no other type than text for what a column keeps as its text.
        let plain = |column: &Column| column.given().with_metadata(HashMap::default());
        if create.columns.iter().map(plain).eq(target.columns.iter().map(plain)) {
            return self.append(Asked { statement: insert, ..asked }, true).await;
        }
        let scope = asked.scope();
        let table = asked.table(&scope, &name, "replace")?;
        if let Some(view) = scope.users_of(&name_of(&table)).first() {
            let message = format!("cannot replace table {} because other objects depend on it", table.name);
            return Err(Error::new(SqlState::DependentObjectsStillExist, message)
                .detail(format!("{} {} depends on table {}", kind(view), view.name, table.name))
                .hint("Rows with the columns of the table replace its rows alone."));
        }
        create.replaces = Some(table);
        Ok(Prepared::write(asked.statement, Write::Create(create)))
    }
}
