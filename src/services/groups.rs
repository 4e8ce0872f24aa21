use crate::types::{Address, GroupId};

/// Kinds of privacy groups.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum GroupKind {
    /// By member set alone (Orion).
    Legacy,
    /// Made by `/createPrivacyGroup`.
    Pantheon,
    /// Configured: one private state of a multi-tenant node.
    Resident,
}

/// A privacy group.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Group {
    /// Its id.
    pub id: GroupId,
    /// Its name.
    pub name: String,
    /// Its description.
    pub description: String,
    /// Its kind.
    pub kind: GroupKind,
    /// Its members; order is meaningful for resident groups.
    pub members: Vec<Address>,
}

/// A group to create.
#[derive(Clone, Debug, Default)]
pub struct NewGroup {
    /// Members.
    pub members: Vec<Address>,
    /// Creator; the default key if absent. Must be a member.
    pub from: Option<Address>,
    /// Name.
    pub name: String,
    /// Description.
    pub description: String,
    /// Seed of the id; 20 random bytes if absent.
    pub seed: Option<Vec<u8>>,
}
