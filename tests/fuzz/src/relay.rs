//! What anybody may send to the server: words of connections, and descriptors of packets.

use super::parts;
use net::rtp::descriptor::Descriptor;
use net::rtp::structure::Structure;
use proto::{
    Blob, ClientMessage, ClientSignal, Epoch, MeetingId, ParticipantId, Slot, TileWish, ToSfu, TrackId, Up, VERSION,
    Welcome,
};

/// A delivery service and eight connections, which come, go, and say anything.
pub(super) fn delivery(bytes: &[u8]) {
    server::fuzz::delivery(bytes);
}

/// A track's descriptors, read by the relay and by a receiver: as long as both can read them, they read the same.
pub(super) fn descriptors(bytes: &[u8]) {
    let relay = server::fuzz::descriptors(parts(bytes));
    let mut structure: Option<Structure> = None;
    for (part, relayed) in parts(bytes).zip(relay) {
        let (Some(relayed), Ok(read)) = (relayed, Descriptor::read(part, structure.as_ref())) else { return };
        let received = (read.packet.start, read.packet.end, read.packet.number, read.temporal);
        assert_eq!(relayed, received, "the relay forwards by something else than receivers see");
        structure = read.structure.or(structure);
    }
}

/// A little meeting, from its first word to its last, and one whose members only come and go.
pub(super) fn conversations() -> Vec<Vec<u8>> {
    let meeting = MeetingId([1; 16]);
    let track = TrackId { owner: ParticipantId(1), slot: Slot::Camera };
    let tile = TileWish { track, width: 640, height: 360, frames_per_second: 30, priority: 1, paused: false };
    let welcome = Welcome { to: vec![ParticipantId(2)], blob: Blob(vec![4]) };
    let commit = |epoch, welcomes, removed| Up::Commit { epoch: Epoch(epoch), blob: Blob(vec![3]), welcomes, removed };
    let meeting_control = ClientMessage::Meeting;
    let signal = |tiles| ClientMessage::Sfu(ToSfu::Signal(Blob(proto::encode(&ClientSignal::Wishes { tiles }))));
    let script = [
        (1, meeting_control(Up::Hello { version: VERSION })),
        (2, meeting_control(Up::Hello { version: VERSION })),
        (1, meeting_control(Up::Create { meeting, admission_key: Blob(vec![1]) })),
        (2, meeting_control(Up::Knock { meeting, request: Blob(vec![2]) })),
        (1, meeting_control(commit(0, vec![welcome], Vec::new()))),
        (2, meeting_control(Up::Tell { epoch: Epoch(1), blob: Blob(vec![5]) })),
        (2, signal(vec![tile])),
        (1, meeting_control(commit(1, Vec::new(), vec![ParticipantId(2)]))),
        (2, meeting_control(Up::Leave)),
    ];
    let mut whole = vec![1, 0, 2, 0];
    for (who, message) in &script {
        let message = proto::encode(message);
        whole.extend([0x80 | *who, u8::try_from(message.len()).unwrap_or_default()]);
        whole.extend(message);
    }
    let comings = [1u8, 2, 3, 4, 5, 0x41, 0x42, 1, 2, 0x43];
    vec![whole, comings.iter().flat_map(|who| [*who, 0]).collect()]
}
