//! Lines of the chat, as the screens see them, and the commands and events about them.

use super::text::Text;
use super::typed_text::{TypedText, Typing};
use crypto::DeviceKey;
use minicbor::{Decode, Encode};
use proto::ParticipantId;

/// Names a line: the device of its author, and a number that the device gives once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LineId {
    /// The device of the author.
    pub device: DeviceKey,
    /// The number. Its first value in a meeting is random.
    pub counter: u64,
}

/// A line of the chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its name.
    pub id: LineId,
    /// The author's name.
    pub name: String,
    /// True for an own line.
    pub me: bool,
    /// `None` if it is for all. Otherwise the other end of a private conversation.
    pub private: Option<Peer>,
    /// When it was written, in seconds since 1970 by this computer's clock. For a line that was passed on, its author says
    /// so; otherwise it is when the line arrived.
    pub time: u64,
    /// Its place in the order of all lines. `None` while it is not in the meeting's log: then it is after all others.
    pub place: Option<u64>,
    /// Whether the others have got it.
    pub status: Status,
    /// The line to which it replies. It may be unknown here.
    pub reply: Option<LineId>,
    /// What it says.
    pub body: Body,
    /// True if its author has changed it.
    pub edited: bool,
    /// True if it mentions this client's user.
    pub mentions_me: bool,
    /// Who reacted, in the order of time.
    pub reactions: Vec<Reacted>,
    /// How it got here, if another member passed it on.
    pub passed_on: Option<PassedOn>,
    /// The vote, if the text is its question.
    pub vote: Option<Vote>,
}

/// A vote. The last ballot of each device counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vote {
    /// The answers, 2 to 6.
    pub options: Vec<VoteOption>,
    /// True if only the client of the person who asks gets the ballots. That client counts them when the vote ends.
    pub secret: bool,
    /// No ballot counts any more.
    pub ended: bool,
    /// The index of the option that this client's user has chosen.
    pub mine: Option<u8>,
    /// How many ballots this client knows of.
    pub ballots: u32,
}

/// An answer of a vote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VoteOption {
    /// The answer.
    pub text: Text,
    /// The ballots for it. `None` while they are secret.
    pub count: Option<u32>,
    /// The names of those who have chosen it. Empty in a secret vote.
    pub voters: Vec<String>,
}

/// The other end of a private conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its device.
    pub device: DeviceKey,
    /// Its name.
    pub name: String,
}

/// What a line says now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// The text.
    Text(Text),
    /// Its author has removed it.
    Deleted,
    /// A person with this name has removed it.
    RemovedBy(String),
}

/// Whether the others have got a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It is on its way.
    Sending,
    /// It is in the meeting's log.
    Sent,
    /// It was not sent. [`Command::Retry`] tries again.
    Failed,
}

/// A reaction of one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reacted {
    /// Which one.
    pub reaction: Reaction,
    /// The person's device.
    pub device: DeviceKey,
    /// The person's name.
    pub name: String,
    /// True for this client's user.
    pub me: bool,
}

/// How a line got here that was written before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassedOn {
    /// The name of the member that passed it on.
    pub by: String,
    /// True if a member has signed it, so that the author is certain. False if its author was not in the meeting any more:
    /// then name and text are only as certain as that member.
    pub proved: bool,
}

/// A reaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Reaction {
    /// A thumb up.
    #[n(0)]
    Like,
    /// A heart.
    #[n(1)]
    Heart,
    /// A laugh.
    #[n(2)]
    Laugh,
    /// Surprise.
    #[n(3)]
    Surprised,
    /// Applause.
    #[n(4)]
    Celebrate,
}

impl Reaction {
    /// All reactions, in the order in which they are offered.
    pub const ALL: [Self; 5] = [Self::Like, Self::Heart, Self::Laugh, Self::Surprised, Self::Celebrate];
}

/// What the user does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Writes a line. Needs `Rights::CHAT`.
    Send(NewLine),
    /// Changes the text of an own line.
    Edit {
        /// The line.
        line: LineId,
        /// The new text.
        text: Text,
    },
    /// Removes an own line, or that of somebody of a lower role, which needs `Rights::REMOVE`.
    Delete(LineId),
    /// Adds a reaction, or takes it back. Needs `Rights::REACT`.
    React {
        /// The line.
        line: LineId,
        /// The reaction.
        reaction: Reaction,
        /// False takes it back.
        on: bool,
    },
    /// Sends a line again that was not sent.
    Retry(LineId),
    /// Begins a vote. Needs `Rights::CHAT`, and the role of a presenter or a higher one.
    StartVote {
        /// The question, at most 512 bytes.
        question: Text,
        /// 2 to 6 answers, each at most 512 bytes.
        options: Vec<Text>,
        /// Only this client gets the ballots.
        secret: bool,
    },
    /// Chooses an answer, also instead of an earlier one. Needs `Rights::REACT`.
    Choose {
        /// The line of the vote.
        vote: LineId,
        /// The index of the option.
        choice: u8,
    },
    /// Ends an own vote.
    EndVote(LineId),
    /// Shows all others what the user types; an empty text ends that. [`Self::Send`] ends it, too. Needs `Rights::CHAT`.
    Type(TypedText),
}

/// A new line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewLine {
    /// `None` for all; otherwise the only reader.
    pub to: Option<ParticipantId>,
    /// The text.
    pub text: Text,
    /// The line to which it replies.
    pub reply: Option<LineId>,
    /// Whom it mentions. More than 16 are left out.
    pub mentions: Vec<ParticipantId>,
}

/// What happened in the chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Lines that are new or have changed.
    Lines(Vec<Line>),
    /// What another member types has changed.
    Typing(Typing),
    /// The user has dropped an own line that was not sent.
    Dropped(LineId),
    /// Lines may be missing before this place.
    Gap {
        /// The place.
        place: u64,
    },
    /// Messages of a member are dropped, because there are too many. Comes once, until the member has paused.
    Flooded {
        /// The member's name.
        name: String,
    },
    /// A command about a line was not carried out: there is no right to it, the line is gone, or the others did not get it.
    NotDone(LineId),
}
