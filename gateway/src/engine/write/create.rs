//! CREATE TABLE, CREATE TABLE AS and SELECT INTO. <https://www.postgresql.org/docs/16/sql-createtable.html>

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use catalog::{Column, Name, NewTable, Table};
use sqlparser::ast::{
    CharacterLength, ColumnDef, ColumnOption, CreateTable as Ast, CreateTableOptions, DataType as Sql, ExactNumberInfo,
    Expr, HiveDistributionStyle, ObjectName, Query, SetExpr, SqlOption, TableConstraint, Value,
};
use udfs::pg_type;

use super::block::{Lease, refused};
use super::rows::{self, Shape};
use super::{Asked, Write};
use crate::engine::define::already_exists;
use crate::engine::plan::{self, Planned};
use crate::engine::run::Run;
use crate::engine::{Core, Prepared, Statement, Tag, rewrite};
use crate::error::{Error, Result, SqlState};
use crate::session::{Notice, Session, SessionEffect, fold};

pub(in crate::engine) struct Create {
    pub(super) name: Name,
    pub(super) columns: Vec<Column>,
    partition_by: Vec<String>,
    if_not_exists: bool,
    /// Whether it is one that makes a table of a query.
    is_as: bool,
    /// The query whose rows it gets.
    pub(super) planned: Option<Planned>,
    /// The table in whose place it is made.
    pub(super) replaces: Option<Arc<Table>>,
    /// The id of a load.
    pub(super) id: Option<String>,
}

impl Create {
    pub(super) fn command(&self) -> &'static str {
        if self.is_as { "CREATE TABLE AS" } else { "CREATE TABLE" }
    }
}

pub(super) async fn prepare(asked: Asked, create: &Ast) -> Result<Prepared> {
    let create = plan(&asked, create).await?;
    Ok(Prepared::write(asked.statement, Write::Create(create)))
}

pub(super) async fn plan(asked: &Asked, create: &Ast) -> Result<Create> {
    refuse_clauses(create)?;
    let name = asked.scope().new_name(&create.name).map_err(|error| asked.at(error, &create.name))?;
    let partition_by = partition_by(create)?;
    let (columns, planned) = match &create.query {
        Some(query) => {
            let planned = asked.query(query.as_ref().clone()).await?;
            (of_query(&planned, &named(&create.columns))?, Some(planned))
        }
        None => (asked.declared(&create.columns).await?, None),
    };
    let is_as = planned.is_some();
    let planned = planned.filter(|_| !asked.statement.is_without_data);
    refuse_unknown(&partition_by, &columns)?;
    let if_not_exists = create.if_not_exists;
    Ok(Create { name, columns, partition_by, if_not_exists, is_as, planned, replaces: None, id: None })
}

/// `SELECT ... INTO t`.
pub(super) async fn select_into(asked: Asked, query: &Query) -> Result<Prepared> {
    let mut query = query.clone();
    let into = match query.body.as_mut() {
        SetExpr::Select(select) => select.into.take(),
        _ => None,
    };
    let into = into.ok_or_else(|| Error::internal("SELECT INTO without a table"))?;
    if into.temporary {
        return Err(temporary());
    }
    let name = asked.scope().new_name(&into.name).map_err(|error| asked.at(error, &into.name))?;
    let planned = asked.query(query).await?;
    let columns = of_query(&planned, &[])?;
    let partition_by = Vec::new();
    let (is_as, planned, replaces, id) = (true, Some(planned), None, None);
    let create = Create { name, columns, partition_by, if_not_exists: false, is_as, planned, replaces, id };
    Ok(Prepared::write(asked.statement, Write::Create(create)))
}

/// The columns that a statement declares, on a planner's thread.
pub(in crate::engine) async fn declared(
    core: Arc<Core>,
    session: Arc<Session>,
    statement: Statement,
    defs: &[ColumnDef],
) -> Result<Vec<Column>> {
    Asked { core, session, statement, declared: Vec::new(), over: None }.declared(defs).await
}

impl Asked {
    pub(super) async fn query(&self, query: Query) -> Result<Planned> {
        let (core, session) = (Arc::clone(&self.core), Arc::clone(&self.session));
        let message = Arc::clone(&self.statement.message);
        plan::query_over(core, session, (Box::new(query), self.over.clone()), message, self.declared.clone()).await
    }

