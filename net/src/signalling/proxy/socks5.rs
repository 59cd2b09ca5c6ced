//! SOCKS5 proxies (RFC 1928), with a user and a password (RFC 1929). The proxy resolves the server's name. The parser is pure.

use super::error::Error;
use super::settings::{ProxyUrl, User};
use crate::signalling::connect as tcp;
use proto::Malformed;
use std::net::IpAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use webrtc::runtime::Runtime;

/// Opens a connection to `host` and `port` through `proxy`.
///
/// # Errors
/// Returns the error of the step that failed.
pub async fn connect(proxy: &ProxyUrl, host: &str, port: u16, stack: &dyn Runtime) -> Result<TcpStream, Error> {
    let unreachable = |error| Error::Unreachable(proxy.to_string(), error);
    let mut stream = tcp::connect(&proxy.host, proxy.port, stack).await.map_err(unreachable)?;
    authenticate(&mut stream, proxy).await?;
    let request = request(host, port).ok_or_else(|| refused(proxy, "the server's name is too long"))?;
    write(&mut stream, &request, proxy).await?;
    let mut reply = Vec::with_capacity(MAX_REPLY);
    loop {
        // The reply contains its own length. It is read byte by byte, because the bytes after it belong to TLS.
        reply.push(stream.read_u8().await.map_err(|_| Error::Closed(proxy.to_string()))?);
        match parse_reply(&reply) {
            Ok(None) => {}
            Ok(Some(Reply::Succeeded)) => return Ok(stream),
            Ok(Some(Reply::Failed(cause))) => return Err(refused(proxy, cause.as_str())),
            Err(Malformed) => return Err(Error::NotSocks(proxy.to_string())),
        }
    }
}

/// Agrees on a method, and sends user and password if the proxy wants them.
async fn authenticate(stream: &mut TcpStream, proxy: &ProxyUrl) -> Result<(), Error> {
    let methods: &[u8] =
        if proxy.user.is_some() { &[NO_AUTHENTICATION, USER_AND_PASSWORD] } else { &[NO_AUTHENTICATION] };
    let count = if proxy.user.is_some() { 2 } else { 1 };
    write(stream, &[&[VERSION, count], methods].concat(), proxy).await?;
    match (read_pair(stream, proxy).await?, &proxy.user) {
        ([VERSION, NO_AUTHENTICATION], _) => Ok(()),
        ([VERSION, USER_AND_PASSWORD], Some(user)) => {
            write(stream, &credentials(user), proxy).await?;
            match read_pair(stream, proxy).await? {
                [AUTHENTICATION_VERSION, 0] => Ok(()),
                [AUTHENTICATION_VERSION, _] => Err(Error::Authentication(proxy.to_string(), METHOD_NAME.into())),
                [_, _] => Err(Error::NotSocks(proxy.to_string())),
            }
        }
        ([VERSION, NO_ACCEPTABLE_METHOD], _) => Err(Error::Authentication(proxy.to_string(), METHOD_NAME.into())),
        _ => Err(Error::NotSocks(proxy.to_string())),
    }
}

async fn write(stream: &mut TcpStream, bytes: &[u8], proxy: &ProxyUrl) -> Result<(), Error> {
    stream.write_all(bytes).await.map_err(|_| Error::Closed(proxy.to_string()))
}

async fn read_pair(stream: &mut TcpStream, proxy: &ProxyUrl) -> Result<[u8; 2], Error> {
    let mut pair = [0; 2];
    stream.read_exact(&mut pair).await.map_err(|_| Error::Closed(proxy.to_string()))?;
    Ok(pair)
}

fn refused(proxy: &ProxyUrl, cause: &'static str) -> Error {
    Error::SocksRefused(proxy.to_string(), cause)
}

/// Returns the message with user and password (RFC 1929, section 2). [`ProxyUrl`] has checked their lengths.
fn credentials(user: &User) -> Vec<u8> {
    let length = |text: &str| u8::try_from(text.len()).unwrap_or(u8::MAX);
    let mut message = vec![AUTHENTICATION_VERSION];
    for text in [user.name(), user.password()] {
        message.push(length(text));
        message.extend(text.as_bytes().iter().take(usize::from(u8::MAX)));
    }
    message
}

