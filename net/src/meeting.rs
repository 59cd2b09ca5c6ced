//! One client's part in a meeting: how it comes in, who is here, which keys hold, and how it ends.
//!
//! Pure: no socket, no clock, no thread. The driver hands in what the server said and what the person wants, each with
//! the time, and takes out what to say ([`Meeting::poll_transmit`]), what happened ([`Meeting::poll_event`]) and when
//! to call again ([`Meeting::poll_timeout`]). docs/protocol.md is the prose. Media descriptions are the driver's: they
//! pass by here unread.

mod entrance;
mod envelope;
mod event;
mod log;
mod plan;
mod room;
mod state;
#[cfg(test)]
mod tests;

pub use event::{Command, Entry, Event, Fault, Notice, Person, ProtocolViolation, Reason};
pub use state::{MediaState, Microphone};

use crypto::Invitation;
use entrance::{Entrance, Step};
use proto::{Down, ParticipantId, Up};
use room::Room;
use std::collections::VecDeque;
use std::mem;
use std::time::{Duration, Instant};

/// One client's part in one meeting. Made for one connection: after its last event it stays over.
pub struct Meeting {
    phase: Phase,
    outbox: Outbox,
    /// When the server last said anything.
    heard: Instant,
    /// What this client sends, kept from before it was let in.
    own: MediaState,
    /// Without the address, for a meeting that was created here.
    invitation: Option<Invitation>,
}

enum Phase {
    Outside(Box<Entrance>),
    Inside(Box<Room>),
    Over,
}

impl Meeting {
    /// Starts on the way in; there is a [`Up::Hello`] to transmit. `now` is when the connection stood.
    #[must_use]
    pub fn new(entry: Entry, now: Instant) -> Self {
        let mut outbox = Outbox::default();
        let (phase, invitation) = match Entrance::new(entry, &mut outbox) {
            Ok((entrance, invitation)) => (Phase::Outside(Box::new(entrance)), Some(invitation)),
            Err(end) => {
                outbox.end(end);
                (Phase::Over, None)
            }
        };
        Self { phase, outbox, heard: now, own: MediaState::default(), invitation }
    }

    /// The link that others join by, with the server's address as this client knows it. `None` where no keys could be
    /// made at the start.
    #[must_use]
    pub fn invitation(&self, host: &str, port: u16, fingerprint: Option<[u8; 32]>) -> Option<Invitation> {
        let known = self.invitation.clone()?;
        Some(Invitation { host: host.to_owned(), port, fingerprint, ..known })
    }

    /// What this client is called; `None` while it is outside.
    #[must_use]
    pub fn me(&self) -> Option<ParticipantId> {
        match &self.phase {
            Phase::Inside(room) => Some(room.me()),
            Phase::Outside(_) | Phase::Over => None,
        }
    }

