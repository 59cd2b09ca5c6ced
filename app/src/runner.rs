//! Runs the window, and a meeting in it that the command line asks for. [`Runner`] owns an [`App`] and forwards
//! messages to it. If there is a [`Plan`], it also looks at the messages and at the time: it postpones leaving until
//! the window's picture is taken and the server's totals have arrived, leaves when the duration is over, and closes the
//! window at the end. For that it sends `App` the same messages as the user's presses.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use engine::usage::Usage;
use engine::{Command, Engine, Entry, Event, Identity, Reason, SecretLink, Setup, Stats, VideoOutput};
use iced::futures::{Stream, stream};
use iced::{Subscription, Task, window};
use server::Stop;

use crate::app::{self, App, Options, Start};
use crate::background;
use crate::bandwidth;
use crate::embedded::Embedded;
use crate::proxy;
use crate::recent::Listing;
use crate::screen::meeting::leave::Answer;
use crate::screen::{end_dialog, ended, entering, meeting};
use crate::session::{Key, RejoinContext, Started, Starter};
use crate::snapshot::{self, Rgba};
use crate::theme::Theme;

/// Wraps the window's video output, to record what the window shows. Called once per attempt to enter.
pub type WrapOutput = Arc<dyn Fn(Arc<dyn VideoOutput>) -> Arc<dyn VideoOutput> + Send + Sync>;
/// Called when the engine is closed, once per attempt to enter, with its statistics and the resources that the process had
/// used just before. May block.
pub type AfterClose = Arc<dyn Fn(&Stats, Option<Usage>) + Send + Sync>;
/// Called for each event of the engine, on the UI thread. Must not block.
pub type OnEvent = Box<dyn FnMut(&Event) + Send>;
/// Called when the meeting is over or could not start, once per attempt to enter, on the UI thread. Must not block.
pub type OnEnd = Box<dyn FnMut(&Reason) + Send>;

/// A meeting that the command line asks for. It is entered at once, without home and preview.
///
/// If it fails, the window stays and shows why, and the user can try again. If `leave_after` is set, it closes instead,
/// because the run may be unattended.
pub struct Plan {
    /// Which meeting.
    pub entry: Entry,
    /// The link that names it; `None` if it is created.
    pub link: Option<SecretLink>,
    /// Whether it is added to the recent meetings.
    pub listing: Listing,
    /// Its server if it runs in this process.
    pub server: Option<Arc<Embedded>>,
    /// The name and the devices.
    pub setup: Setup,
    /// Leaves and closes the window this long after entering; `None` to stay until the user leaves.
    pub leave_after: Option<Duration>,
    /// The file for a picture of the window, taken just before leaving.
    pub screenshot: Option<PathBuf>,
    /// Wraps the window's video output.
    pub wrap_output: WrapOutput,
    /// Called when the engine is closed.
    pub after_close: AfterClose,
    /// Called for each event.
    pub on_event: OnEvent,
    /// Called at the end.
    pub on_end: OnEnd,
}

impl Plan {
    fn split(self) -> (Start, Watch) {
        let Self {
            entry,
            link,
            listing,
            server,
            setup,
            leave_after,
            screenshot,
            wrap_output,
            after_close,
            on_event,
            on_end,
        } = self;
        let starter = CommandLine { entry, link, listing, server, wrap_output, after_close };
        let state = State::Running { leave_at: None };
        (
            Start::Enter(Arc::new(starter), Box::new(setup)),
            Watch { leave_after, screenshot, on_event, on_end, state, press: None },
        )
    }
}

/// Starts the engine of a [`Plan`].
struct CommandLine {
    entry: Entry,
    link: Option<SecretLink>,
    listing: Listing,
    server: Option<Arc<Embedded>>,
    wrap_output: WrapOutput,
    after_close: AfterClose,
}

impl Starter for CommandLine {
    fn start(
        &self,
        rejoin: Option<RejoinContext>,
        setup: Setup,
        output: Arc<dyn VideoOutput>,
    ) -> Result<Started, String> {
        let output = (self.wrap_output)(output);
        let (mut setup, mut path) = (setup, None);
        setup.proxy = proxy::for_entry(&self.entry);
        let started = if let Some(RejoinContext { rejoin_state, .. }) = rejoin {
            Engine::rejoin(rejoin_state, setup, output)
        } else {
            // The command line stores no key, so each attempt is a new device.
            let identity = Identity::generate().map_err(|error| error.to_string())?;
            if self.server.is_none() && self.listing != Listing::Unlisted {
                path = bandwidth::prepare(&self.entry, &mut setup);
            }
            Engine::start(self.entry.clone(), setup, identity, output)
        };
        let (engine, events) = started.map_err(|error| error.to_string())?;
        let after_close = Arc::clone(&self.after_close);
        let after_close = move |stats: &Stats, usage| {
            bandwidth::remember(path, stats);
            after_close(stats, usage);
        };
        let after_close = Some(Box::new(after_close) as _);
        let (server, hosts) = (self.server.clone(), Embedded::hosts_of(self.server.as_ref()));
        Ok(Started { engine, events, server, hosts, key: Key::Temporary, after_close })
    }

