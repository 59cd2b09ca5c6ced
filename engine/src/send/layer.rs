//! The thread of one spatial layer. It scales, encodes and seals pictures, and queues them for the network.

use super::frame_skipper::FrameSkipper;
use super::report::{Report, Reporter};
use crate::stats::track_stats::TrackStats;
use codec::encode::{Backends, Config, Encoder, Error};
use codec::rate::{EncoderTarget, LayerTarget};
use crypto::{KeyRing, Sealer};
use media::{BufferPool, Encoded, Frame, Mailbox, catch_panic};
use net::FrameSender;
use proto::Slot;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};
use std::time::Instant;

/// The encode thread of one layer. Dropping it joins the thread.
pub struct LayerThread {
    /// False while the layer is paused. Then it receives no pictures.
    running: AtomicBool,
    key_wanted: Arc<AtomicBool>,
    targets: Mailbox<LayerTarget>,
    frames: Mailbox<Frame>,
    stats: TrackStats,
    layer: (Slot, u8),
    thread: Option<JoinHandle<()>>,
}

/// The values that the thread is started with.
pub struct Start {
    /// The slot of our track.
    pub slot: Slot,
    /// The configuration that the encoder is opened with.
    pub config: Config,
    /// The encoders, in order of preference.
    pub encoders: Backends,
    /// The keys.
    pub ring: KeyRing,
    /// Queues sealed frames for the network.
    pub frame_sender: FrameSender,
    /// Buffers for bitstreams.
    pub pool: BufferPool,
    /// The counters.
    pub stats: TrackStats,
    /// Sends reports to the owner.
    pub reporter: Reporter,
}

impl LayerThread {
    /// Starts the thread, paused. Its encoder is opened at the first picture.
    ///
    /// # Errors
    /// Returns the system's error if the thread cannot be started.
    pub fn start(start: Start) -> std::io::Result<Self> {
        let (key_wanted, targets, frames) = (Arc::default(), Mailbox::new(), Mailbox::<Frame>::new());
        let name = format!("encode-{:?}-{}", start.slot, start.config.spatial).to_lowercase();
        let (reporter, pictures) = (start.reporter.clone(), frames.clone());
        let (stats, layer) = (start.stats.clone(), (start.slot, start.config.spatial));
        let run = LayerLoop::new(start, Arc::clone(&key_wanted), targets.clone(), frames.clone());
        let thread = Builder::new().name(name).spawn(move || {
            let reason = match catch_panic(|| run.run()) {
                Ok(Ok(())) => return,
                Ok(Err(error)) => error.to_string(),
                Err(panicked) => panicked.to_string(),
            };
            // The mailbox has no reader any more, so the next picture returns to its pool at once.
            pictures.close();
            drop(pictures.try_take());
            reporter.tell(Report::TrackFailed(reason));
        })?;
        let running = AtomicBool::new(false);
        Ok(Self { running, key_wanted, targets, frames, stats, layer, thread: Some(thread) })
    }

    /// Passes a picture to the layer without waiting. It replaces an older picture that still waits. A paused layer
    /// drops it.
    pub fn put(&self, frame: &Frame) {
        if self.running.load(Ordering::Acquire) && self.frames.put(frame.clone()).is_some() {
            let (slot, spatial) = self.layer;
            self.stats.sent(slot, spatial, |sent| sent.missed += 1);
        }
    }

    /// Sets what the thread does from the next picture on. A layer that was paused begins with a key frame.
    pub fn set_target(&self, target: LayerTarget) {
        match target {
            LayerTarget::Paused => {
                self.running.store(false, Ordering::Release);
                self.targets.put(target);
                // Drop a picture that still waits, because it occupies a buffer of the camera's pool.
                drop(self.frames.try_take());
            }
            LayerTarget::Running(_) => {
                self.targets.put(target);
                if !self.running.load(Ordering::Acquire) {
                    self.key_frame();
                    self.running.store(true, Ordering::Release);
                }
            }
        }
    }

    /// Makes the next picture a key frame.
    pub fn key_frame(&self) {
        self.key_wanted.store(true, Ordering::Release);
    }
}

impl Drop for LayerThread {
    fn drop(&mut self) {
        self.frames.close();
        if let Some(thread) = self.thread.take() {
            // The thread catches its panics. Only a panic while it reports one ends it with an error.
            let _ = thread.join();
        }
    }
}

