//! End-to-end encryption: identity, invitation, group (MLS) and frame encryption (`SFrame`).
//!
//! It uses no socket, no thread and no file. docs/security.md lists the guarantees, docs/frames.md the formats.

pub mod admission_key;
mod frame;
pub mod group;
mod header;
pub mod identity;
mod keyring;
mod knock_request;
mod leaf;
pub mod link;
mod memory;
pub mod open;
mod provider;
pub mod seal;
pub mod store;
#[cfg(test)]
mod tests;
mod words;

pub use admission_key::{AdmissionKey, Joiner, knock};
pub use group::{Group, MeetingPolicy, Member, MergedCommit, PendingCommit, Received};
pub use header::{Header, ReceivedFrame, Sealed};
pub use identity::{DeviceKey, Identity, Profile};
pub use keyring::{KeyRing, MediaKeys};
pub use knock_request::KnockRequest;
pub use leaf::Leaf;
pub use link::Invitation;
pub use memory::Secret;
pub use open::Opener;
pub use provider::NoRandomness;
pub use seal::Sealer;
pub use store::Store;
pub use words::{Language, Words};
