//! The steps before membership: greets the server, then creates the meeting, knocks, or comes back as organiser.

use super::Notice;
use super::context::{Context, is_own_clock_wrong};
use super::event::{Violation, no_keys};
use super::timing::KNOCK_TIMEOUT;
use crypto::admission_key;
use crypto::{Group, Joiner, ReturnRequest, knock, return_to_meeting};
use proto::{Blob, Down, Epoch, ParticipantId, Position, Reason, Refusal, ResumeToken, Up, VERSION};
use std::time::Instant;

/// A client that is not a member yet, or not any more.
pub(super) struct Joining {
    stage: Stage,
}

/// The result of a message.
pub(super) enum Next {
    Joining(Joining),
    Member(Box<NewMember>),
}

/// The state that a new member starts with.
pub(super) struct NewMember {
    pub me: ParticipantId,
    pub group: Group,
    /// The position of the next log entry.
    pub position: Position,
    /// The log's epoch at that position.
    pub epoch: Epoch,
    /// Departed members whose leaves are still in the group.
    pub gone: Vec<ParticipantId>,
    /// Proves to the server that a new connection is this member's.
    pub resume: ResumeToken,
}

/// How the client enters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Goal {
    Create,
    Join,
    Return,
}

enum Stage {
    /// `Hello` was sent.
    Greeting(Goal),
    /// `Create` was sent.
    Creating { me: ParticipantId },
    /// `Approach` was sent.
    Approaching { me: ParticipantId },
    /// `Knock` or `Return` was sent. `notice` is when the user is notified that there is no answer. It is `None` after
    /// that.
    Waiting { joiner: Box<Joiner>, me: ParticipantId, notice: Option<Instant> },
}

impl Joining {
    /// Sends `Hello`.
    pub(super) fn new(goal: Goal, context: &mut Context<'_>) -> Self {
        context.outputs.transmit(Up::Hello { version: VERSION });
        Self { stage: Stage::Greeting(goal) }
    }

    pub(super) fn handle_message(self, message: Down, context: &mut Context<'_>) -> Result<Next, Reason> {
        match (self.stage, message) {
            (Stage::Greeting(goal), Down::Hello { version, participant, .. }) => {
                if version != VERSION {
                    return Err(Reason::Version);
                }
                greet(goal, participant, context)
            }
            (Stage::Creating { me }, Down::Created { resume }) => enter_new_meeting(me, resume, context),
            (Stage::Approaching { me }, Down::AdmissionKey { admission_key, chain }) => {
                approach(&admission_key, &chain, me, context)
            }
            (Stage::Waiting { joiner, me, .. }, Down::Admitted { welcome, position, epoch, gone, resume }) => {
                let group = joiner.enter(&welcome.0).map_err(|_| Reason::Forged)?;
                Ok(Next::Member(Box::new(NewMember { me, group, position, epoch, gone, resume })))
            }
            (Stage::Waiting { .. }, Down::Refused { why }) => Err(refused(why, context.clock_ahead)),
            _ => Err(Violation::Unexpected.into()),
        }
    }

    /// Returns true if a member decides now.
    pub(super) const fn is_waiting(&self) -> bool {
        matches!(self.stage, Stage::Waiting { .. })
    }

