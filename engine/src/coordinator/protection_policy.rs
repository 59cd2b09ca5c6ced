//! Decides how this client's sound is sent, from the loss and the bitrate of its paths to the receivers. Pure.

use audio::Protection;
use media::Bitrate;

/// Chooses the [`Protection`] of our sound.
#[derive(Debug, Default)]
pub struct ProtectionPolicy {
    /// The loss on the way to the receiver that loses most, in percent.
    loss: u8,
    /// The bitrate for which the narrowest downlink of a receiver has room. `None` if none is narrow.
    downlinks: Option<Bitrate>,
    /// The bitrate for which our uplink has room. `None` if it is not narrow.
    uplink: Option<Bitrate>,
}

impl ProtectionPolicy {
    /// Sets the loss and the narrowest downlink that the SFU reports.
    pub fn set_downlinks(&mut self, loss: u8, max_bitrate: Option<Bitrate>) {
        (self.loss, self.downlinks) = (loss, max_bitrate);
    }

    /// Sets the delay-based estimate of our uplink. Loss does not lower it, because sound is sent with copies that repair random
    /// loss. On a narrow uplink, sound gets a third of it.
    pub fn set_uplink(&mut self, estimate: Bitrate) {
        let narrow = if self.uplink.is_some() { NO_LONGER_NARROW } else { NARROW };
        let share = Bitrate::bps(estimate.as_bps() * SOUND_PERCENT / 100);
        self.uplink = (estimate < narrow).then(|| share.min(MAX_SHARE));
    }

    /// Returns how sound is sent.
    pub fn protection(&self) -> Protection {
        Protection::for_path(self.loss, self.downlinks.into_iter().chain(self.uplink).min())
    }
}

/// An uplink is narrow from an estimate below the first value until one above the second. The SFU has the same rule for downlinks
/// (`server/src/sfu/sound_limit.rs`).
const NARROW: Bitrate = Bitrate::kbps(220);
const NO_LONGER_NARROW: Bitrate = Bitrate::kbps(280);

/// Percent of a narrow uplink that sound may take.
const SOUND_PERCENT: u64 = 34;

/// The maximum bitrate of sound on a narrow uplink. With it, a frame has two packets of 20 ms.
const MAX_SHARE: Bitrate = Bitrate::kbps(64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_narrowest_path_decides_and_sound_gets_a_third_of_a_narrow_uplink() {
        let mut policy = ProtectionPolicy::default();
        assert_eq!(policy.protection(), Protection::default());
        policy.set_uplink(Bitrate::kbps(150));
        let narrow = policy.protection();
        assert_eq!((narrow.packets_per_frame, narrow.bitrate), (2, Bitrate::kbps(24)));
        policy.set_downlinks(0, Some(Bitrate::kbps(40)));
        assert_eq!(policy.protection().packets_per_frame, 3);
        policy.set_uplink(Bitrate::kbps(5_000));
        assert_eq!(policy.protection().packets_per_frame, 3, "a receiver is on a narrow path");
        policy.set_downlinks(2, None);
        assert_eq!(policy.protection(), Protection::for_loss(2));
    }

    #[test]
    fn an_estimate_near_the_limit_does_not_change_the_sound_again_and_again() {
        let mut policy = ProtectionPolicy::default();
        let packets = [250, 210, 250, 210, 290, 250].map(|kbps| {
            policy.set_uplink(Bitrate::kbps(kbps));
            policy.protection().packets_per_frame > 1
        });
        assert_eq!(packets, [false, true, true, true, false, false]);
    }
}
