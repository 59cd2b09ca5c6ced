//! Floor control against a naive model: in whatever order messages arrive, all members see the same in the end, and what they
//! see is what the list of all messages says.

use super::super::floor::Floor;
use super::super::moderation_message::FloorMessage;
use super::*;
use crypto::group::PolicyContent;
use crypto::{DeviceKey, Group, PolicyEdit};
use proto::{Rights, Role};
use std::cmp::Reverse;

type Facts = (Role, Rights);

/// A deterministic generator (xorshift64*).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        usize::try_from(self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33).unwrap() % bound
    }
}

#[derive(Clone, Copy)]
struct Sent {
    author: ParticipantId,
    epoch: usize,
    message: FloorMessage,
    /// True if a changed program has sent it.
    forged: bool,
}

/// One member, at an epoch of its own.
struct Member {
    floor: Floor,
    epoch: usize,
    /// Which messages it has received.
    received: Vec<bool>,
}

struct World {
    random: Random,
    people: Vec<(ParticipantId, DeviceKey)>,
    /// The policy of each epoch.
    policies: Vec<PolicyContent>,
    sent: Vec<Sent>,
    members: Vec<Member>,
}

impl World {
    /// An organiser, three co-organisers, and four others. All of them receive; the managers give orders.
    fn new(seed: u64) -> Self {
        let (keys, identity) = (ManagerKeys::new().unwrap(), Identity::generate().unwrap());
        let profile = Profile::new("Ada").unwrap();
        let group = Group::create(&identity, profile, ParticipantId(1), &keys, SystemTime::now()).unwrap();
        let mut people = vec![(ParticipantId(1), identity.public())];
        people.extend((2..=8).map(|id| (ParticipantId(id), DeviceKey([u8::try_from(id).unwrap(); 32]))));
        let role = |at: usize, role| PolicyEdit::SetRole(people[at].1, people[at].0, role);
        let edits =
            [role(1, Role::CoOrganiser), role(2, Role::CoOrganiser), role(3, Role::CoOrganiser), role(7, Role::Guest)];
        let policy = group.policy().edited(&edits).unwrap();
        let members = people.iter().map(|(id, _)| {
            let mut floor = Floor::new(*id);
            floor.handle_group_change(&policy, people.iter().copied(), 0);
            Member { floor, epoch: 0, received: Vec::new() }
        });
        let members = members.collect();
        Self { random: Random(seed * 2 + 1), people, policies: vec![policy], sent: Vec::new(), members }
    }

    fn step(&mut self) {
        match self.random.below(10) {
            0 => self.change_policy(),
            1..=3 => self.order(),
            4 => {
                let member = self.random.below(self.members.len());
                self.members[member].floor.repeat();
                self.send(member);
            }
            5 => {
                let member = self.random.below(self.members.len());
                self.advance(member);
            }
            _ => {
                let (member, message) =
                    (self.random.below(self.members.len()), self.random.below(self.sent.len().max(1)));
                self.deliver(member, message);
            }
        }
    }

    /// The organiser changes something, and makes the orders that it knows part of the policy, or does not.
    fn change_policy(&mut self) {
        let before = self.policies.last().unwrap().clone();
        let (device, id) = {
            let at = 1 + self.random.below(7);
            (self.people[at].1, self.people[at].0)
        };
        let right = KINDS[self.random.below(3)];
        let role = Role::ALL[1 + self.random.below(4)];
        let edit = match self.random.below(5) {
            0 => PolicyEdit::SetRole(device, id, role),
            1 => PolicyEdit::Withdraw(device, id, right),
            2 => PolicyEdit::Grant(device, id, right),
            3 => PolicyEdit::SetDefaults(Role::Participant, Role::Participant.default_rights().without(right)),
            _ => PolicyEdit::SetDefaults(Role::Participant, Role::Participant.default_rights()),
        };
        let mut edits = vec![edit];
        if self.random.below(2) == 0 {
            while self.advance(0) {}
            edits.extend(self.members[0].floor.edits(&before));
        }
        if let Ok(after) = before.edited(&edits) {
            self.policies.push(after);
        }
    }

