//! A message of each kind that members send each other, for test vectors (`cargo xtask vectors`). The generator writes beside
//! each of them what it says. No program uses it.

use super::chat::message::{
    self, Ballot, ChatMessage, Content, Device, LineRef, OldLine, PassedBallot, PrivateMessage, Question, ReactionTo,
    SignedBallot, SignedContent,
};
use super::chat::{BadText, Reaction, Text};
use super::lobby;
use super::moderation_message::{FloorMessage, HandMessage};
use super::state::{MediaState, Message, Microphone, SendLimit};
use super::verification::message::VerificationMessage;
use crypto::chat::{self as signed_by, SignedLine};
use crypto::{Identity, Zeroizing};
use proto::{MeetingId, ParticipantId, Position, Rights};

/// A message: what it is, and its bytes.
pub type Sample = (&'static str, Vec<u8>);

/// Returns application messages as MLS seals them.
#[must_use]
pub fn member_messages() -> Vec<Sample> {
    let limited = MediaState {
        microphone: Microphone::Muted,
        camera: true,
        screen: false,
        camera_limit: None,
        screen_limit: Some(SendLimit::Computer),
    };
    let set = |target, rights: Rights, allow| {
        Message::Floor(FloorMessage::Set { lamport: 5 * 65_536 + 2, target, rights: rights.bits(), allow })
    };
    let raise = |since| Message::Hands(HandMessage::Raise { since });
    let verify = Message::Verification;
    [
        (
            "state",
            Message::State { count: 3, state: MediaState { microphone: Microphone::On, ..MediaState::default() } },
        ),
        ("state with a limit", Message::State { count: 70_000, state: limited }),
        (
            "state without devices",
            Message::State {
                count: 4,
                state: MediaState { camera_limit: Some(SendLimit::Uplink), ..MediaState::default() },
            },
        ),
        ("sealing key", Message::SealingKey { public: vec![6; 1_216].into() }),
        ("keys for a manager", Message::ManagerKeys { to: TO, sealed: vec![7; 40].into() }),
        ("chat", Message::Chat { body: vec![0; 64].into() }),
        ("mute one", set(Some(TO), Rights::MICROPHONE, false)),
        ("mute everybody", set(None, Rights::MICROPHONE, false)),
        ("allow one to share", set(Some(TO), Rights::SCREEN | Rights::APPLICATION, true)),
        ("raise", raise(None)),
        ("announce a raised hand", raise(Some(Position(300)))),
        ("lower", Message::Hands(HandMessage::Lower)),
        ("lower of one", Message::Hands(HandMessage::LowerOf { participant: TO })),
        ("lower all", Message::Hands(HandMessage::LowerAll)),
        ("devices that were sent back", Message::SentBack { devices: vec![4; 64].into() }),
        ("begin", verify(VerificationMessage::Begin { round: 9, participants: vec![TO], commitment: [1; 32] })),
        ("commit", verify(VerificationMessage::Commit { round: 9, commitment: [2; 32] })),
        ("reveal", verify(VerificationMessage::Reveal { round: 9, nonce: [3; 32] })),
        ("ask", verify(VerificationMessage::Ask { to: TO, round: 300, commitment: [1; 32] })),
        ("answer", verify(VerificationMessage::Answer { to: TO, round: 300, nonce: [2; 32] })),
        ("open", verify(VerificationMessage::Open { to: TO, round: 300, nonce: [3; 32] })),
    ]
    .map(|(what, message)| (what, message.encode()))
    .into()
}

/// Returns messages of the chat with their padding. `identity` has signed the lines, which are of `meeting`.
///
/// # Errors
/// Returns [`BadText`] if a text here is not valid, which a test excludes.
pub fn chat_messages(identity: &Identity, meeting: MeetingId) -> Result<Vec<Sample>, BadText> {
    let device = Device(identity.public().0);
    let line = LineRef { device, counter: FIRST };
    let signed = |counter, content: Content| {
        let signature = SignedLine { meeting, counter, content: &content.encode() }.sign(identity);
        SignedContent { counter, content, signature }
    };
    let first = signed(FIRST, content("Good morning", None)?);
    let edited = signed(FIRST + 1, Content { revision: 2, ..content("two\nlines, and an é", Some(line))? });
    let question = Question {
        counter: FIRST + 2,
        text: Text::new("When?")?,
        options: vec![Text::new("now")?, Text::new("later")?],
        secret: true,
    };
    let react = |reaction| ChatMessage::React(ReactionTo { line, reaction, on: true });
    let to = vec![TO, ParticipantId(u64::MAX)];
    let SignedBallot { number, name, signature, .. } = ballot(identity, meeting);
    let passed = PassedBallot { device, choice: 1, number, name, signature };
    let messages = [
        ("line", ChatMessage::Line(first.clone())),
        ("edit of a reply with a mention", ChatMessage::Line(edited)),
        ("delete", ChatMessage::Delete(line)),
        ("like", react(Reaction::Like)),
        ("heart", react(Reaction::Heart)),
        ("laugh", react(Reaction::Laugh)),
        ("surprised", react(Reaction::Surprised)),
        ("celebrate", react(Reaction::Celebrate)),
        ("private", ChatMessage::Private { to: TO, sealed: vec![7; 100].into() }),
        ("key wanted", ChatMessage::KeyWanted { of: TO }),
        ("key", ChatMessage::Key { public: vec![6; 1_216].into() }),
        ("history wanted", ChatMessage::HistoryWanted),
        ("history", ChatMessage::History { to, lines: vec![OldLine { device, place: 12, line: first }], last: true }),
        ("vote", ChatMessage::Vote(question.clone())),
        ("ballot", ChatMessage::Ballot(ballot(identity, meeting))),
        ("end of a vote", ChatMessage::VoteEnd { counter: FIRST + 2, counts: vec![2, 70_000] }),
        ("open vote", ChatMessage::OpenVote { to: vec![TO], question, place: 13, ballots: vec![passed] }),
    ];
    Ok(messages.iter().filter_map(|(what, message)| Some((*what, message::encode(message)?))).collect())
}

/// What a message is, and its plaintext.
pub type Plaintext = (&'static str, Zeroizing<Vec<u8>>);

/// Returns the plaintexts of private messages with their padding, before they are sealed.
///
/// # Errors
/// As [`chat_messages`].
pub fn private_messages(identity: &Identity) -> Result<Vec<Plaintext>, BadText> {
    let line = LineRef { device: Device(identity.public().0), counter: FIRST };
    let messages = [
        ("private line", PrivateMessage::Line { counter: FIRST + 3, content: content("only for you", None)? }),
        ("private delete", PrivateMessage::Delete(line)),
        ("private react", PrivateMessage::React(ReactionTo { line, reaction: Reaction::Like, on: false })),
        ("secret ballot", PrivateMessage::Ballot { ballot: Ballot { vote: line, choice: 0 }, number: NUMBER }),
    ];
    Ok(messages.iter().filter_map(|(what, message)| Some((*what, message::encode_private(message)?))).collect())
}

/// Returns contents of messages of a lobby chat.
#[must_use]
pub fn lobby_contents() -> Vec<Sample> {
    let contents = [
        ("received", Some(lobby::Content::Received { organiser: true })),
        ("received by a co-organiser", Some(lobby::Content::Received { organiser: false })),
        ("withdrawn", Some(lobby::Content::Withdrawn)),
        ("text", lobby::Content::text("I am from the bank\nof Grenoble")),
    ];
    contents.into_iter().filter_map(|(what, content)| Some((what, content?.encode()))).collect()
}

/// Returns a ballot for the second option of the vote in our line `FIRST + 2`.
fn ballot(identity: &Identity, meeting: MeetingId) -> SignedBallot {
    let (device, counter, name) = (identity.public(), FIRST + 2, "Ada");
    let signed = signed_by::SignedBallot { meeting, device, counter, choice: 1, number: NUMBER, name };
    let vote = LineRef { device: Device(device.0), counter };
    SignedBallot {
        ballot: Ballot { vote, choice: 1 },
        number: NUMBER,
        name: name.into(),
        signature: signed.sign(identity),
    }
}

fn content(text: &str, reply: Option<LineRef>) -> Result<Content, BadText> {
    let mentions = reply.iter().map(|line| line.device).collect();
    Ok(Content { revision: 0, time: 1_800_000_000, name: "Ada".into(), text: Text::new(text)?, reply, mentions })
}

const TO: ParticipantId = ParticipantId(7);
/// The number of the ballots.
const NUMBER: u64 = 1_800_000_001;
/// The number of the first line.
const FIRST: u64 = 0x1122_3344_5566_7788;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_message_of_each_kind_and_each_is_read() {
        let identity = Identity::generate().unwrap();
        assert!(member_messages().iter().all(|(_, bytes)| Message::decode(bytes).is_some()));
        let chats = chat_messages(&identity, MeetingId([1; 16])).unwrap();
        assert_eq!(chats.len(), 17, "each text is valid, and each message within its limit");
        assert!(chats.iter().all(|(_, bytes)| message::decode(bytes).is_some()));
        assert_eq!(private_messages(&identity).unwrap().len(), 4);
        assert_eq!(lobby_contents().len(), 4);
    }
}
