//! One window with one screen at a time. [`App`] routes: a message goes to the screen or the part that it concerns, and
//! a screen's action becomes a call of the part that does it. The parts own their state and know neither `App` nor each
//! other.

mod chat;
mod device_watch;
mod engine_events;
mod engine_link;
mod entry;
mod event_notices;
mod export;
mod hosting;
mod identities;
mod knock_sound;
mod message;
mod network_watch;
mod notifications;
mod options;
mod preferences;
mod preparation;
mod screens;
mod ticks;
mod window;
mod wishes;

use engine::{LinkError, Reason, SecretLink};
use iced::{Element, Subscription, Task};
use std::time::Instant;

use crate::announce::Announcement;
use crate::background;
use crate::kit::root::{self, Window};
use crate::kit::{Shortcut, modal_of, wake};
use crate::locale::Language;
use crate::model::{MeetingModel, Notice, NoticeKind, take_known};
use crate::pictures::Pictures;
use crate::recent::Memory;
use crate::screen::{Context, end_dialog, ended, entering, home, meeting, preview, shortcuts};
use crate::session::{Attempt, Key, MeetingSession, Started};
use crate::theme::{Choice, Theme};
use engine_link::{command, listen};
use entry::Purpose;
use hosting::{Hosting, Return};
use knock_sound::KnockSound;
use notifications::Notifications;
use preferences::Preferences;
use preparation::Preparation;
use window::WindowState;
use wishes::Wishes;

pub use message::Message;
pub use options::{Options, Start};
pub use screens::Screen;

/// The window and everything in it.
pub struct App {
    pub(crate) screen: Screen,
    pub(crate) window: WindowState,
    pub(crate) session: MeetingSession,
    pub(crate) pictures: Pictures,
    preferences: Preferences,
    notifications: Notifications,
    preparation: Preparation,
    wishes: Wishes,
    knock_sound: KnockSound,
    /// The list of keyboard shortcuts is open.
    shows_shortcuts: bool,
    /// The user's meeting that goes on while the window shows something else.
    hosting: Hosting,
    /// The dialog that asks before a meeting on this computer ends; `None` if it is not open.
    asks_to_end: Option<end_dialog::Cause>,
    /// The user closed the window. The program ends when every engine is closed.
    is_closing: bool,
}

impl App {
    /// Creates the state without opening a window. Starts no thread and no task, so tests can use it.
    pub fn new(language: Language, theme: Choice) -> Self {
        Self {
            screen: Screen::Home(home::Home::default()),
            window: WindowState::default(),
            session: MeetingSession::default(),
            preferences: Preferences::new(language, theme),
            notifications: Notifications::default(),
            preparation: Preparation::default(),
            wishes: Wishes::default(),
            knock_sound: KnockSound::default(),
            pictures: Pictures::default(),
            shows_shortcuts: false,
            hosting: Hosting::default(),
            asks_to_end: None,
            is_closing: false,
        }
    }

    /// Creates the state and the task that reads the file of preferences and then opens the window.
    pub(crate) fn boot(options: Options) -> (Self, Task<Message>) {
        let (waker, redraws) = wake::channel();
        let mut app = Self {
            window: WindowState::new(waker.clone()),
            pictures: Pictures::new(waker),
            ..Self::new(Language::default(), Choice::default())
        };
        app.preparation.devices.offers_test_pattern = options.developer;
        let system = iced::system::theme().map(Message::SystemTheme);
        let loaded = background::run_or(preferences::read_files, Memory::default());
        let mut options = Some(options);
        let loaded = loaded.map(move |memory| Message::Loaded(Box::new((memory, options.take().unwrap_or_default()))));
        (app, Task::batch([redraws, system, loaded]))
    }

    /// Shows the first screen.
    pub(crate) fn start(&mut self, start: Start) -> Task<Message> {
        match start {
            Start::Home => self.go_home(),
            Start::Join(link) => {
                let home = self.go_home();
                match self.join(&link) {
                    Ok(preview) => preview,
                    Err(error) => {
                        if let Screen::Home(screen) = &mut self.screen {
                            screen.link = link;
                            screen.reject_link(error);
                        }
                        home
                    }
                }
            }
            Start::Enter(starter, setup) => {
                self.preparation.choose(&setup);
                self.session.set_destination(starter, *setup);
                self.enter()
            }
        }
    }