    /// A co-organiser with a changed program uses any number.
    fn forge(&mut self) {
        let (author, epoch) = (self.people[3].0, self.members[3].epoch);
        let first_of_next = (epoch as u64 + 1) << 16;
        let lamport = [u64::MAX, first_of_next, first_of_next - 1, 0][self.random.below(4)];
        let person = self.people[self.random.below(8)].0;
        let target = if self.random.below(4) == 0 { None } else { Some(person) };
        let (rights, allow) = (KINDS[self.random.below(3)].bits(), self.random.below(2) == 0);
        let message = FloorMessage::Set { lamport, target, rights, allow };
        self.sent.push(Sent { author, epoch, message, forged: true });
    }

    fn order(&mut self) {
        if self.random.below(8) == 0 {
            return self.forge();
        }
        let author = self.random.below(4);
        let target = match self.random.below(4) {
            0 => FloorTarget::Everyone,
            _ => FloorTarget::Person(self.people[self.random.below(8)].0),
        };
        let rights = KINDS[self.random.below(3)] | KINDS[self.random.below(3)];
        let order = FloorOrder { target, rights, allow: self.random.below(2) == 0 };
        let member = &mut self.members[author];
        // It may be refused.
        let _ = member.floor.order(order, member.epoch as u64, None);
        if self.random.below(3) > 0 {
            self.send(author);
        }
    }

    fn send(&mut self, number: usize) {
        let (author, member) = (self.people[number].0, &mut self.members[number]);
        while let Some(message) = member.floor.unsent() {
            member.floor.set_sent(message, member.epoch as u64);
            self.sent.push(Sent { author, epoch: member.epoch, message, forged: false });
        }
    }

    /// Lets a member process the next commit. Returns false if there is none.
    fn advance(&mut self, number: usize) -> bool {
        let member = &mut self.members[number];
        let Some(policy) = self.policies.get(member.epoch + 1) else { return false };
        member.epoch += 1;
        member.floor.handle_group_change(policy, self.people.iter().copied(), member.epoch as u64);
        true
    }

    fn deliver(&mut self, number: usize, message: usize) {
        let Some(Sent { author, epoch, message: order, forged }) = self.sent.get(message).copied() else { return };
        let member = &mut self.members[number];
        member.received.resize(self.sent.len(), false);
        // MLS cannot open a message of an epoch that has not begun, nor an own one, nor one twice.
        let is_own = author == self.people[number].0 && !forged;
        if epoch > member.epoch || is_own || member.received[message] {
            return;
        }
        member.received[message] = true;
        member.floor.receive(author, epoch as u64, order, Instant::now());
    }

    /// Delivers everything, until nobody sends anything more.
    fn settle(&mut self) {
        loop {
            let before = self.sent.len();
            for number in 0..self.members.len() {
                while self.advance(number) {}
                self.send(number);
                let mut order: Vec<usize> = (0..self.sent.len()).collect();
                for at in (1..order.len()).rev() {
                    order.swap(at, self.random.below(at + 1));
                }
                for message in order {
                    self.deliver(number, message);
                }
            }
            let all_sent = self.members.iter().all(|member| member.floor.unsent().is_none());
            if before == self.sent.len() && all_sent {
                return;
            }
        }
    }

    fn facts(&self, epoch: usize, id: ParticipantId) -> Facts {
        let device = self.people.iter().find(|person| person.0 == id).unwrap().1;
        (self.policies[epoch].role_of(device, id), self.policies[epoch].rights_of(device, id))
    }

