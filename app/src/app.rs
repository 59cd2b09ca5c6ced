//! One window with one screen at a time. [`App`] routes: a message goes to the screen or the part that it concerns, and a
//! screen's action becomes a call of the part that does it. The parts own their state and know neither `App` nor each other.

mod entry;
mod message;
mod notifications;
mod preferences;
mod preparation;
mod screens;
mod window;

use std::sync::Arc;
use std::time::{Duration, Instant};

use engine::{Command, Event, Events, Invitation, LinkError, Reason, Setup};
use iced::{Element, Subscription, Task};

use crate::announce::Announcement;
use crate::background;
use crate::kit::root::{self, Window};
use crate::kit::{live, wake};
use crate::locale::Language;
use crate::model::{Kind, Meeting as Model, NoticeKind};
use crate::pictures::Pictures;
use crate::preview_session;
use crate::screen::{Context, ended, entering, home, meeting, preview};
use crate::session::{Key, MeetingSession, Running, Started, Starter};
use crate::theme::{Choice, Theme};
use entry::Purpose;
use notifications::Notifications;
use preferences::Preferences;
use preparation::Preparation;
use window::WindowState;

pub use message::Message;
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
}

/// How the window begins.
#[derive(Default)]
pub struct Options {
    /// What it shows first.
    pub start: Start,
    /// The language; `None` for the remembered one, else the system's.
    pub language: Option<Language>,
    /// The theme; `None` for the remembered one, else the system's.
    pub theme: Option<Choice>,
    /// The user's name; `None` for the remembered one.
    pub name: Option<String>,
}

/// What the window shows first.
#[derive(Default)]
pub enum Start {
    /// Home.
    #[default]
    Home,
    /// The preview of the meeting that this link names; home with an error message if the link is wrong.
    Join(String),
    /// A meeting that is entered at once, without a preview.
    Enter(Arc<dyn Starter>, Setup),
}

impl App {
    /// The state before the window is open, without threads and without endless tasks.
    pub fn new(language: Language, theme: Choice) -> Self {
        Self {
            screen: Screen::Home(home::Home::default()),
            window: WindowState::default(),
            session: MeetingSession::default(),
            preferences: Preferences::new(language, theme),
            notifications: Notifications::default(),
            preparation: Preparation::default(),
            pictures: Pictures::default(),
        }
    }

