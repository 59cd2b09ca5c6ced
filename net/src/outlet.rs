//! The way of sealed frames from an encoder's thread to the driver: bounded, and it never waits.
//!
//! A frame that found no room leaves a hole that later frames would build on. So the layer stays shut until its next key
//! frame, and one is asked for.

use crypto::Sealed;
use media::Weigh;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use tokio::sync::mpsc;

/// The frame was dropped: there was no room, or its layer waits for a key frame, or the track is no longer sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no room for the frame")]
pub struct Full;

/// Where a track's frames go in. Clones share the queue; each layer's encoder has one.
#[derive(Clone, Debug)]
pub struct Outlet {
    frames: mpsc::Sender<Sealed>,
    shared: Arc<Shared>,
}

/// Where they come out.
#[derive(Debug)]
pub struct Queue {
    frames: mpsc::Receiver<Sealed>,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Bytes inside.
    weight: AtomicUsize,
    /// Bit n: layer n lost a frame that others build on.
    shut: AtomicU8,
    /// Bit n: nobody has asked for layer n's key frame yet.
    unasked: AtomicU8,
}

/// A queue of at most [`MOST_BYTES`] and [`MOST_FRAMES`].
pub fn outlet() -> (Outlet, Queue) {
    let (sender, receiver) = mpsc::channel(MOST_FRAMES);
    let shared = Arc::new(Shared::default());
    (Outlet { frames: sender, shared: Arc::clone(&shared) }, Queue { frames: receiver, shared })
}

impl Outlet {
    /// Hands a frame over, from any thread, without waiting.
    ///
    /// # Errors
    /// [`Full`] where the frame was dropped; the caller counts.
    pub fn try_send(&self, frame: Sealed) -> Result<(), Full> {
        let header = *frame.header();
        let bit = 1u8.checked_shl(header.layer.spatial.into()).unwrap_or(0);
        if header.key {
            self.shared.shut.fetch_and(!bit, Ordering::Relaxed);
        } else if self.shared.shut.load(Ordering::Relaxed) & bit != 0 {
            return Err(Full);
        }
        let weight = frame.weight();
        let before = self.shared.weight.fetch_add(weight, Ordering::Relaxed);
        let fits = before == 0 || before + weight <= MOST_BYTES;
        if fits && self.frames.try_send(frame).is_ok() {
            return Ok(());
        }
        self.shared.weight.fetch_sub(weight, Ordering::Relaxed);
        // Sound stands alone, frame by frame.
        if !header.discardable && header.slot != proto::Slot::Microphone {
            self.shared.shut.fetch_or(bit, Ordering::Relaxed);
            self.shared.unasked.fetch_or(bit, Ordering::Relaxed);
        }
        Err(Full)
    }

    /// True once the track is no longer sent.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.frames.is_closed()
    }
}

impl Queue {
    /// The next frame; `None` once no encoder is left.
    pub async fn next(&mut self) -> Option<Sealed> {
        let frame = self.frames.recv().await?;
        self.shared.weight.fetch_sub(frame.weight(), Ordering::Relaxed);
        Some(frame)
    }

    /// The layers that wait for a key frame since this was last asked.
    pub fn take_shut(&self) -> impl Iterator<Item = u8> + use<> {
        let bits = self.shared.unasked.swap(0, Ordering::Relaxed);
        (0..8).filter(move |layer| bits >> layer & 1 == 1)
    }
}

/// Bytes that may wait: a third of a second of all layers at their best.
const MOST_BYTES: usize = 512 << 10;

/// Frames that may wait.
const MOST_FRAMES: usize = 128;
