//! The errors of the connection to a server.

use super::socket::authority;
use super::{proxy, tls};
use proto::Reason;
use std::io;
use std::time::Duration;
use tokio_tungstenite::tungstenite;

/// The reason why the connection to the server could not be opened, or was lost.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The server's name is not a valid host name or URL.
    #[error("{0:?} is not a valid server name")]
    Name(String),
    /// The address cannot be reached.
    #[error("the server cannot be reached: {0}")]
    Unreachable(#[source] io::Error),
    /// The computer refuses the connection, so no server listens on the port.
    #[error("no server answers at {0}: is it running?")]
    Refused(String),
    /// The server did not answer in time.
    #[error("the server did not answer within {} seconds", TIMEOUT.as_secs())]
    Silent,
    /// The certificate is not the one that the invitation names, or not one that this system trusts.
    #[error("the server's certificate is not the expected one, it may be another server ({0})")]
    Certificate(#[source] rustls::Error),
    /// TLS failed for another reason.
    #[error("no secure connection to the server: {0}")]
    Tls(#[source] io::Error),
    /// The system's store of certificate authorities cannot be used.
    #[error("this system has no trusted certificate authorities: {0}")]
    NoAuthorities(#[source] rustls::Error),
    /// Another kind of server answers.
    #[error("the answer is not from a Conclave server ({0})")]
    NotOurs(#[source] Box<tungstenite::Error>),
    /// The connection was lost.
    #[error("the connection to the server was lost")]
    Lost,
    /// The server has stopped reading.
    #[error("the server does not read the messages sent to it")]
    Stuck,
    /// A web page answers instead of the server. Has its status, and the address of a redirect.
    #[error("a web page answers instead of the server ({0})")]
    WebPage(String),
    /// The proxy gave no connection to the server.
    #[error(transparent)]
    Proxy(#[from] proxy::Error),
}

impl Error {
    /// Returns the reason for the user.
    #[must_use]
    pub fn reason(&self) -> Reason {
        let text = self.to_string();
        match self {
            Self::Certificate(_) => Reason::Certificate(text),
            Self::WebPage(_) | Self::Proxy(proxy::Error::SignIn(..)) => Reason::SignIn(text),
            Self::Proxy(_) => Reason::Proxy(text),
            Self::NotOurs(_) | Self::Stuck => Reason::Server(text),
            Self::NoAuthorities(_) => Reason::Here(text),
            Self::Name(_) | Self::Unreachable(_) | Self::Refused(_) | Self::Silent | Self::Tls(_) | Self::Lost => {
                Reason::Unreachable(text)
            }
        }
    }
}

/// Returns the error that `host` cannot be reached.
pub fn connect_error(error: io::Error, host: &str, port: u16) -> Error {
    if error.kind() == io::ErrorKind::ConnectionRefused {
        Error::Refused(authority(host, port))
    } else {
        Error::Unreachable(error)
    }
}

/// Classifies a TLS error. tokio-rustls wraps the error of rustls in an I/O error.
pub fn tls_error(error: io::Error) -> Error {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(inner) if tls::is_certificate(inner) => Error::Certificate(inner.clone()),
        Some(_) | None => Error::Tls(error),
    }
}

/// Returns the error that another kind of server answers.
pub fn websocket_error(error: tungstenite::Error) -> Error {
    Error::NotOurs(Box::new(error))
}

/// How long connecting may take, name resolution and handshakes together.
pub const TIMEOUT: Duration = Duration::from_secs(10);
