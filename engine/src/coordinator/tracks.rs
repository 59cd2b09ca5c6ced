//! Tracks that are received and sent: openers, decoders, and the targets of encoders.

use super::{Coordinator, Parts, sound_key};
use crate::event::{Event, Notice, NoticeKind};
use crate::receive::{DecodeQueue, PictureReceiver, Report as ReceiveReport, VoiceReceiver, WaitingFrames};
use crate::send::Report as SendReport;
use crypto::{Leaf, Opener, ReceivedFrame};
use media::{Bitrate, Receiver};
use proto::{Kind, SenderLayers, Slot, TrackId};

/// A track whose owner's leaf is not known yet: the server may announce it before the group does.
pub struct Waiting {
    /// The track.
    pub track: TrackId,
    /// Sound or pictures.
    pub kind: Kind,
    /// Its sealed frames.
    pub frames: Receiver<ReceivedFrame>,
}

impl Coordinator {
    /// A track was announced.
    pub(super) fn add_track(&mut self, waiting: Waiting) {
        self.waiting.push(waiting);
        self.start_waiting_tracks();
    }

    /// Starts every track whose owner is a member now.
    pub(super) fn start_waiting_tracks(&mut self) {
        for waiting in std::mem::take(&mut self.waiting) {
            let owner = self.members.iter().find(|member| member.id == waiting.track.owner);
            match owner.map(|owner| (owner.leaf, owner.name.clone())) {
                Some((leaf, name)) => self.start_track(waiting, leaf, &name),
                None => self.waiting.push(waiting),
            }
        }
    }

    fn start_track(&mut self, waiting: Waiting, leaf: Leaf, name: &str) {
        let Waiting { track, kind, frames } = waiting;
        let opener = Opener::new(self.parts.ring.clone(), track.slot, leaf, self.parts.clock);
        let stats = self.parts.stats.track(track);
        let (waiting, report) = (WaitingFrames::default(), self.receive_reporter());
        match kind {
            Kind::Audio => {
                let remote = self.parts.audio.add_remote(sound_key(track));
                self.receivers.add_voice(VoiceReceiver { track, frames, opener, remote, waiting, stats, report });
            }
            Kind::Video => {
                let session = self.parts.session.clone();
                self.receivers.add_picture(PictureReceiver {
                    track,
                    frames,
                    opener,
                    waiting,
                    queue: DecodeQueue::default(),
                    decoders: self.parts.codecs.decoders.clone(),
                    decoder: None,
                    needs_key: true,
                    sink: self.parts.screen.open(track, name),
                    shown: None,
                    stats,
                    clock: self.parts.clock,
                    request_key: Box::new(move || session.key_frame(track)),
                    report,
                });
            }
        }
    }

    /// Tells the person what a decode thread reports. The thread never waits: a reader with a full queue is behind anyway.
    fn receive_reporter(&self) -> Box<dyn Fn(ReceiveReport) + Send> {
        let events = self.parts.events.clone();
        Box::new(move |report| {
            let notice = match report {
                ReceiveReport::DecoderReplaced(replacement) => {
                    Notice { kind: NoticeKind::CodecReplaced, detail: replacement.to_string() }
                }
                ReceiveReport::TrackFailed(reason) => Notice { kind: NoticeKind::PeerUnreadable, detail: reason },
            };
            let _ = events.try_send(Event::Notice(notice));
        })
    }

    /// Handles what an encode thread of one of our sources reports. A track without an encoder is unpublished, and the
    /// device is closed.
    pub(super) async fn handle_encoder_report(&mut self, slot: Slot, report: SendReport) {
        let notice = match report {
            SendReport::EncoderReplaced(replacement) => {
                Notice { kind: NoticeKind::CodecReplaced, detail: replacement.to_string() }
            }
            SendReport::Overloaded => Notice { kind: NoticeKind::Overloaded, detail: String::new() },
            SendReport::TrackFailed(reason) => {
                self.drop_source(slot);
                self.closed(slot).await;
                Notice { kind: NoticeKind::TrackFailed, detail: reason }
            }
            SendReport::Opened(_) | SendReport::Failed(_) => return,
        };
        self.tell(Event::Notice(notice)).await;
    }

    /// A track has ended; its receiver ends with its queue.
    pub(super) fn end_track(&mut self, track: TrackId) {
        self.waiting.retain(|waiting| waiting.track != track);
        if track.slot == Slot::Microphone {
            keep_sound_counts(&self.parts);
            self.parts.audio.remove_remote(sound_key(track));
        }
    }

    /// Sends what the viewers want of one of our tracks.
    pub(super) fn want(&mut self, layers: SenderLayers) {
        if let Some(source) = self.sources.get(&layers.slot) {
            source.pictures.set_wishes(&layers);
        }
        self.wanted.insert(layers.slot, layers);
        self.share(self.budget);
    }

    /// A viewer needs a key frame.
    pub(super) fn key_frame(&mut self, slot: Slot, spatial: u8) {
        if let Some(source) = self.sources.get(&slot) {
            source.pictures.key_frame(spatial);
        }
    }

    /// Divides the bitrate of the link among our sources. A shared screen gets most of it.
    pub(super) fn share(&mut self, budget: Bitrate) {
        self.budget = budget;
        let screen = self.sources.contains_key(&Slot::Screen);
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
}

/// Keeps the counters of the sound engine for the report.
pub fn keep_sound_counts(parts: &Parts) {
    for track in parts.stats.tracks() {
        if track.slot == Slot::Microphone
            && let Some(statistics) = parts.audio.statistics(sound_key(track))
        {
            parts.measure.sound(track.owner, statistics);
        }
    }
}
