//! How much of its network a session may use, and what is known of the network.

use media::Bitrate;
use proto::DownlinkSettings;

/// The limits of a session. They include the headers of the packets, padding and retransmissions.
///
/// Sound is never stopped: it takes about 20 kbit/s for each voice at the lowest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// What this client sends at most. `None` if there is no limit.
    pub send: Option<Bitrate>,
    /// What the server sends to this client at most. `None` if there is no limit.
    pub receive: Option<Bitrate>,
}

/// What the network carried when this client was last in a meeting in it. It is only the start of the estimates: probes verify it.
/// It has no effect after the first packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LastRates {
    /// To the server.
    pub send: Option<Bitrate>,
    /// From the server.
    pub receive: Option<Bitrate>,
}

/// The limits of a session, and what its network carried before.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bandwidth {
    pub limits: Limits,
    pub last_rates: LastRates,
}

impl Bandwidth {
    /// Returns what the server must know of the way to this client.
    pub fn downlink_settings(self) -> DownlinkSettings {
        let bits = |rate: Bitrate| u32::try_from(rate.as_bps()).unwrap_or(u32::MAX);
        DownlinkSettings { max_bitrate: self.limits.receive.map(bits), last_bitrate: self.last_rates.receive.map(bits) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_is_told_what_concerns_its_way_to_us() {
        let rate = |kbps| Some(Bitrate::kbps(kbps));
        let bandwidth = Bandwidth {
            limits: Limits { send: rate(1), receive: rate(2) },
            last_rates: LastRates { send: rate(3), receive: rate(4) },
        };
        let expected = DownlinkSettings { max_bitrate: Some(2_000), last_bitrate: Some(4_000) };
        assert_eq!(bandwidth.downlink_settings(), expected);
    }
}
