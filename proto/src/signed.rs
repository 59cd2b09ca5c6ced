//! The bytes that the meeting's authority key signs, built in the same way by the clients, which sign, and by the
//! server, which verifies. The signatures are Ed25519 (RFC 8032).
//!
//! Each kind of message begins with its own text, so a signature of one kind is never valid for another. All parts but
//! the last have a fixed length, so no two messages have the same bytes.

use crate::{MeetingId, ParticipantId};

/// Returns the signed bytes of a manager's command. `counter` rises with each command of a participant, so no command
/// is accepted twice; `sender` is that participant, so no other client can send it.
#[must_use]
pub fn command(meeting: MeetingId, sender: ParticipantId, counter: u64, command: &[u8]) -> Vec<u8> {
    let (sender, counter) = (sender.0.to_be_bytes(), counter.to_be_bytes());
    [b"Conclave 1.0 manage\0".as_slice(), &meeting.0, &sender, &counter, command].concat()
}

/// Returns the signed bytes of a rotation, which the authority before it signs. `index` is 1 for the first rotation of
/// a meeting; `authority` is the new public key and `admission_hash` the SHA-256 of the new admission key.
#[must_use]
pub fn rotation(meeting: MeetingId, index: u32, authority: &[u8; 32], admission_hash: &[u8; 32]) -> Vec<u8> {
    [b"Conclave 1.0 rotate\0".as_slice(), &meeting.0, &index.to_be_bytes(), authority, admission_hash].concat()
}

/// Returns the signed bytes of an organiser's request to come back. `request` is its MLS key package.
#[must_use]
pub fn return_request(meeting: MeetingId, participant: ParticipantId, request: &[u8]) -> Vec<u8> {
    [b"Conclave 1.0 return\0".as_slice(), &meeting.0, &participant.0.to_be_bytes(), request].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_messages_have_the_same_bytes() {
        let (meeting, one, two) = (MeetingId([1; 16]), ParticipantId(1), ParticipantId(2));
        let messages = [
            command(meeting, one, 1, b"end"),
            command(meeting, one, 2, b"end"),
            command(meeting, two, 1, b"end"),
            command(meeting, one, 1, b"ends"),
            command(MeetingId([2; 16]), one, 1, b"end"),
            rotation(meeting, 1, &[1; 32], &[2; 32]),
            rotation(meeting, 2, &[1; 32], &[2; 32]),
            rotation(meeting, 1, &[2; 32], &[1; 32]),
            return_request(meeting, one, b"package"),
            return_request(meeting, two, b"package"),
        ];
        let distinct: std::collections::BTreeSet<_> = messages.iter().collect();
        assert_eq!(distinct.len(), messages.len());
    }
}
