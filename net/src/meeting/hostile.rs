//! What a member with a modified client can send to the other members: any application message, encrypted with its real keys.
//! Attacks over real sockets use it; no program does.

mod beacons;
mod commits;
mod half_valid;
mod waiting;

pub use beacons::{FalseBeacon, false_beacon, sign_beacon};
pub use commits::{Breach, Succession, commit, succeed};
pub use half_valid::half_valid;
pub use waiting::{FORGED_TEXT, ForgedText, LOBBY_KINDS, epoch_secrets, lobby_messages};

use super::Meeting;
use super::Phase;
use super::group_log::seal_bytes;
use super::moderation_message::{FloorMessage, HandMessage};
use super::state::{MediaState, Message, Microphone};
use super::verification::VerificationMessage;
use proto::{ManagerCommand, ParticipantId, Position, Rights, Up};

/// A message that the author has no right to, or that makes no sense.
#[derive(Clone, Debug)]
pub struct Forged {
    /// Its kinds, from the outside in.
    pub kinds: Vec<&'static str>,
    /// What is special about it.
    pub what: &'static str,
    message: Message,
}

impl Forged {
    /// Returns the plaintext.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        self.message.encode()
    }
}

/// Reads the plaintext of an application message, and returns our encoding of it. `None` if it is not a message.
#[must_use]
pub fn recoded(bytes: &[u8]) -> Option<Vec<u8>> {
    Message::decode(bytes).map(|message| message.encode())
}

/// Returns application messages of every kind. None may change anything for `victims` or for what others see of them. `me` is the
/// author.
#[must_use]
pub fn all(me: ParticipantId, victims: &[ParticipantId]) -> Vec<Forged> {
    let victim = victims.first().copied().unwrap_or(ParticipantId(1));
    let set = |target, rights: Rights, allow| {
        Message::Floor(FloorMessage::Set { lamport: NUMBER, target, rights: rights.bits(), allow })
    };
    let (nobody, commitment) = (ParticipantId(u64::MAX), [7; 32]);
    let muted = MediaState { microphone: Microphone::Muted, ..MediaState::default() };
    [
        ("", Message::State { count: u32::MAX, state: muted }),
        ("garbage", Message::SealingKey { public: vec![7; 1_216].into() }),
        ("too long", Message::SealingKey { public: vec![7; 40_000].into() }),
        ("garbage", Message::ManagerKeys { to: victim, sealed: vec![9; 1_400].into() }),
        ("for itself", Message::ManagerKeys { to: me, sealed: Vec::new().into() }),
        ("against a higher role", set(Some(victim), Rights::MEDIA, false)),
        ("for itself", set(Some(me), Rights::ALL, true)),
        ("about nobody", set(Some(nobody), Rights::MEDIA, false)),
        ("with other rights", set(Some(victim), Rights::ALL.without(Rights::MEDIA), true)),
        (
            "with bits that mean nothing",
            Message::Floor(FloorMessage::Set { lamport: 1, target: Some(victim), rights: u32::MAX, allow: false }),
        ),
        ("of the last position", Message::Hands(HandMessage::Raise { since: Some(Position(u64::MAX)) })),
        ("of the first position", Message::Hands(HandMessage::Raise { since: Some(Position(0)) })),
        ("", Message::Hands(HandMessage::Lower)),
        ("of a higher role", Message::Hands(HandMessage::LowerOf { participant: victim })),
        ("", Message::Hands(HandMessage::LowerAll)),
        (
            "without a participant",
            Message::Verification(VerificationMessage::Begin { round: 1, participants: Vec::new(), commitment }),
        ),
        (
            "of endless participants",
            Message::Verification(VerificationMessage::Begin {
                round: 2,
                participants: vec![victim; 4_000],
                commitment,
            }),
        ),
        (
            "of others only",
            Message::Verification(VerificationMessage::Begin { round: 3, participants: victims.to_vec(), commitment }),
        ),
        ("of no round", Message::Verification(VerificationMessage::Commit { round: 9, commitment })),
        ("of no round", Message::Verification(VerificationMessage::Reveal { round: 9, nonce: commitment })),
        ("of nobody", Message::Verification(VerificationMessage::Ask { to: nobody, round: 4, commitment })),
        (
            "to no challenge",
            Message::Verification(VerificationMessage::Answer { to: victim, round: 4, nonce: commitment }),
        ),
        (
            "of no challenge",
            Message::Verification(VerificationMessage::Open { to: victim, round: 4, nonce: commitment }),
        ),
        ("without the role", Message::SentBack { devices: vec![5; 3 * 32 + 7].into() }),
        ("too long", Message::SentBack { devices: vec![6; 60_000].into() }),
    ]
    .map(|(what, message)| Forged { kinds: kinds(&message), what, message })
    .into()
}

