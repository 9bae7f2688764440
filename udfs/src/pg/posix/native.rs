//! The same expression for the `regex` engine, which says fast whether and where a text matches, but not how far.
//!
//! Owns: the translation. Sets are written out, so that both engines mean the same characters.

use std::fmt::Write;

use regex::{Regex, RegexBuilder};

use super::syntax::{Assert, Node};

/// What a compiled expression may take.
const BYTES_MAX: usize = 4 << 20;

/// `None` for what the engine does not have, or not as PostgreSQL means it.
pub(super) fn regex(node: &Node) -> Option<Regex> {
    let mut pattern = String::new();
    write(node, &mut pattern)?;
    RegexBuilder::new(&pattern).size_limit(BYTES_MAX).nest_limit(1_000).build().ok()
}

fn write(node: &Node, out: &mut String) -> Option<()> {
    match node {
        Node::Empty => {}
        Node::Set(set) => set.write(out),
        Node::Assert(place) => out.push_str(match place {
            Assert::Start => "\\A",
            Assert::End => "\\z",
            Assert::LineStart => "(?m:^)",
            Assert::LineEnd => "(?m:$)",
            // Words have other letters there.
            Assert::WordStart | Assert::WordEnd | Assert::WordEdge | Assert::NoWordEdge => return None,
        }),
        Node::Look { .. } | Node::Back { .. } => return None,
        Node::Capture(_, node) => write(node, out)?,
        Node::Cat(nodes) => nodes.iter().try_for_each(|node| write(node, out))?,
        Node::Alt(nodes) => {
            out.push_str("(?:");
            for (index, node) in nodes.iter().enumerate() {
                out.push_str(if index > 0 { "|" } else { "" });
                write(node, out)?;
            }
            out.push(')');
        }
        Node::Repeat { node, times } => {
            out.push_str("(?:");
            write(node, out)?;
            let _ = match times.max {
                Some(max) => write!(out, "){{{},{max}}}", times.min),
                None => write!(out, "){{{},}}", times.min),
            };
        }
    }
    Some(())
}
