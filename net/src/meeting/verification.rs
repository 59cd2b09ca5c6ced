//! What shows a member that it is in the same group as the others: beacons, pictures to compare, and phrases to read aloud.

mod agreement;
mod beacons;
mod emoji;
mod event;
pub(super) mod message;
mod phrase;
mod silence;
mod turns;

pub use emoji::MAX_PARTICIPANTS;
pub use event::{Agreement, Command, EmojiCheck, EmojiFailure, Event, PhraseCheck};

pub(super) use message::VerificationMessage;

use super::context::Context;
use super::group_log::GroupLog;
use super::history::GroupState;
use super::outputs::Outputs;
use super::roster::{self, Roster};
use super::timing::BEACON_INTERVAL;
use super::{Event as MeetingEvent, state};
use agreement::Watch;
use beacons::Beacons;
use crypto::group::beacon;
use emoji::EmojiRounds;
use phrase::Phrases;
use proto::{Blob, ManagerCommand, MemberBeacon, ParticipantId, Up};
use std::time::Instant;

/// What this member knows of the others' groups, and what it tells them.
pub(super) struct Verification {
    beacons: Beacons,
    /// When a manager sends its next beacon.
    manager_beacon: Instant,
    watch: Watch,
    emoji: EmojiRounds,
    phrases: Phrases,
    /// What the user has to be told about a connection that was lost.
    untold: Vec<Event>,
}

impl Verification {
    pub(super) fn new(log: &GroupLog, roster: &Roster, now: Instant) -> Self {
        let mut beacons = Beacons::new(roster.me(), roster.count(), now);
        beacons.handle_epoch(&log.state().transcript, roster.count(), now);
        let mut watch = Watch::new(now);
        watch.set_members(roster, now);
        let (emoji, phrases) = (EmojiRounds::default(), Phrases::default());
        Self { beacons, manager_beacon: now, watch, emoji, phrases, untold: Vec::new() }
    }

    /// Ends, because this client has entered the group again: an alarm is over.
    pub(super) fn end(self, outputs: &mut Outputs) {
        let is_good = self.watch.shown().is_good();
        self.untold.into_iter().for_each(|event| show(event, outputs));
        if !is_good {
            show(Event::Agreement(Agreement::default()), outputs);
        }
    }

    /// Handles a beacon of another member. One without a valid signature is ignored.
    pub(super) fn handle_beacon(
        &mut self,
        from: ParticipantId,
        beacon: &MemberBeacon,
        (log, roster): (&GroupLog, &Roster),
        context: &mut Context<'_>,
    ) {
        self.watch.handle_awake(context.now);
        let leaf = roster.leaf(from).filter(|_| from != roster.me());
        if !leaf.is_some_and(|leaf| beacon::has_signed(log.group(), (from, leaf), beacon)) {
            return;
        }
        let state = GroupState { mls_epoch: beacon.mls_epoch, transcript: beacon.transcript };
        let said = (beacon.counter, beacon.epoch, state);
        if let Some(agrees) = self.watch.handle_beacon(from, said, log, context.now) {
            self.beacons.handle_beacon(!agrees, roster.count(), context.now);
        }
        self.update(context);
    }

    /// Handles a command of the user.
    pub(super) fn handle_command(
        &mut self,
        command: Command,
        (log, roster): (&GroupLog, &Roster),
        context: &mut Context<'_>,
    ) {
        match command {
            Command::CompareEmoji => {
                if let Err(why) = self.emoji.begin(log, roster, context.now) {
                    show(Event::Emoji(EmojiCheck::Failed(why)), context.outputs);
                }
            }
            Command::AskForPhrase(of) => {
                let state = self.phrases.ask(of, log, roster, context.now);
                show(Event::Phrase(state), context.outputs);
            }
        }
    }

    /// Handles an own message in the log.
    pub(super) fn handle_own(&mut self, blob: &Blob, roster: &Roster, context: &mut Context<'_>) {
        show_emoji(self.emoji.handle_own(blob, roster, context.now), context.outputs);
    }

    /// Handles a message of another member, sealed in this epoch.
    pub(super) fn handle_message(
        &mut self,
        author: ParticipantId,
        message: &VerificationMessage,
        facts: (&GroupLog, &Roster),
        context: &mut Context<'_>,
    ) {
        show_emoji(self.emoji.handle_message(author, message, facts, context.now), context.outputs);
        show_phrase(self.phrases.handle_message(author, message, facts, context.now), context.outputs);
    }

    /// Handles the end of the connection. Nonces may be lost with it.
    pub(super) fn handle_lost_connection(&mut self) {
        self.untold.extend(self.emoji.handle_group_change().map(Event::Emoji));
        self.untold.extend(self.phrases.handle_group_change().map(Event::Phrase));
    }

    /// Handles the end of an epoch of the log, also by a commit that was rejected.
    pub(super) fn handle_epoch(&mut self, log: &GroupLog, roster: &Roster, now: Instant) {
        self.manager_beacon = now;
        self.watch.handle_epoch(log, now);
        self.watch.set_members(roster, now);
        self.beacons.handle_epoch(&log.state().transcript, roster.count(), now);
        self.handle_lost_connection();
    }

