//! The keys of a meeting with one member, which seals and opens.

use crypto::{Group, Identity, KeyRing, Leaf, ManagerKeys, Profile};
use proto::ParticipantId;
use std::time::{Instant, SystemTime};

/// Returns the key ring and the leaf of the member.
pub fn of_one_member() -> (KeyRing, Leaf) {
    let identity = Identity::generate().unwrap();
    let (keys, profile) = (ManagerKeys::new().unwrap(), Profile::new("Anne").unwrap());
    let group = Group::create(&identity, profile, ParticipantId(1), &keys, SystemTime::now()).unwrap();
    let ring = KeyRing::new();
    ring.install(group.media_keys().unwrap(), &[group.me()], &[], Instant::now());
    (ring, group.me())
}
