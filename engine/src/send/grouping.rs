//! Decides which packets of a voice share a frame. Pure.

use media::EncodedAudio;

/// The packets that wait for the frame of a later one.
#[derive(Debug, Default)]
pub struct Grouping {
    waiting: u8,
    /// Whether the last packet carried speech, and the position after it.
    last: Option<(bool, u64)>,
}

impl Grouping {
    /// Adds a packet to a frame of `size` packets. Returns the number of earlier packets that its frame must carry, or `None` if
    /// it waits, too. The first packet after speech does not wait: receivers would take the pause for a loss.
    pub fn add(&mut self, packet: &EncodedAudio, size: u8) -> Option<u8> {
        let (spoke, next) = self.last.unwrap_or((false, packet.position));
        if packet.position != next {
            // The packets before a pause are too old.
            self.waiting = 0;
        }
        self.last = Some((packet.voice, packet.position + u64::from(packet.samples)));
        let ends = spoke && !packet.voice;
        if self.waiting + 1 < size && !ends {
            self.waiting += 1;
            return None;
        }
        Some(std::mem::take(&mut self.waiting))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use media::{AudioCodec, BufferPool, Level, Timestamp};

    /// Adds packets of these numbers and voice flags. Returns what [`Grouping::add`] returns.
    fn add(grouping: &mut Grouping, size: u8, packets: &[(u64, bool)]) -> Vec<Option<u8>> {
        let pool = BufferPool::new(1);
        let packet = |number: u64, voice| EncodedAudio {
            codec: AudioCodec::Opus,
            position: number * 960,
            samples: 960,
            captured: Timestamp::default(),
            voice,
            level: Level::SILENCE,
            payload: pool.copy(&[1]),
        };
        packets.iter().map(|(number, voice)| grouping.add(&packet(*number, *voice), size)).collect()
    }

    #[test]
    fn three_packets_share_a_frame_and_a_smaller_group_ends_at_once() {
        let mut grouping = Grouping::default();
        let speech: Vec<(u64, bool)> = (0..5).map(|number| (number, true)).collect();
        assert_eq!(add(&mut grouping, 3, &speech), [None, None, Some(2), None, None]);
        assert_eq!(add(&mut grouping, 1, &[(5, true), (6, true)]), [Some(2), Some(0)], "no packet is left out");
    }

    #[test]
    fn the_end_of_speech_is_sent_at_once_and_old_packets_are_not_sent_after_a_pause() {
        let mut grouping = Grouping::default();
        let packets = [(0, true), (1, false), (2, false), (3, false), (4, false), (5, false)];
        assert_eq!(add(&mut grouping, 3, &packets), [None, Some(1), None, None, Some(2), None]);
        assert_eq!(add(&mut grouping, 3, &[(20, true), (21, true), (22, true)]), [None, None, Some(2)]);
    }
}
