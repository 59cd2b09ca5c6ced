//! What shows whether all participants are in the same group, as the screens show it.

use std::collections::BTreeMap;

use engine::verification::{Agreement, EmojiCheck, Event, PhraseCheck};
use engine::{ParticipantId, Person};

use super::notice::{Notice, NoticeKind};

/// What is known about the groups of the others.
#[derive(Clone, Debug, Default)]
pub struct Verification {
    /// Who agrees with us.
    pub agreement: Agreement,
    /// The comparison of pictures; `None` if there was none.
    pub emoji: Option<EmojiCheck>,
    /// The spoken challenge; `None` if there is none, or if it was answered.
    pub phrase: Option<PhraseCheck>,
    /// Whom we have asked for a phrase in this meeting, and whether we heard it. It stays on this computer.
    pub heard: BTreeMap<ParticipantId, bool>,
    notice: Option<Notice>,
}

impl Verification {
    /// Updates the state.
    pub fn handle_event(&mut self, event: &Event, people: &[Person]) {
        self.notice = self.update(event, people);
    }

    /// Takes the notice to show for the last event.
    pub fn take_notice(&mut self) -> Option<Notice> {
        self.notice.take()
    }

    fn update(&mut self, event: &Event, people: &[Person]) -> Option<Notice> {
        match event {
            Event::Agreement(agreement) => {
                let before = std::mem::replace(&mut self.agreement, agreement.clone());
                notice_of(&before, agreement, people)
            }
            Event::OtherGroup { manager } => Some(notice(NoticeKind::OtherGroup, &[*manager], people)),
            Event::Emoji(state) => {
                self.emoji = Some(state.clone());
                match state {
                    EmojiCheck::Done { by, .. } if !is_me(*by, people) => {
                        Some(notice(NoticeKind::PicturesReady, &[*by], people))
                    }
                    EmojiCheck::Done { .. }
                    | EmojiCheck::Running { .. }
                    | EmojiCheck::Failed(_)
                    | EmojiCheck::Outdated => None,
                }
            }
            Event::Phrase(state) => {
                self.phrase = Some(state.clone());
                match state {
                    PhraseCheck::Read { by, .. } => Some(notice(NoticeKind::ReadPhrase, &[*by], people)),
                    PhraseCheck::Asked(_) | PhraseCheck::Listen { .. } | PhraseCheck::Failed(_) => None,
                }
            }
        }
    }

    /// Records whether the user has heard the phrase.
    pub fn answer_phrase(&mut self, heard: bool) {
        if let Some(PhraseCheck::Listen { who, .. }) = self.phrase.take() {
            self.heard.insert(who, heard);
        }
    }

    /// Forgets those who have left. The same person is somebody else when it comes back.
    pub fn retain(&mut self, people: &[Person]) {
        self.heard.retain(|id, _| people.iter().any(|person| person.id == *id));
    }
}

fn notice(kind: NoticeKind, about: &[ParticipantId], people: &[Person]) -> Notice {
    Notice { kind, file: Some(names(about, people)), detail: String::new() }
}

fn is_me(id: ParticipantId, people: &[Person]) -> bool {
    people.iter().any(|person| person.me && person.id == id)
}

/// Returns the notice for a change of the agreement: the worse news first.
fn notice_of(before: &Agreement, now: &Agreement, people: &[Person]) -> Option<Notice> {
    let (kind, about) = if now.differ.iter().any(|id| !before.differ.contains(id)) {
        (NoticeKind::Forked, &now.differ)
    } else if now.unheard.iter().any(|id| !before.unheard.contains(id)) {
        (NoticeKind::Unheard, &now.unheard)
    } else if now.misnumbered.iter().any(|id| !before.misnumbered.contains(id)) {
        (NoticeKind::Misnumbered, &now.misnumbered)
    } else if is_split(before) && !is_split(now) {
        return Some(Notice { kind: NoticeKind::Agreed, file: None, detail: String::new() });
    } else {
        return None;
    };
    Some(notice(kind, about, people))
}

/// Returns true if people may be in another group than we.
const fn is_split(agreement: &Agreement) -> bool {
    !agreement.differ.is_empty() || !agreement.unheard.is_empty()
}

/// Returns the names of people, at most four, and how many more there are.
pub fn names(ids: &[ParticipantId], people: &[Person]) -> String {
    let name = |id: &ParticipantId| people.iter().find(|person| person.id == *id).map(|person| person.name.clone());
    let known: Vec<String> = ids.iter().filter_map(name).collect();
    let more = known.len().saturating_sub(MAX_NAMES);
    let shown = known.into_iter().take(MAX_NAMES).collect::<Vec<_>>().join(", ");
    if more == 0 { shown } else { format!("{shown} (+{more})") }
}

/// A notice has room for so many names.
const MAX_NAMES: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use engine::{Microphone, Rights, Role};

    fn person(id: u64) -> Person {
        Person {
            id: ParticipantId(id),
            name: format!("Person {id}"),
            me: id == 1,
            role: Role::Participant,
            rights: Rights::NONE,
            device: String::new(),
            certificate: None,
            microphone: Microphone::On,
            camera: false,
            screen: false,
            connected: true,
        }
    }

    fn agreement(differ: &[u64], unheard: &[u64]) -> Event {
        let ids = |ids: &[u64]| ids.iter().copied().map(ParticipantId).collect();
        Event::Agreement(Agreement {
            agree: ids(&[2]),
            differ: ids(differ),
            unheard: ids(unheard),
            misnumbered: Vec::new(),
        })
    }

    #[test]
    fn each_news_has_one_notice_and_the_end_of_the_alarm_one() {
        let people: Vec<_> = (1..9).map(person).collect();
        let mut verification = Verification::default();
        let mut told = |event: Event| {
            verification.handle_event(&event, &people);
            verification.take_notice().map(|notice| (notice.kind, notice.file.unwrap_or_default()))
        };
        assert_eq!(told(agreement(&[], &[3])), Some((NoticeKind::Unheard, "Person 3".into())));
        assert_eq!(told(agreement(&[4, 5], &[3])), Some((NoticeKind::Forked, "Person 4, Person 5".into())));
        assert_eq!(told(agreement(&[4], &[3])), None, "better");
        assert_eq!(told(agreement(&[], &[])), Some((NoticeKind::Agreed, String::new())));
        let counted = |ids: &[u64]| {
            let misnumbered = ids.iter().copied().map(ParticipantId).collect();
            Event::Agreement(Agreement { misnumbered, ..Agreement::default() })
        };
        assert_eq!(told(counted(&[3])), Some((NoticeKind::Misnumbered, "Person 3".into())));
        assert_eq!(told(counted(&[])), None, "the keys were the same all the time");
        let other = told(Event::OtherGroup { manager: ParticipantId(2) });
        assert_eq!(other, Some((NoticeKind::OtherGroup, "Person 2".into())));
    }

    #[test]
    fn many_names_are_counted() {
        let people: Vec<_> = (1..9).map(person).collect();
        let ids: Vec<_> = (1..9).map(ParticipantId).collect();
        assert_eq!(names(&ids, &people), "Person 1, Person 2, Person 3, Person 4 (+4)");
        assert_eq!(names(&[ParticipantId(77)], &people), "");
    }
}
