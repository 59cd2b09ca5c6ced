//! The tracks that we send and receive, with their threads, requested layers and shares of the uplink.

use super::devices::Devices;
use super::membership::Membership;
use super::protection_policy::ProtectionPolicy;
use crate::event::Notice;
use crate::hardware::Codecs;
use crate::notice;
use crate::receive::{self, DecodeQueue, PictureReceiver, PlayoutQueue, Receivers, VoiceReceiver, WaitingFrames};
use crate::send::{PictureSource, Report, VoiceSender, announced};
use crate::stats::track_stats::TrackStats;
use crate::video_output::VideoOutput;
use audio::{PlayoutTime, Protection, RecentPackets};
use capture::{Format, Open};
use codec::adapt::ContentHint;
use codec::adapt::encode::Limits;
use codec::rate::video_budget;
use crypto::{KeyRing, Leaf, Opener, ReceivedFrame};
use media::{Bitrate, BufferPool, Clock, Frame, Receiver};
use net::Session;
use proto::{Kind, ParticipantId, Slot, TrackDemand, TrackId};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::mem::{Discriminant, discriminant};
use std::sync::Arc;
use tokio::sync::mpsc;

/// The values that all tracks share.
pub struct Context {
    /// Publishes tracks and requests key frames.
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
    pub uplink: VoiceSender,
    /// Encodes and decodes pictures.
    pub codecs: Codecs,
}

/// The tracks that we send and receive, with their threads.
pub struct Tracks {
    /// Dropped before the sources, because a thread that waits for room in the channel would never end.
    reports: mpsc::Receiver<TrackReport>,
    reporter: mpsc::Sender<TrackReport>,
    context: Context,
    receivers: Receivers,
    /// Received tracks whose owner's leaf is not known yet, because the server may announce them before the group does.
    waiting: Vec<Waiting>,
    /// The reports of received tracks that the user got a notice of. The owner of a track can cause them again and again.
    noticed: HashSet<(TrackId, Discriminant<receive::Report>)>,
    /// When the voice of each participant is heard.
    playout_times: BTreeMap<ParticipantId, PlayoutTime>,
    sources: BTreeMap<Slot, Source>,
    /// The layers of each slot that receivers request, from the server's last message.
    demands: BTreeMap<Slot, TrackDemand>,
    /// What matters most in the pictures of each slot. A slot without an entry has the usual hint.
    hints: BTreeMap<Slot, ContentHint>,
    /// The estimated capacity of the uplink.
    budget: Bitrate,
    protection_policy: ProtectionPolicy,
    /// The id of the next source.
    next_source: u64,
}

/// A received track that has not started.
pub struct Waiting {
    /// The track.
    pub track: TrackId,
    /// Audio or video.
    pub kind: Kind,
    /// Its frames.
    pub frames: Receiver<ReceivedFrame>,
}

/// A report of a thread.
pub enum TrackReport {
    /// A thread of one of our sources.
    Sent {
        /// The source's slot.
        slot: Slot,
        /// The source's id, which distinguishes late reports of a stopped source from those of the next one.
        source: u64,
        /// The report.
        report: Report,
    },
    /// A thread that decodes a received track.
    Received(TrackId, receive::Report),
}

/// The change that a report causes.
#[derive(Debug)]
pub enum TrackEvent {
    /// A source is open, or its format has changed. It is published if we are in the meeting.
    Opened,
    /// A source or its last encoder failed. The source must be stopped.
    Failed(Failure),
    /// A notice for the user. Nothing changes.
    Notice(Notice),
}

/// A source that cannot be sent.
#[derive(Debug)]
pub struct Failure {
    /// The slot of the source.
    pub slot: Slot,
    /// The notice for the user.
    pub notice: Notice,
}

/// A picture source. It exists from the request to open it.
struct Source {
    id: u64,
    pictures: PictureSource,
    /// Known once the device is open.
    format: Option<Format>,
}

