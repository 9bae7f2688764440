//! Named windows as windows that are written out: `OVER w`, `OVER (w ORDER BY x)`, `WINDOW v AS (w ROWS 1 PRECEDING)`.
//!
//! Owns: what a window takes from the one that it names (PostgreSQL's `transformWindowDefinitions`), and what it may not
//! say again (42P20). The planner would forget the named one. Must never know: window functions, columns.
//! <https://www.postgresql.org/docs/16/sql-select.html#SQL-WINDOW>

use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, Ident, NamedWindowDefinition, NamedWindowExpr, Query, Select, SelectItem, SetExpr, VisitMut, VisitorMut,
    WindowFrameUnits, WindowSpec, WindowType,
};

use super::{Names, folded, located};
use crate::error::{Error, Result, SqlState};

/// Writes out the windows of every SELECT in the query.
pub(super) fn rewrite(query: &mut Query, names: &dyn Names) -> Result<()> {
    broken(query.visit(&mut Selects { names }))
}

fn broken(flow: ControlFlow<Error>) -> Result<()> {
    match flow {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

struct Selects<'n> {
    names: &'n dyn Names,
}

impl VisitorMut for Selects<'_> {
    type Break = Error;

    /// ORDER BY may call window functions over the windows of its SELECT, which is visited later.
    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Error> {
        let SetExpr::Select(select) = query.body.as_ref() else { return ControlFlow::Continue(()) };
        match definitions(select, self.names) {
            Ok(windows) => query.order_by.visit(&mut Calls { windows: &windows, names: self.names, queries: 0 }),
            Err(error) => ControlFlow::Break(error),
        }
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Error> {
        let windows = match definitions(select, self.names) {
            Ok(windows) => windows,
            Err(error) => return ControlFlow::Break(error),
        };
        select.named_window.clear();
        let mut calls = Calls { windows: &windows, names: self.names, queries: 0 };
        for item in &mut select.projection {
            if let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = item {
                expr.visit(&mut calls)?;
            }
        }
        ControlFlow::Continue(())
    }
}

/// The windows of a WINDOW clause, each written out; one may name those before it.
fn definitions(select: &Select, names: &dyn Names) -> Result<Vec<(String, WindowSpec)>> {
    let mut windows: Vec<(String, WindowSpec)> = Vec::new();
    for NamedWindowDefinition(ident, definition) in &select.named_window {
        let name = folded(ident);
        if windows.iter().any(|(known, _)| *known == name) {
            let error = Error::new(SqlState::WindowingError, format!("window \"{name}\" is already defined"));
            return Err(located(error, ident.span, names));
        }
        let spec = match definition {
            NamedWindowExpr::WindowSpec(spec) => written_out(spec.clone(), &windows, names)?,
            NamedWindowExpr::NamedWindow(ident) => named(ident, &windows, names)?.clone(),
        };
        windows.push((name, spec));
    }
    Ok(windows)
}

fn named<'w>(ident: &Ident, windows: &'w [(String, WindowSpec)], names: &dyn Names) -> Result<&'w WindowSpec> {
    let name = folded(ident);
    let found = windows.iter().find(|(known, _)| *known == name).map(|(_, spec)| spec);
    found.ok_or_else(|| {
        located(Error::new(SqlState::UndefinedObject, format!("window \"{name}\" does not exist")), ident.span, names)
    })
}

/// A window that takes its partitions, and maybe its order, from the one that it names.
fn written_out(spec: WindowSpec, windows: &[(String, WindowSpec)], names: &dyn Names) -> Result<WindowSpec> {
    let Some(ident) = &spec.window_name else {
        check_frame(&spec)?;
        return Ok(spec);
    };
    let base = named(ident, windows, names)?;
    let name = folded(ident);
    let refused = |message: String| Err(located(Error::new(SqlState::WindowingError, message), ident.span, names));
    if !spec.partition_by.is_empty() {
        return refused(format!("cannot override PARTITION BY clause of window \"{name}\""));
    }
    if !spec.order_by.is_empty() && !base.order_by.is_empty() {
        return refused(format!("cannot override ORDER BY clause of window \"{name}\""));
    }
    if base.window_frame.is_some() {
        return refused(format!("cannot copy window \"{name}\" because it has a frame clause"));
    }
    let order_by = if spec.order_by.is_empty() { base.order_by.clone() } else { spec.order_by };
    let partition_by = base.partition_by.clone();
    let whole = WindowSpec { window_name: None, partition_by, order_by, window_frame: spec.window_frame };
    check_frame(&whole)?;
    Ok(whole)
}

fn check_frame(spec: &WindowSpec) -> Result<()> {
    let counts_groups = spec.window_frame.as_ref().is_some_and(|frame| frame.units == WindowFrameUnits::Groups);
    match counts_groups && spec.order_by.is_empty() {
        true => Err(Error::new(SqlState::WindowingError, "GROUPS mode requires an ORDER BY clause")),
        false => Ok(()),
    }
}

/// The window calls of one SELECT; queries inside have windows of their own.
struct Calls<'w> {
    windows: &'w [(String, WindowSpec)],
    names: &'w dyn Names,
    queries: usize,
}

impl VisitorMut for Calls<'_> {
    type Break = Error;

    fn pre_visit_query(&mut self, _: &mut Query) -> ControlFlow<Error> {
        self.queries += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<Error> {
        self.queries -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        let Expr::Function(function) = expr else { return ControlFlow::Continue(()) };
        let Some(over) = function.over.as_mut().filter(|_| self.queries == 0) else { return ControlFlow::Continue(()) };
        let spec = match over {
            WindowType::NamedWindow(ident) => named(ident, self.windows, self.names).cloned(),
            WindowType::WindowSpec(spec) => written_out(spec.clone(), self.windows, self.names),
        };
        match spec {
            Ok(spec) => *over = WindowType::WindowSpec(spec),
            Err(error) => return ControlFlow::Break(error),
        }
        ControlFlow::Continue(())
    }
}