    /// Handles that somebody has left, or is connected or not.
    pub(super) fn handle_presence(&mut self, roster: &Roster, context: &mut Context<'_>) {
        self.watch.set_members(roster, context.now);
        self.update(context);
    }

    /// Handles that the server has pinged.
    pub(super) const fn handle_ping(&mut self, now: Instant) {
        self.watch.handle_ping(now);
    }

    /// Handles that the connection was resumed.
    pub(super) fn handle_resumed(&mut self, roster: &Roster, now: Instant) {
        self.watch.handle_resumed(now);
        self.watch.set_members(roster, now);
        self.beacons.repeat(now);
    }

    /// Sends what is due, and tells the user what has changed.
    pub(super) fn send(&mut self, (log, roster): (&mut GroupLog, &Roster), context: &mut Context<'_>) {
        self.watch.handle_awake(context.now);
        self.update(context);
        self.send_messages((log, roster), context.outputs);
        if roster.count() > 1
            && let Some(counter) = self.beacons.take(roster.count(), context.now)
        {
            // While this client could not read a commit, its state is not what it has to say.
            if log.unread.is_some() {
                return;
            }
            let GroupState { mls_epoch, transcript } = log.state();
            let signature = [0; proto::SIGNATURE_BYTES];
            let mut beacon = MemberBeacon { counter, epoch: log.epoch(), mls_epoch, transcript, signature };
            beacon::sign(log.group(), roster.me(), &mut beacon);
            context.outputs.transmit(Up::Beacon { beacon });
        }
    }

    /// Sends the messages about pictures and phrases. While a commit is pending, MLS cannot encrypt. Then the next call tries
    /// again.
    fn send_messages(&mut self, (log, roster): (&mut GroupLog, &Roster), outputs: &mut Outputs) {
        while let Some(message) = self.emoji.unsent() {
            let Some(up) = log.seal(&state::Message::Verification(message.clone())) else { return };
            if let Up::Tell { blob, .. } = &up {
                show_emoji(self.emoji.handle_sent(blob, roster.me(), log.group()), outputs);
            }
            outputs.transmit(up);
        }
        while let Some(message) = self.phrases.unsent() {
            let Some(up) = log.seal(&state::Message::Verification(message.clone())) else { return };
            self.phrases.handle_sent();
            outputs.transmit(up);
        }
    }

    /// Tells the others which group is the right one, if this client is a manager and it is time.
    pub(super) fn send_manager_beacon(&mut self, log: &GroupLog, roster: &Roster, context: &mut Context<'_>) {
        if self.manager_beacon > context.now || roster.count() < 2 {
            return;
        }
        if let Some(manager) = context.manager {
            self.manager_beacon = context.now + BEACON_INTERVAL;
            let GroupState { mls_epoch, transcript } = log.state();
            let command = ManagerCommand::Beacon { epoch: log.epoch(), mls_epoch, transcript };
            manager.send(command, context.now, context.outputs);
        }
    }

    /// Returns when [`Self::send`] or [`Self::send_manager_beacon`] has something to do. `manager` is true if this client is a
    /// manager.
    pub(super) fn deadline(&self, roster: &Roster, manager: bool) -> Option<Instant> {
        let rounds = self.emoji.deadline().into_iter().chain(self.phrases.deadline());
        let beacons = [self.watch.deadline(), self.beacons.deadline()];
        let of_manager = manager.then_some(self.manager_beacon);
        (roster.count() > 1).then(|| rounds.chain(beacons).chain(of_manager).min())?
    }

    /// Returns true while other members have another group. Then nobody is admitted.
    pub(super) const fn is_forked(&self) -> bool {
        self.watch.is_forked()
    }

    #[cfg(test)]
    pub(super) fn round_number(&self) -> Option<u64> {
        self.emoji.number()
    }

    fn update(&mut self, context: &mut Context<'_>) {
        self.untold.drain(..).for_each(|event| show(event, context.outputs));
        show_emoji(self.emoji.handle_timeout(context.now), context.outputs);
        show_phrase(self.phrases.handle_timeout(context.now), context.outputs);
        if let Some(agreement) = self.watch.update(context.now) {
            if !agreement.differ.is_empty() {
                tracing::warn!(differ = agreement.differ.len(), agree = agreement.agree.len(), "the group is forked");
            }
            show(Event::Agreement(agreement), context.outputs);
        }
    }
}

/// Tells the user that this client had another group than a manager, before it joins again.
pub(super) fn show_other_group(manager: ParticipantId, roster: &Roster, outputs: &mut Outputs) {
    if roster::member(roster, manager).is_some() {
        show(Event::OtherGroup { manager }, outputs);
    }
}

fn show_emoji(state: Option<EmojiCheck>, outputs: &mut Outputs) {
    if let Some(state) = state {
        show(Event::Emoji(state), outputs);
    }
}

fn show_phrase(state: Option<PhraseCheck>, outputs: &mut Outputs) {
    if let Some(state) = state {
        show(Event::Phrase(state), outputs);
    }
}

fn show(event: Event, outputs: &mut Outputs) {
    outputs.event(MeetingEvent::Verification(event));
}
