//! The messages of the chat inside the application message `Chat`, and their padding.
//!
//! ```text
//! body = CBOR item | zeros, up to the next of 64 B, 128 B, .. 16 KiB
//! ```
//! The padding hides how long a text is, up to a factor of two. A private message has so many zeros inside that its sealed
//! form fills one of these lengths.

use super::line::{LineId, Reaction};
use super::text::Text;
use crypto::{DeviceKey, Zeroizing};
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use proto::ParticipantId;

/// A message of the chat to all members.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum ChatMessage {
    /// A line of the author, or a newer revision of one.
    #[n(0)]
    Line(#[n(0)] SignedContent),
    /// Removes a line: an own one, or that of somebody of a lower role.
    #[n(1)]
    Delete(#[n(0)] LineRef),
    /// Adds or takes back a reaction.
    #[n(2)]
    React(#[n(0)] ReactionTo),
    /// A [`PrivateMessage`] that only one member can open.
    #[n(3)]
    Private {
        /// The receiver.
        #[n(0)]
        to: ParticipantId,
        /// The sealed message (`crypto::chat`).
        #[n(1)]
        sealed: ByteVec,
    },
    /// Asks a member for the key to which private messages are sealed.
    #[n(4)]
    KeyWanted {
        /// The member.
        #[n(0)]
        of: ParticipantId,
    },
    /// The key of the author.
    #[n(5)]
    Key {
        /// The public key of HPKE.
        #[n(0)]
        public: ByteVec,
    },
    /// Asks the others for the lines from before.
    #[n(6)]
    HistoryWanted,
    /// Lines from before, for members that asked for them.
    #[n(7)]
    History {
        /// The members, at most [`MAX_ANSWERED`].
        #[n(0)]
        to: Vec<ParticipantId>,
        /// The lines, the oldest first.
        #[n(1)]
        lines: Vec<OldLine>,
        /// True for the last message of the answer.
        #[n(2)]
        last: bool,
    },
    /// Begins a vote: a line with a question.
    #[n(8)]
    Vote(#[n(0)] Question),
    /// A ballot of the author in an open vote. The one of each device with the highest number counts.
    #[n(9)]
    Ballot(#[n(0)] SignedBallot),
    /// Ends a vote of the author.
    #[n(10)]
    VoteEnd {
        /// The number of the vote's line.
        #[n(0)]
        counter: u64,
        /// The ballots for each option, as the author has counted them. Receivers use it for a secret ballot only.
        #[n(1)]
        counts: Vec<u32>,
    },
    /// An open vote of the author, for members that asked for the lines from before.
    #[n(11)]
    OpenVote {
        /// The members, at most [`MAX_ANSWERED`].
        #[n(0)]
        to: Vec<ParticipantId>,
        /// The vote.
        #[n(1)]
        question: Question,
        /// The place of its line.
        #[n(2)]
        place: u64,
        /// Ballots, at most [`MAX_PASSED_BALLOTS`]. Further ones are in further messages. Empty if the vote is secret.
        #[n(3)]
        ballots: Vec<PassedBallot>,
    },
}

/// A ballot with the signature of its voter's device.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct SignedBallot {
    /// The ballot.
    #[n(0)]
    pub ballot: Ballot,
    /// Higher than that of each earlier ballot of the voter.
    #[n(1)]
    pub number: u64,
    /// The voter's name, as in the group.
    #[n(2)]
    pub name: String,
    /// The signature (`crypto::chat`).
    #[cbor(n(3), with = "minicbor::bytes")]
    pub signature: [u8; 64],
}

/// A ballot that the member that asks passes on.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct PassedBallot {
    /// The device of the voter.
    #[n(0)]
    pub device: Device,
    /// The index of the option.
    #[n(1)]
    pub choice: u8,
    /// The number of the ballot.
    #[n(2)]
    pub number: u64,
    /// The voter's name.
    #[n(3)]
    pub name: String,
    /// The signature (`crypto::chat`).
    #[cbor(n(4), with = "minicbor::bytes")]
    pub signature: [u8; 64],
}

/// The question of a vote.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Question {
    /// The number of its line.
    #[n(0)]
    pub counter: u64,
    /// The question.
    #[n(1)]
    pub text: Text,
    /// 2 to [`MAX_OPTIONS`] answers.
    #[n(2)]
    pub options: Vec<Text>,
    /// True if only the author gets the ballots.
    #[n(3)]
    pub secret: bool,
}

/// A ballot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Ballot {
    /// The line of the vote.
    #[n(0)]
    pub vote: LineRef,
    /// The index of the option.
    #[n(1)]
    pub choice: u8,
}

