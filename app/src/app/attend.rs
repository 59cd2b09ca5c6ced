//! A meeting that the command line started: it watches, it may end it after a time, and it gets the engine back.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use engine::{Command, Engine, Entry, Event, Identity, Reason, Setup};
use iced::{Task, window};

use super::{App, Message, enter};
use crate::film::{self, Rgba};
use crate::kit::adapter;
use crate::model::NoticeKind;
use crate::session;

/// Puts another screen around ours, to keep what it sees.
pub type Wrap = Box<dyn FnOnce(Arc<dyn engine::Screen>) -> Arc<dyn engine::Screen> + Send>;
/// Hears everything that the engine says, on the thread that draws: it must not wait.
pub type OnEvent = Box<dyn FnMut(&Event) + Send>;
/// Gets the engine back when the meeting is over, before the window closes.
pub type OnEnd = Box<dyn FnOnce(Engine, Reason) + Send>;

/// A meeting for the window to enter at once, without home and preview.
pub struct Attend {
    /// Which.
    pub entry: Entry,
    /// As whom, with which devices.
    pub setup: Setup,
    /// This device's key.
    pub identity: Identity,
    /// Puts another screen around ours, to keep what it sees.
    pub wrap: Option<Wrap>,
    /// Hears everything that the engine says, on the thread that draws: it must not wait.
    pub on_event: Option<OnEvent>,
    /// Leaves and closes the window so long after entering.
    pub leave_after: Option<Duration>,
    /// Where a picture of the window goes, taken just before leaving.
    pub picture: Option<PathBuf>,
    /// Gets the engine back when the meeting is over, before the window closes.
    pub on_end: Option<OnEnd>,
}

/// What is left of it while it runs.
pub(super) struct Attended {
    on_event: Option<OnEvent>,
    on_end: Option<OnEnd>,
    leave_after: Option<Duration>,
    picture: Option<PathBuf>,
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
    pub(super) fn new(
        on_event: Option<OnEvent>,
        leave_after: Option<Duration>,
        picture: Option<PathBuf>,
        on_end: Option<OnEnd>,
    ) -> Self {
        Self { on_event, on_end, leave_after, picture, leave_at: None, stage: Stage::Running }
    }

    pub(super) fn hear(&mut self, event: &Event) {
        if let Event::Entered { .. } = event {
            self.leave_at = self.leave_after.map(|after| Instant::now() + after);
        }
        if let Some(on_event) = &mut self.on_event {
            on_event(event);
        }
    }

    pub(super) fn is_due(&self, now: Instant) -> bool {
        match self.stage {
            Stage::Running => self.leave_at.is_some_and(|at| now >= at),
            Stage::Counting(since) | Stage::Leaving(since) => now.saturating_duration_since(since) > PATIENCE,
        }
    }
}

impl App {
    /// Begins to end, or goes on with it where the last step took too long.
    pub(super) fn finish(&mut self) -> Task<Message> {
        let Some(attended) = &mut self.attended else { return Task::none() };
        let now = Instant::now();
        match attended.stage {
            Stage::Running => {
                attended.stage = Stage::Counting(now);
                match (self.window, attended.picture.is_some()) {
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
        let Some(path) = self.attended.as_mut().and_then(|attended| attended.picture.take()) else {
            return Task::none();
        };
        let picture = Rgba { width: shot.size.width, height: shot.size.height, pixels: shot.rgba.to_vec() };
        let write = enter::away(move || {
            if let Err(error) = film::save(&path, &picture) {
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

    /// Over: the engine goes back to the command line, the window goes.
    pub(super) fn attended_end(&mut self, reason: &Reason) -> Task<Message> {
        let on_end = self.attended.take().and_then(|attended| attended.on_end);
        if let (Some(on_end), Some(engine)) = (on_end, self.engine.take()) {
            on_end(engine, reason.clone());
        }
        if let Some(id) = self.window {
            adapter::detach(id);
        }
        iced::exit()
    }
}
