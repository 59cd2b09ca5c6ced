//! Chooses how sound is protected against loss, from the measured loss. Pure.
//!
//! A frame carries copies of the packets before it. More copies restore longer losses, but cost delay at the receiver and
//! bytes on every path, so the bitrate of the codec falls with their number. In-band FEC of Opus takes bits of the
//! packet itself and restores the packet before it in lower quality. Together with copies it restores one more lost packet
//! than the copies alone, for fewer bytes than another copy. docs/performance.md has the measurements
//! (`cargo xtask bench voice`).

use media::Bitrate;

/// The protection of one voice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Protection {
    /// The number of copies in a frame: of the last 0 to 3 packets.
    pub copies: u8,
    /// The bitrate of the codec.
    pub bitrate: Bitrate,
    /// The loss in percent that the codec's in-band FEC is made for; 0 is no FEC.
    pub fec: u8,
}

impl Protection {
    /// Returns the protection for a loss in percent.
    #[must_use]
    pub fn for_loss(percent: u8) -> Self {
        let (copies, kbps) = match percent {
            0 => (0, 32),
            1..=4 => (1, 28),
            5..=14 => (2, 24),
            15..=29 => (2, 20),
            30.. => (3, 20),
        };
        Self { copies, bitrate: Bitrate::kbps(kbps), fec: FEC }
    }
}

impl Default for Protection {
    /// Returns the protection while no loss is known.
    fn default() -> Self {
        Self::for_loss(0)
    }
}

/// The loss in percent that in-band FEC is made for. With less, too few packets have it; with more, libopus takes so many
/// bits for it that the packet itself becomes worse.
const FEC: u8 = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_loss_means_more_copies_and_never_more_than_three() {
        let all: Vec<Protection> = (0..=u8::MAX).map(Protection::for_loss).collect();
        assert_eq!((all[0].copies, all[2].copies, all[5].copies, all[30].copies, all[255].copies), (0, 1, 2, 3, 3));
        for pair in all.windows(2) {
            assert!(pair[0].copies <= pair[1].copies && pair[0].bitrate >= pair[1].bitrate);
        }
    }

    #[test]
    fn packets_and_their_copies_take_at_most_80_kbps() {
        for percent in 0..=100 {
            let protection = Protection::for_loss(percent);
            let sum = protection.bitrate.as_bps() * u64::from(protection.copies + 1);
            assert!(sum <= 80_000, "{percent} %: {sum} bit/s");
        }
    }
}
