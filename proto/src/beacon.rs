//! What every member says about the state of its group, outside of the group's encryption.
//!
//! An MLS message crosses no fork: each half has other keys. So a beacon is signed and not encrypted. Its signature is by
//! the key of the member's leaf, which stays the same for the whole membership.

use crate::{Epoch, MeetingId, ParticipantId, Signature};
use minicbor::{CborLen, Decode, Encode};

/// The state of the group as one member sees it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode, CborLen)]
pub struct MemberBeacon {
    /// Rises with each beacon of the member, so that none counts twice.
    #[n(0)]
    pub counter: u64,
    /// The log's epoch.
    #[n(1)]
    pub epoch: Epoch,
    /// The MLS epoch after the commits before `epoch`.
    #[n(2)]
    pub mls_epoch: u64,
    /// The SHA-256 of the confirmed transcript hash (RFC 9420, section 8.2) of that MLS epoch.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub transcript: [u8; 32],
    /// The Ed25519 signature of the member's leaf over [`Self::signed_bytes`].
    #[cbor(n(4), with = "minicbor::bytes")]
    pub signature: Signature,
}

impl MemberBeacon {
    /// Returns the bytes that the member `from` signs. All parts have a fixed length.
    #[must_use]
    pub fn signed_bytes(&self, meeting: MeetingId, from: ParticipantId) -> Vec<u8> {
        let numbers = [from.0, self.counter, self.epoch.0, self.mls_epoch].map(u64::to_be_bytes).concat();
        [b"Conclave 1.0 beacon\0".as_slice(), &meeting.0, &numbers, &self.transcript].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_changes_the_signed_bytes() {
        let beacon =
            MemberBeacon { counter: 1, epoch: Epoch(2), mls_epoch: 2, transcript: [3; 32], signature: [0; 64] };
        let (meeting, from) = (MeetingId([1; 16]), ParticipantId(7));
        let messages = [
            beacon.signed_bytes(meeting, from),
            beacon.signed_bytes(MeetingId([2; 16]), from),
            beacon.signed_bytes(meeting, ParticipantId(8)),
            MemberBeacon { counter: 2, ..beacon.clone() }.signed_bytes(meeting, from),
            MemberBeacon { epoch: Epoch(3), ..beacon.clone() }.signed_bytes(meeting, from),
            MemberBeacon { mls_epoch: 3, ..beacon.clone() }.signed_bytes(meeting, from),
            MemberBeacon { transcript: [4; 32], ..beacon.clone() }.signed_bytes(meeting, from),
        ];
        let distinct: std::collections::BTreeSet<_> = messages.iter().collect();
        assert_eq!(distinct.len(), messages.len());
        let signed = MemberBeacon { signature: [9; 64], ..beacon };
        assert_eq!(signed.signed_bytes(meeting, from), messages[0], "a signature does not sign itself");
    }
}
