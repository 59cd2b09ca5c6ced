//! Signed statements about the state of the group, which a member with other keys can verify.

use super::Group;
use crate::Leaf;
use crate::provider::is_signed;
use openmls::prelude::LeafNodeIndex;
use proto::{MemberBeacon, ParticipantId};

/// Signs the beacon of this member, `me`, with the key of its leaf.
pub fn sign(group: &Group, me: ParticipantId, beacon: &mut MemberBeacon) {
    beacon.signature = group.key.signature(&beacon.signed_bytes(group.meeting, me));
}

/// Returns true if the member `from` at `leaf` has signed the beacon. A member of another fork of the group has kept the
/// key of its leaf: no commit changes it.
pub fn has_signed(group: &Group, (from, leaf): (ParticipantId, Leaf), beacon: &MemberBeacon) -> bool {
    let member = group.mls.member_at(LeafNodeIndex::new(leaf.0));
    let message = beacon.signed_bytes(group.meeting, from);
    member.is_some_and(|member| is_signed(&member.signature_key, &message, &beacon.signature))
}

#[cfg(test)]
mod tests {
    use super::super::tests::with_three_members;
    use super::*;
    use proto::Epoch;

    #[test]
    fn only_the_key_of_the_leaf_signs_a_beacon_and_it_is_valid_in_another_epoch() {
        let (_, mut groups) = with_three_members();
        let (first, second) = groups.split_at_mut(1);
        let (first, second) = (&mut first[0], &mut second[0]);
        let mut beacon = MemberBeacon {
            counter: 1,
            epoch: Epoch(1),
            mls_epoch: 1,
            transcript: second.transcript_hash(),
            signature: [0; 64],
        };
        let second_id = second.members()[1].participant;
        assert!(!has_signed(first, (second_id, Leaf(1)), &beacon));
        sign(second, second_id, &mut beacon);
        assert!(has_signed(first, (second_id, Leaf(1)), &beacon));
        assert!(!has_signed(first, (ParticipantId(77), Leaf(1)), &beacon), "of another participant");
        assert!(!has_signed(first, (second_id, Leaf(0)), &beacon), "of another leaf");
        assert!(!has_signed(first, (second_id, Leaf(9)), &beacon), "of no leaf");
        let changed = MemberBeacon { transcript: [1; 32], ..beacon.clone() };
        assert!(!has_signed(first, (second_id, Leaf(1)), &changed));
        // Each merges a commit of its own for the same epoch: a fork.
        first.refresh().unwrap();
        first.merge_pending_commit().unwrap();
        second.refresh().unwrap();
        second.merge_pending_commit().unwrap();
        assert_eq!(first.epoch(), second.epoch());
        assert_ne!(first.transcript_hash(), second.transcript_hash());
        sign(second, second_id, &mut beacon);
        assert!(has_signed(first, (second_id, Leaf(1)), &beacon));
    }
}
