//! Voice activity detection by level, one decision per packet.

use media::Level;

/// Tracks the level of the background noise, and detects speech above it. Speech ends with a delay, so that pauses
/// between words do not end it.
pub struct Detector {
    /// The background level in dBov, negative.
    floor: f32,
    streak: Streak,
    speaking: bool,
}

/// The last consecutive packets that are all loud or all quiet, and their number.
#[derive(Clone, Copy)]
enum Streak {
    Loud(u32),
    Quiet(u32),
}

impl Streak {
    /// Returns the streak after one more packet.
    fn next(self, loud: bool) -> Self {
        match (self, loud) {
            (Self::Loud(count), true) => Self::Loud(count.saturating_add(1)),
            (Self::Quiet(_), true) => Self::Loud(1),
            (Self::Loud(_), false) => Self::Quiet(1),
            (Self::Quiet(count), false) => Self::Quiet(count.saturating_add(1)),
        }
    }
}

impl Detector {
    /// Returns a detector that has heard nothing yet.
    pub fn new() -> Self {
        Self { floor: MIN_FLOOR, streak: Streak::Quiet(0), speaking: false }
    }

    /// Adds the level of the next 20 ms. Returns true during speech.
    pub fn update(&mut self, level: Level) -> bool {
        let level = -f32::from(level.minus_dbov());
        self.streak = self.streak.next(level > (self.floor + ABOVE_FLOOR).max(MIN_SPEECH_LEVEL));
        self.update_floor(level);
        match self.streak {
            Streak::Loud(ATTACK..) => self.speaking = true,
            Streak::Quiet(RELEASE..) => self.speaking = false,
            Streak::Loud(_) | Streak::Quiet(_) => {}
        }
        self.speaking
    }

    /// Returns the result of the last [`Detector::update`].
    pub fn speaking(&self) -> bool {
        self.speaking
    }

    /// Updates the background level. It falls fast to a quieter level and rises slowly, even more slowly during speech.
    fn update_floor(&mut self, level: f32) {
        let rise = if self.speaking { FLOOR_RISE_IN_SPEECH } else { FLOOR_RISE };
        self.floor = if level < self.floor { f32::midpoint(self.floor, level) } else { self.floor + rise };
        self.floor = self.floor.clamp(MIN_FLOOR, MAX_FLOOR);
    }
}

/// Loud packets before speech is detected, so that a click is not speech.
const ATTACK: u32 = 2;

/// Quiet packets before speech has ended: 300 ms, longer than the pause between two words.
const RELEASE: u32 = 15;

/// The minimum level of speech above the background, in dB.
const ABOVE_FLOOR: f32 = 9.0;

/// The minimum level of speech in dBov.
const MIN_SPEECH_LEVEL: f32 = -55.0;

/// The bounds of the background level, in dBov.
const MIN_FLOOR: f32 = -80.0;
const MAX_FLOOR: f32 = -35.0;

/// The rise of the background level in dB per packet: 5 dB per second, 0.5 during speech.
const FLOOR_RISE: f32 = 0.1;
const FLOOR_RISE_IN_SPEECH: f32 = 0.01;

#[cfg(test)]
mod tests {
    use super::*;

    fn run(detector: &mut Detector, minus_dbov: u8, packets: usize) -> Vec<bool> {
        (0..packets).map(|_| detector.update(Level::new(minus_dbov))).collect()
    }

    #[test]
    fn speech_starts_fast_and_ends_slowly() {
        let mut detector = Detector::new();
        assert!(run(&mut detector, 70, 50).iter().all(|speaking| !speaking));
        assert_eq!(run(&mut detector, 25, 3), [false, true, true]);
        assert!(run(&mut detector, 70, 14).iter().all(|speaking| *speaking), "a pause between words");
        assert!(!detector.update(Level::new(70)));
    }

    #[test]
    fn a_click_is_not_speech() {
        let mut detector = Detector::new();
        run(&mut detector, 70, 50);
        assert_eq!(run(&mut detector, 10, 1), [false]);
        assert_eq!(run(&mut detector, 70, 1), [false]);
    }

    #[test]
    fn steady_noise_becomes_background() {
        let mut detector = Detector::new();
        run(&mut detector, 50, 3_000);
        assert!(!detector.update(Level::new(50)));
        assert_eq!(run(&mut detector, 30, 2), [false, true]);
    }
}
