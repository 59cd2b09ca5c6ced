//! The bounded queue of sealed frames from an encoder's thread to the driver's task of its slot. The sender never waits.
//!
//! If a frame is dropped, later frames of its layer cannot be decoded. So the queue refuses the layer until its next
//! key frame, which it requests.

use crypto::Sealed;
use media::{Bitrate, ByteSize};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use tokio::sync::mpsc;

/// The frame was dropped, because there was no room, its layer waits for a key frame, or the track is no longer sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no room for the frame")]
pub struct Full;

/// The sending end of a track's queue. Clones share the queue; each layer's encoder has one.
#[derive(Clone, Debug)]
pub struct FrameSender {
    frames: mpsc::Sender<Sealed>,
    shared: Arc<Shared>,
}

/// The receiving end.
#[derive(Debug)]
pub struct FrameQueue {
    frames: mpsc::Receiver<Sealed>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// Bytes in the queue.
    size: AtomicUsize,
    /// Bytes that may wait.
    limit: AtomicUsize,
    /// Bit n is set if layer n lost a frame that others depend on. The layer waits for a key frame.
    stopped: AtomicU8,
    /// Bit n is set if the key frame of layer n has not been requested yet.
    newly_stopped: AtomicU8,
}

/// Returns both ends of a queue of at most 512 KiB and 128 frames. A frame that is larger fits if the queue is empty.
pub fn frame_sender() -> (FrameSender, FrameQueue) {
    let (sender, receiver) = mpsc::channel(MAX_FRAMES);
    let shared = Arc::new(Shared {
        size: AtomicUsize::new(0),
        limit: AtomicUsize::new(MAX_BYTES),
        stopped: AtomicU8::new(0),
        newly_stopped: AtomicU8::new(0),
    });
    (FrameSender { frames: sender, shared: Arc::clone(&shared) }, FrameQueue { frames: receiver, shared })
}

impl FrameSender {
    /// Queues a frame, from any thread, without waiting.
    ///
    /// # Errors
    /// Returns [`Full`] if the frame was dropped.
    pub fn try_send(&self, frame: Sealed) -> Result<(), Full> {
        let header = *frame.header();
        let bit = 1u8.checked_shl(header.layer.spatial.into()).unwrap_or(0);
        if header.key {
            self.shared.stopped.fetch_and(!bit, Ordering::Relaxed);
        } else if self.shared.stopped.load(Ordering::Relaxed) & bit != 0 {
            return Err(Full);
        }
        let size = frame.byte_size();
        let before = self.shared.size.fetch_add(size, Ordering::Relaxed);
        let fits = before == 0 || before + size <= self.shared.limit.load(Ordering::Relaxed);
        if fits && self.frames.try_send(frame).is_ok() {
            return Ok(());
        }
        self.shared.size.fetch_sub(size, Ordering::Relaxed);
        // An audio frame depends on no other frame.
        if !header.discardable && header.slot != proto::Slot::Microphone {
            self.shared.stopped.fetch_or(bit, Ordering::Relaxed);
            self.shared.newly_stopped.fetch_or(bit, Ordering::Relaxed);
        }
        Err(Full)
    }

    /// Returns false if more than a tenth of a second of frames waits. Then an encoder skips its next picture. If the queue
    /// dropped the frame instead, its layer would need a key frame.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.shared.size.load(Ordering::Relaxed) <= self.shared.limit.load(Ordering::Relaxed) / ROOM_DIVISOR
    }

    /// Returns true if the track is no longer sent.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.frames.is_closed()
    }
}

impl FrameQueue {
    /// Waits for the next frame. Returns `None` if all senders are dropped. Cancel-safe.
    pub async fn next(&mut self) -> Option<Sealed> {
        let frame = self.frames.recv().await?;
        self.shared.size.fetch_sub(frame.byte_size(), Ordering::Relaxed);
        Some(frame)
    }

    /// Limits the queue to half a second at `rate`, but not below 32 KiB nor above 512 KiB.
    pub fn set_rate(&self, rate: Bitrate) {
        let bytes = usize::try_from(rate.as_bps() / 16).unwrap_or(MAX_BYTES).clamp(MIN_BYTES, MAX_BYTES);
        self.shared.limit.store(bytes, Ordering::Relaxed);
    }

