//! State that the engine's threads share with its handle.

use crate::device::{self, Direction};
use crate::jitter::Statistics;
use crate::protection::Protection;
use media::Level;
use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A problem after which the engine continues.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Warning {
    /// The device cannot be opened. Nothing is sent or played until another one is selected.
    #[error("no {direction}")]
    Unavailable {
        /// Microphone or speaker.
        direction: Direction,
        /// The reason.
        #[source]
        error: device::Error,
    },
    /// The device in use was lost. The engine looks for it or another one, and then reports [`Warning::Replaced`].
    #[error("{direction} {device} was lost")]
    Lost {
        /// Microphone or speaker.
        direction: Direction,
        /// The name of the device.
        device: String,
    },
    /// The file in use cannot be read or written any more. Nothing is sent or played until another device is selected.
    #[error("no {direction} any more")]
    File {
        /// Microphone or speaker.
        direction: Direction,
        /// The reason.
        #[source]
        error: device::Error,
    },
    /// A lost device was replaced by this one.
    #[error("{direction} is now {device}")]
    Replaced {
        /// Microphone or speaker.
        direction: Direction,
        /// The name of the device.
        device: String,
    },
    /// The encoder or a decoder could not be created.
    #[error("the audio codec failed")]
    Codec(#[from] codec::opus::Error),
    /// A thread could not be started, so there is no audio.
    #[error("an audio thread cannot be started")]
    Thread(#[from] std::io::Error),
}

/// The levels for meters, and who speaks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Levels {
    /// The level of this client's microphone, also while muted: after processing, or as recorded if nobody listens.
    pub microphone: Level,
    /// True if this client's microphone picks up speech, also while muted.
    pub speaking: bool,
    /// The key and level of each remote, and whether it speaks.
    pub remotes: Vec<(u64, Level, bool)>,
}

/// The state shared by the threads and the handle. Locks are held only for short copies, except `muted`.
pub struct Shared {
    pub status: Mutex<Status>,
    pub warnings: Mutex<Vec<Warning>>,
    /// Held while a packet is sent, so that no packet is sent after `Engine::set_muted` returned.
    pub muted: Mutex<bool>,
    /// True while nobody else is in the meeting. Then the microphone is only metered.
    pub alone: AtomicBool,
    /// How the microphone's packets are encoded.
    pub protection: Mutex<Protection>,
}

/// The devices in use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Devices {
    /// The name of the microphone; "null" if there is none.
    pub microphone: String,
    /// The name of the speaker; "null" if there is none.
    pub speaker: String,
    /// Overruns of the microphone since it was opened.
    pub microphone_xruns: u64,
    /// Underruns of the speaker since it was opened.
    pub speaker_xruns: u64,
}

#[derive(Default)]
pub struct Status {
    pub levels: Levels,
    pub devices: Devices,
    pub statistics: HashMap<u64, Statistics>,
}

impl Shared {
    pub fn warn(&self, warning: Warning) {
        tracing::debug!(%warning, "audio warning");
        let mut warnings = lock(&self.warnings);
        if warnings.len() < MAX_WARNINGS {
            warnings.push(warning);
        }
    }
}

/// Locks `mutex`. Ignores poisoning, because no panic can leave the values inconsistent.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The maximum number of warnings that are kept until the caller takes them.
const MAX_WARNINGS: usize = 32;
