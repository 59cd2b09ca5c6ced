//! Sends this client's voice. The audio thread calls [`VoiceSender::send`] with each encoded packet.

use super::grouping::Grouping;
use crate::stats::track_stats::TrackStats;
use audio::Protection;
use crypto::{KeyRing, Sealer, SentSound, SentSounds};
use media::EncodedAudio;
use net::FrameSender;
use proto::Slot;
use std::sync::{Arc, Mutex, PoisonError};

/// Seals voice packets, with copies of the packets before them, and queues them for the network. Drops packets until
/// [`VoiceSender::connect`]. Clones share one queue.
#[derive(Clone, Default)]
pub struct VoiceSender {
    sender: Arc<Mutex<Option<Connected>>>,
    protection: Arc<Mutex<Protection>>,
}

struct Connected {
    sealer: Sealer,
    /// The last packets, those that wait included.
    sent: SentSounds,
    grouping: Grouping,
    frame_sender: FrameSender,
    stats: TrackStats,
}

impl VoiceSender {
    /// Starts to send packets with `frame_sender`.
    pub fn connect(&self, ring: KeyRing, frame_sender: FrameSender, stats: TrackStats) {
        let (sealer, sent) = (Sealer::new(ring, Slot::Microphone), SentSounds::default());
        let sender = Connected { sealer, sent, grouping: Grouping::default(), frame_sender, stats };
        *self.sender.lock().unwrap_or_else(PoisonError::into_inner) = Some(sender);
    }

    /// Stops sending packets, and drops them.
    pub fn disconnect(&self) {
        *self.sender.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Sets how many packets and copies a frame has.
    pub fn set_protection(&self, protection: Protection) {
        *self.protection.lock().unwrap_or_else(PoisonError::into_inner) = protection;
    }

    /// Seals a packet and queues it, or keeps it for the next frame. Never waits for the network.
    pub fn send(&self, packet: EncodedAudio) {
        let mut sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(sender) = sender.as_mut() else { return };
        let protection = *self.protection.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = SentSound::new(&packet);
        let Some(waiting) = sender.grouping.add(&packet, protection.packets_per_frame) else {
            return sender.sent.add(kept);
        };
        // A packet that waits is a copy in the frame of a later one.
        let count = usize::from(waiting + protection.copies);
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
