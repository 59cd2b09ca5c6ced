//! Opens, decodes and shows the pictures of one remote track.

use super::decode_queue::DecodeQueue;
use super::playout::PlayoutQueue;
use super::report::Report;
use super::waiting_frames::WaitingFrames;
use crate::stats::open_failures::leaves_a_hole;
use crate::stats::track_stats::ReceiveStats;
use crate::video_output::{Meta, VideoSink};
use crate::worker::{Job, Progress};
use audio::PlayoutTime;
use codec::decode::{Backends, Decoder, Error};
use crypto::open::Error as OpenError;
use crypto::{Opener, ReceivedFrame};
use media::{Clock, Encoded, Notify, Panicked, Receiver, VideoCodec};
use proto::TrackId;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Receives one picture track, on one decode thread.
pub struct PictureReceiver {
    /// The track.
    pub track: TrackId,
    /// Sealed frames from the network.
    pub frames: Receiver<ReceivedFrame>,
    /// Opens and authenticates them.
    pub opener: Opener,
    /// Frames that arrived before their key.
    pub waiting: WaitingFrames,
    /// Opened pictures that are not due yet.
    pub playout: PlayoutQueue,
    /// When the sound of the same person is heard, and when its pictures are due.
    pub sound: PlayoutTime,
    /// Pictures that are due and wait for the decoder.
    pub queue: DecodeQueue,
    /// The decoders, in order of preference. The first one is opened at the first picture.
    pub decoders: Backends,
    /// The current decoder.
    pub decoder: Option<Decoder>,
    /// True if nothing can be decoded before a key frame.
    pub needs_key: bool,
    /// True after frames were dropped because their sender had no right to send them. Decoding begins again with a key frame.
    pub was_not_allowed: bool,
    /// Shows pictures.
    pub sink: Box<dyn VideoSink>,
    /// The number of the picture that is shown.
    pub shown: Option<u64>,
    /// The counters.
    pub stats: Arc<Mutex<ReceiveStats>>,
    /// The clock of the times at which pictures are shown.
    pub clock: Clock,
    /// Requests a key frame from the sender.
    pub request_key: Box<dyn Fn() + Send>,
    /// Takes reports. Must not wait.
    pub report: Box<dyn Fn(Report) + Send>,
}

impl Job for PictureReceiver {
    fn notify_on(&mut self, notify: Notify) {
        self.frames.notify_on(notify);
    }

    fn step(&mut self) -> Progress {
        // Frames are opened on arrival, not when the decoder is ready, because keys may expire on a slow machine.
        while let Some(received) = self.frames.try_recv() {
            self.waiting.push(received);
        }
        while let Some(received) = self.waiting.next(&self.opener, Instant::now()) {
            self.open(received);
        }
        while let Some(picture) = self.playout.pop(Instant::now()) {
            self.queue.push(picture);
        }
        if !self.queue.catch_up() {
            tracing::debug!(track = ?self.track, "decoding is too slow, so pictures are dropped up to a key frame");
            self.ask_for_key();
        }
        let next = self.queue.next();
        let skipped = self.queue.take_skipped();
        if skipped > 0 {
            self.count(|stats| stats.decoding.skipped += skipped);
        }
        match next {
            Some(picture) => self.process(&picture),
            None => match self.playout.next_due() {
                Some(due) => Progress::WaitUntil(due),
                None if self.frames.is_ended() => Progress::Ended,
                None => Progress::Idle,
            },
        }
    }

    fn failed(&mut self, panicked: &Panicked) {
        (self.report)(Report::TrackFailed(panicked.to_string()));
    }
}

