//! The state machine of one client in one meeting: joining, members, keys, and the end.
//!
//! Pure: no socket, no clock, no thread. The caller (`keys_thread`) passes in the server's messages and the user's
//! commands, each with the time, and polls for messages to send ([`Meeting::poll_transmit`]), events
//! ([`Meeting::poll_event`]) and the next deadline ([`Meeting::poll_timeout`]). docs/protocol.md describes the
//! messages. A call may take many milliseconds, because it computes HPKE, signatures and the MLS tree.

mod admissions;
mod announcements;
mod envelope;
mod event;
mod group_log;
mod joined_meeting;
mod joining;
mod outputs;
mod removals;
mod roster;
mod state;
#[cfg(test)]
mod tests;
mod timing;

pub use event::{Command, Entry, Event, Member, Notice};
pub use state::{MediaState, Microphone};

use crypto::Invitation;
use event::Violation;
use joined_meeting::JoinedMeeting;
use joining::{Joining, Next};
use outputs::Outputs;
use proto::{Down, ParticipantId, Reason, Up};
use std::mem;
use std::time::{Duration, Instant};

/// One client in one meeting, over one connection. It cannot be used again after [`Event::Ended`].
pub struct Meeting {
    phase: Phase,
    outputs: Outputs,
    /// When the server's last message arrived.
    last_received: Instant,
    /// What this client sends. It is used when the client becomes a member.
    own_state: MediaState,
    /// `None` if keys could not be generated. Lacks the server's address if this client created the meeting.
    invitation: Option<Invitation>,
}

enum Phase {
    Joining(Box<Joining>),
    Member(Box<JoinedMeeting>),
    Over,
}

impl Meeting {
    /// Starts to join. The first message to send is [`Up::Hello`]. `now` is when the connection was established.
    #[must_use]
    pub fn new(entry: Entry, now: Instant) -> Self {
        let mut outputs = Outputs::default();
        let (phase, invitation) = match Joining::new(entry, &mut outputs) {
            Ok((joining, invitation)) => (Phase::Joining(Box::new(joining)), Some(invitation)),
            Err(reason) => {
                outputs.end(reason);
                (Phase::Over, None)
            }
        };
        Self { phase, outputs, last_received: now, own_state: MediaState::default(), invitation }
    }

    /// Returns the invitation link with the server's address as this client knows it. Returns `None` if no keys could
    /// be generated at the start.
    #[must_use]
    pub fn invitation(&self, host: &str, port: u16, fingerprint: Option<[u8; 32]>) -> Option<Invitation> {
        let known = self.invitation.clone()?;
        Some(Invitation { host: host.to_owned(), port, fingerprint, ..known })
    }

    /// Returns this client's id, or `None` if it is not a member.
    #[must_use]
    pub fn me(&self) -> Option<ParticipantId> {
        match &self.phase {
            Phase::Member(joined) => Some(joined.me()),
            Phase::Joining(_) | Phase::Over => None,
        }
    }

