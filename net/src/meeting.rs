//! The state machine of one client in one meeting: joining, members, keys, recovery, and the end.
//!
//! Pure: no socket, no thread, and no clock but the caller's. The caller (`keys_thread`) passes in the server's messages,
//! the connection's changes and the user's commands, each with the time, and polls for messages to send
//! ([`Meeting::poll_transmit`]), for the wish to connect again ([`Meeting::poll_reconnect`]), events
//! ([`Meeting::poll_event`]) and the next deadline ([`Meeting::poll_timeout`]). docs/protocol.md describes the
//! messages. A call may take many milliseconds, because it computes HPKE, signatures and the MLS tree.
//!
//! A member whose connection is lost resumes on another one. A member that cannot follow the group, as a manager's
//! signature shows, enters it again. If this client is removed, [`Down::Removed`] arrives from the server, or the commit
//! that removes it. Both end the meeting with [`Reason::Removed`] or [`Reason::RemovedBy`], or send this client back to the waiting
//! room if its device is not barred.

mod admissions;
mod announcements;
pub mod chat;
mod claim;
mod context;
mod early_commands;
mod entrant;
mod envelope;
mod event;
mod exits;
mod floor;
mod group_log;
mod hands;
mod history;
#[doc(hidden)]
pub mod hostile;
mod joined_meeting;
mod joining;
mod key_sharing;
mod lobby;
mod malformed;
mod manager;
mod member_messages;
mod moderation;
mod moderation_message;
mod outputs;
mod pending_end;
mod phase;
mod policy_changes;
mod problems;
mod recovery;
mod refresh;
mod refusals;
mod rejections;
mod removals;
mod returns;
mod roster;
mod state;
mod stop;
#[cfg(test)]
mod tests;
mod timing;
mod tree_parts;
mod unread_commit;
mod upload_pacer;
#[doc(hidden)]
pub mod vectors;
pub mod verification;
mod waiting_chat;

pub use event::{Command, Entry, Event, Member, Notice, PolicyRefusal, PolicyState};
pub use lobby::{Evidence, IdentityClass, LobbyAuthor, LobbyEvent, MAX_LOBBY_TEXT, lobby_text};
pub use moderation_message::{FloorOrder, FloorTarget};
pub use state::{MediaState, Microphone, SendLimit};
pub use timing::{RECOVERY_TIMEOUT, SERVER_TIMEOUT};

use context::{Context, clock_ahead, clock_notice};
use crypto::{Fingerprint, Invitation, MeetingPolicy};
use early_commands::EarlyCommands;
use entrant::Entrant;
use event::{Exit, Violation};
use joined_meeting::JoinedMeeting;
use joining::{Goal, Joining, Next};
use manager::Manager;
use outputs::Outputs;
use pending_end::PendingEnd;
use phase::{Phase, joining};
use proto::{Down, ParticipantId, Position, Problem, Reason, Up, VERSION};
use recovery::{Recovery, Route, Stage};
use std::mem;
use std::time::{Instant, SystemTime};
use timing::{MAX_BLAMELESS_DELAY, MAX_REJOIN_DELAY, REJOIN_DELAY, REJOIN_MEMORY, RETURN_TIMEOUT};
use unread_commit::UnreadCommit;

/// Returns this computer's clock at a moment. A test can return another one.
pub type WallClock = Box<dyn Fn(Instant) -> SystemTime + Send>;

/// One client in one meeting, over one connection at a time. It cannot be used again after [`Event::Ended`].
pub struct Meeting {
    phase: Phase,
    outputs: Outputs,
    manager: Option<Manager>,
    entrant: Entrant,
    wall_clock: WallClock,
    /// How many seconds this computer's clock is ahead of the server's.
    clock_ahead: i64,
    /// When the server's last message arrived.
    last_received: Instant,
    /// What this client sends. It is used when the client becomes a member.
    own_state: MediaState,
    /// When this client last entered the group again, and how often it did so.
    rejoined: Option<(Instant, u32)>,
    pending_end: PendingEnd,
    early: EarlyCommands,
}

