//! The errors that prevent a server from starting, or end it.

use std::io::ErrorKind;
use std::net::SocketAddr;

/// The reason why a server does not start, or has ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address is in use, not an address of this machine, or not allowed.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// The address of the metrics is in use, not an address of this machine, or not allowed.
    #[error("cannot serve metrics on {address}")]
    Metrics {
        /// The address.
        address: SocketAddr,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// The certificate cannot be read, created or used.
    #[error("the certificate cannot be used: {0}")]
    Certificate(String),
    /// The media stack or one of its threads does not start.
    #[error("a media thread cannot be started")]
    Media,
    /// A media thread has ended while the server ran.
    #[error("a media thread has failed")]
    MediaFailed,
    /// The delivery task has ended while the server ran.
    #[error("the delivery task has failed")]
    DeliveryFailed,
    /// The system has no random bytes.
    #[error("the system has no random bytes")]
    Random,
    /// The secret of the TURN servers cannot be read or is empty, or there are too many servers.
    #[error("the TURN servers cannot be used")]
    TurnSecret(#[source] std::io::Error),
    /// The system's signals cannot be received, so the server could not be stopped.
    #[error("the system's signals cannot be received")]
    Signals(#[source] std::io::Error),
}

impl Error {
    /// Returns sentences for the administrator: where the cause is, and what to do.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        match self {
            Self::Listen { source, .. } => {
                let known = LISTEN_ADVICE.iter().find(|(kind, _)| *kind == source.kind());
                known.map_or("This computer refuses that address: check --listen.", |(_, advice)| advice)
            }
            Self::Metrics { .. } => {
                "Choose an address of this computer and a port that no other program uses with --metrics ADDRESS:PORT."
            }
            Self::Certificate(_) => {
                "Check the files that --cert and --key name, or check that this user may write to the folder of --data."
            }
            Self::TurnSecret(_) => {
                "Check that this user may read the file of --turn-secret-file, that it is not empty, and that there are at most six --turn."
            }
            Self::MediaFailed | Self::DeliveryFailed => {
                "All meetings have ended: start the server again, and report the error in the log above."
            }
            Self::Media | Self::Random | Self::Signals(_) => {
                "This computer refuses a resource that the server needs: check its limits on threads, open files and UDP ports."
            }
        }
    }
}

const LISTEN_ADVICE: &[(ErrorKind, &str)] = &[
    (
        ErrorKind::AddrInUse,
        "Another program on this computer uses that port: stop it, or choose another port with --listen.",
    ),
    (
        ErrorKind::PermissionDenied,
        "This computer does not let this user listen there: choose a port from 1024 on with --listen.",
    ),
    (
        ErrorKind::AddrNotAvailable,
        "This computer does not have that address: choose one of its own, or 0.0.0.0, with --listen.",
    ),
];
