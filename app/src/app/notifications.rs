//! Tells the user about events: notices on the screen, announcements for assistive tools.

use std::time::Instant;

use accesskit::Live;

use crate::announce::{Announcement, Announcer};
use crate::kit::{Element, live};
use crate::locale::Language;
use crate::model::Notice;
use crate::screen::notice::{self, Queue};

/// Notices and announcements.
#[derive(Debug, Default)]
pub struct Notifications {
    queue: Queue,
    announcer: Announcer,
    polite: Spoken,
    urgent: Spoken,
}

/// The last text that assistive tools read out.
#[derive(Debug, Default)]
struct Spoken(String);

impl Spoken {
    /// Replaces the text. Assistive tools read out a text only if it changes, so the same text again gets a space at its end.
    fn say(&mut self, text: String) {
        self.0 = if self.0 == text { text + "\u{a0}" } else { text };
    }
}

impl Notifications {
    /// Shows and announces a notice.
    pub fn notify(&mut self, notice: Notice, language: Language) {
        let (sentence, urgent) = (notice.announcement(language), notice.kind.is_urgent());
        match (self.queue.push(notice, Instant::now()), urgent) {
            (false, _) => {}
            (true, true) => self.interrupt(sentence),
            (true, false) => self.announce(Announcement::Sentence(sentence)),
        }
    }

    /// Announces something to assistive tools.
    pub fn announce(&mut self, announcement: Announcement) {
        self.announcer.push(announcement);
    }

    /// Announces the sentence with this text id.
    pub fn announce_text(&mut self, id: &str, language: Language) {
        self.announce(Announcement::Sentence(language.text(id)));
    }

    /// Announces a sentence that interrupts other speech.
    pub fn interrupt(&mut self, sentence: String) {
        self.announcer.interrupt(sentence);
    }

    /// Handles a press on a notice.
    pub fn update(&mut self, message: notice::Message) {
        self.queue.update(message, Instant::now());
    }

    /// Removes notices whose time is over, and makes the announcements that are due.
    pub fn tick(&mut self, language: Language, now: Instant) {
        self.queue.tick(now);
        if let Some(sentence) = self.announcer.poll_urgent() {
            self.urgent.say(sentence);
        }
        if let Some(sentence) = self.announcer.poll(language, now) {
            self.polite.say(sentence);
        }
    }

    /// Whether a notice is shown or an announcement waits, so that [`Notifications::tick`] must be called.
    pub fn needs_ticks(&self) -> bool {
        self.queue.is_busy() || self.announcer.is_busy()
    }

    /// The notices.
    pub fn queue(&self) -> &Queue {
        &self.queue
    }

    /// The live regions with the announcements.
    pub fn live_regions<'a, Message: 'a>(&self) -> [Element<'a, Message>; 2] {
        [live("announcement", Live::Polite, &self.polite.0), live("alert", Live::Assertive, &self.urgent.0)]
    }

    /// Removes all notices, because a meeting begins, or home is shown.
    pub fn clear(&mut self) {
        self.queue.clear();
    }

    /// Removes the notices that do not matter any more, because the meeting is over.
    pub fn end_meeting(&mut self) {
        self.queue.end_meeting();
    }
}