    fn creates(&self) -> bool {
        matches!(self.entry, Entry::Create { .. })
    }

    fn listing(&self) -> Listing {
        self.listing
    }

    fn link(&self) -> Option<SecretLink> {
        self.link.clone()
    }
}

/// The window, and what is left to do of a [`Plan`].
pub struct Runner {
    app: App,
    /// `None` if the command line asks for no meeting, or the user has gone home from it.
    watch: Option<Watch>,
}

/// What happened.
pub enum Message {
    /// A message of the window.
    App(app::Message),
    /// The picture of the window was taken.
    Screenshot(Box<window::Screenshot>),
}

/// The parts of a [`Plan`] that are needed after the start, and how far leaving is.
struct Watch {
    leave_after: Option<Duration>,
    screenshot: Option<PathBuf>,
    on_event: OnEvent,
    on_end: OnEnd,
    state: State,
    /// The press that leaves, once the picture and the totals are there; `None` if nobody pressed anything.
    press: Option<meeting::Message>,
}

/// The state of the run: before leaving, or which step of leaving is in progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// In the meeting, or on the way in.
    Running { leave_at: Option<Instant> },
    /// Leaving has begun: waits for the picture and for the server's totals.
    Counting { since: Instant },
    /// "Leave" was pressed: waits for the engine's last event.
    Leaving { since: Instant },
}

/// How long each step of leaving may take. Then the next step begins without the result.
const STEP_TIMEOUT: Duration = Duration::from_secs(2);

/// What a message of the app means for the plan.
#[derive(Debug, PartialEq, Eq)]
enum Reaction {
    /// Nothing: `App` handles it.
    Forward,
    /// `App` handles it; then the next step of leaving is due.
    ForwardThenLeave,
    /// The user leaves: `App` handles it later, after the picture and the totals.
    Leave,
    /// The meeting is over.
    End(Reason),
    /// The user goes home: the plan is dropped, and the window continues without it.
    Detach,
}

impl Watch {
    /// `asks` says whether the app asks before it leaves or closes.
    fn react(&mut self, message: &app::Message, now: Instant, has_engine: bool, asks: bool) -> Reaction {
        match message {
            app::Message::Engine(_, event) => self.react_to_event(event, now),
            app::Message::Started(_, result) => match &**result {
                Ok(_) => Reaction::Forward,
                Err(detail) => Reaction::End(Reason::Here(detail.clone())),
            },
            app::Message::Tick(now) if self.is_due(*now) => Reaction::ForwardThenLeave,
            app::Message::Meeting(meeting::Message::LeavePressed) | app::Message::CloseRequested if asks => {
                Reaction::Forward
            }
            app::Message::Meeting(
                press @ (meeting::Message::LeavePressed | meeting::Message::LeaveAnswered(Answer::Leave | Answer::End)),
            ) => {
                self.press = Some(press.clone());
                Reaction::Leave
            }
            app::Message::Entering(entering::Message::CancelPressed) => Reaction::Leave,
            app::Message::CloseRequested
            | app::Message::StopRequested
            | app::Message::EndDialog(end_dialog::Message::Confirmed(_))
                if has_engine =>
            {
                Reaction::Leave
            }
            app::Message::Meeting(meeting::Message::LeaveAnswered(Answer::Host))
            | app::Message::Ended(ended::Message::HomePressed) => Reaction::Detach,
            app::Message::Ended(ended::Message::RetryPressed)
            | app::Message::CloseRequested
            | app::Message::StopRequested
            | app::Message::EndDialog(_)
            | app::Message::Tick(_)
            | app::Message::Resized(_)
            | app::Message::Rescaled(_)
            | app::Message::WindowSeen(_)
            | app::Message::SystemTheme(_)
            | app::Message::Home(_)
            | app::Message::Preview(_)
            | app::Message::DevicesListed(_)
            | app::Message::Loaded(_)
            | app::Message::NetworkChanged(_)
            | app::Message::DevicesLoaded(_)
            | app::Message::PreviewEvent(_)
            | app::Message::Entering(entering::Message::Typed(_) | entering::Message::Submitted)
            | app::Message::Meeting(_)
            | app::Message::ShortcutsShown(_)
            | app::Message::Notice(_)
            | app::Message::Notify(_) => Reaction::Forward,
        }
    }