impl Meeting {
    /// Starts to enter. The first message to send is [`Up::Hello`]. `now` is when the connection was established.
    #[must_use]
    pub fn new(entry: Entry, wall_clock: WallClock, now: Instant) -> Self {
        let (goal, keys, link, identity, profile) = match entry {
            Entry::Create { keys, identity, profile } => (Goal::Create, Some(keys), None, identity, profile),
            Entry::Return { keys, identity, profile } => {
                (Goal::Return(RETURN_TIMEOUT), Some(keys), None, identity, profile)
            }
            Entry::Join { invitation, identity, profile } => (Goal::Join, None, Some(invitation), identity, profile),
        };
        let mut meeting = Self {
            phase: Phase::Over,
            outputs: Outputs::default(),
            manager: keys.map(Manager::new),
            entrant: Entrant { identity, profile, link, complaint: None },
            wall_clock,
            clock_ahead: 0,
            last_received: now,
            own_state: MediaState::default(),
            rejoined: None,
            pending_end: PendingEnd::default(),
            early: EarlyCommands::default(),
        };
        let joining = Joining::new(goal, &mut meeting.parts(now).1);
        meeting.phase = Phase::Joining(joining);
        meeting.outputs.event(Event::Approaching);
        meeting
    }

    /// Returns the invitation link with the server's address as this client knows it. It changes with
    /// [`Event::LinkChanged`].
    #[must_use]
    pub fn invitation(&self, host: &str, port: u16, fingerprint: Option<Fingerprint>) -> Option<Invitation> {
        let own = self.manager.as_ref().map(|manager| manager.keys().invitation(host, port, fingerprint));
        own.or_else(|| Some(self.entrant.link.as_ref()?.at(host, port, fingerprint)))
    }

    /// Returns this client's id, or `None` if it is not a member.
    #[must_use]
    pub fn me(&self) -> Option<ParticipantId> {
        self.phase.joined().map(JoinedMeeting::me)
    }

    /// Returns the policy of the group, or `None` if this client is not a member.
    #[must_use]
    pub fn policy(&self) -> Option<&MeetingPolicy> {
        self.phase.joined().map(|joined| joined.log.group().policy())
    }

