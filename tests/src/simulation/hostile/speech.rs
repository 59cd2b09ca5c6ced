//! What a hostile client sends: every message of the protocol in every state, well-formed or not.

use super::{Aim, HostileClient, Stage};
use crypto::group::hostile::half_valid;
use crypto::open_return;
use proto::{
    Blob, Epoch, ManagerCommand, MeetingId, NextAuthority, ParticipantId, Position, Refusal, ResumeToken, Up, VERSION,
    Welcome,
};
use rand::Rng;

impl HostileClient {
    /// Returns how it tries to enter after the greeting.
    pub(super) fn enter(&mut self) -> Vec<u8> {
        let meeting = self.invitation.meeting;
        let ways = if self.aim == Aim::Disturb { 0..20 } else { 19..20 };
        let message = match self.random.random_range(ways) {
            0..3 => self.own_resume(),
            3 => self.forged_resume(),
            4 => self.forged_return(),
            5 => self.creation(),
            _ => {
                self.stage = Stage::Approaching;
                Up::Approach { meeting }
            }
        };
        proto::encode(&message)
    }

    /// Returns the messages that it sends now.
    pub(super) fn say(&mut self) -> Vec<Vec<u8>> {
        if let Some(membership) = self.memberships.last() {
            self.captured.add_people(membership.group.members().into_iter().map(|member| member.participant));
        }
        match (&self.stage, self.random.random_range(0..40)) {
            (Stage::Member, 0..30) => self.say_as_member(),
            (Stage::Member, 30..33) => self.flood(),
            (Stage::Member, 33..37) | (_, 0..30) => Vec::new(),
            _ => vec![self.say_out_of_order()],
        }
    }

    /// Returns the answer to a ping. Its position may be any.
    pub(super) fn pong(&mut self) -> Vec<u8> {
        let position = match (self.random.random_range(0..8), self.memberships.last()) {
            (0, _) => Position(self.random.random()),
            (1, _) | (_, None) => Position(0),
            (_, Some(membership)) => membership.next,
        };
        proto::encode(&Up::Pong { position })
    }

    /// Answers an organiser that comes back: adds it with a false Welcome, or says nothing.
    pub(super) fn answer_return(&mut self, participant: ParticipantId, request: &Blob) -> Option<Vec<u8>> {
        let (kind, junk) = (self.random.random_range(0..4), self.junk());
        let membership = self.memberships.last_mut().filter(|membership| membership.pending.is_none())?;
        let blob = match kind {
            0 => junk.clone(),
            1 => {
                let request = open_return(&membership.group, &request.0).ok()?;
                let commit = Blob(membership.group.add(vec![request]).ok()?.commit);
                membership.pending = Some((commit.clone(), true));
                commit
            }
            _ => return None,
        };
        let welcome = Some(Welcome { to: vec![participant], blob: junk });
        Some(proto::encode(&Up::Commit { epoch: membership.epoch, blob, removed: Vec::new(), welcome }))
    }

    /// Answers the organiser that waits with a false Welcome.
    pub(super) fn keep_out(&mut self) -> Option<Vec<u8>> {
        let Aim::KeepOut(Some(target)) = self.aim else { return None };
        let (blob, welcome) = (self.junk(), Some(Welcome { to: vec![target], blob: self.junk() }));
        let epoch = self.memberships.last()?.epoch;
        Some(proto::encode(&Up::Commit { epoch, blob, removed: Vec::new(), welcome }))
    }

    /// Ends the epoch by a commit that nobody can read, while an organiser waits.
    pub(super) fn end_epoch(&mut self) -> Option<Vec<u8>> {
        let Aim::KeepOut(Some(_)) = self.aim else { return None };
        let (blob, epoch) = (self.junk(), self.memberships.last()?.epoch);
        Some(proto::encode(&Up::Commit { epoch, blob, removed: Vec::new(), welcome: None }))
    }

