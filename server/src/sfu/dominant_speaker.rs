//! Decides who speaks most: the dominant speaker of a meeting. Pure: the caller passes the scores of everybody.
//!
//! As in Volfin and Cohen (see `voice_activity.rs`), the dominant speaker stays until somebody else has more speech in the short, the
//! medium and the long window. So nobody takes over with a cough or a short answer, and the dominant speaker may breathe.

use super::voice_activity::Scores;
use proto::ParticipantId;

/// The participants who were dominant last, the newest first. At most [`MAX_RECENT`].
#[derive(Debug, Default)]
pub struct DominantSpeaker {
    recent: Vec<ParticipantId>,
}

/// A participant who speaks.
#[derive(Clone, Copy, Debug)]
pub struct Candidate {
    /// The participant.
    pub participant: ParticipantId,
    /// How much of each window is speech.
    pub scores: Scores,
    /// True if its bit never pauses. It is dominant only while nobody else speaks.
    pub endless: bool,
}

impl DominantSpeaker {
    /// Handles the scores of all participants. Called every 100 ms.
    pub fn update(&mut self, candidates: &[Candidate]) {
        let dominant = self.recent.first().copied();
        let now = candidates.iter().find(|candidate| Some(candidate.participant) == dominant);
        let speaks = |candidate: &Candidate| candidate.scores.short >= MIN_SHORT && candidate.scores.long >= MIN_LONG;
        let others = candidates.iter().filter(|candidate| Some(candidate.participant) != dominant);
        let better = others.filter(|other| speaks(other) && now.is_none_or(|now| beats(other, now)));
        let rank = |candidate: &&Candidate| (!candidate.endless, candidate.scores.medium, candidate.scores.long);
        if let Some(next) = better.max_by_key(rank) {
            self.remove(next.participant);
            self.recent.insert(0, next.participant);
            self.recent.truncate(MAX_RECENT);
        }
    }

    /// Forgets a participant.
    pub fn remove(&mut self, participant: ParticipantId) {
        self.recent.retain(|recent| *recent != participant);
    }

    /// Returns how recently a participant was dominant: 0 for never, and the highest number for the dominant speaker. A viewer
    /// does not see itself, so it looks at the speaker before.
    pub fn recency(&self, participant: ParticipantId) -> u8 {
        let position = self.recent.iter().position(|recent| *recent == participant);
        position.and_then(|position| u8::try_from(MAX_RECENT - position).ok()).unwrap_or(0)
    }
}

/// Returns whether `other` takes over from the dominant speaker `now`.
fn beats(other: &Candidate, now: &Candidate) -> bool {
    if now.endless != other.endless {
        return now.endless || now.scores == Scores::default();
    }
    other.scores.short > now.scores.short + SHORT_MARGIN && other.scores.medium > now.scores.medium
}

/// How many dominant speakers are remembered.
const MAX_RECENT: usize = 4;

/// Half of the short window must be speech.
const MIN_SHORT: u32 = 8;

/// A cough or a short answer is shorter than this number of fifths of a second.
const MIN_LONG: u32 = 3;

/// How much more of the short window must be speech than that of the dominant speaker.
const SHORT_MARGIN: u32 = 4;

#[cfg(test)]
mod tests {
    use super::super::voice_activity::VoiceActivity;
    use super::*;
    use std::time::{Duration, Instant};

    const ANNA: ParticipantId = ParticipantId(1);
    const BEN: ParticipantId = ParticipantId(2);
    const CLEO: ParticipantId = ParticipantId(3);

