//! Which names are marked, because they may be meant to be taken for another participant's.

use std::collections::HashMap;

use engine::{ParticipantId, Person, name};

/// Why a name is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameMark {
    /// It is drawn like the name of another participant, or is the same.
    Confusable,
    /// It mixes alphabets whose letters look alike.
    MixedScript,
}

impl NameMark {
    /// The text id of the sentence beside the name.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Confusable => "name-alike",
            Self::MixedScript => "name-mixed",
        }
    }

    /// The text id of the sentence that names the person, for assistive tools.
    pub const fn announcement(self) -> &'static str {
        match self {
            Self::Confusable => "said-name-alike",
            Self::MixedScript => "said-name-mixed",
        }
    }

    /// The mark of somebody who asks to join the meeting of `people`.
    pub fn of_asker(asker: &str, people: &[Person]) -> Option<Self> {
        let shape = name::skeleton(asker);
        of(asker, people.iter().any(|person| name::skeleton(&person.name) == shape))
    }
}

/// The marks of the participants. A name that looks like another marks both, because the list does not show who is
/// genuine. We ourselves are not marked, and the organiser not for looking like others: the link binds the
/// organiser's key.
pub fn marks(people: &[Person]) -> HashMap<ParticipantId, NameMark> {
    let shapes: Vec<String> = people.iter().map(|person| name::skeleton(&person.name)).collect();
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for shape in &shapes {
        *counts.entry(shape).or_default() += 1;
    }
    let others = people.iter().zip(&shapes).filter(|(person, _)| !person.me);
    let marked = others.filter_map(|(person, shape)| {
        let alike = !person.is_organiser() && counts.get(shape.as_str()).is_some_and(|count| *count > 1);
        Some((person.id, of(&person.name, alike)?))
    });
    marked.collect()
}

fn of(name: &str, alike: bool) -> Option<NameMark> {
    let mixed = name::is_mixed_script(name).then_some(NameMark::MixedScript);
    if alike { Some(NameMark::Confusable) } else { mixed }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::Microphone;

    fn people(names: &[&str]) -> Vec<Person> {
        let person = |(index, name): (usize, &&str)| Person {
            id: ParticipantId(index as u64),
            name: (*name).to_owned(),
            me: index == 0,
            role: if index == 1 { engine::Role::Organiser } else { engine::Role::Participant },
            rights: engine::Rights::ALL,
            device: String::new(),
            certificate: None,
            microphone: Microphone::On,
            camera: false,
            screen: false,
            connected: true,
        };
        names.iter().enumerate().map(person).collect()
    }

    fn marked(names: &[&str]) -> Vec<(u64, NameMark)> {
        let mut marks: Vec<_> = marks(&people(names)).into_iter().map(|(id, mark)| (id.0, mark)).collect();
        marks.sort_by_key(|(id, _)| *id);
        marks
    }

    #[test]
    fn a_name_that_looks_like_another_is_marked() {
        use NameMark::{Confusable, MixedScript};
        assert_eq!(marked(&["Zo\u{e9}", "Anne", "Bob", "Carol"]), []);
        assert_eq!(marked(&["Zo\u{e9}", "Anne", "\u{410}nne"]), [(2, Confusable)], "the organiser is genuine");
        assert_eq!(marked(&["Anne", "Bob", "Anne"]), [(2, Confusable)], "the same name as ours");
        let both = [(2, Confusable), (3, Confusable)];
        assert_eq!(marked(&["Zo\u{e9}", "Anne", "Bob", "B\u{3bf}b"]), both, "nobody knows who is genuine");
        assert_eq!(marked(&["\u{410}lice", "Ann\u{435}", "Bob"]), [(1, MixedScript)], "nothing of our own");
    }

    #[test]
    fn somebody_who_asks_is_compared_with_all() {
        let people = people(&["Zo\u{e9}", "Anne"]);
        let mark = |name| NameMark::of_asker(name, &people);
        assert_eq!(mark("\u{410}nne"), Some(NameMark::Confusable));
        assert_eq!(mark("Zoe\u{301}"), Some(NameMark::Confusable));
        assert_eq!(mark("P\u{430}ul"), Some(NameMark::MixedScript));
        assert_eq!(mark("Paul"), None);
    }
}
