//! Chooses the voices of a large meeting that are forwarded: a fixed number of slots, and who has each. Pure: the caller passes
//! the time.
//!
//! Everybody takes one slot at most. Whoever begins to speak takes a free slot, or that of the one who has been silent for the longest
//! time, with the first packet. If all speak, a newcomer takes the slot of a client whose bit never pauses, or of the one who has
//! spoken least, soon after it has begun.

use super::peer::IdHasher;
use super::voice_activity::{Scores, VoiceActivity};
use proto::{MAX_SHARED_VOICES, ParticipantId};
use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::time::{Duration, Instant};

/// The voice activity of the participants of a meeting.
pub type Activities = HashMap<ParticipantId, VoiceActivity, BuildHasherDefault<IdHasher>>;

/// Who has each slot.
#[derive(Debug, Default)]
pub struct VoiceSlots {
    slots: [Option<Occupant>; MAX_SHARED_VOICES],
}

#[derive(Clone, Copy, Debug)]
struct Occupant {
    participant: ParticipantId,
    since: Instant,
}

impl VoiceSlots {
    /// Returns the slot of a participant.
    pub fn find(&self, participant: ParticipantId) -> Option<usize> {
        self.slots.iter().position(|slot| slot.is_some_and(|occupant| occupant.participant == participant))
    }

    /// Gives a slot to a participant that has none, because a packet of it has arrived. `voice` is true if the packet contains
    /// speech. Returns `None` if no slot may be taken.
    pub fn take(
        &mut self,
        participant: ParticipantId,
        voice: bool,
        activities: &mut Activities,
        now: Instant,
    ) -> Option<usize> {
        let free = self.slots.iter().position(Option::is_none);
        let slot = free.or_else(|| self.most_silent(voice, activities, now));
        let slot = slot.or_else(|| self.least_speaker(participant, voice, activities, now))?;
        self.slots[slot] = Some(Occupant { participant, since: now });
        Some(slot)
    }

    /// Frees the slot of a participant. Returns it.
    pub fn release(&mut self, participant: ParticipantId) -> Option<usize> {
        let slot = self.find(participant)?;
        self.slots[slot] = None;
        Some(slot)
    }

    /// Returns who has a slot, with its number.
    pub fn occupants(&self) -> impl Iterator<Item = (usize, ParticipantId)> {
        self.slots.iter().enumerate().filter_map(|(slot, occupant)| Some((slot, occupant.as_ref()?.participant)))
    }

    /// Returns the slot of the participant that has been silent for the longest time, if that is long enough. Sound that is no
    /// speech takes no slot from anybody who sends.
    fn most_silent(&self, voice: bool, activities: &Activities, now: Instant) -> Option<usize> {
        let silence = |(slot, participant): (usize, ParticipantId)| {
            let activity = activities.get(&participant);
            let silence = activity.map_or(Duration::MAX, |activity| activity.silence(now));
            let pause = activity.map_or(Duration::MAX, |activity| activity.pause(now));
            let long = if voice { silence >= MIN_SILENCE } else { silence.min(pause) >= MIN_PAUSE };
            long.then_some((silence, slot))
        };
        self.occupants().filter_map(silence).max().map(|(_, slot)| slot)
    }

    /// Returns the slot of the participant that has spoken least, if `newcomer` has spoken for a moment.
    fn least_speaker(
        &self,
        newcomer: ParticipantId,
        voice: bool,
        activities: &mut Activities,
        now: Instant,
    ) -> Option<usize> {
        let activity = activities.get_mut(&newcomer)?;
        if !voice || activity.scores(now).short < MIN_SHORT || activity.is_endless(now) {
            return None;
        }
        let rank = |(slot, occupant): (usize, &Option<Occupant>)| {
            let Occupant { participant, since } = occupant.as_ref()?;
            let activity = activities.get_mut(participant)?;
            let endless = activity.is_endless(now);
            let Scores { medium, long, .. } = activity.scores(now);
            let held = now.saturating_duration_since(*since) >= MIN_HOLD;
            (endless || held).then_some((!endless, medium, long, slot))
        };
        self.slots.iter().enumerate().filter_map(rank).min().map(|(.., slot)| slot)
    }
}

/// After this silence, a participant's slot may be taken by another one that speaks: longer than a pause between sentences.
const MIN_SILENCE: Duration = Duration::from_millis(600);

/// After this time without a packet, it may be taken by any sound.
const MIN_PAUSE: Duration = Duration::from_secs(2);

/// The intervals of 20 ms in which a newcomer must have spoken before it takes the slot of somebody who speaks.
const MIN_SHORT: u32 = 7;

