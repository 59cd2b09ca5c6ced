//! What assistive tools announce during a meeting: at most one sentence every two seconds. A sentence can contain
//! several events.

use std::time::Instant;

use crate::locale::Language;
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
    /// A person with this name asks to join with an old link.
    Asking(String),
    /// The connection was lost.
    Reconnecting,
}

/// If more announcements than this wait, the oldest is dropped.
const MAX_WAITING: usize = 256;

/// Collects announcements until the next sentence is due.
#[derive(Debug, Default)]
pub struct Announcer {
    waiting: Vec<Announcement>,
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
    let (mut joined, mut left, mut muted, mut asking, mut lost) = (Vec::new(), Vec::new(), None, Vec::new(), None);
    for announcement in announcements {
        match announcement {
            Announcement::Joined(name) => joined.push(name),
            Announcement::Left(name) => left.push(name),
            Announcement::Muted => muted = Some("said-muted"),
            Announcement::Unmuted => muted = Some("said-unmuted"),
            Announcement::Asking(name) => asking.push(name),
            Announcement::Reconnecting => lost = Some("said-reconnecting"),
        }
    }
    let mut parts = Vec::new();
    for (names, one, many) in [
        (asking, "said-asking", "said-asking-many"),
        (joined, "said-joined", "said-joined-many"),
        (left, "said-left", "said-left-many"),
    ] {
        match names.as_slice() {
            [] => {}
            [name] => parts.push(language.with(one, &[("name", name.as_str().into())])),
            names => parts.push(language.with(many, &[("count", names.len().into())])),
        }
    }
    parts.extend(muted.into_iter().chain(lost).map(|id| language.text(id)));
    parts.join(". ")
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
}
