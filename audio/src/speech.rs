//! Voice activity detection by level, one decision per packet.

use media::Level;

/// Tracks the background noise and detects speech above it. Ends speech with a delay, so that pauses between words do not
/// toggle it.
pub struct Detector {
    /// The background level in dBov, negative.
    floor: f32,
    /// Consecutive loud packets, or packets since the last loud one.
    loud: u32,
    quiet: u32,
    speaking: bool,
}

impl Detector {
    /// Creates a detector.
    pub fn new() -> Self {
        Self { floor: QUIETEST_FLOOR, loud: 0, quiet: 0, speaking: false }
    }

    /// Adds the level of the next 20 ms. Returns true during speech.
    pub fn update(&mut self, level: Level) -> bool {
        let level = -f32::from(level.minus_dbov());
        if level > (self.floor + ABOVE_FLOOR).max(QUIETEST_SPEECH) {
            self.loud += 1;
            self.quiet = 0;
        } else {
            self.loud = 0;
            self.quiet += 1;
        }
        self.follow(level);
        if self.loud >= ATTACK {
            self.speaking = true;
        } else if self.quiet >= RELEASE {
            self.speaking = false;
        }
        self.speaking
    }

    /// The result of the last [`Detector::update`].
    pub fn speaking(&self) -> bool {
        self.speaking
    }

    /// Follows the background level: falls at once to a quieter level, rises slowly, and more slowly during speech.
    fn follow(&mut self, level: f32) {
        let climb = if self.speaking { CLIMB_SPEAKING } else { CLIMB };
        self.floor = if level < self.floor { f32::midpoint(self.floor, level) } else { self.floor + climb };
        self.floor = self.floor.clamp(QUIETEST_FLOOR, LOUDEST_FLOOR);
    }
}

/// Loud packets before speech is detected, so that a click is not speech.
const ATTACK: u32 = 2;
/// Quiet packets before speech has ended: 300 ms, longer than the pause between two words.
const RELEASE: u32 = 15;
/// The minimum level of speech above the background, in dB.
const ABOVE_FLOOR: f32 = 9.0;
/// The minimum level of speech in dBov.
const QUIETEST_SPEECH: f32 = -55.0;
/// The bounds of the background level, in dBov.
const QUIETEST_FLOOR: f32 = -80.0;
const LOUDEST_FLOOR: f32 = -35.0;
/// The rise of the background level in dB per packet: 5 dB per second, 0.5 during speech.
const CLIMB: f32 = 0.1;
const CLIMB_SPEAKING: f32 = 0.01;

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
