//! One remote picture track: open, decode, show.

use super::early::Early;
use super::ready::Ready;
use crate::screen::{Canvas, Meta};
use crate::tally::Received;
use crate::unopened::leaves_a_hole;
use crate::worker::{Job, Progress};
use codec::decode::Decoder;
use crypto::{Arrived, Opener};
use media::{Bell, Clock, Encoded, Receiver};
use proto::TrackId;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// What one picture track needs on its thread.
pub struct PictureJob {
    /// Whose picture.
    pub track: TrackId,
    /// What arrives.
    pub inlet: Receiver<Arrived>,
    /// Opens and judges it.
    pub opener: Opener,
    /// Made when the first frame comes, and again when a back-end fails.
    pub decoder: Option<Decoder>,
    /// Where pictures go.
    pub canvas: Box<dyn Canvas>,
    /// What came before its key.
    pub early: Early,
    /// The number of the picture on the screen.
    pub shown: Option<u64>,
    /// What is open and waits for the decoder.
    pub ready: Ready,
    /// What is counted.
    pub tally: Arc<Mutex<Received>>,
    /// The time at the screen.
    pub clock: Clock,
    /// Asks the sender for a picture that needs no other.
    pub want_key: Box<dyn Fn() + Send>,
    /// Nothing can be decoded before a key picture.
    pub lost: bool,
}

impl Job for PictureJob {
    fn ring(&mut self, bell: Bell) {
        self.inlet.ring(bell);
    }

    fn step(&mut self) -> Progress {
        // Opened as they come, not when the decoder has time: keys do not wait for a slow machine.
        while let Some(arrived) = self.inlet.try_recv() {
            self.early.push(arrived);
        }
        while let Some(arrived) = self.early.next(&self.opener, Instant::now()) {
            self.open(arrived);
        }
        if !self.ready.catch_up() {
            tracing::debug!(track = ?self.track, "too slow: on to the next key picture");
            self.ask_for_key();
        }
        match self.ready.next() {
            Some(picture) => {
                self.decode(&picture);
                Progress::Worked
            }
            None if self.inlet.is_ended() => Progress::Ended,
            None => Progress::Idle,
        }
    }
}

impl PictureJob {
    fn open(&mut self, arrived: Arrived) {
        let (spatial, sequence) = (arrived.header.layer.spatial, arrived.sequence);
        let opened = self.opener.open(arrived);
        self.count(|tally| tally.judged(spatial, sequence, opened.as_ref().err().copied()));
        match opened {
            Ok(encoded) => self.ready.push(encoded),
            Err(why) => {
                tracing::debug!(track = ?self.track, sequence, %why, "frame not opened");
                if leaves_a_hole(why) {
                    self.ask_for_key();
                }
            }
        }
    }

    fn decode(&mut self, encoded: &Encoded) {
        if self.lost && !encoded.key {
            return;
        }
        let (canvas, shown, tally, clock) = (&mut self.canvas, &mut self.shown, &self.tally, self.clock);
        let meta = Meta { number: encoded.number, captured: encoded.captured, layer: encoded.layer };
        let result = decoder(&mut self.decoder, encoded).and_then(|decoder| {
            decoder.decode(&encoded.payload, &mut |picture| {
                if is_behind(*shown, meta.number) {
                    return;
                }
                *shown = Some(meta.number);
                canvas.show(&picture, meta);
                let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
                tally.shown(meta.layer, picture.size, meta.captured, clock.now());
            })
        });
        match result {
            Ok(()) => self.lost = false,
            Err(error) => {
                tracing::debug!(track = ?self.track, %error, "picture not decoded");
                self.decoder = None;
                self.ask_for_key();
            }
        }
    }

    fn ask_for_key(&mut self) {
        self.lost = true;
        (self.want_key)();
    }

    fn count(&self, add: impl FnOnce(&mut Received)) {
        add(&mut self.tally.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// True for the picture that is on the screen already, and for one a little older: with a change of layers may come what
/// the other layer's encoder had not done yet. One that is much older comes from a camera that began anew.
fn is_behind(shown: Option<u64>, number: u64) -> bool {
    shown.and_then(|shown| shown.checked_sub(number)).is_some_and(|behind| behind < MOST_BEHIND)
}

/// Pictures by which one layer's encoder lags behind another's.
const MOST_BEHIND: u64 = 30;

fn decoder<'a>(slot: &'a mut Option<Decoder>, encoded: &Encoded) -> Result<&'a mut Decoder, codec::decode::Error> {
    if let Some(decoder) = slot {
        return Ok(decoder);
    }
    Ok(slot.insert(Decoder::open(encoded.codec)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_picture_goes_back_but_a_camera_may_begin_anew() {
        assert!(!is_behind(None, 0) && !is_behind(Some(112), 113));
        assert!(is_behind(Some(113), 113) && is_behind(Some(113), 112));
        assert!(!is_behind(Some(113), 0), "a camera that was off for a moment counts from 0");
    }
}
