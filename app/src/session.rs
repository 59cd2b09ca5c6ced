//! The meeting that the window is in or enters: starts its engine, also a second time, and closes it.
//!
//! The commands of the meeting's screen pass through [`MeetingSession::send`] to the engine.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{self, JoinHandle};

use engine::usage::{self, Usage};
use engine::{BandwidthLimits, Command, Engine, Events, RejoinState, SecretLink, Setup, Stats, VideoOutput};

use crate::embedded::Embedded;
use crate::model::Notice;
use crate::recent::{self, Listing};

/// Starts the engine of one meeting. The button "Try again" leads to another start.
pub trait Starter: Send + Sync {
    /// Starts an engine whose pictures go to `output`. If `rejoin` is given, comes back to that meeting as organiser.
    /// May block for seconds.
    ///
    /// # Errors
    /// Returns the cause if the engine cannot start, for the details line.
    fn start(
        &self,
        rejoin: Option<RejoinContext>,
        setup: Setup,
        output: Arc<dyn VideoOutput>,
    ) -> Result<Started, String>;

    /// Whether it creates the meeting. Otherwise it joins one.
    fn creates(&self) -> bool;

    /// Whether the meeting is added to the list of recent meetings.
    fn listing(&self) -> Listing;

    /// The link of the meeting if it was entered before or is joined by one; `None` before it is created.
    fn link(&self) -> Option<SecretLink>;
}

/// What a [`Starter`] needs to come back to a meeting that the organiser has left or lost.
pub struct RejoinContext {
    /// The keys and the address of the meeting.
    pub rejoin_state: RejoinState,
    /// The server of the meeting if it runs in this process.
    pub server: Option<Arc<Embedded>>,
    /// Where this device's key is stored.
    pub key: Key,
}

/// What a [`Starter`] started.
pub struct Started {
    /// The engine.
    pub engine: Engine,
    /// Its events.
    pub events: Events,
    /// The server of the meeting if it runs in this process.
    pub server: Option<Arc<Embedded>>,
    /// The names and addresses by which others can reach the server, best first; empty if it runs elsewhere.
    pub hosts: Vec<String>,
    /// Where this device's key is stored.
    pub key: Key,
    /// Called when the engine is closed, on the thread that closes it.
    pub after_close: Option<AfterClose>,
}

/// Called when an engine is closed, with its statistics and the resources that the process had used just before. May block.
pub type AfterClose = Box<dyn FnOnce(&Stats, Option<Usage>) + Send>;

/// Where this device's key is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// In the system's keychain.
    Stored,
    /// In memory only, because the command line stores no key.
    Temporary,
    /// In memory only, because the keychain failed: the cause.
    NotStored(String),
}

/// A running engine, its server, and the callback for its end.
pub struct Running {
    engine: Engine,
    server: Option<Arc<Embedded>>,
    after_close: Option<AfterClose>,
    /// The link of the meeting, if its server stops with this program.
    forget: Option<SecretLink>,
    key: Key,
    /// The meeting ends for everybody when the engine is closed.
    ends: bool,
    /// The limits that the engine has accepted; `None` before the first ones.
    pub limits: Option<BandwidthLimits>,
}

impl Running {
    /// Sends limits that the engine does not have yet. If its queue is full, the next call tries again.
    pub fn set_limits(&mut self, limits: BandwidthLimits) {
        if self.limits != Some(limits) && self.engine.send(Command::SetBandwidth(limits)).is_ok() {
            self.limits = Some(limits);
        }
    }

    /// Closes the engine. Returns what is needed to come back to the meeting. Stops the server if nobody can come back.
    /// Blocks for some seconds at most.
    fn close(self) -> Option<RejoinContext> {
        let Self { engine, server, after_close, forget, key, ends, limits: _ } = self;
        if ends {
            // If the queue is full, the meeting ends with its server.
            engine.send(Command::End).ok();
        }
        let (stats, usage) = (engine.stats(), usage::now());
        let rejoin_state = close(engine).filter(|_| !ends);
        if let Some(server) = server.as_ref().filter(|_| ends) {
            server.stop();
        }
        if let Some(link) = forget {
            recent::change(|memory| memory.forget(&link));
        }
        if let Some(after_close) = after_close {
            after_close(&stats, usage);
        }
        Some(RejoinContext { rejoin_state: rejoin_state?, server, key })
    }
}

