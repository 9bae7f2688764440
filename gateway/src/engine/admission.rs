//! Which statements run at once. Over a limit they wait; only a full queue or a long wait refuses (53400, or 53300 for those of
//! one role).
//!
//! Owns: the places, and who is next: roles take turns, and of each the oldest for which there is a place. One that is cheap goes
//! by those that wait for the end of heavy ones. Must never know: what a statement does.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::memory::Pressure;
use crate::error::{Error, Result, SqlState};

/// Of a role whose statements are limited, so many wait for each that may run.
const WAITING_FOR_EACH: u64 = 8;

/// How many there may be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) running_max: usize,
    /// Of them those that are heavy.
    pub(crate) heavy_max: usize,
    pub(crate) queued_max: usize,
    pub(crate) queue_timeout: Duration,
}

/// What a statement asks for.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) role: Arc<str>,
    /// Statements of the role that run at once.
    pub(crate) role_max: Option<u64>,
    pub(crate) is_heavy: bool,
}

#[derive(Debug)]
pub(crate) struct Admission {
    bounds: Bounds,
    pressure: Arc<Pressure>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    running: usize,
    heavy: usize,
    by_role: HashMap<Arc<str>, u64>,
    /// By role, in the order of their turns.
    queues: VecDeque<(Arc<str>, VecDeque<Waiting>)>,
    queued: usize,
    last_id: u64,
}

#[derive(Debug)]
struct Waiting {
    id: u64,
    ask: Ask,
    turn: oneshot::Sender<Permit>,
}

/// A place among those that run, until it is dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    ask: Ask,
    weight: Weight,
}

/// Whether a statement has one of the places of heavy ones.
#[derive(Debug, Clone)]
pub(crate) struct Weight {
    of: Arc<Admission>,
    is_heavy: Arc<AtomicBool>,
}

impl Admission {
    pub(crate) fn new(bounds: Bounds, pressure: &Arc<Pressure>) -> Self {
        Self { bounds, pressure: Arc::clone(pressure), state: Mutex::default() }
    }

    /// A place to run, held until the permit is dropped.
    pub(crate) async fn admit(self: &Arc<Self>, ask: Ask) -> Result<Permit> {
        let (turn, mut granted) = oneshot::channel();
        let mut pressure = self.pressure.changes();
        let place = match self.enter(ask, turn)? {
            Entered::Runs(permit) => return Ok(permit),
            Entered::Waits(id) => Place { of: self, id },
        };
        let waiting = async {
            loop {
                tokio::select! {
                    permit = &mut granted => return permit.map_err(Error::internal),
                    _ = pressure.changed() => self.dispatch(),
                }
            }
        };
        let permit = tokio::time::timeout(self.bounds.queue_timeout, waiting).await;
        drop(place);
        permit.unwrap_or_else(|_| Err(full("the statement waited too long for its turn")))
    }

    fn enter(self: &Arc<Self>, ask: Ask, turn: oneshot::Sender<Permit>) -> Result<Entered> {
        let mut state = self.state.lock();
        let waiting = state.queues.iter().find(|(role, _)| *role == ask.role).map_or(0, |(_, queue)| queue.len());
        // Of one role nobody overtakes who could run as well.
        let is_next = waiting == 0 || !self.any_fits(&state, &ask.role);
        if is_next && self.fits(&state, &ask) {
            return Ok(Entered::Runs(state.start(self, ask)));
        }
        if ask.role_max.is_some_and(|max| waiting as u64 >= max.saturating_mul(WAITING_FOR_EACH)) {
            let message = format!("too many statements for role \"{}\"", ask.role);
            return Err(Error::new(SqlState::TooManyConnections, message).hint(LATER));
        }
        if state.queued >= self.bounds.queued_max {
            return Err(full("the queue of waiting statements is full"));
        }
        state.queued += 1;
        state.last_id += 1;
        let id = state.last_id;
        let role = Arc::clone(&ask.role);
        let waiting = Waiting { id, ask, turn };
        match state.queues.iter_mut().find(|(of, _)| *of == role) {
            Some((_, queue)) => queue.push_back(waiting),
            None => state.queues.push_back((role, VecDeque::from([waiting]))),
        }
        Ok(Entered::Waits(id))
    }

