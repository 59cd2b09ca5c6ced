//! What the engine of a meeting reports reaches the screen, the notifications and the recent meetings.

use super::{App, Message, Screen};
use crate::announce;
use crate::model::{Notice, NoticeKind, sentence};
use crate::recent::{self, Listing};
use crate::session::Attempt;
use engine::{Event, Reason, SecretLink, Step};
use iced::Task;
use std::time::Instant;

impl App {
    /// Routes an event of the engine of `attempt`.
    pub(super) fn engine_event(&mut self, attempt: Attempt, event: &Event) -> Task<Message> {
        if !self.session.is_current(attempt) {
            let announcements = self.hosting.handle_event(attempt, event, &mut self.session);
            // Without announcements, that engine is being closed.
            announcements.into_iter().flatten().for_each(|announcement| self.notifications.announce(announcement));
            return Task::none();
        }
        let Screen::Meeting(screen) = &mut self.screen else { return Task::none() };
        let before = screen.model.entered_by.clone();
        for announcement in screen.handle_event(event, Instant::now()) {
            self.notifications.announce(announcement);
        }
        match event {
            Event::Entered { link, organiser, .. } => return self.entered(link, *organiser),
            Event::LinkChanged { link } => {
                if self.session.listing() == Listing::WhileHosted {
                    self.session.forget_when_closed(link);
                }
                self.notify(Notice { kind: NoticeKind::LinkChanged, file: None, detail: String::new() });
                return self.preferences.relink(&before, link);
            }
            Event::People(people) if self.session.listing() != Listing::Unlisted => {
                return self.preferences.meet(&screen.model.entered_by, people);
            }
            // The window shows a banner instead of the notice, for as long as the connection is lost.
            Event::Notice(notice) if notice.kind == engine::NoticeKind::Reconnecting => {
                self.notifications.interrupt(self.preferences.language.text("meeting-reconnecting"));
            }
            Event::Notice(notice) => {
                let notice = screen.model.notice(notice);
                self.notify(notice);
            }
            Event::Ended(reason) => return self.ended(reason),
            Event::Progress(Step::Knocking) => {
                self.notifications.announce_text("enter-knocking", self.preferences.language);
            }
            Event::Progress(_)
            | Event::People(_)
            | Event::Locked(_)
            | Event::Speaking(_)
            | Event::Level(_)
            | Event::Microphone(_)
            | Event::Camera(_)
            | Event::Sharing(_)
            | Event::AsksToJoin { .. }
            | Event::StoppedAsking(_)
            | Event::Policy(_)
            | Event::Second(_)
            | Event::Totals(_) => {}
        }
        Task::none()
    }

    /// Handles our entry into the meeting: reports a failure of the keychain, and adds the link to the recent meetings.
    fn entered(&mut self, link: &SecretLink, organiser: bool) -> Task<Message> {
        self.notifications.announce_text("said-entered", self.preferences.language);
        if let Some(detail) = self.session.take_keychain_failure() {
            self.notify(Notice { kind: NoticeKind::NoKeychain, file: None, detail });
        }
        self.session.entered(organiser);
        let listing = self.session.listing();
        if listing == Listing::WhileHosted {
            self.session.forget_when_closed(link);
        }
        self.preferences.remember(link, organiser, listing)
    }

    /// Shows and announces why the meeting is over, or shows the home screen if the user left. If it cannot be joined
    /// again, marks it in the recent meetings.
    fn ended(&mut self, reason: &Reason) -> Task<Message> {
        if !self.screen.goes_on(reason) {
            self.session.end_when_closed();
            self.session.entered(false); // there is no way back
        }
        if *reason == Reason::Left {
            return self.go_home();
        }
        let entered = match &self.screen {
            Screen::Meeting(screen) => Some(screen.model.entered_by.clone()).filter(|link| !link.is_empty()),
            Screen::Home(_) | Screen::Preview(_) | Screen::Ended(_) => None,
        };
        let link = entered.or_else(|| self.session.link());
        let listed = self.session.listing() != Listing::Unlisted;
        let (language, id) = (self.preferences.language, sentence::reason(reason));
        let advice = language.text(&format!("{id}.advice"));
        self.notifications.interrupt(announce::join(&[language.text(id), advice]));
        self.screen = self.screen.ended(reason.clone());
        self.notifications.end_meeting();
        self.release();
        link.filter(|_| listed && recent::is_over(reason)).map_or_else(Task::none, |link| self.preferences.end(&link))
    }
}