    /// The columns that a statement declares. A cast to each type says what it is.
    pub(super) async fn declared(&self, defs: &[ColumnDef]) -> Result<Vec<Column>> {
        if defs.is_empty() {
            return Err(Error::unsupported("a table without columns is not supported"));
        }
        for def in defs {
            refuse_type(def).map_err(|error| self.at_ident(error, &def.name))?;
        }
        let casts = defs.iter().map(|def| rewrite::cast(Expr::value(Value::Null), def.data_type.clone()));
        let planned = self.query(rewrite::row_of(casts.collect())).await?;
        let columns = defs.iter().zip(planned.columns.fields()).map(|(def, field)| {
            let nullable = is_nullable(def)?;
            let field = field.as_ref().clone().with_name(fold(&def.name)).with_nullable(nullable);
            column(&field, characters_max(&def.data_type))
        });
        let columns = columns.collect::<Result<Vec<_>>>()?;
        refuse_twice(&columns)?;
        Ok(columns)
    }
}

/// The columns of a query's result, under other names if the statement gives them.
pub(in crate::engine) fn of_query(planned: &Planned, names: &[String]) -> Result<Vec<Column>> {
    if !planned.param_types.is_empty() {
        return Err(Error::new(SqlState::UndefinedParameter, "there is no parameter $1"));
    }
    let fields = planned.columns.fields();
    if names.len() > fields.len() {
        return Err(Error::new(SqlState::SyntaxError, "too many column names were specified"));
    }
    let columns = fields.iter().enumerate().map(|(at, field)| {
        let name = names.get(at).unwrap_or(field.name()).clone();
        let field = field.as_ref().clone().with_name(name).with_nullable(true);
        // What nobody gave a type is a text.
        let field = if *field.data_type() == DataType::Null { field.with_data_type(DataType::Utf8) } else { field };
        column(&field, None)
    });
    let columns = columns.collect::<Result<Vec<_>>>()?;
    refuse_twice(&columns)?;
    Ok(columns)
}

fn named(defs: &[ColumnDef]) -> Vec<String> {
    defs.iter().map(|def| fold(&def.name)).collect()
}

/// A numeric has the scale that is declared, or as many as it has values.
fn column(field: &Field, characters_max: Option<u32>) -> Result<Column> {
    let is_free = field.data_type().is_decimal() && !pg_type::is_declared(field);
    let tagged = pg_type::tagged(field.name(), field.data_type().clone(), "numeric");
    let column = if is_free { Column::new(&tagged, None) } else { Column::new(field, characters_max) };
    Ok(column.map_err(catalog::Error::from)?)
}

fn refuse_twice(columns: &[Column]) -> Result<()> {
    let mut names = HashSet::new();
    match columns.iter().find(|column| !names.insert(column.name())) {
        Some(column) => {
            let message = format!("column \"{}\" specified more than once", column.name());
            Err(Error::new(SqlState::DuplicateColumn, message))
        }
        None => Ok(()),
    }
}

pub(in crate::engine) fn refuse_unknown(partition_by: &[String], columns: &[Column]) -> Result<()> {
    match partition_by.iter().find(|name| columns.iter().all(|column| column.name() != *name)) {
        Some(name) => {
            let message = format!("column \"{name}\" named in partition key does not exist");
            Err(Error::new(SqlState::UndefinedColumn, message))
        }
        None if !partition_by.is_empty() && partition_by.len() >= columns.len() => {
            Err(Error::unsupported("a table needs a column that is not of its partitions"))
        }
        None => Ok(()),
    }
}

