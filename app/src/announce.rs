//! What assistive tools announce. Polite announcements wait until other speech ends, and are made at most every two
//! seconds; one can contain several events. Urgent ones interrupt.

use std::time::Instant;

use crate::locale::Language;
use crate::model::NameMark;
use crate::theme::ANNOUNCE_EVERY;

/// Something to announce.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Announcement {
    /// A participant with this name joined.
    Joined(String),
    /// A participant with this name left.
    Left(String),
    /// Our microphone was muted.
    Muted,
    /// Our microphone was unmuted.
    Unmuted,
    /// The participant with this name shares the screen.
    Sharing(String),
    /// The participant with this name no longer shares the screen.
    SharingEnded(String),
    /// A sentence in the language of the user, such as a notification.
    Sentence(String),
    /// A person with this name asks to join with an old link.
    Asking(String),
    /// The name of a participant, or of a person who asks to join, is marked.
    NameMarked(String, NameMark),
}

/// If more announcements than this wait, the oldest is dropped.
const MAX_WAITING: usize = 256;

/// Collects announcements until the next sentence is due.
#[derive(Debug, Default)]
pub struct Announcer {
    waiting: Vec<Announcement>,
    urgent: Vec<String>,
    last: Option<Instant>,
}

impl Announcer {
    /// Adds an announcement.
    pub fn push(&mut self, announcement: Announcement) {
        if self.waiting.len() == MAX_WAITING {
            self.waiting.remove(0);
        }
        self.waiting.push(announcement);
    }

    /// Adds a sentence that interrupts other speech.
    pub fn interrupt(&mut self, sentence: String) {
        if self.urgent.len() < MAX_WAITING {
            self.urgent.push(sentence);
        }
    }

    /// Whether an announcement waits, so that [`Announcer::poll`] must be called.
    pub fn is_busy(&self) -> bool {
        !self.waiting.is_empty() || !self.urgent.is_empty()
    }

    /// Takes the sentences that interrupt, as one.
    pub fn poll_urgent(&mut self) -> Option<String> {
        (!self.urgent.is_empty()).then(|| join(&std::mem::take(&mut self.urgent)))
    }

    /// Returns the next sentence if it is due.
    pub fn poll(&mut self, language: Language, now: Instant) -> Option<String> {
        let early = self.last.is_some_and(|last| now.saturating_duration_since(last) < ANNOUNCE_EVERY);
        if self.waiting.is_empty() || early {
            return None;
        }
        self.last = Some(now);
        Some(sentence(&std::mem::take(&mut self.waiting), language))
    }
}

fn sentence(announcements: &[Announcement], language: Language) -> String {
    let (mut joined, mut left, mut asking, mut muted) = (Vec::new(), Vec::new(), Vec::new(), None);
    let (mut parts, mut sharing, mut marked) = (Vec::new(), Vec::new(), Vec::new());
    let named = |id, name: &String| language.with(id, &[("name", name.as_str().into())]);
    for announcement in announcements {
        match announcement {
            Announcement::Joined(name) => joined.push(name),
            Announcement::Left(name) => left.push(name),
            Announcement::Muted => muted = Some("said-muted"),
            Announcement::Unmuted => muted = Some("said-unmuted"),
            Announcement::Sharing(name) => sharing.push(named("said-sharing", name)),
            Announcement::SharingEnded(name) => sharing.push(named("said-sharing-ended", name)),
            Announcement::Sentence(sentence) => parts.push(sentence.clone()),
            Announcement::Asking(name) => asking.push(name),
            Announcement::NameMarked(name, mark) => marked.push(named(mark.announcement(), name)),
        }
    }
    for (people, one, many) in [
        (asking, "said-asking", "said-asking-many"),
        (joined, "said-joined", "said-joined-many"),
        (left, "said-left", "said-left-many"),
    ] {
        match people.as_slice() {
            [] => {}
            [name] => parts.push(named(one, name)),
            people => parts.push(language.with(many, &[("count", people.len().into())])),
        }
    }
    parts.extend(muted.into_iter().map(|id| language.text(id)));
    parts.extend(sharing);
    parts.extend(marked);
    join(&parts)
}

/// Joins sentences. Adds a full stop to those that end without punctuation, except to the last one.
pub fn join(sentences: &[String]) -> String {
    let mut joined = String::new();
    for sentence in sentences {
        if !joined.is_empty() {
            joined.push_str(if joined.ends_with(['.', '…', '?']) { " " } else { ". " });
        }
        joined.push_str(sentence);
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn people_who_join_together_are_announced_in_one_sentence() {
        let (mut announcer, now) = (Announcer::default(), Instant::now());
        announcer.push(Announcement::Joined("Anne".into()));
        assert_eq!(announcer.poll(Language::English, now).as_deref(), Some("Anne joined"));
        for name in ["Bob", "Carol", "Dave"] {
            announcer.push(Announcement::Joined(name.into()));
        }
        announcer.push(Announcement::Muted);
        announcer.push(Announcement::Unmuted);
        assert_eq!(announcer.poll(Language::English, now + Duration::from_secs(1)), None, "too early");
        let later = announcer.poll(Language::English, now + Duration::from_secs(2));
        assert_eq!(later.as_deref(), Some("3 people joined. You are no longer muted"));
        assert_eq!(announcer.poll(Language::English, now + Duration::from_secs(9)), None, "nothing happened");
    }

    #[test]
    fn a_shared_screen_and_a_notification_are_announced() {
        let (mut announcer, now) = (Announcer::default(), Instant::now());
        announcer.push(Announcement::Sharing("Anne".into()));
        announcer.push(Announcement::Joined("Carol".into()));
        announcer.push(Announcement::Sentence("Lien copié".into()));
        announcer.push(Announcement::SharingEnded("Bob".into()));
        let expected =
            "Lien copié. Carol a rejoint la visioconférence. Anne partage son écran. Bob ne partage plus son écran";
        assert_eq!(announcer.poll(Language::French, now).as_deref(), Some(expected));
    }

    #[test]
    fn urgent_sentences_do_not_wait() {
        let (mut announcer, now) = (Announcer::default(), Instant::now());
        announcer.push(Announcement::Muted);
        assert!(announcer.poll(Language::English, now).is_some());
        announcer.interrupt("The connection was lost.".into());
        announcer.interrupt("The organiser removed you.".into());
        assert!(announcer.is_busy());
        assert_eq!(announcer.poll_urgent().as_deref(), Some("The connection was lost. The organiser removed you."));
        assert_eq!((announcer.poll_urgent(), announcer.is_busy()), (None, false), "each is announced once");
    }
}
