//! The handle of a running session. Every call returns at once, on any thread.
//!
//! Commands for the meeting wait in a queue, and an overflow of it is an error. Requests about media are stored as the
//! latest state, which cannot overflow. Neither delays the other.

use crate::backends::Backends;
use crate::bandwidth::{LastRates, Limits};
use crate::config::Config;
use crate::event::Event;
use crate::frame_sender::{FrameSender, frame_sender};
use crate::keys_thread::Shared;
use crate::media_requests::{MediaRequests, Publication, media_requests};
use crate::{driver, meeting, task};
use proto::{Slot, SpatialLayer, TileWish, TrackId};
use std::sync::Arc;
use tokio::sync::{mpsc, watch};

/// The error that a command was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many commands wait, or the session is over")]
pub struct Busy;

/// A running session. Clones share it. If the last one is dropped, the client leaves the meeting.
#[derive(Clone)]
pub struct Session {
    commands: mpsc::Sender<meeting::Command>,
    requests: MediaRequests,
    wishes: Arc<watch::Sender<Vec<TileWish>>>,
    shared: Shared,
}

/// Starts a session on `runtime`. The event channel holds [`MAX_EVENTS`]. If the program stops reading, the driver
/// keeps 4,096 more, then ends with [`crate::Error::Stalled`].
#[must_use]
pub fn start(config: Config, runtime: &tokio::runtime::Handle) -> (Session, mpsc::Receiver<Event>) {
    start_with(config, runtime, Backends::default())
}

/// Starts a session with other back-ends; see [`start`].
#[must_use]
pub fn start_with(
    config: Config,
    runtime: &tokio::runtime::Handle,
    backends: Backends,
) -> (Session, mpsc::Receiver<Event>) {
    let (commands, inbox) = mpsc::channel(MAX_COMMANDS);
    let (requests, receiver) = media_requests();
    let (wishes, newest) = watch::channel(Vec::new());
    let (events, event_reader) = mpsc::channel(MAX_EVENTS);
    let shared = Shared::default();
    let tasks = Arc::clone(&backends.stack);
    let ends =
        driver::Ends { commands: inbox, requests: receiver, wishes: newest, events, shared: shared.clone(), backends };
    let _context = runtime.enter();
    // The task ends with the session; the handle is not needed.
    let _ = task::spawn(&tasks, driver::run(config, ends));
    (Session { commands, requests, wishes: Arc::new(wishes), shared }, event_reader)
}

impl Session {
    /// Executes a command in the meeting.
    ///
    /// # Errors
    /// Returns [`Busy`] if [`MAX_COMMANDS`] commands wait or the session is over. Then the command has no effect.
    pub fn send(&self, command: meeting::Command) -> Result<(), Busy> {
        self.commands.try_send(command).map_err(|_| Busy)
    }

    /// Publishes a track, or replaces its layers. Audio has no layers. Frames are dropped until the transport is
    /// connected; then a key frame is requested. If the session is over, the returned sender is closed.
    #[must_use]
    pub fn publish(&self, slot: Slot, layers: Vec<SpatialLayer>) -> FrameSender {
        let (frame_sender, queue) = frame_sender();
        self.requests.publish(slot, Publication::Published { layers, queue });
        frame_sender
    }

    /// Stops sending the track of `slot`.
    pub fn unpublish(&self, slot: Slot) {
        self.requests.publish(slot, Publication::Unpublished);
    }

    /// Sets the sizes at which tracks are shown. The list replaces the one before.
    pub fn set_wishes(&self, tiles: Vec<TileWish>) {
        self.wishes.send_replace(tiles);
    }

    /// Sets how much of the network the session may use. Replaces the limits before.
    pub fn set_limits(&self, limits: Limits) {
        self.requests.set_limits(limits);
    }

    /// Sets what the network carried before. Later limits do not change it.
    pub fn set_last_rates(&self, rates: LastRates) {
        self.requests.set_last_rates(rates);
    }

    /// Requests a key frame of `track`, whose decoder needs one.
    pub fn key_frame(&self, track: TrackId) {
        self.requests.request_key_frame(track);
    }

    /// Asks the server for [`Event::Totals`].
    pub fn request_totals(&self) {
        self.requests.request_totals();
    }

    /// Returns the invitation link, or `None` before this client is a member. It changes with
    /// [`meeting::Event::LinkChanged`].
    #[must_use]
    pub fn link(&self) -> Option<crypto::SecretLink> {
        self.shared.link()
    }

    /// Takes the entry by which the organiser comes back to this meeting. `None` before the channel of events is
    /// closed, for other members, and at a second call. It holds the meeting's keys, which are wiped when it is dropped.
    #[must_use]
    pub fn take_return_entry(&self) -> Option<meeting::Entry> {
        self.shared.take_return_entry()
    }

    /// Drops this handle, and returns a function that works like [`Session::take_return_entry`]. Unlike a handle, the
    /// function does not keep the client in the meeting.
    pub fn into_return_entry_getter(self) -> impl FnOnce() -> Option<meeting::Entry> + Send + use<> {
        let shared = self.shared;
        move || shared.take_return_entry()
    }
}

/// The maximum number of commands that wait for the keys thread.
pub const MAX_COMMANDS: usize = 64;

/// The capacity of the event channel.
pub const MAX_EVENTS: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use ::media::BufferPool;
    use crypto::{Identity, KeyRing, ManagerKeys, Profile};
    use meeting::{Command, MediaState};
    use proto::ParticipantId;

    /// Returns a session whose tasks never run, so that everything sent to it waits.
    fn stopped() -> (tokio::runtime::Runtime, Session) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (identity, profile) = (Identity::generate().unwrap(), Profile::new("tester").unwrap());
        let config = Config {
            entry: meeting::Entry::Create { keys: ManagerKeys::new().unwrap(), identity, profile },
            host: "127.0.0.1".into(),
            port: 1,
            fingerprint: None,
            ring: KeyRing::new(),
            pool: BufferPool::new(1),
        };
        let (session, _) = start(config, runtime.handle());
        (runtime, session)
    }

    fn request_many_key_frames(session: &Session) {
        for owner in 0..1_000 {
            session.key_frame(TrackId { owner: ParticipantId(owner), slot: Slot::Camera });
        }
    }

    #[test]
    fn key_frame_requests_do_not_displace_commands() {
        let (_runtime, session) = stopped();
        request_many_key_frames(&session);
        assert_eq!(session.send(Command::Remove(ParticipantId(1))), Ok(()));
        assert_eq!(session.send(Command::Leave), Ok(()));
    }

    #[test]
    fn commands_do_not_displace_media_requests() {
        let (_runtime, session) = stopped();
        for _ in 0..=MAX_COMMANDS {
            // The last one overflows.
            session.send(Command::Announce(MediaState::default())).ok();
        }
        let frame_sender = session.publish(Slot::Camera, Vec::new());
        assert!(!frame_sender.is_closed());
    }

    #[test]
    fn an_unpublish_is_not_lost_among_other_requests() {
        let (_runtime, session) = stopped();
        let frame_sender = session.publish(Slot::Camera, Vec::new());
        request_many_key_frames(&session);
        session.unpublish(Slot::Camera);
        assert!(frame_sender.is_closed(), "its frames are not read any more");
    }

    #[test]
    fn an_overflow_of_commands_is_an_error() {
        let (_runtime, session) = stopped();
        for _ in 0..MAX_COMMANDS {
            assert_eq!(session.send(Command::Announce(MediaState::default())), Ok(()));
        }
        assert_eq!(session.send(Command::Leave), Err(Busy));
    }
}
