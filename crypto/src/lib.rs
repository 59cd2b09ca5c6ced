//! End-to-end encryption: identity, invitation, group (MLS) and frame encryption (`SFrame`).
//!
//! It uses no socket, no thread and no file. docs/security.md lists the guarantees, docs/frames.md the formats.

pub mod admission_key;
pub mod authority;
pub mod authority_chain;
pub mod certificate;
pub mod chat;
mod complaint;
mod credential;
mod device_key;
mod digest_check;
mod digest_list;
pub mod emoji;
mod frame;
pub mod group;
mod header;
#[doc(hidden)]
pub mod hostile;
pub mod identity;
mod joiner;
mod keyring;
mod knock_request;
mod leaf;
mod leaf_node;
pub mod link;
pub mod lobby_key;
mod manager_keys;
mod memory;
pub mod name;
pub mod open;
mod provider;
pub mod seal;
mod sealed_keys;
mod sent_sounds;
mod sound;
pub mod store;
#[cfg(test)]
mod tests;
#[doc(hidden)]
pub mod vectors;
mod words;

pub use authority::{Authority, Binding};
pub use authority_chain::{AuthorityChain, Rotation};
pub use certificate::{CertificateChain, Roots};
pub use complaint::Complaint;
pub use digest_check::Authorship;
pub use frame::{CopyLayout, MAX_COPIES, MAX_COPY_BYTES, SoundCopy, SoundLayout};
pub use group::{
    Changes, Gone, Group, MeetingPolicy, Member, MergedCommit, PendingCommit, Person, PolicyChange, PolicyEdit, Rank,
    Received,
};
pub use header::{Header, ReceivedFrame, Sealed};
pub use identity::{DeviceKey, Identity, Profile};
pub use joiner::{Joiner, ReturnRequest, knock, knock_again, open_return, return_to_meeting};
pub use keyring::{KeyRing, MediaKeys};
pub use knock_request::KnockRequest;
pub use leaf::Leaf;
pub use link::{Fingerprint, Invitation, SecretLink, find_link};
pub use lobby_key::{LobbyKey, LobbyMessage, MAX_LOBBY_CONTENT};
pub use manager_keys::ManagerKeys;
pub use memory::Secret;
pub use open::Opener;
pub use provider::NoRandomness;
pub use seal::Sealer;
pub use sealed_keys::{Envelope, SealingKey, SharedKeys};
pub use sent_sounds::{SentSound, SentSounds};
pub use sound::OpenedSound;
pub use store::Store;
pub use words::{Language, Words};
pub use zeroize::Zeroizing;