    /// Handles a message.
    pub fn update(&mut self, message: Message) -> Task<Message> {
        if self.is_closing && !matches!(message, Message::Started(..)) {
            return Task::none();
        }
        let task = self.handle(message);
        // Each engine gets the limits: one that has just started, one in the background, and one whose queue was full before.
        let limits = self.preferences.bandwidth.limits();
        if let Some(running) = &mut self.session.running {
            running.set_limits(limits);
        }
        self.hosting.set_limits(limits);
        if let Screen::Home(screen) = &mut self.screen {
            screen.hosted = self.hosting.shown();
        }
        task
    }

    fn handle(&mut self, message: Message) -> Task<Message> {
        match message {
            Message::Resized(size) => self.window.size = size,
            Message::Rescaled(scale) => self.window.scale = scale,
            Message::WindowSeen(seen) => {
                if let Some(waker) = self.pictures.waker() {
                    waker.set_window_seen(seen);
                }
                let wishes = engine::Command::SetWishes(self.wishes.set_window_seen(seen));
                if let Some(refused) = self.session.engine().and_then(|_| self.session.send(wishes)) {
                    self.notify(refused);
                }
            }
            Message::SystemTheme(mode) => self.window.system_theme = mode,
            Message::CloseRequested if self.ends_by_closing() => self.asks_to_end = Some(end_dialog::Cause::Close),
            Message::CloseRequested | Message::StopRequested => return self.close(),
            Message::EndDialog(message) => {
                self.asks_to_end = None;
                match message {
                    end_dialog::Message::Cancelled => {}
                    end_dialog::Message::Confirmed(end_dialog::Cause::End) => self.hosting.end(&mut self.session),
                    end_dialog::Message::Confirmed(end_dialog::Cause::Close) => return self.close(),
                }
            }
            Message::Tick(now) => {
                self.notifications.tick(self.preferences.language, now);
                self.hosting.tick(&mut self.session);
            }
            Message::Home(message) => return self.home(message),
            Message::Preview(message) => return self.preview(message),
            Message::Meeting(message) => return self.meeting(message),
            Message::Entering(entering::Message::CancelPressed) | Message::Ended(ended::Message::HomePressed) => {
                return self.go_home();
            }
            Message::Ended(ended::Message::RetryPressed) => return self.enter(),
            Message::Entering(message) => write_to_organiser(self, message),
            Message::ShortcutsShown(shown) => self.shows_shortcuts = shown,
            Message::Notice(message) => self.notifications.update(message),
            Message::Notify(notice) => self.notify(notice),
            Message::DevicesListed(lists) => self.preparation.devices_listed(&lists, &mut self.screen),
            Message::Loaded(loaded) => {
                let (memory, Options { start, language, theme, name, developer: _ }) = *loaded;
                self.preferences.restore(memory, language, theme, name);
                return Task::batch([self.window.open(), self.start(start)]);
            }
            Message::NetworkChanged(found) => self.preferences.set_network(found),
            Message::DevicesLoaded(loaded) => {
                let said = (&mut self.notifications, self.preferences.language);
                let saved = identities::handle_loaded(&mut self.screen, self.session.listing(), said, *loaded);
                admit_known(self);
                return saved;
            }
            Message::PreviewEvent(event) => {
                if let Some(said) = Preparation::handle_event(event, &mut self.screen, self.preferences.language) {
                    self.notifications.announce(said);
                }
            }
            Message::Started(attempt, result) => return self.started(attempt, *result),
            Message::Engine(attempt, event) => return self.engine_event(attempt, &event),
        }
        Task::none()
    }