    /// Returns true once [`Event::Ended`] has been queued.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Over)
    }

    /// Returns the entry by which the organiser comes back to this meeting; `None` for others.
    #[must_use]
    pub fn into_return_entry(self) -> Option<Entry> {
        let Entrant { identity, profile, .. } = self.entrant;
        self.manager.map(|manager| Entry::Return { keys: manager.into_keys(), identity, profile })
    }

    /// Executes a command of the user.
    pub fn handle_command(&mut self, command: Command, now: Instant) {
        if let Command::Announce(state) = command {
            self.own_state = state;
        }
        if self.early.keep(&command, self.phase.joined()) {
            return;
        }
        let (phase, mut context) = self.parts(now);
        match (phase, command) {
            (phase @ (Phase::Joining(_) | Phase::Recovering(None, _)), Command::WriteLobby { to: None, text }) => {
                match joining(phase) {
                    Some(joining) => joining.write(&text, &mut context),
                    None => context.outputs.notice(Notice::NotAllowed),
                }
            }
            (Phase::Over, _) | (Phase::Joining(_) | Phase::Recovering(None, _), Command::Announce(_)) => {}
            (phase @ (Phase::Joining(_) | Phase::Member(_) | Phase::Recovering(..)), Command::Leave) => {
                if let Phase::Member(joined) = phase {
                    joined.admissions.withdraw(&mut context);
                }
                self.outputs.transmit(Up::Leave);
                end(self, Reason::Left);
            }
            (Phase::Member(_), Command::End) => handle_end(self, PendingEnd::request, now),
            (Phase::Joining(_) | Phase::Recovering(None, _), _) | (Phase::Recovering(..), Command::End) => {
                context.outputs.notice(Notice::NotAllowed);
            }
            (Phase::Member(joined) | Phase::Recovering(Some(joined), _), command) => {
                joined.handle_command(command, &mut context);
            }
        }
    }

    /// Processes a message of the server.
    pub fn handle_message(&mut self, message: Down, now: Instant) {
        if self.is_over() {
            return;
        }
        self.last_received = now;
        if let Down::Hello { time, .. } = message {
            let before = mem::replace(&mut self.clock_ahead, clock_ahead((self.wall_clock)(now), time));
            // A wrong clock matters only to an organiser and to a client that asks to join. Such a client gets a refusal.
            if self.manager.is_some()
                && let (Some(notice), None) = (clock_notice(self.clock_ahead), clock_notice(before))
            {
                self.outputs.notice(notice);
            }
        }
        let outcome = match self.phase {
            Phase::Recovering(..) => self.handle_recovering(message, now),
            Phase::Joining(_) | Phase::Member(_) | Phase::Over => self.dispatch(message, now),
        };
        self.follow(outcome, now);
    }

    fn dispatch(&mut self, message: Down, now: Instant) -> Result<(), Exit> {
        match message {
            Down::Ping => {
                let (phase, mut context) = self.parts(now);
                let position = match phase {
                    Phase::Member(joined) => joined.handle_ping(&mut context),
                    Phase::Joining(_) | Phase::Recovering(..) | Phase::Over => Position::default(),
                };
                context.outputs.transmit(Up::Pong { position });
                return Ok(());
            }
            Down::Problem { problem } => return Err(problems::reason(problem, self.phase.awaited()).into()),
            Down::Lobby { .. } if matches!(self.phase, Phase::Joining(_)) => {
                return Ok(self.handle_joining(message, now)?);
            }
            Down::Hello { .. }
            | Down::Created { .. }
            | Down::AdmissionKey { .. }
            | Down::Admitted { .. }
            | Down::Tree { .. }
            | Down::Refused { .. } => return Ok(self.handle_joining(message, now)?),
            Down::Resumed => return Err(Violation::Unexpected.into()),
            Down::Knocked { .. }
            | Down::Withdrew { .. }
            | Down::Log { .. }
            | Down::CommitTooLate { .. }
            | Down::Removed { .. }
            | Down::Returned { .. }
            | Down::Beacon { .. }
            | Down::MemberBeacon { .. }
            | Down::Presence { .. }
            | Down::Skipped { .. }
            | Down::Lobby { .. }
            | Down::Relayed { .. }
            | Down::Ended { .. } => {}
        }
        let (Phase::Member(joined), mut context) = self.parts(now) else {
            return Err(Violation::Unexpected.into());
        };
        member_messages::handle(joined, message, &mut context)
    }

    /// Handles a message during a recovery.
    fn handle_recovering(&mut self, message: Down, now: Instant) -> Result<(), Exit> {
        let (Phase::Recovering(_, recovery), context) = self.parts(now) else { return Ok(()) };
        let awaited = recovery.awaited();
        match (recovery.stage(), message) {
            // What was on its way on the connection before.
            (Stage::Waiting(_) | Stage::Connecting, _) => {}
            (_, Down::Ping) => context.outputs.transmit(Up::Pong { position: Position::default() }),
            (Stage::Resuming, Down::Problem { problem: Problem::NotResumable }) => {
                recovery.give_up_resuming(now);
            }
            (_, Down::Problem { problem: Problem::Draining | Problem::ServerFull | Problem::Idle }) => {
                return Err(Exit::Lost);
            }
            (_, Down::Problem { problem }) => return Err(problems::reason(problem, awaited).into()),
            (Stage::Joining(_), message) => return self.handle_rejoining(message, now),
            (Stage::Greeting | Stage::Resuming, message) => {
                let (phase, context) = self.parts(now);
                return handle_resuming(phase, message, context);
            }
        }
        Ok(())
    }

    /// Handles a message while this client joins again.
    fn handle_rejoining(&mut self, message: Down, now: Instant) -> Result<(), Exit> {
        let Phase::Recovering(joined, mut recovery) = mem::replace(&mut self.phase, Phase::Over) else { return Ok(()) };
        let stage = mem::replace(recovery.stage(), Stage::Connecting);
        let Stage::Joining(joining) = stage else { return Ok(()) };
        let own_state = self.own_state;
        let (_, mut context) = self.parts(now);
        let was_waiting = joining.is_waiting();
        self.phase = match joining.handle_message(message, &mut context) {
            Ok(Next::Joining(joining)) => {
                // The screens show a client that was sent back like one that has never been in the meeting.
                if joined.is_none() && context.manager.is_none() && joining.is_waiting() && !was_waiting {
                    context.outputs.event(Event::Knocking);
                }
                *recovery.stage() = Stage::Joining(joining);
                Phase::Recovering(joined, recovery)
            }
            Ok(Next::Member(new_member)) => {
                context.entrant.complaint = None;
                Phase::Member(Box::new(match joined {
                    Some(joined) => joined.again(*new_member, &mut context)?,
                    None => JoinedMeeting::new(*new_member, own_state, &mut context)?,
                }))
            }
            Err(Reason::FalseWelcome) if recovery.handle_false_welcome(now) => {
                exits::leave_after_false_welcome(&mut context);
                Phase::Recovering(joined, recovery)
            }
            Err(reason) => return Err(reason.into()),
        };
        Ok(())
    }

    /// The connection to the server that [`Self::poll_reconnect`] asked for is established.
    pub fn handle_connected(&mut self, now: Instant) {
        self.last_received = now;
        let (Phase::Recovering(joined, recovery), mut context) = self.parts(now) else { return };
        let goal = if context.manager.is_some() { Goal::Return(recovery.patience()) } else { Goal::Join };
        *recovery.stage() = match (recovery.route(), joined) {
            (Route::Resume, Some(joined)) => {
                context.outputs.transmit(Up::Hello { version: VERSION });
                // Commands of a manager are this member's again.
                if let Some(manager) = context.manager {
                    manager.set_me(joined.me());
                }
                Stage::Greeting
            }
            (Route::Resume, None) | (Route::Rejoin, _) => Stage::Joining(Joining::new(goal, &mut context)),
        };
    }

    /// Ends the meeting because the server sent bytes that are not a message.
    pub fn handle_malformed(&mut self) {
        end(self, Violation::Malformed.into());
    }

    /// The connection is closed, or could not be established. A member tries to come back.
    pub fn handle_disconnected(&mut self, now: Instant) {
        let outcome = match self.phase {
            Phase::Over => Ok(()),
            Phase::Member(_) | Phase::Recovering(..) => Err(Exit::Lost),
            Phase::Joining(_) => Err(exits::lost_connection().into()),
        };
        self.follow(outcome, now);
    }

    /// Handles a change of the network path to the server, or the end of a sleep of the computer. A member connects again
    /// immediately. A client that is not a member yet waits until its connection ends.
    pub fn handle_network_change(&mut self, now: Instant) {
        match &mut self.phase {
            Phase::Member(_) => self.lose_connection(now),
            Phase::Recovering(_, recovery) => {
                self.outputs.drop_transmits();
                recovery.restart(now);
            }
            Phase::Joining(_) | Phase::Over => {}
        }
    }

    /// Does what is due at `now`. A call before [`Self::poll_timeout`] has no effect.
    pub fn handle_timeout(&mut self, now: Instant) {
        let silent = self.phase.expects_server() && now >= self.last_received + SERVER_TIMEOUT;
        let (phase, mut context) = self.parts(now);
        let mut attempt = false;
        let outcome = match phase {
            Phase::Over => Ok(()),
            Phase::Joining(_) if silent => Err(Reason::ServerSilent.into()),
            Phase::Member(_) | Phase::Recovering(..) if silent => Err(Exit::Lost),
            Phase::Joining(joining) => joining.handle_timeout(&mut context),
            Phase::Member(joined) => joined.handle_timeout(&mut context),
            Phase::Recovering(_, recovery) => {
                if let Stage::Joining(joining) = recovery.stage() {
                    // The next attempt may get it.
                    joining.handle_timeout(&mut context).map_err(|exit| exits::while_recovering(&exit))
                } else {
                    attempt = recovery.take_attempt(now);
                    if attempt {
                        context.outputs.reconnect();
                    }
                    Ok(())
                }
            }
        };
        if attempt {
            self.last_received = now;
        }
        self.follow(outcome, now);
    }

    /// Returns the next message to send to the server.
    pub fn poll_transmit(&mut self) -> Option<Up> {
        self.outputs.poll_transmit()
    }

    /// Returns true if the caller must close the connection and open another one, after it has sent all messages. It then
    /// calls [`Self::handle_connected`] or [`Self::handle_disconnected`].
    pub fn poll_reconnect(&mut self) -> bool {
        self.outputs.poll_reconnect()
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
            Phase::Member(joined) => joined.poll_timeout(self.manager.is_some()),
            Phase::Recovering(_, recovery) => recovery.poll_timeout(),
            Phase::Over => return None,
        };
        let silent = self.phase.expects_server().then(|| self.last_received + SERVER_TIMEOUT);
        due.into_iter().chain(silent).min()
    }

    fn handle_joining(&mut self, message: Down, now: Instant) -> Result<(), Reason> {
        let Phase::Joining(joining) = mem::replace(&mut self.phase, Phase::Over) else {
            return Err(Violation::Unexpected.into());
        };
        let (was_waiting, own_state) = (joining.is_waiting(), self.own_state);
        let (_, mut context) = self.parts(now);
        self.phase = match joining.handle_message(message, &mut context) {
            Ok(Next::Joining(joining)) => {
                if joining.is_waiting() && !was_waiting {
                    context.outputs.event(Event::Knocking);
                }
                Phase::Joining(joining)
            }
            Ok(Next::Member(new_member)) => {
                Phase::Member(Box::new(JoinedMeeting::new(*new_member, own_state, &mut context)?))
            }
            Err(Reason::FalseWelcome) => {
                exits::leave_after_false_welcome(&mut context);
                let me = context.manager.as_ref().map_or(ParticipantId(0), Manager::me);
                Phase::Recovering(None, Recovery::after_false_welcome(me, now))
            }
            Err(reason) => return Err(reason),
        };
        Ok(())
    }

    /// Does what the outcome of an input demands.
    fn follow(&mut self, outcome: Result<(), Exit>, now: Instant) {
        match outcome {
            Ok(()) => {}
            Err(Exit::Ended(reason)) => end(self, self.pending_end.reason(reason)),
            Err(Exit::Lost) => self.lose_connection(now),
            Err(Exit::CutOff) => self.rejoin(now),
            Err(Exit::SentBack) => wait_again(self, now),
            Err(Exit::Unanswered) => ask_again(self, now),
        }
        handle_end(self, PendingEnd::send, now);
        for command in self.early.take_due(self.phase.joined()) {
            self.handle_command(command, now);
        }
    }

    /// Starts a recovery on another connection, or its next attempt.
    fn lose_connection(&mut self, now: Instant) {
        self.outputs.drop_transmits();
        self.phase = match mem::replace(&mut self.phase, Phase::Over) {
            Phase::Member(mut joined) => {
                joined.handle_lost_connection();
                self.outputs.event(Event::Reconnecting);
                let recovery = Recovery::resume(joined.me(), now);
                Phase::Recovering(Some(joined), recovery)
            }
            // The last attempt has failed already.
            Phase::Recovering(joined, recovery) if !recovery.expects_answer() => Phase::Recovering(joined, recovery),
            Phase::Recovering(joined, mut recovery) => {
                if !recovery.fail(now) {
                    return end(self, exits::lost_connection());
                }
                Phase::Recovering(joined, recovery)
            }
            Phase::Joining(_) | Phase::Over => return end(self, exits::lost_connection()),
        };
    }

    /// Leaves the group, because the others have another one, and enters theirs.
    fn rejoin(&mut self, now: Instant) {
        let count = self.rejoined.filter(|(last, _)| now < *last + REJOIN_MEMORY).map_or(0, |(_, count)| count);
        self.rejoined = Some((now, count + 1));
        let phase = mem::replace(&mut self.phase, Phase::Over);
        let (Phase::Member(mut joined) | Phase::Recovering(Some(mut joined), _)) = phase else {
            return end(self, Violation::Unexpected.into());
        };
        tracing::warn!("this client is cut off from the group and joins again");
        joined.handle_lost_connection();
        self.outputs.transmit(Up::Leave);
        self.outputs.event(Event::Reconnecting);
        // The old connection is closed at once, so that the others learn that this leaf is not used any more.
        let delay = REJOIN_DELAY * 2u32.saturating_pow(count.min(8));
        let unread = joined.log.unread.as_ref();
        let longest = if unread.is_some() { MAX_BLAMELESS_DELAY } else { MAX_REJOIN_DELAY };
        self.entrant.complaint = unread.and_then(UnreadCommit::complaint);
        let recovery = Recovery::rejoin(joined.me(), now, delay.min(longest));
        self.phase = Phase::Recovering(Some(joined), recovery);
    }

    fn parts(&mut self, now: Instant) -> (&mut Phase, Context<'_>) {
        let context = Context {
            now,
            wall: (self.wall_clock)(now),
            clock_ahead: self.clock_ahead,
            entrant: &mut self.entrant,
            manager: &mut self.manager,
            outputs: &mut self.outputs,
        };
        (&mut self.phase, context)
    }
}

