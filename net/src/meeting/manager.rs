//! The keys of a manager, and the commands to the delivery service that they sign.

use super::Event;
use super::outputs::Outputs;
use crypto::{AuthorityChain, ManagerKeys, MeetingPolicy, ReturnRequest};
use proto::{Blob, ManagerCommand, NextAuthority, ParticipantId, Up, Welcome};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The keys of a manager.
pub(super) struct Manager {
    keys: ManagerKeys,
    me: ParticipantId,
    /// The counter of the last command.
    counter: u64,
    /// The last commands that need no epoch, and when they were sent.
    recent: VecDeque<(Instant, ManagerCommand)>,
}

impl Manager {
    pub(super) fn new(keys: ManagerKeys) -> Self {
        Self::resumed(keys, ParticipantId(0), 0)
    }

    /// Returns a manager that has got its keys from another one. `counter` is that of its last command.
    pub(super) fn resumed(keys: ManagerKeys, me: ParticipantId, counter: u64) -> Self {
        Self { keys, me, counter, recent: VecDeque::new() }
    }

    /// Returns the counter of the last command.
    pub(super) fn counter(&self) -> u64 {
        self.counter
    }

    /// Sets the participant that sends the commands.
    pub(super) fn set_me(&mut self, me: ParticipantId) {
        self.me = me;
    }

    /// Returns the participant that sends the commands: 0 before the first [`Self::set_me`].
    pub(super) fn me(&self) -> ParticipantId {
        self.me
    }

    pub(super) fn keys(&self) -> &ManagerKeys {
        &self.keys
    }

    pub(super) fn keys_mut(&mut self) -> &mut ManagerKeys {
        &mut self.keys
    }

    pub(super) fn into_keys(self) -> ManagerKeys {
        self.keys
    }

    /// Returns the message with a signed command.
    pub(super) fn command(&mut self, command: &ManagerCommand, welcomes: Vec<Welcome>) -> Up {
        self.counter += 1;
        let command = proto::encode(command);
        let signature = self.keys.sign_command(self.me, self.counter, &command);
        Up::Manage { counter: self.counter, command: Blob(command), signature, welcomes }
    }

    /// Sends a command that is no commit.
    pub(super) fn send(&mut self, command: ManagerCommand, now: Instant, outputs: &mut Outputs) {
        let message = self.command(&command, Vec::new());
        outputs.transmit(message);
        // The chats of the waiting room and the end of the meeting are repeated by those who send them.
        let is_repeated = matches!(command, ManagerCommand::Lobby { .. } | ManagerCommand::End);
        if !is_repeated && !matches!(command, ManagerCommand::Beacon { .. }) {
            self.recent.retain(|(sent, _)| now.saturating_duration_since(*sent) < MAX_TRANSIT);
            if self.recent.len() >= MAX_RECENT {
                self.recent.pop_front();
            }
            self.recent.push_back((now, command));
        }
    }

    /// Sends the last commands again after the keys have changed. The server drops what reaches it after the change with a signature
    /// of the keys before. A command that it had executed has no further effect.
    pub(super) fn repeat_recent(&mut self, now: Instant, outputs: &mut Outputs) {
        self.recent.retain(|(sent, _)| now.saturating_duration_since(*sent) < MAX_TRANSIT);
        for (_, command) in std::mem::take(&mut self.recent) {
            let message = self.command(&command, Vec::new());
            outputs.transmit(message);
        }
    }

    /// Returns the prepared keys for the server, if `policy` puts them in force.
    pub(super) fn next_authority(&self, policy: Option<&MeetingPolicy>) -> Option<NextAuthority> {
        let (rotation, admission_key) = self.keys.next_rotation()?;
        let rotates = policy?.chain().current() == rotation.to;
        rotates.then(|| NextAuthority { rotation: rotation.encode(), admission_key: Blob(admission_key.to_vec()) })
    }

    /// Handles a merged commit: if it contains the prepared keys, uses them from now on. `chain` is that of the policy in
    /// force.
    pub(super) fn handle_merged(&mut self, chain: &AuthorityChain, now: Instant, outputs: &mut Outputs) {
        if self.keys.is_rotation_merged(chain) {
            self.keys.finish_rotation();
            outputs.event(Event::LinkChanged);
            self.repeat_recent(now, outputs);
        }
    }

    /// Makes the request to come back.
    pub(super) fn request_return(&self, request: ReturnRequest) -> Up {
        let ReturnRequest { package, signature } = request;
        Up::Return { meeting: self.keys.meeting(), request: Blob(package), signature }
    }
}

/// The longest time that a command is expected to take to the server, and the commit of the new keys back.
const MAX_TRANSIT: Duration = Duration::from_secs(10);

/// How many commands are kept.
const MAX_RECENT: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;
    use proto::{Epoch, Refusal};

    #[test]
    fn the_commands_of_the_last_seconds_are_repeated_once_and_beacons_are_not() {
        let (mut manager, mut outputs) = (Manager::new(ManagerKeys::new().unwrap()), Outputs::default());
        let (start, second) = (Instant::now(), Duration::from_secs(1));
        let refuse = |id| ManagerCommand::Refuse { participant: ParticipantId(id), why: Refusal::Declined };
        let beacon = ManagerCommand::Beacon { epoch: Epoch(1), mls_epoch: 1, transcript: [1; 32] };
        manager.send(refuse(1), start, &mut outputs);
        manager.send(refuse(2), start + second, &mut outputs);
        manager.send(beacon, start + second, &mut outputs);
        while outputs.poll_transmit().is_some() {}
        manager.repeat_recent(start + MAX_TRANSIT, &mut outputs);
        manager.repeat_recent(start + MAX_TRANSIT, &mut outputs);
        let sent: Vec<_> = std::iter::from_fn(|| outputs.poll_transmit()).collect();
        let [Up::Manage { counter: 4, command, .. }] = &sent[..] else { panic!("{sent:?}") };
        assert_eq!(proto::decode::<ManagerCommand>(&command.0).unwrap(), refuse(2), "the first is too old");
    }

    #[test]
    fn few_commands_are_kept() {
        let (mut manager, mut outputs) = (Manager::new(ManagerKeys::new().unwrap()), Outputs::default());
        for id in 0..=MAX_RECENT as u64 {
            manager.send(ManagerCommand::Expel { participant: ParticipantId(id) }, Instant::now(), &mut outputs);
        }
        assert_eq!(manager.recent.len(), MAX_RECENT);
        let newest = ManagerCommand::Expel { participant: ParticipantId(MAX_RECENT as u64) };
        assert_eq!(manager.recent.back().map(|(_, command)| command), Some(&newest));
    }
}
