//! Which rows of a shadow are those of which file.
//!
//! Owns: its written form, which stands behind the rows. Must never know: Parquet.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Id;
use crate::remembered::RULES;

/// Before the name of the table whose small files share a shadow.
const PACK: &str = "pack ";

/// The files of a shadow, one row after the other.
#[derive(Debug)]
pub(super) struct Index {
    /// The table whose small files share it; `None` if it is of one file.
    pub(super) pack_of: Option<String>,
    pub(super) members: Box<[Member]>,
}

/// The rows of one version of one file.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) id: Id,
    pub(super) rows: Range<usize>,
    /// What is known of them, in the text.
    told: Range<usize>,
    reads: AtomicU64,
}

/// The text of the shadow of one file.
pub(super) fn text_of_one(id: Id, told: &str) -> String {
    format!("{RULES} {id}\n{told}")
}

/// The text of a shadow of some files: the number of rows of each, and what is known of them.
pub(super) fn text_of_pack<'a>(table: &str, members: impl Iterator<Item = (Id, usize, &'a str)>) -> String {
    let mut text = format!("{RULES} {PACK}{}\n", serde_json::Value::from(table));
    for (id, rows, told) in members {
        text.extend([&id.to_string(), "\t", &rows.to_string(), "\t", told, "\n"]);
    }
    text
}

impl Index {
    /// What a text says of so many rows; `None` if another build wrote it.
    pub(super) fn parse(text: &str, rows: u64) -> Option<Self> {
        let rows = usize::try_from(rows).ok()?;
        let (head, rest) = text.split_once('\n')?;
        let head = head.strip_prefix(RULES)?.strip_prefix(' ')?;
        let mut at = head_bytes(text, rest);
        let Some(table) = head.strip_prefix(PACK) else {
            let member = Member::new(Id::parse(head)?, 0..rows, at..text.len());
            return Some(Self { pack_of: None, members: Box::new([member]) });
        };
        let pack_of = Some(serde_json::from_str(table).ok()?);
        let (mut members, mut first) = (Vec::new(), 0_usize);
        for line in rest.split_terminator('\n') {
            let (id, more) = line.split_once('\t')?;
            let (count, told) = more.split_once('\t')?;
            let (end, next) = (at + line.len(), first.checked_add(count.parse().ok()?)?);
            members.push(Member::new(Id::parse(id)?, first..next, end - told.len()..end));
            (at, first) = (end + 1, next);
        }
        (first == rows).then(|| Self { pack_of, members: members.into() })
    }

    /// What is known of the rows of a member.
    pub(super) fn told<'a>(&self, member: usize, text: &'a str) -> &'a str {
        self.members.get(member).and_then(|member| text.get(member.told.clone())).unwrap_or_default()
    }

    /// In memory, beside the text.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.members)
    }
}

fn head_bytes(text: &str, rest: &str) -> usize {
    text.len() - rest.len()
}

impl Member {
    fn new(id: Id, rows: Range<usize>, told: Range<usize>) -> Self {
        Self { id, rows, told, reads: AtomicU64::new(0) }
    }

    pub(super) fn reads(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }

    pub(super) fn count_read(&self) {
        self.reads.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u8) -> Id {
        Id::parse(&format!("{number:032x}")).unwrap()
    }

    #[test]
    fn an_index_is_read_as_it_was_written() {
        let text = text_of_one(id(7), "[3,[]]");
        let one = Index::parse(&text, 3).unwrap();
        assert_eq!((one.pack_of.as_ref(), one.members.len()), (None, 1));
        assert_eq!((one.members[0].id, one.members[0].rows.clone(), one.told(0, &text)), (id(7), 0..3, "[3,[]]"));
        let members = [(id(1), 2, "[2,[null]]"), (id(2), 0, ""), (id(3), 5, "[5,[[\"é\",\"\\t\",0]]]")];
        let text = text_of_pack("s.\"odd\nname\"", members.into_iter());
        let pack = Index::parse(&text, 7).unwrap();
        assert_eq!(pack.pack_of.as_deref(), Some("s.\"odd\nname\""));
        let rows: Vec<_> = pack.members.iter().map(|member| (member.id, member.rows.clone())).collect();
        assert_eq!(rows, [(id(1), 0..2), (id(2), 2..2), (id(3), 2..7)]);
        for (at, (_, _, told)) in members.iter().enumerate() {
            assert_eq!(pack.told(at, &text), *told);
        }
        assert_eq!(pack.told(3, &text), "");
    }

    #[test]
    fn what_another_build_wrote_is_not_read() {
        let text = text_of_pack("s.t", [(id(1), 2, "x")].into_iter());
        assert!(Index::parse(&text, 2).is_some());
        assert!(Index::parse(&text, 3).is_none(), "a number of rows that its members do not have");
        for text in ["", "x", "other 1\n", &text.replace(RULES, "other"), &text.replace("\t2\t", "\t-2\t"), &text[1..]]
        {
            assert!(Index::parse(text, 2).is_none(), "{text}");
        }
    }
}