    fn react_to_event(&mut self, event: &Event, now: Instant) -> Reaction {
        (self.on_event)(event);
        match event {
            Event::Entered { .. } => {
                self.state = State::Running { leave_at: self.leave_after.map(|after| now + after) };
                Reaction::Forward
            }
            Event::Totals(_) if matches!(self.state, State::Counting { .. }) => Reaction::ForwardThenLeave,
            Event::Ended(reason) => Reaction::End(reason.clone()),
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
            | Event::Lobby(_)
            | Event::Policy(_)
            | Event::Chat(_)
            | Event::OwnRightsChanged(_)
            | Event::Hands(_)
            | Event::HandLowered { .. }
            | Event::LinkChanged { .. }
            | Event::Notice(_)
            | Event::DoubtedTracks(_)
            | Event::Verification(_)
            | Event::Second(_)
            | Event::Totals(_) => Reaction::Forward,
        }
    }

    /// Whether it is time to leave, or a step of leaving takes too long.
    fn is_due(&self, now: Instant) -> bool {
        match self.state {
            State::Running { leave_at } => leave_at.is_some_and(|at| now >= at),
            State::Counting { since } | State::Leaving { since } => now.saturating_duration_since(since) > STEP_TIMEOUT,
        }
    }

    /// Whether the window stays to show why the meeting is over: nobody asked to leave, and without `leave_after` a user is
    /// probably present.
    fn keeps_window(&self, reason: &Reason) -> bool {
        matches!(self.state, State::Running { .. }) && self.leave_after.is_none() && *reason != Reason::Left
    }

    /// Whether the user has left a meeting that goes on, and stays at home: the server of the meeting may run here.
    fn goes_home(&self) -> bool {
        matches!(self.press, Some(meeting::Message::LeaveAnswered(Answer::Leave)))
    }
}

impl Runner {
    /// Opens the window. If there is a plan, it replaces `options.start`.
    pub fn boot(options: Options, plan: Option<Plan>) -> (Self, Task<Message>) {
        let (start, watch) = match plan.map(Plan::split) {
            Some((start, watch)) => (start, Some(watch)),
            None => (options.start, None),
        };
        let (app, task) = App::boot(Options { start, ..options });
        // A request to stop closes the window, which leaves the meeting and writes the report.
        let stop = Task::stream(stop_requests()).map(|()| Message::App(app::Message::StopRequested));
        (Self { app, watch }, Task::batch([task.map(Message::App), stop]))
    }

    /// Handles a message.
    pub fn update(&mut self, message: Message) -> Task<Message> {
        match message {
            Message::App(message) => self.handle(message),
            Message::Screenshot(screenshot) => self.save_screenshot(&screenshot),
        }
    }

    fn handle(&mut self, message: app::Message) -> Task<Message> {
        let has_engine = self.app.session.engine().is_some();
        if self.is_stale(&message) {
            return self.forward(message);
        }
        let closes = matches!(message, app::Message::CloseRequested);
        let asks = if closes { self.app.ends_by_closing() } else { self.app.screen.asks_how_to_leave() };
        let Some(watch) = &mut self.watch else { return self.forward(message) };
        match watch.react(&message, Instant::now(), has_engine, asks) {
            Reaction::Forward => self.forward(message),
            Reaction::ForwardThenLeave => Task::batch([self.forward(message), self.leave_step()]),
            Reaction::Leave => self.leave_step(),
            Reaction::End(reason) => self.end(&reason, Some(message)),
            Reaction::Detach => {
                self.watch = None;
                self.forward(message)
            }
        }
    }

    /// Whether a message comes from an attempt that was cancelled or is over.
    fn is_stale(&self, message: &app::Message) -> bool {
        match message {
            app::Message::Started(attempt, _) | app::Message::Engine(attempt, _) => {
                !self.app.session.is_current(*attempt)
            }
            app::Message::Resized(_)
            | app::Message::Rescaled(_)
            | app::Message::WindowSeen(_)
            | app::Message::CloseRequested
            | app::Message::StopRequested
            | app::Message::EndDialog(_)
            | app::Message::SystemTheme(_)
            | app::Message::Tick(_)
            | app::Message::Home(_)
            | app::Message::Preview(_)
            | app::Message::Entering(_)
            | app::Message::Meeting(_)
            | app::Message::Ended(_)
            | app::Message::ShortcutsShown(_)
            | app::Message::Notice(_)
            | app::Message::Notify(_)
            | app::Message::DevicesListed(_)
            | app::Message::Loaded(_)
            | app::Message::NetworkChanged(_)
            | app::Message::DevicesLoaded(_)
            | app::Message::PreviewEvent(_) => false,
        }
    }

