//! What a person with a modified client can do while it waits, with the real key of its lobby chat.

use super::super::lobby::{Content, MAX_LOBBY_TEXT};
use super::super::{Meeting, Phase};
use crypto::group::hostile::{self, Named};
use crypto::{LobbyKey, LobbyMessage, MAX_LOBBY_CONTENT};
use proto::{Blob, ParticipantId, Up};

/// A message of the lobby chat that an honest program does not send.
#[derive(Clone, Debug)]
pub struct ForgedText {
    /// The kind of its content.
    pub kind: &'static str,
    /// What is special about it.
    pub what: &'static str,
    /// The message.
    pub message: Up,
}

/// Returns messages to the managers, of a person `me` that waits; `manager` is one of them. Empty if this client does not wait.
#[must_use]
pub fn lobby_messages(meeting: &Meeting, me: ParticipantId, manager: ParticipantId) -> Vec<ForgedText> {
    let Phase::Joining(joining) = &meeting.phase else { return Vec::new() };
    let Some(key) = joining.joiner().and_then(|joiner| joiner.lobby()) else { return Vec::new() };
    forged(key, me, manager)
}

fn forged(key: &LobbyKey, me: ParticipantId, manager: ParticipantId) -> Vec<ForgedText> {
    let [received, text_kind, withdrawn] = LOBBY_KINDS;
    let unclean = Content::Text { text: "\u{202e}\u{1b}[2J\u{7}".into() }.encode();
    let long = Content::Text { text: "x".repeat(MAX_LOBBY_TEXT + 9) }.encode();
    let text = || Content::Text { text: FORGED_TEXT.into() }.encode();
    [
        (received, "that only a manager says", me, 1, Content::Received { organiser: true }.encode()),
        (withdrawn, "that only a manager says", me, 2, Content::Withdrawn.encode()),
        (text_kind, "of characters that must not be shown", me, 3, unclean),
        (text_kind, "longer than allowed", me, 4, long),
        (text_kind, "with a number from before", me, 1, text()),
        (text_kind, "of the last number", me, u32::MAX, Content::Text { text: String::new() }.encode()),
        (text_kind, "in a manager's name", manager, 9, text()),
        ("no content", "of an unknown kind", me, 10, vec![0x82, 0x09, 0x80]),
        ("no content", "garbage", me, 11, vec![0xff; MAX_LOBBY_CONTENT]),
        ("no content", "no bytes", me, 12, Vec::new()),
    ]
    .into_iter()
    .filter_map(|(kind, what, from, counter, content)| {
        let blob = Blob(key.seal(from, &LobbyMessage { counter, content }).ok()?);
        Some(ForgedText { kind, what, message: Up::Lobby { blob } })
    })
    .collect()
}

/// Returns the secrets of the epoch that a Welcome begins, which all its members share. `tree` is sealed. Empty if this client has
/// not knocked, or the Welcome is not for it.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "a test searches for them in another process")]
pub fn epoch_secrets(meeting: &Meeting, welcome: &[u8], tree: &[u8]) -> Vec<Named> {
    let Phase::Joining(joining) = &meeting.phase else { return Vec::new() };
    let secrets = joining.joiner().and_then(|joiner| hostile::epoch_secrets(joiner, welcome, tree).ok());
    secrets.unwrap_or_default()
}

/// The kinds of contents, each of which is sent.
pub const LOBBY_KINDS: [&str; 3] = ["Content::Received", "Content::Text", "Content::Withdrawn"];

/// A text that no manager may see.
pub const FORGED_TEXT: &str = "forged in the waiting room";
