//! The shell: one window, one screen at a time. It turns actions into work and events into what screens show.

mod attend;
mod enter;
mod view;

use std::time::{Duration, Instant};

use engine::{Engine, Event, Setup};
use iced::{Size, Subscription, Task, theme as system_theme, window};

use crate::announce::{Announcer, Said};
use crate::embedded::Embedded;
use crate::kit::a11y::Port;
use crate::kit::adapter;
use crate::kit::wake;
use crate::locale::Language;
use crate::model::{Devices, Ending, Fault, Kind, NoticeKind};
use crate::pictures::Pictures;
use crate::preview_session::{self, PreviewSession};
use crate::recent::{self, Memory};
use crate::screen::notice::{Notice, Queue};
use crate::screen::preferences::Preference;
use crate::screen::{Context, ended, entering, home, meeting, preview};
use crate::session::{self, News};
use crate::theme::{Choice, Theme};

pub use attend::Attend;
pub use enter::Begun;

/// Everything that is so now.
pub struct App {
    screen: Screen,
    language: Language,
    theme: Choice,
    system: system_theme::Mode,
    window: Option<window::Id>,
    size: Size,
    scale: f32,
    full: bool,
    port: Port,
    pictures: Pictures,
    notices: Queue,
    announcer: Announcer,
    said: String,
    memory: Memory,
    devices: Devices,
    preview_session: Option<PreviewSession>,
    /// The meeting that runs, or is being entered.
    engine: Option<Engine>,
    /// Its server, where it is ours.
    embedded: Option<Embedded>,
    /// What to enter once the preview is done; again after a failure.
    purpose: enter::Purpose,
    /// As whom, and with which devices, it was entered the last time.
    setup: Option<Setup>,
    /// Why the system's keychain does not keep this device's key, until it is told.
    lost_key: Option<String>,
    told_of_key: bool,
    /// The command line's wishes.
    attended: Option<attend::Attended>,
}

/// Which screen is seen.
#[derive(Debug)]
pub enum Screen {
    /// Home.
    Home(home::Home),
    /// Before entering.
    Preview(preview::Preview),
    /// The way in, then the meeting.
    Meeting(Box<meeting::Meeting>),
    /// It is over.
    Ended(ended::Ended),
}

/// What happened.
pub enum Message {
    /// The window is there.
    Opened(window::Id),
    /// It has another size.
    Resized(Size),
    /// It has another scale.
    Scaled(f32),
    /// Somebody wants it closed.
    CloseAsked(window::Id),
    /// The system changed between dark and light.
    System(system_theme::Mode),
    /// Time passed.
    Ticked(Instant),
    /// On the first screen.
    Home(home::Message),
    /// On the second.
    Preview(preview::Message),
    /// On the way in.
    Entering(entering::Message),
    /// In the meeting.
    Meeting(meeting::Message),
    /// After it.
    Ended(ended::Message),
    /// On a notice.
    Notice(crate::screen::notice::Message),
    /// The rehearsal says something.
    Rehearsed(preview_session::News),
    /// The engine has begun, or could not.
    Begun(Box<Result<Begun, String>>),
    /// The engine says something.
    Heard(Box<Event>),
    /// The window was drawn for the command line.
    Drawn(Box<window::Screenshot>),
    /// Something that was asked for is done; nothing follows.
    Done,
}

impl App {
    /// A state without a window, threads or endless tasks: for tests.
    pub fn quiet(language: Language, theme: Choice) -> Self {
        Self {
            screen: Screen::Home(home::Home::default()),
            language,
            theme,
            system: system_theme::Mode::Dark,
            window: None,
            size: Size::new(1280.0, 800.0),
            scale: 1.0,
            full: false,
            port: Port::default(),
            pictures: Pictures::default(),
            notices: Queue::default(),
            announcer: Announcer::default(),
            said: String::new(),
            memory: Memory::default(),
            devices: Devices::default(),
            preview_session: None,
            engine: None,
            embedded: None,
            purpose: enter::Purpose::default(),
            setup: None,
            lost_key: None,
            told_of_key: false,
            attended: None,
        }
    }

