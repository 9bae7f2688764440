//! An expression as the parts that a match is taken apart by, as PostgreSQL's `parseqatom` makes them.
//!
//! Owns: which parts belong together. A part without groups, back references and clashing lengths is one leaf, whatever
//! it consists of: only its whole length counts.

use super::Mistake;
use super::nfa::Machine;
use super::syntax::{CAPTURES, Flags, LONGER, Node, REFERS, Times, combined, messy, preference, raised};

/// A part with its machine.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) kind: Kind,
    pub(super) flags: Flags,
    pub(super) capture: Option<usize>,
    pub(super) machine: Machine,
}

#[derive(Debug)]
pub(super) enum Kind {
    Leaf,
    Back {
        group: usize,
        times: Times,
    },
    Cat(Box<Part>, Box<Part>),
    Alt(Vec<Part>),
    Repeat {
        part: Box<Part>,
        times: Times,
    },
    /// Another group around a group.
    Wrap(Box<Part>),
}

/// A part before it has its machine.
struct Sketch {
    shape: Shape,
    flags: Flags,
    capture: Option<usize>,
    node: Node,
}

enum Shape {
    Leaf,
    Back { group: usize, times: Times },
    Cat(Box<Sketch>, Box<Sketch>),
    Alt(Vec<Sketch>),
    Repeat { part: Box<Sketch>, times: Times },
    Wrap(Box<Sketch>),
}

impl Part {
    pub(super) fn new(node: &Node, groups: &[Option<Node>]) -> Result<Self, Mistake> {
        branches(node).finish(groups)
    }
}

impl Sketch {
    fn leaf(node: Node, flags: Flags) -> Self {
        Self { shape: Shape::Leaf, flags, capture: None, node }
    }

    fn is_leaf(&self) -> bool {
        matches!(self.shape, Shape::Leaf)
    }

    fn cat(first: Self, second: Self, flags: Flags) -> Self {
        let node = Node::Cat(vec![first.node.clone(), second.node.clone()]);
        Self { shape: Shape::Cat(Box::new(first), Box::new(second)), flags, capture: None, node }
    }

    fn finish(self, groups: &[Option<Node>]) -> Result<Part, Mistake> {
        let boxed = |sketch: Box<Self>| sketch.finish(groups).map(Box::new);
        let kind = match self.shape {
            Shape::Leaf => Kind::Leaf,
            Shape::Back { group, times } => Kind::Back { group, times },
            Shape::Cat(first, second) => Kind::Cat(boxed(first)?, boxed(second)?),
            Shape::Alt(parts) => {
                Kind::Alt(parts.into_iter().map(|part| part.finish(groups)).collect::<Result<_, _>>()?)
            }
            Shape::Repeat { part, times } => Kind::Repeat { part: boxed(part)?, times },
            Shape::Wrap(part) => Kind::Wrap(boxed(part)?),
        };
        Ok(Part { kind, flags: self.flags, capture: self.capture, machine: Machine::new(&self.node, groups)? })
    }
}

/// What stands in parentheses, or the whole.
fn branches(node: &Node) -> Sketch {
    let Node::Alt(nodes) = node else {
        return match node {
            Node::Cat(nodes) => branch(nodes),
            node => branch(std::slice::from_ref(node)),
        };
    };
    let parts: Vec<Sketch> = nodes.iter().map(branches).collect();
    let flags = parts.iter().fold(LONGER, |flags, part| flags | raised(flags | part.flags));
    let shape = if messy(flags) { Shape::Alt(parts) } else { Shape::Leaf };
    Sketch { shape, flags, capture: None, node: node.clone() }
}