    fn any_fits(&self, state: &State, role: &str) -> bool {
        let queue = state.queues.iter().find(|(of, _)| **of == *role);
        queue.is_some_and(|(_, queue)| queue.iter().any(|waiting| self.fits(state, &waiting.ask)))
    }

    /// Whether there is a place. One that would be alone has nobody to wait for.
    fn fits(&self, state: &State, ask: &Ask) -> bool {
        let of_role = state.by_role.get(&ask.role).copied().unwrap_or(0);
        state.running < self.bounds.running_max
            && (!ask.is_heavy || state.heavy < self.bounds.heavy_max)
            && ask.role_max.is_none_or(|max| of_role < max)
            && (state.running == 0 || !self.pressure.is_high())
    }

    /// Gives the places that are free to those whose turn it is.
    fn dispatch(self: &Arc<Self>) {
        let mut granted = Vec::new();
        let mut state = self.state.lock();
        while let Some(waiting) = self.next(&mut state) {
            state.queued -= 1;
            granted.push((waiting.turn, state.start(self, waiting.ask)));
        }
        drop(state);
        for (turn, permit) in granted {
            // Who has gone meanwhile leaves the place to the next.
            drop(turn.send(permit));
        }
    }

    /// The next that can run; its role goes to the end.
    fn next(&self, state: &mut State) -> Option<Waiting> {
        let found = state.queues.iter().enumerate().find_map(|(turn, (_, queue))| {
            let at = queue.iter().position(|waiting| self.fits(state, &waiting.ask))?;
            Some((turn, at))
        });
        let (turn, at) = found?;
        let (role, mut queue) = state.queues.remove(turn)?;
        let waiting = queue.remove(at);
        if !queue.is_empty() {
            state.queues.push_back((role, queue));
        }
        waiting
    }

    /// Whether a statement runs now.
    pub(crate) fn is_busy(&self) -> bool {
        self.state.lock().running > 0
    }

    pub(crate) fn queued(&self) -> usize {
        self.state.lock().queued
    }
}

impl State {
    fn start(&mut self, of: &Arc<Admission>, ask: Ask) -> Permit {
        self.running += 1;
        self.heavy += usize::from(ask.is_heavy);
        *self.by_role.entry(Arc::clone(&ask.role)).or_default() += 1;
        let weight = Weight { of: Arc::clone(of), is_heavy: Arc::new(AtomicBool::new(ask.is_heavy)) };
        Permit { ask, weight }
    }
}

enum Entered {
    Runs(Permit),
    Waits(u64),
}

impl Permit {
    pub(crate) fn is_heavy(&self) -> bool {
        self.ask.is_heavy
    }

    pub(crate) fn weight(&self) -> &Weight {
        &self.weight
    }

    /// The same statement as a heavy one, which may have to wait for others: meanwhile it has no place.
    pub(crate) async fn heavy(self) -> Result<Self> {
        let (of, ask) = (Arc::clone(&self.weight.of), Ask { is_heavy: true, ..self.ask.clone() });
        drop(self);
        of.admit(ask).await
    }
}

impl Weight {
    /// The statement waits for its client: another may be heavy meanwhile.
    pub(crate) fn lighten(&self) {
        if self.is_heavy.swap(false, Ordering::AcqRel) {
            self.of.state.lock().heavy -= 1;
            self.of.dispatch();
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let of = &self.weight.of;
        let mut state = of.state.lock();
        state.running -= 1;
        state.heavy -= usize::from(self.weight.is_heavy.swap(false, Ordering::AcqRel));
        if let Some(count) = state.by_role.get_mut(&self.ask.role) {
            *count -= 1;
            if *count == 0 {
                state.by_role.remove(&self.ask.role);
            }
        }
        drop(state);
        of.dispatch();
    }
}

/// One waiting statement; it leaves the queue however its wait ends.
struct Place<'a> {
    of: &'a Admission,
    id: u64,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut state = self.of.state.lock();
        for (_, queue) in &mut state.queues {
            if let Some(at) = queue.iter().position(|waiting| waiting.id == self.id) {
                queue.remove(at);
                state.queued -= 1;
                break;
            }
        }
        state.queues.retain(|(_, queue)| !queue.is_empty());
    }
}