/// A message between two members.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum PrivateMessage {
    /// A line of the author, or a newer revision of one. Not signed, so that it cannot be proved to others.
    #[n(0)]
    Line {
        /// The number of the line, unique among those of its author's device.
        #[n(0)]
        counter: u64,
        /// What it says.
        #[n(1)]
        content: Content,
    },
    /// Removes an own line.
    #[n(1)]
    Delete(#[n(0)] LineRef),
    /// Adds or takes back a reaction.
    #[n(2)]
    React(#[n(0)] ReactionTo),
    /// A ballot in a secret vote, for the member that asks.
    #[n(3)]
    Ballot {
        /// The ballot.
        #[n(0)]
        ballot: Ballot,
        /// Higher than that of each earlier ballot of the author.
        #[n(1)]
        number: u64,
    },
}

/// A line with the signature of its author's device.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct SignedContent {
    /// The number of the line, unique among those of its author's device.
    #[n(0)]
    pub counter: u64,
    /// What it says.
    #[n(1)]
    pub content: Content,
    /// The signature (`crypto::chat`) over the encoded content.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub signature: [u8; 64],
}

/// What a line says. Its author signs the deterministic encoding of exactly these fields.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Content {
    /// 0 for a new line. Rises with each edit.
    #[n(0)]
    pub revision: u32,
    /// When it was written, in seconds since 1970, as its author says.
    #[n(1)]
    pub time: u64,
    /// The author's name, as in the group.
    #[n(2)]
    pub name: String,
    /// The text.
    #[n(3)]
    pub text: Text,
    /// The line to which it replies.
    #[n(4)]
    pub reply: Option<LineRef>,
    /// The devices of the people whom it mentions, at most [`MAX_MENTIONS`].
    #[n(5)]
    pub mentions: Vec<Device>,
}

/// The public key of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Device(#[cbor(with = "minicbor::bytes")] pub [u8; 32]);

/// Names a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct LineRef {
    /// The device of its author.
    #[n(0)]
    pub device: Device,
    /// The number of the line.
    #[n(1)]
    pub counter: u64,
}

/// A reaction to a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct ReactionTo {
    /// The line.
    #[n(0)]
    pub line: LineRef,
    /// Which one.
    #[n(1)]
    pub reaction: Reaction,
    /// False takes it back.
    #[n(2)]
    pub on: bool,
}

/// A line that another member passes on.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct OldLine {
    /// The device of its author.
    #[n(0)]
    pub device: Device,
    /// Its place: the position after its entry in the log.
    #[n(1)]
    pub place: u64,
    /// The line as its author signed it.
    #[n(2)]
    pub line: SignedContent,
}

impl From<LineId> for LineRef {
    fn from(id: LineId) -> Self {
        Self { device: Device(id.device.0), counter: id.counter }
    }
}

impl From<LineRef> for LineId {
    fn from(line: LineRef) -> Self {
        Self { device: DeviceKey(line.device.0), counter: line.counter }
    }
}

impl Content {
    /// Returns the bytes that the author signs.
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(minicbor::to_vec(self).expect("writing to memory does not fail"))
    }
}

/// Encodes a message and pads it. Returns `None` if it is too long.
pub fn encode(message: &ChatMessage) -> Option<Vec<u8>> {
    let mut bytes = Zeroizing::new(minicbor::to_vec(message).expect("writing to memory does not fail"));
    let length = padded(bytes.len())?;
    bytes.resize(length, 0);
    Some(bytes.to_vec())
}

/// Decodes a padded message. Returns `None` if it is malformed, or of a kind that this client does not know.
pub fn decode(bytes: &[u8]) -> Option<ChatMessage> {
    if padded(bytes.len()) != Some(bytes.len()) {
        return None;
    }
    let (message, length) = first_item(bytes)?;
    (padded(length) == Some(bytes.len())).then_some(message)
}

/// Encodes a message for one member, before it is sealed, and pads it. Returns `None` if it is too long.
pub fn encode_private(message: &PrivateMessage) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(minicbor::to_vec(message).expect("writing to memory does not fail"));
    let length = padded(bytes.len() + PRIVATE_OVERHEAD)? - PRIVATE_OVERHEAD;
    bytes.resize(length, 0);
    Some(bytes)
}

/// Decodes a message that was sealed for this client. Returns `None` if it is malformed, or of a kind that this client does
/// not know.
pub fn decode_private(bytes: &[u8]) -> Option<PrivateMessage> {
    first_item(bytes).map(|(message, _)| message)
}

/// Decodes an item that is followed by zeros only. Returns it and its length.
pub fn first_item<'b, M: Decode<'b, ()>>(bytes: &'b [u8]) -> Option<(M, usize)> {
    let mut decoder = minicbor::Decoder::new(bytes);
    let message = decoder.decode().ok()?;
    let length = decoder.position();
    bytes.get(length..)?.iter().all(|byte| *byte == 0).then_some((message, length))
}

