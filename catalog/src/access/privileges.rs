//! Privileges by their words and letters, and sets of them.
//!
//! Must never know: who holds them.

/// What can be done with a relation or a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Privilege {
    Insert,
    Select,
    Update,
    Delete,
    Truncate,
    References,
    Trigger,
    /// REFRESH, VACUUM and OPTIMIZE: PostgreSQL 17's.
    Maintain,
    Usage,
    Create,
}

/// In the order of PostgreSQL's bits.
const ALL: [(Privilege, &str, char); 10] = [
    (Privilege::Insert, "INSERT", 'a'),
    (Privilege::Select, "SELECT", 'r'),
    (Privilege::Update, "UPDATE", 'w'),
    (Privilege::Delete, "DELETE", 'd'),
    (Privilege::Truncate, "TRUNCATE", 'D'),
    (Privilege::References, "REFERENCES", 'x'),
    (Privilege::Trigger, "TRIGGER", 't'),
    (Privilege::Maintain, "MAINTAIN", 'm'),
    (Privilege::Usage, "USAGE", 'U'),
    (Privilege::Create, "CREATE", 'C'),
];

impl Privilege {
    pub fn named(word: &str) -> Option<Self> {
        ALL.iter().find(|(_, known, _)| word.eq_ignore_ascii_case(known)).map(|(privilege, ..)| *privilege)
    }

    pub fn word(self) -> &'static str {
        ALL.iter().find(|(known, ..)| *known == self).map_or("", |(_, word, _)| word)
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Privileges(u16);

impl Privileges {
    pub const NONE: Self = Self(0);
    pub const OF_RELATIONS: Self = Self::NONE
        .with(Privilege::Insert)
        .with(Privilege::Select)
        .with(Privilege::Update)
        .with(Privilege::Delete)
        .with(Privilege::Truncate)
        .with(Privilege::References)
        .with(Privilege::Trigger)
        .with(Privilege::Maintain);
    pub const OF_COLUMNS: Self =
        Self::NONE.with(Privilege::Insert).with(Privilege::Select).with(Privilege::Update).with(Privilege::References);
    pub const OF_SCHEMAS: Self = Self::NONE.with(Privilege::Usage).with(Privilege::Create);

    pub const fn with(self, privilege: Privilege) -> Self {
        Self(self.0 | 1 << privilege as u16)
    }

    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those of both sets.
    pub const fn both(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub const fn has(self, privilege: Privilege) -> bool {
        self.0 & 1 << privilege as u16 != 0
    }

    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub fn iter(self) -> impl Iterator<Item = Privilege> {
        ALL.into_iter().map(|(privilege, ..)| privilege).filter(move |privilege| self.has(*privilege))
    }

    /// As an `aclitem` has them.
    pub fn letters(self) -> String {
        ALL.iter().filter(|(privilege, ..)| self.has(*privilege)).map(|(_, _, letter)| *letter).collect()
    }
}

impl FromIterator<Privilege> for Privileges {
    fn from_iter<I: IntoIterator<Item = Privilege>>(privileges: I) -> Self {
        privileges.into_iter().fold(Self::NONE, Self::with)
    }
}
