//! One remote picture track: open, decode, show.

use super::early::Early;
use crate::screen::{Canvas, Meta};
use crate::tally::Received;
use crate::worker::{Job, Progress};
use codec::decode::Decoder;
use crypto::{Arrived, Opener, open};
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
        let next = self.inlet.try_recv();
        let progress = match &next {
            Some(_) => Progress::Worked,
            None if self.inlet.is_ended() => return Progress::Ended,
            None => Progress::Idle,
        };
        self.early.push(next);
        while let Some(arrived) = self.early.next(&self.opener, Instant::now()) {
            self.take(arrived);
        }
        progress
    }
}

impl PictureJob {
    fn take(&mut self, arrived: Arrived) {
        self.count(|tally| tally.arrived(arrived.header.layer.spatial, arrived.sequence));
        match self.opener.open(arrived) {
            Ok(encoded) => {
                self.count(|tally| tally.opened += 1);
                self.decode(&encoded);
            }
            Err(open::Error::Replayed) => self.count(|tally| tally.replayed += 1),
            Err(open::Error::UnknownKey) => {
                self.count(Received::keyless);
                self.ask_for_key();
            }
            Err(error) => {
                tracing::debug!(track = ?self.track, %error, "frame not opened");
                self.count(|tally| tally.failed += 1);
                self.ask_for_key();
            }
        }
    }

    fn decode(&mut self, encoded: &Encoded) {
        if self.lost && !encoded.key {
            return;
        }
        let (canvas, tally, clock) = (&mut self.canvas, &self.tally, self.clock);
        let meta = Meta { number: encoded.number, captured: encoded.captured, layer: encoded.layer };
        let result = decoder(&mut self.decoder, encoded).and_then(|decoder| {
            decoder.decode(&encoded.payload, &mut |picture| {
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

fn decoder<'a>(slot: &'a mut Option<Decoder>, encoded: &Encoded) -> Result<&'a mut Decoder, codec::decode::Error> {
    if let Some(decoder) = slot {
        return Ok(decoder);
    }
    Ok(slot.insert(Decoder::open(encoded.codec)?))
}
