//! What a member does with a line, and the facts that decide whether it counts.

use super::line::{Body, Line, LineId, Peer, Status};
use super::lines::{Lines, Sender};
use super::message::{
    ChatMessage, Content, LineRef, PrivateMessage, Question, ReactionTo, SignedBallot, SignedContent,
};
use super::text::Text;
use super::votes::Cast;
use crate::meeting::Member;
use crate::meeting::context::Context;
use crate::meeting::group_log::GroupLog;
use crate::meeting::roster::{Roster, role_of_device};
use crypto::chat::{self, SignedLine};
use crypto::{DeviceKey, Profile};
use proto::{MeetingFlags, MeetingId, Role};
use std::time::SystemTime;

/// The facts that decide about a message, at its position in the log.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    pub log: &'a GroupLog,
    pub roster: &'a Roster,
}

impl Facts<'_> {
    pub fn meeting(&self) -> MeetingId {
        self.log.group().policy().chain().meeting()
    }

    /// Returns the place of the newest entry.
    pub fn place(&self) -> u64 {
        self.log.next().0
    }

    pub fn keeps_history(&self) -> bool {
        self.log.group().policy().flags().contains(MeetingFlags::CHAT_HISTORY)
    }

    /// Returns the highest role of a device, also if its person is not in the meeting now.
    pub fn role_of(&self, device: DeviceKey) -> Role {
        let listed = self.log.group().policy().role_of_device(device);
        role_of_device(self.roster, device).map_or(listed, |role| role.min(listed))
    }

    pub fn own_device(&self) -> Option<DeviceKey> {
        self.roster.device(self.roster.me())
    }

    /// Returns the sender of a message at the newest position.
    pub fn sender<'a>(&self, member: &'a Member, private: Option<Peer>, context: &Context<'_>) -> Sender<'a> {
        let me = self.own_device().unwrap_or(member.device);
        let is_shared = private.is_none() && self.keeps_history();
        Sender { member, private, place: self.place(), time: seconds(context.wall), me, is_shared }
    }
}

/// What a member does with a line.
pub enum Action {
    Line { counter: u64, content: Content, signed: Option<Box<SignedContent>> },
    Change(Change),
    Ask(Question),
    EndVote { counter: u64, counts: Vec<u32> },
}

/// A removal of a line, a reaction to it, or a ballot.
pub enum Change {
    Delete(LineRef),
    React(ReactionTo),
    Choose(LineId, Cast),
}

impl From<LineRef> for Change {
    fn from(line: LineRef) -> Self {
        Self::Delete(line)
    }
}

impl From<ReactionTo> for Change {
    fn from(what: ReactionTo) -> Self {
        Self::React(what)
    }
}

impl Action {
    /// Returns the action in a message to all. `None` if it is about something else.
    pub fn of(message: ChatMessage) -> Option<Self> {
        match message {
            ChatMessage::Line(line) => {
                let (counter, content) = (line.counter, line.content.clone());
                Some(Self::Line { counter, content, signed: Some(Box::new(line)) })
            }
            ChatMessage::Delete(line) => Some(Self::Change(line.into())),
            ChatMessage::React(what) => Some(Self::Change(what.into())),
            ChatMessage::Ballot(SignedBallot { ballot, number, signature, .. }) => {
                let cast = Cast { choice: ballot.choice, number, signature: Some(signature) };
                Some(Self::Change(Change::Choose(ballot.vote.into(), cast)))
            }
            ChatMessage::Vote(question) => Some(Self::Ask(question)),
            ChatMessage::VoteEnd { counter, counts } => Some(Self::EndVote { counter, counts }),
            ChatMessage::Private { .. }
            | ChatMessage::KeyWanted { .. }
            | ChatMessage::Key { .. }
            | ChatMessage::HistoryWanted
            | ChatMessage::History { .. }
            | ChatMessage::OpenVote { .. } => None,
        }
    }

    pub fn of_private(message: PrivateMessage) -> Self {
        match message {
            PrivateMessage::Line { counter, content } => Self::Line { counter, content, signed: None },
            PrivateMessage::Delete(line) => Self::Change(line.into()),
            PrivateMessage::React(what) => Self::Change(what.into()),
            PrivateMessage::Ballot { ballot, number } => {
                let cast = Cast { choice: ballot.choice, number, signature: None };
                Self::Change(Change::Choose(ballot.vote.into(), cast))
            }
        }
    }

    /// Applies what somebody has done. Returns the line that has changed; `None` if it does not count.
    pub fn apply(&self, lines: &mut Lines, sender: &Sender<'_>, facts: Facts<'_>) -> Option<LineId> {
        match self {
            Self::Line { counter, content, signed } => lines.receive(sender, (*counter, content), signed.as_deref()),
            Self::Change(Change::Delete(line)) => {
                let id = LineId::from(*line);
                lines.delete(sender, id, |device| facts.role_of(device)).then_some(id)
            }
            Self::Change(Change::React(what)) => lines.react(sender, what).then(|| what.line.into()),
            Self::Change(Change::Choose(vote, cast)) => lines.choose(sender, *vote, *cast).then_some(*vote),
            Self::Ask(question) => lines.ask(sender, question),
            Self::EndVote { counter, counts } => lines.end_vote(sender, *counter, counts),
        }
    }
}

/// Returns a new line of this client.
pub fn own_line(id: LineId, me: &Member, text: Text, context: &Context<'_>) -> Line {
    Line {
        id,
        name: me.name.clone(),
        me: true,
        private: None,
        time: seconds(context.wall),
        place: None,
        status: Status::Sending,
        reply: None,
        body: Body::Text(text),
        edited: false,
        mentions_me: false,
        reactions: Vec::new(),
        passed_on: None,
        vote: None,
    }
}

/// Returns true if the member's device has signed a line, and it has the member's name: those who come late see that name.
pub fn is_authentic(line: &SignedContent, member: &Member, facts: Facts<'_>) -> bool {
    let (counter, content) = (line.counter, &line.content.encode());
    let signed = SignedLine { meeting: facts.meeting(), counter, content };
    line.content.name == member.name && signed.is_by(member.device, &line.signature)
}

/// Returns true if the member's device has signed a ballot, and it has the member's name.
pub fn is_authentic_ballot(signed: &SignedBallot, member: &Member, facts: Facts<'_>) -> bool {
    let id = LineId::from(signed.ballot.vote);
    let ballot = chat::SignedBallot {
        meeting: facts.meeting(),
        device: id.device,
        counter: id.counter,
        choice: signed.ballot.choice,
        number: signed.number,
        name: &signed.name,
    };
    signed.name == member.name && ballot.is_by(member.device, &signed.signature)
}

/// Returns true if a name that another member passes on has the form of all names: it is short, and has no characters that could
/// deceive.
pub fn is_valid_name(name: &str) -> bool {
    Profile::new(name).is_ok_and(|profile| profile.name == name)
}

/// Returns a time in seconds since 1970.
pub fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Returns the time by the server's clock, which members compare.
pub fn server_seconds(context: &Context<'_>) -> u64 {
    seconds(context.wall).saturating_add_signed(context.clock_ahead.saturating_neg())
}

/// Returns a time of another member by this computer's clock. A line is not from the future.
pub fn local_seconds(server: u64, context: &Context<'_>) -> u64 {
    server.saturating_add_signed(context.clock_ahead).min(seconds(context.wall))
}