    /// Opens the window.
    pub(crate) fn boot(options: Options) -> (Self, Task<Message>) {
        let (waker, redraws) = wake::channel();
        let mut app = Self {
            window: WindowState::new(waker.clone()),
            preferences: Preferences::load(options.language, options.theme, options.name),
            pictures: Pictures::new(waker),
            ..Self::new(Language::default(), Choice::default())
        };
        let start = app.start(options.start);
        let system = iced::system::theme().map(Message::SystemTheme);
        let window = app.window.open();
        (app, Task::batch([window, redraws, system, start]))
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
                            screen.refuse(error);
                        }
                        home
                    }
                }
            }
            Start::Enter(starter, setup) => {
                self.preparation.choose(&setup);
                self.session.set_target(starter, setup);
                self.enter()
            }
        }
    }

    /// Handles a message.
    pub fn update(&mut self, message: Message) -> Task<Message> {
        match message {
            Message::Resized(size) => self.window.size = size,
            Message::Rescaled(scale) => self.window.scale = scale,
            Message::SystemTheme(mode) => self.window.system_theme = mode,
            Message::CloseRequested => return self.close(),
            Message::Tick(now) => self.notifications.tick(self.preferences.language, now),
            Message::Home(message) => return self.home(message),
            Message::Preview(message) => return self.preview(message),
            Message::Meeting(message) => return self.meeting(message),
            Message::Entering(entering::Message::CancelPressed) | Message::Ended(ended::Message::HomePressed) => {
                return self.go_home();
            }
            Message::Ended(ended::Message::AgainPressed) => return self.enter(),
            Message::Notice(message) => self.notifications.update(message),
            Message::PreviewEvent(event) => self.preview_event(event),
            Message::Started(result) => return self.started(*result),
            Message::Engine(event) => return self.engine_event(&event),
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
                    screen.refuse(error);
                }
                Task::none()
            }),
            home::Action::Forget(link) => self.preferences.forget(&link),
            home::Action::Prefer(preference) => self.preferences.set(preference),
        }
    }

    fn preview(&mut self, message: preview::Message) -> Task<Message> {
        let Screen::Preview(screen) = &mut self.screen else { return Task::none() };
        match screen.update(message) {
            preview::Action::None => {}
            preview::Action::Back => return self.go_home(),
            preview::Action::Reopen(kind) => self.preparation.reopen(screen, kind),
            preview::Action::LookAgain(kind) => {
                self.preparation.list();
                self.preparation.reopen(screen, kind);
            }
            preview::Action::Prefer(preference) => return self.preferences.set(preference),
            preview::Action::Enter(name) => {
                self.preferences.set_name(name.clone());
                if let Some((starter, setup)) = self.preparation.finish(screen, name) {
                    self.session.set_target(starter, setup);
                    return self.enter();
                }
            }
        }
        Task::none()
    }

    fn preview_event(&mut self, event: preview_session::Event) {
        if let Screen::Preview(screen) = &mut self.screen {
            self.preparation.handle_event(event, screen);
        }
    }

    fn meeting(&mut self, message: meeting::Message) -> Task<Message> {
        let Screen::Meeting(screen) = &mut self.screen else { return Task::none() };
        let action = screen.update(message);
        if let Some(refused) = command(&action).and_then(|command| self.session.send(command)) {
            self.notifications.notify(refused);
        }
        match action {
            meeting::Action::Mute(true) => self.notifications.announce(Announcement::Muted),
            meeting::Action::Mute(false) => self.notifications.announce(Announcement::Unmuted),
            meeting::Action::Copy(link) => {
                self.notifications.notify_of(NoticeKind::LinkCopied, String::new());
                return iced::clipboard::write(link);
            }
            meeting::Action::Tell(kind) => self.notifications.notify_of(kind, String::new()),
            meeting::Action::FullScreen => return self.window.toggle_full_screen(),
            meeting::Action::Prefer(preference) => return self.preferences.set(preference),
            meeting::Action::Leave if self.session.engine().is_none() => return self.go_home(),
            // The engine answers with `Event::Ended`.
            meeting::Action::Leave
            | meeting::Action::None
            | meeting::Action::Camera(_)
            | meeting::Action::Share(_)
            | meeting::Action::Remove(_)
            | meeting::Action::Choose(..)
            | meeting::Action::Wish(_) => {}
        }
        Task::none()
    }

    /// Shows home.
    fn go_home(&mut self) -> Task<Message> {
        self.screen = Screen::Home(home::Home::new(self.preferences.recent()));
        self.release()
    }

    /// Shows the preview of the meeting that `link` names.
    fn join(&mut self, link: &str) -> Result<Task<Message>, LinkError> {
        let invitation: Invitation = link.parse()?;
        Ok(self.prepare(Purpose::Join(Box::new(invitation))))
    }

    /// Shows the preview.
    fn prepare(&mut self, purpose: Purpose) -> Task<Message> {
        let name = self.preferences.name().to_owned();
        let (screen, task) = self.preparation.start(purpose, name, self.pictures.clone());
        self.screen = Screen::Preview(screen);
        task
    }

    /// Enters the session's meeting, for the first time or again.
    fn enter(&mut self) -> Task<Message> {
        let (Some(start), Some(setup)) = (self.session.starting(self.pictures.output()), self.session.setup()) else {
            return self.go_home();
        };
        let screen = meeting::Meeting::new(Model::entering(setup), self.preparation.devices.clone());
        self.screen = Screen::Meeting(Box::new(screen));
        self.notifications.clear();
        let preview = self.preparation.take_session();
        background::run(move || {
            if let Some(preview) = preview {
                preview.close(); // the meeting opens the same devices
            }
            Message::Started(Box::new(start()))
        })
    }

    fn started(&mut self, result: Result<Started, String>) -> Task<Message> {
        match (result, &mut self.screen) {
            (Ok(started), Screen::Meeting(screen)) => {
                screen.model.temporary_key = started.key != Key::Stored;
                listen(self.session.run(started))
            }
            // The user has cancelled.
            (Ok(started), Screen::Home(_) | Screen::Preview(_) | Screen::Ended(_)) => {
                background::run(move || Running::from(started).close()).discard()
            }
            (Err(detail), _) => self.show_ended(Reason::Here(detail)),
        }
    }

    fn engine_event(&mut self, event: &Event) -> Task<Message> {
        // If another screen is shown, the engine is being closed.
        let Screen::Meeting(screen) = &mut self.screen else { return Task::none() };
        for announcement in screen.handle_event(event, Instant::now()) {
            self.notifications.announce(announcement);
        }
        match event {
            Event::Entered { link, .. } => return self.entered(link),
            Event::Notice(notice) => self.notifications.notify(screen.model.notice(notice)),
            Event::Ended(Reason::Left) => return self.go_home(),
            Event::Ended(reason) => return self.show_ended(reason.clone()),
            Event::Progress(_)
            | Event::People(_)
            | Event::Locked(_)
            | Event::Speaking(_)
            | Event::Level(_)
            | Event::Microphone(_)
            | Event::Camera(_)
            | Event::Sharing(_)
            | Event::Totals(_) => {}
        }
        Task::none()
    }

    /// We are inside: reports a failure of the keychain, and remembers the link.
    fn entered(&mut self, link: &str) -> Task<Message> {
        if let Some(detail) = self.session.take_keychain_failure() {
            self.notifications.notify_of(NoticeKind::NoKeychain, detail);
        }
        if self.session.is_remembered() { self.preferences.remember(link) } else { Task::none() }
    }

    /// Shows why the meeting is over, or why it could not be entered.
    fn show_ended(&mut self, reason: Reason) -> Task<Message> {
        self.screen = Screen::Ended(ended::Ended { reason, inside: self.screen.is_inside() });
        self.release()
    }

    /// Closes the engine, its server and the preview's devices, away from the UI thread.
    fn release(&mut self) -> Task<Message> {
        self.pictures.clear();
        let (running, preview) = (self.session.take_running(), self.preparation.take_session());
        if running.is_none() && preview.is_none() {
            return Task::none();
        }
        let close = move || {
            drop(preview);
            running.into_iter().for_each(Running::close);
        };
        background::run(close).discard()
    }

    /// Closes the window. Blocks while the meeting is left, because the program ends after that.
    fn close(&mut self) -> Task<Message> {
        self.window.detach();
        drop(self.preparation.take_session());
        self.session.take_running().into_iter().for_each(Running::close);
        iced::exit()
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

    /// The content of the window: the screen, the notices over it, the announcements.
    pub fn view(&self, window: iced::window::Id) -> Element<'_, Message, Theme, iced::Renderer> {
        let context = Context {
            language: self.preferences.language,
            theme: self.preferences.theme,
            still: self.theme().is_still(),
            size: self.window.size,
            scale: self.window.scale,
            now: Instant::now(),
        };
        let queue = self.notifications.queue();
        let notices = queue.view(&context).map(|notices| notices.map(Message::Notice));
        let screen = self.screen.view(&context, &self.pictures, queue.kept());
        let layers = iced::widget::Stack::new().push(screen).push(notices).push(live(self.notifications.announced()));
        let window = Window {
            id: window,
            title: self.title(window),
            port: self.window.port.clone(),
            scale: self.window.scale,
            on_shortcut: Box::new(|shortcut| self.screen.shortcut(shortcut)),
        };
        root::root(window, layers)
    }

    pub(crate) fn subscription(&self) -> Subscription<Message> {
        let window = WindowState::subscription();
        if matches!(self.screen, Screen::Meeting(_)) || self.notifications.needs_ticks() {
            return Subscription::batch([window, iced::time::every(TICK).map(Message::Tick)]);
        }
        window
    }
}

