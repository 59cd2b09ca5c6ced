//! Tells the user about events: notices on the screen, announcements for assistive tools.

use std::time::Instant;

use crate::announce::{Announcement, Announcer};
use crate::locale::Language;
use crate::model::{Notice, NoticeKind};
use crate::screen::notice::{self, Queue};

/// Notices and announcements.
#[derive(Debug, Default)]
pub struct Notifications {
    queue: Queue,
    announcer: Announcer,
    /// The last sentence that was announced.
    announced: String,
}

impl Notifications {
    /// Shows a notice.
    pub fn notify(&mut self, notice: Notice) {
        self.queue.push(notice, Instant::now());
    }

    /// Shows a notice of this kind, with the cause in `detail`, which may be empty.
    pub fn notify_of(&mut self, kind: NoticeKind, detail: String) {
        self.notify(Notice { kind, detail });
    }

    /// Announces something to assistive tools.
    pub fn announce(&mut self, announcement: Announcement) {
        self.announcer.push(announcement);
    }

    /// Handles a press on a notice.
    pub fn update(&mut self, message: notice::Message) {
        self.queue.update(message, Instant::now());
    }

    /// Removes notices whose time is over, and takes the next announcement if it is due.
    pub fn tick(&mut self, language: Language, now: Instant) {
        self.queue.tick(now);
        if let Some(sentence) = self.announcer.poll(language, now) {
            self.announced = sentence;
        }
    }

    /// Whether a notice is shown, so that [`Notifications::tick`] must be called to remove it in time.
    pub fn needs_ticks(&self) -> bool {
        self.queue.is_busy()
    }

    /// The notices.
    pub fn queue(&self) -> &Queue {
        &self.queue
    }

    /// The sentence that assistive tools announce.
    pub fn announced(&self) -> &str {
        &self.announced
    }

    /// Removes all notices, because a meeting begins or is over.
    pub fn clear(&mut self) {
        self.queue.clear();
    }
}