    /// The state to begin with, and what begins with it.
    pub(crate) fn boot(options: crate::Options) -> (Self, Task<Message>) {
        let (waker, redraws) = wake::channel();
        let memory = recent::path().map(|path| Memory::load(&path)).unwrap_or_default();
        let language = options.language.or_else(|| memory.language.as_deref().and_then(Language::from_tag));
        let theme = options.theme.unwrap_or_else(|| remembered_theme(memory.theme.as_deref()));
        let mut app = Self {
            port: Port::new(waker.clone()),
            pictures: Pictures::new(waker),
            memory,
            ..Self::quiet(language.unwrap_or_else(Language::of_system), theme)
        };
        if let Some(name) = options.name {
            app.memory.name = name;
        }
        let start = app.begin(options.start);
        let window = app.open_window();
        let system = iced::system::theme().map(Message::System);
        (app, Task::batch([window, redraws, system, start]))
    }

    /// Hidden, then given its accessibility adapter, then shown.
    fn open_window(&mut self) -> Task<Message> {
        let settings = window::Settings {
            size: self.size,
            min_size: Some(Size::new(480.0, 400.0)),
            visible: false,
            exit_on_close_request: false,
            platform_specific: platform_specific(),
            ..window::Settings::default()
        };
        let (id, open) = window::open(settings);
        self.window = Some(id);
        let port = self.port.clone();
        open.then(move |id| {
            let port = port.clone();
            let attach = window::run(id, move |window| adapter::attach(id, window, &port));
            let shown = window::set_mode(id, window::Mode::Windowed);
            let scale = window::scale_factor(id).map(Message::Scaled);
            let size = window::size(id).map(Message::Resized);
            attach.discard().chain(shown).chain(scale).chain(size).chain(Task::done(Message::Opened(id)))
        })
    }

    /// One arm, one call.
    pub fn update(&mut self, message: Message) -> Task<Message> {
        match message {
            Message::Opened(_) | Message::Done => {}
            Message::Resized(size) => self.size = size,
            Message::Scaled(scale) => self.scale = scale,
            Message::CloseAsked(id) => return self.close(id),
            Message::System(mode) => self.system = mode,
            Message::Ticked(now) => return self.tick(now),
            Message::Home(message) => return self.home(message),
            Message::Preview(message) => return self.preview(message),
            Message::Entering(entering::Message::CancelPressed) => return self.leave(),
            Message::Meeting(message) => return self.meeting(message),
            Message::Ended(message) => return self.ended(message),
            Message::Notice(message) => self.notices.update(message, Instant::now()),
            Message::Rehearsed(news) => self.rehearsed(news),
            Message::Begun(begun) => return self.begun(*begun),
            Message::Heard(event) => return self.heard(&event),
            Message::Drawn(screenshot) => return self.drawn(&screenshot),
        }
        Task::none()
    }

    fn home(&mut self, message: home::Message) -> Task<Message> {
        let Screen::Home(screen) = &mut self.screen else { return Task::none() };
        match screen.update(message) {
            home::Action::None => Task::none(),
            home::Action::Start => self.prepare(enter::Purpose::Start),
            home::Action::Join(link) => match session::invitation(&link) {
                Ok(invitation) => self.prepare(enter::Purpose::Join(Box::new(invitation))),
                Err(problem) => {
                    screen.reject_link(problem);
                    Task::none()
                }
            },
            home::Action::Forget(link) => {
                self.memory.forget(&link);
                self.remember()
            }
            home::Action::Prefer(preference) => self.prefer(preference),
        }
    }

    /// Speaks another language, or wears another theme, from now on; remembered.
    fn prefer(&mut self, preference: Preference) -> Task<Message> {
        match preference {
            Preference::Language(language) => {
                self.language = language;
                self.memory.language = Some(language.tag().to_owned());
            }
            Preference::Theme(theme) => {
                self.theme = theme;
                self.memory.theme = Some(theme_name(theme).to_owned());
            }
        }
        self.remember()
    }