/// Returns the length to which `length` bytes are padded. `None` if they are too many.
fn padded(length: usize) -> Option<usize> {
    Some(length.next_power_of_two().max(MIN_BODY)).filter(|length| *length <= MAX_BODY)
}

/// Decodes a message of the chat and encodes it again, for fuzz tests. A decoded message has one form.
///
/// # Panics
/// Panics if a private message does not round-trip.
pub fn recode(bytes: &[u8]) -> Option<Vec<u8>> {
    if let Some(message) = decode_private(bytes) {
        let again = encode_private(&message).map(|bytes| decode_private(&bytes));
        assert!(again.is_none_or(|again| again == Some(message)), "a private message round-trips");
    }
    encode(&decode(bytes)?)
}

fn question(options: usize) -> Question {
    let text = Text::new("when?").expect("a text");
    Question { counter: 6, text: text.clone(), options: vec![text; options], secret: true }
}

fn signed_ballot(vote: LineRef) -> SignedBallot {
    SignedBallot { ballot: Ballot { vote, choice: 1 }, number: 9, name: "Ada".into(), signature: [3; 64] }
}

fn passed_ballot() -> PassedBallot {
    PassedBallot { device: Device([1; 32]), choice: 1, number: 9, name: "Ada".into(), signature: [3; 64] }
}

/// Returns messages of the chat, as seeds of fuzz tests.
pub fn samples() -> Vec<Vec<u8>> {
    let line = LineRef { device: Device([1; 32]), counter: 7 };
    let (name, mentions) = ("Ada".to_owned(), vec![Device([2; 32])]);
    let Ok(text) = Text::new("two\nlines") else { return Vec::new() };
    let content = Content { revision: 1, time: 1_800_000_000, name, text, reply: Some(line), mentions };
    let signed = SignedContent { counter: 5, content: content.clone(), signature: [3; 64] };
    let old = OldLine { device: Device([1; 32]), place: 9, line: signed.clone() };
    let react = ReactionTo { line, reaction: Reaction::Like, on: true };
    let messages = [
        ChatMessage::Line(signed),
        ChatMessage::Delete(line),
        ChatMessage::React(react),
        ChatMessage::Private { to: ParticipantId(1), sealed: vec![1; 1_300].into() },
        ChatMessage::KeyWanted { of: ParticipantId(1) },
        ChatMessage::Key { public: vec![1; 1_216].into() },
        ChatMessage::HistoryWanted,
        ChatMessage::History { to: vec![ParticipantId(1)], lines: vec![old], last: true },
        ChatMessage::Vote(question(2)),
        ChatMessage::Ballot(signed_ballot(line)),
        ChatMessage::VoteEnd { counter: 6, counts: vec![2, 1] },
        ChatMessage::OpenVote {
            to: vec![ParticipantId(1)],
            question: question(2),
            place: 8,
            ballots: vec![passed_ballot()],
        },
    ];
    let private = encode_private(&PrivateMessage::Line { counter: 5, content });
    messages.iter().filter_map(encode).chain(private.map(|bytes| bytes.to_vec())).collect()
}

