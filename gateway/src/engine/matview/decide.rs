//! What a refresh has to do: nothing, some, or everything; and why not less.
//!
//! Owns: that what is kept of the rows is still right. Must never do: read a file.

use std::collections::{BTreeSet, HashMap, HashSet};

use arrow::datatypes::DataType;
use catalog::{Bucket, Class, Column, Difference, Extent, Lineage, Object, Options, Policy, Scanned, Target};
use datafusion::logical_expr::LogicalPlan;

use super::class::{self, Key};
use super::dirty::Dirty;
use super::look::{Look, partition_places};
use super::made_of::MadeOf;
use crate::error::{Error, Result, SqlState};

/// What is to be done.
pub(super) enum Task {
    /// Every file is as it was.
    Nothing,
    /// All rows; with the reason why not less.
    All(String),
    /// The rows of files of the driving table, beside those of buckets that stay.
    Append { files: Vec<usize>, kept: Vec<Bucket>, gone: HashSet<String> },
    /// The rows of partitions, of which the files can have some.
    Partitions { dirty: Dirty, files: Vec<usize>, places: Vec<usize> },
}

/// How the rows follow the files, and what was found of it.
pub(super) struct Decision {
    pub(super) task: Task,
    pub(super) class: Class,
    pub(super) driver: Option<Driver>,
    /// Of all tables together.
    pub(super) difference: [usize; 3],
}

/// The table whose files are told apart.
#[derive(Clone)]
pub(super) struct Driver {
    pub(super) place: usize,
    pub(super) table: Scanned,
    /// Of class P: the partitions as they follow a column, and the place of theirs in the result.
    pub(super) key: Option<(Key, usize)>,
}

/// How the rows of a view follow its files, what drives them, and why it is no better class.
pub(super) type Way = (Class, Option<Driver>, String);

/// The class of a query, and why it is not a better one.
pub(super) fn class(
    (plan, columns): (&LogicalPlan, &[Column]),
    (made_of, changing): (&MadeOf, Option<&String>),
    options: &Options,
) -> Way {
    if options.policy == Policy::Full {
        return (Class::Full, None, "refresh_policy is full".to_owned());
    }
    if let Some(reason) = made_of.untold.as_ref().or(changing) {
        return (Class::Full, None, reason.clone());
    }
    let mut by_size: Vec<usize> = (0..made_of.tables.len()).collect();
    by_size.sort_by_key(|at| std::cmp::Reverse(made_of.lineage.get(*at).map(|source| source.bytes())));
    let tables = || by_size.iter().filter_map(|at| Some((*at, made_of.tables.get(*at)?)));
    let mut reason = None;
    for (place, table) in tables() {
        match class::row_by_row(plan, table.table()) {
            Ok(()) => return (Class::Append, Some(Driver { place, table: table.clone(), key: None }), String::new()),
            Err(why) => drop(reason.get_or_insert(why)),
        }
    }
    let reason = reason.unwrap_or_else(|| "it reads no table".to_owned());
    let partitions = partition_places(options, columns);
    for at in &partitions {
        for (place, table) in tables() {
            if let Some(key) = class::key(plan, *at, table.table()) {
                let driver = Driver { place, table: table.clone(), key: Some((key, *at)) };
                return (Class::Partition, Some(driver), String::new());
            }
        }
    }
    let missing = match partitions.is_empty() {
        true => "and there is no partition_by",
        false => "and no column of partition_by is a function of one of a table",
    };
    (Class::Full, None, format!("{reason}, {missing}"))
}

/// What is to be done to a table that has the rows of `base`, if it has any.
pub(super) fn decide(
    look: &Look,
    target: &Target,
    (base, extents): (Option<&Lineage>, &[Option<Extent>]),
    is_full: bool,
) -> Result<Decision> {
    let (class, driver, reason) = look.class();
    let mut decision = Decision { task: Task::Nothing, class, driver, difference: [0; 3] };
    let Some(base) = base else {
        let reason = if target.epoch().is_some() { "the record of the last refresh is lost" } else { "first build" };
        decision.difference = [look.made_of.lineage.iter().map(|source| source.objects.len()).sum(), 0, 0];
        decision.task = Task::All(reason.to_owned());
        return Ok(decision);
    };
    let differences: Vec<Difference> =
        base.sources.iter().zip(look.made_of.lineage.iter()).map(|(before, now)| before.difference(now)).collect();
    for difference in &differences {
        let [added, changed, removed] = &mut decision.difference;
        *added += difference.added.len();
        *changed += difference.changed.len();
        *removed += difference.removed.len();
    }
    decision.task = match remade(look, target, base, (&decision, &differences), (is_full, &reason)) {
        Some(reason) => Task::All(reason),
        None if differences.iter().all(Difference::is_empty) => Task::Nothing,
        None => some(look, target, (base, extents), (&decision, &differences))?,
    };
    match &decision.task {
        Task::All(reason) if look.matview.options.policy == Policy::IncrementalStrict && !is_full => Err(Error::new(
            SqlState::ObjectNotInPrerequisiteState,
            "cannot refresh the materialized view incrementally",
        )
        .detail(format!("{}.", capital(reason)))
        .hint("REFRESH MATERIALIZED VIEW ... FULL reads everything once.")),
        _ => Ok(decision),
    }
}

