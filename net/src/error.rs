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
    /// Media were negotiated, but no path carries them: neither UDP nor the tunnel over TLS. Usually a firewall blocks UDP. Has
    /// the reason why there was no tunnel; `None` if it was not tried.
    #[error("media cannot reach the server: is UDP blocked?{}", no_tunnel(.0.as_deref()))]
    NoMedia(Option<String>),
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

/// Returns the second sentence of the error that no path carries media.
fn no_tunnel(failure: Option<&str>) -> String {
    failure.map(|failure| format!(" The connection over TLS failed, too: {failure}")).unwrap_or_default()
}

impl Error {
    /// Returns the reason for the user.
    #[must_use]
    pub fn reason(&self) -> Reason {
        let text = self.to_string();
        match self {
            Self::Signalling(error) => error.reason(),
            Self::Media(_) | Self::NoThread(_) | Self::KeysThread | Self::Stalled => Reason::Here(text),
            Self::NoMedia(_) => Reason::Unreachable(text),
            Self::Negotiation(_) | Self::UnrequestedTotals => Reason::Server(text),
        }
    }

    /// Returns where the cause is.
    #[must_use]
    pub fn fault(&self) -> Option<Fault> {
        self.reason().fault()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_that_no_path_carries_media_says_why_there_was_no_tunnel() {
        let text = |failure: Option<&str>| Error::NoMedia(failure.map(str::to_owned)).to_string();
        assert_eq!(text(None), "media cannot reach the server: is UDP blocked?");
        let both = text(Some("the connection to the server was lost"));
        assert!(both.contains("UDP") && both.contains("TLS") && both.ends_with("was lost"), "{both}");
    }
}