/// What a column says beside its type. Nothing that would be promised and not kept is taken.
fn is_nullable(def: &ColumnDef) -> Result<bool> {
    let refused =
        |clause: &str| Error::unsupported(format!("{clause} of column \"{}\" is not supported", fold(&def.name)));
    let mut nullable = true;
    for option in &def.options {
        match &option.option {
            ColumnOption::Null => {}
            ColumnOption::NotNull => nullable = false,
            ColumnOption::Default(_) => return Err(refused("DEFAULT")),
            ColumnOption::PrimaryKey(_) => return Err(refused("PRIMARY KEY").hint(KEY_HINT)),
            ColumnOption::Unique(_) => return Err(refused("UNIQUE").hint(KEY_HINT)),
            ColumnOption::ForeignKey(_) => return Err(refused("REFERENCES")),
            ColumnOption::Check(_) => return Err(refused("CHECK")),
            ColumnOption::Generated { .. } | ColumnOption::Identity(_) => return Err(refused("GENERATED")),
            ColumnOption::Collation(_) => return Err(refused("COLLATE")),
            other => return Err(refused(&other.to_string())),
        }
    }
    Ok(nullable)
}

const KEY_HINT: &str = "Tables of the lake have no indexes, so keys are not checked: leave it out.";

fn refuse_type(def: &ColumnDef) -> Result<()> {
    let refused = |message: String, hint: &str| Err(Error::unsupported(message).hint(hint));
    match &def.data_type {
        Sql::Unspecified => {
            Err(Error::new(SqlState::SyntaxError, format!("column \"{}\" has no type", fold(&def.name))))
        }
        Sql::Numeric(ExactNumberInfo::None) | Sql::Decimal(ExactNumberInfo::None) | Sql::Dec(ExactNumberInfo::None) => {
            let message = format!("column \"{}\" of type numeric needs a precision and a scale", fold(&def.name));
            refused(message, "Write it as in numeric(38, 10), or use double precision.")
        }
        Sql::Timestamp(Some(digits), _) if *digits != 6 => {
            let message = format!("column \"{}\" of type timestamp({digits}) is not supported", fold(&def.name));
            refused(message, "Leave the number of digits out: all six are kept.")
        }
        Sql::Custom(name, _) if is_serial(name) => {
            let message = format!("column \"{}\" of type {name} is not supported", fold(&def.name));
            refused(message, "There are no sequences: use bigint, and give the values.")
        }
        _ => Ok(()),
    }
}

fn is_serial(name: &ObjectName) -> bool {
    let name = name.to_string().to_ascii_lowercase();
    matches!(name.as_str(), "serial" | "bigserial" | "smallserial" | "serial2" | "serial4" | "serial8")
}

fn characters_max(data_type: &Sql) -> Option<u32> {
    match data_type {
        Sql::Varchar(Some(CharacterLength::IntegerLength { length, .. }))
        | Sql::CharacterVarying(Some(CharacterLength::IntegerLength { length, .. }))
        | Sql::CharVarying(Some(CharacterLength::IntegerLength { length, .. })) => u32::try_from(*length).ok(),
        _ => None,
    }
}

fn temporary() -> Error {
    Error::unsupported("temporary tables are not supported").hint("Use a WITH query, or a table of the lake.")
}

fn refuse_clauses(create: &Ast) -> Result<()> {
    let refused = |clause: &str| Err(Error::unsupported(format!("CREATE TABLE ... {clause} is not supported")));
    if create.temporary {
        return Err(temporary());
    }
    match create.constraints.first() {
        None => {}
        Some(TableConstraint::PrimaryKey(_)) => {
            return Err(Error::unsupported("CREATE TABLE ... PRIMARY KEY is not supported").hint(KEY_HINT));
        }
        Some(TableConstraint::Unique(_)) => {
            return Err(Error::unsupported("CREATE TABLE ... UNIQUE is not supported").hint(KEY_HINT));
        }
        Some(TableConstraint::ForeignKey(_)) => return refused("FOREIGN KEY"),
        Some(TableConstraint::Check(_)) => return refused("CHECK"),
        Some(_) => return refused("CONSTRAINT"),
    }
    let clauses = [
        ("OR REPLACE", create.or_replace),
        ("LIKE", create.like.is_some()),
        ("INHERITS", create.inherits.is_some()),
        ("PARTITION OF", create.partition_of.is_some()),
        ("ON COMMIT", create.on_commit.is_some()),
        ("LOCATION", create.location.is_some()),
        ("STORED AS", create.file_format.is_some()),
        ("CLONE", create.clone.is_some()),
    ];
    if let Some((clause, _)) = clauses.into_iter().find(|(_, is_given)| *is_given) {
        return refused(clause);
    }
    if create.partition_by.is_some() {
        return Err(Error::unsupported("CREATE TABLE ... PARTITION BY is not supported")
            .hint("Write PARTITIONED BY (column), or WITH (partition_by = 'column')."));
    }
    Ok(())
}

