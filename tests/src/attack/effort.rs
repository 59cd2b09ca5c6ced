//! How much an attack tries, and the limits that the honest members must keep meanwhile.

use std::time::Duration;

/// How much is tried.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Which messages.
    pub extent: Extent,
    /// How many members flood the meeting at once.
    pub flooders: usize,
    /// How many void commits are sent.
    pub void_commits: usize,
    /// How long strangers flood the meeting with knocks.
    pub knock_seconds: u64,
    /// How many connections one address opens.
    pub connections: usize,
    /// How many messages never end.
    pub unfinished: usize,
    /// The fewest pictures a second of a camera that sends 30.
    pub min_pictures: f64,
    /// Other programs need the machine too. It may then show fewer pictures, in proportion to those before the attacks.
    pub is_beside_others: bool,
    /// The longest time that a removal takes, and that a newcomer waits.
    pub max_delay: Duration,
}

impl Effort {
    /// Everything.
    pub const FULL: Self = Self {
        extent: Extent::All,
        flooders: 4,
        void_commits: 4,
        knock_seconds: 8,
        connections: 2_000,
        unfinished: 100,
        min_pictures: 28.0,
        is_beside_others: false,
        max_delay: Duration::from_secs(1),
    };

    /// Some of everything, for tests that run beside others.
    pub const SHORT: Self = Self {
        extent: Extent::EveryNth(9),
        flooders: 2,
        void_commits: 1,
        knock_seconds: 2,
        connections: 300,
        unfinished: 10,
        min_pictures: 22.0,
        is_beside_others: true,
        max_delay: Duration::from_secs(5),
    };
}

/// How many messages are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All of them.
    All,
    /// Every n-th one, beginning with the first. For tests.
    EveryNth(usize),
}

impl Extent {
    /// Returns whether the attempt with this number is made.
    pub fn includes(self, number: usize) -> bool {
        match self {
            Self::All => true,
            Self::EveryNth(count) => number.is_multiple_of(count.max(1)),
        }
    }
}