    fn preview(&mut self, message: preview::Message) -> Task<Message> {
        let Screen::Preview(screen) = &mut self.screen else { return Task::none() };
        match screen.update(message) {
            preview::Action::None => Task::none(),
            preview::Action::Back => self.go_home(),
            preview::Action::Reopen(kind) => self.reopen(kind),
            preview::Action::Rescan(kind) => {
                if let Some(preview_session) = &self.preview_session {
                    preview_session.list();
                }
                self.reopen(kind)
            }
            preview::Action::Prefer(preference) => self.prefer(preference),
            preview::Action::Enter(name) => self.enter(name),
        }
    }

    fn reopen(&mut self, kind: Kind) -> Task<Message> {
        let Screen::Preview(screen) = &self.screen else { return Task::none() };
        self.devices = screen.devices.clone();
        if let Some(preview_session) = &self.preview_session {
            preview_session.choose(kind, enter::wanted(screen, kind));
        }
        Task::none()
    }

    fn meeting(&mut self, message: meeting::Message) -> Task<Message> {
        let Screen::Meeting(screen) = &mut self.screen else { return Task::none() };
        let action = screen.update(message);
        let command = session::command(&action, &screen.model);
        if let (Some(engine), Some(command)) = (&self.engine, command)
            && let Some(refused) = session::send(engine, command)
        {
            self.notices.push(refused, Instant::now());
        }
        match action {
            meeting::Action::Mute(muted) => self.announcer.push(if muted { Said::Muted } else { Said::Unmuted }),
            meeting::Action::Copy(link) => {
                let copied = Notice { kind: NoticeKind::LinkCopied, fault: None, detail: String::new() };
                self.notices.push(copied, Instant::now());
                return iced::clipboard::write(link);
            }
            meeting::Action::Notify(kind) => self.tell(kind, String::new()),
            meeting::Action::FullScreen => return self.full_screen(),
            meeting::Action::Prefer(preference) => return self.prefer(preference),
            meeting::Action::Leave if self.engine.is_none() => return self.go_home(),
            meeting::Action::Leave if self.attended.is_some() => return self.finish(),
            meeting::Action::Leave
            | meeting::Action::None
            | meeting::Action::Camera(_)
            | meeting::Action::Share(_)
            | meeting::Action::Remove(_)
            | meeting::Action::Choose(..)
            | meeting::Action::RequestSizes(_) => {}
        }
        Task::none()
    }

    fn ended(&mut self, message: ended::Message) -> Task<Message> {
        match message {
            ended::Message::HomePressed => {
                self.attended = None; // from here on a window as any other
                self.go_home()
            }
            ended::Message::RetryPressed if self.attended.is_some() => self.attend_again(),
            ended::Message::RetryPressed => self.enter_again(),
        }
    }

    /// Takes in what the engine says.
    fn heard(&mut self, event: &Event) -> Task<Message> {
        self.attended_hear(event);
        let Screen::Meeting(screen) = &mut self.screen else { return self.heard_late(event) };
        let mut tasks = vec![];
        for news in session::learn(&mut screen.model, event) {
            match news {
                News::Entered => {
                    screen.since = Some(Instant::now());
                    let link = screen.model.link.clone();
                    tasks.push(self.entered(link));
                    break;
                }
                News::Notice(notice) => self.notices.push(notice, Instant::now()),
                News::Said(said) => self.announcer.push(said),
                News::Ended(why, detail) => {
                    tasks.push(self.over(why, detail, event));
                    break;
                }
            }
        }
        if matches!(event, Event::Totals(_)) {
            tasks.push(self.counted());
        }
        Task::batch(tasks)
    }

