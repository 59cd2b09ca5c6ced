//! The keys of the meeting travel from manager to manager, sealed to one leaf.
//!
//! Each manager announces a public key in an MLS application message, which its leaf has signed. The others seal the keys
//! in force to it, and the next keys before the commit that puts them in force: so a manager that vanishes right after its
//! commit leaves no other one without keys. Keys are taken over only if they are those of the policy's chain.

use super::Event;
use super::context::Context;
use super::group_log::GroupLog;
use super::manager::Manager;
use super::roster::Roster;
use super::state::Message;
use crypto::{Authority, Envelope, ManagerKeys, MeetingPolicy, SealingKey, SharedKeys};
use proto::ParticipantId;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// What this client knows of the other managers. Empty if it is no manager.
#[derive(Default)]
pub(super) struct KeySharing {
    /// The key to which the others seal for this client. `None` if it is no manager.
    own: Option<SealingKey>,
    /// True if the others know the own key.
    announced: bool,
    /// The other managers.
    managers: BTreeSet<ParticipantId>,
    /// Their public keys.
    known: BTreeMap<ParticipantId, Vec<u8>>,
    /// The newest authority whose keys were sent to each.
    sent: BTreeMap<ParticipantId, Authority>,
    /// When each got an answer to its public key.
    answered: BTreeMap<ParticipantId, Instant>,
    /// The newest keys that each has sent, until they are in force.
    offers: BTreeMap<ParticipantId, SharedKeys>,
    /// The counter of the last signed command, while this client has no keys.
    counter: u64,
}

impl KeySharing {
    /// Handles a new epoch, or the entry into the group.
    pub(super) fn handle_group_change(&mut self, roster: &Roster, policy: &MeetingPolicy, context: &mut Context<'_>) {
        if !roster.own().0.is_manager() {
            // A manager that comes back is one again after its next commit.
            if !policy.role_of_device(context.entrant.identity.public()).is_manager() {
                self.resign(context);
            }
            return;
        }
        let managers = other_managers(roster);
        let is_missing_keys = !self.adopt(policy, roster.me(), context);
        self.announced &= managers.is_subset(&self.managers) && !is_missing_keys;
        self.managers = managers;
        self.known.retain(|id, _| self.managers.contains(id));
        self.sent.retain(|id, _| self.managers.contains(id));
        self.answered.retain(|id, _| self.managers.contains(id));
        self.offers.retain(|id, _| self.managers.contains(id));
        if self.own.is_none() {
            self.own = SealingKey::generate().ok();
        }
    }

    /// Handles that this client is no manager any more.
    fn resign(&mut self, context: &mut Context<'_>) {
        *self = Self { counter: self.counter, ..Self::default() };
        self.give_up_keys(context);
    }

    /// Drops keys that are not in force. The link remains the newest one that this client knows.
    fn give_up_keys(&mut self, context: &mut Context<'_>) {
        let Some(manager) = context.manager.take() else { return };
        self.counter = manager.counter();
        context.entrant.link = Some(manager.keys().invitation("", 0, None));
    }

    /// Takes over keys that another manager has sent, if they are in force now. Returns false if this client does not have
    /// the keys in force.
    fn adopt(&mut self, policy: &MeetingPolicy, me: ParticipantId, context: &mut Context<'_>) -> bool {
        let chain = policy.chain();
        if let Some(manager) = context.manager {
            manager.keys_mut().discard_outdated_rotation(chain);
            if manager.keys().authority() == policy.authority() {
                return true;
            }
        }
        let offered = self.offers.iter().find(|(_, keys)| keys.authority() == Some(policy.authority()));
        let Some(keys) = offered.map(|(from, _)| *from).and_then(|from| self.offers.remove(&from)) else {
            self.give_up_keys(context);
            return false;
        };
        let is_adopted = match context.manager {
            Some(manager) => {
                let is_adopted = manager.keys_mut().adopt(keys, chain).is_ok();
                if is_adopted {
                    manager.repeat_recent(context.now, context.outputs);
                }
                is_adopted
            }
            None => match ManagerKeys::from_shared(keys, chain) {
                Ok(keys) => {
                    *context.manager = Some(Manager::resumed(keys, me, self.counter));
                    true
                }
                Err(_) => false,
            },
        };
        if is_adopted {
            context.outputs.event(Event::LinkChanged);
        } else {
            tracing::warn!("another manager has sent keys that are not valid");
        }
        is_adopted
    }

    /// Handles the public key of another manager. It asks for the keys with it.
    pub(super) fn handle_public_key(&mut self, from: ParticipantId, public: Vec<u8>) {
        if self.managers.contains(&from) {
            self.known.insert(from, public);
            self.sent.remove(&from);
        }
    }

