//! One remote picture track: open, decode, show.

use super::early::Early;
use super::ready::Ready;
use crate::open_failures::leaves_a_hole;
use crate::track_stats::Received;
use crate::video_output::{Meta, VideoSink};
use crate::worker::{Job, Progress};
use codec::decode::Decoder;
use crypto::{Opener, ReceivedFrame};
use media::{Clock, Encoded, Notify, Receiver};
use proto::TrackId;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// What one picture track needs on its thread.
pub struct PictureJob {
    /// Whose picture.
    pub track: TrackId,
    /// What arrives.
    pub frames: Receiver<ReceivedFrame>,
    /// Opens and judges it.
    pub opener: Opener,
    /// Made when the first frame comes, and again when a back-end fails.
    pub decoder: Option<Decoder>,
    /// Where pictures go.
    pub canvas: Box<dyn VideoSink>,
    /// What came before its key.
    pub early: Early,
    /// The number of the picture on the screen.
    pub shown: Option<u64>,
    /// What is open and waits for the decoder.
    pub ready: Ready,
    /// What is counted.
    pub stats: Arc<Mutex<Received>>,
    /// The time at the screen.
    pub clock: Clock,
    /// Asks the sender for a picture that needs no other.
    pub want_key: Box<dyn Fn() + Send>,
    /// Nothing can be decoded before a key picture.
    pub lost: bool,
}

impl Job for PictureJob {
    fn notify_on(&mut self, notify: Notify) {
        self.frames.notify_on(notify);
    }

    fn step(&mut self) -> Progress {
        // Opened as they come, not when the decoder has time: keys do not wait for a slow machine.
        while let Some(received) = self.frames.try_recv() {
            self.early.push(received);
        }
        while let Some(received) = self.early.next(&self.opener, Instant::now()) {
            self.open(received);
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
            None if self.frames.is_ended() => Progress::Ended,
            None => Progress::Idle,
        }
    }
}

impl PictureJob {
    fn open(&mut self, received: ReceivedFrame) {
        let (spatial, sequence) = (received.header.layer.spatial, received.sequence);
        let opened = self.opener.open(received);
        self.count(|stats| stats.judged(spatial, sequence, opened.as_ref().err().copied()));
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
        let (canvas, shown, stats, clock) = (&mut self.canvas, &mut self.shown, &self.stats, self.clock);
        let meta = Meta { number: encoded.number, captured: encoded.captured, layer: encoded.layer };
        let result = decoder(&mut self.decoder, encoded).and_then(|decoder| {
            decoder.decode(&encoded.payload, &mut |picture| {
                if is_behind(*shown, meta.number) {
                    return;
                }
                *shown = Some(meta.number);
                canvas.show(&picture, meta);
                let mut stats = stats.lock().unwrap_or_else(PoisonError::into_inner);
                stats.shown(meta.layer, picture.size, meta.captured, clock.now());
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
        add(&mut self.stats.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// True for the picture that is on the screen already, and for one a little older: with a change of layers may come what
/// the other layer's encoder had not done yet. One that is much older comes from a camera that began anew.
fn is_behind(shown: Option<u64>, number: u64) -> bool {
    shown.and_then(|shown| shown.checked_sub(number)).is_some_and(|behind| behind < MAX_BEHIND)
}

/// Pictures by which one layer's encoder lags behind another's.
const MAX_BEHIND: u64 = 30;

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
