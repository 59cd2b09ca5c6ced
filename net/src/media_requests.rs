//! The program's requests about media: tracks to send, key frames, limits, the server's totals.
//!
//! Only the latest state is kept, so requests cannot overflow, get lost or displace each other. A slot is published or
//! not, and two requests for the same key frame count as one.

use crate::bandwidth::{LastRates, Limits};
use crate::frame_sender::FrameQueue;
use proto::{MAX_TRACKS, Slot, SpatialLayer, TrackId};
use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// The program's end. Clones share it. Every call returns at once, on any thread.
#[derive(Clone)]
pub struct MediaRequests {
    shared: Arc<Shared>,
}

/// The driver's end. Once it is dropped, requests are ignored and published queues are closed.
pub struct Receiver {
    shared: Arc<Shared>,
}

/// The requested state of one slot.
#[derive(Debug)]
pub enum Publication {
    /// The frames of `queue` are sent, in `layers`.
    Published { layers: Vec<SpatialLayer>, queue: FrameQueue },
    /// Nothing is sent.
    Unpublished,
}

/// Requests since the last call of [`Receiver::take`].
#[derive(Debug, Default)]
pub struct Pending {
    /// The latest request for each slot that changed.
    pub publications: BTreeMap<Slot, Publication>,
    /// Tracks whose decoders need a key frame; at most [`MAX_TRACKS`].
    pub key_frames: BTreeSet<TrackId>,
    /// The latest limits, if they were set.
    pub limits: Option<Limits>,
    /// What the network carried before, if it was set.
    pub last_rates: Option<LastRates>,
    /// True if the server's totals are requested.
    pub totals: bool,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    pending: Pending,
    closed: bool,
}

/// Returns both ends.
pub fn media_requests() -> (MediaRequests, Receiver) {
    let shared = Arc::new(Shared::default());
    (MediaRequests { shared: Arc::clone(&shared) }, Receiver { shared })
}

impl MediaRequests {
    /// Sets the requested state of a slot. An older request that was not taken is dropped with its queue.
    pub fn publish(&self, slot: Slot, publication: Publication) {
        self.change(|pending| drop(pending.publications.insert(slot, publication)));
    }

    /// Requests a key frame of `track`. Drops the request if [`MAX_TRACKS`] others wait.
    pub fn request_key_frame(&self, track: TrackId) {
        self.change(|pending| {
            if pending.key_frames.len() < MAX_TRACKS {
                pending.key_frames.insert(track);
            }
        });
    }

    /// Sets the limits of the session. An older request that was not taken is dropped.
    pub fn set_limits(&self, limits: Limits) {
        self.change(|pending| pending.limits = Some(limits));
    }

    /// Sets what the network carried before.
    pub fn set_last_rates(&self, rates: LastRates) {
        self.change(|pending| pending.last_rates = Some(rates));
    }

    pub fn request_totals(&self) {
        self.change(|pending| pending.totals = true);
    }

    fn change(&self, apply: impl FnOnce(&mut Pending)) {
        let mut state = self.shared.lock();
        if !state.closed {
            apply(&mut state.pending);
            self.shared.changed.notify_one();
        }
    }
}

impl Receiver {
    /// Resolves when there may be requests. Cancel-safe.
    pub async fn changed(&self) {
        self.shared.changed.notified().await;
    }

    /// Takes all requests.
    pub fn take(&self) -> Pending {
        mem::take(&mut self.shared.lock().pending)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.closed = true;
        state.pending = Pending::default();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame_sender::frame_sender;
    use futures_util::FutureExt as _;
    use proto::ParticipantId;

    fn track(owner: u64) -> TrackId {
        TrackId { owner: ParticipantId(owner), slot: Slot::Camera }
    }

    #[test]
    fn a_key_frame_that_is_requested_many_times_is_requested_once() {
        let (requests, receiver) = media_requests();
        for _ in 0..1_000 {
            requests.request_key_frame(track(1));
        }
        requests.request_key_frame(track(2));
        assert_eq!(receiver.take().key_frames.into_iter().collect::<Vec<_>>(), [track(1), track(2)]);
        assert!(receiver.take().key_frames.is_empty());
    }

    #[test]
    fn key_frame_requests_are_bounded() {
        let (requests, receiver) = media_requests();
        (0..10_000).for_each(|owner| requests.request_key_frame(track(owner)));
        assert_eq!(receiver.take().key_frames.len(), MAX_TRACKS);
    }

    #[test]
    fn the_latest_request_for_a_slot_wins() {
        let (requests, receiver) = media_requests();
        for _ in 0..1_000 {
            let (_, queue) = frame_sender();
            requests.publish(Slot::Camera, Publication::Published { layers: Vec::new(), queue });
            requests.publish(Slot::Camera, Publication::Unpublished);
        }
        let (_, queue) = frame_sender();
        requests.publish(Slot::Microphone, Publication::Published { layers: Vec::new(), queue });
        let publications = receiver.take().publications;
        assert_eq!(publications.len(), 2);
        assert!(matches!(publications[&Slot::Camera], Publication::Unpublished));
        assert!(matches!(publications[&Slot::Microphone], Publication::Published { .. }));
    }

    #[test]
    fn limits_do_not_displace_the_rates_from_before() {
        let (requests, receiver) = media_requests();
        let rate = Some(::media::Bitrate::kbps(800));
        requests.set_last_rates(LastRates { send: rate, receive: None });
        requests.set_limits(Limits { send: None, receive: rate });
        let pending = receiver.take();
        assert_eq!(pending.last_rates, Some(LastRates { send: rate, receive: None }));
        assert_eq!(pending.limits, Some(Limits { send: None, receive: rate }));
    }

    #[test]
    fn requests_wake_the_driver_and_end_with_it() {
        let (requests, receiver) = media_requests();
        assert!(receiver.changed().now_or_never().is_none());
        requests.request_totals();
        assert!(receiver.changed().now_or_never().is_some());
        assert!(receiver.take().totals);
        let publish = |slot| {
            let (frame_sender, queue) = frame_sender();
            requests.publish(slot, Publication::Published { layers: Vec::new(), queue });
            frame_sender
        };
        let before = publish(Slot::Microphone);
        assert!(!before.is_closed());
        drop(receiver);
        assert!(before.is_closed() && publish(Slot::Camera).is_closed());
    }
}
