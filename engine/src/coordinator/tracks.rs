//! The tracks that we send and receive, with their threads, wishes and shares of the uplink.

use super::devices::Devices;
use super::membership::Membership;
use crate::event::Notice;
use crate::reason;
use crate::receive::{Early, PictureJob, Ready, Receivers, VoiceJob};
use crate::send::{Open, Pictures, Report, Uplink, announced};
use crate::stats::track_stats::TrackStats;
use crate::video_output::VideoOutput;
use capture::Format;
use crypto::{KeyRing, Leaf, Opener, ReceivedFrame};
use media::{Bitrate, BufferPool, Clock, Frame, Receiver};
use net::Session;
use proto::{Kind, ParticipantId, SenderLayers, Slot, TrackId};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::mpsc;

/// What every track needs.
pub struct Context {
    /// Publishes tracks and asks for key frames.
    pub session: Session,
    /// The keys of all members.
    pub ring: KeyRing,
    /// The clock of all timestamps.
    pub clock: Clock,
    /// Memory for bitstreams.
    pub pool: BufferPool,
    /// The counters of all tracks.
    pub stats: TrackStats,
    /// Shows pictures.
    pub output: Arc<dyn VideoOutput>,
    /// Sends the packets of our microphone.
    pub uplink: Uplink,
}

/// See the module.
pub struct Tracks {
    context: Context,
    receivers: Receivers,
    /// Received tracks whose owner's leaf is not known yet: the server may announce them before the group does.
    waiting: Vec<Waiting>,
    sources: BTreeMap<Slot, Source>,
    /// The layers of each slot that receivers want, as the server said last.
    wanted: BTreeMap<Slot, SenderLayers>,
    /// What the uplink carries.
    budget: Bitrate,
    reporter: mpsc::Sender<SourceReport>,
    reports: mpsc::Receiver<SourceReport>,
    /// The id of the next source.
    next_source: u64,
}

/// A received track that has not started.
pub struct Waiting {
    /// The track.
    pub track: TrackId,
    /// Sound or pictures.
    pub kind: Kind,
    /// Its frames.
    pub frames: Receiver<ReceivedFrame>,
}

/// A report of a source's thread.
pub struct SourceReport {
    slot: Slot,
    /// Tells a late report of a source that was stopped from one of its successor.
    source: u64,
    report: Report,
}

/// What a report changes.
pub enum SourceEvent {
    /// A source is open, and is published if we are in.
    Opened,
    /// A source failed, and must be stopped.
    Failed(Slot, Notice),
}

/// A picture source, from the moment it is asked for.
struct Source {
    id: u64,
    pictures: Pictures,
    /// Known once the device is open.
    format: Option<Format>,
}

impl Tracks {
    /// Starts the threads that receive.
    ///
    /// # Errors
    /// Returns the system's error if it has no thread left.
    pub fn start(context: Context) -> std::io::Result<Self> {
        let (reporter, reports) = mpsc::channel(MAX_REPORTS);
        Ok(Self {
            context,
            receivers: Receivers::start()?,
            waiting: Vec::new(),
            sources: BTreeMap::new(),
            wanted: BTreeMap::new(),
            budget: FIRST_BUDGET,
            reporter,
            reports,
            next_source: 0,
        })
    }

    /// Adds a received track. It starts with the next [`Tracks::start_waiting`].
    pub fn add(&mut self, track: Waiting) {
        self.waiting.push(track);
    }

    /// Starts every received track whose owner is a member by now.
    pub fn start_waiting(&mut self, membership: &Membership, devices: &Devices) {
        for waiting in std::mem::take(&mut self.waiting) {
            match membership.member(waiting.track.owner) {
                Some((leaf, name)) => self.start_received(waiting, leaf, name, devices),
                None => self.waiting.push(waiting),
            }
        }
    }

    fn start_received(&mut self, waiting: Waiting, leaf: Leaf, name: &str, devices: &Devices) {
        let Waiting { track, kind, frames } = waiting;
        let Context { session, ring, clock, stats, output, .. } = &self.context;
        let opener = Opener::new(ring.clone(), track.slot, leaf, *clock);
        let stats = stats.track(track);
        match kind {
            Kind::Audio => {
                let remote = devices.add_voice(track);
                self.receivers.add_voice(VoiceJob { track, frames, opener, remote, early: Early::default(), stats });
            }
            Kind::Video => {
                let session = session.clone();
                self.receivers.add_picture(PictureJob {
                    track,
                    frames,
                    opener,
                    early: Early::default(),
                    ready: Ready::default(),
                    shown: None,
                    decoder: None,
                    canvas: output.open(track, name),
                    stats,
                    clock: *clock,
                    want_key: Box::new(move || session.key_frame(track)),
                    lost: true,
                });
            }
        }
    }

    /// A received track has ended. Its job ends with its queue.
    pub fn end(&mut self, track: TrackId) {
        self.waiting.retain(|waiting| waiting.track != track);
    }

    /// Drops the tracks of somebody who has left before they started: their key never comes.
    pub fn remove_waiting(&mut self, owner: ParticipantId) {
        self.waiting.retain(|waiting| waiting.track.owner != owner);
    }

