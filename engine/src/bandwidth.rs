//! How much of the network a meeting may use, who has decided that, and what the network carried before.

use media::Bitrate;

pub use net::LastRates;

/// Who has set a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LimitOwner {
    /// The user.
    You,
    /// The user's organisation, by a policy that the user cannot change.
    Organisation,
}

/// A limit in one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BandwidthLimit {
    /// The limit, with the headers of all packets.
    pub bitrate: Bitrate,
    /// Who has set it.
    pub owner: LimitOwner,
}

/// What a meeting may use of the network. Sound is never stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BandwidthLimits {
    /// What is sent at most.
    pub send: Option<BandwidthLimit>,
    /// What is received at most.
    pub receive: Option<BandwidthLimit>,
    /// True if no video of the others is received.
    pub incoming_video_off: bool,
}

/// The limits of a meeting, and the rates of its network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bandwidth {
    /// The limits.
    pub limits: BandwidthLimits,
    /// The rates.
    pub last: LastRates,
}

impl BandwidthLimit {
    /// Returns true if a path of `rate` kbit/s carries no more because of this limit. The estimate of a limited path stays below the
    /// limit, because headers and retransmissions need the rest.
    #[must_use]
    pub const fn is_reached(self, rate: u64) -> bool {
        rate * 1_000 * 100 >= self.bitrate.as_bps() * REACHED_PERCENT
    }
}

impl BandwidthLimits {
    /// Returns what the network session must know.
    pub(crate) fn of_session(self) -> net::Limits {
        let bitrate = |limit: Option<BandwidthLimit>| limit.map(|limit| limit.bitrate);
        net::Limits { send: bitrate(self.send), receive: bitrate(self.receive) }
    }
}

/// A path whose estimate is at least this percentage of a limit is limited by it.
const REACHED_PERCENT: u64 = 75;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_the_cause_only_if_the_path_carries_that_much() {
        let limit = BandwidthLimit { bitrate: Bitrate::kbps(1_000), owner: LimitOwner::You };
        assert!(limit.is_reached(880) && limit.is_reached(750) && !limit.is_reached(700));
    }
}
