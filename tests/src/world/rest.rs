//! What must hold whenever nothing is under way.

use super::{Who, World, media};
use std::collections::BTreeSet;

impl World {
    /// What must hold once nothing is under way: `expected` are exactly those inside, and they agree on everything; so
    /// does the server; nobody is left at the door; nobody is in whom the organiser ordered out.
    ///
    /// # Panics
    /// Where it does not hold.
    pub fn assert_rest(&mut self, expected: &[Who]) {
        let Some(first) = expected.first() else { return };
        let reference = self.client(*first);
        let ids: BTreeSet<_> = expected.iter().map(|who| self.client(*who).meeting.me()).collect();
        let seen: BTreeSet<_> = reference.people.iter().map(|person| Some(person.id)).collect();
        assert_eq!(seen, ids, "those inside are those who are members, by {}", reference.name);
        for who in expected {
            let client = self.client(*who);
            assert_eq!(client.ending, None, "{} is inside", client.name);
            assert_eq!(client.epoch, reference.epoch, "{} is at the others' epoch", client.name);
            assert!(client.words.is_some() && client.words == reference.words, "{} has the others' words", client.name);
            client.assert_sees_like(reference);
            let own = reference.people.iter().find(|person| Some(person.id) == client.meeting.me());
            assert_eq!(own.map(|person| person.state), Some(client.own), "{}'s state is known", client.name);
            let stays = |(who, id): &(Who, _)| self.client(*who).ending.is_none() && client.knows(*id);
            assert!(!self.ordered_out.iter().any(stays), "no removal is lost");
        }
        self.service.assert_rest(&ids.into_iter().flatten().collect());
        for client in &self.clients {
            assert!(client.ending.is_some() || client.meeting.me().is_some(), "{}'s knock is answered", client.name);
        }
        media::assert_heard(&mut self.clients, expected);
    }
}
