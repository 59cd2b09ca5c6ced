//! The keys of a manager, and the commands to the delivery service that they sign.

use super::Event;
use super::outputs::Outputs;
use crypto::{AuthorityChain, ManagerKeys, ReturnRequest};
use proto::{Blob, ManagerCommand, ParticipantId, Up, Welcome};

/// The keys of a manager.
pub(super) struct Manager {
    keys: ManagerKeys,
    me: ParticipantId,
    /// The counter of the last command.
    counter: u64,
}

impl Manager {
    pub(super) fn new(keys: ManagerKeys) -> Self {
        Self { keys, me: ParticipantId(0), counter: 0 }
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

    /// Sends a command without Welcomes.
    pub(super) fn send(&mut self, command: &ManagerCommand, outputs: &mut Outputs) {
        let message = self.command(command, Vec::new());
        outputs.transmit(message);
    }

    /// Handles a merged commit: if it contains the prepared keys, gives them to the server, and uses them from now on.
    /// `chain` is that of the policy in force.
    pub(super) fn handle_merged(&mut self, chain: &AuthorityChain, outputs: &mut Outputs) {
        if !self.keys.is_rotation_merged(chain) {
            return;
        }
        let Some((rotation, admission_key)) = self.keys.next_rotation() else { return };
        let (rotation, admission_key) = (rotation.encode(), Blob(admission_key.to_vec()));
        self.send(&ManagerCommand::Rotate { rotation, admission_key }, outputs);
        self.keys.finish_rotation();
        outputs.event(Event::LinkChanged);
    }

    /// Returns the last rotation if the server, whose chain is `chain`, has not received it.
    fn missing_rotation(&self, chain: &[u8]) -> Option<[u8; 128]> {
        let known = self.keys.chain().encode();
        known.strip_prefix(chain).and_then(|rest| rest.try_into().ok())
    }

    /// Makes the request to come back as `me`. The server, whose chain is `chain`, verifies it with the authority that it
    /// knows.
    pub(super) fn sign_return(&self, chain: &[u8], me: ParticipantId, request: ReturnRequest) -> Up {
        let ReturnRequest { package, signature } = request;
        let previous = self.missing_rotation(chain).and_then(|_| self.keys.sign_return_as_previous(me, &package));
        let meeting = self.keys.meeting();
        Up::Return { meeting, request: Blob(package), signature: previous.unwrap_or(signature) }
    }

    /// Sends the last rotation again if the server, whose chain is `chain`, has not received it.
    pub(super) fn repeat_rotation(&mut self, chain: &[u8], outputs: &mut Outputs) {
        let Some(missing) = self.missing_rotation(chain) else { return };
        let admission_key = Blob(self.keys.public_key().to_vec());
        let command = proto::encode(&ManagerCommand::Rotate { rotation: missing, admission_key });
        self.counter += 1;
        if let Some(signature) = self.keys.sign_command_as_previous(self.me, self.counter, &command) {
            outputs.transmit(Up::Manage {
                counter: self.counter,
                command: Blob(command),
                signature,
                welcomes: Vec::new(),
            });
        }
    }
}
