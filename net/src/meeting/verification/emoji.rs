//! The comparison of pictures by commit-then-reveal.
//!
//! One member begins and names who takes part. Each commits to a nonce, and reveals it when the commitments of all are in
//! the log. All members see the log in one order, so a commitment that follows a nonce shows who did not keep to that. A new
//! epoch ends the comparison: the pictures are those of the keys in force.

use super::event::{EmojiCheck, EmojiFailure};
use super::message::VerificationMessage;
use super::turns::Turns;
use crate::meeting::group_log::GroupLog;
use crate::meeting::roster::Roster;
use crypto::emoji::{Commitment, Nonce, Purpose, nonce, nonce_commitment, pictures, round_number};
use crypto::{Group, Leaf};
use proto::{Blob, ParticipantId};
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

/// The comparison that runs or was the last one, and this client's messages.
#[derive(Default)]
pub(super) struct EmojiRounds {
    round: Option<Round>,
    /// This client's own beginning, until it is in the log.
    begun: Option<Begun>,
    unsent: VecDeque<VerificationMessage>,
    /// Who has begun, and when.
    turns: Turns,
}

struct Begun {
    round: Round,
    /// The message as it was sent; MLS opens no own message.
    blob: Option<Blob>,
}

struct Round {
    number: u64,
    by: ParticipantId,
    participants: BTreeMap<ParticipantId, Leaf>,
    commitments: BTreeMap<ParticipantId, Commitment>,
    nonces: BTreeMap<ParticipantId, Nonce>,
    /// The nonce of this client; `None` if it does not take part.
    own: Option<Nonce>,
    revealed: bool,
    deadline: Instant,
    ended: bool,
}

impl Round {
    /// Returns the participants that have not done the next step.
    fn waiting(&self) -> Vec<ParticipantId> {
        let has_answered = |id: &&ParticipantId| {
            if self.is_committed() { self.nonces.contains_key(id) } else { self.commitments.contains_key(id) }
        };
        self.participants.keys().filter(|id| !has_answered(id)).copied().collect()
    }

    fn is_committed(&self) -> bool {
        self.commitments.len() == self.participants.len()
    }

    fn is_done(&self) -> bool {
        self.nonces.len() == self.participants.len()
    }

    fn state(&self) -> EmojiCheck {
        EmojiCheck::Running { by: self.by, waiting: self.waiting() }
    }
}

impl EmojiRounds {
    /// Begins a comparison with all who are connected. Returns why not.
    pub(super) fn begin(&mut self, log: &GroupLog, roster: &Roster, now: Instant) -> Result<(), EmojiFailure> {
        let me = roster.me();
        let connected = roster.present().filter(|person| person.connected || person.me);
        let participants: BTreeMap<_, _> = connected.map(|person| (person.id, person.leaf)).collect();
        if participants.len() < 2 {
            return Err(EmojiFailure::Alone);
        }
        if participants.len() > MAX_PARTICIPANTS {
            return Err(EmojiFailure::TooMany);
        }
        if self.is_running() || self.begun.is_some() || self.turns.is_too_soon(me, now) {
            return Err(EmojiFailure::TooSoon);
        }
        let (Ok(own), Ok(number), Some(leaf)) = (nonce(), round_number(), roster.leaf(me)) else {
            return Err(EmojiFailure::TooSoon);
        };
        let commitment = nonce_commitment(log.group(), Purpose::Emoji, number, leaf, &own);
        let ids = participants.keys().copied().collect();
        self.unsent.push_back(VerificationMessage::Begin { round: number, participants: ids, commitment });
        let round = new_round((number, me), participants, Some(own), commitment, now);
        self.begun = Some(Begun { round, blob: None });
        Ok(())
    }

    /// Handles an own message in the log. Returns the state if the own comparison runs now.
    pub(super) fn handle_own(&mut self, blob: &Blob, roster: &Roster, now: Instant) -> Option<EmojiCheck> {
        let begun = self.begun.take_if(|begun| begun.blob.as_ref() == Some(blob))?;
        if self.is_running() {
            return None; // another one began first
        }
        self.turns.begin(begun.round.by, roster, now);
        let round = self.round.insert(Round { deadline: now + ROUND_TIMEOUT, ..begun.round });
        Some(round.state())
    }