impl From<Started> for Running {
    fn from(started: Started) -> Self {
        started.split().1
    }
}

impl Started {
    /// Returns the events and the rest.
    fn split(self) -> (Events, Running) {
        let Self { engine, events, server, hosts: _, key, after_close } = self;
        let running = Running { engine, server, after_close, forget: None, key, ends: false, limits: None };
        (events, running)
    }
}

/// Closes an engine: leaves the meeting and closes the devices. Returns the state by which an organiser comes back.
/// Blocks for some seconds at most. The window and the command line close engines only with this function.
pub fn close(engine: Engine) -> Option<RejoinState> {
    engine.close()
}

/// The number of an attempt to enter a meeting. Each report of an attempt has its number, so that a late report is not
/// taken for one of the next attempt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attempt(u32);

/// The meeting that the window is in, or enters.
#[derive(Default)]
pub struct MeetingSession {
    destination: Option<Destination>,
    /// The current attempt's engine, once it has started.
    pub running: Option<Running>,
    keychain: Keychain,
    /// The current attempt, or the next one if there is none.
    attempt: Attempt,
    /// The newest attempt.
    last: Attempt,
    /// We are the organiser, so we can come back, or are about to.
    pub can_return: bool,
    /// What is needed to come back to the meeting before. It arrives once its engine is closed.
    rejoin: Option<Receiver<Option<RejoinContext>>>,
    /// The server of that meeting if it runs in this process.
    server: Option<Arc<Embedded>>,
    /// The number of attempts that have not returned an engine or an error yet.
    starting: usize,
    /// Closes engines and servers.
    pub closer: Closer,
}

/// The meeting to enter, with which name and devices.
struct Destination {
    starter: Arc<dyn Starter>,
    setup: Setup,
}

/// A meeting whose engine runs while the window shows something else.
pub struct BackgroundMeeting {
    destination: Option<Destination>,
    running: Running,
    attempt: Attempt,
}

impl BackgroundMeeting {
    /// Whether `attempt` started its engine.
    pub fn is(&self, attempt: Attempt) -> bool {
        self.attempt == attempt
    }

    /// Its engine.
    pub fn engine(&self) -> &Engine {
        &self.running.engine
    }

    /// Sets the limits of its engine. If it refuses them, the next call sends them again.
    pub fn set_limits(&mut self, limits: BandwidthLimits) {
        self.running.set_limits(limits);
    }
}

/// A meeting that the organiser has left or lost, and can come back to.
pub struct LeftMeeting {
    destination: Option<Destination>,
    rejoin: Receiver<Option<RejoinContext>>,
    /// The server of the meeting if it runs in this process.
    server: Option<Arc<Embedded>>,
}

impl LeftMeeting {
    /// The server of the meeting if it runs in this process.
    pub fn server(&self) -> Option<&Embedded> {
        self.server.as_deref()
    }
}

/// Whether the keychain works. A failure is reported once, when the user is inside a meeting.
#[derive(Debug, Default)]
enum Keychain {
    #[default]
    NotFailed,
    Failed(String),
    Reported,
}

/// Closes engines and servers on other threads, because that blocks.
#[derive(Default)]
pub struct Closer {
    threads: Vec<JoinHandle<()>>,
}

impl Closer {
    /// Closes an engine and its server. Does not wait.
    pub fn close(&mut self, running: Running) {
        self.run(move || drop(running.close()));
    }

    /// Ends the meeting of an engine in the background for everybody, and closes the engine. Does not wait.
    pub fn end(&mut self, meeting: BackgroundMeeting) {
        self.close(Running { ends: true, ..meeting.running });
    }

    /// Closes an engine in the background, and keeps what is needed to come back to its meeting. Does not wait.
    pub fn leave(&mut self, meeting: BackgroundMeeting) -> LeftMeeting {
        let BackgroundMeeting { destination, running, .. } = meeting;
        let server = running.server.clone();
        LeftMeeting { destination, rejoin: self.close_to_return(running), server }
    }

