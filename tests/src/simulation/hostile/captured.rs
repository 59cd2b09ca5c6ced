//! Parts of other clients' messages, which a hostile client sends again.

use proto::{Blob, Down, LogEntry, ParticipantId, SignedCommand, Up};
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

/// Parts of other clients' messages.
#[derive(Default)]
pub(super) struct CapturedMessages {
    /// Participants, as targets.
    people: Vec<ParticipantId>,
    /// Commands with a valid signature.
    signed: Vec<SignedCommand>,
    /// Commits and application messages.
    blobs: Vec<Blob>,
    /// Requests to join.
    requests: Vec<Blob>,
    /// Requests of organisers to come back.
    returns: Vec<(ParticipantId, Blob, proto::Signature)>,
}

impl CapturedMessages {
    /// Keeps what a message contains.
    pub(super) fn collect(&mut self, message: &Down) {
        match message {
            Down::Log { entry, .. } => self.collect_entry(entry),
            Down::Knocked { participant, request } => {
                keep(&mut self.people, *participant);
                keep(&mut self.requests, request.clone());
            }
            Down::Returned { participant, request, signature } => {
                keep(&mut self.people, *participant);
                keep(&mut self.returns, (*participant, request.clone(), *signature));
            }
            Down::Presence { participant, .. } => keep(&mut self.people, *participant),
            Down::Beacon { signed } | Down::Removed { signed } | Down::Ended { signed } => {
                keep(&mut self.signed, signed.clone());
            }
            Down::Hello { .. }
            | Down::Created { .. }
            | Down::AdmissionKey { .. }
            | Down::Withdrew { .. }
            | Down::Lobby { .. }
            | Down::Relayed { .. }
            | Down::Admitted { .. }
            | Down::Tree { .. }
            | Down::Refused { .. }
            | Down::CommitTooLate { .. }
            | Down::Resumed
            | Down::Ping
            | Down::MemberBeacon { .. }
            | Down::Skipped { .. }
            | Down::Problem { .. } => {}
        }
    }

    fn collect_entry(&mut self, entry: &LogEntry) {
        match entry {
            LogEntry::Commit { from, blob, .. } | LogEntry::Told { from, blob, .. } => {
                keep(&mut self.people, *from);
                keep(&mut self.blobs, blob.clone());
            }
            LogEntry::Gone { participant, .. } => keep(&mut self.people, *participant),
            LogEntry::Managed { signed } => {
                keep(&mut self.people, signed.from);
                keep(&mut self.signed, signed.clone());
            }
        }
    }

    /// Adds participants of its group.
    pub(super) fn add_people(&mut self, people: impl Iterator<Item = ParticipantId>) {
        people.for_each(|participant| keep(&mut self.people, participant));
    }

    /// Returns a participant.
    pub(super) fn target(&self, random: &mut ChaCha8Rng) -> ParticipantId {
        self.people.choose(random).copied().unwrap_or(ParticipantId(1))
    }

    /// Returns bytes that another member sent.
    pub(super) fn blob(&self, random: &mut ChaCha8Rng) -> Option<Blob> {
        self.blobs.choose(random).cloned()
    }

    /// Returns a request to join of another client.
    pub(super) fn join_request(&self, random: &mut ChaCha8Rng) -> Option<Blob> {
        self.requests.choose(random).cloned()
    }

    /// Returns the request of an organiser to come back.
    pub(super) fn return_request(&self, random: &mut ChaCha8Rng) -> Option<(ParticipantId, Blob, proto::Signature)> {
        self.returns.choose(random).cloned()
    }

    /// Returns a command that a manager has signed, to send it again.
    pub(super) fn signed_command(&self, random: &mut ChaCha8Rng) -> Option<Up> {
        let SignedCommand { counter, command, signature, .. } = self.signed.choose(random)?.clone();
        Some(Up::Manage { counter, command, signature, welcomes: Vec::new() })
    }
}

/// Adds an item. The oldest one goes if there are too many.
fn keep<T>(items: &mut Vec<T>, item: T) {
    if items.len() >= MAX_ITEMS {
        items.remove(0);
    }
    items.push(item);
}

const MAX_ITEMS: usize = 48;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_messages_is_bounded() {
        let mut captured = CapturedMessages::default();
        let (request, signature) = (Blob(vec![1]), [0; 64]);
        for number in 0..1_000 {
            let participant = ParticipantId(number);
            captured.collect(&Down::Knocked { participant, request: request.clone() });
            captured.collect(&Down::Returned { participant, request: request.clone(), signature });
        }
        assert_eq!(captured.people.len(), MAX_ITEMS);
        assert_eq!((captured.requests.len(), captured.returns.len()), (MAX_ITEMS, MAX_ITEMS));
    }
}
