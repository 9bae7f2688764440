//! A part of an expression as a machine that reads a text once.
//!
//! Owns: where a match ends, the longest and the shortest, and where the leftmost begins.

use super::parse::COMPLEX;
use super::set::{self, Set};
use super::syntax::{Assert, Node, Times};
use super::{Mistake, Text};

/// States of one expression.
const STATES_MAX: usize = 100_000;

#[derive(Debug)]
enum State {
    Set(Set),
    Assert(Assert),
    Look(Box<Look>),
    Split(usize, usize),
    Jump(usize),
    Done,
}

#[derive(Debug)]
struct Look {
    ahead: bool,
    negated: bool,
    machine: Machine,
}

#[derive(Debug)]
pub(super) struct Machine {
    states: Vec<State>,
}

impl Machine {
    /// The groups are what back references stand for: any text that those would match.
    pub(super) fn new(node: &Node, groups: &[Option<Node>]) -> Result<Self, Mistake> {
        let mut builder = Builder { states: Vec::new(), groups, free: false };
        builder.node(node)?;
        builder.push(State::Done)?;
        Ok(Self { states: builder.states })
    }

    /// The end of the longest match from `start` to `stop` at most.
    pub(super) fn longest(&self, text: &Text, start: usize, stop: usize) -> Result<Option<usize>, Mistake> {
        self.run(text, start, stop, None)
    }

    /// The end of the shortest match from `start` that reaches `least`.
    pub(super) fn shortest(
        &self,
        text: &Text,
        start: usize,
        (least, stop): (usize, usize),
    ) -> Result<Option<usize>, Mistake> {
        self.run(text, start, stop, Some(least))
    }

    pub(super) fn is_exact(&self, text: &Text, start: usize, end: usize) -> Result<bool, Mistake> {
        Ok(self.run(text, start, end, Some(end))? == Some(end))
    }

    fn run(&self, text: &Text, start: usize, stop: usize, least: Option<usize>) -> Result<Option<usize>, Mistake> {
        let mut threads = Threads::new(self.states.len());
        let mut next = Threads::new(self.states.len());
        let mut found = None;
        self.follow(text, start, (0, 0), &mut threads)?;
        for at in start..=stop {
            if threads.done.is_some() {
                match least {
                    Some(least) if at >= least => return Ok(Some(at)),
                    Some(_) => {}
                    None => found = Some(at),
                }
            }
            let Some(c) = text.get(at).filter(|_| at < stop && !threads.list.is_empty()) else { break };
            text.step(threads.list.len())?;
            next.clear();
            for (state, from) in &threads.list {
                if let Some(State::Set(set)) = self.states.get(*state)
                    && set.contains(c)
                {
                    self.follow(text, at + 1, (state + 1, *from), &mut next)?;
                }
            }
            std::mem::swap(&mut threads, &mut next);
        }
        Ok(found)
    }

    /// Where the leftmost match at or behind `from` begins.
    pub(super) fn leftmost(&self, text: &Text, from: usize) -> Result<Option<usize>, Mistake> {
        let mut threads = Threads::new(self.states.len());
        let mut next = Threads::new(self.states.len());
        let mut best: Option<usize> = None;
        for at in from..=text.len() {
            if best.is_none() {
                self.follow(text, at, (0, at), &mut threads)?;
            }
            if let Some(start) = threads.done {
                best = Some(best.map_or(start, |best| best.min(start)));
            }
            let alive = |(_, start): &&(usize, usize)| best.is_none_or(|best| *start < best);
            if best.is_some() && !threads.list.iter().any(|thread| alive(&thread)) {
                break;
            }
            let Some(c) = text.get(at) else { break };
            text.step(threads.list.len())?;
            next.clear();
            // Threads are in the order of their starts, so the first to come to a state has the leftmost.
            for (state, start) in threads.list.iter().filter(alive) {
                if let Some(State::Set(set)) = self.states.get(*state)
                    && set.contains(c)
                {
                    self.follow(text, at + 1, (state + 1, *start), &mut next)?;
                }
            }
            std::mem::swap(&mut threads, &mut next);
        }
        Ok(best)
    }

    /// The states that read a character, from this one on without reading any.
    fn follow(
        &self,
        text: &Text,
        at: usize,
        (state, start): (usize, usize),
        threads: &mut Threads,
    ) -> Result<(), Mistake> {
        threads.stack.push(state);
        while let Some(state) = threads.stack.pop() {
            if !threads.visit(state) {
                continue;
            }
            match self.states.get(state) {
                Some(State::Set(_)) => threads.list.push((state, start)),
                Some(State::Assert(place)) if text.is_at(*place, at) => threads.stack.push(state + 1),
                Some(State::Look(look)) if look.holds(text, at)? => threads.stack.push(state + 1),
                Some(State::Split(first, second)) => threads.stack.extend([*second, *first]),
                Some(State::Jump(to)) => threads.stack.push(*to),
                Some(State::Done) => {
                    threads.done.get_or_insert(start);
                }
                _ => {}
            }
        }
        Ok(())
    }
}

