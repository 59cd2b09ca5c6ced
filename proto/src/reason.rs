//! The reasons why a meeting ends, and where the cause is.

use crate::Problem;

/// The reason why a meeting is over for this client.
///
/// The text in some variants is technical and in English. It goes to the log and to the details of a notification. It
/// is never the only text that the user sees.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// The user left.
    #[error("you left the meeting")]
    Left,
    /// The organiser removed the user.
    #[error("the organiser removed you")]
    Removed,
    /// A co-organiser with this name removed the user.
    #[error("{0} removed you")]
    RemovedBy(String),
    /// The organiser refused the request to join.
    #[error("the request to join was refused")]
    Refused,
    /// The organiser has left, so no member can admit anybody.
    #[error("the organiser has left, so nobody can admit you")]
    Unattended,
    /// The organiser removed this device from the meeting before.
    #[error("the organiser removed this device from the meeting")]
    Barred,
    /// The link is from before a removal, and the organiser declined.
    #[error("the link is from before a removal")]
    OldLink,
    /// The organiser has locked the meeting.
    #[error("the meeting is locked")]
    Locked,
    /// The organiser asks the user to come back later.
    #[error("the request to join was refused for now")]
    NotNow,
    /// The organiser does not expect the user in this meeting.
    #[error("the organiser does not expect you in this meeting")]
    NotInvited,
    /// The organiser lets nobody else in, because the meeting has enough participants.
    #[error("the organiser lets nobody else in")]
    NoRoom,
    /// The organiser's program could not read the request to join.
    #[error("the request to join could not be read")]
    UnreadableRequest,
    /// The meeting has no guests: the user shows no certificate of an organisation, and was not in the meeting before.
    #[error("guests cannot join this meeting")]
    NoGuests,
    /// This computer's clock is wrong, so the organiser could not verify its key.
    #[error("this computer's clock is {ahead} s ahead of the server's")]
    OwnClock {
        /// How many seconds it is ahead. Negative if it is behind.
        ahead: i64,
    },
    /// The organiser's clock is wrong, so the organiser could not verify this device's key.
    #[error("the organiser's clock is {ahead} s ahead of this computer's")]
    OrganiserClock {
        /// How many seconds it is ahead. Negative if it is behind.
        ahead: i64,
    },
    /// The organiser ended the meeting for everybody.
    #[error("the organiser ended the meeting")]
    Ended,
    /// The meeting has ended, or never existed.
    #[error("the meeting does not exist")]
    NoMeeting,
    /// The server cannot be reached: no route, no answer, connection refused or lost.
    #[error("the server cannot be reached: {0}")]
    Unreachable(String),
    /// Another computer answers with a web page instead of the server, as networks do that require a sign-in (a captive portal).
    #[error("a web page answers instead of the server: {0}")]
    SignIn(String),
    /// The proxy on the way to the server gives no connection.
    #[error("the proxy gives no connection to the server: {0}")]
    Proxy(String),
    /// The server's certificate does not match the link, or no trusted authority signed it.
    #[error("the server's certificate is not trusted: {0}")]
    Certificate(String),
    /// The server uses another version of the protocol.
    #[error("the server uses another version of the protocol")]
    Version,
    /// The server stopped answering.
    #[error("the server does not answer")]
    ServerSilent,
    /// The server or the meeting is full.
    #[error("the server or the meeting is full")]
    Full,
    /// The server is shutting down.
    #[error("the server is shutting down")]
    Draining,
    /// The server ran in the program of the meeting's host, who has stopped it. The server says so, without a signature.
    #[error("the host of the meeting has stopped the server")]
    HostStopped,
    /// The server violated the protocol, or refused a valid request.
    #[error("the server failed: {0}")]
    Server(String),
    /// The server's keys do not match the link. There may be a man-in-the-middle attack.
    #[error("the keys from the server do not match the link")]
    Forged,
    /// A member answered this organiser's request to come back with a Welcome that does not lead into its meeting. Any
    /// member may answer, and the server does not say who did.
    #[error("a participant answered the request to come back with a false Welcome")]
    FalseWelcome,
    /// Something on this computer failed.
    #[error("this client failed: {0}")]
    Here(String),
}

/// Where the cause of a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// This computer: a device, a file, a missing library.
    Here,
    /// The network between this computer and the server.
    Network,
    /// The server.
    Server,
    /// The link, or the person who sent it.
    Link,
    /// Another participant.
    Peer,
}

impl Reason {
    /// Returns where the cause is, or `None` if there is no problem.
    #[must_use]
    pub const fn fault(&self) -> Option<Fault> {
        match self {
            Self::Left | Self::Ended | Self::HostStopped => None,
            Self::Removed
            | Self::RemovedBy(_)
            | Self::Refused
            | Self::Unattended
            | Self::Barred
            | Self::Locked
            | Self::NotNow
            | Self::NotInvited
            | Self::NoRoom
            | Self::NoGuests
            | Self::OrganiserClock { .. }
            | Self::FalseWelcome => Some(Fault::Peer),
            Self::NoMeeting | Self::OldLink => Some(Fault::Link),
            Self::Unreachable(_) | Self::SignIn(_) | Self::Proxy(_) => Some(Fault::Network),
            Self::Certificate(_)
            | Self::Version
            | Self::ServerSilent
            | Self::Full
            | Self::Draining
            | Self::Server(_)
            | Self::Forged => Some(Fault::Server),
            Self::Here(_) | Self::OwnClock { .. } | Self::UnreadableRequest => Some(Fault::Here),
        }
    }
}

impl From<Problem> for Reason {
    fn from(problem: Problem) -> Self {
        match problem {
            Problem::Version => Self::Version,
            Problem::NoMeeting => Self::NoMeeting,
            Problem::MeetingFull | Problem::ServerFull => Self::Full,
            Problem::Draining => Self::Draining,
            Problem::HostStopped => Self::HostStopped,
            Problem::MeetingExists
            | Problem::Malformed
            | Problem::TooFast
            | Problem::NotAuthorised
            | Problem::NotResumable
            | Problem::Idle
            | Problem::Superseded => Self::Server(problem.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_of_the_server_has_a_reason_and_a_fault() {
        for (problem, reason, fault) in [
            (Problem::Version, Reason::Version, Fault::Server),
            (Problem::NoMeeting, Reason::NoMeeting, Fault::Link),
            (Problem::MeetingFull, Reason::Full, Fault::Server),
            (Problem::Draining, Reason::Draining, Fault::Server),
            (Problem::TooFast, Reason::Server(Problem::TooFast.to_string()), Fault::Server),
        ] {
            assert_eq!((Reason::from(problem), reason.fault()), (reason, Some(fault)));
        }
        let stopped = Reason::from(Problem::HostStopped);
        assert_eq!((stopped.fault(), stopped), (None, Reason::HostStopped), "no failure");
    }
}