    fn forward(&mut self, message: app::Message) -> Task<Message> {
        self.app.update(message).map(Message::App)
    }

    /// Takes the next step of leaving. First requests the picture and the totals; then leaves; then, if the engine does not
    /// report the end in time, ends without its report.
    fn leave_step(&mut self) -> Task<Message> {
        let Some(watch) = &mut self.watch else { return Task::none() };
        match watch.state {
            State::Running { .. } => {
                watch.state = State::Counting { since: Instant::now() };
                match (self.app.window.id(), &watch.screenshot) {
                    (Some(id), Some(_)) => window::screenshot(id).map(|shot| Message::Screenshot(Box::new(shot))),
                    _ => self.request_totals(),
                }
            }
            State::Counting { .. } => self.leave(),
            State::Leaving { .. } => self.end(&Reason::Here("the meeting did not end in time".into()), None),
        }
    }

    fn save_screenshot(&mut self, screenshot: &window::Screenshot) -> Task<Message> {
        let Some(path) = self.watch.as_mut().and_then(|watch| watch.screenshot.take()) else { return Task::none() };
        let window::Screenshot { size, rgba, .. } = screenshot;
        let picture = Rgba { width: size.width, height: size.height, pixels: rgba.to_vec() };
        let write = background::run(move || {
            if let Err(error) = snapshot::save(&path, &picture) {
                tracing::error!(%error, "cannot write the picture of the window");
            }
        });
        Task::batch([write.discard(), self.request_totals()])
    }

    /// Asks the server for its totals. Leaves at once if there is no engine to ask.
    fn request_totals(&mut self) -> Task<Message> {
        let sent = self.app.session.engine().map(|engine| engine.send(Command::RequestTotals));
        match sent {
            Some(Ok(())) => Task::none(),
            Some(Err(_)) | None => self.leave(),
        }
    }

    /// Sends the message of the press that leaves if the user is in the meeting. Without a press, ends the meeting if its server
    /// runs here, and leaves it otherwise. If the user is not in the meeting, ends at once.
    fn leave(&mut self) -> Task<Message> {
        let Some(watch) = &mut self.watch else { return Task::none() };
        if !self.app.screen.is_inside() {
            return self.end(&Reason::Left, None);
        }
        watch.state = State::Leaving { since: Instant::now() };
        let hosted = self.app.screen.is_hosted();
        let unasked = meeting::Message::LeaveAnswered(if hosted { Answer::End } else { Answer::Leave });
        let press = watch.press.clone().unwrap_or(unasked);
        self.forward(app::Message::Meeting(press))
    }

    /// Reports the end of the meeting. If the window stays, `App` gets `message` and shows the reason; otherwise closes the
    /// window.
    fn end(&mut self, reason: &Reason, message: Option<app::Message>) -> Task<Message> {
        let Some(watch) = &mut self.watch else { return Task::none() };
        (watch.on_end)(reason);
        match message {
            Some(message) if watch.keeps_window(reason) => {
                watch.state = State::Running { leave_at: None };
                self.forward(message)
            }
            Some(message) if *reason == Reason::Left && watch.goes_home() => {
                self.watch = None;
                self.forward(message)
            }
            Some(_) | None => {
                self.watch = None;
                self.forward(app::Message::StopRequested)
            }
        }
    }

    /// The title of the window.
    pub fn title(&self, window: window::Id) -> String {
        self.app.title(window)
    }

    /// The theme of the window.
    pub fn theme(&self, _window: window::Id) -> Option<Theme> {
        Some(self.app.theme())
    }

    /// The content of the window.
    pub fn view(&self, window: window::Id) -> iced::Element<'_, Message, Theme, crate::surface::Renderer> {
        crate::surface::adapt_renderer(self.app.view(window).map(Message::App), self.app.pictures.waker().cloned())
    }

    /// What the window listens to.
    pub fn subscription(&self) -> Subscription<Message> {
        self.app.subscription().map(Message::App)
    }
}

/// One item for each signal that asks the program to stop. Polled in iced's tokio runtime.
fn stop_requests() -> impl Stream<Item = ()> {
    stream::unfold(None, |stop: Option<Stop>| async {
        let mut stop = match stop.map_or_else(Stop::listen, Ok) {
            Ok(stop) => stop,
            Err(error) => {
                tracing::warn!(%error, "a signal to stop ends the program without leaving the meeting");
                return None;
            }
        };
        stop.requested().await;
        Some(((), Some(stop)))
    })
}

#[cfg(test)]
#[path = "runner/tests.rs"]
mod tests;
