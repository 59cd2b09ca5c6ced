//! From home to a meeting and back: preparing, starting the engine away from the thread that draws, ending.

use std::net::{Ipv4Addr, SocketAddr};

use engine::{Engine, Entry, Events, Identity, Invitation, Keychain, Setup};
use iced::Task;

use super::{App, Message, Screen, failed};
use crate::Start;
use crate::embedded::Embedded;
use crate::model::{Device, Ending, Kind, Meeting as Model, Microphone, NoticeKind, Step};
use crate::preview_session::{self, News, PreviewSession};
use crate::recent;
use crate::screen::{ended, home, meeting, preview};
use crate::session;

/// What is being entered.
#[derive(Default)]
pub enum Purpose {
    /// A new meeting on this computer.
    #[default]
    Start,
    /// One that a link names.
    Join(Box<Invitation>),
}

impl Purpose {
    fn screen(&self) -> preview::Purpose {
        match self {
            Self::Start => preview::Purpose::Start,
            Self::Join(invitation) => preview::Purpose::Join { host: invitation.host.clone() },
        }
    }
}

/// An engine that has begun.
pub struct Begun {
    engine: Engine,
    events: Events,
    embedded: Option<Embedded>,
    key: Key,
}

/// What becomes of this device's key when the program ends.
#[derive(Debug)]
enum Key {
    /// The system's keychain has it.
    Kept,
    /// It is forgotten, as it was meant to be.
    Passing,
    /// It is forgotten, because there is no keychain: why, in the words of whoever looked for one.
    Lost(String),
}

impl Begun {
    /// One of the command line's, whose server and key are its own.
    pub(super) fn attended(engine: Engine, events: Events) -> Self {
        Self { engine, events, embedded: None, key: Key::Passing }
    }
}

/// Runs something that takes its time on another thread.
pub(super) fn away(work: impl FnOnce() -> Message + Send + 'static) -> Task<Message> {
    Task::perform(async move { tokio::task::spawn_blocking(work).await }, |done| done.unwrap_or(Message::Done))
}

/// The device of a kind that a preview shall open.
pub(super) fn wanted(screen: &preview::Preview, kind: Kind) -> Device {
    if kind == Kind::Camera && !screen.camera { Device::Off } else { screen.devices.chosen(kind) }
}

impl App {
    /// What the options ask for.
    pub(super) fn begin(&mut self, start: Start) -> Task<Message> {
        match start {
            Start::Home => self.go_home(),
            Start::Join(link) => match session::invitation(&link) {
                Ok(invitation) => self.prepare(Purpose::Join(Box::new(invitation))),
                Err(problem) => {
                    let task = self.go_home();
                    if let Screen::Home(home) = &mut self.screen {
                        home.link = link;
                        home.reject_link(problem);
                    }
                    task
                }
            },
            Start::Meeting(attend) => self.attend(*attend),
        }
    }

    /// Shows home; whatever ran is let go of, away from this thread.
    pub(super) fn go_home(&mut self) -> Task<Message> {
        let now = recent::now();
        let recent = self.memory.meetings.iter().map(|meeting| home::Recent {
            link: meeting.link.clone(),
            host: meeting.host.clone(),
            age: now.saturating_sub(meeting.entered),
        });
        self.screen = Screen::Home(home::Home::new(recent.collect()));
        self.let_go()
    }

    /// Shows the preview of what is to be entered.
    pub(super) fn prepare(&mut self, purpose: Purpose) -> Task<Message> {
        let screen = preview::Preview::new(purpose.screen(), self.memory.name.clone(), self.devices.clone());
        let (camera, microphone) = (wanted(&screen, Kind::Camera), wanted(&screen, Kind::Microphone));
        let (preview_session, news) = PreviewSession::start(camera, microphone, self.pictures.clone());
        self.preview_session = Some(preview_session);
        self.purpose = purpose;
        self.screen = Screen::Preview(screen);
        Task::run(news, Message::Rehearsed)
    }

    pub(super) fn rehearsed(&mut self, news: News) {
        let Screen::Preview(screen) = &mut self.screen else { return };
        match news {
            News::Devices(found) => {
                preview_session::offer(&mut screen.devices, found);
                self.devices = screen.devices.clone();
            }
            News::Level(level) => screen.level = level,
            News::Picture => screen.picture = preview::Picture::Shown,
            News::Notice(notice) => screen.report_problem(notice.kind),
        }
    }

    /// Starts the engine under this name, with what the preview chose.
    pub(super) fn enter(&mut self, name: String) -> Task<Message> {
        let Screen::Preview(screen) = &self.screen else { return Task::none() };
        self.devices = screen.devices.clone();
        // A camera that is not there was told of: the meeting need not look for it, and tell it again.
        let camera = if screen.is_camera_on() { self.devices.chosen(Kind::Camera) } else { Device::Off };
        self.setup = Some(Setup {
            name: name.clone(),
            camera: session::camera(&camera),
            microphone: session::sound(&self.devices.chosen(Kind::Microphone)),
            speaker: session::sound(&self.devices.chosen(Kind::Speaker)),
            screen: false,
            muted: !screen.microphone,
        });
        self.memory.name = name;
        self.enter_again()
    }

    /// Enters as the last time: who was muted is muted again.
    pub(super) fn enter_again(&mut self) -> Task<Message> {
        let Some(setup) = self.setup.clone() else { return self.go_home() };
        self.show_entering(&setup);
        let invitation = match &self.purpose {
            Purpose::Start => None,
            Purpose::Join(invitation) => Some((**invitation).clone()),
        };
        let (screen, preview_session) = (session::screen(&self.pictures), self.preview_session.take());
        away(move || {
            if let Some(preview_session) = preview_session {
                preview_session.close(); // the meeting opens the same devices
            }
            Message::Begun(Box::new(start(invitation, setup, screen)))
        })
    }

