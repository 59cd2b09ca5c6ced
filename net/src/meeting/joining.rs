//! The steps before membership: greets the server, then creates the meeting, knocks, or comes back as organiser.

use super::Notice;
use super::context::{Context, is_own_clock_wrong};
use super::event::{Exit, Violation, no_keys};
use super::problems::Awaited;
use super::timing::{APPROACH_INTERVAL, KNOCK_TIMEOUT, MAX_APPROACHES};
use super::tree_parts::{Admission, TreeParts};
use super::waiting_chat::WaitingChat;
use crypto::group::log_epoch;
use crypto::{Group, Joiner, group, knock_again, return_to_meeting};
use crypto::{admission_key, authority_chain};
use proto::{Blob, Down, Epoch, GoneMember, ParticipantId, Position, Reason, Refusal, ResumeToken, Up, VERSION};
use std::time::{Duration, Instant};

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
    pub gone: Vec<GoneMember>,
    /// Proves to the server that a new connection is this member's.
    pub resume: ResumeToken,
}

/// How the client enters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Goal {
    Create,
    Join,
    /// If nobody answers for so long, the client asks again.
    Return(Duration),
}

enum Stage {
    /// `Hello` was sent.
    Greeting(Goal),
    /// `Create` was sent.
    Creating { me: ParticipantId },
    /// `Approach` was sent, to learn which authority of this manager the server knows.
    Checking { me: ParticipantId, patience: Duration },
    /// `Approach` was sent. `failures` answers did not lead to the link's authority. `again` is when it is sent again.
    Approaching { me: ParticipantId, failures: u32, again: Option<Instant> },
    /// `Knock` or `Return` was sent.
    Waiting(Box<Waiting>),
    /// The server has admitted this client, and sends the tree.
    Admitted { me: ParticipantId, parts: Box<TreeParts> },
}

