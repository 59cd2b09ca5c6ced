//! A service that records its actions, and the messages that the tests send.

use super::*;
use proto::{GoneMember, NextAuthority, ROTATION_BYTES};
use ring::digest::{SHA256, digest};
use ring::signature::{Ed25519KeyPair, KeyPair};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

pub const MEETING: MeetingId = MeetingId([1; 16]);
pub const ANNA: ParticipantId = ParticipantId(1);
pub const BEN: ParticipantId = ParticipantId(2);
pub const CLEO: ParticipantId = ParticipantId(3);

const SECRET: [u8; 32] = [3; 32];

/// The seed of the authority of the meeting.
pub const AUTHORITY: u8 = 1;
/// The seed of another key.
pub const OTHER: u8 = 2;
pub const UNIX_SECONDS: u64 = 1_800_000_000;

/// A service that records its actions. A connection has the number of its participant.
pub struct Service {
    pub delivery: Delivery,
    pub commands: Vec<sfu::Command>,
    pub closed: Vec<ParticipantId>,
    pub trusted: Vec<(ParticipantId, Trust)>,
    /// What is stored of each meeting.
    pub stored: BTreeMap<MeetingId, Vec<Vec<u8>>>,
    /// The seed of the key that signs commands.
    pub authority: u8,
    pub now: Instant,
    settings: Settings,
    counter: u64,
    last: Option<SignedCommand>,
}

impl Service {
    pub fn with(limits: Limits) -> Self {
        Self {
            delivery: Delivery::new(limits.clone(), &SECRET),
            commands: Vec::new(),
            closed: Vec::new(),
            trusted: Vec::new(),
            stored: BTreeMap::new(),
            authority: AUTHORITY,
            now: Instant::now(),
            settings: Settings::new(limits, &SECRET),
            counter: 0,
            last: None,
        }
    }

    /// Returns a service in which Anna has a meeting, and Ben and Cleo are connected. It stores its meetings.
    pub fn with_a_meeting() -> Self {
        let mut service = Self::with(Limits::default());
        service.restarts();
        for participant in [ANNA, BEN, CLEO] {
            service.greet(participant);
        }
        let created = Down::Created { resume: service.token(ANNA) };
        assert_eq!(service.sends(ANNA, create(MEETING)), [(ANNA, created)]);
        service
    }

    /// Returns a service in which Anna, Ben and Cleo are members. Two commits added them.
    pub fn with_three_members() -> Self {
        let mut service = Self::with_a_meeting();
        for (epoch, participant) in [(0, BEN), (1, CLEO)] {
            service.sends(participant, knock());
            service.commits(ANNA, epoch, &[participant], &[]);
        }
        service
    }

    /// Replaces the service by one that stores its meetings and continues the stored ones, as after a crash.
    pub fn restarts(&mut self) {
        let stored: Vec<_> = self.stored.iter().map(|(id, batches)| (*id, batches.clone())).collect();
        self.delivery = Delivery::restore(Limits::default(), &SECRET, &stored, self.now);
    }

    fn time(&self) -> Now {
        Now { instant: self.now, unix_seconds: UNIX_SECONDS }
    }

    pub fn token(&self, participant: ParticipantId) -> ResumeToken {
        self.settings.token(MEETING, participant)
    }

    pub fn connects(&mut self, participant: ParticipantId) {
        self.connects_from(participant, IpAddr::V4(Ipv4Addr::LOCALHOST));
    }

    pub fn connects_from(&mut self, participant: ParticipantId, address: IpAddr) {
        let id = ConnectionId(participant.0);
        self.delivery.handle_connected(id, participant, Origin::from(address), self.time());
    }

    pub fn greet(&mut self, participant: ParticipantId) -> Vec<(ParticipantId, Down)> {
        self.connects(participant);
        self.sends(participant, Up::Hello { version: VERSION })
    }

    pub fn sends(&mut self, participant: ParticipantId, message: Up) -> Vec<(ParticipantId, Down)> {
        let bytes = proto::encode(&message);
        assert_eq!(proto::decode(&bytes), Ok(message.clone()), "a message that reaches the service");
        self.delivery.handle_message(ConnectionId(participant.0), message, self.time());
        self.received()
    }

    /// Sends a command of a participant, signed for it.
    pub fn manages(&mut self, participant: ParticipantId, command: &ManagerCommand) -> Vec<(ParticipantId, Down)> {
        self.manages_with(participant, command, Vec::new())
    }

    /// Sends a manager's commit.
    pub fn commits(
        &mut self,
        participant: ParticipantId,
        epoch: u64,
        add: &[ParticipantId],
        removed: &[ParticipantId],
    ) -> Vec<(ParticipantId, Down)> {
        let welcomes = if add.is_empty() { vec![] } else { vec![Welcome { to: add.to_vec(), blob: blob(7) }] };
        let removed = removed.to_vec();
        let command = ManagerCommand::Commit { epoch: Epoch(epoch), blob: commit_blob(epoch), removed, rotation: None };
        self.manages_with(participant, &command, welcomes)
    }

    /// Sends a manager's commit that also replaces the authority and the admission key.
    pub fn rotates(
        &mut self,
        participant: ParticipantId,
        epoch: u64,
        rotation: [u8; ROTATION_BYTES],
        admission_key: Blob,
    ) -> Vec<(ParticipantId, Down)> {
        let (rotation, blob) = (Some(NextAuthority { rotation, admission_key }), commit_blob(epoch));
        let command = ManagerCommand::Commit { epoch: Epoch(epoch), blob, removed: Vec::new(), rotation };
        self.manages_with(participant, &command, Vec::new())
    }