    fn say_as_member(&mut self) -> Vec<Vec<u8>> {
        let epoch = self.some_epoch();
        let message = match self.random.random_range(0..24) {
            // Valid messages with any content, and messages of any bytes.
            0..4 => self.valid_tell(),
            4 => Some(Up::Tell { epoch, blob: self.junk() }),
            5 => self.captured.blob(&mut self.random).map(|blob| Up::Tell { epoch, blob }),
            6 => Some(Up::Tell { epoch, blob: self.claim_of_a_later_epoch() }),
            // Commits that nobody can read, or of others.
            7..9 => Some(Up::Commit { epoch, blob: self.junk(), removed: Vec::new(), welcome: None }),
            9 => self.captured.blob(&mut self.random).map(|blob| Up::Commit {
                epoch,
                blob,
                removed: Vec::new(),
                welcome: None,
            }),
            10 => Some(self.false_removal(epoch)),
            11 => Some(self.false_admission(epoch)),
            // Valid commits: of its own keys, and removals that nobody may accept from it.
            12..14 => self.valid_refresh(),
            14..17 => return self.valid_removal().into_iter().collect(),
            // Commands without the authority, and commands of others.
            17..20 => Some(self.forged_command()),
            20..22 => self.captured.signed_command(&mut self.random),
            22 => Some(Up::Leave),
            _ => return vec![self.say_out_of_order()],
        };
        message.iter().map(proto::encode).collect()
    }

    /// Says something that its state does not allow.
    fn say_out_of_order(&mut self) -> Vec<u8> {
        let meeting = self.invitation.meeting;
        let message = match self.random.random_range(0..12) {
            0 => Up::Hello { version: self.random.random_range(0..5) },
            1 => self.creation(),
            2 => Up::Approach { meeting },
            3 => Up::Knock { meeting, request: self.junk() },
            4 => {
                let request = self.captured.join_request(&mut self.random).unwrap_or(Blob(Vec::new()));
                Up::Knock { meeting, request }
            }
            5 => self.forged_return(),
            6 => self.own_resume(),
            7 => self.forged_resume(),
            8 => self.forged_command(),
            9 => Up::Commit { epoch: self.some_epoch(), blob: self.junk(), removed: Vec::new(), welcome: None },
            10 => Up::Hello { version: VERSION },
            // Bytes that are no message.
            _ => return self.junk().0,
        };
        proto::encode(&message)
    }

    /// More application messages than a member may send.
    fn flood(&mut self) -> Vec<Vec<u8>> {
        let (count, epoch) = (self.random.random_range(20..260), self.some_epoch());
        let messages = (0..count).map(|_| proto::encode(&Up::Tell { epoch, blob: Blob(vec![7; 40]) }));
        messages.collect()
    }

    fn valid_tell(&mut self) -> Option<Up> {
        let text: Vec<u8> = if self.random.random() {
            // The state of a member with any count.
            let count: u8 = self.random.random_range(0..24);
            vec![0x82, 0x00, 0x82, count, 0x83, 0x02, 0xf5, 0xf4]
        } else {
            self.junk().0
        };
        let membership = self.memberships.last_mut()?;
        let blob = Blob(membership.group.seal_message(&text).ok()?);
        Some(Up::Tell { epoch: membership.epoch, blob })
    }

    #[expect(clippy::disallowed_methods, reason = "it is a hostile client")]
    fn valid_refresh(&mut self) -> Option<Up> {
        let merges = self.random.random();
        let membership = self.memberships.last_mut().filter(|membership| membership.pending.is_none())?;
        let others: Vec<_> = membership.group.members().iter().map(|member| member.leaf).collect();
        let victim = others.get(self.random.random_range(0..4 * others.len()));
        let blob = Blob(match victim.filter(|leaf| **leaf != membership.group.me()) {
            // Some can read it, and others cannot.
            Some(victim) => half_valid(&mut membership.group, &[*victim]).ok()?,
            None => membership.group.refresh().ok()?.commit,
        });
        membership.pending = Some((blob.clone(), merges));
        Some(Up::Commit { epoch: membership.epoch, blob, removed: Vec::new(), welcome: None })
    }

    fn valid_removal(&mut self) -> Option<Vec<u8>> {
        let (target, says) = (self.captured.target(&mut self.random), self.random.random());
        self.memberships.last_mut()?.remove(target, says)
    }

