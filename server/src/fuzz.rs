//! Entry points for fuzzing: everything that takes bytes of a stranger, behind functions that take any.
//! What they check is that nothing panics and that what must hold does.

use crate::Limits;
use crate::delivery::{Action, Delivery};
use crate::sfu::Descriptor;
use proto::{ClientMessage, ParticipantId};

/// Reads `packets` as the Dependency Descriptors of a track, one after the other. For each the start and end of a frame, its
/// number and its temporal layer; `None` where it is no descriptor.
pub fn descriptors<'a>(packets: impl Iterator<Item = &'a [u8]>) -> Vec<Option<(bool, bool, u16, u8)>> {
    let mut structure = None;
    let read = |bytes: &'a [u8]| {
        let read = Descriptor::read(bytes, structure.as_ref()).ok()?;
        let seen = (read.start, read.end, read.frame_number, read.temporal);
        structure = read.structure.or_else(|| structure.take());
        Some(seen)
    };
    packets.map(read).collect()
}

/// Plays `bytes` to a delivery service: pieces of a connection's number, a length and a message.
///
/// # Panics
/// Where the service says something that no client would read, or keeps a meeting without connections.
pub fn delivery(bytes: &[u8]) {
    let mut delivery = Delivery::new(Limits { meetings: 2, members: 4, log_entries: 8, ..Limits::default() });
    let mut rest = bytes;
    while let [who, length, tail @ ..] = rest {
        let participant = ParticipantId(u64::from(who & 7));
        let (message, next) = tail.split_at(usize::from(*length).min(tail.len()));
        rest = next;
        match who >> 6 {
            0 => delivery.handle_arrival(participant),
            1 => delivery.handle_departure(participant),
            _ => match proto::decode::<ClientMessage>(message) {
                Ok(ClientMessage::Meeting(message)) => delivery.handle_message(participant, message),
                Ok(ClientMessage::Sfu(request)) => delivery.handle_media(participant, request),
                Err(proto::Malformed) => delivery.refuse(participant, proto::Problem::Malformed),
            },
        }
        while let Some(action) = delivery.poll_action() {
            if let Action::Say(_, bytes) = action {
                assert!(proto::decode::<proto::Down>(&bytes).is_ok(), "clients read what the server says");
            }
        }
    }
    (0..8).for_each(|who| delivery.handle_departure(ParticipantId(who)));
    assert_eq!((delivery.connections(), delivery.meetings()), (0, 0));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::{Blob, Epoch, MeetingId, Up, VERSION, Welcome, encode};

    /// A little meeting as input; then the same with every byte wrong in turn.
    #[test]
    fn a_meeting_and_every_damaged_one_are_played() {
        let meeting = MeetingId([1; 16]);
        let script = [
            (1, Up::Hello { version: VERSION }),
            (2, Up::Hello { version: VERSION }),
            (1, Up::Create { meeting, admission_key: Blob(vec![1]) }),
            (2, Up::Knock { meeting, request: Blob(vec![2]) }),
            (
                1,
                Up::Commit {
                    epoch: Epoch(0),
                    blob: Blob(vec![3]),
                    welcomes: vec![Welcome { to: vec![ParticipantId(2)], blob: Blob(vec![4]) }],
                    removed: vec![],
                },
            ),
            (2, Up::Tell { epoch: Epoch(1), blob: Blob(vec![5]) }),
            (2, Up::Leave),
        ];
        let mut bytes = vec![1, 0, 2, 0];
        for (who, message) in script {
            let message = encode(&message);
            bytes.extend([0x80 | who, u8::try_from(message.len()).expect("short")]);
            bytes.extend(message);
        }
        delivery(&bytes);
        for at in 0..bytes.len() {
            for flip in [1, 0x80, 0xff] {
                let mut damaged = bytes.clone();
                damaged[at] ^= flip;
                delivery(&damaged);
                let (first, second) = damaged.split_at(at);
                descriptors([first, second].into_iter());
            }
        }
    }
}
