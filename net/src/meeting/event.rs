//! Input and output of the meeting's state machine.

use super::MediaState;
use crypto::{DeviceKey, Identity, Invitation, Leaf, MediaKeys, Profile, Words};
use proto::{Epoch, MeetingId, ParticipantId, Reason};

/// How a client enters a meeting.
pub enum Entry {
    /// Creates a meeting and is its organiser.
    Create {
        /// The new meeting's id: random, never used before.
        meeting: MeetingId,
        /// The device's long-term key.
        identity: Identity,
        /// What other members see.
        profile: Profile,
    },
    /// Asks to join a meeting.
    Join {
        /// The link of the meeting.
        invitation: Invitation,
        /// The device's long-term key.
        identity: Identity,
        /// What other members see.
        profile: Profile,
    },
}

/// A command of the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Announces to the members what this client sends from now on. If the client is not a member yet, the state is
    /// sent after it joined.
    Announce(MediaState),
    /// Removes a member. Only the organiser may do this.
    Remove(ParticipantId),
    /// Leaves the meeting, which ends with [`Reason::Left`].
    Leave,
    /// Updates this member's own MLS keys.
    Refresh,
}

/// An event of the meeting. [`Event::Ended`] comes exactly once, as the last event.
pub enum Event {
    /// The client has connected to the server and asks for the meeting.
    Approaching,
    /// The request to join was sent. The organiser decides.
    Knocking,
    /// This client is a member now. [`Event::Keys`] and [`Event::Words`] of its first epoch come before this event,
    /// [`Event::Members`] comes right after it.
    Entered {
        /// This client's id.
        me: ParticipantId,
    },
    /// All members, in the order of their leaves. The complete list comes again at each change.
    Members(Vec<Member>),
    /// A new member. The [`Event::Keys`] of the epoch in which it joined came before.
    Joined(ParticipantId),
    /// A former member. The [`Event::Keys`] of the epoch without it came before.
    Left {
        /// The member.
        id: ParticipantId,
        /// True if the organiser removed it; false if it left or its connection was lost.
        removed: bool,
    },
    /// The media keys of a new epoch. They come before any event about members who joined or left with it.
    Keys {
        /// The keys.
        keys: MediaKeys,
        /// Leaves that were removed. None of their frames may be opened from now on.
        removed: Vec<Leaf>,
        /// All leaves of the epoch.
        leaves: Vec<Leaf>,
        /// The MLS epoch.
        epoch: Epoch,
    },
    /// The words that members compare to verify that they are in the same group. They change with each epoch.
    Words(Words),
    /// The meeting is over for this client.
    Ended(Reason),
    /// A message for the user. The meeting continues.
    Notice(Notice),
}

/// A member, as authenticated by MLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The id in protocol messages.
    pub id: ParticipantId,
    /// The leaf in the MLS group, which is part of the key ids of the member's frames.
    pub leaf: Leaf,
    /// The name that the person chose.
    pub name: String,
    /// The device's long-term key.
    pub device: DeviceKey,
    /// True if this member may admit and remove members.
    pub organiser: bool,
    /// True for this client itself.
    pub me: bool,
    /// What the member sends, as it announced.
    pub state: MediaState,
}

/// A message for the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The knock has not been answered yet. The client still waits.
    NoAnswerYet,
    /// The organiser has left, so nobody can be admitted or removed any more.
    Unattended,
    /// Only the organiser may do this.
    NotAllowed,
    /// No commit that removes this member could be made. The command is dropped.
    CannotRemove(ParticipantId),
    /// A commit was rejected because it is invalid or breaks the meeting's rules. The id is its author according to the
    /// server, which is not verified.
    CommitRejected(ParticipantId),
}

/// A violation of the protocol by the server. It ends the meeting for this client with [`Reason::Server`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Violation {
    /// Bytes that are not a message.
    #[error("it sent bytes that are not a message")]
    Malformed,
    /// A message that is not allowed in the current state.
    #[error("it sent a message in the wrong order")]
    Unexpected,
    /// A log entry is missing or was sent twice.
    #[error("its log has a gap")]
    OutOfOrder,
}

impl From<Violation> for Reason {
    fn from(violation: Violation) -> Self {
        Self::Server(format!("it violated the protocol: {violation}"))
    }
}

/// Returns the reason for a client that cannot generate or use its own keys.
pub(super) fn no_keys() -> Reason {
    Reason::Here("this client could not generate its own keys".into())
}
