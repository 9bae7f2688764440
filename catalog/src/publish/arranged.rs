//! From what was seen of the lake to its tables.
//!
//! Owns: which of several things of one name is there, and that a table that did not change is the same value in the next snapshot.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use chrono::Utc;

use super::{DEFINITIONS, Lake, Seen};
use crate::definition::{Definitions, FOLDER, Name};
use crate::discover::{self, Found, TableName};
use crate::layout::Format;
use crate::matview::Matview;
use crate::snapshot::{Kind, LakeTable, SkippedFile, Snapshot, Table, View};

type Schemas = BTreeMap<String, BTreeMap<String, Arc<Table>>>;
type Prose = BTreeMap<TableName, Arc<Table>>;

impl Lake {
    /// A snapshot of what was seen; tables that did not change are those of the last one.
    pub(crate) fn arranged(&self, seen: &Seen, last: &Snapshot) -> Snapshot {
        let mut files = seen.definitions.clone();
        files.push((FOLDER.to_owned(), seen.script.text()));
        let mut definitions = Definitions::parse(&files, &self.sources);
        let mut found = discover::tables(&self.sources, &seen.listings, &definitions);
        let comments = Arc::new(std::mem::take(&mut definitions.comments));
        let streams = std::mem::take(&mut definitions.streams);
        let prose = prose(&mut found, last);
        let (schemas, skipped) = self.arrange(found, definitions, last);
        let version = self.versions.fetch_add(1, Ordering::Relaxed) + 1;
        let script = Arc::clone(&seen.script);
        let sources = self.sources.iter().map(Arc::clone).collect();
        Snapshot { version, taken_at: Utc::now(), schemas, comments, script, streams, sources, skipped, prose }
    }

    fn arrange(&self, found: Found, definitions: Definitions, last: &Snapshot) -> (Schemas, Vec<SkippedFile>) {
        let mut schemas = Schemas::new();
        let mut skipped = found.skipped;
        let home = self.sources.first().map_or(DEFINITIONS, |source| &source.root);
        let of_definition = |key: String, table: Option<Name>, reason: String| {
            let source = if key == FOLDER { home } else { DEFINITIONS }.to_owned();
            SkippedFile { source, key, table: table.map(|name| (name.schema, name.name)), reason }
        };
        for definition in &definitions.tables {
            let name = (definition.name.schema.clone(), definition.name.name.clone());
            if !found.tables.contains_key(&name) {
                let (file, name) = (definition.file.clone(), Some(definition.name.clone()));
                skipped.push(of_definition(file, name, "no file at its location".to_owned()));
            }
        }
        let mut matviews: BTreeMap<Name, Arc<Matview>> =
            definitions.matviews.into_iter().map(|definition| (definition.name, definition.matview)).collect();
        for ((schema, name), manifest) in found.tables {
            let Some(source) = self.sources.get(manifest.source) else { continue };
            // What is no Delta table cannot have its rows.
            let is_kept = manifest.format == Format::Delta && source.probe.is_writable();
            let matview =
                matviews.get(&Name { schema: schema.clone(), name: name.clone() }).filter(|_| is_kept).cloned();
            let known = last.table(&schema, &name).filter(|table| match &table.kind {
                Kind::Lake(lake) => *lake.manifest() == manifest && table.matview == matview,
                Kind::View(_) => false,
            });
            let table = known.map(Arc::clone).unwrap_or_else(|| {
                let label = format!("{schema}.{name}");
                let lake = LakeTable::new(label, manifest, Arc::clone(source), Arc::clone(&self.footers));
                let lake = match last.table(&schema, &name).map(|table| &table.kind) {
                    Some(Kind::Lake(last)) => lake.after(last),
                    _ => lake,
                };
                let (schema, name) = (schema.clone(), name.clone());
                Arc::new(Table { schema, name, kind: Kind::Lake(lake), matview: matview.clone() })
            });
            if matview.is_some() {
                matviews.remove(&Name { schema: schema.clone(), name: name.clone() });
            }
            schemas.entry(schema).or_default().insert(name, table);
        }
        for schema in definitions.schemas {
            schemas.entry(schema).or_default();
        }
        let views = definitions.views.into_iter().map(|view| {
            let kept = View { sql: view.sql, search_path: view.search_path, file: view.file };
            (view.name, kept, None)
        });
        // Those without rows yet.
        let unmade = matviews.into_iter().map(|(name, matview)| (name, matview.view.clone(), Some(matview)));
        for (Name { schema, name }, view, matview) in views.chain(unmade) {
            let tables = schemas.entry(schema.clone()).or_default();
            if tables.contains_key(&name) {
                let reason = "a table has the same name".to_owned();
                skipped.push(of_definition(view.file, Some(Name { schema, name }), reason));
                continue;
            }
            let kind = Kind::View(view);
            let known = last.table(&schema, &name).filter(|table| match (&table.kind, &kind) {
                (Kind::View(known), Kind::View(view)) => known == view && table.matview == matview,
                (Kind::Lake(_), _) | (_, Kind::Lake(_)) => false,
            });
            let table =
                known.map(Arc::clone).unwrap_or_else(|| Arc::new(Table { schema, name: name.clone(), kind, matview }));
            tables.insert(name, table);
        }
        let faults = definitions.faults.into_iter();
        skipped.extend(faults.map(|fault| of_definition(fault.file, fault.table, fault.error.to_string())));
        skipped.sort_unstable();
        (schemas, skipped)
    }
}

/// Takes out what turned out to be no table, while it is the same.
fn prose(found: &mut Found, last: &Snapshot) -> Prose {
    let mut prose = Prose::new();
    found.tables.retain(|name, manifest| {
        let known = last.table(&name.0, &name.1).or_else(|| last.prose.get(name));
        let is_same = |table: &Table| matches!(&table.kind, Kind::Lake(lake) if lake.manifest() == manifest);
        let known = known.filter(|table| table.is_prose() && is_same(table));
        prose.extend(known.map(|table| (name.clone(), Arc::clone(table))));
        known.is_none()
    });
    prose
}