    /// What an engine still says after its screen has gone.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the rest concerns a screen that is gone")]
    fn heard_late(&mut self, event: &Event) -> Task<Message> {
        match event {
            Event::Ended(_) => self.over(Ending::Left, String::new(), event),
            Event::Totals(_) => self.counted(),
            _ => Task::none(),
        }
    }

    fn tick(&mut self, now: Instant) -> Task<Message> {
        self.notices.tick(now);
        if let Some(said) = self.announcer.poll(self.language, now) {
            self.said = said;
        }
        if self.attended_is_due(now) { self.finish() } else { Task::none() }
    }

    fn full_screen(&mut self) -> Task<Message> {
        let Some(id) = self.window else { return Task::none() };
        self.full = !self.full;
        window::set_mode(id, if self.full { window::Mode::Fullscreen } else { window::Mode::Windowed })
    }

    /// The close button: what runs is left first.
    fn close(&mut self, id: window::Id) -> Task<Message> {
        if self.attended.is_some() && self.engine.is_some() {
            return self.finish();
        }
        adapter::detach(id);
        self.preview_session = None;
        if let Some(engine) = self.engine.take() {
            engine.close();
        }
        self.embedded = None;
        iced::exit()
    }

    /// Writes down what is remembered, on another thread.
    fn remember(&self) -> Task<Message> {
        let (memory, Some(path)) = (self.memory.clone(), recent::path()) else { return Task::none() };
        enter::away(move || {
            if let Err(error) = memory.save(&path) {
                tracing::warn!(%error, "the last meetings cannot be written");
            }
            Message::Done
        })
    }

    /// Who redraws the windows; nobody in tests.
    pub(crate) fn waker(&self) -> Option<&wake::Waker> {
        self.pictures.waker()
    }

    /// The theme that is worn now.
    pub fn worn(&self) -> Theme {
        Theme::of(self.theme, self.system)
    }

    fn context(&self) -> Context {
        Context {
            language: self.language,
            theme: self.theme,
            reduced_motion: self.worn().reduces_motion(),
            size: self.size,
            scale: self.scale,
            now: Instant::now(),
        }
    }

    pub(crate) fn subscription(&self) -> Subscription<Message> {
        let resized = window::resize_events().map(|(_, size)| Message::Resized(size));
        let scaled = iced::event::listen_with(|event, _, _| {
            let iced::Event::Window(window::Event::Rescaled(scale)) = event else { return None };
            Some(Message::Scaled(scale))
        });
        let closed = window::close_requests().map(Message::CloseAsked);
        let system = iced::system::theme_changes().map(Message::System);
        let mut all = vec![resized, scaled, closed, system];
        let running = matches!(self.screen, Screen::Meeting(_)) || self.attended.is_some();
        if running || self.notices.is_busy() {
            all.push(iced::time::every(BEAT).map(Message::Ticked));
        }
        Subscription::batch(all)
    }
}

/// How often clocks and notices are looked at.
const BEAT: Duration = Duration::from_millis(500);

/// Something failed on this computer, for the list of notices.
fn failed(kind: NoticeKind, detail: String) -> Notice {
    Notice { kind, fault: Some(Fault::Here), detail }
}

const fn theme_name(choice: Choice) -> &'static str {
    match choice {
        Choice::System => "system",
        Choice::Dark => "dark",
        Choice::Light => "light",
        Choice::Contrast => "contrast",
    }
}

fn remembered_theme(name: Option<&str>) -> Choice {
    match name {
        Some("dark") => Choice::Dark,
        Some("light") => Choice::Light,
        Some("contrast") => Choice::Contrast,
        _ => Choice::System,
    }
}

#[cfg(target_os = "linux")]
fn platform_specific() -> window::settings::PlatformSpecific {
    window::settings::PlatformSpecific { application_id: "org.conclave.Conclave".into(), ..Default::default() }
}

#[cfg(not(target_os = "linux"))]
fn platform_specific() -> window::settings::PlatformSpecific {
    window::settings::PlatformSpecific::default()
}
