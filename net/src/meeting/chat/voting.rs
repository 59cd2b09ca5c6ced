//! Votes: how this client begins one, casts its ballot, and passes its open votes on to members that join later.

use super::action::{Facts, is_valid_name, own_line, server_seconds};
use super::events::{emit, emit_line};
use super::history::History;
use super::line::{Event, Line, LineId};
use super::lines::Lines;
use super::message::{Ballot, ChatMessage, MAX_PASSED_BALLOTS, PassedBallot, PrivateMessage, Question, SignedBallot};
use super::outbox::{Outbox, Outgoing};
use super::votes::{self, Cast, OpenVote};
use crate::meeting::context::Context;
use crate::meeting::roster::by_device;
use crate::meeting::{Member, Notice};
use crypto::{DeviceKey, chat as signed};
use proto::ParticipantId;
use std::time::Instant;

/// What this client knows beside the lines.
#[derive(Default)]
pub struct Voting {
    /// Those who have asked for the lines from before: they get the open votes of this client.
    pub wanted: History,
    /// The number of this client's last ballot.
    last_ballot: u64,
}

impl Voting {
    /// Returns the message with a ballot, sealed for the member that asks if the vote is secret. Nobody else gets the own ballot
    /// in an own secret vote, which counts here at once. `None` if there is nothing to send.
    pub fn choose(
        &mut self,
        lines: &mut Lines,
        ballot: Ballot,
        me: &Member,
        facts: Facts<'_>,
        context: &mut Context<'_>,
    ) -> Option<Outgoing> {
        let id = LineId::from(ballot.vote);
        let vote = lines.get(id).and_then(|line| Some((line.me, line.vote.as_ref()?)));
        let Some((mine, vote)) = vote.filter(|(_, vote)| !vote.ended) else {
            emit(Event::NotDone(id), context.outputs);
            return None;
        };
        let is_secret = vote.secret;
        let sender = facts.sender(me, None, context);
        let number = self.next_ballot(lines.last_ballot(&sender, id), context);
        match (is_secret, mine) {
            (false, _) => Some(Outgoing::All(ChatMessage::Ballot(sign(ballot, number, me, facts, context)))),
            (true, false) => Some(Outgoing::One { to: id.device, message: PrivateMessage::Ballot { ballot, number } }),
            (true, true) => {
                let cast = Cast { choice: ballot.choice, number, signature: None };
                lines.choose(&sender, id, cast);
                emit_line(lines, id, context.outputs);
                None
            }
        }
    }

    /// Returns the number of the next ballot: the time, so that it is higher than the numbers before this client was started.
    /// `known` is the number of the last ballot that counts.
    fn next_ballot(&mut self, known: Option<u64>, context: &Context<'_>) -> u64 {
        let last = known.unwrap_or_default().max(self.last_ballot);
        self.last_ballot = server_seconds(context).max(last.saturating_add(1));
        self.last_ballot
    }

    /// Queues the open votes of this client for those who have asked.
    pub fn answer(
        &mut self,
        lines: &Lines,
        outbox: &mut Outbox,
        is_here: impl Fn(ParticipantId) -> bool,
        now: Instant,
    ) {
        let mut who = self.wanted.take_requests(now);
        who.retain(|id| is_here(*id));
        let votes = if who.is_empty() { Vec::new() } else { lines.open_votes() };
        let newest = votes.len().saturating_sub(MAX_VOTES);
        let parts = votes.into_iter().skip(newest).flat_map(|vote| parts(&who, vote));
        outbox.answer(parts.collect(), now);
    }
}

/// Returns the line and the message with which this client begins a vote. `None` if it may not; then the user is told.
pub fn ask(question: Question, me: &Member, context: &mut Context<'_>) -> Option<(Line, Outgoing)> {
    if !votes::may_ask(me) || !votes::is_valid(&question) {
        context.outputs.notice(Notice::NotAllowed);
        return None;
    }
    let id = LineId { device: me.device, counter: question.counter };
    let line = own_line(id, me, question.text.clone(), context);
    Some((line, Outgoing::All(ChatMessage::Vote(question))))
}

fn sign(ballot: Ballot, number: u64, me: &Member, facts: Facts<'_>, context: &Context<'_>) -> SignedBallot {
    let (id, name) = (LineId::from(ballot.vote), me.name.clone());
    let (device, counter, choice) = (id.device, id.counter, ballot.choice);
    let signed = signed::SignedBallot { meeting: facts.meeting(), device, counter, choice, number, name: &name };
    let signature = signed.sign(&context.entrant.identity);
    SignedBallot { ballot, number, name, signature }
}

/// Adds an open vote that its author passes on. This client has entered the group at the place `entered`. Returns the line of
/// the vote if it has changed.
pub fn merge(
    lines: &mut Lines,
    entered: u64,
    by: &Member,
    (question, place): (&Question, u64),
    mut ballots: Vec<PassedBallot>,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Option<LineId> {
    // What comes after this client has entered comes by the log.
    if place > entered {
        return None;
    }
    let is_signed = |ballot: &PassedBallot| {
        let (meeting, device, counter) = (facts.meeting(), by.device, question.counter);
        let PassedBallot { choice, number, ref name, .. } = *ballot;
        let signed = signed::SignedBallot { meeting, device, counter, choice, number, name };
        is_valid_name(name) && signed.is_by(DeviceKey(ballot.device.0), &ballot.signature)
    };
    ballots.retain(is_signed);
    for ballot in &mut ballots {
        // A voter who is in the meeting has the name of the group.
        if let Some(voter) = by_device(facts.roster, DeviceKey(ballot.device.0)) {
            ballot.name.clone_from(&voter.name);
        }
    }
    let sender = facts.sender(by, None, context);
    lines.merge_vote(&sender, question, place, &ballots)
}

/// Returns the messages with a vote.
fn parts(to: &[ParticipantId], vote: OpenVote) -> Vec<ChatMessage> {
    let OpenVote { question, place, ballots } = vote;
    let part = |ballots: &[PassedBallot]| {
        let (to, question, ballots) = (to.to_vec(), question.clone(), ballots.to_vec());
        ChatMessage::OpenVote { to, question, place, ballots }
    };
    if ballots.is_empty() {
        return vec![part(&[])];
    }
    ballots.chunks(MAX_PASSED_BALLOTS).map(part).collect()
}

/// The newest open votes that are passed on.
const MAX_VOTES: usize = 4;