/// Drops the group's keys, and queues the last event if it was not queued before.
fn end(meeting: &mut Meeting, reason: Reason) {
    meeting.phase = Phase::Over;
    meeting.outputs.end(reason);
}

/// Lets the end of the meeting do something if the client is a connected member.
fn handle_end(meeting: &mut Meeting, act: fn(&mut PendingEnd, &JoinedMeeting, &mut Context<'_>), now: Instant) {
    let mut pending = mem::take(&mut meeting.pending_end);
    match meeting.parts(now) {
        (Phase::Member(joined), mut context) => act(&mut pending, joined, &mut context),
        (Phase::Joining(_) | Phase::Recovering(..) | Phase::Over, _) => pending.handle_disconnected(),
    }
    meeting.pending_end = pending;
}

/// Drops the keys of a client that was sent back, and lets it ask to join again as soon as possible, with the newest link that
/// it knows.
fn wait_again(meeting: &mut Meeting, now: Instant) {
    let me = meeting.me().unwrap_or(ParticipantId(0));
    if let Some(manager) = meeting.manager.take() {
        meeting.entrant.link = Some(manager.keys().invitation("", 0, None));
    }
    meeting.outputs.drop_transmits();
    meeting.outputs.event(Event::Lobby(LobbyEvent::SentBack));
    meeting.phase = Phase::Recovering(None, Recovery::rejoin(me, now, REJOIN_DELAY));
}

/// Lets a manager that nobody has answered ask again to come back.
fn ask_again(meeting: &mut Meeting, now: Instant) {
    let me = meeting.manager.as_ref().map_or(ParticipantId(0), Manager::me);
    exits::leave_unanswered(&mut meeting.outputs);
    meeting.phase = match mem::replace(&mut meeting.phase, Phase::Over) {
        Phase::Recovering(joined, mut recovery) => {
            recovery.handle_silence(now);
            Phase::Recovering(joined, recovery)
        }
        Phase::Joining(_) | Phase::Member(_) | Phase::Over => Phase::Recovering(None, Recovery::after_silence(me, now)),
    };
}

/// Handles a message while this client resumes.
fn handle_resuming(phase: &mut Phase, message: Down, mut context: Context<'_>) -> Result<(), Exit> {
    let Phase::Recovering(Some(joined), recovery) = phase else { return Ok(()) };
    match (recovery.stage(), message) {
        (stage @ Stage::Greeting, Down::Hello { version: VERSION, .. }) => {
            context.outputs.transmit(member_messages::resume(joined));
            *stage = Stage::Resuming;
        }
        (Stage::Greeting, Down::Hello { .. }) => return Err(Reason::Version.into()),
        (Stage::Resuming, Down::Resumed) => {
            joined.handle_resumed(&mut context);
            if let Phase::Recovering(Some(joined), _) = mem::replace(phase, Phase::Over) {
                *phase = Phase::Member(joined);
            }
        }
        (Stage::Waiting(_) | Stage::Connecting | Stage::Greeting | Stage::Resuming | Stage::Joining(_), _) => {
            return Err(Violation::Unexpected.into());
        }
    }
    Ok(())
}
