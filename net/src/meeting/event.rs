//! Input and output of the meeting's state machine.

use super::MediaState;
use super::chat::line;
use super::lobby::{Evidence, LobbyEvent};
use super::moderation_message::FloorOrder;
use crypto::{CertificateChain, DeviceKey, Identity, Invitation, Leaf, ManagerKeys, MediaKeys, Profile, Words};
use proto::{Epoch, MeetingFlags, ParticipantId, Reason, Refusal, Rights, Role};

/// How a client enters a meeting.
pub enum Entry {
    /// Creates a meeting and is its organiser.
    Create {
        /// The new meeting's keys. They determine its id.
        keys: ManagerKeys,
        /// The device's long-term key.
        identity: Identity,
        /// What other members see.
        profile: Profile,
    },
    /// Comes back as organiser to a meeting that this program left or lost. [`super::Meeting::into_return_entry`]
    /// returns this entry.
    Return {
        /// The meeting's keys.
        keys: ManagerKeys,
        /// The device's long-term key, the same as before.
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Announces to the members what this client sends from now on. If the client is not a member yet, the state is
    /// sent after it joined.
    Announce(MediaState),
    /// Removes a member of a lower role for good: its device cannot come back. Needs [`Rights::REMOVE`].
    Remove(ParticipantId),
    /// Admits a participant of [`Event::AsksToJoin`]. Needs [`Rights::ADMIT`].
    Admit(ParticipantId),
    /// Refuses a participant of [`Event::AsksToJoin`], who learns the reason. Needs [`Rights::ADMIT`].
    Refuse(ParticipantId, Refusal),
    /// Sets the role of a member of a lower role, to one that is lower than the own. Needs [`Rights::SET_ROLE`].
    SetRole(ParticipantId, Role),
    /// Grants own rights to a member of a lower role. Needs [`Rights::DELEGATE`]. Those of [`Rights::MEDIA`] are granted by
    /// [`Command::Floor`].
    GrantRights(ParticipantId, Rights),
    /// Withdraws rights from a member of a lower role. Needs [`Rights::DELEGATE`]. Those of [`Rights::MEDIA`] are withdrawn
    /// by [`Command::Floor`].
    WithdrawRights(ParticipantId, Rights),
    /// Makes a member the organiser. Only the organiser may do this, and is the first co-organiser then.
    HandOver(ParticipantId),
    /// Sets or clears flags of the meeting. Only managers may do this, with the right that each flag is about.
    SetFlags {
        /// The flags.
        flags: MeetingFlags,
        /// Whether they are set.
        set: bool,
    },
    /// Sets the role of all whom the policy does not list: of those who come later, and of those who are here and have no role
    /// or right of their own. It is below co-organiser. Needs [`Rights::SET_ROLE`], and the rights that these people gain.
    SetDefaultRole(Role),
    /// Stops or allows the microphone, the camera or the share of members of lower roles. It counts after one round trip,
    /// without a commit. Needs [`Rights::DELEGATE`], and for everyone also [`Rights::SET_ROLE`].
    Floor(FloorOrder),
    /// Raises (true) or lowers the own hand. Needs [`Rights::REACT`].
    RaiseHand(bool),
    /// Lowers the hand of a member who is not of a higher role, or of all such members. Only managers may do this.
    LowerHand(Option<ParticipantId>),
    /// Removes everybody else without barring them, turns the waiting room on, and changes the keys and the link. Only the
    /// organiser may do this.
    StopEverything,
    /// Ends the meeting for everybody. Only the organiser may do this.
    End,
    /// Admits these participants of [`Event::AsksToJoin`]: those whom the user saw. Needs [`Rights::ADMIT`].
    AdmitAll(Vec<ParticipantId>),
    /// Sends a member of a lower role back to the waiting room: it loses the keys, and asks to join again. Turns the waiting
    /// room on. Needs [`Rights::ADMIT`] and [`Rights::REMOVE`].
    SendBack(ParticipantId),
    /// Changes the invitation link. The old one leads only to [`Event::AsksToJoin`]. Needs [`Rights::ADMIT`].
    ChangeLink,
    /// Writes in a lobby chat. [`Event::Lobby`] follows: the text, or that it was not sent.
    WriteLobby {
        /// The participant of [`Event::AsksToJoin`], which needs [`Rights::ADMIT`]; `None` if this client waits itself.
        to: Option<ParticipantId>,
        /// The text, of which at most [`super::MAX_LOBBY_TEXT`] bytes are sent.
        text: String,
    },
    /// Leaves the meeting, which ends with [`Reason::Left`].
    Leave,
    /// Updates this member's own MLS keys now. Without it, each member does so on a schedule.
    Refresh,
    /// Does something in the chat.
    Chat(line::Command),
    /// Compares pictures, or asks a member for a phrase.
    Verify(super::verification::Command),
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
        /// All leaves of the epoch, with the rights of their owners.
        leaves: Vec<(Leaf, Rights)>,
        /// The MLS epoch.
        epoch: Epoch,
        /// True if this client entered the group again: all keys from before are void.
        rejoined: bool,
    },
    /// The policy in force. It comes when this client enters, and at each change. [`Event::Members`] has the role and the
    /// rights of each member.
    Policy(PolicyState),
    /// This client has other rights or another role than before. [`Event::Members`] follows.
    OwnRightsChanged {
        /// Who did it; `None` if that is not known.
        by: Option<ParticipantId>,
        /// The role and the rights before.
        before: (Role, Rights),
        /// The role and the rights now.
        now: (Role, Rights),
    },
    /// The people whose hands are up, in the order in which they raised them. The complete list comes again at each change.
    Hands(Vec<ParticipantId>),
    /// A participant has sent a message that this client cannot read: a malformed one, or one of a kind of a later version.
    Malformed {
        /// The participant. Of a lobby chat and of typing, it is the one that the server names.
        from: ParticipantId,
        /// How many such messages it has sent.
        messages: u64,
    },
    /// A manager lowered the own hand.
    HandLowered {
        /// The manager.
        by: ParticipantId,
    },
    /// The words that members compare to verify that they are in the same group. They change with each epoch.
    Words(Words),
    /// The connection is lost, or this client cannot follow the group. It tries to come back by itself.
    Reconnecting,
    /// This client is back. [`Event::Members`] comes right after it. Media must be negotiated again.
    Reconnected {
        /// This client's id. It may differ from the one before.
        me: ParticipantId,
    },
    /// A participant asks to join, and no rule admits it: the meeting has a waiting room, or the link is from before a
    /// removal.
    AsksToJoin {
        /// The participant, for [`Command::Admit`] and [`Command::Refuse`].
        id: ParticipantId,
        /// The name that the person chose.
        name: String,
        /// What this client knows of the person.
        evidence: Evidence,
    },
    /// A participant of [`Event::AsksToJoin`] does not ask any more.
    StoppedAsking(ParticipantId),
    /// What happens in the waiting room, on both sides.
    Lobby(LobbyEvent),
    /// The invitation link has changed, because a member was removed or a manager wanted it. The old one leads only to
    /// [`Event::AsksToJoin`].
    LinkChanged,
    /// Something happened in the chat.
    Chat(line::Event),
    /// Something that shows whether all are in the same group.
    Verification(super::verification::Event),
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
    /// Certificates of that key by an organisation. Not verified: each receiver does that with the organisations that it trusts.
    pub certificate: Option<CertificateChain>,
    /// The role.
    pub role: Role,
    /// The effective rights, by the policy and by floor control.
    pub rights: Rights,
    /// True for this client itself.
    pub me: bool,
    /// What the member sends, as it announced.
    pub state: MediaState,
    /// False while its connection to the server is lost. It may come back.
    pub connected: bool,
}

