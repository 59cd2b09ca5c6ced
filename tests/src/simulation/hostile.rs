//! A hostile client: a real member with valid keys that follows no rule.
//!
//! It joins by the link as others do and follows the group, so its commits and messages are valid MLS. It sends any message
//! in any state ([`speech`]), keeps the keys of every epoch that it was in, and goes on after its removal: it reads all
//! later entries of the log, as if the server gave them to it, and knocks again.

mod captured;
mod speech;

use super::media::HeldKeys;
use captured::CapturedMessages;
use crypto::{Gone, Group, Identity, Invitation, Joiner, Profile, Received};
use proto::{Blob, Down, Epoch, LogEntry, ManagerCommand, ParticipantId, Position, ResumeToken, Up, VERSION};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::mem;
use std::time::SystemTime;

/// A hostile client.
pub(super) struct HostileClient {
    random: ChaCha8Rng,
    identity: Identity,
    invitation: Invitation,
    /// The time of its clock. The clock stands still, and its time is valid for the meeting's organiser.
    wall: SystemTime,
    stage: Stage,
    aim: Aim,
    /// All ids that it has had.
    ids: Vec<ParticipantId>,
    /// Its memberships, newest last. The groups and keys of earlier ones are kept.
    memberships: Vec<Membership>,
    /// The admission whose tree is not complete.
    admission: Option<Admission>,
    captured: CapturedMessages,
}

/// The aim of a hostile client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aim {
    /// To disturb the meeting by any message.
    Disturb,
    /// To keep out organisers that come back: it answers each request at once with a false Welcome, and again if it was too
    /// late. Its other commits end epochs, so that the answers of others come too late. The value is the organiser that
    /// waits.
    KeepOut(Option<ParticipantId>),
}

/// The state of its connection.
enum Stage {
    Offline,
    Connecting,
    Greeting,
    Greeted,
    Approaching,
    Waiting(Box<Joiner>),
    Member,
}

/// What the server said when it admitted this client.
struct Admission {
    joiner: Box<Joiner>,
    welcome: Blob,
    position: Position,
    epoch: Epoch,
    resume: ResumeToken,
    /// Bytes of the tree that are still to come.
    left: usize,
    sealed: Vec<u8>,
}

/// One membership, which may be over.
struct Membership {
    me: ParticipantId,
    group: Group,
    /// The log's epoch.
    epoch: Epoch,
    next: Position,
    token: ResumeToken,
    /// Its own commit that is on its way, and whether it merges it.
    pending: Option<(Blob, bool)>,
    keys: Vec<HeldKeys>,
}

/// What it does when it is its turn.
pub(super) enum Act {
    /// Sends these messages.
    Say(Vec<Vec<u8>>),
    /// Opens a connection.
    Connect,
    /// Closes its connection without a message.
    Reset,
}

impl HostileClient {
    /// Returns a hostile client that is connected.
    pub(super) fn new(invitation: Invitation, aim: Aim, seed: u64, wall: SystemTime) -> Self {
        Self {
            random: ChaCha8Rng::seed_from_u64(seed),
            identity: Identity::generate().expect("the system has randomness"),
            invitation,
            wall,
            stage: Stage::Greeting,
            aim,
            ids: Vec::new(),
            memberships: Vec::new(),
            admission: None,
            captured: CapturedMessages::default(),
        }
    }

    /// Returns all participant ids that it has had.
    pub(super) fn ids(&self) -> &[ParticipantId] {
        &self.ids
    }

    /// Returns all keys that it holds.
    pub(super) fn keys(&mut self) -> impl Iterator<Item = (ParticipantId, &mut HeldKeys)> {
        self.memberships.iter_mut().flat_map(|membership| {
            let me = membership.me;
            membership.keys.iter_mut().map(move |keys| (me, keys))
        })
    }

    /// Gives it the link of the meeting as it is now.
    pub(super) fn set_link(&mut self, invitation: Invitation) {
        self.invitation = invitation;
    }