    /// Who speaks when, in milliseconds.
    type Speech = [(ParticipantId, &'static [(u64, u64)])];

    /// Returns who was dominant, and since which millisecond.
    fn run(length: u64, speech: &Speech) -> Vec<(u64, ParticipantId)> {
        let start = Instant::now();
        let mut activities: Vec<_> = speech.iter().map(|(id, _)| (*id, VoiceActivity::new(start))).collect();
        let (mut speaker, mut changes) = (DominantSpeaker::default(), Vec::new());
        for time in (0..length).step_by(20) {
            let now = start + Duration::from_millis(time);
            for ((_, times), (_, activity)) in speech.iter().zip(&mut activities) {
                if times.iter().any(|(from, to)| (*from..*to).contains(&time)) {
                    activity.handle_packet(true, now);
                }
            }
            if time % 100 == 0 {
                let candidates = activities.iter_mut().map(|(participant, activity)| {
                    let (scores, endless) = (activity.scores(now), activity.is_endless(now));
                    Candidate { participant: *participant, scores, endless }
                });
                let before = speaker.recent.first().copied();
                speaker.update(&candidates.collect::<Vec<_>>());
                let dominant = speaker.recent.first().copied();
                changes.extend(dominant.filter(|_| dominant != before).map(|dominant| (time, dominant)));
            }
        }
        changes
    }

    #[test]
    fn who_speaks_after_another_is_dominant_within_a_second() {
        let changes = run(10_000, &[(ANNA, &[(0, 4_000)]), (BEN, &[(4_200, 10_000)])]);
        let [(first, ANNA), (second, BEN)] = changes[..] else { panic!("{changes:?}") };
        assert!(first <= 700 && (4_600..5_200).contains(&second), "{changes:?}");
    }

    #[test]
    fn a_cough_a_short_answer_and_a_breath_change_nothing() {
        let speech: &Speech = &[
            (ANNA, &[(0, 3_000), (3_600, 6_000), (6_800, 10_000)]),
            (BEN, &[(1_500, 1_800), (3_050, 3_400), (6_100, 6_500)]),
        ];
        let changes = run(10_000, speech);
        assert!(matches!(changes[..], [(_, ANNA)]), "{changes:?}");
    }

    /// Before somebody has spoken, and after a silence that is longer than all windows.
    #[test]
    fn a_cough_in_silence_makes_nobody_dominant() {
        let changes = run(30_000, &[(ANNA, &[(2_000, 5_000)]), (BEN, &[(500, 800), (25_000, 25_300)])]);
        assert!(matches!(changes[..], [(_, ANNA)]), "{changes:?}");
    }

    #[test]
    fn who_goes_on_after_a_pause_stays_dominant_although_another_has_begun_meanwhile() {
        let changes = run(9_000, &[(ANNA, &[(0, 4_000), (4_450, 9_000)]), (BEN, &[(3_900, 9_000)])]);
        assert!(matches!(changes[..], [(_, ANNA)]), "{changes:?}");
    }

    #[test]
    fn of_two_who_speak_at_once_the_dominant_one_stays() {
        let changes = run(20_000, &[(ANNA, &[(0, 20_000)]), (BEN, &[(2_000, 18_000)])]);
        assert!(matches!(changes[..], [(_, ANNA)]), "{changes:?}");
    }

    #[test]
    fn a_client_that_always_sets_the_bit_is_dominant_only_while_nobody_else_speaks() {
        let speech: &Speech = &[(CLEO, &[(0, 90_000)]), (ANNA, &[(70_000, 75_000)]), (BEN, &[(76_000, 80_000)])];
        let changes = run(90_000, speech);
        let [(_, CLEO), (first, ANNA), (second, BEN)] = changes[..] else { panic!("{changes:?}") };
        assert!((70_500..71_000).contains(&first) && (76_500..77_500).contains(&second), "{changes:?}");
    }

    #[test]
    fn a_viewer_who_is_dominant_looks_at_the_speaker_before() {
        let mut speaker = DominantSpeaker::default();
        let scores = Scores { short: 16, medium: 8, long: 20 };
        for participant in [ANNA, BEN, CLEO] {
            speaker.update(&[Candidate { participant, scores, endless: false }]);
        }
        assert!(speaker.recency(CLEO) > speaker.recency(BEN) && speaker.recency(BEN) > speaker.recency(ANNA));
        assert!(speaker.recency(ANNA) > 0 && speaker.recency(ParticipantId(9)) == 0);
        speaker.remove(CLEO);
        assert_eq!(speaker.recency(CLEO), 0);
    }
}
