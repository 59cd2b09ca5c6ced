//! Why a session fails, and whose fault it is.

use crate::{peer, signalling};

/// Why a session failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The connection to the server failed.
    #[error(transparent)]
    Signalling(#[from] signalling::Error),
    /// The media transport failed.
    #[error(transparent)]
    Media(#[from] peer::Error),
    /// Media were negotiated, and the transport does not connect: usually a firewall blocks UDP.
    #[error("no media reach the server: is UDP blocked?")]
    NoMedia,
    /// Negotiation of media failed.
    #[error("{0}")]
    Negotiation(&'static str),
    /// The session's events are not read.
    #[error("this program does not read the events of its session")]
    Stalled,
}

/// Where the cause of an error is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The network.
    Network,
    /// The server.
    Server,
    /// The server's certificate: another server may have answered.
    Certificate,
    /// The versions of client and server.
    Version,
    /// This computer, or this program.
    Here,
}

impl Error {
    /// Where the cause is.
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
