//! Fuzz target for the delivery service: what clients may send.

use proto::{
    Blob, ClientMessage, ClientSignal, Down, Epoch, MeetingId, ParticipantId, Problem, Slot, TileWish, ToSfu, TrackId,
    Up, VERSION, Welcome,
};
use server::Limits;
use server::delivery::{Action, Delivery};

/// Runs a delivery service with eight connections. The input is a list of steps: a byte for the connection and its action,
/// a byte for the length of its message, and the message.
pub(super) fn delivery(bytes: &[u8]) {
    let mut delivery = Delivery::new(Limits { meetings: 2, members: 4, log_entries: 8, ..Limits::default() });
    let mut rest = bytes;
    while let [step, length, tail @ ..] = rest {
        let participant = ParticipantId(u64::from(step & 7));
        let (message, next) = tail.split_at(usize::from(*length).min(tail.len()));
        rest = next;
        match step >> 6 {
            0 => delivery.handle_connected(participant),
            1 => delivery.handle_disconnected(participant),
            _ => match proto::decode::<ClientMessage>(message) {
                Ok(ClientMessage::Meeting(message)) => delivery.handle_message(participant, message),
                Ok(ClientMessage::Sfu(message)) => delivery.handle_sfu_message(participant, message),
                Err(proto::Malformed) => delivery.reject(participant, Problem::Malformed),
            },
        }
        while let Some(action) = delivery.poll_action() {
            if let Action::Send(_, bytes) = action {
                assert!(proto::decode::<Down>(&bytes).is_ok(), "the server sends only valid messages");
            }
        }
    }
    (0..8).for_each(|participant| delivery.handle_disconnected(ParticipantId(participant)));
    assert_eq!((delivery.connections(), delivery.meetings()), (0, 0), "no meeting is left without connections");
}

/// Returns the steps of a complete small meeting, and of connections that send no message.
pub(super) fn scripts() -> Vec<Vec<u8>> {
    let meeting = MeetingId([1; 16]);
    let track = TrackId { owner: ParticipantId(1), slot: Slot::Camera };
    let tile = TileWish { track, width: 640, height: 360, frames_per_second: 30, priority: 1, hidden: false };
    let welcome = Welcome { to: vec![ParticipantId(2)], blob: Blob(vec![4]) };
    let commit = |epoch, welcomes, removed| Up::Commit { epoch: Epoch(epoch), blob: Blob(vec![3]), welcomes, removed };
    let wishes = ClientSignal::Wishes { tiles: vec![tile] };
    let wishes = ClientMessage::Sfu(ToSfu::Signal(Blob(proto::encode(&wishes))));
    let script = [
        (1, ClientMessage::Meeting(Up::Hello { version: VERSION })),
        (2, ClientMessage::Meeting(Up::Hello { version: VERSION })),
        (1, ClientMessage::Meeting(Up::Create { meeting, admission_key: Blob(vec![1]) })),
        (2, ClientMessage::Meeting(Up::Knock { meeting, request: Blob(vec![2]) })),
        (1, ClientMessage::Meeting(commit(0, vec![welcome], Vec::new()))),
        (2, ClientMessage::Meeting(Up::Tell { epoch: Epoch(1), blob: Blob(vec![5]) })),
        (2, wishes),
        (1, ClientMessage::Meeting(commit(1, Vec::new(), vec![ParticipantId(2)]))),
        (2, ClientMessage::Meeting(Up::Leave)),
    ];
    let mut whole = vec![1, 0, 2, 0];
    for (connection, message) in &script {
        let message = proto::encode(message);
        whole.extend([0x80 | *connection, u8::try_from(message.len()).unwrap_or_default()]);
        whole.extend(message);
    }
    let connections = [1_u8, 2, 3, 4, 5, 0x41, 0x42, 1, 2, 0x43];
    vec![whole, connections.iter().flat_map(|step| [*step, 0]).collect()]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Replaces each byte in turn, and requires that every damaged script is handled.
    #[test]
    fn every_changed_byte_of_a_meeting_is_handled() {
        let bytes = scripts().remove(0);
        delivery(&bytes);
        for at in 0..bytes.len() {
            for flip in [1, 0x80, 0xff] {
                let mut damaged = bytes.clone();
                damaged[at] ^= flip;
                delivery(&damaged);
            }
        }
    }
}