    fn false_removal(&mut self, epoch: Epoch) -> Up {
        let removed = (0..3).map(|_| self.captured.target(&mut self.random)).collect();
        let blob = self.junk();
        Up::Commit { epoch, blob, removed, welcome: None }
    }

    fn false_admission(&mut self, epoch: Epoch) -> Up {
        let welcome = Some(Welcome { to: vec![self.captured.target(&mut self.random)], blob: self.junk() });
        Up::Commit { epoch, blob: self.junk(), removed: Vec::new(), welcome }
    }

    /// Returns a command of any kind that the authority did not sign.
    fn forged_command(&mut self) -> Up {
        let (participant, epoch) = (self.captured.target(&mut self.random), self.some_epoch());
        let (blob, transcript) = (self.junk(), self.random.random());
        let command = match self.random.random_range(0..8) {
            0 => ManagerCommand::Commit { epoch, blob, removed: vec![participant], rotation: None },
            1 => ManagerCommand::Refuse { participant, why: Refusal::Declined },
            2 => ManagerCommand::Expel { participant },
            3 => ManagerCommand::Void { epoch, participant },
            4 => {
                let next = NextAuthority { rotation: [self.random.random(); 128], admission_key: self.junk() };
                ManagerCommand::Commit { epoch, blob, removed: Vec::new(), rotation: Some(next) }
            }
            5 => ManagerCommand::Lock { locked: true },
            6 => ManagerCommand::Beacon { epoch, mls_epoch: self.random.random_range(0..40), transcript },
            _ => ManagerCommand::End,
        };
        let welcomes = match self.random.random_range(0..3) {
            0 => vec![Welcome { to: vec![participant], blob: self.junk() }],
            _ => Vec::new(),
        };
        let (counter, command) = (self.random.random_range(0..100), Blob(proto::encode(&command)));
        Up::Manage { counter, command, signature: [7; 64], welcomes }
    }

    /// Returns a request for a meeting: the same id with other keys, or another id.
    fn creation(&mut self) -> Up {
        let meeting = if self.random.random() { self.invitation.meeting } else { MeetingId(self.random.random()) };
        Up::Create { meeting, admission_key: self.junk(), authority: self.random.random() }
    }

    fn own_resume(&mut self) -> Up {
        let meeting = self.invitation.meeting;
        let Some(membership) = self.memberships.last() else { return self.forged_resume() };
        let (participant, token, next) = (membership.me, membership.token, membership.next);
        let position = if self.random.random() { next } else { Position(self.random.random()) };
        Up::Resume { meeting, participant, token, position }
    }

    /// Returns the resumption of another member, with its own token or any.
    fn forged_resume(&mut self) -> Up {
        let own = self.memberships.last().map(|membership| membership.token);
        let token = own.filter(|_| self.random.random()).unwrap_or(ResumeToken([7; 32]));
        let participant = self.captured.target(&mut self.random);
        Up::Resume { meeting: self.invitation.meeting, participant, token, position: Position(0) }
    }

    fn forged_return(&mut self) -> Up {
        let meeting = self.invitation.meeting;
        match self.captured.return_request(&mut self.random) {
            Some((_, request, signature)) => Up::Return { meeting, request, signature },
            None => Up::Return { meeting, request: self.junk(), signature: [7; 64] },
        }
    }

    /// Returns a message whose unencrypted header claims a later epoch.
    fn claim_of_a_later_epoch(&mut self) -> Blob {
        let epoch: u64 = self.random.random_range(0..u64::MAX);
        let content = self.random.random_range(1..4);
        Blob([&[0, 1, 0, 2, 16][..], &self.invitation.meeting.0, &epoch.to_be_bytes(), &[content, 0, 0]].concat())
    }

    fn some_epoch(&mut self) -> Epoch {
        let epoch = self.memberships.last().map_or(0, |membership| membership.epoch.0);
        let distance = if self.random.random() { 0 } else { self.random.random_range(0..4) };
        if self.random.random() { Epoch(epoch + distance) } else { Epoch(epoch.saturating_sub(distance)) }
    }

    fn junk(&mut self) -> Blob {
        let length = self.random.random_range(0..300);
        Blob((0..length).map(|_| self.random.random()).collect())
    }
}