    /// Opens a picture source on a thread of its own, which reports by [`Tracks::next_report`].
    pub fn start_source(&mut self, slot: Slot, open: Open) {
        self.next_source += 1;
        let (id, reporter) = (self.next_source, self.reporter.clone());
        let report = Box::new(move |report: Report| {
            // The channel is closed only if nobody is left who could use the report.
            let _ = reporter.blocking_send(SourceReport { slot, source: id, report });
        });
        let own: Box<dyn FnMut(Frame) + Send> = match slot {
            Slot::Camera => {
                let output = Arc::clone(&self.context.output);
                Box::new(move |frame| output.own(frame))
            }
            Slot::Screen | Slot::Microphone => Box::new(drop),
        };
        match Pictures::start(slot, open, own, report) {
            Ok(pictures) => drop(self.sources.insert(slot, Source { id, pictures, format: None })),
            Err(error) => tracing::error!(?slot, %error, "no thread for a device"),
        }
    }

    /// Unpublishes a source and returns it. Dropping it closes the device and may block.
    pub fn stop_source(&mut self, slot: Slot) -> Option<impl Send + 'static> {
        let source = self.sources.remove(&slot)?;
        self.context.session.unpublish(slot);
        Some(source)
    }

    /// The next report of a source's thread; never ends.
    pub async fn next_report(&mut self) -> SourceReport {
        match self.reports.recv().await {
            Some(report) => report,
            // `self` holds a sender, so the channel does not close.
            None => std::future::pending().await,
        }
    }

    /// Takes in a report. `inside` says whether we are in the meeting.
    pub fn handle_report(&mut self, report: SourceReport, inside: bool) -> Option<SourceEvent> {
        let SourceReport { slot, source: id, report } = report;
        let source = self.sources.get_mut(&slot).filter(|source| source.id == id)?;
        match report {
            Report::Opened(format) => {
                source.format = Some(format);
                if inside {
                    self.publish_pictures(slot);
                }
                Some(SourceEvent::Opened)
            }
            Report::Failed(error) => Some(SourceEvent::Failed(slot, reason::source(slot, &error))),
        }
    }

    /// True if a source of `slot` was started, open or not.
    pub fn has_source(&self, slot: Slot) -> bool {
        self.sources.contains_key(&slot)
    }

    /// True if a source of `slot` is open.
    pub fn is_open(&self, slot: Slot) -> bool {
        self.sources.get(&slot).is_some_and(|source| source.format.is_some())
    }

    /// Publishes the voice, and the pictures of every open source.
    pub fn publish_all(&mut self) {
        let Context { session, ring, stats, uplink, .. } = &self.context;
        uplink.connect(ring.clone(), session.publish(Slot::Microphone, Vec::new()), stats.clone());
        let slots: Vec<Slot> = self.sources.keys().copied().collect();
        for slot in slots {
            self.publish_pictures(slot);
        }
    }

    fn publish_pictures(&mut self, slot: Slot) {
        let Some(Source { pictures, format: Some(format), .. }) = self.sources.get(&slot) else { return };
        let Context { session, ring, pool, stats, .. } = &self.context;
        let frame_sender = session.publish(slot, announced(slot, *format));
        if let Err(error) = pictures.publish(*format, ring, &frame_sender, pool, stats) {
            tracing::error!(?slot, %error, "no thread for an encoder");
        }
        // A camera that was off for a moment only may be the same track to the server, which then repeats nothing.
        if let Some(wanted) = self.wanted.get(&slot) {
            pictures.want(wanted);
        }
        self.share_budget();
    }

    /// Encodes the layers that receivers want of one of our tracks.
    pub fn set_wanted(&mut self, layers: SenderLayers) {
        if let Some(source) = self.sources.get(&layers.slot) {
            source.pictures.want(&layers);
        }
        self.wanted.insert(layers.slot, layers);
        self.share_budget();
    }

    /// Encodes the next picture of a layer as a key picture.
    pub fn key_frame(&mut self, slot: Slot, spatial: u8) {
        if let Some(source) = self.sources.get(&slot) {
            source.pictures.key_frame(spatial);
        }
    }

    /// Shares what the uplink carries from now on.
    pub fn set_budget(&mut self, budget: Bitrate) {
        self.budget = budget;
        self.share_budget();
    }

    /// A shared screen is what people look at: it gets three quarters, the camera the rest.
    fn share_budget(&self) {
        let (budget, screen) = (self.budget, self.sources.contains_key(&Slot::Screen));
        for (slot, source) in &self.sources {
            let Some(format) = source.format else { continue };
            let share = match (slot, screen) {
                (Slot::Camera, true) => Bitrate::bps(budget.as_bps() / 4),
                (Slot::Screen, true) => Bitrate::bps(budget.as_bps() / 4 * 3),
                (Slot::Camera | Slot::Screen | Slot::Microphone, _) => budget,
            };
            source.pictures.share(share, format);
        }
    }

    /// Sends and receives no more, and joins every thread. Blocks until the devices are closed.
    pub fn close(self) {
        let Self { context, receivers, sources, .. } = self;
        context.uplink.disconnect();
        // Receivers first: they must not open frames of people who come later.
        drop(receivers);
        drop(sources);
    }
}

/// What the uplink is taken to carry until the first estimate.
const FIRST_BUDGET: Bitrate = Bitrate::kbps(2_500);

/// Reports that wait in the channel.
const MAX_REPORTS: usize = 16;