/// Of its rows nothing is known then.
const OTHER_WRITER: &str = "another writer has changed its table";

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// Why all rows are to be made anew, whatever has changed.
fn remade(
    look: &Look,
    target: &Target,
    base: &Lineage,
    (decision, differences): (&Decision, &[Difference]),
    (is_full, reason): (bool, &str),
) -> Option<String> {
    let names =
        |sources: &[catalog::SourceLineage]| sources.iter().map(|source| source.table.clone()).collect::<Vec<_>>();
    if is_full {
        return Some("FULL was asked for".to_owned());
    }
    if look.made_of.untold.is_some() || look.changing.is_some() {
        return Some(reason.to_owned());
    }
    if base.table != target.id() {
        return Some("its table was made anew".to_owned());
    }
    if target.version() != Some(base.version) {
        return Some(OTHER_WRITER.to_owned());
    }
    if base.definition != look.fingerprint {
        return Some("its query means something else now".to_owned());
    }
    if names(&base.sources) != names(&look.made_of.lineage) {
        return Some("the tables of its query have changed".to_owned());
    }
    let is_nothing = differences.iter().all(Difference::is_empty);
    let mut sources = base.sources.iter().zip(look.made_of.lineage.iter());
    if let Some((source, _)) = sources.find(|(before, now)| before.columns != now.columns) {
        return Some(format!("columns of {} have changed", source.table));
    }
    if is_nothing {
        return None;
    }
    let driver = decision.driver.as_ref().map(|driver| driver.place);
    if decision.class == Class::Full {
        return Some(reason.to_owned());
    }
    if (decision.class, driver) != (base.class, base.driver) {
        return Some("its rows follow the files in another way now".to_owned());
    }
    let other = differences.iter().enumerate().find(|(at, difference)| Some(*at) != driver && !difference.is_empty());
    other.and_then(|(at, _)| {
        let source = base.sources.get(at)?;
        Some(format!("any row can depend on {}, which has changed", source.table))
    })
}

/// The part of the rows that is to be made anew.
fn some(
    look: &Look,
    target: &Target,
    (base, extents): (&Lineage, &[Option<Extent>]),
    (decision, differences): (&Decision, &[Difference]),
) -> Result<Task> {
    let Some(driver) = &decision.driver else { return Err(Error::internal("a part of a query without a table")) };
    let (Some(difference), Some(now), Some(before)) =
        (differences.get(driver.place), look.made_of.lineage.get(driver.place), base.sources.get(driver.place))
    else {
        return Err(Error::internal("a table of a query is not known"));
    };
    match &driver.key {
        None => Ok(append(target, base, difference, &now.objects)),
        Some((_, place)) => match look.partition_type(*place) {
            Some(of) => Ok(partitions(look, (before, difference, &now.objects), (extents, *place, &of))),
            None => Err(Error::internal("partitions without a type")),
        },
    }
}

fn append(target: &Target, base: &Lineage, difference: &Difference, now: &[Object]) -> Task {
    let files: HashSet<&str> = target.file_names().map(|(name, _)| name).collect();
    let known: HashSet<&str> = base.buckets.iter().flat_map(|bucket| bucket.files.iter().map(String::as_str)).collect();
    if files != known {
        return Task::All(OTHER_WRITER.to_owned());
    }
    let places: HashMap<&str, usize> = now.iter().enumerate().map(|(at, object)| (object.key.as_str(), at)).collect();
    let changed = difference.changed.iter().filter_map(|at| now.get(*at)).map(|object| object.key.as_str());
    let touched: HashSet<&str> = changed.chain(difference.removed.iter().map(String::as_str)).collect();
    let (dirty, kept): (Vec<&Bucket>, Vec<&Bucket>) =
        base.buckets.iter().partition(|bucket| bucket.objects.iter().any(|key| touched.contains(key.as_str())));
    let survivors = dirty.iter().flat_map(|bucket| &bucket.objects).filter_map(|key| places.get(key.as_str()));
    let files: BTreeSet<usize> = survivors.copied().chain(difference.added.iter().copied()).collect();
    let gone = dirty.iter().flat_map(|bucket| bucket.files.iter().cloned()).collect();
    Task::Append { files: files.into_iter().collect(), kept: kept.into_iter().cloned().collect(), gone }
}

fn partitions(
    look: &Look,
    (before, difference, now): (&catalog::SourceLineage, &Difference, &[Object]),
    (extents, place, of): (&[Option<Extent>], usize, &DataType),
) -> Task {
    let unknown = |key: &str| Task::All(format!("it is not known which partitions file {key} has rows of"));
    let old: HashMap<&str, &Object> = before.objects.iter().map(|object| (object.key.as_str(), object)).collect();
    let mut dirty = Dirty::default();
    for at in difference.added.iter().chain(&difference.changed) {
        let Some(object) = now.get(*at) else { continue };
        if !dirty.add(extents.get(*at).and_then(Option::as_ref), of) {
            return unknown(&object.key);
        }
    }
    let changed = difference.changed.iter().filter_map(|at| now.get(*at)).map(|object| object.key.as_str());
    for key in changed.chain(difference.removed.iter().map(String::as_str)) {
        if !dirty.add(old.get(key).and_then(|object| object.extent.as_ref()), of) {
            return unknown(key);
        }
    }
    if !dirty.settle() {
        return Task::All("too many partitions have changed".to_owned());
    }
    let files = extents.iter().enumerate().filter(|(_, extent)| dirty.meets(extent.as_ref(), of)).map(|(at, _)| at);
    let files = files.collect();
    let places = look.partition_files(place, &dirty);
    match places {
        Some(places) => Task::Partitions { dirty, files, places },
        None => Task::All("the partitions of its table are not known".to_owned()),
    }
}
