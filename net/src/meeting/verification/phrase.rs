//! The spoken challenge: a member asks another one to read words aloud that neither of them can choose.
//!
//! The asker commits to a nonce, the other answers with its own, and the asker opens its commitment. Both derive the words.
//! What the asker hears stays on its computer.

use super::event::PhraseCheck;
use super::message::VerificationMessage;
use super::turns::Turns;
use crate::meeting::group_log::GroupLog;
use crate::meeting::roster::Roster;
use crypto::emoji::{self, Commitment, Nonce, Purpose, nonce, round_number};
use proto::ParticipantId;
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

/// The challenges of this client: one that it asks, and those that it answers.
#[derive(Default)]
pub(super) struct Phrases {
    asked: Option<Asked>,
    /// One of each member that asks, so that nobody blocks another one.
    answered: BTreeMap<ParticipantId, Answered>,
    unsent: VecDeque<VerificationMessage>,
    /// Who has asked, and when.
    turns: Turns,
}

struct Asked {
    of: ParticipantId,
    round: u64,
    nonce: Nonce,
    deadline: Instant,
}

struct Answered {
    round: u64,
    commitment: Commitment,
    nonce: Nonce,
    deadline: Instant,
}

impl Phrases {
    /// Asks a member. Returns the state.
    pub(super) fn ask(&mut self, of: ParticipantId, log: &GroupLog, roster: &Roster, now: Instant) -> PhraseCheck {
        let (Ok(own), Ok(round), Some(leaf)) = (nonce(), round_number(), roster.leaf(roster.me())) else {
            return PhraseCheck::Failed(of);
        };
        if of == roster.me() || !roster.contains(of) {
            return PhraseCheck::Failed(of);
        }
        let commitment = emoji::nonce_commitment(log.group(), Purpose::Phrase, round, leaf, &own);
        self.unsent.retain(|message| !matches!(message, VerificationMessage::Ask { .. }));
        self.unsent.push_back(VerificationMessage::Ask { to: of, round, commitment });
        self.asked = Some(Asked { of, round, nonce: own, deadline: now + ANSWER_TIMEOUT });
        PhraseCheck::Asked(of)
    }

    /// Handles a message of another member, sealed in this epoch. Returns the state if it has changed.
    pub(super) fn handle_message(
        &mut self,
        author: ParticipantId,
        message: &VerificationMessage,
        (log, roster): (&GroupLog, &Roster),
        now: Instant,
    ) -> Option<PhraseCheck> {
        let me = roster.me();
        match *message {
            VerificationMessage::Ask { to, round, commitment } if to == me => {
                if self.turns.is_too_soon(author, now) {
                    return None;
                }
                self.answered.retain(|id, _| roster.contains(*id));
                self.turns.begin(author, roster, now);
                let nonce = nonce().ok()?;
                self.unsent.push_back(VerificationMessage::Answer { to: author, round, nonce });
                self.answered.insert(author, Answered { round, commitment, nonce, deadline: now + ANSWER_TIMEOUT });
                None
            }
            VerificationMessage::Answer { to, round, nonce } if to == me => {
                let asked = self.asked.take_if(|asked| asked.of == author && asked.round == round)?;
                self.unsent.push_back(VerificationMessage::Open { to: author, round, nonce: asked.nonce });
                let leaves = (roster.leaf(me)?, roster.leaf(author)?);
                let phrase = emoji::phrase(log.group(), round, (leaves.0, &asked.nonce), (leaves.1, &nonce));
                Some(PhraseCheck::Listen { who: author, phrase })
            }
            VerificationMessage::Open { to, round, nonce } if to == me => {
                self.answered.get(&author).filter(|answered| answered.round == round)?;
                let answered = self.answered.remove(&author)?;
                let leaves = (roster.leaf(author)?, roster.leaf(me)?);
                let commitment = emoji::nonce_commitment(log.group(), Purpose::Phrase, round, leaves.0, &nonce);
                if commitment != answered.commitment {
                    return Some(PhraseCheck::Failed(author));
                }
                let phrase = emoji::phrase(log.group(), round, (leaves.0, &nonce), (leaves.1, &answered.nonce));
                Some(PhraseCheck::Read { by: author, phrase })
            }
            VerificationMessage::Ask { .. }
            | VerificationMessage::Answer { .. }
            | VerificationMessage::Open { .. }
            | VerificationMessage::Begin { .. }
            | VerificationMessage::Commit { .. }
            | VerificationMessage::Reveal { .. } => None,
        }
    }

    /// Handles a new epoch, or the end of the connection. What has not ended fails.
    pub(super) fn handle_group_change(&mut self) -> Option<PhraseCheck> {
        self.unsent.clear();
        self.answered.clear();
        self.asked.take().map(|asked| PhraseCheck::Failed(asked.of))
    }

    /// Returns the failure of a challenge that takes too long.
    pub(super) fn handle_timeout(&mut self, now: Instant) -> Option<PhraseCheck> {
        self.answered.retain(|_, answered| now < answered.deadline);
        self.asked.take_if(|asked| now >= asked.deadline).map(|asked| PhraseCheck::Failed(asked.of))
    }

    /// Returns when [`Self::handle_timeout`] has something to do.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let answered = self.answered.values().map(|answered| answered.deadline);
        self.asked.as_ref().map(|asked| asked.deadline).into_iter().chain(answered).min()
    }

    /// Returns the next message to send.
    pub(super) fn unsent(&self) -> Option<&VerificationMessage> {
        self.unsent.front()
    }

    /// Handles that the first of [`Self::unsent`] was sent.
    pub(super) fn handle_sent(&mut self) {
        self.unsent.pop_front();
    }
}

/// How long each program has to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
