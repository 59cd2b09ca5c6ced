//! Who is in the room and which keys hold.

use super::{Coordinator, tracks};
use crate::event::{Event, Lock, Person, Totals};
use crypto::Words;
use net::meeting::{self, Person as Member};
use proto::{ParticipantId, Slot};
use std::time::Duration;

impl Coordinator {
    /// We are in: publish the voice, and whatever pictures are open by now.
    pub(super) async fn enter(&mut self, me: ParticipantId) {
        self.entered = true;
        self.parts.measure.entered(me, self.parts.clock.now());
        let link = self.parts.session.link().unwrap_or_default();
        self.tell(Event::Entered { me, link, organiser: self.parts.organiser }).await;
        self.tell(Event::Microphone(self.state.microphone)).await;
        self.publish_voice();
        let open: Vec<Slot> =
            self.sources.iter().filter(|(_, source)| source.format.is_some()).map(|(slot, _)| *slot).collect();
        for slot in open {
            self.publish_pictures(slot);
        }
        self.announce().await;
    }

    /// Everybody who is here now.
    pub(super) async fn meet(&mut self, members: Vec<Member>) {
        self.parts.measure.names(members.iter().map(|member| (member.id, member.name.clone())));
        self.members = members;
        self.start_waiting_tracks();
        let mut people: Vec<Person> = self.members.iter().map(person).collect();
        people.sort_by_key(|person| !person.me);
        self.tell(Event::People(people)).await;
    }

    /// Somebody is out: their tracks that still wait for a key will never get one.
    pub(super) fn forget(&mut self, id: ParticipantId) {
        self.waiting.retain(|waiting| waiting.track.owner != id);
    }

    /// The driver has installed new keys already.
    pub(super) fn rekeyed(&mut self, epoch: u64) {
        self.epoch = epoch;
        self.parts.measure.rekeyed();
    }

    /// New keys have new words.
    pub(super) async fn lock(&mut self, words: Words) {
        self.tell(Event::Locked(Lock { epoch: self.epoch, words, suite: SUITE })).await;
    }

    /// Tells the others what we send.
    pub(super) async fn announce(&mut self) {
        let sends = |slot| self.sources.get(&slot).is_some_and(|source| source.format.is_some());
        let (camera, screen) = (sends(Slot::Camera), sends(Slot::Screen));
        if self.state.camera != camera {
            self.tell(Event::Camera(camera)).await;
        }
        if self.state.screen != screen {
            self.tell(Event::Sharing(screen)).await;
        }
        self.state.camera = camera;
        self.state.screen = screen;
        self.ask(meeting::Command::Announce(self.state)).await;
    }

    /// Looks at levels: who speaks, how loud we are.
    pub(super) async fn listen(&mut self) {
        let levels = self.parts.audio.levels();
        let mut loud: Vec<_> = levels.remotes.iter().filter(|(_, _, speaking)| *speaking).collect();
        loud.sort_by_key(|(_, level, _)| *level);
        let mut speaking: Vec<ParticipantId> = loud.iter().map(|(key, ..)| ParticipantId(*key)).collect();
        if levels.speaking && self.state.microphone == meeting::Microphone::On {
            speaking.extend(self.members.iter().filter(|member| member.me).map(|member| member.id));
        }
        if speaking != self.speaking {
            self.speaking.clone_from(&speaking);
            self.tell(Event::Speaking(speaking)).await;
        }
        let level = linear(levels.microphone);
        if (level - self.level).abs() > 0.01 {
            self.level = level;
            self.tell(Event::Level(level)).await;
        }
        tracks::keep_sound_counts(&self.parts);
    }
}

/// The server's numbers in the interface's words.
pub fn totals(totals: proto::Totals, at: Duration) -> Totals {
    let proto::Totals { packets_in, packets_out, layers_stopped } = totals;
    Totals { packets_in, packets_out, layers_stopped, at }
}

fn person(member: &Member) -> Person {
    Person {
        id: member.id,
        name: member.name.clone(),
        me: member.me,
        organiser: member.organiser,
        device: member.device.to_string(),
        microphone: member.state.microphone,
        camera: member.state.camera,
        screen: member.state.screen,
    }
}

/// -60 dB and less is nothing, 0 dB is full scale; between them the meter is linear in decibels.
pub fn linear(level: media::Level) -> f32 {
    1.0 - f32::from(level.minus_dbov().min(60)) / 60.0
}

/// The registered name of suite 0x004E.
const SUITE: &str = "MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519";