    /// Drops the keys of a meeting that was left, and stops its server if it runs in this process. Does not wait.
    pub fn forget(&mut self, left: LeftMeeting) {
        let LeftMeeting { rejoin, server, .. } = left;
        self.run(move || {
            drop(rejoin.recv());
            if let Some(server) = server {
                server.stop();
            }
        });
    }

    /// Closes an engine. Does not wait. What is needed to come back arrives in the channel.
    fn close_to_return(&mut self, running: Running) -> Receiver<Option<RejoinContext>> {
        let (sender, receiver) = sync_channel(1);
        self.run(move || {
            // If nothing receives it, it is dropped here.
            drop(sender.send(running.close()));
        });
        receiver
    }

    /// Returns a function that waits until everything is closed, for a thread that may block.
    pub fn wait(&mut self) -> impl FnOnce() + Send + use<> {
        let threads = std::mem::take(&mut self.threads);
        move || {
            for thread in threads {
                if thread.join().is_err() {
                    tracing::error!("a thread that closes an engine panicked");
                }
            }
        }
    }

    fn run(&mut self, work: impl FnOnce() + Send + 'static) {
        self.threads.retain(|thread| !thread.is_finished());
        match thread::Builder::new().name("close".into()).spawn(work) {
            Ok(thread) => self.threads.push(thread),
            Err(error) => {
                tracing::error!(%error, "cannot start the thread that closes the engine; the server notices later that we left");
            }
        }
    }
}

impl MeetingSession {
    /// Sets what [`MeetingSession::starting`] starts.
    pub fn set_destination(&mut self, starter: Arc<dyn Starter>, setup: Setup) {
        self.release();
        self.forget_left();
        self.destination = Some(Destination { starter, setup });
    }

    /// The name and the devices of the last destination.
    pub fn setup(&self) -> Option<&Setup> {
        self.destination.as_ref().map(|destination| &destination.setup)
    }

    /// Whether the meeting is added to the list of recent meetings.
    pub fn listing(&self) -> Listing {
        self.destination.as_ref().map_or(Listing::Unlisted, |destination| destination.starter.listing())
    }

    /// Whether the destination creates a meeting. Otherwise it joins one.
    pub fn creates(&self) -> bool {
        self.destination.as_ref().is_some_and(|destination| destination.starter.creates())
    }

    /// The link of the destination, if it joins a meeting.
    pub fn link(&self) -> Option<SecretLink> {
        self.destination.as_ref()?.starter.link()
    }

    /// Removes the meeting with this link from the file of recent meetings when the engine is closed, because its server
    /// stops then.
    pub fn forget_when_closed(&mut self, link: &SecretLink) {
        if let Some(running) = &mut self.running {
            running.forget = Some(link.clone());
        }
    }

    /// Whether we have left or lost a meeting whose server runs in this process, and can come back to it.
    pub fn has_left_here(&self) -> bool {
        self.server.is_some()
    }

    /// Records that we are in the meeting, as its organiser or not.
    pub fn entered(&mut self, organiser: bool) {
        self.can_return = organiser;
    }

    /// Lets the meeting end for everybody when its engine is closed, if its server runs in this process.
    pub fn end_when_closed(&mut self) {
        if let Some(running) = &mut self.running {
            running.ends = running.server.is_some();
        }
    }

    /// Begins an attempt with these limits of the bandwidth. If the meeting was left or lost, the organiser comes back to
    /// it. Returns the number of the attempt and a function that starts the engine. Returns `None` if there is no
    /// destination. The caller runs the function on a thread that may block, and then calls
    /// [`MeetingSession::start_returned`].
    pub fn starting(
        &mut self,
        limits: BandwidthLimits,
        output: Arc<dyn VideoOutput>,
    ) -> Option<(Attempt, impl FnOnce() -> Result<Started, String> + Send + use<>)> {
        self.release();
        let destination = self.destination.as_ref()?;
        let (starter, mut setup) = (Arc::clone(&destination.starter), destination.setup.clone());
        setup.bandwidth.limits = limits;
        self.starting += 1;
        let (rejoin, server) = (self.rejoin.take(), self.server.take());
        self.can_return = rejoin.is_some();
        // The thread that closes the engine sends it.
        let start = move || {
            let rejoin = rejoin.and_then(|rejoin| rejoin.recv().ok().flatten());
            drop(server); // not on the UI thread
            starter.start(rejoin, setup, output)
        };
        Some((self.attempt, start))
    }

