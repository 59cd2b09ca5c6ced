//! What assistive tools are told while a meeting runs: politely, at most once every two seconds, many at once as one.

use std::time::Instant;

use crate::locale::Language;
use crate::theme::ANNOUNCE_EVERY;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// Somebody came.
    Joined(String),
    /// Somebody left.
    Left(String),
    /// Somebody was removed.
    Removed(String),
    /// We are heard no longer.
    Muted,
    /// We are heard again.
    Unmuted,
}

/// More than this many wait for nobody: the oldest are forgotten.
const MAX_WAITING: usize = 256;

/// Collects what happened until it may be said.
#[derive(Debug, Default)]
pub struct Announcer {
    waiting: Vec<Said>,
    last: Option<Instant>,
}

impl Announcer {
    /// Something happened.
    pub fn push(&mut self, said: Said) {
        if self.waiting.len() == MAX_WAITING {
            self.waiting.remove(0);
        }
        self.waiting.push(said);
    }

    /// What to say now, if it is time.
    pub fn poll(&mut self, language: Language, now: Instant) -> Option<String> {
        let early = self.last.is_some_and(|last| now.saturating_duration_since(last) < ANNOUNCE_EVERY);
        if self.waiting.is_empty() || early {
            return None;
        }
        self.last = Some(now);
        Some(sentence(&std::mem::take(&mut self.waiting), language))
    }
}

fn sentence(happened: &[Said], language: Language) -> String {
    let names = |wanted: fn(&Said) -> Option<&String>| happened.iter().filter_map(wanted).collect::<Vec<_>>();
    let joined = names(|said| if let Said::Joined(name) = said { Some(name) } else { None });
    let left = names(|said| if let Said::Left(name) = said { Some(name) } else { None });
    let mut parts = Vec::new();
    for (names, one, many) in [(joined, "said-joined", "said-joined-many"), (left, "said-left", "said-left-many")] {
        match names.as_slice() {
            [] => {}
            [name] => parts.push(language.with(one, &[("name", name.as_str().into())])),
            names => parts.push(language.with(many, &[("count", names.len().into())])),
        }
    }
    for said in happened {
        if let Said::Removed(name) = said {
            parts.push(language.with("said-removed", &[("name", name.as_str().into())]));
        }
    }
    match happened.iter().rev().find(|said| matches!(said, Said::Muted | Said::Unmuted)) {
        Some(Said::Muted) => parts.push(language.text("said-muted")),
        Some(Said::Unmuted) => parts.push(language.text("said-unmuted")),
        _ => {}
    }
    parts.join(". ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn many_who_come_at_once_are_one_sentence() {
        let (mut announcer, now) = (Announcer::default(), Instant::now());
        announcer.push(Said::Joined("Anne".into()));
        assert_eq!(announcer.poll(Language::English, now).as_deref(), Some("Anne joined"));
        for name in ["Bob", "Carol", "Dave"] {
            announcer.push(Said::Joined(name.into()));
        }
        announcer.push(Said::Muted);
        announcer.push(Said::Unmuted);
        assert_eq!(announcer.poll(Language::English, now + Duration::from_secs(1)), None, "too soon");
        let later = announcer.poll(Language::English, now + Duration::from_secs(2));
        assert_eq!(later.as_deref(), Some("3 people joined. You are no longer muted"));
        assert_eq!(announcer.poll(Language::English, now + Duration::from_secs(9)), None, "nothing happened");
    }
}