    /// Returns the layers that started to wait for a key frame since the last call.
    pub fn take_newly_stopped(&self) -> impl Iterator<Item = u8> + use<> {
        let bits = self.shared.newly_stopped.swap(0, Ordering::Relaxed);
        (0..8).filter(move |layer| bits >> layer & 1 == 1)
    }
}

/// The maximum number of bytes that may wait: half a second at 8 Mbit/s.
const MAX_BYTES: usize = 512 << 10;

/// The number of bytes that may wait at any rate: a key frame of a small layer.
const MIN_BYTES: usize = 32 << 10;

/// An encoder skips pictures if more than the limit divided by this waits.
const ROOM_DIVISOR: usize = 5;

/// Frames that may wait.
const MAX_FRAMES: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestSealer;

    #[test]
    fn a_layer_that_lost_a_frame_waits_for_its_key_frame_and_requests_it_once() {
        let ((frame_sender, mut queue), seal) = (frame_sender(), TestSealer::new());
        frame_sender.try_send(seal.picture(0, 0, true, MAX_BYTES)).unwrap();
        assert_eq!(frame_sender.try_send(seal.picture(1, 0, true, 100)), Err(Full));
        assert_eq!(frame_sender.try_send(seal.picture(2, 0, true, 100)), Err(Full));
        assert_eq!(queue.take_newly_stopped().collect::<Vec<_>>(), [1, 2]);
        assert_eq!(queue.take_newly_stopped().count(), 0);
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(queue.next()).unwrap();
        // There is room again, but not for a frame that depends on a lost one.
        assert_eq!(frame_sender.try_send(seal.picture(1, 1, false, 100)), Err(Full));
        frame_sender.try_send(seal.picture(0, 2, false, 100)).unwrap();
        frame_sender.try_send(seal.picture(1, 0, true, 100)).unwrap();
        frame_sender.try_send(seal.picture(1, 1, false, 100)).unwrap();
        assert_eq!(queue.take_newly_stopped().count(), 0);
    }

    #[test]
    fn a_low_rate_shortens_the_queue() {
        let ((frame_sender, queue), seal) = (frame_sender(), TestSealer::new());
        queue.set_rate(Bitrate::kbps(300));
        let taken = (0..100).filter(|_| frame_sender.try_send(seal.picture(0, 2, false, 8 << 10)).is_ok()).count();
        assert!((3..=4).contains(&taken), "{taken}");
        queue.set_rate(Bitrate::kbps(10_000));
        frame_sender.try_send(seal.picture(1, 2, false, 8 << 10)).unwrap();
    }

    #[test]
    fn encoders_skip_pictures_before_frames_are_dropped() {
        let ((frame_sender, mut queue), seal) = (frame_sender(), TestSealer::new());
        queue.set_rate(Bitrate::kbps(300));
        assert!(frame_sender.has_room());
        frame_sender.try_send(seal.picture(0, 0, true, 8 << 10)).unwrap();
        assert!(!frame_sender.has_room());
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(queue.next()).unwrap();
        assert!(frame_sender.has_room());
    }

    #[test]
    fn a_lost_discardable_frame_does_not_require_a_key_frame() {
        let ((frame_sender, queue), seal) = (frame_sender(), TestSealer::new());
        frame_sender.try_send(seal.picture(0, 0, true, MAX_BYTES)).unwrap();
        assert_eq!(frame_sender.try_send(seal.picture(0, 2, false, 100)), Err(Full));
        assert_eq!(queue.take_newly_stopped().count(), 0);
    }

    #[test]
    fn frames_are_bounded_and_a_dropped_reader_is_detected() {
        let ((frame_sender, queue), seal) = (frame_sender(), TestSealer::new());
        let taken = (0..1_000).filter(|_| frame_sender.try_send(seal.picture(0, 0, true, 8)).is_ok()).count();
        assert_eq!(taken, MAX_FRAMES);
        assert!(!frame_sender.is_closed());
        drop(queue);
        assert!(frame_sender.is_closed());
        assert_eq!(frame_sender.try_send(seal.picture(0, 0, true, 8)), Err(Full));
    }
}
