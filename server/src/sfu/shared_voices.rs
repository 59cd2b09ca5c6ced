//! Forwards the voices of a large meeting: each receiver has a few media descriptions for whoever speaks, instead of one for each
//! participant.
//!
//! Slot n of all receivers carries the same voice. The contributing sources (CSRC) of each packet name its sender, as RFC 3550 and
//! RFC 7667, section 3.6.3, intend. So a change of the speaker needs no signalling and no time. A receiver verifies the name: it opens the
//! frame with a key of this sender only.

use super::first_switch::first_switch;
use super::output::Output;
use super::peer::{Peer, Peers};
use super::switch::{MAX_TEMPORAL, PacketInfo, Switch, Target};
use super::track::{Subscriber, Track};
use super::voice_slots::{Activities, VoiceSlots};
use proto::{MAX_SHARED_VOICES, ParticipantId, Slot, TrackId, voice_sources};
use std::collections::{BTreeMap, HashMap};
use std::time::Instant;
use str0m::media::Mid;
use str0m::rtp::RtpPacket;

/// The shared descriptions of all receivers of a meeting, and who has each slot.
#[derive(Debug, Default)]
pub struct SharedVoices {
    slots: VoiceSlots,
    /// The streams to each receiver, in the order of the slots.
    receivers: BTreeMap<ParticipantId, Vec<Subscriber>>,
}

/// A packet of sound, and who sends it.
#[derive(Clone, Copy, Debug)]
pub struct Sound<'p> {
    /// The sender.
    pub owner: ParticipantId,
    /// The packet.
    pub packet: &'p RtpPacket,
    /// Its properties.
    pub info: PacketInfo,
    /// True if its sender says that it contains speech.
    pub voice: bool,
}

impl SharedVoices {
    /// Removes the streams to a receiver, and returns their switches.
    pub fn remove_receiver(&mut self, participant: ParticipantId) -> HashMap<Mid, Switch> {
        let streams = self.receivers.remove(&participant).into_iter().flatten();
        streams.map(|stream| (stream.mid, stream.switch)).collect()
    }

    /// Sets the media descriptions of a receiver. `before` are the switches of those that it had. They go on where they were.
    pub fn add_receiver(
        &mut self,
        participant: ParticipantId,
        mids: &[String],
        peer: &mut Peer,
        mut before: HashMap<Mid, Switch>,
    ) {
        let mut streams: Vec<Subscriber> = Vec::new();
        for mid in mids.iter().map(|mid| Mid::from(mid.as_str())).take(MAX_SHARED_VOICES) {
            let Some((ssrc, payload)) = peer.transport.outgoing(mid) else { continue };
            if streams.iter().any(|stream| stream.mid == mid) {
                continue;
            }
            let known = before.remove(&mid).or_else(|| peer.idle_switches.remove(&mid));
            let mut switch = known.unwrap_or_else(|| first_switch(Slot::Microphone));
            switch.set_target(Some(Target { spatial: 0, temporal: 0 }));
            streams.push(Subscriber { participant, mid, ssrc, payload, switch, allocated: None });
        }
        if !streams.is_empty() {
            self.receivers.insert(participant, streams);
        }
    }

    /// Ends the voice of a participant. Its slot is free.
    pub fn end_source(&mut self, owner: ParticipantId) {
        if let Some(slot) = self.slots.release(owner) {
            self.restart(slot);
        }
    }

    /// Forwards a packet to all receivers if its sender has a slot or may take one. Returns how many receivers get it.
    pub fn forward(
        &mut self,
        sound: Sound<'_>,
        activities: &mut Activities,
        peers: &mut Peers,
        output: &mut Output,
    ) -> u64 {
        let Sound { owner, packet, info, voice } = sound;
        if self.receivers.is_empty() {
            return 0;
        }
        let slot = if let Some(slot) = self.slots.find(owner) {
            slot
        } else {
            // A retransmission of what was said before does not show that somebody speaks now.
            let taken = || self.slots.take(owner, voice, activities, info.arrival);
            let Some(slot) = info.newest.then(taken).flatten() else { return 0 };
            self.restart(slot);
            slot
        };
        let (mut sent, sources) = (0, voice_sources(owner));
        for (participant, streams) in self.receivers.iter_mut().filter(|(participant, _)| **participant != owner) {
            let Some((stream, peer)) = streams.get_mut(slot).zip(peers.get_mut(participant)) else { continue };
            let header = stream.switch.forward(&info, MAX_TEMPORAL);
            if header.is_some_and(|header| peer.transport.write_audio(stream, packet, header, &sources)) {
                output.dirty.insert(*participant);
                sent += 1;
            }
        }
        sent
    }

    /// Returns the bits per second of each voice that a receiver gets and that has spoken in the last seconds.
    pub fn rates(
        &self,
        receiver: ParticipantId,
        tracks: &mut BTreeMap<TrackId, Track>,
        now: Instant,
    ) -> impl Iterator<Item = u64> {
        let streams = self.receivers.get(&receiver).map_or(0, Vec::len);
        let heard = self.slots.occupants().filter(move |(slot, owner)| *slot < streams && *owner != receiver);
        heard.filter_map(move |(_, owner)| {
            let track = tracks.get_mut(&TrackId { owner, slot: Slot::Microphone })?;
            Some(track.source.as_mut()?.sound_rate(now)).filter(|rate| *rate > 0)
        })
    }

    /// Returns who hears a participant on shared descriptions.
    pub fn receivers_of(&self, owner: ParticipantId) -> impl Iterator<Item = ParticipantId> {
        let slot = self.slots.find(owner);
        let hears = move |streams: &Vec<Subscriber>| slot.is_some_and(|slot| slot < streams.len());
        let others =
            self.receivers.iter().filter(move |(participant, streams)| **participant != owner && hears(streams));
        others.map(|(participant, _)| *participant)
    }

    /// Lets the streams of a slot wait for the first packet of another voice.
    fn restart(&mut self, slot: usize) {
        for stream in self.receivers.values_mut().filter_map(|streams| streams.get_mut(slot)) {
            stream.switch.end_source();
        }
    }
}
