//! Who is meant by a name or an id in a command. The ids are those of the events.

use app::model::{Asker, MeetingModel};
use engine::{ParticipantId, Person};

/// The other participant with this name or id.
///
/// # Errors
/// Returns why there is not exactly one.
pub fn member(people: &[Person], wanted: &str) -> Result<ParticipantId, &'static str> {
    let others = people.iter().filter(|person| !person.me).map(|person| (person.id, person.name.as_str()));
    match find(others, wanted) {
        Found::One(id) => Ok(id),
        Found::Several => Err("several people in the meeting have this name: use the id"),
        Found::Nobody if people.iter().any(|person| person.me && is(person.id, &person.name, wanted)) => {
            Err("this is our own name, and the command is about somebody else")
        }
        Found::Nobody => Err("nobody in the meeting has this name or id"),
    }
}

/// The person with this name or id who asks to join.
///
/// # Errors
/// Returns why there is not exactly one.
pub fn asker(asking: &[Asker], wanted: &str) -> Result<ParticipantId, &'static str> {
    match find(asking.iter().map(|asker| (asker.id, asker.name.as_str())), wanted) {
        Found::One(id) => Ok(id),
        Found::Several => Err("several people with this name ask to join: use the id"),
        Found::Nobody => Err("nobody with this name or id asks to join"),
    }
}

/// The other participant, or the person who asks to join, with this name or id.
///
/// # Errors
/// Returns why there is not exactly one.
pub fn anybody(model: &MeetingModel, wanted: &str) -> Result<ParticipantId, &'static str> {
    let people = model.people.iter().filter(|person| !person.me).map(|person| (person.id, person.name.as_str()));
    let asking = model.asking.iter().map(|asker| (asker.id, asker.name.as_str()));
    match find(people.chain(asking), wanted) {
        Found::One(id) => Ok(id),
        Found::Several => Err("several people have this name: use the id"),
        Found::Nobody => Err("nobody has this name or id"),
    }
}

/// An id as events have it.
pub fn id_text(id: ParticipantId) -> String {
    format!("{:016x}", id.0)
}

enum Found {
    Nobody,
    One(ParticipantId),
    Several,
}

/// An id is sure, so it counts before a name: somebody may have chosen the id of somebody else as name.
fn find<'a>(people: impl Iterator<Item = (ParticipantId, &'a str)> + Clone, wanted: &str) -> Found {
    if let Some((id, _)) = people.clone().find(|(id, _)| id_text(*id) == wanted) {
        return Found::One(id);
    }
    let mut named = people.filter(|(_, name)| *name == wanted);
    match (named.next(), named.next()) {
        (None, _) => Found::Nobody,
        (Some((id, _)), None) => Found::One(id),
        (Some(_), Some(_)) => Found::Several,
    }
}

fn is(id: ParticipantId, name: &str, wanted: &str) -> bool {
    name == wanted || id_text(id) == wanted
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::{DeviceKey, Event, Evidence, IdentityClass};

    #[test]
    fn a_name_that_several_people_use_names_nobody_and_an_id_names_one_of_them() {
        let mut model = MeetingModel::default();
        let evidence = Evidence {
            class: IdentityClass::Guest,
            device: DeviceKey([1; 32]),
            certificate: None,
            via_old_link: false,
            sent_back: false,
        };
        for (id, name) in [(1, "Anna"), (2, "Ben"), (3, "Anna"), (4, "0000000000000002")] {
            let (id, name) = (ParticipantId(id), name.to_owned());
            model.handle_event(&Event::AsksToJoin { id, name, evidence: evidence.clone() });
        }
        for found in [anybody(&model, "Ben"), asker(&model.asking, "Ben")] {
            assert_eq!(found, Ok(ParticipantId(2)));
        }
        assert!(anybody(&model, "Anna").is_err() && asker(&model.asking, "Anna").is_err());
        assert_eq!(asker(&model.asking, "0000000000000003"), Ok(ParticipantId(3)));
        assert_eq!(asker(&model.asking, "0000000000000002"), Ok(ParticipantId(2)), "a name is not an id");
        assert!(anybody(&model, "Carol").is_err() && asker(&model.asking, "Carol").is_err());
        assert!(member(&model.people, "Ben").is_err());
    }
}
