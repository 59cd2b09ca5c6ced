//! The choice of the proxy for a server: by the command line, or by the environment.

use super::answer::Answer;
use super::authenticator::{BasicAuthenticator, ProxyAuthenticator};
use crate::signalling::socket::authority;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

/// The proxy of a program, and the servers that are reached without it. The default is no proxy.
#[derive(Clone, Debug, Default)]
pub struct ProxySettings {
    rules: Option<Arc<Rules>>,
}

/// A proxy and its exceptions.
#[derive(Clone, Debug)]
struct Rules {
    proxy: ProxyUrl,
    exceptions: Vec<String>,
    /// True if servers on this computer are reached without the proxy.
    bypasses_loopback: bool,
}

/// The address of a proxy, and how to authenticate to it.
#[derive(Clone)]
pub struct ProxyUrl {
    /// Its name or address, without brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
    pub(super) scheme: Scheme,
    /// The user, for SOCKS5.
    pub(super) user: Option<User>,
    /// For HTTP, in order of preference.
    authenticators: Vec<Arc<dyn ProxyAuthenticator>>,
}

/// How to speak to a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    /// HTTP.
    Http,
    /// SOCKS5.
    Socks5,
}

/// A user and a password, each of at most 255 bytes. It has no `Debug`.
#[derive(Clone)]
pub(super) struct User {
    name: String,
    password: String,
}

impl User {
    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn password(&self) -> &str {
        &self.password
    }
}

/// A text is not the URL of a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected http://HOST:PORT or socks5://HOST:PORT, with USER:PASSWORD@ before the host if the proxy wants that")]
pub struct InvalidProxyUrl;

impl ProxySettings {
    /// Returns settings that use `proxy` for all servers.
    #[must_use]
    pub fn of(proxy: ProxyUrl) -> Self {
        Self::new(proxy, Vec::new(), false)
    }

    /// Returns the same settings, but without a proxy for servers on this computer.
    #[must_use]
    pub fn bypassing_loopback(mut self) -> Self {
        if let Some(rules) = &mut self.rules {
            Arc::make_mut(rules).bypasses_loopback = true;
        }
        self
    }

    /// Returns the settings of the variables `HTTPS_PROXY`, else `ALL_PROXY`, and `NO_PROXY`, each also in lower case. `read`
    /// returns the value of one, usually from the environment. Servers on this computer need no proxy. A value that is not a
    /// proxy's URL is logged and ignored.
    #[must_use]
    pub fn from_variables(read: impl Fn(&str) -> Option<String>) -> Self {
        let variable = |name: &str| {
            let value = read(name).or_else(|| read(&name.to_lowercase()))?;
            (!value.trim().is_empty()).then(|| value.trim().to_owned())
        };
        let url = variable("HTTPS_PROXY").or_else(|| variable("ALL_PROXY"));
        let proxy = url.as_deref().and_then(|url| url.parse().ok());
        if url.is_some() && proxy.is_none() {
            // The value may contain a password.
            tracing::warn!(
                "the proxy in the environment is ignored: only http://HOST:PORT and socks5://HOST:PORT are supported"
            );
        }
        let exceptions = variable("NO_PROXY").unwrap_or_default();
        let exceptions = exceptions.split(',').map(|one| one.trim().to_lowercase()).filter(|one| !one.is_empty());
        proxy.map(|proxy| Self::new(proxy, exceptions.collect(), true)).unwrap_or_default()
    }

    /// Adds an authenticator for the proxy. Basic with the user of the URL is tried first, then the others in the order in which
    /// they were added. Does nothing if there is no proxy.
    #[must_use]
    pub fn with_authenticator(mut self, authenticator: Arc<dyn ProxyAuthenticator>) -> Self {
        if let Some(rules) = &mut self.rules {
            Arc::make_mut(rules).proxy.authenticators.push(authenticator);
        }
        self
    }

    /// Returns true if there is no proxy.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rules.is_none()
    }

    /// Returns the proxy for connections to `host`, a name or an address without brackets. Returns `None` for a direct
    /// connection.
    #[must_use]
    pub fn for_host(&self, host: &str) -> Option<&ProxyUrl> {
        let Rules { proxy, exceptions, bypasses_loopback } = self.rules.as_deref()?;
        let host = host.to_lowercase();
        let address: Option<IpAddr> = host.parse().ok();
        let is_loopback = host == "localhost" || address.is_some_and(|address| address.is_loopback());
        let is_exception = exceptions.iter().any(|exception| matches(exception, &host));
        (!(is_exception || is_loopback && *bypasses_loopback)).then_some(proxy)
    }

    fn new(proxy: ProxyUrl, exceptions: Vec<String>, bypasses_loopback: bool) -> Self {
        Self { rules: Some(Arc::new(Rules { proxy, exceptions, bypasses_loopback })) }
    }
}

