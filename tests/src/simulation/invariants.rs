//! The invariants of the design that hold at any time of a run. [`super::agreement`] checks those that hold at rest.
//!
//! I1: all members of an epoch have the same verification words, but those who have merged a commit that others could not read, until
//! one part joins again. I2: nobody plays frames of a removed member, or encrypts for
//! it. I3: a client that is not a member of an epoch opens none of its frames, whatever keys it has kept. I4: a device that
//! was removed is in no later epoch. I5: no frame is opened twice. Besides, no honest member is said to have another group, or
//! to be silent.

use super::media::Recorded;
use super::{Client, ClientId, Simulation};
use crypto::{DeviceKey, Words};
use net::meeting::Notice;
use net::meeting::verification::{self, Agreement};
use proto::{Epoch, ParticipantId};
use rand::Rng;
use std::collections::{BTreeMap, BTreeSet};

/// What has been seen so far.
#[derive(Default)]
pub(super) struct Invariants {
    /// The words of each epoch, the newest last. A commit that only some could read makes two groups, until one of them joins again.
    words: BTreeMap<Epoch, Vec<Words>>,
    /// The devices that an organiser has ordered to remove and that its policy does not bar yet.
    ordered: Vec<DeviceKey>,
    /// The barred devices, with the first epoch without them.
    removed: Vec<(DeviceKey, Epoch)>,
    frames: Vec<Frame>,
    /// The number of frames so far.
    count: u64,
    /// Who has opened which frame.
    opened: BTreeSet<(ClientId, u64)>,
}

/// A frame of a member.
struct Frame {
    number: u64,
    recorded: Recorded,
    from: ParticipantId,
    /// The members of its epoch, according to the sender.
    members: BTreeSet<ParticipantId>,
}

impl Invariants {
    /// Notes that an organiser removes a participant.
    pub(super) fn handle_removal(&mut self, organiser: &Client, participant: ParticipantId) {
        let device = organiser.people.iter().find(|person| person.id == participant).map(|person| person.device);
        self.ordered.extend(device);
    }

    /// I4: asserts that all removals that were ordered last.
    pub(super) fn assert_removals(&self) {
        assert!(self.ordered.is_empty(), "I4: a removal is lost");
    }

    fn keep(&mut self, frame: Frame) {
        if self.frames.len() >= MAX_FRAMES {
            self.frames.remove(0);
        }
        self.frames.push(frame);
    }

    /// I1: records the words of the client's epoch, or compares them. `spoiled` is how often a client could not read a commit.
    fn check_words(&mut self, client: &Client, spoiled: usize) {
        if let (Some(epoch), Some(words)) = (client.epoch, client.words) {
            let known = self.words.entry(epoch).or_default();
            if !known.contains(&words) {
                known.push(words);
            }
            assert!(known.len() <= 1 + spoiled, "I1: {} has other words for epoch {}", client.name, epoch.0);
        }
    }

    /// I4: records removals, and checks that none is undone.
    fn check_removals(&mut self, client: &Client) {
        let Some(epoch) = client.epoch else { return };
        if let Some(policy) = client.meeting.policy().filter(|_| client.is_organiser()) {
            let done = self.ordered.extract_if(.., |device| policy.is_barred(*device));
            self.removed.extend(done.map(|device| (device, epoch)));
        }
        // Who is in a group that is about to end does not know the removal.
        let newest = self.words.get(&epoch).and_then(|words| words.last()).copied();
        if newest != client.words {
            return;
        }
        for (device, since) in &self.removed {
            let back = client.people.iter().find(|person| person.device == *device && epoch >= *since);
            assert!(back.is_none(), "I4: {} lists a removed device: {back:?}", client.name);
        }
    }
}

