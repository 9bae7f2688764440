//! Results that are bound to the versions of their files, as a whole or in parts.
//!
//! Owns: what tells the files of a result from all others, on every replica, and which of them each part has. Must never know:
//! who asks for the parts.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use arrow::datatypes::FieldRef;
use catalog::{Scanned, SourceLineage};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::scalar::ScalarValue;
use ring::digest;

use super::matview::{changes_by_itself, over, scanned};
use super::plan::{Plan, Planned};
use super::{Engine, Outcome, Prepared, changed_result_type, params, run};
use crate::error::{Error, Result, SqlState};
use crate::session::{Session, StatementGuard};

/// The files of a result, and which of them are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// Tells the query and the versions of its files from all others.
    pub files: Vec<u8>,
    /// Its place among the parts, and how many they are: 0 of 1 is the whole.
    pub part: (usize, usize),
}

impl Engine {
    /// The pins of a result in at most so many parts, which together have each row once. There is one, where rows do not follow
    /// the files of one table; and none, if that one need not be pinned. What must be and cannot is 0A000.
    pub async fn pins(&self, prepared: &Prepared, parts_max: usize, is_bound: bool) -> Result<Vec<Pin>> {
        let planned = match &prepared.plan {
            Plan::Query(planned) => planned.clone(),
            _ if is_bound && prepared.snapshot_version().is_some() => {
                return Err(Error::unsupported("only the rows of a query can be bound to a snapshot"));
            }
            _ => return Ok(Vec::new()),
        };
        self.on_cpu(move || {
            let sources = Sources::of(&planned.plan)?;
            let parts = if parts_max > 1 { parts_of(&planned.plan, &sources).min(parts_max) } else { 1 };
            match &sources.untold {
                Some(why) if is_bound => {
                    Err(Error::unsupported("the rows of this query cannot be bound to a snapshot").detail(why.clone()))
                }
                _ if !is_bound && parts == 1 => Ok(Vec::new()),
                _ => {
                    let files = fingerprint(&planned.plan, &sources);
                    Ok((0..parts).map(|part| Pin { files: files.clone(), part: (part, parts) }).collect())
                }
            }
        })
        .await?
    }

    /// Runs over the very files of the pin, or not at all.
    pub(super) async fn pinned(
        &self,
        session: &Arc<Session>,
        guard: &StatementGuard,
        (prepared, planned, pin): (&Prepared, &Planned, &Pin),
        params: Vec<ScalarValue>,
    ) -> Result<Outcome> {
        let core = &self.core;
        let mut planned = planned.clone();
        if planned.is_over(core.snapshot(session).version, &core.access(session)) {
            planned = self.planned_again(session, prepared, &prepared.param_types).await?;
        }
        let (seen, version) = (planned.clone(), planned.scope.snapshot.version);
        if self.on_cpu(move || Ok::<_, Error>(fingerprint(&seen.plan, &Sources::of(&seen.plan)?))).await?? != pin.files
        {
            return Err(changed_files());
        }
        if let Some(types) = params::retyped(&prepared.param_types, &params) {
            planned = self.planned_again(session, prepared, &types).await?;
            if planned.scope.snapshot.version != version {
                return Err(changed_files());
            }
        }
        let part = pin.part;
        let planned = self.on_cpu(move || restricted(planned, part)).await??;
        let prepared = &Prepared::query(prepared.statement.clone(), planned);
        run::Run { core, session, guard, prepared, params }.execute().await
    }

    async fn planned_again(&self, session: &Arc<Session>, prepared: &Prepared, types: &[FieldRef]) -> Result<Planned> {
        let types: Vec<_> = types.iter().cloned().map(Some).collect();
        let fresh = self.plan(session, &prepared.statement, &types).await?;
        match &fresh.plan {
            Plan::Query(planned) if prepared.answers_like(&fresh) => Ok(planned.clone()),
            _ => Err(changed_result_type()),
        }
    }
}

fn changed_files() -> Error {
    Error::new(SqlState::SerializationFailure, "the files of the result have changed since it was asked for")
        .hint("Ask for the result again.")
}

/// What a plan reads: each of its scans, subqueries included, with the files under it.
struct Sources {
    all: Vec<(Scanned, SourceLineage)>,
    /// Why it cannot be told.
    untold: Option<String>,
}

