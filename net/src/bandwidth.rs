//! How much of its network a session may use, and what is known of the network.

use media::Bitrate;

/// The limits of a session, and the rates that its network carried before. A limit includes the headers of the packets, padding and
/// retransmissions.
///
/// Sound is never stopped: it takes about 20 kbit/s for each voice at the lowest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bandwidth {
    /// What this client sends at most. `None` if there is no limit.
    pub max_send: Option<Bitrate>,
    /// What the server sends to this client at most. `None` if there is no limit.
    pub max_receive: Option<Bitrate>,
    /// What the network carried to the server when this client was last in a meeting in it. It is only the start of the estimate:
    /// probes verify it. It has no effect after the first packet.
    pub last_send: Option<Bitrate>,
    /// The same for the way from the server.
    pub last_receive: Option<Bitrate>,
}