impl Simulation {
    /// Checks a client after an input.
    pub(super) fn check_invariants(&mut self, client_id: ClientId) {
        let is_unread = |notice: &&Notice| matches!(notice, Notice::KeysUnreadable(_));
        let spoiled = self.clients.iter().flat_map(|client| &client.notices).filter(is_unread).count();
        let client = &mut self.clients[client_id.0];
        for event in std::mem::take(&mut client.verification) {
            if let verification::Event::Agreement(Agreement { differ, unheard, misnumbered, .. }) = event {
                let named = differ.iter().chain(&unheard).chain(&misnumbered);
                let honest = named.copied().find(|id| !self.hostile_clients.contains(*id));
                let lists = (&differ, &unheard, &misnumbered);
                assert_eq!(honest, None, "{} raises a false alarm: {lists:?}", client.name);
            }
        }
        for notice in &client.notices {
            if let Notice::CommitRejected(from)
            | Notice::KeysUnreadable(from)
            | Notice::KeysReported { author: from, .. } = notice
            {
                assert!(
                    self.hostile_clients.is_empty() || self.hostile_clients.contains(*from),
                    "{} rejected a commit of an honest member",
                    client.name
                );
            }
        }
        if !std::mem::take(&mut client.has_new_keys) || client.ending.is_some() {
            return;
        }
        self.invariants.check_words(client, spoiled);
        self.invariants.check_removals(client);
        self.check_new_frame(client_id);
    }

    /// I2, I3: seals a frame with the newest keys. Only members according to the sender can open it.
    fn check_new_frame(&mut self, client_id: ClientId) {
        let client = &mut self.clients[client_id.0];
        let Some(me) = client.people.iter().find(|person| person.me) else { return };
        let (from, leaf) = (me.id, me.leaf);
        let members: BTreeSet<_> = client.people.iter().map(|person| person.id).collect();
        let Some(recorded) = client.media.record(leaf) else { return };
        for other in &self.clients {
            if other.past_id.is_some_and(|id| !members.contains(&id)) {
                let opens = other.media.opens(&recorded, self.now);
                assert!(!opens, "I2: {} opens a frame of an epoch without it", other.name);
            }
        }
        for (id, keys) in self.hostile_clients.keys() {
            assert!(members.contains(&id) || !keys.opens(&recorded), "I3: a frame is opened with keys of a non-member");
        }
        self.invariants.count += 1;
        let number = self.invariants.count;
        self.invariants.keep(Frame { number, recorded, from, members });
    }

    /// Replays a recorded frame to all members, and forges one with old keys.
    pub(super) fn attack_media(&mut self) {
        for client in &self.clients {
            client.media.expire(self.now);
        }
        self.replay();
        self.forge();
        self.open_with_old_keys();
    }

    /// I5, I2: a frame is opened at most once, and only by those who list its sender.
    fn replay(&mut self) {
        let Invariants { frames, opened, .. } = &mut self.invariants;
        if frames.is_empty() {
            return;
        }
        let Frame { number, recorded, from, .. } = &frames[self.random.random_range(0..frames.len())];
        for (at, client) in self.clients.iter().enumerate() {
            if client.ending.is_some() || client.past_id == Some(*from) || !client.media.opens(recorded, self.now) {
                continue;
            }
            assert!(client.knows(*from), "I2: {} plays a frame of a member that left", client.name);
            assert!(opened.insert((ClientId(at), *number)), "I5: {} plays a frame twice", client.name);
        }
    }

    /// I2: nobody opens frames of a former member, whatever keys seal them.
    fn forge(&mut self) {
        let at = self.random.random_range(0..64);
        for (id, keys) in self.hostile_clients.keys().skip(at).take(4) {
            let forged = keys.forge();
            for client in &self.clients {
                if client.ending.is_none() && !client.knows(id) {
                    let plays = client.media.opens(&forged, self.now);
                    assert!(!plays, "I2: {} plays a frame of a former member", client.name);
                }
            }
        }
    }

    /// I3: with the keys of its own epochs, a hostile client opens no frame of another epoch.
    fn open_with_old_keys(&mut self) {
        let Invariants { frames, .. } = &self.invariants;
        let at = self.random.random_range(0..MAX_FRAMES);
        let Some(frame) = frames.get(at) else { return };
        for (id, keys) in self.hostile_clients.keys() {
            let opens = keys.opens(&frame.recorded);
            assert!(!opens || frame.members.contains(&id), "I3: a non-member opens a frame of an epoch");
        }
    }
}

/// How many frames are kept.
const MAX_FRAMES: usize = 48;
