//! Messages that mean nothing to a client.

use super::room::Room;
use super::*;
use crate::meeting::chat::hostile as hostile_chat;

/// Returns what is told of messages that cannot be read: the sender, and how many it has sent.
fn malformed(client: &mut Client) -> Vec<(ParticipantId, u64)> {
    let told = |event| if let Event::Malformed { from, messages } = event { Some((from, messages)) } else { None };
    client.events().into_iter().filter_map(told).collect()
}

#[test]
fn messages_that_cannot_be_read_are_counted_for_each_sender() {
    let mut room = Room::new(2);
    let (bob, eve) = (room.id(1), room.id(2));
    malformed(room.at(0));
    let tell = |room: &mut Room, number: usize, sealed: Option<Up>| {
        let Some(Up::Tell { epoch, blob }) = sealed else { panic!("it is a member") };
        let from = room.id(number);
        room.log(&LogEntry::Told { from, epoch, blob });
    };
    for plaintext in [&b""[..], &[0xff; 9], &[0x82, 0x18, 99, 0x80]] {
        let sealed = hostile::seal_plaintext(&mut room.at(1).meeting, plaintext);
        tell(&mut room, 1, sealed);
    }
    let sealed = hostile_chat::seal(&mut room.at(2).meeting, vec![0xff; 64]);
    tell(&mut room, 2, sealed);
    assert_eq!(malformed(room.at(0)), [(bob, 1), (bob, 2), (bob, 3), (eve, 1)]);
    let Some(Up::Relay { blob }) = hostile_chat::relay(&room.at(2).meeting, 1, b"no body") else { panic!("a member") };
    room.at(0).receive(Down::Relayed { from: eve, blob });
    assert_eq!(malformed(room.at(0)), [(eve, 2)]);
    let sealed = hostile::seal_plaintext(
        &mut room.at(1).meeting,
        &state::Message::SentBack { devices: vec![0; 32].into() }.encode(),
    );
    tell(&mut room, 1, sealed);
    assert_eq!(malformed(room.at(0)), [], "one that can be read");
}

#[test]
fn garbage_in_a_lobby_chat_is_counted() {
    let mut organiser = Client::organiser();
    let waits = ParticipantId(2);
    organiser.command(Command::SetFlags { flags: proto::MeetingFlags::WAITING_ROOM, set: true });
    let commit = organiser.committed();
    organiser.log(0, commit.entry.clone());
    let (_guest, request) = Client::knocking(&organiser, 2);
    organiser.receive(Down::Knocked { participant: waits, request });
    malformed(&mut organiser);
    organiser.receive(Down::Lobby { participant: waits, from: waits, blob: Blob(vec![7; 300]) });
    assert_eq!(malformed(&mut organiser), [(waits, 1)]);
}
