//! A meeting that the command line started: it watches, it may end it after a time, and it gets the engine back. What
//! goes wrong is shown in the window, which may try again, unless a time was set: then nobody is there to read it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use engine::{Command, Engine, Entry, Event, Identity, Reason, Setup};
use iced::{Task, window};

use super::enter::{self, Begun};
use super::{App, Message};
use crate::kit::adapter;
use crate::model::{Kind, NoticeKind};
use crate::session;
use crate::snapshot::{self, Rgba};

/// Puts another screen around ours, to keep what it sees: called once for each try.
pub type Wrap = Arc<dyn Fn(Arc<dyn engine::VideoOutput>) -> Arc<dyn engine::VideoOutput> + Send + Sync>;
/// Hears everything that the engine says, on the thread that draws: it must not wait.
pub type OnEvent = Box<dyn FnMut(&Event) + Send>;
/// Gets the engine back when the meeting is over, once for each try; `None` where none could begin. It may wait.
pub type OnEnd = Arc<dyn Fn(Option<Engine>, Reason) + Send + Sync>;

/// A meeting for the window to enter at once, without home and preview.
pub struct Attend {
    /// Which.
    pub entry: Entry,
    /// As whom, with which devices.
    pub setup: Setup,
    /// Puts another screen around ours, to keep what it sees.
    pub wrap: Option<Wrap>,
    /// Hears everything that the engine says, on the thread that draws: it must not wait.
    pub on_event: Option<OnEvent>,
    /// Leaves and closes the window so long after entering.
    pub leave_after: Option<Duration>,
    /// Where a picture of the window goes, taken just before leaving.
    pub picture: Option<PathBuf>,
    /// Gets the engine back when the meeting is over.
    pub on_end: Option<OnEnd>,
}

/// The wishes, and how far they have come.
pub(super) struct Attended {
    wishes: Attend,
    leave_at: Option<Instant>,
    stage: Stage,
}

/// How far ending has come; each has its deadline, so that a silent engine cannot keep the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Running,
    Counting(Instant),
    Leaving(Instant),
}

/// How long the server has for its totals, and the engine for its good-bye.
const PATIENCE: Duration = Duration::from_secs(2);

impl Attended {
    fn hear(&mut self, event: &Event) {
        if let Event::Entered { .. } = event {
            self.leave_at = self.wishes.leave_after.map(|after| Instant::now() + after);
        }
        if let Some(on_event) = &mut self.wishes.on_event {
            on_event(event);
        }
    }

    /// Whether somebody looks at the window when something has gone wrong, and did not ask for the end.
    fn is_watched(&self) -> bool {
        self.stage == Stage::Running && self.wishes.leave_after.is_none()
    }

    fn is_due(&self, now: Instant) -> bool {
        match self.stage {
            Stage::Running => self.leave_at.is_some_and(|at| now >= at),
            Stage::Counting(since) | Stage::Leaving(since) => now.saturating_duration_since(since) > PATIENCE,
        }
    }
}

impl App {
    /// Enters what the command line names.
    pub(super) fn attend(&mut self, wishes: Attend) -> Task<Message> {
        let setup = &wishes.setup;
        self.devices.choose(Kind::Camera, session::camera_device(&setup.camera));
        self.devices.choose(Kind::Microphone, session::sound_device(&setup.microphone));
        self.devices.choose(Kind::Speaker, session::sound_device(&setup.speaker));
        self.attended = Some(Attended { wishes, leave_at: None, stage: Stage::Running });
        self.attend_again()
    }

    /// Enters it, for the first time or once more.
    pub(super) fn attend_again(&mut self) -> Task<Message> {
        let Some(Attended { wishes, leave_at, stage }) = &mut self.attended else { return Task::none() };
        (*leave_at, *stage) = (None, Stage::Running);
        let (entry, setup) = (wishes.entry.clone(), wishes.setup.clone());
        let screen = session::screen(&self.pictures);
        let screen = wishes.wrap.as_ref().map_or_else(|| Arc::clone(&screen), |wrap| wrap(Arc::clone(&screen)));
        self.show_entering(&setup);
        enter::away(move || {
            // Nobody sees whether this device is known, so each try is a device of its own.
            let begun = Identity::generate()
                .map_err(|error| error.to_string())
                .and_then(|identity| Engine::start(entry, setup, identity, screen).map_err(|error| error.to_string()));
            Message::Begun(Box::new(begun.map(|(engine, events)| Begun::attended(engine, events))))
        })
    }

    pub(super) fn attended_hear(&mut self, event: &Event) {
        if let Some(attended) = &mut self.attended {
            attended.hear(event);
        }
    }

    pub(super) fn attended_is_due(&self, now: Instant) -> bool {
        self.attended.as_ref().is_some_and(|attended| attended.is_due(now))
    }

    /// Begins to end, or goes on with it where the last step took too long.
    pub(super) fn finish(&mut self) -> Task<Message> {
        let Some(attended) = &mut self.attended else { return Task::none() };
        let now = Instant::now();
        match attended.stage {
            Stage::Running => {
                attended.stage = Stage::Counting(now);
                match (self.window, attended.wishes.picture.is_some()) {
                    (Some(id), true) => window::screenshot(id).map(|shot| Message::Drawn(Box::new(shot))),
                    _ => self.count(),
                }
            }
            Stage::Counting(_) => self.counted(),
            Stage::Leaving(_) => self.attended_end(&Reason::Here("the meeting did not end in time".into())),
        }
    }

