//! Takes a match apart, as PostgreSQL's `cdissect` does.
//!
//! Owns: which text each group has. A part takes the length that it prefers as far as the parts behind it allow.

use super::set::lower;
use super::syntax::{SHORTER, Times};
use super::tree::{Kind, Part};
use super::{Groups, Mistake, Text};

pub(super) struct Dissector<'a> {
    pub(super) text: &'a Text,
    pub(super) insensitive: bool,
    pub(super) groups: Groups,
}

impl Dissector<'_> {
    /// Whether the part matches from `begin` to `end`, whose groups are noted then.
    pub(super) fn part(&mut self, part: &Part, begin: usize, end: usize) -> Result<bool, Mistake> {
        self.text.step(1)?;
        let found = match &part.kind {
            Kind::Leaf => true,
            Kind::Back { group, times } => self.back(*group, *times, (begin, end)),
            Kind::Cat(first, second) => self.cat((first, second), begin, end)?,
            Kind::Alt(parts) => self.alt(parts, begin, end)?,
            Kind::Repeat { part, times } if part.flags & SHORTER != 0 => {
                self.repeat_short(part, *times, (begin, end))?
            }
            Kind::Repeat { part, times } => self.repeat(part, *times, (begin, end))?,
            Kind::Wrap(inner) => self.part(inner, begin, end)?,
        };
        if found && let Some(group) = part.capture.and_then(|number| self.groups.get_mut(number)) {
            *group = Some((begin, end));
        }
        Ok(found)
    }

    /// Forgets the groups of a part.
    fn forget(&mut self, part: &Part) {
        if let Some(group) = part.capture.and_then(|number| self.groups.get_mut(number)) {
            *group = None;
        }
        match &part.kind {
            Kind::Leaf | Kind::Back { .. } => {}
            Kind::Cat(first, second) => {
                self.forget(first);
                self.forget(second);
            }
            Kind::Alt(parts) => parts.iter().for_each(|part| self.forget(part)),
            Kind::Repeat { part, .. } | Kind::Wrap(part) => self.forget(part),
        }
    }

    fn cat(&mut self, (first, second): (&Part, &Part), begin: usize, end: usize) -> Result<bool, Mistake> {
        let short = first.flags & SHORTER != 0;
        let mut middle = if short {
            first.machine.shortest(self.text, begin, (begin, end))?
        } else {
            first.machine.longest(self.text, begin, end)?
        };
        while let Some(at) = middle {
            if second.machine.is_exact(self.text, at, end)? {
                if self.part(first, begin, at)? && self.part(second, at, end)? {
                    return Ok(true);
                }
                self.forget(first);
                self.forget(second);
            }
            middle = match (short, at) {
                (true, at) if at < end => first.machine.shortest(self.text, begin, (at + 1, end))?,
                (false, at) if at > begin => first.machine.longest(self.text, begin, at - 1)?,
                _ => None,
            };
        }
        Ok(false)
    }

    fn alt(&mut self, parts: &[Part], begin: usize, end: usize) -> Result<bool, Mistake> {
        for part in parts {
            if part.machine.is_exact(self.text, begin, end)? && self.part(part, begin, end)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The text of a group, so many times.
    fn back(&self, group: usize, times: Times, (begin, end): (usize, usize)) -> bool {
        let Some(Some((from, to))) = self.groups.get(group).copied() else { return false };
        let (length, total) = (to - from, end - begin);
        if length == 0 || total == 0 {
            return total == 0 && (length == 0 || times.min == 0);
        }
        let count = u32::try_from(total / length).unwrap_or(u32::MAX);
        if total % length != 0 || count < times.min || times.max.is_some_and(|max| count > max) {
            return false;
        }
        let same = |a: Option<char>, b: Option<char>| match (a, b) {
            (Some(a), Some(b)) if self.insensitive => a == b || lower(a) == lower(b),
            (a, b) => a == b,
        };
        (0..total).all(|index| same(self.text.get(from + index % length), self.text.get(begin + index)))
    }

    fn repeat(&mut self, part: &Part, times: Times, (begin, end): (usize, usize)) -> Result<bool, Mistake> {
        let (min, max) = counts(times, begin, end);
        // Where the repetitions end, and how many of them are verified.
        let mut ends = vec![begin];
        let (mut verified, mut limit) = (0, end);
        loop {
            let k = ends.len();
            let from = ends.last().copied().unwrap_or(begin);
            if let Some(to) = part.machine.longest(self.text, from, limit)? {
                ends.push(to);
                verified = verified.min(k - 1);
                if to == end && k >= min && self.verify(part, &ends, &mut verified)? {
                    return Ok(true);
                }
                let is_empty = to == from && (k >= min || min - k < end - to);
                if to != end && k >= max {
                    ends.pop();
                } else if to != end && !is_empty {
                    limit = end;
                    continue;
                }
            }
            // Shorter versions of the last repetition, of none length only if they are needed.
            loop {
                let k = ends.len() - 1;
                if k == 0 {
                    // None at all is the last to be tried.
                    return Ok(times.min == 0 && begin == end);
                }
                let (to, from) = (ends.pop().unwrap_or(begin), ends.last().copied().unwrap_or(begin));
                if to > from {
                    limit = to - 1;
                    if limit > from || (k < min && min - k >= end - from) {
                        break;
                    }
                }
            }
        }
    }

    fn repeat_short(&mut self, part: &Part, times: Times, (begin, end): (usize, usize)) -> Result<bool, Mistake> {
        if times.min == 0 && begin == end {
            return Ok(true);
        }
        let (min, max) = counts(times, begin, end);
        let mut ends = vec![begin];
        let (mut verified, mut limit) = (0, begin);
        loop {
            let k = ends.len();
            let from = ends.last().copied().unwrap_or(begin);
            if limit == from && limit != end && (k >= min || min - k < end - limit) {
                limit += 1;
            }
            if k >= max {
                limit = end;
            }
            if let Some(to) = part.machine.shortest(self.text, from, (limit, end))? {
                ends.push(to);
                verified = verified.min(k - 1);
                if to == end && k >= min && self.verify(part, &ends, &mut verified)? {
                    return Ok(true);
                }
                if to != end && k < max {
                    limit = to;
                    continue;
                }
                if to != end {
                    ends.pop();
                }
            }
            loop {
                if ends.len() == 1 {
                    return Ok(false);
                }
                let to = ends.pop().unwrap_or(end);
                if to < end {
                    limit = to + 1;
                    break;
                }
            }
        }
    }

    /// Whether the repetitions match between these ends; those of the last one stay.
    fn verify(&mut self, part: &Part, ends: &[usize], verified: &mut usize) -> Result<bool, Mistake> {
        for (index, pair) in ends.windows(2).enumerate().skip(*verified) {
            let [from, to] = pair else { return Ok(false) };
            self.forget(part);
            if !self.part(part, *from, *to)? {
                return Ok(false);
            }
            *verified = index + 1;
        }
        Ok(true)
    }
}

/// The least and the most repetitions of a text, as far as one is needed.
fn counts(times: Times, begin: usize, end: usize) -> (usize, usize) {
    let of = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
    let min = of(times.min).max(1);
    (min, (end - begin).min(times.max.map_or(usize::MAX, of)).max(min))
}