    fn home(&mut self, message: home::Message) -> Task<Message> {
        let Screen::Home(screen) = &mut self.screen else { return Task::none() };
        match screen.update(message) {
            home::Action::None => Task::none(),
            home::Action::Start => self.prepare(Purpose::Start),
            home::Action::Join(link) => self.join(&link).unwrap_or_else(|error| {
                if let Screen::Home(screen) = &mut self.screen {
                    screen.reject_link(error);
                }
                Task::none()
            }),
            home::Action::Forget(link) => self.preferences.forget(&link),
            home::Action::Prefer(preference) => self.preferences.set(preference),
            home::Action::Return => match self.hosting.take(&mut self.session, &mut self.pictures) {
                Return::Nowhere => Task::none(),
                Return::Shown(screen) => {
                    self.screen = Screen::Meeting(screen);
                    Task::none()
                }
                Return::Entered => self.enter(),
            },
            home::Action::AskToEnd => {
                self.asks_to_end = Some(end_dialog::Cause::End);
                Task::none()
            }
            home::Action::ForgetHosted => {
                self.hosting.end(&mut self.session);
                Task::none()
            }
            home::Action::Answer(answer) => {
                self.hosting.answer(answer);
                Task::none()
            }
        }
    }

    /// Whether closing the window would end a meeting for others.
    pub(crate) fn ends_by_closing(&self) -> bool {
        self.hosting.is_here() || self.screen.hosts_others() || self.session.has_left_here()
    }

    fn preview(&mut self, message: preview::Message) -> Task<Message> {
        let Screen::Preview(screen) = &mut self.screen else { return Task::none() };
        match screen.update(message) {
            preview::Action::None => {}
            preview::Action::Back => return self.go_home(),
            preview::Action::Reopen(kind) => self.preparation.reopen(screen, kind),
            preview::Action::Prefer(preference) => return self.preferences.set(preference),
            preview::Action::Test(number) => return self.preparation.start_test(number),
            preview::Action::CancelTest => self.preparation.cancel_test(),
            preview::Action::AnnounceTest => {
                if let Some(said) = screen.test.announcement(self.preferences.language) {
                    self.notifications.announce(Announcement::Sentence(said));
                }
            }
            preview::Action::Enter { name, chat_first } => {
                let save = self.preferences.set_name(&name);
                if let Some((starter, setup)) = self.preparation.finish(screen, name, chat_first) {
                    self.session.set_destination(starter, setup);
                    return Task::batch([save, self.enter()]);
                }
            }
        }
        Task::none()
    }

    fn notify(&mut self, notice: Notice) {
        self.notifications.notify(notice, self.preferences.language);
    }

    fn meeting(&mut self, message: meeting::Message) -> Task<Message> {
        let Screen::Meeting(screen) = &mut self.screen else { return Task::none() };
        let mut action = screen.update(message);
        if let meeting::Action::SetWishes(tiles) = &mut action {
            *tiles = self.wishes.set(std::mem::take(tiles));
        }
        if let Some(refused) = command(&action).and_then(|command| self.session.send(command)) {
            if action == meeting::Action::End {
                screen.ends = false;
            }
            self.notify(refused);
        }
        match action {
            meeting::Action::Mute(true) => self.notifications.announce(Announcement::Muted),
            meeting::Action::Mute(false) => self.notifications.announce(Announcement::Unmuted),
            meeting::Action::Copy(link) => {
                self.notify(Notice { kind: NoticeKind::LinkCopied, file: None, detail: String::new() });
                return iced::clipboard::write(link.expose().to_owned());
            }
            meeting::Action::Notify(notice) => self.notify(notice),
            meeting::Action::Notice(message) => self.notifications.update(message),
            meeting::Action::ListMonitors => return device_watch::list_monitors(),
            meeting::Action::ExportStatistics => return export::statistics(self.session.engine()),
            meeting::Action::Chat(action) => {
                let Screen::Meeting(screen) = &self.screen else { return Task::none() };
                return chat::carry_out(action, &screen.model, self.preferences.language);
            }
            meeting::Action::ShowShortcuts => self.shows_shortcuts = true,
            meeting::Action::FullScreen => return self.window.toggle_full_screen(),
            meeting::Action::Prefer(preference) => {
                return self.preferences.set(preference);
            }
            meeting::Action::Leave | meeting::Action::End if self.session.engine().is_none() => return self.go_home(),
            meeting::Action::Host => {
                let home = Screen::Home(home::Home::default());
                if let Screen::Meeting(screen) = std::mem::replace(&mut self.screen, home) {
                    self.hosting.move_to_background(&mut self.session, screen, &mut self.pictures);
                }
                return self.go_home();
            }
            // The engine answers with `Event::Ended`.
            meeting::Action::Leave
            | meeting::Action::End
            | meeting::Action::Decide(_)
            | meeting::Action::Moderation(_)
            | meeting::Action::Verify(_)
            | meeting::Action::None
            | meeting::Action::Camera(_)
            | meeting::Action::Share(_)
            | meeting::Action::Remove(_)
            | meeting::Action::Choose(..)
            | meeting::Action::SetWishes(_) => {}
        }
        admit_known(self);
        identities::save_met(&mut self.screen, self.session.listing())
    }

