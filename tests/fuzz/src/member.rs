//! Application messages of members, after MLS has opened them.

use net::meeting::hostile;
use proto::ParticipantId;

/// A message that is read has one encoding of ours, which is read as the same message.
pub fn member_message(bytes: &[u8]) {
    if let Some(encoded) = hostile::recoded(bytes) {
        assert_eq!(hostile::recoded(&encoded), Some(encoded.clone()), "{bytes:?}");
    }
}

/// Returns a message of each kind.
pub fn member_messages() -> Vec<Vec<u8>> {
    let victims = [ParticipantId(7), ParticipantId(u64::MAX)];
    hostile::all(ParticipantId(3), &victims).iter().map(hostile::Forged::encode).collect()
}