/// Returns whether an entry of `NO_PROXY` names `host`: `*`, an address, or a domain with all names below it.
fn matches(exception: &str, host: &str) -> bool {
    let domain = exception.trim_start_matches('*').trim_start_matches('.');
    let is_below = || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
    exception == "*" || !domain.is_empty() && (host == domain.trim_matches(['[', ']']) || is_below())
}

impl ProxyUrl {
    /// Returns whether there is an authenticator for a scheme.
    pub(super) fn has_scheme(&self, scheme: &str) -> bool {
        self.authenticators.iter().any(|authenticator| authenticator.scheme().eq_ignore_ascii_case(scheme))
    }

    /// Returns the value of `Proxy-Authorization`: for the first request if there is no `demand`, else for the demand.
    pub(super) fn credentials(&self, demand: Option<&Answer>) -> Option<String> {
        self.authenticators.iter().find_map(|authenticator| {
            let scheme = authenticator.scheme();
            let credentials = match demand {
                // Other schemes than Basic are expensive, and the proxy may not want them.
                None if scheme.eq_ignore_ascii_case("Basic") => authenticator.credentials(&self.host, None)?,
                None => return None,
                Some(demand) => authenticator.credentials(&self.host, Some(demand.challenge(scheme)?))?,
            };
            Some(format!("{scheme} {credentials}"))
        })
    }
}

impl FromStr for ProxyUrl {
    type Err = InvalidProxyUrl;

    /// Parses `http://HOST:PORT` or `socks5://HOST:PORT`, with a user and a password before the host, separated by `:` and ended by
    /// `@`. `%` encodes their special characters (RFC 3986, section 2.1). Without a scheme, HTTP is assumed; without a port, 80 or
    /// 1080. `socks` and `socks5h` mean the same as `socks5`: the proxy resolves the server's name.
    fn from_str(text: &str) -> Result<Self, InvalidProxyUrl> {
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "http" => Scheme::Http,
            "socks" | "socks5" | "socks5h" => Scheme::Socks5,
            _ => return Err(InvalidProxyUrl),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (user, place) = rest.rsplit_once('@').map_or((None, rest), |(user, place)| (Some(user), place));
        let (host, port) = proto::split_host_port(place).map_err(|_| InvalidProxyUrl)?;
        let user = user.map(|user| parse_user(user, scheme)).transpose()?;
        let port = port.unwrap_or(scheme.default_port());
        let mut proxy = Self { host: host.to_owned(), port, scheme, user, authenticators: Vec::new() };
        if let Some(User { name, password }) = proxy.user.take_if(|_| scheme == Scheme::Http) {
            proxy.authenticators.push(Arc::new(BasicAuthenticator::new(&name, &password)));
        }
        Ok(proxy)
    }
}

impl Scheme {
    const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Socks5 => 1_080,
        }
    }
}

/// Parses `USER:PASSWORD`. Basic cannot carry a user with a colon, and SOCKS5 nothing that is longer than 255 bytes.
fn parse_user(text: &str, scheme: Scheme) -> Result<User, InvalidProxyUrl> {
    let (name, password) = text.split_once(':').unwrap_or((text, ""));
    let user = User { name: decode(name)?, password: decode(password)? };
    let fits = match scheme {
        Scheme::Http => !user.name.contains(':'),
        Scheme::Socks5 => [&user.name, &user.password].iter().all(|text| u8::try_from(text.len()).is_ok()),
    };
    if fits { Ok(user) } else { Err(InvalidProxyUrl) }
}

/// Decodes percent-encoded text.
fn decode(text: &str) -> Result<String, InvalidProxyUrl> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16)).ok_or(InvalidProxyUrl);
        decoded.push(match byte {
            b'%' => u8::try_from(digit(bytes.next())? << 4 | digit(bytes.next())?).map_err(|_| InvalidProxyUrl)?,
            byte => byte,
        });
    }
    String::from_utf8(decoded).map_err(|_| InvalidProxyUrl)
}

impl fmt::Display for ProxyUrl {
    /// Writes host and port, never user and password.
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&authority(&self.host, self.port))
    }
}

impl fmt::Debug for ProxyUrl {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "ProxyUrl({self}, {:?})", self.authenticators)
    }
}