/// Returns the request to connect (RFC 1928, section 4). `None` if the name is longer than 255 bytes.
fn request(host: &str, port: u16) -> Option<Vec<u8>> {
    let mut request = vec![VERSION, CONNECT, 0];
    match host.parse() {
        Ok(IpAddr::V4(address)) => {
            request.push(IPV4);
            request.extend(address.octets());
        }
        Ok(IpAddr::V6(address)) => {
            request.push(IPV6);
            request.extend(address.octets());
        }
        Err(_) => {
            request.extend([DOMAIN_NAME, u8::try_from(host.len()).ok()?]);
            request.extend(host.as_bytes());
        }
    }
    request.extend(port.to_be_bytes());
    Some(request)
}

/// The answer to the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The connection is open.
    Succeeded,
    /// There is no connection.
    Failed(Cause),
}

/// Why a proxy opens no connection (RFC 1928, section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Its rules forbid the connection.
    NotAllowed,
    /// It does not reach the server's network.
    NetworkUnreachable,
    /// It does not reach the server, or does not know its name.
    HostUnreachable,
    /// The server refuses the connection.
    Refused,
    /// Another cause.
    Other,
}

impl Cause {
    const fn as_str(self) -> &'static str {
        match self {
            Self::NotAllowed => "its rules do not allow it",
            Self::NetworkUnreachable => "the network is unreachable for it",
            Self::HostUnreachable => "the server is unreachable for it",
            Self::Refused => "the server refused it",
            Self::Other => "it failed",
        }
    }
}

/// Parses a reply. Returns `None` if it is not complete yet. A complete one has at most [`MAX_REPLY`] bytes.
///
/// # Errors
/// Returns [`Malformed`] if the bytes are no reply, or if something follows it.
pub fn parse_reply(bytes: &[u8]) -> Result<Option<Reply>, Malformed> {
    let known = |at: usize, expected: u8| bytes.get(at).is_none_or(|byte| *byte == expected);
    if !known(0, VERSION) || !known(2, 0) {
        return Err(Malformed);
    }
    let address = match (bytes.get(3), bytes.get(4)) {
        (Some(&IPV4), _) => 4,
        (Some(&IPV6), _) => 16,
        (Some(&DOMAIN_NAME), Some(length)) => 1 + usize::from(*length),
        (Some(&DOMAIN_NAME) | None, _) => return Ok(None),
        (Some(_), _) => return Err(Malformed),
    };
    let length = HEAD_BYTES + address + PORT_BYTES;
    if bytes.len() < length {
        return Ok(None);
    }
    let (Some(code), true) = (bytes.get(1), bytes.len() == length) else { return Err(Malformed) };
    Ok(Some(match code {
        0 => Reply::Succeeded,
        2 => Reply::Failed(Cause::NotAllowed),
        3 => Reply::Failed(Cause::NetworkUnreachable),
        4 | 6 => Reply::Failed(Cause::HostUnreachable),
        5 => Reply::Failed(Cause::Refused),
        _ => Reply::Failed(Cause::Other),
    }))
}

const VERSION: u8 = 5;
const CONNECT: u8 = 1;

/// The methods of authentication (RFC 1928, section 3).
const NO_AUTHENTICATION: u8 = 0;
const USER_AND_PASSWORD: u8 = 2;
const NO_ACCEPTABLE_METHOD: u8 = 0xff;

/// The version of the messages with user and password (RFC 1929, section 2).
const AUTHENTICATION_VERSION: u8 = 1;

/// The text for [`USER_AND_PASSWORD`] in errors.
const METHOD_NAME: &str = "user and password";

/// The types of addresses (RFC 1928, section 5).
const IPV4: u8 = 1;
const DOMAIN_NAME: u8 = 3;
const IPV6: u8 = 4;

/// The bytes of a reply before its address, and those of the port after it.
const HEAD_BYTES: usize = 4;
const PORT_BYTES: usize = 2;

/// The length of the longest reply, whose address is a name.
pub const MAX_REPLY: usize = HEAD_BYTES + 1 + 255 + PORT_BYTES;

#[cfg(test)]
#[path = "socks5_tests.rs"]
mod tests;
