//! The way in: hello, then either open a meeting or find its door, check it, and knock.

use super::{End, Entry, Event, KNOCK_PATIENCE, Notice, Outbox, ProtocolViolation, Reason};
use crypto::admission_key;
use crypto::{AdmissionKey, Group, Identity, Invitation, Joiner, Profile, knock};
use proto::{Blob, Down, Epoch, MeetingId, ParticipantId, Position, Refusal, Up, VERSION};
use std::time::Instant;

/// A client that is not in yet.
pub(super) struct Entrance {
    stage: Stage,
}

/// Where a message leads.
pub(super) enum Step {
    /// Still outside.
    Outside(Box<Entrance>),
    /// In.
    Inside(Box<Arrival>),
}

/// All that a new member has.
pub(super) struct Arrival {
    pub me: ParticipantId,
    pub group: Group,
    /// The organiser's.
    pub admission_key: Option<AdmissionKey>,
    /// The next entry of the log.
    pub position: Position,
    /// The log's epoch there.
    pub epoch: Epoch,
    /// Whose leaf is still to be removed.
    pub gone: Vec<ParticipantId>,
}

enum Stage {
    /// Hello is said.
    Greeting(Plan),
    /// The server opens the meeting.
    Creating { creation: Creation, me: ParticipantId },
    /// The server looks for the door.
    Approaching { join: Join, me: ParticipantId },
    /// Somebody inside decides.
    Knocking { joiner: Joiner, me: ParticipantId, notice: Option<Instant> },
}

enum Plan {
    Create(Creation),
    Join(Join),
}

struct Creation {
    meeting: MeetingId,
    identity: Identity,
    profile: Profile,
    admission_key: AdmissionKey,
}

struct Join {
    invitation: Invitation,
    identity: Identity,
    profile: Profile,
}

impl Entrance {
    /// Says hello. Hands out the invitation, without an address where the meeting is made here.
    pub(super) fn new(entry: Entry, outbox: &mut Outbox) -> Result<(Self, Invitation), End> {
        let (plan, invitation) = match entry {
            Entry::Create { meeting, identity, profile } => {
                let admission_key = AdmissionKey::new(meeting).map_err(|_| Reason::Internal)?;
                let invitation = admission_key.invitation("", 0, None);
                (Plan::Create(Creation { meeting, identity, profile, admission_key }), invitation)
            }
            Entry::Join { invitation, identity, profile } => {
                let known = invitation.clone();
                (Plan::Join(Join { invitation, identity, profile }), known)
            }
        };
        outbox.transmit(Up::Hello { version: VERSION });
        outbox.event(Event::Approaching);
        Ok((Self { stage: Stage::Greeting(plan) }, invitation))
    }

    /// Goes on by one message, or ends.
    pub(super) fn handle_message(
        self: Box<Self>,
        message: Down,
        now: Instant,
        outbox: &mut Outbox,
    ) -> Result<Step, End> {
        match (self.stage, message) {
            (Stage::Greeting(plan), Down::Hello { version, participant }) => plan.greeted(version, participant, outbox),
            (Stage::Creating { creation, me }, Down::Created) => creation.created(me),
            (Stage::Approaching { join, me }, Down::AdmissionKey { admission_key }) => {
                join.at_the_door(&admission_key, me, now, outbox)
            }
            (Stage::Knocking { joiner, me, .. }, Down::Admitted { welcome, position, epoch, gone }) => {
                let group = joiner.enter(&welcome.0).map_err(|_| Reason::BadWelcome)?;
                Ok(Step::Inside(Box::new(Arrival { me, group, admission_key: None, position, epoch, gone })))
            }
            (Stage::Knocking { .. }, Down::Refused { why }) => Err(match why {
                Refusal::Declined => End::Refused,
                Refusal::Unattended => Reason::Unattended.into(),
            }),
            _ => Err(ProtocolViolation::Unexpected.into()),
        }
    }

    /// Tells once that nobody answers.
    pub(super) fn handle_timeout(&mut self, now: Instant, outbox: &mut Outbox) {
        if let Stage::Knocking { notice, .. } = &mut self.stage
            && notice.take_if(|at| now >= *at).is_some()
        {
            outbox.notice(Notice::NoAnswerYet);
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        match &self.stage {
            Stage::Knocking { notice, .. } => *notice,
            Stage::Greeting(_) | Stage::Creating { .. } | Stage::Approaching { .. } => None,
        }
    }
}

impl Plan {
    fn greeted(self, version: u16, me: ParticipantId, outbox: &mut Outbox) -> Result<Step, End> {
        if version != VERSION {
            return Err(Reason::Version { server: version }.into());
        }
        let stage = match self {
            Self::Create(creation) => {
                let admission_key = Blob(creation.admission_key.public_key().to_vec());
                outbox.transmit(Up::Create { meeting: creation.meeting, admission_key });
                Stage::Creating { creation, me }
            }
            Self::Join(join) => {
                outbox.transmit(Up::Approach { meeting: join.invitation.meeting });
                Stage::Approaching { join, me }
            }
        };
        Ok(Step::Outside(Box::new(Entrance { stage })))
    }
}

impl Creation {
    fn created(self, me: ParticipantId) -> Result<Step, End> {
        let Self { meeting, identity, profile, admission_key } = self;
        let group = Group::create(&identity, profile, me, meeting).map_err(|_| Reason::Internal)?;
        let (position, epoch) = (Position::default(), Epoch::default());
        let arrival = Arrival { me, group, admission_key: Some(admission_key), position, epoch, gone: Vec::new() };
        Ok(Step::Inside(Box::new(arrival)))
    }
}

impl Join {
    fn at_the_door(self, key: &Blob, me: ParticipantId, now: Instant, outbox: &mut Outbox) -> Result<Step, End> {
        let Self { invitation, identity, profile } = self;
        let (joiner, request) = knock(&invitation, &key.0, &identity, profile, me).map_err(|error| why_not(&error))?;
        outbox.transmit(Up::Knock { meeting: invitation.meeting, request: Blob(request) });
        outbox.event(Event::Knocking);
        let stage = Stage::Knocking { joiner, me, notice: Some(now + KNOCK_PATIENCE) };
        Ok(Step::Outside(Box::new(Entrance { stage })))
    }
}

/// Whose fault it is that no knock could be made.
fn why_not(error: &admission_key::Error) -> Reason {
    if matches!(error, admission_key::Error::WrongAdmissionKey) { Reason::WrongAdmissionKey } else { Reason::Internal }
}
