//! Access to TURN servers (RFC 8656), which the delivery service gives to members.

use crate::Malformed;
use crate::encoding::Limited;
use crate::host::{is_host, split_host_port};
use minicbor::{CborLen, Decode, Encode};

/// Credentials that some TURN servers accept for a limited time, and the addresses of these servers.
#[derive(Clone, PartialEq, Eq, Hash, Encode, Decode, CborLen)]
pub struct TurnAccess {
    /// The user name.
    #[n(0)]
    pub username: String,
    /// The password.
    #[n(1)]
    pub password: String,
    /// The servers, at most [`MAX_TURN_SERVERS`].
    #[n(2)]
    pub servers: Vec<TurnServer>,
}

/// A TURN server.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode, CborLen)]
pub struct TurnServer {
    /// Its name or address, without brackets.
    #[n(0)]
    pub host: String,
    /// Its port.
    #[n(1)]
    pub port: u16,
    /// How the client reaches it.
    #[n(2)]
    pub transport: TurnTransport,
    /// The SHA-256 fingerprint of its certificate. If `None`, the client's certificate authorities decide.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub fingerprint: Option<[u8; 32]>,
}

/// The transport between a client and a TURN server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode, CborLen)]
#[cbor(index_only)]
pub enum TurnTransport {
    /// UDP.
    #[n(0)]
    Udp,
    /// TCP.
    #[n(1)]
    Tcp,
    /// TLS over TCP.
    #[n(2)]
    Tls,
}

impl Limited for TurnAccess {
    fn within_limits(&self) -> bool {
        let is_text = |text: &str| {
            (1..=MAX_TURN_CREDENTIAL).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
        };
        is_text(&self.username)
            && is_text(&self.password)
            && (1..=MAX_TURN_SERVERS).contains(&self.servers.len())
            && self.servers.iter().all(|server| is_host(&server.host) && server.port != 0)
    }
}

impl std::fmt::Debug for TurnAccess {
    /// Writes no password.
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(to, "TurnAccess({:?}, {:?})", self.username, self.servers)
    }
}

impl TurnServer {
    /// Parses a URL (RFC 7065): `turn:HOST[:PORT]`, with `?transport=udp` or `?transport=tcp` after it, or `turns:HOST[:PORT]`.
    /// The standard ports are 3478 and 5349. An IPv6 address has brackets.
    ///
    /// # Errors
    /// Returns [`Malformed`] for any other text.
    pub fn parse(url: &str) -> Result<Self, Malformed> {
        let (scheme, rest) = url.split_once(':').ok_or(Malformed)?;
        let (place, query) = rest.split_once('?').map_or((rest, None), |(place, query)| (place, Some(query)));
        let (transport, default_port) = match (scheme, query) {
            ("turn", None | Some("transport=udp")) => (TurnTransport::Udp, 3_478),
            ("turn", Some("transport=tcp")) => (TurnTransport::Tcp, 3_478),
            ("turns", None | Some("transport=tcp")) => (TurnTransport::Tls, 5_349),
            _ => return Err(Malformed),
        };
        let (host, port) = split_host_port(place)?;
        Ok(Self { host: host.to_owned(), port: port.unwrap_or(default_port), transport, fingerprint: None })
    }
}

/// The maximum number of TURN servers.
pub const MAX_TURN_SERVERS: usize = 6;

/// The maximum length of the user name and of the password in bytes.
const MAX_TURN_CREDENTIAL: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_name_the_transport_and_the_port() {
        let parse = |url| TurnServer::parse(url).map(|server| (server.host, server.port, server.transport));
        let of = |host: &str, port, transport| Ok((host.to_owned(), port, transport));
        assert_eq!(parse("turn:a.example"), of("a.example", 3_478, TurnTransport::Udp));
        assert_eq!(parse("turn:192.0.2.1:99?transport=udp"), of("192.0.2.1", 99, TurnTransport::Udp));
        assert_eq!(parse("turn:a.example?transport=tcp"), of("a.example", 3_478, TurnTransport::Tcp));
        assert_eq!(parse("turns:a.example"), of("a.example", 5_349, TurnTransport::Tls));
        assert_eq!(parse("turns:[2001:db8::1]:443"), of("2001:db8::1", 443, TurnTransport::Tls));
        for wrong in [
            "",
            "turn",
            "turn:",
            "turn::1",
            "turn:a:0",
            "turn:a:70000",
            "turn:a b",
            "stun:a",
            "turns:a?transport=udp",
            "turn:[::1",
            "turn:[::1]443",
            "http://a",
            "turn:user@a",
        ] {
            assert_eq!(parse(wrong), Err(Malformed), "{wrong}");
        }
    }

    #[test]
    fn access_above_a_limit_is_not_accepted() {
        let server = TurnServer::parse("turn:a.example").unwrap();
        let access = |username: &str, password: &str, count| TurnAccess {
            username: username.into(),
            password: password.into(),
            servers: vec![server.clone(); count],
        };
        assert!(access("1:a", "p", 1).within_limits() && access("1:a", "p", MAX_TURN_SERVERS).within_limits());
        let long = "a".repeat(MAX_TURN_CREDENTIAL + 1);
        for wrong in [
            access("", "p", 1),
            access("a b", "p", 1),
            access("a", "p\r\n", 1),
            access(&long, "p", 1),
            access("a", &long, 1),
            access("a", "p", 0),
            access("a", "p", MAX_TURN_SERVERS + 1),
        ] {
            assert!(!wrong.within_limits(), "{wrong:?}");
        }
        let mut elsewhere = access("a", "p", 1);
        elsewhere.servers[0].host = "a/b".into();
        assert!(!elsewhere.within_limits());
    }
}
