//! The voice on its way out: called by the audio thread with each packet.

use crate::track_stats::TrackStats;
use crypto::{KeyRing, Sealer};
use media::EncodedAudio;
use net::FrameSender;
use proto::Slot;
use std::sync::{Arc, Mutex, PoisonError};

/// The voice's way to the network, once there is one. Clones share it.
#[derive(Clone, Default)]
pub struct Uplink {
    line: Arc<Mutex<Option<Line>>>,
}

struct Line {
    sealer: Sealer,
    frame_sender: FrameSender,
    stats: TrackStats,
}

impl Uplink {
    /// From now on, packets go to `outlet`.
    pub fn connect(&self, ring: KeyRing, frame_sender: FrameSender, stats: TrackStats) {
        let line = Line { sealer: Sealer::new(ring, Slot::Microphone), frame_sender, stats };
        *self.line.lock().unwrap_or_else(PoisonError::into_inner) = Some(line);
    }

    /// From now on, packets go nowhere.
    pub fn disconnect(&self) {
        *self.line.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Seals a packet and queues it. Never waits for the network.
    pub fn send(&self, packet: EncodedAudio) {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(line) = line.as_mut() else { return };
        let sealed = match line.sealer.seal_audio(packet) {
            Ok(sealed) => sealed,
            Err(error) => return tracing::debug!(%error, "sound not sealed"),
        };
        let bytes = sealed.bytes().len() as u64;
        let queued = line.frame_sender.try_send(sealed).is_ok();
        line.stats.sent(Slot::Microphone, 0, |sent| {
            sent.frames += u64::from(queued);
            sent.dropped += u64::from(!queued);
            sent.bytes += bytes;
        });
    }
}
