//! Admits participants who knock. Only the organiser can read their requests.

use super::group_log::GroupLog;
use super::outputs::Outputs;
use super::roster::Roster;
use crypto::{AdmissionKey, KnockRequest};
use proto::{Blob, MAX_MEMBERS, MAX_WELCOMES, ParticipantId, Refusal, Up};
use std::time::Instant;

/// Participants who knocked and are not members yet. Members who are not the organiser keep the list, too, to refuse
/// all of them if the organiser leaves.
pub(super) struct Admissions {
    /// `None` if this client is not the organiser.
    key: Option<AdmissionKey>,
    /// In the order of arrival.
    waiting: Vec<Knock>,
    /// How many to admit with one commit. It is halved after a commit that could not be made, to find the request that
    /// is the cause.
    batch: usize,
}

struct Knock {
    participant: ParticipantId,
    /// `None` if this client is not the organiser.
    request: Option<KnockRequest>,
}

impl Admissions {
    pub(super) fn new(key: Option<AdmissionKey>) -> Self {
        Self { key, waiting: Vec::new(), batch: MAX_WELCOMES }
    }

    #[cfg(test)]
    pub(super) fn public_key(&self) -> Option<&[u8]> {
        self.key.as_ref().map(AdmissionKey::public_key)
    }

    /// Keeps a request, or refuses it if it is not valid. The server limits how many wait. Requests beyond this
    /// client's own limit are dropped.
    pub(super) fn handle_knock(&mut self, participant: ParticipantId, request: &Blob, outputs: &mut Outputs) {
        let request = match self.key.as_mut().map(|key| key.open(&request.0)) {
            None => None,
            // A request is valid for one connection: a copy sent over another one is refused.
            Some(Ok(request)) if request.participant() == participant => Some(request),
            Some(_) => return outputs.transmit(Up::Refuse { participant, why: Refusal::Declined }),
        };
        if self.waiting.len() < MAX_MEMBERS && self.waiting.iter().all(|knock| knock.participant != participant) {
            self.waiting.push(Knock { participant, request });
        }
    }

    /// Removes a participant who gave up waiting.
    pub(super) fn handle_withdrawal(&mut self, participant: ParticipantId) {
        self.waiting.retain(|knock| knock.participant != participant);
    }

    /// Removes the participants who are members now.
    pub(super) fn handle_group_change(&mut self, roster: &Roster) {
        self.waiting.retain(|knock| !roster.contains(knock.participant));
    }

    /// Lets the next commit admit as many as allowed, because a commit of this client was merged.
    pub(super) const fn reset_batch(&mut self) {
        self.batch = MAX_WELCOMES;
    }

    /// Refuses all who wait, because no organiser is left.
    pub(super) fn refuse_all(&mut self, outputs: &mut Outputs) {
        for knock in std::mem::take(&mut self.waiting) {
            outputs.transmit(Up::Refuse { participant: knock.participant, why: Refusal::Unattended });
        }
    }

    /// Sends a commit that adds those who wait. Returns false if none was sent. A request that cannot be added alone is
    /// refused.
    pub(super) fn commit(&mut self, log: &mut GroupLog, now: Instant, outputs: &mut Outputs) -> bool {
        while self.key.is_some() && !self.waiting.is_empty() {
            let count = self.batch.min(self.waiting.len());
            let requests = self.waiting.iter().take(count).filter_map(|knock| knock.request.clone()).collect();
            if log.commit_adds(requests, now, outputs) {
                return true;
            }
            if count > 1 {
                self.batch = count / 2;
            } else {
                self.reset_batch();
                let participant = self.waiting.remove(0).participant;
                outputs.transmit(Up::Refuse { participant, why: Refusal::Declined });
            }
        }
        false
    }
}