const MIN_BODY: usize = 64;
/// The maximum length of a message with its padding, in bytes.
pub const MAX_BODY: usize = 16 << 10;
/// How many bytes longer than the padded message the encoded [`ChatMessage::Private`] with it is, at most: its head 16, the
/// length of the KEM output 2, the KEM output 1,120, the tag 16.
const PRIVATE_OVERHEAD: usize = 16 + 2 + 1_120 + 16;
/// The maximum length of a padded [`PrivateMessage`] in bytes.
pub const MAX_PRIVATE: usize = MAX_BODY - PRIVATE_OVERHEAD;
/// People whom one line can mention.
pub const MAX_MENTIONS: usize = 16;
/// Options of a vote.
pub const MAX_OPTIONS: usize = 6;
/// Bytes of a question, and of one option.
pub const MAX_QUESTION: usize = 512;
/// Members that one [`ChatMessage::History`] answers.
pub const MAX_ANSWERED: usize = 64;
/// Ballots in one [`ChatMessage::OpenVote`].
pub const MAX_PASSED_BALLOTS: usize = 24;
/// Lines in one [`ChatMessage::History`].
pub const MAX_OLD_LINES: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meeting::chat::text::MAX_TEXT;

    fn content(text: &str) -> Content {
        Content {
            revision: 0,
            time: 1_800_000_000,
            name: "Ada".into(),
            text: Text::new(text).unwrap(),
            reply: Some(LineRef { device: Device([1; 32]), counter: 7 }),
            mentions: vec![Device([2; 32]); MAX_MENTIONS],
        }
    }

    fn messages() -> Vec<ChatMessage> {
        let line = LineRef { device: Device([1; 32]), counter: u64::MAX };
        let signed = SignedContent { counter: 5, content: content("hello"), signature: [3; 64] };
        vec![
            ChatMessage::Line(signed.clone()),
            ChatMessage::Delete(line),
            ChatMessage::React(ReactionTo { line, reaction: Reaction::Like, on: true }),
            ChatMessage::Private { to: ParticipantId(1), sealed: vec![1; 1_300].into() },
            ChatMessage::KeyWanted { of: ParticipantId(1) },
            ChatMessage::Key { public: vec![1; 1_216].into() },
            ChatMessage::HistoryWanted,
            ChatMessage::History {
                to: vec![ParticipantId(1)],
                lines: vec![OldLine { device: Device([1; 32]), place: 9, line: signed }],
                last: true,
            },
            ChatMessage::Vote(Question {
                counter: 6,
                text: Text::new("when?").unwrap(),
                options: vec![Text::new("now").unwrap(); MAX_OPTIONS],
                secret: false,
            }),
            ChatMessage::Ballot(signed_ballot(line)),
            ChatMessage::OpenVote {
                to: vec![ParticipantId(1)],
                question: question(MAX_OPTIONS),
                place: 8,
                ballots: vec![passed_ballot(); 2],
            },
            ChatMessage::VoteEnd { counter: 6, counts: vec![u32::MAX; MAX_OPTIONS] },
        ]
    }

    #[test]
    fn messages_round_trip_and_their_length_is_a_power_of_two() {
        for message in messages() {
            let bytes = encode(&message).unwrap();
            assert!(bytes.len().is_power_of_two() && (MIN_BODY..=MAX_BODY).contains(&bytes.len()));
            assert_eq!(decode(&bytes), Some(message));
        }
        let private = PrivateMessage::Line { counter: 3, content: content("psst") };
        let bytes = encode_private(&private).unwrap();
        assert_eq!(decode_private(&bytes), Some(private));
        assert_eq!(decode_private(&[&bytes[..], &[1]].concat()), None, "padding is zeros");
        assert_eq!(bytes.len() + PRIVATE_OVERHEAD, 2_048);
    }

    #[test]
    fn other_lengths_paddings_and_kinds_are_rejected() {
        for message in messages() {
            let bytes = encode(&message).unwrap();
            for length in [0, 1, bytes.len() / 2, bytes.len() - 1] {
                assert_eq!(decode(&bytes[..length]), None);
            }
            let mut longer = bytes.clone();
            longer.resize(2 * bytes.len(), 0);
            assert_eq!(decode(&longer), None, "one form only");
            let mut dirty = bytes;
            if let Some(last) = dirty.last_mut().filter(|last| **last == 0) {
                *last = 1;
                assert_eq!(decode(&dirty), None, "padding is zeros");
            }
        }
        let mut later = vec![0x82, 0x18, 0x63, 0x80];
        later.resize(MIN_BODY, 0);
        assert_eq!(decode(&later), None, "a kind of a later version");
    }

    #[test]
    fn the_longest_text_fits_into_a_message() {
        let content = Content { name: "\u{1f600}".repeat(64), ..content(&"x".repeat(MAX_TEXT)) };
        let line = SignedContent { counter: u64::MAX, content: content.clone(), signature: [1; 64] };
        let old = OldLine { device: Device([1; 32]), place: u64::MAX, line: line.clone() };
        let to = vec![ParticipantId(u64::MAX); MAX_ANSWERED];
        let history = ChatMessage::History { to, lines: vec![old], last: false };
        assert!(encode(&ChatMessage::Line(line)).is_some() && encode(&history).is_some());
        assert_eq!(encode(&ChatMessage::Key { public: vec![0; MAX_BODY].into() }), None);
        let long = Text::new(&"x".repeat(MAX_QUESTION)).unwrap();
        let question =
            Question { counter: u64::MAX, text: long.clone(), options: vec![long; MAX_OPTIONS], secret: false };
        let ballot = PassedBallot { number: u64::MAX, name: "\u{1f600}".repeat(64), ..passed_ballot() };
        let (to, ballots) = (vec![ParticipantId(u64::MAX); MAX_ANSWERED], vec![ballot; MAX_PASSED_BALLOTS]);
        assert!(encode(&ChatMessage::OpenVote { to, question, place: u64::MAX, ballots }).is_some());
        let private = encode_private(&PrivateMessage::Line { counter: u64::MAX, content }).unwrap();
        let sealed = vec![0; private.len() + 2 + 1_120 + 16].into();
        let whole = encode(&ChatMessage::Private { to: ParticipantId(u64::MAX), sealed }).unwrap();
        assert_eq!((private.len(), whole.len()), (MAX_PRIVATE, MAX_BODY));
    }
}