    /// Handles keys that another manager has sealed for this client.
    pub(super) fn handle_keys(
        &mut self,
        from: ParticipantId,
        sealed: &[u8],
        (policy, roster): (&MeetingPolicy, &Roster),
        context: &mut Context<'_>,
    ) {
        let envelope = Envelope { meeting: policy.chain().meeting(), from, to: roster.me() };
        let Some(own) = self.own.as_ref().filter(|_| self.managers.contains(&from)) else { return };
        let Some(keys) = own.open(sealed, envelope) else {
            tracing::warn!("keys of another manager cannot be opened");
            return;
        };
        // It has what it sends.
        self.sent.extend(keys.authority().map(|authority| (from, authority)));
        self.offers.insert(from, keys);
        self.adopt(policy, roster.me(), context);
    }

    /// Sends everything again, because it may have been lost with the connection, or too old to be read.
    pub(super) fn repeat(&mut self) {
        self.announced = false;
        self.sent.clear();
    }

    /// Sends the own public key, and the keys in force, to the managers that do not have them. While a commit is pending,
    /// MLS cannot encrypt, and a manager that asks again and again is answered only from time to time: it could make this
    /// client send more than the server takes. Then the next call tries again; the server's next ping leads to one.
    pub(super) fn send(&mut self, log: &mut GroupLog, roster: &Roster, context: &mut Context<'_>) {
        if self.managers.is_empty() {
            return;
        }
        if let Some(own) = self.own.as_ref().filter(|_| !self.announced)
            && let Some(message) = log.seal(&Message::SealingKey { public: own.public().to_vec().into() })
        {
            context.outputs.transmit(message);
            self.announced = true;
        }
        if let Some(manager) = context.manager {
            let (authority, keys) = (manager.keys().authority(), || manager.keys().shared());
            let is_early = |at: &Instant| context.now < *at + ANSWER_INTERVAL;
            let early: BTreeSet<_> = self.answered.iter().filter(|(_, at)| is_early(at)).map(|(id, _)| *id).collect();
            for id in self.send_keys((authority, |id| !early.contains(&id)), keys, (log, roster), context.outputs) {
                self.answered.insert(id, context.now);
            }
        }
    }

    /// Sends the prepared keys, before the commit with `policy` puts them in force. Who is no manager by that policy does not get
    /// them.
    pub(super) fn send_next(
        &mut self,
        policy: Option<&MeetingPolicy>,
        log: &mut GroupLog,
        roster: &Roster,
        context: &mut Context<'_>,
    ) {
        let Some(manager) = context.manager else { return };
        let Some(policy) = policy.filter(|policy| manager.next_authority(Some(policy)).is_some()) else { return };
        let Some(next) = manager.keys().next_shared() else { return };
        if let Some(authority) = next.authority() {
            let stays = |id| roster.device(id).is_some_and(|device| policy.is_manager(device, id));
            self.send_keys((authority, stays), || next, (log, roster), context.outputs);
        }
    }

    /// Sends keys to the managers that lack them and may have them. Returns those.
    fn send_keys(
        &mut self,
        (authority, may_have): (Authority, impl Fn(ParticipantId) -> bool),
        keys: impl FnOnce() -> SharedKeys,
        (log, roster): (&mut GroupLog, &Roster),
        outputs: &mut super::outputs::Outputs,
    ) -> Vec<ParticipantId> {
        let mut answered = Vec::new();
        let lacks = |id: &&ParticipantId| self.sent.get(*id) != Some(&authority);
        let receivers: Vec<ParticipantId> =
            self.known.keys().filter(lacks).copied().filter(|id| may_have(*id)).collect();
        if receivers.is_empty() {
            return answered;
        }
        let keys = keys();
        for to in receivers {
            let envelope = Envelope { meeting: log.group().policy().chain().meeting(), from: roster.me(), to };
            let Some(public) = self.known.get(&to) else { continue };
            let Ok(sealed) = keys.seal(public, envelope) else {
                self.known.remove(&to);
                continue;
            };
            let Some(message) = log.seal(&Message::ManagerKeys { to, sealed: sealed.into() }) else { break };
            outputs.transmit(message);
            self.sent.insert(to, authority);
            answered.push(to);
        }
        answered
    }
}

fn other_managers(roster: &Roster) -> BTreeSet<ParticipantId> {
    let others = roster.list().into_iter().filter(|person| !person.me && person.role.is_manager());
    others.map(|person| person.id).collect()
}

/// The minimum time between two answers to one manager.
const ANSWER_INTERVAL: Duration = Duration::from_secs(1);
