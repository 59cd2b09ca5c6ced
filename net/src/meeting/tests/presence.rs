//! Which members are connected.

use super::*;

#[test]
fn members_learn_who_lost_the_connection_and_who_is_back() {
    let (mut organiser, _) = Client::two();
    organiser.events();
    let mut presence = |connected| {
        organiser.receive(Down::Presence { participant: ParticipantId(2), connected });
        let members = organiser.events().into_iter().filter_map(|event| {
            let Event::Members(people) = event else { return None };
            people.into_iter().find(|person| person.id == ParticipantId(2))
        });
        members.map(|person| person.connected).collect::<Vec<_>>()
    };
    assert_eq!(presence(false), [false]);
    assert_eq!(presence(false), Vec::<bool>::new(), "nothing new");
    assert_eq!(presence(true), [true]);
    organiser.receive(Down::Presence { participant: ParticipantId(99), connected: false });
    assert!(organiser.events().is_empty(), "a stranger");
}