impl Sources {
    fn of(plan: &LogicalPlan) -> Result<Self> {
        let (mut all, mut untold) = (Vec::new(), None);
        plan.apply_with_subqueries(|node| {
            let LogicalPlan::TableScan(scan) = node else { return Ok(TreeNodeRecursion::Continue) };
            match scanned(scan) {
                Some(table) => {
                    let columns = table.schema().fields().iter().map(|field| field.name().clone()).collect();
                    match table.lineage(&columns) {
                        Some(files) => all.push((table, files)),
                        None => untold = Some(format!("The store gives no ETags for the files of {}.", table.table())),
                    }
                }
                None => untold = Some(format!("\"{}\" is no table of the lake.", scan.table_name)),
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
        Ok(Self { all, untold })
    }
}

/// The same on every replica that sees the same files, in whichever order.
fn fingerprint(plan: &LogicalPlan, sources: &Sources) -> Vec<u8> {
    let mut hash = digest::Context::new(&digest::SHA256);
    hash.update(plan.display_indent_schema().to_string().as_bytes());
    for (table, source) in &sources.all {
        // Quoted: nothing of one is taken for a part of another.
        let told = format!("\n{:?} {:?} {:?}", source.table, table.version(), source.columns);
        hash.update(told.as_bytes());
        let mut objects: Vec<_> =
            source.objects.iter().map(|object| (&object.key, &object.version, object.bytes)).collect();
        objects.sort_unstable();
        objects.iter().for_each(|object| hash.update(format!("{object:?}").as_bytes()));
    }
    hash.finish().as_ref().to_vec()
}

/// In how many parts a result can be read: as many as its table has files, or one.
fn parts_of(plan: &LogicalPlan, sources: &Sources) -> usize {
    match sources.all.as_slice() {
        [(_, source)] if sources.untold.is_none() && of_each_file(plan).is_some() && !changes_by_itself(plan) => {
            source.objects.len().max(1)
        }
        _ => 1,
    }
}

/// The one table of whose rows each is a row of the result by itself, or none.
fn of_each_file(plan: &LogicalPlan) -> Option<Scanned> {
    match plan {
        LogicalPlan::TableScan(scan) if scan.fetch.is_none() => scanned(scan),
        LogicalPlan::Projection(_) | LogicalPlan::Filter(_) | LogicalPlan::SubqueryAlias(_) => {
            match plan.inputs().as_slice() {
                [input] if !has_subquery(plan) => of_each_file(input),
                _ => None,
            }
        }
        _ => None,
    }
}

fn has_subquery(plan: &LogicalPlan) -> bool {
    let is_one = |expr: &Expr| {
        matches!(expr, Expr::ScalarSubquery(_) | Expr::InSubquery(_) | Expr::Exists(_) | Expr::SetComparison(_))
    };
    plan.expressions().iter().any(|expr| expr.exists(|expr| Ok(is_one(expr))).unwrap_or(true))
}

/// The plan of one part.
fn restricted(planned: Planned, (part, parts): (usize, usize)) -> Result<Planned> {
    if parts <= 1 {
        return Ok(planned);
    }
    let sources = Sources::of(&planned.plan)?;
    let [(table, source)] = sources.all.as_slice() else { return Err(changed_files()) };
    let provider = table.only(places(source, part, parts));
    Ok(Planned { plan: Arc::new(over(&planned.plan, table.table(), &provider)?), ..planned })
}

/// The places of the files of a part: the largest first, each goes to the part that has the fewest bytes.
fn places(source: &SourceLineage, part: usize, parts: usize) -> Vec<usize> {
    let mut files: Vec<_> = source.objects.iter().enumerate().collect();
    files.sort_unstable_by_key(|(_, object)| (Reverse(object.bytes), &object.key, &object.version));
    let mut least: BinaryHeap<_> = (0..parts).map(|part| Reverse((0_u64, part))).collect();
    let mut mine = Vec::new();
    for (place, object) in files {
        let Some(Reverse((bytes, taker))) = least.pop() else { break };
        least.push(Reverse((bytes.saturating_add(object.bytes).saturating_add(1), taker)));
        if taker == part {
            mine.push(place);
        }
    }
    mine
}

#[cfg(test)]
mod tests {
    use catalog::Object;

    use super::*;

    fn source(bytes: &[u64]) -> SourceLineage {
        let object = |(at, bytes): (usize, &u64)| Object {
            key: format!("{at:03}"),
            version: String::new(),
            bytes: *bytes,
            extent: None,
        };
        let objects = bytes.iter().enumerate().map(object).collect();
        SourceLineage { table: "s.t".to_owned(), columns: String::new(), objects }
    }

    #[test]
    fn each_file_is_of_one_part_in_whichever_order_files_come() {
        let bytes: Vec<u64> = (0..100).map(|n| n * 7 % 31).collect();
        let one = source(&bytes);
        let mut other = one.clone();
        other.objects.reverse();
        for parts in [1, 2, 7, 100, 200] {
            let mut all = Vec::new();
            for part in 0..parts {
                let names = |source: &SourceLineage| {
                    let mut names: Vec<_> = places(source, part, parts)
                        .into_iter()
                        .map(|place| source.objects[place].key.clone())
                        .collect();
                    names.sort();
                    names
                };
                assert_eq!(names(&one), names(&other));
                assert!(parts > 100 || !names(&one).is_empty(), "{part} of {parts} has no file");
                all.extend(names(&one));
            }
            all.sort();
            assert_eq!(all, one.objects.iter().map(|object| object.key.clone()).collect::<Vec<_>>());
        }
        let halves = source(&[10, 4, 3, 3]);
        assert_eq!((places(&halves, 0, 2), places(&halves, 1, 2)), (vec![0], vec![1, 2, 3]));
    }
}