/// A client that has asked to enter.
struct Waiting {
    joiner: Joiner,
    me: ParticipantId,
    /// When the user is notified that there is no answer. `None` after that.
    notice: Option<Instant>,
    /// Until when a manager that comes back waits; `None` for a client that has knocked, which waits for a decision.
    until: Option<Instant>,
    /// `None` for a manager that comes back.
    chat: Option<WaitingChat>,
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
            (Stage::Approaching { me, failures, .. }, Down::AdmissionKey { admission_key, chain }) => {
                approach(&admission_key, &chain, (me, failures), context)
            }
            (Stage::Checking { me, patience }, Down::AdmissionKey { admission_key, chain }) => {
                come_back(me, patience, (&admission_key, &chain), context)
            }
            (Stage::Waiting(waiting), Down::Admitted { welcome, position, epoch, gone, resume, tree }) => {
                let admission = Admission { welcome, position, epoch, gone, resume };
                enter(waiting.me, Box::new(TreeParts::new(waiting.joiner, admission, tree, context.now)), context)
            }
            (Stage::Admitted { me, mut parts }, Down::Tree { part }) => {
                parts.add(&part, context.now)?;
                enter(me, parts, context)
            }
            (Stage::Waiting(mut waiting), Down::Lobby { participant, from, blob }) if participant == waiting.me => {
                if let Some(chat) = &mut waiting.chat {
                    chat.handle(from, &blob, context);
                }
                Ok(Self::next(Stage::Waiting(waiting)))
            }
            (Stage::Waiting(_), Down::Refused { why }) => Err(refused(why, context.clock_ahead)),
            _ => Err(Violation::Unexpected.into()),
        }
    }

    /// Returns true if a member decides now.
    pub(super) const fn is_waiting(&self) -> bool {
        matches!(self.stage, Stage::Waiting(_) | Stage::Admitted { .. })
    }

    /// Writes to the managers, if this client has knocked.
    pub(super) fn write(&mut self, text: &str, context: &mut Context<'_>) {
        match &mut self.stage {
            Stage::Waiting(waiting) => match &mut waiting.chat {
                Some(chat) => chat.write(text, context),
                None => context.outputs.notice(Notice::NotAllowed),
            },
            Stage::Admitted { .. }
            | Stage::Greeting(_)
            | Stage::Creating { .. }
            | Stage::Checking { .. }
            | Stage::Approaching { .. } => context.outputs.notice(Notice::NotAllowed),
        }
    }

    /// Returns the state with which this client enters the group, after it has knocked.
    pub(super) const fn joiner(&self) -> Option<&Joiner> {
        match &self.stage {
            Stage::Waiting(waiting) => Some(&waiting.joiner),
            Stage::Admitted { parts, .. } => Some(parts.joiner()),
            Stage::Greeting(_) | Stage::Creating { .. } | Stage::Checking { .. } | Stage::Approaching { .. } => None,
        }
    }

    /// Returns the answer that this client awaits.
    pub(super) const fn awaited(&self) -> Awaited {
        match &self.stage {
            Stage::Greeting(_) => Awaited::Greeting,
            Stage::Creating { .. } => Awaited::Creation,
            Stage::Checking { .. } | Stage::Approaching { .. } | Stage::Waiting(_) | Stage::Admitted { .. } => {
                Awaited::Admission
            }
        }
    }

    /// Notifies the user once that the knock was not answered. Asks for the admission key again if it is time.
    ///
    /// # Errors
    /// Returns [`Exit::Unanswered`] if a manager that comes back has waited for too long, and the reason if the server has admitted
    /// this client, but does not send the tree.
    pub(super) fn handle_timeout(&mut self, context: &mut Context<'_>) -> Result<(), Exit> {
        let is_due = |at: &mut Instant| context.now >= *at;
        match &mut self.stage {
            Stage::Waiting(waiting) => {
                if waiting.notice.take_if(is_due).is_some() {
                    context.outputs.notice(Notice::NoAnswerYet);
                }
                if waiting.until.take_if(is_due).is_some() {
                    return Err(Exit::Unanswered);
                }
            }
            Stage::Approaching { again, .. } => {
                if let (Some(_), Some(link)) = (again.take_if(is_due), &context.entrant.link) {
                    context.outputs.transmit(Up::Approach { meeting: link.meeting });
                }
            }
            Stage::Admitted { parts, .. } => parts.handle_timeout(context.now)?,
            Stage::Greeting(_) | Stage::Creating { .. } | Stage::Checking { .. } => {}
        }
        Ok(())
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        match &self.stage {
            Stage::Waiting(waiting) => waiting.notice.into_iter().chain(waiting.until).min(),
            Stage::Approaching { again, .. } => *again,
            Stage::Admitted { parts, .. } => Some(parts.deadline()),
            Stage::Greeting(_) | Stage::Creating { .. } | Stage::Checking { .. } => None,
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
            Ok(Joining::next(Stage::Approaching { me, failures: 0, again: None }))
        }
        (Goal::Join, None) => Err(no_keys()),
        (Goal::Return(patience), _) => {
            let keys = context.manager.as_ref().ok_or_else(no_keys)?.keys();
            context.outputs.transmit(Up::Approach { meeting: keys.meeting() });
            Ok(Joining::next(Stage::Checking { me, patience }))
        }
    }
}

/// Enters the group if the whole tree is here.
fn enter(me: ParticipantId, parts: Box<TreeParts>, context: &Context<'_>) -> Result<Next, Reason> {
    if !parts.is_complete() {
        return Ok(Joining::next(Stage::Admitted { me, parts }));
    }
    let (joiner, Admission { welcome, position, epoch, gone, resume }, tree) = parts.into_inner();
    // Any member may have sent the tree to a manager that comes back. To a guest, a manager has sent it, so the server has changed it
    // unless the manager has a changed program.
    let by_server = |error: &group::Error| matches!(error, group::Error::Tree) && context.manager.is_none();
    let group = joiner
        .enter(&welcome.0, &tree)
        .map_err(|error| if by_server(&error) { Violation::FalseTree.into() } else { false_welcome(context) })?;
    if log_epoch::of(&group) != epoch {
        // A number from any member may be wrong as well, as the tree.
        return Err(if context.manager.is_none() { Violation::FalseEpoch.into() } else { false_welcome(context) });
    }
    Ok(Next::Member(Box::new(NewMember { me, group, position, epoch, gone, resume })))
}