impl Look {
    fn holds(&self, text: &Text, at: usize) -> Result<bool, Mistake> {
        let found = if self.ahead {
            self.machine.shortest(text, at, (at, text.len()))?.is_some()
        } else {
            let mut found = false;
            for start in (0..=at).rev() {
                found = self.machine.is_exact(text, start, at)?;
                if found {
                    break;
                }
            }
            found
        };
        Ok(found != self.negated)
    }
}

/// The states that a machine is in.
struct Threads {
    /// Those that read a character, and where their matches began.
    list: Vec<(usize, usize)>,
    seen: Vec<u32>,
    round: u32,
    /// Where a match that ends here began.
    done: Option<usize>,
    stack: Vec<usize>,
}

impl Threads {
    fn new(states: usize) -> Self {
        Self { list: Vec::new(), seen: vec![0; states], round: 1, done: None, stack: Vec::new() }
    }

    fn clear(&mut self) {
        self.list.clear();
        self.done = None;
        self.round += 1;
    }

    fn visit(&mut self, state: usize) -> bool {
        match self.seen.get_mut(state) {
            Some(seen) if *seen != self.round => {
                *seen = self.round;
                true
            }
            _ => false,
        }
    }
}

struct Builder<'a> {
    states: Vec<State>,
    groups: &'a [Option<Node>],
    /// In what a back reference stands for, places do not count.
    free: bool,
}

impl Builder<'_> {
    fn push(&mut self, state: State) -> Result<usize, Mistake> {
        if self.states.len() >= STATES_MAX {
            return Err(COMPLEX);
        }
        self.states.push(state);
        Ok(self.states.len() - 1)
    }

    fn set(&mut self, at: usize, state: State) {
        if let Some(place) = self.states.get_mut(at) {
            *place = state;
        }
    }

    fn node(&mut self, node: &Node) -> Result<(), Mistake> {
        match node {
            Node::Empty => {}
            Node::Set(set) => {
                self.push(State::Set(set.clone()))?;
            }
            Node::Assert(_) | Node::Look { .. } if self.free => {}
            Node::Assert(place) => {
                self.push(State::Assert(*place))?;
            }
            Node::Look { ahead, negated, node } => {
                let machine = Machine::new(node, self.groups)?;
                self.push(State::Look(Box::new(Look { ahead: *ahead, negated: *negated, machine })))?;
            }
            Node::Capture(_, node) => self.node(node)?,
            Node::Cat(nodes) => nodes.iter().try_for_each(|node| self.node(node))?,
            Node::Alt(nodes) => self.branches(nodes)?,
            Node::Repeat { node, times } => self.repeat(node, *times)?,
            Node::Back { group, times } => {
                let Some(Some(node)) = self.groups.get(group.wrapping_sub(1)) else { return Ok(()) };
                let was_free = std::mem::replace(&mut self.free, true);
                self.repeat(node, *times)?;
                self.free = was_free;
            }
        }
        Ok(())
    }

    fn branches(&mut self, nodes: &[Node]) -> Result<(), Mistake> {
        let mut jumps = Vec::new();
        for (index, node) in nodes.iter().enumerate() {
            if index + 1 == nodes.len() {
                self.node(node)?;
                break;
            }
            let split = self.push(State::Jump(0))?;
            self.node(node)?;
            jumps.push(self.push(State::Jump(0))?);
            self.set(split, State::Split(split + 1, self.states.len()));
        }
        let end = self.states.len();
        jumps.into_iter().for_each(|jump| self.set(jump, State::Jump(end)));
        Ok(())
    }

    fn repeat(&mut self, node: &Node, times: Times) -> Result<(), Mistake> {
        for _ in 0..times.min {
            self.node(node)?;
        }
        match times.max {
            None => {
                let split = self.push(State::Jump(0))?;
                self.node(node)?;
                self.push(State::Jump(split))?;
                self.set(split, State::Split(split + 1, self.states.len()));
            }
            Some(max) => {
                let mut splits = Vec::new();
                for _ in times.min..max {
                    splits.push(self.push(State::Jump(0))?);
                    self.node(node)?;
                }
                let end = self.states.len();
                splits.into_iter().for_each(|split| self.set(split, State::Split(split + 1, end)));
            }
        }
        Ok(())
    }
}

impl Text {
    fn is_at(&self, place: Assert, at: usize) -> bool {
        let is_word = |c: Option<char>| c.is_some_and(|c| set::class("word", false).is_some_and(|set| set.contains(c)));
        let before = at.checked_sub(1).and_then(|at| self.get(at));
        let behind = self.get(at);
        match place {
            Assert::Start => at == 0,
            Assert::End => behind.is_none(),
            Assert::LineStart => matches!(before, None | Some('\n')),
            Assert::LineEnd => matches!(behind, None | Some('\n')),
            Assert::WordStart => !is_word(before) && is_word(behind),
            Assert::WordEnd => is_word(before) && !is_word(behind),
            Assert::WordEdge => is_word(before) != is_word(behind),
            Assert::NoWordEdge => is_word(before) == is_word(behind),
        }
    }
}
