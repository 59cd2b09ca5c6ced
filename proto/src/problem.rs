//! The reasons of a refusal, by the server or by a manager.

use minicbor::{CborLen, Decode, Encode};

/// The reason why a request for admission is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode, CborLen)]
pub enum Refusal {
    /// The organiser declined, or the request does not match the link.
    #[n(0)]
    Declined,
    /// No organiser is left.
    #[n(1)]
    Unattended,
    /// The clock of the client or of the manager is wrong, so the certificate of the client's device key is not valid.
    #[n(2)]
    Clock {
        /// How many seconds the client's clock is ahead of the manager's. Negative if it is behind.
        #[n(0)]
        ahead: i64,
    },
    /// The organiser has removed the client's device from this meeting.
    #[n(3)]
    Removed,
    /// The link is from before a removal, and the organiser declined. A new link is needed.
    #[n(4)]
    OldLink,
    /// The meeting is locked. The server itself sends this refusal.
    #[n(5)]
    Locked,
    /// A manager asks the person to come back later.
    #[n(6)]
    NotNow,
    /// A manager does not expect the person in this meeting.
    #[n(7)]
    NotInvited,
    /// A manager lets nobody else in, because the meeting has enough participants.
    #[n(8)]
    Full,
    /// The manager could not read the request: it is malformed, was made without the secret of the link, or by another version of
    /// the program.
    #[n(9)]
    Unreadable,
    /// The meeting has no guests, and the request shows neither a certificate nor a device that was a member before.
    #[n(10)]
    NoGuests,
}

/// The reason why the server rejects a message. It then closes the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode, CborLen, thiserror::Error)]
#[cbor(index_only)]
pub enum Problem {
    /// The server does not support the client's version.
    #[n(0)]
    #[error("the server uses another version of the protocol")]
    Version,
    /// There is no such meeting, or it has ended.
    #[n(1)]
    #[error("the meeting does not exist or has ended")]
    NoMeeting,
    /// [`crate::Up::Create`] named a meeting that exists.
    #[n(2)]
    #[error("the meeting exists already")]
    MeetingExists,
    /// The meeting has as many members as the server allows.
    #[n(3)]
    #[error("the meeting is full")]
    MeetingFull,
    /// The server has as many meetings as it allows in all, or from the client's address.
    #[n(4)]
    #[error("the server is full")]
    ServerFull,
    /// The message is invalid or too long, or the state of the connection does not allow it.
    #[n(5)]
    #[error("the server rejected a message of this client as invalid")]
    Malformed,
    /// The client sent too many messages or bytes in a short time.
    #[n(6)]
    #[error("this client sends too many messages")]
    TooFast,
    /// The server is stopping.
    #[n(7)]
    #[error("the server is stopping")]
    Draining,
    /// The authority's signature is missing or wrong, or a member's commit needs one.
    #[n(8)]
    #[error("this client is not authorised to do that in this meeting")]
    NotAuthorised,
    /// [`crate::Up::Resume`] names a meeting that has ended, a member that is gone, a wrong token, or entries that the server
    /// has dropped.
    #[n(9)]
    #[error("the connection was lost for too long")]
    NotResumable,
    /// The client did not create a meeting, knock or resume in time.
    #[n(10)]
    #[error("this client was idle for too long")]
    Idle,
    /// The member continues on another connection.
    #[n(11)]
    #[error("this client continues on another connection")]
    Superseded,
    /// The program of a participant runs the server, and stops it.
    #[n(12)]
    #[error("the host of the meeting has stopped the server")]
    HostStopped,
}