    /// Shows the home screen and ends the meeting or the preview, if there is one. Keeps a meeting to which we can come
    /// back.
    fn go_home(&mut self) -> Task<Message> {
        self.release();
        // Notices about a meeting that is over would cover the start of the next one.
        self.notifications.clear();
        if let Some(left) = self.session.take_left() {
            self.hosting.keep(left, &mut self.session);
        }
        self.screen = Screen::Home(home::Home::new(self.preferences.recent()));
        Task::none()
    }

    /// Shows the preview of the meeting that `link` names.
    fn join(&mut self, link: &SecretLink) -> Result<Task<Message>, LinkError> {
        let invitation = link.invitation()?;
        Ok(self.prepare(Purpose::Join { invitation: Box::new(invitation), link: link.clone() }))
    }

    /// Shows the preview.
    fn prepare(&mut self, purpose: Purpose) -> Task<Message> {
        let name = self.preferences.name().to_owned();
        let (screen, task) = self.preparation.start(purpose, name, self.pictures.clone());
        self.screen = Screen::Preview(screen);
        task
    }

    /// Starts an attempt to enter the session's meeting. The preview closes its devices first.
    fn enter(&mut self) -> Task<Message> {
        let limits = self.preferences.bandwidth.limits();
        let Some((attempt, start)) = self.session.starting(limits, self.pictures.output()) else {
            return self.go_home();
        };
        let Some(setup) = self.session.setup() else { return self.go_home() };
        let mut screen = meeting::Meeting::new(
            MeetingModel {
                creates: self.session.creates() && !self.session.can_return,
                returns: self.session.can_return,
                ..MeetingModel::entering(setup)
            },
            self.preparation.devices.clone(),
        );
        screen.content_hints = self.preferences.content_hints();
        screen.model.lobby.choices.knock_sound = self.preferences.knock_sound();
        if setup.chat_first {
            screen.open(meeting::Panel::Chat);
        }
        self.screen = Screen::Meeting(Box::new(screen));
        self.wishes.clear();
        self.notifications.clear();
        let preview = self.preparation.take_session();
        let start = move || {
            if let Some(preview) = preview {
                preview.close(); // the engine opens the same devices
            }
            start()
        };
        let started = background::run_or(start, Err("the thread that starts the meeting panicked".into()));
        let started = started.map(move |result| Message::Started(attempt, Box::new(result)));
        Task::batch([identities::load(), started])
    }

    fn started(&mut self, attempt: Attempt, result: Result<Started, String>) -> Task<Message> {
        self.session.start_returned();
        let is_current = self.session.is_current(attempt);
        match (result, &mut self.screen) {
            (Ok(started), Screen::Meeting(screen)) if is_current => {
                screen.model.temporary_key = started.key != Key::Stored;
                screen.model.hosts.clone_from(&started.hosts);
                let events = self.session.run(started);
                for hint in [screen.content_hints.camera(), screen.content_hints.screen()] {
                    self.session.send(hint);
                }
                return listen(attempt, events);
            }
            (Err(detail), _) if is_current => {
                self.screen = self.screen.ended(Reason::Here(detail));
                self.release();
            }
            // The user has cancelled or closes the window, so nothing uses this engine.
            (Ok(started), _) => self.session.closer.close(started.into()),
            (Err(error), _) => tracing::debug!(%error, "a cancelled meeting could not start"),
        }
        if self.is_closing { self.exit_when_closed() } else { Task::none() }
    }

    /// Closes the engine, its server and the preview's devices, on other threads than the UI thread.
    fn release(&mut self) {
        self.pictures.clear();
        self.session.release();
        self.preferences.drop_hosted();
        drop(self.preparation.take_session());
    }

    /// Closes the window. It is hidden at once; the program ends when every engine is closed.
    fn close(&mut self) -> Task<Message> {
        self.is_closing = true;
        self.window.detach();
        self.session.end_when_closed();
        self.release();
        self.session.forget_left();
        self.hosting.end(&mut self.session);
        Task::batch([self.window.hide(), self.exit_when_closed()])
    }

