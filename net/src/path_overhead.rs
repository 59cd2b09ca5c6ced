//! How many bytes a path adds to each packet of media, so that a limit of the bandwidth counts what leaves. Pure.

use proto::TurnTransport;
use std::net::IpAddr;

/// What carries the packets of SRTP and SRTCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// UDP to the server.
    Udp,
    /// `ChannelData` to a TURN server (RFC 8656, section 12.4).
    Relay(TurnTransport),
    /// Messages of the media tunnel.
    Tunnel,
}

/// Returns the bytes that are added to each packet after RTP, for a client that sends from `local`: the tag of SRTP, and the headers of
/// all layers below. In a stream of TCP, several packets may share headers, so it is at most this.
pub const fn per_packet(carrier: Carrier, local: IpAddr) -> usize {
    let ip = if local.is_ipv4() { 20 } else { 40 };
    let below = match carrier {
        Carrier::Udp => UDP,
        Carrier::Relay(TurnTransport::Udp) => UDP + CHANNEL_DATA,
        Carrier::Relay(TurnTransport::Tcp) => TCP + CHANNEL_DATA + CHANNEL_PADDING,
        Carrier::Relay(TurnTransport::Tls) => TCP + TLS_RECORD + CHANNEL_DATA + CHANNEL_PADDING,
        Carrier::Tunnel => TCP + TLS_RECORD + WEBSOCKET + TUNNEL_LENGTH,
    };
    SRTP_TAG + ip + below
}

/// The tag of SRTP and SRTCP with AES-GCM (RFC 7714).
const SRTP_TAG: usize = 16;

/// The bytes of SRTCP that SRTP does not have: the index (RFC 7714, section 9.3).
pub const SRTCP_INDEX: usize = 4;

/// The header of UDP, and that of TCP with timestamps (RFC 7323).
const UDP: usize = 8;
const TCP: usize = 32;

/// The header of a record of TLS 1.3, the type of its content, and its tag (RFC 8446, section 5.2).
const TLS_RECORD: usize = 5 + 1 + 16;

/// The header of `ChannelData`, and its longest padding in a stream.
const CHANNEL_DATA: usize = 4;
const CHANNEL_PADDING: usize = 3;

/// The header of a WebSocket message of up to 64 KiB, with the mask of a client (RFC 6455, section 5.2).
const WEBSOCKET: usize = 2 + 2 + 4;

/// The length before each datagram of the tunnel.
const TUNNEL_LENGTH: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, Ipv6Addr};

    const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

    #[test]
    fn each_path_counts_its_headers() {
        let relay = |transport| Carrier::Relay(transport);
        let expected = [
            (Carrier::Udp, 44),
            (relay(TurnTransport::Udp), 48),
            (relay(TurnTransport::Tcp), 75),
            (relay(TurnTransport::Tls), 97),
            (Carrier::Tunnel, 100),
        ];
        for (carrier, bytes) in expected {
            assert_eq!([per_packet(carrier, V4), per_packet(carrier, V6)], [bytes, bytes + 20], "{carrier:?}");
        }
    }

    /// What [`TUNNEL_LENGTH`] and [`CHANNEL_PADDING`] say is what is written.
    #[test]
    fn the_framing_adds_no_more_than_is_counted() {
        let mut queue = proto::DatagramQueue::new(4_096, std::time::Duration::from_secs(1));
        let (mut message, now) = (Vec::new(), std::time::Instant::now());
        queue.push(&[0x80; 1_001], now);
        queue.pop_batch(&mut message, now);
        assert_eq!(message.len(), 1_001 + TUNNEL_LENGTH);
        let mut stream = Vec::new();
        crate::turn::encode_message(&[&[0x40, 0, 3, 0xe9][..], &[0x80; 1_001]].concat(), &mut stream);
        assert_eq!(stream.len(), 1_001 + CHANNEL_DATA + CHANNEL_PADDING);
    }
}