impl PictureReceiver {
    fn open(&mut self, received: ReceivedFrame) {
        let (spatial, sequence, bytes) = (received.header.layer.spatial, received.sequence, received.bytes.len());
        let arrival = received.received;
        let opened = self.opener.open(received);
        let (authorship, outside_rights) = (self.opener.authorship(), self.opener.take_outside_rights());
        self.count(|stats| {
            stats.judged(spatial, sequence, bytes, opened.as_ref().err().copied());
            stats.set_authorship(authorship, arrival);
            stats.open_failures.prove_not_allowed(outside_rights);
        });
        match opened {
            Ok(encoded) => {
                if std::mem::take(&mut self.was_not_allowed) && !encoded.key {
                    self.ask_for_key();
                }
                let sound = self.sound.heard_after(encoded.captured, self.clock.at(arrival));
                let captured = encoded.captured;
                let due = self.playout.push(encoded, arrival, sound);
                self.sound.update_pictures(captured, self.clock.at(due));
            }
            Err(why) => {
                tracing::debug!(track = ?self.track, sequence, %why, "frame not opened");
                if leaves_a_hole(why) {
                    self.ask_for_key();
                }
                // No key frame is requested of somebody who may not send: the first frame after that does it.
                self.was_not_allowed |= why == OpenError::NotAllowed;
            }
        }
    }

    /// Decodes and shows a picture. Ends the work on the track if no decoder is left.
    fn process(&mut self, encoded: &Encoded) -> Progress {
        if self.needs_key && !encoded.key {
            return Progress::Worked;
        }
        let begin = Instant::now();
        let result = self.open_decoder(encoded.codec).and_then(|()| self.decode(encoded));
        self.count(|stats| stats.decoding.time += begin.elapsed());
        self.report_replacements();
        match result {
            Ok(()) => self.needs_key = false,
            Err(error @ Error::NoBackend(_)) => {
                tracing::warn!(track = ?self.track, %error, "track failed");
                (self.report)(Report::TrackFailed(error.to_string()));
                return Progress::Ended;
            }
            Err(error) => {
                tracing::debug!(track = ?self.track, %error, "picture not decoded");
                self.ask_for_key();
            }
        }
        Progress::Worked
    }

    fn open_decoder(&mut self, codec: VideoCodec) -> Result<(), Error> {
        if self.decoder.is_none() {
            self.decoder = Some(Decoder::open_with(codec, &self.decoders)?);
            self.report_replacements();
        }
        Ok(())
    }

    fn decode(&mut self, encoded: &Encoded) -> Result<(), Error> {
        let Some(decoder) = &mut self.decoder else { return Ok(()) };
        let (sink, shown, stats, clock, sound) =
            (&mut self.sink, &mut self.shown, &self.stats, self.clock, &self.sound);
        let meta = Meta { number: encoded.number, captured: encoded.captured, layer: encoded.layer };
        decoder.decode(&encoded.payload, &mut |picture| {
            let behind = is_behind(*shown, meta.number);
            if !behind {
                *shown = Some(meta.number);
                sink.show(&picture, meta);
            }
            let mut stats = stats.lock().unwrap_or_else(PoisonError::into_inner);
            stats.decoded(encoded.key, encoded.payload.len());
            if behind {
                return;
            }
            let now = clock.now();
            stats.shown(meta.layer, picture.size, meta.captured, now);
            stats.record_sound_skew(sound.heard_after(meta.captured, now));
        })
    }

    fn report_replacements(&mut self) {
        for replacement in self.decoder.iter_mut().flat_map(Decoder::take_replacements) {
            tracing::warn!(track = ?self.track, %replacement, "decoder failed");
            if replacement.is_another() {
                (self.report)(Report::DecoderReplaced(replacement));
            }
        }
    }

    fn ask_for_key(&mut self) {
        self.needs_key = true;
        (self.request_key)();
    }

    fn count(&self, add: impl FnOnce(&mut ReceiveStats)) {
        add(&mut self.stats.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Returns true for the picture that is shown already, and for one a little older: after a change of layers, a slower
/// encoder may deliver pictures that the other layer has shown. A much older one comes from a camera that was started
/// again.
fn is_behind(shown: Option<u64>, number: u64) -> bool {
    shown.and_then(|shown| shown.checked_sub(number)).is_some_and(|behind| behind < MAX_BEHIND)
}

/// The number of pictures by which one layer's encoder may be behind another's.
const MAX_BEHIND: u64 = 30;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn older_pictures_are_not_shown_but_a_camera_may_start_again() {
        assert!(!is_behind(None, 0) && !is_behind(Some(112), 113));
        assert!(is_behind(Some(113), 113) && is_behind(Some(113), 112));
        assert!(!is_behind(Some(113), 0), "a camera that was off for a moment counts from 0");
    }
}