    /// True once the last event has been queued.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Over)
    }

    /// Does what the person wants.
    pub fn handle_command(&mut self, command: Command, now: Instant) {
        if let Command::Announce(state) = command {
            self.own = state;
        }
        match (&mut self.phase, command) {
            (Phase::Over, _) | (Phase::Outside(_), Command::Announce(_)) => {}
            (_, Command::Leave) => {
                self.outbox.transmit(Up::Leave);
                self.end(End::For(Reason::Left));
            }
            (Phase::Outside(_), Command::Remove(_) | Command::Refresh) => self.outbox.notice(Notice::NotAllowed),
            (Phase::Inside(room), command) => room.handle_command(command, now, &mut self.outbox),
        }
    }

    /// Takes in what the server said.
    pub fn handle_message(&mut self, message: Down, now: Instant) {
        if self.is_over() {
            return;
        }
        self.heard = now;
        let outcome = match message {
            Down::Ping => {
                self.outbox.transmit(Up::Pong);
                Ok(())
            }
            Down::Problem { problem } => Err(End::For(Reason::Problem(problem))),
            Down::Removed => Err(End::Removed),
            Down::Hello { .. }
            | Down::Created
            | Down::AdmissionKey { .. }
            | Down::Admitted { .. }
            | Down::Refused { .. } => self.step(message, now),
            Down::Knocked { .. } | Down::Withdrew { .. } | Down::Log { .. } | Down::Lost { .. } => {
                self.inside(message, now)
            }
        };
        if let Err(end) = outcome {
            self.end(end);
        }
    }

    /// The server sent bytes that are no message.
    pub fn handle_malformed(&mut self) {
        self.end(End::For(Reason::ProtocolViolation(ProtocolViolation::Malformed)));
    }

    /// The connection is gone. Here a way to resume the meeting on another connection would begin.
    pub fn handle_disconnected(&mut self) {
        self.end(End::For(Reason::ConnectionLost));
    }

    /// Does what is due. Early calls do no harm.
    pub fn handle_timeout(&mut self, now: Instant) {
        if !self.is_over() && now >= self.heard + SILENCE {
            return self.end(End::For(Reason::ServerSilent));
        }
        let outcome = match &mut self.phase {
            Phase::Outside(entrance) => {
                entrance.handle_timeout(now, &mut self.outbox);
                Ok(())
            }
            Phase::Inside(room) => room.handle_timeout(now, &mut self.outbox),
            Phase::Over => Ok(()),
        };
        if let Err(end) = outcome {
            self.end(end);
        }
    }

    /// The next message for the server.
    pub fn poll_transmit(&mut self) -> Option<Up> {
        self.outbox.transmits.pop_front()
    }

    /// The next thing that happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.outbox.events.pop_front()
    }

    /// When to call [`Self::handle_timeout`]; `None` once it is over.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let due = match &self.phase {
            Phase::Outside(entrance) => entrance.poll_timeout(),
            Phase::Inside(room) => room.poll_timeout(),
            Phase::Over => return None,
        };
        let silent = self.heard + SILENCE;
        Some(due.map_or(silent, |due| due.min(silent)))
    }

    /// One step on the way in.
    fn step(&mut self, message: Down, now: Instant) -> Result<(), End> {
        let Phase::Outside(entrance) = mem::replace(&mut self.phase, Phase::Over) else {
            return Err(ProtocolViolation::Unexpected.into());
        };
        self.phase = match entrance.handle_message(message, now, &mut self.outbox)? {
            Step::Outside(entrance) => Phase::Outside(entrance),
            Step::Inside(arrival) => Phase::Inside(Box::new(Room::enter(*arrival, self.own, now, &mut self.outbox)?)),
        };
        Ok(())
    }

    fn inside(&mut self, message: Down, now: Instant) -> Result<(), End> {
        match &mut self.phase {
            Phase::Inside(room) => room.handle_message(message, now, &mut self.outbox),
            Phase::Outside(_) | Phase::Over => Err(ProtocolViolation::Unexpected.into()),
        }
    }

    /// Tells the end once, and lets go of all keys.
    fn end(&mut self, end: End) {
        self.phase = Phase::Over;
        self.outbox.end(end);
    }
}

/// What waits for the driver. Each message that comes in puts in a bounded number.
#[derive(Default)]
struct Outbox {
    transmits: VecDeque<Up>,
    events: VecDeque<Event>,
    ended: bool,
}

impl Outbox {
    fn transmit(&mut self, message: Up) {
        self.transmits.push_back(message);
    }

    fn event(&mut self, event: Event) {
        self.events.push_back(event);
    }

    fn notice(&mut self, notice: Notice) {
        self.event(Event::Notice(notice));
    }

    fn end(&mut self, end: End) {
        if mem::replace(&mut self.ended, true) {
            return;
        }
        self.event(match end {
            End::Refused => Event::Refused,
            End::Removed => Event::Removed,
            End::For(reason) => Event::Ended(reason),
        });
    }
}

/// The last event, on its way up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Refused,
    Removed,
    For(Reason),
}

impl From<Reason> for End {
    fn from(reason: Reason) -> Self {
        Self::For(reason)
    }
}

impl From<ProtocolViolation> for End {
    fn from(breach: ProtocolViolation) -> Self {
        Self::For(Reason::ProtocolViolation(breach))
    }
}

/// The server pings every 2 s; four of them missing is no accident.
pub const SILENCE: Duration = Duration::from_secs(8);

/// How long a knock goes unanswered before the person hears of it.
pub const KNOCK_PATIENCE: Duration = Duration::from_secs(10);

/// How long the server may leave a commit neither won nor lost: the largest one needs this long on a slow uplink.
pub const COMMIT_PATIENCE: Duration = Duration::from_secs(30);

/// The organiser removes who is gone; if nothing happens, the next in rank does so this much later, and so on.
pub const REMOVAL_STEP: Duration = Duration::from_secs(4);
