//! The voices of one meeting: when each has spoken, who is dominant, and which are forwarded on shared descriptions.

use super::dominant_speaker::{Candidate, DominantSpeaker};
use super::output::Output;
use super::peer::Peers;
use super::shared_voices::{SharedVoices, Sound};
use super::voice_activity::VoiceActivity;
use super::voice_slots::Activities;
use proto::ParticipantId;
use std::time::Instant;

/// The voices of one meeting.
#[derive(Debug, Default)]
pub struct Voices {
    activities: Activities,
    dominant: DominantSpeaker,
    /// The media descriptions for whoever speaks.
    pub shared: SharedVoices,
    /// Scratch memory.
    candidates: Vec<Candidate>,
}

impl Voices {
    /// Handles a packet of sound. Returns to how many receivers it was forwarded on shared descriptions.
    pub fn handle_packet(&mut self, sound: Sound<'_>, peers: &mut Peers, output: &mut Output) -> u64 {
        let now = sound.info.arrival;
        // A retransmission shows nothing about the moment.
        if sound.info.newest {
            let activity = self.activities.entry(sound.owner).or_insert_with(|| VoiceActivity::new(now));
            activity.handle_packet(sound.voice, now);
        }
        self.shared.forward(sound, &mut self.activities, peers, output)
    }

    /// Decides who is dominant. Called every 100 ms.
    pub fn update(&mut self, now: Instant) {
        self.candidates.clear();
        self.candidates.extend(self.activities.iter_mut().map(|(participant, activity)| {
            let (scores, endless) = (activity.scores(now), activity.is_endless(now));
            Candidate { participant: *participant, scores, endless }
        }));
        self.dominant.update(&self.candidates);
    }

    /// Returns how recently a participant was dominant. See [`DominantSpeaker::recency`].
    pub fn recency(&self, participant: ParticipantId) -> u8 {
        self.dominant.recency(participant)
    }

    /// A participant's microphone has begun again or ended.
    pub fn end_source(&mut self, owner: ParticipantId) {
        self.shared.end_source(owner);
        self.activities.remove(&owner);
    }

    /// Removes a participant.
    pub fn remove(&mut self, participant: ParticipantId) {
        self.end_source(participant);
        self.dominant.remove(participant);
        self.shared.remove_receiver(participant);
    }
}
