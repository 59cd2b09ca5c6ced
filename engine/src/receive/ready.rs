//! Opened pictures that wait for the decoder: in order, bounded, and never so many that they would come too late.

use media::Encoded;
use std::collections::VecDeque;

/// See the module.
#[derive(Default)]
pub struct Ready {
    pictures: VecDeque<Encoded>,
}

impl Ready {
    /// Adds the next picture.
    pub fn push(&mut self, picture: Encoded) {
        self.pictures.push_back(picture);
    }

    /// The next picture to decode. While several wait, those on which no other builds are passed over: half the rate
    /// beats late pictures.
    pub fn next(&mut self) -> Option<Encoded> {
        loop {
            let picture = self.pictures.pop_front()?;
            if !picture.discardable || self.pictures.len() <= BEHIND {
                return Some(picture);
            }
        }
    }

    /// Where more wait than can be shown in time, goes on with the newest key picture. False where none waits: nothing is
    /// left then, and the decoder has to wait for one.
    pub fn catch_up(&mut self) -> bool {
        if self.pictures.len() <= MAX_PICTURES {
            return true;
        }
        let key = self.pictures.iter().rposition(|picture| picture.key);
        self.pictures.drain(..key.unwrap_or(self.pictures.len()));
        key.is_some()
    }
}

/// So many may wait: about two seconds. What comes behind them is opened and counted all the same.
const MAX_PICTURES: usize = 64;

/// From so many waiting pictures on, some are passed over.
const BEHIND: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use media::{Buffer, Layer, Size, Timestamp, VideoCodec};

    fn queue(count: u64, keys: &[u64]) -> Ready {
        let mut ready = Ready::default();
        for number in 0..count {
            let key = keys.contains(&number);
            ready.push(Encoded {
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
        ready
    }

    fn numbers(ready: &mut Ready) -> Vec<u64> {
        std::iter::from_fn(|| ready.next()).map(|picture| picture.number).collect()
    }

    #[test]
    fn what_nothing_builds_on_is_passed_over_while_several_wait() {
        let mut ready = queue(10, &[0]);
        assert!(ready.catch_up());
        assert_eq!(numbers(&mut ready), [0, 2, 4, 5, 6, 7, 8, 9]);
    }

    #[test]
    fn too_many_are_cut_to_the_newest_key_picture_or_to_nothing() {
        let most = u64::try_from(MAX_PICTURES).expect("small");
        let mut ready = queue(most, &[0]);
        assert!(ready.catch_up() && ready.pictures.len() == MAX_PICTURES);
        let mut ready = queue(most + 1, &[0, 60, 62]);
        assert!(ready.catch_up());
        assert_eq!(numbers(&mut ready), [62, 63, 64]);
        let mut ready = queue(most + 1, &[]);
        assert!(!ready.catch_up());
        assert!(numbers(&mut ready).is_empty());
    }
}