/// The state of the thread.
struct LayerLoop {
    start: Start,
    key_wanted: Arc<AtomicBool>,
    targets: Mailbox<LayerTarget>,
    frames: Mailbox<Frame>,
    target: LayerTarget,
    /// True if the next picture must be a key frame.
    key: bool,
    encoder: Option<Encoder>,
    sealer: Sealer,
    skipper: FrameSkipper,
}

impl LayerLoop {
    fn new(start: Start, key_wanted: Arc<AtomicBool>, targets: Mailbox<LayerTarget>, frames: Mailbox<Frame>) -> Self {
        let sealer = Sealer::new(start.ring.clone(), start.slot);
        let skipper = FrameSkipper::new(start.config.rate);
        Self {
            start,
            key_wanted,
            targets,
            frames,
            target: LayerTarget::Paused,
            key: true,
            encoder: None,
            sealer,
            skipper,
        }
    }

    /// Runs until the mailbox is closed. Skips pictures while the network has no room.
    ///
    /// # Errors
    /// Returns the error if no encoder is left.
    fn run(mut self) -> Result<(), Error> {
        while let Some(frame) = self.frames.take() {
            self.take_target()?;
            // This picture arrived before the layer was paused.
            let LayerTarget::Running(target) = self.target else { continue };
            self.key |= self.key_wanted.swap(false, Ordering::AcqRel);
            let due = self.skipper.accept(frame.captured(), target.frame_rate);
            if (due || self.key) && self.start.frame_sender.has_room() {
                self.process(&frame, target)?;
            }
        }
        Ok(())
    }

    /// Takes the newest target.
    fn take_target(&mut self) -> Result<(), Error> {
        let Some(target) = self.targets.try_take() else { return Ok(()) };
        self.target = target;
        self.aim_encoder()
    }

    fn aim_encoder(&mut self) -> Result<(), Error> {
        let LayerTarget::Running(target) = self.target else { return Ok(()) };
        let Some(encoder) = &mut self.encoder else { return Ok(()) };
        let result = encoder.set_target(target);
        self.report_replacements();
        result
    }

    /// Encodes, seals and sends a picture, and measures how long that takes.
    fn process(&mut self, frame: &Frame, target: EncoderTarget) -> Result<(), Error> {
        let begin = Instant::now();
        let result = self.encode(frame, target);
        self.report_replacements();
        match result {
            Ok(Some(picture)) => self.send(picture),
            Ok(None) => {}
            Err(error @ Error::NoBackend(_)) => return Err(error),
            Err(error) => tracing::warn!(slot = ?self.start.slot, %error, "picture not encoded"),
        }
        let Start { slot, config, stats, .. } = &self.start;
        stats.sent(*slot, config.spatial, |sent| {
            sent.encode_time += begin.elapsed();
            sent.encoded += 1;
            sent.size = Some(config.size);
        });
        Ok(())
    }

    fn encode(&mut self, frame: &Frame, target: EncoderTarget) -> Result<Option<Encoded>, Error> {
        if self.encoder.is_none() {
            self.open_encoder(target)?;
        }
        match &mut self.encoder {
            Some(encoder) => encoder.encode(frame, self.key, &self.start.pool),
            None => Ok(None),
        }
    }

    fn open_encoder(&mut self, target: EncoderTarget) -> Result<(), Error> {
        let Start { slot, config, encoders, .. } = &self.start;
        let encoder = self.encoder.insert(Encoder::open_with(config, encoders)?);
        encoder.set_target(target)?;
        tracing::info!(?slot, spatial = config.spatial, size = %config.size, encoder = encoder.name(), "encoding");
        Ok(())
    }

    fn report_replacements(&mut self) {
        for replacement in self.encoder.iter_mut().flat_map(Encoder::take_replacements) {
            tracing::warn!(slot = ?self.start.slot, spatial = self.start.config.spatial, %replacement, "encoder failed");
            if replacement.is_another() {
                self.start.reporter.tell(Report::EncoderReplaced(replacement));
            }
        }
    }

    fn send(&mut self, picture: Encoded) {
        self.key &= !picture.key;
        let discardable = picture.discardable;
        let frame = match self.sealer.seal(picture) {
            Ok(frame) => frame,
            Err(error) => return tracing::debug!(%error, "picture not sealed"),
        };
        let bytes = frame.bytes().len() as u64;
        let queued = self.start.frame_sender.try_send(frame).is_ok();
        // Later pictures may refer to the one that was dropped.
        self.key |= !queued && !discardable;
        self.start.stats.sent(self.start.slot, self.start.config.spatial, |sent| {
            sent.frames += u64::from(queued);
            sent.dropped += u64::from(!queued);
            sent.bytes += bytes;
        });
    }
}
