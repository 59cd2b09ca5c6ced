//! What can go wrong on the way to a meeting, and whose fault it is.

use crate::{peer, signalling};

/// Why a session ended, other than by the meeting's own events.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The way to the server.
    #[error(transparent)]
    Signalling(#[from] signalling::Error),
    /// The way of the media.
    #[error(transparent)]
    Media(#[from] peer::Error),
    /// Media were negotiated, and nothing comes through: a firewall that lets no UDP pass is the usual reason.
    #[error("no media reach the server: is UDP blocked?")]
    NoMedia,
    /// The server and this client do not agree on media.
    #[error("{0}")]
    Negotiation(&'static str),
    /// Nobody takes the session's events.
    #[error("this program does not follow its own session")]
    Stalled,
}

/// Who can do something about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The way to the server.
    Network,
    /// The server.
    Server,
    /// The server's certificate: it may be somebody else's.
    Certificate,
    /// The versions of client and server.
    Version,
    /// This computer, or this program.
    Here,
}

impl Error {
    /// Who can do something about it.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        match self {
            Self::Signalling(error) => error.fault(),
            Self::Media(_) | Self::Stalled => Fault::Here,
            Self::NoMedia => Fault::Network,
            Self::Negotiation(_) => Fault::Server,
        }
    }
}
