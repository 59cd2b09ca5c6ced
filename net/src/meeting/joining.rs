//! The steps before membership: greets the server, then creates the meeting, or checks its admission key and knocks.

use super::event::{Violation, no_keys};
use super::outputs::Outputs;
use super::timing::KNOCK_TIMEOUT;
use super::{Entry, Event, Notice};
use crypto::admission_key;
use crypto::{AuthorityChain, Group, Identity, Invitation, Joiner, ManagerKeys, Profile, knock};
use proto::{Blob, Down, Epoch, ParticipantId, Position, Reason, Refusal, Up, VERSION};
use std::time::{Instant, SystemTime};

/// A client that is not a member yet.
pub(super) struct Joining {
    stage: Stage,
}

/// The result of a message.
pub(super) enum Next {
    Joining(Box<Joining>),
    Member(Box<NewMember>),
}

/// The state that a new member starts with.
pub(super) struct NewMember {
    pub me: ParticipantId,
    pub group: Group,
    /// `None` if this client is not the organiser.
    pub keys: Option<ManagerKeys>,
    /// The position of the next log entry.
    pub position: Position,
    /// The log's epoch at that position.
    pub epoch: Epoch,
    /// Departed members whose leaves are still in the group.
    pub gone: Vec<ParticipantId>,
}

enum Stage {
    /// `Hello` was sent.
    Greeting(Goal),
    /// `Create` was sent.
    Creating { creation: Creation, me: ParticipantId },
    /// `Approach` was sent.
    Approaching { request: JoinRequest, me: ParticipantId },
    /// `Knock` was sent. `notice` is when the user is notified that there is no answer. It is `None` after that.
    Knocking { joiner: Joiner, me: ParticipantId, notice: Option<Instant> },
}

enum Goal {
    Create(Creation),
    Join(JoinRequest),
}

struct Creation {
    identity: Identity,
    profile: Profile,
    keys: ManagerKeys,
}

struct JoinRequest {
    invitation: Invitation,
    identity: Identity,
    profile: Profile,
}

impl Joining {
    /// Sends `Hello`. Also returns the invitation, which lacks the server's address if this client creates the meeting.
    pub(super) fn new(entry: Entry, outputs: &mut Outputs) -> Result<(Self, Invitation), Reason> {
        let (goal, invitation) = match entry {
            Entry::Create { keys, identity, profile } => {
                let invitation = keys.invitation("", 0, None);
                (Goal::Create(Creation { identity, profile, keys }), invitation)
            }
            Entry::Join { invitation, identity, profile } => {
                let known = invitation.clone();
                (Goal::Join(JoinRequest { invitation, identity, profile }), known)
            }
        };
        outputs.transmit(Up::Hello { version: VERSION });
        outputs.event(Event::Approaching);
        Ok((Self { stage: Stage::Greeting(goal) }, invitation))
    }

    pub(super) fn handle_message(
        self: Box<Self>,
        message: Down,
        now: Instant,
        outputs: &mut Outputs,
    ) -> Result<Next, Reason> {
        match (self.stage, message) {
            (Stage::Greeting(goal), Down::Hello { version, participant }) => {
                goal.handle_hello(version, participant, outputs)
            }
            (Stage::Creating { creation, me }, Down::Created) => creation.handle_created(me),
            (Stage::Approaching { request, me }, Down::AdmissionKey { admission_key }) => {
                request.handle_admission_key(&admission_key, me, now, outputs)
            }
            (Stage::Knocking { joiner, me, .. }, Down::Admitted { welcome, position, epoch, gone }) => {
                let group = joiner.enter(&welcome.0).map_err(|_| Reason::Forged)?;
                Ok(Next::Member(Box::new(NewMember { me, group, keys: None, position, epoch, gone })))
            }
            (Stage::Knocking { .. }, Down::Refused { why }) => Err(match why {
                Refusal::Declined => Reason::Refused,
                Refusal::Unattended => Reason::Unattended,
            }),
            _ => Err(Violation::Unexpected.into()),
        }
    }

    /// Notifies the user once that the knock was not answered.
    pub(super) fn handle_timeout(&mut self, now: Instant, outputs: &mut Outputs) {
        if let Stage::Knocking { notice, .. } = &mut self.stage
            && notice.take_if(|at| now >= *at).is_some()
        {
            outputs.notice(Notice::NoAnswerYet);
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        match &self.stage {
            Stage::Knocking { notice, .. } => *notice,
            Stage::Greeting(_) | Stage::Creating { .. } | Stage::Approaching { .. } => None,
        }
    }
}

impl Goal {
    fn handle_hello(self, version: u16, me: ParticipantId, outputs: &mut Outputs) -> Result<Next, Reason> {
        if version != VERSION {
            return Err(Reason::Version);
        }
        let stage = match self {
            Self::Create(creation) => {
                let meeting = creation.keys.meeting();
                outputs.transmit(Up::Create { meeting, admission_key: with_chain(&creation.keys) });
                Stage::Creating { creation, me }
            }
            Self::Join(request) => {
                outputs.transmit(Up::Approach { meeting: request.invitation.meeting });
                Stage::Approaching { request, me }
            }
        };
        Ok(Next::Joining(Box::new(Joining { stage })))
    }
}

impl Creation {
    fn handle_created(self, me: ParticipantId) -> Result<Next, Reason> {
        let Self { identity, profile, keys } = self;
        let group = Group::create(&identity, profile, me, &keys, SystemTime::now()).map_err(|_| no_keys())?;
        let (position, epoch) = (Position::default(), Epoch::default());
        let new_member = NewMember { me, group, keys: Some(keys), position, epoch, gone: Vec::new() };
        Ok(Next::Member(Box::new(new_member)))
    }
}

impl JoinRequest {
    /// Checks the admission key against the invitation link, and knocks.
    fn handle_admission_key(
        self,
        key: &Blob,
        me: ParticipantId,
        now: Instant,
        outputs: &mut Outputs,
    ) -> Result<Next, Reason> {
        let Self { invitation, identity, profile } = self;
        let (key, chain) = key.0.split_at(key.0.len().saturating_sub(FIRST_CHAIN));
        let (joiner, request) = knock(&invitation, key, chain, &identity, profile, me, SystemTime::now())
            .map_err(|error| knock_failed(&error))?;
        outputs.transmit(Up::Knock { meeting: invitation.meeting, request: Blob(request) });
        outputs.event(Event::Knocking);
        let stage = Stage::Knocking { joiner, me, notice: Some(now + KNOCK_TIMEOUT) };
        Ok(Next::Joining(Box::new(Joining { stage })))
    }
}

fn knock_failed(error: &admission_key::Error) -> Reason {
    let forged = matches!(error, admission_key::Error::WrongAdmissionKey | admission_key::Error::Chain(_));
    if forged { Reason::Forged } else { no_keys() }
}

/// Returns the admission key with the chain of authorities behind it: version 2 of the protocol has no field for the
/// chain. The keys of a meeting do not rotate yet, so the chain has its first length.
pub(super) fn with_chain(keys: &ManagerKeys) -> Blob {
    Blob([keys.public_key(), &AuthorityChain::encode(keys.chain())].concat())
}

/// The length of a chain without rotations, in bytes.
const FIRST_CHAIN: usize = 64;
