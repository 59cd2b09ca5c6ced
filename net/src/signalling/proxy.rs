//! Proxies: HTTP with the tunnel of the method CONNECT (RFC 9110, section 9.3.6), and SOCKS5 ([`socks5`]).
//!
//! A proxy sees the server's name and port, and TLS after that. The server's certificate is checked as without a proxy.

mod answer;
mod authenticator;
mod error;
mod settings;
pub mod socks5;

pub use answer::Answer;
pub use authenticator::ProxyAuthenticator;
pub use error::Error;
pub use settings::{InvalidProxyUrl, ProxySettings, ProxyUrl};

use super::connect as tcp;
use super::socket::authority;
use error::TIMEOUT;
use proto::Malformed;
use settings::Scheme;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use webrtc::runtime::Runtime;

/// Opens a connection to `host` and `port` through `proxy`. `host` is a name or an address without brackets. The proxy
/// resolves the name.
///
/// # Errors
/// Returns [`Error`] if the proxy gives no connection within eight seconds.
pub async fn connect(proxy: &ProxyUrl, host: &str, port: u16, stack: &dyn Runtime) -> Result<TcpStream, Error> {
    connect_within(TIMEOUT, proxy, (host, port), stack).await
}

async fn connect_within(
    limit: Duration,
    proxy: &ProxyUrl,
    (host, port): (&str, u16),
    stack: &dyn Runtime,
) -> Result<TcpStream, Error> {
    let connected = match proxy.scheme {
        Scheme::Http => timeout(limit, connect_by_http(proxy, host, port, stack)).await,
        Scheme::Socks5 => timeout(limit, socks5::connect(proxy, host, port, stack)).await,
    };
    connected.unwrap_or_else(|_| Err(Error::Silent(proxy.to_string())))
}

async fn connect_by_http(proxy: &ProxyUrl, host: &str, port: u16, stack: &dyn Runtime) -> Result<TcpStream, Error> {
    // The credentials in the URL are sent at once. Others wait for the proxy's demand.
    let mut credentials = proxy.credentials(None);
    let (mut attempts, mut closed) = (0, 0);
    while attempts < MAX_ATTEMPTS {
        let unreachable = |error| Error::Unreachable(proxy.to_string(), error);
        let mut stream = tcp::connect(&proxy.host, proxy.port, stack).await.map_err(unreachable)?;
        let request = request(&authority(host, port), credentials.as_deref());
        let answer = match ask(&mut stream, &request, proxy).await {
            Err(Error::Closed(_)) if closed < MAX_CLOSED => {
                closed += 1;
                tracing::info!(%proxy, closed, "the proxy has closed the connection: trying again");
                sleep(CLOSED_PAUSE * closed).await;
                continue;
            }
            answer => answer?,
        };
        attempts += 1;
        match answer.status {
            200..=299 => return Ok(stream),
            407 => {
                let demanded = proxy.credentials(Some(&answer));
                let next = demanded.filter(|next| Some(next) != credentials.as_ref());
                credentials = Some(next.ok_or_else(|| authentication_error(proxy, &answer))?);
            }
            status @ (300..=399 | 511) => return Err(Error::SignIn(proxy.to_string(), status)),
            status => return Err(Error::Refused(proxy.to_string(), status)),
        }
    }
    Err(Error::Authentication(proxy.to_string(), "too many attempts".into()))
}

/// Returns the error of a proxy that accepts none of our credentials.
fn authentication_error(proxy: &ProxyUrl, answer: &Answer) -> Error {
    let (name, schemes) = (proxy.to_string(), answer.schemes());
    let offered = schemes.join(", ");
    // A user and a password can be added to the URL.
    let is_known = |scheme: &&str| scheme.eq_ignore_ascii_case("Basic") || proxy.has_scheme(scheme);
    if schemes.is_empty() || schemes.iter().any(is_known) {
        Error::Authentication(name, offered)
    } else {
        Error::UnsupportedScheme(name, offered)
    }
}

/// Sends a request, and returns the proxy's answer.
async fn ask(stream: &mut TcpStream, request: &str, proxy: &ProxyUrl) -> Result<Answer, Error> {
    stream.write_all(request.as_bytes()).await.map_err(|_| Error::Closed(proxy.to_string()))?;
    read_answer(stream, proxy).await
}

fn request(authority: &str, credentials: Option<&str>) -> String {
    let authorization = credentials.map(|value| format!("Proxy-Authorization: {value}\r\n")).unwrap_or_default();
    format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n{authorization}\r\n")
}

/// Reads the head of the answer. Nothing follows it before we send something.
async fn read_answer(stream: &mut TcpStream, proxy: &ProxyUrl) -> Result<Answer, Error> {
    let mut head = Vec::new();
    loop {
        let not_http = |_: Malformed| Error::NotHttp(proxy.to_string());
        if let Some(answer) = Answer::parse(&head).map_err(not_http)? {
            return Ok(answer);
        }
        let mut bytes = [0; 1_024];
        match stream.read(&mut bytes).await {
            Ok(0) | Err(_) => return Err(Error::Closed(proxy.to_string())),
            Ok(length) => head.extend(bytes.iter().take(length)),
        }
    }
}

/// Connections that are opened to a proxy for one connection: without credentials, with them, and one for a second demand.
const MAX_ATTEMPTS: usize = 3;

/// How often a proxy may close the connection without an answer, and the pause after the first time. The second one is twice as long.
const MAX_CLOSED: u32 = 2;
const CLOSED_PAUSE: Duration = Duration::from_millis(100);

#[cfg(test)]
#[path = "proxy_tests.rs"]
mod tests;
