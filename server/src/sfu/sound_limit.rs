//! Decides how much of a narrow downlink each voice may take. Pure.
//!
//! With a frame for each 20 ms, headers and tags take more than half of the bitrate of sound. If a sender knows that a
//! receiver is on a narrow path, it sends fewer and larger frames (`audio::Protection`).

use super::downlink::NARROW;

/// The share of one receiver's downlink for each voice.
#[derive(Debug, Default)]
pub struct SoundLimit {
    /// The bits per second with all headers. `None` if the downlink is not narrow.
    limit: Option<u32>,
}

impl SoundLimit {
    /// Sets the budget of the downlink in bits per second, the number of voices that speak, and the fraction of packets that are lost
    /// at random. The budget is `None` if it does not show whether the downlink is narrow.
    pub fn update(&mut self, budget: Option<u64>, voices: usize, lost: f32) {
        let percent = if lost >= MUCH_LOSS { LOSSY_SOUND_PERCENT } else { SOUND_PERCENT };
        let narrow = if self.limit.is_some() { NO_LONGER_NARROW } else { NARROW };
        let narrow = budget.filter(|budget| *budget < narrow);
        let share = |budget| budget * percent / 100 / (voices.max(1) as u64) / UNIT * UNIT;
        self.limit = narrow.map(|budget| u32::try_from(share(budget)).map_or(MAX_LIMIT, |share| share.min(MAX_LIMIT)));
    }

    /// Returns the bits per second for each voice. `None` if there is no limit.
    pub fn get(&self) -> Option<u32> {
        self.limit
    }
}

/// Returns the limit of a voice that all these receivers hear. A single narrow downlink, or one that pretends to be, does not make
/// the sound of the others worse than [`MIN_SHARED`] if another one has room for that.
pub fn of_all(receivers: impl Iterator<Item = Option<u32>>) -> Option<u32> {
    let (narrowest, widest) = receivers.fold((u32::MAX, 0), |(narrowest, widest): (u32, u32), limit| {
        let limit = limit.unwrap_or(u32::MAX);
        (narrowest.min(limit), widest.max(limit))
    });
    let limit = if widest >= MIN_SHARED { narrowest.max(MIN_SHARED) } else { narrowest };
    (limit < u32::MAX).then_some(limit)
}

/// Three packets in a frame with 20 kbit/s, in bits per second with headers (`audio::Protection::for_path`). The lowest budget of a
/// viewer that limits its downlink has room for one such voice.
const MIN_SHARED: u32 = 38_000;

/// A narrow downlink remains narrow up to this budget in bits per second.
const NO_LONGER_NARROW: u64 = 280_000;

/// Percent of a narrow downlink that sound may take.
const SOUND_PERCENT: u64 = 34;

/// The same if much is lost: sound needs copies, and comes before pictures. Without copies of all its packets, each lost frame is a
/// gap.
const LOSSY_SOUND_PERCENT: u64 = 85;

/// The fraction of lost packets from which a frame of sound has copies on a narrow path, as in `audio::Protection`.
const MUCH_LOSS: f32 = 0.05;

/// The highest limit in bits per second: less than speech takes with a frame for each 20 ms.
const MAX_LIMIT: u32 = 64_000;

/// Limits are multiples of this, in bits per second, so that a sender is not told each small change.
const UNIT: u64 = 4_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn voices_share_a_third_of_a_narrow_downlink_until_it_is_wide_again() {
        let mut sound = SoundLimit::default();
        let limits = [(300_000, 1), (250_000, 1), (140_000, 1), (140_000, 3), (250_000, 0), (290_000, 1)].map(
            |(budget, voices)| {
                sound.update(Some(budget), voices, 0.02);
                sound.get()
            },
        );
        assert_eq!(limits, [None, None, Some(44_000), Some(12_000), Some(64_000), None]);
        sound.update(Some(140_000), 1, 0.0);
        sound.update(None, 1, 0.0);
        assert_eq!(sound.get(), None, "the link may be wide");
    }

    #[test]
    fn one_narrow_downlink_does_not_take_the_sound_from_those_that_have_room_for_it() {
        let limit = |receivers: &[Option<u32>]| of_all(receivers.iter().copied());
        assert_eq!(limit(&[]), None);
        assert_eq!(limit(&[None, None]), None);
        assert_eq!(limit(&[Some(12_000)]), Some(12_000), "nobody else hears it");
        assert_eq!(limit(&[Some(12_000), None]), Some(MIN_SHARED));
        assert_eq!(limit(&[Some(12_000), Some(60_000), Some(0)]), Some(MIN_SHARED));
        assert_eq!(limit(&[Some(44_000), None]), Some(44_000), "it has room for more");
        assert_eq!(limit(&[Some(12_000), Some(24_000)]), Some(12_000), "nobody has room for more");
    }

    #[test]
    fn if_much_is_lost_sound_gets_the_room_for_its_copies_before_pictures() {
        let mut sound = SoundLimit::default();
        let limits = [(62_000, 1), (120_000, 1), (120_000, 2)].map(|(budget, voices)| {
            sound.update(Some(budget), voices, 0.2);
            sound.get()
        });
        assert_eq!(limits, [Some(52_000), Some(64_000), Some(48_000)], "two copies need 51 kbit/s");
    }
}