impl Tracks {
    /// Starts the threads that receive.
    ///
    /// # Errors
    /// Returns the system's error if a thread cannot be started.
    pub fn start(context: Context) -> std::io::Result<Self> {
        let (reporter, reports) = mpsc::channel(MAX_REPORTS);
        Ok(Self {
            reports,
            reporter,
            context,
            receivers: Receivers::start()?,
            waiting: Vec::new(),
            noticed: HashSet::new(),
            playout_times: BTreeMap::new(),
            sources: BTreeMap::new(),
            demands: BTreeMap::new(),
            hints: BTreeMap::new(),
            budget: FIRST_BUDGET,
            protection_policy: ProtectionPolicy::default(),
            next_source: 0,
        })
    }

    /// Adds a received track. It starts with the next [`Tracks::start_waiting`].
    pub fn add(&mut self, track: Waiting) {
        self.waiting.push(track);
    }

    /// Starts every received track whose owner is a member now.
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
        let sound = playout_time(&mut self.playout_times, track);
        let Context { session, ring, clock, pool, stats, output, codecs, .. } = &self.context;
        let opener = Opener::new(ring.clone(), track.slot, leaf, *clock);
        let stats = stats.track(track);
        let (waiting, report) = (WaitingFrames::default(), receive_reporter(self.reporter.clone(), track));
        match kind {
            Kind::Audio => {
                let remote = devices.add_voice(track, sound);
                let (pool, recent) = (pool.clone(), RecentPackets::new());
                let voice =
                    VoiceReceiver { track, frames, opener, remote, pool, recent, last: None, waiting, stats, report };
                self.receivers.add_voice(voice);
            }
            Kind::Video => {
                let session = session.clone();
                self.receivers.add_picture(PictureReceiver {
                    track,
                    frames,
                    opener,
                    waiting,
                    playout: PlayoutQueue::default(),
                    sound,
                    queue: DecodeQueue::default(),
                    decoders: codecs.decoders.clone(),
                    decoder: None,
                    needs_key: true,
                    was_not_allowed: false,
                    sink: output.open(track, name),
                    shown: None,
                    stats,
                    clock: *clock,
                    request_key: Box::new(move || session.key_frame(track)),
                    report,
                });
            }
        }
    }

    /// Records that a received track has ended. Its receiver ends with its queue.
    pub fn end(&mut self, track: TrackId) {
        self.waiting.retain(|waiting| waiting.track != track);
    }

    /// A participant has left. Drops its tracks that did not start, because their keys will not arrive.
    pub fn remove_owner(&mut self, owner: ParticipantId) {
        self.waiting.retain(|waiting| waiting.track.owner != owner);
        self.playout_times.remove(&owner);
        self.noticed.retain(|(track, _)| track.owner != owner);
    }

    /// Opens a picture source on its own thread. [`Tracks::next_report`] returns the thread's reports.
    pub fn start_source(&mut self, slot: Slot, open: Open) {
        self.next_source += 1;
        let (id, reporter) = (self.next_source, self.reporter.clone());
        let report = move |report: Report| {
            // The channel is closed only if the receiver was dropped. Then the report is not needed.
            let _ = reporter.blocking_send(TrackReport::Sent { slot, source: id, report });
        };
        let own: Box<dyn FnMut(Frame) + Send> = match slot {
            Slot::Camera => {
                let output = Arc::clone(&self.context.output);
                Box::new(move |frame| output.own(frame))
            }
            Slot::Screen | Slot::Microphone => Box::new(drop),
        };
        match PictureSource::start(slot, open, own, report) {
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

    /// Waits for the next report of a thread, and returns it.
    pub async fn next_report(&mut self) -> TrackReport {
        match self.reports.recv().await {
            Some(report) => report,
            // `self` holds a sender, so the channel does not close.
            None => std::future::pending().await,
        }
    }

    /// Handles a report. `inside` is true if this client is in the meeting.
    pub fn handle_report(&mut self, report: TrackReport, inside: bool) -> Option<TrackEvent> {
        match report {
            TrackReport::Sent { slot, source, report } => self.handle_sent(slot, source, report, inside),
            TrackReport::Received(track, report) => {
                let first = self.noticed.insert((track, discriminant(&report)));
                first.then(|| TrackEvent::Notice(notice::received(report)))
            }
        }
    }

    fn handle_sent(&mut self, slot: Slot, id: u64, report: Report, inside: bool) -> Option<TrackEvent> {
        let source = self.sources.get_mut(&slot).filter(|source| source.id == id)?;
        let event = match report {
            Report::Opened(format) | Report::Changed(format) => {
                source.format = Some(format);
                let published = if inside { self.publish_pictures(slot) } else { Ok(()) };
                published.map_or_else(TrackEvent::Failed, |()| TrackEvent::Opened)
            }
            Report::Failed(error) => TrackEvent::Failed(Failure { slot, notice: notice::source(slot, &error) }),
            Report::TrackFailed(why) => TrackEvent::Failed(Failure { slot, notice: notice::track_failed(why) }),
            Report::EncoderReplaced(replacement) => TrackEvent::Notice(notice::codec_replaced(replacement.to_string())),
        };
        Some(event)
    }

    /// Returns true if a source of `slot` was started, open or not.
    pub fn has_source(&self, slot: Slot) -> bool {
        self.sources.contains_key(&slot)
    }

    /// Returns true if a source of `slot` is open.
    pub fn is_open(&self, slot: Slot) -> bool {
        self.sources.get(&slot).is_some_and(|source| source.format.is_some())
    }

    /// Publishes the voice, and the pictures of every open source. Returns the sources that must be stopped, because
    /// their pictures cannot be encoded.
    pub fn publish_all(&mut self) -> Vec<Failure> {
        let Context { session, ring, stats, uplink, .. } = &self.context;
        uplink.connect(ring.clone(), session.publish(Slot::Microphone, Vec::new()), stats.clone());
        let slots: Vec<Slot> = self.sources.keys().copied().collect();
        slots.into_iter().filter_map(|slot| self.publish_pictures(slot).err()).collect()
    }

    fn publish_pictures(&self, slot: Slot) -> Result<(), Failure> {
        let Some(Source { pictures, format: Some(format), .. }) = self.sources.get(&slot) else { return Ok(()) };
        let Context { session, ring, pool, stats, codecs, .. } = &self.context;
        let layers = announced(slot, *format);
        if layers.is_empty() {
            // A track without a layer is against the protocol.
            return Err(Failure { slot, notice: notice::too_narrow(format.size) });
        }
        let frame_sender = session.publish(slot, layers);
        pictures.set_hint(hint(&self.hints, slot));
        let published = pictures.publish(*format, ring, &frame_sender, pool, stats, &codecs.encoders);
        published.map_err(|error| no_encode_thread(slot, &error))?;
        // If a camera was off only for a moment, the server may not notice it. Then it does not send the requested
        // layers again.
        if let Some(demand) = self.demands.get(&slot) {
            pictures.set_demand(demand);
        }
        self.share_budget();
        Ok(())
    }

    /// Encodes the layers that receivers request of one of our tracks.
    pub fn set_demand(&mut self, demand: TrackDemand) {
        if let Some(source) = self.sources.get(&demand.slot) {
            source.pictures.set_demand(&demand);
        }
        self.demands.insert(demand.slot, demand);
        self.share_budget();
    }

    /// Changes the inputs of the protection policy, and divides the rest of the uplink among the tracks. Returns how our sound must
    /// be encoded.
    pub fn update_protection(&mut self, change: impl FnOnce(&mut ProtectionPolicy)) -> Protection {
        change(&mut self.protection_policy);
        let protection = self.protection_policy.protection();
        self.context.uplink.set_protection(protection);
        self.share_budget();
        protection
    }

    /// Returns the slots of which viewers want more than our uplink carries.
    pub fn uplink_limits(&self) -> BTreeSet<Slot> {
        let limited = self.sources.iter().filter(|(_, source)| source.pictures.is_limited());
        limited.map(|(slot, _)| *slot).collect()
    }

    /// Sets what matters most in the pictures of `slot`. Returns the source if it must be stopped, because its pictures cannot be
    /// encoded any more. `inside` is true if this client is in the meeting.
    pub fn set_hint(&mut self, slot: Slot, new: ContentHint, inside: bool) -> Option<Failure> {
        let before = hint(&self.hints, slot);
        self.hints.insert(slot, new);
        let constant = |hint| hint == ContentHint::Signing;
        // The temporal layers are chosen when a track is published.
        if constant(before) == constant(new) || !inside { None } else { self.publish_pictures(slot).err() }
    }

    /// Returns the slots of all open sources, with their hints and numbers of layers.
    pub fn sources(&self) -> Vec<(Slot, ContentHint, u8)> {
        let layers = |slot, format| u8::try_from(announced(slot, format).len()).unwrap_or(u8::MAX);
        let open = self.sources.iter().filter_map(|(slot, source)| Some((*slot, source.format?)));
        open.map(|(slot, format)| (slot, hint(&self.hints, slot), layers(slot, format))).collect()
    }

    /// Sets what this computer can encode of a source.
    pub fn set_limits(&self, slot: Slot, limits: Limits) {
        if let Some(source) = self.sources.get(&slot) {
            source.pictures.set_limits(limits);
        }
    }

    /// Encodes the next picture of a layer as a key frame.
    pub fn key_frame(&mut self, slot: Slot, spatial: u8) {
        if let Some(source) = self.sources.get(&slot) {
            source.pictures.key_frame(spatial);
        }
    }

    /// Sets the capacity of the uplink and divides it among the tracks. `delay_based` is the estimate that loss does not lower.
    /// Returns how our sound must be encoded.
    pub fn set_budget(&mut self, budget: Bitrate, delay_based: Bitrate) -> Protection {
        self.budget = budget;
        self.update_protection(|policy| policy.set_uplink(delay_based))
    }

    /// Divides what sound leaves of the capacity: a shared screen has three quarters, because it is the main content. The
    /// camera has the rest.
    fn share_budget(&self) {
        let (budget, screen) = (
            video_budget(self.budget, self.protection_policy.protection().bitrate_with_headers()),
            self.sources.contains_key(&Slot::Screen),
        );
        for (slot, source) in &self.sources {
            let Some(format) = source.format else { continue };
            let share = match (slot, screen) {
                (Slot::Camera, true) => Bitrate::bps(budget.as_bps() / 4),
                (Slot::Screen, true) => Bitrate::bps(budget.as_bps() / 4 * 3),
                (Slot::Camera | Slot::Screen | Slot::Microphone, _) => budget,
            };
            source.pictures.set_budget(share, format);
        }
    }

    /// Stops sending and receiving, and joins all threads. Blocks until the devices are closed.
    pub fn close(self) {
        let Self { reports, context, receivers, sources, .. } = self;
        // Drop the reports first, because a thread that waits for room in the channel would never end.
        drop(reports);
        context.uplink.disconnect();
        // Drop the receivers first, so that they do not open frames of people who join later.
        drop(receivers);
        drop(sources);
    }
}

/// Returns the playout time of the voice that belongs to a track. A shared screen has none, because it has no lips to
/// synchronise.
fn playout_time(times: &mut BTreeMap<ParticipantId, PlayoutTime>, track: TrackId) -> PlayoutTime {
    match track.slot {
        Slot::Microphone | Slot::Camera => times.entry(track.owner).or_default().clone(),
        Slot::Screen => PlayoutTime::default(),
    }
}

/// Forwards the reports of a decode thread. The thread never waits: if the channel is full, the report is dropped.
fn receive_reporter(reporter: mpsc::Sender<TrackReport>, track: TrackId) -> Box<dyn Fn(receive::Report) + Send> {
    Box::new(move |report| {
        if reporter.try_send(TrackReport::Received(track, report)).is_err() {
            tracing::debug!("no room for the report of a received track");
        }
    })
}

/// Returns the hint of a slot: the chosen one, or the usual one.
fn hint(hints: &BTreeMap<Slot, ContentHint>, slot: Slot) -> ContentHint {
    let usual = || if slot == Slot::Screen { ContentHint::Detail } else { ContentHint::Balanced };
    hints.get(&slot).copied().unwrap_or_else(usual)
}

/// Returns the failure of a source for whose layers no thread could be started.
fn no_encode_thread(slot: Slot, error: &std::io::Error) -> Failure {
    tracing::error!(?slot, %error, "no thread for an encoder");
    Failure { slot, notice: notice::track_failed(error.to_string()) }
}

/// The assumed capacity of the uplink until the first estimate.
const FIRST_BUDGET: Bitrate = Bitrate::kbps(300);

/// The capacity of the channel for reports.
const MAX_REPORTS: usize = 16;

#[cfg(test)]
mod tests;