    /// Returns since when something about the policy holds that holds in the end.
    fn since<T: PartialEq>(&self, fact: impl Fn(usize) -> T) -> usize {
        let last = self.policies.len() - 1;
        (0..=last).rev().take_while(|epoch| fact(*epoch) == fact(last)).last().unwrap()
    }

    /// Returns what the list of all messages says of one right of a person.
    fn expected(&self, id: ParticipantId, kind: Rights) -> bool {
        let (last, (role, rights)) = (self.policies.len() - 1, self.facts(self.policies.len() - 1, id));
        let since = self.since(|epoch| self.facts(epoch, id));
        let defaults = |epoch: usize| {
            [Role::Presenter, Role::Participant, Role::Guest]
                .map(|role| self.policies[epoch].default_rights(role) & Rights::MEDIA)
        };
        let counts = |sent: &&Sent| {
            let FloorMessage::Set { lamport, target, rights, allow } = sent.message;
            let (by, by_rights) = self.facts(last, sent.author);
            let needed = if allow { kind } else { Rights::NONE } | Rights::DELEGATE;
            let is_about = target.map_or(!role.is_manager(), |target| target == id && by.is_above(role));
            let all_needed = if target.is_none() { needed | Rights::SET_ROLE } else { needed };
            is_about
                && lamport < (sent.epoch as u64 + 1) << 16
                && !(Rights::from_bits(rights).unwrap() & kind).is_empty()
                && by.is_manager()
                && by_rights.contains(all_needed)
                && sent.epoch >= since
                && sent.epoch >= self.since(|epoch| self.facts(epoch, sent.author))
                && (target.is_some() || sent.epoch >= self.since(defaults))
        };
        let rank = |author| {
            let device = self.people.iter().find(|person| person.0 == author).unwrap().1;
            self.policies[last].rank_of(device, author)
        };
        let order = |sent: &&Sent| {
            let FloorMessage::Set { lamport, allow, .. } = sent.message;
            (lamport, Reverse(rank(sent.author)), !allow)
        };
        let winner = self.sent.iter().filter(counts).max_by_key(order);
        let by_policy = !(rights & kind).is_empty();
        winner.map_or(by_policy, |sent| {
            let FloorMessage::Set { allow, .. } = sent.message;
            allow
        })
    }

    fn check(&self, seed: u64) {
        let last = self.policies.len() - 1;
        for (id, _) in &self.people {
            let policy = self.facts(last, *id).1;
            for kind in KINDS {
                let views: Vec<bool> =
                    self.members.iter().map(|member| !(member.floor.rights(*id, policy) & kind).is_empty()).collect();
                let expected = self.expected(*id, kind);
                assert!(
                    views.iter().all(|view| *view == expected),
                    "seed {seed}: {id:?} {kind:?} {expected} {views:?}"
                );
            }
        }
    }

    /// The organiser makes all orders part of the policy: then it says what all members see.
    fn check_fold(&self, seed: u64) {
        let last = self.policies.last().unwrap();
        let Ok(after) = last.edited(&self.members[0].floor.edits(last)) else { panic!("seed {seed}: no policy") };
        for (id, device) in &self.people {
            let expected = self.members[0].floor.rights(*id, last.rights_of(*device, *id)) & Rights::MEDIA;
            assert_eq!(after.rights_of(*device, *id) & Rights::MEDIA, expected, "seed {seed}: {id:?}");
        }
    }
}

#[test]
fn all_members_see_what_the_list_of_all_messages_says_whatever_the_order_of_delivery() {
    for seed in 0..seeds() {
        let mut world = World::new(seed);
        for _ in 0..150 {
            world.step();
        }
        world.settle();
        world.check(seed);
        world.check_fold(seed);
    }
}

/// `CONCLAVE_SEEDS` can raise the number of seeds.
fn seeds() -> u64 {
    std::env::var("CONCLAVE_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(200)
}

const KINDS: [Rights; 3] = [Rights::MICROPHONE, Rights::CAMERA, Rights::SHARE];