    /// Records that an attempt has returned an engine or an error.
    pub fn start_returned(&mut self) {
        self.starting = self.starting.saturating_sub(1);
    }

    /// Whether an engine is being started.
    pub fn is_starting(&self) -> bool {
        self.starting > 0
    }

    /// The number of the current attempt.
    #[cfg(test)]
    pub fn attempt(&self) -> Attempt {
        self.attempt
    }

    /// Whether `attempt` is the current one: not cancelled, not over.
    pub fn is_current(&self, attempt: Attempt) -> bool {
        self.attempt == attempt
    }

    /// Takes ownership of what was started. Returns the engine's events.
    pub fn run(&mut self, started: Started) -> Events {
        let (events, running) = started.split();
        if let (Key::NotStored(cause), Keychain::NotFailed) = (&running.key, &self.keychain) {
            self.keychain = Keychain::Failed(cause.clone());
        }
        self.running = Some(running);
        events
    }

    /// The engine, if one runs.
    pub fn engine(&self) -> Option<&Engine> {
        self.running.as_ref().map(|running| &running.engine)
    }

    /// Sends a command to the engine, if one runs. Returns the notice to show if the engine refuses the command.
    pub fn send(&self, command: Command) -> Option<Notice> {
        let refused = self.engine()?.send(command).err()?;
        Some(Notice { kind: engine::NoticeKind::Refused.into(), file: None, detail: refused.to_string() })
    }

    /// Ends the current attempt, and closes its engine if one runs. Does not wait. Keeps what is needed to come back
    /// to the meeting, if we can.
    pub fn release(&mut self) {
        self.renumber();
        let Some(running) = self.running.take() else { return };
        let can_return = self.can_return && !running.ends;
        self.server = running.server.clone().filter(|_| can_return);
        if can_return {
            self.rejoin = Some(self.closer.close_to_return(running));
        } else {
            self.closer.close(running);
        }
    }

    /// Drops the keys of the meeting that was left or lost, and stops its server.
    pub fn forget_left(&mut self) {
        self.can_return = false;
        if let Some(left) = self.take_left() {
            self.closer.forget(left);
        }
    }

    /// Takes out the meeting that was left or lost, if we can come back to it.
    pub fn take_left(&mut self) -> Option<LeftMeeting> {
        let rejoin = self.rejoin.take()?;
        let server = self.server.take();
        Some(LeftMeeting { destination: self.destination.take(), rejoin, server })
    }

    /// Puts back the result of [`MeetingSession::take_left`], so that the next attempt comes back to the meeting.
    pub fn put_back(&mut self, left: LeftMeeting) {
        let LeftMeeting { destination, rejoin, server } = left;
        self.release();
        self.forget_left();
        self.destination = destination;
        (self.rejoin, self.server) = (Some(rejoin), server);
    }

    /// Takes out the running engine, which goes on.
    pub fn move_to_background(&mut self) -> Option<BackgroundMeeting> {
        let running = self.running.take()?;
        let attempt = self.attempt;
        self.renumber();
        Some(BackgroundMeeting { destination: self.destination.take(), running, attempt })
    }

    /// Puts back the result of [`MeetingSession::move_to_background`].
    pub fn move_to_foreground(&mut self, meeting: BackgroundMeeting) {
        self.release();
        self.forget_left();
        let BackgroundMeeting { destination, running, attempt } = meeting;
        self.destination = destination;
        (self.running, self.attempt, self.can_return) = (Some(running), attempt, true);
    }

    /// Gives the next attempt another number than all before.
    fn renumber(&mut self) {
        self.last.0 = self.last.0.wrapping_add(1);
        self.attempt = self.last;
    }

    /// Why the keychain does not work. Returns `None` if it works, and from the second call on.
    pub fn take_keychain_failure(&mut self) -> Option<String> {
        match std::mem::replace(&mut self.keychain, Keychain::Reported) {
            Keychain::Failed(cause) => Some(cause),
            other @ (Keychain::NotFailed | Keychain::Reported) => {
                self.keychain = other;
                None
            }
        }
    }
}