    /// Returns true once [`Event::Ended`] has been queued.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Over)
    }

    /// Executes a command of the user.
    pub fn handle_command(&mut self, command: Command, now: Instant) {
        if let Command::Announce(state) = command {
            self.own_state = state;
        }
        match (&mut self.phase, command) {
            (Phase::Over, _) | (Phase::Joining(_), Command::Announce(_)) => {}
            (Phase::Joining(_) | Phase::Member(_), Command::Leave) => {
                self.outputs.transmit(Up::Leave);
                self.end(Reason::Left);
            }
            (Phase::Joining(_), Command::Remove(_) | Command::Refresh) => self.outputs.notice(Notice::NotAllowed),
            (Phase::Member(joined), command) => joined.handle_command(command, now, &mut self.outputs),
        }
    }

    /// Processes a message of the server.
    pub fn handle_message(&mut self, message: Down, now: Instant) {
        if self.is_over() {
            return;
        }
        self.last_received = now;
        if let Err(reason) = self.dispatch(message, now) {
            self.end(reason);
        }
    }

    fn dispatch(&mut self, message: Down, now: Instant) -> Result<(), Reason> {
        match message {
            Down::Ping => self.outputs.transmit(Up::Pong),
            Down::Problem { problem } => return Err(problem.into()),
            Down::Removed => return Err(Reason::Removed),
            Down::Hello { .. }
            | Down::Created
            | Down::AdmissionKey { .. }
            | Down::Admitted { .. }
            | Down::Refused { .. } => self.handle_joining(message, now)?,
            Down::Knocked { participant, request } => {
                let (joined, outputs) = self.joined()?;
                joined.handle_knock(participant, &request, now, outputs);
            }
            Down::Withdrew { participant } => {
                let (joined, outputs) = self.joined()?;
                joined.handle_withdrawal(participant, now, outputs);
            }
            Down::Log { position, entry } => {
                let (joined, outputs) = self.joined()?;
                joined.handle_log_entry(position, entry, now, outputs)?;
            }
            Down::CommitTooLate { epoch } => {
                let (joined, outputs) = self.joined()?;
                joined.handle_commit_too_late(epoch, now, outputs);
            }
        }
        Ok(())
    }

    /// Ends the meeting because the server sent bytes that are not a message.
    pub fn handle_malformed(&mut self) {
        self.end(Violation::Malformed.into());
    }

    /// Ends the meeting because the connection is closed.
    pub fn handle_disconnected(&mut self) {
        self.end(Reason::Unreachable("the connection to the server was lost".into()));
    }

    /// Does what is due at `now`. A call before [`Self::poll_timeout`] has no effect.
    pub fn handle_timeout(&mut self, now: Instant) {
        if !self.is_over() && now >= self.last_received + SERVER_TIMEOUT {
            return self.end(Reason::ServerSilent);
        }
        let outcome = match &mut self.phase {
            Phase::Joining(joining) => {
                joining.handle_timeout(now, &mut self.outputs);
                Ok(())
            }
            Phase::Member(joined) => joined.handle_timeout(now, &mut self.outputs),
            Phase::Over => Ok(()),
        };
        if let Err(reason) = outcome {
            self.end(reason);
        }
    }

    /// Returns the next message to send to the server.
    pub fn poll_transmit(&mut self) -> Option<Up> {
        self.outputs.poll_transmit()
    }

    /// Returns the next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.outputs.poll_event()
    }

    /// Returns when to call [`Self::handle_timeout`], or `None` if the meeting is over.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let due = match &self.phase {
            Phase::Joining(joining) => joining.poll_timeout(),
            Phase::Member(joined) => joined.poll_timeout(),
            Phase::Over => return None,
        };
        let silent = self.last_received + SERVER_TIMEOUT;
        Some(due.map_or(silent, |due| due.min(silent)))
    }

    fn handle_joining(&mut self, message: Down, now: Instant) -> Result<(), Reason> {
        let Phase::Joining(joining) = mem::replace(&mut self.phase, Phase::Over) else {
            return Err(Violation::Unexpected.into());
        };
        self.phase = match joining.handle_message(message, now, &mut self.outputs)? {
            Next::Joining(joining) => Phase::Joining(joining),
            Next::Member(new_member) => {
                Phase::Member(Box::new(JoinedMeeting::new(*new_member, self.own_state, now, &mut self.outputs)?))
            }
        };
        Ok(())
    }

    fn joined(&mut self) -> Result<(&mut JoinedMeeting, &mut Outputs), Reason> {
        match &mut self.phase {
            Phase::Member(joined) => Ok((joined, &mut self.outputs)),
            Phase::Joining(_) | Phase::Over => Err(Violation::Unexpected.into()),
        }
    }

    /// Drops all keys, and queues the last event if it was not queued before.
    fn end(&mut self, reason: Reason) {
        self.phase = Phase::Over;
        self.outputs.end(reason);
    }
}

/// How long the server may send nothing before the meeting ends: four of its pings, which come every 2 s.
pub const SERVER_TIMEOUT: Duration = Duration::from_secs(8);
