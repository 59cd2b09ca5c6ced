//! The thread of one spatial layer: scale, encode, seal, hand over.

use crate::track_stats::TrackStats;
use codec::encode::{Config, Encoder};
use crypto::{KeyRing, Sealer};
use media::{Bitrate, BufferPool, Frame, FrameRate, Mailbox};
use net::FrameSender;
use proto::Slot;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{Builder, JoinHandle};

/// One layer's thread and the switches that others may turn.
pub struct LayerThread {
    switches: Arc<Switches>,
    frames: Mailbox<Frame>,
    thread: Option<JoinHandle<()>>,
}

/// What the thread needs from its birth.
pub struct Start {
    /// Which of our tracks.
    pub slot: Slot,
    /// The encoder's shape.
    pub config: Config,
    /// The keys.
    pub ring: KeyRing,
    /// The way to the network.
    pub frame_sender: FrameSender,
    /// Where bitstreams live.
    pub pool: BufferPool,
    /// What is counted.
    pub stats: TrackStats,
}

#[derive(Default)]
struct Switches {
    wanted: AtomicBool,
    key: AtomicBool,
    target: AtomicU64,
}

impl LayerThread {
    /// Starts the thread. Nobody wants the layer until the server says so: nothing is encoded for nobody.
    ///
    /// # Errors
    /// Where the system has no thread left.
    pub fn start(start: Start) -> std::io::Result<Self> {
        let (switches, frames) = (Arc::new(Switches::default()), Mailbox::new());
        let name = format!("encode-{:?}-{}", start.slot, start.config.spatial).to_lowercase();
        let run = Run { switches: Arc::clone(&switches), frames: frames.clone(), key: true, start };
        let thread = Builder::new().name(name).spawn(move || run.run())?;
        Ok(Self { switches, frames, thread: Some(thread) })
    }

    /// Takes a picture to send, if anybody wants this layer. Never waits; the newest picture wins.
    pub fn put(&self, frame: &Frame) {
        if self.switches.wanted.load(Ordering::Acquire) {
            self.frames.put(frame.clone());
        }
    }

    /// Says whether anybody wants this layer. One that is wanted again begins with a key picture.
    pub fn want(&self, wanted: bool) {
        if wanted && !self.switches.wanted.swap(true, Ordering::AcqRel) {
            self.key_frame();
        } else if !wanted {
            self.switches.wanted.store(false, Ordering::Release);
        }
    }

    /// True where somebody wants this layer.
    pub fn is_wanted(&self) -> bool {
        self.switches.wanted.load(Ordering::Acquire)
    }

    /// Makes the next picture a key picture.
    pub fn key_frame(&self) {
        self.switches.key.store(true, Ordering::Release);
    }

    /// Aims at `rate` from the next picture on.
    pub fn aim(&self, rate: Bitrate) {
        self.switches.target.store(rate.as_bps(), Ordering::Release);
    }
}

impl Drop for LayerThread {
    fn drop(&mut self) {
        self.frames.close();
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has been logged by the panic hook; its layer is gone either way.
            let _ = thread.join();
        }
    }
}

struct Run {
    switches: Arc<Switches>,
    frames: Mailbox<Frame>,
    key: bool,
    start: Start,
}

impl Run {
    // The encoder is born, driven and buried here.
    fn run(mut self) {
        let Start { slot, config, .. } = &self.start;
        let mut encoder = match Encoder::open(config) {
            Ok(encoder) => encoder,
            Err(error) => return tracing::error!(?slot, spatial = config.spatial, %error, "no encoder"),
        };
        tracing::info!(?slot, spatial = config.spatial, size = %config.size, encoder = encoder.name(), "encoding");
        let mut sealer = Sealer::new(self.start.ring.clone(), *slot);
        while let Some(frame) = self.frames.take() {
            self.retarget(&mut encoder);
            self.send(&frame, &mut encoder, &mut sealer);
        }
    }

    fn retarget(&self, encoder: &mut Encoder) {
        let target = self.switches.target.swap(0, Ordering::AcqRel);
        if target > 0
            && let Err(error) = encoder.set_target(Bitrate::bps(target), self.rate())
        {
            tracing::warn!(%error, "encoder keeps its rate");
        }
    }

    fn rate(&self) -> FrameRate {
        self.start.config.rate
    }

    fn send(&mut self, frame: &Frame, encoder: &mut Encoder, sealer: &mut Sealer) {
        self.key |= self.switches.key.swap(false, Ordering::AcqRel);
        let picture = match encoder.encode(frame, self.key, &self.start.pool) {
            Ok(Some(picture)) => picture,
            Ok(None) => return,
            Err(error) => return tracing::warn!(%error, "picture not encoded"),
        };
        self.key &= !picture.key;
        let discardable = picture.discardable;
        let frame = match sealer.seal(picture) {
            Ok(frame) => frame,
            Err(error) => return tracing::debug!(%error, "picture not sealed"),
        };
        let bytes = frame.bytes().len() as u64;
        let queued = self.start.frame_sender.try_send(frame).is_ok();
        // The others cannot go on behind a hole: what follows must stand alone.
        self.key |= !queued && !discardable;
        self.start.stats.sent(self.start.slot, self.start.config.spatial, |sent| {
            sent.frames += u64::from(queued);
            sent.dropped += u64::from(!queued);
            sent.bytes += bytes;
        });
    }
}
