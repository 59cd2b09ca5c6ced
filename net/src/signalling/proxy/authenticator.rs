//! How a client authenticates to a proxy.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Debug;

/// Answers a proxy's demand for authentication (RFC 9110, section 11.7), by one scheme.
///
/// Basic is built in. A caller can add Negotiate (RFC 4559) with the system's Kerberos by
/// [`crate::ProxySettings::with_authenticator`].
pub trait ProxyAuthenticator: Send + Sync + Debug {
    /// Returns the name of the scheme, such as `Negotiate`.
    fn scheme(&self) -> &str;
    /// Returns the credentials that follow the name of the scheme, for the proxy at `host`. `challenge` is the
    /// text after the scheme in the proxy's demand, `None` before the first demand. Returns `None` if there are no credentials.
    /// May block for a short time.
    fn credentials(&self, host: &str, challenge: Option<&str>) -> Option<String>;
}

/// Authenticates with a user and a password by the scheme Basic (RFC 7617).
pub struct BasicAuthenticator {
    encoded: String,
}

impl BasicAuthenticator {
    /// Returns the authenticator of `user`, which must not contain a colon: it separates the password.
    #[must_use]
    pub fn new(user: &str, password: &str) -> Self {
        Self { encoded: STANDARD.encode(format!("{user}:{password}")) }
    }
}

impl Debug for BasicAuthenticator {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str("BasicAuthenticator")
    }
}

impl ProxyAuthenticator for BasicAuthenticator {
    fn scheme(&self) -> &'static str {
        "Basic"
    }

    fn credentials(&self, _host: &str, challenge: Option<&str>) -> Option<String> {
        // They are sent with the first request, so a demand means that they are wrong.
        challenge.is_none().then(|| self.encoded.clone())
    }
}
