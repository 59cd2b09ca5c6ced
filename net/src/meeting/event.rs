//! What goes into a meeting and what comes out of it.

use super::MediaState;
use crypto::{DeviceKey, Identity, Invitation, Leaf, MediaKeys, Profile, Words};
use proto::{Epoch, MeetingId, ParticipantId, Problem};

/// How somebody comes into a meeting.
pub enum Entry {
    /// Opens a new one and is its organiser.
    Create {
        /// Its number: random, never used before.
        meeting: MeetingId,
        /// The device's long-term key.
        identity: Identity,
        /// What the others see.
        profile: Profile,
    },
    /// Knocks at one.
    Join {
        /// The link that was given.
        invitation: Invitation,
        /// The device's long-term key.
        identity: Identity,
        /// What the others see.
        profile: Profile,
    },
}

/// What the person wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Tells the others what this client sends from now on. Also right before it is let in: it is told on entering.
    Announce(MediaState),
    /// Puts somebody out. Only the organiser may.
    Remove(ParticipantId),
    /// Says good-bye. Ends in [`Reason::Left`].
    Leave,
    /// Renews this member's own keys.
    Refresh,
}

/// What happened. Exactly one of `Refused`, `Removed` and `Ended` comes, last of all.
pub enum Event {
    /// On the way to the server and to the meeting's door.
    Approaching,
    /// At the door; somebody inside decides.
    Knocking,
    /// Inside. The keys, the words and (right behind) the members are told with it.
    Entered {
        /// What this client is called.
        me: ParticipantId,
    },
    /// Who is here, in the order of their leaves; told again at each change, each time whole.
    Members(Vec<Person>),
    /// Somebody came in. Their keys were told before.
    Joined(ParticipantId),
    /// Somebody is out. The keys that they do not have were told before.
    Left {
        /// Who.
        id: ParticipantId,
        /// True where the organiser put them out; false where they left or vanished.
        removed: bool,
    },
    /// A new epoch's media keys. They come before any event that lets a new member's media be used.
    Keys {
        /// The keys.
        keys: MediaKeys,
        /// Leaves that are members no more: nothing of theirs may be opened from now on.
        removed: Vec<Leaf>,
        /// All leaves of the epoch.
        leaves: Vec<Leaf>,
        /// The MLS epoch.
        epoch: Epoch,
    },
    /// The words by which people check that they are in the same meeting; new at each epoch.
    Words(Words),
    /// The one who decides did not let this client in.
    Refused,
    /// The organiser put this client out.
    Removed,
    /// It is over for another reason.
    Ended(Reason),
    /// Something to tell the person; the meeting goes on.
    Notice(Notice),
}

/// Somebody in the meeting, as far as the keys prove it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// What they are called on the wire.
    pub id: ParticipantId,
    /// Their leaf in the group, which is in the key ids of their media.
    pub leaf: Leaf,
    /// The name that they chose.
    pub name: String,
    /// Their device.
    pub device: DeviceKey,
    /// True for the one who lets people in and puts them out.
    pub organiser: bool,
    /// True for this client itself.
    pub me: bool,
    /// What they say that they send.
    pub state: MediaState,
}

/// Something the person should know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// Nobody has answered the knock yet; the client still waits.
    NoAnswerYet,
    /// The organiser has gone: nobody can be let in or put out any more.
    Unattended,
    /// Only the organiser may do this.
    NotAllowed,
    /// The removal could not be made; it is given up.
    CannotRemove(ParticipantId),
    /// A commit was refused: it is invalid, or breaks the meeting's rules. The server says whose it was.
    CommitRejected(ParticipantId),
}

/// Why a meeting is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The person left.
    #[error("you left")]
    Left,
    /// Not a word for 8 seconds.
    #[error("the server is silent")]
    ServerSilent,
    /// The connection broke.
    #[error("the connection to the server broke")]
    ConnectionLost,
    /// The server took this client for dead and told the others so.
    #[error("the server took this client for dead")]
    DeclaredGone,
    /// The server speaks another version.
    #[error("the server speaks version {server} of the protocol, this client {}", proto::VERSION)]
    Version {
        /// The server's.
        server: u16,
    },
    /// The server does not do as asked.
    #[error("{0}")]
    Problem(Problem),
    /// The admission key is not the one that the link promises: somebody is in between.
    #[error("the server shows another admission key than the link promises")]
    WrongAdmissionKey,
    /// Nobody is left who could let this client in.
    #[error("nobody is left who could let you in")]
    Unattended,
    /// The door opened, but what came through is no welcome to this meeting.
    #[error("the welcome is not valid")]
    BadWelcome,
    /// The server broke the protocol.
    #[error("the server broke the protocol: {0}")]
    ProtocolViolation(ProtocolViolation),
    /// The others are at an epoch that this client cannot follow to.
    #[error("this client lost step with the others")]
    OutOfStep,
    /// This client's own keys failed.
    #[error("this client could not make its own keys")]
    Internal,
}

/// How a server broke the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolViolation {
    /// Bytes that are no message.
    #[error("it sent something that is no message")]
    Malformed,
    /// A message that does not fit what came before.
    #[error("it sent a message out of turn")]
    Unexpected,
    /// An entry of the log is missing, or came twice.
    #[error("its log has a gap")]
    OutOfOrder,
}

/// Who can do something about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nobody did anything wrong.
    Nobody,
    /// The way to the server.
    Network,
    /// The server.
    Server,
    /// This program.
    Client,
    /// The one who let this client in, or another member.
    Member,
}

impl Reason {
    /// Who can do something about it.
    #[must_use]
    pub const fn fault(self) -> Fault {
        match self {
            Self::ServerSilent | Self::ConnectionLost | Self::DeclaredGone => Fault::Network,
            Self::Left | Self::Unattended | Self::Problem(Problem::NoMeeting | Problem::MeetingFull) => Fault::Nobody,
            Self::Version { server } if server > proto::VERSION => Fault::Client,
            Self::Problem(Problem::Malformed | Problem::TooFast | Problem::MeetingExists) | Self::Internal => {
                Fault::Client
            }
            Self::Version { .. } | Self::Problem(_) | Self::WrongAdmissionKey | Self::ProtocolViolation(_) => {
                Fault::Server
            }
            Self::BadWelcome | Self::OutOfStep => Fault::Member,
        }
    }
}