    /// Handles a message of another member, sealed in this epoch. Returns the state if it has changed.
    pub(super) fn handle_message(
        &mut self,
        author: ParticipantId,
        message: &VerificationMessage,
        (log, roster): (&GroupLog, &Roster),
        now: Instant,
    ) -> Option<EmojiCheck> {
        match message {
            VerificationMessage::Begin { round, participants, commitment } => {
                self.handle_begin((*round, author), participants, *commitment, (log, roster), now)
            }
            VerificationMessage::Commit { round, commitment } => self.handle_commitment(author, *round, *commitment),
            VerificationMessage::Reveal { round, nonce } => self.handle_nonce(author, *round, *nonce, log.group()),
            VerificationMessage::Ask { .. } | VerificationMessage::Answer { .. } | VerificationMessage::Open { .. } => {
                None
            }
        }
    }

    fn handle_begin(
        &mut self,
        (number, by): (u64, ParticipantId),
        participants: &[ParticipantId],
        commitment: Commitment,
        (log, roster): (&GroupLog, &Roster),
        now: Instant,
    ) -> Option<EmojiCheck> {
        if self.is_running() || self.turns.is_too_soon(by, now) || participants.len() > MAX_PARTICIPANTS {
            return None;
        }
        let leaf = |id: &ParticipantId| Some((*id, roster.leaf(*id)?));
        let known: BTreeMap<_, _> = participants.iter().filter_map(leaf).collect();
        if known.len() != participants.len() || known.len() < 2 || !known.contains_key(&by) {
            return None;
        }
        self.turns.begin(by, roster, now);
        // The others ignore an own one that comes later.
        self.withdraw();
        let me = roster.me();
        let own = known.get(&me).and_then(|leaf| Some((*leaf, nonce().ok()?)));
        let mut round = new_round((number, by), known, own.map(|(_, nonce)| nonce), commitment, now);
        if let Some((leaf, nonce)) = own {
            let commitment = nonce_commitment(log.group(), Purpose::Emoji, number, leaf, &nonce);
            self.unsent.push_back(VerificationMessage::Commit { round: number, commitment });
            round.commitments.insert(me, commitment);
        }
        self.round = Some(round);
        self.progress()
    }

    fn handle_commitment(&mut self, author: ParticipantId, number: u64, commitment: Commitment) -> Option<EmojiCheck> {
        let round = self.round.as_mut().filter(|round| !round.ended && round.number == number)?;
        if !round.participants.contains_key(&author) || round.commitments.contains_key(&author) {
            return None;
        }
        round.commitments.insert(author, commitment);
        self.progress()
    }

    /// Reveals the own nonce if all have committed.
    fn progress(&mut self) -> Option<EmojiCheck> {
        let round = self.round.as_mut()?;
        let own = round.own?;
        if round.is_committed() && !std::mem::replace(&mut round.revealed, true) {
            self.unsent.push_back(VerificationMessage::Reveal { round: round.number, nonce: own });
        }
        Some(round.state())
    }

    fn handle_nonce(&mut self, author: ParticipantId, number: u64, nonce: Nonce, group: &Group) -> Option<EmojiCheck> {
        let round = self.round.as_mut().filter(|round| !round.ended && round.number == number)?;
        let leaf = *round.participants.get(&author)?;
        let expected = round.commitments.get(&author);
        let is_right = expected == Some(&nonce_commitment(group, Purpose::Emoji, number, leaf, &nonce));
        if !is_right || !round.is_committed() {
            round.ended = true;
            return round.own.map(|_| EmojiCheck::Failed(EmojiFailure::Wrong(author)));
        }
        round.nonces.insert(author, nonce);
        self.finish(group)
    }

