//! What the engine of a meeting reports reaches the screen, the notifications and the recent meetings.

use super::{App, Message, Screen, admit_known, event_notices, identities};
use crate::announce;
use crate::model::{Notice, NoticeKind, sentence};
use crate::recent::{self, Listing};
use crate::session::Attempt;
use engine::{Event, LobbyEvent, Reason, SecretLink, Step};
use iced::Task;
use std::time::Instant;

impl App {
    /// Routes an event of the engine of `attempt`.
    pub(super) fn engine_event(&mut self, attempt: Attempt, event: &Event) -> Task<Message> {
        if !self.session.is_current(attempt) {
            return background_event(self, attempt, event);
        }
        let Screen::Meeting(screen) = &mut self.screen else { return Task::none() };
        let before = screen.model.entered_by.clone();
        for announcement in screen.handle_event(event, Instant::now()) {
            self.notifications.announce(announcement);
        }
        let notices = event_notices::notices(screen, event, self.preferences.language);
        let entered_by = screen.model.entered_by.clone();
        for notice in notices {
            self.notify(notice);
        }
        answer_knocks(self, event);
        match event {
            Event::Entered { link, organiser, .. } => return self.entered(link, *organiser),
            Event::LinkChanged { link } => return link_changed(self, &before, link),
            Event::People(people) if self.session.listing() != Listing::Unlisted => {
                return Task::batch([
                    identities::save_met(&mut self.screen, self.session.listing()),
                    self.preferences.meet(&entered_by, people),
                ]);
            }
            // The window shows a banner instead of the notice, for as long as the connection is lost.
            Event::Notice(notice) if notice.kind == engine::NoticeKind::Reconnecting => {
                self.notifications.interrupt(self.preferences.language.text("meeting-reconnecting"));
            }
            Event::Ended(reason) => return self.ended(reason),
            Event::Progress(Step::Knocking) => {
                self.notifications.announce_text("enter-knocking", self.preferences.language);
            }
            Event::Lobby(LobbyEvent::SentBack) => {
                self.session.entered(false);
                self.notifications.interrupt(self.preferences.language.text("lobby-you-sent-back"));
            }
            Event::Progress(_)
            | Event::Notice(_)
            | Event::Chat(_)
            | Event::Verification(_)
            | Event::OwnRightsChanged(_)
            | Event::HandLowered { .. }
            | Event::People(_)
            | Event::Locked(_)
            | Event::Speaking(_)
            | Event::Level(_)
            | Event::Microphone(_)
            | Event::Camera(_)
            | Event::Sharing(_)
            | Event::AsksToJoin { .. }
            | Event::StoppedAsking(_)
            | Event::Lobby(_)
            | Event::Policy(_)
            | Event::DoubtedTracks(_)
            | Event::Hands(_)
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
        self.notifications.interrupt(announce::join(&[sentence::reason_text(reason, language), advice]));
        self.screen = self.screen.ended(reason.clone());
        self.notifications.end_meeting();
        self.release();
        link.filter(|_| listed && recent::is_over(reason)).map_or_else(Task::none, |link| self.preferences.end(&link))
    }
}

/// Lets in whom the user's rule admits, and plays a sound for somebody who waits.
fn answer_knocks(app: &mut App, event: &Event) {
    admit_known(app);
    let Screen::Meeting(screen) = &app.screen else { return };
    if app.knock_sound.is_due(event, &screen.model, Instant::now())
        && let Some(refused) = app.session.send(engine::Command::PlayKnock)
    {
        tracing::debug!(detail = refused.detail, "the engine plays no sound");
    }
}

fn link_changed(app: &mut App, before: &SecretLink, link: &SecretLink) -> Task<Message> {
    if app.session.listing() == Listing::WhileHosted {
        app.session.forget_when_closed(link);
    }
    app.notify(Notice { kind: NoticeKind::LinkChanged, file: None, detail: String::new() });
    app.preferences.relink(before, link)
}

/// Handles an event of the engine in the background. Its user must know who has changed the meeting meanwhile.
fn background_event(app: &mut App, attempt: Attempt, event: &Event) -> Task<Message> {
    let language = app.preferences.language;
    // Without news, that engine is being closed.
    let Some(news) = app.hosting.handle_event(attempt, event, &mut app.session, language) else {
        return Task::none();
    };
    news.announcements.into_iter().for_each(|announcement| app.notifications.announce(announcement));
    news.notices.into_iter().for_each(|notice| app.notify(notice));
    if let Event::Lobby(LobbyEvent::SentBack) = event {
        app.notifications.interrupt(language.text("lobby-you-sent-back"));
    }
    let saved = app.hosting.model_mut().map_or_else(Task::none, identities::save);
    let Event::LinkChanged { link } = event else { return saved };
    app.notify(Notice { kind: NoticeKind::LinkChanged, file: None, detail: String::new() });
    app.preferences.relink(&news.entered_by, link)
}
