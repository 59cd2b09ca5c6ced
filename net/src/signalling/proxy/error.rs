//! Why a proxy gives no connection.

use std::io;
use std::time::Duration;

/// The reason why a proxy gave no connection. Each text names the proxy, without user and password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It cannot be reached.
    #[error("the proxy {0} cannot be reached: {1}")]
    Unreachable(String, #[source] io::Error),
    /// It did not answer in time.
    #[error("the proxy {} did not answer within {} seconds", .0, TIMEOUT.as_secs())]
    Silent(String),
    /// It closed the connection without an answer.
    #[error("the proxy {0} closed the connection")]
    Closed(String),
    /// Its answer is not that of an HTTP proxy.
    #[error("{0} does not answer like an HTTP proxy")]
    NotHttp(String),
    /// It requires authentication, and accepts none of our credentials. Has the schemes that it accepts.
    #[error("the proxy {0} requires authentication ({1}): check the user and the password in its URL")]
    Authentication(String, String),
    /// It requires authentication by schemes that this program does not have. Has the schemes.
    #[error(
        "the proxy {0} wants a sign-in by {1}, which is not supported yet: ask IT to let this server through without the proxy (NO_PROXY), or for a proxy with a user and a password"
    )]
    UnsupportedScheme(String, String),
    /// It wants a person to sign in with a browser. Has the status.
    #[error("the proxy {0} wants a sign-in with a browser (status {1})")]
    SignIn(String, u16),
    /// Its answer is not that of a SOCKS5 proxy.
    #[error("{0} does not answer like a SOCKS5 proxy")]
    NotSocks(String),
    /// It refuses the connection by SOCKS5. Has the cause.
    #[error("the proxy {0} refused the connection to the server: {1}")]
    SocksRefused(String, &'static str),
    /// It refuses the connection.
    #[error("the proxy {0} refused the connection to the server (status {1})")]
    Refused(String, u16),
}

/// How long a proxy may take. It is shorter than the timeout of the whole connection, so that the error names the proxy.
pub const TIMEOUT: Duration = Duration::from_secs(8);