    /// Greets the server on a new connection.
    pub(super) fn greet(&mut self) -> Vec<Vec<u8>> {
        self.stage = Stage::Greeting;
        vec![proto::encode(&Up::Hello { version: VERSION })]
    }

    /// Handles the end of its connection.
    pub(super) fn handle_disconnected(&mut self) {
        self.stage = Stage::Offline;
    }

    /// Does something.
    pub(super) fn act(&mut self) -> Act {
        match self.stage {
            Stage::Offline => {
                self.stage = Stage::Connecting;
                // The person may have another device, which is not barred.
                if self.random.random_range(0..4) == 0 {
                    self.identity = Identity::generate().expect("the system has randomness");
                }
                Act::Connect
            }
            Stage::Connecting | Stage::Greeting => Act::Say(Vec::new()),
            Stage::Member if self.aim != Aim::Disturb => Act::Say(self.end_epoch().into_iter().collect()),
            Stage::Greeted | Stage::Approaching | Stage::Waiting(_) if self.aim != Aim::Disturb => Act::Say(Vec::new()),
            Stage::Greeted | Stage::Approaching | Stage::Waiting(_) | Stage::Member => {
                match self.random.random_range(0..60) {
                    0 => Act::Reset,
                    _ => Act::Say(self.say()),
                }
            }
        }
    }

    /// Handles a message of the server. Returns its answers.
    pub(super) fn handle_message(&mut self, message: Down) -> Vec<Vec<u8>> {
        self.captured.collect(&message);
        let mut answers = Vec::new();
        match message {
            Down::Hello { participant, .. } => {
                self.ids.push(participant);
                self.stage = Stage::Greeted;
                answers.push(self.enter());
            }
            Down::AdmissionKey { admission_key, chain } => answers.extend(self.knock(&admission_key, &chain)),
            Down::Admitted { welcome, position, epoch, resume, tree, .. } => {
                let Stage::Waiting(joiner) = mem::replace(&mut self.stage, Stage::Member) else { return answers };
                let (left, sealed) = (tree as usize, Vec::new());
                self.admission = Some(Admission { joiner, welcome, position, epoch, resume, left, sealed });
            }
            Down::Tree { part } => self.handle_tree(&part),
            Down::Resumed => {
                self.stage = Stage::Member;
                self.ids.extend(self.memberships.last().map(|membership| membership.me));
            }
            Down::Log { position, entry } => answers.extend(self.handle_entry(position, &entry, true)),
            Down::CommitTooLate { epoch } if self.aim != Aim::Disturb => {
                if let Some(membership) = self.memberships.last_mut() {
                    membership.epoch = epoch;
                }
                answers.extend(self.keep_out());
            }
            Down::CommitTooLate { .. } => {
                if let Some(membership) = self.memberships.last_mut()
                    && membership.pending.take().is_some()
                {
                    membership.group.clear_pending_commit();
                }
            }
            Down::Returned { participant, .. } if self.aim != Aim::Disturb => {
                self.aim = Aim::KeepOut(Some(participant));
                answers.extend(self.keep_out());
            }
            Down::Returned { participant, request, .. } => answers.extend(self.answer_return(participant, &request)),
            Down::Ping => answers.push(self.pong()),
            Down::Created { .. }
            | Down::Knocked { .. }
            | Down::Lobby { .. }
            | Down::Relayed { .. }
            | Down::Withdrew { .. }
            | Down::Refused { .. }
            | Down::Skipped { .. }
            | Down::Removed { .. }
            | Down::Presence { .. }
            | Down::Beacon { .. }
            | Down::MemberBeacon { .. }
            | Down::Ended { .. }
            | Down::Problem { .. } => {}
        }
        answers
    }

    /// Reads an entry of the log that was sent to somebody else.
    pub(super) fn overhear(&mut self, position: Position, entry: &LogEntry) {
        if !matches!(self.stage, Stage::Member) {
            // It cannot answer.
            self.handle_entry(position, entry, false);
        }
    }