/// `PARTITIONED BY (a, b)`, or `WITH (partition_by = 'a, b')`.
fn partition_by(create: &Ast) -> Result<Vec<String>> {
    let mut names = match &create.hive_distribution {
        HiveDistributionStyle::NONE => Vec::new(),
        HiveDistributionStyle::PARTITIONED { columns } => columns.iter().map(|def| fold(&def.name)).collect(),
        HiveDistributionStyle::SKEWED { .. } => {
            return Err(Error::unsupported("CREATE TABLE ... SKEWED BY is not supported"));
        }
    };
    let options = match &create.table_options {
        CreateTableOptions::None => &[],
        CreateTableOptions::With(options) => options.as_slice(),
        other => return Err(Error::unsupported(format!("CREATE TABLE ... {other} is not supported"))),
    };
    for option in options {
        match option {
            SqlOption::KeyValue { key, value: Expr::Value(value) } if fold(key) == "partition_by" => {
                let Value::SingleQuotedString(text) = &value.value else {
                    return Err(Error::new(SqlState::InvalidParameterValue, "partition_by takes a text"));
                };
                names.extend(text.split(',').map(|name| name.trim().to_owned()));
            }
            SqlOption::KeyValue { key, .. } => {
                let message = format!("unrecognized parameter \"{}\"", fold(key));
                return Err(
                    Error::new(SqlState::InvalidParameterValue, message).hint("There is partition_by = 'column, ...'.")
                );
            }
            other => return Err(Error::unsupported(format!("CREATE TABLE ... WITH ({other}) is not supported"))),
        }
    }
    Ok(names)
}

pub(super) async fn run(mut run: Run<'_>, create: &Create) -> Result<Tag> {
    let scope = run.core.scope(run.session, &run.prepared.statement.message);
    let name = &create.name;
    let is_there = scope.snapshot.named(name).is_some()
        || scope.snapshot.script.defines(&name.schema, &name.name).is_some()
        || run.session.transaction().written.as_ref().is_some_and(|block| block.target().name == *name);
    let is_taken = is_there && create.replaces.is_none();
    if is_taken && create.if_not_exists {
        let message = format!("relation \"{}\" already exists, skipping", name.name);
        run.session.push_effect(SessionEffect::Notice(Notice::note(SqlState::DuplicateTable, message)))?;
        return Ok(Tag::command(create.command()));
    }
    if is_taken {
        return Err(already_exists(&name.name));
    }
    if run.session.transaction().written.is_some() {
        return Err(refused("a transaction block can write to one table only"));
    }
    let (name, columns, partition_by) = (name.clone(), create.columns.clone(), create.partition_by.clone());
    let new = NewTable { name, columns, partition_by, properties: BTreeMap::new() };
    let target = match &create.replaces {
        Some(table) => run.core.lake.replacement(table, new).await?,
        None => run.core.lake.new_table(new).await?,
    };
    let operation = if create.is_as { "CREATE TABLE AS SELECT" } else { "CREATE TABLE" };
    let mut lease = Lease::take(run.session, &target, operation)?;
    if create.replaces.is_some() {
        lease.block()?.remove_all()?;
    }
    let mut count = 0;
    if let Some(planned) = &create.planned {
        let params = std::mem::take(&mut run.params);
        let stream = run.stream(planned, params).await?;
        let shape = Shape::whole(&target.columns);
        let block = lease.block()?;
        let writer = block.take_writer(run.core)?;
        let writer = rows::write(&run.core.cpu, stream, shape, writer).await?;
        count = writer.rows();
        block.give_back(writer);
    }
    if let Some(id) = &create.id {
        lease.block()?.change().load_once(id, count);
    }
    lease.end(run.core, run.guard).await?;
    Ok(match &create.planned {
        Some(_) => Tag::counted("SELECT", count),
        None => Tag::command(create.command()),
    })
}