    /// Returns the pictures if all have revealed.
    fn finish(&mut self, group: &Group) -> Option<EmojiCheck> {
        let round = self.round.as_mut()?;
        if !round.is_done() {
            return round.own.map(|_| round.state());
        }
        round.ended = true;
        let nonces = round.participants.iter().filter_map(|(id, leaf)| Some((*leaf, *round.nonces.get(id)?))).collect();
        let participants = round.participants.keys().copied().collect();
        let emoji = pictures(group, round.number, &nonces);
        round.own.map(|_| EmojiCheck::Done { by: round.by, emoji, participants })
    }

    /// Handles a new epoch. Returns the state if there were pictures, or might have been.
    pub(super) fn handle_group_change(&mut self) -> Option<EmojiCheck> {
        self.unsent.clear();
        let begun = self.begun.take().is_some();
        match self.round.take() {
            Some(round) if round.own.is_none() => None,
            Some(round) if round.ended => round.is_done().then_some(EmojiCheck::Outdated),
            Some(_) => Some(EmojiCheck::Failed(EmojiFailure::KeysChanged)),
            None => begun.then_some(EmojiCheck::Failed(EmojiFailure::KeysChanged)),
        }
    }

    /// Returns the failure of a comparison that takes too long.
    pub(super) fn handle_timeout(&mut self, now: Instant) -> Option<EmojiCheck> {
        if let Some(begun) = self.begun.take_if(|begun| now >= begun.round.deadline) {
            self.withdraw();
            let others = begun.round.waiting();
            return Some(EmojiCheck::Failed(EmojiFailure::Silent(others)));
        }
        let round = self.round.as_mut().filter(|round| !round.ended && now >= round.deadline)?;
        round.ended = true;
        round.own.map(|_| EmojiCheck::Failed(EmojiFailure::Silent(round.waiting())))
    }

    /// Returns when [`Self::handle_timeout`] has something to do.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let running = self.round.as_ref().filter(|round| !round.ended).map(|round| round.deadline);
        running.into_iter().chain(self.begun.as_ref().map(|begun| begun.round.deadline)).min()
    }

    /// Returns the next message to send.
    pub(super) fn unsent(&self) -> Option<&VerificationMessage> {
        self.unsent.front()
    }

    /// Handles that the first of [`Self::unsent`] was sent. Returns the state if this client has revealed last.
    pub(super) fn handle_sent(&mut self, blob: &Blob, me: ParticipantId, group: &Group) -> Option<EmojiCheck> {
        match self.unsent.pop_front()? {
            VerificationMessage::Begin { .. } => {
                if let Some(begun) = &mut self.begun {
                    begun.blob = Some(blob.clone());
                }
                None
            }
            VerificationMessage::Reveal { nonce, .. } => {
                self.round.as_mut()?.nonces.insert(me, nonce);
                self.finish(group)
            }
            VerificationMessage::Commit { .. }
            | VerificationMessage::Ask { .. }
            | VerificationMessage::Answer { .. }
            | VerificationMessage::Open { .. } => None,
        }
    }

    #[cfg(test)]
    pub(super) fn number(&self) -> Option<u64> {
        self.round.as_ref().map(|round| round.number)
    }

    fn is_running(&self) -> bool {
        self.round.as_ref().is_some_and(|round| !round.ended)
    }

    fn withdraw(&mut self) {
        self.begun = None;
        self.unsent.retain(|message| !matches!(message, VerificationMessage::Begin { .. }));
    }
}

fn new_round(
    (number, by): (u64, ParticipantId),
    participants: BTreeMap<ParticipantId, Leaf>,
    own: Option<Nonce>,
    commitment: Commitment,
    now: Instant,
) -> Round {
    let commitments = BTreeMap::from([(by, commitment)]);
    let deadline = now + ROUND_TIMEOUT;
    let nonces = BTreeMap::new();
    Round { number, by, participants, commitments, nonces, own, revealed: false, deadline, ended: false }
}

/// How many people can compare pictures at once. Each sends two messages to all.
pub const MAX_PARTICIPANTS: usize = 32;

/// How long a comparison may take.
pub(super) const ROUND_TIMEOUT: Duration = Duration::from_secs(15);
