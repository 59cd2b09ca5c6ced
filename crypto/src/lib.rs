//! Keys that only the participants hold: identity, invitation, group (MLS), and the sealing of frames (`SFrame`).

mod frame;
mod header;
mod keyring;
mod memory;
/// Opening frames.
pub mod open;
/// Sealing frames.
pub mod seal;

pub use header::{Arrived, Header, Sealed};
pub use keyring::{KeyRing, MediaKeys};
pub use memory::Secret;
pub use open::Opener;
pub use seal::Sealer;

/// A member's place in the group's tree (RFC 9420, section 4.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Leaf(pub u32);