    /// The screen of the way in, which becomes the meeting's.
    pub(super) fn show_entering(&mut self, setup: &Setup) {
        let microphone = match (setup.microphone == engine::AudioChoice::Off, setup.muted) {
            (true, _) => Microphone::Off,
            (false, true) => Microphone::Muted,
            (false, false) => Microphone::On,
        };
        let camera = setup.camera != engine::Choice::Off;
        let model = Model { microphone, camera, sharing: setup.screen, step: Step::Connecting, ..Model::default() };
        self.notices.clear();
        self.screen = Screen::Meeting(Box::new(meeting::Meeting::new(model, self.devices.clone())));
    }

    pub(super) fn begun(&mut self, begun: Result<Begun, String>) -> Task<Message> {
        match begun {
            Ok(begun) => {
                let Screen::Meeting(screen) = &mut self.screen else {
                    return away(move || {
                        begun.engine.close(); // given up meanwhile
                        Message::Done
                    });
                };
                screen.model.passing = !matches!(begun.key, Key::Kept);
                self.engine = Some(begun.engine);
                self.embedded = begun.embedded;
                if let Key::Lost(detail) = begun.key {
                    self.lost_key = Some(detail);
                }
                listen(begun.events)
            }
            Err(detail) if self.attended.is_some() => self.attended_end(&engine::Reason::Here(detail)),
            Err(detail) => self.show_ended(Ending::Here, detail),
        }
    }

    /// We are in: the link is remembered, and what only matters inside is told.
    pub(super) fn entered(&mut self, link: String) -> Task<Message> {
        if !self.told_of_key
            && let Some(detail) = self.lost_key.take()
        {
            self.told_of_key = true;
            self.tell(NoticeKind::NoKeychain, detail);
        }
        if self.attended.is_some() {
            return Task::none();
        }
        let host = session::invitation(&link).map(|invitation| invitation.host).unwrap_or_default();
        self.memory.note(link, host);
        self.remember()
    }

    /// Leaves, or gives up entering.
    pub(super) fn leave(&mut self) -> Task<Message> {
        if self.attended.is_some() { self.finish() } else { self.go_home() }
    }

    /// The meeting is over.
    pub(super) fn over(&mut self, why: Ending, detail: String, event: &engine::Event) -> Task<Message> {
        if let (true, engine::Event::Ended(reason)) = (self.attended.is_some(), event) {
            return self.attended_end(reason);
        }
        if why == Ending::Left || matches!(self.screen, Screen::Home(_)) {
            return self.go_home();
        }
        self.show_ended(why, detail)
    }

    /// Says why it is over, or why it never began.
    pub(super) fn show_ended(&mut self, why: Ending, detail: String) -> Task<Message> {
        let inside = matches!(&self.screen, Screen::Meeting(screen) if screen.model.step == Step::Inside);
        self.screen = Screen::Ended(ended::Ended { reason: why, detail, can_retry: true, was_inside: inside });
        self.let_go()
    }

    /// Lets go of engine, server and devices; each may take a second to close.
    fn let_go(&mut self) -> Task<Message> {
        self.pictures.clear();
        let (engine, others) = (self.engine.take(), (self.embedded.take(), self.preview_session.take()));
        if engine.is_none() && others.0.is_none() && others.1.is_none() {
            return Task::none();
        }
        away(move || {
            if let Some(engine) = engine {
                engine.close();
            }
            drop(others);
            Message::Done
        })
    }

    /// A failure that leaves everything as it is.
    pub(super) fn tell(&mut self, kind: NoticeKind, detail: String) {
        self.notices.push(failed(kind, detail), std::time::Instant::now());
    }
}

/// The engine's events as messages, until it has ended.
fn listen(events: Events) -> Task<Message> {
    let stream = iced::futures::stream::unfold(events, |mut events| async {
        let event = events.recv().await?;
        Some((event, events))
    });
    Task::run(stream, |event| Message::Heard(Box::new(event)))
}

/// Begins: with a server of our own where no invitation names another. Takes its time.
fn start(
    invitation: Option<Invitation>,
    setup: Setup,
    screen: std::sync::Arc<dyn engine::VideoOutput>,
) -> Result<Begun, String> {
    let (entry, embedded) = if let Some(invitation) = invitation {
        (Entry::Join(invitation), None)
    } else {
        let everywhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
        let embedded = Embedded::start(everywhere).map_err(|error| error.to_string())?;
        (embedded.entry().ok_or("the server has stopped")?, Some(embedded))
    };
    let (identity, key) = identity()?;
    let (engine, events) = Engine::start(entry, setup, identity, screen).map_err(|error| error.to_string())?;
    Ok(Begun { engine, events, embedded, key })
}

/// This device's key from the system's keychain; one for this run where there is no keychain.
fn identity() -> Result<(Identity, Key), String> {
    match Identity::load_or_create(&Keychain::new("conclave")) {
        Ok(identity) => Ok((identity, Key::Kept)),
        Err(lost) => {
            tracing::warn!(error = %lost, "no keychain: this device will look new to the others each time");
            let identity = Identity::generate().map_err(|error| error.to_string())?;
            Ok((identity, Key::Lost(lost.to_string())))
        }
    }
}
