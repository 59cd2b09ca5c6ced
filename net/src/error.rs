//! The errors that end a session.

use crate::{peer, signalling};
use proto::{Fault, Reason};

/// The reason why a session failed. A meeting that ends by itself is [`crate::meeting::Event::Ended`] instead.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The connection to the server failed.
    #[error(transparent)]
    Signalling(#[from] signalling::Error),
    /// The media transport failed.
    #[error(transparent)]
    Media(#[from] peer::Error),
    /// Media were negotiated, but the transport does not connect. Usually a firewall blocks UDP.
    #[error("media cannot reach the server: is UDP blocked?")]
    NoMedia,
    /// Negotiation of media failed.
    #[error("{0}")]
    Negotiation(&'static str),
    /// The system cannot start the thread that manages the meeting's keys.
    #[error("the system cannot start another thread: {0}")]
    NoThread(#[source] std::io::Error),
    /// The thread that manages the meeting's keys panicked.
    #[error("the thread that manages the meeting's keys failed")]
    KeysThread,
    /// The server sent totals that this client did not ask for.
    #[error("it sent totals that this client did not ask for")]
    UnrequestedTotals,
    /// The program does not read the session's events.
    #[error("the program does not read its session's events")]
    Stalled,
}

impl Error {
    /// Returns the reason for the user.
    #[must_use]
    pub fn reason(&self) -> Reason {
        let text = self.to_string();
        match self {
            Self::Signalling(error) => error.reason(),
            Self::Media(_) | Self::NoThread(_) | Self::KeysThread | Self::Stalled => Reason::Here(text),
            Self::NoMedia => Reason::Unreachable(text),
            Self::Negotiation(_) | Self::UnrequestedTotals => Reason::Server(text),
        }
    }

    /// Returns where the cause is.
    #[must_use]
    pub fn fault(&self) -> Option<Fault> {
        self.reason().fault()
    }
}