/// Creates the group of a new meeting.
fn enter_new_meeting(me: ParticipantId, resume: ResumeToken, context: &mut Context<'_>) -> Result<Next, Reason> {
    let keys = context.manager.as_ref().ok_or_else(no_keys)?.keys();
    let (identity, profile) = (&context.entrant.identity, context.entrant.profile.clone());
    let group = Group::create(identity, profile, me, keys, context.wall).map_err(|_| no_keys())?;
    let (position, epoch) = (Position::default(), Epoch::default());
    Ok(Next::Member(Box::new(NewMember { me, group, position, epoch, gone: Vec::new(), resume })))
}

/// Checks the admission key against the invitation link, and knocks. A link may be newer than what the server knows: the
/// organiser has it before the server gets the new keys. Then this client asks again a little later.
fn approach(
    admission_key: &Blob,
    chain: &Blob,
    (me, failures): (ParticipantId, u32),
    context: &mut Context<'_>,
) -> Result<Next, Reason> {
    let link = context.entrant.link.as_ref().ok_or_else(no_keys)?;
    let (identity, profile) = (&context.entrant.identity, context.entrant.profile.clone());
    let (keys, complaint) = ((&admission_key.0[..], &chain.0[..]), context.entrant.complaint);
    let made = knock_again(link, keys, (identity, profile, me), complaint, context.wall);
    let too_new = matches!(made, Err(admission_key::Error::Chain(authority_chain::Error::OtherLink)));
    let failures = failures + u32::from(too_new);
    if too_new && failures < MAX_APPROACHES {
        let again = Some(context.now + APPROACH_INTERVAL * failures);
        return Ok(Joining::next(Stage::Approaching { me, failures, again }));
    }
    let (joiner, request) = made.map_err(|error| knock_failed(&error))?;
    context.outputs.transmit(Up::Knock { meeting: link.meeting, request: Blob(request) });
    Ok(wait(joiner, me, None, context))
}

/// Asks the members to add this manager again. `chain` is what the server knows of the authorities. If another manager has
/// changed the keys meanwhile, this one knocks: a manager admits it, and then it gets the new keys.
fn come_back(
    me: ParticipantId,
    patience: Duration,
    (admission_key, chain): (&Blob, &Blob),
    context: &mut Context<'_>,
) -> Result<Next, Reason> {
    let keys = context.manager.as_ref().ok_or_else(no_keys)?.keys();
    if keys.known_authority(&chain.0).is_none() {
        context.entrant.link = Some(keys.invitation("", 0, None));
        *context.manager = None;
        return approach(admission_key, chain, (me, 0), context);
    }
    let (identity, profile) = (&context.entrant.identity, context.entrant.profile.clone());
    let (joiner, request) =
        return_to_meeting(keys, identity, profile, me, &chain.0, context.wall).map_err(|error| knock_failed(&error))?;
    let message = context.manager.as_ref().ok_or_else(no_keys)?.request_return(request);
    context.outputs.transmit(message);
    Ok(wait(joiner, me, Some(patience), context))
}

/// Waits for an answer, as long as `patience` if it is a manager's.
fn wait(joiner: Joiner, me: ParticipantId, patience: Option<Duration>, context: &Context<'_>) -> Next {
    // Who asks again has told the user before.
    let notice = patience.is_none_or(|patience| patience <= KNOCK_TIMEOUT).then(|| context.now + KNOCK_TIMEOUT);
    let chat = joiner.lobby().cloned().map(|key| WaitingChat::new(key, me, context.now));
    let until = patience.map(|patience| context.now + patience);
    Joining::next(Stage::Waiting(Box::new(Waiting { joiner, me, notice, until, chat })))
}

/// Returns the reason for a Welcome that does not lead into the meeting. Any member may have sent it to an organiser that
/// comes back. An honest server gives a guest only a Welcome from a manager's signed command.
fn false_welcome(context: &Context<'_>) -> Reason {
    if context.manager.is_some() { Reason::FalseWelcome } else { Reason::Forged }
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
        Refusal::NotNow => Reason::NotNow,
        Refusal::NotInvited => Reason::NotInvited,
        Refusal::Full => Reason::NoRoom,
        Refusal::Unreadable => Reason::UnreadableRequest,
        Refusal::NoGuests => Reason::NoGuests,
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