const LATER: &str = "Try again when fewer statements run.";

fn full(message: &str) -> Error {
    Error::new(SqlState::ConfigurationLimitExceeded, message).hint(LATER)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission(running_max: usize, heavy_max: usize, queued_max: usize) -> Arc<Admission> {
        let bounds = Bounds { running_max, heavy_max, queued_max, queue_timeout: Duration::from_secs(60) };
        Arc::new(Admission::new(bounds, &Pressure::new(usize::MAX)))
    }

    fn ask(role: &str, is_heavy: bool) -> Ask {
        Ask { role: role.into(), role_max: None, is_heavy }
    }

    /// A statement that waits, once it does.
    async fn waits(admission: &Arc<Admission>, ask: Ask) -> tokio::task::JoinHandle<Result<Permit>> {
        let queued = admission.queued();
        let waiting = tokio::spawn({
            let admission = Arc::clone(admission);
            async move { admission.admit(ask).await }
        });
        while admission.queued() == queued {
            tokio::task::yield_now().await;
        }
        waiting
    }

    #[tokio::test]
    async fn over_the_limit_waits_and_a_full_queue_refuses() {
        let admission = admission(1, 1, 1);
        assert!(!admission.is_busy());
        let first = admission.admit(ask("a", false)).await.unwrap();
        assert!(admission.is_busy());
        let waiting = waits(&admission, ask("a", false)).await;
        let refused = admission.admit(ask("a", false)).await.unwrap_err();
        assert_eq!(refused.state, SqlState::ConfigurationLimitExceeded);
        drop(first);
        drop(waiting.await.unwrap().unwrap());
        assert!(!admission.is_busy() && admission.queued() == 0);
    }

    #[tokio::test]
    async fn who_stops_waiting_leaves_the_queue() {
        let admission = admission(1, 1, 8);
        let first = admission.admit(ask("a", false)).await.unwrap();
        let waiting = waits(&admission, ask("a", false)).await;
        waiting.abort();
        assert!(waiting.await.is_err());
        assert_eq!(admission.queued(), 0);
        drop(first);
        assert!(!admission.is_busy());
    }

    #[tokio::test]
    async fn cheap_ones_go_by_heavy_ones_and_roles_take_turns() {
        let admission = admission(8, 1, 8);
        let light = admission.admit(ask("a", false)).await.unwrap();
        let first = light.heavy().await.unwrap();
        let (a1, a2) = (waits(&admission, ask("a", true)).await, waits(&admission, ask("a", true)).await);
        let b = waits(&admission, ask("b", true)).await;
        let cheap = admission.admit(ask("a", false)).await.unwrap();
        drop(first);
        let second = a1.await.unwrap().unwrap();
        assert_eq!(admission.queued(), 2);
        // One whose client is slow makes room before its end.
        second.weight().lighten();
        let third = b.await.unwrap().unwrap();
        assert_eq!(admission.queued(), 1, "b's turn was before the second of a");
        drop((second, third));
        drop((a2.await.unwrap().unwrap(), cheap));
        assert!(!admission.is_busy() && admission.state.lock().heavy == 0);
    }

    #[tokio::test]
    async fn a_role_has_its_own_limit_and_others_do_not_notice() {
        let admission = admission(8, 8, 64);
        let mine = || Ask { role_max: Some(1), ..ask("a", false) };
        let first = admission.admit(mine()).await.unwrap();
        let mut waiting = Vec::new();
        for _ in 0..WAITING_FOR_EACH {
            waiting.push(waits(&admission, mine()).await);
        }
        assert_eq!(admission.admit(mine()).await.unwrap_err().state, SqlState::TooManyConnections);
        drop(admission.admit(ask("b", false)).await.unwrap());
        drop(first);
        for one in waiting {
            drop(one.await.unwrap().unwrap());
        }
    }
}
