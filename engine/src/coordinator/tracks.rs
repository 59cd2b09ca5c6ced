//! Tracks that come in: each gets an opener, a decoder and a place to be seen or heard.

use super::{Coordinator, Parts, sound_key};
use crate::receive::{Early, PictureJob, Ready, VoiceJob};
use crypto::{Leaf, Opener, ReceivedFrame};
use media::{Bitrate, Receiver};
use proto::{Kind, SenderLayers, Slot, TrackId};

/// A track whose owner's leaf is not known yet: the server may tell of it before the group does.
pub struct Waiting {
    /// Which.
    pub track: TrackId,
    /// Sound or pictures.
    pub kind: Kind,
    /// What arrives of it.
    pub frames: Receiver<ReceivedFrame>,
}

impl Coordinator {
    /// A track is there.
    pub(super) fn add_track(&mut self, waiting: Waiting) {
        self.waiting.push(waiting);
        self.start_waiting_tracks();
    }

    /// Starts every track whose owner is a member by now.
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
        match kind {
            Kind::Audio => {
                let remote = self.parts.audio.add_remote(sound_key(track));
                self.receivers.add_voice(VoiceJob { track, frames, opener, remote, early: Early::default(), stats });
            }
            Kind::Video => {
                let session = self.parts.session.clone();
                self.receivers.add_picture(PictureJob {
                    track,
                    frames,
                    opener,
                    early: Early::default(),
                    ready: Ready::default(),
                    shown: None,
                    decoder: None,
                    canvas: self.parts.screen.open(track, name),
                    stats,
                    clock: self.parts.clock,
                    want_key: Box::new(move || session.key_frame(track)),
                    lost: true,
                });
            }
        }
    }

    /// A track has ended; its job ends with its queue.
    pub(super) fn end_track(&mut self, track: TrackId) {
        self.waiting.retain(|waiting| waiting.track != track);
        if track.slot == Slot::Microphone {
            keep_sound_counts(&self.parts);
            self.parts.audio.remove_remote(sound_key(track));
        }
    }

    /// Encodes what somebody wants of one of our tracks.
    pub(super) fn want(&mut self, layers: SenderLayers) {
        if let Some(source) = self.sources.get(&layers.slot) {
            source.pictures.want(&layers);
        }
        self.wanted.insert(layers.slot, layers);
        self.share(self.budget);
    }

    /// Somebody cannot go on without a key picture.
    pub(super) fn key_frame(&mut self, slot: Slot, spatial: u8) {
        if let Some(source) = self.sources.get(&slot) {
            source.pictures.key_frame(spatial);
        }
    }

    /// Shares what the link carries: a shared screen is what people look at, so it comes first.
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
            source.pictures.share(share, format);
        }
    }
}

/// Keeps what the sound engine counted, for the report.
pub fn keep_sound_counts(parts: &Parts) {
    for track in parts.stats.tracks() {
        if track.slot == Slot::Microphone
            && let Some(statistics) = parts.audio.statistics(sound_key(track))
        {
            parts.measure.sound(track.owner, statistics);
        }
    }
}
