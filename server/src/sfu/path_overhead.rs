//! The bytes that the path to a participant adds to each datagram, beyond those of UDP over IPv4. Pure.

/// The path to a participant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PathOverhead {
    /// True if its address is one of IPv6.
    pub is_ipv6: bool,
    /// True if datagrams go through its media tunnel. Several may share the headers there, so [`PathOverhead::extra_bytes`] is the most
    /// that they take.
    pub is_tunnelled: bool,
}

impl PathOverhead {
    /// Returns the bytes that each datagram takes more than by UDP over IPv4.
    pub const fn extra_bytes(self) -> usize {
        let ip = if self.is_ipv6 { IPV6 - IPV4 } else { 0 };
        let tunnel = if self.is_tunnelled { TCP + TLS_RECORD + WEBSOCKET + TUNNEL_LENGTH - UDP } else { 0 };
        ip + tunnel
    }
}

/// Bytes of the headers of IPv4 and UDP.
pub const UDP_OVERHEAD: usize = IPV4 + UDP;

const IPV4: usize = 20;
const IPV6: usize = 40;
const UDP: usize = 8;

/// The header of TCP with timestamps (RFC 7323).
const TCP: usize = 32;

/// The header of a record of TLS 1.3, the type of its content, and its tag (RFC 8446, section 5.2).
const TLS_RECORD: usize = 5 + 1 + 16;

/// The header of a WebSocket message of up to 64 KiB of a server (RFC 6455, section 5.2).
const WEBSOCKET: usize = 2 + 2;

/// The length before each datagram of the tunnel.
const TUNNEL_LENGTH: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_path_counts_its_headers() {
        let extra = |is_ipv6, is_tunnelled| PathOverhead { is_ipv6, is_tunnelled }.extra_bytes();
        assert_eq!([extra(false, false), extra(true, false), extra(false, true), extra(true, true)], [0, 20, 52, 72]);
    }
}