fn branch(nodes: &[Node]) -> Sketch {
    let mut prefix: Vec<Node> = Vec::new();
    let mut flags: Flags = 0;
    for (index, node) in nodes.iter().enumerate() {
        let (inner, times) = match node {
            Node::Repeat { node, times } => (node.as_ref(), *times),
            node => (node, Times::ONCE),
        };
        let atom = atom(inner);
        let all = flags | times.prefers | atom.as_ref().map_or(0, |atom| atom.flags);
        let is_apart = matches!(inner, Node::Capture(..) | Node::Back { .. });
        if !is_apart && !messy(raised(all)) {
            flags = all;
            prefix.push(node.clone());
            continue;
        }
        let atom = atom.unwrap_or_else(|| Sketch::leaf(inner.clone(), 0));
        let rest = nodes.get(index + 1..).unwrap_or_default();
        return apart((prefix, flags), quantified(atom, node, times), rest);
    }
    Sketch::leaf(Node::Cat(prefix), flags)
}

/// What a prefix, a part and the rest of a branch make together.
fn apart((prefix, flags): (Vec<Node>, Flags), part: Sketch, rest: &[Node]) -> Sketch {
    let is_first = prefix.is_empty();
    if rest.is_empty() {
        if is_first {
            return part;
        }
        let both = flags | combined(flags, part.flags);
        return Sketch::cat(Sketch::leaf(Node::Cat(prefix), flags), part, both);
    }
    let rest = branch(rest);
    let part_flags = part.flags;
    let tail_flags = part_flags | combined(part_flags, rest.flags);
    if is_first {
        let flags = flags | combined(flags, tail_flags);
        return Sketch::cat(part, rest, flags);
    }
    let are_plain = part.is_leaf() && rest.is_leaf() && !messy(raised(part_flags | rest.flags));
    let tail = if are_plain {
        let flags = combined(part_flags, rest.flags);
        Sketch::leaf(Node::Cat(vec![part.node, rest.node]), flags)
    } else {
        Sketch::cat(part, rest, tail_flags)
    };
    let both = flags | combined(flags, tail_flags);
    Sketch::cat(Sketch::leaf(Node::Cat(prefix), flags), tail, both)
}

/// The structure of what may be repeated, if it has any.
fn atom(node: &Node) -> Option<Sketch> {
    Some(match node {
        Node::Capture(number, inner) => {
            let mut atom = branches(inner);
            if atom.capture.is_some() {
                let (flags, node) = (atom.flags, atom.node.clone());
                atom = Sketch { shape: Shape::Wrap(Box::new(atom)), flags, capture: None, node };
            }
            atom.flags |= CAPTURES;
            atom.capture = Some(*number);
            atom
        }
        Node::Cat(_) | Node::Alt(_) | Node::Repeat { .. } => branches(node),
        Node::Back { group, times } => Sketch {
            shape: Shape::Back { group: *group, times: *times },
            flags: REFERS | combined(times.prefers, REFERS),
            capture: None,
            node: node.clone(),
        },
        Node::Empty | Node::Set(_) | Node::Assert(_) | Node::Look { .. } => return None,
    })
}

fn quantified(atom: Sketch, whole: &Node, times: Times) -> Sketch {
    let lengths = atom.flags & !(CAPTURES | REFERS);
    if times.is_once() && (times.prefers == 0 || lengths == 0 || times.prefers == lengths) {
        return atom;
    }
    let flags = combined(times.prefers, atom.flags);
    if atom.flags & (CAPTURES | REFERS) == 0 {
        return Sketch::leaf(whole.clone(), flags);
    }
    if times.min > 0 && atom.flags & REFERS == 0 {
        // Only the last repetition's groups count: those before it are one leaf.
        let before = Times { min: times.min - 1, max: times.max.map(|max| max - 1), prefers: times.prefers };
        let before = Node::Repeat { node: Box::new(atom.node.clone()), times: before };
        return Sketch::cat(Sketch::leaf(before, preference(flags)), atom, flags);
    }
    Sketch { shape: Shape::Repeat { part: Box::new(atom), times }, flags, capture: None, node: whole.clone() }
}