    /// The window's picture is there: it is written, then the server is asked for its totals.
    pub(super) fn drawn(&mut self, shot: &window::Screenshot) -> Task<Message> {
        let Some(path) = self.attended.as_mut().and_then(|attended| attended.wishes.picture.take()) else {
            return Task::none();
        };
        let picture = Rgba { width: shot.size.width, height: shot.size.height, pixels: shot.rgba.to_vec() };
        let write = enter::away(move || {
            if let Err(error) = snapshot::save(&path, &picture) {
                tracing::error!(%error, "the picture of the window");
            }
            Message::Done
        });
        Task::batch([write, self.count()])
    }

    fn count(&mut self) -> Task<Message> {
        match &self.engine {
            Some(engine) => {
                if let Some(refused) = session::send(engine, Command::Count) {
                    self.tell(NoticeKind::Refused, refused.detail);
                }
                Task::none()
            }
            None => self.attended_end(&Reason::Left),
        }
    }

    /// The totals are there, or will not come: now leave.
    pub(super) fn counted(&mut self) -> Task<Message> {
        let Some(attended) = &mut self.attended else { return Task::none() };
        if !matches!(attended.stage, Stage::Counting(_)) {
            return Task::none();
        }
        attended.stage = Stage::Leaving(Instant::now());
        match &self.engine {
            Some(engine) if session::send(engine, Command::Leave).is_none() => Task::none(),
            Some(_) | None => self.attended_end(&Reason::Left),
        }
    }

    /// Over: the engine goes back to the command line. The window goes too where the end was wished; else it says why.
    pub(super) fn attended_end(&mut self, reason: &Reason) -> Task<Message> {
        let Some(attended) = &self.attended else { return Task::none() };
        let (engine, on_end, reason) = (self.engine.take(), attended.wishes.on_end.clone(), reason.clone());
        let watched = attended.is_watched() && reason != Reason::Left;
        let (why, detail) = session::ended(&reason);
        let give_back = move || {
            if let Some(on_end) = on_end {
                on_end(engine, reason);
            }
        };
        if watched {
            let over = self.show_ended(why, detail);
            return Task::batch([
                over,
                enter::away(move || {
                    give_back();
                    Message::Done
                }),
            ]);
        }
        give_back();
        self.attended = None;
        if let Some(id) = self.window {
            adapter::detach(id);
        }
        iced::exit()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::Screen;
    use crate::locale::Language;
    use crate::screen::ended;
    use crate::theme::Choice;
    use std::sync::Mutex;

    /// A window that enters a meeting, and what its command line is told of ends.
    fn attending(leave_after: Option<Duration>) -> (App, Arc<Mutex<Vec<Reason>>>) {
        let told: Arc<Mutex<Vec<Reason>>> = Arc::default();
        let kept = Arc::clone(&told);
        let wishes = Attend {
            entry: Entry::Create { host: "localhost".into(), port: 1, fingerprint: None },
            setup: Setup {
                name: "Anne".into(),
                camera: engine::Choice::Off,
                microphone: engine::AudioChoice::Off,
                speaker: engine::AudioChoice::Off,
                screen: false,
                muted: false,
            },
            wrap: None,
            on_event: None,
            leave_after,
            picture: None,
            on_end: Some(Arc::new(move |_, reason| kept.lock().unwrap().push(reason))),
        };
        let mut app = App::quiet(Language::English, Choice::Dark);
        // What begins on other threads is not run here.
        drop(app.attend(wishes));
        (app, told)
    }

    fn failures() -> [Reason; 13] {
        [
            Reason::Removed,
            Reason::Refused,
            Reason::Unattended,
            Reason::NoMeeting,
            Reason::Unreachable("connection refused".into()),
            Reason::Certificate("another".into()),
            Reason::Version,
            Reason::ServerSilent,
            Reason::Forged,
            Reason::Full,
            Reason::Draining,
            Reason::Server("nonsense".into()),
            Reason::Here("no thread".into()),
        ]
    }

    #[test]
    fn each_failure_is_said_in_the_window_which_stays() {
        for reason in failures() {
            let (mut app, _) = attending(None);
            drop(app.update(Message::Heard(Box::new(Event::Ended(reason.clone())))));
            let Screen::Ended(screen) = &app.screen else { panic!("{reason:?} is not shown") };
            assert_eq!((screen.reason, &screen.detail), (session::ended(&reason).0, &session::ended(&reason).1));
            assert!(!screen.was_inside, "it never got in");
        }
    }

    #[test]
    fn what_cannot_even_begin_is_said_too() {
        let (mut app, _) = attending(None);
        drop(app.update(Message::Begun(Box::new(Err("no thread".into())))));
        assert!(matches!(app.screen, Screen::Ended(_)));
    }

    #[test]
    fn another_try_enters_the_same_meeting_again() {
        let (mut app, _) = attending(None);
        drop(app.update(Message::Heard(Box::new(Event::Ended(Reason::ServerSilent)))));
        drop(app.update(Message::Ended(ended::Message::RetryPressed)));
        assert!(matches!(&app.screen, Screen::Meeting(_)) && app.attended.is_some());
        drop(app.update(Message::Heard(Box::new(Event::Ended(Reason::Full)))));
        drop(app.update(Message::Ended(ended::Message::HomePressed)));
        assert!(matches!(&app.screen, Screen::Home(_)) && app.attended.is_none(), "from here on a window as any other");
    }

    #[test]
    fn where_a_time_was_set_or_the_end_was_wished_the_window_goes() {
        for (reason, leave_after) in
            [(Reason::Left, None), (Reason::ServerSilent, Some(Duration::from_secs(9))), (Reason::Left, None)]
        {
            let (mut app, told) = attending(leave_after);
            drop(app.update(Message::Heard(Box::new(Event::Ended(reason.clone())))));
            assert!(app.attended.is_none());
            assert_eq!(*told.lock().unwrap(), [reason], "told before the window goes");
        }
    }
}