/// The command for an action of the meeting's screen; `None` if it does not concern the engine.
fn command(action: &meeting::Action) -> Option<Command> {
    Some(match action {
        meeting::Action::Mute(muted) => Command::Mute(*muted),
        meeting::Action::Camera(on) => Command::Camera(*on),
        meeting::Action::Share(on) => Command::Share(*on),
        meeting::Action::Remove(id) => Command::Remove(*id),
        meeting::Action::Choose(kind, device) => match kind {
            Kind::Camera => Command::ChooseCamera(device.camera()),
            Kind::Microphone => Command::ChooseMicrophone(device.sound()),
            Kind::Speaker => Command::ChooseSpeaker(device.sound()),
        },
        meeting::Action::Wish(tiles) => Command::Tiles(tiles.clone()),
        meeting::Action::Leave => Command::Leave,
        meeting::Action::None
        | meeting::Action::Copy(_)
        | meeting::Action::Tell(_)
        | meeting::Action::FullScreen
        | meeting::Action::Prefer(_) => return None,
    })
}

/// The engine's events as messages, until the engine has ended.
fn listen(events: Events) -> Task<Message> {
    let stream = iced::futures::stream::unfold(events, |mut events| async {
        let event = events.recv().await?;
        Some((event, events))
    });
    Task::run(stream, |event| Message::Engine(Box::new(event)))
}

/// How often clocks and notices are updated.
const TICK: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Devices;

    fn engine_event(app: &mut App, event: Event) {
        drop(app.update(Message::Engine(Box::new(event))));
    }

    #[test]
    fn an_engine_that_is_being_closed_does_not_change_the_next_screen() {
        let mut app = App::new(Language::English, Choice::Dark);
        drop(app.update(Message::Home(home::Message::LinkTyped("conclave://".into()))));
        for reason in [Reason::Left, Reason::ServerSilent] {
            engine_event(&mut app, Event::Ended(reason));
            let Screen::Home(screen) = &app.screen else { panic!("another screen is shown") };
            assert_eq!(screen.link, "conclave://", "what the user has typed stays");
        }
    }

    #[test]
    fn a_failure_shows_whether_the_user_was_inside() {
        for inside in [false, true] {
            let mut app = App::new(Language::English, Choice::Dark);
            app.screen = Screen::Meeting(Box::new(meeting::Meeting::new(Model::default(), Devices::default())));
            if inside {
                let (me, link) = (engine::ParticipantId(1), String::new());
                engine_event(&mut app, Event::Entered { me, link, organiser: false });
            }
            engine_event(&mut app, Event::Ended(Reason::ServerSilent));
            let Screen::Ended(screen) = &app.screen else { panic!("the failure is not shown") };
            assert_eq!((&screen.reason, screen.inside), (&Reason::ServerSilent, inside));
        }
    }

    #[test]
    fn leaving_goes_home() {
        let mut app = App::new(Language::English, Choice::Dark);
        app.screen = Screen::Meeting(Box::new(meeting::Meeting::new(Model::default(), Devices::default())));
        engine_event(&mut app, Event::Ended(Reason::Left));
        assert!(matches!(app.screen, Screen::Home(_)));
    }
}