    fn manages_with(
        &mut self,
        from: ParticipantId,
        command: &ManagerCommand,
        welcomes: Vec<Welcome>,
    ) -> Vec<(ParticipantId, Down)> {
        self.counter += 1;
        let (counter, command) = (self.counter, Blob(proto::encode(command)));
        let bytes = proto::signed::command(MEETING, from, counter, &command.0);
        let signature = sign(self.authority, &bytes);
        self.last = Some(SignedCommand { from, counter, command: command.clone(), signature });
        self.sends(from, Up::Manage { counter, command, signature, welcomes })
    }

    /// Returns the last command with its proof.
    pub fn signed(&self) -> SignedCommand {
        self.last.clone().expect("a command was sent")
    }

    /// Returns the log entry of the last command.
    pub fn managed(&self, position: u64) -> Down {
        Down::Log { position: Position(position), entry: proto::LogEntry::Managed { signed: self.signed() } }
    }

    pub fn admitted(&self, participant: ParticipantId, position: u64, epoch: u64, gone: &[ParticipantId]) -> Down {
        let (position, epoch, resume) = (Position(position), Epoch(epoch), self.token(participant));
        let gone = gone.iter().map(|participant| GoneMember { participant: *participant, by: None }).collect();
        Down::Admitted { welcome: blob(7), position, epoch, gone, resume, tree: 0 }
    }

    pub fn disconnects(&mut self, participant: ParticipantId) -> Vec<(ParticipantId, Down)> {
        self.delivery.handle_disconnected(ConnectionId(participant.0), self.time());
        self.received()
    }

    pub fn passes(&mut self, time: Duration) -> Vec<(ParticipantId, Down)> {
        self.now += time;
        self.delivery.handle_timeout(self.now);
        self.received()
    }

    pub fn received(&mut self) -> Vec<(ParticipantId, Down)> {
        let mut received = Vec::new();
        while let Some(action) = self.delivery.poll_action() {
            match action {
                Action::Send(to, bytes)
                | Action::Tell { to, message: bytes, .. }
                | Action::Relay { to, message: bytes, .. } => {
                    received.push((ParticipantId(to.0), proto::decode(&bytes).expect("a message")));
                }
                Action::Close(id) => self.closed.push(ParticipantId(id.0)),
                Action::Trust(id, trust) => self.trusted.push((ParticipantId(id.0), trust)),
                Action::Sfu(command, _) => self.commands.push(command),
                Action::Store(meeting, change) => {
                    assert!(received.is_empty(), "stored before anything is said");
                    store(&mut self.stored, meeting, change);
                }
            }
        }
        received
    }
}

fn store(stored: &mut BTreeMap<MeetingId, Vec<Vec<u8>>>, meeting: MeetingId, change: Change) {
    match change {
        Change::Append(batch) => stored.get_mut(&meeting).expect("the first change replaces").push(batch),
        Change::Replace(batch) => drop(stored.insert(meeting, vec![batch])),
        Change::Remove => drop(stored.remove(&meeting)),
    }
}

fn key(seed: u8) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).expect("a seed")
}

pub fn public(seed: u8) -> proto::PublicKey {
    key(seed).public_key().as_ref().try_into().expect("32 bytes")
}

pub fn sign(seed: u8, message: &[u8]) -> proto::Signature {
    key(seed).sign(message).as_ref().try_into().expect("64 bytes")
}

pub fn rotation(from: u8, index: u32, to: u8, admission_key: &[u8]) -> [u8; 128] {
    let hash: [u8; 32] = digest(&SHA256, admission_key).as_ref().try_into().expect("32 bytes");
    let signature = sign(from, &proto::signed::rotation(MEETING, index, &public(to), &hash));
    [public(to).as_slice(), &hash, &signature].concat().try_into().expect("128 bytes")
}

pub fn blob(byte: u8) -> Blob {
    Blob(vec![byte])
}

/// Returns the content of the commit for `epoch`.
fn commit_blob(epoch: u64) -> Blob {
    Blob(epoch.to_be_bytes().to_vec())
}

pub fn create(meeting: MeetingId) -> Up {
    Up::Create { meeting, admission_key: blob(9), authority: public(AUTHORITY) }
}

pub fn knock() -> Up {
    Up::Knock { meeting: MEETING, request: blob(5) }
}

pub fn commit(epoch: u64, removed: &[ParticipantId]) -> Up {
    Up::Commit { epoch: Epoch(epoch), blob: commit_blob(epoch), removed: removed.to_vec(), welcome: None }
}

pub fn tell(epoch: u64, byte: u8) -> Up {
    Up::Tell { epoch: Epoch(epoch), blob: blob(byte) }
}

pub fn committed(position: u64, from: ParticipantId, epoch: u64) -> Down {
    let entry = proto::LogEntry::Commit { from, epoch: Epoch(epoch), blob: commit_blob(epoch) };
    Down::Log { position: Position(position), entry }
}

pub fn gone(position: u64, participant: ParticipantId) -> Down {
    Down::Log { position: Position(position), entry: proto::LogEntry::Gone { participant, by: None } }
}

/// Returns the entry about a member that a command of Anna has removed.
pub fn expelled(position: u64, participant: ParticipantId) -> Down {
    let entry = proto::LogEntry::Gone { participant, by: Some(ANNA) };
    Down::Log { position: Position(position), entry }
}

pub fn problem(problem: Problem) -> Down {
    Down::Problem { problem }
}
