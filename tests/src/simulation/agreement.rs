//! Assertions that hold if no message is on its way.

use super::{ClientId, Simulation, media};
use std::collections::BTreeSet;

impl Simulation {
    /// Asserts that exactly `expected` are members, that they and the server agree, that no one waits for admission, and that
    /// no removed participant is still a member.
    ///
    /// # Panics
    /// Panics if one of these does not hold.
    pub fn assert_agreement(&mut self, expected: &[ClientId]) {
        let Some(first) = expected.first() else { return };
        let reference = self.client(*first);
        let ids: BTreeSet<_> = expected.iter().map(|client_id| self.client(*client_id).meeting.me()).collect();
        let seen: BTreeSet<_> = reference.people.iter().map(|person| Some(person.id)).collect();
        assert_eq!(seen, ids, "the members according to {}", reference.name);
        for client_id in expected {
            let client = self.client(*client_id);
            assert_eq!(client.ending, None, "{} is still a member", client.name);
            assert_eq!(client.epoch, reference.epoch, "{} has the epoch of the others", client.name);
            assert!(
                client.words.is_some() && client.words == reference.words,
                "{} has the words of the others",
                client.name
            );
            client.assert_same_people(reference);
            let own = reference.people.iter().find(|person| Some(person.id) == client.meeting.me());
            assert_eq!(
                own.map(|person| person.state),
                Some(client.own),
                "the others know the state of {}",
                client.name
            );
            let still_member =
                |(client_id, id): &(ClientId, _)| self.client(*client_id).ending.is_none() && client.knows(*id);
            assert!(!self.removals.iter().any(still_member), "a removed person is still a member");
        }
        self.service.assert_agreement(&ids.into_iter().flatten().collect());
        for client in &self.clients {
            assert!(
                client.ending.is_some() || client.meeting.me().is_some(),
                "the request of {} was not answered",
                client.name
            );
        }
        media::assert_only_members_can_open(&mut self.clients, expected);
    }

    /// Asserts that every removal that the organiser ordered lasts, and that `members` have the same policy: organisers,
    /// barred devices and authorities.
    ///
    /// # Panics
    /// Panics if they do not.
    pub fn assert_same_policy(&self, members: &[ClientId]) {
        self.invariants.assert_removals();
        let policy = |client_id: &ClientId| self.client(*client_id).meeting.policy();
        for pair in members.windows(2) {
            assert_eq!(policy(&pair[0]), policy(&pair[1]), "I1: the policies differ");
        }
    }
}
