//! The steps before membership: greets the server, then creates the meeting, or checks its admission key and knocks.

use super::event::{Violation, no_keys};
use super::outputs::Outputs;
use super::timing::KNOCK_TIMEOUT;
use super::{Entry, Event, Notice};
use crypto::admission_key;
use crypto::{AdmissionKey, Group, Identity, Invitation, Joiner, Profile, knock};
use proto::{Blob, Down, Epoch, MeetingId, ParticipantId, Position, Reason, Refusal, Up, VERSION};
use std::time::Instant;

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
    pub admission_key: Option<AdmissionKey>,
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
    meeting: MeetingId,
    identity: Identity,
    profile: Profile,
    admission_key: AdmissionKey,
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
            Entry::Create { meeting, identity, profile } => {
                let admission_key = AdmissionKey::new(meeting).map_err(|_| no_keys())?;
                let invitation = admission_key.invitation("", 0, None);
                (Goal::Create(Creation { meeting, identity, profile, admission_key }), invitation)
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
                Ok(Next::Member(Box::new(NewMember { me, group, admission_key: None, position, epoch, gone })))
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
                let admission_key = Blob(creation.admission_key.public_key().to_vec());
                outputs.transmit(Up::Create { meeting: creation.meeting, admission_key });
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
        let Self { meeting, identity, profile, admission_key } = self;
        let group = Group::create(&identity, profile, me, meeting).map_err(|_| no_keys())?;
        let (position, epoch) = (Position::default(), Epoch::default());
        let new_member = NewMember { me, group, admission_key: Some(admission_key), position, epoch, gone: Vec::new() };
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
        let (joiner, request) =
            knock(&invitation, &key.0, &identity, profile, me).map_err(|error| knock_failed(&error))?;
        outputs.transmit(Up::Knock { meeting: invitation.meeting, request: Blob(request) });
        outputs.event(Event::Knocking);
        let stage = Stage::Knocking { joiner, me, notice: Some(now + KNOCK_TIMEOUT) };
        Ok(Next::Joining(Box::new(Joining { stage })))
    }
}

fn knock_failed(error: &admission_key::Error) -> Reason {
    if matches!(error, admission_key::Error::WrongAdmissionKey) { Reason::Forged } else { no_keys() }
}