    fn knock(&mut self, admission_key: &Blob, chain: &Blob) -> Option<Vec<u8>> {
        let profile = Profile::new("Eve").expect("a valid name");
        let (me, link) = (*self.ids.last()?, &self.invitation);
        let (joiner, request) =
            crypto::knock(link, &admission_key.0, &chain.0, &self.identity, profile, me, self.wall).ok()?;
        self.stage = Stage::Waiting(Box::new(joiner));
        Some(proto::encode(&Up::Knock { meeting: link.meeting, request: Blob(request) }))
    }

    fn handle_tree(&mut self, part: &Blob) {
        let Some(mut admission) = self.admission.take() else { return };
        admission.sealed.extend_from_slice(&part.0);
        admission.left = admission.left.saturating_sub(part.0.len());
        if admission.left > 0 {
            self.admission = Some(admission);
            return;
        }
        let Admission { joiner, welcome, position: next, epoch, resume: token, sealed, .. } = admission;
        let (Ok(group), Some(me)) = (joiner.enter(&welcome.0, &sealed), self.ids.last().copied()) else { return };
        let mut membership = Membership { me, group, epoch, next, token, pending: None, keys: Vec::new() };
        membership.hold_keys();
        self.memberships.push(membership);
    }

    /// Follows the group as a member does. An earlier member tries the same.
    fn handle_entry(&mut self, position: Position, entry: &LogEntry, connected: bool) -> Option<Vec<u8>> {
        if let (LogEntry::Gone { participant, .. }, Aim::KeepOut(target)) = (entry, &mut self.aim) {
            target.take_if(|target| target == participant);
        }
        let hurries = self.aim == Aim::Disturb && connected && self.random.random();
        let membership = self.memberships.last_mut().filter(|membership| position >= membership.next)?;
        membership.next = Position(position.0 + 1);
        match entry {
            LogEntry::Commit { epoch, blob, .. } => membership.follow(*epoch, blob),
            LogEntry::Managed { signed } => {
                if let Ok(ManagerCommand::Commit { epoch, blob, .. }) = signed.decode() {
                    membership.follow(epoch, &blob);
                }
            }
            LogEntry::Told { blob, .. } => drop(membership.group.process(&blob.0, &|_| Some(Gone::Left))),
            // It removes a member that is gone before the manager does.
            LogEntry::Gone { participant, .. } if hurries => return membership.remove(*participant, true),
            LogEntry::Gone { .. } => {}
        }
        None
    }
}

impl Membership {
    fn follow(&mut self, epoch: Epoch, blob: &Blob) {
        self.epoch = epoch.next();
        match self.pending.take() {
            Some((own, merges)) if own == *blob => {
                if merges {
                    drop(self.group.merge_pending_commit());
                } else {
                    self.group.clear_pending_commit();
                }
            }
            pending => {
                if pending.is_some() {
                    self.group.clear_pending_commit();
                }
                // It follows every commit that it can read.
                let _: Option<Received> = self.group.process(&blob.0, &|_| Some(Gone::Left)).ok();
            }
        }
        self.hold_keys();
    }

    /// Keeps the keys of the group's epoch.
    fn hold_keys(&mut self) {
        let newest = self.keys.last().map(HeldKeys::epoch);
        if newest != Some(self.group.epoch())
            && let Ok(keys) = self.group.media_keys()
        {
            self.keys.push(HeldKeys::new(keys, self.group.me()));
        }
    }

    /// Returns a valid commit that removes a member, present or not. It names `participant` as removed if `says`.
    fn remove(&mut self, participant: ParticipantId, says: bool) -> Option<Vec<u8>> {
        let members = self.group.members();
        let leaf = members.iter().find(|member| member.participant == participant)?.leaf;
        if self.pending.is_some() || leaf == self.group.me() {
            return None;
        }
        let commit = Blob(self.group.remove(&[leaf]).ok()?.commit);
        self.pending = Some((commit.clone(), says));
        let removed = if says { vec![participant] } else { Vec::new() };
        Some(proto::encode(&Up::Commit { epoch: self.epoch, blob: commit, removed, welcome: None }))
    }
}
