//! Sends this client's voice. The audio thread calls [`VoiceSender::send`] with each encoded packet.

use crate::stats::track_stats::TrackStats;
use crypto::{KeyRing, Sealer, SentSound, SentSounds};
use media::EncodedAudio;
use net::FrameSender;
use proto::Slot;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Seals voice packets, with copies of the packets before them, and queues them for the network. Drops packets until
/// [`VoiceSender::connect`]. Clones share one queue.
#[derive(Clone, Default)]
pub struct VoiceSender {
    sender: Arc<Mutex<Option<Connected>>>,
    /// The number of copies in a frame.
    copies: Arc<AtomicU8>,
}

struct Connected {
    sealer: Sealer,
    sent: SentSounds,
    frame_sender: FrameSender,
    stats: TrackStats,
}

impl VoiceSender {
    /// Starts to send packets with `frame_sender`.
    pub fn connect(&self, ring: KeyRing, frame_sender: FrameSender, stats: TrackStats) {
        let (sealer, sent) = (Sealer::new(ring, Slot::Microphone), SentSounds::default());
        let sender = Connected { sealer, sent, frame_sender, stats };
        *self.sender.lock().unwrap_or_else(PoisonError::into_inner) = Some(sender);
    }

    /// Stops sending packets, and drops them.
    pub fn disconnect(&self) {
        *self.sender.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Sets how many copies of earlier packets are sent with each packet, at most three.
    pub fn set_copies(&self, count: u8) {
        self.copies.store(count, Ordering::Relaxed);
    }

    /// Seals a packet and queues it. Never waits for the network.
    pub fn send(&self, packet: EncodedAudio) {
        let mut sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(sender) = sender.as_mut() else { return };
        let count = usize::from(self.copies.load(Ordering::Relaxed));
        let kept = SentSound::new(&packet);
        let sealed = sender.sealer.seal_sound(packet, sender.sent.newest(count));
        sender.sent.add(kept);
        let sealed = match sealed {
            Ok(sealed) => sealed,
            Err(error) => return tracing::debug!(%error, "voice not sealed"),
        };
        let bytes = sealed.bytes().len() as u64;
        let queued = sender.frame_sender.try_send(sealed).is_ok();
        sender.stats.sent(Slot::Microphone, 0, |sent| {
            sent.frames += u64::from(queued);
            sent.dropped += u64::from(!queued);
            sent.bytes += bytes;
        });
    }
}