/// How long the slot of somebody who speaks cannot be taken, so that a word is not cut by the next newcomer.
const MIN_HOLD: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    /// Slots, and what arrives in them.
    struct World {
        slots: VoiceSlots,
        activities: Activities,
        now: Instant,
    }

    impl World {
        fn new() -> Self {
            Self { slots: VoiceSlots::default(), activities: Activities::default(), now: Instant::now() }
        }

        /// Handles a packet. Returns its slot.
        fn packet(&mut self, participant: u64, voice: bool) -> Option<usize> {
            let (id, now) = (ParticipantId(participant), self.now);
            self.activities.entry(id).or_insert_with(|| VoiceActivity::new(now)).handle_packet(voice, now);
            self.slots.find(id).or_else(|| self.slots.take(id, voice, &mut self.activities, now))
        }

        /// Lets these participants speak for `milliseconds`. Returns how many of the packets of each had a slot.
        fn speak(&mut self, speakers: &[u64], milliseconds: u64) -> Vec<usize> {
            let mut passed = vec![0; speakers.len()];
            for _ in 0..milliseconds / 20 {
                for (speaker, passed) in speakers.iter().zip(&mut passed) {
                    *passed += usize::from(self.packet(*speaker, true).is_some());
                }
                self.now += Duration::from_millis(20);
            }
            passed
        }

        fn wait(&mut self, milliseconds: u64) {
            self.now += Duration::from_millis(milliseconds);
        }
    }

    const ALL: u64 = MAX_SHARED_VOICES as u64;

    #[test]
    fn each_of_three_hundred_is_heard_from_the_first_packet_on_if_others_are_silent() {
        let mut world = World::new();
        for speaker in 0..300 {
            assert_eq!(world.speak(&[speaker], 1_000), [50], "speaker {speaker}");
            world.wait(400);
        }
    }

    #[test]
    fn eight_who_speak_and_a_newcomer_are_heard_and_nobody_loses_more_than_one_slot() {
        let mut world = World::new();
        let all: Vec<u64> = (0..ALL).collect();
        assert_eq!(world.speak(&all, 3_000), vec![150; MAX_SHARED_VOICES]);
        let everybody: Vec<u64> = (0..=ALL).collect();
        let passed = world.speak(&everybody, 1_000);
        assert!(passed[MAX_SHARED_VOICES] >= 43, "the newcomer waits for 140 ms: {passed:?}");
        assert_eq!(passed.iter().filter(|passed| **passed == 50).count(), MAX_SHARED_VOICES - 1, "{passed:?}");
    }

    #[test]
    fn a_client_that_always_sets_the_bit_has_one_slot_and_loses_it_to_the_next_who_speaks() {
        let mut world = World::new();
        let flooders: Vec<u64> = (100..100 + ALL).collect();
        world.speak(&flooders, 61_000);
        let mut all = flooders.clone();
        all.push(1);
        let passed = world.speak(&all, 4_000);
        assert!(passed[MAX_SHARED_VOICES] >= 193, "{passed:?}");
        let first = world.slots.find(ParticipantId(1));
        all.push(2);
        let passed = world.speak(&all, 4_000);
        assert_eq!(world.slots.find(ParticipantId(1)), first, "the next one takes the slot of another flooder");
        assert!(passed[MAX_SHARED_VOICES] == 200 && passed[MAX_SHARED_VOICES + 1] >= 193, "{passed:?}");
        let held = all.iter().filter(|id| world.slots.find(ParticipantId(**id)).is_some()).count();
        assert_eq!(held, MAX_SHARED_VOICES);
    }

    #[test]
    fn a_client_that_always_sets_the_bit_gets_no_slot_back_from_people_who_breathe() {
        let mut world = World::new();
        let people: Vec<u64> = (0..ALL).collect();
        let all: Vec<u64> = people.iter().copied().chain([100]).collect();
        // A breath of 400 ms is no end of speech.
        for _ in 0..14 {
            world.speak(&all, 5_000);
            world.speak(&[100], 400);
        }
        let passed = world.speak(&all, 5_000);
        assert_eq!(passed[MAX_SHARED_VOICES], 0, "{passed:?}");
        assert!(passed[..MAX_SHARED_VOICES].iter().all(|passed| *passed == 250), "{passed:?}");
    }

    #[test]
    fn noise_takes_free_slots_only_and_speech_takes_those_of_noise() {
        let mut world = World::new();
        for noise in 0..ALL {
            assert!(world.packet(noise, false).is_some());
        }
        for _ in 0..200 {
            (0..ALL).for_each(|noise| assert!(world.packet(noise, false).is_some()));
            assert_eq!(world.packet(50, false), None);
            world.wait(20);
        }
        assert!(world.packet(60, true).is_some());
        world.wait(2_100);
        assert!(world.packet(50, false).is_some(), "the others send nothing any more");
    }

    #[test]
    fn a_slot_is_free_after_its_participant_has_left() {
        let mut world = World::new();
        let slots: Vec<_> = (0..ALL).map(|speaker| world.packet(speaker, true)).collect();
        assert_eq!(slots, (0..MAX_SHARED_VOICES).map(Some).collect::<Vec<_>>());
        assert_eq!((world.slots.release(ParticipantId(3)), world.slots.release(ParticipantId(3))), (Some(3), None));
        assert_eq!(world.packet(70, true), Some(3));
        assert_eq!(world.slots.occupants().count(), MAX_SHARED_VOICES);
    }
}
