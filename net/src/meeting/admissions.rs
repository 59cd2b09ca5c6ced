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

#[cfg(test)]
mod tests {
    use super::super::MediaState;
    use super::super::group_log::Outcome;
    use super::*;
    use crypto::{Group, Identity, Profile, knock};
    use proto::{Epoch, MeetingId, Position, Welcome};

    const ME: ParticipantId = ParticipantId(1);
    const MEETING: MeetingId = MeetingId([7; 16]);

    /// The admissions of an organiser.
    struct Organiser {
        admissions: Admissions,
        log: GroupLog,
        outputs: Outputs,
        now: Instant,
    }

    impl Organiser {
        /// Makes requests of these participants and handles them in this order. A request of the organiser itself
        /// cannot be added to the group.
        fn with_requests(participants: &[u64]) -> Self {
            let key = AdmissionKey::new(MEETING).unwrap();
            let requests: Vec<_> = participants.iter().map(|id| (ParticipantId(*id), request(&key, *id))).collect();
            let (identity, profile) = (Identity::generate().unwrap(), Profile::new("Ada").unwrap());
            let group = Group::create(&identity, profile, ME, MEETING).unwrap();
            let log = GroupLog::new(group, Position(0), Epoch(0));
            let (mut admissions, mut outputs) = (Admissions::new(Some(key)), Outputs::default());
            for (participant, request) in requests {
                admissions.handle_knock(participant, &request, &mut outputs);
            }
            Self { admissions, log, outputs, now: Instant::now() }
        }

        /// Commits, and merges the commit. Returns who was refused and who was added.
        fn commit(&mut self) -> (Vec<ParticipantId>, Vec<ParticipantId>) {
            assert!(self.admissions.commit(&mut self.log, self.now, &mut self.outputs));
            let (mut refused, mut added) = (Vec::new(), Vec::new());
            while let Some(message) = self.outputs.poll_transmit() {
                if let Up::Refuse { participant, why: Refusal::Declined } = message {
                    refused.push(participant);
                } else if let Up::Commit { epoch, blob, welcomes, .. } = message {
                    assert!(matches!(self.log.handle_commit(epoch, &blob, &|_| false), Ok(Outcome::MergedOwn)));
                    added.extend(welcomes.into_iter().flat_map(|Welcome { to, .. }| to));
                } else {
                    panic!("{message:?}");
                }
            }
            let mut roster = Roster::new(ME, Vec::new(), self.now);
            // Without the organiser, so that its own request stays.
            let members = self.log.members().into_iter().filter(|member| member.participant != ME).collect();
            roster.update(members, MediaState::default());
            self.admissions.handle_group_change(&roster);
            self.admissions.reset_batch();
            (refused, added)
        }
    }

    fn request(key: &AdmissionKey, participant: u64) -> Blob {
        let invitation = key.invitation("meet.example", 443, None);
        let (identity, profile) = (Identity::generate().unwrap(), Profile::new("Bob").unwrap());
        let made = knock(&invitation, key.public_key(), &identity, profile, ParticipantId(participant));
        Blob(made.unwrap().1)
    }

    fn ids(numbers: &[u64]) -> Vec<ParticipantId> {
        numbers.iter().copied().map(ParticipantId).collect()
    }

    #[test]
    fn only_the_request_that_cannot_be_added_is_refused() {
        let mut organiser = Organiser::with_requests(&[2, ME.0, 3, 4]);
        // Four fail, then two; the first one alone is added.
        assert_eq!(organiser.commit(), (ids(&[]), ids(&[2])));
        assert_eq!(organiser.commit(), (ids(&[ME.0]), ids(&[3, 4])));
        let Organiser { mut admissions, mut log, mut outputs, now } = organiser;
        assert!(!admissions.commit(&mut log, now, &mut outputs) && outputs.poll_transmit().is_none(), "nobody waits");
    }

    #[test]
    fn a_participant_is_added_once_and_not_after_it_gave_up() {
        let mut organiser = Organiser::with_requests(&[2, 3, 2, 4]);
        organiser.admissions.handle_withdrawal(ParticipantId(3));
        assert_eq!(organiser.commit(), (ids(&[]), ids(&[2, 4])));
    }

    #[test]
    fn a_guest_keeps_so_many_requests_and_refuses_them_if_no_organiser_is_left() {
        let (mut admissions, mut outputs) = (Admissions::new(None), Outputs::default());
        for participant in 0..10_000 {
            admissions.handle_knock(ParticipantId(participant), &Blob(Vec::new()), &mut outputs);
        }
        assert!(outputs.poll_transmit().is_none(), "a guest cannot read requests");
        admissions.refuse_all(&mut outputs);
        let refusal = |message| matches!(message, Up::Refuse { why: Refusal::Unattended, .. });
        let refusals: Vec<_> = std::iter::from_fn(|| outputs.poll_transmit()).map(refusal).collect();
        assert_eq!(refusals, [true; MAX_MEMBERS]);
        admissions.refuse_all(&mut outputs);
        assert!(outputs.poll_transmit().is_none(), "each one once");
    }
}
