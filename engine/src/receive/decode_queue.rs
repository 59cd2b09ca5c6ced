//! Opened pictures that wait for the decoder, in order and bounded.

use media::Encoded;
use std::collections::VecDeque;

/// The decode queue of one track.
#[derive(Default)]
pub struct DecodeQueue {
    pictures: VecDeque<Encoded>,
    skipped: u64,
}

impl DecodeQueue {
    /// Adds the next picture.
    pub fn push(&mut self, picture: Encoded) {
        self.pictures.push_back(picture);
    }

    /// Returns the next picture to decode, or `None` if the queue is empty. While more than [`MAX_DELAY`] wait,
    /// discardable ones are skipped, because half the frame rate is better than late pictures.
    pub fn next(&mut self) -> Option<Encoded> {
        loop {
            let picture = self.pictures.pop_front()?;
            if !picture.discardable || self.pictures.len() <= MAX_DELAY {
                return Some(picture);
            }
            self.skipped += 1;
        }
    }

    /// Returns how many pictures were not decoded since the last call, because too many waited.
    pub fn take_skipped(&mut self) -> u64 {
        std::mem::take(&mut self.skipped)
    }

    /// If more than [`MAX_PICTURES`] wait, drops all pictures before the newest key frame. Returns false if there is no
    /// key frame. Then the queue is empty, and the decoder needs a key frame.
    pub fn catch_up(&mut self) -> bool {
        if self.pictures.len() <= MAX_PICTURES {
            return true;
        }
        let key = self.pictures.iter().rposition(|picture| picture.key);
        let dropped = self.pictures.drain(..key.unwrap_or(self.pictures.len())).count();
        self.skipped += dropped as u64;
        key.is_some()
    }
}

/// The maximum number of pictures that wait: about two seconds.
const MAX_PICTURES: usize = 64;

/// The number of pictures that may wait without any being skipped.
const MAX_DELAY: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use media::{Buffer, Layer, Size, Timestamp, VideoCodec};

    fn filled(count: u64, keys: &[u64]) -> DecodeQueue {
        let mut queue = DecodeQueue::default();
        for number in 0..count {
            let key = keys.contains(&number);
            queue.push(Encoded {
                codec: VideoCodec::H264,
                layer: Layer::default(),
                size: Size::new(2, 2),
                key,
                discardable: number % 2 == 1 && !key,
                number,
                captured: Timestamp::default(),
                payload: Buffer::unpooled(b"x"),
            });
        }
        queue
    }

    fn numbers(queue: &mut DecodeQueue) -> Vec<u64> {
        std::iter::from_fn(|| queue.next()).map(|picture| picture.number).collect()
    }

    #[test]
    fn discardable_pictures_are_skipped_while_several_wait() {
        let mut queue = filled(10, &[0]);
        assert!(queue.catch_up());
        assert_eq!(numbers(&mut queue), [0, 2, 4, 5, 6, 7, 8, 9]);
        assert_eq!((queue.take_skipped(), queue.take_skipped()), (2, 0));
    }

    #[test]
    fn too_many_pictures_are_dropped_up_to_the_newest_key_frame_or_all() {
        let most = u64::try_from(MAX_PICTURES).expect("small");
        let mut queue = filled(most, &[0]);
        assert!(queue.catch_up() && queue.pictures.len() == MAX_PICTURES);
        let mut queue = filled(most + 1, &[0, 60, 62]);
        assert!(queue.catch_up());
        assert_eq!(numbers(&mut queue), [62, 63, 64]);
        assert_eq!(queue.take_skipped(), 62);
        let mut queue = filled(most + 1, &[]);
        assert!(!queue.catch_up());
        assert!(numbers(&mut queue).is_empty());
    }
}
