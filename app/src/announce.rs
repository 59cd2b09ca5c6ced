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
    /// A person with this name asks to join.
    Asking(String),
    /// The name of a participant, or of a person who asks to join, is marked.
    NameMarked(String, NameMark),
    /// A person with this name, who asks to join, comes with another device than the known one.
    OtherDevice(String),
    /// A person with this name, who asks to join, has written.
    AskerWrites(String),
    /// The organiser has written this to us, who ask to join.
    OrganiserWrites(String),
    /// The organiser has received our request to join.
    RequestReceived,
    /// A co-organiser has received our request to join.
    RequestReceivedByCoOrganiser,
    /// All who had received our request to join have left.
    NobodyHasRequest,
    /// The participant with this name has written this in the chat, to us only if `private`.
    Chat {
        /// The name.
        name: String,
        /// The beginning of the text.
        text: String,
        /// Only we can read it.
        private: bool,
    },
    /// The participant with this name has typed these words, and shows them.
    Typed {
        /// The name.
        name: String,
        /// The words.
        text: String,
    },
    /// Messages of the participant with this name are dropped, because there are too many.
    ChatFlood(String),
    /// The participant with this name raised a hand.
    HandRaised(String),
}

/// If more lines of the chat than this wait, only their number is announced.
const MAX_LINES: usize = 2;

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
    let (mut chat, mut hands) = (Vec::new(), Vec::new());
    let mut typed = Vec::new();
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
            Announcement::HandRaised(name) => hands.push(name),
            Announcement::NameMarked(name, mark) => marked.push(named(mark.announcement(), name)),
            Announcement::OtherDevice(name) => marked.push(named("identity-other-device", name)),
            Announcement::AskerWrites(name) => parts.push(named("said-asker-writes", name)),
            Announcement::OrganiserWrites(words) => {
                parts.push(language.with("said-organiser-writes", &[("text", words.as_str().into())]));
            }
            Announcement::RequestReceived => parts.push(language.text("said-request-received")),
            Announcement::RequestReceivedByCoOrganiser => parts.push(language.text("said-request-received-co")),
            Announcement::NobodyHasRequest => parts.push(language.text("lobby-nobody")),
            Announcement::Chat { name, text, private } => {
                let id = if *private { "said-chat-private" } else { "said-chat" };
                chat.push(language.with(id, &[("name", name.as_str().into()), ("text", text.as_str().into())]));
            }
            Announcement::Typed { name, text } => add_words(&mut typed, name, text),
            Announcement::ChatFlood(name) => parts.push(named("said-chat-flood", name)),
        }
    }
    for (people, one, many) in [
        (asking, "said-asking", "said-asking-many"),
        (joined, "said-joined", "said-joined-many"),
        (left, "said-left", "said-left-many"),
        (hands, "said-hand", "said-hand-many"),
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
    let said =
        |(name, text): (&str, String)| language.with("said-typing", &[("name", name.into()), ("text", text.into())]);
    parts.extend(typed.into_iter().map(said));
    match chat.len() {
        0..=MAX_LINES => parts.extend(chat),
        count => parts.push(language.with("said-chat-many", &[("count", count.into())])),
    }
    join(&parts)
}

/// Adds words to those of the same person.
fn add_words<'a>(typed: &mut Vec<(&'a str, String)>, name: &'a str, text: &str) {
    match typed.iter_mut().find(|(other, _)| *other == name) {
        Some((_, words)) => {
            words.push(' ');
            words.push_str(text);
        }
        None => typed.push((name, text.to_owned())),
    }
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
    fn what_somebody_types_between_two_sentences_is_announced_together() {
        let (mut announcer, now) = (Announcer::default(), Instant::now());
        for (name, text) in [("Bob", "Hello"), ("Anne", "So"), ("Bob", "there,")] {
            announcer.push(Announcement::Typed { name: name.into(), text: text.into() });
        }
        let expected = "Bob is typing: Hello there,. Anne is typing: So";
        assert_eq!(announcer.poll(Language::English, now).as_deref(), Some(expected));
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
