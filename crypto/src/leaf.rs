//! The index of a member in the group's tree.

/// The leaf index of a member in the group's ratchet tree (RFC 9420, section 4.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Leaf(pub u32);