    /// Ends the program when every engine is closed. If an engine is still starting, does nothing: its
    /// [`Message::Started`] leads to another call.
    fn exit_when_closed(&mut self) -> Task<Message> {
        if self.session.is_starting() {
            return Task::none();
        }
        background::run(self.session.closer.wait()).discard().chain(iced::exit())
    }

    /// The title of the window. Tests and tools find the window by it.
    pub fn title(&self, _window: iced::window::Id) -> String {
        let app = self.preferences.language.text("app-name");
        match self.screen.title() {
            Some(id) => format!("{} – {app}", self.preferences.language.text(id)),
            None => app,
        }
    }

    /// The theme to draw with.
    pub fn theme(&self) -> Theme {
        self.preferences.theme(self.window.system_theme)
    }

    /// The content of the window: the screen with the notices, the list of shortcuts over it, and the live regions with the
    /// announcements. Nothing hides these from assistive tools.
    pub fn view(&self, window: iced::window::Id) -> Element<'_, Message, Theme, iced::Renderer> {
        let context = Context {
            language: self.preferences.language,
            theme: self.preferences.theme,
            bandwidth: self.preferences.bandwidth,
            reduced_motion: self.theme().reduces_motion(),
            size: self.window.size,
            scale: self.window.scale,
            now: Instant::now(),
        };
        let queue = self.notifications.queue();
        let page = self.screen.view(&context, &self.pictures, queue);
        let shortcuts = self.shows_shortcuts.then(|| shortcuts::dialog(&context));
        let page = modal_of(page, shortcuts, |shortcuts::Closed| Message::ShortcutsShown(false));
        let dialog = self.asks_to_end.map(|cause| end_dialog::dialog(cause, self.hosting.is_alone(), &context));
        let page = modal_of(page, dialog, Message::EndDialog);
        let layers = iced::widget::Stack::new().push(page).extend(self.notifications.live_regions());
        let window = Window {
            id: window,
            title: self.title(window),
            port: self.window.port.clone(),
            scale: self.window.scale,
            focus: self.screen.focus(),
            on_shortcut: Box::new(|shortcut| {
                let list = (shortcut == Shortcut::List).then_some(Message::ShortcutsShown(true));
                list.or_else(|| self.screen.shortcut(shortcut))
            }),
        };
        root::root(window, layers)
    }

    pub(crate) fn subscription(&self) -> Subscription<Message> {
        let mut all = vec![WindowState::subscription(), network_watch::subscription().map(Message::NetworkChanged)];
        match &self.screen {
            Screen::Preview(_) => all.push(device_watch::subscription()),
            Screen::Meeting(screen) => {
                all.push(device_watch::subscription());
                all.extend(screen.since.map(ticks::clock));
                all.extend(screen.model.lobby.waiting.sent.map(ticks::minutes));
            }
            Screen::Home(_) | Screen::Ended(_) => {}
        }
        if self.notifications.needs_ticks() {
            all.push(ticks::notices());
        }
        if self.hosting.is_left_here() {
            all.push(ticks::left_meeting());
        }
        Subscription::batch(all)
    }
}

/// Lets in who asks to join and whom the user's rule admits.
fn admit_known(app: &mut App) {
    let Screen::Meeting(screen) = &mut app.screen else { return };
    for id in take_known(&mut screen.model) {
        if let Some(refused) = app.session.send(engine::Command::Admit(id)) {
            app.notify(refused);
        }
    }
}

/// Handles what the user writes while the organiser decides.
fn write_to_organiser(app: &mut App, message: entering::Message) {
    let Screen::Meeting(screen) = &mut app.screen else { return };
    let chat = &mut screen.model.lobby.waiting.chat;
    match message {
        entering::Message::CancelPressed => {}
        entering::Message::Typed(text) => chat.write(text),
        entering::Message::Submitted => {
            let sent = chat.take_draft().map(|text| engine::Command::WriteLobby { to: None, text });
            if let Some(refused) = sent.and_then(|command| app.session.send(command)) {
                app.notify(refused);
            }
        }
    }
}

#[cfg(test)]
#[path = "app/tests.rs"]
mod tests;
