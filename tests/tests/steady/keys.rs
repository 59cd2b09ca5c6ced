//! The keys of a meeting with one member, which seals and opens.

use crypto::{Group, Identity, KeyRing, Leaf, Profile};
use proto::{MeetingId, ParticipantId};
use std::time::Instant;

/// Returns the key ring and the leaf of the member.
pub fn of_one_member() -> (KeyRing, Leaf) {
    let identity = Identity::generate().unwrap();
    let group = Group::create(&identity, Profile::new("Anne").unwrap(), ParticipantId(1), MeetingId([1; 16])).unwrap();
    let ring = KeyRing::new();
    ring.install(group.media_keys().unwrap(), &[group.me()], &[], Instant::now());
    (ring, group.me())
}