    /// Notifies the user once that the knock was not answered.
    pub(super) fn handle_timeout(&mut self, context: &mut Context<'_>) {
        if let Stage::Waiting { notice, .. } = &mut self.stage
            && notice.take_if(|at| context.now >= *at).is_some()
        {
            context.outputs.notice(Notice::NoAnswerYet);
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        match &self.stage {
            Stage::Waiting { notice, .. } => *notice,
            Stage::Greeting(_) | Stage::Creating { .. } | Stage::Approaching { .. } => None,
        }
    }

    fn next(stage: Stage) -> Next {
        Next::Joining(Self { stage })
    }
}

fn greet(goal: Goal, me: ParticipantId, context: &mut Context<'_>) -> Result<Next, Reason> {
    if let Some(manager) = context.manager {
        manager.set_me(me);
    }
    match (goal, &context.entrant.link) {
        (Goal::Create, _) => {
            let keys = context.manager.as_ref().ok_or_else(no_keys)?.keys();
            let (meeting, authority) = (keys.meeting(), keys.authority().0);
            let admission_key = Blob(keys.public_key().to_vec());
            context.outputs.transmit(Up::Create { meeting, admission_key, authority });
            Ok(Joining::next(Stage::Creating { me }))
        }
        (Goal::Join, Some(link)) => {
            context.outputs.transmit(Up::Approach { meeting: link.meeting });
            Ok(Joining::next(Stage::Approaching { me }))
        }
        (Goal::Join, None) => Err(no_keys()),
        (Goal::Return, _) => come_back(me, context),
    }
}

/// Creates the group of a new meeting.
fn enter_new_meeting(me: ParticipantId, resume: ResumeToken, context: &mut Context<'_>) -> Result<Next, Reason> {
    let keys = context.manager.as_ref().ok_or_else(no_keys)?.keys();
    let (identity, profile) = (&context.entrant.identity, context.entrant.profile.clone());
    let group = Group::create(identity, profile, me, keys, context.wall).map_err(|_| no_keys())?;
    let (position, epoch) = (Position::default(), Epoch::default());
    Ok(Next::Member(Box::new(NewMember { me, group, position, epoch, gone: Vec::new(), resume })))
}

/// Checks the admission key against the invitation link, and knocks.
fn approach(admission_key: &Blob, chain: &Blob, me: ParticipantId, context: &mut Context<'_>) -> Result<Next, Reason> {
    let link = context.entrant.link.as_ref().ok_or_else(no_keys)?;
    let (identity, profile) = (&context.entrant.identity, context.entrant.profile.clone());
    let (joiner, request) = knock(link, &admission_key.0, &chain.0, identity, profile, me, context.wall)
        .map_err(|error| knock_failed(&error))?;
    context.outputs.transmit(Up::Knock { meeting: link.meeting, request: Blob(request) });
    Ok(wait(joiner, me, context))
}

/// Asks the members to add this organiser again.
fn come_back(me: ParticipantId, context: &mut Context<'_>) -> Result<Next, Reason> {
    let keys = context.manager.as_ref().ok_or_else(no_keys)?.keys();
    let (identity, profile) = (&context.entrant.identity, context.entrant.profile.clone());
    let (joiner, request) =
        return_to_meeting(keys, identity, profile, me, context.wall).map_err(|error| knock_failed(&error))?;
    let ReturnRequest { package, signature } = request;
    let meeting = keys.meeting();
    context.outputs.transmit(Up::Return { meeting, request: Blob(package), signature });
    Ok(wait(joiner, me, context))
}

fn wait(joiner: Joiner, me: ParticipantId, context: &Context<'_>) -> Next {
    Joining::next(Stage::Waiting { joiner: Box::new(joiner), me, notice: Some(context.now + KNOCK_TIMEOUT) })
}

fn knock_failed(error: &admission_key::Error) -> Reason {
    let forged = matches!(error, admission_key::Error::WrongAdmissionKey | admission_key::Error::Chain(_));
    if forged { Reason::Forged } else { no_keys() }
}

/// Returns the reason of a refusal. If two clocks differ, the server's shows which one is wrong.
fn refused(why: Refusal, clock_ahead: i64) -> Reason {
    match why {
        Refusal::Declined => Reason::Refused,
        Refusal::Unattended => Reason::Unattended,
        Refusal::Removed => Reason::Barred,
        Refusal::OldLink => Reason::OldLink,
        Refusal::Locked => Reason::Locked,
        Refusal::Clock { .. } if is_own_clock_wrong(clock_ahead) => Reason::OwnClock { ahead: clock_ahead },
        Refusal::Clock { ahead } => Reason::OrganiserClock { ahead: ahead.saturating_neg() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_because_of_a_clock_names_the_wrong_one() {
        let why = Refusal::Clock { ahead: 7_200 };
        assert_eq!(refused(why, 7_190), Reason::OwnClock { ahead: 7_190 });
        assert_eq!(refused(why, -5), Reason::OrganiserClock { ahead: -7_200 });
    }
}