impl Member {
    /// Returns true for the organiser.
    #[must_use]
    pub fn is_organiser(&self) -> bool {
        self.role == Role::Organiser
    }
}

/// What holds for the whole meeting, by the policy in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyState {
    /// The flags.
    pub flags: MeetingFlags,
    /// The role of members whom the policy does not list.
    pub everyone: Role,
    /// The rights of each role without exceptions, in the order of [`Role::ALL`].
    pub rights: [Rights; 5],
    /// The members whom the policy lists, in the order of succession. The organiser is first.
    pub succession: Vec<ParticipantId>,
}

/// Why a change of the policy is not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyRefusal {
    /// This client does not have the right. Somebody who has it can do this, or grant it.
    NotAllowed,
    /// The member is not of a lower role, or the new role is not lower than the own.
    NotBelow,
    /// The person has left the meeting.
    NoMember,
    /// The role cannot have the right.
    Impossible,
    /// The policy has no room for more people.
    Full,
    /// This client is a manager, but has not got the keys yet. It can try again a little later.
    NoKeys,
}

/// A message for the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The knock has not been answered yet. The client still waits.
    NoAnswerYet,
    /// The organiser has left, so nobody can be admitted or removed until the organiser is back.
    Unattended,
    /// The user does not have the right to do this.
    NotAllowed,
    /// A change of roles, rights or flags is not made.
    PolicyRefused(PolicyRefusal),
    /// No commit that removes this member could be made. The command is dropped.
    CannotRemove(ParticipantId),
    /// This computer's clock and the server's differ by more than an hour. Only an organiser gets this.
    Clock {
        /// How many seconds this computer's clock is ahead of the server's. Negative if it is behind.
        ahead: i64,
    },
    /// A commit was rejected because it is invalid or breaks the meeting's rules. The id is its author according to the
    /// server, which is not verified.
    CommitRejected(ParticipantId),
    /// A commit has a path secret that this client could not read. The id is its author according to the server.
    KeysUnreadable(ParticipantId),
    /// Somebody joins again because it could not read the keys of a commit. Only a manager gets this.
    KeysReported {
        /// The author of the commit.
        author: ParticipantId,
        /// The name of the person who could not read it.
        reader: String,
    },
    /// The link could not be changed. It may have changed as often as possible.
    LinkNotChanged,
}

/// Why a member leaves its group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    /// The meeting is over for this client.
    Ended(Reason),
    /// The connection is of no use any more. The client resumes on another one.
    Lost,
    /// The others have another group. The client joins again.
    CutOff,
    /// A manager has sent this client back to the waiting room.
    SentBack,
    /// Nobody has answered this manager, which comes back. It asks again.
    Unanswered,
}

impl From<Reason> for Exit {
    fn from(reason: Reason) -> Self {
        Self::Ended(reason)
    }
}

impl From<Violation> for Exit {
    fn from(violation: Violation) -> Self {
        Self::Ended(violation.into())
    }
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
    /// The log's epoch of an admission is not the one that the committer has signed.
    #[error("it gave a wrong number of the epoch")]
    FalseEpoch,
    /// The tree after an admission does not belong to the Welcome.
    #[error("the list of members that it sent is damaged")]
    FalseTree,
    /// The tree after an admission is not complete.
    #[error("it did not send the whole list of members")]
    Withheld,
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