/// Returns the order that mutes everybody. Only a guest has no right to it.
#[must_use]
pub fn mute_all() -> Forged {
    let message =
        Message::Floor(FloorMessage::Set { lamport: NUMBER, target: None, rights: Rights::MEDIA.bits(), allow: false });
    Forged { kinds: kinds(&message), what: "about everyone", message }
}

/// Encrypts a forged message for the other members. `None` if the client is no member, or a commit of it is pending.
#[must_use]
pub fn seal(meeting: &mut Meeting, forged: &Forged) -> Option<Up> {
    let Phase::Member(joined) = &mut meeting.phase else { return None };
    joined.log.seal(&forged.message)
}

/// Signs a command of a manager, whatever it has the right to. `None` if the client has not the keys.
#[must_use]
pub fn command(meeting: &mut Meeting, command: &ManagerCommand) -> Option<Up> {
    meeting.manager.as_mut().map(|manager| manager.command(command, Vec::new()))
}

/// Returns true if the client has the keys of a manager.
#[must_use]
pub const fn has_keys(meeting: &Meeting) -> bool {
    meeting.manager.is_some()
}

/// Encrypts any bytes as an application message for the other members, as [`seal`] does.
#[must_use]
pub fn seal_plaintext(meeting: &mut Meeting, plaintext: &[u8]) -> Option<Up> {
    let Phase::Member(joined) = &mut meeting.phase else { return None };
    seal_bytes(&mut joined.log, plaintext)
}

/// A number that an order may have in every epoch.
const NUMBER: u64 = 65_535;

fn kinds(message: &Message) -> Vec<&'static str> {
    match message {
        Message::State { .. } => vec!["Message::State"],
        Message::SealingKey { .. } => vec!["Message::SealingKey"],
        Message::ManagerKeys { .. } => vec!["Message::ManagerKeys"],
        Message::Chat { .. } => vec!["Message::Chat"],
        Message::SentBack { .. } => vec!["Message::SentBack"],
        Message::Floor(FloorMessage::Set { .. }) => vec!["Message::Floor", "FloorMessage::Set"],
        Message::Verification(message) => vec![
            "Message::Verification",
            match message {
                VerificationMessage::Begin { .. } => "VerificationMessage::Begin",
                VerificationMessage::Commit { .. } => "VerificationMessage::Commit",
                VerificationMessage::Reveal { .. } => "VerificationMessage::Reveal",
                VerificationMessage::Ask { .. } => "VerificationMessage::Ask",
                VerificationMessage::Answer { .. } => "VerificationMessage::Answer",
                VerificationMessage::Open { .. } => "VerificationMessage::Open",
            },
        ],
        Message::Hands(hands) => vec![
            "Message::Hands",
            match hands {
                HandMessage::Raise { .. } => "HandMessage::Raise",
                HandMessage::Lower => "HandMessage::Lower",
                HandMessage::LowerOf { .. } => "HandMessage::LowerOf",
                HandMessage::LowerAll => "HandMessage::LowerAll",
            },
        ],
    }
}
